import * as Assay from "@assay/core/Assay"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { layer as layerDisturbance } from "../shop/Disturbance.ts"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open, Time } from "../shop/Storage.ts"
import { built, lies, lines, noon, order, parcel, rows, shop, trouble } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { suite } from "./EngineSuite.ts"

let environments = 0

it.layer(TestDatabase.layer)((it) => {
  suite("postgres", (name, body) => {
    environments += 1
    const storage = layerPostgres(`shop${environments}`)
    it.effect(name, () => Effect.provide(body(), storage))
  })
})

const all = { assets: [] }

const count = (query: string) =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    const [row] = yield* sql.unsafe<{ readonly count: number }>(`SELECT count(*)::int AS count FROM ${query}`)
    return row?.count
  })

it.layer(TestDatabase.layer)("an interrupted run", (it) => {
  const sleeping = count(
    "pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%slept%' AND pid <> pg_backend_pid()"
  )

  it.effect("cancels its statement on the server and lets its locks go (Verifies: L3)", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* shop({ sleep: 100 })
      yield* feed.deliver(parcel("opening", [order("1", "03-01")]))
      const fiber = yield* Effect.forkChild(assay.materialize({ assets: ["store_totals"] }))
      yield* Effect.repeat(sleeping, { until: (found) => found === 1 })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* sleeping, 0)
      assert.strictEqual(
        yield* count(
          "pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE l.locktype = 'advisory' AND d.datname = current_database()"
        ),
        0
      )
      assert.strictEqual((yield* assay.runs({ limit: 1 }))[0]?.run.status, "cancelled")
      assert.deepInclude((yield* assay.status(["store_totals"]))[0], { built: 0, rows: 0 })
      const awake = yield* open(Shop.make({ source: feed.source }))
      assert.deepStrictEqual(built(yield* awake.materialize({ assets: ["store_totals"] })), { store_totals: 3 })
    }).pipe(Effect.provide(layerPostgres("interrupted")))
  )
})

it.layer(TestDatabase.layer)("two processes", (it) => {
  const waiting = MaterializationPolicy.make({})

  it.effect(
    "that materialize the same thing at once do it once, and neither waits for ever (Verifies: L1, L4, L8)",
    () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase.TestDatabase
        const other = yield* Layer.build(
          Layer.fresh(layerPostgres("shared")).pipe(Layer.provide(Layer.fresh(PgClient.layer({ url }))))
        )
        yield* Context.get(other, Time).set(noon)
        const { assay, feed } = yield* shop({ policy: waiting })
        const twin = yield* Effect.provideContext(open(Shop.make({ source: feed.source, policy: waiting })), other)
        for (let round = 0; round < 6; round++) {
          const orders = Array.from({ length: 12 }, (_, index) =>
            order(`${(round * 5 + index) % 30}`, `02-${String(((round + index) % 28) + 1).padStart(2, "0")}`, {
              customer: index % 2 === 0 ? "ann" : "bob",
              store: Shop.stores[index % 3] ?? "north",
              tier: index % 4 === 0 ? `tier ${round}` : null,
              amount: round,
              seen: `03-01T10:00:${String(round).padStart(2, "0")}`
            })
          )
          const origin = `round ${round}`
          const batches = [0, 4, 8].map((start) => ({ rows: lines(origin, orders.slice(start, start + 4), start + 1) }))
          yield* feed.deliver({ origin, batches })
          const results = yield* Effect.all([assay.materialize(all), twin.materialize(all)], { concurrency: 2 })
          assert.deepStrictEqual(results.map(trouble), [{}, {}])
          assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
          assert.strictEqual((yield* rows(assay, "bronze_orders")).length, (round + 1) * 12)
          assert.deepStrictEqual((yield* assay.materialize(all)).steps + (yield* twin.materialize(all)).steps, 0)
        }
      }).pipe(Effect.provide(layerPostgres("shared")))
  )
})

it.layer(TestDatabase.layer)("verifying on PostgreSQL", (it) => {
  it.effect("finds rows that somebody else changed, added or deleted (Verifies: L2)", () =>
    Effect.gen(function* () {
      const sql = yield* PgClient.PgClient
      const { assay, feed } = yield* shop()
      yield* feed.deliver(
        parcel("opening", [
          order("1", "02-01", { tier: "gold" }),
          order("2", "02-02", { customer: "bob", tier: "gold" })
        ])
      )
      yield* assay.materialize(all)
      yield* sql.unsafe("UPDATE tampered.gold_daily SET amount = amount + 1 WHERE day = '2024-02-01'")
      yield* sql.unsafe("DELETE FROM tampered.customer_cards WHERE customer = 'bob'")
      yield* sql.unsafe("INSERT INTO tampered.store_ranking (store, place) VALUES ('south', 9)")
      const tampered = ["customer_cards", "gold_daily", "store_ranking"]
      const examples = new Map((yield* lies(assay)).map((lie) => [lie.asset, lie.examples.length]))
      // What reads tampered rows differs as well, as long as they stand; the chain tells who began.
      assert.deepStrictEqual(
        tampered.map((asset) => examples.get(asset)),
        [1, 2, 1]
      )
      const strict = yield* lies(assay, { strict: true })
      assert.deepStrictEqual(strict.map(({ asset }) => asset).toSorted(), tampered)
    }).pipe(Effect.provide(layerPostgres("tampered")))
  )
})

it.layer(TestDatabase.layer)("Assay.layer", (it) => {
  it.effect("is a graph in an environment of the host's database", () =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Shop.Order>()
      yield* feed.deliver(parcel("opening", [order("1", "03-01")]))
      yield* Effect.gen(function* () {
        const assay = yield* Assay.Assay
        const result = yield* assay.materialize({ assets: ["store_totals"] })
        assert.deepStrictEqual(built(result), { bronze_orders: 1, silver_orders: 0, store_totals: 3 })
        assert.deepStrictEqual(yield* rows(assay, "store_totals"), [["north", "1", "10"]])
      }).pipe(Effect.provide(Assay.layer(Shop.make({ source: feed.source }), Assay.environment("live"))))
      assert.strictEqual(yield* count("live.store_totals"), 1)
      assert.strictEqual(yield* count("live_assay.run WHERE status = 'succeeded'"), 1)
    }).pipe(Effect.provide(layerDisturbance))
  )
})
