import { and, failed, inLatestWindow, inProgress, missing, stale } from "@assay/core/AutomationCondition"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

const leaves = { stale, inProgress, failed }
const Leaves = Schema.Array(Schema.Literals(["stale", "inProgress", "failed"]))

describe("and", () => {
  it("is true where all conditions are", () => {
    assert.deepStrictEqual(
      Days.ask({ left: and(missing, inLatestWindow(2)) }, { left: { built: "2024-03-01, 2024-03-03" } }),
      { left: "2024-03-04..2024-03-05" }
    )
    assert.deepStrictEqual(Days.ask({ left: and(missing, stale) }, { left: { built: "", stale: "2024-03-02" } }), {
      left: "2024-03-02"
    })
  })

  it("is true of an asset without partitions where all conditions are", () => {
    assert.deepStrictEqual(Days.ask({ total: and(stale, failed) }, { total: { stale: "all" } }), {})
    assert.deepStrictEqual(Days.ask({ total: and(stale, failed) }, { total: { stale: "all", failed: "all" } }), {
      total: "*"
    })
  })

  it("of nothing is true of everything that exists", () => {
    assert.deepStrictEqual(Days.ask({ left: and(), total: and() }), { left: "2024-03-01..2024-03-05", total: "*" })
  })

  it.prop(
    "is the intersection of its parts, however they are nested",
    [Days.Today, Days.Facts, Leaves, Leaves],
    ([day, facts, some, others]) => {
      const [first, second] = [some.map((name) => leaves[name]), others.map((name) => leaves[name])]
      const requested = Days.watch({ left: and(...first, ...second), right: and(and(...second), ...first) })(
        Days.noonOf(day),
        { left: facts, right: facts }
      )
      const expected = Days.existingOn(day).filter((key) =>
        [...some, ...others].every((name) => facts[name].some((other) => other === key))
      )
      assert.deepStrictEqual(requested("left"), expected)
      assert.deepStrictEqual(requested("right"), expected)
    }
  )
})
