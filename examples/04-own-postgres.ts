/**
 * A host with a PostgreSQL of its own: its client serves its own tables and Assay's, in database schemas that it names.
 * Runs on the database of `DATABASE_URL`, or on the embedded one.
 */
import * as BillingFeed from "@assay/billing-assets/BillingFeed"
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as Assay from "@assay/core/Assay"
import * as Database from "@assay/core/postgres/Database"
import * as EmbeddedPostgres from "@assay/core/postgres/EmbeddedPostgres"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { fileURLToPath } from "node:url"

const graph = BillingGraph.make({
  start: "2024-01-01",
  source: BillingFeed.make(fileURLToPath(new URL("../packages/billing-assets/sample/*2024-0[1-3]*", import.meta.url)))
})

/** Any `PgClient` layer will do, with the pool, the TLS settings and the role that the host wants. */
const client = Layer.unwrap(
  Effect.gen(function* () {
    const url = yield* Config.option(Config.Redacted("DATABASE_URL"))
    if (Option.isSome(url)) return Database.layerUrl({ url: url.value, applicationName: "shop", maxConnections: 4 })
    return Database.layerEmbedded().pipe(Layer.provide(EmbeddedPostgres.layer({ home: ".assay" })))
  })
)

const layer = Assay.layer(graph, { warehouse: "shop_warehouse", ledger: "shop_ledger" }).pipe(
  Layer.provideMerge(client)
)

const program = Effect.gen(function* () {
  const assay = yield* Assay.Assay
  const sql = yield* SqlClient
  const { status } = yield* assay.materialize({ assets: ["mart_revenue_monthly"], partitions: "2024-01..2024-03" })
  yield* Console.log(`materialized: ${status}`)

  // The tables are plain tables: the host joins them with its own, here with its budget.
  yield* sql`CREATE TABLE IF NOT EXISTS budget (month date PRIMARY KEY, amount numeric NOT NULL)`
  yield* sql`INSERT INTO budget VALUES ('2024-02-01', 20000), ('2024-03-01', 30000) ON CONFLICT DO NOTHING`
  const rows = yield* sql`
    SELECT to_char(b.month, 'YYYY-MM') AS month, b.amount::text AS budget, m.net_amount::text AS net
    FROM budget AS b JOIN shop_warehouse.mart_revenue_monthly AS m ON m.revenue_month = b.month AND m.currency = 'EUR'
    ORDER BY 1`
  yield* Effect.forEach(rows, (row) => Console.log(row))
})

program.pipe(Effect.provide(layer), NodeRuntime.runMain)
