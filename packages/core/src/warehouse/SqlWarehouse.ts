/**
 * The warehouse on PostgreSQL. A step computes into a temporary table, writes the difference into the asset's table and
 * leaves it in a second temporary table, from which the units downstream are marked; rows visit Node only for computes
 * that are written in TypeScript.
 */
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Asset, columnUnsafe, unitColumns } from "../Asset.ts"
import { type Edge, edgesFrom } from "../AssetGraph.ts"
import * as Column from "../Column.ts"
import type { AnyRows } from "../Compute.ts"
import { DefinitionFault, type Reason } from "../MaterializationError.ts"
import { Postgres } from "../postgres/Postgres.ts"
import * as TemporaryTable from "../postgres/TemporaryTable.ts"
import { and, identifier, isSql, list, literal, sql, type Sql } from "../Sql.ts"
import { all, listed, none, relation, type Unit, type UnitSet } from "../Unit.ts"
import * as Change from "./Change.ts"
import * as SqlCatalog from "./SqlCatalog.ts"
import * as SqlChange from "./SqlChange.ts"
import * as SqlCheck from "./SqlCheck.ts"
import * as SqlDelta from "./SqlDelta.ts"
import * as SqlContent from "./SqlContent.ts"
import * as SqlDifference from "./SqlDifference.ts"
import * as SqlMonthTable from "./SqlMonthTable.ts"
import * as SqlRelation from "./SqlRelation.ts"
import * as SqlStage from "./SqlStage.ts"
import * as SqlTable from "./SqlTable.ts"
import * as SqlUnit from "./SqlUnit.ts"
import { type Difference, type Scope, Warehouse, type Written } from "./Warehouse.ts"

