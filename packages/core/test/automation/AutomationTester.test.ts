import * as AutomationCondition from "@assay/core/AutomationCondition"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Automation from "@assay/core/planning/Automation"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import * as TestSource from "@assay/core/testing/TestSource"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Works from "./Works.ts"

const noon = "2024-03-10T12:00:00Z"

const policy = (automation: AutomationCondition.AutomationCondition) =>
  MaterializationPolicy.withAutomation(Works.promptly, automation)

const graphOf = (policies: Works.Options["policies"] = {}, options: Partial<Works.Options> = {}) =>
  Effect.map(TestSource.make<Works.Measurement>(), ({ source }) =>
    Works.make({ links: 3, source, policies, ...options })
  )

describe("a tester", () => {
  it.effect("tells what is requested, what follows, and which parts of the condition were true", () =>
    Effect.gen(function* () {
      const tester = AutomationTester.make(yield* graphOf({ link_3: policy(AutomationCondition.onMissing) }))
      const outcome = tester.evaluate(noon, { link_1: { stale: "2024-03-02, 2024-03-03", failed: "2024-03-03" } })
      assert.deepStrictEqual(outcome.requested, { link_1: "2024-03-02" })
      assert.deepStrictEqual(outcome.follows, { link_2: "2024-03-02" })
      assert.deepStrictEqual(outcome.explain("link_1").slice(0, 3), [
        "(missing or stale) and (not in progress and not failed): 2024-03-02",
        "  missing or stale: 2024-03-02..2024-03-03",
        "    missing: none"
      ])
      assert.throws(() => tester.evaluate(noon, { link_9: {} }), /There is no asset "link_9". Did you mean/)
      assert.throws(() => tester.evaluate(noon, { link_1: { stale: "2025" } }), /selects nothing that exists/)
    })
  )

  it.effect("remembers from one evaluation to the next", () =>
    Effect.gen(function* () {
      const tester = AutomationTester.make(yield* graphOf({ link_1: policy(AutomationCondition.onCron("0 13 * * *")) }))
      const asked = (time: string) =>
        tester.evaluate(`2024-03-10T${time}Z`, { link_1: { stale: "2024-03-02" } }).requested
      assert.deepStrictEqual(
        [asked("12:00:00"), asked("13:00:00"), asked("13:30:00")],
        [{}, { link_1: "2024-03-02" }, { link_1: "2024-03-02" }]
      )
    })
  )

  it.effect("lets what failed follow, where what it is made of changes", () =>
    Effect.gen(function* () {
      const tester = AutomationTester.make(yield* graphOf())
      const outcome = tester.evaluate(noon, {
        link_1: { stale: "2024-03-02" },
        link_2: { stale: "2024-03-02, 2024-03-04", failed: "2024-03-02, 2024-03-04" }
      })
      assert.deepStrictEqual(outcome.requested, { link_1: "2024-03-02" })
      assert.deepStrictEqual(outcome.follows, { link_2: "2024-03-02", link_3: "2024-03-02" })
    })
  )
})

describe("the next instant", () => {
  const opening = (partitions: Partitions.Partitions, after: string) => {
    const next = Automation.nextOpening(partitions, Date.parse(after))
    return next === undefined ? undefined : DateTime.formatIso(DateTime.makeUnsafe(next))
  }

  it.each([
    ["a day that ends", Partitions.daily({ start: "2024-03-01" }), "2024-03-05T10:00:00Z", "2024-03-06T00:00:00.000Z"],
    ["at its very end", Partitions.daily({ start: "2024-03-01" }), "2024-03-06T00:00:00Z", "2024-03-07T00:00:00.000Z"],
    [
      "before the beginning",
      Partitions.daily({ start: "2024-03-01" }),
      "2024-01-05T10:00:00Z",
      "2024-03-02T00:00:00.000Z"
    ],
    [
      "with the running one",
      Partitions.daily({ start: "2024-03-01", endOffset: 1 }),
      "2024-01-05T10:00:00Z",
      "2024-03-01T00:00:00.000Z"
    ],
    [
      "held back by one",
      Partitions.daily({ start: "2024-03-01", endOffset: -1 }),
      "2024-03-01T10:00:00Z",
      "2024-03-03T00:00:00.000Z"
    ],
    [
      "where the clock changes",
      Partitions.daily({ start: "2024-03-01", timeZone: "Europe/Berlin" }),
      "2024-03-31T10:00:00Z",
      "2024-03-31T22:00:00.000Z"
    ],
    [
      "before its end",
      Partitions.daily({ start: "2024-03-01", end: "2024-03-03" }),
      "2024-03-02T10:00:00Z",
      "2024-03-03T00:00:00.000Z"
    ],
    ["behind its end", Partitions.daily({ start: "2024-03-01", end: "2024-03-03" }), "2024-03-03T00:00:00Z", undefined],
    ["of names", Partitions.fromKeys(["a"]), "2024-03-03T00:00:00Z", undefined]
  ])("at which more partitions exist: %s", (_, partitions, after, expected) => {
    assert.strictEqual(opening(partitions, after), expected)
    if (expected === undefined) return
    const size = (instant: number) => sizeAt(partitions, instant)
    // Nothing came to exist before it, and something at it.
    assert.strictEqual(size(Date.parse(expected) - 1), size(Date.parse(after)))
    assert.strictEqual(size(Date.parse(expected)), size(Date.parse(after)) + 1)
  })
})

const sizeAt = (partitions: Partitions.Partitions, instant: number): number =>
  PartitionSet.size(Partitions.existing(partitions, instant))
