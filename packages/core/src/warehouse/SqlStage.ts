/**
 * Filling the temporary result table of a step. `INSERT … SELECT` computes in one process, `CREATE TABLE … AS` in several;
 * so where most of a large asset is computed, the table is made anew by the query. On two cores the join of a million
 * events with their customers took 2.0 s so and 3.1 s by inserting.
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Asset } from "../Asset.ts"
import { type Column, postgresType } from "../Column.ts"
import type { Reason } from "../MaterializationError.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { Postgres } from "../postgres/Postgres.ts"
import { identifier, list, literal, sql, type Sql } from "../Sql.ts"
import * as SqlDifference from "./SqlDifference.ts"
import * as SqlTable from "./SqlTable.ts"
import type { Scope } from "./Warehouse.ts"

/**
 * Of how many rows the inputs are large, as far as the server has counted them. Where it has not, a row is taken to have
 * 200 bytes: a source has often been landed just now.
 *
 * @category services
 * @since 0.1.0
 */
export const Large = Context.Reference<number>("@assay/core/warehouse/SqlStage/Large", { defaultValue: () => 100_000 })

/**
 * Whether a scope is all of an asset, or most of the partitions that it has.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isMost = (asset: Asset, scope: Scope, at: DateTime.Utc | undefined): boolean =>
  scope.units._tag === "All" ||
  (at !== undefined &&
    scope.partitions.length > 0 &&
    2 * scope.partitions.length >= PartitionSet.size(Partitions.existing(asset.partitions, at.epochMilliseconds)))

/**
 * Puts what a query computes into the empty result table, and yields the number of rows. `isMost`: the query computes most
 * of the asset.
 *
 * @category writing
 * @since 0.1.0
 */
export const fill = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset<string, unknown, never>,
  computed: Sql,
  { isMost }: { readonly isMost: boolean }
): Effect.fn.Return<number, Reason> {
  const rows = SqlDifference.resolve(asset, computed)
  const insert = sql`INSERT INTO ${SqlTable.result(asset)} (${SqlDifference.columnNames(asset)})`
  if (!isMost || !isQuery(asset) || !(yield* hasLargeInputs(pg, asset)))
    return yield* pg.execute(sql`${insert} ${rows}`)
  // Casts that are written out allow more than those of an insertion, which therefore has to be possible.
  yield* pg.execute(sql`${insert} SELECT * FROM (${rows}) AS r LIMIT 0`)
  yield* pg.execute(sql`DROP TABLE ${SqlTable.result(asset)}`)
  const count = yield* pg.execute(
    sql`CREATE TEMPORARY TABLE ${SqlTable.result(asset)} AS SELECT ${list(asset.columns.map(typed))} FROM (${rows}) AS r`
  )
  yield* SqlTable.constrainResult(pg, asset)
  return count
})

// --- internal ---

/** Rows that come from Node are in the query itself. */
const isQuery = ({ body }: Asset<string, unknown, never>): boolean =>
  body._tag === "Compute" && body.compute.sql !== undefined

/** As the result table has it when it is made by its columns. */
const typed = ({ kind, name }: Column): Sql => {
  const collation = literal(kind._tag === "Text" ? ' COLLATE "default"' : "")
  return sql`r.${identifier(name)}::${literal(postgresType(kind))}${collation} AS ${identifier(name)}`
}

const hasLargeInputs = Effect.fnUntraced(function* (pg: typeof Postgres.Service, asset: Asset) {
  const large = yield* Large
  const [found] = yield* pg.query(
    sql`SELECT coalesce(sum(CASE WHEN reltuples >= 0 THEN reltuples ELSE pg_relation_size(oid) / 200 END), 0) >= ${large}::float8
        AS is_large FROM pg_class
      WHERE relnamespace = to_regnamespace(quote_ident(${pg.schemas.warehouse}))
        AND relname = ANY(${asset.inputs.map((input) => input.asset.name)}::text[])`,
    Schema.Struct({ is_large: Schema.Boolean })
  )
  return found?.is_large ?? false
})
