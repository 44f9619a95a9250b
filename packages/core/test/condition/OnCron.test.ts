import { onCron } from "@assay/core/AutomationCondition"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Days from "./Days.ts"

const Minutes = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))

describe("on a schedule", () => {
  const rounds = (asset: "left" | "total", facts: ReadonlyArray<readonly [time: string, AutomationTester.Facts]>) => {
    const tester = AutomationTester.make(Days.graph({ [asset]: onCron("0 13 * * *") }))
    return facts.map(([time, said]) => tester.evaluate(`2024-03-06T${time}Z`, { [asset]: said }).requested[asset] ?? "")
  }

  it("requests from a tick on what is stale, until it is built", () => {
    const stale = "2024-03-02"
    assert.deepStrictEqual(
      rounds("left", [
        ["12:59:00", { stale }],
        ["13:00:00", { stale }],
        ["13:01:00", { stale, inProgress: stale }],
        ["13:02:00", { stale }],
        ["13:03:00", { updated: stale }],
        ["13:04:00", { stale }]
      ]),
      ["", "2024-03-02", "", "2024-03-02", "", ""]
    )
  })

  it("requests nothing at the first evaluation, which knows of no tick", () => {
    assert.deepStrictEqual(
      rounds("left", [
        ["13:00:00", { built: "" }],
        ["23:59:59", { built: "" }]
      ]),
      ["", ""]
    )
  })

  it("requests from a tick on what becomes stale or missing only later", () => {
    assert.deepStrictEqual(
      rounds("left", [
        ["12:59:00", {}],
        ["13:00:00", {}],
        ["18:00:00", { stale: "2024-03-01", missing: "2024-03-05" }]
      ]),
      ["", "", "2024-03-01, 2024-03-05"]
    )
  })

  it("requests an asset without partitions once for each tick", () => {
    assert.deepStrictEqual(
      rounds("total", [
        ["12:00:00", { stale: "all" }],
        ["13:00:00", { stale: "all" }],
        ["13:01:00", { updated: "all" }],
        ["13:02:00", { stale: "all" }]
      ]),
      ["", "*", "", ""]
    )
  })

  it.prop(
    "requests what is due and idle of the units that were not built since a tick (Verifies: L12)",
    [Schema.Array(Schema.Struct({ pause: Minutes, facts: Days.Facts }))],
    ([rounds]) => {
      const evaluate = Days.watch({ left: onCron("*/15 * * * *") })
      let minute = 0
      evaluate(Days.noonOf(8))
      const waiting = new Set<string>()
      for (const { facts, pause } of rounds) {
        const isTicked = Math.floor((minute + pause) / 15) > Math.floor(minute / 15)
        minute += pause
        for (const key of facts.updated) waiting.delete(key)
        for (const key of isTicked ? Days.all : []) waiting.add(key)
        const is = (keys: ReadonlyArray<string>, key: string) => keys.includes(key)
        const isDue = (key: string) => is(facts.stale, key) || !is(facts.built, key)
        const isIdle = (key: string) => !is(facts.inProgress, key) && !is(facts.failed, key)
        assert.deepStrictEqual(
          evaluate(Days.noonOf(8) + minute * 60_000, { left: facts })("left"),
          Days.all.filter((key) => waiting.has(key) && isDue(key) && isIdle(key))
        )
      }
    }
  )
})
