import { newlyUpdated } from "@assay/core/AutomationCondition"
import * as AutomationState from "@assay/core/planning/AutomationState"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

describe("newly updated", () => {
  it("is true of what was materialized since the last evaluation, whether it is stale again or not", () => {
    const updated = "2024-03-03"
    assert.deepStrictEqual(Days.ask({ left: newlyUpdated }, { left: { updated } }), { left: "2024-03-03" })
    assert.deepStrictEqual(Days.ask({ left: newlyUpdated }, { left: { updated, stale: updated } }), {
      left: "2024-03-03"
    })
    assert.deepStrictEqual(Days.ask({ total: newlyUpdated }, { total: { updated: "all" } }), { total: "*" })
  })

  it("is not true of what was only built before", () => {
    const tester = AutomationTester.make(Days.graph({ left: newlyUpdated }))
    const asked = (updated: string | undefined) =>
      tester.evaluate("2024-03-06T12:00:00Z", { left: { built: "2024-03-01..2024-03-03", updated } }).requested
    assert.deepStrictEqual([asked(undefined), asked("2024-03-02"), asked(undefined)], [{}, { left: "2024-03-02" }, {}])
  })

  it.prop(
    "is in each round what was materialized in it, and nothing once that was evaluated",
    [Schema.Array(Days.Choice)],
    ([rounds]) => {
      const now = Days.noonOf(8)
      const everBuilt = new Set<string>()
      for (const round of rounds) {
        for (const key of round) everBuilt.add(key)
        const known = Days.known(newlyUpdated, {
          built: Array.from(everBuilt, (unit) => ({ unit, isUpdated: round.some((key) => key === unit) }))
        })
        assert.deepStrictEqual(
          Days.requested(known, now),
          Days.all.filter((key) => round.includes(key))
        )
        assert.deepStrictEqual(Days.requested(AutomationState.evaluated(known), now), [])
      }
    }
  )
})
