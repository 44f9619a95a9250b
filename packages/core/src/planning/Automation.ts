/**
 * What would be materialized now without anybody asking, and why? The conditions of all assets, evaluated against their
 * states: the same states, cursor and time always give the same requests, so that an evaluation can be shown, tested
 * and repeated.
 */
import * as Cron from "effect/Cron"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { Asset, AssetKey } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { type AutomationCondition, format } from "../AutomationCondition.ts"
import { canonicalJson } from "../Column.ts"
import { md5 } from "../internal/hash.ts"
import * as PartitionReach from "../PartitionReach.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"

/**
 * What the conditions of an asset ask about, as sets of its partitions. An asset without partitions has one, which stands
 * for all of its units.
 *
 * @category models
 * @since 0.1.0
 */
export interface AssetState {
  readonly existing: PartitionSet.PartitionSet
  readonly built: PartitionSet.PartitionSet
  readonly stale: PartitionSet.PartitionSet
  /** Materialized since the last evaluation. */
  readonly updated: PartitionSet.PartitionSet
  readonly inProgress: PartitionSet.PartitionSet
  readonly failed: PartitionSet.PartitionSet
  readonly checkFailed: PartitionSet.PartitionSet
  readonly isCodeChanged: boolean
}

/**
 * What an evaluation remembers for the next one: when it was, and what was true of which unit where a condition asks.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cursor {
  readonly at: number
  /** By asset, then by the condition's part. Forgotten when the condition or the partitions become others. */
  readonly remembered: ReadonlyMap<AssetKey, Memory>
}

/**
 * What is remembered of one asset, and when it was evaluated: assets are evaluated by whoever watches them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Memory {
  readonly definition: string
  readonly at: number
  readonly parts: ReadonlyMap<string, PartitionSet.PartitionSet>
}

/**
 * A part of a condition with the units of which it is true.
 *
 * @category models
 * @since 0.1.0
 */
export interface Evaluation {
  readonly condition: AutomationCondition
  readonly isTrueOf: PartitionSet.PartitionSet
  readonly parts: ReadonlyArray<Evaluation>
}

/**
 * What follows for one asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  readonly asset: AssetKey
  readonly evaluation: Evaluation
  readonly requested: PartitionSet.PartitionSet
  /** What the condition would request, had its windows not closed: restatements that wait for somebody to ask. */
  readonly held: PartitionSet.PartitionSet
  /**
   * What the condition would request besides, were everything stale that the requests upstream reach: so that one run can
   * carry a change all the way down. A mapping that reads rows may reach anything.
   */
  readonly follows: PartitionSet.PartitionSet
}

/**
 * Evaluates the conditions of all assets, upstream before downstream.
 *
 * @category constructors
 * @since 0.1.0
 */
export const evaluate = (options: {
  readonly graph: AssetGraph
  readonly states: ReadonlyMap<AssetKey, AssetState>
  readonly cursor: Cursor | undefined
  readonly now: number
  /** The assets to decide on; all that have a state, where it is left out. */
  readonly only?: ReadonlySet<AssetKey> | undefined
}): { readonly decisions: ReadonlyArray<Decision>; readonly cursor: Cursor } => {
  const { cursor, graph, now, states } = options
  const requested = new Map<AssetKey, PartitionSet.PartitionSet>()
  const changing = new Map<AssetKey, PartitionSet.PartitionSet>()
  const remembered = new Map<AssetKey, Memory>()
  const decisions: Array<Decision> = []
  const stateOf = (asset: Asset) => states.get(asset.name) ?? nothing(asset)
  for (const [name, asset] of graph.assets) {
    const { automation } = asset.policy
    const reached = reachedFrom(asset, stateOf(asset).existing, changing)
    if (asset.write._tag === "View") changing.set(name, reached)
    if (automation._tag === "Never" || !states.has(name) || options.only?.has(name) === false) continue
    const definition = definitionOf(asset)
    const known = cursor?.remembered.get(name)
    const memory: Notes = {
      before: known?.definition === definition ? known.parts : new Map(),
      now: new Map()
    }
    const world: World = { stateOf, requested, now, since: known?.at, memory }
    const evaluation = truth(automation, asset, world, "")
    const open = withinHorizon(asset, evaluation.isTrueOf, now)
    requested.set(name, open)
    const follows = PartitionSet.difference(withinHorizon(asset, foreseen(asset, reached, world), now), open)
    if (asset.write._tag !== "View") changing.set(name, PartitionSet.union(open, follows))
    remembered.set(name, { definition, at: now, parts: memory.now })
    decisions.push({
      asset: name,
      evaluation,
      requested: open,
      held: PartitionSet.difference(evaluation.isTrueOf, open),
      follows
    })
  }
  return { decisions, cursor: { at: now, remembered } }
}

