import * as BillingEvent from "@assay/billing-assets/BillingEvent"
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as Assay from "@assay/core/Assay"
import * as Plan from "@assay/core/planning/Plan"
import * as Database from "@assay/core/postgres/Database"
import * as EmbeddedPostgres from "@assay/core/postgres/EmbeddedPostgres"
import * as FileSource from "@assay/core/source/FileSource"
import { Console, Effect, Layer, Stream } from "effect"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"

const graph = BillingGraph.make({ start: "2024-01-01", source: FileSource.make({
  path: process.argv[2]!, required: BillingEvent.requiredColumns, columns: [...BillingEvent.requiredColumns, ...BillingEvent.optionalColumns],
  admit: BillingEvent.admit, knownBy: ["_file", "_hash"] }) })
const program = Effect.gen(function*() {
  const assay = yield* Assay.Assay
  const request = { assets: ["gold_revenue"], partitions: process.argv[4] }
  const t0 = performance.now()
  const plan = yield* assay.plan(request)
  yield* Console.log(Plan.explain(plan).join("\n"), plan.isRehearsed, performance.now() - t0)
  if (process.argv[5] === "plan") return
  const t1 = performance.now()
  const result = yield* assay.materialize(request)
  console.log(result.status, performance.now() - t1); console.table(result.outcomes.map(({error, because, ...o}) => ({...o, e: error?.message})))
  console.table((yield* assay.status()).map(({description, lastStep, lastLandingAt, ...x}) => x))
  console.table((yield* assay.verify({ strict: true })))
})
program.pipe(Effect.provide(Assay.layer(graph).pipe(Layer.provide(Database.layerEmbedded().pipe(Layer.provide(EmbeddedPostgres.layer({ home: process.argv[3]! })))))), NodeRuntime.runMain)
