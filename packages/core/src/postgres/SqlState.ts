/**
 * What a PostgreSQL error means for a materialization, told by its SQLSTATE: worth trying again, out of resources, bad
 * data, or a fault of the definition. The driver's own classification is not used, for it calls a full server (53300)
 * hopeless. Where the server's words leave open what to do, ours are added.
 */
import * as Predicate from "effect/Predicate"
import type { SqlError } from "effect/sql/SqlError"
import { DataQuality, DefinitionFault, type Reason, ResourceExhausted, Transient } from "../MaterializationError.ts"

/**
 * The SQLSTATE, message and detail that a driver error carries.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerError {
  readonly code: string | undefined
  readonly message: string
}

/**
 * Reads code and message out of a driver error. The query's values are left out: they may be confidential.
 *
 * @category conversions
 * @since 0.1.0
 */
export const serverError = (error: SqlError): ServerError => {
  const { cause } = error.reason
  const detail = text(cause, "detail")
  return {
    code: text(cause, "code"),
    message: `${text(cause, "message") ?? error.message}${detail === undefined ? "" : ` (${detail})`}`
  }
}

/**
 * The reason that an error is for a materialization to fail; `role` is as whom it was made.
 *
 * **Details**
 *
 * Classes are those of the PostgreSQL manual, appendix A. Connection failures (08, 57P01–57P03), sessions ended by a
 * timeout, deadlocks, serialization failures, lock and statement timeouts are transient; 53 (insufficient resources) is
 * resource exhaustion, also 54000–54023 (limits exceeded); 22 and 23 (data, constraints) are data quality; everything
 * else, like 42 (syntax, names, privileges), is a fault of the definition or the installation.
 *
 * @category conversions
 * @since 0.1.0
 */
export const reason = (error: SqlError, role?: string): Reason => {
  const { code, message: words } = serverError(error)
  const isLost = error.reason._tag === "ConnectionError" || endsConnection(code)
  const message = isLost || isConnecting(error) ? connectionWords(error, words, code) : words
  if (code === undefined) return isLost ? new Transient({ message, code }) : new DefinitionFault({ message, code })
  if (endsConnection(code) || code.startsWith("40") || transientCodes.has(code) || isStalePlan(error, code))
    return new Transient({ message, code })
  if (code.startsWith("53") || code.startsWith("54") || exhaustedCodes.has(code))
    return new ResourceExhausted({ message, code })
  if (code.startsWith("22") || code.startsWith("23")) return new DataQuality({ message, check: undefined })
  const denial = code === "42501" ? `: ${denied(words, role)}` : ""
  return new DefinitionFault({ message: `${message} (SQLSTATE ${code})${denial}`, code })
}

// --- internal ---

const text = (of: unknown, name: string): string | undefined => {
  const value = Predicate.hasProperty(of, name) ? of[name] : undefined
  return typeof value === "string" && value.length > 0 ? value : undefined
}

const isConnecting = ({ reason }: SqlError): boolean => text(reason, "operation") === "connect"

/** A connection that is lost says no more than that it was closed. */
const connectionWords = (error: SqlError, words: string, code: string | undefined): string =>
  isConnecting(error)
    ? `cannot connect to the database: ${silentCodes.has(code ?? "") ? "nobody listens there" : words}`
    : `the connection to the database was lost (${words})`

/** What a role lacks, and how it comes by it. Objects that the engine makes it also changes, which only owners may. */
const denied = (words: string, role: string | undefined): string => {
  const who = role === undefined ? "the role of the database URL" : `role "${role}"`
  const to = role === undefined ? "that role" : `"${role.replaceAll('"', '""')}"`
  const [, kind, name] = /^permission denied for (database|schema) ("?[^"\s]+"?)/.exec(words) ?? []
  if (kind === "database" && name !== undefined)
    return `${who} may not create schemas there. Let it: GRANT CREATE ON DATABASE ${name} TO ${to}`
  if (kind === "schema" && name !== undefined)
    return `${who} may not use that schema, or create tables in it. Let it: GRANT USAGE, CREATE ON SCHEMA ${name} TO ${to}`
  return `${who} may not do that. Use the role that owns the tables and schemas of this target, or make it a member: GRANT owner TO ${to}`
}

const endsConnection = (code: string | undefined): boolean =>
  code !== undefined && (code.startsWith("08") || connectionCodes.has(code))

/** A cached plan whose result type has changed, gone after a new attempt; anything else that is unsupported stays so. */
const isStalePlan = (error: SqlError, code: string): boolean =>
  code === "0A000" && text(error.reason.cause, "routine") === "RevalidateCachedQuery"

const connectionCodes: ReadonlySet<string> = new Set([
  "25P03", // idle_in_transaction_session_timeout
  "25P04", // transaction_timeout
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P05", // idle_session_timeout
  // Of the operating system, while a server restarts or a network flaps.
  "ECONNABORTED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT"
])

/** Of the operating system, where there is no server at the moment. */
const silentCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOENT" // the socket of a local server
])

const transientCodes: ReadonlySet<string> = new Set([
  ...silentCodes,
  "55P03", // lock_not_available
  "55006", // object_in_use
  "57014", // query_canceled: a statement timeout
  "57P03", // cannot_connect_now
  "58030", // io_error
  "25P02", // in_failed_sql_transaction
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN"
])

/** This machine is the one that is out of something. */
const exhaustedCodes: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"])
