import { and, never, not, or, stale } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Days from "./Days.ts"

describe("never", () => {
  it("is true of nothing, also where nothing was ever built", () => {
    assert.deepStrictEqual(Days.ask({}, { left: { built: "" }, total: { built: "" } }), {})
    // It is not even decided on, so there are no parts to tell of.
    assert.deepStrictEqual(AutomationTester.make(Days.graph({})).evaluate("2024-03-06T12:00:00Z").explain("left"), [
      "never"
    ])
    assert.deepStrictEqual(Days.ask({ left: and(never, stale) }, { left: { stale: "2024-03-02" } }), {})
  })

  it("leaves other conditions as they are", () => {
    assert.deepStrictEqual(Days.ask({ left: or(never, stale) }, { left: { stale: "2024-03-02" } }), {
      left: "2024-03-02"
    })
    assert.deepStrictEqual(Days.ask({ left: not(never), total: not(never) }), {
      left: "2024-03-01..2024-03-05",
      total: "*"
    })
  })

  it.prop("is true of nothing whatever is said", [Days.Today, Days.Facts], ([day, facts]) => {
    const requested = Days.watch({ left: never, right: or(never, never) })(Days.noonOf(day), {
      left: facts,
      right: facts
    })
    assert.deepStrictEqual([requested("left"), requested("right")], [[], []])
  })
})
