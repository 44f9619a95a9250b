import { and, codeChanged, missing } from "@assay/core/AutomationCondition"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

const Cause = Schema.Literals(["CodeChanged", "Upstream"])

describe("code changed", () => {
  it("is true of every unit that exists, built or not, and of none where the code is the same", () => {
    assert.deepStrictEqual(Days.ask({ left: codeChanged }, { left: { isCodeChanged: true, built: "2024-03-02" } }), {
      left: "2024-03-01..2024-03-05"
    })
    assert.deepStrictEqual(Days.ask({ left: codeChanged }, { left: { isCodeChanged: false } }), {})
    assert.deepStrictEqual(Days.ask({ total: codeChanged }, { total: { isCodeChanged: true } }), { total: "*" })
  })

  it("is of the asset alone, not of what is made of it", () => {
    const conditions = { left: codeChanged, merged: codeChanged, total: codeChanged }
    assert.deepStrictEqual(Days.ask(conditions, { merged: { isCodeChanged: true } }), {
      merged: "2024-03-01..2024-03-05"
    })
  })

  it("can be asked together with another condition", () => {
    const facts = { left: { isCodeChanged: true, missing: "2024-03-03" } }
    assert.deepStrictEqual(Days.ask({ left: and(codeChanged, missing) }, facts), { left: "2024-03-03" })
  })

  it.prop(
    "is all that exists or nothing: all when the ledger knows other code, or a mark of a change of code is left",
    [Days.Today, Schema.Literals(["none", "same", "other"]), Schema.Array(Cause).check(Schema.isMaxLength(7))],
    ([day, code, causes]) => {
      const { codeVersion } = Days.known(codeChanged, {}).asset
      const known = Days.known(codeChanged, {
        codeVersion: code === "none" ? undefined : code === "same" ? codeVersion : `not ${codeVersion}`,
        marks: Days.all.slice(0, causes.length).map((unit, index) => ({
          unit,
          cause: causes[index] === "CodeChanged" ? { _tag: "CodeChanged" } : { _tag: "Upstream", asset: "right" },
          version: "1"
        }))
      })
      const isChanged = code === "other" || causes.includes("CodeChanged")
      assert.deepStrictEqual(Days.requested(known, Days.noonOf(day)), isChanged ? Days.existingOn(day) : [])
    }
  )
})
