/**
 * What is in an asset's table, in SQL: rows and hash of units, the rows themselves in the order of the key, and the rows
 * that no partition downstream holds.
 */
import type { Asset } from "../Asset.ts"
import { columnUnsafe, partitionedBy, unitColumns } from "../Asset.ts"
import type { Edge } from "../AssetGraph.ts"
import type { Column } from "../Column.ts"
import * as Partitions from "../Partitions.ts"
import type * as PartitionSet from "../PartitionSet.ts"
import { toSql } from "../RowFilter.ts"
import { and, identifier, list, literal, or, sql, type Sql } from "../Sql.ts"
import { primaryKey } from "../WriteStrategy.ts"
import * as MemoryUnit from "./MemoryUnit.ts"
import type * as SqlRelation from "./SqlRelation.ts"
import * as SqlTable from "./SqlTable.ts"
import * as SqlUnit from "./SqlUnit.ts"
import type { Scope } from "./Warehouse.ts"

/**
 * Each unit of a scope with the number of its rows and the sum of their hashes, which does not depend on their order.
 *
 * @category queries
 * @since 0.1.0
 */
export const contents = (asset: Asset, scope: Scope, table: SqlRelation.TableOf): Sql => {
  const columns = unitColumns(asset).map((name) => columnUnsafe(asset, name))
  const hash = sql`hash_record_extended(ROW(${SqlTable.exactColumns(asset, "t")}), 0)::numeric`
  const source = sql`${table(asset)} AS t WHERE ${SqlUnit.inScope(asset, identifier("t"), scope)}`
  // By the columns first, where many rows say the same: a unit is then named once for a date instead of for each row.
  const isByValue = columns.length > 0 && columns.every(({ kind }) => kind._tag !== "Timestamp")
  const values = list(columns.map(({ name }) => identifier("t", name)))
  const parts = isByValue
    ? sql`SELECT ${values}, count(*) AS _assay_rows, sum(${hash}) AS _assay_hash FROM ${source} GROUP BY ${values}`
    : sql`SELECT t.*, 1 AS _assay_rows, ${hash} AS _assay_hash FROM ${source}`
  return sql`SELECT u.unit, coalesce(c.rows, 0)::int AS rows, coalesce(c.hash, '0') AS "contentHash"
    FROM (${SqlUnit.units(scope)}) AS u LEFT JOIN (
      SELECT ${SqlUnit.of(asset, columns, identifier("t"))} AS unit, sum(_assay_rows) AS rows, sum(_assay_hash)::text AS hash
      FROM (${parts}) AS t GROUP BY 1
    ) AS c USING (unit)`
}

/**
 * How many upstream rows lie before the first partition of the asset downstream. Undefined where the edge reads them by
 * something else than their time.
 *
 * @category queries
 * @since 0.1.0
 */
export const outside = ({ downstream, input, upstream }: Edge, table: SqlRelation.TableOf): Sql | undefined => {
  const { mapping } = input
  const columns = mapping._tag === "ByColumns" ? mapping.columns.map((name) => columnUnsafe(upstream, name)) : []
  const before = MemoryUnit.dimensionsOf(downstream.partitions, columns).flatMap(({ column, cut }) => {
    if (cut._tag !== "TimeWindows") return []
    const window = { start: Number.NEGATIVE_INFINITY, end: Partitions.range(cut).start }
    return [SqlUnit.inRanges(cut, column, identifier(column.name), [window])]
  })
  if (before.length === 0) return undefined
  return sql`SELECT count(*)::text AS count FROM ${table(upstream)} WHERE ${and([toSql(input.where), or(before)])}`
}

/**
 * The rows of an asset as canonical texts, ordered by its key; those of a view by all of its columns.
 *
 * @category queries
 * @since 0.1.0
 */
export const rows = (
  asset: Asset,
  options: { readonly partitions: PartitionSet.PartitionSet | undefined; readonly limit: number | undefined },
  table: SqlRelation.TableOf
): Sql => {
  const key = primaryKey(asset.write)
  const order = key.length === 0 ? asset.columns.map(({ name }) => name) : key
  return sql`SELECT ${texts(asset.columns, "t")} FROM ${table(asset)} AS t
    WHERE ${options.partitions === undefined ? literal("TRUE") : within(asset, options.partitions)}
    ORDER BY ${list(order.map((name) => SqlUnit.sortKey(columnUnsafe(asset, name).kind, identifier("t", name))))} LIMIT ${options.limit ?? null}::bigint`
}

/**
 * Columns as their canonical texts, called through an alias.
 *
 * @category queries
 * @since 0.1.0
 */
export const texts = (columns: ReadonlyArray<Column>, alias: string): Sql =>
  list(columns.map(({ kind, name }) => sql`${SqlUnit.text(kind, identifier(alias, name))} AS ${identifier(name)}`))

// --- internal ---

const within = (asset: Asset, set: PartitionSet.PartitionSet): Sql => {
  const columns = (partitionedBy(asset)?.columns ?? []).map((name) => columnUnsafe(asset, name))
  return columns.length === 0 ? literal("TRUE") : SqlUnit.inSome(set, SqlUnit.cells(columns, identifier("t")))
}
