import { allDeps, newlyUpdated, not, stale } from "@assay/core/AutomationCondition"
import { assert, describe, it } from "@effect/vitest"
import * as Days from "./Days.ts"

describe("all deps", () => {
  it("asks everything that a unit is made of (Verifies: L7)", () => {
    const of = { merged: allDeps(not(stale)) }
    assert.deepStrictEqual(Days.ask(of, { left: { stale: "2024-03-02, 2024-03-04" } }), {
      merged: "2024-03-01, 2024-03-03, 2024-03-05"
    })
    // A day reads the day before as well.
    assert.deepStrictEqual(Days.ask(of, { right: { stale: "2024-03-02" } }), {
      merged: "2024-03-01, 2024-03-04..2024-03-05"
    })
  })

  it("asks nothing of what does not exist: the first day has no day before", () => {
    const facts = { left: { updated: "2024-03-01..2024-03-02" }, right: { updated: "2024-03-01" } }
    assert.deepStrictEqual(Days.ask({ merged: allDeps(newlyUpdated) }, facts), { merged: "2024-03-01" })
  })

  it("is true of an asset without partitions when it is of every unit upstream", () => {
    const of = { total: allDeps(newlyUpdated) }
    assert.deepStrictEqual(Days.ask(of, { merged: { updated: "2024-03-01..2024-03-04" } }), {})
    assert.deepStrictEqual(Days.ask(of, { merged: { updated: "2024-03-01..2024-03-05" } }), { total: "*" })
  })

  it("is true of everything where an asset is made of nothing", () => {
    assert.deepStrictEqual(Days.ask({ left: allDeps(stale) }), { left: "2024-03-01..2024-03-05" })
  })

  it.prop(
    "is the intersection, over the inputs, of the units all of whose upstream units meet the condition",
    [Days.Today, Days.Choice, Days.Choice],
    ([day, left, right]) => {
      const requested = Days.watch({ merged: allDeps(stale), total: allDeps(allDeps(stale)) })(Days.noonOf(day), {
        left: { stale: left },
        right: { stale: right }
      })
      const existing = Days.existingOn(day)
      // A day that does not exist is in nobody's way.
      const has = (keys: ReadonlyArray<string>, key: string | undefined) => key === undefined || keys.includes(key)
      const expected = existing.filter(
        (key, index) => has(left, key) && has(right, key) && has(right, existing[index - 1])
      )
      assert.deepStrictEqual(requested("merged"), expected)
      assert.deepStrictEqual(requested("total"), expected.length === existing.length ? ["*"] : [])
    }
  )
})
