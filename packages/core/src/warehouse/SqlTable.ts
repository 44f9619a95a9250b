/**
 * Tables in SQL: creating an asset's table from its columns, the indexes that its edges need, and the temporary tables
 * of a step. A table that exists in another shape is reported, never altered behind the owner's back.
 */
import * as Effect from "effect/Effect"
import type { Asset } from "../Asset.ts"
import { columnUnsafe, unitColumns } from "../Asset.ts"
import { type AssetGraph, edgesFrom } from "../AssetGraph.ts"
import * as Column from "../Column.ts"
import { md5 } from "../internal/hash.ts"
import { type Reason, Transient } from "../MaterializationError.ts"
import type { Postgres } from "../postgres/Postgres.ts"
import * as LockTimeout from "../postgres/LockTimeout.ts"
import * as TemporaryTable from "../postgres/TemporaryTable.ts"
import { identifier, list, literal, sql, type Sql } from "../Sql.ts"
import { primaryKey } from "../WriteStrategy.ts"
import type { SqlCatalog } from "./SqlCatalog.ts"
import * as SqlMonthTable from "./SqlMonthTable.ts"
import * as SqlUnit from "./SqlUnit.ts"
import * as TableShape from "./TableShape.ts"

/**
 * Creates the asset's table, its comments and its indexes where they are missing. Fails with `SchemaMismatch` where the
 * table exists with other columns, or lies otherwise on disk.
 *
 * @category constructors
 * @since 0.1.0
 */
export const create = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  catalog: SqlCatalog,
  graph: AssetGraph,
  asset: Asset
): Effect.fn.Return<void, Reason> {
  const stored = catalog.columns.get(asset.name)
  if (stored === undefined) yield* createTable(pg, asset)
  else {
    yield* TableShape.compare(asset, stored)
    yield* TableShape.compareStorage(asset, catalog.dividedBy.get(asset.name))
    yield* replaceExclusion(pg, catalog, asset)
  }
  for (const names of indexesOf(graph, asset)) {
    const index = `${asset.name.slice(0, 40)}_${md5(names.join()).slice(0, 8)}_idx`
    if (catalog.indexes.has(index)) continue
    yield* pg.execute(
      sql`CREATE INDEX IF NOT EXISTS ${identifier(index)} ON ${of(pg, asset)} (${list(names.map((name) => identifier(name)))})`
    )
  }
})

/**
 * Creates the view of a view asset, or replaces it where its definition changed. Replacing locks out its readers for a
 * moment, so a view of this code version is left alone; its comment says which one it is.
 *
 * **Details**
 *
 * Replacing waits for whoever is reading the view, and everybody who comes to read it waits behind, also those who wait
 * for the assets that are held meanwhile. So it gives up after some seconds, as a reason to try again later.
 *
 * @category constructors
 * @since 0.1.0
 */
export const createView = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  catalog: SqlCatalog,
  asset: Asset,
  query: Sql
): Effect.fn.Return<void, Reason> {
  const signature = `${asset.description} (code version ${asset.codeVersion})`
  if (catalog.viewComments.get(asset.name) === signature) return
  // A collation that the query gives a text would decide in its readers which keys are equal.
  const typed = sql`SELECT ${list(
    asset.columns.map(
      ({ kind, name }) =>
        sql`q.${identifier(name)}::${literal(Column.postgresType(kind))}${literal(kind._tag === "Text" ? ' COLLATE "default"' : "")} AS ${identifier(name)}`
    )
  )} FROM (${query}) AS q`
  const replace = pg.execute(sql`CREATE OR REPLACE VIEW ${of(pg, asset)} AS ${typed}`).pipe(
    Effect.mapError((reason) =>
      reason._tag === "Transient" && reason.code === lockNotAvailable
        ? new Transient({
            code: reason.code,
            message: `the view "${asset.name}" has changed, but cannot be replaced while others read it (${reason.message}); end their transactions`
          })
        : reason
    )
  )
  yield* LockTimeout.within(pg, patience, replace)
  yield* comment(pg, sql`VIEW ${of(pg, asset)}`, signature)
})

/**
 * The asset's table in its database schema.
 *
 * @category getters
 * @since 0.1.0
 */
export const of = (pg: typeof Postgres.Service, asset: Pick<Asset, "name">): Sql =>
  identifier(pg.schemas.warehouse, asset.name)

/**
 * The temporary table that holds what a step computed.
 *
 * @category getters
 * @since 0.1.0
 */
export const result = (asset: Asset): Sql => identifier(temporaryName("result", asset))

/**
 * The temporary table that holds what a step changed: the asset's columns and `_assay_is_new`, true for the new image of a
 * row and false for the old one.
 *
 * @category getters
 * @since 0.1.0
 */
export const change = (asset: Asset): Sql => identifier(temporaryName("change", asset))

