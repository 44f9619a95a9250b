/**
 * What do the framed records of a CSV file say? The header names the fields; a record with another number of fields, or
 * with bytes that are no text, is rejected alone.
 *
 * @since 0.1.0
 */
import { isAscii } from "node:buffer"
import { parse } from "csv-parse/sync"
import * as Result from "effect/Result"
import type { Rejected } from "../Source.ts"
import * as FileRecord from "./FileRecord.ts"
import { type RecordFrame, textProblem } from "./RecordFrame.ts"

/**
 * A header, and where in a record each column stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface CsvHeader {
  readonly names: ReadonlyArray<string>
  /** For each known column, in declared order: its name and its place, -1 where the header lacks it. */
  readonly known: ReadonlyArray<readonly [name: string, place: number]>
  /** The columns that are not known, with their places. */
  readonly extra: ReadonlyArray<readonly [name: string, place: number]>
}

/**
 * Reads a header record.
 *
 * **Details**
 *
 * Names are exact. Columns without a name are called by their place, `column 7`; two columns of one name are an error,
 * because nobody could say which one is meant. So is a header with a CR that no LF follows, for such a file has no lines.
 *
 * @category constructors
 * @since 0.1.0
 */
export const headerFrom = (
  bytes: Buffer,
  frame: RecordFrame,
  options: { readonly columns: ReadonlyArray<string>; readonly maxColumns: number }
): Result.Result<CsvHeader, string> => {
  const record = bytes.subarray(frame.start, frame.end)
  const problem = frame.problem ?? textProblem(record)
  if (problem !== undefined) return Result.fail(`its header (line ${frame.line}) cannot be read: ${problem}`)
  const parsed = fieldsOf(record)
  if (Result.isFailure(parsed)) return Result.fail(`its header (line ${frame.line}) cannot be read: ${parsed.failure}`)
  const names = (parsed.success[0] ?? []).map((name, place) => (name === "" ? `column ${place + 1}` : name))
  // Else the whole file would be its header, and none of its records would ever be missed.
  if (names.some((name) => loneReturn.test(name))) {
    return Result.fail("its lines end in CR alone: end them with LF or CRLF")
  }
  if (names.length > options.maxColumns) {
    return Result.fail(`its header has ${names.length} columns, more than the ${options.maxColumns} allowed`)
  }
  const counts = Map.groupBy(names, (name) => name)
  const twice = [...counts.keys()].filter((name) => (counts.get(name)?.length ?? 0) > 1)
  if (twice.length > 0) return Result.fail(`its header names columns more than once: ${list(twice)}`)
  return Result.succeed(header(names, options.columns))
}

/**
 * Makes the header of columns whose names are known.
 *
 * @category constructors
 * @since 0.1.0
 */
export const header = (names: ReadonlyArray<string>, columns: ReadonlyArray<string>): CsvHeader => {
  const places = new Map(names.map((name, place) => [name, place]))
  const known = new Set(columns)
  return {
    names,
    known: columns.map((name) => [name, places.get(name) ?? -1]),
    extra: names.flatMap((name, place) => (known.has(name) ? [] : [[name, place] as const]))
  }
}

/**
 * Why a header does not do: the required columns that it lacks.
 *
 * @category predicates
 * @since 0.1.0
 */
export const missing = (self: CsvHeader, required: ReadonlyArray<string>): string | undefined => {
  const lacking = required.filter((column) => !self.names.includes(column))
  if (lacking.length === 0) return undefined
  const only = self.names.length === 1 ? self.names[0] : undefined
  const hint = only !== undefined && /[;\t|]/.test(only) ? ". Fields must be separated by commas" : ""
  return `it lacks the required columns ${list(lacking)}; its header has ${list(self.names)}${hint}`
}

/**
 * Decodes framed records, in order.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  bytes: Buffer,
  frames: ReadonlyArray<RecordFrame>,
  options: { readonly origin: string; readonly header: CsvHeader }
): ReadonlyArray<Decoded> => {
  const [first] = frames
  const last = frames.at(-1)
  if (first === undefined || last === undefined) return []
  const chunk = { ...options, bytes, shape: { format: "csv", header: options.header.names } } as const
  const isClean = textProblem(bytes.subarray(first.start, last.end)) === undefined
  const out: Array<Decoded> = []
  let run: Array<RecordFrame> = []
  for (const frame of frames) {
    const problem = frame.problem ?? (isClean ? undefined : textProblem(bytes.subarray(frame.start, frame.end)))
    if (problem === undefined) {
      run.push(frame)
    } else {
      decodeRun(out, run, chunk)
      run = []
      out.push(Result.fail(FileRecord.reject(bytes, frame, { ...chunk, reasons: [problem] })))
    }
  }
  decodeRun(out, run, chunk)
  return out
}

/**
 * Words for a list of columns, of bounded length.
 *
 * @category formatting
 * @since 0.1.0
 */
