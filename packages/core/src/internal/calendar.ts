import { tz } from "@date-fns/tz"
import * as Result from "effect/Result"
import * as TimeZone from "./timeZone.ts"
import * as WallGrid from "./wallGrid.ts"

/** What the windows of a definition hang on; the names of its fields are those of `Partitions.TimeWindows`. */
export interface Grid {
  readonly cron: string
  readonly timeZone: string
  readonly exclusions: ReadonlyArray<string>
}

export const hour = 3_600_000
export const day = 24 * hour

/** The context in which date-fns computes on wall time, whatever zone the process runs in. */
export const utc = tz("UTC")

/**
 * The start of the window at or before an instant, on the endless grid of a definition. Where days are excluded, the instant
 * may lie behind the end of that window.
 */
export const floor = (grid: Grid, instant: number): number => floorOn(ticksOf(grid), grid.timeZone, instant)

/** The start of the window after the one that starts at `start`. */
export const next = (grid: Grid, start: number): number => nextOn(ticksOf(grid), grid.timeZone, start)

/** The end of the window that starts at `start`: the next tick, be it one of an excluded day. */
export const end = (grid: Grid, start: number): number => nextOn(everyTick(grid), grid.timeZone, start)

/** The start of the window `count` windows after (before, when negative) the one that starts at `start`. */
export const shift = (grid: Grid, start: number, count: number): number => {
  if (Math.abs(count) > fewSteps) {
    return leap(grid, start, count)
  }
  let shifted = start
  for (let step = 0; step < count; step++) {
    shifted = next(grid, shifted)
  }
  for (let step = 0; step > count; step--) {
    shifted = floor(grid, shifted - 1)
  }
  return shifted
}

/** The start of the first window that starts at or after an instant. */
export const ceil = (grid: Grid, instant: number): number => {
  const start = floor(grid, instant)
  return start === instant ? start : next(grid, start)
}

/** How many windows start in `[from, to)`, both of them starts of windows, by calendar difference. */
export const count = (grid: Grid, from: number, to: number): number => {
  if (to <= from) {
    return 0
  }
  if (to === Number.POSITIVE_INFINITY) {
    return to
  }
  const ticks = ticksOf(grid)
  return ticks.isRunning ? countShown(ticks, grid.timeZone, from, to) : countNamed(ticks, grid.timeZone, from, to)
}

/** The key of the window that starts at `start`. */
export const key = (grid: Grid, start: number): string => {
  const ticks = ticksOf(grid)
  const segment = TimeZone.segmentAt(grid.timeZone, start)
  const shown = start + segment.offset
  // A tick that the clock skips opens its window when the clock goes on, under its own name.
  const name = WallGrid.nameOf(ticks, ticks.isRunning ? shown : WallGrid.floor(ticks, shown))
  return ticks.isRunning && start - segment.start <= day && TimeZone.fromWall(grid.timeZone, shown) < start
    ? name + formatOffset(segment.offset)
    : name
}

/** The start of the window with this key, unless the key is not exactly the one the window would be given. */
export const startOfKey = (grid: Grid, text: string): number | undefined => {
  const match = keyPattern.exec(text)
  if (match === null) {
    return undefined
  }
  const ticks = ticksOf(grid)
  const midnight = parseWall(match[1], match[2])
  if (midnight === undefined) {
    return undefined
  }
  const isNamed = WallGrid.isNamedByDate(ticks)
  const isDate = match[2] === undefined
  const wall = isDate && isNamed ? midnight + ticks.times[0] : midnight
  // Nearly every key: a tick that the clock shows, for the first time. Its name need not be made to be compared.
  if (match[3] === undefined && isDate === isNamed && WallGrid.floor(ticks, wall) === wall) {
    const shown = TimeZone.fromWall(grid.timeZone, wall)
    if (TimeZone.toWall(grid.timeZone, shown) === wall) {
      return shown
    }
  }
  const start = floor(
    grid,
    match[3] === undefined ? TimeZone.fromWall(grid.timeZone, wall) : wall - parseOffset(match[3])
  )
  return key(grid, start) === text ? start : undefined
}