/**
 * Makes the temporary tables of a step ready and empty.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prepareTemporary = (pg: typeof Postgres.Service, asset: Asset): Effect.Effect<void, Reason> => {
  const columns = asset.columns.map(temporaryColumn)
  return TemporaryTable.prepare(pg, [
    { name: temporaryName("result", asset), columns: list(columns) },
    { name: temporaryName("change", asset), columns: list([...columns, sql`_assay_is_new boolean NOT NULL`]) }
  ])
}

/**
 * Gives a result table that was made by a query what `prepareTemporary` gives it: values for which there is no canonical
 * text are refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const constrainResult = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset
): Effect.fn.Return<void, Reason> {
  const constraints = asset.columns.flatMap((column) => rangeOf(column) ?? [])
  if (constraints.length > 0)
    yield* pg.execute(
      sql`ALTER TABLE ${result(asset)} ${list(constraints.map((constraint) => sql`ADD ${constraint}`))}`
    )
})

/**
 * The names of the temporary tables of a step.
 *
 * @category getters
 * @since 0.1.0
 */
export const temporary = (asset: Asset): ReadonlyArray<string> => [
  temporaryName("result", asset),
  temporaryName("change", asset)
]

/**
 * The asset's columns, called through an alias.
 *
 * @category getters
 * @since 0.1.0
 */
export const columns = (asset: Asset, alias: string): Sql =>
  list(asset.columns.map(({ name }) => identifier(alias, name)))

/**
 * The asset's columns, called through an alias, in the form in which equal ones cannot be told apart.
 *
 * @category getters
 * @since 0.1.0
 */
export const exactColumns = (asset: Asset, alias: string): Sql =>
  list(asset.columns.map(({ kind, name }) => SqlUnit.exact(kind, identifier(alias, name))))

/**
 * Above this many changed rows a table is analyzed in the step that changed it: the step after it would otherwise be
 * planned for an empty table (a first build of 350 k events took 42 s instead of 0.4 s).
 *
 * @category constants
 * @since 0.1.0
 */
export const manyRows = 5000

/**
 * Refreshes what the query planner knows of a table.
 *
 * @category writing
 * @since 0.1.0
 */
export const analyze = (pg: typeof Postgres.Service, table: Sql): Effect.Effect<void, Reason> =>
  Effect.asVoid(pg.execute(sql`ANALYZE ${table}`))

// --- internal ---

/** How long the readers of a view are waited for. */
const patience = "3s"

const lockNotAvailable = "55P03"

const temporaryName = (role: string, asset: Asset): string =>
  `_assay_${role}_${md5(JSON.stringify([asset.name, asset.columns.map(({ kind, name }) => [name, kind])])).slice(0, 16)}`

/**
 * Whatever is written goes through a temporary table, so here a value is refused for which there is no canonical text.
 * It would name no unit (`infinity` has no day), or be another value to a compute in TypeScript (a whole number beyond
 * the safe ones).
 */
export const temporaryColumn = (column: Column.Column): Sql => {
  const declared = sql`${identifier(column.name)} ${literal(Column.postgresType(column.kind))}`
  const range = rangeOf(column)
  return range === undefined ? declared : sql`${declared} ${range}`
}

const rangeOf = ({ kind, name }: Column.Column): Sql | undefined => {
  const domain = domainOf(kind, identifier(name))
  return domain && sql`CONSTRAINT ${identifier(constraintName(name))} CHECK (${domain})`
}

const domainOf = (kind: Column.Kind, column: Sql): Sql | undefined => {
  switch (kind._tag) {
    case "Date":
      return sql`${column} >= '0001-01-01' AND ${column} < '10000-01-01'`
    case "Timestamp":
      return sql`${column} >= '0001-01-01 00:00:00+00' AND ${column} < '10000-01-01 00:00:00+00'`
    case "Integer":
      return sql`abs(${column}) <= ${literal(String(Number.MAX_SAFE_INTEGER))}`
    case "Decimal":
      return sql`${column} <> 'NaN'`
    case "Text":
    case "Boolean":
    case "Json":
      return undefined
  }
}

/** For people, who read it in a message. PostgreSQL keeps 63 bytes, which could be those of another column. */
const constraintName = (column: string): string =>
  Buffer.byteLength(column) <= 48 ? `${column} is out of range` : `${md5(column).slice(0, 16)} is out of range`

