/**
 * How does a generated feed become files? One file per month of arrival, as CSV, with one month as NDJSON and one
 * compressed, so that every feed shows all formats that the pipeline reads.
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { createGzip } from "node:zlib"
import * as Feed from "./Feed.ts"
import * as FeedRow from "./FeedRow.ts"

/**
 * A feed and where its files go.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Feed.Options {
  /** The folder; made when it does not exist. */
  readonly out: string
  /** Whether all files are compressed, or none; when absent, the fourth is. */
  readonly gzip?: boolean | undefined
}

/**
 * One file that was written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Written {
  readonly name: string
  readonly rows: number
  readonly malformed: number
}

/**
 * What was written: the files, and how many rows of which kind are in them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Summary {
  readonly files: ReadonlyArray<Written>
  readonly rows: number
  readonly malformed: number
  /** Rows by the reason for which they are in the feed. */
  readonly causes: Readonly<Partial<Record<FeedRow.Cause, number>>>
  /** Malformed rows by the rule that they break. */
  readonly faults: Readonly<Partial<Record<FeedRow.Fault, number>>>
}

/**
 * Writes a feed as files named `billing-2024-01.csv`, one per month of arrival.
 *
 * **Details**
 *
 * The third month is NDJSON (`.ndjson`), the fourth is compressed (`.csv.gz`). Files of the same name are replaced. A
 * folder that holds other feed files is refused, since it would read as one feed with them.
 *
 * **Gotchas**
 *
 * Plain files are the same bytes on every machine. Compressed files are the same content; their bytes depend on the
 * platform's zlib.
 *
 * @category writing
 * @since 0.1.0
 */
export const write = Effect.fn("FeedFile.write")(function* (options: Options) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* prepare(options)
  return yield* Feed.months(options).pipe(
    Stream.zipWithIndex,
    Stream.runFoldEffect(
      () => NOTHING,
      (summary, [month, position]) => {
        const name = fileName(month.name, position, options.gzip)
        return Stream.run(encoded(month.rows, name), fs.sink(path.join(options.out, name))).pipe(
          Effect.mapError(failed(`write ${path.join(options.out, name)}`)),
          Effect.as(added(summary, name, month.rows))
        )
      }
    )
  )
})

// --- internal ---

// Positions of the months, counted from 0, that show the other formats.
const NDJSON_MONTH = 2
const GZIP_MONTH = 3

const fileName = (month: string, position: number, gzip: boolean | undefined): string =>
  `billing-${month}${position === NDJSON_MONTH ? ".ndjson" : ".csv"}${(gzip ?? position === GZIP_MONTH) ? ".gz" : ""}`

const prepare = Effect.fnUntraced(function* (options: Options) {
  const fs = yield* FileSystem.FileSystem
  const months = yield* Effect.fromResult(Feed.monthNames(options))
  const names = new Set(months.map((month, position) => fileName(month, position, options.gzip)))
  const present = yield* fs
    .makeDirectory(options.out, { recursive: true })
    .pipe(Effect.andThen(fs.readDirectory(options.out)), Effect.mapError(failed(`use the folder ${options.out}`)))
  const strangers = present.filter((name) => FEED_FILE.test(name) && !names.has(name)).toSorted()
  if (strangers.length > 0) {
    return yield* new Feed.FeedError({
      message:
        `Cannot write the feed to ${options.out}: it holds ${strangers.join(", ")}, which this feed does not have ` +
        "and which would be read as part of it. Choose an empty folder, or delete these files."
    })
  }
})

const FEED_FILE = /^billing-.*\.(csv|ndjson)(\.gz)?$/

const failed =
  (what: string) =>
  (cause: { readonly message: string }): Feed.FeedError =>
    new Feed.FeedError({
      message: `Cannot ${what}: ${cause.message}. Check that the folder can be written to and the disk is not full.`,
      cause
    })

const encoded = (rows: ReadonlyArray<FeedRow.FeedRow>, name: string) => {
  const chunks = Stream.fromIterable(rows, { chunkSize: ROWS_PER_CHUNK })
  const plain = name.includes(".ndjson")
    ? Stream.map(chunks, (row) => `${FeedRow.toJson(row)}\n`).pipe(encodeLines)
    : Stream.map(chunks, FeedRow.toCells).pipe(
        Stream.prepend([FeedRow.COLUMNS]),
        Stream.pipeThroughChannel(Csv.encode({ newline: "\n" }))
      )
  // Node leaves the time in the gzip header at 0, so compressing twice gives the same bytes.
  return name.endsWith(".gz")
    ? NodeStream.pipeThroughDuplex(plain, { evaluate: () => createGzip({ level: 9 }) })
    : plain
}

// About 200 kB a write.
const ROWS_PER_CHUNK = 1024

const encodeLines = (lines: Stream.Stream<string>): Stream.Stream<Uint8Array> =>
  Stream.encodeText(Stream.mapArray(lines, (chunk) => [chunk.join("")]))

const NOTHING: Summary = { files: [], rows: 0, malformed: 0, causes: {}, faults: {} }

const added = (summary: Summary, name: string, rows: ReadonlyArray<FeedRow.FeedRow>): Summary => {
  const faults = rows.flatMap(({ fault }) => (fault === null ? [] : [fault]))
  return {
    files: [...summary.files, { name, rows: rows.length, malformed: faults.length }],
    rows: summary.rows + rows.length,
    malformed: summary.malformed + faults.length,
    causes: counted(
      summary.causes,
      rows.map(({ cause }) => cause)
    ),
    faults: counted(summary.faults, faults)
  }
}

const counted = <K extends string>(
  before: Readonly<Partial<Record<K, number>>>,
  keys: ReadonlyArray<K>
): Readonly<Partial<Record<K, number>>> => {
  const counts: Partial<Record<K, number>> = { ...before }
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1
  return counts
}
