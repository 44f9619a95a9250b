/**
 * The lookback window by event time: an incremental model reads the rows whose event is not older than the newest one it
 * has, less so many days, and merges them by key. This is dbt's incremental model with a `unique_key`.
 */
import { literal, sql } from "@assay/core/Sql"
import * as Effect from "effect/Effect"
import type { Alternative } from "./Alternative.ts"
import { eventColumns, revenue } from "./Refresh.ts"
import { count, execute, Workbench } from "./Workbench.ts"

/** The model with a lookback of so many days. Deletes are merged as tombstones, and an older version never wins. */
export const make = (days: number): Alternative => {
  const name = `lookback_${days}`
  return {
    name: `lookback of ${days} ${days === 1 ? "day" : "days"}`,
    prepare: Effect.gen(function* () {
      const { table } = yield* Workbench
      yield* execute(sql`CREATE TABLE ${table(name)} (${eventColumns}, PRIMARY KEY (event_id))`)
      yield* execute(sql`CREATE INDEX ON ${table(name)} (event_ts)`)
    }),
    run: () =>
      Effect.gen(function* () {
        const { table } = yield* Workbench
        return yield* count(sql`
          WITH found AS MATERIALIZED (
            SELECT event_id, customer_id, kind, segment, amount, event_ts, updated_at, is_deleted
            FROM ${table("feed")} AS f WHERE event_ts >= (
              SELECT coalesce(max(event_ts), '-infinity') - ${literal(`interval '${days} days'`)}
              FROM ${table(name)} AS own)
          ), merged AS (
            INSERT INTO ${table(name)} AS own
            SELECT DISTINCT ON (event_id) * FROM found ORDER BY event_id, updated_at DESC, is_deleted DESC
            ON CONFLICT (event_id) DO UPDATE SET (customer_id, segment, amount, event_ts, updated_at, is_deleted) = (
              excluded.customer_id, excluded.segment, excluded.amount, excluded.event_ts, excluded.updated_at,
              excluded.is_deleted)
            WHERE excluded.updated_at >= own.updated_at
          )
          SELECT count(*)::int AS count FROM found`)
      }),
    // Everything behind it is right, so that all that is wrong is the lookback's.
    revenue: Effect.map(Workbench, ({ table }) => revenue({ facts: table(name), versions: table("version") }))
  }
}
