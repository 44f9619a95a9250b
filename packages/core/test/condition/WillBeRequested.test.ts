import { anyDeps, eager, or, stale, willBeRequested } from "@assay/core/AutomationCondition"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Days from "./Days.ts"

const follows = or(stale, anyDeps(willBeRequested))

describe("will be requested", () => {
  it("sees what this evaluation requests upstream, so that a chain needs one evaluation", () => {
    assert.deepStrictEqual(
      Days.ask({ left: eager, merged: follows, total: follows }, { left: { stale: "2024-03-03" } }),
      { left: "2024-03-03", merged: "2024-03-03", total: "*" }
    )
  })

  it("is not true of what is due upstream and not requested", () => {
    const facts = {
      left: { stale: "2024-03-03..2024-03-04", inProgress: "2024-03-03" },
      right: { stale: "2024-03-01" }
    }
    assert.deepStrictEqual(Days.ask({ left: eager, merged: anyDeps(willBeRequested) }, facts), {
      left: "2024-03-04",
      merged: "2024-03-04"
    })
  })

  it("is not true of what waits upstream because its window is closed", () => {
    const graph = Days.graph(
      { left: eager, merged: anyDeps(willBeRequested) },
      MaterializationPolicy.withHorizon(MaterializationPolicy.eager, "3 days")
    )
    const outcome = AutomationTester.make(graph).evaluate("2024-03-06T12:00:00Z", {
      left: { stale: "2024-03-01, 2024-03-04" }
    })
    assert.deepStrictEqual(outcome.held, { left: "2024-03-01" })
    assert.deepStrictEqual(outcome.requested, { left: "2024-03-04", merged: "2024-03-04" })
  })

  it("is not true of the asset itself, whose requests are not known yet", () => {
    const facts = { left: { stale: "2024-03-03" }, total: { stale: "all" } }
    assert.deepStrictEqual(Days.ask({ left: willBeRequested, total: willBeRequested }, facts), {})
  })

  it.prop(
    "carries what is requested of both inputs to what they reach, within one evaluation",
    [Days.Today, Days.Facts, Days.Facts],
    ([day, left, right]) => {
      const requested = Days.watch({ left: eager, right: stale, merged: anyDeps(willBeRequested), total: follows })(
        Days.noonOf(day),
        { left, right }
      )
      const existing = Days.existingOn(day)
      const is = (keys: ReadonlyArray<string>, key: string) => keys.includes(key)
      const ofLeft = (key: string) =>
        (is(left.stale, key) || !is(left.built, key)) && !is(left.inProgress, key) && !is(left.failed, key)
      const ofRight = (key: string | undefined) => key !== undefined && is(right.stale, key)
      const expected = existing.filter((key, index) => ofLeft(key) || ofRight(key) || ofRight(existing[index - 1]))
      assert.deepStrictEqual(requested("merged"), expected)
      assert.deepStrictEqual(requested("total"), expected.length === 0 ? [] : ["*"])
    }
  )
})
