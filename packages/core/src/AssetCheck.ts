/**
 * What must hold of an asset's rows. A check is data with an interpreter in the warehouse; a blocking check that fails
 * keeps the previous rows visible and the units stale (L11). Checks look at the rows of the units just computed.
 */
import type { Column, Row } from "./Column.ts"
import { identifier, list, type Sql, sql } from "./Sql.ts"

/**
 * Whether a failed check stops the step (`error`) or is only reported (`warn`).
 *
 * @category models
 * @since 0.1.0
 */
export type Severity = "error" | "warn"

/**
 * What is checked.
 *
 * @category models
 * @since 0.1.0
 */
export type Rule<Name extends string = string> =
  | { readonly _tag: "NotNull"; readonly columns: ReadonlyArray<Name> }
  | { readonly _tag: "Unique"; readonly columns: ReadonlyArray<Name> }
  | { readonly _tag: "AcceptedValues"; readonly column: Name; readonly values: ReadonlyArray<string> }
  | { readonly _tag: "Relationship"; readonly column: Name; readonly input: string; readonly to: string }
  | { readonly _tag: "Condition"; readonly sql: Sql; readonly holds: (row: Row) => boolean }
  | {
      readonly _tag: "Violations"
      readonly sql: (relations: { readonly rows: Sql; readonly [input: string]: Sql }) => Sql
      readonly violations: (
        rows: ReadonlyArray<Row>,
        inputs: { readonly [input: string]: ReadonlyArray<Row> }
      ) => Iterable<Row>
    }

/**
 * A named rule with its severity.
 *
 * @category models
 * @since 0.1.0
 */
export interface AssetCheck<out Name extends string = string> {
  readonly name: string
  readonly severity: Severity
  readonly rule: Rule<Name>
}

/**
 * What a check found: how many rows break it, and a few of them as text.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckResult {
  readonly check: string
  readonly severity: Severity
  readonly violations: number
  readonly examples: ReadonlyArray<string>
}

/**
 * The columns are never null.
 *
 * @category constructors
 * @since 0.1.0
 */
export const notNull = <const Name extends string>(...columns: readonly [Name, ...Array<Name>]): AssetCheck<Name> => ({
  name: `not null: ${columns.join(", ")}`,
  severity: "error",
  rule: { _tag: "NotNull", columns }
})

/**
 * No two rows agree in all of the columns. The rows just computed are compared with all of the asset's, those just landed
 * with each other.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unique = <const Name extends string>(...columns: readonly [Name, ...Array<Name>]): AssetCheck<Name> => ({
  name: `unique: ${columns.join(", ")}`,
  severity: "error",
  rule: { _tag: "Unique", columns }
})

/**
 * The column holds one of the values, or null.
 *
 * @category constructors
 * @since 0.1.0
 */
export const acceptedValues = <const Name extends string>(
  column: Name,
  values: readonly [string, ...Array<string>]
): AssetCheck<Name> => ({
  name: `accepted values: ${column}`,
  severity: "error",
  rule: { _tag: "AcceptedValues", column, values }
})

/**
 * Each value of the column that is not null is found in a column of an input.
 *
 * @category constructors
 * @since 0.1.0
 */
export const relationship = <const Name extends string>(
  column: Name,
  options: { readonly input: string; readonly to: string }
): AssetCheck<Name> => ({
  name: `relationship: ${column} in ${options.input}.${options.to}`,
  severity: "error",
  rule: { _tag: "Relationship", column, ...options }
})

/**
 * A condition that every row meets, said twice: in SQL over the columns, and as a predicate.
 *
 * @category constructors
 * @since 0.1.0
 */
export const condition = (
  name: string,
  options: { readonly sql: Sql; readonly holds: (row: Row) => boolean }
): AssetCheck<never> => ({ name, severity: "error", rule: { _tag: "Condition", ...options } })

/**
 * A query that finds the rows which break a rule, said twice: in SQL over `rows` (and, by name, the inputs as the step read them), and as a
 * function over the rows and the rows of the inputs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const violations = (
  name: string,
  options: {
    readonly sql: (relations: { readonly rows: Sql; readonly [input: string]: Sql }) => Sql
    readonly violations: (
      rows: ReadonlyArray<Row>,
      inputs: { readonly [input: string]: ReadonlyArray<Row> }
    ) => Iterable<Row>
  }
): AssetCheck<never> => ({ name, severity: "error", rule: { _tag: "Violations", ...options } })

/**
 * The same check, only reported when it fails.
 *
 * @category combinators
 * @since 0.1.0
 */
export const warn = <Name extends string>(self: AssetCheck<Name>): AssetCheck<Name> => ({ ...self, severity: "warn" })

/**
 * The check that holds a slowly changing dimension together (L10): windows are not empty, do not overlap and at most
 * one is open per key.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scd2Shape = <const Name extends string>(options: {
  readonly key: readonly [Name, ...Array<Name>]
  readonly validFrom: Name
  readonly validTo: Name
  readonly isCurrent: Name
}): AssetCheck<Name> => ({
  name: "SCD2 shape",
  severity: "error",
  rule: scd2ShapeRule(options)
})

/**
 * The columns a check speaks of, for definition-time validation.
 *
 * @category getters
 * @since 0.1.0
 */
export const columnsOf = (self: AssetCheck): ReadonlyArray<Column["name"]> => {
  switch (self.rule._tag) {
    case "NotNull":
    case "Unique":
      return self.rule.columns
    case "AcceptedValues":
    case "Relationship":
      return [self.rule.column]
    default:
      return []
  }
}

// --- internal ---

const scd2ShapeRule = (options: {
  readonly key: ReadonlyArray<string>
  readonly validFrom: string
  readonly validTo: string
  readonly isCurrent: string
}): Rule<never> => {
  const key = list(options.key.map((column) => identifier(column)))
  const from = identifier(options.validFrom)
  const to = identifier(options.validTo)
  const current = identifier(options.isCurrent)
  const startOf = (row: Row): string => {
    const start = row[options.validFrom]
    return typeof start === "string" ? start : ""
  }
  const keyOf = (row: Row) => JSON.stringify(options.key.map((column) => row[column]))
  return {
    _tag: "Violations",
    sql: ({ rows }) => sql`
      SELECT s.* FROM (
        SELECT r.*, lead(${from}) OVER (PARTITION BY ${key} ORDER BY ${from}) AS _assay_next FROM ${rows} AS r
      ) AS s
      WHERE ${to} <= ${from} OR _assay_next < coalesce(${to}, 'infinity') OR ${current} <> (${to} IS NULL)`,
    violations: function* (rows) {
      const byKey = Map.groupBy(rows, keyOf)
      for (const versions of byKey.values()) {
        const sorted = versions.toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1))
        for (const [index, row] of sorted.entries()) {
          const start = startOf(row)
          const end = row[options.validTo]
          const next = sorted[index + 1]
          const isEmpty = typeof end === "string" && end <= start
          const overlaps = next !== undefined && (typeof end !== "string" || startOf(next) < end)
          if (isEmpty || overlaps || row[options.isCurrent] !== (end === null)) yield row
        }
      }
    }
  }
}
