/**
 * Units in SQL: the unit that a row's columns name, and the rows whose columns name one of some units. The two are
 * inverse to each other, which is what lets one mapping be read both ways (L7).
 */
import * as DateTime from "effect/DateTime"
import type { Asset } from "../Asset.ts"
import { columnUnsafe, unitColumns } from "../Asset.ts"
import { type Column, postgresType } from "../Column.ts"
import * as Calendar from "../internal/calendar.ts"
import * as Spans from "../internal/spans.ts"
import * as TimeZone from "../internal/timeZone.ts"
import * as Partitions from "../Partitions.ts"
import type { TimeWindows } from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import { and, identifier, join, list, literal, or, sql, type Sql } from "../Sql.ts"
import type { TimeWindow } from "../TimeWindow.ts"
import { type UnitSet, whole } from "../Unit.ts"
import * as KeyOrder from "./KeyOrder.ts"
import * as SqlWindow from "./SqlWindow.ts"
import type { Scope } from "./Warehouse.ts"

/**
 * The canonical text of a column's value (`Column.toText`), whatever the session's settings.
 *
 * @category conversions
 * @since 0.1.0
 */
export const text = (kind: Column["kind"], value: Sql): Sql => {
  switch (kind._tag) {
    case "Text":
      return value
    case "Date":
      return sql`to_char(${value}::timestamp, 'YYYY-MM-DD')`
    case "Timestamp":
      return sql`to_char(${value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    default:
      return sql`(${value})::text`
  }
}

/**
 * A column's value in a form that is equal for two values only if nobody who reads them can tell them apart. Whatever
 * decides that something has not changed compares this.
 *
 * **Details**
 *
 * Only JSON needs another form: `{"n": 1.5}` equals `{"n": 1.50}`, but `->>` shows which of them it is. A decimal has the
 * scale of its column, so it has no second text; there are no floats, and so no negative zero; days, instants and whole
 * numbers have one text each; texts are equal by their bytes, because a collation that says otherwise never gets into a
 * column (`TableShape`) and never decides among candidates (`typed`).
 *
 * @category conversions
 * @since 0.1.0
 */
export const exact = (kind: Column["kind"], value: Sql): Sql =>
  kind._tag === "Json" ? sql`(${value})::text COLLATE "C"` : value

/**
 * A column's value as an `ORDER BY` takes it: texts by their bytes, whatever the collation of the database, and only what
 * cannot be told apart in one place (L5).
 *
 * @category conversions
 * @since 0.1.0
 */
export const sortKey = (kind: Column["kind"], value: Sql): Sql =>
  kind._tag === "Text" ? sql`${value} COLLATE "C"` : exact(kind, value)

/**
 * A computed value in its column's type, before anything is decided by it: what differs only by what the table rounds
 * away is the same, and a collation that the compute gave it is gone.
 *
 * @category conversions
 * @since 0.1.0
 */
export const typed = ({ kind, name }: Column, alias: string): Sql => {
  const value = sql`${identifier(alias, name)}::${literal(postgresType(kind))}`
  return sql`${kind._tag === "Text" ? sql`${value} COLLATE "C"` : value} AS ${identifier(name)}`
}

/**
 * A column with its value in a query. What is cut in several ways has one for each dimension, in their order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cell {
  readonly column: Column
  readonly value: Sql
}

/**
 * Columns with their values, called through an alias.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cells = (columns: ReadonlyArray<Column>, alias: Sql): ReadonlyArray<Cell> =>
  columns.map((column) => ({ column, value: sql`${alias}.${identifier(column.name)}` }))

/**
 * The unit of a downstream asset that the given upstream columns name.
 *
 * @category conversions
 * @since 0.1.0
 */
export const of = (downstream: Asset, columns: ReadonlyArray<Column>, alias: Sql): Sql => {
  const values = cells(columns, alias)
  const [first] = values
  if (first === undefined || unitColumns(downstream).length === 0) return literal(`'${whole}'`)
  if (downstream.write._tag === "ReplacePartitions") return ofCells(downstream.partitions, values)
  if (values.length === 1) return text(first.column.kind, first.value)
  return sql`CASE WHEN ${and(values.map(({ value }) => sql`${value} IS NOT NULL`))}
    THEN json_build_array(${list(values.map(({ column, value }) => text(column.kind, value)))})::text END`
}

/**
 * The partition that holds the values of columns; null where one of them is.
 *
 * @category conversions
 * @since 0.1.0
 */
export const ofCells = (partitions: Partitions.Partitions, values: ReadonlyArray<Cell>): Sql => {
  const parts = Partitions.isMulti(partitions) ? partitions.dimensions.map((one) => one.partitions) : [partitions]
  return join(
    values.map(({ column, value }, place) => ofPartition(parts[place] ?? partitions, column, value)),
    ` || '${Partitions.delimiter}' || `
  )
}

/**
 * The partition that holds a column's value, of what is cut in one way.
 *
 * @category conversions
 * @since 0.1.0
 */
export const ofPartition = (partitions: Partitions.Partitions, column: Column, value: Sql): Sql => {
  switch (partitions._tag) {
    case "Multi":
    case "Unpartitioned":
      return literal(`'${whole}'`)
    case "Static":
      return text(column.kind, value)
    case "TimeWindows":
      return SqlWindow.key(partitions, column, value)
  }
}

/**
 * The condition that columns' values lie within the scope's partitions.
 *
 * **Details**
 *
 * Neighbouring partitions are merged into ranges. A few ranges become comparisons that an index on the column serves;
 * many become one look-up, bounded by the first and last window: of a date among the dates of the windows, and otherwise
 * of the unit among the picked ones. To name the days of 25,000 rows took 50 ms, to look their dates up 6 ms.
 *
 * @category conversions
 * @since 0.1.0
 */
export const inPartitions = (partitions: Partitions.Partitions, values: ReadonlyArray<Cell>, scope: Scope): Sql => {
  const [first] = values
  if (scope.units._tag === "All" || first === undefined) return literal("TRUE")
  if (Partitions.isMulti(partitions)) {
    const keys = scope.units._tag === "Listed" ? scope.units.units : scope.partitions.map(({ unit }) => unit)
    return inBoxes(PartitionSet.fromKnownKeys(partitions, keys), values, () => units(scope))
  }
  return inWindows(partitions, first, scope)
}

/**
 * The condition that a column's value lies in one of some windows.
 *
 * @category conversions
 * @since 0.1.0
 */
export const inRanges = (partitions: TimeWindows, column: Column, value: Sql, ranges: ReadonlyArray<TimeWindow>): Sql =>
  or(
    ranges.map(({ end, start }) =>
      and([
        ...(Number.isFinite(start) ? [sql`${value} >= ${bound(partitions, column, start)}`] : []),
        ...(Number.isFinite(end) ? [sql`${value} < ${bound(partitions, column, end)}`] : [])
      ])
    )
  )

/**
 * The condition that columns name one of the scope's keys.
 *
 * @category conversions
 * @since 0.1.0
 */
export const inKeys = (columns: ReadonlyArray<Column>, alias: Sql, scope: Scope): Sql => {
  if (scope.units._tag === "All") return literal("TRUE")
  const [first] = columns
  const values = list(columns.map(({ name }) => sql`${alias}.${identifier(name)}`))
  const keys =
    columns.length === 1 && first !== undefined
      ? sql`k.unit::${literal(postgresType(first.kind))}`
      : list(
          columns.map(
            ({ kind }, index) => sql`(k.unit::json ->> ${literal(String(index))})::${literal(postgresType(kind))}`
          )
        )
  return sql`(${values}) IN (SELECT ${keys} FROM (${units(scope)}) AS k)`
}

/**
 * The condition that columns' values lie in one of some partitions, in however many pieces they are.
 *
 * @category conversions
 * @since 0.1.0
 */
export const inSome = (set: PartitionSet.PartitionSet, values: ReadonlyArray<Cell>): Sql => {
  const { partitions } = set
  const [only] = values
  if (only === undefined) return literal("TRUE")
  if (Partitions.isMulti(partitions)) return inBoxes(set, values, () => sql`SELECT unnest(${keysOf(set)}::text[])`)
  const { column, value } = only
  if (partitions._tag !== "TimeWindows") return sql`${text(column.kind, value)} = ANY(${keysOf(set)}::text[])`
  const keys = () => sql`SELECT unnest(${keysOf(set)}::text[])`
  return inSpans(partitions, { column, value }, { ranges: PartitionSet.ranges(set), keys })
}

/**
 * A value that grows with the partitions in which rows lie: the column itself, or the place of its name in the list. Null
 * for a name that the list does not have.
 *
 * @category conversions
 * @since 0.1.0
 */
export const place = (partitions: Partitions.Partitions, column: Column, value: Sql): Sql =>
  partitions._tag === "Static" ? sql`array_position(${partitions.keys}::text[], ${text(column.kind, value)})` : value

/**
 * The condition that a column's value lies in the last partition that holds a row among some, given as a relation of the
 * column.
 *
 * **Details**
 *
 * The rows that could lie in it are bounded by the last value, so that an index on the column serves: windows open at most
 * as far apart as the days of their schedule.
 *
 * @category conversions
 * @since 0.1.0
 */
export const inLast = (partitions: Partitions.Partitions, column: Column, value: Sql, rows: Sql): Sql => {
  const name = identifier("l", column.name)
  const greatest = sql`SELECT max(${place(partitions, column, name)}) AS place FROM ${rows} AS l`
  if (partitions._tag !== "TimeWindows") return sql`${place(partitions, column, value)} = (${greatest})`
  const days = literal(String(Calendar.wallGrid(partitions).days.longestGap() + 2))
  const margin = column.kind._tag === "Date" ? days : sql`interval '${days} days'`
  return and([
    sql`${value} >= (SELECT last.place - ${margin} FROM (${greatest}) AS last)`,
    sql`${ofPartition(partitions, column, value)} =
      (SELECT ${ofPartition(partitions, column, sql`last.place`)} FROM (${greatest}) AS last)`
  ])
}

/**
 * The condition that columns' values, of which none is null, lie in none of some partitions.
 *
 * @category conversions
 * @since 0.1.0
 */
export const inNone = (set: PartitionSet.PartitionSet, values: ReadonlyArray<Cell>): Sql => {
  const { partitions } = set
  const [only] = values
  if (only === undefined) return literal("FALSE")
  if (Partitions.isMulti(partitions)) return sql`NOT ${inSome(set, values)}`
  const { column, value } = only
  if (partitions._tag !== "TimeWindows") return sql`${text(column.kind, value)} <> ALL(${keysOf(set)}::text[])`
  const always = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }
  return inRanges(partitions, column, value, Spans.difference([always], PartitionSet.ranges(set)))
}

/**
 * The condition that an asset's own rows belong to the scope's units.
 *
 * @category conversions
 * @since 0.1.0
 */
export const inScope = (asset: Asset, alias: Sql, scope: Scope): Sql => {
  if (scope.units._tag === "All") return literal("TRUE")
  const columns = unitColumns(asset).map((name) => columnUnsafe(asset, name))
  if (columns.length === 0) return literal("TRUE")
  return asset.write._tag === "ReplacePartitions"
    ? inPartitions(asset.partitions, cells(columns, alias), scope)
    : inKeys(columns, alias, scope)
}

/**
 * The scope's units as a query of one column `unit`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const units = ({ units: set }: Scope): Sql => {
  switch (set._tag) {
    case "Relation":
      return sql`SELECT unit FROM ${identifier(set.name)}`
    case "Listed":
      return sql`SELECT unit FROM unnest(${set.units}::text[]) AS listed(unit)`
    default:
      return sql`SELECT NULL::text AS unit WHERE FALSE`
  }
}

/**
 * The condition that a unit does not belong to a set of units.
 *
 * @category conversions
 * @since 0.1.0
 */
export const isOutside = (unit: Sql, set: UnitSet): Sql => {
  switch (set._tag) {
    case "None":
      return literal("TRUE")
    case "All":
      return literal("FALSE")
    case "From":
      return sql`(${unit} COLLATE "C" >= ${set.unit}) IS NOT TRUE`
    case "Listed":
    case "Relation":
      return sql`NOT EXISTS (SELECT FROM (${units({ units: set, partitions: [] })}) AS e WHERE e.unit = ${unit})`
  }
}

/**
 * The condition that a unit lies in the range of the partitions' definition. Partitions that do not exist yet count: a
 * mark on one waits until it does.
 *
 * @category conversions
 * @since 0.1.0
 */
export const isWithin = (partitions: Partitions.Partitions, unit: Sql): Sql => {
  switch (partitions._tag) {
    case "Unpartitioned":
      return literal("TRUE")
    case "Static":
      return sql`${unit} = ANY(${partitions.keys}::text[])`
    case "TimeWindows": {
      const { greatest, least } = KeyOrder.bounds(partitions)
      return and([
        sql`${unit} COLLATE "C" >= ${least}`,
        ...(greatest === undefined ? [] : [sql`${unit} COLLATE "C" <= ${greatest}`])
      ])
    }
    case "Multi": {
      const parts = (place: number) => sql`split_part(${unit}, ${Partitions.delimiter}, ${literal(String(place + 1))})`
      const { dimensions } = partitions
      return and([
        sql`array_length(string_to_array(${unit}, ${Partitions.delimiter}), 1) = ${literal(String(dimensions.length))}`,
        ...dimensions.map((one, place) => isWithin(one.partitions, parts(place)))
      ])
    }
  }
}

// --- internal ---

const inWindows = (partitions: Partitions.Partitions, { column, value }: Cell, scope: Scope): Sql => {
  if (partitions._tag !== "TimeWindows") return sql`${text(column.kind, value)} IN (${units(scope)})`
  const ranges = Spans.normalize(scope.partitions.flatMap(({ window }) => (window === undefined ? [] : [window])))
  return inSpans(partitions, { column, value }, { ranges, keys: () => units(scope) })
}

/** The condition that a value lies in one of some windows; `keys`: the partitions that these are. */
const inSpans = (
  partitions: TimeWindows,
  { column, value }: Cell,
  { keys, ranges }: { readonly ranges: ReadonlyArray<TimeWindow>; readonly keys: () => Sql }
): Sql => {
  const [first] = ranges
  const last = ranges.at(-1)
  if (first === undefined || last === undefined || ranges.length <= fewRanges)
    return inRanges(partitions, column, value, ranges)
  const dates = column.kind._tag === "Date" ? datesIn(partitions, ranges) : undefined
  return and([
    inRanges(partitions, column, value, [{ start: first.start, end: last.end }]),
    dates === undefined
      ? sql`${ofPartition(partitions, column, value)} IN (${keys()})`
      : sql`${value} IN (SELECT unnest(${dates}::date[]))`
  ])
}

/**
 * The condition of a set of several dimensions: a few products become comparisons, dimension by dimension; many become one
 * hashed look-up of the key, bounded by the keys of each dimension.
 */
const inBoxes = (set: PartitionSet.PartitionSet, values: ReadonlyArray<Cell>, keys: () => Sql): Sql => {
  const boxes = PartitionSet.boxes(set)
  if (boxes.length === 0) return literal("FALSE")
  const inBox = (box: ReadonlyArray<PartitionSet.PartitionSet>) =>
    and(values.flatMap((cell, place) => (box[place] === undefined ? [] : [inSome(box[place], [cell])])))
  if (boxes.length <= fewRanges) return or(boxes.map(inBox))
  const { partitions } = set
  const hull = Partitions.isMulti(partitions)
    ? partitions.dimensions.map(({ name }) => PartitionSet.dimension(set, name))
    : []
  return and([inBox(hull), sql`(${ofCells(partitions, values)}) IN (${keys()})`])
}

const keysOf = (set: PartitionSet.PartitionSet): ReadonlyArray<string> => Array.from(PartitionSet.keys(set))

/** Beyond this many ranges one hashed look-up is cheaper than an `OR` of index ranges. */
const fewRanges = 64

/** An instant as a bound of the column's type. */
const bound = (partitions: TimeWindows, column: Column, instant: number): Sql =>
  column.kind._tag === "Date"
    ? sql`${dateText(firstDay(partitions, instant))}::date`
    : sql`to_timestamp(${instant}::float8 / 1000)`

/** The midnight of the first date that begins at an instant or later; it stands for when the windows of its day begin. */
const firstDay = (partitions: TimeWindows, instant: number): number => {
  const time = Calendar.timeOfDay(partitions)
  const wall = TimeZone.toWall(partitions.timeZone, instant) - time
  const midnight = Math.floor(wall / Calendar.day) * Calendar.day
  return TimeZone.fromWall(partitions.timeZone, midnight + time) < instant ? midnight + Calendar.day : midnight
}

/** The dates of some windows; undefined where they are too many for a list, or have no end. */
const datesIn = (partitions: TimeWindows, ranges: ReadonlyArray<TimeWindow>): ReadonlyArray<string> | undefined => {
  const days = ranges.reduce((sum, { end, start }) => sum + (end - start) / Calendar.day + 2, 0)
  if (!(days <= manyDates)) return undefined
  return ranges.flatMap(({ end, start }) => {
    const [from, until] = [firstDay(partitions, start), firstDay(partitions, end)]
    return Array.from({ length: Math.max(0, (until - from) / Calendar.day) }, (_, day) =>
      dateText(from + day * Calendar.day)
    )
  })
}

const dateText = (midnight: number): string => DateTime.formatIsoDateUtc(DateTime.makeUnsafe(midnight))

/** As many as 270 years have. */
const manyDates = 100_000
