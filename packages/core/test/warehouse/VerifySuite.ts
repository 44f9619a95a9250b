import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import { all, from, listed, none, type UnitSet } from "@assay/core/Unit"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Dimension from "./Dimension.ts"
import type { Services } from "./layers.ts"
import { build, event, events, land, partitions, prepare, refusal, rows, scope, transact, type Units } from "./World.ts"

const start = "2024-01-01"

const dayColumns = Schema.Struct({ day: Column.date, id: Column.text, note: Column.nullable(Column.text) })

/** Events by day, each with the segment of its region at the time, and a view of them. */
const world = (name: string) => {
  const log = events(`${name}_log`)
  const dimension = Dimension.make(`${name}_dimension`, log)
  const inputs = {
    log: Asset.input(log, PartitionMapping.byColumn("day"), { columns: ["day", "id", "region", "at"] }),
    regions: Asset.input(
      dimension,
      PartitionMapping.asOf({ facts: "log", key: "region", at: "at", bounds: "compared" }),
      {
        columns: ["region", "segment", "valid_from", "valid_to"]
      }
    )
  }
  const write = WriteStrategy.replacePartitions("day", { key: ["day", "id"] })
  const cut = Partitions.daily({ start })
  const daily = Asset.make(`${name}_daily`, {
    description: "Events with their segments",
    columns: dayColumns,
    partitions: cut,
    inputs,
    write,
    compute: {
      sql: ({ log, regions }) =>
        sql`SELECT l.day, l.id, r.segment AS note FROM ${log} AS l LEFT JOIN ${regions} AS r
          ON r.region = l.region AND r.valid_from <= l.at AND (r.valid_to IS NULL OR l.at < r.valid_to)`,
      rows: ({ log, regions }) =>
        log.flatMap(({ at, day, id, region }) => {
          const held = regions.find(
            (version) =>
              at !== null &&
              version.region === region &&
              version.valid_from <= at &&
              (version.valid_to === null || at < version.valid_to)
          )
          return day === null ? [] : [{ day, id, note: held?.segment ?? null }]
        })
    }
  })
  // The same table written by other rules: how rows get into it that do not belong there.
  const tampered = Asset.make(`${name}_daily`, {
    description: "Events with other notes",
    columns: dayColumns,
    partitions: cut,
    inputs,
    write,
    compute: {
      sql: ({ log }) =>
        sql`SELECT day, CASE id WHEN 'c:' THEN 'x' ELSE id END AS id, 'tampered' AS note FROM ${log} AS log`,
      rows: ({ log }) =>
        log.flatMap(({ day, id }) => (day === null ? [] : [{ day, id: id === "c:" ? "x" : id, note: "tampered" }]))
    }
  })
  const view = Asset.make(`${name}_view`, {
    description: "Events with a segment",
    columns: dayColumns,
    inputs: { daily: Asset.input(daily, PartitionMapping.all) },
    write: WriteStrategy.view,
    compute: {
      sql: ({ daily }) => sql`SELECT * FROM ${daily} AS daily WHERE note IS NOT NULL`,
      rows: ({ daily }) => daily.filter(({ note }) => note !== null)
    }
  })
  return { log, dimension, daily, tampered, view, graph: AssetGraph.fromIterable([log, dimension, daily, view]) }
}

const landed = [
  event("a:", { day: "2024-03-01", at: "2024-03-01T10:00:00.000000Z", note: "small" }),
  event("b:", { day: "2024-03-02", at: "2024-03-02T10:00:00.000000Z", note: "small" }),
  event("c:", { day: "2024-03-03", at: "2024-03-03T10:00:00.000000Z", note: "large" })
]

const days = ["2024-03-01", "2024-03-02", "2024-03-03"]

const built = Effect.fnUntraced(function* (name: string) {
  const made = world(name)
  yield* prepare(made.graph)
  yield* land(made.graph, made.log, landed)
  yield* build(made.graph, made.dimension)
  yield* build(made.graph, made.daily, partitions(made.daily, ...days))
  return made
})

const verify = (asset: Asset.Asset<string, unknown, never>, units: Units, except: UnitSet = none) =>
  transact(
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      const found = yield* warehouse.verify({ asset, scope: yield* scope(units), except })
      assert.strictEqual(found.examples.length, Math.min(3, found.missing) + Math.min(3, found.unexpected))
      return [found.missing, found.unexpected]
    })
  )

const chain = ({ graph }: { readonly graph: AssetGraph.AssetGraph<never> }, keys: ReadonlyArray<string> = days) =>
  transact(
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      const found = yield* warehouse.verifyChain({
        graph,
        partitions: (asset) =>
          keys.map((unit) => ({ unit, window: Option.getOrUndefined(Partitions.windowOf(asset.partitions, unit)) }))
      })
      return Array.from(found, ([name, { missing, unexpected }]) => [name.replace(/^.*_/, ""), missing, unexpected])
    })
  )

class Suffix extends Context.Service<Suffix, string>()("@assay/core/test/warehouse/Suffix") {}

