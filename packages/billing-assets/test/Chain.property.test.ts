import { assert, describe, it } from "@effect/vitest"
import * as Oracle from "./oracle/Recompute.ts"
import * as Chain from "./support/Chain.ts"
import * as History from "./support/History.ts"
import * as Record from "./support/Record.ts"

const start = "2024-01-20"
const now = "2024-05-10T09:00:00Z"

const withoutKey = (row: Oracle.Texts): Oracle.Texts =>
  Object.fromEntries(Object.entries(row).filter(([column]) => column !== "customer_sk"))

const agrees = (feed: Record.Feed) => {
  const landed = Record.land(...feed)
  const expected = Oracle.recompute(Record.toVersions(landed), start, now)
  const tables = Chain.run(landed, { start, now })
  const table = (name: string) => {
    const asset = Chain.graph(start).assets.get(name)
    return asset === undefined ? [] : Chain.ordered(Chain.texts(asset.columns, tables.get(name) ?? []).map(withoutKey))
  }
  assert.deepStrictEqual(table("silver_events"), Chain.ordered(expected.silver))
  assert.deepStrictEqual(table("dim_customer"), Chain.ordered(expected.dim))
  assert.deepStrictEqual(table("gold_revenue"), Chain.ordered(expected.gold))
  assert.deepStrictEqual(table("mart_revenue_monthly"), Chain.ordered(expected.martRevenue))
  assert.deepStrictEqual(table("mart_mrr_monthly"), Chain.ordered(expected.martMrr))
}

describe("the rows computes", () => {
  it.prop(
    "equal a naive recompute of the contract (Verifies: L1)",
    [History.History],
    ([history]) => agrees(History.toFields(history)),
    { arbitrary: { runs: 200, size: 60 } }
  )

  it.prop(
    "equal it where subscriptions begin, grow, shrink and end (Verifies: L1)",
    [History.SubscriptionHistory],
    ([history]) => agrees(History.toFields(history)),
    { arbitrary: { runs: 200, size: 60 } }
  )

  it.prop(
    "do not depend on the order of arrival (Verifies: L5)",
    [History.History],
    ([history]) => {
      const landed = Record.land(...History.toFields(history))
      const options = { start, now }
      const [forwards, backwards] = [Chain.run(landed, options), Chain.run(landed.toReversed(), options)]
      for (const asset of Chain.graph(start).assets.values()) {
        if (asset.body._tag === "Source") continue
        const texts = (tables: typeof forwards) =>
          Chain.ordered(Chain.texts(asset.columns, tables.get(asset.name) ?? []))
        assert.deepStrictEqual(texts(forwards), texts(backwards))
      }
    },
    { arbitrary: { runs: 50, size: 60 } }
  )
})
