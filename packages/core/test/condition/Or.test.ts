import { failed, inLatestWindow, inProgress, missing, or, stale } from "@assay/core/AutomationCondition"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

const leaves = { stale, inProgress, failed }
const Leaves = Schema.Array(Schema.Literals(["stale", "inProgress", "failed"]))

describe("or", () => {
  it("is true where one of the conditions is", () => {
    assert.deepStrictEqual(
      Days.ask({ left: or(missing, stale) }, { left: { missing: "2024-03-02", stale: "2024-03-04" } }),
      { left: "2024-03-02, 2024-03-04" }
    )
    assert.deepStrictEqual(
      Days.ask({ left: or(inLatestWindow(), stale) }, { left: { stale: "2024-03-04..2024-03-05" } }),
      { left: "2024-03-04..2024-03-05" }
    )
  })

  it("is true of an asset without partitions where one of the conditions is", () => {
    assert.deepStrictEqual(Days.ask({ total: or(stale, failed) }, { total: { failed: "all" } }), { total: "*" })
    assert.deepStrictEqual(Days.ask({ total: or(stale, failed) }, { total: { inProgress: "all" } }), {})
  })

  it("of nothing is true of nothing", () => {
    assert.deepStrictEqual(Days.ask({ left: or(), total: or() }, { left: { built: "" } }), {})
  })

  it.prop(
    "is the union of its parts, however they are nested",
    [Days.Today, Days.Facts, Leaves, Leaves],
    ([day, facts, some, others]) => {
      const [first, second] = [some.map((name) => leaves[name]), others.map((name) => leaves[name])]
      const requested = Days.watch({ left: or(...first, ...second), right: or(or(...second), ...first) })(
        Days.noonOf(day),
        { left: facts, right: facts }
      )
      const expected = Days.existingOn(day).filter((key) =>
        [...some, ...others].some((name) => facts[name].some((other) => other === key))
      )
      assert.deepStrictEqual(requested("left"), expected)
      assert.deepStrictEqual(requested("right"), expected)
    }
  )
})
