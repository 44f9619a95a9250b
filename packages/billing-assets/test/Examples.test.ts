import { assert, describe, it } from "@effect/vitest"
import * as Chain from "./support/Chain.ts"
import * as Record from "./support/Record.ts"

const options = { start: "2024-01-01", now: "2024-06-01T12:00:00Z" }
const graph = Chain.graph(options.start)

/** The rows of a table by one of its columns, as texts. */
const by = (feed: Record.Feed, name: string, column: string) => {
  const rows = Chain.run(Record.land(...feed), options).get(name) ?? []
  const texts = Chain.texts(graph.assets.get(name)?.columns ?? [], rows)
  return Map.groupBy(Chain.ordered(texts), (row) => row[column])
}

/** The values of a column under which a table holds other rows after more of the feed has arrived. */
const changed = (before: Record.Feed, more: Record.Feed, name: string, column: string) => {
  const [old, current] = [by(before, name, column), by([...before, ...more], name, column)]
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((value) => JSON.stringify(old.get(value)) !== JSON.stringify(current.get(value)))
    .toSorted((a, b) => (String(a) < String(b) ? -1 : 1))
}

const customer = Record.state("customer_created", "2024-01-05T00:00:00Z", {
  name: "Ann",
  segment: "smb",
  plan_type: "basic",
  monthly_amount: "10",
  billing_currency: "EUR"
})

const paid = (id: string, at: string) => Record.invoice({ event_id: id, event_ts: at, updated_at: at })

const history: Record.Feed = [
  customer,
  paid("i1", "2024-02-10T10:00:00Z"),
  paid("i2", "2024-03-03T10:00:00Z"),
  paid("i3", "2024-03-09T23:59:59.999999Z"),
  paid("i4", "2024-03-10T08:00:00Z"),
  paid("i5", "2024-03-20T10:00:00Z"),
  paid("i6", "2024-04-20T10:00:00Z"),
  paid("i7", "2024-05-02T10:00:00Z"),
  Record.invoice({ event_id: "other", customer_id: "c2", event_ts: "2024-03-20T10:00:00Z", currency: "USD" }),
  Record.state("customer_updated", "2024-05-01T00:00:00Z", { segment: "enterprise" })
]

describe("the examples of the contract", () => {
  it("a refund for 3 March that arrives on 20 May changes one day and one month", () => {
    const refund = [
      Record.invoice({
        event_id: "r1",
        event_type: "refund_issued",
        amount: "-4",
        event_ts: "2024-03-03T18:00:00Z",
        updated_at: "2024-05-20T09:00:00Z"
      })
    ]
    assert.deepStrictEqual(changed(history, refund, "gold_revenue", "revenue_date"), ["2024-03-03"])
    assert.deepStrictEqual(changed(history, refund, "mart_revenue_monthly", "revenue_month"), ["2024-03-01"])
    assert.deepStrictEqual(changed(history, refund, "dim_customer", "customer_id"), [])
    assert.deepStrictEqual(changed(history, refund, "mart_mrr_monthly", "mrr_month"), [])
  })

  it("a segment growth of 10 March that arrives on 1 June changes the days on which it was in force", () => {
    const growth = [
      Record.state(
        "customer_updated",
        "2024-03-10T08:00:00Z",
        { segment: "mid" },
        {
          updated_at: "2024-06-01T00:00:00Z"
        }
      )
    ]
    assert.deepStrictEqual(changed(history, growth, "gold_revenue", "revenue_date"), [
      "2024-03-10",
      "2024-03-20",
      "2024-04-20"
    ])
    const versions = by([...history, ...growth], "dim_customer", "valid_from")
    const inOrder = [...versions.values()]
      .flat()
      .toSorted((a, b) => (String(a["valid_from"]) < String(b["valid_from"]) ? -1 : 1))
    assert.deepStrictEqual(
      inOrder.map((row) => [row["valid_from"], row["valid_to"], row["segment"]]),
      [
        ["2024-01-05T00:00:00.000000Z", "2024-03-10T08:00:00.000000Z", "smb"],
        ["2024-03-10T08:00:00.000000Z", "2024-05-01T00:00:00.000000Z", "mid"],
        ["2024-05-01T00:00:00.000000Z", null, "enterprise"]
      ]
    )
    assert.deepStrictEqual(changed(history, growth, "mart_revenue_monthly", "revenue_month"), [])
  })

  it("the same file delivered twice changes nothing", () => {
    for (const name of ["silver_events", "dim_customer", "gold_revenue", "mart_revenue_monthly", "mart_mrr_monthly"]) {
      assert.deepStrictEqual(changed(history, history, name, graph.assets.get(name)?.columns[0]?.name ?? ""), [])
    }
  })

  it("an invoice corrected from 3 March to 5 March changes both days", () => {
    const correction = [{ ...paid("i2", "2024-03-05T10:00:00Z"), updated_at: "2024-03-06T00:00:00Z" }]
    assert.deepStrictEqual(changed(history, correction, "gold_revenue", "revenue_date"), ["2024-03-03", "2024-03-05"])
    assert.deepStrictEqual(changed(history, correction, "mart_revenue_monthly", "revenue_month"), [])
  })

  it("a deleted event stays absent when its older upsert comes again", () => {
    const [invoice] = [paid("i2", "2024-03-03T10:00:00Z")]
    const deletion = { ...invoice, op: "delete", updated_at: "2024-03-04T00:00:00Z" }
    assert.isTrue(by(history, "silver_events", "event_id").has("i2"))
    assert.isFalse(by([...history, deletion], "silver_events", "event_id").has("i2"))
    assert.isFalse(by([...history, deletion, invoice], "silver_events", "event_id").has("i2"))
    assert.deepStrictEqual(changed([...history, deletion], [invoice], "gold_revenue", "revenue_date"), [])
  })
})
