/**
 * Rows from files: a file, a folder or a glob of CSV and NDJSON, compressed or not. What was landed is known by content:
 * a file of known content is skipped, one that grew goes on behind what was landed, one that was rewritten is read from
 * its start, and a landing that died goes on where it was.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type Batch, type Delivery, type Position, type Rejected, type Source, SourceError } from "../Source.ts"
import * as CsvRecord from "./CsvRecord.ts"
import * as FileBytes from "./FileBytes.ts"
import * as FilePosition from "./FilePosition.ts"
import * as FileReader from "./FileReader.ts"
import * as FileRecord from "./FileRecord.ts"
import * as FileSet from "./FileSet.ts"
import * as NdjsonRecord from "./NdjsonRecord.ts"
import * as RecordFrame from "./RecordFrame.ts"

/**
 * Which files, and by which rules they are read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<out Row> {
  /** A file, a folder, or a glob. */
  readonly path: string
  /** What a user sets in order to set the path, for messages: `BILLING_SOURCE`. */
  readonly setting?: string
  /** The columns without which a CSV file is not read at all. */
  readonly required: ReadonlyArray<string>
  /** All known columns; what else a record has is kept in `extra`. */
  readonly columns: ReadonlyArray<string>
  /** Makes a row of a record, or says everything that is wrong with it. */
  readonly admit: (record: FileRecord.FileRecord) => Result.Result<Row, ReadonlyArray<string>>
  /** The columns by which a row of a rewritten file is known to be landed already. */
  readonly knownBy: ReadonlyArray<string>
  /** How many records make a batch: 5000 where not given. */
  readonly batchSize?: number
  /** The greatest length of a record: 1 MiB where not given. */
  readonly maxRecordBytes?: number
  /** The greatest number of columns: 10,000 where not given. */
  readonly maxColumns?: number
}

/**
 * Makes a source of files.
 *
 * **Details**
 *
 * The name tells the format (`.csv`, `.ndjson`, `.jsonl`, each with or without `.gz`); where it does not, a file that
 * begins with `{` is NDJSON. `FileSet.list` says which files a path stands for, and what their origins are.
 *
 * - A file is skipped unread when nothing about it changed since it was landed (`FilePosition.isUntouched`), and skipped
 *   after reading when its content was landed completely, under whatever name. Of several new files of one content the
 *   first is landed.
 * - A file goes on behind what was landed of it when it still begins so, byte by byte. A file that was renamed is known
 *   by its inode. Any other changed file is read from its start, with `knownBy` in its batches from then on.
 * - A record that breaks the format is rejected alone. A quote that is opened and never closed costs the line it stands
 *   on. A record longer than `maxRecordBytes` is rejected with its beginning.
 * - Where reading fails, as at the end of a truncated gzip file, the batches before it stand, and the next landing goes on
 *   behind them. A file that changes while it is read is landed as far as it goes and is due again.
 *
 * **Gotchas**
 *
 * A CSV file may end without a line break, so the last record counts even if it is still being written. Once it has been
 * completed the file is a rewritten one: the completed record is landed too. Writers that rename finished files into
 * place avoid this.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Row>(options: Options<Row>): Source<Row> => {
  const { path, setting = "the path of the source" } = options
  const rules: FileReader.Rules<Row> = {
    required: options.required,
    columns: options.columns,
    admit: options.admit,
    knownBy: options.knownBy,
    batchSize: options.batchSize ?? 5000,
    maxRecordBytes: options.maxRecordBytes ?? 1024 * 1024,
    maxColumns: options.maxColumns ?? 10_000
  }
  return {
    description: `files of ${path}`,
    discover: Effect.fn("FileSource.discover")(function* (landed: ReadonlyArray<Position>) {
      const files = yield* FileSet.list(path, setting)
      return yield* due(files, landed)
    }),
    read: ({ after, origin }) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const length = Buffer.byteLength(origin)
          if (length > maxOriginBytes) return yield* tooDeep(origin, length, setting)
          const place = { origin, path: yield* FileSet.pathOf(path, origin, setting) }
          return readFile(place, after, rules)
        })
      ),
    replay: (rejected) => Effect.sync(() => rejected.map((record) => replayed(record, rules)))
  }
}

// --- internal ---

/** The origin stands in index entries beside other columns, which PostgreSQL limits to 2.7 kB. */
const maxOriginBytes = 2000

const tooDeep = (origin: string, length: number, setting: string) =>
  new SourceError({
    origin,
    kind: "Unreadable",
    message:
      `${origin} cannot be landed: its path below the feed has ${length} bytes, more than the ${maxOriginBytes} allowed. ` +
      `Shorten it, or set ${setting} to a folder that is nearer to it.`
  })

interface Landed {
  readonly position: Position
  readonly value: FilePosition.FilePosition
}

