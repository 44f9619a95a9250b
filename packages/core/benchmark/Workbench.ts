/**
 * Where do the alternatives and Assay work, side by side? A database schema for the tables of the alternatives, and
 * beside it an environment of Assay, in one database; both disappear with the layer.
 */
import * as Assay from "@assay/core/Assay"
import type { Ledger } from "@assay/core/ledger/Ledger"
import * as SqlLedger from "@assay/core/ledger/SqlLedger"
import type { Reason } from "@assay/core/MaterializationError"
import * as Postgres from "@assay/core/postgres/Postgres"
import { identifier, sql, type Sql } from "@assay/core/Sql"
import type { Transactor } from "@assay/core/Transactor"
import * as SqlWarehouse from "@assay/core/warehouse/SqlWarehouse"
import type { Warehouse } from "@assay/core/warehouse/Warehouse"
import type { PgClient } from "@effect/sql-pg"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/** The tables at hand. */
export class Workbench extends Context.Service<
  Workbench,
  {
    /** A table of the alternatives. */
    readonly table: (name: string) => Sql
    /** The table of one of Assay's assets. */
    readonly asset: (name: string) => Sql
  }
>()("@assay/core/benchmark/Workbench") {}

/** What is on it. */
export type Services = Workbench | Postgres.Postgres | Transactor | Ledger | Warehouse

/** A workbench of that name in the database at hand. What is left of an earlier one of that name is cleared away. */
export const layer = (name: string): Layer.Layer<Services, Reason, PgClient.PgClient> => {
  const schemas = Assay.environment(`${name}_assay`)
  const all = [name, schemas.warehouse, schemas.ledger]
  const clear = Effect.forEach(all, (schema) => execute(sql`DROP SCHEMA IF EXISTS ${identifier(schema)} CASCADE`))
  const workbench = Layer.effect(
    Workbench,
    Effect.gen(function* () {
      yield* Effect.acquireRelease(clear, () => Effect.orDie(clear))
      yield* execute(sql`CREATE SCHEMA ${identifier(name)}`)
      return {
        table: (table) => identifier(name, table),
        asset: (asset) => identifier(schemas.warehouse, asset)
      }
    })
  )
  return Layer.mergeAll(SqlLedger.layer, SqlWarehouse.layer).pipe(
    Layer.provideMerge(workbench),
    Layer.provideMerge(Postgres.layer(schemas))
  )
}

/** Runs a statement for its effect. */
export const execute = (statement: Sql) => Effect.flatMap(Postgres.Postgres, ({ execute }) => execute(statement))

/** The one row that a query yields. */
export const one = <A>(statement: Sql, row: Schema.ConstraintDecoder<A>): Effect.Effect<A, Reason, Postgres.Postgres> =>
  Effect.flatMap(Postgres.Postgres, ({ query }) =>
    Effect.flatMap(query(statement, row), ([first]) =>
      first === undefined ? Effect.die("the query yields no row") : Effect.succeed(first)
    )
  )

/** The number that a query counts, in its column `count`. */
export const count = (statement: Sql) =>
  Effect.map(one(statement, Schema.Struct({ count: Schema.Int })), ({ count }) => count)