/** Whether a day has at most one window, which then is named by its date. */
export const isNamedByDate = (grid: Grid): boolean => WallGrid.isNamedByDate(ticksOf(grid))

/** The ticks of a grid on the local clock. */
export const wallGrid = (grid: Grid): WallGrid.WallGrid => ticksOf(grid)

/** The ticks of a grid on the local clock, those of excluded days among them. */
export const everyTick = (grid: Grid): WallGrid.WallGrid =>
  grid.exclusions.length === 0 ? ticksOf(grid) : ticksOf({ ...grid, exclusions: none })

/** How long after midnight the windows of a grid that is named by dates begin. */
export const timeOfDay = (grid: Grid): number => (isNamedByDate(grid) ? ticksOf(grid).times[0] : 0)

/** What is wrong with the cron expression or the exclusions of a grid. */
export const problemOf = (grid: Grid): WallGrid.Problem | undefined =>
  Result.match(gridOf(grid), {
    onFailure: (problem) => problem,
    onSuccess: () => undefined
  })

/** Reads a local date `YYYY-MM-DD` and time `HH:MM` as wall time, unless the calendar has no such date. */
export const parseWall = (date: string, time = "00:00"): number | undefined => {
  if (!datePattern.test(date) || !timePattern.test(time)) {
    return undefined
  }
  const [year, month, dayOfMonth] = [Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10))]
  const first = dayNumber(year, month, 1)
  const following = month === 12 ? dayNumber(year + 1, 1, 1) : dayNumber(year, month + 1, 1)
  return month < 1 || month > 12 || dayOfMonth < 1 || dayOfMonth > following - first
    ? undefined
    : (first + dayOfMonth - 1) * day + (Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))) * 60_000
}

// --- internal ---

const none: ReadonlyArray<string> = []

const datePattern = /^\d{4}-\d{2}-\d{2}$/
const timePattern = /^([01]\d|2[0-3]):[0-5]\d$/

/**
 * The number of days from 1970-01-01 to a date. Ledgers are full of keys, and making a date of each costs most of reading
 * them. Counted from March on, so that the day which may be missing comes last: 153 days in every five months.
 */
const dayNumber = (year: number, month: number, dayOfMonth: number): number => {
  const from = month > 2 ? year : year - 1
  const sinceMarch = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5)
  const leapDays = Math.floor(from / 4) - Math.floor(from / 100) + Math.floor(from / 400)
  return 365 * from + leapDays + sinceMarch + dayOfMonth - 719_469
}

const keyPattern = /^(\d{4}-\d{2}-\d{2})(?:-(\d{2}:\d{2})([+-]\d{4})?)?$/

const grids = new Map<string, Result.Result<WallGrid.WallGrid, WallGrid.Problem>>()

// Grids are few and their days are worth keeping: every window of a year is found in a table made once.
const gridOf = ({ cron, exclusions }: Pick<Grid, "cron" | "exclusions">) => {
  const name = exclusions.length === 0 ? cron : `${cron}\n${exclusions.join("\n")}`
  let grid = grids.get(name)
  if (grid === undefined) {
    grids.set(name, (grid = WallGrid.make(cron, exclusions)))
  }
  return grid
}

const ticksOf = (grid: Pick<Grid, "cron" | "exclusions">): WallGrid.WallGrid => Result.getOrThrow(gridOf(grid))

const floorOn = (ticks: WallGrid.WallGrid, timeZone: string, instant: number): number => {
  const segment = TimeZone.segmentAt(timeZone, instant)
  const wall = WallGrid.floor(ticks, instant + segment.offset)
  if (ticks.isRunning) {
    const start = wall - segment.offset
    return start >= segment.start ? start : floorOn(ticks, timeZone, segment.start - 1)
  }
  // A clock that was set back shows times again at which windows have begun before.
  let start = TimeZone.fromWall(timeZone, wall)
  for (let following = WallGrid.next(ticks, wall); ; following = WallGrid.next(ticks, following)) {
    const later = TimeZone.fromWall(timeZone, following)
    if (later > instant) {
      return start
    }
    start = later
  }
}

