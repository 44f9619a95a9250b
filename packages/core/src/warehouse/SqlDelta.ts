/**
 * Bringing partitions up to date by adding a difference, where the result is a sum over the values of one column of the
 * inputs (`WriteStrategy.replacePartitions`, `additiveOver`): what the customers whose rows changed give now, less what
 * they gave before. The same compute runs twice, over their rows as they are and as they were; nothing else is read.
 *
 * What was is what is, less the new images and plus the old ones of every change since the last step. These wait in the
 * change logs of the asset, one for each input, written in the transaction of the change and used up by the next step,
 * whatever way it takes. A log that would grow without bounds, or cannot hold a change, gets a gap instead: a row without
 * an image, after which everything is computed anew once (ADR 0026).
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Asset, columnUnsafe, type NamedInput, unitColumns } from "../Asset.ts"
import type { Edge } from "../AssetGraph.ts"
import { type Column, postgresType } from "../Column.ts"
import { md5 } from "../internal/hash.ts"
import type { Reason } from "../MaterializationError.ts"
import * as PartitionMapping from "../PartitionMapping.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { Postgres } from "../postgres/Postgres.ts"
import * as TemporaryTable from "../postgres/TemporaryTable.ts"
import { toSql } from "../RowFilter.ts"
import { and, compile, identifier, join, list, literal, or, sql, type Sql } from "../Sql.ts"
import { primaryKey } from "../WriteStrategy.ts"
import * as SqlChange from "./SqlChange.ts"
import * as SqlDifference from "./SqlDifference.ts"
import * as SqlMonthTable from "./SqlMonthTable.ts"
import * as SqlRelation from "./SqlRelation.ts"
import * as SqlTable from "./SqlTable.ts"
import * as SqlUnit from "./SqlUnit.ts"
import type { Scope, Written } from "./Warehouse.ts"

/**
 * The column over which the asset is a sum that can be maintained by differences; undefined where it is none, and where
 * the compute is no query.
 *
 * @category getters
 * @since 0.1.0
 */
export const additiveOver = ({ body, write }: Asset): string | undefined =>
  write._tag === "ReplacePartitions" && body._tag === "Compute" && body.compute.sql !== undefined
    ? write.additiveOver
    : undefined

/**
 * Whether a difference is added where one can be: by estimated cost, or always, or never. The rows are the same.
 *
 * @category services
 * @since 0.1.0
 */
export const Preference = Context.Reference<"cheaper" | "always" | "never">(
  "@assay/core/warehouse/SqlDelta/Preference",
  { defaultValue: () => "cheaper" }
)

/**
 * Creates the change logs of an asset that are missing. What changed before is in none of them, so they begin with a gap.
 *
 * @category constructors
 * @since 0.1.0
 */
export const create = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset
): Effect.fn.Return<void, Reason> {
  if (additiveOver(asset) === undefined) return
  const logs = asset.inputs.map((input) => ({ input, name: logName(asset, input) }))
  const known = yield* pg.query(
    sql`SELECT relname::text AS name FROM pg_class
      WHERE relnamespace = to_regnamespace(quote_ident(${pg.schemas.ledger})) AND relname = ANY(${logs.map(({ name }) => name)}::text[])`,
    Schema.Struct({ name: Schema.String })
  )
  for (const { input, name } of logs) {
    if (known.some((table) => table.name === name)) continue
    const log = identifier(pg.schemas.ledger, name)
    const columns = columnsOf(input).map(declared)
    yield* pg.execute(sql`CREATE TABLE ${log} (${list([...columns, sql`_assay_is_new boolean`])})`)
    yield* pg.execute(sql`CREATE INDEX ON ${log} ((_assay_is_new IS NULL)) WHERE _assay_is_new IS NULL`)
    yield* pg.execute(sql`INSERT INTO ${log} (_assay_is_new) VALUES (NULL)`)
  }
})

