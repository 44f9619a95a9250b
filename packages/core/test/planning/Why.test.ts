import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as AutomationCondition from "@assay/core/AutomationCondition"
import * as WhyReport from "@assay/core/cli/WhyReport"
import * as Style from "@assay/core/cli/Style"
import * as Column from "@assay/core/Column"
import type { Materialization } from "@assay/core/ledger/Materializations"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import type { AssetStatus } from "@assay/core/planning/AssetStatus"
import * as Why from "@assay/core/planning/Why"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const now = DateTime.makeUnsafe("2024-03-06T12:00:00Z")

/** Days, and what each is with the day before it. */
const graphOf = (options: {
  readonly start?: string
  readonly policy?: MaterializationPolicy.MaterializationPolicy
}) => {
  const columns = Schema.Struct({ day: Column.date })
  const days = Asset.make("days", {
    description: "Days",
    columns,
    partitions: Partitions.daily({ start: options.start ?? "2024-03-01" }),
    inputs: {},
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    compute: { sql: () => sql`SELECT 1` }
  })
  const pairs = Asset.make("pairs", {
    description: "Each day with the one before",
    columns,
    partitions: Partitions.daily({ start: "2024-03-01" }),
    inputs: { days: Asset.input(days, PartitionMapping.timeWindows({ startOffset: -1 })) },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    policy: options.policy ?? MaterializationPolicy.eager,
    compute: { sql: ({ days }) => sql`SELECT * FROM ${days} AS d` }
  })
  return AssetGraph.make([days, pairs])
}

const setOf = (asset: Asset.Asset, keys: ReadonlyArray<string>) =>
  Result.getOrThrow(PartitionSet.fromKeys(asset.partitions, keys))

/** The status of an asset of which everything is built but for what is said. */
const statusOf = (
  asset: Asset.Asset,
  facts: { readonly missing?: ReadonlyArray<string>; readonly stale?: ReadonlyArray<string> } = {}
): AssetStatus => {
  const existing = Partitions.existing(asset.partitions, DateTime.toEpochMillis(now))
  const stale = setOf(asset, facts.stale ?? [])
  return {
    asset,
    isBuilt: true,
    whole: undefined,
    existing,
    built: PartitionSet.difference(existing, setOf(asset, facts.missing ?? [])),
    stale,
    withdrawn: [],
    causes: PartitionSet.isEmpty(stale)
      ? []
      : [{ cause: { _tag: "Upstream", asset: "days" }, count: PartitionSet.size(stale) }],
    marked: []
  }
}

const materialization = (asset: Asset.Asset, unit: string, codeVersion = asset.codeVersion): Materialization => ({
  asset: asset.name,
  unit,
  rows: 4,
  contentHash: "hash",
  runId: "20240305-101500-aaaaaa",
  codeVersion,
  at: DateTime.makeUnsafe("2024-03-05T10:15:00Z")
})

const explain = (
  unit: string,
  options: Parameters<typeof graphOf>[0] & {
    readonly pairs?: Parameters<typeof statusOf>[1]
    readonly days?: Parameters<typeof statusOf>[1]
    readonly codeVersion?: string
  } = {}
) => {
  const graph = graphOf(options)
  const pairs = AssetGraph.getUnsafe(graph, "pairs")
  const days = AssetGraph.getUnsafe(graph, "days")
  const isMissing = options.pairs?.missing?.includes(unit) === true
  return Why.make({
    graph,
    asset: pairs,
    unit,
    statuses: new Map([
      ["days", statusOf(days, options.days)],
      ["pairs", statusOf(pairs, options.pairs)]
    ]),
    steps: new Map(),
    built: isMissing ? Option.none() : Option.some(materialization(pairs, unit, options.codeVersion)),
    reasons: options.pairs?.stale?.includes(unit)
      ? [
          {
            cause: { _tag: "Upstream", asset: "days" },
            isRange: false,
            at: DateTime.makeUnsafe("2024-03-06T11:58:00Z"),
            runId: "20240306-115800-bbbbbb"
          }
        ]
      : [],
    now
  })
}

const brief = ({ automation, next, othersDue, state }: Why.Explanation) => ({
  state,
  next: next._tag,
  automation: automation?.isTrue,
  othersDue
})

