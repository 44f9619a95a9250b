/**
 * Why is a unit as it is? Whether it exists and is built, by which run and code, what has made it stale since when, what
 * its upstream windows lack, what its automation condition says of it, and what would be done next: everything that
 * explains one unit, as data. Making it is pure; a command prints it.
 */
import type * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { type Asset, type AssetKey, isPartitioned } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import * as AutomationCondition from "../AutomationCondition.ts"
import type { Materialization } from "../ledger/Materializations.ts"
import type { Mark } from "../ledger/StaleSets.ts"
import * as PartitionReach from "../PartitionReach.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { StepRecord } from "../Run.ts"
import type { TimeWindow } from "../TimeWindow.ts"
import { whole } from "../Unit.ts"
import { type AssetStatus, due, missing } from "./AssetStatus.ts"
import * as Automation from "./Automation.ts"
import * as IncompleteWindow from "./IncompleteWindow.ts"

/**
 * The states of a unit.
 *
 * **Details**
 *
 * `source` and `view` are assets without units that could be stale. A partition is `toCome` until its window has come to
 * exist, then `missing` until it is built, then `fresh` or `stale`. A key is fresh or stale as soon as its asset is built.
 *
 * @category models
 * @since 0.1.0
 */
export type State = "source" | "view" | "toCome" | "missing" | "stale" | "fresh"

/**
 * Something that made a unit stale.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reason extends Mark {
  /** The run whose step on the upstream asset was going on at that time. */
  readonly runId: string | undefined
}

/**
 * A part of an automation condition, as it is of one unit. Undefined where it compares with the last evaluation, which only
 * a daemon remembers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Judgement {
  readonly condition: string
  /** The upstream asset whose units it is asked of. */
  readonly of: AssetKey | undefined
  readonly isTrue: boolean | undefined
  readonly parts: ReadonlyArray<Judgement>
}

/**
 * What would be done next.
 *
 * **Details**
 *
 * - `Nothing`: the unit is fresh, or its asset is never built.
 * - `Build`: the next `materialize` builds it. With `isOnlyNamed`, only one that names the asset.
 * - `Exist`: it comes to exist first, at an instant in epoch milliseconds.
 * - `Wait`: it waits for the upstream windows that `incomplete` tells of.
 * - `Upstream`: as things stand nothing is due here, but these assets upstream are.
 *
 * @category models
 * @since 0.1.0
 */
export type Next =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Build"; readonly isOnlyNamed: boolean }
  | { readonly _tag: "Exist"; readonly at: number }
  | { readonly _tag: "Wait" }
  | { readonly _tag: "Upstream"; readonly assets: ReadonlyArray<AssetKey> }

/**
 * Everything that explains one unit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Explanation {
  readonly asset: AssetKey
  /** A partition, the text of a key, or `*` for the whole asset. */
  readonly unit: string
  readonly unitName: "partition" | "key" | "table"
  readonly window: TimeWindow | undefined
  readonly state: State
  /** The last materialization: of the partition, or of the asset where units are not recorded one by one. */
  readonly built: Materialization | undefined
  readonly isBuiltByOtherCode: boolean
  readonly codeVersion: string
  readonly reasons: ReadonlyArray<Reason>
  /** How many units of the asset are stale, by cause, where the unit is the whole asset. */
  readonly causes: AssetStatus["causes"]
  readonly incomplete: ReadonlyArray<IncompleteWindow.IncompleteWindow>
  readonly lastStep: StepRecord | undefined
  /** How many other units of the asset are due. */
  readonly othersDue: number
  readonly automation: Judgement | undefined
  /** Whether its window is closed, so that only a request restates it. */
  readonly isHeld: boolean
  readonly next: Next
}

/**
 * What is known of a unit and of its neighbourhood.
 *
 * @category models
 * @since 0.1.0
 */
export interface Findings {
  readonly graph: AssetGraph
  readonly asset: Asset
  readonly unit: string
  /** Of the asset and of everything upstream of it. */
  readonly statuses: ReadonlyMap<AssetKey, AssetStatus>
  readonly steps: ReadonlyMap<AssetKey, StepRecord>
  readonly built: Option.Option<Materialization>
  readonly reasons: ReadonlyArray<Reason>
  readonly now: DateTime.Utc
}

