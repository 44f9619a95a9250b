/**
 * The two storages on which the shop is held to the same promises, each fresh for every test: one in memory, and one
 * environment of its own in the database of the test file. On PostgreSQL time stands still where a test puts it, but
 * waiting is real.
 */
import * as Assay from "@assay/core/Assay"
import type { AssetGraph } from "@assay/core/AssetGraph"
import * as Ledger from "@assay/core/ledger/Ledger"
import * as SqlLedger from "@assay/core/ledger/SqlLedger"
import * as Postgres from "@assay/core/postgres/Postgres"
import * as Transactor from "@assay/core/Transactor"
import * as MemoryWarehouse from "@assay/core/warehouse/MemoryWarehouse"
import * as SqlWarehouse from "@assay/core/warehouse/SqlWarehouse"
import type { Warehouse } from "@assay/core/warehouse/Warehouse"
import { PgClient } from "@effect/sql-pg"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { type Disturbance, layer as layerDisturbance } from "./Disturbance.ts"

export type Engine = Ledger.Ledger | Transactor.Transactor | Warehouse

export class Time extends Context.Service<Time, { readonly set: (instant: string) => Effect.Effect<void> }>()(
  "@assay/core/test/shop/Time"
) {}

export type Storage = Engine | Time | Disturbance

/** A graph on the storage at hand. */
export const open = <R>(
  graph: AssetGraph<R>
): Effect.Effect<typeof Assay.Assay.Service, never, Engine | R | Scope.Scope> =>
  Effect.map(Layer.build(Layer.fresh(Assay.layerWithoutStorage(graph))), Context.get(Assay.Assay))

export const layerMemory: Layer.Layer<Storage> = Layer.mergeAll(
  Layer.mergeAll(Ledger.layerMemory, MemoryWarehouse.layer, Transactor.layerMemory).pipe(
    Layer.provide(Layer.fresh(Transactor.layerMemoryStore))
  ),
  Layer.succeed(Time, { set: (instant) => TestClock.setTime(Date.parse(instant)) }),
  layerDisturbance
)

/** A storage of the given name in the database at hand. */
export const layerPostgres = (name: string): Layer.Layer<Storage | Postgres.Postgres, unknown, PgClient.PgClient> =>
  Layer.mergeAll(
    Layer.mergeAll(SqlLedger.layer, SqlWarehouse.layer).pipe(
      Layer.provideMerge(Postgres.layer(Assay.environment(name)))
    ),
    layerTime,
    layerDisturbance
  )

/**
 * A storage of the given name in the database at hand, emptied if it was used before: tables that are there already save
 * a history a third of a second.
 */
export const layerPostgresAgain = (
  name: string
): Layer.Layer<Storage | Postgres.Postgres, unknown, PgClient.PgClient> =>
  layerPostgres(name).pipe(Layer.provide(Layer.effectDiscard(emptied(Assay.environment(name)))))

// --- internal ---

/** Deletes every row but those that say which migrations were done, month tables by way of their whole. Truncating costs a file for each table and index. */
const emptied = ({ ledger, warehouse }: Postgres.Schemas) =>
  Effect.flatMap(PgClient.PgClient, (client) =>
    client.unsafe(`DO $$ DECLARE stored record; BEGIN
      FOR stored IN SELECT schemaname, tablename FROM pg_tables
        WHERE schemaname IN ('${ledger}', '${warehouse}') AND tablename <> 'migration' AND left(tablename, 1) <> '_'
      LOOP EXECUTE format('DELETE FROM %I.%I', stored.schemaname, stored.tablename); END LOOP;
    END $$`)
  )

const layerTime: Layer.Layer<Time> = Layer.unwrap(
  Effect.sync(() => {
    let now = 0
    const clock: Clock.Clock = {
      currentTimeMillisUnsafe: () => now,
      currentTimeMillis: Effect.sync(() => now),
      currentTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => process.hrtime.bigint(),
      monotonicTimeNanos: Effect.sync(() => process.hrtime.bigint()),
      sleep: (duration) =>
        Effect.callback<void>((resume) => {
          // oxlint-disable-next-line no-restricted-globals -- this clock's own sleep: the days stand still, waiting does not
          const timer = setTimeout(() => resume(Effect.void), Duration.toMillis(duration))
          return Effect.sync(() => clearTimeout(timer))
        })
    }
    const time = Layer.succeed(Time, { set: (instant) => Effect.sync(() => void (now = Date.parse(instant))) })
    return Layer.merge(time, Layer.succeed(Clock.Clock, clock))
  })
)