/**
 * Names what is remembered of an asset: it has a meaning as long as the condition and the partitions stay as they are.
 *
 * @category conversions
 * @since 0.1.0
 */
export const definitionOf = ({ partitions, policy: { automation } }: Asset): string =>
  md5(canonicalJson({ automation, partitions: Partitions.withoutKeys(partitions) }))

/**
 * Whether a condition asks for what was before: without such a part, nothing has to be remembered.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isRemembering = (condition: AutomationCondition): boolean => {
  switch (condition._tag) {
    case "CronTick":
    case "NewlyUpdated":
    case "NewlyTrue":
    case "Since":
      return true
    case "And":
      return condition.all.some(isRemembering)
    case "Or":
      return condition.any.some(isRemembering)
    case "Not":
    case "AnyDeps":
    case "AllDeps":
      return isRemembering(condition.of)
    default:
      return false
  }
}

/**
 * The leaves that made a condition true of some units, in words: not what was in nobody's way.
 *
 * @category conversions
 * @since 0.1.0
 */
export const because = (self: Evaluation, units: PartitionSet.PartitionSet): ReadonlyArray<string> => {
  const isCut = self.isTrueOf.partitions === units.partitions
  if (isCut && PartitionSet.isEmpty(PartitionSet.intersection(self.isTrueOf, units))) return []
  switch (self.condition._tag) {
    case "Not":
      return []
    case "And":
    case "Or":
    case "NewlyTrue":
      return Array.from(new Set(self.parts.flatMap((part) => because(part, units))))
    default:
      return [format(self.condition)]
  }
}

/**
 * When something can become due by time alone, after an instant: a schedule ticks, or a window comes to exist. Undefined
 * where that is never.
 *
 * @category getters
 * @since 0.1.0
 */
export const nextInstant = (graph: AssetGraph, after: number): number | undefined => {
  const cuts = new Set<Partitions.Partitions>()
  const instants: Array<number> = []
  for (const { partitions, policy } of graph.assets.values()) {
    cuts.add(partitions)
    const tick = nextTick(policy.automation, after)
    if (tick !== undefined) instants.push(tick)
  }
  for (const partitions of cuts) {
    const opening = nextOpening(partitions, after)
    if (opening !== undefined) instants.push(opening)
  }
  return least(instants)
}

/**
 * When more partitions exist than at an instant; undefined where that is never: a window comes to exist when an earlier
 * or later one, as far off as the definition says, ends.
 *
 * @category getters
 * @since 0.1.0
 */
export const nextOpening = (partitions: Partitions.Partitions, after: number): number | undefined => {
  if (Partitions.isMulti(partitions))
    return least(partitions.dimensions.flatMap((one) => nextOpening(one.partitions, after) ?? []))
  if (!Partitions.isTimeWindows(partitions)) return undefined
  const { end, start } = Partitions.range(partitions)
  let window = Partitions.windowEndingAfter(partitions, after)
  // Before the first window that exists, none that ends makes a difference.
  const first = Partitions.shift(partitions, start, -partitions.endOffset)
  if (window.end < first.end) window = first
  const grown = Partitions.shift(partitions, window.start, partitions.endOffset)
  return grown.end > end ? undefined : window.end
}

/**
 * When a condition can become true by time alone, after an instant: the next tick of one of its schedules.
 *
 * @category getters
 * @since 0.1.0
 */
export const nextTick = (condition: AutomationCondition, after: number): number | undefined => {
  switch (condition._tag) {
    case "CronTick":
      return Cron.next(scheduleOf(condition), DateTime.makeUnsafe(after)).getTime()
    case "And":
      return earliest(condition.all, after)
    case "Or":
      return earliest(condition.any, after)
    case "Since":
      return earliest([condition.trigger, condition.reset], after)
    case "Not":
    case "NewlyTrue":
    case "AnyDeps":
    case "AllDeps":
      return nextTick(condition.of, after)
    default:
      return undefined
  }
}

// --- internal ---

