/**
 * Writing a result as a difference: of the units of a step, rows that are gone or changed leave, rows that are new or
 * changed enter, all others stay untouched. What left and entered is the change set. Two statements after each other,
 * so that the primary key and the exclusion constraint of the table never see both images of a row.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Asset } from "../Asset.ts"
import { columnUnsafe, unitColumns } from "../Asset.ts"
import type { Reason } from "../MaterializationError.ts"
import type { PartitionSet } from "../PartitionSet.ts"
import type { Postgres } from "../postgres/Postgres.ts"
import { toSql } from "../RowFilter.ts"
import { identifier, list, literal, sql, type Sql } from "../Sql.ts"
import { primaryKey } from "../WriteStrategy.ts"
import * as Refusal from "./Refusal.ts"
import * as SqlFirstLoad from "./SqlFirstLoad.ts"
import * as SqlMonthTable from "./SqlMonthTable.ts"
import * as SqlScd2 from "./SqlScd2.ts"
import * as SqlTable from "./SqlTable.ts"
import * as SqlUnit from "./SqlUnit.ts"
import type { Scope, Written } from "./Warehouse.ts"

/**
 * The rows that a strategy makes of what a compute yields.
 *
 * @category conversions
 * @since 0.1.0
 */
export const resolve = (asset: Asset, computed: Sql): Sql => {
  switch (asset.write._tag) {
    case "Upsert": {
      const key = list(asset.write.key.map((name) => identifier(name)))
      const version = SqlUnit.sortKey(columnUnsafe(asset, asset.write.version).kind, identifier(asset.write.version))
      const content = asset.columns.map(({ kind, name }) => sql`${SqlUnit.sortKey(kind, identifier(name))} DESC`)
      return sql`SELECT ${SqlTable.columns(asset, "winner")} FROM (
        SELECT DISTINCT ON (${key}) * FROM (${typed(asset, computed)}) AS candidate
        ORDER BY ${key}, ${version} DESC NULLS LAST, _deleted DESC, _tie COLLATE "C" DESC NULLS LAST, ${list(content)}
      ) AS winner WHERE NOT _deleted`
    }
    case "Scd2":
      return SqlScd2.versions(asset, asset.write, computed)
    default:
      return sql`SELECT ${SqlTable.columns(asset, "computed")} FROM (${computed}) AS computed`
  }
}

/**
 * Writes the staged result of a step and fills the change set.
 *
 * @category writing
 * @since 0.1.0
 */
export const write = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  scope: Scope,
  read: number
): Effect.fn.Return<Written, Reason> {
  const table = SqlTable.of(pg, asset)
  const result = SqlTable.result(asset)
  if (read > largeResult) {
    const [first] = yield* pg.query(
      sql`SELECT EXISTS (SELECT FROM ${table}) AS has_rows`,
      Schema.Struct({ has_rows: Schema.Boolean })
    )
    if (first !== undefined && !first.has_rows) {
      const copy = sql`INSERT INTO ${table} (${columnNames(asset)}) SELECT ${SqlTable.columns(asset, "r")} FROM ${result} AS r`
      // Month tables that are made before the indexes are back get them once, and full. What was written is looked through
      // where it is to stay: several processes can, which of a temporary table is read by one.
      const filled = Effect.gen(function* () {
        yield* SqlMonthTable.provide(pg, asset, result)
        const inserted = yield* pg.execute(copy)
        yield* SqlMonthTable.analyze(pg, asset, result)
        yield* refuse(pg, asset, scope, table)
        return inserted
      })
      const inserted = yield* SqlFirstLoad.fill(pg, asset, filled)
      return { read, inserted, updated: 0, deleted: 0, unchanged: 0, change: "everything" }
    }
  }
  return yield* tally(pg, asset, yield* replace(pg, asset, scope, read))
})

/**
 * What left a table and what entered it, in rows, of those that were read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Moved {
  readonly read: number
  readonly gone: number
  readonly come: number
}

/**
 * What moved in two writes.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sum = (one: Moved, other: Moved): Moved => ({
  read: one.read + other.read,
  gone: one.gone + other.gone,
  come: one.come + other.come
})

/**
 * Writes the staged result of all units of a step, or of some beside others, and tells what moved.
 *
 * @category writing
 * @since 0.1.0
 */
export const replace = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  scope: Scope,
  read: number
): Effect.fn.Return<Moved, Reason> {
  if (read > SqlTable.manyRows) yield* analyzeResult(pg, asset)
  yield* refuse(pg, asset, scope, SqlTable.result(asset))
  return yield* move(pg, asset, scope, read)
})

/**
 * What a write did, of all that moved in it.
 *
 * @category writing
 * @since 0.1.0
 */
export const tally = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  { come, gone, read }: Moved
): Effect.fn.Return<Written, Reason> {
  // Rows that take the place of others leave what the planner knows of the table as it is.
  if (come - gone > SqlTable.manyRows) yield* SqlMonthTable.analyze(pg, asset, SqlTable.change(asset))
  const updated = gone === 0 || come === 0 ? 0 : yield* changedInPlace(pg, asset, primaryKey(asset.write))
  return {
    read,
    inserted: come - updated,
    updated,
    deleted: gone - updated,
    unchanged: Math.max(0, read - come),
    change: "rows"
  }
})

