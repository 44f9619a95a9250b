import * as SqlState from "@assay/core/postgres/SqlState"
import { assert, describe, it } from "@effect/vitest"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"

/** An error as the driver makes it of what the server or the operating system says. */
const raised = (cause: object, operation: "query" | "connect" = "query") =>
  new SqlError({ reason: new UnknownError({ cause, message: "PgConnection: Query failed", operation }) })

const broken = (message: string, operation: "query" | "connect", code?: string) =>
  new SqlError({
    reason: new ConnectionError({ cause: { message, code }, message: "PgConnection: Socket error", operation })
  })

describe("SqlState", () => {
  it.each([
    ["08006", "Transient"],
    ["25P02", "Transient"],
    ["25P03", "Transient"],
    ["25P04", "Transient"],
    ["40001", "Transient"],
    ["40P01", "Transient"],
    ["55006", "Transient"],
    ["55P03", "Transient"],
    ["57014", "Transient"],
    ["57P01", "Transient"],
    ["57P02", "Transient"],
    ["57P03", "Transient"],
    ["57P05", "Transient"],
    ["58030", "Transient"],
    ["53000", "ResourceExhausted"],
    ["53100", "ResourceExhausted"],
    ["53200", "ResourceExhausted"],
    ["53300", "ResourceExhausted"],
    ["53400", "ResourceExhausted"],
    ["54000", "ResourceExhausted"],
    ["EMFILE", "ResourceExhausted"],
    ["22012", "DataQuality"],
    ["23505", "DataQuality"],
    ["0A000", "DefinitionFault"],
    ["42501", "DefinitionFault"],
    ["42601", "DefinitionFault"],
    ["57P04", "DefinitionFault"],
    ["XX001", "DefinitionFault"]
  ] as const)("takes %s for %s", (code, tag) => {
    assert.strictEqual(SqlState.reason(raised({ code, message: "said so" }))._tag, tag)
  })

  it("takes a plan whose result type has changed for transient, and nothing else that is unsupported", () => {
    const stale = {
      code: "0A000",
      message: "cached plan must not change result type",
      routine: "RevalidateCachedQuery"
    }
    assert.strictEqual(SqlState.reason(raised(stale))._tag, "Transient")
  })

  it.each([
    ["Connection closed", "query", undefined, "the connection to the database was lost (Connection closed)"],
    ["write EPIPE", "query", "EPIPE", "the connection to the database was lost (write EPIPE)"],
    [
      "connect ECONNREFUSED ::1:5432",
      "connect",
      "ECONNREFUSED",
      "cannot connect to the database: nobody listens there"
    ],
    ["connect ENOENT /run/.s.PGSQL.5432", "connect", "ENOENT", "cannot connect to the database: nobody listens there"],
    ["getaddrinfo EAI_AGAIN db", "connect", "EAI_AGAIN", "cannot connect to the database: getaddrinfo EAI_AGAIN db"]
  ] as const)("says of %s whether a connection was lost or not had", (message, operation, code, expected) => {
    assert.deepInclude(SqlState.reason(broken(message, operation, code)), { _tag: "Transient", message: expected })
  })

  it("says that a connection was refused for being one too many", () => {
    const full = raised({ code: "53300", message: "sorry, too many clients already" }, "connect")
    assert.strictEqual(SqlState.reason(full).message, "cannot connect to the database: sorry, too many clients already")
  })

  it.each([
    ["permission denied for database b", 'role "reader" may not create schemas there', "GRANT CREATE ON DATABASE b TO"],
    [
      "permission denied for schema dev",
      'role "reader" may not use that schema',
      "GRANT USAGE, CREATE ON SCHEMA dev TO"
    ],
    ["permission denied for table run", 'role "reader" may not do that', "GRANT owner TO"],
    ["must be owner of table run", 'role "reader" may not do that', "GRANT owner TO"]
  ])("says of '%s' who lacks what", (message, who, remedy) => {
    const error = raised({ code: "42501", message })
    const told = SqlState.reason(error, "reader").message
    assert.include(told, message)
    assert.include(told, who)
    assert.include(told, `${remedy} "reader"`)
    assert.include(SqlState.reason(error).message, "the role of the database URL")
  })

  it("leaves out the values of a query, and keeps the detail", () => {
    const error = raised({ code: "23505", message: "duplicate key", detail: "Key (id)=(7) exists.", where: "secret" })
    assert.strictEqual(SqlState.reason(error).message, "duplicate key (Key (id)=(7) exists.)")
  })
})
