import * as AssetGraph from "@assay/core/AssetGraph"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Crypto from "node:crypto"
import * as Dimension from "./Dimension.ts"
import type { Services } from "./layers.ts"
import { cases, eventsOf, rowsOf, shown } from "./Scd2Cases.ts"
import { build, event, events, land, prepare, rows, scope } from "./World.ts"

/** Every warehouse must pass this suite: slowly changing dimensions. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse dimensions (${name})`, () => {
    it.layer(layer)((it) => {
      cases.forEach((one, index) => {
        it.effect(`${one.name} (Verifies: L10)`, () =>
          Effect.gen(function* () {
            const { dimension, graph, log } = world(`case_${index}`)
            yield* prepare(graph)
            const observed = eventsOf("north", one)
            const unrelated = event("-:south", { region: "south", kind: "-" })
            yield* land(graph, log, [...observed, unrelated])
            yield* build(graph, dimension)
            const versions = (yield* rows(dimension, ["region", ...shown])).filter(([region]) => region === "north")
            assert.deepStrictEqual(
              versions.map(([, ...version]) => version),
              rowsOf(one)
            )
            assert.deepStrictEqual(yield* violations(dimension), 0)
          })
        )

        it.effect(`${one.name}, observed one by one (Verifies: L5)`, () =>
          Effect.gen(function* () {
            const { dimension, graph, log } = world(`late_${index}`)
            yield* prepare(graph)
            for (const observed of eventsOf("north", one).toReversed()) {
              yield* land(graph, log, [observed])
              yield* build(graph, dimension, { keys: ["north"] })
              assert.deepStrictEqual(yield* violations(dimension), 0)
            }
            assert.deepStrictEqual(yield* rows(dimension, shown), rowsOf(one))
            const again = yield* build(graph, dimension, { keys: ["north", "unknown"] })
            assert.deepStrictEqual(again.counts, [0, 0, 0, one.versions.length])
          })
        )
      })

      it.effect("writes what changed of a history, and only that", () =>
        Effect.gen(function* () {
          const { dimension, graph, log } = world("history")
          yield* prepare(graph)
          yield* land(graph, log, [
            observed("1", "north", "2024-01-01", "a"),
            observed("2", "north", "2024-01-05", "b"),
            observed("3", "south", "2024-01-01", "a")
          ])
          assert.deepStrictEqual((yield* build(graph, dimension)).counts, [3, 0, 0, 0])
          yield* land(graph, log, [observed("4", "north", "2024-01-03", "c")])
          assert.deepStrictEqual((yield* build(graph, dimension, { keys: ["north"] })).counts, [1, 1, 0, 1])
          // The split is taken back: the middle version goes, the first one is open until the last again.
          yield* land(graph, log, [{ ...observed("5", "north", "2024-01-03", "a"), line: 2 }])
          assert.deepStrictEqual((yield* build(graph, dimension, { keys: ["north"] })).counts, [0, 1, 1, 1])
          assert.deepStrictEqual(yield* rows(dimension, ["region", "valid_from", "valid_to"]), [
            ["north", "2024-01-01T00:00:00.000000Z", "2024-01-05T00:00:00.000000Z"],
            ["north", "2024-01-05T00:00:00.000000Z", null],
            ["south", "2024-01-01T00:00:00.000000Z", null]
          ])
        })
      )

      it.effect("has a surrogate key that follows from key and start alone", () =>
        Effect.gen(function* () {
          const { dimension, graph, log } = world("surrogate")
          yield* prepare(graph)
          yield* land(graph, log, [observed("1", "n\u00f6rd\u{1F600}", "2024-01-01", "a")])
          yield* build(graph, dimension)
          const text = "n\u00f6rd\u{1F600}\u001f2024-01-01T00:00:00.000000Z"
          assert.deepStrictEqual(yield* rows(dimension, ["sk"]), [
            [Crypto.createHash("md5").update(text).digest("hex")]
          ])
        })
      )
    })
  })

// --- internal ---

const world = (name: string) => {
  const log = events(`${name}_log`)
  const dimension = Dimension.make(name, log)
  return { log, dimension, graph: AssetGraph.fromIterable([log, dimension]) }
}

const observed = (id: string, region: string, day: string, segment: string) =>
  event(`-:${id}`, { region, kind: "-", note: segment, at: `${day}T00:00:00.000000Z` })

/** Rows that break a check of the dimension; it comes with the check of its own shape. */
const violations = (dimension: ReturnType<typeof Dimension.make>) =>
  Effect.gen(function* () {
    const warehouse = yield* Warehouse
    const results = yield* warehouse.check({ asset: dimension, scope: yield* scope("everything") })
    assert.deepStrictEqual(
      results.map(({ check }) => check),
      ["SCD2 shape"]
    )
    return results.reduce((sum, result) => sum + result.violations, 0)
  })
