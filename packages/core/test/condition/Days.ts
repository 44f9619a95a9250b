/**
 * Days of March that conditions are asked about: `left` and `right` by day, `merged` made of both, and a `total` of it
 * without partitions. A day of `merged` reads its own day of `left`, and of `right` also the day before.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import { type AutomationCondition, never } from "@assay/core/AutomationCondition"
import * as Column from "@assay/core/Column"
import type { Facts as Ledger } from "@assay/core/ledger/AutomationCursors"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Automation from "@assay/core/planning/Automation"
import * as AutomationState from "@assay/core/planning/AutomationState"
import { sql } from "@assay/core/Sql"
import * as AutomationTester from "@assay/core/testing/AutomationTester"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** Every day that there will ever be. */
export const all = [
  "2024-03-01",
  "2024-03-02",
  "2024-03-03",
  "2024-03-04",
  "2024-03-05",
  "2024-03-06",
  "2024-03-07"
] as const

/** The noon of a day of March, at which the days before it exist. */
export const noonOf = (day: number): number => Date.UTC(2024, 2, day, 12)

/** The days that exist at the noon of a day. */
export const existingOn = (day: number): ReadonlyArray<string> => all.slice(0, day - 1)

/** A day of March at whose noon none, some or all of the days exist. */
export const Today = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))

/** Some of the days, whether they exist or not. */
export const Choice = Schema.Array(Schema.Literals(all))

/** What can be said of an asset by day. */
export const Facts = Schema.Struct({
  built: Choice,
  stale: Choice,
  updated: Choice,
  inProgress: Choice,
  failed: Choice,
  checkFailed: Choice
})

type Name = "left" | "right" | "merged" | "total"
type Conditions = { readonly [asset in Name]?: AutomationCondition }
type Said = { readonly [fact in keyof typeof Facts.Type]?: ReadonlyArray<string> }

const cut = Partitions.daily({ start: "2024-03-01", end: "2024-03-08" })

export const graph = (
  conditions: Conditions,
  policy: MaterializationPolicy.MaterializationPolicy = MaterializationPolicy.eager
): AssetGraph.AssetGraph => {
  const policyOf = (name: Name) => MaterializationPolicy.withAutomation(policy, conditions[name] ?? never)
  const byDay = {
    description: "Days",
    columns: Schema.Struct({ day: Column.date }),
    partitions: cut,
    write: WriteStrategy.replacePartitions("day", { key: ["day"] })
  }
  const days = { ...byDay, inputs: {}, compute: { sql: () => sql`SELECT DATE '2024-03-01' AS day` } }
  const left = Asset.make("left", { ...days, policy: policyOf("left") })
  const right = Asset.make("right", { ...days, policy: policyOf("right") })
  const merged = Asset.make("merged", {
    ...byDay,
    inputs: {
      left: Asset.input(left, PartitionMapping.identity),
      right: Asset.input(right, PartitionMapping.timeWindows({ startOffset: -1 }))
    },
    policy: policyOf("merged"),
    compute: { sql: ({ left, right }) => sql`SELECT day FROM ${left} AS l UNION SELECT day FROM ${right} AS r` }
  })
  const total = Asset.make("total", {
    description: "How many days",
    columns: Schema.Struct({ days: Column.integer }),
    inputs: { merged: Asset.input(merged, PartitionMapping.all) },
    write: WriteStrategy.replace({ key: ["days"] }),
    policy: policyOf("total"),
    compute: { sql: ({ merged }) => sql`SELECT count(*) AS days FROM ${merged} AS m` }
  })
  return AssetGraph.make([left, right, merged, total])
}

/** What is requested at the noon of 6 March, when five days exist. */
export const ask = (
  conditions: Conditions,
  facts: { readonly [asset: string]: AutomationTester.Facts } = {}
): AutomationTester.Outcome["requested"] =>
  AutomationTester.make(graph(conditions)).evaluate("2024-03-06T12:00:00Z", facts).requested

/** Evaluations one after the other: at an instant, by what is said of assets, the requested days of an asset. */
export const watch = (conditions: Conditions) => {
  const watched = graph(conditions)
  let cursor: Automation.Cursor | undefined
  return (now: number, facts: { readonly [asset in Name]?: Said } = {}) => {
    const states = new Map<string, Automation.AssetState>(
      (["left", "right", "merged", "total"] as const).map((name) => {
        const { partitions } = AssetGraph.getUnsafe(watched, name)
        const existing = Partitions.existing(partitions, now)
        const said = facts[name] ?? {}
        const set = (keys: ReadonlyArray<string> = []) => Result.getOrThrow(PartitionSet.fromKeys(partitions, keys))
        return [
          name,
          {
            existing,
            built: said.built === undefined ? existing : set(said.built),
            stale: set(said.stale),
            updated: set(said.updated),
            inProgress: set(said.inProgress),
            failed: set(said.failed),
            checkFailed: set(said.checkFailed),
            isCodeChanged: false
          }
        ]
      })
    )
    const evaluated = Automation.evaluate({ graph: watched, states, cursor, now })
    cursor = evaluated.cursor
    return (name: Name) => requestedOf(evaluated.decisions, name)
  }
}

/** What is known of `left`, when it has a condition, by what the ledger says. */
export const known = (condition: AutomationCondition, facts: Partial<Ledger>): AutomationState.Known => {
  const nothing: Ledger = {
    codeVersion: undefined,
    ranges: [],
    marks: [],
    built: [],
    failures: [],
    remembered: undefined
  }
  const left = AssetGraph.getUnsafe(graph({ left: condition }), "left")
  return AutomationState.learn(left, { ...nothing, ...facts }, { before: undefined, units: undefined })
}

/** The days of `left` that are requested by what is known of it. */
export const requested = (self: AutomationState.Known, now: number): ReadonlyArray<string> => {
  const inProgress = PartitionSet.empty(cut)
  const state = AutomationState.make(self, { now, deliveries: undefined, inProgress })
  const { decisions } = Automation.evaluate({
    graph: AssetGraph.make([self.asset]),
    states: new Map([["left", state]]),
    cursor: undefined,
    now
  })
  return requestedOf(decisions, "left")
}

const requestedOf = (decisions: ReadonlyArray<Automation.Decision>, name: Name): ReadonlyArray<string> =>
  decisions.flatMap(({ asset, requested }) => (asset === name ? Array.from(PartitionSet.keys(requested)) : []))
