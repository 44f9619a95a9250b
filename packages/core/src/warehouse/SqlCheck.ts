/**
 * Asset checks in SQL: one query for all checks of a step, each counting the rows that break it and showing a few.
 */
import type { Asset } from "../Asset.ts"
import { columnUnsafe, unitColumns } from "../Asset.ts"
import type { AssetCheck, Rule } from "../AssetCheck.ts"
import { and, identifier, join, list, literal, or, sql, type Sql } from "../Sql.ts"
import { isToldByUnit } from "./MemoryCheck.ts"
import * as Refusal from "./Refusal.ts"
import * as SqlMonthTable from "./SqlMonthTable.ts"
import * as SqlRelation from "./SqlRelation.ts"
import * as SqlTable from "./SqlTable.ts"
import * as SqlUnit from "./SqlUnit.ts"
import type { Scope } from "./Warehouse.ts"

/**
 * The query of all checks, over the units of a step, or over the rows just added to a log: `position` of the check,
 * `violations`, and up to three `examples` as JSON text. A check that is not in the answer holds; undefined where all do.
 *
 * **Details**
 *
 * What a row tells by itself is counted in one pass over the rows, whatever number of checks asks it, and examples are only
 * looked for where there are any. What the table's own constraints tell, or the write before, is not asked again.
 *
 * @category conversions
 * @since 0.1.0
 */