const createTable = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset
): Effect.fn.Return<void, Reason> {
  const table = of(pg, asset)
  yield* pg.execute(
    sql`CREATE TABLE IF NOT EXISTS ${table} (${list([
      ...asset.columns
        .map(TableShape.declared)
        .map(
          ({ isNullable, name, type }) =>
            sql`${identifier(name)} ${literal(type)}${literal(isNullable ? "" : " NOT NULL")}`
        ),
      sql`PRIMARY KEY (${list(SqlMonthTable.tableKey(asset).map((name) => identifier(name)))})`
    ])})${SqlMonthTable.clause(asset)}`
  )
  yield* SqlMonthTable.createOuter(pg, asset)
  yield* comment(pg, sql`TABLE ${table}`, asset.description)
  for (const { description, name } of asset.columns) {
    if (description !== undefined) yield* comment(pg, sql`COLUMN ${table}.${identifier(name)}`, description)
  }
  if (asset.write._tag === "Scd2") yield* excludeOverlaps(pg, asset, asset.write)
})

const comment = (pg: typeof Postgres.Service, what: Sql, text: string): Effect.Effect<void, Reason> =>
  Effect.asVoid(
    pg.execute(sql`COMMENT ON ${what} IS ${literal(`E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`)}`)
  )

/**
 * Two versions of a key never overlap (L10), whoever writes them.
 *
 * No query may read by the index of this constraint. Where a join looks up row after row in a GiST index of one page, and
 * somebody else's rows split that page in between, PostgreSQL marks living entries as dead: whoever looks them up from then
 * on misses their rows (ADR 0025). An empty window overlaps nothing, so leaving it out takes nothing from the constraint;
 * but a query does not say that it asks for none, and so the planner passes the index over.
 */
const excludeOverlaps = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  write: { readonly key: ReadonlyArray<string>; readonly validFrom: string; readonly validTo: string }
): Effect.fn.Return<void, Reason> {
  // An extension belongs to the whole database: environments that are prepared at once would both create it, in spite of
  // IF NOT EXISTS, so they wait for each other.
  yield* pg.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended('assay btree_gist', 0))`)
  yield* pg.execute(sql`CREATE EXTENSION IF NOT EXISTS btree_gist`)
  const window = sql`tstzrange(${identifier(write.validFrom)}, ${identifier(write.validTo)})`
  yield* pg.execute(sql`ALTER TABLE ${of(pg, asset)} ADD CONSTRAINT ${identifier(exclusionOf(asset))}
    EXCLUDE USING gist (${list([
      ...write.key.flatMap((name) => {
        const value = identifier(name)
        // Numbers tell keys apart sooner than texts do: to prove 80,000 versions took 0.9 s, and 2.0 s by the text alone.
        const hash = columnUnsafe(asset, name).kind._tag === "Text" ? [sql`hashtextextended(${value}, 0) WITH =`] : []
        return [...hash, sql`${value} WITH =`]
      }),
      sql`${window} WITH &&`
    ])}) WHERE (NOT isempty(${window}))`)
})

const exclusionOf = ({ name }: Asset): string => `${name.slice(0, 45)}_no_overlap`

/** A constraint without the condition was made by an earlier version; queries may have read by its index, and damaged it. */
const replaceExclusion = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  { indexes, partialIndexes }: SqlCatalog,
  asset: Asset
): Effect.fn.Return<void, Reason> {
  const name = exclusionOf(asset)
  if (asset.write._tag !== "Scd2" || !indexes.has(name) || partialIndexes.has(name)) return
  yield* pg.execute(sql`ALTER TABLE ${of(pg, asset)} DROP CONSTRAINT ${identifier(name)}`)
  yield* excludeOverlaps(pg, asset, asset.write)
})

/** An index per way in which the rows are looked up: by own unit, and by the columns that downstream edges read by. */
const indexesOf = (graph: AssetGraph, asset: Asset): ReadonlyArray<ReadonlyArray<string>> => {
  const wanted = new Map<string, ReadonlyArray<string>>()
  const want = (names: ReadonlyArray<string>) => {
    if (names.length > 0)
      wanted.set(
        names.join(),
        names.map((name) => columnUnsafe(asset, name).name)
      )
  }
  const asOf: Array<ReadonlyArray<string>> = []
  want(unitColumns(asset))
  for (const { downstream, input } of edgesFrom(graph, asset.name)) {
    if (input.mapping._tag === "ByColumns") {
      want(input.mapping.columns)
      // What a customer has in a unit is looked up where its change is added as a difference.
      const { write } = downstream
      if (write._tag === "ReplacePartitions" && write.additiveOver !== undefined)
        want([write.additiveOver, ...input.mapping.columns])
    }
    for (const { mapping } of downstream.inputs)
      if (mapping._tag === "AsOf" && mapping.facts === input.as) asOf.push([mapping.key, mapping.at])
  }
  // By key and time, where no other index has the key at its front.
  for (const names of asOf) if (!Array.from(wanted.values()).some(([first]) => first === names[0])) want(names)
  // What begins another index, or the primary key, is looked up there.
  const longer = [primaryKey(asset.write), ...wanted.values()]
  return Array.from(wanted.values()).filter(
    (names) => !longer.some((other) => other !== names && names.every((name, index) => other[index] === name))
  )
}
