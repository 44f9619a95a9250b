import * as FaultPoint from "@assay/core/execution/FaultPoint"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import { waiting } from "../ledger/layers.ts"
import { layerPostgresAgain } from "../shop/Storage.ts"
import { lies, order, parcel, rows, trouble } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { running, settled, suite } from "./RegionsSuite.ts"

/** Pauses the first step that passes a point until it may go on. */
const pausing = (point: FaultPoint.Point) =>
  Effect.gen(function* () {
    const paused = yield* Deferred.make<void>()
    const go = yield* Deferred.make<void>()
    const pause = (at: FaultPoint.Point) =>
      at === point ? Effect.andThen(Deferred.succeed(paused, undefined), Deferred.await(go)) : Effect.void
    return { paused: Deferred.await(paused), go: Deferred.succeed(go, undefined), pause }
  })

it.layer(TestDatabase.layer)((it) => {
  suite("postgres", (name, body) => {
    it.effect(name, () => Effect.provide(body(), layerPostgresAgain("regions")))
  })

  describe("a step beside a change of keys", () => {
    const west = parcel("more", [order("4", "02-04", { amount: 4, store: "west" })])

    it.effect("marks a key that was added and built while it computed (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay, feed, reopen } = yield* running()
        const other = yield* reopen({})
        yield* feed.deliver(west)
        yield* assay.materialize({ assets: ["bronze_orders"] })
        const { go, pause, paused } = yield* pausing("beforeWrite")
        const slow = yield* Effect.forkChild(
          assay.materialize({ assets: ["silver_orders"] }).pipe(Effect.provideService(FaultPoint.FaultPoint, pause))
        )
        yield* paused
        yield* other.addPartitions("regions", ["west"])
        assert.deepStrictEqual(trouble(yield* other.materialize({ assets: ["sales"], upstream: false })), {})
        assert.deepStrictEqual(yield* rows(other, "sales", "west"), [["west", "3"]])
        yield* go
        assert.deepStrictEqual(trouble(yield* Fiber.join(slow)), {})
        assert.deepStrictEqual(yield* lies(assay), [])
        assert.deepInclude((yield* assay.status(["sales"]))[0], { stale: 1, missing: 0 })
        yield* settled(assay)
        assert.deepStrictEqual(yield* rows(assay, "sales", "west"), [["west", "7"]])
      }).pipe(Effect.provide(layerPostgresAgain("regions")))
    )

    it.effect("keeps a change of keys waiting from its marks to its commit (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay, feed, reopen } = yield* running()
        const other = yield* reopen({})
        yield* feed.deliver(west)
        yield* assay.materialize({ assets: ["bronze_orders"] })
        const { go, pause, paused } = yield* pausing("afterMarks")
        const slow = yield* Effect.forkChild(
          assay.materialize({ assets: ["silver_orders"] }).pipe(Effect.provideService(FaultPoint.FaultPoint, pause))
        )
        yield* paused
        const adding = yield* Effect.forkChild(other.addPartitions("regions", ["west"]))
        yield* waiting(1)
        yield* go
        yield* Fiber.join(slow)
        assert.deepStrictEqual(yield* Fiber.join(adding), ["west"])
        yield* settled(assay)
        assert.deepStrictEqual(yield* rows(assay, "sales", "west"), [["west", "7"]])
      }).pipe(Effect.provide(layerPostgresAgain("regions")))
    )

    it.effect("is tried again where its key was removed and added while it was built (Verifies: L2)", () =>
      Effect.gen(function* () {
        const begun = yield* Deferred.make<void>()
        const changed = yield* Deferred.make<void>()
        const times = yield* Ref.make(0)
        // The first build is that of the opening.
        const before = Effect.flatMap(
          Ref.updateAndGet(times, (count) => count + 1),
          (count) =>
            count === 2 ? Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(changed)) : Effect.void
        )
        const policy = MaterializationPolicy.make({ retry: Schedule.recurs(1) })
        const { assay, feed, reopen } = yield* running({ before, policy })
        const other = yield* reopen({ policy })
        const orders = (seen: string, amount: number) =>
          parcel(seen, [order("4", "02-04", { amount, seen, store: "east" })])
        yield* feed.deliver(orders("02-05", 4))
        const slow = yield* Effect.forkChild(assay.materialize({ assets: ["sales"] }))
        yield* Deferred.await(begun)
        yield* other.removePartitions("regions", ["east"])
        yield* feed.deliver(orders("02-06", 5))
        yield* other.materialize({ assets: ["silver_orders"] })
        yield* other.addPartitions("regions", ["east"])
        yield* Deferred.succeed(changed, undefined)
        assert.deepStrictEqual(trouble(yield* Fiber.join(slow)), {})
        assert.strictEqual(yield* Ref.get(times), 3)
        assert.deepStrictEqual(yield* lies(assay), [])
        yield* settled(assay)
        assert.deepStrictEqual(yield* rows(assay, "sales", "east"), [["east", "25"]])
      }).pipe(Effect.provide(layerPostgresAgain("regions")))
    )
  })
})
