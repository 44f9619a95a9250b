/**
 * Temporary tables that a connection uses again and again: made when they are first needed, emptied when a step has
 * ended. They cost the catalog nothing while they are used, and a commit nothing at all.
 *
 * With `ON COMMIT DELETE ROWS` the server truncates, at each commit that has touched any, every such table that the
 * connection ever made: 1.4 ms for each of them on PostgreSQL 15, so 0.3 s where a connection has built 100 assets. Rows
 * that are deleted before the commit cost what the rows cost.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Reason } from "../MaterializationError.ts"
import { identifier, list, literal, sql, type Sql } from "../Sql.ts"
import type { Postgres } from "./Postgres.ts"

/**
 * A temporary table: its name, and its columns as `CREATE TABLE` takes them.
 *
 * @category models
 * @since 0.1.0
 */
export interface TemporaryTable {
  readonly name: string
  readonly columns: Sql
}

/**
 * Makes temporary tables ready and empty, in the transaction that uses them.
 *
 * **Details**
 *
 * A connection keeps a bounded number of them. Each takes a lock when the connection ends, and the server has room for
 * some thousands; so the oldest make room for new ones, but none that this transaction has touched.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prepare = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  tables: ReadonlyArray<TemporaryTable>
): Effect.fn.Return<void, Reason> {
  const sizes = yield* sizesOf(
    pg,
    tables.map(({ name }) => name)
  )
  const missing = tables.filter(({ name }) => !sizes.has(name))
  if (missing.length > 0) yield* makeRoom(pg)
  for (const { columns, name } of missing)
    yield* pg.execute(sql`CREATE TEMPORARY TABLE IF NOT EXISTS ${identifier(name)} (${columns})`)
  yield* emptyOut(pg, sizes)
})

/**
 * Takes the rows out of temporary tables, those that there are. To be done before the transaction that filled them
 * commits: what it leaves behind would lie on the server's disk for as long as the connection does.
 *
 * @category effects
 * @since 0.1.0
 */
export const empty = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  names: ReadonlyArray<string>
): Effect.fn.Return<void, Reason> {
  yield* emptyOut(pg, yield* sizesOf(pg, names))
})

// --- internal ---

/** A connection that has so many tables drops some of them before it makes more. */
const most = 128

const fewer = 32

/**
 * Up to this size of its file a table's rows are deleted, which writes nothing but leaves space that is not used again.
 * A file beyond it is cut off, which takes half a millisecond and a row of the catalog, but not in every step.
 */
const smallFile = 64 * 1024

/** The sizes in bytes of those tables that exist. */
const sizesOf = (
  pg: typeof Postgres.Service,
  names: ReadonlyArray<string>
): Effect.Effect<ReadonlyMap<string, number>, Reason> =>
  Effect.map(
    pg.query(
      sql`SELECT name, pg_relation_size(to_regclass('pg_temp.' || quote_ident(name)))::text AS size
        FROM unnest(${names}::text[]) AS asked(name)`,
      Schema.Struct({ name: Schema.String, size: Schema.NullOr(Schema.String) })
    ),
    (rows) => new Map(rows.flatMap(({ name, size }) => (size === null ? [] : [[name, Number(size)]])))
  )

const emptyOut = Effect.fnUntraced(function* (pg: typeof Postgres.Service, sizes: ReadonlyMap<string, number>) {
  for (const [name, size] of sizes) {
    if (size === 0) continue
    const verb = literal(size > smallFile && !(yield* isRead(pg)) ? "TRUNCATE" : "DELETE FROM")
    yield* pg.execute(sql`${verb} ${identifier("pg_temp", name)}`)
  }
})

/** A table that an open cursor may still read cannot be cut off; the next use of it does that. */
const isRead = (pg: typeof Postgres.Service): Effect.Effect<boolean, Reason> =>
  Effect.map(
    pg.query(
      sql`SELECT EXISTS (SELECT FROM pg_cursors WHERE name <> '') AS is_read`,
      Schema.Struct({ is_read: Schema.Boolean })
    ),
    ([row]) => row?.is_read ?? false
  )

/** A table that this transaction has touched is locked by it. */
const makeRoom = Effect.fnUntraced(function* (pg: typeof Postgres.Service) {
  const names = yield* pg.query(
    sql`SELECT relname::text AS name FROM pg_class AS c
      WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' AND starts_with(relname::text, '_assay_') AND NOT EXISTS (
        SELECT FROM pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.relation = c.oid
      )
      ORDER BY c.oid`,
    Schema.Struct({ name: Schema.String })
  )
  if (names.length < most) return
  const oldest = names.slice(0, fewer).map(({ name }) => identifier("pg_temp", name))
  yield* pg.execute(sql`DROP TABLE ${list(oldest)}`)
})
