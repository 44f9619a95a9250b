/**
 * What is in an asset's table in memory: rows and hash of units, the rows themselves in the order of the key, the rows
 * that no partition downstream holds, and where stored rows differ from computed ones. The twin in SQL is
 * `SqlContent.ts`.
 */
import { type Asset, columnUnsafe, partitionedBy } from "../Asset.ts"
import type { Edge } from "../AssetGraph.ts"
import { type Column, type Row, rowText } from "../Column.ts"
import { md5 } from "../internal/hash.ts"
import * as Partitions from "../Partitions.ts"
import type * as PartitionSet from "../PartitionSet.ts"
import { matches } from "../RowFilter.ts"
import type { UnitSet } from "../Unit.ts"
import { primaryKey } from "../WriteStrategy.ts"
import * as Cells from "./Cells.ts"
import * as MemoryCheck from "./MemoryCheck.ts"
import * as MemoryUnit from "./MemoryUnit.ts"
import type { Content, Difference, Scope } from "./Warehouse.ts"

/**
 * Each unit of a scope with the number of its rows and the sum of their hashes, which does not depend on their order.
 *
 * @category queries
 * @since 0.1.0
 */
export const contents = (asset: Asset, scope: Scope, rows: ReadonlyArray<Row>): ReadonlyArray<Content> => {
  const byUnit = Map.groupBy(rows.filter(MemoryUnit.isInScope(asset, scope)), MemoryUnit.own(asset))
  const units = scope.units._tag === "Listed" ? Array.from(new Set(scope.units.units)) : []
  return units.map((unit) => contentOf(unit, asset.columns, byUnit.get(unit) ?? []))
}

/**
 * How many upstream rows lie before the first partition of the asset downstream.
 *
 * @category queries
 * @since 0.1.0
 */
export const outside = ({ downstream, input, upstream }: Edge, rows: ReadonlyArray<Row>): number => {
  const { mapping } = input
  const columns = mapping._tag === "ByColumns" ? mapping.columns.map((name) => columnUnsafe(upstream, name)) : []
  const isBefore = MemoryUnit.dimensionsOf(downstream.partitions, columns).flatMap(({ column, cut }) => {
    if (cut._tag !== "TimeWindows") return []
    const at = MemoryUnit.instantOf(cut, column)
    const { start } = Partitions.range(cut)
    return [(row: Row) => (at(row) ?? start) < start]
  })
  return rows.filter((row) => matches(upstream.columns, input.where, row) && isBefore.some((is) => is(row))).length
}

/**
 * The rows of an asset, ordered by its key; those of a view by all of its columns.
 *
 * @category queries
 * @since 0.1.0
 */
export const ordered = (
  asset: Asset,
  options: { readonly partitions: PartitionSet.PartitionSet | undefined; readonly limit: number | undefined },
  rows: ReadonlyArray<Row>
): ReadonlyArray<Row> => {
  const key = primaryKey(asset.write)
  const order = Cells.named(asset, key.length === 0 ? asset.columns.map(({ name }) => name) : key)
  return rows
    .filter(isInPartitions(asset, options.partitions))
    .toSorted(Cells.compareRows(order))
    .slice(0, options.limit)
}

/**
 * Where the stored rows of a scope differ, as multisets, from the computed ones; units can be left out.
 *
 * @category comparing
 * @since 0.1.0
 */
export const compare = (
  asset: Asset,
  options: {
    readonly computed: ReadonlyArray<Row>
    readonly stored: ReadonlyArray<Row>
    readonly scope: Scope
    readonly except: UnitSet
  }
): Difference => {
  const { computed, except, scope, stored } = options
  const { columns } = asset
  const unit = MemoryUnit.own(asset)
  const isExcepted = MemoryUnit.isIn(except)
  const byText = (rows: ReadonlyArray<Row>) =>
    Map.groupBy(
      rows.filter((row) => !isExcepted(unit(row))),
      (row) => rowText(columns, row)
    )
  const wanted = byText(computed)
  const found = byText(stored.filter(MemoryUnit.isInScope(asset, scope)))
  const surplus = (of: ReadonlyMap<string, ReadonlyArray<Row>>, over: ReadonlyMap<string, ReadonlyArray<Row>>) =>
    Array.from(of).flatMap(([text, rows]) => rows.slice(over.get(text)?.length ?? 0))
  const missing = surplus(wanted, found)
  const unexpected = surplus(found, wanted)
  return {
    missing: missing.length,
    unexpected: unexpected.length,
    examples: [
      ...missing.slice(0, shown).map((row) => `missing ${MemoryCheck.describe(columns, row)}`),
      ...unexpected.slice(0, shown).map((row) => `unexpected ${MemoryCheck.describe(columns, row)}`)
    ]
  }
}

// --- internal ---

/** So many rows of either kind are shown. */
const shown = 3

const contentOf = (unit: string, columns: ReadonlyArray<Column>, rows: ReadonlyArray<Row>): Content => ({
  unit,
  rows: rows.length,
  contentHash: rows.reduce((sum, row) => sum + BigInt(`0x${md5(rowText(columns, row))}`), 0n).toString()
})

const isInPartitions = (asset: Asset, set: PartitionSet.PartitionSet | undefined): ((row: Row) => boolean) => {
  const cut = partitionedBy(asset)
  if (set === undefined || cut === undefined) return () => true
  return MemoryUnit.isInSome(
    set,
    cut.columns.map((name) => columnUnsafe(asset, name))
  )
}
