import * as Database from "@assay/core/postgres/Database"
import * as EmbeddedPostgres from "@assay/core/postgres/EmbeddedPostgres"
import * as PgClient from "@effect/sql-pg/PgClient"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Util from "node:util"

const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-database-"))
Fs.chmodSync(home, 0o755)
afterAll(() => Fs.rmSync(home, { recursive: true }))

/** A URL that reaches the embedded server through its socket. */
const urlOf = (
  server: EmbeddedPostgres.EmbeddedPostgres["Service"],
  parts: { readonly user?: string; readonly database?: string; readonly options?: string } = {}
) => {
  const url = new URL(`postgresql://${parts.user ?? server.username}@localhost/${parts.database ?? server.database}`)
  url.searchParams.set("host", server.socketDirectory)
  if (parts.options !== undefined) url.searchParams.set("options", parts.options)
  return Redacted.make(url.href)
}

const connecting = (url: Redacted.Redacted) => Effect.flip(Effect.scoped(Layer.build(Database.layerUrl({ url }))))

const showsNot = (secret: string, error: Database.DatabaseError) => {
  for (const text of [String(error), error.message, JSON.stringify(error), Util.inspect(error), error.stack]) {
    assert.notInclude(text, secret)
  }
}

describe("Database", () => {
  it.layer(EmbeddedPostgres.layer({ home, durability: "none" }))((it) => {
    it.layer(Database.layerEmbedded())("of the embedded server", (it) => {
      it.effect("provides one client as PgClient and as SqlClient, under our name", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient
          assert.strictEqual<unknown>(sql, yield* PgClient.PgClient)
          assert.deepStrictEqual(yield* sql`SELECT current_setting('application_name') AS name`, [{ name: "assay" }])
        })
      )

      it.effect("writes values as text the same way whatever the role, the database and the server prefer", () =>
        Effect.gen(function* () {
          const admin = yield* SqlClient
          yield* admin`CREATE ROLE odd LOGIN SUPERUSER`
          const preferences = {
            TimeZone: "America/New_York",
            DateStyle: "German",
            IntervalStyle: "sql_standard",
            extra_float_digits: "-3",
            bytea_output: "escape",
            xmlbinary: "hex"
          }
          for (const [name, value] of Object.entries(preferences)) {
            yield* admin.unsafe(`ALTER ROLE odd SET ${name} TO '${value}'`)
          }
          const url = urlOf(yield* EmbeddedPostgres.EmbeddedPostgres, { user: "odd" })
          const sql = Context.get(yield* Layer.build(Database.layerUrl({ url })), SqlClient)
          const rows = yield* sql`
            SELECT timestamptz '2024-07-01 12:00:00.123456+02'::text AS instant, date '2024-07-01'::text AS day,
                   interval '1 mon 2 days 03:04:05'::text AS span, (0.1::float8 + 0.2::float8)::text AS sum,
                   '\\x00ff'::bytea::text AS bytes, cast('1.5' AS money)::text AS price
          `
          assert.deepStrictEqual(rows, [
            {
              instant: "2024-07-01 10:00:00.123456+00",
              day: "2024-07-01",
              span: "1 mon 2 days 03:04:05",
              sum: "0.30000000000000004",
              bytes: "\\x00ff",
              price: "$1.50"
            }
          ])
        })
      )
    })

    it.effect("holds no more connections than allowed", () =>
      Effect.gen(function* () {
        const context = yield* Layer.build(Database.layerEmbedded({ maxConnections: 2, applicationName: "pair" }))
        const sql = Context.get(context, SqlClient)
        const counts = yield* Effect.replicateEffect(
          sql<{ readonly n: number }>`
            SELECT count(*)::int AS n, pg_sleep(0.01)::text FROM pg_stat_activity WHERE application_name = 'pair'
          `,
          8,
          { concurrency: 8 }
        )
        assert.strictEqual(Math.max(...counts.flat().map(({ n }) => n)), 2)
      })
    )

    it.effect("says so when the database is missing", () =>
      Effect.gen(function* () {
        const error = yield* connecting(urlOf(yield* EmbeddedPostgres.EmbeddedPostgres, { database: "nowhere" }))
        assert.strictEqual(error.reason, "DatabaseMissing")
        assert.include(error.message, 'database "nowhere" does not exist')
        assert.include(error.message, "CREATE DATABASE")
      })
    )

    it.effect("says so when the password is wrong or missing, and never what it was", () =>
      Effect.gen(function* () {
        const server = yield* EmbeddedPostgres.EmbeddedPostgres
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient
          yield* sql`CREATE ROLE guarded LOGIN PASSWORD 'right'`
          const rules = Path.join(server.dataDirectory, "pg_hba.conf")
          Fs.writeFileSync(rules, `local all guarded scram-sha-256\n${Fs.readFileSync(rules, "utf8")}`)
          yield* sql`SELECT pg_reload_conf()`
        }).pipe(Effect.provide(Database.layerEmbedded()))
        const wrong = yield* connecting(urlOf(server, { user: "guarded:xyzzy42" }))
        assert.strictEqual(wrong.reason, "AuthenticationFailed")
        assert.include(wrong.message, 'password authentication failed for user "guarded"')
        showsNot("xyzzy42", wrong)
        const missing = yield* connecting(urlOf(server, { user: "guarded" }))
        assert.strictEqual(missing.reason, "AuthenticationFailed")
        assert.include(missing.message, "password")
        yield* Effect.scoped(Layer.build(Database.layerUrl({ url: urlOf(server, { user: "guarded:right" }) })))
      })
    )

    it.effect("says so when the server is too old", () =>
      Effect.gen(function* () {
        const server = yield* EmbeddedPostgres.EmbeddedPostgres
        // A schema before pg_catalog lets this server claim another version.
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient
          yield* sql`CREATE SCHEMA old`
          yield* sql`
            CREATE FUNCTION old.current_setting(name text) RETURNS text LANGUAGE sql
            RETURN CASE name WHEN 'server_version_num' THEN '140010' ELSE '14.10' END
          `
        }).pipe(Effect.provide(Database.layerEmbedded()))
        const error = yield* connecting(urlOf(server, { options: "-csearch_path=old,pg_catalog" }))
        assert.strictEqual(error.reason, "TooOld")
        assert.include(error.message, "runs PostgreSQL 14.10; Assay needs 15 or newer")
      })
    )
  })

  it.effect("says so when nobody listens", () =>
    Effect.gen(function* () {
      const socket = yield* connecting(Redacted.make("postgresql://u:xyzzy42@localhost/app?host=/nonexistent"))
      assert.strictEqual(socket.reason, "Refused")
      showsNot("xyzzy42", socket)
      const port = yield* connecting(Redacted.make("postgresql://u:xyzzy42@127.0.0.1:1/app"))
      assert.strictEqual(port.reason, "Refused")
      assert.include(port.message, "127.0.0.1:1/app")
      showsNot("xyzzy42", port)
    })
  )

  it.effect("says so when the host is unknown", () =>
    Effect.gen(function* () {
      const error = yield* connecting(Redacted.make("postgresql://u:xyzzy42@no-such-host.invalid/app"))
      assert.strictEqual(error.reason, "UnknownHost")
      showsNot("xyzzy42", error)
    })
  )

  it.effect.each([
    "xyzzy42",
    "mysql://u:xyzzy42@localhost/app",
    "postgresql://u:xyzzy42#1@localhost/app",
    "postgresql://u:42?xyzzy42@localhost/app",
    "postgresql://u:42/xyzzy42@localhost/app"
  ])("says so when the URL is not one, without repeating it: %s", (url) =>
    Effect.gen(function* () {
      const error = yield* connecting(Redacted.make(url))
      assert.strictEqual(error.reason, "InvalidUrl")
      assert.include(error.message, "percent-encoded")
      showsNot("xyzzy42", error)
      showsNot("u:42", error)
    })
  )
})
