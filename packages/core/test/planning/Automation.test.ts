import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as AutomationCondition from "@assay/core/AutomationCondition"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Automation from "@assay/core/planning/Automation"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const {
  allDeps,
  and,
  anyDeps,
  checkFailed,
  codeChanged,
  cronTick,
  eager,
  failed,
  inLatestWindow,
  inProgress,
  missing
} = AutomationCondition
const { newlyTrue, newlyUpdated, never, not, onCron, onMissing, or, since, stale, willBeRequested } =
  AutomationCondition

const days = Partitions.daily({ start: "2024-03-01" })
const noon = Date.parse("2024-03-06T12:00:00Z")

/** Two days tables, the second made of the first, and a total made of the second. */
const graphOf = (
  conditions: { readonly [Name in "first" | "second" | "total"]?: AutomationCondition.AutomationCondition },
  policy: MaterializationPolicy.MaterializationPolicy = MaterializationPolicy.eager
) => {
  const policyOf = (name: "first" | "second" | "total") =>
    policy.pipe(MaterializationPolicy.withAutomation(conditions[name] ?? never))
  const columns = Schema.Struct({ day: Column.date })
  const first = Asset.make("first", {
    description: "Days",
    columns,
    partitions: days,
    inputs: {},
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    policy: policyOf("first"),
    compute: { sql: () => sql`SELECT 1` }
  })
  const second = Asset.make("second", {
    description: "The same days",
    columns,
    partitions: days,
    inputs: { first: Asset.input(first, PartitionMapping.identity) },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    policy: policyOf("second"),
    compute: { sql: ({ first }) => sql`SELECT * FROM ${first} AS f` }
  })
  const total = Asset.make("total", {
    description: "How many days",
    columns: Schema.Struct({ days: Column.integer }),
    inputs: { second: Asset.input(second, PartitionMapping.all) },
    write: WriteStrategy.replace({ key: ["days"] }),
    policy: policyOf("total"),
    compute: { sql: ({ second }) => sql`SELECT count(*) AS days FROM ${second} AS s` }
  })
  return AssetGraph.make([first, second, total])
}

type Facts = Partial<Record<"built" | "stale" | "updated" | "inProgress" | "failed" | "checkFailed", string>> & {
  readonly isCodeChanged?: boolean
}

/** The states of the assets: sets of days by their last digits, everything built where nothing is said. */
const statesOf = (
  graph: AssetGraph.AssetGraph,
  facts: { readonly [asset: string]: Facts } = {},
  now = noon
): ReadonlyMap<string, Automation.AssetState> =>
  new Map(
    Array.from(graph.assets.values(), ({ name, partitions }) => {
      const existing = Partitions.existing(partitions, now)
      const own = facts[name] ?? {}
      const set = (digits: string | undefined) =>
        Result.getOrThrow(
          PartitionSet.fromKeys(
            partitions,
            Array.from(digits ?? "", (digit) => (digit === "*" ? "*" : `2024-03-0${digit}`))
          )
        )
      const state: Automation.AssetState = {
        existing,
        built: own.built === undefined ? existing : set(own.built),
        stale: set(own.stale),
        updated: set(own.updated),
        inProgress: set(own.inProgress),
        failed: set(own.failed),
        checkFailed: set(own.checkFailed),
        isCodeChanged: own.isCodeChanged ?? false
      }
      return [name, state] as const
    })
  )

/** The requested units by asset, as their last digits. */
const requestedBy = ({ decisions }: ReturnType<typeof Automation.evaluate>) =>
  Object.fromEntries(decisions.map(({ asset, requested }) => [asset, digits(requested)]))

const digits = (set: PartitionSet.PartitionSet): string =>
  Array.from(PartitionSet.keys(set), (key) => key.at(-1)).join("")

const once = (
  conditions: Parameters<typeof graphOf>[0],
  facts: { readonly [asset: string]: Facts },
  cursor?: Automation.Cursor
) => {
  const graph = graphOf(conditions)
  return requestedBy(Automation.evaluate({ graph, states: statesOf(graph, facts), cursor, now: noon }))
}

