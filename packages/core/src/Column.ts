/**
 * The columns of an asset: which kinds of value a table may hold, how each looks as an Effect Schema, as a PostgreSQL
 * type, and as canonical text. Canonical text is what makes results independent of session settings and of
 * JavaScript numbers: money never becomes a floating-point number and timestamps keep their microseconds.
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Schema from "effect/Schema"

/**
 * The kinds of column.
 *
 * **Details**
 *
 * | kind | TypeScript | PostgreSQL | canonical text |
 * | --- | --- | --- | --- |
 * | `Text` | `string` | `text` | itself |
 * | `Decimal` | `BigDecimal` | `numeric(p,s)` | `12.5000` (always `s` digits) |
 * | `Integer` | `number` (safe integers) | `bigint` | `42` |
 * | `Boolean` | `boolean` | `boolean` | `true`, `false` |
 * | `Date` | `string` | `date` | `2024-03-01` |
 * | `Timestamp` | `string` | `timestamptz` | `2024-03-01T00:00:00.000000Z` |
 * | `Json` | `Schema.Json` | `jsonb` | JSON with sorted keys |
 *
 * A value without a canonical text is refused where a compute in SQL makes one: days and instants outside of the years 1
 * to 9999 or at infinity, whole numbers that JavaScript rounds, decimals that are not a number.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind =
  | { readonly _tag: "Text" }
  | { readonly _tag: "Decimal"; readonly precision: number; readonly scale: number }
  | { readonly _tag: "Integer" }
  | { readonly _tag: "Boolean" }
  | { readonly _tag: "Date" }
  | { readonly _tag: "Timestamp" }
  | { readonly _tag: "Json" }

/**
 * One column of an asset's table.
 *
 * @category models
 * @since 0.1.0
 */
export interface Column {
  readonly name: string
  readonly kind: Kind
  readonly isNullable: boolean
  readonly description: string | undefined
}

/**
 * A value as a row holds it.
 *
 * @category models
 * @since 0.1.0
 */
export type Cell = BigDecimal.BigDecimal | Schema.Json

/**
 * A row whose column types are not known statically.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = { readonly [column: string]: Cell }

const kindAnnotation = "~@assay/core/Column/kind"

/**
 * Text.
 *
 * @category columns
 * @since 0.1.0
 */
export const text = Schema.String.annotate({ [kindAnnotation]: { _tag: "Text" } })

/**
 * An exact decimal: at most `precision` digits, of which `scale` stand after the point.
 *
 * @category columns
 * @since 0.1.0
 */
export const decimal = (options: { readonly precision: number; readonly scale: number }) =>
  Schema.BigDecimalFromString.annotate({ [kindAnnotation]: { _tag: "Decimal", ...options } })

/**
 * A whole number within JavaScript's safe integers.
 *
 * @category columns
 * @since 0.1.0
 */
export const integer = Schema.Int.annotate({ [kindAnnotation]: { _tag: "Integer" } })

/**
 * True or false.
 *
 * @category columns
 * @since 0.1.0
 */
export const boolean = Schema.Boolean.annotate({ [kindAnnotation]: { _tag: "Boolean" } })

/**
 * A calendar date without a zone, `2024-03-01`.
 *
 * @category columns
 * @since 0.1.0
 */
export const date = Schema.String.check(Schema.isPattern(/^\d{4}-\d{2}-\d{2}$/)).annotate({
  [kindAnnotation]: { _tag: "Date" }
})

/**
 * An instant in UTC with microseconds, `2024-03-01T00:00:00.000000Z`: fixed width, so text order is time order.
 *
 * @category columns
 * @since 0.1.0
 */
export const timestamp = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/)
).annotate({ [kindAnnotation]: { _tag: "Timestamp" } })

/**
 * Any JSON value.
 *
 * @category columns
 * @since 0.1.0
 */
export const json = Schema.Json.annotate({ [kindAnnotation]: { _tag: "Json" } })

/**
 * The same column, where null may stand too.
 *
 * @category columns
 * @since 0.1.0
 */
export const nullable = <S extends Schema.Constraint>(column: S): Schema.NullOr<S> => Schema.NullOr(column)

/**
 * A struct of columns: the shape of an asset's table.
 *
 * @category models
 * @since 0.1.0
 */
export type Struct<Fields extends Schema.Struct.Fields = Schema.Struct.Fields> = Schema.Struct<Fields>

