import * as BillingRetry from "@assay/billing-assets/BillingRetry"
import { DataQuality, MaterializationError, Transient } from "@assay/core/MaterializationError"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"

const lost = new MaterializationError({
  asset: "gold_revenue",
  reason: new Transient({ message: "connection lost", code: "08006" })
})

const broken = new MaterializationError({
  asset: "gold_revenue",
  reason: new DataQuality({ message: "not unique", check: "unique" })
})

/** The delays that the schedule asks for, in seconds, when every attempt fails with the error. */
const delays = (error: MaterializationError) =>
  Effect.gen(function* () {
    const step = yield* Schedule.toStep(BillingRetry.schedule)
    const seconds: Array<number> = []
    for (let now = 0; seconds.length < 20;) {
      const exit = yield* Effect.exit(step(now, error))
      if (Exit.isFailure(exit)) break
      const delay = Duration.toMillis(exit.value[1])
      seconds.push(delay / 1000)
      now += delay
    }
    return seconds
  })

describe("BillingRetry.schedule", () => {
  it.effect("tries a lost connection eight more times, each later than the last, up to half a minute", () =>
    Effect.gen(function* () {
      const seconds = yield* delays(lost)
      const planned = [0.25, 0.5, 1, 2, 4, 8, 16, 30]
      assert.strictEqual(seconds.length, planned.length)
      planned.forEach((plan, index) => {
        assert.isAtLeast(seconds[index] ?? 0, plan * 0.8 - 0.001)
        assert.isAtMost(seconds[index] ?? 0, plan * 1.2 + 0.001)
      })
    })
  )

  it.effect("does not try a failed check again", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* delays(broken), [])
    })
  )

  it.effect("stops as soon as the error is one that no attempt can mend", () =>
    Effect.gen(function* () {
      let attempts = 0
      const failing = Effect.suspend(() => {
        attempts++
        return Effect.fail(broken)
      })
      const exit = yield* Effect.exit(Effect.retry(failing, BillingRetry.policy.retry))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(attempts, 1)
    })
  )
})
