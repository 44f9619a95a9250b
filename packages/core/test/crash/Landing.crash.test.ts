import { assert } from "@effect/vitest"
import { landingPoints } from "@assay/core/execution/FaultPoint"
import { abandonedError } from "@assay/core/ledger/Runs"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { assertExact, assertSound, completed, corrected, killed, start, suite } from "./harness.ts"

suite((test) => {
  test("append: landings that die one after the other, at each point of the first batch and of the next, land each record once (Verifies: L1, L2, L3, L4)", () =>
    Effect.gen(function* () {
      const till = yield* corrected
      const arrived = Effect.map(
        till.assay.status(["bronze_sales"]),
        ([bronze]) => (bronze?.rows ?? 0) + (bronze?.quarantined ?? 0)
      )
      const before = yield* arrived
      for (const committed of [1, 2]) {
        for (const point of landingPoints) {
          yield* killed(till, { point, asset: "bronze_sales", passing: 1 })
          // Three records to a batch: what landed of them, and what was rejected.
          const batches = point === "landing.afterCommit" ? committed : committed - 1
          assert.strictEqual((yield* arrived) - before, batches * 3)
          yield* assertSound(till)
        }
      }
      yield* completed(yield* start(till))
      yield* assertExact(till)
    }))

  test("a landing that dies before its last batch commits has landed the others (Verifies: L1, L3, L4)", () =>
    Effect.gen(function* () {
      const till = yield* corrected
      yield* killed(till, { point: "landing.beforeCommit", asset: "bronze_sales", passing: 3 })
      yield* assertSound(till)
      yield* completed(yield* start(till))
      yield* assertExact(till)
    }))

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
