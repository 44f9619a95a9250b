/**
 * Asset checks in SQL: one query for all checks of a step, each counting the rows that break it and showing a few.
 */
import type { Asset } from "../Asset.ts"
import { columnUnsafe } from "../Asset.ts"
import type { AssetCheck } from "../AssetCheck.ts"
import { and, identifier, join, list, or, sql, type Sql } from "../Sql.ts"
import { isToldByUnit } from "./MemoryCheck.ts"
import * as SqlRelation from "./SqlRelation.ts"
import * as SqlTable from "./SqlTable.ts"
import * as SqlUnit from "./SqlUnit.ts"
import type { Scope } from "./Warehouse.ts"

/**
 * The query of all checks, over the units of a step, or over the rows just added to a log: `position` of the check, `violations`, and up to three `examples` as JSON text.
 *
 * @category conversions
 * @since 0.1.0
 */
export const query = (asset: Asset, scope: Scope, table: SqlRelation.TableOf): Sql => {
  // Of some units the rows are looked up once, whatever number of checks reads them.
  const isSome = asset.write._tag !== "Append" && scope.units._tag !== "All"
  const own = sql`SELECT t.* FROM ${table(asset)} AS t WHERE ${SqlUnit.inScope(asset, identifier("t"), scope)}`
  const rows =
    asset.write._tag === "Append"
      ? sql`(SELECT ${SqlTable.columns(asset, "t")} FROM ${SqlTable.change(asset)} AS t)`
      : isSome
        ? sql`(SELECT t.* FROM _assay_checked AS t)`
        : sql`(${own})`
  const checks = join(
    asset.checks.map(
      (check, position) =>
        sql`SELECT ${position}::int AS position, count(*)::int AS violations,
        coalesce((array_agg(row_to_json(v.*)::text))[1:3], '{}') AS examples
        FROM (${violations(check, { asset, rows, scope, table })}) AS v`
    ),
    " UNION ALL "
  )
  return isSome ? sql`WITH _assay_checked AS MATERIALIZED (${own}) ${checks}` : checks
}

// --- internal ---

const everything: Scope = { units: { _tag: "All" }, partitions: [] }

interface Context {
  readonly asset: Asset
  /** The rows that are checked. */
  readonly rows: Sql
  readonly scope: Scope
  readonly table: SqlRelation.TableOf
}

const violations = ({ rule }: AssetCheck, { asset, rows, scope, table }: Context): Sql => {
  switch (rule._tag) {
    case "NotNull":
      return sql`SELECT r.* FROM ${rows} AS r WHERE ${or(rule.columns.map((name) => sql`r.${identifier(name)} IS NULL`))}`
    case "Unique": {
      const columns = list(rule.columns.map((name) => identifier(name)))
      const whole = rule.columns.map((name) => sql`r.${identifier(name)} IS NOT NULL`)
      // Rows of two units can agree: then those just computed are compared with all others.
      const compared = isToldByUnit(asset, rule.columns)
        ? rows
        : sql`(SELECT t.* FROM ${table(asset)} AS t
            WHERE (${list(rule.columns.map((name) => identifier("t", name)))}) IN (SELECT ${columns} FROM ${rows} AS r))`
      return sql`SELECT ${columns}, count(*) AS rows FROM ${compared} AS r
        WHERE ${and(whole)}
        GROUP BY ${columns} HAVING count(*) > 1`
    }
    case "AcceptedValues": {
      const { kind } = columnUnsafe(asset, rule.column)
      const value = sql`r.${identifier(rule.column)}`
      return kind._tag === "Json"
        ? sql`SELECT r.* FROM ${rows} AS r WHERE ${value} <> ALL(${rule.values}::text[]::jsonb[])`
        : sql`SELECT r.* FROM ${rows} AS r WHERE ${SqlUnit.text(kind, value)} <> ALL(${rule.values}::text[])`
    }
    case "Relationship": {
      const input = asset.inputs.find(({ as }) => as === rule.input)
      const other =
        input === undefined ? sql`(SELECT NULL AS none)` : SqlRelation.ofInput(asset, input, everything, table)
      return unrelated(rows, { value: identifier("r", rule.column), other, to: identifier("o", rule.to) })
    }
    case "Condition":
      return sql`SELECT r.* FROM ${rows} AS r WHERE (${rule.sql}) IS FALSE`
    case "Violations": {
      const inputs = Object.fromEntries(
        asset.inputs.map((input) => [input.as, SqlRelation.ofInput(asset, input, scope, table)])
      )
      return rule.sql({ ...inputs, rows })
    }
  }
}

/**
 * The rows whose value is nowhere in another relation. Of few values each is looked for until it is found, which reads
 * little of the other relation also where no index helps; of many, all different ones are looked up in one pass over it.
 *
 * **Details**
 *
 * How many there are is known when they are read, so the query has both ways and the server takes one. `OFFSET 0` keeps
 * it from reading all of the other relation for the few: the month of a mart then spends 40 % of its time here. Of the many,
 * which are lost is asked once: where few rows were expected, 100 days were looked up 100 times each.
 */
const unrelated = (
  rows: Sql,
  { other, to, value }: { readonly value: Sql; readonly other: Sql; readonly to: Sql }
): Sql =>
  sql`WITH seen AS MATERIALIZED (SELECT ${value} AS value FROM ${rows} AS r WHERE ${value} IS NOT NULL LIMIT ${fewRows + 1}::int),
    asked AS MATERIALIZED (SELECT DISTINCT value FROM seen),
    size AS MATERIALIZED (
      SELECT (SELECT count(*) FROM seen) <= ${fewRows}::int AND (SELECT count(*) FROM asked) <= ${fewValues}::int AS is_small
    ),
    lost AS MATERIALIZED (
      SELECT a.value FROM (SELECT DISTINCT ${value} AS value FROM ${rows} AS r) AS a
      WHERE a.value IS NOT NULL AND NOT EXISTS (SELECT FROM ${other} AS o WHERE ${to} = a.value)
    )
    SELECT r.* FROM ${rows} AS r WHERE (SELECT is_small FROM size)
      AND ${value} IN (SELECT a.value FROM asked AS a WHERE NOT EXISTS (SELECT FROM ${other} AS o WHERE ${to} = a.value OFFSET 0))
    UNION ALL
    SELECT r.* FROM ${rows} AS r WHERE (SELECT NOT is_small FROM size) AND ${value} IN (SELECT l.value FROM lost AS l)`

/** So many rows are read to learn how many values they have. */
const fewRows = 20_000

/** Of so many values, reading on until each is found costs no more than one pass, wherever they are. */
const fewValues = 16
