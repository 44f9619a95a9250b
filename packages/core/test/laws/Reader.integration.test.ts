import { identifier, sql } from "@assay/core/Sql"
import * as Postgres from "@assay/core/postgres/Postgres"
import { Transactor } from "@assay/core/Transactor"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { layerPostgres } from "../shop/Storage.ts"
import { built, order, parcel, shop } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const all = { assets: [] }

/** The content of each table, in some order of its own. */
const look = (assets: Iterable<string>) =>
  Effect.gen(function* () {
    const { query, schemas } = yield* Postgres.Postgres
    const contents = yield* Effect.forEach(assets, (asset) =>
      Effect.map(
        query(
          sql`SELECT coalesce(array_agg(t::text ORDER BY t::text), '{}') AS rows
            FROM ${identifier(schemas.warehouse, asset)} AS t`,
          Schema.Struct({ rows: Schema.Array(Schema.String) })
        ),
        ([found]) => [asset, found?.rows ?? []] as const
      )
    )
    return Object.fromEntries(contents)
  })

it.layer(TestDatabase.layer)("a reader of one snapshot", (it) => {
  it.effect("keeps every unit whole while all of them are written, and holds nobody up (Verifies: L9)", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* shop()
      yield* feed.deliver(
        parcel("opening", [
          order("1", "01-25", { tier: "silver" }),
          order("2", "02-10", { tier: "gold", store: "west" }),
          order("3", "02-10", { customer: "bob", amount: 7 }),
          order("4", "03-03T10:30", { customer: "bob", store: "east" }),
          order("5", "03-05T08:00")
        ])
      )
      yield* assay.materialize(all)
      const assets = Array.from(assay.graph.assets.keys())
      const { snapshot } = yield* Transactor
      // In a snapshot each, because a transaction has the same way of writing dates as another one.
      const opening = yield* snapshot(look(assets))

      const hasLooked = yield* Deferred.make<void>()
      const isWritten = yield* Deferred.make<void>()
      const reader = yield* Effect.forkChild(
        snapshot(
          Effect.gen(function* () {
            const before = yield* look(assets)
            yield* Deferred.succeed(hasLooked, undefined)
            yield* Deferred.await(isWritten)
            return { before, after: yield* look(assets) }
          })
        )
      )
      yield* Deferred.await(hasLooked)
      yield* feed.deliver(
        parcel("changes", [
          order("1", "01-26", { tier: "gold", amount: 11, seen: "03-01" }),
          order("3", "02-10", { customer: "bob", is_deleted: true, seen: "03-01" }),
          order("4", "03-03T11:30", { customer: "bob", tier: "iron", store: "north", seen: "03-04" }),
          order("6", "03-03T10:30", { customer: "cem", tier: "gold", store: "east" })
        ])
      )
      const run = yield* assay.materialize(all)
      yield* Deferred.succeed(isWritten, undefined)
      const { after, before } = yield* Fiber.join(reader)

      assert.isAbove(Object.keys(built(run)).length, 10)
      assert.deepStrictEqual(before, opening)
      assert.deepStrictEqual(after, opening)
      const closing = yield* snapshot(look(assets))
      const changed = assets.filter((asset) => closing[asset]?.join() !== opening[asset]?.join())
      assert.isAbove(changed.length, 10)
    }).pipe(Effect.provide(layerPostgres("reader")))
  )
})
