/**
 * Which rows of an upstream asset an input looks at: for each named column, the values it may have. Being data, the
 * same filter restricts the rows a compute reads and the changes that make it stale, so the two cannot disagree.
 */
import type { Column, Row } from "./Column.ts"
import { toText } from "./Column.ts"
import { list, literal, sql, type Sql, and, identifier, value } from "./Sql.ts"

/**
 * The values each named column may have; all must match.
 *
 * @category models
 * @since 0.1.0
 */
export type RowFilter = { readonly [column: string]: ReadonlyArray<string> }

/**
 * Tells whether a row passes.
 *
 * @category predicates
 * @since 0.1.0
 */
export const matches = (columns: ReadonlyArray<Column>, filter: RowFilter | undefined, row: Row): boolean =>
  filter === undefined ||
  columns.every((column) => {
    const allowed = Object.hasOwn(filter, column.name) ? filter[column.name] : undefined
    if (allowed === undefined) return true
    const text = toText(column, row[column.name] ?? null)
    return text !== null && allowed.includes(text)
  })

/**
 * The filter as a condition over the columns of one relation.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toSql = (filter: RowFilter | undefined): Sql =>
  filter === undefined
    ? literal("TRUE")
    : and(
        Object.entries(filter).map(([column, allowed]) =>
          allowed.length === 0 ? literal("FALSE") : sql`${identifier(column)} IN (${list(allowed.map(value))})`
        )
      )
