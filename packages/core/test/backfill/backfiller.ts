/**
 * A process that works on a backfill of the mill, and kills itself when it passes a point for the n-th time.
 *
 * Usage: node backfiller.ts <database URL> <environment> <id of the backfill> <point> <n>
 */
import * as Assay from "@assay/core/Assay"
import { FaultPoint } from "@assay/core/execution/FaultPoint"
import * as TestSource from "@assay/core/testing/TestSource"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Mill from "./Mill.ts"

const [url = "", environment = "", backfillId = "", at = "", passing = ""] = process.argv.slice(2)

const main = Effect.gen(function* () {
  const feed = yield* TestSource.make<Mill.Load>()
  const graph = Mill.make({ source: feed.source, stepSize: 5, codeVersion: "1" })
  const client = PgClient.layer({ url: Redacted.make(url) })
  let passed = 0
  yield* Effect.flatMap(Assay.Assay, (assay) => assay.backfills.work(backfillId)).pipe(
    Effect.provideService(FaultPoint, (point) =>
      Effect.sync(() => {
        if (point !== at) return
        passed += 1
        if (passed === Number(passing)) process.kill(process.pid, "SIGKILL")
      })
    ),
    Effect.provide(Layer.provide(Assay.layer(graph, Assay.environment(environment)), client))
  )
})

await Effect.runPromise(main)