/**
 * The warehouse on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Warehouse, never, Postgres> = Layer.effect(
  Warehouse,
  Effect.gen(function* () {
    const pg = yield* Postgres
    const table = (asset: Asset) => SqlTable.of(pg, asset)

    return Warehouse.of({
      prepare: Effect.fnUntraced(function* (graph) {
        const catalog = yield* SqlCatalog.read(pg)
        if (!catalog.hasSchema) yield* pg.execute(sql`CREATE SCHEMA IF NOT EXISTS ${identifier(pg.schemas.warehouse)}`)
        for (const asset of graph.assets.values()) {
          if (asset.write._tag !== "View") {
            yield* SqlTable.create(pg, catalog, graph, asset)
            yield* SqlDelta.create(pg, asset)
          } else if (!catalog.columns.has(asset.name))
            yield* SqlTable.createView(pg, catalog, asset, yield* viewQuery(asset, table))
        }
        return Array.from(graph.assets.values()).flatMap(({ name, write }) =>
          write._tag === "View" || catalog.columns.has(name) ? [] : [name]
        )
      }),

      redefine: Effect.fnUntraced(function* (graph) {
        const views = Array.from(graph.assets.values()).filter(({ write }) => write._tag === "View")
        if (views.length === 0) return
        const catalog = yield* SqlCatalog.read(pg)
        for (const view of views) yield* SqlTable.createView(pg, catalog, view, yield* viewQuery(view, table))
      }),

      land: (options) => land(pg, options),

      settle: ({ asset, graph }) =>
        TemporaryTable.release(pg, [
          ...SqlTable.temporary(asset),
          ...SqlDelta.temporary(asset),
          ...edgesFrom(graph, asset.name).map((_, slot) => reachedName(slot))
        ]),

      build: Effect.fnUntraced(function* ({ asset, at, computed = Effect.void, scope }) {
        yield* SqlTable.prepareTemporary(pg, asset)
        if (SqlDelta.additiveOver(asset) !== undefined)
          return yield* buildSums(pg, asset, { at, computed, scope, table })
        const read = yield* stage(pg, asset, scope, { at, table })
        yield* computed
        const written = yield* SqlDifference.write(pg, asset, scope, read)
        yield* TemporaryTable.filled(pg, SqlTable.temporary(asset), read + written.deleted + written.updated)
        return written
      }),

      isByDifference: ({ asset, at, partitions }) =>
        SqlDelta.additiveOver(asset) === undefined
          ? Effect.succeed(false)
          : SqlDelta.isCheaper(pg, asset, { partitions, at }),

      withdraw: Effect.fnUntraced(function* ({ asset, except }) {
        yield* SqlTable.prepareTemporary(pg, asset)
        const written = yield* SqlDifference.withdraw(pg, asset, except)
        yield* TemporaryTable.filled(pg, SqlTable.temporary(asset), written.deleted)
        return written
      }),

      check: Effect.fnUntraced(function* ({ asset, scope }) {
        const query = SqlCheck.query(asset, scope, table)
        const rows = query === undefined ? [] : yield* pg.query(query, CheckRow)
        return asset.checks.map((check, position) => {
          const row = rows.find((candidate) => candidate.position === position)
          return {
            check: check.name,
            severity: check.severity,
            violations: row?.violations ?? 0,
            examples: row?.examples ?? []
          }
        })
      }),

      affected: (edge, slot = 0) => affected(pg, table, edge, slot),

      log: (edge, change) =>
        SqlDelta.additiveOver(edge.downstream) === undefined ? Effect.succeed(false) : SqlDelta.log(pg, edge, change),

      changed: (edge) =>
        Effect.map(
          pg.query(SqlChange.partitions(edge), Schema.Struct({ unit: Schema.NullOr(Schema.String) })),
          (rows) => rows.flatMap(({ unit }) => (unit === null ? [] : [unit]))
        ),

      contents: ({ asset, scope }) => pg.query(SqlContent.contents(asset, scope, table), ContentRow),

      count: (asset) => countOf(pg, sql`SELECT count(*)::text AS count FROM ${table(asset)}`),

      outside: (edge) => {
        const query = SqlContent.outside(edge, table)
        return query === undefined ? Effect.succeed(0) : countOf(pg, query)
      },

      rows: ({ asset, ...options }) =>
        Stream.map(pg.stream(SqlContent.rows(asset, options, table)), (cells) => rowOf(asset.columns, cells)),

      verify: Effect.fnUntraced(function* ({ asset, except, scope }) {
        yield* SqlTable.prepareTemporary(pg, asset)
        yield* stage(pg, asset, scope, { table })
        return yield* compare(pg, asset, scope, except)
      }),

      verifyChain: Effect.fnUntraced(function* ({ graph, partitions }) {
        const differences = new Map<string, Difference>()
        const recomputed = (asset: Asset) => (asset.body._tag === "Source" ? table(asset) : SqlTable.result(asset))
        for (const asset of graph.assets.values()) {
          if (asset.body._tag === "Source") continue
          yield* SqlTable.prepareTemporary(pg, asset)
          yield* stage(pg, asset, scopeOf(asset, partitions(asset)), { table: recomputed })
          differences.set(asset.name, yield* compare(pg, asset, everything, none))
        }
        return differences
      })
    })
  })
)

// --- internal ---

type Pg = typeof Postgres.Service

const CheckRow = Schema.Struct({
  position: Schema.Int,
  violations: Schema.Int,
  examples: Schema.Array(Schema.String)
})

const ContentRow = Schema.Struct({ unit: Schema.String, rows: Schema.Int, contentHash: Schema.String })

const everything: Scope = { units: all, partitions: [] }

const reachedName = (slot: number): string => `_assay_reached_${slot}`

/** Keeps reached units where they are: in a temporary relation that the ledger reads. */
const reached = Effect.fnUntraced(function* (pg: Pg, slot: number, units: Sql) {
  const name = reachedName(slot)
  yield* TemporaryTable.prepare(pg, [{ name, columns: sql`unit text NOT NULL` }])
  const count = yield* pg.execute(sql`INSERT INTO ${identifier(name)} (unit) ${units}`)
  yield* TemporaryTable.filled(pg, [name], count)
  return count === 0 ? none : relation(name)
})

