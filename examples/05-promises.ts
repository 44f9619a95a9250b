/**
 * A host that knows nothing of Effect: one runtime, made when the host starts and disposed of when it stops, turns what
 * Assay does into promises. Failures of assets are in the result; what rejects is a request that makes no sense.
 */
import * as BillingFeed from "@assay/billing-assets/BillingFeed"
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as Assay from "@assay/core/Assay"
import { ManagedRuntime, Stream } from "effect"
import { fileURLToPath } from "node:url"

const graph = BillingGraph.make({
  start: "2024-01-01",
  source: BillingFeed.make(
    fileURLToPath(new URL("../packages/billing-assets/sample/billing-2024-0[1-3]*", import.meta.url))
  )
})

const runtime = ManagedRuntime.make(Assay.layerMemory(graph))

const materialize = (asset: string) =>
  runtime.runPromise(Assay.Assay.use((assay) => assay.materialize({ assets: [asset] })))

const rows = (asset: string, partitions: string) =>
  runtime.runPromise(
    Assay.Assay.use((assay) => assay.rows({ asset, partitions })).pipe(
      Stream.fromEffect,
      Stream.flatMap((found) => found.rows),
      Stream.runCollect
    )
  )

try {
  const { outcomes, status } = await materialize("mart_revenue_monthly")
  console.log(status, outcomes.map(({ asset, inserted }) => `${asset}: ${inserted} rows`).join(", "))
  for (const row of await rows("mart_revenue_monthly", "2024-02")) {
    console.log(row["currency"], row["invoice_count"], "invoices")
  }
  await materialize("gold_revenu").catch((error: unknown) => console.log(String(error)))
} finally {
  await runtime.dispose()
}
