import * as FaultPoint from "@assay/core/execution/FaultPoint"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { layerPostgres } from "../shop/Storage.ts"
import { built, lies, order, parcel, rows, shop } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { meanwhile } from "./Pause.ts"

const count = (query: string) =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    const [row] = yield* sql.unsafe<{ readonly count: number }>(`SELECT count(*)::int AS count FROM ${query}`)
    return row?.count
  })

const waiting = count(
  "pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"
)

const all = { assets: [] }

it.layer(TestDatabase.layer)("a dimension that changes while a fact is added", (it) => {
  it.effect("holds the fact back until both are seen by the day that joins them (Verifies: L1, L2)", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* shop()
      yield* feed.deliver(parcel("opening", [order("1", "02-01", { customer: "bob", tier: "gold" })]))
      yield* assay.materialize({ assets: [] })

      // From 10 February on bob is silver. The dimension's step has looked for his orders since: there are none.
      yield* feed.deliver(parcel("tier", [order("2", "02-10", { customer: "bob", tier: "silver" })]))
      yield* assay.materialize({ assets: ["silver_orders"] })
      const paused = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const dimension = yield* Effect.forkChild(
        assay
          .materialize({ assets: ["dim_customer"], upstream: false })
          .pipe(
            Effect.provideService(FaultPoint.FaultPoint, (point) =>
              point === "beforeCommit"
                ? Effect.andThen(Deferred.succeed(paused, undefined), Effect.asVoid(Deferred.await(go)))
                : Effect.void
            )
          )
      )
      yield* Deferred.await(paused)

      // Now he orders on a day on which nobody else does. The order lands, but becomes no fact yet.
      yield* feed.deliver(parcel("fact", [order("3", "02-20", { customer: "bob" })]))
      const fact = yield* Effect.forkChild(assay.materialize({ assets: ["silver_orders"] }))
      const waits = Effect.as(Effect.repeat(waiting, { until: (found) => found === 1 }), "waits")
      assert.strictEqual(yield* Effect.raceFirst(waits, Effect.as(Fiber.join(fact), "goes on")), "waits")
      assert.strictEqual(yield* count("skew.bronze_orders"), 3)
      assert.strictEqual(yield* count("skew.silver_orders"), 2)

      // Were it one, its day would be built now, with the dimension as it was.
      const day = yield* assay.materialize({ assets: ["gold_daily"], partitions: "2024-02-20", upstream: false })
      assert.deepStrictEqual(built(day), {})

      yield* Deferred.succeed(go, undefined)
      assert.deepStrictEqual(built(yield* Fiber.join(dimension)), { dim_customer: 1 })
      assert.deepStrictEqual(built(yield* Fiber.join(fact)), { bronze_orders: 1, silver_orders: 1 })
      assert.deepStrictEqual(yield* lies(assay), [])
      yield* assay.materialize({ assets: ["gold_daily"], upstream: false })
      assert.deepStrictEqual(yield* rows(assay, "gold_daily", "2024-02-20"), [["2024-02-20", "silver", "1", "10"]])
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    }).pipe(Effect.provide(layerPostgres("skew")))
  )

  it.effect("does not hold back landings, nor what does not look up the dimension", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* shop()
      yield* feed.deliver(parcel("opening", [order("1", "02-01", { customer: "bob", tier: "gold" })]))
      yield* assay.materialize({ assets: ["silver_orders"] })
      yield* feed.deliver(parcel("more", [order("2", "02-20")]))
      const others = ["bronze_orders", "last_orders", "hourly_orders", "store_labels", "gold_daily"]
      const [, result] = yield* meanwhile(
        "afterWrite",
        assay.materialize({ assets: ["dim_customer"], upstream: false }),
        assay.materialize({ assets: others, upstream: false })
      )
      assert.deepStrictEqual(Object.keys(built(result)).toSorted(), others.toSorted())
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    }).pipe(Effect.provide(layerPostgres("unheld")))
  )
})

it.layer(TestDatabase.layer)("what changes while a step is at work", (it) => {
  const places = [
    { asset: "silver_orders", upstream: "bronze_orders" },
    { asset: "last_orders", upstream: "silver_orders" },
    { asset: "customer_cards", upstream: "dim_customer" },
    { asset: "gold_daily", upstream: "silver_orders" },
    { asset: "tier_monthly", upstream: "dim_customer" },
    { asset: "trailing_week", upstream: "gold_daily" },
    { asset: "busy_neighbours", upstream: "gold_daily" },
    { asset: "store_totals", upstream: "silver_orders" },
    { asset: "store_ranking", upstream: "store_totals" }
  ] as const
  const first = [order("1", "02-01", { tier: "gold" }), order("2", "02-01T13:00", { store: "west" })]
  const second = [order("3", "02-01T14:00", { tier: "silver", amount: 3 })]
  const third = [order("4", "02-01T15:00", { tier: "iron", store: "west", amount: 90 })]

  for (const { asset, upstream } of places) {
    for (const isFirst of [true, false]) {
      it.effect(`is not lost to ${asset} in its ${isFirst ? "first" : "second"} build (Verifies: L1, L2)`, () =>
        Effect.gen(function* () {
          const { assay, feed } = yield* shop()
          yield* feed.deliver(parcel("first", first))
          yield* assay.materialize(isFirst ? { assets: [upstream] } : all)
          yield* feed.deliver(parcel("second", second))
          yield* assay.materialize({ assets: [upstream] })
          yield* feed.deliver(parcel("third", third))
          const [own, others] = yield* meanwhile(
            "afterWrite",
            assay.materialize({ assets: [asset], upstream: false }),
            assay.materialize({ assets: [upstream] })
          )
          assert.deepStrictEqual([Object.keys(built(own)), built(others)[upstream]], [[asset], 1])
          const [status] = yield* assay.status([asset])
          // Behind the first build of everything a run goes on with the keys marked meanwhile, by itself.
          const isStale = (status?.stale ?? 0) > 0 || status?.whole !== undefined
          assert.isTrue(isStale || own.outcomes.some(({ steps }) => steps > 1))
          assert.deepStrictEqual(yield* lies(assay), [])
          yield* assay.materialize(all)
          assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
          assert.strictEqual((yield* assay.materialize(all)).steps, 0)
        }).pipe(Effect.provide(layerPostgres(`${asset}_${isFirst ? "first" : "second"}`)))
      )
    }
  }
})
