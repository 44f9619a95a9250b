/**
 * The rows that stand behind an input in memory: the columns and rows the input shows, restricted to what the units of a
 * step need. The restriction is the input's mapping read backwards. The twin in SQL is `SqlRelation.ts`.
 */
import type { Asset, NamedInput } from "../Asset.ts"
import { unitColumns } from "../Asset.ts"
import type { Row } from "../Column.ts"
import { columnsOf } from "../PartitionMapping.ts"
import { matches } from "../RowFilter.ts"
import type { TimeWindow } from "../TimeWindow.ts"
import type { Unit } from "../Unit.ts"
import * as Cells from "./Cells.ts"
import * as InputWindow from "./InputWindow.ts"
import * as MemoryUnit from "./MemoryUnit.ts"
import type { Scope } from "./Warehouse.ts"

/**
 * The rows of one input, restricted to the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofInput = (asset: Asset, input: NamedInput, scope: Scope, rows: Iterable<Row>): ReadonlyArray<Row> => {
  const isNeeded = restriction(asset, input, scope)
  const shown: Array<Row> = []
  for (const row of rows) {
    if (matches(input.asset.columns, input.where, row) && isNeeded(row)) shown.push(Cells.pick(input.columns, row))
  }
  return shown
}

/**
 * The units of a step as the compute is given them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const units = ({ partitions, units: set }: Scope): ReadonlyArray<Unit> =>
  partitions.length === 0 && set._tag === "Listed" ? set.units.map((unit) => ({ unit, window: undefined })) : partitions

// --- internal ---

const restriction = (asset: Asset, input: NamedInput, scope: Scope): ((row: Row) => boolean) => {
  const { mapping } = input
  const upstream = input.asset
  if (unitColumns(asset).length === 0) return everything
  if (scope.units._tag === "All") {
    // A row whose columns name no unit belongs to none: a step never sees it, so the whole rebuild must not either.
    const names = columnsOf(mapping)
    return names.length === 0 ? everything : (row) => names.every((name) => (row[name] ?? null) !== null)
  }
  switch (mapping._tag) {
    case "ByColumns": {
      const contains = MemoryUnit.isIn(scope.units)
      const unit = MemoryUnit.of(asset, Cells.named(upstream, mapping.columns))
      return (row) => contains(unit(row))
    }
    case "Identity":
      return MemoryUnit.isInScope(upstream, scope)
    case "TimeWindows": {
      const [column] = Cells.named(upstream, unitColumns(upstream))
      const windows = InputWindow.ofTimeWindows(mapping, { upstream, downstream: asset, units: scope.partitions })
      if (column === undefined || windows === undefined || upstream.partitions._tag !== "TimeWindows") return everything
      const at = MemoryUnit.instantOf(upstream.partitions, column)
      return (row) => isInside(windows, at(row))
    }
    case "Onwards": {
      const [column] = Cells.named(upstream, [mapping.column])
      if (column === undefined || asset.partitions._tag !== "TimeWindows") return everything
      const at = MemoryUnit.instantOf(asset.partitions, column)
      const { end } = InputWindow.ofOnwards(scope.partitions)
      return (row) => (at(row) ?? Number.POSITIVE_INFINITY) < end
    }
    case "All":
    case "AsOf":
      return everything
  }
}

const everything = (): boolean => true

/** Binary search among windows that are in order and do not overlap. */
const isInside = (windows: ReadonlyArray<TimeWindow>, instant: number | undefined): boolean => {
  if (instant === undefined) return false
  let low = 0
  let high = windows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const window = windows[middle]
    if (window === undefined || instant < window.start) high = middle
    else if (instant >= window.end) low = middle + 1
    else return true
  }
  return false
}
