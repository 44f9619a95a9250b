/**
 * The relation that stands behind an input: the columns and rows the input shows, restricted to what the units of a
 * step need. The restriction is the input's mapping read backwards.
 */
import type { Asset, NamedInput } from "../Asset.ts"
import { columnUnsafe, unitColumns } from "../Asset.ts"
import * as PartitionReach from "../PartitionReach.ts"
import { toSql } from "../RowFilter.ts"
import { and, identifier, list, literal, sql, type Sql } from "../Sql.ts"
import * as SqlUnit from "./SqlUnit.ts"
import type { Scope } from "./Warehouse.ts"

/**
 * How a table is called: in its database schema, or apart from it while a chain is verified.
 *
 * @category models
 * @since 0.1.0
 */
export type TableOf = (asset: Asset) => Sql

/**
 * The relations of all inputs of a step, by the names the compute uses, and `units`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const all = (asset: Asset, scope: Scope, table: TableOf): { readonly [as: string]: Sql } => ({
  ...Object.fromEntries(asset.inputs.map((input) => [input.as, ofInput(asset, input, scope, table)])),
  units: units(scope)
})

/**
 * One input, restricted to the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofInput = (asset: Asset, input: NamedInput, scope: Scope, table: TableOf): Sql => {
  const alias = identifier("u")
  return sql`(SELECT ${list(input.columns.map((name) => sql`${alias}.${identifier(name)}`))}
    FROM ${table(input.asset)} AS ${alias}
    WHERE ${and([toSql(input.where), restriction(asset, input, alias, scope)])})`
}

/**
 * The units of a step as a relation with the columns `unit`, `window_start` and `window_end`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const units = ({ units: set }: Scope): Sql =>
  set._tag === "Relation"
    ? sql`(SELECT unit, window_start, window_end FROM ${identifier(set.name)})`
    : sql`(SELECT NULL::text AS unit, NULL::timestamptz AS window_start, NULL::timestamptz AS window_end WHERE FALSE)`

// --- internal ---

const restriction = (asset: Asset, input: NamedInput, alias: Sql, scope: Scope): Sql => {
  const { mapping } = input
  const upstream = input.asset
  if (scope.units._tag === "All" || unitColumns(asset).length === 0) return literal("TRUE")
  switch (mapping._tag) {
    case "ByColumns": {
      const columns = mapping.columns.map((name) => columnUnsafe(upstream, name))
      const [first] = columns
      if (first === undefined) return literal("TRUE")
      return asset.write._tag === "ReplacePartitions"
        ? SqlUnit.inPartitions(asset.partitions, first, sql`${alias}.${identifier(first.name)}`, scope)
        : SqlUnit.inKeys(columns, alias, scope)
    }
    case "Identity": {
      const columns = unitColumns(upstream).map((name) => columnUnsafe(upstream, name))
      const [first] = columns
      if (first === undefined) return literal("TRUE")
      return upstream.write._tag === "ReplacePartitions"
        ? SqlUnit.inPartitions(upstream.partitions, first, sql`${alias}.${identifier(first.name)}`, scope)
        : SqlUnit.inKeys(columns, alias, scope)
    }
    case "TimeWindows": {
      const [name] = unitColumns(upstream)
      if (name === undefined || upstream.partitions._tag !== "TimeWindows" || asset.partitions._tag !== "TimeWindows") {
        return literal("TRUE")
      }
      const ranges = PartitionReach.windowsNeeded(mapping, asset.partitions, scope.partitions)
      return SqlUnit.inRanges(
        upstream.partitions,
        columnUnsafe(upstream, name),
        sql`${alias}.${identifier(name)}`,
        ranges
      )
    }
    case "All":
    case "Onwards":
    case "AsOf":
      return literal("TRUE")
  }
}
