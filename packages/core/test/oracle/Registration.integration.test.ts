import * as FaultPoint from "@assay/core/execution/FaultPoint"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open, Time } from "../shop/Storage.ts"
import { lies, noon, order, parcel } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const waiting = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient
  const rows = yield* sql.unsafe(
    "SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"
  )
  return rows.length
})

it.layer(TestDatabase.layer)("an asset that becomes known while a step of its upstream is at work", (it) => {
  it.effect("is built from what that step wrote, or is stale (Verifies: L2, L8)", () =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Shop.Order>()
      yield* (yield* Time).set(noon)
      // Looking makes the tables; the assets become known with the first run.
      const whole = yield* open(Shop.make({ source: feed.source }))
      yield* whole.status(["last_orders"])
      const part = yield* open(Shop.only(Shop.make({ source: feed.source }), "silver_orders"))
      yield* feed.deliver(parcel("opening", [order("1", "02-01")]))
      yield* part.materialize({ assets: [] })

      // Nobody reads the orders yet when this step looks for whom to tell of the second one.
      yield* feed.deliver(parcel("more", [order("2", "02-02")]))
      const paused = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const step = yield* Effect.forkChild(
        Effect.provideService(part.materialize({ assets: [] }), FaultPoint.FaultPoint, (point) =>
          point === "beforeCommit"
            ? Effect.andThen(Deferred.succeed(paused, undefined), Effect.asVoid(Deferred.await(go)))
            : Effect.void
        )
      )
      yield* Deferred.await(paused)
      const reader = yield* Effect.forkChild(whole.materialize({ assets: ["last_orders"], upstream: false }))
      yield* Effect.raceFirst(
        Effect.asVoid(Effect.repeat(waiting, { until: (found) => found > 0 })),
        Effect.asVoid(Fiber.join(reader))
      )
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual((yield* Fiber.join(step)).status, "succeeded")
      assert.strictEqual((yield* Fiber.join(reader)).status, "succeeded")
      assert.deepStrictEqual(yield* lies(whole), [])
    }).pipe(Effect.provide(layerPostgres("registered")))
  )
})
