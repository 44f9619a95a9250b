/**
 * Materializations on PostgreSQL. Units travel as arrays, so recording a hundred thousand of them is two statements.
 */
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Codec from "../postgres/Codec.ts"
import { Postgres } from "../postgres/Postgres.ts"
import { identifier, sql } from "../Sql.ts"
import { Materializations } from "./Materializations.ts"
import * as SqlBuiltSets from "./SqlBuiltSets.ts"

/**
 * Materializations on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Materializations, never, Postgres> = Layer.effect(
  Materializations,
  Effect.gen(function* () {
    const pg = yield* Postgres
    const table = identifier(pg.schemas.ledger, "materialization")

    return Materializations.of({
      record: ({ asset, at, codeVersion, partitions, runId, units }) => {
        // A statement may touch a row once; and in order, so that two recorders wait instead of deadlocking.
        const distinct = Array.from(new Map(units.map((unit) => [unit.unit, unit])).values()).toSorted((a, b) =>
          a.unit < b.unit ? -1 : 1
        )
        const rows = Effect.forEach(
          Arr.chunksOf(distinct, chunk),
          (units, place) =>
            pg.later({
              name: `units of ${asset} ${place}`,
              parts: [
                sql`INSERT INTO ${table} AS m (asset, unit, rows, content_hash, code_version, run_id, materialized_at,
              transaction_id)
            SELECT ${asset}, unit, rows, content_hash, ${codeVersion}, ${runId}, ${DateTime.formatIso(at)}::timestamptz,
              pg_current_xact_id()
            FROM unnest(${units.map(({ unit }) => unit)}::text[], ${units.map(({ rows }) => String(rows))}::bigint[],
              ${units.map(({ contentHash }) => contentHash)}::text[]) AS built(unit, rows, content_hash)
            ON CONFLICT (asset, unit) DO UPDATE SET rows = excluded.rows, content_hash = excluded.content_hash,
              code_version = excluded.code_version, run_id = excluded.run_id,
              materialized_at = excluded.materialized_at, transaction_id = excluded.transaction_id
            RETURNING TRUE`
              ]
            }),
          { discard: true }
        )
        return partitions === undefined
          ? Effect.andThen(SqlBuiltSets.drop(pg, asset), rows)
          : Effect.gen(function* () {
              const held = yield* SqlBuiltSets.hold(pg, { asset, codeVersion, partitions })
              yield* rows
              const names = distinct.map(({ unit }) => unit)
              yield* SqlBuiltSets.add(pg, { asset, codeVersion, partitions, held, units: names })
            })
      },

      built: (assets) => SqlBuiltSets.read(pg, assets),

      units: (asset) =>
        Effect.map(
          pg.query(
            sql`SELECT unit FROM ${table} WHERE asset = ${asset} ORDER BY unit`,
            Schema.Struct({ unit: Schema.String })
          ),
          (rows) => rows.map(({ unit }) => unit)
        ),

      outdated: ({ asset, codeVersion }) =>
        Effect.map(
          pg.query(
            sql`SELECT unit FROM ${table} WHERE asset = ${asset} AND code_version <> ${codeVersion} ORDER BY unit`,
            Schema.Struct({ unit: Schema.String })
          ),
          (rows) => rows.map(({ unit }) => unit)
        ),

      // Of the assets left out, which are most or all of them, nothing is read.
      withParts: ({ except, parts }) =>
        Effect.map(
          pg.query(
            sql`SELECT asset, json_agg(unit ORDER BY unit) AS units FROM ${table}
            WHERE asset = ANY(ARRAY(SELECT asset FROM ${identifier(pg.schemas.ledger, "asset")}
                WHERE asset <> ALL(${except}::text[])))
              AND string_to_array(unit, '|') && ${parts}::text[]
            GROUP BY asset ORDER BY asset`,
            Schema.Struct({ asset: Schema.String, units: Schema.Array(Schema.String) })
          ),
          (rows) => new Map(rows.map(({ asset, units }) => [asset, units]))
        ),

      count: (asset) =>
        Effect.map(
          pg.query(
            sql`SELECT count(*) AS count FROM ${table} WHERE asset = ${asset}`,
            Schema.Struct({ count: Codec.integer })
          ),
          (rows) => rows[0]?.count ?? 0
        ),

      get: ({ asset, unit }) =>
        Effect.map(
          pg.query(
            sql`SELECT asset, unit, rows, content_hash AS "contentHash", code_version AS "codeVersion", run_id AS "runId",
                materialized_at AS "at"
              FROM ${table} WHERE asset = ${asset} AND unit = ${unit}`,
            MaterializationRow
          ),
          Arr.head
        ),

      forget: ({ asset, units }) =>
        Effect.andThen(
          SqlBuiltSets.drop(pg, asset),
          Effect.forEach(
            Arr.chunksOf(units, chunk),
            (units) => pg.execute(sql`DELETE FROM ${table} WHERE asset = ${asset} AND unit = ANY(${units}::text[])`),
            { discard: true }
          )
        )
    })
  })
)

// --- internal ---

const chunk = 50_000

const MaterializationRow = Schema.Struct({
  asset: Schema.String,
  unit: Schema.String,
  rows: Codec.integer,
  contentHash: Schema.String,
  codeVersion: Schema.String,
  runId: Schema.String,
  at: Codec.instant
})
