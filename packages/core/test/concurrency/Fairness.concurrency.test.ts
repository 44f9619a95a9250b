import { FaultPoint, type Point } from "@assay/core/execution/FaultPoint"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open } from "../shop/Storage.ts"
import { built, lies, order, parcel, rows, shop, steps, trouble } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as Crew from "./Crew.ts"

/** A run that stops at its first passing of a point until it is let go. */
const held = Effect.fnUntraced(function* <A, E, R>(point: Point, run: Effect.Effect<A, E, R>) {
  const reached = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(
    Effect.provideService(run, FaultPoint, (passed) =>
      passed === point ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(go)) : Effect.void
    )
  )
  yield* Deferred.await(reached)
  return { end: Effect.andThen(Deferred.succeed(go, undefined), Fiber.join(fiber)) }
})

/** Resumes when so many wait for an asset that another one holds. */
const waiting = (count: number) => Effect.repeat(Crew.waits, { until: ({ length }) => length === count })

const ofTotals = new Set(["store_totals", "store_labels", "store_ranking", "store_archive"])

it.layer(TestDatabase.layer)("a step that takes very long", (it) => {
  it.effect("keeps neither landings nor unrelated assets waiting, and is not done in vain (Verifies: L2, L8)", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* shop()
      const unrelated = Array.from(assay.graph.assets.keys()).filter((asset) => !ofTotals.has(asset))
      yield* feed.deliver(parcel("opening", [order("1", "02-01"), order("2", "02-02", { store: "east" })]))
      yield* assay.materialize({ assets: [] })
      yield* feed.deliver(parcel("change", [order("3", "02-03", { store: "east", amount: 30 })]))
      yield* assay.materialize({ assets: unrelated })

      const long = yield* held("afterWrite", assay.materialize({ assets: ["store_totals"], upstream: false }))
      for (let day = 1; day <= 9; day++) {
        const customer = day % 2 === 0 ? "ann" : "bob"
        yield* feed.deliver(
          parcel(`day ${day}`, [order(`day ${day}`, `02-1${day}`, { store: "east", customer, tier: "gold" })])
        )
        const meanwhile = yield* assay.materialize({ assets: unrelated })
        assert.deepStrictEqual([meanwhile.status, trouble(meanwhile)], ["succeeded", {}])
        assert.deepInclude(built(meanwhile), { bronze_orders: 1, silver_orders: 1, dim_customer: 1, gold_daily: 1 })
      }
      assert.deepStrictEqual(yield* Crew.waits, [])
      assert.deepStrictEqual(yield* rows(assay, "store_totals", "east"), [["east", "1", "10"]])

      // Whoever needs the same asset is the only one who waits.
      const other = yield* Effect.forkChild(assay.materialize({ assets: ["store_totals"], upstream: false }))
      yield* waiting(1)
      const { runId, ...ended } = yield* long.end
      assert.deepStrictEqual(built({ runId, ...ended }), { store_totals: 1 })
      assert.deepStrictEqual(
        (yield* steps(assay, runId)).map(({ attempts, rowsUpdated, status }) => ({ attempts, rowsUpdated, status })),
        [{ attempts: 1, rowsUpdated: 1, status: "succeeded" }]
      )
      assert.deepStrictEqual(built(yield* Fiber.join(other)), { store_totals: 1 })
      assert.deepStrictEqual(yield* rows(assay, "store_totals", "east"), [["east", "11", "130"]])
      assert.deepStrictEqual(yield* lies(assay), [])
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    }).pipe(Effect.provide(layerPostgres("long")))
  )

  it.effect("lets who waited first go first, so that a busy fact does not starve its dimension", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* shop()
      yield* feed.deliver(parcel("opening", [order("1", "02-01", { tier: "gold" }), order("2", "02-02")]))
      yield* assay.materialize({ assets: [] })
      yield* feed.deliver(parcel("tier", [order("3", "02-03", { tier: "iron" })]))
      yield* assay.materialize({ assets: ["silver_orders"] })
      yield* feed.deliver(parcel("more", [order("4", "02-04"), order("5", "02-05")]))
      yield* assay.materialize({ assets: ["bronze_orders"] })

      const granted: Array<string> = []
      const queue = (asset: string) =>
        Effect.forkChild(
          assay
            .materialize({ assets: [asset], upstream: false })
            .pipe(
              Effect.provideService(FaultPoint, (point) =>
                Effect.sync(() => void (point === "afterLock" && granted.push(asset)))
              )
            )
        )
      const fact = yield* held("beforeCommit", assay.materialize({ assets: ["silver_orders"], upstream: false }))
      const dimension = yield* queue("dim_customer")
      yield* waiting(1)
      const facts = yield* queue("silver_orders")
      yield* waiting(2)
      yield* fact.end
      yield* Fiber.join(dimension)
      yield* Fiber.join(facts)
      assert.deepStrictEqual(granted.slice(0, 2), ["dim_customer", "silver_orders"])
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    }).pipe(Effect.provide(layerPostgres("queue")))
  )
})

it.layer(TestDatabase.layer)("a source that lands something behind every step", (it) => {
  for (const { asset, upstream } of [
    { asset: "silver_orders", upstream: "bronze_orders" },
    { asset: "last_orders", upstream: "silver_orders" },
    { asset: "gold_daily", upstream: "dim_customer" }
  ] as const) {
    it.effect(`does not keep a run of ${asset} from ending, and loses nothing to it (Verifies: L2, L4)`, () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        const policy = MaterializationPolicy.make({ stepSize: 1 })
        const runner = yield* open(Shop.make({ source: feed.source, policy }))
        const orders = (from: number, count: number) =>
          Array.from({ length: count }, (_, index) =>
            order(`order ${from + index}`, `02-${String(from + index).padStart(2, "0")}`, {
              customer: `customer ${from + index}`
            })
          )
        yield* feed.deliver(parcel("opening", orders(1, 2)))
        yield* assay.materialize({ assets: [] })
        yield* feed.deliver(parcel("due", orders(11, 3)))
        yield* assay.materialize({ assets: [upstream] })
        let landings = 0
        // As another process would, which does not know of this run.
        const land = Effect.gen(function* () {
          landings += 1
          yield* feed.deliver(parcel(`landing ${landings}`, orders(20 + landings, 1)))
          yield* assay.materialize({ assets: [upstream] })
        }).pipe(
          Effect.provideService(FaultPoint, () => Effect.void),
          Effect.orDie
        )
        const run = yield* runner
          .materialize({ assets: [asset], upstream: false })
          .pipe(Effect.provideService(FaultPoint, (point) => (point === "afterCommit" ? land : Effect.void)))
        assert.deepStrictEqual([built(run), landings], [{ [asset]: 3 }, 3])
        assert.deepStrictEqual(yield* lies(assay), [])
        const [status] = yield* assay.status([asset])
        assert.strictEqual(status?.stale, 3)
        assert.strictEqual(built(yield* assay.materialize({ assets: [] }))[asset], 3)
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }).pipe(Effect.provide(layerPostgres(`busy_${asset}`)))
    )
  }
})
