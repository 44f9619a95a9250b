import { stepPoints } from "@assay/core/execution/FaultPoint"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertExact, assertSound, completed, corrected, killed, start, suite } from "./harness.ts"

const assets = [
  { asset: "silver_sales", as: "upsert" },
  { asset: "dim_member", as: "scd2" },
  { asset: "gold_daily", as: "replacePartitions" },
  { asset: "tier_totals", as: "replace" },
  { asset: "member_cards", as: "what reads a view" }
] as const

suite((test) => {
  for (const { as, asset } of assets) {
    test(`${as}: runs that die one after the other, each at another point of ${asset}, are gone on with exactly (Verifies: L1, L2, L3, L4)`, () =>
      Effect.gen(function* () {
        const till = yield* corrected
        for (const point of stepPoints) {
          yield* killed(till, { point, asset, passing: 1 })
          assert.strictEqual((yield* till.assay.runs({ limit: 1 }))[0]?.run.status, "running")
          yield* assertSound(till)
        }
        yield* completed(yield* start(till))
        yield* assertExact(till)
      }))
  }

  for (const asset of ["silver_sales", "gold_daily"]) {
    test(`a run that dies in the second step of ${asset} keeps the first one (Verifies: L1, L3, L4)`, () =>
      Effect.gen(function* () {
        const till = yield* corrected
        yield* killed(till, { point: "beforeCommit", asset, passing: 2 })
        const [summary] = yield* till.assay.runs({ limit: 1 })
        const found = yield* till.assay.run(summary?.run.runId ?? "")
        const steps = found._tag === "Found" ? found.steps : []
        assert.deepStrictEqual(
          steps.filter((step) => step.asset === asset).map(({ status, units }) => [status, units]),
          [["succeeded", 4]]
        )
        yield* assertSound(till)
        yield* completed(yield* start(till))
        yield* assertExact(till)
      }))
  }
})
