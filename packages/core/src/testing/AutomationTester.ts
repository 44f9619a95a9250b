/**
 * Which units would the conditions of a graph request, given these states and this time? Tests of automation without a
 * daemon, a database or a clock: the test says what is built, stale or failed and what time it is, and asks.
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import type { AssetKey } from "../Asset.ts"
import * as AssetGraph from "../AssetGraph.ts"
import { format } from "../AutomationCondition.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as Automation from "../planning/Automation.ts"

/**
 * What is said of an asset: ranges as `PartitionSet.parse` reads them, of an asset without partitions `all`. What is left
 * out: everything that exists is built, and nothing else is true.
 *
 * @category models
 * @since 0.1.0
 */
export interface Facts {
  readonly built?: string | undefined
  readonly missing?: string | undefined
  readonly stale?: string | undefined
  readonly updated?: string | undefined
  readonly inProgress?: string | undefined
  readonly failed?: string | undefined
  readonly checkFailed?: string | undefined
  readonly isCodeChanged?: boolean | undefined
}

/**
 * What an evaluation has come to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome {
  /** The requested partitions of each asset that has some, in order. */
  readonly requested: { readonly [asset: AssetKey]: string }
  /** What waits, because its window is closed. */
  readonly held: { readonly [asset: AssetKey]: string }
  /** What one run would carry along, because the requests may make it stale. */
  readonly follows: { readonly [asset: AssetKey]: string }
  /** Which part of an asset's condition was true of what, line by line. */
  readonly explain: (asset: AssetKey) => ReadonlyArray<string>
}

/**
 * Evaluates one after the other, remembering from each to the next.
 *
 * @category models
 * @since 0.1.0
 */
export interface AutomationTester {
  /** Evaluates as of a time (`2024-03-06T12:00:00Z`). Throws where a range or a name cannot be read. */
  readonly evaluate: (now: string, facts?: { readonly [asset: AssetKey]: Facts }) => Outcome
}

/**
 * A tester of the conditions of a graph.
 *
 * **Example** (Late data is restated, until its window closes)
 *
 * ```ts
 * import * as Asset from "@assay/core/Asset"
 * import * as AssetGraph from "@assay/core/AssetGraph"
 * import * as Column from "@assay/core/Column"
 * import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
 * import * as Partitions from "@assay/core/Partitions"
 * import { sql } from "@assay/core/Sql"
 * import * as AutomationTester from "@assay/core/testing/AutomationTester"
 * import * as WriteStrategy from "@assay/core/WriteStrategy"
 * import * as Schema from "effect/Schema"
 *
 * const days = Asset.make("days", {
 *   description: "The days",
 *   columns: Schema.Struct({ day: Column.date }),
 *   partitions: Partitions.daily({ start: "2024-03-01" }),
 *   inputs: {},
 *   write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
 *   policy: MaterializationPolicy.withHorizon(MaterializationPolicy.eager, "3 days"),
 *   compute: { sql: () => sql`SELECT DATE '2024-03-01' AS day` }
 * })
 *
 * const tester = AutomationTester.make(AssetGraph.make([days]))
 * const outcome = tester.evaluate("2024-03-06T12:00:00Z", { days: { stale: "2024-03-01, 2024-03-05" } })
 *
 * console.log(outcome.requested, outcome.held)
 * // { days: '2024-03-05' } { days: '2024-03-01' }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (graph: AssetGraph.AssetGraph): AutomationTester => {
  let cursor: Automation.Cursor | undefined
  return {
    evaluate: (time, facts = {}) => {
      const now = DateTime.toEpochMillis(DateTime.makeUnsafe(time))
      for (const name of Object.keys(facts)) AssetGraph.getUnsafe(graph, name)
      const states = new Map(
        Array.from(graph.assets.values(), ({ name, partitions }) => [name, stateOf(partitions, facts[name] ?? {}, now)])
      )
      const evaluated = Automation.evaluate({ graph, states, cursor, now })
      cursor = evaluated.cursor
      const sets = (of: (decision: Automation.Decision) => PartitionSet.PartitionSet) =>
        Object.fromEntries(
          evaluated.decisions.flatMap((decision) =>
            PartitionSet.isEmpty(of(decision)) ? [] : [[decision.asset, PartitionSet.format(of(decision))]]
          )
        )
      return {
        requested: sets(({ requested }) => requested),
        held: sets(({ held }) => held),
        follows: sets(({ follows }) => follows),
        explain: (asset) => {
          AssetGraph.getUnsafe(graph, asset)
          const decision = evaluated.decisions.find((one) => one.asset === asset)
          return decision === undefined ? ["never"] : explained(decision.evaluation, "")
        }
      }
    }
  }
}

// --- internal ---

const stateOf = (partitions: Partitions.Partitions, facts: Facts, now: number): Automation.AssetState => {
  const existing = Partitions.existing(partitions, now)
  const set = (text: string | undefined) =>
    text === undefined || text === ""
      ? PartitionSet.empty(partitions)
      : Result.getOrThrow(PartitionSet.parse(text, { partitions, existing, now }))
  const built = facts.built === undefined ? existing : set(facts.built)
  return {
    existing,
    built: PartitionSet.difference(built, set(facts.missing)),
    stale: set(facts.stale),
    updated: set(facts.updated),
    inProgress: set(facts.inProgress),
    failed: set(facts.failed),
    checkFailed: set(facts.checkFailed),
    isCodeChanged: facts.isCodeChanged ?? false
  }
}

const explained = ({ condition, isTrueOf, parts }: Automation.Evaluation, indent: string): ReadonlyArray<string> => [
  `${indent}${format(condition)}: ${PartitionSet.format(isTrueOf)}`,
  ...parts.flatMap((part) => explained(part, `${indent}  `))
]