/**
 * Keeps what the change set of an edge's upstream asset says to its input, and tells whether it did; otherwise, and where
 * everything is taken for changed, it leaves a gap.
 *
 * **Details**
 *
 * Whoever sees a gap leaves one of his own: a step that uses up the one he saw may not see what he changes.
 *
 * @category writing
 * @since 0.1.0
 */
export const log = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  { downstream, input, upstream }: Edge,
  change: Written["change"]
): Effect.fn.Return<boolean, Reason> {
  const table = logOf(pg, downstream, input)
  if (change === "everything") {
    yield* pg.execute(sql`INSERT INTO ${table} (_assay_is_new) VALUES (NULL)`)
    return false
  }
  const names = columnsOf(input).map(({ name }) => name)
  const [row] = yield* pg.query(
    sql`WITH state AS MATERIALIZED (
      SELECT EXISTS (SELECT FROM ${table} AS l WHERE ${isGap}) OR pg_relation_size(${compile(table).text}::regclass) > ${literal(String(mostBytes))} AS is_full
    ), kept AS (
      INSERT INTO ${table} (${list(names.map((name) => identifier(name)))}, _assay_is_new)
      SELECT ${list(names.map((name) => identifier("d", name)))}, d._assay_is_new
      FROM ${SqlChange.signed(upstream, input, names)} AS d WHERE NOT (SELECT is_full FROM state)
    ), gap AS (
      INSERT INTO ${table} (_assay_is_new) SELECT NULL FROM state WHERE is_full
    )
    SELECT NOT is_full AS is_kept FROM state`,
    Schema.Struct({ is_kept: Schema.Boolean })
  )
  return row?.is_kept ?? false
})

/**
 * Whether adding the difference is estimated to read fewer rows than computing so many partitions anew.
 *
 * **Details**
 *
 * A changed row concerns what its customer has in its unit, a changed version what its customer has in all of them. These
 * rows lie anywhere in the table and are computed twice, so one of them counts as four that are read in passing. Where no
 * row belongs to one unit, computing some units reads as much as computing all. Where the server has no statistics the
 * tables are small, and all are read.
 *
 * @category queries
 * @since 0.1.0
 */
export const isCheaper = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  options: { readonly partitions: number; readonly at: DateTime.Utc }
): Effect.fn.Return<boolean, Reason> {
  const preference = yield* Preference
  if (preference !== "cheaper") return preference === "always"
  const existing = PartitionSet.size(Partitions.existing(asset.partitions, options.at.epochMilliseconds))
  const facts = asset.inputs.filter(isFacts)
  const share = facts.length === 0 ? 1 : Math.min(1, options.partitions / Math.max(1, existing))
  const by = additiveOver(asset) ?? ""
  const logs = (areFacts: boolean) => {
    const some = asset.inputs.filter((input) => isFacts(input) === areFacts)
    return some.length === 0
      ? sql`SELECT NULL AS value WHERE FALSE`
      : join(
          some.map((input) => sql`SELECT ${identifier(by)} AS value FROM ${logOf(pg, asset, input)}`),
          " UNION ALL "
        )
  }
  const [row] = yield* pg.query(
    sql`SELECT (SELECT count(*) FROM (${logs(true)}) AS l)::float8 AS changed,
        (SELECT count(DISTINCT l.value) FROM (${logs(false)}) AS l)::float8 AS values,
        coalesce(sum(t.rows), 0)::float8 AS rows, coalesce(sum(t.rows / nullif(t.customers, 0)), 0)::float8 AS each
      FROM (
        SELECT c.reltuples AS rows, CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * c.reltuples ELSE s.n_distinct END AS customers
        FROM pg_class AS c JOIN pg_stats AS s ON s.schemaname = ${pg.schemas.warehouse} AND s.tablename = c.relname AND s.attname = ${by}
        WHERE c.relnamespace = to_regnamespace(quote_ident(${pg.schemas.warehouse}))
          AND c.relname = ANY(${(facts.length === 0 ? asset.inputs : facts).map((input) => input.asset.name)}::text[])
      ) AS t`,
    Schema.Struct({ changed: Schema.Finite, values: Schema.Finite, rows: Schema.Finite, each: Schema.Finite })
  )
  if (row === undefined || row.rows <= 0 || row.each <= 0) return false
  const concerned = row.changed * Math.max(1, row.each / existing) + row.values * row.each * share
  return 4 * concerned < share * row.rows
})

