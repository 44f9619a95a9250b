import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open, Time } from "../shop/Storage.ts"
import { lies, noon, order, parcel, rows } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { meanwhile } from "./Pause.ts"

const all = { assets: [] }

it.layer(TestDatabase.layer)("an asset that is rebuilt as a whole", (it) => {
  it.effect("stays stale as a whole when everything of it was marked again meanwhile (Verifies: L1, L2)", () =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Shop.Order>()
      yield* (yield* Time).set(noon)
      const assay = yield* open(Shop.behindView(feed.source))
      yield* feed.deliver(parcel("first", [order("1", "02-01")]))
      yield* assay.materialize(all)

      // Behind a view that is not cut every change is one of everything.
      yield* feed.deliver(parcel("second", [order("2", "02-02")]))
      yield* assay.materialize({ assets: ["bronze_orders"] })
      const [rebuilt] = yield* meanwhile(
        "afterWrite",
        assay.materialize({ assets: ["order_amounts"], upstream: false }),
        Effect.gen(function* () {
          yield* feed.deliver(parcel("third", [order("3", "02-03")]))
          yield* assay.materialize({ assets: ["bronze_orders"] })
        })
      )
      assert.strictEqual(rebuilt.status, "succeeded")
      assert.deepStrictEqual(yield* lies(assay), [])

      yield* assay.materialize(all)
      assert.deepStrictEqual(
        (yield* rows(assay, "order_amounts")).map(([id]) => id),
        ["1", "2", "3"]
      )
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      assert.strictEqual((yield* assay.materialize(all)).steps, 0)
    }).pipe(Effect.provide(layerPostgres("rebuilt")))
  )
})
