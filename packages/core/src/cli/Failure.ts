/**
 * How is a failure told? In the words of its error, with what to do next, and with the exit code that says whose turn it
 * is. Never with a stack trace, and never with a secret, whoever put it into a message.
 */
import * as CliError from "effect/cli/CliError"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Reason as DatabaseReason } from "../postgres/Database.ts"
import type { Reason as EmbeddedReason } from "../postgres/EmbeddedPostgresError.ts"
import { ExitCode } from "./ExitCode.ts"
import * as Paragraph from "./Paragraph.ts"
import { conceal } from "./Screen.ts"
import type { Style } from "./Style.ts"

/**
 * A failure, ready to be told. No message: it has been told already, or there is nobody to tell.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly code: ExitCode
  readonly message: string | undefined
  readonly advice: string | undefined
}

/**
 * The failure that an error is. `call` is how the user calls the application.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromError = (error: unknown, call: string): Failure => {
  if (CliError.isCliError(error)) {
    const isMistake = error._tag !== "ShowHelp" || error.errors.length > 0
    return {
      code: isMistake ? ExitCode.usage : ExitCode.done,
      message: error._tag === "ShowHelp" ? undefined : error.message,
      advice: undefined
    }
  }
  if (!Predicate.hasProperty(error, "_tag") || !Predicate.isString(error._tag)) return unexpected(error, call)
  if (error._tag === "HostError" && Predicate.hasProperty(error, "cause")) return fromError(error.cause, call)
  if (error._tag === "Unsuccessful" && Predicate.hasProperty(error, "code")) {
    return silent(error.code === ExitCode.partlyFailed ? ExitCode.partlyFailed : ExitCode.failed)
  }
  if (error._tag === "OutputClosed") return silent(ExitCode.done)
  const reason = reasonOf(error)
  const code = usage.has(error._tag) || usage.has(`${error._tag}/${reason}`) ? ExitCode.usage : ExitCode.failed
  const message = messageOf(error)
  return { code, message: spoken.has(error._tag) ? message : capitalized(message), advice: advice(call)[error._tag] }
}

/**
 * The lines of a failure.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  self: Failure,
  options: { readonly style: Style; readonly width: number; readonly secrets: ReadonlyArray<string> }
): ReadonlyArray<string> => {
  const { secrets, style, width } = options
  if (self.message === undefined) return []
  const safe = (text: string) => style.words(conceal(text, secrets))
  const [first = "", ...rest] = safe(self.message)
    .split("\n")
    .flatMap((line) => Paragraph.wrap(line, { width: width - 2 }))
  return [
    `${style.symbols.failed} ${style.bold(first)}`,
    ...rest.map((line) => `  ${line}`),
    ...(self.advice === undefined
      ? []
      : Paragraph.wrap(safe(self.advice), { width: width - 2 }).map((line) => style.dim(`  ${line}`)))
  ]
}

/**
 * The texts that no output may show: a database URL and its password, as written and decoded.
 *
 * @category getters
 * @since 0.1.0
 */
export const secretsOf = (databaseUrl: Redacted.Redacted | undefined): ReadonlyArray<string> => {
  if (databaseUrl === undefined) return []
  const text = Redacted.value(databaseUrl)
  const url = URL.parse(text)
  const password = url?.password ?? ""
  const parameter = url?.searchParams.get("password") ?? ""
  const found = [text, password, decoded(password), parameter].filter((secret) => secret.length > 2)
  return Array.from(new Set(found)).toSorted((a, b) => b.length - a.length)
}

// --- internal ---

const silent = (code: ExitCode): Failure => ({ code, message: undefined, advice: undefined })

/** Errors whose remedy is another command line or another setting. */
const usage: ReadonlySet<string> = new Set([
  "UsageError",
  "InvalidSetting",
  "UnknownAsset",
  "InvalidSelection",
  "InvalidPartitionRange",
  "InvalidPartitions",
  "UnknownPartitions",
  "InvalidGraph",
  "InvalidAsset",
  "UnknownBackfill",
  "ConfigError",
  ...(["InvalidUrl", "AuthenticationFailed", "DatabaseMissing", "TooOld"] satisfies ReadonlyArray<DatabaseReason>).map(
    (reason) => `DatabaseError/${reason}`
  ),
  ...(
    ["UnsupportedPlatform", "BinariesUnusable", "HomeUnusable", "VersionMismatch"] satisfies ReadonlyArray<
      EmbeddedReason["_tag"]
    >
  ).map((reason) => `EmbeddedPostgresError/${reason}`)
])

const advice = (call: string): Readonly<Record<string, string>> => ({
  DatabaseError: "The URL is what DATABASE_URL says. Without it, the embedded server is used.",
  Transient: `Run the same command again: what was committed stays, and only the rest is done.`,
  ResourceExhausted: `Give the server more room, then run the same command again: what was committed stays.`,
  SchemaMismatch: `See what there is: ${call} status`
})

const reasonOf = (error: object): string => {
  if (!Predicate.hasProperty(error, "reason")) return ""
  const { reason } = error
  if (Predicate.isString(reason)) return reason
  return Predicate.hasProperty(reason, "_tag") && Predicate.isString(reason._tag) ? reason._tag : ""
}

const messageOf = (error: unknown): string => {
  const pointed = pointedAt(error)
  if (pointed !== undefined) return pointed
  const message = Predicate.hasProperty(error, "message") && Predicate.isString(error.message) ? error.message : ""
  return message === "" ? "it did not say why" : message
}

/** A range that cannot be read, with a caret under what is wrong, as a selection has it; undefined for other errors. */
const pointedAt = (error: unknown): string | undefined => {
  if (!Predicate.hasProperty(error, "_tag") || error._tag !== "InvalidPartitionRange") return undefined
  const range = decodeRange(error)
  if (Option.isNone(range) || range.value.isUnderstood === true) return undefined
  const { item, position, problem, text, validForms } = range.value
  // Behind a caret that stands far to the right, there is no room for a sentence.
  if (position + item.length > 40) return undefined
  const caret = " ".repeat(position - 1) + "^".repeat(Math.max(1, item.length))
  return `cannot read the partition range\n  ${text}\n  ${caret} ${problem}\nvalid forms: ${validForms}`
}

const decodeRange = Schema.decodeUnknownOption(
  Schema.Struct({
    text: Schema.String,
    item: Schema.String,
    position: Schema.Int,
    problem: Schema.String,
    validForms: Schema.String,
    isUnderstood: Schema.optional(Schema.Boolean)
  })
)

/** Errors whose message may begin with a name, which is spelled as it is. */
const spoken: ReadonlySet<string> = new Set(["UsageError", "InvalidSetting"])

const capitalized = (text: string): string =>
  /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text

const unexpected = (error: unknown, call: string): Failure => ({
  code: ExitCode.failed,
  message: `Something went wrong that should not: ${Predicate.isString(error) ? error : messageOf(error)}`,
  advice: `Nothing is half done: every step is one transaction. Run the same command again; if it stays, report it with the output of ${call} --version.`
})

/** `decodeURIComponent` throws on a lone %, which a user may well write. */
const decoded = (text: string): string =>
  /%(?![0-9a-f]{2})/i.test(text)
    ? text
    : (new URLSearchParams(`text=${text.replaceAll("+", "%2B").replaceAll("&", "%26")}`).get("text") ?? text)