/**
 * Forgets what the change logs of an asset hold. Every step does, for what it computes holds all of it.
 *
 * @category writing
 * @since 0.1.0
 */
export const forget = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset
): Effect.fn.Return<void, Reason> {
  for (const input of asset.inputs) yield* pg.execute(sql`DELETE FROM ${logOf(pg, asset, input)}`)
})

/**
 * What computing a difference found.
 *
 * @category models
 * @since 0.1.0
 */
export interface Computed {
  /** Rows that the compute yielded. */
  readonly read: number
  /**
   * The units that are to be computed as a whole: all, where a log has a gap; and those with a group whose sums are all zero
   * now, because it may be there with rows that cancel out, or be gone.
   */
  readonly doubtful: ReadonlyArray<string>
}

/**
 * Computes the difference for a scope, all of whose units are logged, and keeps it for `move`. Uses up the change logs.
 *
 * @category writing
 * @since 0.1.0
 */
export const compute = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  scope: Scope,
  options: {
    readonly table: SqlRelation.TableOf
    readonly query: (relations: { readonly [as: string]: Sql }) => Effect.Effect<Sql, Reason>
  }
): Effect.fn.Return<Computed, Reason> {
  const every = scope.partitions.map(({ unit }) => unit)
  yield* TemporaryTable.prepare(pg, temporaryTables(asset))
  const hasGap = yield* capture(pg, asset, scope, options.table)
  if (hasGap) return { read: 0, doubtful: every }
  const units = SqlRelation.units(scope)
  let read = 0
  for (const isNew of [true, false]) {
    const relations = asset.inputs.map((input, place) => [input.as, images(asset, input, { place, isNew })] as const)
    const computed = yield* options.query({ ...Object.fromEntries(relations), units })
    read += yield* pg.execute(sql`INSERT INTO ${identifier(deltaName(asset))}
      (${SqlDifference.columnNames(asset)}, _assay_is_new)
      SELECT ${SqlTable.columns(asset, "computed")}, ${literal(isNew ? "TRUE" : "FALSE")} FROM (${computed}) AS computed`)
  }
  yield* add(pg, asset)
  const touched = yield* pg.query(
    sql`SELECT _assay_unit AS unit, bool_or(_assay_is_doubtful) AS is_doubtful FROM ${identifier(sumsName(asset))} GROUP BY 1`,
    Schema.Struct({ unit: Schema.NullOr(Schema.String), is_doubtful: Schema.Boolean })
  )
  const asked = new Set(every)
  // A unit that nobody asked for is told where all are computed.
  if (touched.some(({ unit }) => unit === null || !asked.has(unit))) return { read, doubtful: every }
  return { read, doubtful: touched.flatMap(({ is_doubtful, unit }) => (is_doubtful && unit !== null ? [unit] : [])) }
})

/**
 * Writes the sums of a difference where they tell, and fills the change set.
 *
 * @category writing
 * @since 0.1.0
 */
export const move = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  { doubtful, read }: Computed
): Effect.fn.Return<SqlDifference.Moved, Reason> {
  const sums = sql`(SELECT * FROM ${identifier(sumsName(asset))} WHERE _assay_unit <> ALL(${doubtful}::text[]))`
  const gone = yield* SqlDifference.leave(pg, asset, sql`EXISTS (SELECT FROM ${sums} AS r WHERE ${sameKey(asset)})`)
  yield* SqlMonthTable.provide(pg, asset, sums)
  const come = yield* SqlDifference.enter(pg, asset, sql`SELECT ${SqlTable.columns(asset, "r")} FROM ${sums} AS r`)
  return { read, gone, come }
})

