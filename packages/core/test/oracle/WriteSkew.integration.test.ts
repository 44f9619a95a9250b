import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open, Time } from "../shop/Storage.ts"
import { lies, noon, order, parcel, rows } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

/**
 * Orders in the north tell tiers, orders in the west are what is counted by them: a new fact is none of the dimension's
 * business, so nothing but a hold on the facts makes the two wait for each other.
 */
const graph = (source: Source<Shop.Order>) => {
  const bronze = Shop.bronze(source)
  const silver = Asset.make("silver_orders", {
    description: "Each order as it was last seen",
    columns: Schema.Struct({
      order_id: Column.text,
      customer: Column.text,
      store: Column.text,
      tier: Column.nullable(Column.text),
      ordered_at: Column.timestamp,
      seen_at: Column.timestamp
    }),
    inputs: {
      orders: Asset.input(bronze, PartitionMapping.byColumn("order_id"), {
        columns: ["order_id", "customer", "store", "tier", "ordered_at", "seen_at"]
      })
    },
    write: WriteStrategy.upsert({ key: ["order_id"], version: "seen_at" }),
    compute: { sql: ({ orders }) => sql`SELECT *, FALSE AS _deleted, '' AS _tie FROM ${orders} AS o` }
  })
  const customers = Asset.make("dim_customer", {
    description: "The customers' tiers through time",
    columns: Schema.Struct({
      customer_sk: Column.text,
      customer: Column.text,
      tier: Column.nullable(Column.text),
      valid_from: Column.timestamp,
      valid_to: Column.nullable(Column.timestamp),
      is_current: Column.boolean
    }),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("customer"), {
        columns: ["customer", "tier", "ordered_at"],
        where: { store: ["north"] }
      })
    },
    write: WriteStrategy.scd2({
      key: ["customer"],
      surrogateKey: "customer_sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["tier"]
    }),
    compute: {
      sql: ({ orders }) => sql`SELECT customer, tier, ordered_at AS valid_from, 1 AS _sequence FROM ${orders} AS o`
    }
  })
  const daily = Asset.make("gold_daily", {
    description: "Orders by day and by the tier that the customer had then",
    columns: Schema.Struct({ day: Column.date, tier: Column.text, orders: Column.integer }),
    partitions: Partitions.daily({ start: "2024-02-01" }),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("ordered_at"), {
        columns: ["order_id", "customer", "ordered_at"],
        where: { store: ["west"] }
      }),
      customers: Asset.input(customers, PartitionMapping.asOf({ facts: "orders", key: "customer", at: "ordered_at" }), {
        columns: ["customer", "tier", "valid_from", "valid_to"]
      })
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "tier"] }),
    compute: {
      sql: ({ customers, orders }) => sql`
        SELECT (o.ordered_at AT TIME ZONE 'UTC')::date AS day, coalesce(c.tier, 'none') AS tier, count(*) AS orders
        FROM ${orders} AS o
        LEFT JOIN ${customers} AS c ON c.customer = o.customer AND c.valid_from <= o.ordered_at
          AND (c.valid_to IS NULL OR o.ordered_at < c.valid_to)
        GROUP BY 1, 2`
    }
  })
  return AssetGraph.make([bronze, silver, customers, daily])
}

const waiting = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient
  const found = yield* sql.unsafe(
    "SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"
  )
  return found.length
})

it.layer(TestDatabase.layer)("a dimension that commits while a fact is added and its day is built", (it) => {
  it.effect("is seen by that day, whichever of the three comes first (Verifies: L1, L2)", () =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Shop.Order>()
      yield* (yield* Time).set(noon)
      const assay = yield* open(graph(feed.source))
      yield* feed.deliver(parcel("opening", [order("1", "02-01", { customer: "bob", tier: "gold" })]))
      yield* assay.materialize({ assets: [] })

      // From 10 February on bob is silver. The dimension's step has looked for his orders since: there are none.
      yield* feed.deliver(parcel("tier", [order("2", "02-10", { customer: "bob", tier: "silver" })]))
      yield* assay.materialize({ assets: ["silver_orders"] })
      const paused = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const dimension = yield* Effect.forkChild(
        Effect.provideService(
          assay.materialize({ assets: ["dim_customer"], upstream: false }),
          FaultPoint.FaultPoint,
          (point) =>
            point === "beforeCommit"
              ? Effect.andThen(Deferred.succeed(paused, undefined), Effect.asVoid(Deferred.await(go)))
              : Effect.void
        )
      )
      yield* Deferred.await(paused)

      // Now there is one, or it waits; and its day is built, unless there is none yet.
      yield* feed.deliver(parcel("fact", [order("3", "02-20", { customer: "bob", store: "west" })]))
      const fact = yield* Effect.forkChild(assay.materialize({ assets: ["silver_orders"] }))
      yield* Effect.raceFirst(
        Effect.asVoid(Effect.repeat(waiting, { until: (found) => found > 0 })),
        Effect.asVoid(Fiber.join(fact))
      )
      yield* assay.materialize({ assets: ["gold_daily"], partitions: "2024-02-20", upstream: false })
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(dimension)
      yield* Fiber.join(fact)
      assert.deepStrictEqual(yield* lies(assay), [])
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* rows(assay, "gold_daily"), [["2024-02-20", "silver", "1"]])
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    }).pipe(Effect.provide(layerPostgres("skewed")))
  )
})
