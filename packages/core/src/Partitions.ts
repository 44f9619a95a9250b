/**
 * How is an asset cut into the units that are built, checked and replaced as a whole? Not at all, by a list of names, or by
 * half-open windows of time in the asset's own time zone. A definition is data; the time is always an argument (L12).
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Calendar from "./internal/calendar.ts"
import * as internal from "./internal/partitionSet.ts"
import * as TimeZone from "./internal/timeZone.ts"
import type { TimeWindow } from "./TimeWindow.ts"

const TypeId = "~@assay/core/Partitions"

/**
 * The length of the windows of time: one local hour, day, week, month, quarter or year, or from one tick of a cron
 * expression to the next.
 *
 * @category models
 * @since 0.1.0
 */
export type Cadence = "hourly" | "daily" | "weekly" | "monthly" | "quarterly" | "yearly" | "cron"

/**
 * The first day of a week, counted from Sunday (0) to Saturday (6).
 *
 * @category models
 * @since 0.1.0
 */
export type DayOfWeek = 0 | 1 | 2 | 3 | 4 | 5 | 6

/**
 * An asset in one piece, whose only partition has the key `*`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unpartitioned {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Unpartitioned"
}

/**
 * An asset cut by a fixed list of names, in the order given.
 *
 * @category models
 * @since 0.1.0
 */
export interface Static {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Static"
  readonly keys: ReadonlyArray<string>
}

/**
 * An asset cut by windows of local time: from each tick of `cron` on the local clock to the next.
 *
 * **Details**
 *
 * The first window opens with the first tick at or after `start`. Windows lie wholly before `end`: the one that would
 * cross it is no partition. A window exists when it has ended; `endOffset` n > 0 adds n unfinished ones (1 is the running
 * one), n < 0 holds back the last n finished ones. Days of `exclusions` open no windows, and the window before them ends
 * where it would without them: with weekends excluded, Friday's ends at midnight, and what happens on Saturday belongs to
 * no partition.
 *
 * Where the clock changes: if the expression runs every hour, a window opens whenever the clock shows a tick, so that a
 * repeated hour is two partitions, of which the second carries its offset in the key (`2021-11-07-01:00-0500`), and a
 * skipped one is none. If it names hours, each tick opens one window: when the clock first shows it, or, where the clock
 * skips it, when the clock goes on; of several ticks skipped at once the last one does.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeWindows {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "TimeWindows"
  readonly cadence: Cadence
  readonly cron: string
  readonly start: string
  readonly end: string | undefined
  readonly timeZone: string
  readonly endOffset: number
  readonly exclusions: ReadonlyArray<string>
}

/**
 * The cut of an asset.
 *
 * @category models
 * @since 0.1.0
 */
export type Partitions = Unpartitioned | Static | TimeWindows

/**
 * What all windows of time take: local dates, the zone in which they are read, how far existence runs ahead or behind,
 * and the days without windows: dates (`2024-12-25`) and cron expressions of days (`0 0 * * 6,0`).
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeWindowsOptions {
  readonly start: string
  readonly end?: string | undefined
  readonly timeZone?: string | undefined
  readonly endOffset?: number | undefined
  readonly exclusions?: ReadonlyArray<string> | undefined
}

/**
 * How long after a full hour the windows begin, in minutes.
 *
 * @category models
 * @since 0.1.0
 */
export interface MinuteOffset {
  readonly minuteOffset?: number | undefined
}

/**
 * The time of day at which the windows begin.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeOfDay extends MinuteOffset {
  readonly hourOffset?: number | undefined
}

/**
 * The day of the month, from 1 to 28, and the time of day at which the windows begin.
 *
 * @category models
 * @since 0.1.0
 */
export interface DayOfMonth extends TimeOfDay {
  readonly dayOffset?: number | undefined
}

/**
 * The month (1 is January) with which a business year begins, its day and time of day.
 *
 * @category models
 * @since 0.1.0
 */
export interface FirstMonth extends DayOfMonth {
  readonly firstMonth?: number | undefined
}

/**
 * A definition that cannot be meant; thrown where it is made, because only its author can repair it.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidPartitions extends Schema.TaggedError<InvalidPartitions>("@assay/core/InvalidPartitions")(
  "InvalidPartitions",
  { definition: Schema.String, problem: Schema.String, expected: Schema.String }
) {
  override get message(): string {
    return `invalid partitions in ${this.definition}: ${this.problem}; expected ${this.expected}`
  }
}

/**
 * The key of the only partition of an asset in one piece.
 *
 * @category constants
 * @since 0.1.0
 */
