import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as AutomationCondition from "@assay/core/AutomationCondition"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Automation from "@assay/core/planning/Automation"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const { cronTick, eager, missing, newlyTrue, not, onCron, or, stale } = AutomationCondition

const noon = Date.parse("2024-03-06T12:00:00Z")

/** One table by day. */
const graphOf = (
  condition: AutomationCondition.AutomationCondition,
  policy: MaterializationPolicy.MaterializationPolicy = MaterializationPolicy.eager
) =>
  AssetGraph.make([
    Asset.make("first", {
      description: "Days",
      columns: Schema.Struct({ day: Column.date }),
      partitions: Partitions.daily({ start: "2024-03-01" }),
      inputs: {},
      write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
      policy: MaterializationPolicy.withAutomation(policy, condition),
      compute: { sql: () => sql`SELECT 1` }
    })
  ])

/** The state of the table at noon, when five days exist and are built: sets of days by their last digits. */
const statesOf = (facts: { readonly stale: string; readonly failed?: string }) => {
  const partitions = AssetGraph.getUnsafe(graphOf(eager), "first").partitions
  const existing = Partitions.existing(partitions, noon)
  const none = PartitionSet.empty(partitions)
  const set = (digits: string) =>
    Result.getOrThrow(
      PartitionSet.fromKeys(
        partitions,
        Array.from(digits, (digit) => `2024-03-0${digit}`)
      )
    )
  const state: Automation.AssetState = {
    existing,
    built: existing,
    stale: set(facts.stale),
    updated: none,
    inProgress: none,
    failed: set(facts.failed ?? ""),
    checkFailed: none,
    isCodeChanged: false
  }
  return new Map([["first", state]])
}

const digits = (set: PartitionSet.PartitionSet): string =>
  Array.from(PartitionSet.keys(set), (key) => key.at(-1)).join("")

describe("what an evaluation remembers", () => {
  it("is forgotten when the condition becomes another", () => {
    const before = graphOf(newlyTrue(stale))
    const after = graphOf(newlyTrue(or(stale, missing)))
    const states = statesOf({ stale: "2" })
    const { cursor } = Automation.evaluate({ graph: before, states, cursor: undefined, now: noon })
    const again = (graph: AssetGraph.AssetGraph) =>
      Automation.evaluate({ graph, states, cursor, now: noon }).decisions.map(({ requested }) => digits(requested))
    assert.deepStrictEqual(again(before), [""])
    assert.deepStrictEqual(again(after), ["2"])
  })
})

describe("a horizon", () => {
  it("holds back what closed long ago, and tells it", () => {
    const graph = graphOf(eager, MaterializationPolicy.eager.pipe(MaterializationPolicy.withHorizon("3 days")))
    const { decisions } = Automation.evaluate({
      graph,
      states: statesOf({ stale: "14" }),
      cursor: undefined,
      now: noon
    })
    assert.deepStrictEqual(
      decisions.map(({ held, requested }) => [digits(requested), digits(held)]),
      [["4", "1"]]
    )
  })
})

describe("an explanation", () => {
  it("tells of every part which units it is true of", () => {
    const graph = graphOf(eager)
    const [decision] = Automation.evaluate({
      graph,
      states: statesOf({ stale: "12", failed: "2" }),
      cursor: undefined,
      now: noon
    }).decisions
    const told = (evaluation: Automation.Evaluation): ReadonlyArray<string> => [
      `${AutomationCondition.format(evaluation.condition)}: ${digits(evaluation.isTrueOf)}`,
      ...evaluation.parts.flatMap(told)
    ]
    assert.deepStrictEqual(decision === undefined ? [] : told(decision.evaluation), [
      "(missing or stale) and (not in progress and not failed): 1",
      "missing or stale: 12",
      "missing: ",
      "stale: 12",
      "not in progress and not failed: 1345",
      "not in progress: 12345",
      "in progress: ",
      "not failed: 1345",
      "failed: 2"
    ])
  })

  it("knows when time alone can make a condition true", () => {
    const after = noon
    assert.isUndefined(Automation.nextTick(eager, after))
    assert.strictEqual(
      Automation.nextTick(or(onCron("0 13 * * *"), not(cronTick("30 12 * * *"))), after),
      Date.parse("2024-03-06T12:30:00Z")
    )
  })

  it("refuses a schedule that cannot be read where it is written", () => {
    assert.throws(() => cronTick("61 * * * *"), /cannot read the schedule "61 \* \* \* \*" in UTC/)
    assert.throws(() => cronTick("0 * * * *", "Mars/Olympus"), /an IANA time zone such as Europe\/Berlin/)
  })
})
