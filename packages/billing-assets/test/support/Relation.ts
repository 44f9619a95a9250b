/**
 * Rows as relations: how typed rows of a test stand behind a query on a real PostgreSQL, and come back as canonical texts.
 */
import * as Column from "@assay/core/Column"
import * as Database from "@assay/core/postgres/Database"
import { compile, identifier, list, literal, type Sql, sql } from "@assay/core/Sql"
import type { Unit } from "@assay/core/Unit"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { inject } from "vitest"
import type { Texts } from "../oracle/Recompute.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of the maintenance database of the server that the tests share. */
    readonly postgresUrl: string
  }
}

/** A client of the tests' server. The tests only ask, so they need no database of their own. */
export const layer: Layer.Layer<SqlClient.SqlClient, Database.DatabaseError> = Database.layerUrl({
  url: Redacted.make(inject("postgresUrl")),
  maxConnections: 2
})

/** Rows as a relation with the columns' types, and texts in a dictionary's order unless a query says otherwise. */
export const fromRows = (columns: ReadonlyArray<Column.Column>, rows: ReadonlyArray<Column.Row>): Sql =>
  recordset(
    columns.map(({ kind, name }) => [
      name,
      kind._tag === "Text" ? `text COLLATE "und-x-icu"` : Column.postgresType(kind)
    ]),
    rows.map((row) =>
      Object.fromEntries(columns.map((column) => [column.name, toJson(column, row[column.name] ?? null)]))
    )
  )

/** Units as the relation `units`. */
export const fromUnits = (units: ReadonlyArray<Unit>): Sql =>
  recordset(
    [
      ["unit", "text"],
      ["window_start", "timestamptz"],
      ["window_end", "timestamptz"]
    ],
    units.map(({ unit, window }) => ({
      unit,
      window_start: window === undefined ? null : new Date(window.start).toISOString(),
      window_end: window === undefined ? null : new Date(window.end).toISOString()
    }))
  )

/** The rows of a query as canonical texts of the given columns. */
export const query = (columns: ReadonlyArray<Column.Column>, statement: Sql) =>
  Effect.gen(function* () {
    const client = (yield* SqlClient.SqlClient).withoutTransforms()
    const cells = columns.map((column) => sql`${text(column)} AS ${identifier(column.name)}`)
    const { text: body, values } = compile(sql`SELECT ${list(cells)} FROM (${statement}) AS result`)
    const rows = yield* client.unsafe<Texts>(body, values)
    return rows.map((row): Texts =>
      Object.fromEntries(
        columns.map((column) => {
          const cell = row[column.name] ?? null
          return [
            column.name,
            cell !== null && column.kind._tag === "Json" ? Column.canonicalJson(JSON.parse(cell)) : cell
          ]
        })
      )
    )
  })

// --- internal ---

const recordset = (columns: ReadonlyArray<readonly [string, string]>, rows: ReadonlyArray<unknown>): Sql => {
  const declarations = columns.map(([name, type]) => sql`${identifier(name)} ${literal(type)}`)
  return sql`(SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) AS r(${list(declarations)}))`
}

const toJson = (column: Column.Column, cell: Column.Cell): unknown =>
  column.kind._tag === "Json" ? cell : Column.toText(column, cell)

const text = (column: Column.Column): Sql => {
  const name = identifier(column.name)
  return column.kind._tag === "Timestamp"
    ? sql`to_char(${name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : sql`${name}::${literal(Column.postgresType(column.kind))}::text`
}
