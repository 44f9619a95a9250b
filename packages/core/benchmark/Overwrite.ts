/**
 * Overwriting the latest partitions: each run builds some days anew, from facts and a dimension that are right, and
 * leaves the others as they are. dbt calls it `insert_overwrite`; partitioned assets of Dagster are used so.
 */
import { literal, sql, type Sql } from "@assay/core/Sql"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Alternative } from "./Alternative.ts"
import type { Delivery } from "./Feed.ts"
import { execute, one, Workbench } from "./Workbench.ts"

/** The last days up to that of the delivery. */
export const latest = (days: number): Alternative =>
  make({
    name: `the last ${days} ${days === 1 ? "day" : "days"}`,
    table: `latest_${days}`,
    days: ({ date }) => sql`SELECT day::date FROM generate_series(${date}::date - ${literal(String(days - 1))},
      ${date}::date, interval '1 day') AS day`
  })

/** Every day that a row of the delivery names, however old: what a careful author does. */
export const touched = (): Alternative =>
  make({
    name: "the days of the new rows",
    table: "touched",
    days: ({ loadedAt }, feed) => sql`SELECT DISTINCT (event_ts AT TIME ZONE 'UTC')::date AS day
      FROM ${feed} AS f WHERE kind = 'invoice' AND loaded_at = ${loadedAt}::timestamptz`
  })

// --- internal ---

const make = (options: {
  readonly name: string
  readonly table: string
  readonly days: (delivery: Delivery, feed: Sql) => Sql
}): Alternative => ({
  name: options.name,
  prepare: Effect.gen(function* () {
    const { table } = yield* Workbench
    yield* execute(sql`CREATE TABLE ${table(options.table)} (LIKE ${table("revenue")})`)
  }),
  run: (delivery) =>
    Effect.gen(function* () {
      const { table } = yield* Workbench
      const { days } = yield* one(
        sql`SELECT array_agg(day::text) AS days FROM (${options.days(delivery, table("feed"))}) AS wanted`,
        Schema.Struct({ days: Schema.NullOr(Schema.Array(Schema.String)) })
      )
      const chosen = sql`revenue_date = ANY(${days ?? []}::date[])`
      yield* execute(sql`DELETE FROM ${table(options.table)} WHERE ${chosen}`)
      yield* execute(sql`INSERT INTO ${table(options.table)} SELECT * FROM ${table("revenue")} AS r WHERE ${chosen}`)
      return days?.length ?? 0
    }),
  revenue: Effect.map(Workbench, ({ table }) => sql`SELECT * FROM ${table(options.table)} AS t`)
})
