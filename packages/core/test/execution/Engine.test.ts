import { Transient } from "@assay/core/MaterializationError"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { Disturbance } from "../shop/Disturbance.ts"
import { layerMemory } from "../shop/Storage.ts"
import { order, parcel, shop, steps } from "../shop/Trade.ts"
import { suite } from "./EngineSuite.ts"

suite("memory", (name, body) => it.effect(name, () => Effect.provide(body(), layerMemory)))

describe("a retry", () => {
  it.effect("waits as long as the policy says", () =>
    Effect.gen(function* () {
      const policy = MaterializationPolicy.make({ retry: Schedule.exponential("10 seconds") })
      const { assay, feed } = yield* shop({ policy })
      yield* feed.deliver(parcel("opening", [order("1", "03-01")]))
      const attempts = yield* Ref.make(0)
      const isTried = yield* Deferred.make<void>()
      const disturbance = yield* Disturbance
      yield* disturbance.set(
        Effect.flatMap(
          Effect.andThen(
            Deferred.succeed(isTried, undefined),
            Ref.updateAndGet(attempts, (count) => count + 1)
          ),
          (count) => (count <= 2 ? Effect.fail(new Transient({ message: "try again", code: undefined })) : Effect.void)
        )
      )
      const fiber = yield* Effect.forkChild(assay.materialize({ assets: ["store_totals"] }))
      const after = (seconds: number) => Effect.andThen(TestClock.adjust(seconds * 1000), Ref.get(attempts))
      yield* Deferred.await(isTried)
      assert.deepStrictEqual([yield* after(9), yield* after(1), yield* after(19), yield* after(1)], [1, 2, 2, 3])
      const result = yield* Fiber.join(fiber)
      assert.strictEqual(result.status, "succeeded")
      const [, , totals] = yield* steps(assay, result.runId)
      assert.deepInclude(totals, { asset: "store_totals", attempts: 3, durationMs: 30_000 })
    }).pipe(Effect.provide(layerMemory))
  )

  it.effect("keeps the run alive in the eyes of others", () =>
    Effect.gen(function* () {
      const policy = MaterializationPolicy.make({ retry: Schedule.spaced("10 minutes") })
      const { assay, feed } = yield* shop({ policy })
      yield* feed.deliver(parcel("opening", [order("1", "03-01")]))
      const disturbance = yield* Disturbance
      const isTried = yield* Deferred.make<void>()
      yield* disturbance.set(
        Effect.andThen(
          Deferred.succeed(isTried, undefined),
          Effect.fail(new Transient({ message: "try again", code: undefined }))
        )
      )
      const fiber = yield* Effect.forkChild(assay.materialize({ assets: ["store_totals"] }))
      yield* Deferred.await(isTried)
      yield* TestClock.adjust("5 minutes")
      yield* assay.materialize({ assets: ["hourly_orders"] })
      const statuses = (yield* assay.runs({ limit: 10 })).map(({ run }) => run.status)
      assert.deepStrictEqual(statuses, ["succeeded", "running"])
      yield* disturbance.set(Effect.void)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* Fiber.join(fiber)).status, "succeeded")
    }).pipe(Effect.provide(layerMemory))
  )
})
