/**
 * A connection of the benchmark's own, one session for as long as the scope lasts.
 */
import * as Database from "@assay/core/postgres/Database"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"

/** Connects under a name by which the server lists the session. */
export const connect = (
  url: string,
  applicationName: string
): Effect.Effect<SqlClient, Database.DatabaseError, Scope.Scope> =>
  Effect.map(
    Layer.build(Database.layerUrl({ url: Redacted.make(url), maxConnections: 1, applicationName })),
    (services) => Context.get(services, SqlClient)
  )
