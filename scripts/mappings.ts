/**
 * The pictures of `docs/reference/mappings.md`, drawn by the engine: the windows are those of `Partitions`, and which rows
 * a unit reads is asked of the warehouse. `scripts/pictures.ts` puts them into the page.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Asset from "../packages/core/src/Asset.ts"
import * as Column from "../packages/core/src/Column.ts"
import * as PartitionMapping from "../packages/core/src/PartitionMapping.ts"
import * as PartitionReach from "../packages/core/src/PartitionReach.ts"
import * as Partitions from "../packages/core/src/Partitions.ts"
import * as PartitionSet from "../packages/core/src/PartitionSet.ts"
import * as MemoryRelation from "../packages/core/src/warehouse/MemoryRelation.ts"
import * as WriteStrategy from "../packages/core/src/WriteStrategy.ts"

/** A stretch of time, drawn with a letter for so many hours. */
interface Scale {
  readonly from: string
  readonly letters: number
  readonly hours: number
}

/** Which rows one unit reads through a mapping, to the scale of time. */
interface Timeline {
  readonly scale: Scale
  readonly mapping: PartitionMapping.PartitionMapping<"at">
  readonly upstream: Partitions.TimeWindows
  readonly downstream: Partitions.TimeWindows
  readonly unit: string
  readonly rows: ReadonlyArray<string>
}

const days = Partitions.daily({ start: "2024-03-01" })
const weeks = Partitions.weekly({ start: "2024-02-26" })
const kathmandu = Partitions.daily({ start: "2024-03-01", timeZone: "Asia/Kathmandu" })
const workdays = Partitions.daily({ start: "2024-03-01", exclusions: ["0 0 * * 6,0"] })
const noons = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, day) => `2024-03-${String(first + day).padStart(2, "0")}T12:00`)

const wide: Scale = { from: "2024-03-04", letters: 70, hours: 2.4 }
const fortnight: Scale = { from: "2024-03-04", letters: 84, hours: 4 }

const timelines: { readonly [name: string]: Timeline } = {
  all: {
    scale: wide,
    mapping: PartitionMapping.all,
    upstream: days,
    downstream: days,
    unit: "2024-03-06",
    rows: noons(4, 10)
  },
  byColumn: {
    scale: wide,
    mapping: PartitionMapping.byColumn("at"),
    upstream: days,
    downstream: kathmandu,
    unit: "2024-03-06",
    rows: noons(4, 10).flatMap((noon) => [noon, noon.replace("T12", "T20")])
  },
  onwards: {
    scale: wide,
    mapping: PartitionMapping.onwards("at"),
    upstream: days,
    downstream: days,
    unit: "2024-03-06",
    rows: noons(4, 10)
  },
  identity: {
    scale: wide,
    mapping: PartitionMapping.identity,
    upstream: days,
    downstream: kathmandu,
    unit: "2024-03-06",
    rows: noons(4, 10)
  },
  "timeWindows: a week of days": {
    scale: fortnight,
    mapping: PartitionMapping.timeWindows(),
    upstream: days,
    downstream: weeks,
    unit: "2024-03-11",
    rows: noons(4, 17)
  },
  "timeWindows: three days up to each day": {
    scale: wide,
    mapping: PartitionMapping.timeWindows({ startOffset: -2 }),
    upstream: days,
    downstream: days,
    unit: "2024-03-08",
    rows: noons(4, 10)
  },
  "timeWindows: another time zone": {
    scale: wide,
    mapping: PartitionMapping.timeWindows(),
    upstream: days,
    downstream: kathmandu,
    unit: "2024-03-06",
    rows: noons(4, 10)
  },
  "timeWindows: working days": {
    scale: { ...wide, from: "2024-03-07" },
    mapping: PartitionMapping.timeWindows({ startOffset: -1 }),
    upstream: workdays,
    downstream: workdays,
    unit: "2024-03-11",
    rows: noons(7, 13).filter((noon) => !/-(09|10)T/.test(noon))
  },
  last: {
    scale: wide,
    mapping: PartitionMapping.last,
    upstream: days,
    downstream: days,
    unit: "2024-03-05",
    rows: noons(4, 8)
  },
  keys: {
    scale: wide,
    mapping: PartitionMapping.keys("2024-03-04", "2024-03-07"),
    upstream: days,
    downstream: days,
    unit: "2024-03-06",
    rows: noons(4, 10)
  }
}

