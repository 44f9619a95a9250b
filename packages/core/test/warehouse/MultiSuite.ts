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
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Services } from "./layers.ts"
import { build, event, events, land, partitions, prepare, refusal, rows, scope, transact } from "./World.ts"

const start = "2024-03-01"
const regions = Partitions.fromKeys(["south", "north"])
const dayAndRegion = Partitions.multi({ day: Partitions.daily({ start }), region: regions })

/** The events of a log in partitions of a day and a region. */
const byDayAndRegion = (name: string, cut: Partitions.Multi<"day" | "region"> = dayAndRegion) => {
  const log = events(`${name}_log`)
  const asset = Asset.make(name, {
    description: "Events by day and region",
    columns: Schema.Struct({ region: Column.text, day: Column.date, id: Column.text }),
    partitions: cut,
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("day", "region"), { columns: ["day", "region", "id"] }) },
    write: WriteStrategy.replacePartitions({ region: "region", day: "day" }, { key: ["day", "region", "id"] }),
    compute: {
      sql: ({ log }) => sql`SELECT region, day, id FROM ${log} AS log`,
      rows: ({ log }) => log.flatMap(({ day, id, region }) => (day === null ? [] : [{ region, day, id }]))
    }
  })
  return { log, asset, graph: AssetGraph.fromIterable([log, asset]) }
}

const setOf = (cut: Partitions.Partitions, keys: Iterable<string>) =>
  Result.getOrThrow(PartitionSet.fromKeys(cut, keys))

const sorted = (table: ReadonlyArray<ReadonlyArray<string | null>>) => table.map((row) => row.join()).toSorted()

