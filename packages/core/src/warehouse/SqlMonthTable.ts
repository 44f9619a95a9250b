/**
 * Month tables: which table on disk holds a row, where its asset is stored by month (`Storage.byMonth`)? For PostgreSQL they
 * are the ranges of one partitioned table. A month table is made by the step that writes the first row of its month, in the
 * step's own transaction, and beside those who read the table: attaching waits for none of them (ADR 0029).
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Asset, columnUnsafe } from "../Asset.ts"
import { type Kind, postgresType } from "../Column.ts"
import { md5 } from "../internal/hash.ts"
import { DataQuality, type Reason, SchemaMismatch } from "../MaterializationError.ts"
import type { Postgres } from "../postgres/Postgres.ts"
import { empty, identifier, list, literal, sql, type Sql } from "../Sql.ts"
import { primaryKey } from "../WriteStrategy.ts"

/**
 * The key that the table of an asset has. A unique index of a table in month tables has the column that tells them apart,
 * so it comes behind a key that lacks it; that such a key has one row is then the upsert's doing.
 *
 * @category getters
 * @since 0.1.0
 */
export const tableKey = ({ storage, write }: Asset): ReadonlyArray<string> => {
  const key = primaryKey(write)
  return storage._tag === "Single" || key.includes(storage.column) ? key : [...key, storage.column]
}

/**
 * What the definition of the table says behind its columns.
 *
 * @category conversions
 * @since 0.1.0
 */
export const clause = ({ storage }: Asset): Sql =>
  storage._tag === "Single" ? empty : sql` PARTITION BY RANGE (${identifier(storage.column)})`

/**
 * Makes the two outer tables of a table that is new. They hold what lies before the first and after the last month that has
 * a table of its own, so that a year that somebody mistyped makes none, and so that there is no default partition: making a
 * month table beside one would lock it and read all of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const createOuter = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset
): Effect.fn.Return<void, Reason> {
  if (asset.storage._tag === "Single") return
  const { kind } = columnUnsafe(asset, asset.storage.column)
  const outer = (name: string, from: Sql, to: Sql) =>
    pg.execute(sql`CREATE TABLE IF NOT EXISTS ${identifier(pg.schemas.warehouse, name)}
      PARTITION OF ${tableOf(pg, asset)} FOR VALUES FROM (${from}) TO (${to})`)
  yield* outer(`${stem(asset)}_before_${firstYear}`, literal("MINVALUE"), start(kind, `${firstYear}-01`))
  yield* outer(`${stem(asset)}_from_${endYear}`, start(kind, `${endYear}-01`), literal("MAXVALUE"))
})

/**
 * Makes the month tables that are missing for rows that are about to be written, one statement where none is. Nothing where
 * the asset is one table.
 *
 * **Details**
 *
 * Whatever table covers a month is taken as it is, also one that somebody made for a whole year.
 *
 * @category writing
 * @since 0.1.0
 */
export const provide = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  rows: Sql
): Effect.fn.Return<void, Reason> {
  if (asset.storage._tag === "Single") return
  const { column } = asset.storage
  const { kind } = columnUnsafe(asset, column)
  const missing = yield* pg.query(
    sql`SELECT to_char(m.month, 'YYYY-MM') AS month, to_regclass(quote_ident(${pg.schemas.warehouse}) || '.'
        || quote_ident(${stem(asset)} || to_char(m.month, '_YYYY_MM'))) IS NOT NULL AS "isTaken"
      FROM (${monthsOf(kind, column, rows)}) AS m
      WHERE NOT EXISTS (SELECT FROM (${tablesOf(pg, asset, kind)}) AS t
        WHERE t.lower < m.month + interval '1 month' AND t.upper > m.month)
      ORDER BY 1`,
    Missing
  )
  for (const { isTaken, month } of missing) {
    if (month === null) {
      const message = `a row of "${asset.name}" has no "${column}", whose month tells in which table it lies`
      return yield* new DataQuality({ message, check: undefined })
    }
    const name = `${stem(asset)}_${month.replace("-", "_")}`
    if (isTaken) {
      const message =
        `table "${name}" exists, but is no part of "${asset.name}" (any more), and rows of ${month} are to be written. ` +
        `Attach it again, or give it another name.`
      return yield* new SchemaMismatch({ message })
    }
    const table = identifier(pg.schemas.warehouse, name)
    yield* pg.execute(sql`CREATE TABLE ${table} (LIKE ${tableOf(pg, asset)} INCLUDING STORAGE INCLUDING COMPRESSION)`)
    yield* pg.execute(sql`ALTER TABLE ${tableOf(pg, asset)} ATTACH PARTITION ${table}
      FOR VALUES FROM (${start(kind, month)}) TO (${start(kind, next(month))})`)
  }
})

