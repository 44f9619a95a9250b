import { tz } from "@date-fns/tz"
import { addMonths } from "date-fns/addMonths"
import { addWeeks } from "date-fns/addWeeks"
import { differenceInCalendarMonths } from "date-fns/differenceInCalendarMonths"
import { differenceInCalendarWeeks } from "date-fns/differenceInCalendarWeeks"
import { parseISO } from "date-fns/parseISO"
import { startOfMonth } from "date-fns/startOfMonth"
import { startOfWeek } from "date-fns/startOfWeek"
import { toDate } from "date-fns/toDate"
import * as TimeZone from "./timeZone.ts"

/** What the windows of a definition hang on; the names of its fields are those of `Partitions.TimeWindows`. */
export interface Grid {
  readonly cadence: "hourly" | "daily" | "weekly" | "monthly"
  readonly timeZone: string
  readonly firstDayOfWeek: 0 | 1 | 2 | 3 | 4 | 5 | 6
}

export const hour = 3_600_000
export const day = 24 * hour

/** The context in which date-fns computes on wall time, whatever zone the process runs in. */
export const utc = tz("UTC")

/** The start of the window that holds an instant, on the endless grid of a definition. */
export const floor = (grid: Grid, instant: number): number => {
  if (grid.cadence === "hourly") {
    return floorHour(grid.timeZone, instant)
  }
  const steps = cadences[grid.cadence]
  const wall = steps.floor(TimeZone.toWall(grid.timeZone, instant), grid)
  // A clock set back over midnight shows the old date again after the new day has begun.
  const following = TimeZone.fromWall(grid.timeZone, steps.following(wall, grid))
  return following <= instant ? following : TimeZone.fromWall(grid.timeZone, wall)
}

/** The start of the window after the one that starts at `start`. */
export const next = (grid: Grid, start: number): number => {
  if (grid.cadence === "hourly") {
    return nextHour(grid.timeZone, start)
  }
  const steps = cadences[grid.cadence]
  let wall = steps.floor(TimeZone.toWall(grid.timeZone, start), grid)
  while (true) {
    wall = steps.following(wall, grid)
    const following = TimeZone.fromWall(grid.timeZone, wall)
    if (following > start) {
      return following
    }
  }
}

/** The start of the window `count` windows after (before, when negative) the one that starts at `start`. */
export const shift = (grid: Grid, start: number, count: number): number => {
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
  if (grid.cadence === "hourly") {
    return countHours(grid.timeZone, from, to)
  }
  const walls = cadences[grid.cadence].count(
    TimeZone.toWall(grid.timeZone, from),
    TimeZone.toWall(grid.timeZone, to),
    grid
  )
  // Zones that crossed the date line skipped one day; no zone ever skipped a week or a month.
  return grid.cadence === "daily" ? walls - skippedDays(grid.timeZone, from, to) : walls
}

/** The key of the window that starts at `start`. */
export const key = (grid: Grid, start: number): string => {
  const segment = TimeZone.segmentAt(grid.timeZone, start)
  const wall = start + segment.offset
  const text = toDate(wall).toISOString()
  if (grid.cadence !== "hourly") {
    return text.slice(0, 10)
  }
  const name = `${text.slice(0, 10)}-${text.slice(11, 16)}`
  return start - segment.start <= day && TimeZone.fromWall(grid.timeZone, wall) < start
    ? name + formatOffset(segment.offset)
    : name
}

/** The start of the window with this key, unless the key is not exactly the one the window would be given. */
export const startOfKey = (grid: Grid, text: string): number | undefined => {
  const match = keyPattern.exec(text)
  if (match === null) {
    return undefined
  }
  const wall = parseWall(match[1], match[2])
  if (wall === undefined) {
    return undefined
  }
  const start = floor(
    grid,
    match[3] === undefined ? TimeZone.fromWall(grid.timeZone, wall) : wall - parseOffset(match[3])
  )
  return key(grid, start) === text ? start : undefined
}

/** Reads a local date `YYYY-MM-DD` and time `HH:MM` as wall time, unless the calendar has no such date. */
export const parseWall = (date: string, time = "00:00"): number | undefined => {
  const wall =
    /^\d{4}-\d{2}-\d{2}$/.test(date) && /^([01]\d|2[0-3]):[0-5]\d$/.test(time)
      ? parseISO(`${date}T${time}Z`).getTime()
      : Number.NaN
  return Number.isNaN(wall) ? undefined : wall
}

