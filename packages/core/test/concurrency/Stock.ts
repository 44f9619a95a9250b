/**
 * The shop as processes work on it together: its graph over files, and what its runners ask for.
 */
import * as Assay from "@assay/core/Assay"
import type { PgClient } from "@effect/sql-pg"
import * as Layer from "effect/Layer"
import * as Recompute from "../oracle/Recompute.ts"
import { layer as layerDisturbance } from "../shop/Disturbance.ts"
import * as Shop from "../shop/Shop.ts"
import * as OrderFeed from "./OrderFeed.ts"
import * as Worker from "./Worker.ts"

/** The middle of the day up to which the shop is recomputed. */
export const noon = "2024-03-05T12:00:30Z"

/** The shop of an environment, or the part of it that one asset is made of. */
export const graph = (options: Pick<Shop.Options, "policy"> & { readonly folder: string; readonly only?: string }) => {
  const { folder, only, policy } = options
  const shop = Shop.make({
    source: OrderFeed.source(folder),
    cuts: Recompute.cuts,
    ...(policy === undefined ? undefined : { policy })
  })
  return only === undefined ? shop : Shop.only(shop, only)
}

/** How processes work on it. */
export const trade: Worker.Trade = {
  assay: (instructions): Layer.Layer<Assay.Assay, unknown, PgClient.PgClient> => {
    const { environment, folder, only } = instructions
    const policy = Worker.policy(instructions)
    return Assay.layer(
      graph({ folder, policy, ...(only === undefined ? undefined : { only }) }),
      Assay.environment(environment)
    ).pipe(Layer.provide(layerDisturbance))
  },
  source: "bronze_orders",
  request: (random, { only }) => {
    const names = only === undefined ? computed : ["silver_orders", "dim_customer", "gold_daily"]
    const assets = random.chance(0.3) ? [] : random.some(names, 0.2)
    const isCut = assets.length > 0 && assets.every((name) => cut.has(name))
    return {
      assets,
      upstream: random.chance(0.7),
      force: random.chance(0.1),
      partitions: isCut && random.chance(0.5) ? random.pick(ranges) : undefined
    }
  },
  deliver: (random, { applicationName, delivery: since, folder }, delivery) => {
    OrderFeed.deliver(random, { folder, lander: applicationName, delivery, since })
    return true
  }
}

// --- internal ---

const computed = Object.keys(Recompute.naive).filter((name) => name !== "busy_days")

const cut: ReadonlySet<string> = new Set([
  "gold_daily",
  "mart_monthly",
  "tier_monthly",
  "hourly_orders",
  "weekly_customers",
  "trailing_week",
  "busy_neighbours"
])

const ranges = ["..2024-02", "2024-02", "2024-03..", "2024-02-15..2024-03-02", "latest"] as const
