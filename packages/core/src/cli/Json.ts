/**
 * How do values become JSON? Rows keep every digit: decimals, dates and timestamps are strings in canonical text,
 * integers and booleans are themselves. Documents are one value, indented for people and stable for scripts.
 */
import * as BigDecimal from "effect/BigDecimal"
import type * as Schema from "effect/Schema"
import * as Column from "../Column.ts"

/**
 * A document, indented and ended with a line feed.
 *
 * @category conversions
 * @since 0.1.0
 */
export const document = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/**
 * A row as one JSON object in the order of the columns.
 *
 * @category conversions
 * @since 0.1.0
 */
export const row = (columns: ReadonlyArray<Column.Column>, cells: Column.Row): string =>
  JSON.stringify(Object.fromEntries(columns.map((column) => [column.name, cellOf(column, cells[column.name] ?? null)])))

// --- internal ---

const cellOf = (column: Column.Column, cell: Column.Cell): Schema.Json =>
  BigDecimal.isBigDecimal(cell) ? Column.toText(column, cell) : cell
