import { and, inProgress, missing, not, or, stale } from "@assay/core/AutomationCondition"
import { assert, describe, it } from "@effect/vitest"
import * as Days from "./Days.ts"

describe("in progress", () => {
  it("is true of what a step is building", () => {
    assert.deepStrictEqual(Days.ask({ left: inProgress }, { left: { inProgress: "2024-03-01" } }), {
      left: "2024-03-01"
    })
    assert.deepStrictEqual(Days.ask({ total: inProgress }, { total: { inProgress: "all" } }), { total: "*" })
    assert.deepStrictEqual(Days.ask({ left: inProgress }), {})
  })

  it("is also true of what is being built for the first time", () => {
    assert.deepStrictEqual(
      Days.ask({ left: and(missing, inProgress) }, { left: { missing: "2024-03-01", inProgress: "2024-03-01" } }),
      { left: "2024-03-01" }
    )
  })

  it("is not true upstream or downstream of a step", () => {
    const conditions = { left: inProgress, merged: inProgress, total: inProgress }
    assert.deepStrictEqual(Days.ask(conditions, { merged: { inProgress: "2024-03-02" } }), { merged: "2024-03-02" })
  })

  it.prop(
    "keeps what is due from being requested again while it is being built (Verifies: L6)",
    [Days.Today, Days.Facts],
    ([day, facts]) => {
      const evaluate = Days.watch({ left: inProgress, right: and(or(missing, stale), not(inProgress)) })
      const requested = evaluate(Days.noonOf(day), { left: facts, right: facts })
      const isBuilding = (key: string) => facts.inProgress.some((other) => other === key)
      const isDue = (key: string) =>
        facts.stale.some((other) => other === key) || !facts.built.some((other) => other === key)
      const existing = Days.existingOn(day)
      assert.deepStrictEqual(requested("left"), existing.filter(isBuilding))
      assert.deepStrictEqual(
        requested("right"),
        existing.filter((key) => isDue(key) && !isBuilding(key))
      )
    }
  )
})