/** Every warehouse must pass this suite: partitions of several dimensions. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse partitions of several dimensions (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("hold the rows whose columns name them, each dimension by its column (Verifies: L7)", () =>
        Effect.gen(function* () {
          const { asset, graph, log } = byDayAndRegion("placed")
          yield* prepare(graph)
          const { reached } = yield* land(graph, log, [
            event("a", { day: "2024-03-02", region: "north" }),
            event("b", { day: "2024-03-02", region: "south" }),
            event("c", { day: "2024-03-01", region: "north" }),
            event("d", { day: null, region: "north" }),
            event("e", { day: "2024-02-29", region: "north" }),
            event("f", { day: "2024-03-02", region: "east" }),
            event("g", { day: "2024-03-02", region: "north|south" }),
            event("h", { day: "2024-03-02", region: "" })
          ])
          const keys = ["2024-03-01|north", "2024-03-02|north", "2024-03-02|south"]
          assert.deepStrictEqual(reached, { placed: keys })
          for (const key of keys) {
            assert.deepStrictEqual((yield* build(graph, asset, partitions(asset, key))).counts, [1, 0, 0, 0])
          }
          // A corner of the box that the two others span holds nothing, and takes nothing away.
          assert.deepStrictEqual(
            (yield* build(graph, asset, partitions(asset, "2024-03-01|south", "2024-03-02|north"))).counts,
            [0, 0, 0, 1]
          )
          assert.deepStrictEqual(yield* rows(asset, ["day", "region", "id"]), [
            ["2024-03-01", "north", "c"],
            ["2024-03-02", "north", "a"],
            ["2024-03-02", "south", "b"]
          ])
          const shown = (...keys: ReadonlyArray<string>) =>
            rows(asset, ["id"], { partitions: setOf(asset.partitions, keys) })
          assert.deepStrictEqual(yield* shown("2024-03-02|north", "2024-03-01|south"), [["a"]])
          assert.deepStrictEqual(yield* shown(...keys), [["c"], ["a"], ["b"]])
          assert.deepStrictEqual(yield* rows(asset, ["id"], { partitions: PartitionSet.all(asset.partitions) }), [
            ["c"],
            ["a"],
            ["b"]
          ])
          const warehouse = yield* Warehouse
          const contents = yield* transact(
            Effect.gen(function* () {
              return yield* warehouse.contents({
                asset,
                scope: yield* scope(partitions(asset, "2024-03-02|north", "2024-03-01|south"))
              })
            })
          )
          assert.deepStrictEqual(
            new Map(contents.map(({ rows, unit }) => [unit, rows])),
            new Map([
              ["2024-03-02|north", 1],
              ["2024-03-01|south", 0]
            ])
          )
          const [edge] = AssetGraph.edgesFrom(graph, log.name)
          assert.isDefined(edge)
          if (edge !== undefined) assert.strictEqual(yield* warehouse.outside(edge), 1)
        })
      )

      it.effect("move a row from one to the other, by day or by region, and both are reached (Verifies: L7)", () =>
        Effect.gen(function* () {
          const { asset, graph } = byDayAndRegion("moved")
          const copy = Asset.make("moved_copy", {
            description: "The same by other names",
            columns: Schema.Struct({ area: Column.text, date: Column.date, id: Column.text }),
            partitions: Partitions.multi({ area: regions, date: Partitions.daily({ start: "2024-03-02" }) }),
            inputs: {
              moved: Asset.input(
                asset,
                PartitionMapping.byDimension({
                  date: PartitionMapping.fromDimension("day"),
                  area: PartitionMapping.fromDimension("region")
                })
              )
            },
            write: WriteStrategy.replacePartitions({ area: "area", date: "date" }, { key: ["area", "date", "id"] }),
            compute: {
              sql: ({ moved }) => sql`SELECT region AS area, day AS date, id FROM ${moved} AS m`,
              rows: ({ moved }) => moved.map(({ day, id, region }) => ({ area: region, date: day, id }))
            }
          })
          const log = asset.inputs[0]?.asset ?? asset
          const both = AssetGraph.fromIterable([...graph.assets.values(), copy])
          const warehouse = yield* Warehouse
          yield* prepare(both)
          const changed = (keys: ReadonlyArray<string>) =>
            transact(
              Effect.gen(function* () {
                const built = yield* warehouse.build({
                  asset,
                  scope: yield* scope(partitions(asset, ...keys)),
                  at: yield* DateTime.now
                })
                const [edge] = AssetGraph.edgesFrom(both, asset.name)
                const reached = edge === undefined ? [] : yield* warehouse.changed(edge)
                yield* warehouse.settle({ graph: both, asset })
                return [built.inserted, built.deleted, reached.toSorted()]
              })
            )
          yield* land(graph, log, [event("a", { day: "2024-03-02" }), event("b", { day: "2024-03-03" })])
          assert.deepStrictEqual(yield* changed(["2024-03-02|north", "2024-03-03|north"]), [
            2,
            0,
            ["2024-03-02|north", "2024-03-03|north"]
          ])
          assert.deepStrictEqual(
            (yield* build(both, copy, partitions(copy, "north|2024-03-02", "south|2024-03-03"))).counts,
            [1, 0, 0, 0]
          )
          assert.deepStrictEqual(yield* rows(copy, ["area", "date", "id"]), [["north", "2024-03-02", "a"]])
          assert.deepStrictEqual((yield* build(both, copy, partitions(copy, "north|2024-03-03"))).counts, [1, 0, 0, 0])
        })
      )

      it.effect("are found in however many pieces they are", () =>
        Effect.gen(function* () {
          const names = Array.from({ length: 12 }, (_, index) => `r${index}`)
          const { asset, graph, log } = byDayAndRegion(
            "strewn",
            Partitions.multi({ day: Partitions.daily({ start: "2020-01-01" }), region: Partitions.fromKeys(names) })
          )
          const all = Array.from(PartitionSet.keys(PartitionSet.take(PartitionSet.all(asset.partitions), 1200)))
          // The regions of a day are the binary digits of its number, so no two days have the same.
          const picked = all.filter((_, index) => ((Math.floor(index / 12) + 1) >> (index % 12)) % 2 === 1)
          assert.strictEqual(PartitionSet.boxes(setOf(asset.partitions, picked)).length, 100)
          yield* prepare(graph)
          const landed = all.map((id) => event(id, { day: id.slice(0, 10), region: id.slice(11) }))
          assert.deepStrictEqual((yield* land(graph, log, landed)).reached["strewn"], all.toSorted())
          assert.deepStrictEqual((yield* build(graph, asset, partitions(asset, ...picked))).counts, [
            picked.length,
            0,
            0,
            0
          ])
          assert.deepStrictEqual(sorted(yield* rows(asset, ["id"])), picked.toSorted())
          const some = picked.filter((_, index) => index % 7 > 0)
          assert.isAbove(PartitionSet.boxes(setOf(asset.partitions, some)).length, 64)
          const shown = yield* rows(asset, ["id"], { partitions: setOf(asset.partitions, some) })
          assert.deepStrictEqual(sorted(shown), some.toSorted())
          const warehouse = yield* Warehouse
          const verified = yield* transact(
            Effect.gen(function* () {
              return yield* warehouse.verify({ asset, scope: yield* scope(partitions(asset, ...some)), except: none })
            })
          )
          assert.deepStrictEqual([verified.missing, verified.unexpected], [0, 0])
          const kept = setOf(asset.partitions, some)
          assert.strictEqual(
            (yield* transact(warehouse.withdraw({ asset, except: kept }))).deleted,
            picked.length - some.length
          )
          assert.deepStrictEqual(sorted(yield* rows(asset, ["id"])), some.toSorted())
          assert.strictEqual(
            (yield* transact(warehouse.withdraw({ asset, except: PartitionSet.empty(asset.partitions) }))).deleted,
            some.length
          )
        })
      )

      it.effect("are refused rows of others, which are named by their keys", () =>
        Effect.gen(function* () {
          const log = events("astray_log")
          const asset = Asset.make("astray", {
            description: "Puts every event into the north",
            columns: Schema.Struct({ region: Column.text, day: Column.date, id: Column.text }),
            partitions: dayAndRegion,
            inputs: {
              log: Asset.input(log, PartitionMapping.byColumn("day", "region"), { columns: ["day", "id"] })
            },
            write: WriteStrategy.replacePartitions({ day: "day", region: "region" }, { key: ["day", "region", "id"] }),
            compute: {
              sql: ({ log }) => sql`SELECT 'north' AS region, day, id FROM ${log} AS log`,
              rows: ({ log }) => log.flatMap(({ day, id }) => (day === null ? [] : [{ region: "north", day, id }]))
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          yield* land(graph, log, [event("a", { day: "2024-03-02", region: "south" })])
          assert.include(
            yield* refusal(build(graph, asset, partitions(asset, "2024-03-02|south"))),
            'the compute returned 1 rows for "2024-03-02|north", which it was not asked to build. Each row\'s day, region ' +
              "must follow from the same columns"
          )
        })
      )

      it.effect("show the rows of a keyed asset", () =>
        Effect.gen(function* () {
          const log = events("places_log")
          const asset = Asset.make("places", {
            description: "The latest version of each event, by day and region",
            columns: Schema.Struct({
              id: Column.text,
              day: Column.nullable(Column.date),
              region: Column.text,
              loaded_at: Column.timestamp
            }),
            inputs: {
              log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "day", "region", "loaded_at"] })
            },
            write: WriteStrategy.upsert({
              key: ["id"],
              version: "loaded_at",
              partitionedBy: { column: { day: "day", region: "region" }, partitions: dayAndRegion }
            }),
            compute: {
              sql: ({ log }) =>
                sql`SELECT id, day, region, loaded_at, FALSE AS _deleted, '' AS _tie FROM ${log} AS log`,
              rows: ({ log }) => log.map((row) => ({ ...row, _deleted: false, _tie: "" }))
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          yield* land(graph, log, [
            event("1", { day: "2024-03-01" }),
            event("2", { day: "2024-03-02", region: "south" }),
            event("3", { day: "2024-03-02" }),
            event("4", { day: null })
          ])
          yield* build(graph, asset, "everything")
          const shown = (text: string) => {
            const existing = PartitionSet.all(dayAndRegion)
            const parsed = PartitionSet.parse(text, { partitions: dayAndRegion, existing, now: 0 })
            return rows(asset, ["id"], { partitions: Result.getOrThrow(parsed) })
          }
          assert.deepStrictEqual(yield* shown("2024-03|north"), [["1"], ["3"]])
          assert.deepStrictEqual(yield* shown("2024-03-02..|*"), [["2"], ["3"]])
        })
      )
    })
  })