/**
 * Takes rows out of the table (`t`) and keeps them as old images; yields how many.
 *
 * @category writing
 * @since 0.1.0
 */
export const leave = (pg: typeof Postgres.Service, asset: Asset, condition: Sql): Effect.Effect<number, Reason> =>
  pg.execute(sql`
    WITH gone AS (
      DELETE FROM ${SqlTable.of(pg, asset)} AS t WHERE ${condition} RETURNING ${SqlTable.columns(asset, "t")}
    )
    INSERT INTO ${SqlTable.change(asset)} SELECT ${SqlTable.columns(asset, "gone")}, FALSE FROM gone`)

/**
 * Puts rows into the table and keeps them as new images; yields how many.
 *
 * @category writing
 * @since 0.1.0
 */
export const enter = (pg: typeof Postgres.Service, asset: Asset, rows: Sql): Effect.Effect<number, Reason> =>
  pg.execute(sql`
    WITH come AS (
      INSERT INTO ${SqlTable.of(pg, asset)} AS t (${columnNames(asset)}) ${rows} RETURNING ${SqlTable.columns(asset, "t")}
    )
    INSERT INTO ${SqlTable.change(asset)} SELECT ${SqlTable.columns(asset, "come")}, TRUE FROM come`)

/**
 * Two rows, `t` and `r`, that have one key.
 *
 * @category conversions
 * @since 0.1.0
 */
export const matching = (key: ReadonlyArray<string>): Sql =>
  sql`(${list(key.map((name) => identifier("t", name)))}) = (${list(key.map((name) => identifier("r", name)))})`

/**
 * Removes the rows that lie in none of the given partitions and fills the change set.
 *
 * @category writing
 * @since 0.1.0
 */
export const withdraw = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  except: PartitionSet
): Effect.fn.Return<Written, Reason> {
  const columns = unitColumns(asset).map((name) => columnUnsafe(asset, name))
  const deleted =
    columns.length === 0 ? 0 : yield* leave(pg, asset, SqlUnit.inNone(except, SqlUnit.cells(columns, identifier("t"))))
  return { read: 0, inserted: 0, updated: 0, deleted, unchanged: 0, change: "rows" }
})

/**
 * The names of an asset's columns, in order.
 *
 * @category getters
 * @since 0.1.0
 */
export const columnNames = (asset: Asset): Sql => list(asset.columns.map(({ name }) => identifier(name)))

// --- internal ---

/**
 * Candidates in the types of the columns: versions that differ before a cast may be one key after it. What is not known
 * to be deleted is not.
 */
const typed = (asset: Asset, computed: Sql): Sql =>
  sql`SELECT ${list([
    ...asset.columns.map((column) => SqlUnit.typed(column, "computed")),
    sql`coalesce(computed._deleted, FALSE) AS _deleted, computed._tie`
  ])} FROM (${computed}) AS computed`

/**
 * Above this many rows, a first load marks everything downstream instead of keeping a copy of itself as change set. To map
 * the 16,000 versions of a first dimension to days took 1.4 s, for days that had all to be built anyway.
 */
const largeResult = SqlTable.manyRows

/** Only by these columns is the result looked up. Of 184,000 events, all columns took 0.65 s. */
const analyzeResult = (pg: typeof Postgres.Service, asset: Asset): Effect.Effect<void, Reason> => {
  const looked = new Set([...primaryKey(asset.write), ...unitColumns(asset)])
  return SqlTable.analyze(pg, sql`${SqlTable.result(asset)} (${list(Array.from(looked, (name) => identifier(name)))})`)
}

/**
 * Refuses rows that cannot be the result of a scope. Whether there are any is asked at once, and which ones, only then. They
 * are counted, because a query that may stop at the first one is not given to several processes.
 */
const refuse = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  scope: Scope,
  rows: Sql
): Effect.fn.Return<void, Reason> {
  const strangers = strangersIn(pg, asset, scope, rows)
  const repeated = repeatedIn(asset, rows)
  if (strangers === undefined && repeated === undefined) return
  const isAny = (found: Sql | undefined) =>
    found === undefined ? literal("FALSE") : sql`(SELECT count(*) FROM (${found}) AS f) > 0`
  const [found] = yield* pg.query(
    sql`SELECT ${isAny(strangers)} AS has_strangers, ${isAny(repeated)} AS has_repeated`,
    Schema.Struct({ has_strangers: Schema.Boolean, has_repeated: Schema.Boolean })
  )
  if (found === undefined) return
  if (strangers !== undefined && found.has_strangers) yield* refuseStrangers(pg, asset, scope, strangers)
  if (repeated !== undefined && found.has_repeated) yield* refuseRepeated(pg, asset, repeated)
})

