/**
 * The command line of the regions, with three orders to land.
 *
 * Usage: node app.ts <command>
 */
import * as Cli from "@assay/core/cli/Cli"
import * as Effect from "effect/Effect"
import * as Feed from "../shop/Feed.ts"
import type * as Shop from "../shop/Shop.ts"
import { order, parcel } from "../shop/Trade.ts"
import * as Regions from "./Regions.ts"

const graph = Effect.gen(function* () {
  const feed = yield* Feed.make<Shop.Order>()
  yield* feed.deliver(
    parcel("opening", [
      order("1", "02-01", { amount: 100, store: "north" }),
      order("2", "02-02", { amount: 20, store: "east" }),
      order("3", "02-03", { amount: 3, store: "west" })
    ])
  )
  return Regions.make({ source: feed.source })
})

Cli.run({ name: "regions", version: "1.0.0", graph })
