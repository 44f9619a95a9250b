/**
 * Assay inside an HTTP service: `GET /revenue/2024-03` reads, `POST /materialize` brings up to date. The service asks
 * itself once and stops. It runs on the database of `DATABASE_URL`, or on the embedded one.
 */
import * as BillingFeed from "@assay/billing-assets/BillingFeed"
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as Assay from "@assay/core/Assay"
import * as Column from "@assay/core/Column"
import * as Database from "@assay/core/postgres/Database"
import * as EmbeddedPostgres from "@assay/core/postgres/EmbeddedPostgres"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer, Option, Stream } from "effect"
import { HttpClient, HttpRouter, HttpServerResponse } from "effect/http"
import { fileURLToPath } from "node:url"

const graph = BillingGraph.make({
  start: "2024-01-01",
  source: BillingFeed.make(fileURLToPath(new URL("../packages/billing-assets/sample", import.meta.url)))
})

const database = Layer.unwrap(
  Effect.gen(function* () {
    const url = yield* Config.option(Config.Redacted("DATABASE_URL"))
    if (Option.isSome(url)) return Database.layerUrl({ url: url.value })
    return Database.layerEmbedded().pipe(Layer.provide(EmbeddedPostgres.layer({ home: ".assay" })))
  })
)

const materialize = HttpRouter.add(
  "POST",
  "/materialize",
  Effect.gen(function* () {
    const assay = yield* Assay.Assay
    const { outcomes, status } = yield* assay.materialize({ assets: ["gold_revenue"] }, { requestedBy: "http" })
    const assets = Object.fromEntries(outcomes.map(({ asset, outcome, units }) => [asset, { outcome, units }]))
    return yield* HttpServerResponse.json({ status, assets }, { status: status === "succeeded" ? 200 : 500 })
  })
)

const revenue = HttpRouter.add(
  "GET",
  "/revenue/:partitions",
  Effect.gen(function* () {
    const assay = yield* Assay.Assay
    const { partitions } = yield* HttpRouter.params
    const { asset, rows } = yield* assay.rows({ asset: "gold_revenue", partitions })
    const texts = Stream.map(rows, (row) =>
      Object.fromEntries(asset.columns.map((column) => [column.name, Column.toText(column, row[column.name] ?? null)]))
    )
    return yield* HttpServerResponse.json(yield* Stream.runCollect(texts))
  }).pipe(
    Effect.catchTag("InvalidPartitionRange", ({ message }) => HttpServerResponse.json({ message }, { status: 400 }))
  )
)

const server = HttpRouter.serve(Layer.mergeAll(materialize, revenue)).pipe(
  Layer.provide(Assay.layer(graph)),
  Layer.provide(database),
  Layer.provideMerge(NodeHttpServer.layerTest)
)

Effect.gen(function* () {
  const done = yield* HttpClient.post("/materialize")
  yield* Console.log(done.status, yield* done.text)
  const rows = yield* HttpClient.get("/revenue/2024-03-01")
  yield* Console.log(rows.status, (yield* rows.text).slice(0, 300))
  const refused = yield* HttpClient.get("/revenue/2024-13")
  yield* Console.log(refused.status, yield* refused.text)
}).pipe(Effect.provide(server), NodeRuntime.runMain)
