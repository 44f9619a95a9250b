import type { Row } from "@assay/core/Column"
import { assert, describe, it } from "@effect/vitest"
import * as Chain from "./support/Chain.ts"
import type { Texts } from "./oracle/Recompute.ts"
import * as Record from "./support/Record.ts"

const options = { start: "2024-01-01", now: "2024-06-15T12:00:00Z" }
const asset = Chain.graph(options.start).assets.get("mart_mrr_monthly")

const table = (feed: Record.Feed, { now, start } = options) =>
  Chain.texts(
    asset?.columns ?? [],
    Chain.run(Record.land(...feed), { now, start }).get("mart_mrr_monthly") ?? []
  ).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

/** Rows in short: month, currency, revenue, customers, and the movements that are not zero. */
const short = (rows: ReadonlyArray<Texts>) =>
  rows.map(({ active_customers, billing_currency, mrr, mrr_month, ...movements }) => {
    const moved = Object.entries(movements).filter(([, amount]) => amount !== "0.0000")
    const words = moved.map(([name, amount]) => `${name.replace("_mrr", "")} ${Number(amount)}`)
    return [mrr_month?.slice(0, 7), billing_currency, Number(mrr), Number(active_customers), ...words].join(" ")
  })

const pays = (
  at: string,
  monthly_amount: string | null,
  fields: { readonly [field: string]: string | null } = {},
  customer_id = "c1"
) =>
  Record.state(
    "customer_updated",
    at,
    { monthly_amount, billing_currency: "EUR", ...fields },
    {
      customer_id,
      event_id: `${customer_id} ${at}`
    }
  )

