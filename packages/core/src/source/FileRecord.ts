/**
 * What does a file say in one record, whichever format it has? CSV and NDJSON arrive in the same shape, so that one rule
 * admits both; a record that cannot be read is kept so that it can be read again without its file.
 *
 * @since 0.1.0
 */
import { isUtf8 } from "node:buffer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Rejected } from "../Source.ts"
import type { RecordFrame } from "./RecordFrame.ts"

/**
 * One record of a file.
 *
 * **Details**
 *
 * - `fields` has every known column, in the order in which the source declares them. In CSV a value is its text, empty
 *   text included, and undefined where the header lacks the column. In NDJSON it is the JSON value, undefined where the
 *   object lacks the field; a number arrives as its source text (`12.50` as `"12.50"`), so that no digit is lost and a
 *   number reads as it would from CSV. Numbers deeper inside a value follow `ExactJson.parse`.
 * - `extra` has what no column knows: text in CSV, JSON in NDJSON.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileRecord {
  readonly origin: string
  /** The line on which the record begins, from 1; a CSV header is line 1. */
  readonly line: number
  readonly fields: { readonly [column: string]: Schema.Json | undefined }
  readonly extra: Schema.JsonObject
  readonly raw: string
}

/**
 * The shape of a file's records: all that is needed to read one of them alone.
 *
 * @category models
 * @since 0.1.0
 */
export type RecordShape =
  | { readonly format: "csv"; readonly header: ReadonlyArray<string> }
  | { readonly format: "ndjson" }

/**
 * What `Rejected.context` holds for a record of a file.
 *
 * **Details**
 *
 * `bytes` is the record in base64 where `raw` cannot say it exactly (NUL bytes, invalid UTF-8); where `raw` was corrected
 * since, it is read instead. `length` is the number of bytes of a record of which `raw` is only the beginning.
 *
 * @category models
 * @since 0.1.0
 */
export const RejectedContext = Schema.Struct({
  format: Schema.Literals(["csv", "ndjson"]),
  header: Schema.optionalKey(Schema.Array(Schema.String)),
  bytes: Schema.optionalKey(Schema.String),
  length: Schema.optionalKey(Schema.Number)
})

/**
 * Rejects a framed record.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reject = (
  bytes: Buffer,
  frame: RecordFrame,
  options: { readonly origin: string; readonly shape: RecordShape; readonly reasons: ReadonlyArray<string> }
): Rejected => {
  const kept = frame.cut?.head ?? bytes.subarray(frame.start, frame.end)
  const isExact = frame.cut !== undefined || (isUtf8(kept) && !kept.includes(0))
  return {
    origin: options.origin,
    line: frame.line,
    raw: shown(kept),
    reasons: options.reasons,
    context: {
      ...options.shape,
      ...(isExact ? undefined : { bytes: kept.toString("base64") }),
      ...(frame.cut === undefined ? undefined : { length: frame.cut.length })
    }
  }
}

/**
 * Rejects a record that could be read but breaks a rule.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuse = (self: FileRecord, shape: RecordShape, reasons: ReadonlyArray<string>): Rejected => ({
  origin: self.origin,
  line: self.line,
  raw: self.raw,
  reasons,
  context: { ...shape }
})

/**
 * The bytes and the shape of a rejected record, or why it cannot be read again.
 *
 * @category getters
 * @since 0.1.0
 */
export const recall = (
  rejected: Rejected
): Result.Result<{ readonly bytes: Buffer; readonly shape: RecordShape }, string> => {
  const context = Option.getOrUndefined(decodeContext(rejected.context))
  if (context === undefined || (context.format === "csv" && context.header === undefined)) {
    return Result.fail("cannot be read again: what was kept beside the record does not come from a file")
  }
  if (context.length !== undefined) {
    return Result.fail(
      `cannot be read again: only the beginning of its ${context.length} bytes was kept; raise maxRecordBytes and land ` +
        `the record in a file of its own`
    )
  }
  const kept = context.bytes === undefined ? undefined : Buffer.from(context.bytes, "base64")
  const bytes = kept !== undefined && shown(kept) === rejected.raw ? kept : Buffer.from(rejected.raw, "utf8")
  return Result.succeed({
    bytes,
    shape: context.format === "csv" ? { format: "csv", header: context.header ?? [] } : { format: "ndjson" }
  })
}

// --- internal ---

const decodeContext = Schema.decodeUnknownOption(RejectedContext)

/** Text that a database can store, for people to read: NUL is shown as ␀, and what is no UTF-8 as �. */
const shown = (bytes: Buffer): string => bytes.toString("utf8").replaceAll("\0", "␀")
