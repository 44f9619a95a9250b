/**
 * Windows across time zones and grids: whatever two schedules meet at an edge, a window downstream is made of the rows of
 * the windows upstream that it overlaps, and of no other, and it is stale when one of them may differ. The oracle looks at
 * clocks on walls (`NaiveWindows`). Rows are strewn around changes of the clock.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import { Materializations } from "@assay/core/ledger/Materializations"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import type { Unit } from "@assay/core/Unit"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Test } from "../execution/EngineSuite.ts"
import * as Prng from "../oracle/Prng.ts"
import * as Feed from "../shop/Feed.ts"
import { open, Time } from "../shop/Storage.ts"
import { built, rows } from "../shop/Trade.ts"
import * as NaiveWindows from "./NaiveWindows.ts"

const fields = {
  origin: Column.text,
  line: Column.integer,
  id: Column.text,
  day: Column.date,
  at: Column.timestamp,
  note: Column.text,
  seen: Column.integer,
  is_deleted: Column.boolean
}

type Delivered = Schema.Struct<typeof fields>["Type"]

/** A row of `thing`. */
type Thing = Pick<Delivered, "id" | "day" | "at" | "note">

/** A stretch of time in which clocks are set: the partitions lie in it, and rows a little beyond. */
export interface Season {
  readonly start: string
  readonly end: string
  /** Where the totals begin, which have a window every half hour, for a day. */
  readonly narrow: string
  /** From when to when the oracle looks at its walls. */
  readonly from: string
  readonly until: string
  /** When it is over. */
  readonly now: string
  /** Where rows are strewn: around these instants. */
  readonly around: readonly [string, ...Array<string>]
}

/** Berlin and New York set their clocks back, an hour each, a week apart. */
export const autumn: Season = {
  start: "2021-10-29",
  narrow: "2021-11-07",
  end: "2021-11-11",
  from: "2021-09-20",
  until: "2021-12-31",
  now: "2022-01-05T00:00:00Z",
  around: ["2021-10-31T01:00:00Z", "2021-11-07T06:00:00Z", "2021-11-06T03:00:00Z"]
}

/** Berlin sets its clock on, and Lord Howe back by half an hour. */
export const spring: Season = {
  start: "2022-03-25",
  narrow: "2022-03-27",
  end: "2022-04-06",
  from: "2022-02-15",
  until: "2022-05-31",
  now: "2022-06-05T00:00:00Z",
  around: ["2022-03-27T01:00:00Z", "2022-04-02T15:00:00Z", "2022-04-01T12:00:00Z"]
}

/** New York sets its clock on. */
export const march: Season = {
  start: "2022-03-09",
  narrow: "2022-03-13",
  end: "2022-03-18",
  from: "2022-01-25",
  until: "2022-05-15",
  now: "2022-06-05T00:00:00Z",
  around: ["2022-03-13T07:00:00Z", "2022-03-12T05:00:00Z", "2022-03-14T12:00:00Z"]
}

const newYork = "America/New_York"
const berlin = "Europe/Berlin"
const kathmandu = "Asia/Kathmandu"
const lordHowe = "Australia/Lord_Howe"

const everyDay = () => true
const isWeekend = ({ weekday }: NaiveWindows.Day) => weekday === 0 || weekday === 6
const hours = Array.from({ length: 24 }, (_, hour) => hour * 60)

/** A cut as the engine is told it and as the oracle reads it on the wall. */
interface Cut {
  readonly partitions: (options: { readonly start: string; readonly end: string }) => Partitions.TimeWindows
  readonly schedule: NaiveWindows.Schedule
}

const daily = (timeZone: string): Cut => ({
  partitions: (options) => Partitions.daily({ ...options, timeZone }),
  schedule: { timeZone, isRunning: false, times: [0], isDay: everyDay, dateAt: 0 }
})

