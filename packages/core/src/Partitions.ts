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
 * The length of the windows of time: one local hour, day, week or month.
 *
 * @category models
 * @since 0.1.0
 */
export type Cadence = Calendar.Grid["cadence"]

/**
 * The first day of a week, counted from Sunday (0) to Saturday (6).
 *
 * @category models
 * @since 0.1.0
 */
export type DayOfWeek = Calendar.Grid["firstDayOfWeek"]

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
 * An asset cut by windows of local time that follow each other without a gap.
 *
 * **Details**
 *
 * The first window opens with the first tick (full hour, midnight, first day of the week or of the month) at or after `start`.
 * Windows lie wholly before `end`: the one that would cross it is no partition. A window exists when it has ended;
 * `endOffset` n > 0 adds n unfinished ones (1 is the running one), n < 0 holds back the last n finished ones.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeWindows {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "TimeWindows"
  readonly cadence: Cadence
  readonly start: string
  readonly end: string | undefined
  readonly timeZone: string
  readonly firstDayOfWeek: DayOfWeek
  readonly endOffset: number
}

/**
 * The cut of an asset.
 *
 * @category models
 * @since 0.1.0
 */
export type Partitions = Unpartitioned | Static | TimeWindows

/**
 * What all windows of time take: local dates, the zone in which they are read, and how far existence runs ahead or behind.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeWindowsOptions {
  readonly start: string
  readonly end?: string | undefined
  readonly timeZone?: string | undefined
  readonly endOffset?: number | undefined
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
 * Cuts an asset by hours, on the full hour of the local clock.
 *
 * **Gotchas**
 *
 * An hour that the clock skips does not exist; one that it repeats is two partitions, of which the second carries its offset
 * in the key: `2021-11-07-01:00-0500`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hourly = (options: TimeWindowsOptions): TimeWindows => timeWindows("hourly", options)

/**
 * Cuts an asset by local days, which last 23 or 25 hours where the clock changes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const daily = (options: TimeWindowsOptions): TimeWindows => timeWindows("daily", options)

/**
 * Cuts an asset by local weeks, which begin on Monday unless told otherwise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const weekly = (
  options: TimeWindowsOptions & { readonly firstDayOfWeek?: DayOfWeek | undefined }
): TimeWindows => timeWindows("weekly", options)

/**
 * Cuts an asset by local calendar months.
 *
 * @category constructors
 * @since 0.1.0
 */
export const monthly = (options: TimeWindowsOptions): TimeWindows => timeWindows("monthly", options)

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
    const start = Calendar.ceil(self, TimeZone.fromWall(self.timeZone, wallOf(self, self.start)))
    const end =
      self.end === undefined
        ? Number.POSITIVE_INFINITY
        : Calendar.floor(self, TimeZone.fromWall(self.timeZone, wallOf(self, self.end)))
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
  return start === undefined ? Option.none() : within(self, { start, end: Calendar.next(self, start) })
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
 * The window that holds an instant, whether or not it exists or lies in the range.
 *
 * @category getters
 * @since 0.1.0
 */
export const windowAt: {
  (instant: number): (self: TimeWindows) => TimeWindow
  (self: TimeWindows, instant: number): TimeWindow
} = dual(2, (self: TimeWindows, instant: number): TimeWindow => {
  const start = Calendar.floor(self, instant)
  return { start, end: Calendar.next(self, start) }
})

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
  within(self, windowAt(self, windowAt(self, startOf(at)).end))
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
      const until = Calendar.shift(self, Calendar.floor(self, now), self.endOffset)
      return internal.make<Partitions>(self, [{ start, end: Math.min(end, until) }])
    }
  }
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
      return `${self.cadence} from ${self.start}${self.end === undefined ? "" : ` to ${self.end}`} (${self.timeZone})`
  }
}

// --- internal ---

const ranges = new WeakMap<TimeWindows, TimeWindow>()

// A hoisted declaration, because `unpartitioned` is made while the module loads.
function proto<A extends { readonly _tag: string }>(fields: A): A & { readonly [TypeId]: typeof TypeId } {
  return { [TypeId]: TypeId, ...fields }
}

const refusal =
  (definition: string) =>
  (problem: string, expected: string): InvalidPartitions =>
    new InvalidPartitions({ definition, problem, expected })

const startOf = (at: TimeWindow | number): number => (typeof at === "number" ? at : at.start)

const within = (self: TimeWindows, window: TimeWindow): Option.Option<TimeWindow> => {
  const { end, start } = range(self)
  return start <= window.start && window.end <= end ? Option.some(window) : Option.none()
}

const parseLocal = (cadence: Cadence, text: string): number | undefined =>
  cadence === "hourly" && text.length > 10 && /^[-T]$/.test(text.charAt(10))
    ? Calendar.parseWall(text.slice(0, 10), text.slice(11))
    : Calendar.parseWall(text)

// Only for the texts that the constructor has read before.
const wallOf = (self: TimeWindows, text: string): number => parseLocal(self.cadence, text) ?? Number.NaN

const timeWindows = (
  cadence: Cadence,
  options: TimeWindowsOptions & { readonly firstDayOfWeek?: DayOfWeek | undefined }
): TimeWindows => {
  const { end, endOffset = 0, firstDayOfWeek = 1, start, timeZone = "UTC" } = options
  const refuse = refusal(`Partitions.${cadence}(${JSON.stringify(options)})`)
  const forms =
    cadence === "hourly"
      ? "a local date YYYY-MM-DD or hour YYYY-MM-DD-HH:MM that the calendar has, such as 2024-03-05-07:00"
      : "a local date YYYY-MM-DD that the calendar has, such as 2024-03-05"
  const first = parseLocal(cadence, start)
  if (first === undefined) {
    throw refuse(`start ${JSON.stringify(start)} is not a date`, forms)
  }
  const last = end === undefined ? Number.POSITIVE_INFINITY : parseLocal(cadence, end)
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
  if (![0, 1, 2, 3, 4, 5, 6].includes(firstDayOfWeek)) {
    throw refuse(`firstDayOfWeek ${firstDayOfWeek} is not a day`, "0 for Sunday to 6 for Saturday")
  }
  return proto({ _tag: "TimeWindows", cadence, start, end, timeZone, firstDayOfWeek, endOffset })
}
