/**
 * The engine over a feed of files: what it lands in bronze, what it puts into quarantine, and what it says. And the
 * question of L4, asked without the engine: does every line of a file stand in exactly one of the two, once, as it was?
 */
import * as Assay from "@assay/core/Assay"
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as FileSource from "@assay/core/source/FileSource"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { parse } from "csv-parse/sync"
import * as Feed from "./Feed.ts"

const columns = Schema.Struct({
  file: Column.text,
  line: Column.integer,
  hash: Column.text,
  id: Column.text,
  amount: Column.text,
  note: Column.nullable(Column.json),
  extra: Column.json,
  batch: Column.text,
  loaded_at: Column.timestamp
})

type Options = Partial<FileSource.Options<Feed.Row>>

/** A graph of one source asset over the files behind a path. */
export const graph = (path: string, options?: Pick<Options, "batchSize" | "maxRecordBytes" | "maxColumns">) =>
  AssetGraph.make([
    Asset.source("bronze", {
      description: "Every record of the feed",
      columns,
      write: WriteStrategy.append({ key: ["batch", "file", "line"], batch: "batch", loadedAt: "loaded_at" }),
      policy: MaterializationPolicy.eager.pipe(MaterializationPolicy.withRetry(Schedule.recurs(0))),
      source: FileSource.make({
        ...options,
        path,
        setting: "FEED_PATH",
        required: ["id", "amount"],
        columns: Feed.columns,
        knownBy: ["file", "hash"],
        admit: (record) => Result.map(Feed.admit(record), ({ note = null, ...row }) => ({ ...row, note }))
      })
    })
  ])

/** A record where it ended up. */
export interface Kept {
  readonly file: string
  /** The line on which it begins. */
  readonly line: number
  readonly raw: string
  /** Why it is in quarantine; undefined in bronze. */
  readonly reasons: ReadonlyArray<string> | undefined
}

export interface Landed {
  /** All records, in the order of their files and lines. */
  readonly kept: ReadonlyArray<Kept>
  /** What kept the asset from landing everything. */
  readonly error: string | undefined
}

/** The engine in memory over the files behind a path. */
export const open = (...args: Parameters<typeof graph>) =>
  Effect.map(Layer.build(Layer.fresh(Assay.layerMemory(graph(...args)))), Context.get(Assay.Assay))

/** The engine on the database at hand over the files behind a path, in an environment of its own. */
export const openOn = (environment: string, ...args: Parameters<typeof graph>) =>
  Effect.map(
    Layer.build(Layer.fresh(Assay.layer(graph(...args), Assay.environment(environment)))),
    Context.get(Assay.Assay)
  )

/** Lands what is due, and tells all that has been landed. */
export const land = Effect.fnUntraced(function* (assay: typeof Assay.Assay.Service) {
  const result = yield* Effect.result(assay.materialize({ assets: [] }))
  const error = Result.isFailure(result)
    ? result.failure.message
    : result.success.outcomes.map(({ error }) => error?.message).find((message) => message !== undefined)
  const { asset, rows } = yield* assay.rows({ asset: "bronze" })
  const textOf = (row: Column.Row, name: string) =>
    Column.toText(Asset.columnUnsafe(asset, name), row[name] ?? null) ?? ""
  const bronze = (yield* Stream.runCollect(rows)).map((row): Kept => ({
    file: textOf(row, "file"),
    line: Number(textOf(row, "line")),
    raw: textOf(row, "hash"),
    reasons: undefined
  }))
  const quarantine = (yield* assay.quarantined({ limit: 1_000_000 })).map(({ line, origin, raw, reasons }): Kept => ({
    file: origin,
    line,
    raw,
    reasons
  }))
  const kept = [...bronze, ...quarantine].toSorted(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line
  )
  return { kept, error } satisfies Landed
})

/**
 * L4 for the records of one file of known bytes: every line that is not blank stands in exactly one record, whose text
 * is what stands on its lines. The lines that stand in none are the header of a CSV file, and nothing else.
 */
export const assertAccounted = (bytes: Buffer, format: "csv" | "ndjson", kept: ReadonlyArray<Kept>): void => {
  const lines = linesOf(bytes)
  const records = kept.toSorted((a, b) => a.line - b.line)
  let line = 1
  const uncovered: Array<number> = []
  const passTo = (end: number): void => {
    for (; line < end; line += 1) if (!isBlank(lines[line - 1])) uncovered.push(line)
  }
  for (const record of records) {
    assert.isAtLeast(record.line, line, `two records stand on line ${record.line}`)
    passTo(record.line)
    const height = record.raw.split("\n").length
    const said = shown(Buffer.concat(lines.slice(line - 1, line - 1 + height))).replace(/\r?\n$|\r$/, "")
    assert.strictEqual(record.raw, said, `line ${record.line}`)
    line += height
  }
  passTo(lines.length + 1)
  if (format === "ndjson") assert.deepStrictEqual(uncovered, [])
  else assert.lengthOf(headersOn(lines, uncovered), 1)
}

/** What a file holds as the engine shows it: NUL as ␀, and what is no UTF-8 as �. */
export const shown = (bytes: Buffer): string => bytes.toString("utf8").replaceAll("\0", "␀")

// --- internal ---

/** The lines of a file with their breaks, without the mark at its beginning. */
const linesOf = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const lines: Array<Buffer> = []
  let at = bytes.subarray(0, 3).equals(byteOrderMark) ? 3 : 0
  while (at < bytes.length) {
    const found = bytes.indexOf(0x0a, at)
    const next = found === -1 ? bytes.length : found + 1
    lines.push(bytes.subarray(at, next))
    at = next
  }
  return lines
}

const byteOrderMark = Buffer.from("\uFEFF")

const isBlank = (line: Buffer | undefined): boolean => line === undefined || /^\r?\n?$/.test(line.toString("latin1"))

/** The records on the lines that no record covers, where these follow each other. */
const headersOn = (lines: ReadonlyArray<Buffer>, uncovered: ReadonlyArray<number>): ReadonlyArray<unknown> => {
  const [first = 1] = uncovered
  assert.deepStrictEqual(
    uncovered.filter(
      (line, index) => index > 0 && lines.slice(uncovered[index - 1] ?? 0, line - 1).some((l) => !isBlank(l))
    ),
    []
  )
  return parse(Buffer.concat(lines.slice(first - 1, uncovered.at(-1) ?? 0)), { relax_column_count: true })
}
