import * as Result from "effect/Result"
import * as Nearest from "./nearest.ts"

/** What a text says, with the places of the words that may turn out to be unknown. */
export type Tree =
  | (Place & { readonly _tag: "Name"; readonly text: string })
  | (Place & { readonly _tag: "Attribute"; readonly attribute: string; readonly value: string })
  | { readonly _tag: "Call"; readonly name: "roots" | "sinks"; readonly of: Tree }
  | {
      readonly _tag: "Traversal"
      readonly of: Tree
      /** How many edges; without bound when infinite. */
      readonly upstream: number | undefined
      readonly downstream: number | undefined
    }
  | { readonly _tag: "And"; readonly left: Tree; readonly right: Tree }
  | { readonly _tag: "Or"; readonly left: Tree; readonly right: Tree }
  | { readonly _tag: "Not"; readonly of: Tree }

/** From the first character of a word to behind its last one, counted from 0. */
export interface Place {
  readonly start: number
  readonly end: number
}

export interface Problem extends Place {
  readonly problem: string
}

/** Whether a text is what a pattern says, in which `*` stands for any text. */
export const matches = (pattern: string, text: string): boolean => {
  const [first = "", ...rest] = pattern.split("*")
  const last = rest.pop()
  if (last === undefined) return pattern === text
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  let from = first.length
  for (const part of rest) {
    const found = text.indexOf(part, from)
    if (found < 0 || found + part.length > text.length - last.length) return false
    from = found + part.length
  }
  return true
}

/** `; did you mean "…"?` where one of the words is near. */
export const hint = (text: string, words: ReadonlyArray<string>): string => {
  const nearest = Nearest.find(words, text)
  return nearest === undefined ? "" : `; did you mean "${nearest}"?`
}

/**
 * Reads a text by recursive descent:
 *
 *     or        = and { ("or" | ",") and }
 *     and       = not { "and" not }
 *     not       = "not" not | traversal
 *     traversal = [ [number] "+" ] primary [ "+" [number] ]
 *     primary   = "(" or ")" | ("roots" | "sinks") "(" or ")" | word ":" word | word
 */
export const parse = (text: string): Result.Result<Tree, Problem> =>
  Result.gen(function* () {
    const tokens = yield* tokenize(text)
    const reader: Reader = { tokens, next: 0, end: text.length }
    const tree = yield* readOr(reader)
    const rest = peek(reader)
    if (rest !== undefined) {
      const problem = rest.text === ")" ? "closes nothing" : 'expected "and", "or" or the end'
      return yield* Result.fail({ start: rest.start, end: rest.end, problem })
    }
    return tree
  })

// --- internal ---

interface Token extends Place {
  readonly kind: "word" | "sign"
  readonly text: string
}

interface Reader {
  readonly tokens: ReadonlyArray<Token>
  readonly end: number
  next: number
}

type Read = Result.Result<Tree, Problem>

const pattern = /\s*(?:([(),:+])|"([^"]*)"|([^\s(),:+"]+))/y

const tokenize = (text: string): Result.Result<ReadonlyArray<Token>, Problem> => {
  const tokens: Array<Token> = []
  const length = text.trimEnd().length
  for (let at = 0; at < length;) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) {
      const start = text.indexOf('"', at)
      return Result.fail({ start, end: length, problem: "the quotation has no end" })
    }
    const [whole, sign, quoted, word] = match
    const end = at + whole.length
    const start = end - whole.trimStart().length
    tokens.push({ start, end, kind: sign === undefined ? "word" : "sign", text: sign ?? quoted ?? word ?? "" })
    at = end
  }
  return Result.succeed(tokens)
}

const peek = (reader: Reader): Token | undefined => reader.tokens[reader.next]

const isNext = (reader: Reader, ...texts: ReadonlyArray<string>): boolean => {
  const token = peek(reader)
  return token !== undefined && texts.includes(token.text.toLowerCase())
}

