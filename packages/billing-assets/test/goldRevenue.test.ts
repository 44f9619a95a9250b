import { assert, describe, it } from "@effect/vitest"
import * as Chain from "./support/Chain.ts"
import * as Record from "./support/Record.ts"

const options = { start: "2024-03-01", now: "2024-03-31T12:00:00Z" }
const graph = Chain.graph(options.start)

const table = (name: "gold_revenue" | "mart_revenue_monthly", ...feed: Record.Feed) =>
  Chain.ordered(
    Chain.texts(graph.assets.get(name)?.columns ?? [], Chain.run(Record.land(...feed), options).get(name) ?? [])
  )

const pick = (rows: ReturnType<typeof table>, ...columns: ReadonlyArray<string>) =>
  rows.map((row) => columns.map((column) => row[column]))

const created = Record.state("customer_created", "2024-03-03T10:00:00Z", { segment: "smb", plan_type: null })
const paid = (id: string, event_ts: string, fields = {}) => Record.invoice({ event_id: id, event_ts, ...fields })

describe("gold_revenue", () => {
  it("takes the customer as it was at the moment of the event", () => {
    const rows = table(
      "gold_revenue",
      created,
      Record.state("customer_updated", "2024-03-03T12:00:00Z", { segment: "mid" }),
      paid("before", "2024-03-03T09:59:59.999999Z"),
      paid("first", "2024-03-03T10:00:00Z"),
      paid("last", "2024-03-03T11:59:59.999999Z"),
      paid("next", "2024-03-03T12:00:00Z")
    )
    assert.deepStrictEqual(pick(rows, "segment", "plan_type", "invoice_count"), [
      ["mid", "none", "1"],
      ["smb", "none", "2"],
      ["unknown", "unknown", "1"]
    ])
  })

  it("finds no version after the last one has ended", () => {
    const gold = graph.assets.get("gold_revenue")
    const customer = {
      customer_id: "c1",
      segment: "smb",
      plan_type: "pro",
      valid_from: "2024-03-01T00:00:00.000000Z",
      valid_to: "2024-03-03T10:00:00.000000Z"
    }
    const silver = Chain.run(Record.land(paid("e", "2024-03-03T10:00:00Z")), options).get("silver_events") ?? []
    const inputs = {
      rows: new Map([
        ["events", silver],
        ["customers", [customer]]
      ]),
      units: []
    }
    assert.deepStrictEqual(gold === undefined ? [] : Chain.compute(gold, inputs).map((row) => row["segment"]), [
      "unknown"
    ])
  })

  it("adds up invoices, refunds and disputes, and counts each paying customer once", () => {
    const [row] = table(
      "gold_revenue",
      paid("1", "2024-03-03T01:00:00Z", { amount: "0.1" }),
      paid("2", "2024-03-03T02:00:00Z", { amount: "0.2" }),
      paid("3", "2024-03-03T03:00:00Z", { amount: "100", customer_id: "c2" }),
      paid("4", "2024-03-03T04:00:00Z", { event_type: "refund_issued", amount: "-0.3" }),
      paid("5", "2024-03-03T05:00:00Z", { event_type: "dispute_opened", amount: "-50", customer_id: "c3" }),
      paid("6", "2024-03-03T06:00:00Z", { event_type: "dispute_won", amount: "20.0001", customer_id: "c3" })
    )
    assert.deepStrictEqual(row, {
      revenue_date: "2024-03-03",
      currency: "EUR",
      segment: "unknown",
      plan_type: "unknown",
      invoice_count: "3",
      gross_amount: "100.3000",
      refund_count: "1",
      refund_amount: "-0.3000",
      dispute_amount: "-29.9999",
      net_amount: "70.0001",
      paying_customers: "2"
    })
  })

  it("keeps every digit of sums beyond the range of one amount", () => {
    const most = "9999999999999999.9999"
    const [row] = table(
      "gold_revenue",
      ...["1", "2", "3"].map((id) => paid(id, "2024-03-03T01:00:00Z", { amount: most }))
    )
    assert.strictEqual(row?.["net_amount"], "29999999999999999.9997")
  })

  it("separates currencies and days, and leaves out days before the first and after the running one", () => {
    const rows = table(
      "gold_revenue",
      paid("1", "2024-02-29T23:59:59.999999Z"),
      paid("2", "2024-03-01T00:00:00Z"),
      paid("3", "2024-03-01T00:00:00Z", { currency: "USD" }),
      paid("4", "2024-03-31T23:59:59Z"),
      paid("5", "2024-04-01T00:00:00Z")
    )
    assert.deepStrictEqual(pick(rows, "revenue_date", "currency"), [
      ["2024-03-01", "EUR"],
      ["2024-03-01", "USD"],
      ["2024-03-31", "EUR"]
    ])
  })
})

describe("mart_revenue_monthly", () => {
  it("counts a customer who pays on several days once a month, whatever its segment", () => {
    const rows = table(
      "mart_revenue_monthly",
      created,
      paid("1", "2024-03-01T00:00:00Z"),
      paid("2", "2024-03-31T23:59:59.999999Z"),
      paid("3", "2024-03-15T00:00:00Z", { customer_id: "c2", currency: "USD" }),
      paid("4", "2024-02-29T00:00:00Z"),
      paid("5", "2024-04-01T00:00:00Z")
    )
    assert.deepStrictEqual(pick(rows, "revenue_month", "currency", "invoice_count", "paying_customers", "net_amount"), [
      ["2024-03-01", "EUR", "2", "1", "20.0000"],
      ["2024-03-01", "USD", "1", "1", "10.0000"]
    ])
  })

  it("begins with the whole month of the first day", () => {
    const middle = { start: "2024-03-15", now: options.now }
    const tables = Chain.run(Record.land(paid("1", "2024-03-02T00:00:00Z")), middle)
    assert.strictEqual(tables.get("mart_revenue_monthly")?.length, 1)
    assert.strictEqual(tables.get("gold_revenue")?.length, 0)
  })
})
