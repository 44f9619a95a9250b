/**
 * Slowly changing dimensions that look at the current row only: what is new is compared with the open version, which is
 * closed and followed by another. dbt's snapshots do so, and most hand-written `MERGE`s.
 */
import { sql, type Sql } from "@assay/core/Sql"
import * as Effect from "effect/Effect"
import type { Alternative } from "./Alternative.ts"
import type { Delivery } from "./Feed.ts"
import { revenue } from "./Refresh.ts"
import { count, execute, Workbench } from "./Workbench.ts"

/**
 * Each run compares the state that the customers are in now. A version begins when the change took effect, so a change
 * that is older than the open version finds no place.
 */
export const byEffect = (): Alternative =>
  make({
    name: "current state, from its effect",
    table: "by_effect",
    isNews: sql`s.at > o.valid_from`,
    states: (_, facts) => current(facts, sql`event_ts`)
  })

/**
 * Each run compares the state that the customers are in now. A version begins when it was loaded; the first one of a
 * customer holds since ever.
 */
export const byLoad = (): Alternative =>
  make({
    name: "current state, from its load",
    table: "by_load",
    isNews: sql`s.segment <> o.segment`,
    states: ({ loadedAt }, facts) => current(facts, sql`${loadedAt}::timestamptz`)
  })

/**
 * Each run goes through all changes of the delivery in the order of their effect, so that several of one customer make
 * several versions. The comparison is still with the open version.
 */
export const everyChange = (): Alternative =>
  make({
    name: "every change, in order",
    table: "every_change",
    isNews: sql`s.at > o.valid_from`,
    states: ({ loadedAt }, _, feed) => sql`
    SELECT DISTINCT ON (customer_id, event_ts) customer_id, segment, event_ts AS at FROM ${feed} AS f
    WHERE kind = 'segment' AND NOT is_deleted AND loaded_at = ${loadedAt}::timestamptz
    ORDER BY customer_id, event_ts, updated_at DESC`
  })

// --- internal ---

const make = (options: {
  readonly name: string
  readonly table: string
  /** The states to compare: customer, segment, and the instant since which it holds. */
  readonly states: (delivery: Delivery, facts: Sql, feed: Sql) => Sql
  /** What makes a state `s` news to the open version `o`. */
  readonly isNews: Sql
}): Alternative => ({
  name: options.name,
  prepare: Effect.gen(function* () {
    const { table } = yield* Workbench
    yield* execute(sql`CREATE TABLE ${table(options.table)} (LIKE ${table("version")})`)
  }),
  run: (delivery) =>
    Effect.gen(function* () {
      const { table } = yield* Workbench
      const own = table(options.table)
      return yield* count(sql`
          WITH state AS MATERIALIZED (${options.states(delivery, table("fact"), table("feed"))}),
          news AS MATERIALIZED (
            SELECT s.customer_id, s.segment,
              CASE WHEN o.customer_id IS NULL AND s.at = min(s.at) OVER (PARTITION BY s.customer_id)
                THEN '-infinity' ELSE s.at END AS at,
              lead(s.at) OVER (PARTITION BY s.customer_id ORDER BY s.at) AS until
            FROM state AS s LEFT JOIN ${own} AS o ON o.customer_id = s.customer_id AND o.valid_to IS NULL
            WHERE o.customer_id IS NULL OR ${options.isNews}
          ), closed AS (
            UPDATE ${own} AS o SET valid_to = n.at
            FROM (SELECT customer_id, min(at) AS at FROM news GROUP BY customer_id) AS n
            WHERE o.customer_id = n.customer_id AND o.valid_to IS NULL
          ), opened AS (
            INSERT INTO ${own} SELECT customer_id, segment, at, until FROM news
          )
          SELECT count(DISTINCT customer_id)::int AS count FROM state`)
    }),
  // The facts are right and all days are built anew, so that all that is wrong is the dimension's.
  revenue: Effect.map(Workbench, ({ table }) => revenue({ facts: table("fact"), versions: table(options.table) }))
})

const current = (facts: Sql, at: Sql): Sql => sql`
  SELECT DISTINCT ON (customer_id) customer_id, segment, ${at} AS at FROM ${facts} AS f WHERE kind = 'segment'
  ORDER BY customer_id, event_ts DESC, event_id DESC`