const accept = (reader: Reader, ...texts: ReadonlyArray<string>): boolean => {
  const isThere = isNext(reader, ...texts)
  if (isThere) reader.next += 1
  return isThere
}

const expected = (reader: Reader, what: string): Result.Result<never, Problem> => {
  const token = peek(reader)
  return token === undefined
    ? Result.fail({ start: reader.end, end: reader.end + 1, problem: `expected ${what}` })
    : Result.fail({ start: token.start, end: token.end, problem: `expected ${what}` })
}

const readOr = (reader: Reader): Read =>
  Result.gen(function* () {
    let left = yield* readAnd(reader)
    while (accept(reader, "or", ",")) left = { _tag: "Or", left, right: yield* readAnd(reader) }
    return left
  })

const readAnd = (reader: Reader): Read =>
  Result.gen(function* () {
    let left = yield* readNot(reader)
    while (accept(reader, "and")) left = { _tag: "And", left, right: yield* readNot(reader) }
    return left
  })

const readNot = (reader: Reader): Read =>
  accept(reader, "not") ? Result.map(readNot(reader), (of): Tree => ({ _tag: "Not", of })) : readTraversal(reader)

const readTraversal = (reader: Reader): Read =>
  Result.gen(function* () {
    const before = readDepth(reader)
    const isUpstream = accept(reader, "+")
    const of = yield* readPrimary(reader)
    const isDownstream = accept(reader, "+")
    if (!isUpstream && !isDownstream) return of
    const after = isDownstream && isNumber(peek(reader)) ? Number(reader.tokens[reader.next++]?.text) : undefined
    return {
      _tag: "Traversal",
      of,
      upstream: isUpstream ? (before ?? Number.POSITIVE_INFINITY) : undefined,
      downstream: isDownstream ? (after ?? Number.POSITIVE_INFINITY) : undefined
    }
  })

const isNumber = (token: Token | undefined): boolean => token !== undefined && /^\d+$/.test(token.text)

/** A number is a depth only where a plus follows it; otherwise it is a name. */
const readDepth = (reader: Reader): number | undefined => {
  const token = peek(reader)
  if (token === undefined || !isNumber(token) || reader.tokens[reader.next + 1]?.text !== "+") return undefined
  const isName = !isPrimary(reader.tokens[reader.next + 2])
  if (isName) return undefined
  reader.next += 1
  return Number(token.text)
}

const isPrimary = (token: Token | undefined): boolean =>
  token !== undefined && (token.text === "(" || (token.kind === "word" && !/^(and|or)$/i.test(token.text)))

const readPrimary = (reader: Reader): Read =>
  Result.gen(function* () {
    const token = peek(reader)
    const asset = "an asset, an attribute such as tag:finance, or a parenthesis"
    if (token === undefined || (token.kind === "sign" && token.text !== "(")) return yield* expected(reader, asset)
    if (token.kind === "word" && /^(and|or)$/i.test(token.text))
      return yield* expected(reader, `${asset} before "${token.text}"`)
    reader.next += 1
    if (token.text === "(" && token.kind === "sign") return yield* closed(reader, token)
    const { end, start, text } = token
    if ((text === "roots" || text === "sinks") && isNext(reader, "(")) {
      const opening = reader.tokens[reader.next++] ?? token
      return { _tag: "Call", name: text, of: yield* closed(reader, opening) }
    }
    if (!accept(reader, ":")) return { _tag: "Name", start, end, text }
    const value = peek(reader)
    if (value === undefined || value.kind === "sign") return yield* expected(reader, `a value for "${text}"`)
    reader.next += 1
    return { _tag: "Attribute", start, end: value.end, attribute: text, value: value.text }
  })

const closed = (reader: Reader, opening: Token): Read =>
  Result.gen(function* () {
    const tree = yield* readOr(reader)
    if (accept(reader, ")")) return tree
    const token = peek(reader)
    return yield* token === undefined
      ? Result.fail({ start: opening.start, end: opening.end, problem: "the parenthesis is never closed" })
      : expected(reader, '"and", "or" or a closing parenthesis')
  })
