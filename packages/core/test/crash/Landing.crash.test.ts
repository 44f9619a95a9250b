import { assert } from "@effect/vitest"
import { abandonedError } from "@assay/core/ledger/Runs"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { assertExact, completed, corrected, killed, start, suite } from "./harness.ts"
import { landingPoints } from "./Instructions.ts"

suite((test) => {
  for (const point of landingPoints) {
    for (const passing of [1, 3]) {
      test(`a landing that dies at ${point} of batch ${passing} lands each record once (Verifies: L1, L3, L4)`, () =>
        Effect.gen(function* () {
          const till = yield* corrected
          const before = yield* till.assay.status(["bronze_sales"])
          yield* killed(till, { point, asset: "bronze_sales", passing })
          // Three records of each batch: what landed of them, and what was rejected.
          const after = yield* till.assay.status(["bronze_sales"])
          const count = ([status]: typeof after) => (status?.rows ?? 0) + (status?.quarantined ?? 0)
          const committed = point === "landing.afterCommit" ? passing : passing - 1
          assert.strictEqual(count(after) - count(before), Math.min(committed * 3, 8))
          yield* completed(yield* start(till))
          yield* assertExact(till)
        }))
    }
  }

  test("a run that died is recorded as running until its heartbeat is old, and then as cancelled", () =>
    Effect.gen(function* () {
      const till = yield* corrected
      yield* killed(till, { point: "landing.afterCommit", asset: "bronze_sales", passing: 1 })
      const latest = Effect.map(till.assay.runs({ limit: 1 }), ([summary]) => summary)
      const dead = yield* latest
      assert.deepInclude(dead?.run, { status: "running", error: undefined, finishedAt: undefined })
      assert.deepInclude(dead?.steps, { running: 1, cancelled: 0 })
      if (dead === undefined) return
      const { heartbeatAt, runId } = dead.run
      assert.deepStrictEqual(yield* till.runs.abandon({ olderThan: heartbeatAt, at: heartbeatAt }), [])
      const later = DateTime.add(heartbeatAt, { minutes: 3 })
      assert.deepStrictEqual(yield* till.runs.abandon({ olderThan: later, at: later }), [runId])
      const cancelled = yield* latest
      assert.deepInclude(cancelled?.run, { runId, status: "cancelled", error: abandonedError, finishedAt: later })
      assert.deepInclude(cancelled?.steps, { running: 0, cancelled: 1 })
      yield* completed(yield* start(till))
      yield* assertExact(till)
    }))
})
