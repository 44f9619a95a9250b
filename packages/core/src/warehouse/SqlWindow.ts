/**
 * The window of a value in SQL: the key that `Partitions.keyAt` gives to the same instant, as an expression. On the local
 * clock it is arithmetic; where clocks change it is looked up in the few exceptions to that arithmetic, which are found by
 * asking the calendar itself.
 */
import type { Column } from "../Column.ts"
import * as Calendar from "../internal/calendar.ts"
import * as TimeZone from "../internal/timeZone.ts"
import * as WallGrid from "../internal/wallGrid.ts"
import * as Partitions from "../Partitions.ts"
import type { TimeWindows } from "../Partitions.ts"
import { and, list, literal, or, sql, type Sql } from "../Sql.ts"
import * as DateTime from "effect/DateTime"

/**
 * The key of the window that holds a column's value; null on an excluded day. A date stands for the instant at which the
 * windows of its day begin.
 *
 * **Gotchas**
 *
 * Changes of the clock are known up to the year 2100, which is as far as anybody has decided on any, and days that lie more
 * than a month apart from 1890 to 2110.
 *
 * @category conversions
 * @since 0.1.0
 */
export const key = (partitions: TimeWindows, column: Column, value: Sql): Sql => {
  if (column.kind._tag === "Date") {
    const time = WallGrid.isNamedByDate(Calendar.wallGrid(partitions)) ? Calendar.timeOfDay(partitions) : 0
    return ofDate(partitions, value, shown(partitions, sql`(${value}::timestamp + ${interval(time)})`))
  }
  return ofInstant(partitions, value, shown(partitions, sql`(${value} AT TIME ZONE ${partitions.timeZone})`))
}

// --- internal ---

/** The key of the last tick that a clock shows up to a local time, were it never set. */
const shown = (partitions: TimeWindows, local: Sql): Sql => {
  const grid = Calendar.wallGrid(partitions)
  if (partitions.exclusions.length === 0) return tick(grid, local)
  const every = Calendar.everyTick(partitions)
  return sql`CASE WHEN ${tick(grid, local)} = ${tick(every, local)} THEN ${tick(grid, local)} END`
}

const tick = (grid: WallGrid.WallGrid, local: Sql): Sql => {
  const [first = 0] = grid.times
  if (WallGrid.isNamedByDate(grid)) return dateText(dayUpTo(grid, sql`(${local} - ${interval(first)})`))
  const isEveryDay = isAny(grid)
  if (grid.isRunning && isEveryDay && grid.times.length === 24) {
    return sql`to_char(date_trunc('hour', ${local} - ${interval(first)}) + ${interval(first)}, ${literal(timeFormat)})`
  }
  const names = literal(`'{${grid.times.map(timeText).join()}}'::text[]`)
  const times = literal(`'{${grid.times.map((time) => time / 1000).join()}}'::float8[]`)
  const index = sql`width_bucket(extract(epoch FROM ${local}::time)::float8, ${times})`
  const today = sql`${local}::date`
  return sql`CASE WHEN ${index} > 0 AND ${dayUpTo(grid, local)} = ${today}
    THEN ${dateText(today)} || '-' || (${names})[${index}]
    ELSE ${dateText(dayUpTo(grid, sql`(${today} - 1)`))} || ${literal(`'-${timeText(grid.times.at(-1) ?? 0)}'`)} END`
}

