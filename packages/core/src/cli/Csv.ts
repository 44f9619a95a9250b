/**
 * How do rows become CSV? As RFC 4180 quotes it, with line feeds, in the order of the asset's columns and in canonical
 * text, so that equal rows give equal bytes on every machine.
 */
import * as Column from "../Column.ts"

/**
 * A line of cells, ended. A null is nothing at all; an empty text stands in quotes, so that it can be told from null.
 *
 * @category conversions
 * @since 0.1.0
 */
export const line = (cells: ReadonlyArray<string | null>): string => `${cells.map(field).join(",")}\n`

/**
 * The header of an asset's columns.
 *
 * @category conversions
 * @since 0.1.0
 */
export const header = (columns: ReadonlyArray<Column.Column>): string => line(columns.map(({ name }) => name))

/**
 * A row in the order of the columns.
 *
 * @category conversions
 * @since 0.1.0
 */
export const row = (columns: ReadonlyArray<Column.Column>, cells: Column.Row): string =>
  line(columns.map((column) => Column.toText(column, cells[column.name] ?? null)))

// --- internal ---

const field = (cell: string | null): string => {
  if (cell === null) return ""
  return cell === "" || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
