import { assert, describe, it } from "@effect/vitest"
import * as Chain from "./support/Chain.ts"
import * as Oracle from "./oracle/Recompute.ts"
import * as Record from "./support/Record.ts"

const options = { start: "2024-01-01", now: "2024-06-01T12:00:00Z" }
const asset = Chain.graph(options.start).assets.get("silver_events")

const silver = (...feed: Record.Feed) =>
  Chain.texts(asset?.columns ?? [], Chain.run(Record.land(...feed), options).get("silver_events") ?? [])

const conflicts = (...feed: Record.Feed) => {
  const check = asset?.checks.find(({ severity }) => severity === "warn")
  const landed = Record.land(...feed)
  const found =
    check?.rule._tag === "Violations" ? Array.from(check.rule.violations([], { events: landed })) : undefined
  assert.strictEqual(found?.length, Oracle.conflicts(Record.toVersions(landed)))
  return found?.map((row) => row["event_id"])
}

const at = (updated_at: string, fields = {}) => Record.invoice({ updated_at, ...fields })

describe("silver_events", () => {
  it("holds the version written last, however early it arrives", () => {
    const rows = silver(at("2024-03-05T00:00:00Z", { amount: "3" }), at("2024-03-04T00:00:00Z", { amount: "2" }))
    assert.deepStrictEqual(
      rows.map((row) => row["amount"]),
      ["3.0000"]
    )
  })

  it("lets a delete beat an upsert of the same instant, whatever the offset it is spelled with", () => {
    assert.deepStrictEqual(silver(at("2024-03-05T00:00:00Z", { op: "delete" }), at("2024-03-05T01:00:00+01:00")), [])
  })

  it("lets an upsert written after a delete bring the event back", () => {
    assert.strictEqual(
      silver(at("2024-03-05T00:00:00Z", { op: "delete" }), at("2024-03-05T00:00:00.000001Z")).length,
      1
    )
  })

  it("breaks a tie by content, not by arrival", () => {
    const [a, b] = [at("2024-03-05T00:00:00Z", { amount: "1" }), at("2024-03-05T00:00:00Z", { amount: "2" })]
    assert.deepStrictEqual(silver(a, b), silver(b, a))
  })

  it("knows the UTC day of an event, not the local one", () => {
    const [row] = silver(Record.invoice({ event_ts: "2024-03-04T00:30:00+01:00" }))
    assert.strictEqual(row?.["event_date"], "2024-03-03")
  })

  it("reports latest versions that contradict each other", () => {
    const [a, b] = [at("2024-03-05T00:00:00Z", { amount: "1" }), at("2024-03-05T00:00:00Z", { amount: "2" })]
    assert.deepStrictEqual(conflicts(a, b, at("2024-03-05T00:00:00Z", { event_id: "e2" })), ["e1"])
  })

  it("reports no conflict between equal versions, a version and its delete, or versions that a later one replaced", () => {
    const [a, b] = [at("2024-03-05T00:00:00Z", { amount: "1" }), at("2024-03-05T00:00:00Z", { amount: "2" })]
    assert.deepStrictEqual(conflicts(a, { ...a, amount: "1.00" }), [])
    assert.deepStrictEqual(conflicts(a, { ...a, op: "delete" }), [])
    assert.deepStrictEqual(conflicts(a, b, at("2024-03-06T00:00:00Z")), [])
    assert.deepStrictEqual(conflicts(a, b, { ...a, op: "delete" }), [])
  })
})