/**
 * The names of the temporary tables of a step that adds a difference.
 *
 * @category getters
 * @since 0.1.0
 */
export const temporary = (asset: Asset): ReadonlyArray<string> =>
  additiveOver(asset) === undefined ? [] : temporaryTables(asset).map(({ name }) => name)

// --- internal ---

type Pg = typeof Postgres.Service

/** A log beyond this size is given up: computing everything once costs less than keeping it. */
const mostBytes = 64 * 1024 * 1024

const short = (...texts: ReadonlyArray<unknown>): string => md5(JSON.stringify(texts)).slice(0, 16)

/** The columns by which an input is mapped; none where it is mapped as of a time. */
const mappedColumns = ({ asset, mapping }: NamedInput): ReadonlyArray<Column> =>
  PartitionMapping.columnsOf(mapping).map((name) => columnUnsafe(asset, name))

/** What an input shows, and the columns by which it is mapped. */
const columnsOf = ({ asset, columns, mapping }: NamedInput): ReadonlyArray<Column> =>
  Array.from(new Set([...columns, ...PartitionMapping.columnsOf(mapping)]), (name) => columnUnsafe(asset, name))

const declared = ({ kind, name }: Column): Sql => sql`${identifier(name)} ${literal(postgresType(kind))}`

/** Another shape is another log. */
const logName = (asset: Asset, input: NamedInput): string =>
  `change_log_${asset.name.slice(0, 16)}_${input.as.slice(0, 16)}_${short(asset.name, input.as, columnsOf(input))}`

const logOf = (pg: Pg, asset: Asset, input: NamedInput): Sql => identifier(pg.schemas.ledger, logName(asset, input))

/** Rows by column, of which each concerns one unit; versions as of a time, and what is read onwards, concern all. */
const isFacts = ({ mapping }: NamedInput): boolean => mapping._tag === "ByColumns"

const nowName = (asset: Asset, place: number): string => `_assay_now_${short(asset.name, asset.columns, place)}`
const changedName = (asset: Asset, place: number): string => `_assay_changed_${short(asset.name, asset.columns, place)}`
const deltaName = (asset: Asset): string => `_assay_delta_${short(asset.name, asset.columns)}`
const sumsName = (asset: Asset): string => `_assay_sums_${short(asset.name, asset.columns)}`

const temporaryTables = (asset: Asset): ReadonlyArray<TemporaryTable.TemporaryTable> => {
  const own = asset.columns.map(SqlTable.temporaryColumn)
  return [
    ...asset.inputs.flatMap((input, place) => {
      const columns = columnsOf(input).map(declared)
      return [
        { name: nowName(asset, place), columns: list(columns) },
        { name: changedName(asset, place), columns: list([...columns, sql`_assay_is_new boolean NOT NULL`]) }
      ]
    }),
    { name: deltaName(asset), columns: list([...own, sql`_assay_is_new boolean NOT NULL`]) },
    {
      name: sumsName(asset),
      columns: list([...own, sql`_assay_unit text`, sql`_assay_is_doubtful boolean NOT NULL`])
    }
  ]
}

const isGap = literal("_assay_is_new IS NULL")

/**
 * Takes what changed out of the logs and what there is now of the same customers out of the tables, in one statement: both
 * are of one moment, and what is committed after it stays in the logs. Tells whether a log had a gap.
 */
