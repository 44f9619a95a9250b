import { and, checkFailed, failed, not } from "@assay/core/AutomationCondition"
import * as AutomationState from "@assay/core/planning/AutomationState"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

const Failure = Schema.Struct({ isCheck: Schema.Boolean, isToBeRetried: Schema.Boolean })

describe("check failed", () => {
  it("is true of what failed in a blocking check, and not of what failed otherwise", () => {
    assert.deepStrictEqual(Days.ask({ left: checkFailed }, { left: { checkFailed: "2024-03-05" } }), {
      left: "2024-03-05"
    })
    assert.deepStrictEqual(Days.ask({ left: checkFailed }, { left: { failed: "2024-03-05" } }), {})
    assert.deepStrictEqual(Days.ask({ total: checkFailed }, { total: { checkFailed: "all" } }), { total: "*" })
  })

  it("tells failures of the step from those of its checks", () => {
    const facts = { left: { failed: "2024-03-04..2024-03-05", checkFailed: "2024-03-05" } }
    assert.deepStrictEqual(Days.ask({ left: and(failed, not(checkFailed)) }, facts), { left: "2024-03-04" })
  })

  it.prop(
    "is what failed in a check and is not yet to be tried again, so always part of what failed",
    [Days.Today, Schema.Array(Failure).check(Schema.isMaxLength(7))],
    ([day, failures]) => {
      const now = Days.noonOf(day)
      const knownBy = (condition: typeof failed) => {
        const nothing = Days.known(condition, {})
        return Days.known(condition, {
          failures: Days.all.flatMap((unit, index) => {
            const failure = failures[index]
            if (failure === undefined) return []
            const version = AutomationState.versionOf(nothing, unit, undefined)
            const retryAt = DateTime.makeUnsafe(failure.isToBeRetried ? now : now + 1)
            return [{ unit, version, isCheck: failure.isCheck, tries: 1, retryAt }]
          })
        })
      }
      const waiting = Days.existingOn(day).filter((_, index) => {
        const failure = failures[index]
        return failure !== undefined && !failure.isToBeRetried
      })
      assert.deepStrictEqual(Days.requested(knownBy(failed), now), waiting)
      assert.deepStrictEqual(
        Days.requested(knownBy(checkFailed), now),
        waiting.filter((key) => failures[Days.existingOn(day).indexOf(key)]?.isCheck)
      )
    }
  )
})
