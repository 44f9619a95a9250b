/**
 * What is right? The full refresh, in plain SQL that shares nothing with the engine: everything delivered so far, and
 * the tables that follow from it, made from nothing each time.
 */
import type { Reason } from "@assay/core/MaterializationError"
import type { Postgres } from "@assay/core/postgres/Postgres"
import { literal, sql, type Sql } from "@assay/core/Sql"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Delivery } from "./Feed.ts"
import { event } from "./Revenue.ts"
import { execute, one, Workbench } from "./Workbench.ts"

type Step<A = void> = Effect.Effect<A, Reason, Workbench | Postgres>

/** The columns of an event, for a table of them. */
export const eventColumns =
  literal(`event_id text NOT NULL, customer_id text NOT NULL, kind text NOT NULL, segment text,
  amount numeric(18, 2) NOT NULL, event_ts timestamptz NOT NULL, updated_at timestamptz NOT NULL, is_deleted boolean NOT NULL`)

/** Makes the empty tables. */
export const prepare: Step = Effect.gen(function* () {
  const { table } = yield* Workbench
  yield* execute(sql`CREATE TABLE ${table("feed")} (${eventColumns}, loaded_at timestamptz NOT NULL)`)
  yield* execute(sql`CREATE INDEX ON ${table("feed")} (loaded_at)`)
  yield* execute(sql`CREATE INDEX ON ${table("feed")} (event_ts)`)
  yield* execute(sql`CREATE TABLE ${table("fact")} (${eventColumns})`)
  yield* execute(sql`CREATE TABLE ${table("version")} (
    customer_id text NOT NULL, segment text NOT NULL, valid_from timestamptz NOT NULL, valid_to timestamptz)`)
  yield* execute(sql`CREATE TABLE ${table("revenue")} (
    revenue_date date NOT NULL, segment text NOT NULL, invoices integer NOT NULL, amount numeric(18, 2) NOT NULL)`)
})

/** Adds a delivery to the feed. */
export const deliver = ({ events, loadedAt }: Delivery): Step =>
  Effect.gen(function* () {
    const { table } = yield* Workbench
    const rows = yield* Effect.orDie(encode(events))
    yield* execute(sql`
      INSERT INTO ${table("feed")} SELECT r.*, ${loadedAt}::timestamptz
      FROM json_to_recordset(${rows}::json) AS r(event_id text, customer_id text, kind text, segment text,
        amount numeric, event_ts timestamptz, updated_at timestamptz, is_deleted boolean)`)
  })

/** Computes all tables from the whole feed. */
export const refresh: Step = Effect.gen(function* () {
  const { table } = yield* Workbench
  const fill = (name: string, query: Sql) =>
    Effect.gen(function* () {
      yield* execute(sql`TRUNCATE ${table(name)}`)
      yield* execute(sql`INSERT INTO ${table(name)} ${query}`)
      yield* execute(sql`ANALYZE ${table(name)}`)
    })
  yield* fill("fact", latest(table("feed")))
  yield* fill("version", versions(table("fact")))
  yield* fill("revenue", revenue({ facts: table("fact"), versions: table("version") }))
})

/** The latest version of each event that is not deleted. */
const latest = (feed: Sql): Sql => sql`
  SELECT * FROM (
    SELECT DISTINCT ON (event_id) event_id, customer_id, kind, segment, amount, event_ts, updated_at, is_deleted
    FROM ${feed} AS f ORDER BY event_id, updated_at DESC, is_deleted DESC) AS newest
  WHERE NOT is_deleted`

/** The customers' segments through time: what each change says holds until the next one that says something else. */
const versions = (facts: Sql): Sql => sql`
  SELECT customer_id, segment, event_ts, lead(event_ts) OVER (PARTITION BY customer_id ORDER BY event_ts)
  FROM (
    SELECT *, lag(segment) OVER (PARTITION BY customer_id ORDER BY event_ts) AS previous
    FROM (
      SELECT DISTINCT ON (customer_id, event_ts) customer_id, segment, event_ts
      FROM ${facts} AS f WHERE kind = 'segment' ORDER BY customer_id, event_ts, event_id COLLATE "C" DESC) AS change
  ) AS changed
  WHERE segment IS DISTINCT FROM previous`

/** Revenue by day and by the segment that held at the time, of any facts and any versions. */
export const revenue = (options: { readonly facts: Sql; readonly versions: Sql }): Sql => sql`
  SELECT (f.event_ts AT TIME ZONE 'UTC')::date AS revenue_date, coalesce(v.segment, 'unknown') AS segment,
    count(*)::int AS invoices, sum(f.amount) AS amount
  FROM ${options.facts} AS f
  LEFT JOIN ${options.versions} AS v ON v.customer_id = f.customer_id AND v.valid_from <= f.event_ts
    AND (v.valid_to IS NULL OR f.event_ts < v.valid_to)
  WHERE f.kind = 'invoice' AND NOT f.is_deleted
  GROUP BY 1, 2`

/** How far a revenue table is from the refreshed one, row by row. */
export const Distance = Schema.Struct({
  /** Rows (day and segment) that are missing, surplus or different. */
  cells: Schema.Int,
  days: Schema.Int,
  /** The sum of the differences, none of which makes up for another. */
  off: Schema.String
})

/** How far a revenue table is from the refreshed one, row by row. */
export type Distance = typeof Distance.Type

/** Compares what a query yields as revenue with the refreshed revenue. */
export const distance = (found: Sql): Step<Distance> =>
  Effect.gen(function* () {
    const { table } = yield* Workbench
    return yield* one(
      sql`SELECT count(*)::int AS cells, count(DISTINCT revenue_date)::int AS days,
          coalesce(sum(abs(coalesce(f.amount, 0) - coalesce(r.amount, 0))), 0)::numeric(18, 2)::text AS off
        FROM ${table("revenue")} AS r
        FULL JOIN (${found}) AS f USING (revenue_date, segment)
        WHERE (f.invoices, f.amount) IS DISTINCT FROM (r.invoices, r.amount)`,
      Distance
    )
  })

/** How much there is that could be wrong. */
export const Whole = Schema.Struct({
  deliveredRows: Schema.Int,
  facts: Schema.Int,
  cells: Schema.Int,
  days: Schema.Int,
  amount: Schema.String
})

/** How much there is that could be wrong. */
export const whole: Step<typeof Whole.Type> = Effect.gen(function* () {
  const { table } = yield* Workbench
  return yield* one(
    sql`SELECT (SELECT count(*) FROM ${table("feed")} AS f)::int AS "deliveredRows",
        (SELECT count(*) FROM ${table("fact")} AS f WHERE kind = 'invoice')::int AS facts,
        count(*)::int AS cells, count(DISTINCT revenue_date)::int AS days, sum(amount)::text AS amount
      FROM ${table("revenue")} AS r`,
    Whole
  )
})

// --- internal ---

const encode = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(event)))
