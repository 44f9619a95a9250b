import { missing } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Days from "./Days.ts"

describe("missing", () => {
  it("is true of what exists and was never built", () => {
    assert.deepStrictEqual(Days.ask({ left: missing }, { left: { built: "2024-03-01, 2024-03-03..2024-03-04" } }), {
      left: "2024-03-02, 2024-03-05"
    })
    assert.deepStrictEqual(Days.ask({ left: missing }, { left: { missing: "2024-03-04", stale: "2024-03-02" } }), {
      left: "2024-03-04"
    })
    assert.deepStrictEqual(Days.ask({ left: missing }), {})
  })

  it("is true of a day from the instant on at which the day has ended", () => {
    const tester = AutomationTester.make(Days.graph({ left: missing }))
    const facts = { left: { built: "2024-03-01..2024-03-05" } }
    assert.deepStrictEqual(tester.evaluate("2024-03-06T23:59:59.999Z", facts).requested, {})
    assert.deepStrictEqual(tester.evaluate("2024-03-07T00:00:00Z", facts).requested, { left: "2024-03-06" })
  })

  it("is true of an asset without partitions until it is built", () => {
    assert.deepStrictEqual(Days.ask({ total: missing }, { total: { built: "" } }), { total: "*" })
    assert.deepStrictEqual(Days.ask({ total: missing }, { total: { stale: "all" } }), {})
  })

  it.prop(
    "is what exists at a time without what is built (Verifies: L12)",
    [Days.Today, Days.Facts],
    ([day, facts]) => {
      assert.deepStrictEqual(
        Days.watch({ left: missing })(Days.noonOf(day), { left: facts })("left"),
        Days.existingOn(day).filter((key) => !facts.built.some((other) => other === key))
      )
    }
  )
})
