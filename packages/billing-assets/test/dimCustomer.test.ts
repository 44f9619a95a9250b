import { assert, describe, it } from "@effect/vitest"
import * as Chain from "./support/Chain.ts"
import * as Record from "./support/Record.ts"

const options = { start: "2024-01-01", now: "2024-06-01T12:00:00Z" }
const asset = Chain.graph(options.start).assets.get("dim_customer")

const versions = (...feed: Record.Feed) =>
  Chain.texts(asset?.columns ?? [], Chain.run(Record.land(...feed), options).get("dim_customer") ?? []).toSorted(
    (a, b) => (String(a["valid_from"]) < String(b["valid_from"]) ? -1 : 1)
  )

const pick = (rows: ReturnType<typeof versions>, ...columns: ReadonlyArray<string>) =>
  rows.map((row) => columns.map((column) => row[column]))

/** What the compute says of each event, before the strategy makes versions of it. */
const observations = (...feed: Record.Feed) => {
  if (asset === undefined) throw new Error("the graph has no dim_customer")
  const tables = Chain.run(Record.land(...feed), options)
  return Chain.compute(asset, Chain.inputs(asset, tables, Date.parse(options.now))).toSorted(
    (a, b) => Number(a["_sequence"]) - Number(b["_sequence"])
  )
}

const [jan, feb, mar] = ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"] as const
const at = (day: string) => day.replace("Z", ".000000Z")

describe("dim_customer", () => {
  it("carries what an event does not mention, and takes away what it sets to null", () => {
    const rows = versions(
      Record.state("customer_created", jan, { name: "Ann", segment: "smb", country: "DE" }),
      Record.state("customer_updated", feb, { segment: null }),
      Record.state("customer_updated", mar, { country: "AT" })
    )
    assert.deepStrictEqual(pick(rows, "name", "segment", "country", "valid_from", "valid_to", "is_current"), [
      ["Ann", "smb", "DE", at(jan), at(feb), "false"],
      ["Ann", null, "DE", at(feb), at(mar), "false"],
      ["Ann", null, "AT", at(mar), null, "true"]
    ])
  })

  it("keeps an empty text apart from a null", () => {
    assert.deepStrictEqual(pick(versions(Record.state("customer_created", jan, { name: "" })), "name", "segment"), [
      ["", null]
    ])
  })

  it("ends the subscription on cancellation, after the cancellation's own attributes", () => {
    const rows = versions(
      Record.state("subscription_created", jan, { plan_type: "pro", monthly_amount: "10", billing_currency: "EUR" }),
      Record.state("subscription_cancelled", feb, { plan_type: "free", monthly_amount: "1", segment: "lost" }),
      Record.state("customer_updated", mar, { name: "Ann" })
    )
    assert.deepStrictEqual(pick(rows, "plan_type", "monthly_amount", "billing_currency", "segment", "name"), [
      ["pro", "10.0000", "EUR", null, null],
      [null, null, "EUR", "lost", null],
      [null, null, "EUR", "lost", "Ann"]
    ])
  })

  it("makes one version of several changes at one instant, ordered by when they were written, then by id", () => {
    const write = (event_id: string, updated_at: string, segment: string) =>
      Record.state("customer_updated", jan, { segment }, { event_id, updated_at })
    assert.deepStrictEqual(
      pick(versions(write("b", feb, "first"), write("a", mar, "second")), "segment", "valid_from"),
      [["second", at(jan)]]
    )
    assert.deepStrictEqual(pick(versions(write("\u{10000}", feb, "last"), write("\uffff", feb, "first")), "segment"), [
      ["last"]
    ])
    assert.deepStrictEqual(pick(versions(write("a", feb, "last"), write("B", feb, "first")), "segment"), [["last"]])
  })

  it("opens no version where nothing tracked changes, also where a change is taken back at the same instant", () => {
    const rows = versions(
      Record.state("customer_created", jan, { segment: "smb", monthly_amount: "10" }),
      Record.state("customer_updated", feb, { segment: "smb", monthly_amount: "10.00", email: "ann@example.com" }),
      Record.state("customer_updated", mar, { segment: "mid" }, { event_id: "1" }),
      Record.state("customer_updated", mar, { segment: "smb" }, { event_id: "2" })
    )
    assert.deepStrictEqual(pick(rows, "segment", "valid_from", "valid_to"), [["smb", at(jan), null]])
  })

  it("puts the latest email, the first channel and the first event on every version", () => {
    const rows = versions(
      Record.state("customer_created", jan, { segment: "smb", email: "old@example.com", acquisition_channel: null }),
      Record.state("customer_updated", feb, { segment: "mid", acquisition_channel: "web" }),
      Record.state("customer_updated", mar, { segment: "big", email: null, acquisition_channel: "fair" })
    )
    const expected = [null, "web", at(jan)]
    assert.deepStrictEqual(pick(rows, "email", "acquisition_channel", "created_at"), [expected, expected, expected])
  })

  it("tells the first channel also where another one is told at the same instant", () => {
    const rows = observations(
      Record.state("customer_created", jan, { acquisition_channel: "web" }, { event_id: "1" }),
      Record.state("customer_updated", jan, { acquisition_channel: "fair" }, { event_id: "2" })
    )
    assert.deepStrictEqual(
      rows.map((row) => row["acquisition_channel"]),
      ["web", "web"]
    )
  })

  it("learns nothing from money events", () => {
    assert.deepStrictEqual(versions(Record.invoice({ attributes: `{"segment":"smb"}` })), [])
  })

  it("rewrites history for a change that is heard of late", () => {
    const feed = [
      Record.state("customer_created", jan, { segment: "smb" }),
      Record.state("customer_updated", mar, { country: "AT" })
    ]
    const late = Record.state("customer_created", feb, { segment: "mid" }, { updated_at: "2024-05-01T00:00:00Z" })
    assert.deepStrictEqual(pick(versions(...feed, late), "segment", "country", "valid_from", "valid_to"), [
      ["smb", null, at(jan), at(feb)],
      ["mid", null, at(feb), at(mar)],
      ["mid", "AT", at(mar), null]
    ])
  })
})
