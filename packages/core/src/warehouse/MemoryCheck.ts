/**
 * Asset checks in memory: the rows that break a rule, counted, and a few of them as text. The twin in SQL is
 * `SqlCheck.ts`.
 */
import type { Asset } from "../Asset.ts"
import type { AssetCheck, CheckResult } from "../AssetCheck.ts"
import { type Column, type Row, rowText, toText } from "../Column.ts"
import * as Cells from "./Cells.ts"

/**
 * What a check finds among the rows of a step. `inputs` holds all rows of the inputs that the check names.
 *
 * @category conversions
 * @since 0.1.0
 */
export const result = (
  asset: Asset,
  check: AssetCheck,
  rows: ReadonlyArray<Row>,
  inputs: { readonly [as: string]: ReadonlyArray<Row> }
): CheckResult => {
  const found = Array.from(violations(asset, check, rows, inputs))
  return {
    check: check.name,
    severity: check.severity,
    violations: found.length,
    examples: found.slice(0, 3).map((row) => describe(asset.columns, row))
  }
}

/**
 * A row as text for people, its values in canonical form.
 *
 * @category conversions
 * @since 0.1.0
 */
export const describe = (columns: ReadonlyArray<Column>, row: Row): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(row).map(([name, cell]) => {
        const column = columns.find((candidate) => candidate.name === name)
        return [name, column === undefined ? cell : toText(column, cell)]
      })
    )
  )

// --- internal ---

const violations = (
  asset: Asset,
  { rule }: AssetCheck,
  rows: ReadonlyArray<Row>,
  inputs: { readonly [as: string]: ReadonlyArray<Row> }
): Iterable<Row> => {
  switch (rule._tag) {
    case "NotNull":
      return rows.filter((row) => rule.columns.some((name) => row[name] === null))
    case "Unique": {
      const columns = Cells.named(asset, rule.columns)
      const whole = rows.filter((row) => Cells.keyText(columns, row) !== null)
      return Array.from(Map.groupBy(whole, (row) => rowText(columns, row)).values()).flatMap((group) => {
        const [first] = group
        return first === undefined || group.length === 1
          ? []
          : [{ ...Cells.pick(rule.columns, first), rows: group.length }]
      })
    }
    case "AcceptedValues": {
      const [column] = Cells.named(asset, [rule.column])
      const accepted = new Set(rule.values)
      return rows.filter((row) => {
        const text = column === undefined ? null : Cells.text(column, row)
        return text !== null && !accepted.has(text)
      })
    }
    case "Relationship": {
      const input = asset.inputs.find(({ as }) => as === rule.input)
      const [column] = Cells.named(asset, [rule.column])
      const [to] = input === undefined ? [] : Cells.named(input.asset, [rule.to])
      if (column === undefined || to === undefined) return rows
      const known = new Set((inputs[rule.input] ?? []).map((row) => Cells.text(to, row)))
      return rows.filter((row) => row[rule.column] !== null && !known.has(Cells.text(column, row)))
    }
    case "Condition":
      return rows.filter((row) => !rule.holds(row))
    case "Violations":
      return rule.violations(rows, inputs)
  }
}
