import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertExact, completed, corrected, cutOff, start, stopped, suite, waitsForLock } from "./harness.ts"

const places = [
  { asset: "bronze_sales", point: "landing.beforeCommit" },
  { asset: "silver_sales", point: "beforeCommit" },
  { asset: "gold_daily", point: "beforeCommit" }
] as const

suite((test) => {
  for (const { asset, point } of places) {
    test(`a runner frozen at ${point} of ${asset} keeps its asset until it goes on (Verifies: L8)`, () =>
      Effect.gen(function* () {
        const till = yield* corrected
        const frozen = yield* start(till, { point, asset, passing: 1, action: "SIGSTOP" })
        yield* stopped(frozen)
        const other = yield* start(till)
        yield* waitsForLock(other)
        yield* frozen.signal("SIGCONT")
        yield* Effect.all([completed(frozen), completed(other)])
        yield* assertExact(till)
      }))

    test(`a runner frozen at ${point} of ${asset} and cut off writes nothing when it goes on (Verifies: L8)`, () =>
      Effect.gen(function* () {
        const till = yield* corrected
        const frozen = yield* start(till, { point, asset, passing: 1, action: "SIGSTOP" })
        yield* stopped(frozen)
        const other = yield* start(till)
        yield* waitsForLock(other)
        yield* cutOff(frozen)
        yield* completed(other)
        yield* assertExact(till)
        const [summary] = yield* till.assay.runs({ limit: 1 })
        yield* frozen.signal("SIGCONT")
        const runId = yield* completed(frozen)
        assert.notStrictEqual(runId, summary?.run.runId)
        yield* assertExact(till)
      }))
  }
})