/** Every warehouse must pass this suite: recomputing and comparing. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse verification (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("finds nothing where the table is what its inputs make it (Verifies: L2)", () =>
        Effect.gen(function* () {
          const made = yield* built("sound")
          assert.deepStrictEqual(yield* verify(made.daily, partitions(made.daily, ...days)), [0, 0])
          assert.deepStrictEqual(yield* verify(made.dimension, "everything"), [0, 0])
          assert.deepStrictEqual(yield* verify(made.dimension, { keys: ["north"] }), [0, 0])
          assert.deepStrictEqual(yield* chain(made), [
            ["dimension", 0, 0],
            ["daily", 0, 0],
            ["view", 0, 0]
          ])
        })
      )

      it.effect("finds planted rows, and writes nothing", () =>
        Effect.gen(function* () {
          const made = yield* built("planted")
          yield* build(made.graph, made.tampered, partitions(made.daily, "2024-03-02", "2024-03-03"))
          assert.deepStrictEqual(yield* verify(made.daily, partitions(made.daily, ...days)), [2, 2])
          assert.deepStrictEqual(yield* verify(made.daily, partitions(made.daily, "2024-03-01")), [0, 0])
          assert.deepStrictEqual(yield* verify(made.daily, partitions(made.daily, "2024-03-03")), [1, 1])
          assert.deepStrictEqual(yield* rows(made.daily, ["id", "note"]), [
            ["a:", "small"],
            ["b:", "tampered"],
            ["x", "tampered"]
          ])
          assert.deepStrictEqual(yield* chain(made), [
            ["dimension", 0, 0],
            ["daily", 2, 2],
            ["view", 2, 2]
          ])
        })
      )

      it.effect("tells what it found", () =>
        Effect.gen(function* () {
          const made = yield* built("told")
          yield* build(made.graph, made.tampered, partitions(made.daily, "2024-03-03"))
          const warehouse = yield* Warehouse
          const { examples } = yield* transact(
            Effect.gen(function* () {
              const whole = yield* scope(partitions(made.daily, ...days))
              return yield* warehouse.verify({ asset: made.daily, scope: whole, except: none })
            })
          )
          assert.deepStrictEqual(examples, [
            'missing {"day":"2024-03-03","id":"c:","note":"large"}',
            'unexpected {"day":"2024-03-03","id":"x","note":"tampered"}'
          ])
        })
      )

      it.effect("leaves units out of the comparison", () =>
        Effect.gen(function* () {
          const made = yield* built("except")
          yield* build(made.graph, made.tampered, partitions(made.daily, "2024-03-02", "2024-03-03"))
          const everything = partitions(made.daily, ...days)
          assert.deepStrictEqual(yield* verify(made.daily, everything, listed(["2024-03-02"])), [1, 1])
          assert.deepStrictEqual(yield* verify(made.daily, everything, listed(["2024-03-02", "2024-03-03"])), [0, 0])
          assert.deepStrictEqual(yield* verify(made.daily, everything, listed(["2024-03-01"])), [2, 2])
          assert.deepStrictEqual(yield* verify(made.daily, everything, from("2024-03-03")), [1, 1])
          assert.deepStrictEqual(yield* verify(made.daily, everything, from("2024-03-02")), [0, 0])
          assert.deepStrictEqual(yield* verify(made.daily, everything, all), [0, 0])
        })
      )

      it.effect("finds what an input has gained since, and what the chain holds beyond its partitions", () =>
        Effect.gen(function* () {
          const made = yield* built("late")
          yield* land(made.graph, made.log, [
            event("d:", { line: 2, day: "2024-03-03", at: "2024-03-02T10:00:00.000000Z", note: "late" })
          ])
          assert.deepStrictEqual(yield* verify(made.dimension, "everything"), [2, 1])
          assert.deepStrictEqual(yield* verify(made.dimension, { keys: ["south"] }), [0, 0])
          assert.deepStrictEqual(yield* verify(made.daily, partitions(made.daily, ...days)), [1, 0])
          // The chain goes on from the recomputed dimension, so b sees the late segment.
          assert.deepStrictEqual(yield* chain(made), [
            ["dimension", 2, 1],
            ["daily", 2, 1],
            ["view", 2, 1]
          ])
          assert.deepStrictEqual(yield* chain(made, days.slice(0, 2)), [
            ["dimension", 2, 1],
            ["daily", 1, 2],
            ["view", 1, 2]
          ])
        })
      )

      it.effect("does not recompute what was landed", () =>
        Effect.gen(function* () {
          const made = yield* built("source")
          assert.strictEqual(
            yield* refusal(verify(made.log, "everything")),
            "DefinitionFault: a source asset is landed, not computed"
          )
        })
      )

      it.effect("runs a compute that is an Effect over rows, with the units it was asked for", () =>
        Effect.gen(function* () {
          const log = events("effect_log")
          const asset = Asset.make("effect_units", {
            description: "What the compute was given",
            columns: Schema.Struct({ id: Column.text, line: Column.integer, given: Column.text }),
            inputs: { log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "line"] }) },
            write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
            compute: {
              rows: ({ log, units }) =>
                Effect.map(Effect.serviceOption(Suffix), (suffix) =>
                  log.map((row) => ({
                    ...row,
                    given:
                      units
                        .map(({ unit }) => unit)
                        .toSorted()
                        .join() + Option.getOrElse(suffix, () => ""),
                    _deleted: false,
                    _tie: ""
                  }))
                )
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          yield* land(graph, log, [event("a"), event("b"), event("c")])
          const asked = build(graph, asset, { keys: ["a", "c", "none"] })
          yield* Effect.provideService(asked, Suffix, "!")
          assert.deepStrictEqual(yield* rows(asset, ["id", "given"]), [
            ["a", "a,c,none!"],
            ["c", "a,c,none!"]
          ])
          yield* build(graph, asset)
          assert.deepStrictEqual(yield* rows(asset, ["id", "given"]), [
            ["a", ""],
            ["b", ""],
            ["c", ""]
          ])
        })
      )
    })
  })
