/**
 * How does a consumer find the rows that are new in a log? Ways to say so with a high-water mark over what it has
 * already, each as its advocates would write it: rows are merged by key, and a tie with the mark is read again.
 */
import { literal, sql, type Sql } from "@assay/core/Sql"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Step } from "./Alternative.ts"
import { execute, one, Workbench } from "./Workbench.ts"

/** One way to look for new rows. */
export interface Cursor {
  readonly name: string
  /** The condition on rows of the log; `own` is what the consumer has. */
  readonly isNew: (own: Sql) => Sql
}

const byTime = (lookback: string): Cursor => ({
  name: lookback === "0 ms" ? "max(loaded_at)" : `max(loaded_at), lookback ${lookback}`,
  isNew: (own) => sql`loaded_at >= (
    SELECT coalesce(max(loaded_at), '-infinity') - ${literal(`interval '${lookback}'`)} FROM ${own} AS own)`
})

/** The usual ones. */
export const usual: ReadonlyArray<Cursor> = [
  byTime("0 ms"),
  byTime("300 ms"),
  byTime("1 s"),
  {
    name: "max(id), a sequence",
    isNew: (own) => sql`id > (SELECT coalesce(max(id), 0) FROM ${own} AS own)`
  }
]

/**
 * The one that is right: transactions that are older than every running one. It loses nothing, and waits for the longest
 * transaction of the server.
 */
export const horizon: Cursor = {
  name: "transactions below the oldest open one",
  isNew: (own) => sql`xid > (SELECT coalesce(max(xid), '0') FROM ${own} AS own)
    AND xid < pg_snapshot_xmin(pg_current_snapshot())`
}

/** All of them. */
export const all: ReadonlyArray<Cursor> = [...usual, horizon]

/** Makes the log and the consumers' empty copies of it. */
export const prepare: Step = Effect.gen(function* () {
  const { table } = yield* Workbench
  yield* execute(sql`CREATE TABLE ${table("log")} (
    id bigserial PRIMARY KEY, batch text NOT NULL, loaded_at timestamptz NOT NULL, xid xid8 NOT NULL DEFAULT pg_current_xact_id())`)
  yield* execute(sql`CREATE INDEX ON ${table("log")} (loaded_at)`)
  yield* execute(sql`CREATE INDEX ON ${table("log")} (xid)`)
  for (const cursor of all)
    yield* execute(sql`CREATE TABLE ${yield* copyOf(cursor)} (LIKE ${table("log")} INCLUDING INDEXES)`)
})

/** Writes rows of a batch, in the transaction at hand, stamped with the time at which it began or with a given one. */
export const append = (batch: string, rows: number, loadedAt?: string): Step =>
  Effect.gen(function* () {
    const { table } = yield* Workbench
    const at = loadedAt === undefined ? literal("transaction_timestamp()") : sql`${loadedAt}::timestamptz`
    yield* execute(sql`INSERT INTO ${table("log")} (batch, loaded_at)
      SELECT ${batch}, ${at} FROM generate_series(1, ${rows}::int)`)
  })

/** What one look at the log brought. */
const Read = Schema.Struct({ read: Schema.Int, added: Schema.Int })

/** Looks for new rows once, and takes them. */
export const poll = (cursor: Cursor): Step<typeof Read.Type> =>
  Effect.gen(function* () {
    const { table } = yield* Workbench
    const own = yield* copyOf(cursor)
    return yield* one(
      sql`WITH found AS MATERIALIZED (SELECT * FROM ${table("log")} AS l WHERE ${cursor.isNew(own)}),
        added AS (INSERT INTO ${own} SELECT * FROM found ON CONFLICT (id) DO NOTHING RETURNING id)
        SELECT (SELECT count(*) FROM found)::int AS read, (SELECT count(*) FROM added)::int AS added`,
      Read
    )
  })

/** What a consumer does not have. */
export const Lost = Schema.Struct({ rows: Schema.Int, batches: Schema.Array(Schema.String) })

/** Compares what a consumer has with the log, row by row. */
export const lost = (cursor: Cursor): Step<typeof Lost.Type> =>
  Effect.gen(function* () {
    const { table } = yield* Workbench
    return yield* one(
      sql`SELECT count(*)::int AS rows, coalesce(array_agg(DISTINCT batch), '{}') AS batches
        FROM ${table("log")} AS l WHERE NOT EXISTS (SELECT FROM ${yield* copyOf(cursor)} AS own WHERE own.id = l.id)`,
      Lost
    )
  })

// --- internal ---

const copyOf = (cursor: Cursor) => Effect.map(Workbench, ({ table }) => table(`copy_${all.indexOf(cursor)}`))