/** Which names are made of which. */
interface Matrix {
  readonly mapping: PartitionMapping.ByPartition
  readonly upstream: Partitions.Partitions
  readonly downstream: Partitions.Partitions
  readonly from: ReadonlyArray<string>
  readonly to: ReadonlyArray<string>
}

const moved = (month: string, years: number) => `${Number(month.slice(0, 4)) + years}${month.slice(4)}`

const names = (
  mapping: PartitionMapping.StaticMap,
  from: ReadonlyArray<string>,
  to: ReadonlyArray<string>
): Matrix => ({
  mapping,
  upstream: Partitions.fromKeys(from),
  downstream: Partitions.fromKeys(to),
  from,
  to
})

const months = Partitions.monthly({ start: "2023-01-01" })

const regions = Partitions.fromKeys(["eu", "us"])
const dayAndRegion = Partitions.multi({ day: days, region: regions })
const places = (days: ReadonlyArray<string>) => days.flatMap((day) => regions.keys.map((region) => `${day}|${region}`))

const matrices: { readonly [name: string]: Matrix } = {
  "staticMap: one to several": names(
    PartitionMapping.staticMap({ eu: ["de", "fr"], us: "us" }),
    ["eu", "us"],
    ["de", "fr", "us"]
  ),
  "staticMap: several to one": names(
    PartitionMapping.staticMap({ de: "eu", fr: "eu", us: "us" }),
    ["de", "fr", "us"],
    ["eu", "us"]
  ),
  custom: {
    mapping: PartitionMapping.custom({
      name: "year before",
      version: "1",
      downstream: (month) => [moved(month, 1)],
      upstream: (month) => [moved(month, -1)]
    }),
    upstream: months,
    downstream: months,
    from: ["2023-01-01", "2023-02-01", "2023-03-01"],
    to: ["2023-02-01", "2024-01-01", "2024-02-01", "2024-03-01"]
  },
  byDimension: {
    mapping: PartitionMapping.byDimension({
      day: PartitionMapping.timeWindows({ startOffset: -1 }),
      region: PartitionMapping.identity
    }),
    upstream: dayAndRegion,
    downstream: dayAndRegion,
    from: places(["2024-03-04", "2024-03-05"]),
    to: places(["2024-03-04", "2024-03-05", "2024-03-06"])
  },
  singleDimension: {
    mapping: PartitionMapping.singleDimension("day"),
    upstream: dayAndRegion,
    downstream: days,
    from: places(["2024-03-04", "2024-03-05"]),
    to: ["2024-03-04", "2024-03-05"]
  },
  "singleDimension: from a region": {
    mapping: PartitionMapping.singleDimension("region"),
    upstream: regions,
    downstream: dayAndRegion,
    from: ["eu", "us"],
    to: places(["2024-03-04", "2024-03-05"])
  }
}

/** The pictures by their names. */
export const pictures = (): ReadonlyMap<string, string> =>
  new Map([
    ...Object.entries(timelines).map(([name, timeline]) => [name, drawTimeline(timeline)] as const),
    ...Object.entries(matrices).map(([name, matrix]) => [name, drawMatrix(matrix)] as const)
  ])

// --- internal ---

const columns = Schema.Struct({ at: Column.timestamp, id: Column.text })

const instant = (text: string): number => Date.parse(text.includes("T") ? `${text}Z` : text)