export const unit = "*"

/**
 * The cut of an asset that is always built as a whole.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unpartitioned: Unpartitioned = proto({ _tag: "Unpartitioned" })

/**
 * Cuts an asset by names, in the order given; throws `InvalidPartitions` on duplicates and on names that a range could not say.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromKeys = (keys: ReadonlyArray<string>): Static => {
  const refuse = refusal(`Partitions.fromKeys(${JSON.stringify(keys)})`)
  const seen = new Set<string>()
  if (keys.length === 0) {
    throw refuse("there is no key", "at least one key, or Partitions.unpartitioned")
  }
  for (const key of keys) {
    if (seen.has(key)) {
      throw refuse(`the key ${JSON.stringify(key)} occurs twice`, "each key once")
    }
    if (key === "" || key !== key.trim() || key.includes(",") || key === "all" || key === "latest") {
      throw refuse(
        `the key ${JSON.stringify(key)} could not be told apart in a range`,
        `keys without commas and outer spaces, and other than "all" and "latest"`
      )
    }
    seen.add(key)
  }
  return proto({ _tag: "Static", keys: [...keys] })
}

/**
 * Cuts an asset by hours of the local clock, on the full hour unless `minuteOffset` says otherwise.
 *
 * **Gotchas**
 *
 * An hour that the clock skips does not exist; one that it repeats is two partitions, of which the second carries its offset
 * in the key: `2021-11-07-01:00-0500`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hourly = (options: TimeWindowsOptions & MinuteOffset): TimeWindows =>
  timeWindows("hourly", options, `${options.minuteOffset ?? 0} * * * *`)

/**
 * Cuts an asset by local days, which last 23 or 25 hours where the clock changes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const daily = (options: TimeWindowsOptions & TimeOfDay): TimeWindows =>
  timeWindows("daily", options, `${timeOf(options)} * * *`)

/**
 * Cuts an asset by local weeks, which begin on Monday unless told otherwise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const weekly = (
  options: TimeWindowsOptions & TimeOfDay & { readonly firstDayOfWeek?: DayOfWeek | undefined }
): TimeWindows => timeWindows("weekly", options, `${timeOf(options)} * * ${options.firstDayOfWeek ?? 1}`)

/**
 * Cuts an asset by local months, from the first day on unless `dayOffset` says otherwise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const monthly = (options: TimeWindowsOptions & DayOfMonth): TimeWindows =>
  timeWindows("monthly", options, `${timeOf(options)} ${options.dayOffset ?? 1} * *`)

/**
 * Cuts an asset by quarters, of the calendar year unless `firstMonth` names another beginning of the year.
 *
 * @category constructors
 * @since 0.1.0
 */
export const quarterly = (options: TimeWindowsOptions & FirstMonth): TimeWindows => {
  const { firstMonth = 1 } = options
  const months = [0, 3, 6, 9].map((later) => ((firstMonth - 1 + later) % 12) + 1).toSorted((a, b) => a - b)
  return timeWindows("quarterly", options, `${timeOf(options)} ${options.dayOffset ?? 1} ${months.join()} *`)
}

/**
 * Cuts an asset by years, calendar years unless `firstMonth` names another beginning.
 *
 * @category constructors
 * @since 0.1.0
 */
export const yearly = (options: TimeWindowsOptions & FirstMonth): TimeWindows =>
  timeWindows("yearly", options, `${timeOf(options)} ${options.dayOffset ?? 1} ${options.firstMonth ?? 1} *`)

/**
 * Cuts an asset by the ticks of a cron expression on the local clock: minute, hour, day of month, month, day of week.
 *
 * **Details**
 *
 * Keys are dates where no day has more than one tick, and otherwise dates with the time: `2024-03-05-11:00`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cron = (expression: string, options: TimeWindowsOptions): TimeWindows =>
  timeWindows("cron", options, expression.trim().split(/\s+/).join(" "))

/**
 * Whether a value is a cut of an asset.
 *
 * @category guards
 * @since 0.1.0
 */
export const isPartitions = (self: unknown): self is Partitions => Predicate.hasProperty(self, TypeId)

/**
 * Whether an asset is built as a whole.
 *
 * @category guards
 * @since 0.1.0
 */
export const isUnpartitioned = (self: Partitions): self is Unpartitioned => self._tag === "Unpartitioned"

/**
 * Whether an asset is cut by names.
 *
 * @category guards
 * @since 0.1.0
 */
