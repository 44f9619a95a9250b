import { FaultPoint, landingPoints } from "@assay/core/execution/FaultPoint"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { layerMemory } from "../shop/Storage.ts"
import { lies, lines, order, rows, shop } from "../shop/Trade.ts"

describe("a batch with rows and rejected rows", () => {
  for (const point of landingPoints) {
    it.effect(`lands as one, or not at all, where the landing dies at ${point} (Verifies: L3, L4)`, () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        const rejected = { origin: "mixed", line: 2, raw: "order two", reasons: ["no order"], context: null }
        yield* feed.deliver({
          origin: "mixed",
          batches: [{ rows: lines("mixed", [order("1", "02-01")]), rejected: [rejected] }]
        })
        const landed = Effect.gen(function* () {
          const quarantined = yield* assay.quarantined({ limit: 10 })
          return [(yield* rows(assay, "bronze_orders")).length, quarantined.length]
        })
        yield* assay.materialize({ assets: [] }).pipe(
          Effect.provideService(FaultPoint, (passed) =>
            passed === point ? Effect.die(new Error(`died at ${point}`)) : Effect.void
          ),
          Effect.exit
        )
        assert.deepStrictEqual(yield* landed, point === "landing.afterCommit" ? [1, 1] : [0, 0])
        yield* assay.materialize({ assets: [] })
        assert.deepStrictEqual(yield* landed, [1, 1])
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }).pipe(Effect.provide(layerMemory), Effect.provideService(References.MinimumLogLevel, "None"))
    )
  }
})
