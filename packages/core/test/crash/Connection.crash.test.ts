import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertExact, completed, corrected, cutOff, start, suite } from "./harness.ts"

const places = [
  { asset: "bronze_sales", point: "landing.beforeWrite" },
  { asset: "bronze_sales", point: "landing.afterWrite" },
  { asset: "bronze_sales", point: "landing.beforeCommit" },
  { asset: "silver_sales", point: "beforeLock" },
  { asset: "silver_sales", point: "beforeCommit" },
  { asset: "dim_member", point: "afterWrite" },
  { asset: "gold_daily", point: "afterMarks" },
  { asset: "tier_totals", point: "afterPick" }
] as const

suite((test) => {
  for (const { asset, point } of places) {
    test(`a step of ${asset} whose connection is cut off at ${point} is tried again (Verifies: L1, L3, L4)`, () =>
      Effect.gen(function* () {
        const till = yield* corrected
        const runner = yield* start(till, { point, asset, passing: 1, action: "wait" })
        yield* runner.waiting
        yield* cutOff(runner)
        yield* runner.release
        const runId = yield* completed(runner)
        const found = yield* till.assay.run(runId ?? "")
        const steps = found._tag === "Found" ? found.steps : []
        assert.deepInclude(
          steps.find((step) => step.asset === asset),
          { status: "succeeded", attempts: 2, error: undefined }
        )
        assert.deepStrictEqual(
          new Set(steps.filter((step) => step.asset !== asset).map(({ attempts }) => attempts)),
          new Set([1])
        )
        yield* assertExact(till)
      }))
  }
})
