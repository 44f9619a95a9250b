/**
 * The billing graph on trial: files that arrive in every awkward way, read by the source that reads them in earnest.
 */
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import type { Asset } from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Subject } from "../../../core/test/oracle/Subject.ts"
import * as FeedFolder from "./FeedFolder.ts"
import * as Recompute from "./Recompute.ts"

export const billing: Subject<FeedFolder.Act> = {
  name: "billing",
  start: Date.parse("2024-03-04T12:00:00Z"),
  source: "bronze_events",
  computed: ["gold_revenue", "silver_events", "dim_customer", "mart_revenue_monthly", "mart_mrr_monthly"],
  timed: new Set(["gold_revenue", "mart_revenue_monthly", "mart_mrr_monthly"]),
  ranges: ["..2024-02", "2024-02", "2024-03..", "2024-02-15..2024-03-02", "latest"],
  act: FeedFolder.act,
  open: Effect.fnUntraced(function* (random) {
    const folder = yield* FeedFolder.make(random.pick([1, 2, 5, 5000]))
    // One in six has more than a year of days, so that what is a year late belongs to a day that was built.
    const start = random.pick(["2024-01-20", "2024-01-20", "2024-01-20", "2024-01-20", "2024-02-01", "2023-02-27"])
    const graph = BillingGraph.make({ start, source: folder.source })
    const stepSize = random.pick([1, 3, 20, 1000])
    return {
      graph: (versions) => varied(graph, { stepSize, versions }),
      happen: folder.happen,
      isTroubled: folder.isTroubled,
      mend: folder.mend,
      naive: Recompute.naive(start),
      unitOf: Recompute.unitOf,
      untold: new Set(["customer_sk"]),
      lost: folder.lost
    }
  })
}

// --- internal ---

/** The graph with other step sizes, prompt retries, and code versions as if somebody had changed the definitions. */
const varied = (
  graph: AssetGraph.AssetGraph<never>,
  options: { readonly stepSize: number; readonly versions: ReadonlyMap<string, string> }
): AssetGraph.AssetGraph<never> => {
  const made = new Map<string, Asset<string, unknown, never>>()
  for (const asset of graph.assets.values()) {
    made.set(asset.name, {
      ...asset,
      policy: MaterializationPolicy.make({
        ...asset.policy,
        retry: Schedule.recurs(3),
        stepSize: options.stepSize
      }),
      codeVersion: options.versions.get(asset.name) ?? asset.codeVersion,
      inputs: asset.inputs.map((input) => ({ ...input, asset: made.get(input.asset.name) ?? input.asset }))
    })
  }
  return AssetGraph.fromIterable(made.values())
}
