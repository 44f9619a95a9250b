/**
 * What batches do the bytes of a file make? The reader is given the bytes chunk by chunk, proves that they go on from what
 * was landed, and makes of every record a row or a rejected record; each batch carries the position behind it.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Batch, type Rejected, SourceError } from "../Source.ts"
import * as CsvRecord from "./CsvRecord.ts"
import type { Finished } from "./FileBytes.ts"
import type { FileIdentity, FilePosition } from "./FilePosition.ts"
import * as FilePrefix from "./FilePrefix.ts"
import * as FileRecord from "./FileRecord.ts"
import * as NdjsonRecord from "./NdjsonRecord.ts"
import * as RecordFrame from "./RecordFrame.ts"

/**
 * The rules by which files are read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rules<out Row> {
  readonly required: ReadonlyArray<string>
  readonly columns: ReadonlyArray<string>
  readonly admit: (record: FileRecord.FileRecord) => Result.Result<Row, ReadonlyArray<string>>
  readonly knownBy: ReadonlyArray<string>
  readonly batchSize: number
  readonly maxRecordBytes: number
  readonly maxColumns: number
}

/**
 * The bytes do not begin with what was landed of the file: it is to be read from its start.
 *
 * @category errors
 * @since 0.1.0
 */
export class Rewritten extends Schema.TaggedError<Rewritten>("@assay/core/source/FileReader/Rewritten")(
  "Rewritten",
  {}
) {}

/**
 * Makes batches of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileReader<out Row> {
  readonly push: (chunk: Buffer) => Result.Result<ReadonlyArray<Batch<Row>>, SourceError | Rewritten>
  /**
   * There are no more bytes. If the file changed while it was read, a last record without a line break is left for the
   * next time, since it may just be being written.
   */
  readonly end: (
    finished: Finished & { readonly at: number }
  ) => Result.Result<ReadonlyArray<Batch<Row>>, SourceError | Rewritten>
}

/**
 * The format of a file, by its name; undefined where the name does not tell.
 *
 * @category getters
 * @since 0.1.0
 */
export const formatOf = (origin: string): "csv" | "ndjson" | undefined => {
  const name = origin.toLowerCase().replace(/\.gz$/, "")
  if (name.endsWith(".csv")) return "csv"
  return name.endsWith(".ndjson") || name.endsWith(".jsonl") ? "ndjson" : undefined
}

/**
 * Makes a reader of one file.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Row>(options: FileOptions<Row>): FileReader<Row> => {
  const { landed, origin } = options
  const check = landed === undefined || landed.bytes === 0 ? undefined : FilePrefix.check(landed)
  let format = formatOf(origin)
  let body: Body<Row> | undefined
  const begin = (prefix: FilePrefix.FilePrefix): Body<Row> => {
    body = makeBody(options, prefix, format ?? "csv")
    return body
  }
  return {
    push: (chunk) => {
      format ??= formatFrom(chunk)
      if (body !== undefined) return body.push(chunk)
      if (check === undefined) {
        if (isUtf16(chunk)) return Result.fail(mismatch(origin, "it is UTF-16: save it as UTF-8"))
        return begin(FilePrefix.empty()).push(chunk)
      }
      const checked = check.push(chunk)
      if (checked._tag === "More") return Result.succeed([])
      return checked._tag === "Differs" ? Result.fail(new Rewritten()) : begin(checked.prefix).push(checked.rest)
    },
    end: (finished) => {
      if (body !== undefined) return body.end(finished)
      if (check === undefined) return begin(FilePrefix.empty()).end(finished)
      const checked = check.end()
      if (checked._tag !== "Same") return Result.fail(new Rewritten())
      const begun = begin(checked.prefix)
      return Result.flatMap(begun.push(checked.rest), (batches) =>
        Result.map(begun.end(finished), (last) => [...batches, ...last])
      )
    }
  }
}

/**
 * What a reader is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileOptions<out Row> {
  readonly origin: string
  readonly rules: Rules<Row>
  /** The identity of the file as it is opened, and when that was. */
  readonly identity: FileIdentity
  readonly at: number
  /** The position to go on from; undefined to begin at the start. */
  readonly landed: FilePosition | undefined
  /** Something else was landed of the file before. */
  readonly isRewritten: boolean
  /** The contents of the file that were landed completely before. */
  readonly earlier: NonNullable<FilePosition["earlier"]>
}

