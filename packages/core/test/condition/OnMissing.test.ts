import { onMissing } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Days from "./Days.ts"

describe("on missing", () => {
  it("is true of what was never built, and of nothing that is stale", () => {
    assert.deepStrictEqual(
      Days.ask({ left: onMissing }, { left: { missing: "2024-03-02", stale: "2024-03-03..2024-03-04" } }),
      { left: "2024-03-02" }
    )
  })

  it("lets what is in progress or failed wait", () => {
    const facts = { built: "", inProgress: "2024-03-01..2024-03-02", failed: "2024-03-03..2024-03-04" }
    assert.deepStrictEqual(Days.ask({ left: onMissing }, { left: facts }), { left: "2024-03-05" })
  })

  it("is true of a day from the instant on at which the day has ended", () => {
    const tester = AutomationTester.make(Days.graph({ left: onMissing }))
    const facts = { left: { built: "2024-03-01..2024-03-05" } }
    assert.deepStrictEqual(tester.evaluate("2024-03-06T23:59:59.999Z", facts).requested, {})
    assert.deepStrictEqual(tester.evaluate("2024-03-07T00:00:00Z", facts).requested, { left: "2024-03-06" })
  })

  it("is true of an asset without partitions until it is built", () => {
    assert.deepStrictEqual(Days.ask({ total: onMissing }, { total: { built: "" } }), { total: "*" })
    assert.deepStrictEqual(Days.ask({ total: onMissing }, { total: { stale: "all" } }), {})
  })

  it.prop(
    "requests what is missing and idle, whatever is stale, and not again what it requested (Verifies: L6)",
    [Days.Today, Days.Facts],
    ([day, facts]) => {
      const evaluate = Days.watch({ left: onMissing })
      const requested = evaluate(Days.noonOf(day), { left: facts })("left")
      const others = new Set<string>([...facts.built, ...facts.inProgress, ...facts.failed])
      assert.deepStrictEqual(
        requested,
        Days.existingOn(day).filter((key) => !others.has(key))
      )
      const begun = { ...facts, inProgress: [...facts.inProgress, ...requested] }
      assert.deepStrictEqual(evaluate(Days.noonOf(day), { left: begun })("left"), [])
      const done = { ...facts, built: [...facts.built, ...requested], stale: requested }
      assert.deepStrictEqual(evaluate(Days.noonOf(day), { left: done })("left"), [])
    }
  )
})