const affected = Effect.fnUntraced(function* (
  pg: Pg,
  table: SqlRelation.TableOf,
  edge: Edge,
  slot: number
): Effect.fn.Return<UnitSet, Reason> {
  const { mapping } = edge.input
  switch (mapping._tag) {
    case "ByColumns":
      return yield* reached(pg, slot, SqlChange.byColumns(edge, mapping))
    case "AsOf": {
      const facts = edge.downstream.inputs.find(({ as }) => as === mapping.facts)
      const { write } = edge.upstream
      if (facts === undefined || write._tag !== "Scd2") return all
      return yield* reached(pg, slot, SqlChange.asOf(edge, mapping, { facts, table, write }))
    }
    case "Onwards": {
      const [row] = yield* pg.query(
        SqlChange.onwards(edge, mapping),
        Schema.Struct({ first: Schema.NullOr(Schema.String) })
      )
      return Change.onwardsFrom(edge, mapping, row?.first ?? null)
    }
    case "Last":
      return (yield* isAny(pg, SqlChange.last(edge, table))) ? all : none
    case "Keys":
      return (yield* isAny(pg, SqlChange.keys(edge, mapping))) ? all : none
    default:
      return (yield* isAny(pg, sql`SELECT FROM ${SqlChange.difference(edge.upstream, edge.input, [])} AS d`))
        ? all
        : none
  }
})

const isAny = (pg: Pg, rows: Sql): Effect.Effect<boolean, Reason> =>
  Effect.map(
    pg.query(sql`SELECT EXISTS (${rows}) AS is_any`, Schema.Struct({ is_any: Schema.Boolean })),
    ([row]) => row?.is_any ?? false
  )

const countOf = (pg: Pg, query: Sql): Effect.Effect<number, Reason> =>
  Effect.map(pg.query(query, Schema.Struct({ count: Schema.String })), ([row]) => Number(row?.count ?? 0))

/**
 * Rows as a relation of typed columns, their values bound as one text array per column, or as one text where all rows say
 * the same: the file and the landing of a batch are then read, sent and cast once.
 */
const valuesOf = (columns: ReadonlyArray<Column.Column>, rows: ReadonlyArray<Column.Row>): Sql => {
  const cells = columns.map((column) => {
    const shared = sharedText(column, rows)
    return { column, shared, texts: shared === undefined ? arrayLiteral(column, rows) : undefined }
  })
  // The array of the first column says how many rows there are, whatever it holds.
  const [first] = cells
  if (first !== undefined) first.texts ??= arrayLiteral(first.column, rows)
  const arrays = cells.filter(({ texts }) => texts !== undefined)
  return sql`SELECT ${list(
    cells.map(({ column: { kind, name }, shared, texts }) => {
      const text = texts === undefined ? sql`${shared ?? null}::text` : sql`v.${identifier(name)}`
      return sql`${text}::${literal(Column.postgresType(kind))} AS ${identifier(name)}`
    })
  )} FROM unnest(${list(arrays.map(({ texts }) => sql`${texts ?? ""}::text[]`))})
    AS v(${list(arrays.map(({ column: { name } }) => identifier(name)))})`
}

/** The text that a cell of every row has; undefined where they differ. */
const sharedText = (column: Column.Column, rows: ReadonlyArray<Column.Row>): string | null | undefined => {
  const cell = rows[0]?.[column.name] ?? null
  if (rows.some((row) => (row[column.name] ?? null) !== cell)) return undefined
  return Column.toText(column, cell)
}