/**
 * The explanation that follows from the findings.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (findings: Findings): Explanation => {
  const { asset, reasons, unit } = findings
  const status = findings.statuses.get(asset.name)
  const built = Option.getOrUndefined(findings.built)
  const state = stateOf(findings, status)
  const one = unitsOf(asset, unit)
  const now = findings.now.epochMilliseconds
  const incomplete = state === "toCome" ? [] : IncompleteWindow.find(asset, one, now)
  const judged = judge(findings)
  const wholeCode = built !== undefined && built.codeVersion !== asset.codeVersion
  return {
    asset: asset.name,
    unit,
    unitName: isPartitioned(asset) ? "partition" : unit === whole ? "table" : "key",
    window: windowOf(asset, unit),
    state,
    built,
    isBuiltByOtherCode: wholeCode,
    codeVersion: asset.codeVersion,
    reasons: state === "stale" ? reasons : [],
    causes: unit === whole && state === "stale" ? (status?.causes ?? []) : [],
    incomplete,
    lastStep: findings.steps.get(asset.name),
    othersDue:
      status === undefined || !isPartitioned(asset) ? 0 : PartitionSet.size(PartitionSet.difference(due(status), one)),
    automation: judged?.judgement,
    isHeld: judged?.isHeld ?? false,
    next: nextOf(findings, state, incomplete)
  }
}

/**
 * The partition that is most in need of an explanation: the last one that is due, else the last that exists, else the
 * first that will; `*` where the units are not partitions.
 *
 * @category getters
 * @since 0.1.0
 */
export const usualUnit = (status: AssetStatus): string => {
  if (!isPartitioned(status.asset)) return whole
  const candidates = PartitionSet.isEmpty(due(status)) ? status.existing : due(status)
  const [last] = PartitionSet.keys(PartitionSet.last(candidates))
  const [first] = PartitionSet.keys(PartitionSet.take(PartitionSet.all(status.asset.partitions), 1))
  return last ?? first ?? whole
}

/**
 * What a condition may ask of an asset, as far as its status tells.
 *
 * @category conversions
 * @since 0.1.0
 */
export const assetState = (status: AssetStatus, lastStep: StepRecord | undefined): Automation.AssetState => {
  const { asset, built, existing, stale } = status
  const none = PartitionSet.empty(asset.partitions)
  const isSource = asset.body._tag === "Source"
  const wanting = isSource ? none : due(status)
  const isFailed = lastStep?.status === "failed"
  return {
    existing,
    built: isSource ? existing : built,
    stale: PartitionSet.intersection(stale, built),
    updated: none,
    inProgress: lastStep?.status === "running" ? wanting : none,
    failed: isFailed ? wanting : none,
    checkFailed: isFailed && lastStep.reason === "DataQuality" ? wanting : none,
    isCodeChanged: status.whole?._tag === "CodeChanged"
  }
}

// --- internal ---

const unitsOf = (asset: Asset, unit: string): PartitionSet.PartitionSet => {
  const { partitions } = asset
  const set = PartitionSet.fromKeys(partitions, [Partitions.isKey(partitions, unit) ? unit : whole])
  return set._tag === "Success" ? set.success : PartitionSet.empty(partitions)
}

const windowOf = ({ partitions }: Asset, unit: string): TimeWindow | undefined =>
  Option.getOrUndefined(Partitions.windowOf(partitions, unit))

const stateOf = ({ asset, reasons, unit }: Findings, status: AssetStatus | undefined): State => {
  if (asset.body._tag === "Source") return "source"
  if (asset.write._tag === "View") return "view"
  if (status === undefined) return "missing"
  if (isPartitioned(asset)) {
    if (!PartitionSet.has(status.existing, unit)) return "toCome"
    if (!PartitionSet.has(status.built, unit)) return "missing"
    return PartitionSet.has(status.stale, unit) ? "stale" : "fresh"
  }
  if (!status.isBuilt) return "missing"
  const isMarked = unit === whole ? status.causes.length > 0 : reasons.length > 0
  return isMarked || status.whole !== undefined ? "stale" : "fresh"
}

const nextOf = (
  { asset, graph, now, statuses, unit }: Findings,
  state: State,
  incomplete: ReadonlyArray<IncompleteWindow.IncompleteWindow>
): Next => {
  switch (state) {
    case "source":
    case "view":
      return { _tag: "Nothing" }
    case "toCome": {
      const instant = existsAt(asset.partitions, unit, now.epochMilliseconds)
      return instant === undefined ? { _tag: "Nothing" } : { _tag: "Exist", at: instant }
    }
    case "fresh": {
      const above = Array.from(graph.assets.values()).flatMap((other) =>
        other.name !== asset.name && isBehind(statuses.get(other.name)) ? [other.name] : []
      )
      return above.length === 0 ? { _tag: "Nothing" } : { _tag: "Upstream", assets: above }
    }
    case "missing":
    case "stale":
      return incomplete.length > 0 && asset.policy.incompleteWindows === "wait"
        ? { _tag: "Wait" }
        : { _tag: "Build", isOnlyNamed: asset.policy.automation._tag === "Never" }
  }
}