export const isStatic = (self: Partitions): self is Static => self._tag === "Static"

/**
 * Whether an asset is cut by windows of time.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTimeWindows = (self: Partitions): self is TimeWindows => self._tag === "TimeWindows"

/**
 * The stretch of time that the windows of a definition cover: from the first window's start to the last one's end.
 *
 * @category getters
 * @since 0.1.0
 */
export const range = (self: TimeWindows): TimeWindow => {
  let known = ranges.get(self)
  if (known === undefined) {
    const start = Calendar.ceil(self, TimeZone.fromWall(self.timeZone, wallOf(self.start)))
    const end =
      self.end === undefined
        ? Number.POSITIVE_INFINITY
        : unfinishedAt(self, TimeZone.fromWall(self.timeZone, wallOf(self.end)))
    ranges.set(self, (known = { start, end: Math.max(start, end) }))
  }
  return known
}

/**
 * The window of a key; none for names, for dates out of range, and for a key that is not exactly one of a window.
 *
 * @category getters
 * @since 0.1.0
 */
export const windowOf: {
  (key: string): (self: Partitions) => Option.Option<TimeWindow>
  (self: Partitions, key: string): Option.Option<TimeWindow>
} = dual(2, (self: Partitions, key: string): Option.Option<TimeWindow> => {
  if (!isTimeWindows(self)) {
    return Option.none()
  }
  const start = Calendar.startOfKey(self, key)
  return start === undefined ? Option.none() : within(self, windowFrom(self, start))
})

/**
 * The key of a window, or of the window that holds an instant, whether or not it exists.
 *
 * @category getters
 * @since 0.1.0
 */
export const keyOf: {
  (at: TimeWindow | number): (self: TimeWindows) => string
  (self: TimeWindows, at: TimeWindow | number): string
} = dual(2, (self: TimeWindows, at: TimeWindow | number): string =>
  Calendar.key(self, Calendar.floor(self, startOf(at)))
)

/**
 * The key of the window that holds an instant, whether or not it exists; none on an excluded day.
 *
 * @category getters
 * @since 0.1.0
 */
export const keyAt: {
  (instant: number): (self: TimeWindows) => string | null
  (self: TimeWindows, instant: number): string | null
} = dual(2, (self: TimeWindows, instant: number): string | null => {
  const start = Calendar.floor(self, instant)
  return self.exclusions.length === 0 || instant < Calendar.end(self, start) ? Calendar.key(self, start) : null
})

/**
 * The window that holds an instant, whether or not it exists or lies in the range; on an excluded day the last one before.
 *
 * @category getters
 * @since 0.1.0
 */
export const windowAt: {
  (instant: number): (self: TimeWindows) => TimeWindow
  (self: TimeWindows, instant: number): TimeWindow
} = dual(2, (self: TimeWindows, instant: number): TimeWindow => windowFrom(self, Calendar.floor(self, instant)))

/**
 * The first window that ends after an instant: the one that holds it, or the next where the instant lies on an excluded day.
 *
 * @category getters
 * @since 0.1.0
 */
export const windowEndingAfter: {
  (instant: number): (self: TimeWindows) => TimeWindow
  (self: TimeWindows, instant: number): TimeWindow
} = dual(2, (self: TimeWindows, instant: number): TimeWindow => windowFrom(self, unfinishedAt(self, instant)))

/**
 * The same grid of windows without a beginning or an end, for windows that a definition would need to have.
 *
 * @category combinators
 * @since 0.1.0
 */
export const endless = (self: TimeWindows): TimeWindows => {
  let known = endlessly.get(self)
  if (known === undefined) {
    endlessly.set(self, (known = proto({ ...self, start: "0001-01-02", end: undefined, endOffset: 0 })))
  }
  return known
}

/**
 * The window after a window (or after the one that holds an instant); none past the end of the range.
 *
 * @category getters
 * @since 0.1.0
 */
export const next: {
  (at: TimeWindow | number): (self: TimeWindows) => Option.Option<TimeWindow>
  (self: TimeWindows, at: TimeWindow | number): Option.Option<TimeWindow>
} = dual(2, (self: TimeWindows, at: TimeWindow | number): Option.Option<TimeWindow> =>
  within(self, windowFrom(self, Calendar.next(self, Calendar.floor(self, startOf(at)))))
)

/**
 * The window before a window (or before the one that holds an instant); none before the start of the range.
 *
 * @category getters
 * @since 0.1.0
 */
