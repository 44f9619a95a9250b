/**
 * How is an asset cut into the units that are built, checked and replaced as a whole? Not at all, by a list of names, by
 * half-open windows of time in the asset's own time zone, or in several of these ways at once. A definition is data; the
 * time is always an argument (L12).
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Boxes from "./internal/boxes.ts"
import * as Calendar from "./internal/calendar.ts"
import * as internal from "./internal/partitionSet.ts"
import * as TimeZone from "./internal/timeZone.ts"
import * as WindowRules from "./internal/windowRules.ts"
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
  /** Where the keys come from, unless they are in the code. */
  readonly dynamic?: Dynamic
}

/**
 * Keys that are added and removed at run time: the ledger has them under a name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dynamic {
  readonly name: string
  /** When each of the keys was added: a key that was removed and is added again has another revision. */
  readonly revisions: ReadonlyArray<string>
}

/**
 * A key of dynamic partitions, as the ledger has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface DynamicKey {
  readonly key: string
  readonly revision: string
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
 * One way of several in which an asset is cut.
 *
 * @category models
 * @since 0.1.0
 */
export interface Dimension<out Name extends string = string> {
  readonly name: Name
  readonly partitions: Static | TimeWindows
}

/**
 * An asset cut in several ways at once, each with a name: by day and region.
 *
 * **Details**
 *
 * A key is the keys of the dimensions in their order, joined by `|`: `2024-03-05|eu`. A partition exists when its key of
 * each dimension does. Partitions are in the order of time first, dimension by dimension, and then in that of the names.
 *
 * @category models
 * @since 0.1.0
 */
export interface Multi<out Name extends string = string> {
  readonly [TypeId]: typeof TypeId
  readonly _tag: "Multi"
  readonly dimensions: ReadonlyArray<Dimension<Name>>
}

/**
 * The cut of an asset.
 *
 * @category models
 * @since 0.1.0
 */
export type Partitions = Unpartitioned | Static | TimeWindows | Multi

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
 * What stands between the keys of the dimensions in a key.
 *
 * @category constants
 * @since 0.1.0
 */
export const delimiter = "|"

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
 * Cuts an asset by keys that are added and removed at run time, and kept in the ledger under a name that several assets may
 * share; throws `InvalidPartitions` where the name cannot be one.
 *
 * **Details**
 *
 * The definition has no keys of its own: those of the moment, in the order in which they were added, are put into it by
 * `withKeys` before anything reads it. The version of an asset's code does not depend on them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dynamic = (name: string): Static => {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) {
    throw refusal(`Partitions.dynamic(${JSON.stringify(name)})`)(
      `${JSON.stringify(name)} is no name`,
      "lower-case snake_case that begins with a letter, at most 63 characters"
    )
  }
  return proto({ _tag: "Static", keys: [], dynamic: { name, revisions: [] } })
}

/**
 * The same cut with the keys that its name stands for at the moment, in the order in which they were added; a cut whose
 * keys are all in the code is given back as it is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withKeys: {
  (keysOf: (name: string) => ReadonlyArray<DynamicKey>): (self: Partitions) => Partitions
  (self: Partitions, keysOf: (name: string) => ReadonlyArray<DynamicKey>): Partitions
} = dual(2, (self: Partitions, keysOf: (name: string) => ReadonlyArray<DynamicKey>): Partitions => {
  if (self._tag === "Static") return named(self, keysOf)
  if (self._tag !== "Multi") return self
  const resolved = self.dimensions.map(({ partitions }) =>
    partitions._tag === "Static" ? named(partitions, keysOf) : partitions
  )
  const isSame = self.dimensions.every(({ partitions }, place) => partitions === resolved[place])
  return isSame
    ? self
    : proto({
        _tag: "Multi",
        dimensions: self.dimensions.map((dimension, place) => ({
          ...dimension,
          partitions: resolved[place] ?? dimension.partitions
        }))
      })
})

/**
 * What of a cut is in the code: the same without the keys that only the ledger has.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withoutKeys = (self: Partitions): Partitions => withKeys(self, () => [])

/**
 * The names under which the ledger has keys of a cut.
 *
 * @category getters
 * @since 0.1.0
 */