/** A window exists from its own end on, so many windows earlier or later as the end offset says; a product when all do. */
const existsAt = (partitions: Partitions.Partitions, unit: string, now: number): number | undefined => {
  if (Partitions.isMulti(partitions)) {
    const keys = Partitions.keysOf(partitions, unit) ?? []
    const instants = partitions.dimensions.flatMap(
      (one, place) => existsAt(one.partitions, keys[place] ?? "", now) ?? []
    )
    return instants.length === 0 ? undefined : Math.max(...instants)
  }
  const window = Option.getOrUndefined(Partitions.windowOf(partitions, unit))
  return window === undefined || !Partitions.isTimeWindows(partitions)
    ? undefined
    : Math.max(now, Partitions.shift(partitions, window.start, -partitions.endOffset).end)
}

const isBehind = (status: AssetStatus | undefined): boolean =>
  status?.asset.body._tag === "Compute" &&
  (status.whole !== undefined || status.causes.length > 0 || !PartitionSet.isEmpty(missing(status)))

const judge = ({
  asset,
  graph,
  now,
  statuses,
  steps,
  unit
}: Findings): { readonly judgement: Judgement; readonly isHeld: boolean } | undefined => {
  const states = new Map(Array.from(statuses, ([name, status]) => [name, assetState(status, steps.get(name))] as const))
  const { decisions } = Automation.evaluate({ graph, states, cursor: undefined, now: now.epochMilliseconds })
  const decision = decisions.find((one) => one.asset === asset.name)
  if (decision === undefined || asset.body._tag === "Source" || asset.write._tag === "View") return undefined
  const key = isPartitioned(asset) ? unit : whole
  return {
    judgement: judgementOf(decision.evaluation, { asset, key, of: undefined }),
    isHeld: PartitionSet.has(decision.held, key)
  }
}

interface Place {
  readonly asset: Asset
  readonly key: string
  readonly of: AssetKey | undefined
}

const judgementOf = ({ condition, isTrueOf, parts }: Automation.Evaluation, place: Place): Judgement => {
  const { asset, key, of } = place
  const about = { condition: AutomationCondition.format(condition), of }
  switch (condition._tag) {
    case "CronTick":
    case "NewlyUpdated":
      return { ...about, isTrue: undefined, parts: [] }
    case "NewlyTrue":
    case "Since":
      return { ...about, isTrue: undefined, parts: parts.map((part) => judgementOf(part, place)) }
    case "Not": {
      const inner = parts.map((part) => judgementOf(part, place))
      const isTrue = inner[0]?.isTrue
      return { ...about, isTrue: isTrue === undefined ? undefined : !isTrue, parts: inner }
    }
    case "And": {
      const inner = parts.map((part) => judgementOf(part, place))
      return { ...about, isTrue: every(inner), parts: inner }
    }
    case "Or": {
      const inner = parts.map((part) => judgementOf(part, place))
      return { ...about, isTrue: some(inner), parts: inner }
    }
    case "AnyDeps":
    case "AllDeps": {
      const inner = parts.flatMap((part, index) => ofInput(part, asset.inputs[index], place, condition._tag))
      return { ...about, isTrue: condition._tag === "AnyDeps" ? some(inner) : every(inner), parts: inner }
    }
    default:
      return { ...about, isTrue: PartitionSet.has(isTrueOf, key), parts: [] }
  }
}

/** What a condition says of the units of an input that a unit is made of. */
const ofInput = (
  { condition, isTrueOf }: Automation.Evaluation,
  input: Asset["inputs"][number] | undefined,
  { asset, key }: Place,
  quantifier: "AnyDeps" | "AllDeps"
): ReadonlyArray<Judgement> => {
  if (input === undefined) return []
  const upstream = PartitionReach.upstream(input.mapping, {
    downstream: unitsOf(asset, key),
    upstream: input.asset.partitions
  })
  const read = upstream ?? PartitionSet.all(input.asset.partitions)
  const met = PartitionSet.intersection(isTrueOf, read)
  const isTrue =
    quantifier === "AnyDeps" || upstream === undefined
      ? !PartitionSet.isEmpty(met)
      : PartitionSet.isEmpty(PartitionSet.difference(read, met))
  return [
    {
      condition: AutomationCondition.format(condition),
      of: input.asset.name,
      isTrue: Automation.isRemembering(condition) ? undefined : isTrue,
      parts: []
    }
  ]
}

const every = (parts: ReadonlyArray<Judgement>): boolean | undefined =>
  parts.some(({ isTrue }) => isTrue === false)
    ? false
    : parts.some(({ isTrue }) => isTrue === undefined)
      ? undefined
      : true

const some = (parts: ReadonlyArray<Judgement>): boolean | undefined =>
  parts.some(({ isTrue }) => isTrue === true)
    ? true
    : parts.some(({ isTrue }) => isTrue === undefined)
      ? undefined
      : false
