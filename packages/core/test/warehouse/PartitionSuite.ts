import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import { sql } from "@assay/core/Sql"
import { none } from "@assay/core/Unit"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Cut from "./Cut.ts"
import type { Services } from "./layers.ts"
import { build, event, events, land, partitions, prepare, refusal, rows, scope, transact } from "./World.ts"

/** Events around the days on which New York's clocks change, and around the turn of the year. */
const instants = {
  beforeMidnight: "2024-03-10T04:59:59.999999Z",
  midnight: "2024-03-10T05:00:00.000000Z",
  afterGap: "2024-03-10T07:00:00.000000Z",
  firstPass: "2024-11-03T05:30:00.000000Z",
  secondPass: "2024-11-03T06:30:00.000000Z",
  newYear: "2025-01-01T00:30:00.000000Z"
}

const days = {
  sunday: "2024-03-10",
  monday: "2024-03-11",
  lastOfMonth: "2024-03-31",
  clocksBack: "2024-11-03",
  leapDay: "2024-02-29"
}

const newYork = "America/New_York"

interface Case {
  readonly cadence: string
  readonly by: "at" | "day"
  readonly partitions: Partitions.Partitions
  /** The partition of each instant or day above, in their order. */
  readonly keys: ReadonlyArray<string>
}

const start = "2024-01-01"

const cases: ReadonlyArray<Case> = [
  {
    cadence: "daily",
    by: "at",
    partitions: Partitions.daily({ start }),
    keys: ["2024-03-10", "2024-03-10", "2024-03-10", "2024-11-03", "2024-11-03", "2025-01-01"]
  },
  {
    cadence: "daily",
    by: "at",
    partitions: Partitions.daily({ start, timeZone: newYork }),
    keys: ["2024-03-09", "2024-03-10", "2024-03-10", "2024-11-03", "2024-11-03", "2024-12-31"]
  },
  {
    cadence: "weekly",
    by: "at",
    partitions: Partitions.weekly({ start }),
    keys: ["2024-03-04", "2024-03-04", "2024-03-04", "2024-10-28", "2024-10-28", "2024-12-30"]
  },
  {
    cadence: "weekly from Sunday",
    by: "at",
    partitions: Partitions.weekly({ start, timeZone: newYork, firstDayOfWeek: 0 }),
    keys: ["2024-03-03", "2024-03-10", "2024-03-10", "2024-11-03", "2024-11-03", "2024-12-29"]
  },
  {
    cadence: "monthly",
    by: "at",
    partitions: Partitions.monthly({ start }),
    keys: ["2024-03-01", "2024-03-01", "2024-03-01", "2024-11-01", "2024-11-01", "2025-01-01"]
  },
  {
    cadence: "monthly",
    by: "at",
    partitions: Partitions.monthly({ start, timeZone: newYork }),
    keys: ["2024-03-01", "2024-03-01", "2024-03-01", "2024-11-01", "2024-11-01", "2024-12-01"]
  },
  {
    cadence: "hourly",
    by: "at",
    partitions: Partitions.hourly({ start }),
    keys: [
      "2024-03-10-04:00",
      "2024-03-10-05:00",
      "2024-03-10-07:00",
      "2024-11-03-05:00",
      "2024-11-03-06:00",
      "2025-01-01-00:00"
    ]
  },
  {
    cadence: "hourly",
    by: "at",
    partitions: Partitions.hourly({ start, timeZone: newYork }),
    keys: [
      "2024-03-09-23:00",
      "2024-03-10-00:00",
      "2024-03-10-03:00",
      "2024-11-03-01:00",
      "2024-11-03-01:00-0500",
      "2024-12-31-19:00"
    ]
  },
  {
    cadence: "daily",
    by: "day",
    partitions: Partitions.daily({ start }),
    keys: ["2024-03-10", "2024-03-11", "2024-03-31", "2024-11-03", "2024-02-29"]
  },
  {
    cadence: "daily",
    by: "day",
    partitions: Partitions.daily({ start, timeZone: newYork }),
    keys: ["2024-03-10", "2024-03-11", "2024-03-31", "2024-11-03", "2024-02-29"]
  },
  {
    cadence: "weekly",
    by: "day",
    partitions: Partitions.weekly({ start, timeZone: newYork }),
    keys: ["2024-03-04", "2024-03-11", "2024-03-25", "2024-10-28", "2024-02-26"]
  },
  {
    cadence: "monthly",
    by: "day",
    partitions: Partitions.monthly({ start }),
    keys: ["2024-03-01", "2024-03-01", "2024-03-01", "2024-11-01", "2024-02-01"]
  },
  {
    cadence: "monthly",
    by: "day",
    partitions: Partitions.monthly({ start, timeZone: newYork }),
    keys: ["2024-03-01", "2024-03-01", "2024-03-01", "2024-11-01", "2024-02-01"]
  },
  {
    cadence: "hourly",
    by: "day",
    partitions: Partitions.hourly({ start }),
    keys: ["2024-03-10-00:00", "2024-03-11-00:00", "2024-03-31-00:00", "2024-11-03-00:00", "2024-02-29-00:00"]
  },
  {
    cadence: "hourly",
    by: "day",
    partitions: Partitions.hourly({ start, timeZone: newYork }),
    keys: ["2024-03-10-00:00", "2024-03-11-00:00", "2024-03-31-00:00", "2024-11-03-00:00", "2024-02-29-00:00"]
  },
  {
    cadence: "daily where clocks go back over midnight",
    by: "at",
    partitions: Partitions.daily({ start, timeZone: "America/Havana" }),
    keys: ["2024-03-09", "2024-03-10", "2024-03-10", "2024-11-03", "2024-11-03", "2024-12-31"]
  },
  {
    cadence: "daily where clocks go forward over midnight",
    by: "day",
    partitions: Partitions.daily({ start, timeZone: "America/Havana" }),
    keys: ["2024-03-10", "2024-03-11", "2024-03-31", "2024-11-03", "2024-02-29"]
  },
  {
    cadence: "hourly where clocks go forward over midnight",
    by: "day",
    partitions: Partitions.hourly({ start, timeZone: "America/Havana" }),
    keys: ["2024-03-10-01:00", "2024-03-11-00:00", "2024-03-31-00:00", "2024-11-03-00:00", "2024-02-29-00:00"]
  },
  {
    cadence: "hourly at half an hour's offset",
    by: "at",
    partitions: Partitions.hourly({ start, timeZone: "Asia/Kolkata" }),
    keys: [
      "2024-03-10-10:00",
      "2024-03-10-10:00",
      "2024-03-10-12:00",
      "2024-11-03-11:00",
      "2024-11-03-12:00",
      "2025-01-01-06:00"
    ]
  }
]

