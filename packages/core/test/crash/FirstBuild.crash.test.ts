import { landingPoints, stepPoints } from "@assay/core/execution/FaultPoint"
import * as Effect from "effect/Effect"
import { assertExact, assertSound, completed, killed, start, suite, unbuilt } from "./harness.ts"

suite((test) => {
  test("a first landing dies at each point, and again at each in the second file; what follows is exact (Verifies: L1, L2, L3, L4)", () =>
    Effect.gen(function* () {
      const till = yield* unbuilt
      for (const point of landingPoints) yield* killed(till, { point, asset: "bronze_sales", passing: 1 })
      // Each file has three batches. One landed at the last death, so the third one now is the first of the second file.
      for (const point of landingPoints) {
        yield* killed(till, { point, asset: "bronze_sales", passing: point === "landing.beforeLock" ? 3 : 1 })
        yield* assertSound(till)
      }
      yield* completed(yield* start(till))
      yield* assertExact(till)
    }))

  for (const asset of ["silver_sales", "dim_member", "gold_daily", "tier_totals", "member_cards"]) {
    test(`a first build of ${asset} that dies at each of its points is gone on with exactly (Verifies: L1, L2, L3, L4)`, () =>
      Effect.gen(function* () {
        const till = yield* unbuilt
        for (const point of stepPoints) {
          yield* killed(till, { point, asset, passing: 1 })
          yield* assertSound(till)
        }
        yield* completed(yield* start(till))
        yield* assertExact(till)
      }))
  }

  test("a first build that dies three times, each time further on, is gone on with exactly (Verifies: L1, L3, L4)", () =>
    Effect.gen(function* () {
      const till = yield* unbuilt
      yield* killed(till, { point: "landing.beforeCommit", asset: "bronze_sales", passing: 5 })
      yield* killed(till, { point: "afterClear", asset: "silver_sales", passing: 1 })
      yield* killed(till, { point: "afterMarks", asset: "gold_daily", passing: 2 })
      yield* completed(yield* start(till))
      yield* assertExact(till)
    }))
})
