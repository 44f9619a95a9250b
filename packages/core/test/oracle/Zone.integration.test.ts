import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { literal, sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open, Time } from "../shop/Storage.ts"
import { built, lies, noon, order, parcel, rows } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const timeZone = "America/New_York"

const cuts = {
  // The day on which clocks go back there, at six in UTC: the hour from one o'clock comes twice.
  hour: Partitions.hourly({ start: "2023-11-05", end: "2023-11-06", timeZone }),
  day: Partitions.daily({ start: "2024-02-25", timeZone }),
  week: Partitions.weekly({ start: "2024-02-12", timeZone }),
  month: Partitions.monthly({ start: "2024-01-01", timeZone })
}

/** Orders by the days, weeks and months of New York. */
const graph = (source: Source<Shop.Order>) => {
  const bronze = Shop.bronze(source)
  const silver = Asset.make("silver_orders", {
    description: "Each order as it was last seen",
    columns: Schema.Struct({ order_id: Column.text, ordered_at: Column.timestamp, seen_at: Column.timestamp }),
    inputs: {
      orders: Asset.input(bronze, PartitionMapping.byColumn("order_id"), {
        columns: ["order_id", "ordered_at", "seen_at"]
      })
    },
    write: WriteStrategy.upsert({ key: ["order_id"], version: "seen_at" }),
    compute: { sql: ({ orders }) => sql`SELECT *, FALSE AS _deleted, '' AS _tie FROM ${orders} AS o` }
  })
  const counted = <const Name extends string>(name: Name, cadence: "day" | "week" | "month") =>
    Asset.make(name, {
      description: `Orders by ${cadence}`,
      columns: Schema.Struct({ start: Column.date, orders: Column.integer }),
      partitions: cuts[cadence],
      inputs: {
        orders: Asset.input(silver, PartitionMapping.byColumn("ordered_at"), { columns: ["order_id", "ordered_at"] })
      },
      write: WriteStrategy.replacePartitions("start", { key: ["start"] }),
      compute: {
        sql: ({ orders }) => sql`
          SELECT date_trunc(${cadence}, ordered_at AT TIME ZONE ${literal(`'${timeZone}'`)})::date AS start, count(*) AS orders
          FROM ${orders} AS o GROUP BY 1`
      }
    })
  const hourly = Asset.make("by_hour", {
    description: "Orders by hour",
    columns: Schema.Struct({ start: Column.timestamp, orders: Column.integer }),
    partitions: cuts.hour,
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("ordered_at"), { columns: ["order_id", "ordered_at"] })
    },
    write: WriteStrategy.replacePartitions("start", { key: ["start"] }),
    compute: {
      sql: ({ orders }) => sql`
        SELECT date_trunc('hour', ordered_at) AS start, count(*) AS orders FROM ${orders} AS o GROUP BY 1`
    }
  })
  return AssetGraph.make([
    bronze,
    silver,
    hourly,
    counted("by_day", "day"),
    counted("by_week", "week"),
    counted("by_month", "month")
  ])
}

it.layer(TestDatabase.layer)("partitions of another time zone", (it) => {
  it.effect("hold the rows of their own days, weeks and months, wherever a row moves (Verifies: L1, L2, L12)", () =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Shop.Order>()
      yield* (yield* Time).set(noon)
      const assay = yield* open(graph(feed.source))
      const tables = Effect.all([rows(assay, "by_day"), rows(assay, "by_week"), rows(assay, "by_month")])
      yield* feed.deliver(parcel("opening", [order("1", "02-26T12:00")]))
      yield* assay.materialize({ assets: [] })

      // Half past eleven at night on 29 February there, and four or five hours into March in UTC.
      yield* feed.deliver(parcel("late", [order("2", "03-01T04:30")]))
      const late = yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(built(late), { bronze_orders: 1, silver_orders: 1, by_day: 1, by_week: 1, by_month: 1 })
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      assert.deepStrictEqual(yield* tables, [
        [
          ["2024-02-26", "1"],
          ["2024-02-29", "1"]
        ],
        [["2024-02-26", "2"]],
        [["2024-02-01", "2"]]
      ])

      // From Sunday evening there, which is Monday in UTC, back to the evening of the Sunday before.
      yield* feed.deliver(parcel("evening", [order("2", "03-04T04:30", { seen: "03-04T10:00" })]))
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      yield* feed.deliver(parcel("corrected", [order("2", "02-26T04:30", { seen: "03-04T11:00" })]))
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      assert.deepStrictEqual(yield* tables, [
        [
          ["2024-02-25", "1"],
          ["2024-02-26", "1"]
        ],
        [
          ["2024-02-19", "1"],
          ["2024-02-26", "1"]
        ],
        [["2024-02-01", "2"]]
      ])
      assert.strictEqual((yield* assay.materialize({ assets: [] })).steps, 0)
    }).pipe(Effect.provide(layerPostgres("newyork")))
  )

  it.effect("tell the two hours apart that clocks show twice (Verifies: L2, L12)", () =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Shop.Order>()
      yield* (yield* Time).set(noon)
      const assay = yield* open(graph(feed.source))
      const at = (order_id: string, time: string, seen: string) => ({
        ...order(order_id, "03-01", { seen }),
        ordered_at: `2023-11-05T${time}:00.000000Z`
      })
      yield* feed.deliver(parcel("opening", [at("1", "05:30", "03-01"), at("2", "04:30", "03-01")]))
      yield* assay.materialize({ assets: [] })

      // Half past one again, and then back to the first time.
      yield* feed.deliver(parcel("again", [at("2", "06:30", "03-02")]))
      const again = yield* assay.materialize({ assets: ["by_hour"] })
      assert.deepStrictEqual(built(again), { bronze_orders: 1, silver_orders: 1, by_hour: 2 })
      assert.deepStrictEqual(yield* rows(assay, "by_hour"), [
        ["2023-11-05T05:00:00.000000Z", "1"],
        ["2023-11-05T06:00:00.000000Z", "1"]
      ])
      yield* feed.deliver(parcel("corrected", [at("2", "05:59", "03-03")]))
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* rows(assay, "by_hour"), [["2023-11-05T05:00:00.000000Z", "2"]])
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    }).pipe(Effect.provide(layerPostgres("twice")))
  )
})