export const dynamicNames = (self: Partitions): ReadonlyArray<string> =>
  self._tag === "Multi"
    ? self.dimensions.flatMap(({ partitions }) => dynamicNames(partitions))
    : self._tag === "Static" && self.dynamic !== undefined
      ? [self.dynamic.name]
      : []

/**
 * Tells of the keys of a cut when each was added, as far as the ledger has them: the same text as long as a key was not
 * removed and added again; undefined for what is no key.
 *
 * @category getters
 * @since 0.1.0
 */
export const revisionsOf = (self: Partitions): ((key: string) => string | undefined) => {
  switch (self._tag) {
    case "Unpartitioned":
    case "TimeWindows":
      return () => ""
    case "Static": {
      const revisions = new Map(self.keys.map((key, place) => [key, self.dynamic?.revisions[place] ?? ""]))
      return (key) => revisions.get(key)
    }
    case "Multi": {
      const dimensions = self.dimensions.map(({ partitions }) => revisionsOf(partitions))
      return (key) => {
        const parts = (keysOf(self, key) ?? []).map((part, place) => dimensions[place]?.(part))
        return parts.length === 0 || parts.includes(undefined) ? undefined : parts.join()
      }
    }
  }
}

/**
 * The same cut with some more keys behind its own: rows of a key that was removed are still rows of a key, for who says what
 * else they reach. Of cuts whose keys are all in the code, and of several dimensions, it is the cut itself.
 *
 * @category combinators
 * @since 0.1.0
 */
export const including = (self: Partitions, keys: Iterable<string>): Partitions => {
  if (self._tag !== "Static" || self.dynamic === undefined) return self
  const own = new Set(self.keys)
  const more = Array.from(new Set(keys)).filter((key) => !own.has(key))
  return more.length === 0
    ? self
    : proto({
        _tag: "Static",
        keys: [...self.keys, ...more],
        dynamic: { name: self.dynamic.name, revisions: [...self.dynamic.revisions, ...more.map(() => "")] }
      })
}

/**
 * Fails on the first of some keys that could not be one of dynamic partitions, saying why.
 *
 * @category predicates
 * @since 0.1.0
 */
