import { cronTick } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

const five = "2024-03-01..2024-03-05"

describe("a tick", () => {
  const ticks = (condition: ReturnType<typeof cronTick>, times: ReadonlyArray<string>) => {
    const tester = AutomationTester.make(Days.graph({ left: condition }))
    return times.map((time) => tester.evaluate(time).requested["left"] ?? "")
  }
  const at = (...times: ReadonlyArray<string>) => times.map((time) => `2024-03-06T${time}Z`)

  it("is seen once, by the first evaluation at it or after it", () => {
    assert.deepStrictEqual(
      ticks(cronTick("0 13 * * *"), at("12:00:00", "12:59:59", "13:00:00", "13:00:01", "23:00:00")),
      ["", "", five, "", ""]
    )
    assert.deepStrictEqual(ticks(cronTick("0 13 * * *"), at("12:00:00", "18:00:00")), ["", five])
  })

  it("is not known to the first evaluation: a schedule begins with the first tick after it", () => {
    const tomorrow = ["2024-03-07T12:59:59Z", "2024-03-07T13:00:00Z"]
    assert.deepStrictEqual(ticks(cronTick("0 13 * * *"), [...at("13:00:00", "13:01:00"), ...tomorrow]), [
      "",
      "",
      "",
      "2024-03-01..2024-03-06"
    ])
  })

  it("is one of the schedule's own time zone", () => {
    const inBerlin = cronTick("0 14 * * *", "Europe/Berlin")
    assert.deepStrictEqual(ticks(inBerlin, at("12:59:00", "13:00:00")), ["", five])
    // The clocks in Berlin were put forward on 31 March.
    const inSummer = ["2024-04-02T11:59:00Z", "2024-04-02T12:00:00Z", "2024-04-02T13:00:00Z"]
    assert.deepStrictEqual(ticks(inBerlin, inSummer), ["", "2024-03-01..2024-03-07", ""])
  })

  it("is true of an asset without partitions", () => {
    const tester = AutomationTester.make(Days.graph({ total: cronTick("0 13 * * *") }))
    assert.deepStrictEqual(
      at("12:00:00", "13:00:00").map((time) => tester.evaluate(time).requested),
      [{}, { total: "*" }]
    )
  })

  const Minutes = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 90 }))

  it.prop(
    "is true exactly in evaluations since whose last one a quarter of an hour began (Verifies: L12)",
    [Minutes, Schema.Array(Minutes)],
    ([start, pauses]) => {
      const evaluate = Days.watch({ left: cronTick("*/15 * * * *") })
      let minute = start
      assert.deepStrictEqual(evaluate(Days.noonOf(8) + minute * 60_000)("left"), [])
      for (const pause of pauses) {
        const before = Math.floor(minute / 15)
        minute += pause
        const isTicked = Math.floor(minute / 15) > before
        assert.deepStrictEqual(evaluate(Days.noonOf(8) + minute * 60_000)("left"), isTicked ? [...Days.all] : [])
      }
    }
  )
})
