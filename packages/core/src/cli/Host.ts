/**
 * What stands behind the commands? The application's graph on its database, opened when a command needs it and not
 * before: `--help` must not wait for a driver to load, nor for a server to start.
 */
import type { PgClient } from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Os from "node:os"
import type { Assay } from "../Assay.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import type { Reason } from "../MaterializationError.ts"
import type { DatabaseError } from "../postgres/Database.ts"
import type { EmbeddedPostgresError } from "../postgres/EmbeddedPostgresError.ts"
import { Environment, type InvalidSetting, shownPath } from "./Environment.ts"
import * as Invocation from "./Invocation.ts"

/**
 * An error of the application's own, met as it made its graph or its services.
 *
 * @category errors
 * @since 0.1.0
 */
export class HostError extends Schema.TaggedError<HostError>("@assay/core/cli/HostError")("HostError", {
  cause: Schema.Defect()
}) {}

/**
 * Why the application could not be opened.
 *
 * @category errors
 * @since 0.1.0
 */
export type OpenError = DatabaseError | EmbeddedPostgresError | Reason | InvalidSetting | HostError

/**
 * The opened application.
 *
 * @category models
 * @since 0.1.0
 */
export interface Session {
  readonly assay: Assay["Service"]
  readonly target: string
  readonly database: { readonly kind: "embedded" | "server"; readonly place: string }
}

/**
 * The application behind the commands.
 *
 * @category services
 * @since 0.1.0
 */
export class Host extends Context.Service<
  Host,
  {
    readonly name: string
    /** How the user calls the application, for hints: `pnpm assay`, `node revenue.ts`. */
    readonly call: string
    /** Who asks, as runs record it: `user@host`. */
    readonly requestedBy: string
    /** The command line, as runs record it. */
    readonly commandLine: string
    readonly open: Effect.Effect<Session, OpenError, Scope.Scope>
  }
>()("@assay/core/cli/Host") {}

/**
 * What an application brings: its name and a way to make its graph.
 *
 * @category models
 * @since 0.1.0
 */
export interface Application<E> {
  readonly name: string
  readonly graph: Effect.Effect<AssetGraph<never>, E, Environment | Scope.Scope>
}

/**
 * The application on the database that the environment names, or on the embedded one.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E>(
  application: Application<E>,
  args: ReadonlyArray<string>
): Layer.Layer<Host, never, Environment> =>
  Layer.effect(
    Host,
    Effect.gen(function* () {
      const environment = yield* Environment
      const { name } = application
      return {
        name,
        call: Invocation.call(environment.invocation, name),
        requestedBy: yield* requestedBy,
        commandLine: [name, ...args].map(quoted).join(" "),
        open: open(application, environment)
      }
    })
  )

/**
 * The database in words.
 *
 * @category conversions
 * @since 0.1.0
 */
export const describe = ({ kind, place }: Session["database"]): string =>
  kind === "embedded" ? `embedded PostgreSQL in ${place}` : `PostgreSQL at ${place}`

// --- internal ---

const open = Effect.fnUntraced(function* <E>(
  application: Application<E>,
  environment: Environment["Service"]
): Effect.fn.Return<Session, OpenError, Scope.Scope> {
  const target = yield* environment.target
  const graph = yield* application.graph.pipe(
    Effect.provideService(Environment, environment),
    Effect.mapError((cause) => new HostError({ cause }))
  )
  const assays = yield* Effect.promise(() => import("../Assay.ts"))
  const client = yield* clientOf(environment)
  const built = yield* Layer.build(assays.layer(graph, assays.environment(target)).pipe(Layer.provide(client.layer)))
  return { assay: Context.get(built, assays.Assay), target, database: client.database }
})

const clientOf = Effect.fnUntraced(function* (environment: Environment["Service"]) {
  const databases = yield* Effect.promise(() => import("../postgres/Database.ts"))
  const { databaseUrl, directory, home } = environment
  if (databaseUrl !== undefined) {
    const layer: Layer.Layer<PgClient, DatabaseError | EmbeddedPostgresError> = databases.layerUrl({ url: databaseUrl })
    return { layer, database: { kind: "server" as const, place: placeOf(databaseUrl) } }
  }
  const embedded = yield* Effect.promise(() => import("../postgres/EmbeddedPostgres.ts"))
  const layer: Layer.Layer<PgClient, DatabaseError | EmbeddedPostgresError> = databases
    .layerEmbedded()
    .pipe(Layer.provide(embedded.layer({ home })))
  return { layer, database: { kind: "embedded" as const, place: shownPath(directory, home) } }
})

/** Host and database, never the user's part of the URL. */
const placeOf = (redacted: Redacted.Redacted): string => {
  const url = URL.parse(Redacted.value(redacted))
  if (url === null) return "the server of DATABASE_URL"
  const host = url.searchParams.get("host") ?? (url.host === "" ? "localhost" : url.host)
  return `${host}/${url.searchParams.get("dbname") ?? url.pathname.slice(1)}`
}

/** A container may run under a number that has no name. */
const requestedBy: Effect.Effect<string> = Effect.map(
  Effect.orElseSucceed(
    Effect.try(() => Os.userInfo().username),
    () => "somebody"
  ),
  (user) => `${user}@${Os.hostname()}`
)

const quoted = (argument: string): string =>
  /^[\w./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`