/** The events in partitions. */
const copies = (name: string, options: Case) => {
  const log = events(`${name}_log`)
  const asset = Cut.make(name, log, options)
  return { log, asset, graph: AssetGraph.fromIterable([log, asset]) }
}

/** The ids of an asset's rows in order. */
const ids = (asset: Asset.Asset, options?: Parameters<typeof rows>[2]) =>
  Effect.map(rows(asset, ["id"], options), (found) => found.flatMap(([id]) => id ?? []).toSorted())

const timed = (options: Case) =>
  Object.entries(options.by === "at" ? instants : days).map(([id, value], index) => ({
    id,
    key: options.keys[index] ?? "",
    event: event(id, options.by === "at" ? { at: value, day: null } : { day: value, at: null })
  }))

/** Every warehouse must pass this suite: partitions of every cadence, in whichever zone, by date and by timestamp. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse partitions (${name})`, () => {
    it.layer(layer)((it) => {
      cases.forEach((options, index) => {
        const zone = options.partitions._tag === "TimeWindows" ? options.partitions.timeZone : "none"
        it.effect(`cuts ${options.cadence} (${zone}) by ${options.by === "at" ? "timestamp" : "date"}`, () =>
          Effect.gen(function* () {
            const { asset, graph, log } = copies(`cut_${index}`, options)
            const expected = timed(options)
            const keys = Array.from(new Set(options.keys)).toSorted()
            yield* prepare(graph)
            const landed = yield* land(
              graph,
              log,
              expected.map((one) => one.event)
            )
            assert.deepStrictEqual(landed.reached, { [asset.name]: keys })

            // One partition after the other: each brings its own rows and leaves the others alone.
            for (const key of keys) {
              const own = expected.filter((one) => one.key === key).length
              const { counts } = yield* build(graph, asset, partitions(asset, key))
              assert.deepStrictEqual(counts, [own, 0, 0, 0])
            }
            assert.deepStrictEqual(yield* ids(asset), expected.map(({ id }) => id).toSorted())
            const together = yield* build(graph, asset, partitions(asset, ...keys))
            assert.deepStrictEqual(together.counts, [0, 0, 0, expected.length])

            const warehouse = yield* Warehouse
            const contents = yield* transact(
              Effect.gen(function* () {
                return yield* warehouse.contents({ asset, scope: yield* scope(partitions(asset, ...keys)) })
              })
            )
            assert.deepStrictEqual(
              new Map(contents.map(({ rows, unit }) => [unit, rows])),
              new Map(keys.map((key) => [key, expected.filter((one) => one.key === key).length]))
            )
            const [first = ""] = keys
            assert.deepStrictEqual(
              yield* ids(asset, { partitions: setOf(asset.partitions, [first]) }),
              expected.flatMap(({ id, key }) => (key === first ? [id] : [])).toSorted()
            )
          })
        )
      })

      it.effect("cuts by a list of names", () =>
        Effect.gen(function* () {
          const log = events("named_log")
          const asset = Asset.make("named", {
            description: "Events by region",
            columns: Schema.Struct({ region: Column.text, id: Column.text }),
            partitions: Partitions.fromKeys(["north", "south", "west"]),
            inputs: { log: Asset.input(log, PartitionMapping.byColumn("region"), { columns: ["region", "id"] }) },
            write: WriteStrategy.replacePartitions("region", { key: ["region", "id"] }),
            compute: { sql: ({ log }) => sql`SELECT region, id FROM ${log} AS log`, rows: ({ log }) => log }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          const { reached } = yield* land(graph, log, [
            event("1"),
            event("2", { region: "south" }),
            event("3", { region: "elsewhere" }),
            event("4", { region: "west" })
          ])
          assert.deepStrictEqual(reached, { named: ["north", "south", "west"] })
          assert.deepStrictEqual((yield* build(graph, asset, partitions(asset, "north", "west"))).counts, [2, 0, 0, 0])
          assert.deepStrictEqual(yield* rows(asset, ["region", "id"]), [
            ["north", "1"],
            ["west", "4"]
          ])
          assert.deepStrictEqual(yield* rows(asset, ["id"], { partitions: setOf(asset.partitions, ["west"]) }), [["4"]])
        })
      )

      it.effect("shows the rows of a keyed asset by the partitions it names, and works by key all the same", () =>
        Effect.gen(function* () {
          const log = events("shown_log")
          const days = Partitions.daily({ start: "0001-01-01" })
          const asset = Asset.make("shown", {
            description: "The latest version of each event, by day",
            columns: Schema.Struct({ id: Column.text, day: Column.nullable(Column.date), loaded_at: Column.timestamp }),
            inputs: { log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "day", "loaded_at"] }) },
            write: WriteStrategy.upsert({
              key: ["id"],
              version: "loaded_at",
              partitionedBy: { column: "day", partitions: days }
            }),
            compute: {
              sql: ({ log }) => sql`SELECT id, day, loaded_at, FALSE AS _deleted, '' AS _tie FROM ${log} AS log`,
              rows: ({ log }) => log.map((row) => ({ ...row, _deleted: false, _tie: "" }))
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          const { reached } = yield* land(graph, log, [
            event("1", { day: "2024-03-01" }),
            event("2", { day: "2024-03-31" }),
            event("3", { day: "1999-12-31" }),
            event("4", { day: null })
          ])
          assert.deepStrictEqual(reached, { shown: ["1", "2", "3", "4"] })
          assert.deepStrictEqual((yield* build(graph, asset, "everything")).counts, [4, 0, 0, 0])
          const shown = (from: string, to: string) =>
            rows(asset, ["id"], {
              partitions: PartitionSet.fromWindow(days, { start: Date.parse(from), end: Date.parse(to) })
            })
          assert.deepStrictEqual(yield* shown("2024-03-01", "2024-04-01"), [["1"], ["2"]])
          assert.deepStrictEqual(yield* shown("1999-01-01", "2024-03-02"), [["1"], ["3"]])
        })
      )

      it.effect("merges many partitions that do not touch", () =>
        Effect.gen(function* () {
          const { asset, graph, log } = copies("scattered", {
            cadence: "daily",
            by: "day",
            partitions: Partitions.daily({ start: "2020-01-01" }),
            keys: []
          })
          const all = Array.from(PartitionSet.keys(PartitionSet.take(PartitionSet.all(asset.partitions), 400)), (key) =>
            event(key, { day: key, at: null })
          )
          const odd = all.flatMap(({ id }, index) => (index % 2 === 1 ? [id] : []))
          yield* prepare(graph)
          assert.strictEqual((yield* land(graph, log, all)).reached["scattered"]?.length, 400)
          assert.deepStrictEqual((yield* build(graph, asset, partitions(asset, ...odd))).counts, [200, 0, 0, 0])
          assert.deepStrictEqual(yield* ids(asset), odd)
        })
      )

      it.effect("moves a row from its old partition to its new one, and both are reached", () =>
        Effect.gen(function* () {
          const log = events("move_log")
          const latest = Asset.make("move_latest", {
            description: "Latest day of each event",
            columns: Schema.Struct({ id: Column.text, line: Column.integer, day: Column.nullable(Column.date) }),
            inputs: { log: Asset.input(log, PartitionMapping.byColumn("id")) },
            write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
            compute: {
              sql: ({ log }) => sql`SELECT id, line, day, "isDeleted" AS _deleted, '' AS _tie FROM ${log} AS log`,
              rows: ({ log }) => log.map((row) => ({ ...row, _deleted: row.isDeleted, _tie: "" }))
            }
          })
          const daily = Asset.make("move_daily", {
            description: "Events by day",
            columns: Schema.Struct({ id: Column.text, day: Column.date }),
            partitions: Partitions.daily({ start }),
            inputs: { latest: Asset.input(latest, PartitionMapping.byColumn("day"), { columns: ["id", "day"] }) },
            write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
            compute: {
              sql: ({ latest }) => sql`SELECT id, day FROM ${latest} AS latest`,
              rows: ({ latest }) => latest.flatMap(({ day, id }) => (day === null ? [] : [{ day, id }]))
            }
          })
          const graph = AssetGraph.make([log, latest, daily])
          yield* prepare(graph)
          yield* land(graph, log, [event("a", { day: "2024-03-03" }), event("b", { day: "2024-03-03" })])
          yield* build(graph, latest)
          yield* build(graph, daily, partitions(daily, "2024-03-03"))
          yield* land(graph, log, [
            event("a", { line: 2, day: "2024-03-05" }),
            event("b", { line: 2, day: null }),
            event("c", { day: "2023-12-31" })
          ])
          const { reached } = yield* build(graph, latest, { keys: ["a", "b", "c"] })
          assert.deepStrictEqual(reached, { move_daily: ["2024-03-03", "2024-03-05"] })

          // In either order: the old partition is stale until it is built, whatever the new one holds by then.
          assert.deepStrictEqual((yield* build(graph, daily, partitions(daily, "2024-03-05"))).counts, [1, 0, 0, 0])
          assert.deepStrictEqual((yield* build(graph, daily, partitions(daily, "2024-03-03"))).counts, [0, 0, 2, 0])
          assert.deepStrictEqual(yield* rows(daily, ["id", "day"]), [["a", "2024-03-05"]])
          const again = yield* build(graph, latest, { keys: ["a", "b", "c"] })
          assert.deepStrictEqual(again, { counts: [0, 0, 0, 3], reached: { move_daily: [] } })
        })
      )

      it.effect("refuses rows of partitions that were not asked for, and names them", () =>
        Effect.gen(function* () {
          const log = events("shifted_log")
          const asset = Asset.make("shifted", {
            description: "Puts every event on the wrong day",
            columns: Schema.Struct({ id: Column.text, day: Column.date }),
            partitions: Partitions.daily({ start }),
            inputs: { log: Asset.input(log, PartitionMapping.byColumn("day"), { columns: ["id"] }) },
            write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
            compute: {
              sql: ({ log }) => sql`SELECT id, '2024-07-01'::date AS day FROM ${log} AS log`,
              rows: ({ log }) => log.map(({ id }) => ({ id, day: "2024-07-01" }))
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          yield* land(graph, log, [event("a"), event("b")])
          assert.strictEqual(
            yield* refusal(build(graph, asset, partitions(asset, "2024-03-01", "2024-03-02"))),
            'DataQuality: the compute returned 2 rows for "2024-07-01", which it was not asked to build. Each row\'s day ' +
              "must follow from the same columns that the inputs are mapped by."
          )
          assert.deepStrictEqual(yield* rows(asset, ["id"]), [])
        })
      )

      it.effect("has equal hashes for equal contents, in whichever order they came, and none for nothing", () =>
        Effect.gen(function* () {
          const options = { cadence: "daily", by: "day" as const, partitions: Partitions.daily({ start }), keys: [] }
          const one = copies("hash_one", options)
          const other = copies("hash_other", options)
          const warehouse = yield* Warehouse
          const keys = ["2024-03-01", "2024-03-02", "2024-03-03"]
          const contents = Effect.fnUntraced(function* (
            { asset, graph, log }: ReturnType<typeof copies>,
            landed: ReadonlyArray<ReturnType<typeof event>>
          ) {
            yield* prepare(graph)
            yield* land(graph, log, landed)
            yield* build(graph, asset, partitions(asset, ...keys))
            const found = yield* transact(
              Effect.gen(function* () {
                return yield* warehouse.contents({ asset, scope: yield* scope(partitions(asset, ...keys)) })
              })
            )
            return new Map(found.map((content) => [content.unit, content]))
          })
          const same = [event("a"), event("b"), event("c", { note: "" })]
          const different = event("d", { day: "2024-03-02" })
          const first = yield* contents(one, [...same, different])
          const second = yield* contents(other, [{ ...different, note: "x" }, ...same.toReversed()])
          assert.strictEqual(first.get("2024-03-01")?.rows, 3)
          assert.deepStrictEqual(first.get("2024-03-01"), second.get("2024-03-01"))
          assert.notStrictEqual(first.get("2024-03-02")?.contentHash, second.get("2024-03-02")?.contentHash)
          assert.deepStrictEqual(first.get("2024-03-03"), { unit: "2024-03-03", rows: 0, contentHash: "0" })
        })
      )

      it.effect("counts upstream rows before the first partition", () =>
        Effect.gen(function* () {
          const { asset, graph, log } = copies("early", {
            cadence: "daily",
            by: "at",
            partitions: Partitions.daily({ start, timeZone: newYork }),
            keys: []
          })
          yield* prepare(graph)
          const { reached } = yield* land(graph, log, [
            event("in", { at: "2024-01-01T05:00:00.000000Z" }),
            event("out", { at: "2024-01-01T04:59:59.999999Z" }),
            event("far out", { at: "1999-01-01T00:00:00.000000Z" }),
            event("unseen", { at: "1999-01-01T00:00:00.000000Z", kind: "other" }),
            event("none", { at: null })
          ])
          assert.deepStrictEqual(reached, { early: ["2024-01-01"] })
          const warehouse = yield* Warehouse
          for (const edge of AssetGraph.edgesFrom(graph, log.name)) {
            assert.strictEqual(yield* warehouse.outside(edge), 2)
          }
          assert.strictEqual(yield* warehouse.count(log), 5)
          assert.deepStrictEqual(
            yield* warehouse.verify({ asset, scope: { units: none, partitions: [] }, except: none }),
            { missing: 0, unexpected: 0, examples: [] }
          )
        })
      )

      it.effect("gives the first rows in the order of the key", () =>
        Effect.gen(function* () {
          const log = events("ordered_log")
          const graph = AssetGraph.make([log])
          yield* prepare(graph)
          yield* land(graph, log, [
            event("b", { line: 10 }),
            event("b", { line: 9 }),
            event("B"),
            event("a"),
            event("é")
          ])
          assert.deepStrictEqual(yield* rows(log, ["id", "line"], { limit: 4 }), [
            ["B", "1"],
            ["a", "1"],
            ["b", "9"],
            ["b", "10"]
          ])
        })
      )
    })
  })

// --- internal ---

const setOf = (cut: Partitions.Partitions, keys: ReadonlyArray<string>): PartitionSet.PartitionSet => {
  const found = PartitionSet.fromKeys(cut, keys)
  if (found._tag === "Failure") throw found.failure
  return found.success
}
