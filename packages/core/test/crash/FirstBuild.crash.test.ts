import * as Effect from "effect/Effect"
import { assertExact, completed, killed, start, suite, unbuilt } from "./harness.ts"

const places = [
  // Each file has three batches, so the fourth is the first one of the second delivery.
  { asset: "bronze_sales", points: ["landing.afterWrite", "landing.afterCommit"], passings: [1, 4] },
  { asset: "silver_sales", points: ["beforeCommit", "afterCommit"], passings: [1] },
  { asset: "dim_member", points: ["beforeCommit", "afterCommit"], passings: [1] },
  { asset: "gold_daily", points: ["afterWrite", "afterCommit"], passings: [1, 3] },
  { asset: "tier_totals", points: ["beforeCommit", "afterCommit"], passings: [1] }
] as const

suite((test) => {
  for (const { asset, passings, points } of places) {
    for (const [point, passing] of points.flatMap((point) => passings.map((passing) => [point, passing] as const))) {
      test(`a first build that dies at ${point} ${passing} of ${asset} is gone on with exactly (Verifies: L1, L3, L4)`, () =>
        Effect.gen(function* () {
          const till = yield* unbuilt
          yield* killed(till, { point, asset, passing })
          yield* completed(yield* start(till))
          yield* assertExact(till)
        }))
    }
  }

  test("a first build that dies three times is gone on with exactly (Verifies: L1, L3, L4)", () =>
    Effect.gen(function* () {
      const till = yield* unbuilt
      yield* killed(till, { point: "landing.beforeCommit", asset: "bronze_sales", passing: 5 })
      yield* killed(till, { point: "afterClear", asset: "silver_sales", passing: 1 })
      yield* killed(till, { point: "afterMarks", asset: "gold_daily", passing: 2 })
      yield* completed(yield* start(till))
      yield* assertExact(till)
    }))
})
