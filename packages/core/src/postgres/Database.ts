/**
 * How do we get from a URL, or from the embedded server, to a client that the engine can rely on? Connects, checks that
 * the server is one we support, tells people in their words when it is not, and fixes the session settings that decide
 * how values look as text, so that no server's configuration shows through in a result (L5).
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { EmbeddedPostgres } from "./EmbeddedPostgres.ts"
import * as SqlState from "./SqlState.ts"

/**
 * How many connections to hold, and under what name the server lists them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Default 10. */
  readonly maxConnections?: number | undefined
  /** Default `assay`. */
  readonly applicationName?: string | undefined
  /** How long one connection may take to come about. Default: what the URL says, else 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
}

/**
 * The reasons for which a database cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export const Reason = Schema.Literals([
  "InvalidUrl",
  "Refused",
  "UnknownHost",
  "AuthenticationFailed",
  "DatabaseMissing",
  "TooOld",
  "Unavailable"
])

/**
 * The reasons for which a database cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * A database cannot be used. Carries no cause, since a driver's error may hold the URL and its password.
 *
 * @category errors
 * @since 0.1.0
 */
export class DatabaseError extends Schema.TaggedError<DatabaseError>("@assay/core/postgres/DatabaseError")(
  "DatabaseError",
  {
    reason: Reason,
    server: Schema.String,
    message: Schema.String
  }
) {}

/**
 * The oldest server that we support, as `server_version_num` counts.
 *
 * @category constants
 * @since 0.1.0
 */
export const minimumVersion = 150_000

/**
 * A client of the database that a URL names (`postgresql://user:password@host:port/database`).
 *
 * @category layers
 * @since 0.1.0
 */
export const layerUrl = (
  options: Options & { readonly url: Redacted.Redacted }
): Layer.Layer<PgClient.PgClient | SqlClient, DatabaseError> => {
  const server = describe(Redacted.value(options.url))
  return server === undefined
    ? Layer.effectContext(Effect.suspend(() => Effect.fail(invalidUrl())))
    : layerClient(server, { ...pool(options), url: options.url })
}

/**
 * A client of the embedded server.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerEmbedded = (
  options: Options = {}
): Layer.Layer<PgClient.PgClient | SqlClient, DatabaseError, EmbeddedPostgres> =>
  Layer.unwrap(
    Effect.map(EmbeddedPostgres, ({ database, port, socketDirectory, username }) =>
      layerClient(`${socketDirectory}/${database}`, {
        ...pool(options),
        host: socketDirectory,
        port,
        username,
        database
      })
    )
  )

// --- internal ---

/** Everything that changes the text of a value and that a role, a database or a server may set otherwise. */
const canonicalText: Readonly<Record<string, string>> = {
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  extra_float_digits: "1",
  bytea_output: "hex",
  xmlbinary: "base64",
  lc_monetary: "C",
  lc_numeric: "C",
  lc_time: "C",
  standard_conforming_strings: "on"
}

const pool = (options: Options): PgClient.PgPoolConfig => ({
  maxConnections: options.maxConnections ?? 10,
  applicationName: options.applicationName ?? "assay",
  connectTimeout: options.connectTimeout,
  startupParameters: canonicalText
})

const layerClient = (server: string, config: PgClient.PgPoolConfig) =>
  PgClient.layerFrom(
    PgClient.make(config).pipe(
      // The pool connects when asked, so it is asked here: at the start, people know what they have just configured.
      Effect.tap((client) => checkVersion(server, client)),
      Effect.catchTag("SqlError", (error) => Effect.fail(fromSqlError(server, error)))
    )
  )

const Version = Schema.Tuple([Schema.Struct({ number: Schema.Int, name: Schema.String })])

const checkVersion = Effect.fnUntraced(function* (server: string, client: PgClient.PgClient) {
  const rows = yield* client`
    SELECT current_setting('server_version_num')::int AS number, current_setting('server_version')::text AS name
  `.withoutTransform
  const [{ name, number }] = yield* Schema.decodeUnknownEffect(Version)(rows).pipe(Effect.orDie)
  if (number >= minimumVersion) return
  return yield* new DatabaseError({
    reason: "TooOld",
    server,
    message:
      `${server} runs PostgreSQL ${name}; Assay needs ${Math.floor(minimumVersion / 10_000)} or newer. Upgrade the ` +
      "server, or name another one."
  })
})

const fromSqlError = (server: string, error: SqlError): DatabaseError => {
  const { code = "", message } = SqlState.serverError(error)
  const [reason, advice, phrase = message] =
    known[code] ?? (error.reason._tag === "AuthenticationError" ? authentication : unavailable)
  return new DatabaseError({ reason, server, message: `Cannot connect to ${server}: ${phrase}. ${advice}` })
}

/** The reason, what to do, and our words where the operating system only has a code. */
type Verdict = readonly [reason: Reason, advice: string, phrase?: string]

const authentication: Verdict = ["AuthenticationFailed", "Check the user name and the password in the database URL."]

const unavailable: Verdict = ["Unavailable", "Check that the server is up and that the database URL is right for it."]

const refused: Verdict = [
  "Refused",
  "Check that the server is running, and host and port in the database URL.",
  "nobody listens there"
]

const unknownHost: Verdict = [
  "UnknownHost",
  "Check the host name in the database URL, and your network.",
  "no such host"
]

const full: Verdict = ["Unavailable", "Close other clients, lower the number of connections, or raise max_connections."]

const known: Readonly<Record<string, Verdict>> = {
  ECONNREFUSED: refused,
  ENOENT: refused,
  EHOSTUNREACH: refused,
  ENETUNREACH: refused,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  "28000": authentication,
  "28P01": authentication,
  "3D000": ["DatabaseMissing", "Create it (CREATE DATABASE), or correct its name in the database URL."],
  "53300": full,
  "57P03": ["Unavailable", "The server is starting or stopping: try again in a moment."]
}

const invalidUrl = () =>
  new DatabaseError({
    reason: "InvalidUrl",
    server: "",
    message:
      "The database URL is not of the form postgresql://user:password@host:port/database. Characters like @ : / # ? % in " +
      "a user name or password are written percent-encoded (%40 for @)."
  })

/** The server's place for messages: never the user's part of the URL. None when the URL is not one. */
const describe = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== "postgres:" && url.protocol !== "postgresql:")) return undefined
  // The @ stands too late: a password's / # or ? has ended the host part, and what we would print is the password.
  if (url.username === "" && `${url.pathname}${url.search}${url.hash}`.includes("@")) return undefined
  const host = url.searchParams.get("host") ?? (url.hostname === "" ? "localhost" : url.hostname)
  const port = url.searchParams.get("port") ?? (url.port === "" ? "5432" : url.port)
  const database = url.searchParams.get("dbname") ?? url.pathname.slice(1)
  return `${host}:${port}/${database}`
}
