import * as AssetGraph from "@assay/core/AssetGraph"
import type { Source } from "@assay/core/Source"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open, Time } from "../shop/Storage.ts"
import { lines, noon, order, rows } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

it.layer(TestDatabase.layer)("a source that reads from the database into which it is landed", (it) => {
  it.effect("reads ahead outside of the landing's transaction (Verifies: L3)", () =>
    Effect.gen(function* () {
      yield* (yield* Time).set(noon)
      const client = yield* PgClient.PgClient
      const feed = yield* Feed.make<Shop.Order>()
      const seen: Array<number> = []
      const source: Source<Shop.Order> = {
        ...feed.source,
        read: (delivery) =>
          feed.source.read(delivery).pipe(
            Stream.tap(() =>
              Effect.orDie(
                Effect.map(
                  client<{ readonly found: number; readonly writes: boolean }>`
                    SELECT count(*)::int AS found, pg_current_xact_id_if_assigned() IS NOT NULL AS writes
                    FROM ahead.bronze_orders`,
                  ([row]) => {
                    assert.strictEqual(row?.writes, false)
                    seen.push(row?.found ?? -1)
                  }
                )
              )
            )
          )
      }
      const assay = yield* open(AssetGraph.make([Shop.bronze(source)]))
      const batches = ["1", "2", "3"].map((id, index) => ({ rows: lines("till", [order(id, "03-01")], index + 1) }))
      yield* feed.deliver({ origin: "till", batches })
      const { status } = yield* assay.materialize({ assets: [] })
      assert.strictEqual(status, "succeeded")
      // The next batch may be read while the one at hand is written, of which nothing is to be seen yet.
      assert.deepStrictEqual(
        seen.map((found, index) => found <= index),
        [true, true, true]
      )
      assert.strictEqual((yield* rows(assay, "bronze_orders")).length, 3)
    }).pipe(Effect.scoped, Effect.provide(layerPostgres("ahead")))
  )
})
