import type { Asset } from "@assay/core/Asset"
import type { AssetCheck } from "@assay/core/AssetCheck"
import type * as Column from "@assay/core/Column"
import { isSql, sql, type Sql } from "@assay/core/Sql"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Chain from "./support/Chain.ts"
import * as History from "./support/History.ts"
import * as Record from "./support/Record.ts"
import * as Relation from "./support/Relation.ts"

const options = { start: "2024-01-20", now: "2024-05-10T09:00:00Z" }
const assets = Array.from(Chain.graph(options.start).assets.values())

/** The columns that a compute yields: the asset's own without those that the strategy makes, and what it asks for. */
const staged = ({ columns, write }: Asset): ReadonlyArray<Column.Column> => {
  const column = (name: string, kind: Column.Kind): Column.Column => ({
    name,
    kind,
    isNullable: false,
    description: undefined
  })
  switch (write._tag) {
    case "Upsert":
      return [...columns, column("_deleted", { _tag: "Boolean" }), column("_tie", { _tag: "Text" })]
    case "Scd2": {
      const made = new Set([write.surrogateKey, write.validTo, write.isCurrent])
      return [...columns.filter(({ name }) => !made.has(name)), column("_sequence", { _tag: "Integer" })]
    }
    default:
      return columns
  }
}

const relations = (asset: Asset, inputs: Chain.Inputs): { readonly [name: string]: Sql } => ({
  ...Object.fromEntries(
    asset.inputs.map(({ as, asset: upstream, columns }) => [
      as,
      Relation.fromRows(
        upstream.columns.filter(({ name }) => columns.includes(name)),
        inputs.rows.get(as) ?? []
      )
    ])
  ),
  units: Relation.fromUnits(inputs.units)
})

const statement = (asset: Asset, inputs: Chain.Inputs): Sql => {
  const query = asset.body._tag === "Compute" ? asset.body.compute.sql?.(relations(asset, inputs)) : undefined
  if (!isSql(query)) throw new Error(`${asset.name} has no plain sql compute`)
  return query
}

/** On the inputs that a history leads to, `sql` yields what `rows` yields, for every asset. */
const agree = (feed: Record.Feed) =>
  Effect.gen(function* () {
    const tables = Chain.run(Record.land(...feed), options)
    for (const asset of assets) {
      if (asset.body._tag === "Source") continue
      const inputs = Chain.inputs(asset, tables, Date.parse(options.now))
      const columns = staged(asset)
      const bySql = yield* Relation.query(columns, statement(asset, inputs))
      const byRows = Chain.texts(columns, Chain.compute(asset, inputs))
      assert.deepStrictEqual(Chain.ordered(bySql), Chain.ordered(byRows), asset.name)
    }
  })

/** The rows with one column's cells moved down by one row: likely wrong, and still of the right type. */
const shifted = (rows: ReadonlyArray<Column.Row>, column: string): ReadonlyArray<Column.Row> =>
  rows.map((row, index) => ({ ...row, [column]: rows.at(index - 1)?.[column] ?? null }))

/** What every condition and every search for violations finds, the same in SQL and in TypeScript, by check. */
const judge = (asset: Asset, rows: ReadonlyArray<Column.Row>, inputs: Chain.Inputs) =>
  Effect.gen(function* () {
    const relation = Relation.fromRows(asset.columns, rows)
    const count = (statement: Sql) =>
      Effect.map(Relation.query([number], sql`SELECT count(*) AS n FROM (${statement}) AS found`), ([row]) =>
        Number(row?.["n"])
      )
    const found = new Map<AssetCheck, number>()
    for (const check of asset.checks) {
      const { name, rule } = check
      if (rule._tag === "Condition") {
        found.set(check, yield* count(sql`SELECT FROM ${relation} AS t WHERE NOT (${rule.sql})`))
        assert.strictEqual(found.get(check), rows.filter((row) => !rule.holds(row)).length, `${asset.name}: ${name}`)
      }
      if (rule._tag === "Violations") {
        found.set(check, yield* count(rule.sql({ ...relations(asset, inputs), rows: relation })))
        const expected = Array.from(rule.violations(rows, Object.fromEntries(inputs.rows))).length
        assert.strictEqual(found.get(check), expected, `${asset.name}: ${name}`)
      }
    }
    return found
  })

const number: Column.Column = { name: "n", kind: { _tag: "Integer" }, isNullable: false, description: undefined }

it.layer(Relation.layer, { excludeTestServices: true })("on PostgreSQL", (it) => {
  it.effect.prop(
    "the queries yield what the rows computes yield",
    [History.History],
    ([history]) => agree(History.toFields(history)),
    { arbitrary: { runs: 60, size: 60 } }
  )

  it.effect.prop(
    "the queries yield it where subscriptions begin, grow, shrink and end",
    [History.SubscriptionHistory],
    ([history]) => agree(History.toFields(history)),
    { arbitrary: { runs: 60, size: 60 } }
  )

  it.effect.prop(
    "the checks judge sound and broken rows as their TypeScript does",
    [History.History],
    ([history]) =>
      Effect.gen(function* () {
        const tables = Chain.run(Record.land(...History.toFields(history)), options)
        for (const asset of assets) {
          const rows = tables.get(asset.name) ?? []
          const inputs = Chain.inputs(asset, tables, Date.parse(options.now))
          for (const [{ name, severity }, violations] of yield* judge(asset, rows, inputs)) {
            if (severity === "error") assert.strictEqual(violations, 0, `${asset.name}: ${name}`)
          }
          for (const { isNullable, kind, name } of asset.columns) {
            if (!isNullable && (kind._tag === "Decimal" || kind._tag === "Integer")) {
              yield* judge(asset, shifted(rows, name), inputs)
            }
          }
        }
      }),
    { arbitrary: { runs: 15, size: 60 } }
  )
})
