import { and, failed, inLatestWindow, not, or, stale } from "@assay/core/AutomationCondition"
import { assert, describe, it } from "@effect/vitest"
import * as Days from "./Days.ts"

describe("not", () => {
  it("is true where a condition is not", () => {
    assert.deepStrictEqual(Days.ask({ left: not(stale) }, { left: { stale: "2024-03-01..2024-03-02" } }), {
      left: "2024-03-03..2024-03-05"
    })
    assert.deepStrictEqual(Days.ask({ left: not(stale) }, { left: { missing: "2024-03-01" } }), {
      left: "2024-03-01..2024-03-05"
    })
  })

  it("is not true of a unit that does not exist yet", () => {
    assert.deepStrictEqual(Days.ask({ left: not(inLatestWindow(99)) }), {})
    const said = { left: { stale: ["2024-03-01", "2024-03-02"] } }
    assert.deepStrictEqual(Days.watch({ left: not(stale) })(Days.noonOf(4), said)("left"), ["2024-03-03"])
  })

  it("is true of an asset without partitions or is not", () => {
    assert.deepStrictEqual(Days.ask({ total: not(stale) }), { total: "*" })
    assert.deepStrictEqual(Days.ask({ total: not(stale) }, { total: { stale: "all" } }), {})
  })

  it.prop(
    "is the complement within what exists, undone by another, and turns all into one",
    [Days.Today, Days.Facts],
    ([day, facts]) => {
      const requested = Days.watch({ left: not(stale), right: not(not(stale)) })(Days.noonOf(day), {
        left: facts,
        right: facts
      })
      const existing = Days.existingOn(day)
      const isStale = (key: string) => facts.stale.some((other) => other === key)
      const isFailed = (key: string) => facts.failed.some((other) => other === key)
      assert.deepStrictEqual(
        requested("left"),
        existing.filter((key) => !isStale(key))
      )
      assert.deepStrictEqual(requested("right"), existing.filter(isStale))
      const turned = Days.watch({ left: not(and(stale, failed)), right: or(not(stale), not(failed)) })(
        Days.noonOf(day),
        { left: facts, right: facts }
      )
      const expected = existing.filter((key) => !(isStale(key) && isFailed(key)))
      assert.deepStrictEqual([turned("left"), turned("right")], [expected, expected])
    }
  )
})
