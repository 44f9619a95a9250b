import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertExact, corrected, killed, suite } from "./harness.ts"
import { type Fault, stepPoints } from "./Instructions.ts"

// Up to the write a transaction holds nothing and the checks add nothing to it, whatever the strategy: at these points one
// asset is enough.
const sinceWriting = ["afterWrite", "afterMarks", "afterClear", "beforeCommit", "afterCommit"] as const

const faults: ReadonlyArray<Omit<Fault, "action">> = [
  ...stepPoints.map((point) => ({ point, asset: "silver_sales", passing: 1 })),
  ...["dim_member", "gold_daily", "tier_totals"].flatMap((asset) =>
    sinceWriting.map((point) => ({ point, asset, passing: 1 }))
  ),
  { point: "beforeCommit", asset: "silver_sales", passing: 2 },
  { point: "beforeCommit", asset: "gold_daily", passing: 2 }
]

suite((test) => {
  for (const fault of faults) {
    const place = `${fault.point} ${fault.passing} of ${fault.asset}`
    test(`a run that dies at ${place} is gone on with exactly (Verifies: L1, L3, L4)`, () =>
      Effect.gen(function* () {
        const till = yield* corrected
        yield* killed(till, fault)
        assert.strictEqual((yield* till.assay.runs({ limit: 1 }))[0]?.run.status, "running")
        assert.strictEqual((yield* till.assay.materialize({ assets: [] })).status, "succeeded")
        yield* assertExact(till)
      }))
  }
})
