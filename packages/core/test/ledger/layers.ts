/**
 * The two ledgers that the suites of this folder are held against, each with the transactor of its kind.
 */
import type * as PgClient from "@effect/sql-pg/PgClient"
import * as Ledger from "@assay/core/ledger/Ledger"
import * as SqlLedger from "@assay/core/ledger/SqlLedger"
import * as Postgres from "@assay/core/postgres/Postgres"
import { sql } from "@assay/core/Sql"
import * as Transactor from "@assay/core/Transactor"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestDatabase from "../support/TestDatabase.ts"

export type Services = Ledger.Ledger | Transactor.Transactor

/** An empty ledger in memory. */
export const memory: Layer.Layer<Services> = Layer.merge(Ledger.layerMemory, Transactor.layerMemory).pipe(
  Layer.provide(Transactor.layerMemoryStore)
)

export const schemas: Postgres.Schemas = { warehouse: "dev", ledger: "assay" }

/** An empty database of one's own without a ledger. */
export const database: Layer.Layer<
  Postgres.Postgres | Transactor.Transactor | PgClient.PgClient | TestDatabase.TestDatabase,
  unknown
> = Postgres.layer(schemas).pipe(Layer.provideMerge(TestDatabase.layer))

/** An empty ledger in a database of its own. */
export const postgres: Layer.Layer<Services | Postgres.Postgres, unknown> = SqlLedger.layer.pipe(
  Layer.provideMerge(database)
)

/** A time of the first of March 2024. */
export const at = (time: string): DateTime.Utc => DateTime.makeUnsafe(`2024-03-01T${time}Z`)

/** Waits until so many transactions of this database wait for a lock. */
export const waiting = (count: number) =>
  Effect.flatMap(Postgres.Postgres, ({ query }) =>
    Effect.repeat(
      query(
        sql`SELECT count(*)::integer AS count FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        Schema.Struct({ count: Schema.Int })
      ),
      { until: (rows) => rows[0]?.count === count }
    )
  )
