import { and, inLatestWindow, missing, not } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

const Windows = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10 }))

describe("in the latest window", () => {
  it("is true of the last windows that exist, one unless said otherwise", () => {
    assert.deepStrictEqual(Days.ask({ left: inLatestWindow() }), { left: "2024-03-05" })
    assert.deepStrictEqual(Days.ask({ left: inLatestWindow(3) }), { left: "2024-03-03..2024-03-05" })
    assert.deepStrictEqual(Days.ask({ left: inLatestWindow(99) }), { left: "2024-03-01..2024-03-05" })
  })

  it("is about what exists, not about what is built", () => {
    const facts = { left: { built: "2024-03-01, 2024-03-03" } }
    assert.deepStrictEqual(Days.ask({ left: inLatestWindow() }, facts), { left: "2024-03-05" })
    assert.deepStrictEqual(Days.ask({ left: and(missing, inLatestWindow(2)) }, facts), {
      left: "2024-03-04..2024-03-05"
    })
  })

  it("moves on at the instant at which the next window ends", () => {
    const tester = AutomationTester.make(Days.graph({ left: inLatestWindow() }))
    assert.deepStrictEqual(tester.evaluate("2024-03-06T23:59:59.999Z").requested, { left: "2024-03-05" })
    assert.deepStrictEqual(tester.evaluate("2024-03-07T00:00:00Z").requested, { left: "2024-03-06" })
  })

  it("is always true of an asset without windows", () => {
    assert.deepStrictEqual(Days.ask({ total: inLatestWindow() }), { total: "*" })
    assert.deepStrictEqual(Days.ask({ total: not(inLatestWindow()) }), {})
  })

  it.prop(
    "is the end of what exists at a time, whatever is built of it (Verifies: L12)",
    [Days.Today, Windows, Days.Facts],
    ([day, windows, facts]) => {
      assert.deepStrictEqual(
        Days.watch({ left: inLatestWindow(windows) })(Days.noonOf(day), { left: facts })("left"),
        Days.existingOn(day).slice(-windows)
      )
    }
  )
})
