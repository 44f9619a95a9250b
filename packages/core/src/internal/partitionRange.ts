import { addMonths } from "date-fns/addMonths"
import { addYears } from "date-fns/addYears"
import { getDaysInMonth } from "date-fns/getDaysInMonth"
import * as Result from "effect/Result"
import type { TimeWindow } from "../TimeWindow.ts"
import * as Calendar from "./calendar.ts"
import * as Nearest from "./nearest.ts"
import * as TimeZone from "./timeZone.ts"

export interface Item {
  readonly text: string
  /** Counted from 1, in the text as the user wrote it. */
  readonly position: number
}

export const items = (text: string): ReadonlyArray<Item> => {
  let offset = 0
  return text.split(",").map((part) => {
    const position = offset + part.length - part.trimStart().length + 1
    offset += part.length + 1
    return { text: part.trim(), position }
  })
}

/** The parts of an item, each with its own position. */
export const segments = (item: Item, delimiter: string): ReadonlyArray<Item> => {
  let offset = 0
  return item.text.split(delimiter).map((part) => {
    const position = item.position + offset + part.length - part.trimStart().length
    offset += part.length + delimiter.length
    return { text: part.trim(), position }
  })
}

/** The instants that an item means, not yet widened to whole windows, or what is wrong with it. */
export const instants = (grid: Calendar.Grid, text: string): Result.Result<TimeWindow, string> => {
  const dots = text.indexOf("..")
  if (dots < 0) {
    return moment(grid, text)
  }
  const left = text.slice(0, dots).trim()
  const right = text.slice(dots + 2).trim()
  if (left === "" && right === "") {
    return Result.fail(`has neither a first nor a last date; write "all" for everything`)
  }
  return Result.gen(function* () {
    const { start } = left === "" ? always : yield* moment(grid, left)
    const { end } = right === "" ? always : yield* moment(grid, right)
    return start < end ? { start, end } : yield* Result.fail(`runs backwards: did you mean ${right}..${left}?`)
  })
}

/** The position of a key, or what is wrong with it. */
export const position = (keys: ReadonlyArray<string>, text: string): Result.Result<number, string> => {
  const index = keys.indexOf(text)
  if (index >= 0) {
    return Result.succeed(index)
  }
  const nearest = Nearest.find(keys, text)
  return Result.fail(`is not a key${nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`}`)
}

// --- internal ---

const always: TimeWindow = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }

const moment = (grid: Calendar.Grid, text: string): Result.Result<TimeWindow, string> => {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[-T](\d{2}:\d{2})([+-]\d{4})?)?)?)?$/.exec(text)
  if (match === null) {
    return Result.fail(text === "" ? "is empty" : `is not a date${quoted(grid, text)}`)
  }
  const [, year, month = "01", day = "01", time, offset = ""] = match
  const from = Calendar.parseWall(`${year}-${month}-${day}`)
  if (from === undefined) {
    return Result.fail(`is not a date: ${missing(`${year}-${month}`, month)}`)
  }
  if (time !== undefined) {
    return tick(grid, `${year}-${month}-${day}-${time}${offset}`)
  }
  const to =
    match[3] !== undefined
      ? from + Calendar.day
      : (match[2] !== undefined ? addMonths : addYears)(from, 1, { in: Calendar.utc }).getTime()
  // A day begins with its window, also where that is not at midnight.
  const begin = (wall: number) => TimeZone.fromWall(grid.timeZone, wall + Calendar.timeOfDay(grid))
  return Result.succeed({ start: begin(from), end: begin(to) })
}

const tick = (grid: Calendar.Grid, key: string): Result.Result<TimeWindow, string> => {
  if (Calendar.isNamedByDate(grid)) {
    return Result.fail("names a time of day, but the partitions are named by dates")
  }
  const start = Calendar.startOfKey(grid, key)
  return start === undefined
    ? Result.fail(`is not the start of a window in ${grid.timeZone}`)
    : Result.succeed({ start, end: Calendar.end(grid, start) })
}

const quoted = (grid: Calendar.Grid, text: string): string =>
  /^\d{4}-\d{1,2}(-\d{1,2})?$/.test(text)
    ? ": months and days have two digits"
    : !Calendar.isNamedByDate(grid) && text.includes(":")
      ? ": a time is written YYYY-MM-DD-HH:MM"
      : ""

const missing = (yearAndMonth: string, month: string): string => {
  const first = Calendar.parseWall(`${yearAndMonth}-01`)
  return first === undefined
    ? `there is no month ${month}`
    : `${yearAndMonth} has ${getDaysInMonth(first, { in: Calendar.utc })} days`
}
