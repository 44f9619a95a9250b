/**
 * What is built of an asset, kept as ranges of partitions beside the rows that say it one by one: four million units are
 * read as the few ranges that they make up. A set is there only where it says all of it; otherwise the rows count.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { AssetKey } from "../Asset.ts"
import type { Reason } from "../MaterializationError.ts"
import type * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { Postgres } from "../postgres/Postgres.ts"
import { identifier, type Sql, sql } from "../Sql.ts"
import type { Built } from "./Materializations.ts"

/**
 * Reads what is built of assets, in one query.
 *
 * @category queries
 * @since 0.1.0
 */
export const read = (
  pg: typeof Postgres.Service,
  assets: ReadonlyArray<{
    readonly asset: AssetKey
    readonly codeVersion: string
    readonly partitions: Partitions.Partitions
  }>
): Effect.Effect<ReadonlyMap<AssetKey, Built>, Reason> => {
  const { set, unit } = tablesOf(pg)
  const column = (values: ReadonlyArray<string>) => sql`${values}::text[]`
  return Effect.map(
    pg.query(
      sql`SELECT a.asset, b.ranges, u.units, u.outdated
      FROM unnest(${column(assets.map(({ asset }) => asset))}, ${column(assets.map(({ codeVersion }) => codeVersion))},
        ${column(assets.map(({ partitions }) => PartitionSet.definitionOf(partitions)))}) AS a(asset, code_version, definition)
      LEFT JOIN ${set} AS b
        ON b.asset = a.asset AND b.code_version = a.code_version AND b.definition = a.definition AND b.ranges IS NOT NULL
      LEFT JOIN LATERAL (
        SELECT json_agg(m.unit ORDER BY m.unit) AS units,
          json_agg(m.unit ORDER BY m.unit) FILTER (WHERE m.code_version <> a.code_version) AS outdated
        FROM ${unit} AS m WHERE b.asset IS NULL AND m.asset = a.asset
      ) AS u ON TRUE`,
      BuiltRow
    ),
    (rows) => {
      const found = new Map(rows.map((row) => [row.asset, row]))
      return new Map(
        assets.map(({ asset, partitions }): readonly [AssetKey, Built] => {
          const row = found.get(asset)
          const ranges = row?.ranges ?? undefined
          return [
            asset,
            {
              set: ranges && { ...PartitionSet.toJson(PartitionSet.empty(partitions)), ranges },
              units: row?.units ?? [],
              outdated: row?.outdated ?? []
            }
          ]
        })
      )
    }
  )
}

/**
 * Takes hold of the set of an asset, before its rows change: who records at the same time waits, and then sees them. What
 * else the transaction has put off concerns neither, and is sent with the rows.
 *
 * @category statements
 * @since 0.1.0
 */
export const hold = (
  pg: typeof Postgres.Service,
  options: { readonly asset: AssetKey; readonly codeVersion: string; readonly partitions: Partitions.Partitions }
): Effect.Effect<PartitionSet.PartitionSet | undefined, Reason> => {
  const { asset, codeVersion, partitions } = options
  const definition = PartitionSet.definitionOf(partitions)
  return Effect.map(
    pg.ahead(
      sql`INSERT INTO ${tablesOf(pg).set} AS b (asset) VALUES (${asset})
      ON CONFLICT (asset) DO UPDATE SET asset = excluded.asset
      RETURNING CASE WHEN b.code_version = ${codeVersion} AND b.definition = ${definition} THEN b.ranges END AS ranges`,
      Schema.Struct({ ranges: Schema.NullOr(PartitionSet.Json.fields.ranges) })
    ),
    ([row]) => {
      const ranges = row?.ranges ?? undefined
      return ranges && setOf(partitions, { ...PartitionSet.toJson(PartitionSet.empty(partitions)), ranges })
    }
  )
}

/**
 * Writes the set of an asset anew, after units of it were recorded: as it was held and the units, where it was there, and
 * from all rows as soon as each of them is a partition that this code has built.
 *
 * @category statements
 * @since 0.1.0
 */
export const add = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  options: {
    readonly asset: AssetKey
    readonly codeVersion: string
    readonly partitions: Partitions.Partitions
    readonly held: PartitionSet.PartitionSet | undefined
    readonly units: ReadonlyArray<string>
  }
): Effect.fn.Return<void, Reason> {
  const { asset, codeVersion, held, partitions, units } = options
  const { set } = tablesOf(pg)
  const added = fromUnits(partitions, held === undefined ? yield* unitsOf(pg, options) : units)
  if (added === undefined) return yield* drop(pg, asset)
  const next = held === undefined ? added : PartitionSet.union(held, added)
  if (held !== undefined && PartitionSet.equals(held, next)) return
  const { definition, ranges } = PartitionSet.toJson(next)
  yield* pg.later({
    name: `built set of ${asset}`,
    parts: [
      sql`UPDATE ${set} SET code_version = ${codeVersion}, definition = ${definition},
    ranges = ${JSON.stringify(ranges)}::json WHERE asset = ${asset} RETURNING TRUE`
    ]
  })
})

/**
 * Takes the set of an asset back: from now on its rows count.
 *
 * @category statements
 * @since 0.1.0
 */
export const drop = (pg: typeof Postgres.Service, asset: AssetKey): Effect.Effect<void, Reason> =>
  pg.later({
    name: `built set of ${asset}`,
    parts: [
      sql`UPDATE ${tablesOf(pg).set} SET code_version = NULL, definition = NULL, ranges = NULL
    WHERE asset = ${asset} AND ranges IS NOT NULL RETURNING TRUE`
    ]
  })

// --- internal ---

const tablesOf = ({ schemas }: typeof Postgres.Service): { readonly set: Sql; readonly unit: Sql } => ({
  set: identifier(schemas.ledger, "built_set"),
  unit: identifier(schemas.ledger, "materialization")
})

/** All units of an asset; undefined where some were built by other code. */
const unitsOf = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  { asset, codeVersion }: { readonly asset: AssetKey; readonly codeVersion: string }
): Effect.fn.Return<ReadonlyArray<string> | undefined, Reason> {
  const { unit } = tablesOf(pg)
  const [row] = yield* pg.query(
    sql`SELECT CASE WHEN EXISTS (SELECT FROM ${unit} WHERE asset = ${asset} AND code_version <> ${codeVersion}) THEN NULL
      ELSE (SELECT coalesce(json_agg(unit), '[]') FROM ${unit} WHERE asset = ${asset}) END AS units`,
    Schema.Struct({ units: Schema.NullOr(Schema.Array(Schema.String)) })
  )
  return row?.units ?? undefined
})

const fromUnits = (
  partitions: Partitions.Partitions,
  units: ReadonlyArray<string> | undefined
): PartitionSet.PartitionSet | undefined =>
  units === undefined ? undefined : Result.getOrElse(PartitionSet.fromKeys(partitions, units), () => undefined)

/** The hash of the definition agrees, so the ranges can be read. */
const setOf = (partitions: Partitions.Partitions, json: PartitionSet.Json): PartitionSet.PartitionSet =>
  Result.getOrThrow(PartitionSet.fromJson(partitions, json))

const BuiltRow = Schema.Struct({
  asset: Schema.String,
  ranges: Schema.NullOr(PartitionSet.Json.fields.ranges),
  units: Schema.NullOr(Schema.Array(Schema.String)),
  outdated: Schema.NullOr(Schema.Array(Schema.String))
})
