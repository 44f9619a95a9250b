/**
 * Units in memory: the unit that a row's columns name, and the rows whose columns name one of some units. The twin in
 * SQL is `SqlUnit.ts`.
 */
import * as DateTime from "effect/DateTime"
import type { Asset } from "../Asset.ts"
import { unitColumns } from "../Asset.ts"
import type { Column, Row } from "../Column.ts"
import { compare as compareBytes } from "../internal/byteOrder.ts"
import * as Calendar from "../internal/calendar.ts"
import * as TimeZone from "../internal/timeZone.ts"
import * as Spans from "../internal/spans.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import { type UnitSet, whole } from "../Unit.ts"
import * as Cells from "./Cells.ts"
import * as KeyOrder from "./KeyOrder.ts"
import type { Scope } from "./Warehouse.ts"

/**
 * The unit that a row names; null where it names none.
 *
 * @category models
 * @since 0.1.0
 */
export type UnitOf = (row: Row) => string | null

/**
 * The unit of a downstream asset that the given upstream columns name.
 *
 * @category conversions
 * @since 0.1.0
 */
export const of = (downstream: Asset, columns: ReadonlyArray<Column>): UnitOf => {
  const [first] = columns
  if (first === undefined || unitColumns(downstream).length === 0) return () => whole
  if (downstream.write._tag === "ReplacePartitions") return ofColumns(downstream.partitions, columns)
  if (columns.length === 1) return (row) => Cells.text(first, row)
  return (row) => {
    const texts = columns.map((column) => Cells.text(column, row))
    // The blank after the comma is PostgreSQL's: units have one text, wherever they are made.
    return texts.includes(null) ? null : `[${texts.map((part) => JSON.stringify(part)).join(", ")}]`
  }
}

/**
 * The unit to which an asset's own rows belong.
 *
 * @category conversions
 * @since 0.1.0
 */
export const own = (asset: Asset): UnitOf => of(asset, Cells.named(asset, unitColumns(asset)))

/**
 * The partition that holds the values of columns, one for each dimension in their order; null where one of them is.
 *
 * @category conversions
 * @since 0.1.0
 */
export const ofColumns = (partitions: Partitions.Partitions, columns: ReadonlyArray<Column>): UnitOf => {
  const parts = dimensionsOf(partitions, columns).map(({ column, cut }) => ofPartition(cut, column))
  const [only] = parts
  if (!Partitions.isMulti(partitions) && only !== undefined) return only
  return (row) => {
    const keys = parts.map((part) => part(row))
    return keys.includes(null) ? null : keys.join(Partitions.delimiter)
  }
}

/**
 * The partition that holds a column's value, of what is cut in one way.
 *
 * @category conversions
 * @since 0.1.0
 */
export const ofPartition = (partitions: Partitions.Partitions, column: Column): UnitOf => {
  switch (partitions._tag) {
    case "Multi":
    case "Unpartitioned":
      return () => whole
    case "Static":
      return (row) => Cells.text(column, row)
    case "TimeWindows": {
      const at = instantOf(partitions, column)
      return (row) => {
        const instant = at(row)
        return instant === undefined ? null : Partitions.keyAt(partitions, instant)
      }
    }
  }
}

/**
 * The instant of a row's value in a column, in epoch milliseconds: that of a date is its midnight in the partitions'
 * zone. Undefined where the value is null.
 *
 * @category conversions
 * @since 0.1.0
 */
export const instantOf = (partitions: Partitions.TimeWindows, column: Column): ((row: Row) => number | undefined) => {
  const midnights = new Map<string, number | undefined>()
  const midnight = (date: string): number | undefined => {
    if (!midnights.has(date)) {
      const wall = Calendar.parseWall(date)
      midnights.set(
        date,
        wall === undefined ? undefined : TimeZone.fromWall(partitions.timeZone, wall + Calendar.timeOfDay(partitions))
      )
    }
    return midnights.get(date)
  }
  return (row) => {
    const text = Cells.text(column, row)
    if (text === null) return undefined
    return column.kind._tag === "Date" ? midnight(text) : DateTime.makeUnsafe(text).epochMilliseconds
  }
}