const nextOn = (ticks: WallGrid.WallGrid, timeZone: string, start: number): number => {
  let segment = TimeZone.segmentAt(timeZone, start)
  if (ticks.isRunning) {
    let following = WallGrid.next(ticks, start + segment.offset) - segment.offset
    while (following >= segment.end) {
      segment = TimeZone.segmentAt(timeZone, segment.end)
      following = WallGrid.next(ticks, segment.start + segment.offset - 1) - segment.offset
    }
    return following
  }
  for (let wall = WallGrid.next(ticks, start + segment.offset); ; wall = WallGrid.next(ticks, wall)) {
    const following = TimeZone.fromWall(timeZone, wall)
    if (following > start) {
      return following
    }
  }
}

/** Every showing of a tick is a window: the ticks of the stretches in which the clock runs evenly, added up. */
const countShown = (ticks: WallGrid.WallGrid, timeZone: string, from: number, to: number): number => {
  let shown = 0
  for (let at = from; at < to;) {
    const segment = TimeZone.segmentAt(timeZone, at)
    const until = Math.min(segment.end, to)
    shown += WallGrid.rank(ticks, until + segment.offset) - WallGrid.rank(ticks, at + segment.offset)
    at = until
  }
  return shown
}

/** Every tick is a window, except that those which the clock skips at once, or on to, open only one. */
const countNamed = (ticks: WallGrid.WallGrid, timeZone: string, from: number, to: number): number => {
  const rankOf = (start: number): number =>
    WallGrid.rank(ticks, WallGrid.floor(ticks, start + TimeZone.segmentAt(timeZone, start).offset))
  let named = rankOf(to) - rankOf(from)
  let segment = TimeZone.segmentAt(timeZone, from)
  while (segment.end <= to) {
    const following = TimeZone.segmentAt(timeZone, segment.end)
    if (following.offset > segment.offset) {
      const skipped =
        WallGrid.rank(ticks, segment.end + following.offset + 1) - WallGrid.rank(ticks, segment.end + segment.offset)
      named -= Math.max(0, skipped - 1)
    }
    segment = following
  }
  return named
}

// Beyond so many windows it is cheaper to bisect than to step.
const fewSteps = 64

/** Far away the window is searched by its number, between ticks that lie surely before and behind it. */
const leap = (grid: Grid, start: number, steps: number): number => {
  const ticks = ticksOf(grid)
  const away = (instant: number): number => count(grid, start, instant) - count(grid, instant, start)
  const origin = WallGrid.rank(ticks, start + TimeZone.segmentAt(grid.timeZone, start).offset)
  const near = (rank: number): number => floor(grid, TimeZone.fromWall(grid.timeZone, WallGrid.at(ticks, rank)))
  let slack = fewSteps
  while (away(near(origin + steps - slack)) > steps || away(near(origin + steps + slack)) < steps) {
    slack *= 2
  }
  let low = origin + steps - slack
  let high = origin + steps + slack
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (away(near(middle)) < steps) {
      low = middle + 1
    } else {
      high = middle
    }
  }
  const found = near(low)
  return shift(grid, found, steps - away(found))
}

const formatOffset = (offset: number): string => {
  const minutes = Math.abs(Math.trunc(offset / 60_000))
  const digits = (part: number) => String(part).padStart(2, "0")
  return `${offset < 0 ? "-" : "+"}${digits(Math.floor(minutes / 60))}${digits(minutes % 60)}`
}

const parseOffset = (text: string): number =>
  (text.startsWith("-") ? -1 : 1) * (Number(text.slice(1, 3)) * 60 + Number(text.slice(3, 5))) * 60_000
