/**
 * SQL as data. A `Sql` is a sequence of literal text, quoted identifiers and bound values, built with the `sql`
 * template tag; it holds no connection and is compiled where it runs. Values interpolated into the template are
 * always bound as parameters, so no query is ever assembled from values.
 */
import * as Predicate from "effect/Predicate"

/**
 * The type id of `Sql`.
 *
 * @category type IDs
 * @since 0.1.0
 */
export const TypeId: TypeId = "~@assay/core/Sql"

/**
 * The type of `Sql`'s type id.
 *
 * @category type IDs
 * @since 0.1.0
 */
export type TypeId = "~@assay/core/Sql"

/**
 * One piece of a query.
 *
 * @category models
 * @since 0.1.0
 */
export type Segment =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Identifier"; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "Value"; readonly value: Value }

/**
 * What may be bound to a query. Decimals, dates, timestamps and JSON travel as text and are cast in the query.
 *
 * @category models
 * @since 0.1.0
 */
export type Value = string | number | bigint | boolean | null | ReadonlyArray<string | null>

/**
 * A query or a part of one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sql {
  readonly [TypeId]: TypeId
  readonly segments: ReadonlyArray<Segment>
}

/**
 * Tells whether a value is a `Sql`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isSql = (u: unknown): u is Sql => Predicate.hasProperty(u, TypeId)

/**
 * Builds a query from a template: nested `Sql` is spliced in, everything else is bound as a value.
 *
 * **Example**
 *
 * ```ts
 * import { sql } from "@assay/core/Sql"
 *
 * const adults = sql`SELECT name FROM person WHERE age >= ${18}`
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const sql = (strings: TemplateStringsArray, ...args: ReadonlyArray<Sql | Value>): Sql => {
  const segments: Array<Segment> = []
  strings.forEach((text, index) => {
    if (text.length > 0) segments.push({ _tag: "Text", text })
    if (index >= args.length) return
    const arg = args[index]
    if (arg === undefined) throw new TypeError("Sql: an interpolated value is undefined; use null for SQL NULL")
    if (isSql(arg)) segments.push(...arg.segments)
    else segments.push({ _tag: "Value", value: arg })
  })
  return make(segments)
}

/**
 * A query of the given segments.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (segments: ReadonlyArray<Segment>): Sql => ({ [TypeId]: TypeId, segments })

/**
 * A quoted identifier; several parts are joined with dots (`"dev"."gold_revenue"`).
 *
 * @category constructors
 * @since 0.1.0
 */
export const identifier = (...path: ReadonlyArray<string>): Sql => make([{ _tag: "Identifier", path }])

/**
 * Text taken as SQL as it is. Only for constants of the program, never for input.
 *
 * @category constructors
 * @since 0.1.0
 */
export const literal = (text: string): Sql => make([{ _tag: "Text", text }])

/**
 * A bound value.
 *
 * @category constructors
 * @since 0.1.0
 */
export const value = (bound: Value): Sql => make([{ _tag: "Value", value: bound }])

/**
 * The empty query.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Sql = make([])

/**
 * Joins queries with a separator.
 *
 * @category combinators
 * @since 0.1.0
 */
export const join = (parts: Iterable<Sql>, separator: string): Sql => {
  const segments: Array<Segment> = []
  let first = true
  for (const part of parts) {
    if (!first) segments.push({ _tag: "Text", text: separator })
    segments.push(...part.segments)
    first = false
  }
  return make(segments)
}

/**
 * Joins queries with commas: column lists, value lists.
 *
 * @category combinators
 * @since 0.1.0
 */
export const list = (parts: Iterable<Sql>): Sql => join(parts, ", ")

/**
 * Joins conditions with `AND`, in parentheses; no condition at all is `TRUE`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const and = (conditions: ReadonlyArray<Sql>): Sql =>
  conditions.length === 0 ? literal("TRUE") : combined(conditions, " AND ")

/**
 * Joins conditions with `OR`, in parentheses; no condition at all is `FALSE`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const or = (conditions: ReadonlyArray<Sql>): Sql =>
  conditions.length === 0 ? literal("FALSE") : combined(conditions, " OR ")

/**
 * The text of a query with PostgreSQL placeholders, and its values in order.
 *
 * @category conversions
 * @since 0.1.0
 */
export const compile = (self: Sql): { readonly text: string; readonly values: ReadonlyArray<Value> } => {
  const values: Array<Value> = []
  let text = ""
  for (const segment of self.segments) {
    switch (segment._tag) {
      case "Text":
        text += segment.text
        break
      case "Identifier":
        text += segment.path.map((part) => `"${part.replaceAll('"', '""')}"`).join(".")
        break
      case "Value":
        values.push(segment.value)
        text += `$${values.length}`
        break
    }
  }
  return { text, values }
}

// --- internal ---

/** Parentheses around each condition and around all of them, so that the result stands anywhere without a second thought. */
const combined = (conditions: ReadonlyArray<Sql>, operator: string): Sql =>
  sql`(${join(
    conditions.map((condition) => sql`(${condition})`),
    operator
  )})`