describe("an explanation", () => {
  it("says what would be done in each state", () => {
    const day = "2024-03-03"
    assert.deepStrictEqual(brief(explain(day)), { state: "fresh", next: "Nothing", automation: false, othersDue: 0 })
    assert.deepStrictEqual(brief(explain(day, { pairs: { stale: [day, "2024-03-04"] } })), {
      state: "stale",
      next: "Build",
      automation: true,
      othersDue: 1
    })
    assert.deepStrictEqual(brief(explain(day, { pairs: { missing: [day] } })), {
      state: "missing",
      next: "Build",
      automation: true,
      othersDue: 0
    })
    assert.deepStrictEqual(brief(explain("2024-04-01")), {
      state: "toCome",
      next: "Exist",
      automation: false,
      othersDue: 0
    })
  })

  it("points upstream where nothing is due but there", () => {
    assert.deepStrictEqual(explain("2024-03-03", { days: { stale: ["2024-03-03"] } }).next, {
      _tag: "Upstream",
      assets: ["days"]
    })
  })

  it("says when a partition comes to exist", () => {
    const { next } = explain("2024-04-01")
    assert.deepStrictEqual(next, { _tag: "Exist", at: Date.parse("2024-04-02T00:00:00Z") })
  })

  it("names the upstream windows that are absent, and waits for them (Verifies: L7)", () => {
    const lacking = explain("2024-03-01", { start: "2024-03-02", pairs: { missing: ["2024-03-01"] } })
    assert.deepStrictEqual(
      [lacking.next._tag, lacking.incomplete.map(({ absent, upstream }) => [upstream, PartitionSet.format(absent)])],
      ["Wait", [["days", "2024-02-29..2024-03-01"]]]
    )
    const building = MaterializationPolicy.make({ incompleteWindows: "build" })
    const { next } = explain("2024-03-01", {
      start: "2024-03-02",
      pairs: { missing: ["2024-03-01"] },
      policy: building
    })
    assert.strictEqual(next._tag, "Build")
  })

  it("says that only a request builds what is never automated, and what is behind its horizon", () => {
    const pairs = { stale: ["2024-03-03"] }
    const onRequest = explain("2024-03-03", { pairs, policy: MaterializationPolicy.onRequest })
    assert.deepStrictEqual([onRequest.next, onRequest.automation], [{ _tag: "Build", isOnlyNamed: true }, undefined])
    const closing = MaterializationPolicy.eager.pipe(MaterializationPolicy.withHorizon("1 day"))
    assert.isTrue(explain("2024-03-03", { pairs, policy: closing }).isHeld)
    assert.isFalse(explain("2024-03-05", { pairs: { stale: ["2024-03-05"] }, policy: closing }).isHeld)
  })

  it("leaves open what only a daemon remembers", () => {
    const { and, anyDeps, allDeps, missing, newlyUpdated, not, onCron, or, stale } = AutomationCondition
    const truthOf = (condition: AutomationCondition.AutomationCondition, days: Parameters<typeof statusOf>[1] = {}) =>
      explain("2024-03-03", {
        days,
        pairs: { stale: ["2024-03-03"] },
        policy: MaterializationPolicy.make({ automation: condition })
      }).automation?.isTrue
    assert.deepStrictEqual(
      [
        onCron("0 6 * * *"),
        newlyUpdated,
        not(newlyUpdated),
        and(newlyUpdated, missing),
        and(newlyUpdated, stale),
        or(newlyUpdated, stale),
        or(newlyUpdated, missing),
        anyDeps(newlyUpdated)
      ].map((condition) => truthOf(condition)),
      [undefined, undefined, undefined, false, undefined, true, undefined, undefined]
    )
    // 2024-03-03 is made of that day and the one before.
    assert.deepStrictEqual(
      ["2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04"].map((day) => truthOf(anyDeps(stale), { stale: [day] })),
      [false, true, true, false]
    )
    assert.isFalse(truthOf(allDeps(stale), { stale: ["2024-03-03"] }))
    assert.isTrue(truthOf(allDeps(stale), { stale: ["2024-03-02", "2024-03-03"] }))
  })

  it("explains the last partition that is due, else the last that exists, where none is named", () => {
    const asset = AssetGraph.getUnsafe(graphOf({}), "pairs")
    assert.deepStrictEqual(
      [{}, { stale: ["2024-03-02", "2024-03-03"] }, { missing: ["2024-03-01"] }].map((facts) =>
        Why.usualUnit(statusOf(asset, facts))
      ),
      ["2024-03-05", "2024-03-03", "2024-03-01"]
    )
  })
})

describe("an explanation in words", () => {
  const told = (explanation: Why.Explanation, width = 80) =>
    WhyReport.lines(explanation, { style: Style.plain, width, now, call: "pnpm assay" })

  it("says what made a unit stale, and what to do", () => {
    assert.deepStrictEqual(
      told(explain("2024-03-03", { pairs: { stale: ["2024-03-02", "2024-03-03"] }, codeVersion: "0123456789" })),
      [
        "pairs 2024-03-03 is stale: it may differ from the full refresh.",
        "",
        "window      2024-03-03 00:00:00 UTC to 2024-03-04 00:00:00 UTC",
        "built       2024-03-05 10:15:00 UTC (1 day ago): 4 rows",
        "            by run 20240305-101500-aaaaaa",
        "            with another definition (01234567) than the one of now",
        "stale       since 2024-03-06 11:58:00 UTC (2 min ago): days changed",
        "            by run 20240306-115800-bbbbbb",
        "automation  + (missing or stale) and (not in progress and not failed)",
        "              + missing or stale",
        "                x missing",
        "                + stale",
        "              + not in progress and not failed",
        "                + not in progress",
        "                + not failed",
        "next        to build it: pnpm assay materialize --asset pairs --partitions",
        "            2024-03-03",
        "            1 other partition is due: pnpm assay plan --asset pairs"
      ]
    )
  })

  it("stays within the terminal", () => {
    for (const width of [40, 60, 80, 120]) {
      for (const line of told(
        explain("2024-03-01", { start: "2024-03-02", pairs: { missing: ["2024-03-01"] } }),
        width
      ))
        assert.isAtMost(line.length, width, line)
    }
  })

  it("is a document for scripts", () => {
    const document = WhyReport.documentOf(explain("2024-04-01"), "dev")
    assert.deepInclude(document, {
      target: "dev",
      asset: "pairs",
      unit: "2024-04-01",
      state: "toCome",
      stale: [],
      next: { action: "Exist", at: "2024-04-02T00:00:00.000Z", upstream: [] }
    })
    assert.deepStrictEqual(document.window, { start: "2024-04-01T00:00:00.000Z", end: "2024-04-02T00:00:00.000Z" })
  })
})
