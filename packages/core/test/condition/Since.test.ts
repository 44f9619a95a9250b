import { newlyUpdated, since, stale } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

const Round = Schema.Struct({ stale: Days.Choice, updated: Days.Choice })

describe("since", () => {
  const rounds = (asset: "left" | "total", facts: ReadonlyArray<AutomationTester.Facts>) => {
    const tester = AutomationTester.make(Days.graph({ [asset]: since(stale, newlyUpdated) }))
    return facts.map((said) => tester.evaluate("2024-03-06T12:00:00Z", { [asset]: said }).requested[asset] ?? "")
  }

  it("is true from the trigger on until it is reset", () => {
    assert.deepStrictEqual(rounds("left", [{ stale: "2024-03-02..2024-03-03" }, {}, { updated: "2024-03-02" }, {}]), [
      "2024-03-02..2024-03-03",
      "2024-03-02..2024-03-03",
      "2024-03-03",
      "2024-03-03"
    ])
  })

  it("counts the trigger where both are true at once", () => {
    assert.deepStrictEqual(rounds("left", [{ stale: "2024-03-03", updated: "2024-03-03" }, {}]), [
      "2024-03-03",
      "2024-03-03"
    ])
  })

  it("remembers nothing at the first evaluation, so that a reset alone makes nothing true", () => {
    assert.deepStrictEqual(rounds("left", [{ updated: "2024-03-03" }, {}]), ["", ""])
  })

  it("is true of an asset without partitions from the trigger on until it is reset", () => {
    assert.deepStrictEqual(rounds("total", [{}, { stale: "all" }, {}, { updated: "all" }, {}]), ["", "*", "*", "", ""])
  })

  it.prop(
    "is for each unit a machine of two states, whatever comes in whatever order",
    [Schema.Array(Round)],
    ([rounds]) => {
      const evaluate = Days.watch({ left: since(stale, newlyUpdated) })
      const isOn = new Map<string, boolean>()
      for (const [index, round] of rounds.entries()) {
        const day = 3 + index
        // What triggers a day before it exists is not seen.
        for (const key of Days.existingOn(day)) {
          if (round.stale.some((other) => other === key)) isOn.set(key, true)
          else if (round.updated.some((other) => other === key)) isOn.set(key, false)
        }
        assert.deepStrictEqual(
          evaluate(Days.noonOf(day), { left: round })("left"),
          Days.all.filter((key) => isOn.get(key))
        )
      }
    }
  )
})
