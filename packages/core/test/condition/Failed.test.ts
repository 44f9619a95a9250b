import { failed } from "@assay/core/AutomationCondition"
import * as AutomationState from "@assay/core/planning/AutomationState"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Days from "./Days.ts"

const cause = { _tag: "Upstream", asset: "right" } as const
const inVain = { isCheck: false, tries: 1, retryAt: undefined }

describe("failed", () => {
  it("is true of what failed in its last step, also before it was ever built", () => {
    assert.deepStrictEqual(Days.ask({ left: failed }, { left: { failed: "2024-03-05" } }), { left: "2024-03-05" })
    assert.deepStrictEqual(Days.ask({ left: failed }, { left: { built: "", failed: "2024-03-05" } }), {
      left: "2024-03-05"
    })
    assert.deepStrictEqual(Days.ask({ left: failed }, { left: { stale: "2024-03-05" } }), {})
    assert.deepStrictEqual(Days.ask({ total: failed }, { total: { failed: "all" } }), { total: "*" })
  })

  it("is true until the instant at which it is to be tried again", () => {
    const version = AutomationState.versionOf(Days.known(failed, {}), "2024-03-01", undefined)
    const retryAt = DateTime.makeUnsafe(Days.noonOf(4))
    const known = Days.known(failed, { failures: [{ ...inVain, unit: "2024-03-01", version, retryAt }] })
    assert.deepStrictEqual(Days.requested(known, Days.noonOf(4) - 1), ["2024-03-01"])
    assert.deepStrictEqual(Days.requested(known, Days.noonOf(4)), [])
  })

  it.prop(
    "is what failed, is still due, and has not been marked again since (Verifies: L6)",
    [Days.Today, Days.Choice, Days.Choice, Days.Choice],
    ([day, units, built, again]) => {
      const has = (keys: ReadonlyArray<string>, key: string) => keys.includes(key)
      // Half of the days were marked when they failed, and `again` are marked after that.
      const before = Days.all.filter((_, index) => index % 2 === 0)
      const marksOf = (again: ReadonlyArray<string>) =>
        Days.all.flatMap((unit) =>
          has(again, unit) ? [{ unit, cause, version: "2" }] : has(before, unit) ? [{ unit, cause, version: "1" }] : []
        )
      const then = Days.known(failed, { marks: marksOf([]) })
      const known = Days.known(failed, {
        built: Array.from(new Set(built), (unit) => ({ unit, isUpdated: false })),
        marks: marksOf(again),
        failures: Array.from(new Set(units), (unit) => ({
          ...inVain,
          unit,
          version: AutomationState.versionOf(then, unit, undefined)
        }))
      })
      const isDue = (key: string) => !has(built, key) || has(before, key)
      assert.deepStrictEqual(
        Days.requested(known, Days.noonOf(day)),
        Days.existingOn(day).filter((key) => has(units, key) && isDue(key) && !has(again, key))
      )
    }
  )
})