/**
 * Tells whether a row's values in columns, one for each dimension, lie in one of some partitions.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isInSome = (set: PartitionSet.PartitionSet, columns: ReadonlyArray<Column>): ((row: Row) => boolean) => {
  const { partitions } = set
  const [column] = columns
  if (column === undefined) return () => true
  if (Partitions.isMulti(partitions)) {
    const boxes = PartitionSet.boxes(set).map((box) =>
      box.map((part, place) => isInSome(part, columns.slice(place, place + 1)))
    )
    return (row) => boxes.some((box) => box.every((isIn) => isIn(row)))
  }
  if (partitions._tag !== "TimeWindows") {
    const keys = new Set(PartitionSet.keys(set))
    return (row) => {
      const key = Cells.text(column, row)
      return key !== null && keys.has(key)
    }
  }
  const at = instantOf(partitions, column)
  const ranges = PartitionSet.ranges(set)
  return (row) => {
    const instant = at(row)
    return instant !== undefined && Spans.contains(ranges, instant)
  }
}

/**
 * A number that grows with the partitions in which rows lie: the instant of the column's value, or the place of its name in
 * the list. Undefined where it has none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const placeOf = (partitions: Partitions.Partitions, column: Column): ((row: Row) => number | undefined) => {
  switch (partitions._tag) {
    case "Multi":
    case "Unpartitioned":
      return () => 0
    case "Static": {
      const places = new Map(partitions.keys.map((key, place) => [key, place]))
      return (row) => places.get(Cells.text(column, row) ?? "")
    }
    case "TimeWindows": {
      const at = instantOf(partitions, column)
      return (row) => {
        const instant = at(row)
        return instant === undefined ? undefined : Partitions.windowAt(partitions, instant).start
      }
    }
  }
}

/**
 * Tells whether a unit belongs to a set of units.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isIn = (units: UnitSet): ((unit: string | null) => boolean) => {
  switch (units._tag) {
    case "None":
      return () => false
    case "All":
      return () => true
    case "From":
      return (unit) => unit !== null && compareBytes(unit, units.unit) >= 0
    case "Listed": {
      const listed = new Set(units.units)
      return (unit) => unit !== null && listed.has(unit)
    }
    case "Relation":
      throw new Error(`the units in the temporary relation "${units.name}" cannot be read in memory`)
  }
}

/**
 * Tells whether an asset's own row belongs to the scope's units.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isInScope = (asset: Asset, { units }: Scope): ((row: Row) => boolean) => {
  if (units._tag === "All" || unitColumns(asset).length === 0) return () => true
  const contains = isIn(units)
  const unit = own(asset)
  return (row) => contains(unit(row))
}

/**
 * Tells whether a unit lies in the range of the partitions' definition. Partitions that do not exist yet count: a mark
 * on one waits until it does.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWithin = (partitions: Partitions.Partitions): ((unit: string) => boolean) => {
  switch (partitions._tag) {
    case "Unpartitioned":
      return () => true
    case "Static": {
      const keys = new Set(partitions.keys)
      return (unit) => keys.has(unit)
    }
    case "TimeWindows": {
      const { greatest, least } = KeyOrder.bounds(partitions)
      return (unit) => compareBytes(unit, least) >= 0 && (greatest === undefined || compareBytes(unit, greatest) <= 0)
    }
    case "Multi": {
      const parts = partitions.dimensions.map((one) => isWithin(one.partitions))
      return (unit) => Partitions.keysOf(partitions, unit)?.every((key, place) => parts[place]?.(key)) ?? false
    }
  }
}

/**
 * The columns that tell the dimensions of a cut, each with what it tells; what is cut in one way has one.
 *
 * @category getters
 * @since 0.1.0
 */
export const dimensionsOf = (
  partitions: Partitions.Partitions,
  columns: ReadonlyArray<Column>
): ReadonlyArray<{ readonly column: Column; readonly cut: Partitions.Partitions }> =>
  columns.flatMap((column, place) => {
    const cut = Partitions.isMulti(partitions) ? partitions.dimensions[place]?.partitions : partitions
    return cut === undefined ? [] : [{ column, cut }]
  })
