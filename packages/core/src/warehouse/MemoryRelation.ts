/**
 * The rows that stand behind an input in memory: the columns and rows the input shows, restricted to what the units of a
 * step need. The restriction is the input's mapping read backwards. The twin in SQL is `SqlRelation.ts`.
 */
import type { Asset, NamedInput } from "../Asset.ts"
import { unitColumns } from "../Asset.ts"
import type { Row } from "../Column.ts"
import * as Spans from "../internal/spans.ts"
import { columnsOf } from "../PartitionMapping.ts"
import { matches } from "../RowFilter.ts"
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
  const seen = Array.from(rows).filter((row) => matches(input.asset.columns, input.where, row))
  return seen.filter(restriction(asset, input, scope, seen)).map((row) => Cells.pick(input.columns, row))
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

/** `seen` are the rows among which the last partition is sought. */
const restriction = (
  asset: Asset,
  input: NamedInput,
  scope: Scope,
  seen: ReadonlyArray<Row>
): ((row: Row) => boolean) => {
  const { mapping } = input
  const upstream = input.asset
  const columns = Cells.named(upstream, unitColumns(upstream))
  const [cut] = columns
  // What every unit reads alike, and the whole table too.
  if (mapping._tag === "Keys") {
    return MemoryUnit.isInSome(InputWindow.ofKeys(mapping, { upstream, downstream: asset, units: [] }), columns)
  }
  if (mapping._tag === "Last" && cut !== undefined) return isInLast(MemoryUnit.placeOf(upstream.partitions, cut), seen)
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
      const windows = InputWindow.ofTimeWindows(mapping, { upstream, downstream: asset, units: scope.partitions })
      if (cut === undefined || windows === undefined || upstream.partitions._tag !== "TimeWindows") return everything
      const at = MemoryUnit.instantOf(upstream.partitions, cut)
      return (row) => {
        const instant = at(row)
        return instant !== undefined && Spans.contains(windows, instant)
      }
    }
    case "StaticMap":
    case "Custom":
    case "ByDimension":
    case "SingleDimension":
      return MemoryUnit.isInSome(
        InputWindow.ofKeys(mapping, { upstream, downstream: asset, units: scope.partitions }),
        columns
      )
    case "Onwards": {
      const [column] = Cells.named(upstream, [mapping.column])
      if (column === undefined || asset.partitions._tag !== "TimeWindows") return everything
      const at = MemoryUnit.instantOf(asset.partitions, column)
      const { end } = InputWindow.ofOnwards(scope.partitions)
      return (row) => (at(row) ?? Number.POSITIVE_INFINITY) < end
    }
    case "All":
    case "AsOf":
    case "Last":
      return everything
  }
}

const everything = (): boolean => true

const isInLast = (placeOf: (row: Row) => number | undefined, seen: ReadonlyArray<Row>): ((row: Row) => boolean) => {
  const last = seen.reduce((greatest, row) => Math.max(greatest, placeOf(row) ?? greatest), Number.NEGATIVE_INFINITY)
  return (row) => placeOf(row) === last
}
