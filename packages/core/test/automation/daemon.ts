/**
 * A daemon in a process of its own, which a test kills: watches the works with one delivery, and waits within the first
 * step for ever.
 *
 * Usage: node daemon.ts <database URL> <environment>
 */
import * as Assay from "@assay/core/Assay"
import * as TestSource from "@assay/core/testing/TestSource"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Works from "./Works.ts"

const [url = "", environment = ""] = process.argv.slice(2)

const main = Effect.gen(function* () {
  const feed = yield* TestSource.make<Works.Measurement>()
  yield* feed.deliver([Works.reading("a", "01", 4)])
  const before = Effect.andThen(Console.log("computing"), Effect.never)
  const graph = Works.make({ links: 3, source: feed.source, codeVersion: "1", before })
  const client = PgClient.layer({ url: Redacted.make(url) })
  const layer = Layer.provide(Assay.layer(graph, Assay.environment(environment)), client)
  yield* Effect.provide(
    Effect.flatMap(Assay.Assay, (assay) => assay.watch()),
    layer
  )
})

await Effect.runPromise(main)
