/**
 * What does everything look like at one instant? All tables of a graph and the stale sets beside them, as texts, in one
 * snapshot: so it is right also while runs and landings are under way. On PostgreSQL that is one statement, written
 * against the tables themselves, so that nothing of the engine stands between them and the judgement.
 */
import type { Asset } from "@assay/core/Asset"
import type { AssetGraph } from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import { Materializations } from "@assay/core/ledger/Materializations"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import * as Postgres from "@assay/core/postgres/Postgres"
import { identifier, list, literal, type Sql, sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** A row as texts by column. */
export type Row = { readonly [column: string]: string | null }

export interface Picture {
  readonly table: (asset: string) => ReadonlyArray<Row>
  /** Whether a unit is built and outside of its asset's stale set. */
  readonly isFresh: (asset: Asset, unit: string) => boolean
  /** A text that is the same where an asset's table is, and one where its stale set and what is built of it are. */
  readonly contents: (asset: string) => string
  readonly standing: (asset: string) => string
}

/** What pictures are taken of. */
export type Services = StaleSets | Materializations | Warehouse | Transactor

/** Takes a picture of a graph on the storage at hand; its tables exist. */
export const take = (graph: AssetGraph) => {
  const assets = Array.from(graph.assets.values())
  return Effect.flatMap(Effect.serviceOption(Postgres.Postgres), (postgres) =>
    Option.isSome(postgres) ? fromSql(postgres.value, assets) : fromServices(assets)
  )
}

// --- internal ---

type Cells = ReadonlyArray<ReadonlyArray<string | null>>

/** What is known of the units of all assets: pairs of an asset and a unit; a range without a unit is of all units. */
interface Units {
  readonly built: ReadonlyArray<readonly [asset: string, unit: string]>
  readonly marks: ReadonlyArray<readonly [asset: string, unit: string]>
  readonly ranges: ReadonlyArray<readonly [asset: string, from: string | null]>
}

const make = (assets: ReadonlyArray<Asset>, texts: ReadonlyMap<string, string>, units: Units): Picture => {
  const tables = new Map<string, ReadonlyArray<Row>>()
  const columnsOf = new Map(assets.map(({ columns, name }) => [name, columns]))
  const built = new Set(units.built.map((unit) => JSON.stringify(unit)))
  const marked = new Set(units.marks.map((unit) => JSON.stringify(unit)))
  const own = <Entry extends readonly [string, ...ReadonlyArray<unknown>]>(
    entries: ReadonlyArray<Entry>,
    name: string
  ) => entries.filter(([asset]) => asset === name)
  return {
    table: (asset) => {
      const known = tables.get(asset)
      if (known !== undefined) return known
      const rows = decodeCells(texts.get(asset)).map((cells) => rowOf(columnsOf.get(asset) ?? [], cells))
      tables.set(asset, rows)
      return rows
    },
    isFresh: ({ name, write }, unit) => {
      if (write._tag === "View") return true
      const isCut = write._tag === "ReplacePartitions"
      return (
        built.has(JSON.stringify([name, isCut ? unit : "*"])) &&
        !marked.has(JSON.stringify([name, unit])) &&
        !own(units.ranges, name).some(([, from]) => !isCut || from === null || from <= unit)
      )
    },
    contents: (asset) => texts.get(asset) ?? "",
    standing: (asset) =>
      JSON.stringify(
        [units.built, units.marks, units.ranges].map((entries) =>
          own<readonly [string, ...ReadonlyArray<unknown>]>(entries, asset)
        )
      )
  }
}

const rowOf = (columns: ReadonlyArray<Column.Column>, cells: ReadonlyArray<string | null>): Row =>
  Object.fromEntries(
    columns.map(({ kind, name }, index) => {
      const cell = cells[index] ?? null
      return [name, cell !== null && kind._tag === "Json" ? Column.canonicalJson(JSON.parse(cell)) : cell]
    })
  )

const decodeCells = (text: string | undefined): Cells =>
  Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Schema.Array(Schema.NullOr(Schema.String)))))(
    text ?? "[]"
  )

const fromServices = Effect.fnUntraced(function* (assets: ReadonlyArray<Asset>) {
  const staleSets = yield* StaleSets
  const materializations = yield* Materializations
  const warehouse = yield* Warehouse
  const transactor = yield* Transactor
  return yield* transactor.snapshot(
    Effect.gen(function* () {
      const texts = new Map<string, string>()
      const built: Array<readonly [string, string]> = []
      const marks: Array<readonly [string, string]> = []
      const ranges: Array<readonly [string, string | null]> = []
      for (const asset of assets) {
        const { columns, name } = asset
        const rows = yield* Stream.runCollect(warehouse.rows({ asset, partitions: undefined, limit: undefined }))
        texts.set(
          name,
          JSON.stringify(rows.map((row) => columns.map((column) => Column.toText(column, row[column.name] ?? null))))
        )
        for (const unit of yield* materializations.units(name)) built.push([name, unit])
        for (const { unit } of yield* staleSets.units(name)) marks.push([name, unit])
      }
      for (const [name, { ranges: own }] of yield* staleSets.get(assets.map(({ name }) => name)))
        for (const { from } of own) ranges.push([name, from ?? null])
      return make(assets, texts, { built, marks, ranges })
    })
  )
})

const fromSql = Effect.fnUntraced(function* (postgres: typeof Postgres.Postgres.Service, assets: ReadonlyArray<Asset>) {
  const { ledger, warehouse } = postgres.schemas
  const pairs = (table: string, unit: string) => sql`
    (SELECT coalesce(json_agg(json_build_array(u.asset, u.${identifier(unit)}) ORDER BY u.asset, u.${identifier(unit)}), '[]')
      FROM ${identifier(ledger, table)} AS u)`
  const tables = assets.map(
    ({ columns, name }) =>
      sql`${literal(`'${name}'`)}, (SELECT coalesce(json_agg(json_build_array(${list(
        columns.map(textOf)
      )})), '[]')::text FROM ${identifier(warehouse, name)} AS t)`
  )
  const [row] = yield* postgres.query(
    sql`SELECT json_build_object(${list(tables)}) AS tables, ${pairs("materialization", "unit")} AS built,
      ${pairs("stale_unit", "unit")} AS marks, ${pairs("stale_range", "from_unit")} AS ranges`,
    Everything
  )
  return row === undefined
    ? yield* Effect.die(new Error("nothing to see"))
    : make(assets, new Map(Object.entries(row.tables)), row)
})

const textOf = ({ kind, name }: Column.Column): Sql => {
  const column = identifier(name)
  switch (kind._tag) {
    case "Timestamp":
      return sql`to_char(t.${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    case "Date":
      return sql`to_char(t.${column}, 'YYYY-MM-DD')`
    default:
      return sql`t.${column}::text`
  }
}

const Pairs = Schema.Array(Schema.Tuple([Schema.String, Schema.String]))

const Everything = Schema.Struct({
  tables: Schema.Record(Schema.String, Schema.String),
  built: Pairs,
  marks: Pairs,
  ranges: Schema.Array(Schema.Tuple([Schema.String, Schema.NullOr(Schema.String)]))
})
