import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import { FaultPoint } from "@assay/core/execution/FaultPoint"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import type { Source } from "@assay/core/Source"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open, Time } from "../shop/Storage.ts"
import { built, lies, noon, order, parcel, steps, trouble } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as Crew from "./Crew.ts"

/** An asset that reads another one directly, and once more through a third. */
const diamond = (source: Source<Shop.Order>) => {
  const bronze = Shop.bronze(source)
  const columns = Schema.Struct({ order_id: Column.text, amount: Column.integer, seen_at: Column.timestamp })
  const shown = { columns: ["order_id", "amount", "seen_at"] } as const
  const byOrder = PartitionMapping.byColumn("order_id")
  const write = WriteStrategy.upsert({ key: ["order_id"], version: "seen_at" })
  const top = Asset.make("top", {
    description: "The latest amount of each order",
    columns,
    inputs: { orders: Asset.input(bronze, byOrder, shown) },
    write,
    policy: Shop.promptly,
    compute: { sql: ({ orders }) => sql`SELECT o.*, FALSE AS _deleted, '' AS _tie FROM ${orders} AS o` }
  })
  const side = Asset.make("side", {
    description: "Twice that",
    columns,
    inputs: { orders: Asset.input(top, byOrder, shown) },
    write,
    policy: Shop.promptly,
    compute: {
      sql: ({ orders }) =>
        sql`SELECT order_id, 2 * amount AS amount, seen_at, FALSE AS _deleted, '' AS _tie FROM ${orders} AS o`
    }
  })
  const bottom = Asset.make("bottom", {
    description: "Both together",
    columns,
    inputs: { once: Asset.input(top, byOrder, shown), twice: Asset.input(side, byOrder, shown) },
    write,
    policy: Shop.promptly,
    compute: {
      sql: ({ once, twice }) => sql`
        SELECT a.order_id, a.amount + b.amount AS amount, a.seen_at, FALSE AS _deleted, '' AS _tie
        FROM ${once} AS a JOIN ${twice} AS b ON b.order_id = a.order_id`
    }
  })
  return AssetGraph.make([bronze, top, side, bottom])
}

it.layer(TestDatabase.layer)("two steps of which one marks what the other one clears and marks", (it) => {
  it.effect("wait for each other in one direction, so that neither has to begin again (Verifies: L1, L2)", () =>
    Effect.gen(function* () {
      yield* (yield* Time).set(noon)
      const feed = yield* Feed.make<Shop.Order>()
      const assay = yield* open(diamond(feed.source))
      yield* feed.deliver(parcel("opening", [order("1", "02-01"), order("2", "02-02")]))
      yield* assay.materialize({ assets: [] })
      yield* feed.deliver(parcel("change", [order("1", "02-01", { amount: 20, seen: "02-03" })]))
      yield* assay.materialize({ assets: ["top"] })
      yield* feed.deliver(parcel("more", [order("1", "02-01", { amount: 30, seen: "02-04" })]))
      yield* assay.materialize({ assets: ["bronze_orders"] })

      // The side's step has cleared its own unit and marked the bottom's. The top's step is to mark both.
      const marked = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const side = yield* Effect.forkChild(
        assay
          .materialize({ assets: ["side"], upstream: false })
          .pipe(
            Effect.provideService(FaultPoint, (point) =>
              point === "afterMarks"
                ? Effect.andThen(Deferred.succeed(marked, undefined), Deferred.await(go))
                : Effect.void
            )
          )
      )
      yield* Deferred.await(marked)
      const top = yield* Effect.forkChild(assay.materialize({ assets: ["top"], upstream: false }))
      yield* Effect.repeat(Crew.waits, { until: ({ length }) => length > 0 })
      yield* Deferred.succeed(go, undefined)
      const runs = yield* Effect.all([Fiber.join(side), Fiber.join(top)])
      assert.deepStrictEqual(runs.map(built), [{ side: 1 }, { top: 1 }])
      assert.deepStrictEqual(runs.map(trouble), [{}, {}])
      const attempts = yield* Effect.forEach(runs, ({ runId }) => steps(assay, runId))
      assert.deepStrictEqual(
        attempts.flat().map(({ asset, attempts }) => [asset, attempts]),
        [
          ["side", 1],
          ["top", 1]
        ]
      )
      assert.deepStrictEqual(yield* lies(assay), [])
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    }).pipe(Effect.provide(layerPostgres("diamond")))
  )
})