export const previous: {
  (at: TimeWindow | number): (self: TimeWindows) => Option.Option<TimeWindow>
  (self: TimeWindows, at: TimeWindow | number): Option.Option<TimeWindow>
} = dual(2, (self: TimeWindows, at: TimeWindow | number): Option.Option<TimeWindow> =>
  within(self, windowAt(self, windowAt(self, startOf(at)).start - 1))
)

/**
 * The window `count` windows later (earlier, when negative), whether or not it exists or lies in the range.
 *
 * @category getters
 * @since 0.1.0
 */
export const shift: {
  (at: TimeWindow | number, count: number): (self: TimeWindows) => TimeWindow
  (self: TimeWindows, at: TimeWindow | number, count: number): TimeWindow
} = dual(3, (self: TimeWindows, at: TimeWindow | number, count: number): TimeWindow =>
  windowAt(self, Calendar.shift(self, Calendar.floor(self, startOf(at)), count))
)

/**
 * The partitions that exist at an instant, as a `PartitionSet`.
 *
 * @category getters
 * @since 0.1.0
 */
export const existing: {
  (now: number): (self: Partitions) => internal.PartitionSet<Partitions>
  (self: Partitions, now: number): internal.PartitionSet<Partitions>
} = dual(2, (self: Partitions, now: number): internal.PartitionSet<Partitions> => {
  switch (self._tag) {
    case "Unpartitioned":
      return internal.make<Partitions>(self, [{ start: 0, end: 1 }])
    case "Static":
      return internal.make<Partitions>(self, [{ start: 0, end: self.keys.length }])
    case "TimeWindows": {
      const { end, start } = range(self)
      const until = Calendar.shift(self, unfinishedAt(self, now), self.endOffset)
      return internal.make<Partitions>(self, [{ start, end: Math.min(end, until) }])
    }
  }
})

/**
 * The partitions whose windows have ended at an instant, whatever the definition's `endOffset`.
 *
 * @category getters
 * @since 0.1.0
 */
export const finished: {
  (now: number): (self: TimeWindows) => internal.PartitionSet<Partitions>
  (self: TimeWindows, now: number): internal.PartitionSet<Partitions>
} = dual(2, (self: TimeWindows, now: number): internal.PartitionSet<Partitions> => {
  const { end, start } = range(self)
  return internal.make<Partitions>(self, [{ start, end: Math.min(end, unfinishedAt(self, now)) }])
})

/**
 * Whether a key names a partition of the definition, existing or not.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isKey: {
  (key: string): (self: Partitions) => boolean
  (self: Partitions, key: string): boolean
} = dual(2, (self: Partitions, key: string): boolean => {
  switch (self._tag) {
    case "Unpartitioned":
      return key === unit
    case "Static":
      return self.keys.includes(key)
    case "TimeWindows":
      return Option.isSome(windowOf(self, key))
  }
})

/**
 * Whether no more rows can fall into a partition: its window has ended; a partition without a window is always complete.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isComplete: {
  (key: string, now: number): (self: Partitions) => boolean
  (self: Partitions, key: string, now: number): boolean
} = dual(3, (self: Partitions, key: string, now: number): boolean =>
  isTimeWindows(self) ? Option.exists(windowOf(self, key), (window) => window.end <= now) : isKey(self, key)
)

/**
 * Writes a definition for people: `weekly from 2024-01-01 (Europe/Berlin)`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (self: Partitions): string => {
  switch (self._tag) {
    case "Unpartitioned":
      return "unpartitioned"
    case "Static":
      return `static: ${self.keys.join(", ")}`
    case "TimeWindows":
      return [
        self.cadence === "cron" ? `cron ${self.cron}` : self.cadence,
        ` from ${self.start}${self.end === undefined ? "" : ` to ${self.end}`}`,
        self.exclusions.length === 0 ? "" : ` without ${self.exclusions.join(", ")}`,
        ` (${self.timeZone})`
      ].join("")
  }
}

// --- internal ---

const ranges = new WeakMap<TimeWindows, TimeWindow>()

const endlessly = new WeakMap<TimeWindows, TimeWindows>()

// A hoisted declaration, because `unpartitioned` is made while the module loads.
function proto<A extends { readonly _tag: string }>(fields: A): A & { readonly [TypeId]: typeof TypeId } {
  return { [TypeId]: TypeId, ...fields }
}

const refusal =
  (definition: string) =>
  (problem: string, expected: string): InvalidPartitions =>
    new InvalidPartitions({ definition, problem, expected })

const startOf = (at: TimeWindow | number): number => (typeof at === "number" ? at : at.start)

const windowFrom = (self: TimeWindows, start: number): TimeWindow => ({ start, end: Calendar.end(self, start) })

/** The start of the first window that has not ended at an instant. */
const unfinishedAt = (self: TimeWindows, instant: number): number => {
  const { end, start } = windowFrom(self, Calendar.floor(self, instant))
  return end <= instant ? Calendar.next(self, start) : start
}