/**
 * Refreshes what the query planner knows of the table as a whole and of the month tables of the given rows. The statistics
 * of the whole are nobody's but the step's: the server never refreshes them by itself. Before PostgreSQL 18 they are not to
 * be had without those of all month tables.
 *
 * @category writing
 * @since 0.1.0
 */
export const analyze = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  rows: Sql
): Effect.fn.Return<void, Reason> {
  const table = tableOf(pg, asset)
  if (asset.storage._tag === "Single") return yield* Effect.asVoid(pg.execute(sql`ANALYZE ${table}`))
  const { column } = asset.storage
  const { kind } = columnUnsafe(asset, column)
  const touched = yield* pg.query(
    sql`SELECT t.name, current_setting('server_version_num')::int >= 180000 AS "isApart"
      FROM (${tablesOf(pg, asset, kind)}) AS t
      WHERE EXISTS (SELECT FROM (${monthsOf(kind, column, rows)}) AS m
        WHERE t.lower < m.month + interval '1 month' AND t.upper > m.month)
      ORDER BY t.name COLLATE "C"`,
    Schema.Struct({ name: Schema.String, isApart: Schema.Boolean })
  )
  const apart = touched.filter(({ isApart }) => isApart).map(({ name }) => literal(name))
  yield* pg.execute(apart.length === 0 ? sql`ANALYZE ${table}` : sql`ANALYZE ONLY ${table}, ${list(apart)}`)
})

// --- internal ---

type Pg = typeof Postgres.Service

const Missing = Schema.Struct({ month: Schema.NullOr(Schema.String), isTaken: Schema.NullOr(Schema.Boolean) })

/** The months of these years have tables of their own: 1,560 at most, whatever the rows say. */
const firstYear = 1970
const endYear = 2100

const tableOf = (pg: Pg, { name }: Asset): Sql => identifier(pg.schemas.warehouse, name)

/**
 * What the names of an asset's month tables begin with. No asset's name begins with a line, and what follows says where it
 * ends, so none is the name of an asset or of another's month table; not even shortened, when it begins with two. A name has
 * 63 bytes, of which `_before_1970` takes twelve.
 */
const stem = ({ name }: Asset): string =>
  name.length <= 50 ? `_${name}` : `__${name.slice(0, 32)}_${md5(name).slice(0, 16)}`

/** The first instant of a month, `2024-03`, as a bound of a range. */
const start = (kind: Kind, month: string): Sql =>
  literal(kind._tag === "Date" ? `'${month}-01'` : `'${month}-01 00:00:00+00'`)

const next = (month: string): string => {
  const [year = 0, number = 0] = month.split("-").map(Number)
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, "0")}`
}

/** A value of the column by the clock of UTC, whatever the session's is. */
const utc = (kind: Kind, value: Sql): Sql =>
  kind._tag === "Date" ? sql`(${value})::timestamp` : sql`((${value}) AT TIME ZONE 'UTC')`

/** The months of rows. The outer ones are not looked at one by one, for a mistyped year may be any. */
const monthsOf = (kind: Kind, column: string, rows: Sql): Sql => {
  const value = utc(kind, identifier("r", column))
  const [before, end] = [literal(`timestamp '${firstYear - 1}-12-01'`), literal(`timestamp '${endYear}-01-01'`)]
  return sql`SELECT DISTINCT CASE WHEN ${identifier("r", column)} IS NOT NULL
      THEN date_trunc('month', least(greatest(${value}, ${before}), ${end})) END AS month
    FROM ${rows} AS r`
}

/** The tables of which the asset's consists, and between which instants each of them holds rows, by the clock of UTC. */
const tablesOf = (pg: Pg, asset: Asset, kind: Kind): Sql => {
  const type = literal(postgresType(kind))
  const bound = (word: string, open: string) =>
    utc(
      kind,
      sql`coalesce(substring(pg_get_expr(c.relpartbound, c.oid) FROM ${literal(`'${word} \\(''([^'']*)''\\)'`)}), ${literal(`'${open}'`)})::${type}`
    )
  return sql`SELECT c.oid::regclass::text AS name, ${bound("FROM", "-infinity")} AS lower, ${bound("TO", "infinity")} AS upper
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass(quote_ident(${pg.schemas.warehouse}) || '.' || quote_ident(${asset.name}))`
}