const capture = Effect.fnUntraced(function* (
  pg: Pg,
  asset: Asset,
  scope: Scope,
  table: SqlRelation.TableOf
): Effect.fn.Return<boolean, Reason> {
  const by = identifier(additiveOver(asset) ?? "")
  const used = (place: number) => identifier(`used_${place}`)
  const unit = (input: NamedInput, alias: string) => SqlUnit.of(asset, mappedColumns(input), identifier(alias))
  const cells = (input: NamedInput, alias: string) => list(columnsOf(input).map(({ name }) => identifier(alias, name)))
  const logged = asset.inputs.map((input, place) => ({ input, place }))
  // A version of a customer concerns all units, a row by column one of them. Where there is no input of a kind, nothing is
  // of that kind in the type of the others.
  const entire = logged.map(
    ({ input, place }) =>
      sql`SELECT l.${by} AS value FROM ${used(place)} AS l WHERE l.${by} IS NOT NULL AND ${literal(isFacts(input) ? "FALSE" : "TRUE")}`
  )
  const single = logged.map(({ input, place }) =>
    isFacts(input)
      ? sql`SELECT l.${by} AS value, ${unit(input, "l")} AS unit FROM ${used(place)} AS l`
      : sql`SELECT l.${by} AS value, NULL::text AS unit FROM ${used(place)} AS l WHERE FALSE`
  )
  const parts = logged.flatMap(({ input, place }) => {
    const read = (alias: string) => SqlRelation.restriction(asset, input, scope, { alias: identifier(alias), table })
    // Customer by customer, by an index: of a log that was empty before the planner expects so much that it would rather
    // read all of a table (1 s instead of 40 ms). How many there are has been asked before a difference was chosen.
    const rows = (source: Sql, conditions: ReadonlyArray<Sql>) =>
      sql`SELECT u.* FROM ${source} CROSS JOIN LATERAL (SELECT ${cells(input, "u")} FROM ${table(input.asset)} AS u
        WHERE u.${by} = c.value AND ${and([toSql(input.where), ...conditions])} OFFSET 0) AS u`
    const now = isFacts(input)
      ? sql`${rows(literal("single AS c"), [sql`${unit(input, "u")} = c.unit`, ...bounds(asset, input)])}
          UNION ALL ${rows(literal("entire AS c"), [read("u")])}`
      : rows(literal("(SELECT value FROM single UNION SELECT value FROM entire) AS c"), [read("u")])
    return [
      sql`${literal(`changed_${place}`)} AS (
        INSERT INTO ${identifier(changedName(asset, place))} SELECT ${cells(input, "l")}, l._assay_is_new
        FROM ${used(place)} AS l WHERE NOT l.${isGap} AND ${read("l")})`,
      sql`${literal(`now_${place}`)} AS (INSERT INTO ${identifier(nowName(asset, place))} ${now})`
    ]
  })
  const [row] = yield* pg.query(
    sql`WITH ${list([
      ...logged.map(({ input, place }) => sql`${used(place)} AS (DELETE FROM ${logOf(pg, asset, input)} RETURNING *)`),
      sql`entire AS MATERIALIZED (SELECT DISTINCT value FROM (${join(entire, " UNION ALL ")}) AS e)`,
      sql`single AS MATERIALIZED (
        SELECT DISTINCT s.value, p.unit, p.window_start, p.window_end FROM (${join(single, " UNION ALL ")}) AS s
        JOIN ${SqlRelation.units(scope)} AS p USING (unit)
        WHERE NOT EXISTS (SELECT FROM entire AS e WHERE e.value = s.value))`,
      ...parts
    ])} SELECT ${or(logged.map(({ place }) => sql`EXISTS (SELECT FROM ${used(place)} AS l WHERE l.${isGap})`))} AS has_gap`,
    Schema.Struct({ has_gap: Schema.Boolean })
  )
  return row?.has_gap ?? true
})

/**
 * Between which values of its column a row of a unit lies, for an index by customer and column. A date may belong to a
 * window that begins or ends within a day of it, by another clock.
 */
const bounds = ({ partitions }: Asset, input: NamedInput): ReadonlyArray<Sql> => {
  const [column, ...others] = mappedColumns(input)
  if (column === undefined || others.length > 0 || partitions._tag !== "TimeWindows") return []
  const value = identifier("u", column.name)
  return column.kind._tag === "Date"
    ? [
        sql`${value} >= (c.window_start AT TIME ZONE 'UTC')::date - 2`,
        sql`${value} <= (c.window_end AT TIME ZONE 'UTC')::date + 2`
      ]
    : [sql`${value} >= c.window_start`, sql`${value} < c.window_end`]
}

