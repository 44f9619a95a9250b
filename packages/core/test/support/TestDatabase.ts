/**
 * A PostgreSQL database of one's own. Creates an empty database on the server of the test run, connects to it, and
 * drops it when the layer closes; files of tests therefore share nothing and run in parallel.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Crypto from "node:crypto"
import { inject } from "vitest"
import * as Postgres from "./Postgres.ts"

/** Where the database of this layer is, for child processes and for clients with other settings. */
export class TestDatabase extends Context.Service<
  TestDatabase,
  {
    readonly name: string
    readonly url: Redacted.Redacted
  }
>()("@assay/core/test/support/TestDatabase") {}

/** A fresh database without a client. */
export const layerDatabase: Layer.Layer<TestDatabase, SqlError> = Layer.effect(
  TestDatabase,
  Effect.gen(function* () {
    const server = inject(Postgres.key)
    const name = `test_${Crypto.randomUUID().replaceAll("-", "")}`
    yield* Effect.acquireRelease(administer(server, `CREATE DATABASE ${name} TEMPLATE template0`), () =>
      Effect.orDie(administer(server, `DROP DATABASE ${name} WITH (FORCE)`))
    )
    const url = new URL(server)
    url.pathname = `/${name}`
    return { name, url: Redacted.make(url.href) }
  })
)

/** A fresh database and a client of it. */
export const layer: Layer.Layer<TestDatabase | PgClient.PgClient | SqlClient, SqlError> = Layer.unwrap(
  Effect.map(TestDatabase, ({ url }) => PgClient.layer({ url }))
).pipe(Layer.provideMerge(layerDatabase))

// --- internal ---

const administer = (server: string, statement: string): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    yield* sql.unsafe(statement)
  }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(server), maxConnections: 1 })))
