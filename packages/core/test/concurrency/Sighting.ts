/**
 * Everything that a reader sees at once: all tables of an environment and what the ledger says of them, read in one
 * REPEATABLE READ transaction, past the engine, as texts.
 */
import type { Asset } from "@assay/core/Asset"
import { type AssetGraph, getUnsafe } from "@assay/core/AssetGraph"
import type { Column } from "@assay/core/Column"
import { Postgres } from "@assay/core/postgres/Postgres"
import { identifier, list, sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Row, Tables } from "../oracle/Recompute.ts"

export interface Sighting {
  readonly tables: Tables
  /** The rows of each unit by the record of its last build, by asset. */
  readonly records: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Whether a unit of an asset is outside its stale set. */
  readonly isFresh: (asset: Asset, unit: string) => boolean
  /** For whoever looks into a contradiction: the snapshot, and the transactions that built something, by asset. */
  readonly moment: string
}

/** Looks at everything, and does more in the same transaction. */
export const take = Effect.fnUntraced(function* <A, E, R>(graph: AssetGraph, also: Effect.Effect<A, E, R>) {
  const { snapshot } = yield* Transactor
  return yield* snapshot(Effect.all([look(graph), also]))
})

/** Whether an asset keeps rows of its own that are computed. */
export const isBuilt = ({ body, write }: Asset): boolean => body._tag === "Compute" && write._tag !== "View"

/** Units, fresh or stale, that have not as many rows as the record of their last build says (L3, L9). */
export const miscounted = (
  graph: AssetGraph,
  { records, tables }: Sighting,
  unitOf: (asset: string, row: Row) => string
): ReadonlyArray<string> =>
  Array.from(records).flatMap(([name, units]) => {
    const isCut = getUnsafe(graph, name).write._tag === "ReplacePartitions"
    const counts = new Map<string, number>()
    for (const row of tables.get(name) ?? []) {
      const unit = isCut ? unitOf(name, row) : "*"
      counts.set(unit, (counts.get(unit) ?? 0) + 1)
    }
    return Array.from(units).flatMap(([unit, rows]) =>
      rows === (counts.get(unit) ?? 0) ? [] : [`${unit} of ${name} has ${counts.get(unit) ?? 0} rows, recorded ${rows}`]
    )
  })

/** Keys whose versions overlap, leave a gap, or have not exactly one that lasts (L10). */
export const misshapen = (dimension: ReadonlyArray<Row>, key: string): ReadonlyArray<string> =>
  Array.from(Map.groupBy(dimension, (row) => row[key] ?? "")).flatMap(([own, versions]) => {
    const windows = versions.toSorted((a, b) => ((a["valid_from"] ?? "") < (b["valid_from"] ?? "") ? -1 : 1))
    const isWhole = windows.every(({ is_current, valid_from, valid_to }, index) => {
      const next = windows[index + 1]
      return next === undefined
        ? valid_to === null && is_current === "true"
        : valid_to === next["valid_from"] && (valid_from ?? "") < (valid_to ?? "") && is_current === "false"
    })
    return isWhole ? [] : [`the versions of ${own}: ${JSON.stringify(windows)}`]
  })

// --- internal ---

const look = Effect.fnUntraced(function* (graph: AssetGraph): Effect.fn.Return<Sighting, unknown, Postgres> {
  const { query, schemas } = yield* Postgres
  const tables = new Map<string, ReadonlyArray<Row>>()
  for (const { columns, name } of graph.assets.values()) {
    const cells = columns.map((column) => sql`${text(column)} AS ${identifier(column.name)}`)
    tables.set(name, yield* query(sql`SELECT ${list(cells)} FROM ${identifier(schemas.warehouse, name)} AS t`, AnyRow))
  }
  const records = yield* query(
    sql`SELECT asset, unit, rows::int AS rows FROM ${identifier(schemas.ledger, "materialization")}`,
    Schema.Struct({ asset: Schema.String, unit: Schema.String, rows: Schema.Int })
  )
  const marks = yield* query(sql`SELECT asset, unit FROM ${identifier(schemas.ledger, "stale_unit")}`, Mark)
  const ranges = yield* query(
    sql`SELECT asset, from_unit AS unit FROM ${identifier(schemas.ledger, "stale_range")}`,
    Schema.Struct({ asset: Schema.String, unit: Schema.NullOr(Schema.String) })
  )
  const [moment] = yield* query(
    sql`SELECT concat_ws(' ', current_setting('transaction_isolation'), pg_current_snapshot(),
        json_object_agg(asset, transactions)) AS moment
      FROM (
        SELECT asset, json_agg(DISTINCT transaction_id::text) AS transactions
        FROM ${identifier(schemas.ledger, "materialization")} GROUP BY asset
      ) AS built`,
    Schema.Struct({ moment: Schema.String })
  )
  const byAsset = new Map(
    Array.from(
      Map.groupBy(records, ({ asset }) => asset),
      ([asset, own]) => [asset, new Map(own.map(({ rows, unit }) => [unit, rows]))]
    )
  )
  const marked = new Set(marks.map(({ asset, unit }) => JSON.stringify([asset, unit])))
  return {
    tables,
    moment: moment?.moment ?? "",
    records: byAsset,
    isFresh: ({ name, write }, unit) => {
      const isCut = write._tag === "ReplacePartitions"
      if (byAsset.get(name)?.has(isCut ? unit : "*") !== true) return false
      if (marked.has(JSON.stringify([name, unit]))) return false
      const own = ranges.filter(({ asset }) => asset === name)
      // Which keys a range reaches cannot be told, so nothing of a keyed asset is fresh while one stands.
      return isCut ? own.every((range) => range.unit !== null && unit < range.unit) : own.length === 0
    }
  }
})

const AnyRow = Schema.Record(Schema.String, Schema.NullOr(Schema.String))

const Mark = Schema.Struct({ asset: Schema.String, unit: Schema.String })

const text = ({ kind, name }: Column) =>
  kind._tag === "Timestamp"
    ? sql`to_char(t.${identifier(name)} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : sql`t.${identifier(name)}::text`
