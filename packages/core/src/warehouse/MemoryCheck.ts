/**
 * Asset checks in memory: the rows that break a rule, counted, and a few of them as text. The twin in SQL is
 * `SqlCheck.ts`.
 */
import { type Asset, unitColumns } from "../Asset.ts"
import type { AssetCheck, CheckResult } from "../AssetCheck.ts"
import { type Column, fromText, type Row, rowText, toText } from "../Column.ts"
import * as Cells from "./Cells.ts"

/**
 * The rows that a check looks at: those of the step, all that are stored, and those of the inputs that it names.
 *
 * @category models
 * @since 0.1.0
 */
export interface Checked {
  readonly rows: ReadonlyArray<Row>
  readonly stored: ReadonlyArray<Row>
  readonly inputs: { readonly [as: string]: ReadonlyArray<Row> }
}

/**
 * What a check finds among the rows of a step.
 *
 * @category conversions
 * @since 0.1.0
 */
export const result = (asset: Asset, check: AssetCheck, checked: Checked): CheckResult => {
  const found = Array.from(violations(asset, check, checked))
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

/**
 * Tells whether rows that agree in some columns are all in one unit, so that the rows of a step tell whether there are
 * any. Of a log only what was just landed is looked at.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isToldByUnit = (asset: Asset, columns: ReadonlyArray<string>): boolean =>
  asset.write._tag === "Append" || unitColumns(asset).every((name) => columns.includes(name))

// --- internal ---

const violations = (asset: Asset, { rule }: AssetCheck, { inputs, rows, stored }: Checked): Iterable<Row> => {
  switch (rule._tag) {
    case "NotNull":
      return rows.filter((row) => rule.columns.some((name) => row[name] === null))
    case "Unique": {
      const columns = Cells.named(asset, rule.columns)
      const found = new Set(rows.map((row) => Cells.keyText(columns, row)))
      const whole = (isToldByUnit(asset, rule.columns) ? rows : stored).filter((row) => {
        const key = Cells.keyText(columns, row)
        return key !== null && found.has(key)
      })
      return Array.from(Map.groupBy(whole, (row) => rowText(columns, row)).values()).flatMap((group) => {
        const [first] = group
        return first === undefined || group.length === 1
          ? []
          : [{ ...Cells.pick(rule.columns, first), rows: group.length }]
      })
    }
    case "AcceptedValues": {
      const [column] = Cells.named(asset, [rule.column])
      const accepted = new Set(
        rule.values.map((value) => (column?.kind._tag === "Json" ? toText(column, fromText(column, value)) : value))
      )
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