/** The rows behind an input as they are, or as they were: what is, less what came, plus what left. */
const images = (
  asset: Asset,
  input: NamedInput,
  { isNew, place }: { readonly place: number; readonly isNew: boolean }
): Sql => {
  const now = identifier(nowName(asset, place))
  const shown = list(input.columns.map((name) => identifier(name)))
  if (isNew) return sql`(SELECT ${shown} FROM ${now} AS n)`
  const all = columnsOf(input)
  const exact = list(all.map(({ kind, name }) => sql`${SqlUnit.exact(kind, identifier(name))} AS ${identifier(name)}`))
  const back = list(
    input.columns.map((name) => {
      const { kind } = columnUnsafe(input.asset, name)
      return sql`${identifier("g", name)}::${literal(postgresType(kind))} AS ${identifier(name)}`
    })
  )
  return sql`(SELECT ${back} FROM (
      SELECT ${list(all.map(({ name }) => identifier(name)))}, sum(_assay_times)::int AS _assay_times FROM (
        SELECT ${exact}, 1 AS _assay_times FROM ${now} AS n
        UNION ALL SELECT ${exact}, CASE WHEN _assay_is_new THEN -1 ELSE 1 END FROM ${identifier(changedName(asset, place))} AS c
      ) AS i GROUP BY ${list(all.map(({ name }) => identifier(name)))} HAVING sum(_assay_times) > 0
    ) AS g CROSS JOIN LATERAL generate_series(1, g._assay_times) AS _assay_each)`
}

/**
 * The sums that the stored rows have with the difference. A group that is not zero in every measure is there; of others, and
 * of one that was counted before and is not stored, the difference does not tell.
 */
const add = Effect.fnUntraced(function* (pg: Pg, asset: Asset): Effect.fn.Return<void, Reason> {
  const key = primaryKey(asset.write)
  const measures = asset.columns.filter(({ name }) => !key.includes(name)).map(({ name }) => name)
  const columns = unitColumns(asset).map((name) => columnUnsafe(asset, name))
  const keys = list(key.map((name) => identifier(name)))
  const sum = (name: string) => sql`coalesce(${identifier("t", name)}, 0) + ${identifier("r", name)}`
  const differences = list(
    measures.map(
      (name) =>
        sql`sum(CASE WHEN _assay_is_new THEN ${identifier(name)} ELSE -${identifier(name)} END) AS ${identifier(name)}`
    )
  )
  const isZero = and(measures.map((name) => sql`${sum(name)} = 0`))
  const isDoubtful = sql`(${isZero} OR (r._assay_was AND NOT t._assay_is_there IS TRUE))`
  yield* pg.execute(sql`INSERT INTO ${identifier(sumsName(asset))} (${list([...key, ...measures].map((name) => identifier(name)))}, _assay_unit, _assay_is_doubtful)
    SELECT ${list([...key.map((name) => identifier("r", name)), ...measures.map(sum)])},
      ${SqlUnit.of(asset, columns, identifier("r"))}, ${isDoubtful}
    FROM (
      SELECT ${keys}, ${differences}, bool_or(NOT _assay_is_new) AS _assay_was
      FROM ${identifier(deltaName(asset))} AS d GROUP BY ${keys}
    ) AS r LEFT JOIN (SELECT *, TRUE AS _assay_is_there FROM ${SqlTable.of(pg, asset)} AS s) AS t ON ${sameKey(asset)}
    WHERE ${or([...measures.map((name) => sql`${identifier("r", name)} <> 0`), isDoubtful])}`)
})

const sameKey = (asset: Asset): Sql => SqlDifference.matching(primaryKey(asset.write))
