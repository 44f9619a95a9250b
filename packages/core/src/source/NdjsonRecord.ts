/**
 * What do the framed lines of an NDJSON file say? Each is one JSON object; a line that is none is rejected alone.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Rejected } from "../Source.ts"
import * as ExactJson from "./ExactJson.ts"
import * as FileRecord from "./FileRecord.ts"
import { type RecordFrame, textProblem } from "./RecordFrame.ts"

/**
 * The known fields of an NDJSON file.
 *
 * @category models
 * @since 0.1.0
 */
export interface NdjsonFields {
  readonly columns: ReadonlyArray<string>
  readonly known: ReadonlySet<string>
  readonly maxColumns: number
}

/**
 * Makes the known fields of an NDJSON file.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fields = (columns: ReadonlyArray<string>, maxColumns: number): NdjsonFields => ({
  columns,
  known: new Set(columns),
  maxColumns
})

/**
 * Decodes framed lines, in order.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  bytes: Buffer,
  frames: ReadonlyArray<RecordFrame>,
  options: { readonly origin: string; readonly fields: NdjsonFields }
): ReadonlyArray<Result.Result<FileRecord.FileRecord, Rejected>> => {
  const first = frames[0]?.start ?? 0
  const isClean = textProblem(bytes.subarray(first, frames.at(-1)?.end ?? first)) === undefined
  return frames.map((frame) => {
    const line = bytes.subarray(frame.start, frame.end)
    const problem = frame.problem ?? (isClean ? undefined : textProblem(line))
    const record = problem === undefined ? recordOf(line.toString("utf8"), frame, options) : Result.fail(problem)
    return Result.isSuccess(record)
      ? Result.succeed(record.success)
      : Result.fail(FileRecord.reject(bytes, frame, { origin: options.origin, shape, reasons: [record.failure] }))
  })
}

// --- internal ---

const shape = { format: "ndjson" } as const

const recordOf = (
  raw: string,
  frame: RecordFrame,
  options: { readonly origin: string; readonly fields: NdjsonFields }
): Result.Result<FileRecord.FileRecord, string> => {
  const { columns, known, maxColumns } = options.fields
  const parsed = ExactJson.parseObject(raw, known)
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
  const object = parsed.success
  const names = Object.keys(object)
  if (names.length > maxColumns) {
    return Result.fail(`has ${names.length} fields, more than the ${maxColumns} allowed`)
  }
  const fields: Record<string, Schema.Json | undefined> = {}
  let count = 0
  for (const column of columns) {
    const isPresent = Object.hasOwn(object, column)
    fields[column] = isPresent ? object[column] : undefined
    if (isPresent) count += 1
  }
  const extra =
    count === names.length ? noExtra : Object.fromEntries(Object.entries(object).filter(([name]) => !known.has(name)))
  return Result.succeed({ origin: options.origin, line: frame.line, fields, extra, raw })
}

const noExtra: Schema.JsonObject = {}
