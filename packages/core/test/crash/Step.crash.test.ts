import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertExact, corrected, killed, suite } from "./harness.ts"
import { type Fault, stepPoints } from "./Instructions.ts"

suite((test) => {
  for (const asset of ["silver_sales", "dim_member", "gold_daily", "tier_totals"]) {
    for (const point of stepPoints) {
      const fault: Omit<Fault, "action"> = { point, asset, passing: 1 }
      test(`a run that dies at ${point} of ${asset} is gone on with exactly (Verifies: L1, L3, L4)`, () =>
        Effect.gen(function* () {
          const till = yield* corrected
          yield* killed(till, fault)
          assert.strictEqual((yield* till.assay.runs({ limit: 1 }))[0]?.run.status, "running")
          assert.strictEqual((yield* till.assay.materialize({ assets: [] })).status, "succeeded")
          yield* assertExact(till)
        }))
    }
  }
})
