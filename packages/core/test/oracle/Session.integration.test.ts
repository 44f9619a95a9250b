import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import type { Source } from "@assay/core/Source"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open, Time } from "../shop/Storage.ts"
import { lies, noon, order, parcel, rows } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

/** Orders in words: its compute says nothing of zones and styles, so it leaves both to the session. */
const graph = (source: Source<Shop.Order>) => {
  const bronze = Shop.bronze(source)
  const words = Asset.make("order_words", {
    description: "When each order was made, in words",
    columns: Schema.Struct({
      order_id: Column.text,
      day: Column.date,
      at: Column.text,
      day_before: Column.text,
      seen_at: Column.timestamp
    }),
    inputs: {
      orders: Asset.input(bronze, PartitionMapping.byColumn("order_id"), {
        columns: ["order_id", "ordered_at", "seen_at"]
      })
    },
    write: WriteStrategy.upsert({ key: ["order_id"], version: "seen_at" }),
    compute: {
      sql: ({ orders }) => sql`
        SELECT order_id, ordered_at::date AS day, ordered_at::text AS at, (ordered_at::date - 1)::text AS day_before, seen_at,
          FALSE AS _deleted, '' AS _tie
        FROM ${orders} AS o`
    }
  })
  return AssetGraph.make([bronze, words])
}

it.layer(TestDatabase.layer)("a compute that leaves zone and style to the session", (it) => {
  it.effect("means UTC and ISO, whatever the server thinks of them (Verifies: L5, L12)", () =>
    Effect.gen(function* () {
      const { name, url } = yield* TestDatabase.TestDatabase
      const client = yield* PgClient.PgClient
      yield* client.unsafe(`ALTER DATABASE ${name} SET TimeZone = 'Asia/Kathmandu'`)
      yield* client.unsafe(`ALTER DATABASE ${name} SET DateStyle = 'German'`)
      yield* Effect.gen(function* () {
        const feed = yield* Feed.make<Shop.Order>()
        yield* (yield* Time).set(noon)
        const assay = yield* open(graph(feed.source))
        yield* feed.deliver(parcel("late", [order("1", "02-29T20:30")]))
        yield* assay.materialize({ assets: [] })
        assert.deepStrictEqual(yield* rows(assay, "order_words"), [
          ["1", "2024-02-29", "2024-02-29 20:30:00+00", "2024-02-28", "2024-02-29T20:30:00.000000Z"]
        ])
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }).pipe(Effect.provide(layerPostgres("abroad").pipe(Layer.provide(Layer.fresh(PgClient.layer({ url }))))))
    })
  )
})