const cuts = {
  utcDays: daily("UTC"),
  kathmanduDays: daily(kathmandu),
  berlinDays: daily(berlin),
  newYorkHours: {
    partitions: (options) => Partitions.hourly({ ...options, timeZone: newYork }),
    schedule: { timeZone: newYork, isRunning: true, times: hours, isDay: everyDay, dateAt: 0 }
  },
  newYorkHalfHours: {
    partitions: (options) => Partitions.cron("*/30 * * * *", { ...options, timeZone: newYork }),
    schedule: {
      timeZone: newYork,
      isRunning: true,
      times: hours.flatMap((hour) => [hour, hour + 30]),
      isDay: everyDay,
      dateAt: 0
    }
  },
  newYorkWorkdays: {
    partitions: (options) => Partitions.daily({ ...options, timeZone: newYork, exclusions: ["0 0 * * 6,0"] }),
    schedule: {
      timeZone: newYork,
      isRunning: false,
      times: [0],
      isDay: everyDay,
      isExcluded: isWeekend,
      dateAt: 0
    }
  },
  /** The clock skips 02:30 in March, and shows it once in November. */
  newYorkNights: {
    partitions: (options) => Partitions.daily({ ...options, timeZone: newYork, hourOffset: 2, minuteOffset: 30 }),
    schedule: { timeZone: newYork, isRunning: false, times: [150], isDay: everyDay, dateAt: 150 }
  },
  newYorkShifts: {
    partitions: (options) => Partitions.cron("0 1,2,6,18 * * *", { ...options, timeZone: newYork }),
    schedule: { timeZone: newYork, isRunning: false, times: [60, 120, 360, 1080], isDay: everyDay, dateAt: 0 }
  },
  lordHoweThirds: {
    partitions: (options) => Partitions.cron("0 2,10,18 * * *", { ...options, timeZone: lordHowe }),
    schedule: { timeZone: lordHowe, isRunning: false, times: [120, 600, 1080], isDay: everyDay, dateAt: 0 }
  },
  berlinWeeks: {
    partitions: (options) => Partitions.weekly({ ...options, timeZone: berlin }),
    schedule: { timeZone: berlin, isRunning: false, times: [0], isDay: ({ weekday }) => weekday === 1, dateAt: 0 }
  },
  berlinMonths: {
    partitions: ({ end, start }) =>
      Partitions.monthly({ start: `${start.slice(0, 7)}-01`, end: laterMonth(end), timeZone: berlin }),
    schedule: {
      timeZone: berlin,
      isRunning: false,
      times: [0],
      isDay: ({ dayOfMonth }) => dayOfMonth === 1,
      dateAt: 0
    }
  }
} satisfies { readonly [name: string]: Cut }

/** What is listed by which cut, of which cut upstream, through which offsets. */
const edges = {
  kathmandu_of_utc: { from: "utcDays", by: "at", to: "kathmanduDays", offsets: {} },
  utc_of_kathmandu: { from: "kathmanduDays", by: "at", to: "utcDays", offsets: { startOffset: -1, endOffset: 1 } },
  workdays_of_hours: { from: "newYorkHours", by: "at", to: "newYorkWorkdays", offsets: {} },
  trailing_workdays: { from: "newYorkHours", by: "at", to: "newYorkWorkdays", offsets: { startOffset: -1 } },
  kathmandu_of_workdays: { from: "newYorkWorkdays", by: "at", to: "kathmanduDays", offsets: {} },
  months_of_weeks: { from: "berlinWeeks", by: "day", to: "berlinMonths", offsets: {} },
  thirds_of_days: { from: "berlinDays", by: "day", to: "lordHoweThirds", offsets: { endOffset: 1 } },
  kathmandu_of_nights: { from: "newYorkNights", by: "day", to: "kathmanduDays", offsets: {} },
  shifts_of_half_hours: { from: "newYorkHalfHours", by: "at", to: "newYorkShifts", offsets: {} },
  nights_of_shifts: { from: "newYorkShifts", by: "at", to: "newYorkNights", offsets: { startOffset: 1, endOffset: 1 } },
  shifts_of_thirds: { from: "lordHoweThirds", by: "at", to: "newYorkShifts", offsets: {} }
} as const satisfies { readonly [asset: string]: Edge }

interface Edge {
  readonly from: keyof typeof cuts
  readonly by: "at" | "day"
  readonly to: keyof typeof cuts
  readonly offsets: { readonly startOffset?: number; readonly endOffset?: number }
}

/** What is listed of all that happened up to the end of a window. */
const soFar = {
  so_far_workdays: { to: "newYorkWorkdays", isNarrow: false },
  so_far_half_hours: { to: "newYorkHalfHours", isNarrow: true }
} as const satisfies { readonly [asset: string]: Total }

interface Total {
  readonly to: keyof typeof cuts
  readonly isNarrow: boolean
}

const upstreams = Array.from(new Map(Object.values(edges).map(({ by, from }) => [`${from}_${by}`, { by, from }])))

const tableOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const laterMonth = (date: string): string => {
  const [year = 0, month = 0] = date.split("-").map(Number)
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10)
}

const policy = MaterializationPolicy.make({ stepSize: 1, incompleteWindows: "build" })