interface Notes {
  readonly before: ReadonlyMap<string, PartitionSet.PartitionSet>
  readonly now: Map<string, PartitionSet.PartitionSet>
}

interface World {
  readonly stateOf: (asset: Asset) => AssetState
  readonly requested: ReadonlyMap<AssetKey, PartitionSet.PartitionSet>
  readonly now: number
  readonly since: number | undefined
  readonly memory: Notes
}

const leaf = (condition: AutomationCondition, isTrueOf: PartitionSet.PartitionSet): Evaluation => ({
  condition,
  isTrueOf,
  parts: []
})

/** `path` names the part within the asset's condition, by which it is remembered. */
const truth = (condition: AutomationCondition, asset: Asset, world: World, path: string): Evaluation => {
  const state = world.stateOf(asset)
  const { existing } = state
  const none = PartitionSet.empty(asset.partitions)
  const part = (of: AutomationCondition, index: number) => truth(of, asset, world, `${path}.${index}`)
  const whole = (parts: ReadonlyArray<Evaluation>, isTrueOf: PartitionSet.PartitionSet): Evaluation => ({
    condition,
    isTrueOf,
    parts
  })
  switch (condition._tag) {
    case "Never":
      return leaf(condition, none)
    case "Missing":
      return leaf(condition, PartitionSet.difference(existing, state.built))
    case "Stale":
      return leaf(condition, PartitionSet.intersection(state.stale, existing))
    case "NewlyUpdated":
      return leaf(condition, PartitionSet.intersection(state.updated, existing))
    case "InProgress":
      return leaf(condition, PartitionSet.intersection(state.inProgress, existing))
    case "Failed":
      return leaf(condition, PartitionSet.intersection(state.failed, existing))
    case "CheckFailed":
      return leaf(condition, PartitionSet.intersection(state.checkFailed, existing))
    case "CodeChanged":
      return leaf(condition, state.isCodeChanged ? existing : none)
    case "WillBeRequested":
      return leaf(condition, world.requested.get(asset.name) ?? none)
    case "InLatestWindow":
      return leaf(condition, latest(existing, condition.windows))
    case "CronTick":
      return leaf(condition, hasTicked(condition, world) ? existing : none)
    case "And": {
      const parts = condition.all.map(part)
      return whole(
        parts,
        parts.reduce((all, { isTrueOf }) => PartitionSet.intersection(all, isTrueOf), existing)
      )
    }
    case "Or": {
      const parts = condition.any.map(part)
      return whole(
        parts,
        parts.reduce((any, { isTrueOf }) => PartitionSet.union(any, isTrueOf), none)
      )
    }
    case "Not": {
      const of = part(condition.of, 0)
      return whole([of], PartitionSet.difference(existing, of.isTrueOf))
    }
    case "NewlyTrue": {
      const of = part(condition.of, 0)
      world.memory.now.set(path, of.isTrueOf)
      return whole([of], PartitionSet.difference(of.isTrueOf, world.memory.before.get(path) ?? none))
    }
    case "Since": {
      const trigger = part(condition.trigger, 0)
      const reset = part(condition.reset, 1)
      const held = PartitionSet.difference(world.memory.before.get(path) ?? none, reset.isTrueOf)
      const isTrueOf = PartitionSet.union(held, trigger.isTrueOf)
      world.memory.now.set(path, isTrueOf)
      return whole([trigger, reset], PartitionSet.intersection(isTrueOf, existing))
    }
    case "AnyDeps": {
      const parts = asset.inputs.map((input, index) => truth(condition.of, input.asset, world, `${path}.${index}`))
      return whole(
        parts,
        asset.inputs.reduce(
          (any, { mapping }, index) =>
            PartitionSet.union(any, reachedBy(parts[index]?.isTrueOf, mapping, asset, existing)),
          none
        )
      )
    }
    case "AllDeps": {
      const parts = asset.inputs.map((input, index) => truth(condition.of, input.asset, world, `${path}.${index}`))
      return whole(
        parts,
        asset.inputs.reduce((all, input, index) => {
          const { existing: upstream } = world.stateOf(input.asset)
          const others = PartitionSet.difference(upstream, parts[index]?.isTrueOf ?? upstream)
          return PartitionSet.difference(all, reachedBy(others, input.mapping, asset, existing))
        }, existing)
      )
    }
  }
}