// --- internal ---

interface Body<out Row> {
  readonly push: (chunk: Buffer) => Result.Result<ReadonlyArray<Batch<Row>>, SourceError>
  readonly end: (finished: Ending) => Result.Result<ReadonlyArray<Batch<Row>>, SourceError>
}

type Ending = Finished & { readonly at: number }

/** Bounds the memory of a batch of long records, or of records that each carry the names of a wide header. */
const maxBatchBytes = 16 * 1024 * 1024

/** Bounds the names of unknown fields that are remembered in order to report them once. */
const maxReported = 100

const makeBody = <Row>(
  options: FileOptions<Row>,
  start: FilePrefix.FilePrefix,
  format: "csv" | "ndjson"
): Body<Row> => {
  const { origin, rules } = options
  const { columns, maxColumns } = rules
  const prefix = FilePrefix.tracker(start)
  const framer = RecordFrame.framer({
    isQuoted: format === "csv",
    maxBytes: rules.maxRecordBytes,
    offset: start.bytes,
    line: start.line
  })
  const landedHeader = start.bytes === 0 ? null : (options.landed?.header ?? null)
  const unknown = unknownColumns(start.bytes === 0 ? [] : (options.landed?.reported ?? []))
  const fields = NdjsonRecord.fields(columns, maxColumns)
  let header = landedHeader === null ? undefined : CsvRecord.header(landedHeader, columns)
  let isChecked = false
  let { horizon } = start
  let last: RecordFrame.Framed | undefined
  const batch = makeBatch(options)
  let weight = weightOf(header)
  const shape = (): FileRecord.RecordShape =>
    header === undefined ? { format: "ndjson" } : { format: "csv", header: header.names }

  const valueOf = (ending: Ending | undefined): FilePosition => {
    const isComplete = ending?.hasChanged === false
    return {
      version: 1,
      isComplete,
      sha256: isComplete ? ending.sha256 : null,
      ...prefix.position(last, horizon),
      isRewritten: options.isRewritten,
      ...(options.earlier.length === 0 ? {} : { earlier: options.earlier }),
      header: header?.names ?? null,
      reported: unknown.all(),
      identity: ending?.identity ?? options.identity,
      identifiedAt: ending?.at ?? options.at
    }
  }

  /** Takes the header from the first record; undefined before there is one. */
  const openHeader = (framed: RecordFrame.Framed): Result.Result<CsvRecord.CsvHeader | undefined, SourceError> => {
    if (header === undefined) {
      if (framed.frames.length === 0) return Result.succeed(undefined)
      const read = CsvRecord.headerFrom(framed.bytes, framed.frames[0], { columns, maxColumns })
      if (Result.isFailure(read)) return Result.fail(mismatch(origin, read.failure))
      header = read.success
      weight = weightOf(header)
      unknown.add(header.extra.map(([name]) => name))
      batch.warn(unknown.report(origin))
    }
    const lacking = isChecked ? undefined : CsvRecord.missing(header, rules.required)
    isChecked = true
    return lacking === undefined ? Result.succeed(header) : Result.fail(mismatch(origin, lacking))
  }

  const decode = (framed: RecordFrame.Framed): Result.Result<ReadonlyArray<Decoded>, SourceError> => {
    const { bytes, frames } = framed
    if (format === "ndjson") return Result.succeed(NdjsonRecord.decode(bytes, frames, { origin, fields }))
    const isFirst = header === undefined
    return Result.map(openHeader(framed), (header) =>
      header === undefined ? [] : CsvRecord.decode(bytes, isFirst ? frames.slice(1) : frames, { origin, header })
    )
  }

  const land = (framed: RecordFrame.Framed): Result.Result<ReadonlyArray<Batch<Row>>, SourceError> => {
    const decoded = decode(framed)
    if (Result.isFailure(decoded)) return Result.fail(decoded.failure)
    const batches: Array<Batch<Row>> = []
    last = framed
    const skipped = framed.frames.length - decoded.success.length
    for (const [index, record] of decoded.success.entries()) {
      const frame = framed.frames[index + skipped]
      horizon = Math.max(horizon, frame.horizon)
      if (Result.isFailure(record)) {
        batch.reject(record.failure, weight.rejected)
      } else {
        if (format === "ndjson") unknown.add(Object.keys(record.success.extra))
        const admitted = rules.admit(record.success)
        if (Result.isSuccess(admitted)) batch.add(admitted.success, frame.end - frame.start + weight.landed)
        else batch.reject(FileRecord.refuse(record.success, shape(), admitted.failure), weight.rejected)
      }
      if (batch.isFull()) {
        prefix.reach(framed, framed.base + frame.next, frame.nextLine)
        batches.push(batch.take(valueOf(undefined)))
      }
    }
    prefix.reach(framed, framed.boundary, framed.line)
    prefix.release(framed)
    return Result.succeed(batches)
  }

  const end = (ending: Ending): Result.Result<ReadonlyArray<Batch<Row>>, SourceError> => {
    const landed = ending.hasChanged ? Result.succeed([]) : land(framer.end())
    if (Result.isFailure(landed)) return Result.fail(landed.failure)
    if (!ending.hasChanged && format === "csv" && header === undefined && rules.required.length > 0) {
      return Result.fail(mismatch(origin, `it is empty: expected a header with ${CsvRecord.list(rules.required)}`))
    }
    batch.warn(unknown.report(origin))
    if (ending.hasChanged) batch.warn(`${origin} changed while it was read: what changed is landed the next time`)
    return Result.succeed([...landed.success, batch.take(valueOf(ending))])
  }

  return { push: (chunk) => land(framer.push(chunk)), end }
}