describe("mart_mrr_monthly", () => {
  it("tells what is new, comes back, grows, shrinks and goes", () => {
    const rows = table([
      pays("2024-01-10T00:00:00Z", "10"),
      pays("2024-02-10T00:00:00Z", "30"),
      pays("2024-03-10T00:00:00Z", "25"),
      pays("2024-04-10T00:00:00Z", null),
      pays("2024-06-10T00:00:00Z", "40")
    ])
    assert.deepStrictEqual(short(rows), [
      "2024-01 EUR 10 1 new 10",
      "2024-02 EUR 30 1 expansion 20",
      "2024-03 EUR 25 1 contraction -5",
      "2024-04 EUR 0 0 churn -25",
      "2024-06 EUR 40 1 reactivation 40"
    ])
  })

  it("looks only at the last instant of a month", () => {
    const rows = table([
      pays("2024-01-31T23:59:59.999999Z", "10"),
      pays("2024-03-01T00:00:00Z", "20"),
      pays("2024-03-15T00:00:00Z", "1000"),
      pays("2024-03-31T23:59:59.999999Z", "30"),
      pays("2024-05-31T23:59:59.999999Z", "0")
    ])
    assert.deepStrictEqual(short(rows), [
      "2024-01 EUR 10 1 new 10",
      "2024-02 EUR 10 1",
      "2024-03 EUR 30 1 expansion 20",
      "2024-04 EUR 30 1",
      "2024-05 EUR 0 0 churn -30"
    ])
  })

  it("takes a customer who paid only within a month for one who never paid", () => {
    const rows = table([
      pays("2024-01-10T00:00:00Z", "10"),
      pays("2024-01-20T00:00:00Z", null),
      pays("2024-03-10T00:00:00Z", "10")
    ])
    assert.deepStrictEqual(short(rows), [
      "2024-03 EUR 10 1 new 10",
      "2024-04 EUR 10 1",
      "2024-05 EUR 10 1",
      "2024-06 EUR 10 1"
    ])
  })

  it("sees a change of billing currency as going in one and coming in the other", () => {
    const rows = table([
      pays("2024-01-10T00:00:00Z", "10"),
      pays("2024-03-10T00:00:00Z", "12", { billing_currency: "USD" }),
      pays("2024-05-10T00:00:00Z", "11")
    ])
    assert.deepStrictEqual(short(rows), [
      "2024-01 EUR 10 1 new 10",
      "2024-02 EUR 10 1",
      "2024-03 EUR 0 0 churn -10",
      "2024-03 USD 12 1 new 12",
      "2024-04 USD 12 1",
      "2024-05 EUR 11 1 reactivation 11",
      "2024-05 USD 0 0 churn -12",
      "2024-06 EUR 11 1"
    ])
  })

  it("leaves out what has no currency", () => {
    const rows = table([
      pays("2024-01-10T00:00:00Z", "10", { billing_currency: null }),
      pays("2024-02-10T00:00:00Z", "10"),
      pays("2024-03-10T00:00:00Z", "10", { billing_currency: null })
    ])
    assert.deepStrictEqual(short(rows), ["2024-02 EUR 10 1 new 10", "2024-03 EUR 0 0 churn -10"])
  })

  it("does not move where a version changes something else", () => {
    const rows = table([pays("2024-04-10T00:00:00Z", "10"), pays("2024-05-10T00:00:00Z", "10", { name: "Ann" })])
    assert.deepStrictEqual(short(rows), ["2024-04 EUR 10 1 new 10", "2024-05 EUR 10 1", "2024-06 EUR 10 1"])
  })

  it("keeps movements of opposite direction apart, and sums them up", () => {
    const rows = table([
      ...["c1", "c2", "c3", "c4"].map((customer) => pays("2024-04-10T00:00:00Z", "10", {}, customer)),
      pays("2024-05-10T00:00:00Z", "13", {}, "c1"),
      pays("2024-05-10T00:00:00Z", "7", {}, "c2"),
      pays("2024-05-10T00:00:00Z", null, {}, "c3"),
      pays("2024-05-10T00:00:00Z", "5", {}, "c5")
    ])
    assert.deepStrictEqual(short(rows.slice(0, 2)), [
      "2024-04 EUR 40 4 new 40",
      "2024-05 EUR 35 4 new 5 expansion 3 contraction -3 churn -10"
    ])
  })

  it("remembers the months before the first partition", () => {
    const start = "2024-03-20"
    const before = pays("2023-01-10T00:00:00Z", "10")
    const rows = (...feed: Record.Feed) => short(table([before, ...feed], { ...options, start }))
    assert.strictEqual(rows()[0], "2024-03 EUR 10 1")
    assert.strictEqual(rows(pays("2024-03-10T00:00:00Z", "15"))[0], "2024-03 EUR 15 1 expansion 5")
    assert.strictEqual(rows(pays("2024-03-10T00:00:00Z", null))[0], "2024-03 EUR 0 0 churn -10")
    assert.deepStrictEqual(rows(pays("2023-05-10T00:00:00Z", null), pays("2024-06-10T00:00:00Z", "9")), [
      "2024-06 EUR 9 1 reactivation 9"
    ])
  })

  it("builds only the months that it is asked for, whichever they are", () => {
    if (asset === undefined) throw new Error("the graph has no mart_mrr_monthly")
    const feed = [
      pays("2024-01-10T00:00:00Z", "10"),
      pays("2024-03-10T00:00:00Z", "30"),
      pays("2024-05-10T00:00:00Z", null)
    ]
    const inputs = Chain.inputs(asset, Chain.run(Record.land(...feed), options), Date.parse(options.now))
    const units = inputs.units.filter(({ unit }) => unit === "2024-05-01" || unit === "2024-02-01").toReversed()
    const rows = Chain.texts(asset.columns, Chain.compute(asset, { ...inputs, units }))
    assert.deepStrictEqual(short(rows).toSorted(), ["2024-02 EUR 10 1", "2024-05 EUR 0 0 churn -30"])
  })

  it("has a check that finds months which do not add up", () => {
    const check = asset?.checks.find(({ name }) => name.startsWith("the month before"))
    const rows =
      Chain.run(Record.land(pays("2024-01-10T00:00:00Z", "10"), pays("2024-03-10T00:00:00Z", "30")), options).get(
        "mart_mrr_monthly"
      ) ?? []
    const found = (rows: ReadonlyArray<Row>) =>
      check?.rule._tag === "Violations"
        ? Array.from(check.rule.violations(rows, {}), (row) => row["mrr_month"])
        : undefined
    assert.deepStrictEqual(found(rows), [])
    const [january] = rows
    assert.deepStrictEqual(
      found(rows.map((row) => (row["mrr_month"] === "2024-03-01" ? { ...row, mrr: january?.["mrr"] ?? null } : row))),
      ["2024-03-01", "2024-04-01"]
    )
  })
})