// --- internal ---

interface WallSteps {
  readonly floor: (wall: number, grid: Grid) => number
  readonly following: (wall: number, grid: Grid) => number
  readonly count: (from: number, to: number, grid: Grid) => number
}

const keyPattern = /^(\d{4}-\d{2}-\d{2})(?:-(\d{2}:\d{2})([+-]\d{4})?)?$/

// date-fns takes 10 to 20 µs for a step, so steps are kept by day: at most 366 entries for a year of data.
const memoize = (step: (wall: number) => number): ((wall: number) => number) => {
  const known = new Map<number, number>()
  return (wall) => {
    const from = Math.floor(wall / day) * day
    let to = known.get(from)
    if (to === undefined) {
      known.set(from, (to = step(from)))
    }
    return to
  }
}

const weekFloors = ([0, 1, 2, 3, 4, 5, 6] as const).map((weekStartsOn) =>
  memoize((wall) => startOfWeek(wall, { in: utc, weekStartsOn }).getTime())
)
const nextWeek = memoize((wall) => addWeeks(wall, 1, { in: utc }).getTime())
const monthFloor = memoize((wall) => startOfMonth(wall, { in: utc }).getTime())
const nextMonth = memoize((wall) => addMonths(wall, 1, { in: utc }).getTime())

const cadences: Record<Exclude<Grid["cadence"], "hourly">, WallSteps> = {
  daily: {
    floor: (wall) => Math.floor(wall / day) * day,
    following: (wall) => wall + day,
    count: (from, to) => Math.floor(to / day) - Math.floor(from / day)
  },
  weekly: {
    floor: (wall, grid) => weekFloors[grid.firstDayOfWeek](wall),
    following: nextWeek,
    count: (from, to, grid) => differenceInCalendarWeeks(to, from, { in: utc, weekStartsOn: grid.firstDayOfWeek })
  },
  monthly: {
    floor: monthFloor,
    following: nextMonth,
    count: (from, to) => differenceInCalendarMonths(to, from, { in: utc })
  }
}

// date-fns folds a repeated hour into its first pass, so hours are counted on the clock of each segment instead.
const floorHour = (timeZone: string, instant: number): number => {
  const segment = TimeZone.segmentAt(timeZone, instant)
  const start = Math.floor((instant + segment.offset) / hour) * hour - segment.offset
  return start >= segment.start ? start : floorHour(timeZone, segment.start - 1)
}

const nextHour = (timeZone: string, start: number): number => {
  let segment = TimeZone.segmentAt(timeZone, start)
  let following = start + hour
  while (following >= segment.end) {
    segment = TimeZone.segmentAt(timeZone, segment.end)
    following = Math.ceil((segment.start + segment.offset) / hour) * hour - segment.offset
  }
  return following
}

const countHours = (timeZone: string, from: number, to: number): number => {
  let hours = 0
  let at = from
  while (at < to) {
    const segment = TimeZone.segmentAt(timeZone, at)
    const end = Math.min(segment.end, to)
    hours += Math.ceil((end + segment.offset) / hour) - Math.ceil((at + segment.offset) / hour)
    at = end
  }
  return hours
}

const skippedDays = (timeZone: string, from: number, to: number): number => {
  let skipped = 0
  let segment = TimeZone.segmentAt(timeZone, from)
  while (segment.end <= to) {
    const following = TimeZone.segmentAt(timeZone, segment.end)
    const lastShown = Math.ceil((segment.end + segment.offset) / day)
    skipped += Math.max(0, Math.floor((segment.end + following.offset) / day) - lastShown)
    segment = following
  }
  return skipped
}

const formatOffset = (offset: number): string => {
  const minutes = Math.abs(Math.trunc(offset / 60_000))
  const digits = (part: number) => String(part).padStart(2, "0")
  return `${offset < 0 ? "-" : "+"}${digits(Math.floor(minutes / 60))}${digits(minutes % 60)}`
}

const parseOffset = (text: string): number =>
  (text.startsWith("-") ? -1 : 1) * (Number(text.slice(1, 3)) * 60 + Number(text.slice(3, 5))) * 60_000