type Decoded = Result.Result<FileRecord.FileRecord, Rejected>

/** What each record carries of its header, in characters: one that lands names its extra columns, a rejected one all. */
const weightOf = (header: CsvRecord.CsvHeader | undefined): { readonly landed: number; readonly rejected: number } => {
  const sum = (names: ReadonlyArray<string>) => names.reduce((total, name) => total + name.length, 0)
  return { landed: sum(header?.extra.map(([name]) => name) ?? []), rejected: sum(header?.names ?? []) }
}

/** Collects one batch after the other. */
const makeBatch = <Row>({ isRewritten, origin, rules }: FileOptions<Row>) => {
  let rows: Array<Row> = []
  let rejected: Array<Rejected> = []
  let warnings: Array<string> = []
  let size = 0
  return {
    add: (row: Row, bytes: number): void => {
      rows.push(row)
      size += bytes
    },
    reject: (record: Rejected, context: number): void => {
      rejected.push(record)
      size += record.raw.length + context
    },
    warn: (warning: string | undefined): void => {
      if (warning !== undefined) warnings.push(warning)
    },
    isFull: (): boolean => rows.length + rejected.length >= rules.batchSize || size >= maxBatchBytes,
    take: (value: FilePosition): Batch<Row> => {
      const taken = {
        rows,
        rejected,
        warnings,
        position: { origin, value },
        knownBy: isRewritten ? rules.knownBy : undefined
      }
      rows = []
      rejected = []
      warnings = []
      size = 0
      return taken
    }
  }
}

/** The names of unknown columns, each to be reported once. */
const unknownColumns = (reported: ReadonlyArray<string>) => {
  const known = new Set(reported)
  let fresh: Array<string> = []
  return {
    add: (names: ReadonlyArray<string>): void => {
      for (const name of names) {
        if (known.size >= maxReported || known.has(name)) continue
        known.add(name)
        fresh.push(name)
      }
    },
    all: (): ReadonlyArray<string> => [...known],
    report: (origin: string): string | undefined => {
      const names = fresh
      fresh = []
      if (names.length === 0) return undefined
      return `${origin} has columns that are not known and are kept in "extra": ${CsvRecord.list(names)}`
    }
  }
}

const mismatch = (origin: string, what: string): SourceError =>
  new SourceError({
    origin,
    kind: "SchemaMismatch",
    message: `${origin} cannot be landed: ${what}. Nothing was landed now; correct the file, then land it again.`
  })

/** The format of a file whose name does not tell it: an object begins with a brace, a header hardly ever. */
const formatFrom = (chunk: Buffer): "csv" | "ndjson" =>
  /^\s*\{/.test(chunk.toString("utf8", 0, 1024).replace(/^\uFEFF/, "")) ? "ndjson" : "csv"

/** By its mark; neither of the two bytes ever occurs in UTF-8. Its line breaks would be found in the middle of characters. */
const isUtf16 = (chunk: Buffer): boolean =>
  (chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff)
