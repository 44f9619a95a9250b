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
 * Makes temporary tables ready and empty, in the transaction that uses them. It empties them again before it commits: what
 * it left behind would lie on the server's disk for as long as the connection does, and be found by the next one.
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
  const transaction = yield* pg.transaction
  const known = transaction?.tables ?? (yield* sizes(pg))
  if (transaction !== undefined) transaction.tables = known
  const missing = tables.filter(({ name }) => !known.has(name))
  if (missing.length > 0 && known.size + missing.length > most) yield* makeRoom(pg, known)
  for (const { columns, name } of missing) {
    yield* pg.execute(sql`CREATE TEMPORARY TABLE IF NOT EXISTS ${identifier(name)} (${columns})`)
    known.set(name, 0)
  }
  for (const { name } of tables) {
    const isFilled = transaction === undefined || transaction.filled.has(name)
    const isLarge = (known.get(name) ?? 0) > smallFile
    if (isLarge || (isFilled && !missing.some((created) => created.name === name))) yield* emptyOut(pg, name, isLarge)
    transaction?.filled.set(name, inSession(name))
  }
})

/**
 * Says how many rows were put into temporary tables, so that those with many are cut off when they are not needed any more
 * instead of deleted row by row.
 *
 * @category effects
 * @since 0.1.0
 */
export const filled = (
  pg: typeof Postgres.Service,
  names: ReadonlyArray<string>,
  rows: number
): Effect.Effect<void, Reason> =>
  Effect.map(pg.transaction, (transaction) => {
    if (rows > manyRows) for (const name of names) transaction?.large.add(name)
  })

/**
 * Takes the rows out of temporary tables that are not needed any more, where there are many of them. Few stay until the
 * transaction ends, when they cost no statement.
 *
 * @category effects
 * @since 0.1.0
 */
export const release = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  names: ReadonlyArray<string>
): Effect.fn.Return<void, Reason> {
  const transaction = yield* pg.transaction
  if (transaction === undefined) return
  for (const name of names) {
    if (!transaction.large.delete(name)) continue
    yield* emptyOut(pg, name, true)
    transaction.filled.delete(name)
  }
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

/** About as many rows as make a large file. */
const manyRows = 500

const inSession = (name: string): Sql => identifier("pg_temp", name)

/**
 * The engine's tables of this connection with the sizes of their files in bytes. Index `pg_class_relname_nsp_index`, by the
 * names from the prefix up to the character after its last one.
 */
const sizes = (pg: typeof Postgres.Service): Effect.Effect<Map<string, number>, Reason> =>
  Effect.map(
    pg.query(
      sql`SELECT relname::text AS name, pg_relation_size(oid)::text AS size FROM pg_class
        WHERE relname >= '_assay_' AND relname < '_assay\`' AND relnamespace = pg_my_temp_schema() AND relkind = 'r'
        ORDER BY oid`,
      Schema.Struct({ name: Schema.String, size: Schema.String })
    ),
    (rows) => new Map(rows.map(({ name, size }) => [name, Number(size)]))
  )

const emptyOut = Effect.fnUntraced(function* (pg: typeof Postgres.Service, name: string, isLarge: boolean) {
  const verb = literal(isLarge && !(yield* isRead(pg)) ? "TRUNCATE" : "DELETE FROM")
  yield* pg.execute(sql`${verb} ${inSession(name)}`)
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

/** Drops the oldest; a table that this transaction has touched is locked by it. */
const makeRoom = Effect.fnUntraced(function* (pg: typeof Postgres.Service, known: Map<string, number>) {
  const unused = yield* pg.query(
    sql`SELECT relname::text AS name FROM pg_class AS c
      WHERE relnamespace = pg_my_temp_schema() AND relname = ANY(${Array.from(known.keys())}::name[]) AND NOT EXISTS (
        SELECT FROM pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.relation = c.oid
      )
      ORDER BY c.oid LIMIT ${fewer}`,
    Schema.Struct({ name: Schema.String })
  )
  if (unused.length === 0) return
  yield* pg.execute(sql`DROP TABLE ${list(unused.map(({ name }) => inSession(name)))}`)
  for (const { name } of unused) known.delete(name)
})
