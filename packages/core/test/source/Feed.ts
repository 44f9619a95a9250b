import * as FileSource from "@assay/core/source/FileSource"
import type { FileRecord } from "@assay/core/source/FileRecord"
import type { Position, Rejected, SourceError } from "@assay/core/Source"
import { Effect, Result, Stream } from "effect"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { gzipSync } from "node:zlib"

export interface Row {
  readonly file: string
  readonly line: number
  readonly hash: string
  readonly id: string
  readonly amount: string
  readonly note: FileRecord["fields"][string]
  readonly extra: FileRecord["extra"]
}

export const admit = (record: FileRecord): Result.Result<Row, ReadonlyArray<string>> => {
  const { amount, id, note } = record.fields
  const reasons: Array<string> = []
  if (typeof id !== "string" || id === "") reasons.push("id is missing")
  if (typeof amount !== "string" || !/^-?\d+(\.\d+)?$/.test(amount)) reasons.push("amount is no number")
  if (typeof id !== "string" || typeof amount !== "string" || reasons.length > 0) return Result.fail(reasons)
  const { extra, line, origin, raw } = record
  return Result.succeed({ file: origin, line, hash: raw, id, amount, note, extra })
}

export const columns = ["id", "amount", "note"]

export const source = (path: string, options?: Partial<FileSource.Options<Row>>) =>
  FileSource.make({ path, required: ["id", "amount"], columns, admit, knownBy: ["file", "hash"], ...options })

/** A folder that is gone when the test is over. */
export const folder = Effect.acquireRelease(
  Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "feed-"))),
  (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
)

type Content = string | Uint8Array

export const write = (folder: string, name: string, content: Content) =>
  Effect.promise(() =>
    Fs.mkdir(Path.dirname(Path.join(folder, name)), { recursive: true }).then(() =>
      Fs.writeFile(Path.join(folder, name), content)
    )
  )

export const append = (folder: string, name: string, content: Content) =>
  Effect.promise(() => Fs.appendFile(Path.join(folder, name), content))

export const gzip = (content: Content): Uint8Array => gzipSync(content)

/** What a landing keeps: all of it or, where it dies, the batches before. */
export interface Landed {
  readonly positions: ReadonlyMap<string, Position>
  readonly rows: ReadonlyArray<Row>
  readonly rejected: ReadonlyArray<Rejected>
  readonly warnings: ReadonlyArray<string>
  readonly batches: ReadonlyArray<number>
  readonly deliveries: ReadonlyArray<string>
  readonly error: SourceError | undefined
}

export const nothing: Landed = {
  positions: new Map(),
  rows: [],
  rejected: [],
  warnings: [],
  batches: [],
  deliveries: [],
  error: undefined
}

/** Lands what is due on top of what was landed, and dies after so many batches. */
export const land = Effect.fnUntraced(function* (
  from: ReturnType<typeof source>,
  landed: Landed = nothing,
  options: {
    readonly batches?: number
    readonly onBatch?: (index: number) => Effect.Effect<void>
  } = {}
) {
  const positions = new Map(landed.positions)
  const rows = [...landed.rows]
  const known = new Set(rows.map(identityOf))
  const rejected = [...landed.rejected]
  const warnings: Array<string> = []
  const batches: Array<number> = []
  const deliveries = yield* from.discover([...positions.values()])
  const error = yield* Stream.fromIterable(deliveries).pipe(
    Stream.flatMap((delivery) => from.read(delivery)),
    Stream.take(options.batches ?? Number.MAX_SAFE_INTEGER),
    Stream.runForEach((batch) => {
      const fresh = batch.rows.filter((row) => batch.knownBy === undefined || !known.has(identityOf(row)))
      for (const row of fresh) known.add(identityOf(row))
      rows.push(...fresh)
      rejected.push(...batch.rejected)
      warnings.push(...batch.warnings)
      positions.set(batch.position.origin, batch.position)
      batches.push(batch.rows.length + batch.rejected.length)
      return options.onBatch?.(batches.length) ?? Effect.void
    }),
    Effect.match({ onFailure: (error) => error, onSuccess: () => undefined })
  )
  const landing: Landed = {
    positions,
    rows,
    rejected,
    warnings,
    batches,
    deliveries: deliveries.map(({ origin }) => origin),
    error
  }
  return landing
})

const identityOf = (row: Row): string => JSON.stringify([row.file, row.hash])

export const ids = (landed: Landed): ReadonlyArray<string> => landed.rows.map(({ id }) => id)

export const lines = (landed: Landed): ReadonlyArray<readonly [string, number]> =>
  landed.rows.map(({ id, line }) => [id, line])

export const rejections = (landed: Landed): ReadonlyArray<readonly [number, string, ReadonlyArray<string>]> =>
  landed.rejected.map(({ line, raw, reasons }) => [line, raw, reasons])

/** The raw texts of all records, landed and rejected. */
export const raws = (landed: Landed): ReadonlyArray<string> => [
  ...landed.rows.map(({ hash }) => hash),
  ...landed.rejected.map(({ raw }) => raw)
]
