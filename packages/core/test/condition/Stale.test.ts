import { stale } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

describe("stale", () => {
  it("is true of what may differ from the full refresh, and not of what is missing", () => {
    assert.deepStrictEqual(Days.ask({ left: stale }, { left: { stale: "2024-03-02, 2024-03-04" } }), {
      left: "2024-03-02, 2024-03-04"
    })
    assert.deepStrictEqual(Days.ask({ left: stale }, { left: { missing: "2024-03-02" } }), {})
  })

  it("is true of a day for which data came late, however old it is", () => {
    const tester = AutomationTester.make(Days.graph({ left: stale }))
    assert.deepStrictEqual(tester.evaluate("2034-01-01T00:00:00Z", { left: { stale: "2024-03-01" } }).requested, {
      left: "2024-03-01"
    })
  })

  it("is not true of a day that does not exist yet", () => {
    const said = { left: { stale: ["2024-03-05", "2024-03-06"] } }
    assert.deepStrictEqual(Days.watch({ left: stale })(Days.noonOf(6), said)("left"), ["2024-03-05"])
  })

  it("is true of an asset without partitions as a whole", () => {
    assert.deepStrictEqual(Days.ask({ total: stale }, { total: { stale: "all" } }), { total: "*" })
  })

  const From = Schema.Array(Schema.Literals(Days.all)).check(Schema.isMaxLength(2))

  it.prop(
    "is what was built and is marked by itself or by a range, and never what was never built",
    [Days.Today, Days.Choice, Days.Choice, From],
    ([day, built, marked, from]) => {
      const cause = { _tag: "Upstream", asset: "right" } as const
      const known = Days.known(stale, {
        built: Array.from(new Set(built), (unit) => ({ unit, isUpdated: false })),
        marks: Array.from(new Set(marked), (unit) => ({ unit, cause, version: "1" })),
        ranges: from.map((from) => ({ from, cause, version: "1" }))
      })
      const isMarked = (key: string) => marked.some((other) => other === key) || from.some((first) => first <= key)
      assert.deepStrictEqual(
        Days.requested(known, Days.noonOf(day)),
        Days.existingOn(day).filter((key) => built.some((other) => other === key) && isMarked(key))
      )
    }
  )
})
