import { missing, newlyTrue, stale } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

describe("newly true", () => {
  const rounds = (asset: "left" | "total", facts: ReadonlyArray<string>) => {
    const tester = AutomationTester.make(Days.graph({ [asset]: newlyTrue(stale) }))
    return facts.map((stale) => tester.evaluate("2024-03-06T12:00:00Z", { [asset]: { stale } }).requested[asset] ?? "")
  }

  it("is true once, and again after it was false", () => {
    assert.deepStrictEqual(
      rounds("left", ["2024-03-02", "2024-03-02..2024-03-03", "2024-03-03", "2024-03-02..2024-03-03"]),
      ["2024-03-02", "2024-03-03", "", "2024-03-02"]
    )
  })

  it("is true of all that is true at the first evaluation, which remembers nothing", () => {
    assert.deepStrictEqual(rounds("left", ["2024-03-01..2024-03-05", "2024-03-01..2024-03-05"]), [
      "2024-03-01..2024-03-05",
      ""
    ])
  })

  it("is true of a day that comes to exist, once", () => {
    const tester = AutomationTester.make(Days.graph({ left: newlyTrue(missing) }))
    const asked = (time: string) => tester.evaluate(time, { left: { built: "" } }).requested
    assert.deepStrictEqual(
      [asked("2024-03-06T12:00:00Z"), asked("2024-03-07T00:00:00Z"), asked("2024-03-07T00:01:00Z")],
      [{ left: "2024-03-01..2024-03-05" }, { left: "2024-03-06" }, {}]
    )
  })

  it("is true once of an asset without partitions", () => {
    assert.deepStrictEqual(rounds("total", ["", "all", "all", "", "all"]), ["", "*", "", "", "*"])
  })

  it.prop("is what is true now without what was true before", [Schema.Array(Days.Choice)], ([rounds]) => {
    const evaluate = Days.watch({ left: newlyTrue(stale) })
    let before: ReadonlyArray<string> = []
    for (const [index, stale] of rounds.entries()) {
      const day = 3 + index
      const now = Days.existingOn(day).filter((key) => stale.some((other) => other === key))
      assert.deepStrictEqual(
        evaluate(Days.noonOf(day), { left: { stale } })("left"),
        now.filter((key) => !before.includes(key))
      )
      before = now
    }
  })
})
