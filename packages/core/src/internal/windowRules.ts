import * as Calendar from "./calendar.ts"
import * as TimeZone from "./timeZone.ts"

/** What a definition of windows says, before anything of it is believed. */
interface Wanted extends Calendar.Grid {
  readonly start: string
  readonly end?: string | undefined
  readonly endOffset: number
  readonly minuteOffset?: number | undefined
  readonly hourOffset?: number | undefined
  readonly dayOffset?: number | undefined
  readonly firstMonth?: number | undefined
  readonly firstDayOfWeek?: number | undefined
}

interface Fault {
  readonly problem: string
  readonly expected: string
}

/** What is wrong with a definition of windows, the first thing first. Who writes a cron expression gives no offsets. */
export const faultOf = (wanted: Wanted, isCron: boolean): Fault | undefined => {
  const offset = isCron ? undefined : faultOfOffsets(wanted)
  if (offset !== undefined) return offset
  const problem = Calendar.problemOf(wanted)
  if (problem !== undefined)
    return { problem: `${JSON.stringify(problem.text)} ${problem.problem}`, expected: problem.expected }
  return faultOfRange(wanted) ?? faultOfRest(wanted)
}

/** The local time that a text says, a date standing for its midnight. */
export const parseLocal = (text: string): number | undefined =>
  text.length > 10 && /^[-T]$/.test(text.charAt(10))
    ? Calendar.parseWall(text.slice(0, 10), text.slice(11))
    : Calendar.parseWall(text)

// --- internal ---

const faultOfRange = ({ cron, end, start }: Wanted): Fault | undefined => {
  const hasTimes = /^\d+ \d+ /.test(cron) ? !cron.startsWith("0 0 ") : true
  const forms = hasTimes
    ? "a local date YYYY-MM-DD or time YYYY-MM-DD-HH:MM that the calendar has, such as 2024-03-05-07:00"
    : "a local date YYYY-MM-DD that the calendar has, such as 2024-03-05"
  const read = (text: string) => (hasTimes || text.length === 10 ? parseLocal(text) : undefined)
  const first = read(start)
  if (first === undefined) return { problem: `start ${JSON.stringify(start)} is not a date`, expected: forms }
  const last = end === undefined ? Number.POSITIVE_INFINITY : read(end)
  if (last === undefined) return { problem: `end ${JSON.stringify(end)} is not a date`, expected: forms }
  return last <= first
    ? {
        problem: `end ${JSON.stringify(end)} is not after start ${JSON.stringify(start)}`,
        expected: "an exclusive end after start"
      }
    : undefined
}

const faultOfRest = ({ endOffset, timeZone }: Wanted): Fault | undefined => {
  if (!TimeZone.isKnown(timeZone))
    return {
      problem: `the time zone ${JSON.stringify(timeZone)} is unknown`,
      expected: "an IANA name such as Europe/Berlin or UTC"
    }
  return Number.isInteger(endOffset)
    ? undefined
    : {
        problem: `endOffset ${endOffset} is not a number of windows`,
        expected: "a whole number: 0, 1 for the running window, -1 …"
      }
}

/** Each offset with its least and greatest value, and what it is. */
const offsets = [
  ["minuteOffset", 0, 59, "a minute of the hour, 0 to 59"],
  ["hourOffset", 0, 23, "an hour of the day, 0 to 23"],
  ["dayOffset", 1, 28, "a day that each month has, 1 to 28; Partitions.cron knows other days"],
  ["firstMonth", 1, 12, "a month, 1 for January to 12 for December"],
  ["firstDayOfWeek", 0, 6, "0 for Sunday to 6 for Saturday"]
] as const

const faultOfOffsets = (wanted: Wanted): Fault | undefined => {
  for (const [name, least, greatest, expected] of offsets) {
    const value = wanted[name]
    if (value !== undefined && !(Number.isInteger(value) && least <= value && value <= greatest)) {
      return { problem: `${name} ${value} is none`, expected }
    }
  }
  return undefined
}