describe("a condition", () => {
  it.each([
    ["missing", missing, { built: "134" }, "25"],
    ["stale", stale, { stale: "24" }, "24"],
    ["newly updated", newlyUpdated, { updated: "3" }, "3"],
    ["in progress", inProgress, { inProgress: "1" }, "1"],
    ["failed", failed, { failed: "5" }, "5"],
    ["check failed", checkFailed, { checkFailed: "5" }, "5"],
    ["code changed", codeChanged, { isCodeChanged: true }, "12345"],
    ["code not changed", codeChanged, {}, ""],
    ["in the latest window", inLatestWindow(), {}, "5"],
    ["in the latest three windows", inLatestWindow(3), {}, "345"],
    ["and", and(missing, inLatestWindow(2)), { built: "13" }, "45"],
    ["or", or(missing, stale), { built: "1345", stale: "4" }, "24"],
    ["not", not(stale), { stale: "12" }, "345"],
    ["not of a unit that does not exist yet", not(inLatestWindow(99)), {}, ""],
    ["never", never, { built: "" }, undefined],
    ["and of nothing", and(), {}, "12345"],
    ["or of nothing", or(), {}, ""],
    ["eager", eager, { built: "1345", stale: "34", inProgress: "3", failed: "" }, "24"],
    ["eager, after a failure", eager, { stale: "34", failed: "3" }, "4"],
    ["on missing", onMissing, { built: "1345", stale: "34" }, "2"]
  ])("%s", (_, condition, facts, expected) => {
    assert.strictEqual(once({ first: condition }, { first: facts })["first"], expected)
  })

  it("asks what a unit is made of (Verifies: L7)", () => {
    const upstream = { first: { stale: "24" } }
    assert.deepStrictEqual(once({ second: anyDeps(stale) }, upstream), { second: "24" })
    assert.deepStrictEqual(once({ second: allDeps(not(stale)) }, upstream), { second: "135" })
    assert.deepStrictEqual(once({ total: anyDeps(anyDeps(stale)) }, upstream), { total: "*" })
    assert.deepStrictEqual(once({ total: allDeps(newlyUpdated) }, { second: { updated: "1234" } }), { total: "" })
    assert.deepStrictEqual(once({ total: allDeps(newlyUpdated) }, { second: { updated: "12345" } }), { total: "*" })
    assert.deepStrictEqual(once({ first: allDeps(stale) }, {}), { first: "12345" })
    assert.deepStrictEqual(once({ first: anyDeps(stale) }, {}), { first: "" })
  })

  it("sees what this evaluation requests upstream, so that a chain needs one evaluation", () => {
    const follows = or(stale, anyDeps(willBeRequested))
    assert.deepStrictEqual(once({ first: eager, second: follows, total: follows }, { first: { stale: "3" } }), {
      first: "3",
      second: "3",
      total: "*"
    })
  })
})

describe("what an evaluation remembers", () => {
  const evaluate = (
    condition: AutomationCondition.AutomationCondition,
    rounds: ReadonlyArray<{ readonly at: string } & Facts>
  ) => {
    const graph = graphOf({ first: condition })
    let cursor: Automation.Cursor | undefined
    return rounds.map(({ at, ...facts }) => {
      const now = Date.parse(at)
      const found = Automation.evaluate({ graph, states: statesOf(graph, { first: facts }, now), cursor, now })
      cursor = found.cursor
      return requestedBy(found)["first"]
    })
  }
  const at = (time: string) => ({ at: `2024-03-06T${time}Z` })

  it("is what was true, so that newly true is true once", () => {
    assert.deepStrictEqual(
      evaluate(newlyTrue(stale), [
        { ...at("12:00"), stale: "2" },
        { ...at("12:01"), stale: "23" },
        { ...at("12:02"), stale: "3" },
        { ...at("12:03"), stale: "23" }
      ]),
      ["2", "3", "", "2"]
    )
  })

  it("is what was true since it was reset", () => {
    assert.deepStrictEqual(
      evaluate(since(stale, newlyUpdated), [
        { ...at("12:00"), stale: "23" },
        { ...at("12:01") },
        { ...at("12:02"), updated: "2" },
        { ...at("12:03"), stale: "3", updated: "3" }
      ]),
      ["23", "23", "3", "3"]
    )
  })

  it("is the time, so that a tick is seen once, and a schedule begins with the first tick after the first evaluation", () => {
    assert.deepStrictEqual(
      evaluate(cronTick("0 13 * * *"), [at("13:00"), at("13:01"), { at: "2024-03-07T12:59:59Z" }]),
      ["", "", ""]
    )
    assert.deepStrictEqual(
      evaluate(cronTick("0 13 * * *"), [at("12:00"), at("12:59:59"), at("13:00"), at("13:00:01"), at("23:00")]),
      ["", "", "12345", "", ""]
    )
    assert.deepStrictEqual(evaluate(cronTick("0 14 * * *", "Europe/Berlin"), [at("12:59"), at("13:00")]), ["", "12345"])
  })

  it("lasts from a tick until what was stale then is built", () => {
    assert.deepStrictEqual(
      evaluate(onCron("0 13 * * *"), [
        { ...at("12:59"), stale: "2" },
        { ...at("13:00"), stale: "2" },
        { ...at("13:01"), stale: "2", inProgress: "2" },
        { ...at("13:02"), stale: "2" },
        { ...at("13:03"), updated: "2" },
        { ...at("13:04"), stale: "2" }
      ]),
      ["", "2", "", "2", "", ""]
    )
  })

  it("is forgotten when the condition becomes another", () => {
    const before = graphOf({ first: newlyTrue(stale) })
    const after = graphOf({ first: newlyTrue(or(stale, missing)) })
    const states = statesOf(before, { first: { stale: "2" } })
    const { cursor } = Automation.evaluate({ graph: before, states, cursor: undefined, now: noon })
    const again = (graph: AssetGraph.AssetGraph) =>
      requestedBy(Automation.evaluate({ graph, states, cursor, now: noon }))["first"]
    assert.strictEqual(again(before), "")
    assert.strictEqual(again(after), "2")
  })
})

describe("a horizon", () => {
  it("holds back what closed long ago, and tells it", () => {
    const graph = graphOf(
      { first: eager },
      MaterializationPolicy.eager.pipe(MaterializationPolicy.withHorizon("3 days"))
    )
    const { decisions } = Automation.evaluate({
      graph,
      states: statesOf(graph, { first: { stale: "14" } }),
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
    const graph = graphOf({ first: eager })
    const [decision] = Automation.evaluate({
      graph,
      states: statesOf(graph, { first: { stale: "12", failed: "2" } }),
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
