/**
 * How is JSON read without changing what it says? JavaScript rounds long numbers, PostgreSQL refuses NUL characters and
 * lone surrogates, and deep nesting exhausts the stack: here a number keeps its digits, and a text that could not be
 * stored is refused with a reason.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as json from "../internal/json.ts"

/**
 * The greatest depth of lists and objects inside each other.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxDepth = 100

/**
 * Parses JSON text.
 *
 * **Details**
 *
 * A number which a JavaScript number holds exactly arrives as a number, any other (more than 15 digits, or with an
 * exponent) as its source text. Where an object names a field twice, the last one counts.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (text: string): Result.Result<Schema.Json, string> => parseWith(text, nothing)

/**
 * Parses a JSON object whose named fields are columns.
 *
 * **Details**
 *
 * As `parse`, but a number that is the value of a column always arrives as its source text, `12.50` as `"12.50"`: so a
 * column reads the same from JSON as from CSV.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parseObject = (text: string, columns: ReadonlySet<string>): Result.Result<Schema.JsonObject, string> => {
  const parsed = parseWith(text, columns)
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
  if (json.isObject(parsed.success)) return Result.succeed(parsed.success)
  return Result.fail(`not a JSON object but ${nameOf(parsed.success)}: expected one object per line`)
}

// --- internal ---

const nothing: ReadonlySet<string> = new Set()

const parseWith = (text: string, columns: ReadonlySet<string>): Result.Result<Schema.Json, string> => {
  const parsed = Result.try({ try: () => json.parse(text), catch: messageOf })
  if (Result.isFailure(parsed)) return Result.fail(`not valid JSON: ${parsed.failure}`)
  const value = parsed.success
  // Only an escape can bring in a character that the bytes of the text do not show.
  const found = survey(value, 0, text.includes("\\"))
  const problem = problems.find(([flag]) => (found & flag) !== 0)
  if (problem !== undefined) return Result.fail(problem[1])
  if ((found & hasNumber) === 0) return Result.succeed(value)
  const quick = mayBeInexact.test(text) ? undefined : withColumnTexts(value, text, columns)
  return Result.succeed(quick ?? withExactNumbers(value, json.parseNumbersAsText(text), columns))
}

const hasNumber = 1
const isTooDeep = 2
const hasNul = 4
const hasLoneSurrogate = 8

const problems: ReadonlyArray<readonly [number, string]> = [
  [isTooDeep, `nested more than ${maxDepth} levels deep`],
  [hasNul, "contains the character U+0000 (\\u0000), which a database cannot store"],
  [hasLoneSurrogate, "contains half of a surrogate pair, which is no character"]
]

/** Flags of what a value holds; the depth is bounded, so the recursion is too. */
const survey = (value: Schema.Json, depth: number, isEscaped: boolean): number => {
  if (typeof value === "string") return isEscaped ? surveyText(value) : 0
  if (typeof value === "number") return hasNumber
  if (typeof value !== "object" || value === null) return 0
  if (depth === maxDepth) return isTooDeep
  let found = 0
  if (!json.isObject(value)) {
    for (const item of value) found |= survey(item, depth + 1, isEscaped)
    return found
  }
  for (const key of Object.keys(value)) {
    found |= survey(value[key] ?? null, depth + 1, isEscaped)
    if (isEscaped) found |= surveyText(key)
  }
  return found
}

const surveyText = (text: string): number => (text.includes("\0") ? hasNul : text.isWellFormed() ? 0 : hasLoneSurrogate)

/** 15 significant digits survive the way into a double and back; a longer run, or an exponent, may not. */
const mayBeInexact = /[\d.]{16}|\d[eE]/
const isExact = (source: string): boolean => !mayBeInexact.test(source)

/**
 * The value with the numbers of columns as they stand in the text: a fifth of the time of parsing again. Undefined where
 * they cannot be found for certain: without escapes, a name that occurs once between quotes is the column's.
 */
const withColumnTexts = (value: Schema.Json, text: string, columns: ReadonlySet<string>): Schema.Json | undefined => {
  if (!json.isObject(value)) return value
  const texts = new Map<string, string>()
  for (const column of columns) {
    if (typeof value[column] !== "number") continue
    const name = `"${column}"`
    const at = text.indexOf(name)
    if (at === -1 || text.includes("\\") || text.includes(name, at + 1)) return undefined
    numberAfterName.lastIndex = at + name.length
    const source = numberAfterName.exec(text)?.[1]
    if (source === undefined) return undefined
    texts.set(column, source)
  }
  return texts.size > 0
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, texts.get(key) ?? item]))
    : value
}

const numberAfterName = /\s*:\s*(-?[\d.]+)/y

/** The two values differ only in their numbers: in `texts` each stands as its source. */
const withExactNumbers = (value: Schema.Json, texts: Schema.Json, columns: ReadonlySet<string>): Schema.Json => {
  if (typeof value === "number") return typeof texts === "string" && !isExact(texts) ? texts : value
  if (typeof value !== "object" || typeof texts !== "object" || value === null || texts === null) return value
  if (json.isObject(value)) {
    if (!json.isObject(texts)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const text = texts[key] ?? null
        return [key, typeof item === "number" && columns.has(key) ? text : withExactNumbers(item, text, nothing)]
      })
    )
  }
  if (json.isObject(texts)) return value
  return value.map((item, index) => withExactNumbers(item, texts[index] ?? null, nothing))
}

const nameOf = (value: Schema.Json): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
