/**
 * The pictures of `docs/reference/partitions.md`, drawn from the definitions of windows themselves. `scripts/pictures.ts`
 * puts them into the page.
 */
import * as Result from "effect/Result"
import * as TimeZone from "../packages/core/src/internal/timeZone.ts"
import * as Partitions from "../packages/core/src/Partitions.ts"
import * as PartitionSet from "../packages/core/src/PartitionSet.ts"

const { cron, daily, hourly, monthly, quarterly, weekly, yearly } = Partitions

/** Each picture by its name: a few windows of a definition. */
const definitions: Readonly<Record<string, Partitions.TimeWindows>> = {
  "hours that a clock skips": hourly({
    start: "2024-03-10-00:00",
    end: "2024-03-10-05:00",
    timeZone: "America/New_York"
  }),
  "hours that a clock repeats": hourly({
    start: "2024-11-03-00:00",
    end: "2024-11-03-03:00",
    timeZone: "America/New_York"
  }),
  "hours at half past": hourly({ start: "2024-03-05-00:00", end: "2024-03-05-03:30", minuteOffset: 30 }),
  "days of 23 and 24 hours": daily({ start: "2024-03-09", end: "2024-03-12", timeZone: "America/New_York" }),
  "days that begin at six": daily({ start: "2024-03-05-00:00", end: "2024-03-08-12:00", hourOffset: 6 }),
  "a tick that the clock skips": daily({
    start: "2024-03-09-00:00",
    end: "2024-03-12-12:00",
    hourOffset: 2,
    minuteOffset: 30,
    timeZone: "America/New_York"
  }),
  "business days": daily({ start: "2024-12-19", end: "2024-12-31", exclusions: ["0 0 * * 6,0", "2024-12-25"] }),
  weeks: weekly({ start: "2024-03-01", end: "2024-03-25" }),
  "weeks from Sunday": weekly({ start: "2024-03-01", end: "2024-03-25", firstDayOfWeek: 0 }),
  months: monthly({ start: "2024-01-01", end: "2024-05-01" }),
  "months from the 12th": monthly({ start: "2024-01-01", end: "2024-05-01", dayOffset: 12 }),
  quarters: quarterly({ start: "2024-01-01", end: "2025-01-01" }),
  "business years from July": yearly({ start: "2022-01-01", end: "2025-01-01", firstMonth: 7 }),
  "twice a day": cron("0 0,11 * * *", { start: "2024-03-05", end: "2024-03-07" })
}

/** A line for each window: its key, where it lies, and how long it is. */
export const draw = (partitions: Partitions.TimeWindows): string => {
  const set = PartitionSet.all(partitions)
  const keys = Array.from(PartitionSet.keys(set))
  const windows = Array.from(PartitionSet.windows(set))
  const origin = windows[0]?.start ?? 0
  const scale = width / ((windows.at(-1)?.end ?? origin) - origin)
  const column = (instant: number) => Math.round((instant - origin) * scale)
  const name = Math.max(...keys.map(({ length }) => length))
  return windows
    .map(({ end, start }, index) => {
      const [from, to] = [column(start), column(end)]
      const bar = `${" ".repeat(from)}├${"─".repeat(Math.max(0, to - from - 2))}┤`
      const times = `${local(partitions, start)} to ${local(partitions, end)}`
      return `${(keys[index] ?? "").padEnd(name)}  ${bar.padEnd(width)}  ${times}, ${length(end - start)}`
    })
    .join("\n")
}

const region = Partitions.fromKeys(["eu", "us", "apac"])
const dayAndRegion = Partitions.multi({ day: daily({ start: "2024-03-01" }), region })

/** Each picture of a range of days and regions by its name, on 6 March. */
const ranges: Readonly<Record<string, string>> = {
  "days of a region": "2024-03-02..2024-03-04|eu",
  "the newest day, and two others": "latest|*, 2024-03-02|us, 2024-03-03|apac"
}

/** Days from left to right, regions from top to bottom. */
const drawRange = (text: string): string => {
  const now = Date.parse("2024-03-06")
  const existing = Partitions.existing(dayAndRegion, now)
  const selected = Result.getOrThrow(PartitionSet.parse(text, { partitions: dayAndRegion, existing, now }))
  const days = Array.from(PartitionSet.keys(PartitionSet.dimension(existing, "day")))
  return [
    `${" ".repeat(6)}${days.join("  ")}`,
    ...region.keys.map((name) => {
      const cells = days.map((day) => (PartitionSet.has(selected, `${day}|${name}`) ? "●" : "·"))
      return `${name.padEnd(6)}${cells.map((cell) => cell.padEnd(12)).join("")}`.trimEnd()
    })
  ].join("\n")
}

/** The pictures by their names. */
export const pictures = (): ReadonlyMap<string, string> =>
  new Map([
    ...Object.entries(definitions).map(([name, definition]) => [name, `${draw(definition)}\n`] as const),
    ...Object.entries(ranges).map(([name, range]) => [name, `${drawRange(range)}\n`] as const)
  ])

// --- internal ---

const width = 40

const hour = 3_600_000

const local = ({ timeZone }: Partitions.TimeWindows, instant: number): string => {
  const text = new Date(TimeZone.toWall(timeZone, instant)).toISOString()
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ")
}

const length = (duration: number): string => {
  const hours = duration / hour
  if (hours < 48) return hours === 1 ? "1 hour" : `${hours} hours`
  return `${hours / 24} days`
}
