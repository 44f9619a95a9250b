import { eager } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Days from "./Days.ts"

describe("eager", () => {
  it("is true of whatever is missing or stale, and of nothing in progress", () => {
    assert.deepStrictEqual(
      Days.ask(
        { left: eager },
        { left: { missing: "2024-03-02", stale: "2024-03-03..2024-03-04", inProgress: "2024-03-03" } }
      ),
      { left: "2024-03-02, 2024-03-04" }
    )
  })

  it("lets what failed wait", () => {
    const facts = { left: { stale: "2024-03-03..2024-03-04", failed: "2024-03-03" } }
    assert.deepStrictEqual(Days.ask({ left: eager }, facts), { left: "2024-03-04" })
    assert.deepStrictEqual(Days.ask({ left: eager }, { left: { missing: "2024-03-03", failed: "2024-03-03" } }), {})
  })

  it("is true of a day for which data came late, however old it is", () => {
    const tester = AutomationTester.make(Days.graph({ left: eager }))
    assert.deepStrictEqual(tester.evaluate("2034-01-01T00:00:00Z", { left: { stale: "2024-03-01" } }).requested, {
      left: "2024-03-01"
    })
  })

  it("is true of an asset without partitions that is missing or stale", () => {
    assert.deepStrictEqual(Days.ask({ total: eager }, { total: { built: "" } }), { total: "*" })
    assert.deepStrictEqual(Days.ask({ total: eager }, { total: { stale: "all" } }), { total: "*" })
    assert.deepStrictEqual(Days.ask({ total: eager }, { total: { stale: "all", inProgress: "all" } }), {})
  })

  it.prop(
    "requests what is due once: not what is in progress or failed, and not again what it requested (Verifies: L6)",
    [Days.Today, Days.Facts],
    ([day, facts]) => {
      const evaluate = Days.watch({ left: eager })
      const requested = evaluate(Days.noonOf(day), { left: facts })("left")
      const is = (keys: ReadonlyArray<string>) => (key: string) => keys.includes(key)
      assert.deepStrictEqual(
        requested,
        Days.existingOn(day)
          .filter((key) => is(facts.stale)(key) || !is(facts.built)(key))
          .filter((key) => !is(facts.inProgress)(key) && !is(facts.failed)(key))
      )
      const begun = { ...facts, inProgress: [...facts.inProgress, ...requested] }
      assert.deepStrictEqual(evaluate(Days.noonOf(day), { left: begun })("left"), [])
      const stale = facts.stale.filter((key) => !requested.includes(key))
      const done = { ...facts, built: [...facts.built, ...requested], stale, updated: requested }
      assert.deepStrictEqual(evaluate(Days.noonOf(day), { left: done })("left"), [])
    }
  )
})
