/**
 * Where a crew works: an environment in the database of the test file, with a folder of its own, and the engine as the
 * test itself uses it, before, beside and after the crew.
 */
import * as Assay from "@assay/core/Assay"
import { abandonedError } from "@assay/core/ledger/Runs"
import type { AssetGraph } from "@assay/core/AssetGraph"
import * as SqlLedger from "@assay/core/ledger/SqlLedger"
import * as Database from "@assay/core/postgres/Database"
import * as Postgres from "@assay/core/postgres/Postgres"
import * as SqlWarehouse from "@assay/core/warehouse/SqlWarehouse"
import type { PgClient } from "@effect/sql-pg"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as ShiftedClock from "./ShiftedClock.ts"

/** A client of the test file's database, and where that is. */
export const layer: Layer.Layer<TestDatabase.TestDatabase | PgClient.PgClient, unknown> = Layer.unwrap(
  Effect.map(TestDatabase.TestDatabase, ({ url }) => Database.layerUrl({ url, applicationName: "test" }))
).pipe(
  Layer.provideMerge(TestDatabase.layerDatabase),
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "Warn"))
)

/** A site at which it is that instant now. Nothing of it is in the database until somebody works there. */
export const make = Effect.fnUntraced(function* <R>(options: {
  readonly environment: string
  readonly instant: string
  readonly graph: (folder: string) => AssetGraph<R>
}) {
  const { url } = yield* TestDatabase.TestDatabase
  const folder = yield* temporary
  const ahead = ShiftedClock.until(options.instant)
  const at = (minutes: number) => Effect.provideService(Clock.Clock, ShiftedClock.make(ahead + minutes * 60_000))
  // The ledger migrates when it is built, so it is built when somebody asks for it.
  const open = (environment = options.environment) => {
    const layer = Assay.layerWithoutStorage(options.graph(folder)).pipe(
      Layer.provide(Layer.mergeAll(SqlLedger.layer, SqlWarehouse.layer)),
      Layer.provideMerge(Postgres.layer(Assay.environment(environment)))
    )
    return Effect.map(Layer.build(Layer.fresh(layer)), (context) => ({
      assay: Context.get(context, Assay.Assay),
      context
    }))
  }
  return {
    url: Redacted.value(url),
    environment: options.environment,
    folder,
    compileCache: yield* temporary,
    ahead,
    at,
    open
  }
})

/** Every run has come to an end that is true: it succeeded, or its process was killed and it was given up. */
export const assertEnded = Effect.fnUntraced(function* (assay: typeof Assay.Assay.Service, killed: number) {
  const runs = yield* assay.runs({ limit: 100_000 })
  const ends = Map.groupBy(runs, ({ run }) => `${run.status}: ${run.error ?? "no error"}`)
  const abandoned = ends.get(`cancelled: ${abandonedError}`) ?? []
  ends.delete("succeeded: no error")
  ends.delete(`cancelled: ${abandonedError}`)
  assert.deepStrictEqual(Array.from(ends.keys()), [])
  // Whoever is killed between two runs leaves none behind.
  assert.isAtMost(abandoned.length, killed)
  assert.deepStrictEqual(
    runs.filter(({ steps }) => steps.running > 0).map(({ run }) => run.runId),
    []
  )
  return { runs: runs.length, abandoned: abandoned.length }
})

/** By the records of all steps, every table has as many rows as were inserted and not deleted (L3). */
export const assertCounted = Effect.fnUntraced(function* (assay: typeof Assay.Assay.Service) {
  const counts = new Map(Array.from(assay.graph.assets.keys(), (asset) => [asset, 0]))
  for (const { run } of yield* assay.runs({ limit: 100_000 })) {
    const found = yield* assay.run(run.runId)
    for (const { asset, rowsDeleted, rowsInserted } of found._tag === "Found" ? found.steps : [])
      counts.set(asset, (counts.get(asset) ?? 0) + rowsInserted - rowsDeleted)
  }
  const stored = yield* assay.status()
  assert.deepStrictEqual(
    Object.fromEntries(stored.filter(({ kind }) => kind !== "view").map(({ asset, rows }) => [asset, rows])),
    Object.fromEntries(stored.filter(({ kind }) => kind !== "view").map(({ asset }) => [asset, counts.get(asset)]))
  )
})

/** The last run of a site does what the crew left, and none after it finds anything to do. */
export const assertDrained = Effect.fnUntraced(function* (assay: typeof Assay.Assay.Service) {
  const last = yield* assay.materialize({ assets: [] })
  assert.deepStrictEqual([last.status, last.outcomes.flatMap(({ error }) => error?.message ?? [])], ["succeeded", []])
  const again = yield* assay.materialize({ assets: [] })
  assert.deepStrictEqual([again.runId, again.steps], [undefined, 0])
  const verdicts = yield* assay.verify({ strict: true })
  assert.deepStrictEqual(
    verdicts.filter(({ isOk }) => !isOk),
    []
  )
})

// --- internal ---

/** A folder that is gone at the end. */
const temporary = Effect.acquireRelease(
  Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "assay-crew-"))),
  (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
)
