import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerPostgres } from "../shop/Storage.ts"
import { lies, order, parcel, rows, trouble } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { suite } from "./DefinitionSuite.ts"
import { kiosk } from "./Kiosk.ts"

let environments = 0

it.layer(TestDatabase.layer)((it) => {
  suite("postgres", (name, body) => {
    environments += 1
    const storage = layerPostgres(`kiosk${environments}`)
    it.effect(name, () => Effect.provide(body(), storage))
  })
})

it.layer(TestDatabase.layer)("a table that somebody dropped", (it) => {
  const opening = parcel("opening", [
    order("1", "02-01", { amount: 100 }),
    order("2", "02-10", { amount: 20, store: "west" })
  ])

  for (const { asset, kind } of [
    { asset: "bronze_orders", kind: "of a source" },
    { asset: "silver_orders", kind: "of a keyed asset" },
    { asset: "daily", kind: "of a partitioned asset" },
    { asset: "record", kind: "of a whole asset" }
  ]) {
    it.effect(`${kind} is filled again, and what reads it follows (Verifies: L1, L4)`, () =>
      Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        const { assay, feed, reopen } = yield* kiosk()
        yield* feed.deliver(opening)
        yield* assay.materialize({ assets: [] })
        const before = yield* Effect.forEach(assay.graph.assets.keys(), (name) => rows(assay, name))
        yield* sql.unsafe(`DROP TABLE dropped_${asset}.${asset} CASCADE`)
        const again = yield* reopen({})
        assert.deepStrictEqual(yield* lies(again), [])
        assert.deepStrictEqual(trouble(yield* again.materialize({ assets: [] })), {})
        assert.deepStrictEqual(yield* lies(again, { strict: true }), [])
        const after = yield* Effect.forEach(again.graph.assets.keys(), (name) => rows(again, name))
        // Rows of the log carry the run that landed them.
        assert.deepStrictEqual(after.slice(1), before.slice(1))
        assert.strictEqual(after[0]?.length, 2)
        assert.strictEqual((yield* again.materialize({ assets: [] })).steps, 0)
      }).pipe(Effect.provide(layerPostgres(`dropped_${asset}`)))
    )
  }
})