export const query = (asset: Asset, scope: Scope, table: SqlRelation.TableOf): Sql | undefined => {
  const asked = asset.checks.flatMap((check, position) => (isImplied(asset, check, scope) ? [] : [{ check, position }]))
  if (asked.length === 0) return undefined
  // Of some units the rows are looked up once, whatever number of checks reads them.
  const isSome = asset.write._tag !== "Append" && scope.units._tag !== "All"
  const own = sql`SELECT t.* FROM ${table(asset)} AS t WHERE ${SqlUnit.inScope(asset, identifier("t"), scope)}`
  const rows =
    asset.write._tag === "Append"
      ? sql`(SELECT ${SqlTable.columns(asset, "t")} FROM ${SqlTable.change(asset)} AS t)`
      : isSome
        ? sql`(SELECT t.* FROM _assay_checked AS t)`
        : sql`(${own})`
  const tests: Array<Test> = []
  const others: Array<Sql> = []
  for (const { check, position } of asked) {
    const { rule } = check
    if (isOfRow(rule)) tests.push({ position, isBroken: brokenBy(asset, rule) })
    else others.push(counted(position, violations(rule, { asset, rows, scope, table })))
  }
  const checks = join([...(tests.length > 0 ? [passed(rows, tests)] : []), ...others], " UNION ALL ")
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

/** What a check asks of each row by itself: by which rows it is broken. */
interface Test {
  readonly position: number
  readonly isBroken: Sql
}

/**
 * Whether a check cannot be broken by what the table holds now: its columns are not null there, its key is unique, and where
 * everything was computed each unit was looked for in the one input that names them.
 */
const isImplied = (asset: Asset, { rule }: AssetCheck, scope: Scope): boolean => {
  switch (rule._tag) {
    case "NotNull":
      return !rule.columns.some((name) => columnUnsafe(asset, name).isNullable)
    case "Unique":
      return SqlMonthTable.tableKey(asset).every((name) => rule.columns.includes(name))
    case "Relationship": {
      const unit = unitColumns(asset)
      const [input, ...more] = asset.inputs
      return (
        scope.units._tag === "All" &&
        unit.length === 1 &&
        unit[0] === rule.column &&
        more.length === 0 &&
        input?.as === rule.input &&
        Refusal.naming(asset)?.every(({ columns }) => columns.every(({ name }) => name === rule.to)) === true
      )
    }
    default:
      return false
  }
}

type OfRow = Extract<Rule, { readonly _tag: "NotNull" | "AcceptedValues" | "Condition" }>

/** Whether each row tells by itself that it breaks a rule. */
const isOfRow = (rule: Rule): rule is OfRow =>
  rule._tag === "NotNull" || rule._tag === "AcceptedValues" || rule._tag === "Condition"

/** Which rows (`r`) break a rule. */
const brokenBy = (asset: Asset, rule: OfRow): Sql => {
  switch (rule._tag) {
    case "NotNull":
      return or(rule.columns.map((name) => sql`r.${identifier(name)} IS NULL`))
    case "AcceptedValues": {
      const { kind } = columnUnsafe(asset, rule.column)
      const value = sql`r.${identifier(rule.column)}`
      return kind._tag === "Json"
        ? sql`${value} <> ALL(${rule.values}::text[]::jsonb[])`
        : sql`${SqlUnit.text(kind, value)} <> ALL(${rule.values}::text[])`
    }
    case "Condition":
      return sql`(${rule.sql}) IS FALSE`
  }
}

/** Tests in one pass over the rows. */
const passed = (rows: Sql, tests: ReadonlyArray<Test>): Sql => {
  const count = (position: number) => identifier(`_assay_broken_${position}`)
  const counts = tests.map(
    ({ isBroken, position }) => sql`count(*) FILTER (WHERE ${isBroken})::int AS ${count(position)}`
  )
  const found = tests.map(
    ({ isBroken, position }) => sql`(${position}::int, ${count(position)}, CASE WHEN ${count(position)} > 0
      THEN ARRAY(SELECT row_to_json(v.*)::text FROM (SELECT r.* FROM ${rows} AS r WHERE ${isBroken} LIMIT ${mostExamples}) AS v)
      ELSE '{}' END)`
  )
  return sql`SELECT f.position, f.violations, f.examples FROM (SELECT ${list(counts)} FROM ${rows} AS r) AS c
    CROSS JOIN LATERAL (VALUES ${list(found)}) AS f(position, violations, examples)`
}

const counted = (position: number, rows: Sql): Sql =>
  sql`SELECT ${position}::int AS position, count(*)::int AS violations,
    coalesce((array_agg(row_to_json(v.*)::text))[1:${mostExamples}], '{}') AS examples FROM (${rows}) AS v`

const mostExamples = literal("3")

const violations = (rule: Exclude<Rule, OfRow>, { asset, rows, scope, table }: Context): Sql => {
  switch (rule._tag) {
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
    case "Relationship": {
      const input = asset.inputs.find(({ as }) => as === rule.input)
      const other =
        input === undefined ? sql`(SELECT NULL AS none)` : SqlRelation.ofInput(asset, input, everything, table)
      // What an edge maps by first has an index.
      const isIndexed = input?.mapping._tag === "ByColumns" && input.mapping.columns[0] === rule.to
      return unrelated(rows, {
        value: identifier("r", rule.column),
        other,
        to: identifier("o", rule.to),
        most: isIndexed ? fewLookups : fewValues
      })
    }
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
 * it from reading all of the other relation for the few: the month of a mart then spends 40 % of its time here. Which are
 * lost is asked once: where the server expects few rows, it would otherwise look all values up for each of them.
 */
const unrelated = (
  rows: Sql,
  {
    most,
    other,
    to,
    value
  }: {
    readonly value: Sql
    readonly other: Sql
    readonly to: Sql
    /** How many values are few. */
    readonly most: number
  }
): Sql =>
  sql`WITH seen AS MATERIALIZED (SELECT ${value} AS value FROM ${rows} AS r WHERE ${value} IS NOT NULL LIMIT ${fewRows + 1}::int),
    asked AS MATERIALIZED (SELECT DISTINCT value FROM seen),
    size AS MATERIALIZED (
      SELECT (SELECT count(*) FROM seen) <= ${fewRows}::int AND (SELECT count(*) FROM asked) <= ${most}::int AS is_small
    ),
    lost AS MATERIALIZED (
      SELECT a.value FROM asked AS a
      WHERE (SELECT is_small FROM size) AND NOT EXISTS (SELECT FROM ${other} AS o WHERE ${to} = a.value OFFSET 0)
      UNION ALL
      SELECT a.value FROM (SELECT DISTINCT ${value} AS value FROM ${rows} AS r) AS a
      WHERE (SELECT NOT is_small FROM size) AND a.value IS NOT NULL AND NOT EXISTS (SELECT FROM ${other} AS o WHERE ${to} = a.value)
    )
    SELECT r.* FROM ${rows} AS r WHERE ${value} IN (SELECT l.value FROM lost AS l)`

/** So many rows are read to learn how many values they have. */
const fewRows = 200_000

/** Of so many values, reading on until each is found costs no more than one pass, wherever they are. */
const fewValues = 16

/** Where an index finds each of them, of so many. */
const fewLookups = 10_000