export const list = (columns: ReadonlyArray<string>): string => {
  const named = columns.slice(0, maxListed).map((column) => JSON.stringify(column.slice(0, maxListedLength)))
  return columns.length > maxListed ? `${named.join(", ")} and ${columns.length - maxListed} more` : named.join(", ")
}

// --- internal ---

type Decoded = Result.Result<FileRecord.FileRecord, Rejected>

interface Chunk {
  readonly bytes: Buffer
  readonly origin: string
  readonly header: CsvHeader
  readonly shape: FileRecord.RecordShape
}

const loneReturn = /\r(?!\n)/
const maxListed = 20
const maxListedLength = 60

/**
 * Decodes records that follow each other. A record without a quote is what its commas part; the others are parsed in one
 * go, for csv-parse costs far more per call than per record.
 */
const decodeRun = (out: Array<Decoded>, run: ReadonlyArray<RecordFrame>, chunk: Chunk): void => {
  const raws = rawsOf(run, chunk)
  const quoted = raws.filter((raw) => raw.includes('"'))
  const parsed = quoted.length === 0 ? Result.succeed(noRecords) : fieldsOf(Buffer.from(quoted.join("\n")))
  const isParsed = Result.isSuccess(parsed) && parsed.success.length === quoted.length
  let next = 0
  for (const [index, frame] of run.entries()) {
    const raw = raws[index] ?? ""
    if (!raw.includes('"')) out.push(recordOf(raw.split(","), raw, frame, chunk))
    else if (isParsed) out.push(recordOf(parsed.success[next++] ?? [], raw, frame, chunk))
    else out.push(decodeAlone(raw, frame, chunk))
  }
}

/** In ASCII a byte is a character, so the raw records are slices of one string. */
const rawsOf = (run: ReadonlyArray<RecordFrame>, { bytes }: Chunk): ReadonlyArray<string> => {
  const from = run[0]?.start ?? 0
  const block = bytes.subarray(from, run.at(-1)?.end ?? from)
  if (!isAscii(block)) return run.map(({ end, start }) => bytes.toString("utf8", start, end))
  const text = block.toString("latin1")
  return run.map(({ end, start }) => text.slice(start - from, end - from))
}

const decodeAlone = (raw: string, frame: RecordFrame, chunk: Chunk): Decoded => {
  const parsed = fieldsOf(Buffer.from(raw))
  const [cells] = Result.isSuccess(parsed) ? parsed.success : []
  if (Result.isSuccess(parsed) && parsed.success.length === 1 && cells !== undefined)
    return recordOf(cells, raw, frame, chunk)
  const problem = Result.isFailure(parsed) ? parsed.failure : "it is not one record"
  const reasons = [`cannot be split into fields: ${problem}`]
  return Result.fail(FileRecord.reject(chunk.bytes, frame, { ...chunk, reasons }))
}

const noRecords: ReadonlyArray<ReadonlyArray<string>> = []

const recordOf = (cells: ReadonlyArray<string>, raw: string, frame: RecordFrame, chunk: Chunk): Decoded => {
  const { header, origin } = chunk
  if (cells.length !== header.names.length) {
    const reasons = [
      `too ${cells.length < header.names.length ? "few" : "many"} fields: ${cells.length}, where the header has ${header.names.length}`
    ]
    return Result.fail(FileRecord.reject(chunk.bytes, frame, { ...chunk, reasons }))
  }
  const fields: Record<string, string | undefined> = {}
  for (const [name, place] of header.known) fields[name] = cells[place]
  const extra = header.extra.length === 0 ? noExtra : extraOf(cells, header)
  return Result.succeed({ origin, line: frame.line, fields, extra, raw })
}

const noExtra: FileRecord.FileRecord["extra"] = {}

const extraOf = (cells: ReadonlyArray<string>, header: CsvHeader): FileRecord.FileRecord["extra"] =>
  Object.fromEntries(header.extra.map(([name, place]) => [name, cells[place] ?? ""]))

const fieldsOf = (bytes: Buffer): Result.Result<ReadonlyArray<ReadonlyArray<string>>, string> =>
  Result.try({
    try: () => parse(bytes, dialect),
    catch: (error) => (error instanceof Error ? error.message : String(error))
  })

const dialect = {
  bom: false,
  delimiter: ",",
  quote: '"',
  escape: '"',
  record_delimiter: ["\r\n", "\n"],
  relax_column_count: true,
  skip_empty_lines: true
}