const drawTimeline = ({ downstream, mapping, rows, scale, unit, upstream }: Timeline): string => {
  const column = (at: number) => Math.round((at - instant(scale.from)) / (scale.hours * 3_600_000))
  const wanted = Option.getOrThrow(Partitions.windowOf(downstream, unit))
  const stored = rows.map((at) => ({ at: `${at}:00.000000Z`, id: at }))
  const read = new Set(readBy({ mapping, upstream, downstream }, { unit, window: wanted }, stored))
  const isReadWindow = (window: { readonly start: number; readonly end: number }) =>
    rows.some((at) => read.has(at) && window.start <= instant(at) && instant(at) < window.end)
  const label = (text: string) => text.padEnd(12)
  const line = (partitions: Partitions.TimeWindows, isFull: (window: { start: number; end: number }) => boolean) => {
    const letters = Array.from({ length: scale.letters + 1 }, () => " ")
    let window = Partitions.windowEndingAfter(partitions, instant(scale.from))
    while (column(window.start) < scale.letters) {
      const [first, last] = [Math.max(column(window.start), 0), Math.min(column(window.end), scale.letters)]
      const fill = isFull(window) ? "=" : "."
      for (let at = first; at < last; at += 1) letters[at] = fill
      if (column(window.start) >= 0) letters[first] = "|"
      if (column(window.end) <= scale.letters) letters[last] = "|"
      const text = Partitions.keyOf(partitions, window).slice(5)
      const room = last - first - 1
      if (room >= text.length + 2) {
        const from = first + 1 + Math.floor((room - text.length) / 2)
        Array.from(text).forEach((letter, index) => (letters[from + index] = letter))
      }
      window = Partitions.shift(partitions, window, 1)
    }
    return letters.join("").trimEnd()
  }
  const marks = Array.from({ length: scale.letters }, () => " ")
  for (const at of rows) {
    const place = column(instant(at))
    if (place >= 0 && place < scale.letters) marks[place] = read.has(at) ? "●" : "○"
  }
  return [
    `${label("upstream")}${line(upstream, isReadWindow)}`,
    `${label("rows")}${marks.join("").trimEnd()}`,
    `${label("downstream")}${line(downstream, ({ start }) => start === wanted.start)}`,
    ""
  ].join("\n")
}

/** The rows that the warehouse gives to a unit. */
const readBy = (
  { downstream, mapping, upstream }: Pick<Timeline, "downstream" | "mapping" | "upstream">,
  unit: { readonly unit: string; readonly window: { readonly start: number; readonly end: number } },
  rows: ReadonlyArray<{ readonly at: string; readonly id: string }>
): ReadonlyArray<string> => {
  const options = {
    description: "drawn",
    columns,
    write: WriteStrategy.replacePartitions("at", { key: ["at", "id"] }),
    compute: { rows: () => [] }
  } as const
  const from = Asset.make("upstream", { ...options, partitions: upstream, inputs: {} })
  const to = Asset.make("downstream", {
    ...options,
    partitions: downstream,
    inputs: { from: Asset.input(from, mapping) }
  })
  const scope = { units: { _tag: "Listed", units: [unit.unit] }, partitions: [unit] } as const
  return to.inputs
    .flatMap((input) => MemoryRelation.ofInput(to, input, scope, rows))
    .flatMap(({ id }) => (typeof id === "string" ? [id] : []))
}

const drawMatrix = ({ downstream, from, mapping, to, upstream }: Matrix): string => {
  const only = (partitions: Partitions.Partitions, key: string) => PartitionSet.fromKeys(partitions, [key])
  const width = Math.max(...from.map((key) => key.length), 10) + 2
  const cells = from.map((key) => {
    const one = only(upstream, key)
    const reached =
      one._tag === "Success" ? PartitionReach.downstream(mapping, { upstream: one.success, downstream }) : undefined
    return to.map((unit) => {
      const other = only(downstream, unit)
      const needed =
        other._tag === "Success" ? PartitionReach.upstream(mapping, { downstream: other.success, upstream }) : undefined
      const reaches = reached !== undefined && PartitionSet.has(reached, unit)
      const needs = needed !== undefined && PartitionSet.has(needed, key)
      if (reaches !== needs) throw new Error(`${key} and ${unit} are related one way only`)
      return reaches ? "●" : "·"
    })
  })
  return [
    `${"".padEnd(width)}${to.join("  ")}`,
    ...from.map((key, row) =>
      `${key.padEnd(width)}${to.map((unit, column) => (cells[row]?.[column] ?? "").padEnd(unit.length)).join("  ")}`.trimEnd()
    ),
    ""
  ].join("\n")
}