/**
 * A definition that uses a field which is not a column.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidColumn extends Schema.TaggedError<InvalidColumn>("@assay/core/InvalidColumn")("InvalidColumn", {
  column: Schema.String,
  message: Schema.String
}) {}

/**
 * The columns of a struct, in order. Throws `InvalidColumn` where a field is not made of this module's columns.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromStruct = (struct: Struct): ReadonlyArray<Column> =>
  Object.entries(struct.fields).map(([name, field]) => {
    const union = field.ast._tag === "Union" ? field.ast.types : undefined
    const member = union?.find((type) => type._tag !== "Null") ?? field.ast
    const description = annotationsOf(field.ast)["description"] ?? annotationsOf(member)["description"]
    const kind = annotationsOf(member)[kindAnnotation]
    if (!isKind(kind)) {
      throw new InvalidColumn({
        column: name,
        message:
          `Column "${name}" has a schema that is not a column. Use Column.text, Column.decimal, Column.integer, ` +
          "Column.boolean, Column.date, Column.timestamp, Column.json, or Column.nullable of one of them."
      })
    }
    return {
      name,
      kind,
      isNullable: union !== undefined,
      description: typeof description === "string" ? description : undefined
    }
  })

/**
 * The canonical text of a value, or null.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toText = (column: Column, cell: Cell): string | null => {
  if (cell === null) return null
  if (column.kind._tag === "Json") return canonicalJson(cell)
  if (BigDecimal.isBigDecimal(cell))
    return formatDecimal(cell, column.kind._tag === "Decimal" ? column.kind.scale : cell.scale)
  return typeof cell === "string" ? cell : JSON.stringify(cell)
}

/**
 * The value that a canonical text stands for.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromText = (column: Column, text: string | null): Cell => {
  if (text === null) return null
  switch (column.kind._tag) {
    case "Decimal":
      return BigDecimal.fromStringUnsafe(text)
    case "Integer":
      return Number(text)
    case "Boolean":
      return text === "true"
    case "Json":
      return parseJson(text)
    default:
      return text
  }
}

/**
 * A whole row as one canonical text, by which rows are compared and hashed.
 *
 * @category conversions
 * @since 0.1.0
 */
export const rowText = (columns: ReadonlyArray<Column>, row: Row): string =>
  JSON.stringify(columns.map((column) => toText(column, row[column.name] ?? null)))

/**
 * JSON with its object keys sorted by code unit, so that equal values have equal text.
 *
 * @category conversions
 * @since 0.1.0
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(isSorted(value) ? value : sortKeys(value))

/**
 * The PostgreSQL type of a kind.
 *
 * @category conversions
 * @since 0.1.0
 */
export const postgresType = (kind: Kind): string => {
  switch (kind._tag) {
    case "Text":
      return "text"
    case "Decimal":
      return `numeric(${kind.precision},${kind.scale})`
    case "Integer":
      return "bigint"
    case "Boolean":
      return "boolean"
    case "Date":
      return "date"
    case "Timestamp":
      return "timestamptz"
    case "Json":
      return "jsonb"
  }
}

// --- internal ---

const annotationsOf = (ast: {
  readonly annotations?: object | undefined
  readonly checks?: ReadonlyArray<{ readonly annotations?: object | undefined }> | undefined
}): Record<string, unknown> => ({
  ...ast.annotations,
  ...ast.checks?.at(-1)?.annotations
})

const isKind = (u: unknown): u is Kind => typeof u === "object" && u !== null && "_tag" in u

/** Excess digits are rounded as PostgreSQL rounds them on the way into a column: half away from zero. */
const formatDecimal = (value: BigDecimal.BigDecimal, scale: number): string => {
  const scaled =
    value.scale === scale ? value : BigDecimal.scale(BigDecimal.round(value, { scale, mode: "half-from-zero" }), scale)
  const digits = (scaled.value < 0n ? -scaled.value : scaled.value).toString().padStart(scale + 1, "0")
  const sign = scaled.value < 0n ? "-" : ""
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const parseJson = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Json))

/** Whether a value has one canonical order already: no object in it, or one of plain values whose keys rise. */
const isSorted = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return true
  if (Array.isArray(value)) return false
  let before = ""
  for (const [key, item] of Object.entries(value)) {
    if (key < before || (typeof item === "object" && item !== null)) return false
    before = key
  }
  return true
}

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, item]) => [key, sortKeys(item)])
  )
}
