/**
 * What a PostgreSQL error means for a materialization, told by its SQLSTATE: worth trying again, out of resources, bad
 * data, or a fault of the definition. The driver's own classification is not used, for it calls a full server (53300)
 * hopeless.
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
  const cause = "cause" in error.reason ? error.reason.cause : undefined
  const text = (field: string): string | undefined => {
    const value = Predicate.hasProperty(cause, field) ? cause[field] : undefined
    return typeof value === "string" && value.length > 0 ? value : undefined
  }
  const detail = text("detail")
  return {
    code: text("code"),
    message: `${text("message") ?? error.message}${detail === undefined ? "" : ` (${detail})`}`
  }
}

/**
 * The reason that an error is for a materialization to fail.
 *
 * **Details**
 *
 * Classes are those of the PostgreSQL manual, appendix A. Connection failures (08, 57P01–57P03), deadlocks,
 * serialization failures, lock and statement timeouts are transient; 53 (insufficient resources) is resource
 * exhaustion, also 54000–54023 (limits exceeded); 22 and 23 (data, constraints) are data quality; everything else,
 * like 42 (syntax, names, privileges), is a fault of the definition or the installation.
 *
 * @category conversions
 * @since 0.1.0
 */
export const reason = (error: SqlError): Reason => {
  const { code, message } = serverError(error)
  if (code === undefined) {
    return error.reason._tag === "ConnectionError"
      ? new Transient({ message, code })
      : new DefinitionFault({ message, code })
  }
  if (code.startsWith("08") || code.startsWith("40") || transientCodes.has(code))
    return new Transient({ message, code })
  if (code.startsWith("53") || code.startsWith("54")) return new ResourceExhausted({ message, code })
  if (code.startsWith("22") || code.startsWith("23")) return new DataQuality({ message, check: undefined })
  return new DefinitionFault({ message: `${message} (SQLSTATE ${code})`, code })
}

// --- internal ---

const transientCodes: ReadonlySet<string> = new Set([
  "55P03", // lock_not_available
  "55006", // object_in_use
  "57014", // query_canceled: a statement timeout
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "58030", // io_error
  "25P02", // in_failed_sql_transaction
  // Of the operating system, while a server restarts or a network flaps.
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ENOENT", // the socket of a local server
  "0A000" // a cached plan whose result type changed: gone after a new attempt
])