/** The files that are not known to be landed, in their order. */
const due = Effect.fnUntraced(function* (files: ReadonlyArray<FileSet.File>, landed: ReadonlyArray<Position>) {
  const positions = new Map(landed.map((position) => [position.origin, position]))
  const known = landed.flatMap((position): ReadonlyArray<Landed> =>
    Option.match(FilePosition.decode(position.value), { onNone: () => [], onSome: (value) => [{ position, value }] })
  )
  const byOrigin = new Map(known.map((landed) => [landed.position.origin, landed.value]))
  const byInode = new Map(known.map((landed) => [inodeOf(landed.value.identity), landed.position]))
  const landedContents = known.flatMap(({ value }) => FilePosition.contents(value))
  const candidates = files.filter(({ identity, origin }) => {
    const value = byOrigin.get(origin)
    return value === undefined || !FilePosition.isUntouched(value, identity)
  })
  const contents = new Set(landedContents.map(({ sha256 }) => sha256))
  const sizes = Map.groupBy(
    [...landedContents.map(({ size }) => size), ...candidates.map(({ identity }) => identity.size)],
    (size) => size
  )
  const afterOf = (file: FileSet.File) => positions.get(file.origin) ?? byInode.get(inodeOf(file.identity))
  const isBegun = (file: FileSet.File): boolean => afterOf(file) !== undefined
  const isDue = new Set<FileSet.File>()
  // Of equal contents the one of which something was landed goes first, or its rows would be landed twice.
  for (const file of [...candidates.filter(isBegun), ...candidates.filter((file) => !isBegun(file))]) {
    // Equal content has equal size, so that most files need no reading to be new.
    const isLonely = sizes.get(file.identity.size)?.length === 1
    // A file that cannot be read is due: reading it says why, and does not keep the others from landing.
    const content = isLonely ? undefined : yield* Effect.orElseSucceed(FileBytes.sha256(file), () => undefined)
    if (content !== undefined && contents.has(content)) continue
    if (content !== undefined) contents.add(content)
    isDue.add(file)
  }
  return candidates.flatMap((file): ReadonlyArray<Delivery> => {
    const after = afterOf(file)
    if (!isDue.has(file)) return []
    return [{ origin: file.origin, description: describe(file, after), bytes: file.identity.size, after }]
  })
})

const inodeOf = ({ dev, ino }: FilePosition.FileIdentity): string => `${dev} ${ino}`

const describe = (file: FileSet.File, after: Position | undefined): string => {
  const value = after === undefined ? undefined : Option.getOrUndefined(FilePosition.decode(after.value))
  if (after === undefined) return `${file.origin}: new file`
  if (value?.isComplete === false) return `${file.origin}: landed up to line ${value.line}, not to its end`
  if (after.origin !== file.origin) return `${file.origin}: was ${after.origin} and has changed since it was landed`
  return `${file.origin}: has changed since it was landed`
}

type Place = Pick<FileSet.File, "origin" | "path">

const readFile = <Row>(
  file: Place,
  after: Position | undefined,
  rules: FileReader.Rules<Row>
): Stream.Stream<Batch<Row>, SourceError> => {
  const landed = after === undefined ? undefined : Option.getOrUndefined(FilePosition.decode(after.value))
  // Known rows carry the origin under which they were landed, so a renamed file has none.
  const isOwn = after?.origin === file.origin
  const earlier = landed !== undefined && isOwn ? FilePosition.contents(landed) : []
  const fromStart = { landed: undefined, isRewritten: isOwn, earlier }
  if (landed === undefined) return readFrom(file, rules, fromStart)
  return readFrom(file, rules, { landed, isRewritten: landed.isRewritten, earlier }, fromStart)
}

type Start = Pick<FileReader.FileOptions<never>, "landed" | "isRewritten" | "earlier">

/** A reader finds out that a file was rewritten before it makes its first batch, so that reading can begin anew. */
const readFrom = <Row>(
  file: Place,
  rules: FileReader.Rules<Row>,
  start: Start,
  otherwise: Start = start
): Stream.Stream<Batch<Row>, SourceError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const bytes = yield* FileBytes.open(file)
      const reader = FileReader.make({ origin: file.origin, rules, identity: bytes.identity, at, ...start })
      const last = Effect.flatMap(Clock.currentTimeMillis, (at) =>
        Effect.flatMap(bytes.finish, (finished) => Effect.fromResult(reader.end({ ...finished, at })))
      )
      return bytes.chunks.pipe(
        Stream.mapEffect((chunk) => Effect.suspend(() => Effect.fromResult(reader.push(chunk)))),
        Stream.concat(Stream.fromEffect(last)),
        Stream.flattenIterable
      )
    })
  ).pipe(Stream.catchTag("Rewritten", () => readFrom(file, rules, otherwise)))

type Replayed<Row> = { readonly row: Row } | { readonly reasons: ReadonlyArray<string> }

const replayed = <Row>(rejected: Rejected, rules: FileReader.Rules<Row>): Replayed<Row> => {
  const { line, origin } = rejected
  const recalled = FileRecord.recall(rejected)
  if (Result.isFailure(recalled)) return { reasons: [recalled.failure] }
  const { bytes, shape } = recalled.success
  const frames = [RecordFrame.single(bytes, { isQuoted: shape.format === "csv", line })]
  const [decoded] =
    shape.format === "csv"
      ? CsvRecord.decode(bytes, frames, { origin, header: CsvRecord.header(shape.header, rules.columns) })
      : NdjsonRecord.decode(bytes, frames, { origin, fields: NdjsonRecord.fields(rules.columns, rules.maxColumns) })
  if (Result.isFailure(decoded)) return { reasons: decoded.failure.reasons }
  const admitted = rules.admit(decoded.success)
  return Result.isSuccess(admitted) ? { row: admitted.success } : { reasons: admitted.failure }
}