export const checkKeys = (name: string, keys: ReadonlyArray<string>): Result.Result<void, InvalidPartitions> => {
  for (const key of keys) {
    const problem = problemOfKey(key)
    if (problem !== undefined) {
      const text = key.length > 40 ? `${key.slice(0, 40)}…` : key
      return Result.fail(
        refusal(`the dynamic partitions "${name}"`)(
          `the key ${JSON.stringify(text)} ${problem}`,
          'keys of 1 to 200 bytes without "|", commas, line breaks and outer spaces, other than "all", "latest" and "*"'
        )
      )
    }
  }
  return Result.void
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
 * Cuts an asset in several ways at once, by dimensions in the order given.
 *
 * **Details**
 *
 * The key of a dimension may not hold the `|` that joins keys, so that a key says its parts in one way only: a name with one
 * is refused here, as is `*`, which stands for a whole dimension in a range.
 *
 * **Example** (A day of one region at a time)
 *
 * ```ts
 * import * as Partitions from "@assay/core/Partitions"
 *
 * export const dayAndRegion = Partitions.multi({
 *   day: Partitions.daily({ start: "2024-01-01" }),
 *   region: Partitions.fromKeys(["eu", "us"])
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const multi = <const Name extends string>(dimensions: {
  readonly [Dimension in Name]: Static | TimeWindows
}): Multi<Name> => {
  const named = Record.toEntries(dimensions).map(([name, partitions]) => ({ name, partitions }))
  const refuse = refusal(`Partitions.multi({ ${named.map(({ name }) => name).join(", ")} })`)
  if (named.length < 2) {
    throw refuse(
      named.length === 0 ? "there is no dimension" : "there is only one dimension",
      "two dimensions or more; an asset that is cut in one way takes that cut itself"
    )
  }
  for (const { name, partitions } of named) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw refuse(
        `${JSON.stringify(name)} is no name of a dimension`,
        "letters, digits and _, beginning with a letter"
      )
    }
    if (partitions._tag !== "Static") continue
    const key = partitions.keys.find((candidate) => candidate.includes(delimiter) || candidate === unit)
    if (key !== undefined) {
      throw refuse(
        `the key ${JSON.stringify(key)} of dimension "${name}" could not be told apart in a key of several`,
        `keys without "${delimiter}", which joins the keys of the dimensions, and other than "${unit}"`
      )
    }
  }
  return proto({ _tag: "Multi", dimensions: named })
}

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
 * Whether an asset is cut in several ways at once.
 *
 * @category guards
 * @since 0.1.0
 */
export const isMulti = (self: Partitions): self is Multi => self._tag === "Multi"

/**
 * The ways in which an asset is cut, in the order in which its partitions are counted: by time first, and then by names.
 * `place` is that of the dimension in a key.
 *
 * @category getters
 * @since 0.1.0
 */
export const axes = (self: Multi): ReadonlyArray<Dimension & { readonly place: number }> => {
  let known = axesOf.get(self)
  if (known === undefined) {
    const placed = self.dimensions.map((dimension, place) => ({ ...dimension, place }))
    known = [
      ...placed.filter(({ partitions }) => isTimeWindows(partitions)),
      ...placed.filter(({ partitions }) => !isTimeWindows(partitions))
    ]
    axesOf.set(self, known)
  }
  return known
}

/**
 * The keys of the dimensions in a key, in their order; undefined where these are not as many.
 *
 * @category getters
 * @since 0.1.0
 */
export const keysOf: {
  (key: string): (self: Multi) => ReadonlyArray<string> | undefined
  (self: Multi, key: string): ReadonlyArray<string> | undefined
} = dual(2, (self: Multi, key: string): ReadonlyArray<string> | undefined => {
  const keys = key.split(delimiter)
  return keys.length === self.dimensions.length ? keys : undefined
})

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
 * The window of a key; none for names, for dates out of range, and for a key that is not exactly one of a window. Of several
 * dimensions it is that of the only one with windows.
 *
 * @category getters
 * @since 0.1.0
 */
export const windowOf: {
  (key: string): (self: Partitions) => Option.Option<TimeWindow>
  (self: Partitions, key: string): Option.Option<TimeWindow>
} = dual(2, (self: Partitions, key: string): Option.Option<TimeWindow> => {
  if (isMulti(self)) {
    const [first, second] = axes(self)
    const isOnly = first !== undefined && second !== undefined && !isTimeWindows(second.partitions)
    return isOnly && isKey(self, key)
      ? windowOf(first.partitions, keysOf(self, key)?.[first.place] ?? "")
      : Option.none()
  }
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
 * The same dimensions with other cuts.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mapDimensions: {
  (cut: (dimension: Dimension) => Static | TimeWindows): (self: Multi) => Multi
  (self: Multi, cut: (dimension: Dimension) => Static | TimeWindows): Multi
} = dual(2, (self: Multi, cut: (dimension: Dimension) => Static | TimeWindows): Multi =>
  proto({
    _tag: "Multi",
    dimensions: self.dimensions.map((dimension) => ({ name: dimension.name, partitions: cut(dimension) }))
  })
)

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
    case "Multi":
      return alongAxes(self, (partitions) => existing(partitions, now))
  }
})

/**
 * The partitions whose windows have ended at an instant, whatever the definition's `endOffset`; names always have.
 *
 * @category getters
 * @since 0.1.0
 */
export const finished: {
  (now: number): (self: Partitions) => internal.PartitionSet<Partitions>
  (self: Partitions, now: number): internal.PartitionSet<Partitions>
} = dual(2, (self: Partitions, now: number): internal.PartitionSet<Partitions> => {
  switch (self._tag) {
    case "Unpartitioned":
    case "Static":
      return existing(self, now)
    case "TimeWindows": {
      const { end, start } = range(self)
      return internal.make<Partitions>(self, [{ start, end: Math.min(end, unfinishedAt(self, now)) }])
    }
    case "Multi":
      return alongAxes(self, (partitions) => finished(partitions, now))
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
    case "Multi": {
      const keys = keysOf(self, key)
      return (
        keys !== undefined && self.dimensions.every(({ partitions }, place) => isKey(partitions, keys[place] ?? ""))
      )
    }
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
} = dual(3, (self: Partitions, key: string, now: number): boolean => {
  if (isMulti(self)) {
    const keys = keysOf(self, key)
    return (
      keys !== undefined &&
      self.dimensions.every(({ partitions }, place) => isComplete(partitions, keys[place] ?? "", now))
    )
  }
  return isTimeWindows(self) ? Option.exists(windowOf(self, key), (window) => window.end <= now) : isKey(self, key)
})

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
    case "Static": {
      if (self.dynamic === undefined) return `static: ${self.keys.join(", ")}`
      const more = self.keys.length > 10 ? ` and ${self.keys.length - 10} more` : ""
      return `dynamic ${self.dynamic.name}: ${self.keys.length === 0 ? "no keys" : self.keys.slice(0, 10).join(", ")}${more}`
    }
    case "TimeWindows":
      return [
        self.cadence === "cron" ? `cron ${self.cron}` : self.cadence,
        ` from ${self.start}${self.end === undefined ? "" : ` to ${self.end}`}`,
        self.exclusions.length === 0 ? "" : ` without ${self.exclusions.join(", ")}`,
        ` (${self.timeZone})`
      ].join("")
    case "Multi":
      return self.dimensions.map(({ name, partitions }) => `${name} (${format(partitions)})`).join(" | ")
  }
}

// --- internal ---

const ranges = new WeakMap<TimeWindows, TimeWindow>()

const endlessly = new WeakMap<TimeWindows, TimeWindows>()

const axesOf = new WeakMap<Multi, ReadonlyArray<Dimension & { readonly place: number }>>()

/** What is true of a partition when it is true of its key of each dimension. */
const alongAxes = (
  self: Multi,
  setOf: (partitions: Static | TimeWindows) => internal.PartitionSet<Partitions>
): internal.PartitionSet<Partitions> =>
  internal.fromBoxes<Partitions>(self, Boxes.product(axes(self).map(({ partitions }) => setOf(partitions).spans)))

// A hoisted declaration, because `unpartitioned` is made while the module loads.
function proto<A extends { readonly _tag: string }>(fields: A): A & { readonly [TypeId]: typeof TypeId } {
  return { [TypeId]: TypeId, ...fields }
}

const refusal =
  (definition: string) =>
  (problem: string, expected: string): InvalidPartitions =>
    new InvalidPartitions({ definition, problem, expected })

const named = (self: Static, keysOf: (name: string) => ReadonlyArray<DynamicKey>): Static => {
  if (self.dynamic === undefined) return self
  const { name, revisions } = self.dynamic
  const found = keysOf(name)
  const isSame =
    found.length === revisions.length &&
    found.every(({ key, revision }, place) => self.keys[place] === key && revisions[place] === revision)
  if (isSame) return self
  return proto({
    _tag: "Static",
    keys: found.map(({ key }) => key),
    dynamic: { name, revisions: found.map(({ revision }) => revision) }
  })
}

/** Why a text cannot be a key that is told apart in a range, in a key of several dimensions and in a line. */
const problemOfKey = (key: string): string | undefined => {
  if (key === "") return "is empty"
  if (key !== key.trim()) return "begins or ends with a space"
  if (key === unit) return "stands for an asset in one piece"
  if (key.includes("|")) return 'holds "|", which stands between the dimensions of a key'
  if (key.includes(",")) return "holds a comma, which stands between the items of a range"
  if (/\p{Cc}|\u2028|\u2029/u.test(key)) return "holds a line break or another control character"
  if (!key.isWellFormed()) return "holds half of a character"
  if (key === "all" || key === "latest") return "is a word of ranges"
  const bytes = new TextEncoder().encode(key).length
  return bytes > 200 ? `has ${bytes} bytes` : undefined
}

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

// Only for the texts that the constructor has read before.
const wallOf = (text: string): number => WindowRules.parseLocal(text) ?? Number.NaN

const timeWindows = (
  cadence: Cadence,
  options: TimeWindowsOptions & FirstMonth & { readonly firstDayOfWeek?: number | undefined },
  cron: string
): TimeWindows => {
  const { end, endOffset = 0, exclusions = [], start, timeZone = "UTC" } = options
  const fault = WindowRules.faultOf({ ...options, cron, endOffset, exclusions, timeZone }, cadence === "cron")
  if (fault !== undefined) {
    throw refusal(
      cadence === "cron"
        ? `Partitions.cron(${JSON.stringify(cron)}, ${JSON.stringify(options)})`
        : `Partitions.${cadence}(${JSON.stringify(options)})`
    )(fault.problem, fault.expected)
  }
  return proto({ _tag: "TimeWindows", cadence, cron, start, end, timeZone, endOffset, exclusions: [...exclusions] })
}
