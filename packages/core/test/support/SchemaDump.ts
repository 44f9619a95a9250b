/**
 * The ledger's tables as a text that a reviewer can read and PostgreSQL can run: what the migrations lead to, told by
 * the catalog of a database that has been through them. It says the same on every PostgreSQL from 15 on, which
 * `pg_dump` does not.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Migrations from "@assay/core/ledger/Migrations"
import * as Postgres from "@assay/core/postgres/Postgres"
import { compile, sql, type Sql } from "@assay/core/Sql"
import * as Transactor from "@assay/core/Transactor"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"

/** The database schema that the dump names. */
const schema = "assay"

/** The dump of a fresh ledger, in a database of its own on the server of that URL. */
export const ofServer = (server: string): Promise<string> =>
  Effect.gen(function* () {
    const name = `schema_${Crypto.randomUUID().replaceAll("-", "")}`
    const client = yield* PgClient.PgClient
    const url = new URL(server)
    url.pathname = `/${name}`
    return yield* Effect.acquireUseRelease(
      client.unsafe(`CREATE DATABASE ${name} TEMPLATE template0`),
      () =>
        Effect.andThen(Migrations.run, dump).pipe(
          Effect.provide(
            Postgres.layer({ warehouse: "dev", ledger: schema }).pipe(
              Layer.provide(PgClient.layer({ url: Redacted.make(url.href) }))
            )
          )
        ),
      () => client.unsafe(`DROP DATABASE ${name} WITH (FORCE)`)
    )
  }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(server), maxConnections: 1 })), Effect.runPromise)

/** The dump of the ledger in the database at hand. */
export const dump = Effect.gen(function* () {
  // A transaction fixes the session's settings, the search path above all, which decides what names are qualified.
  const { transact } = yield* Transactor.Transactor
  return yield* transact(
    Effect.gen(function* () {
      const tables =
        yield* lines(sql`SELECT oid::text AS key, quote_ident(relname) AS text, reloptions::text[] AS options
        FROM pg_class WHERE relnamespace = ${schema}::regnamespace AND relkind = 'r' ORDER BY relname`)
      const columns = yield* lines(columnsOf)
      const constraints = yield* lines(constraintsOf)
      const references = yield* lines(referencesOf)
      const indexes = yield* lines(indexesOf)
      const comments = yield* lines(commentsOf)
      const sequences = yield* lines(sequencesOf)
      const of = (all: ReadonlyArray<Line>, key: string) =>
        all.filter((line) => line.key === key).map(({ text }) => text)
      const statements = tables.map(({ key, options, text }) => {
        const body = [...of(columns, key), ...of(constraints, key)].map((line) => `  ${line}`).join(",\n")
        const storage = options === null ? "" : ` WITH (${options.join(", ")})`
        const rest = [...of(indexes, key), ...of(comments, key)].map((statement) => `${statement};`)
        return [`CREATE TABLE ${schema}.${text} (\n${body}\n)${storage};`, ...rest].join("\n")
      })
      const alone = [...sequences, ...references].map(({ text }) => `${text};`)
      return [header, `CREATE SCHEMA ${schema};`, ...statements, alone.join("\n")].join("\n\n").concat("\n")
    })
  )
})

// --- internal ---

/** Each migration with a hash of its statements: a released one never changes, and here a reviewer would see it. */
const history = Migrations.all.map(({ id, name, statements }) => {
  const hash = Crypto.createHash("md5")
    .update(JSON.stringify(statements(schema).map(compile)))
    .digest("hex")
  return `--   ${id}  ${hash}  ${name}`
})

const header = `-- The ledger: everything Assay remembers between runs, as the migrations in src/ledger/Migrations.ts leave it.
-- Written by \`pnpm schema:dump\`; the name of the database schema is a setting, "${schema}" is the default.
-- Migrations, each with the MD5 of its statements, which never changes once it is released:
${history.join("\n")}`

const Line = Schema.Struct({
  key: Schema.String,
  text: Schema.String,
  options: Schema.NullOr(Schema.Array(Schema.String))
})

type Line = typeof Line.Type

const lines = (statement: Sql) => Effect.flatMap(Postgres.Postgres, ({ query }) => query(statement, Line))

const columnsOf = sql`SELECT attrelid::text AS key, NULL::text[] AS options, concat_ws(' ',
    quote_ident(attname), format_type(atttypid, atttypmod),
    CASE WHEN attcollation <> typcollation THEN 'COLLATE ' || attcollation::regcollation END,
    CASE WHEN attnotnull THEN 'NOT NULL' END,
    CASE WHEN attidentity = 'a' THEN 'GENERATED ALWAYS AS IDENTITY' END,
    'DEFAULT ' || pg_get_expr(adbin, adrelid)) AS text
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_type ON pg_type.oid = atttypid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE relnamespace = ${schema}::regnamespace AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum`

/** Since PostgreSQL 18 the catalog lists NOT NULL among the constraints, too. */
const constraintsOf = sql`SELECT conrelid::text AS key, NULL::text[] AS options,
    'CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid) AS text
  FROM pg_constraint WHERE connamespace = ${schema}::regnamespace AND contype IN ('p', 'u', 'c', 'x')
  ORDER BY contype = 'p' DESC, conname`

const referencesOf = sql`SELECT conrelid::text AS key, NULL::text[] AS options,
    'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(conname) || ' '
      || pg_get_constraintdef(oid) AS text
  FROM pg_constraint WHERE connamespace = ${schema}::regnamespace AND contype = 'f' ORDER BY conrelid::regclass::text, conname`

const indexesOf = sql`SELECT indrelid::text AS key, NULL::text[] AS options, concat(pg_get_indexdef(indexrelid),
      E';\nCOMMENT ON INDEX ' || indexrelid::regclass || ' IS ' || quote_literal(obj_description(indexrelid, 'pg_class')))
    AS text
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
  WHERE relnamespace = ${schema}::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
  ORDER BY relname`

const commentsOf = sql`SELECT attrelid::text AS key, NULL::text[] AS options, CASE
      WHEN attnum IS NULL THEN 'COMMENT ON TABLE ' || attrelid::regclass
      ELSE 'COMMENT ON COLUMN ' || attrelid::regclass || '.' || quote_ident(attname)
    END || ' IS ' || quote_literal(description) AS text
  FROM pg_description JOIN (
    SELECT oid AS attrelid, NULL AS attnum, NULL AS attname FROM pg_class WHERE relkind = 'r'
      AND relnamespace = ${schema}::regnamespace
    UNION ALL
    SELECT attrelid, attnum, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relkind = 'r' AND relnamespace = ${schema}::regnamespace
  ) AS commented ON objoid = attrelid AND objsubid = coalesce(attnum, 0)
  WHERE classoid = 'pg_class'::regclass ORDER BY attrelid, objsubid`

/** Sequences of identity columns come with these. */
const sequencesOf = sql`SELECT pg_class.oid::text AS key, NULL::text[] AS options, concat('CREATE SEQUENCE ',
    pg_class.oid::regclass, ' AS ', seqtypid::regtype, ' START WITH ', seqstart, ' INCREMENT BY ', seqincrement,
    ' CACHE ', seqcache, CASE WHEN seqcycle THEN ' CYCLE' END, E';\nCOMMENT ON SEQUENCE ' || pg_class.oid::regclass
      || ' IS ' || quote_literal(obj_description(pg_class.oid, 'pg_class'))) AS text
  FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid
  WHERE relnamespace = ${schema}::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = seqrelid AND deptype = 'i')
  ORDER BY relname`
