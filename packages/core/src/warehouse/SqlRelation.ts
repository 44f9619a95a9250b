/**
 * The relation that stands behind an input: the columns and rows the input shows, restricted to what the units of a
 * step need. The restriction is the input's mapping read backwards.
 */
import type { Asset, NamedInput } from "../Asset.ts"
import { columnUnsafe, unitColumns } from "../Asset.ts"
import { columnsOf, type Keys, type Last, type PartitionMapping } from "../PartitionMapping.ts"
import type { PartitionSet } from "../PartitionSet.ts"
import { toSql } from "../RowFilter.ts"
import { and, identifier, list, literal, sql, type Sql } from "../Sql.ts"
import * as InputWindow from "./InputWindow.ts"
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
    WHERE ${and([toSql(input.where), restriction(asset, input, scope, { alias, table })])})`
}

/**
 * The units of a step as a relation with the columns `unit`, `window_start` and `window_end`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const units = (scope: Scope): Sql => {
  if (scope.units._tag === "Relation")
    return sql`(SELECT unit, window_start, window_end FROM ${identifier(scope.units.name)})`
  const bound = (pick: "start" | "end") =>
    scope.partitions.map(({ window }) => (window === undefined ? null : String(window[pick] / 1000)))
  return sql`(SELECT u.unit, to_timestamp(p.start) AS window_start, to_timestamp(p.finish) AS window_end
    FROM (${SqlUnit.units(scope)}) AS u LEFT JOIN unnest(${scope.partitions.map(({ unit }) => unit)}::text[],
      ${bound("start")}::float8[], ${bound("end")}::float8[]) AS p(unit, start, finish) USING (unit))`
}

/**
 * Which rows of an input's upstream asset a scope reads, of those that the input shows: its mapping read backwards.
 *
 * @category conditions
 * @since 0.1.0
 */
export const restriction = (
  asset: Asset,
  input: NamedInput,
  scope: Scope,
  { alias, table }: { readonly alias: Sql; readonly table: TableOf }
): Sql => {
  const { mapping } = input
  const upstream = input.asset
  if (mapping._tag === "Last" || mapping._tag === "Keys") return ofEveryUnit(asset, input, mapping, { alias, table })
  if (unitColumns(asset).length === 0) return literal("TRUE")
  if (scope.units._tag === "All") return named(upstream, mapping, alias)
  switch (mapping._tag) {
    case "ByColumns": {
      const columns = mapping.columns.map((name) => columnUnsafe(upstream, name))
      return asset.write._tag === "ReplacePartitions"
        ? SqlUnit.inPartitions(asset.partitions, SqlUnit.cells(columns, alias), scope)
        : SqlUnit.inKeys(columns, alias, scope)
    }
    case "Identity": {
      const columns = unitColumns(upstream).map((name) => columnUnsafe(upstream, name))
      if (columns.length === 0) return literal("TRUE")
      if (upstream.write._tag !== "ReplacePartitions") return SqlUnit.inKeys(columns, alias, scope)
      const sameKeys =
        upstream.partitions._tag === "TimeWindows"
          ? { ...scope, partitions: InputWindow.ofIdentity(upstream.partitions, scope.partitions) }
          : scope
      return SqlUnit.inPartitions(upstream.partitions, SqlUnit.cells(columns, alias), sameKeys)
    }
    case "TimeWindows": {
      const [name] = unitColumns(upstream)
      const windows = InputWindow.ofTimeWindows(mapping, { upstream, downstream: asset, units: scope.partitions })
      if (name === undefined || windows === undefined || upstream.partitions._tag !== "TimeWindows")
        return literal("TRUE")
      return SqlUnit.inRanges(
        upstream.partitions,
        columnUnsafe(upstream, name),
        sql`${alias}.${identifier(name)}`,
        windows
      )
    }
    case "StaticMap":
    case "Custom":
    case "ByDimension":
    case "SingleDimension":
      return inSome(
        InputWindow.ofKeys(mapping, { upstream, downstream: asset, units: scope.partitions }),
        upstream,
        alias
      )
    case "Onwards": {
      const until = InputWindow.ofOnwards(scope.partitions)
      const column = columnUnsafe(upstream, mapping.column)
      if (asset.partitions._tag !== "TimeWindows") return literal("TRUE")
      return and([
        named(upstream, mapping, alias),
        SqlUnit.inRanges(asset.partitions, column, sql`${alias}.${identifier(column.name)}`, [until])
      ])
    }
    case "All":
    case "AsOf":
      return literal("TRUE")
  }
}

// --- internal ---

/** A row whose columns name no unit belongs to none: a step never sees it, so the whole rebuild must not either. */
const named = (upstream: Asset, mapping: PartitionMapping, alias: Sql): Sql =>
  and(
    columnsOf(mapping)
      .filter((name) => columnUnsafe(upstream, name).isNullable)
      .map((name) => sql`${alias}.${identifier(name)} IS NOT NULL`)
  )

const cellsOf = (asset: Asset, names: ReadonlyArray<string>, alias: Sql): ReadonlyArray<SqlUnit.Cell> =>
  SqlUnit.cells(
    names.map((name) => columnUnsafe(asset, name)),
    alias
  )

const inSome = (set: PartitionSet, upstream: Asset, alias: Sql): Sql =>
  SqlUnit.inSome(set, cellsOf(upstream, unitColumns(upstream), alias))

/** What every unit reads alike, and the whole table too. */
const ofEveryUnit = (
  asset: Asset,
  { asset: upstream, where }: NamedInput,
  mapping: Keys | Last,
  { alias, table }: { readonly alias: Sql; readonly table: TableOf }
): Sql => {
  if (mapping._tag === "Keys")
    return inSome(InputWindow.ofKeys(mapping, { upstream, downstream: asset, units: [] }), upstream, alias)
  return and(
    unitColumns(upstream).map((name) => {
      const rows = sql`(SELECT ${identifier(name)} FROM ${table(upstream)} WHERE ${toSql(where)})`
      const value = sql`${alias}.${identifier(name)}`
      return SqlUnit.inLast(upstream.partitions, columnUnsafe(upstream, name), value, rows)
    })
  )
}
