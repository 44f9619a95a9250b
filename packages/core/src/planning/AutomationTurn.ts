/**
 * One look of a daemon, as far as it can be thought: from what was read to what the conditions say, and from there to the
 * run that is requested. Pure; the reading and the storing around it are `execution/Watcher`.
 */
import type { Asset, AssetKey } from "../Asset.ts"
import { isPartitioned } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { md5 } from "../internal/hash.ts"
import type { Question, Reading } from "../ledger/AutomationCursors.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { Delivery } from "../Source.ts"
import * as Automation from "./Automation.ts"
import * as AutomationState from "./AutomationState.ts"
import * as IncompleteWindow from "./IncompleteWindow.ts"
import type { Target } from "./Request.ts"

/**
 * What a look starts from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ground {
  readonly graph: AssetGraph<never>
  /** The assets to decide on. */
  readonly assets: ReadonlySet<AssetKey>
  /** What the last look knew. */
  readonly known: ReadonlyMap<AssetKey, AutomationState.Known>
  /** What sources have to deliver. */
  readonly deliveries: ReadonlyMap<AssetKey, ReadonlyArray<Delivery>>
}

/**
 * One asset of a request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Requested {
  readonly asset: AssetKey
  /** The requested partitions; of an asset without partitions the one unit that it has. */
  readonly units: PartitionSet.PartitionSet
  /** The leaves of the condition that are true of them, in words. */
  readonly because: ReadonlyArray<string>
  readonly deliveries: ReadonlyArray<Delivery>
}

/**
 * The run that a look requests.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  readonly runId: string
  readonly targets: ReadonlyArray<Target<never>>
  readonly requested: ReadonlyArray<Requested>
  readonly follows: ReadonlyArray<AssetKey>
  /** The units that were due, with the versions by which they are known again. */
  readonly versions: ReadonlyMap<AssetKey, ReadonlyMap<string, string>>
}

/**
 * What a look has come to, before anything is requested.
 *
 * @category models
 * @since 0.1.0
 */
export interface Seen {
  readonly now: number
  readonly known: ReadonlyMap<AssetKey, AutomationState.Known>
  readonly states: ReadonlyMap<AssetKey, Automation.AssetState>
  readonly decisions: ReadonlyArray<Automation.Decision>
  readonly cursor: Automation.Cursor
  readonly remembering: ReadonlySet<AssetKey>
  readonly superseded: ReadonlySet<AssetKey>
}

/**
 * The assets whose condition asks for what was before, and what is upstream of them, of which it may ask it.
 *
 * @category getters
 * @since 0.1.0
 */
export const rememberingOf = ({ assets, graph }: Pick<Ground, "assets" | "graph">): ReadonlySet<AssetKey> => {
  const found = new Set<AssetKey>()
  const add = (asset: Asset): void => {
    if (found.has(asset.name)) return
    found.add(asset.name)
    for (const input of asset.inputs) add(input.asset)
  }
  for (const asset of graph.assets.values())
    if (assets.has(asset.name) && Automation.isRemembering(asset.policy.automation)) add(asset)
  return found
}

