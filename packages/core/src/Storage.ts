/**
 * How the table of an asset lies on disk. It changes no row and makes nothing stale: it is a matter of how much a query has
 * to read. PostgreSQL is told by `warehouse/SqlMonthTable`; in memory it means nothing.
 */

/**
 * One table.
 *
 * @category models
 * @since 0.1.0
 */
export interface Single {
  readonly _tag: "Single"
}

/**
 * A month table for each calendar month (UTC) of a column, behind one name.
 *
 * @category models
 * @since 0.1.0
 */
export interface ByMonth<out Column extends string = string> {
  readonly _tag: "ByMonth"
  readonly column: Column
}

/**
 * How a table lies on disk. The type parameter names the column.
 *
 * @category models
 * @since 0.1.0
 */
export type Storage<Column extends string = string> = Single | ByMonth<Column>

/**
 * One table, as every asset has it that says nothing else.
 *
 * @category constructors
 * @since 0.1.0
 */
export const single: Single = { _tag: "Single" }

/**
 * A month table for each calendar month (UTC) of a date or a timestamp that is never null.
 *
 * **Details**
 *
 * A query that says between which values of the column it reads opens the month tables of these alone. They are made when
 * the first row of their month comes; rows before 1970 and from 2100 on lie in two outer tables. The key of the asset has
 * the column, except where the write strategy is an upsert, which keeps one row for each key by itself.
 *
 * **Gotchas**
 *
 * Who looks a row up without its column looks into every month table. A late batch of an upsert does that for each of its
 * keys. A table that exists in the other form is never altered: drop it and materialize the asset again.
 *
 * @category constructors
 * @since 0.1.0
 */
export const byMonth = <const Column extends string>(column: Column): ByMonth<Column> => ({ _tag: "ByMonth", column })
