/**
 * Places for daemons: environments in the database at hand, each with as many processes' worth of engines as a test wants,
 * every one on connections of its own.
 */
import * as Assay from "@assay/core/Assay"
import * as TestSource from "@assay/core/testing/TestSource"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as Works from "./Works.ts"

let environments = 0

export const open = (options: Omit<Works.Options, "source">) =>
  Effect.gen(function* () {
    environments += 1
    const name = `works${environments}`
    const feed = yield* TestSource.make<Works.Measurement>()
    const { url } = yield* TestDatabase.TestDatabase
    /** The same works in another process, as far as the database can tell. */
    const engine = (others: Partial<Works.Options> = {}) =>
      Effect.gen(function* () {
        const client = PgClient.layer({ url, applicationName: `${name} ${Object.keys(others).join()}` })
        const graph = Works.make({ ...options, source: feed.source, ...others })
        const layer = Layer.provide(Assay.layer(graph, Assay.environment(name)), client)
        return Context.get(yield* Layer.build(Layer.fresh(layer)), Assay.Assay)
      })
    return { feed, name, engine, assay: yield* engine() }
  })

/** A number that a query yields. */
export const count = (query: string) =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    const [row] = yield* sql.unsafe<{ readonly count: number }>(`SELECT (${query})::int AS count`)
    return row?.count
  })
