/**
 * Values in memory as PostgreSQL would compare and store them: the order of two cells by their column's kind, the text
 * that stands for some columns of a row, and the form in which a table gives a written value back.
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Asset } from "../Asset.ts"
import { columnUnsafe } from "../Asset.ts"
import { type Cell, type Column, fromText, type Row, toText } from "../Column.ts"
import { compare as compareBytes } from "../internal/byteOrder.ts"

/**
 * The named columns of an asset.
 *
 * @category getters
 * @since 0.1.0
 */
export const named = (asset: Asset, names: Iterable<string>): ReadonlyArray<Column> =>
  Array.from(names, (name) => columnUnsafe(asset, name))

/**
 * The canonical text of a row's value in a column; null where the row has none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const text = (column: Column, row: Row): string | null => toText(column, row[column.name] ?? null)

/**
 * The text by which values of some columns are the same or not; null where one of them is.
 *
 * @category conversions
 * @since 0.1.0
 */
export const keyText = (columns: ReadonlyArray<Column>, row: Row): string | null => {
  const texts = columns.map((column) => text(column, row))
  return texts.includes(null) ? null : JSON.stringify(texts)
}

/**
 * The row as a table of these columns gives it back: its values in canonical form, and no other column.
 *
 * @category conversions
 * @since 0.1.0
 */
export const stored = (columns: ReadonlyArray<Column>, row: Row): Row =>
  Object.fromEntries(columns.map((column) => [column.name, fromText(column, text(column, row))]))

/**
 * Only the named columns of a row.
 *
 * @category conversions
 * @since 0.1.0
 */
export const pick = (names: ReadonlyArray<string>, row: Row): Row =>
  Object.fromEntries(names.map((name) => [name, row[name] ?? null]))

/**
 * Tells whether a value has a canonical text in its column, as PostgreSQL would say of the value that it reads from it.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWithin = ({ kind }: Column, cell: Cell): boolean => {
  switch (kind._tag) {
    case "Date":
      return typeof cell === "string" && /^(?!0000)\d{4}-\d{2}-\d{2}$/.test(cell)
    case "Timestamp":
      return typeof cell === "string" && /^(?!0000)\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/.test(cell)
    case "Integer":
      return Number.isSafeInteger(cell)
    default:
      return true
  }
}

/**
 * The order of two values of a column; null comes after every value. Documents are ordered by the text that PostgreSQL
 * gives them, so that the last of several is the same one there.
 *
 * @category comparing
 * @since 0.1.0
 */
export const compare = (column: Column, self: Cell, that: Cell): number => {
  if (self === null || that === null) return Number(self === null) - Number(that === null)
  if (column.kind._tag === "Json") return compareBytes(documentText(self), documentText(that))
  if (BigDecimal.isBigDecimal(self) && BigDecimal.isBigDecimal(that)) return BigDecimal.Order(self, that)
  if (typeof self === "number" && typeof that === "number") return self - that
  return compareBytes(toText(column, self) ?? "", toText(column, that) ?? "")
}

/**
 * The order of two rows by some columns, one after the other.
 *
 * @category comparing
 * @since 0.1.0
 */
export const compareRows =
  (columns: ReadonlyArray<Column>) =>
  (self: Row, that: Row): number => {
    for (const column of columns) {
      const order = compare(column, self[column.name] ?? null, that[column.name] ?? null)
      if (order !== 0) return order
    }
    return 0
  }

// --- internal ---

/** A document as PostgreSQL writes it: keys by their length first, then by their bytes; numbers without an exponent. */
const documentText = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(documentText).join(", ")}]`
  if (typeof value === "number") return plainNumber(value)
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const length = new TextEncoder()
  const entries = Object.entries(value)
    .map(([key, item]) => ({ key, item: documentText(item), bytes: length.encode(key).length }))
    .toSorted((a, b) => a.bytes - b.bytes || compareBytes(a.key, b.key))
  return `{${entries.map(({ item, key }) => `${JSON.stringify(key)}: ${item}`).join(", ")}}`
}

const plainNumber = (value: number): string => {
  const { scale, value: digits } = BigDecimal.fromStringUnsafe(String(value))
  if (scale <= 0) return (digits * 10n ** BigInt(-scale)).toString()
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, "0")
  return `${digits < 0n ? "-" : ""}${text.slice(0, -scale)}.${text.slice(-scale)}`
}