/** The literal of a text array: the server's syntax is written right away, because a landing has a million cells. */
const arrayLiteral = (column: Column.Column, rows: ReadonlyArray<Column.Row>): string => {
  let literal = "{"
  for (const row of rows) {
    const text = Column.toText(column, row[column.name] ?? null)
    if (literal.length > 1) literal += ","
    if (text === null) literal += "NULL"
    else literal += needsEscape.test(text) ? `"${text.replace(everyEscape, "\\$&")}"` : `"${text}"`
  }
  return `${literal}}`
}

const needsEscape = /["\\]/
const everyEscape = /["\\]/g

const land = Effect.fnUntraced(function* (
  pg: Pg,
  {
    asset,
    knownBy,
    rows,
    sent = Effect.void
  }: {
    readonly asset: Asset
    readonly rows: ReadonlyArray<Column.Row>
    readonly knownBy: ReadonlyArray<string> | undefined
    readonly sent?: Effect.Effect<void>
  }
): Effect.fn.Return<Written, Reason> {
  yield* SqlTable.prepareTemporary(pg, asset)
  // Plain equality where it can be used: it is what a hash join needs.
  const same = (name: string) => {
    const { isNullable, kind } = columnUnsafe(asset, name)
    const [stored, offered] = [identifier("t", name), identifier("r", name)].map((value) => SqlUnit.exact(kind, value))
    return sql`${stored ?? name} ${literal(isNullable ? "IS NOT DISTINCT FROM" : "=")} ${offered ?? name}`
  }
  const isNew =
    knownBy === undefined
      ? literal("TRUE")
      : sql`NOT EXISTS (SELECT FROM ${SqlTable.of(pg, asset)} AS t WHERE ${and(knownBy.map(same))})`
  if (rows.length === 0) return { read: 0, inserted: 0, updated: 0, deleted: 0, unchanged: 0, change: "rows" }
  // By way of the change set: rows that the table returned would be kept once more on their way there.
  const inserted = yield* pg.execute(sql`INSERT INTO ${SqlTable.change(asset)}
    SELECT ${SqlTable.columns(asset, "r")}, TRUE FROM (${valuesOf(asset.columns, rows)}) AS r WHERE ${isNew}`)
  yield* TemporaryTable.filled(pg, SqlTable.temporary(asset), inserted)
  yield* sent
  yield* SqlMonthTable.provide(pg, asset, SqlTable.change(asset))
  yield* pg.execute(sql`INSERT INTO ${SqlTable.of(pg, asset)} (${SqlDifference.columnNames(asset)})
    SELECT ${SqlTable.columns(asset, "c")} FROM ${SqlTable.change(asset)} AS c`)
  return { read: rows.length, inserted, updated: 0, deleted: 0, unchanged: rows.length - inserted, change: "rows" }
})

/** What is logged by its difference where that is estimated to be cheaper, and the rest as a whole. */
const buildSums = Effect.fnUntraced(function* (
  pg: Pg,
  asset: Asset<string, unknown, never>,
  options: {
    readonly scope: Scope
    readonly at: DateTime.Utc
    readonly computed: Effect.Effect<void>
    readonly table: SqlRelation.TableOf
  }
): Effect.fn.Return<Written, Reason> {
  const { at, computed, scope, table } = options
  const some = (isWanted: (unit: string) => boolean): Scope => {
    const partitions = scope.partitions.filter(({ unit }) => isWanted(unit))
    return { units: listed(partitions.map(({ unit }) => unit)), partitions }
  }
  const logged = some((unit) => scope.logged?.has(unit) === true)
  const isByDifference =
    logged.partitions.length > 0 && (yield* SqlDelta.isCheaper(pg, asset, { partitions: logged.partitions.length, at }))
  if (!isByDifference) yield* SqlDelta.forget(pg, asset)
  const delta = isByDifference
    ? yield* SqlDelta.compute(pg, asset, logged, {
        table,
        query: (relations) => computedSql(asset, relations)
      })
    : { read: 0, doubtful: logged.partitions.map(({ unit }) => unit) }
  const doubtful = new Set(delta.doubtful)
  const rest = some((unit) => scope.logged?.has(unit) !== true || doubtful.has(unit))
  const read = rest.partitions.length === 0 ? 0 : yield* stage(pg, asset, rest, { at, table })
  yield* computed
  if (rest.partitions.length === scope.partitions.length) {
    const written = yield* SqlDifference.write(pg, asset, scope, read)
    yield* TemporaryTable.filled(pg, SqlTable.temporary(asset), read + written.deleted + written.updated)
    return written
  }
  const added = yield* SqlDelta.move(pg, asset, delta)
  const replaced = rest.partitions.length === 0 ? undefined : yield* SqlDifference.replace(pg, asset, rest, read)
  const moved = replaced === undefined ? added : SqlDifference.sum(added, replaced)
  const written = yield* SqlDifference.tally(pg, asset, moved)
  yield* TemporaryTable.filled(pg, [...SqlTable.temporary(asset), ...SqlDelta.temporary(asset)], written.read)
  return { ...written, differences: scope.partitions.length - rest.partitions.length }
})

/** Computes a scope into the asset's temporary result table and yields the number of rows. */
const stage = Effect.fnUntraced(function* (
  pg: Pg,
  asset: Asset<string, unknown, never>,
  scope: Scope,
  { at, table }: { readonly at?: DateTime.Utc; readonly table: SqlRelation.TableOf }
): Effect.fn.Return<number, Reason> {
  const computed = yield* computedRows(pg, asset, scope, table)
  return yield* SqlStage.fill(pg, asset, computed, { isMost: SqlStage.isMost(asset, scope, at) })
})

/** The query of a compute that is one, over the given relations. */
const computedSql = (
  { body }: Asset<string, unknown, never>,
  relations: { readonly [as: string]: Sql }
): Effect.Effect<Sql, Reason> => {
  const built = body._tag === "Compute" ? body.compute.sql?.(relations) : undefined
  if (built === undefined)
    return Effect.fail(new DefinitionFault({ message: "the compute has no sql", code: undefined }))
  return isSql(built) ? Effect.succeed(built) : built
}

const computedRows = Effect.fnUntraced(function* (
  pg: Pg,
  asset: Asset<string, unknown, never>,
  scope: Scope,
  table: SqlRelation.TableOf
): Effect.fn.Return<Sql, Reason> {
  if (asset.body._tag === "Source") {
    return yield* new DefinitionFault({ message: "a source asset is landed, not computed", code: undefined })
  }
  const { rows, sql: query } = asset.body.compute
  if (query !== undefined) return yield* computedSql(asset, SqlRelation.all(asset, scope, table))
  if (rows === undefined) {
    return yield* new DefinitionFault({ message: "the compute has neither sql nor rows", code: undefined })
  }
  const inputs: Record<string, ReadonlyArray<Column.Row>> = {}
  for (const input of asset.inputs) {
    const columns = input.columns.map((name) => columnUnsafe(input.asset, name))
    const shown = pg.cursor(
      sql`SELECT ${SqlContent.texts(columns, "r")} FROM ${SqlRelation.ofInput(asset, input, scope, table)} AS r`,
      { fetch: 5000 }
    )
    inputs[input.as] = yield* Stream.runCollect(Stream.map(shown, (cells) => rowOf(columns, cells)))
  }
  const given: AnyRows = { ...inputs, units: yield* unitsOf(pg, scope) }
  const result = rows(given)
  const out = Effect.isEffect(result) ? yield* result : result
  return valuesOf(stagedColumns(asset), Array.from(out))
})

/** The units of a step: partitions are at hand, keys are in the database. */
const unitsOf = (pg: Pg, scope: Scope): Effect.Effect<ReadonlyArray<Unit>, Reason> =>
  scope.partitions.length > 0
    ? Effect.succeed(scope.partitions)
    : Effect.map(
        pg.query(sql`SELECT unit FROM (${SqlUnit.units(scope)}) AS u`, Schema.Struct({ unit: Schema.String })),
        (rows) => rows.map(({ unit }) => ({ unit, window: undefined }))
      )

/** The columns that a compute yields: the asset's, and what its write strategy needs to choose among rows. */
const stagedColumns = (asset: Asset): ReadonlyArray<Column.Column> => {
  const control = (name: string, kind: Column.Kind): Column.Column => ({
    name,
    kind,
    isNullable: false,
    description: undefined
  })
  switch (asset.write._tag) {
    case "Upsert":
      return [...asset.columns, control("_deleted", { _tag: "Boolean" }), control("_tie", { _tag: "Text" })]
    case "Scd2": {
      const derived = new Set([asset.write.surrogateKey, asset.write.validTo, asset.write.isCurrent])
      return [...asset.columns.filter(({ name }) => !derived.has(name)), control("_sequence", { _tag: "Integer" })]
    }
    default:
      return asset.columns
  }
}

const rowOf = (columns: ReadonlyArray<Column.Column>, cells: ReadonlyArray<string | null>): Column.Row =>
  Object.fromEntries(columns.map((column, index) => [column.name, Column.fromText(column, cells[index] ?? null)]))

const viewQuery = Effect.fnUntraced(function* (
  asset: Asset,
  table: SqlRelation.TableOf
): Effect.fn.Return<Sql, Reason> {
  const query = asset.body._tag === "Compute" ? asset.body.compute.sql : undefined
  const built = query?.(SqlRelation.all(asset, everything, table))
  if (built === undefined || !isSql(built)) {
    return yield* new DefinitionFault({
      message: `view "${asset.name}" needs a compute whose sql is a plain query`,
      code: undefined
    })
  }
  return built
})

/** What a recompute that belongs to no step computes of an asset. */
const scopeOf = (asset: Asset, partitions: ReadonlyArray<Unit>): Scope =>
  asset.write._tag === "ReplacePartitions"
    ? { units: listed(partitions.map(({ unit }) => unit)), partitions }
    : everything

/** Compares the stored rows of a scope with the staged result, leaving units out. */
const compare = Effect.fnUntraced(function* (
  pg: Pg,
  asset: Asset,
  scope: Scope,
  except: Scope["units"]
): Effect.fn.Return<Difference, Reason> {
  const columns = unitColumns(asset).map((name) => columnUnsafe(asset, name))
  const isCompared = (alias: string) => SqlUnit.isOutside(SqlUnit.of(asset, columns, identifier(alias)), except)
  const shown = (alias: string) =>
    list(
      asset.columns.map(({ kind, name }) => sql`${SqlUnit.exact(kind, identifier(alias, name))} AS ${identifier(name)}`)
    )
  const computed = sql`SELECT ${shown("r")} FROM ${SqlTable.result(asset)} AS r WHERE ${isCompared("r")}`
  const stored = sql`SELECT ${shown("t")} FROM ${SqlTable.of(pg, asset)} AS t
    WHERE ${SqlUnit.inScope(asset, identifier("t"), scope)} AND ${isCompared("t")}`
  const [row] = yield* pg.query(
    sql`WITH missing AS (${computed} EXCEPT ALL ${stored}), unexpected AS (${stored} EXCEPT ALL ${computed})
      SELECT (SELECT count(*)::int FROM missing) AS missing, (SELECT count(*)::int FROM unexpected) AS unexpected,
        ARRAY(SELECT 'missing ' || row_to_json(m.*)::text FROM missing AS m LIMIT 3)
        || ARRAY(SELECT 'unexpected ' || row_to_json(u.*)::text FROM unexpected AS u LIMIT 3) AS examples`,
    Schema.Struct({ missing: Schema.Int, unexpected: Schema.Int, examples: Schema.Array(Schema.String) })
  )
  return row ?? { missing: 0, unexpected: 0, examples: [] }
})