/** The existing units that some upstream units reach; all of them where the mapping reads rows and any could be. */
const reachedBy = (
  upstream: PartitionSet.PartitionSet | undefined,
  mapping: Asset["inputs"][number]["mapping"],
  asset: Asset,
  existing: PartitionSet.PartitionSet
): PartitionSet.PartitionSet => {
  if (upstream === undefined || PartitionSet.isEmpty(upstream)) return PartitionSet.empty(asset.partitions)
  const reached = PartitionReach.downstream(mapping, { upstream, downstream: asset.partitions })
  return reached === undefined ? existing : PartitionSet.intersection(reached, existing)
}

/** The existing units that what changes upstream may make stale. */
const reachedFrom = (
  asset: Asset,
  existing: PartitionSet.PartitionSet,
  changing: ReadonlyMap<AssetKey, PartitionSet.PartitionSet>
): PartitionSet.PartitionSet =>
  asset.inputs.reduce(
    (any, input) => PartitionSet.union(any, reachedBy(changing.get(input.asset.name), input.mapping, asset, existing)),
    PartitionSet.empty(asset.partitions)
  )

/** Of which units the condition would be true, were these stale, or still missing, and free to be built. */
const foreseen = (asset: Asset, reached: PartitionSet.PartitionSet, world: World): PartitionSet.PartitionSet => {
  if (PartitionSet.isEmpty(reached)) return reached
  const state = world.stateOf(asset)
  const stale = PartitionSet.union(state.stale, PartitionSet.intersection(reached, state.built))
  const failed = PartitionSet.difference(state.failed, reached)
  const then: AssetState = { ...state, stale, failed }
  const stateOf = (other: Asset) => (other.name === asset.name ? then : world.stateOf(other))
  const memory: Notes = { before: world.memory.before, now: new Map() }
  const { isTrueOf } = truth(asset.policy.automation, asset, { ...world, stateOf, memory }, "")
  return PartitionSet.intersection(isTrueOf, reached)
}

const withinHorizon = (
  { policy: { horizon } }: Asset,
  set: PartitionSet.PartitionSet,
  now: number
): PartitionSet.PartitionSet => (horizon === undefined ? set : within(set, now - Duration.toMillis(horizon)))

const nothing = ({ partitions }: Asset): AssetState => {
  const none = PartitionSet.empty(partitions)
  return {
    existing: none,
    built: none,
    stale: none,
    updated: none,
    inProgress: none,
    failed: none,
    checkFailed: none,
    isCodeChanged: false
  }
}

/** The newest windows that exist; of several dimensions those of each with windows, and all of what has none. */
const latest = (existing: PartitionSet.PartitionSet, windows: number): PartitionSet.PartitionSet => {
  const { partitions } = existing
  if (Partitions.isTimeWindows(partitions)) return PartitionSet.takeLast(existing, windows)
  if (!Partitions.isMulti(partitions)) return existing
  const newest = partitions.dimensions.map(({ name }) => latest(PartitionSet.dimension(existing, name), windows))
  return PartitionSet.intersection(existing, PartitionSet.product(partitions, newest))
}

/** The partitions whose windows end after an instant; one without a window never closes. */
const within = (set: PartitionSet.PartitionSet, instant: number): PartitionSet.PartitionSet => {
  const { partitions } = set
  const hasWindows = Partitions.isMulti(partitions)
    ? partitions.dimensions.some((one) => Partitions.isTimeWindows(one.partitions))
    : Partitions.isTimeWindows(partitions)
  return hasWindows ? PartitionSet.difference(set, Partitions.finished(partitions, instant)) : set
}

const scheduleOf = ({ cron, timeZone }: AutomationCondition & { readonly _tag: "CronTick" }): Cron.Cron =>
  Cron.parseUnsafe(cron, timeZone)

/** The first evaluation knows of no tick: a schedule begins with the first one that it sees. */
const hasTicked = (condition: AutomationCondition & { readonly _tag: "CronTick" }, { now, since }: World): boolean =>
  since !== undefined && Cron.next(scheduleOf(condition), DateTime.makeUnsafe(since)).getTime() <= now

const earliest = (conditions: ReadonlyArray<AutomationCondition>, after: number): number | undefined =>
  least(conditions.flatMap((condition) => nextTick(condition, after) ?? []))

const least = (instants: ReadonlyArray<number>): number | undefined =>
  instants.length === 0 ? undefined : instants.reduce((first, instant) => Math.min(first, instant))
