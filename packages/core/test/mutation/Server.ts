/**
 * The PostgreSQL server that all children of a lane share. Its time zone and date style are unlike those of the
 * developers' machines: what depends on the session's settings is wrong on it.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { TestProject } from "vitest/node"
import * as Postgres from "../support/Postgres.ts"

export class Server extends Context.Service<Server, { readonly url: string }>()("@assay/core/test/mutation/Server") {}

export const layer: Layer.Layer<Server> = Layer.effect(
  Server,
  Effect.map(
    Effect.acquireRelease(Effect.promise(start), ({ stop }) => Effect.promise(stop)),
    ({ url }) => ({ url })
  )
)

/** Runs before the tests of a child: a lane gives it the server, a child that is started by hand has its own. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const { stop, url } = await start()
  project.provide(Postgres.key, url)
  return stop
}

// --- internal ---

async function start() {
  const server = await Postgres.start({ durable: false })
  // A server that is given stays as it is.
  if (process.env["TEST_DATABASE_URL"] === undefined) await Effect.runPromise(estrange(server.url))
  return server
}

const estrange = (url: string) =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    yield* sql.unsafe("ALTER SYSTEM SET timezone = 'Asia/Kathmandu'")
    yield* sql.unsafe("ALTER SYSTEM SET datestyle = 'German'")
    yield* sql.unsafe("SELECT pg_reload_conf()")
  }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 })))