/** Replaces the rows of a scope that differ from the staged ones. */
const move = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  scope: Scope,
  read: number
): Effect.fn.Return<Moved, Reason> {
  const result = SqlTable.result(asset)
  const sameKey = matching(primaryKey(asset.write))
  const sameRow = sql`ROW(${SqlTable.exactColumns(asset, "r")}) IS NOT DISTINCT FROM ROW(${SqlTable.exactColumns(asset, "t")})`
  const inScope = SqlUnit.inScope(asset, identifier("t"), scope)
  const gone = yield* leave(
    pg,
    asset,
    sql`${inScope} AND NOT EXISTS (SELECT FROM ${result} AS r WHERE ${sameKey} AND ${sameRow})`
  )
  yield* SqlMonthTable.provide(pg, asset, result)
  const come = yield* enter(
    pg,
    asset,
    sql`SELECT ${SqlTable.columns(asset, "r")} FROM ${result} AS r
      WHERE NOT EXISTS (SELECT FROM ${SqlTable.of(pg, asset)} AS t WHERE ${sameKey} AND ${inScope})`
  )
  return { read, gone, come }
})

const changedInPlace = (
  pg: typeof Postgres.Service,
  asset: Asset,
  key: ReadonlyArray<string>
): Effect.Effect<number, Reason> => {
  const change = SqlTable.change(asset)
  return Effect.map(
    pg.query(
      sql`SELECT count(*)::int AS updated FROM ${change} AS r JOIN ${change} AS t ON ${matching(key)} WHERE r._assay_is_new AND NOT t._assay_is_new`,
      Schema.Struct({ updated: Schema.Int })
    ),
    ([row]) => row?.updated ?? 0
  )
}

/**
 * The units of rows that were not asked for; where everything was, of rows that no row of the inputs names. Undefined where
 * there can be none.
 */
const strangersIn = (pg: typeof Postgres.Service, asset: Asset, scope: Scope, rows: Sql): Sql | undefined => {
  const columns = unitColumns(asset).map((name) => columnUnsafe(asset, name))
  const isWhole = scope.units._tag === "All"
  const expected = isWhole ? named(pg, asset) : SqlUnit.units(scope)
  if (expected === undefined || columns.length === 0) return undefined
  // A null in the key of a whole asset is told by its column.
  return sql`SELECT computed.unit FROM (SELECT ${SqlUnit.of(asset, columns, identifier("r"))} AS unit FROM ${rows} AS r) AS computed
    WHERE NOT EXISTS (SELECT FROM (${expected}) AS asked WHERE asked.unit = computed.unit)${literal(
      isWhole ? " AND computed.unit IS NOT NULL" : ""
    )}`
}

const refuseStrangers = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  scope: Scope,
  strangers: Sql
): Effect.fn.Return<void, Reason> {
  const [found] = yield* pg.query(
    sql`SELECT coalesce(sum(rows), 0)::int AS rows, (array_agg(unit ORDER BY unit COLLATE "C"))[1:4] AS units
      FROM (SELECT unit, count(*) AS rows FROM (${strangers}) AS s GROUP BY unit) AS stranger`,
    Schema.Struct({ rows: Schema.Int, units: Schema.NullOr(Schema.Array(Schema.NullOr(Schema.String))) })
  )
  if (!found?.units) return
  return yield* scope.units._tag === "All"
    ? Refusal.foreign(asset, found.rows, found.units)
    : Refusal.strangers(asset, found.rows, found.units)
})

/** The units that the rows of the inputs name; undefined where these are not all that there may be. */
const named = (pg: typeof Postgres.Service, asset: Asset): Sql | undefined => {
  const queries = Refusal.naming(asset)?.map(
    (input) => sql`SELECT ${SqlUnit.of(asset, input.columns, identifier("u"))} AS unit
      FROM ${SqlTable.of(pg, input.asset)} AS u WHERE ${toSql(input.where)}`
  )
  return queries?.reduce((all, query) => sql`${all} UNION ALL ${query}`)
}

/**
 * The keys that several rows have, where the strategy does not choose one row per key itself. The write would take either
 * row of a stored key.
 */
const repeatedIn = (asset: Asset, rows: Sql): Sql | undefined => {
  if (asset.write._tag === "Upsert" || asset.write._tag === "Scd2") return undefined
  const keys = list(primaryKey(asset.write).map((name) => identifier(name)))
  return sql`SELECT ${keys} FROM ${rows} GROUP BY ${keys} HAVING count(*) > 1`
}

const refuseRepeated = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  repeated: Sql
): Effect.fn.Return<void, Reason> {
  const key = primaryKey(asset.write).map((name) => columnUnsafe(asset, name))
  const [found] = yield* pg.query(
    sql`SELECT count(*)::int AS keys,
        min(json_build_array(${list(key.map(({ kind, name }) => SqlUnit.text(kind, identifier(name))))})::text) AS key
      FROM (${repeated}) AS repeated`,
    Schema.Struct({ keys: Schema.Int, key: Schema.NullOr(Schema.String) })
  )
  if (found !== undefined && found.key !== null) return yield* Refusal.duplicates(asset, found.keys, found.key)
})
