/**
 * The billing warehouse as one graph: from the feed's log over events and customers to revenue and recurring revenue.
 */
import * as AssetGraph from "@assay/core/AssetGraph"
import type { Source } from "@assay/core/Source"
import * as Storage from "@assay/core/Storage"
import type * as BillingEvent from "./BillingEvent.ts"
import * as bronzeEvents from "./bronzeEvents.ts"
import * as dimCustomer from "./dimCustomer.ts"
import * as goldRevenue from "./goldRevenue.ts"
import * as martMrrMonthly from "./martMrrMonthly.ts"
import * as martRevenueMonthly from "./martRevenueMonthly.ts"
import * as silverEvents from "./silverEvents.ts"

/**
 * The billing assets over a source of events. `start` is the first day of revenue, `2024-01-01`; the marts begin with
 * its month. `silverStorage` says how `silver_events` lies on disk (`silverEvents.make`): one table, if it says nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <R = never>(options: {
  readonly start: string
  readonly source: Source<BillingEvent.Landed, R>
  readonly silverStorage?: Storage.Storage<"event_ts" | "event_date">
}): AssetGraph.AssetGraph<R> => {
  const { silverStorage = Storage.single, start } = options
  const bronze = bronzeEvents.make(options.source)
  const silver = silverEvents.make(bronze, { storage: silverStorage })
  const customers = dimCustomer.make(silver)
  return AssetGraph.make([
    bronze,
    silver,
    customers,
    goldRevenue.make({ start, silver, customers }),
    martRevenueMonthly.make({ start, silver }),
    martMrrMonthly.make({ start, customers })
  ])
}
