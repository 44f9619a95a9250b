import { anyDeps, newlyTrue, stale } from "@assay/core/AutomationCondition"
import { assert, describe, it } from "@effect/vitest"
import * as Days from "./Days.ts"

describe("any deps", () => {
  it("asks what a unit is made of (Verifies: L7)", () => {
    const of = { merged: anyDeps(stale) }
    assert.deepStrictEqual(Days.ask(of, { left: { stale: "2024-03-02, 2024-03-04" } }), {
      merged: "2024-03-02, 2024-03-04"
    })
    // A day reads the day before as well.
    assert.deepStrictEqual(Days.ask(of, { right: { stale: "2024-03-02" } }), { merged: "2024-03-02..2024-03-03" })
    // The last day that exists reaches one that does not exist yet.
    assert.deepStrictEqual(Days.ask(of, { right: { stale: "2024-03-05" } }), { merged: "2024-03-05" })
    assert.deepStrictEqual(Days.ask(of, { merged: { stale: "2024-03-02" } }), {})
  })

  it("is true of an asset without partitions when it is of one unit upstream, however far", () => {
    assert.deepStrictEqual(Days.ask({ total: anyDeps(stale) }, { merged: { stale: "2024-03-02" } }), { total: "*" })
    assert.deepStrictEqual(Days.ask({ total: anyDeps(stale) }, { left: { stale: "2024-03-02" } }), {})
    assert.deepStrictEqual(Days.ask({ total: anyDeps(anyDeps(stale)) }, { left: { stale: "2024-03-02" } }), {
      total: "*"
    })
  })

  it("is true of nothing where an asset is made of nothing", () => {
    assert.deepStrictEqual(Days.ask({ left: anyDeps(stale) }, { left: { stale: "2024-03-02" } }), {})
  })

  it("remembers of each asset upstream what was true of it", () => {
    const evaluate = Days.watch({ merged: anyDeps(newlyTrue(stale)) })
    const asked = (left: ReadonlyArray<string>, right: ReadonlyArray<string>) =>
      evaluate(Days.noonOf(6), { left: { stale: left }, right: { stale: right } })("merged")
    assert.deepStrictEqual(asked(["2024-03-01"], []), ["2024-03-01"])
    assert.deepStrictEqual(asked(["2024-03-01"], ["2024-03-03"]), ["2024-03-03", "2024-03-04"])
    assert.deepStrictEqual(asked(["2024-03-01"], ["2024-03-03"]), [])
  })

  it.prop(
    "is the union of what the units of each input reach",
    [Days.Today, Days.Choice, Days.Choice],
    ([day, left, right]) => {
      const requested = Days.watch({ merged: anyDeps(stale), total: anyDeps(anyDeps(stale)) })(Days.noonOf(day), {
        left: { stale: left },
        right: { stale: right }
      })
      const existing = Days.existingOn(day)
      const has = (keys: ReadonlyArray<string>, key: string | undefined) => key !== undefined && keys.includes(key)
      const expected = existing.filter(
        (key, index) => has(left, key) || has(right, key) || has(right, existing[index - 1])
      )
      assert.deepStrictEqual(requested("merged"), expected)
      assert.deepStrictEqual(requested("total"), expected.length === 0 ? [] : ["*"])
    }
  )
})