const within = (self: TimeWindows, window: TimeWindow): Option.Option<TimeWindow> => {
  const { end, start } = range(self)
  return start <= window.start && window.end <= end ? Option.some(window) : Option.none()
}

const timeOf = ({ hourOffset = 0, minuteOffset = 0 }: TimeOfDay): string => `${minuteOffset} ${hourOffset}`

const parseLocal = (text: string): number | undefined =>
  text.length > 10 && /^[-T]$/.test(text.charAt(10))
    ? Calendar.parseWall(text.slice(0, 10), text.slice(11))
    : Calendar.parseWall(text)

// Only for the texts that the constructor has read before.
const wallOf = (text: string): number => parseLocal(text) ?? Number.NaN

const isDate = (text: string): boolean => text.length === 10

const timeWindows = (
  cadence: Cadence,
  options: TimeWindowsOptions & FirstMonth & { readonly firstDayOfWeek?: number | undefined },
  cron: string
): TimeWindows => {
  const { end, endOffset = 0, exclusions = [], start, timeZone = "UTC" } = options
  const refuse = refusal(
    cadence === "cron"
      ? `Partitions.cron(${JSON.stringify(cron)}, ${JSON.stringify(options)})`
      : `Partitions.${cadence}(${JSON.stringify(options)})`
  )
  refuseOffsets(cadence, options, refuse)
  const problem = Calendar.problemOf({ cron, exclusions, timeZone })
  if (problem !== undefined) {
    throw refuse(`${JSON.stringify(problem.text)} ${problem.problem}`, problem.expected)
  }
  const hasTimes = /^\d+ \d+ /.test(cron) ? !cron.startsWith("0 0 ") : true
  const forms = hasTimes
    ? "a local date YYYY-MM-DD or time YYYY-MM-DD-HH:MM that the calendar has, such as 2024-03-05-07:00"
    : "a local date YYYY-MM-DD that the calendar has, such as 2024-03-05"
  const read = (text: string) => (hasTimes || isDate(text) ? parseLocal(text) : undefined)
  const first = read(start)
  if (first === undefined) {
    throw refuse(`start ${JSON.stringify(start)} is not a date`, forms)
  }
  const last = end === undefined ? Number.POSITIVE_INFINITY : read(end)
  if (last === undefined) {
    throw refuse(`end ${JSON.stringify(end)} is not a date`, forms)
  }
  if (last <= first) {
    throw refuse(
      `end ${JSON.stringify(end)} is not after start ${JSON.stringify(start)}`,
      "an exclusive end after start"
    )
  }
  if (!TimeZone.isKnown(timeZone)) {
    throw refuse(`the time zone ${JSON.stringify(timeZone)} is unknown`, "an IANA name such as Europe/Berlin or UTC")
  }
  if (!Number.isInteger(endOffset)) {
    throw refuse(
      `endOffset ${endOffset} is not a number of windows`,
      "a whole number: 0, 1 for the running window, -1 …"
    )
  }
  return proto({ _tag: "TimeWindows", cadence, cron, start, end, timeZone, endOffset, exclusions: [...exclusions] })
}

/** Each offset with its least and greatest value, and what it is. */
const offsets = [
  ["minuteOffset", 0, 59, "a minute of the hour, 0 to 59"],
  ["hourOffset", 0, 23, "an hour of the day, 0 to 23"],
  ["dayOffset", 1, 28, "a day that each month has, 1 to 28; Partitions.cron knows other days"],
  ["firstMonth", 1, 12, "a month, 1 for January to 12 for December"],
  ["firstDayOfWeek", 0, 6, "0 for Sunday to 6 for Saturday"]
] as const

const refuseOffsets = (
  cadence: Cadence,
  options: FirstMonth & { readonly firstDayOfWeek?: number | undefined },
  refuse: (problem: string, expected: string) => InvalidPartitions
): void => {
  if (cadence === "cron") return
  for (const [name, least, greatest, expected] of offsets) {
    const value = options[name]
    if (value !== undefined && !(Number.isInteger(value) && least <= value && value <= greatest)) {
      throw refuse(`${name} ${value} is none`, expected)
    }
  }
}