/** The last day that matches, up to and with the day of a local time. */
const dayUpTo = (grid: WallGrid.WallGrid, local: Sql): Sql => {
  const day = sql`(${local})::date`
  const { exclusions, rule } = grid
  if (isAny(grid)) return day
  if (exclusions.length === 0 && rule._tag === "Fields") {
    const { daysOfMonth, months, weekdays } = rule
    const [weekday] = weekdays
    if (weekday !== undefined && weekdays.length === 1 && daysOfMonth.length === 0 && months.length === 0) {
      return sql`(${day} - (extract(dow FROM ${day})::int + ${literal(String(7 - weekday))}) % 7)`
    }
    const [first] = daysOfMonth
    const unit = units[months.join()]
    if (first !== undefined && first <= 28 && daysOfMonth.length === 1 && weekdays.length === 0 && unit !== undefined) {
      const before = literal(String(first - 1))
      return sql`(date_trunc('${literal(unit)}', (${day} - ${before})::timestamp)::date + ${before})`
    }
  }
  const gap = grid.days.longestGap()
  if (gap > fewDays) {
    const days = literal(`'{${grid.days.list().join()}}'::int[]`)
    return sql`(DATE '1970-01-01' + (${days})[width_bucket(${day} - DATE '1970-01-01', ${days})])`
  }
  const candidate = sql`(${day} - _back.n)`
  const conditions = [
    matches(rule, candidate),
    ...exclusions.map((excluded) => sql`NOT ${matches(excluded, candidate)}`)
  ]
  return sql`(SELECT ${candidate} FROM generate_series(0, ${literal(String(gap))}) AS _back(n)
    WHERE ${and(conditions)} ORDER BY _back.n LIMIT 1)`
}

const isAny = ({ exclusions, rule }: WallGrid.WallGrid): boolean =>
  exclusions.length === 0 &&
  rule._tag === "Fields" &&
  [rule.daysOfMonth, rule.months, rule.weekdays].every((field) => field.length === 0)

/** Up to so many days are tried one after the other; where days lie farther apart there are few, and they are listed. */
const fewDays = 31

/** The months with which a unit of `date_trunc` begins. */
const units: Readonly<Record<string, string>> = { "": "month", "1,4,7,10": "quarter", "1": "year" }

const matches = (rule: WallGrid.DayRule, day: Sql): Sql => {
  if (rule._tag === "Date") return sql`(${day} = ${dateOf(rule.day * Calendar.day)}::date)`
  const { daysOfMonth, months, needsBoth, weekdays } = rule
  const is = (field: string, numbers: ReadonlyArray<number>) =>
    numbers.length === 0
      ? literal("TRUE")
      : sql`extract(${literal(field)} FROM ${day}) IN (${list(numbers.map((number) => literal(String(number))))})`
  const days = [is("day", daysOfMonth), is("dow", weekdays)]
  return sql`(${is("month", months)} AND (${needsBoth ? and(days) : or(days)}))`
}

const ofInstant = (partitions: TimeWindows, value: Sql, otherwise: Sql): Sql => {
  const { instants } = exceptionsOf(partitions)
  if (instants.length === 0) return otherwise
  const index = sql`width_bucket(${value}, ${instants.map(({ start }) => isoOf(start))}::timestamptz[])`
  return sql`CASE WHEN ${value} < (${instants.map(({ end }) => isoOf(end))}::timestamptz[])[${index}]
    THEN (${instants.map(({ key }) => key)}::text[])[${index}] ELSE ${otherwise} END`
}

const ofDate = (partitions: TimeWindows, value: Sql, otherwise: Sql): Sql => {
  const { dates } = exceptionsOf(partitions)
  if (dates.length === 0) return otherwise
  const index = sql`array_position(${dates.map(({ date }) => date)}::date[], ${value})`
  return sql`CASE WHEN ${index} IS NULL THEN ${otherwise} ELSE (${dates.map(({ key }) => key)}::text[])[${index}] END`
}

interface Exceptions {
  readonly instants: ReadonlyArray<{ readonly start: number; readonly end: number; readonly key: string | null }>
  readonly dates: ReadonlyArray<{ readonly date: string; readonly key: string | null }>
}

const known = new WeakMap<TimeWindows, Exceptions>()

const horizon = DateTime.makeUnsafe("2100-01-01T00:00:00Z").epochMilliseconds