const listed = { starts: Column.timestamp, id: Column.text, note: Column.text }

const startOf = ({ window }: Unit): string =>
  window === undefined ? "" : DateTime.formatIso(DateTime.makeUnsafe(window.start)).replace("Z", "000Z")

/** What the unit of the step was given. */
const listing = (units: ReadonlyArray<Unit>, given: ReadonlyArray<{ readonly id: string; readonly note: string }>) =>
  units.flatMap((unit) => given.map(({ id, note }) => ({ starts: startOf(unit), id, note })))

const graph = (source: Source<Delivered>, season: Season) => {
  const log = Asset.source("thing_log", {
    description: "Everything ever said of a thing",
    columns: Schema.Struct({ ...fields, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    source
  })
  const thing = Asset.make("thing", {
    description: "Things as they are",
    columns: Schema.Struct({
      id: Column.text,
      day: Column.date,
      at: Column.timestamp,
      note: Column.text,
      seen: Column.integer
    }),
    inputs: {
      log: Asset.input(log, PartitionMapping.byColumn("id"), {
        columns: ["id", "day", "at", "note", "seen", "is_deleted"]
      })
    },
    write: WriteStrategy.upsert({ key: ["id"], version: "seen" }),
    compute: { rows: ({ log }) => log.map(({ is_deleted, ...row }) => ({ ...row, _deleted: is_deleted, _tie: "" })) }
  })
  const cut = (from: keyof typeof cuts, by: "at" | "day") =>
    Asset.make(tableOf(`${from}_${by}`), {
      description: "Things by time",
      columns: Schema.Struct({
        time: by === "at" ? Column.timestamp : Column.date,
        id: Column.text,
        note: Column.text
      }),
      partitions: cuts[from].partitions(season),
      inputs: { things: Asset.input(thing, PartitionMapping.byColumn(by), { columns: ["id", "day", "at", "note"] }) },
      write: WriteStrategy.replacePartitions("time", { key: ["time", "id"] }),
      compute: { rows: ({ things }) => things.map(({ [by]: time, id, note }) => ({ time, id, note })) }
    })
  const upstream = new Map(upstreams.map(([name, { by, from }]) => [name, cut(from, by)]))
  const lists = Object.entries(edges).flatMap(([name, { by, from, offsets, to }]) => {
    const asset = upstream.get(`${from}_${by}`)
    return asset === undefined
      ? []
      : [
          Asset.make(name, {
            description: "What a window was given",
            columns: Schema.Struct(listed),
            partitions: cuts[to].partitions(season),
            inputs: { things: Asset.input(asset, PartitionMapping.timeWindows(offsets), { columns: ["id", "note"] }) },
            write: WriteStrategy.replacePartitions("starts", { key: ["starts", "id"] }),
            policy,
            compute: { rows: ({ things, units }) => listing(units, things) }
          })
        ]
  })
  const totals = Object.entries(soFar).map(([name, total]) =>
    Asset.make(name, {
      description: "What happened up to the end of a window",
      columns: Schema.Struct(listed),
      partitions: cuts[total.to].partitions(rangeOf(total, season)),
      inputs: { things: Asset.input(thing, PartitionMapping.onwards("at"), { columns: ["id", "note"] }) },
      write: WriteStrategy.replacePartitions("starts", { key: ["starts", "id"] }),
      policy,
      compute: { rows: ({ things, units }) => listing(units, things) }
    })
  )
  return AssetGraph.fromIterable([log, thing, ...upstream.values(), ...lists, ...totals])
}

/** A few days only, for what has a window every half hour. */
const rangeOf = ({ isNarrow }: Total, season: Season): { readonly start: string; readonly end: string } =>
  isNarrow
    ? { start: season.narrow, end: new Date(Date.parse(season.narrow) + 86_400_000).toISOString().slice(0, 10) }
    : season

/** The windows of a cut in its range, and all that there are on the wall. */
const naive = (name: keyof typeof cuts, season: Season, range: { readonly start: string; readonly end: string }) => {
  const memory = `${name} ${range.start} ${range.end}`
  const known = seen.get(memory) ?? look(name, season, range)
  seen.set(memory, known)
  return known
}

const look = (name: keyof typeof cuts, season: Season, range: { readonly start: string; readonly end: string }) => {
  const { partitions, schedule } = cuts[name]
  const { end = "", start } = partitions(range)
  const midnights = { ...schedule, dateAt: 0 }
  const from = NaiveWindows.instantOf(midnights, start, season.from, season.until)
  const until = NaiveWindows.instantOf(midnights, end, season.from, season.until)
  const all = NaiveWindows.windows(schedule, season.from, season.until)
  return { all, own: all.filter((window) => from <= window.start && window.end <= until), schedule }
}

const seen = new Map<string, ReturnType<typeof look>>()

type Row = readonly [starts: string, id: string, note: string]

const instantText = (instant: number): string => new Date(instant).toISOString().replace("Z", "000Z")

/** What an edge's table is, given the rows of its upstream table. */
const expectedOf = (
  { from, offsets, to }: Edge,
  season: Season,
  given: ReadonlyArray<{ readonly time: string; readonly id: string; readonly note: string }>
): ReadonlyArray<Row> => {
  const upstream = naive(from, season, season)
  const downstream = naive(to, season, season)
  const placed = given.flatMap((row) => {
    const instant =
      row.time.length === 10
        ? NaiveWindows.instantOf(upstream.schedule, row.time, season.from, season.until)
        : Date.parse(row.time)
    const window = upstream.own.find(({ end, start }) => start <= instant && instant < end)
    return window === undefined ? [] : [{ ...row, window }]
  })
  return downstream.own.flatMap(({ start }) => {
    const place = downstream.all.findIndex((window) => window.start === start)
    const first = downstream.all[place + (offsets.startOffset ?? 0)]
    const last = downstream.all[place + (offsets.endOffset ?? 0)]
    if (first === undefined || last === undefined) throw new Error("the oracle has not looked long enough")
    return placed.flatMap(({ id, note, window }): ReadonlyArray<Row> =>
      window.start < last.end && first.start < window.end ? [[instantText(start), id, note]] : []
    )
  })
}

const soFarOf = (total: Total, season: Season, things: ReadonlyArray<Thing>): ReadonlyArray<Row> =>
  naive(total.to, season, rangeOf(total, season)).own.flatMap(({ end, start }) =>
    things.flatMap(({ at, id, note }): ReadonlyArray<Row> =>
      Date.parse(at) < end ? [[instantText(start), id, note]] : []
    )
  )

const sorted = (table: ReadonlyArray<ReadonlyArray<string | null>>): ReadonlyArray<string> =>
  table.map((row) => row.join(" | ")).toSorted()

/** Every storage must keep the laws. */
export const suite = (
  name: string,
  test: Test,
  options: {
    readonly seasons: Readonly<Record<string, Season>>
    readonly seeds: ReadonlyArray<number>
    readonly steps: number
  }
) =>
  describe(`windows across time zones (${name})`, () => {
    for (const [of, season] of Object.entries(options.seasons)) {
      for (const seed of options.seeds) {
        test(`are made of the windows that they overlap, in ${of}; seed ${seed} (Verifies: L1, L2, L7)`, () =>
          Effect.gen(function* () {
            const random = Prng.make(Prng.mix(seed, season.now.length + Date.parse(season.now)))
            const feed = yield* Feed.make<Delivered>()
            yield* (yield* Time).set(season.now)
            const definitions = graph(feed.source, season)
            const assay = yield* open(definitions)
            const things = new Map<string, Thing>()
            let line = 0

            const say = (ids: ReadonlyArray<string>) => {
              line += 1
              const said = ids.map((id, index) => {
                const thing = strewn(random, season, id, line)
                const is_deleted = things.has(id) && random.chance(0.2)
                if (is_deleted) things.delete(id)
                else things.set(id, thing)
                return { ...thing, origin: String(line), line: index, seen: line, is_deleted }
              })
              return feed.deliver({ origin: String(line), batches: [{ rows: said }] })
            }

            yield* say(Array.from({ length: 24 }, (_, index) => `t${index}`))
            yield* assay.materialize({ assets: [] })
            yield* judge(assay, definitions, season)
            const listings = [...Object.keys(edges), ...Object.keys(soFar)]
            for (let step = 0; step < options.steps; step += 1) {
              yield* say(
                random.some(
                  Array.from({ length: 28 }, (_, index) => `t${index}`),
                  0.12
                )
              )
              const some = random.some([...listings, ...upstreams.map(([table]) => tableOf(table))], 0.4)
              yield* assay.materialize({ assets: ["thing", ...some], upstream: false })
              yield* judge(assay, definitions, season)
            }

            yield* assay.materialize({ assets: [] })
            const now = Array.from(things.values())
            for (const [asset, edge] of Object.entries(edges)) {
              const given = now.map(({ id, note, [edge.by]: time }) => ({ id, note, time }))
              assert.deepStrictEqual(sorted(yield* rows(assay, asset)), sorted(expectedOf(edge, season, given)), asset)
            }
            for (const [asset, total] of Object.entries(soFar)) {
              assert.deepStrictEqual(sorted(yield* rows(assay, asset)), sorted(soFarOf(total, season, now)), asset)
            }
            assert.deepStrictEqual(built(yield* assay.materialize({ assets: [] })), {})
          }))
      }
    }

    test("of an hour that is shown twice are both reached by what happened before (Verifies: L1, L2, L7)", () =>
      Effect.gen(function* () {
        const feed = yield* Feed.make<Delivered>()
        yield* (yield* Time).set(autumn.now)
        const assay = yield* open(graph(feed.source, autumn))
        // A quarter to two, before the clock goes back to one.
        const thing = { id: "t0", day: "2021-11-07", at: "2021-11-07T05:45:00.000000Z", note: "said first" }
        const say = (note: string, seen: number) =>
          feed.deliver({
            origin: String(seen),
            batches: [{ rows: [{ ...thing, note, origin: String(seen), line: 1, seen, is_deleted: false }] }]
          })
        const totals = { assets: ["so_far_half_hours"] }
        yield* say("said first", 1)
        yield* assay.materialize(totals)
        yield* say("said again", 2)
        yield* assay.materialize(totals)
        assert.deepStrictEqual(
          sorted(yield* rows(assay, "so_far_half_hours")),
          sorted(soFarOf(soFar.so_far_half_hours, autumn, [{ ...thing, note: "said again" }]))
        )
      }))
  })

// --- internal ---

/** Every unit that is built and not stale is what its upstream table makes it (L2). */
const judge = Effect.fnUntraced(function* (
  assay: Parameters<typeof rows>[0],
  definitions: AssetGraph.AssetGraph,
  season: Season
) {
  const things = (yield* rows(assay, "thing")).map(([id, day, at, note]) => ({
    id: id ?? "",
    day: day ?? "",
    at: at ?? "",
    note: note ?? ""
  }))
  for (const [asset, edge] of Object.entries(edges)) {
    const given = (yield* rows(assay, tableOf(`${edge.from}_${edge.by}`))).map(([time, id, note]) => ({
      time: time ?? "",
      id: id ?? "",
      note: note ?? ""
    }))
    yield* sound(assay, definitions, asset, expectedOf(edge, season, given))
  }
  for (const [asset, total] of Object.entries(soFar)) {
    yield* sound(assay, definitions, asset, soFarOf(total, season, things))
  }
})

const sound = Effect.fnUntraced(function* (
  assay: Parameters<typeof rows>[0],
  definitions: AssetGraph.AssetGraph,
  asset: string,
  expected: ReadonlyArray<Row>
) {
  const staleSets = yield* StaleSets
  const materializations = yield* Materializations
  const { partitions } = AssetGraph.getUnsafe(definitions, asset)
  const { ranges } = (yield* staleSets.get([asset])).get(asset) ?? { ranges: [] }
  const marked = new Set((yield* staleSets.units(asset)).map(({ unit }) => unit))
  const fresh = new Set(
    (yield* materializations.units(asset))
      .filter((unit) => !marked.has(unit) && !ranges.some(({ from }) => from === undefined || unit >= from))
      .map((unit) => startOf({ unit, window: Option.getOrUndefined(Partitions.windowOf(partitions, unit)) }))
  )
  const table = yield* rows(assay, asset)
  const isFresh = ([starts]: ReadonlyArray<string | null>) => fresh.has(starts ?? "")
  assert.deepStrictEqual(sorted(table.filter(isFresh)), sorted(expected.filter(isFresh)), asset)
})

/** A thing around a change of the clock, mostly within hours. */
const strewn = (random: Prng.Prng, { around }: Season, id: string, step: number): Thing => {
  const reach = random.pick([1, 6, 6, 80])
  const minutes = random.below(reach * 8) * 15 - reach * 60
  const exact = random.chance(0.4) ? 0 : random.below(900_000_000)
  const at = Date.parse(random.pick(around)) + minutes * 60_000 + Math.floor(exact / 1000)
  const micros = String(exact % 1000).padStart(3, "0")
  return {
    id,
    day: new Date(at + (random.below(3) - 1) * 86_400_000).toISOString().slice(0, 10),
    at: new Date(at).toISOString().replace("Z", `${micros}Z`),
    note: `${id}, said ${step}`
  }
}