/**
 * What is known after a reading, and what the conditions say of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const see = (
  { assets, deliveries, graph, known: before }: Ground,
  {
    now,
    questions,
    reading
  }: { readonly questions: ReadonlyArray<Question>; readonly reading: Reading; readonly now: number }
): Seen => {
  const known = new Map(before)
  const remembering = rememberingOf({ assets, graph })
  for (const { asset: name, units } of questions) {
    const asset = graph.assets.get(name)
    const facts = reading.facts.get(name)
    if (asset === undefined || facts === undefined) continue
    known.set(name, AutomationState.learn(asset, facts, { before: before.get(name), units }))
  }
  const superseded = new Set<AssetKey>()
  const states = new Map<AssetKey, Automation.AssetState>()
  for (const [name, own] of known) {
    if (own.asset.body._tag === "Compute" && AutomationState.isOtherCode(own)) superseded.add(name)
    else {
      states.set(
        name,
        AutomationState.make(own, {
          now,
          deliveries: nameOf(deliveries.get(name)),
          inProgress: inProgress(own.asset, reading, now)
        })
      )
    }
  }
  const remembered = new Map(
    Array.from(known).flatMap(([name, own]) => {
      const memory = AutomationState.memoryOf(own)
      return memory === undefined ? [] : [[name, memory] as const]
    })
  )
  const evaluated = Automation.evaluate({ graph, states, cursor: { at: now, remembered }, now, only: assets })
  // What is upstream of a condition that remembers is seen by it, whether or not it is decided on.
  const cursor = new Map(evaluated.cursor.remembered)
  for (const name of remembering) {
    const asset = graph.assets.get(name)
    if (asset === undefined || cursor.has(name) || !states.has(name)) continue
    cursor.set(name, { definition: Automation.definitionOf(asset), at: now, parts: new Map() })
  }
  return {
    now,
    known,
    states,
    decisions: evaluated.decisions,
    cursor: { at: now, remembered: cursor },
    remembering,
    superseded
  }
}

/**
 * The run that follows from the decisions; undefined where nothing that is requested can be done now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decide = (
  { deliveries, graph }: Ground,
  { decisions, known, now, states }: Seen,
  { reading, runId }: { readonly runId: string; readonly reading: Reading }
): Request | undefined => {
  const requested: Array<Requested> = []
  const targets: Array<Target<never>> = []
  const follows: Array<AssetKey> = []
  const versions = new Map<AssetKey, ReadonlyMap<string, string>>()
  for (const decision of decisions) {
    const asset = graph.assets.get(decision.asset)
    const state = states.get(decision.asset)
    const own = known.get(decision.asset)
    if (asset === undefined || state === undefined || own === undefined) continue
    const due = PartitionSet.union(PartitionSet.difference(state.existing, state.built), state.stale)
    const lost = reading.pending
      .filter(({ asset: name, isAlive }) => !isAlive && name === asset.name)
      .map(({ partitions }) => AutomationState.decodeSet(asset, partitions, now))
    const wanted = lost.reduce((union, part) => PartitionSet.union(union, part), decision.requested)
    const free = PartitionSet.difference(PartitionSet.intersection(wanted, due), state.inProgress)
    const ready = PartitionSet.difference(free, IncompleteWindow.waiting(asset, free, now))
    const following = PartitionSet.difference(decision.follows, state.inProgress)
    const removed = isAtWork(asset, reading) ? [] : AutomationState.withdrawable(own, now)
    if (PartitionSet.isEmpty(ready) && PartitionSet.isEmpty(following) && removed.length === 0) continue
    const partitions = isPartitioned(asset) ? PartitionSet.union(ready, following) : undefined
    targets.push({ asset, isNamed: true, partitions, isForced: false })
    if (PartitionSet.isEmpty(ready) && removed.length === 0) {
      follows.push(asset.name)
      continue
    }
    const found = deliveries.get(asset.name)
    requested.push({
      asset: asset.name,
      units: ready,
      because: [
        ...Automation.because(decision.evaluation, ready),
        ...(removed.length === 0 ? [] : ["keys were removed"])
      ],
      deliveries: found ?? []
    })
    versions.set(
      asset.name,
      new Map(
        [...PartitionSet.keys(ready), ...removed].map((unit) => [
          unit,
          AutomationState.versionOf(own, unit, nameOf(found))
        ])
      )
    )
  }
  if (requested.length === 0) return undefined
  return { runId, targets, requested, follows, versions }
}

/**
 * What names some deliveries: the same ones, gone on from the same positions, have the same name.
 *
 * @category conversions
 * @since 0.1.0
 */
export const nameOf = (deliveries: ReadonlyArray<Delivery> | undefined): string | undefined =>
  deliveries === undefined || deliveries.length === 0
    ? undefined
    : md5(
        JSON.stringify(deliveries.map(({ after, description, origin }) => [origin, description, after?.value ?? null]))
      )

// --- internal ---

/** Whether a run is about the asset, whatever of it: what it leaves is looked at when it has ended. */
const isAtWork = ({ name }: Asset, { foreign, pending }: Reading): boolean =>
  pending.some(({ asset, isAlive }) => isAlive && asset === name) || foreign.some(({ assets }) => assets.includes(name))

const inProgress = (asset: Asset, { foreign, pending }: Reading, now: number): PartitionSet.PartitionSet => {
  const own = pending.filter((request) => request.isAlive && request.asset === asset.name)
  return [
    ...own.map(({ partitions }) => AutomationState.decodeSet(asset, partitions, now)),
    ...foreign.map((run) => AutomationState.inForeignRun(asset, run, now))
  ].reduce((union, part) => PartitionSet.union(union, part), PartitionSet.empty(asset.partitions))
}