/** Where the window of an instant or a date is another than the local clock says, from the first window on. */
const exceptionsOf = (partitions: TimeWindows): Exceptions => {
  let found = known.get(partitions)
  if (found === undefined) {
    const changes = changesOf(partitions)
    known.set(
      partitions,
      (found = {
        instants: changes.flatMap((change) => instantsAround(partitions, change)),
        dates: changes.flatMap((change) => datesAround(partitions, change))
      })
    )
  }
  return found
}

/** A change of the clock: when, and by how much it is set on (or back, when negative). */
interface Change {
  readonly at: number
  readonly by: number
}

const changesOf = (partitions: TimeWindows): ReadonlyArray<Change> => {
  const range = Partitions.range(partitions)
  const end = Math.min(horizon, range.end)
  const changes: Array<Change> = []
  let segment = TimeZone.segmentAt(partitions.timeZone, range.start - 2 * Calendar.day)
  while (segment.end < end) {
    const following = TimeZone.segmentAt(partitions.timeZone, segment.end)
    if (following.offset !== segment.offset) changes.push({ at: segment.end, by: following.offset - segment.offset })
    segment = following
  }
  return changes
}

const instantsAround = (partitions: TimeWindows, { at, by }: Change): Exceptions["instants"] => {
  const grid = Calendar.wallGrid(partitions)
  // The window that is open two hours later may be named by what happened, and be open for days.
  const later = Calendar.floor(partitions, at + Math.abs(by) + 2 * Calendar.hour)
  const until = Calendar.next(partitions, later)
  const bounds = new Set([at, until])
  for (let start = Calendar.next(partitions, at - 1); start < until; start = Calendar.next(partitions, start)) {
    bounds.add(start).add(Calendar.end(partitions, start))
  }
  const offset = TimeZone.segmentAt(partitions.timeZone, at).offset
  for (let wall = WallGrid.next(grid, at + offset - 1); wall - offset < until; wall = WallGrid.next(grid, wall)) {
    bounds.add(wall - offset)
  }
  const sorted = Array.from(bounds)
    .filter((bound) => at <= bound && bound <= until)
    .toSorted((left, right) => left - right)
  return sorted.slice(0, -1).flatMap((start, index) => {
    const end = sorted[index + 1] ?? start
    const name = Partitions.keyAt(partitions, start)
    return name === nameOf(partitions, start + TimeZone.segmentAt(partitions.timeZone, start).offset)
      ? []
      : [{ start, end, key: name }]
  })
}

const datesAround = (partitions: TimeWindows, { at, by }: Change): Exceptions["dates"] => {
  const time = Calendar.timeOfDay(partitions)
  const first = Math.floor(at / Calendar.day) - 2
  const last = Math.floor((at + Math.abs(by)) / Calendar.day) + 2
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * Calendar.day).flatMap((midnight) => {
    const instant = TimeZone.fromWall(partitions.timeZone, midnight + time)
    const name = Partitions.keyAt(partitions, instant)
    return name === nameOf(partitions, midnight + time) ? [] : [{ date: dateOf(midnight), key: name }]
  })
}

/** What `shown` says of a local time. */
const nameOf = (partitions: TimeWindows, wall: number): string | null => {
  const grid = Calendar.wallGrid(partitions)
  const start = WallGrid.floor(grid, wall)
  return WallGrid.floor(Calendar.everyTick(partitions), wall) === start ? WallGrid.nameOf(grid, start) : null
}

const timeFormat = "'YYYY-MM-DD-HH24:MI'"

const dateText = (day: Sql): Sql => sql`to_char(${day}, 'YYYY-MM-DD')`

const interval = (milliseconds: number): Sql => literal(`interval '${milliseconds / 1000} seconds'`)

const isoOf = (instant: number): string => DateTime.formatIso(DateTime.makeUnsafe(instant))

const dateOf = (wall: number): string => DateTime.formatIsoDateUtc(DateTime.makeUnsafe(wall))

const timeText = (time: number): string => isoOf(time).slice(11, 16)
