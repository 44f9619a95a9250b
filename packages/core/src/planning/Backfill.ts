/**
 * What a backfill is to build, and what of it is to be requested next. Sets go in and requests come out: a unit is requested
 * once everything of the backfill that lies upstream of it is built, and never where something upstream of it has failed.
 * Pure; the holding and storing around it is `execution/Backfiller`.
 */
import * as Result from "effect/Result"
import type { Asset, AssetKey, NamedInput } from "../Asset.ts"
import { isPartitioned } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import type { BackfillFailure, BackfillPart, Only } from "../Backfill.ts"
import { DefinitionFault } from "../MaterializationError.ts"
import * as PartitionReach from "../PartitionReach.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { StepRecord } from "../Run.ts"
import * as AssetStatus from "./AssetStatus.ts"
import * as IncompleteWindow from "./IncompleteWindow.ts"

/**
 * Units that cannot be built, and why.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly units: PartitionSet.PartitionSet
  readonly reason: string
  readonly message: string
}

/**
 * One asset's part of a backfill, its sets read. Units of an asset without partitions are the one that it has.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part<R = unknown> {
  readonly asset: Asset<string, unknown, R>
  readonly target: PartitionSet.PartitionSet
  readonly requested: PartitionSet.PartitionSet
  readonly built: PartitionSet.PartitionSet
  /** Failed and downstream. */
  readonly failed: PartitionSet.PartitionSet
  readonly failures: ReadonlyArray<Failure>
  readonly holder: BackfillPart["holder"]
}

/**
 * Units of one asset that one run is to build.
 *
 * @category models
 * @since 0.1.0
 */
export interface Claim<R = unknown> {
  readonly asset: Asset<string, unknown, R>
  readonly units: PartitionSet.PartitionSet
}

/**
 * What is decided: the parts that changed, but for who holds them, and what is to be requested.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision<R = unknown> {
  readonly parts: ReadonlyArray<Part<R>>
  readonly claims: ReadonlyArray<Claim<R>>
}

/**
 * What a backfill would do to one asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface Proposed<R = unknown> {
  readonly asset: Asset<string, unknown, R>
  readonly target: PartitionSet.PartitionSet
  /** How many of its units exist. */
  readonly existing: number
  readonly built: number
  /** Of the target, how many were never built, are stale, and are fresh. */
  readonly missing: number
  readonly stale: number
  readonly fresh: number
  /** What is left out, because it needs upstream windows that do not exist. */
  readonly waiting: PartitionSet.PartitionSet
  readonly incompleteWindows: ReadonlyArray<IncompleteWindow.IncompleteWindow>
  /** Whether so much of what is built would be built again that somebody should know. */
  readonly isMuch: boolean
}

/**
 * The share of an asset's built units from which on it is much to build again.
 *
 * @category constants
 * @since 0.1.0
 */
export const share = 0.25

/**
 * So few units are not much, whatever their share.
 *
 * @category constants
 * @since 0.1.0
 */
export const few = 30

/**
 * The most steps of one run: few enough that what is downstream begins early and other processes take part, enough that
 * runs stay few.
 *
 * @category constants
 * @since 0.1.0
 */
export const stepsPerRun = 16

/**
 * The most kinds of failures that are told apart for each asset; the rest is told as one.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxFailures = 50

/**
 * How the units of an asset are cut: its partitions, or the one unit that it is.
 *
 * @category getters
 * @since 0.1.0
 */
export const cutOf = (asset: Asset): Partitions.Partitions =>
  isPartitioned(asset) ? asset.partitions : Partitions.unpartitioned

/**
 * What a backfill of some units of an asset would be; undefined where nothing of them is to be done.
 *
 * **Details**
 *
 * A source has no units that could be missing or stale: it lands what there is, where it is not restricted. A view keeps
 * nothing that could be built.
 *
 * @category constructors
 * @since 0.1.0
 */
export const propose = <R>(
  status: AssetStatus.AssetStatus<R>,
  options: {
    readonly units: PartitionSet.PartitionSet
    readonly only: ReadonlyArray<Only>
    readonly lastStep: StepRecord | undefined
    /** What earlier backfills have failed to build. */
    readonly failed: PartitionSet.PartitionSet
    readonly now: number
  }
): Proposed<R> | undefined => {
  const { asset } = status
  const { only } = options
  if (asset.write._tag === "View") return undefined
  const isSource = asset.body._tag === "Source"
  const cut = cutOf(asset)
  const none = PartitionSet.empty(cut)
  const lacking = isSource ? none : AssetStatus.missing(status)
  const stale = isSource ? none : PartitionSet.difference(status.stale, lacking)
  const due = PartitionSet.union(lacking, stale)
  const isFailed = options.lastStep?.status === "failed"
  const failed = isFailed ? (isSource ? options.units : due) : PartitionSet.intersection(options.failed, due)
  const states: Record<Only, PartitionSet.PartitionSet> = { missing: lacking, stale, failed }
  const wanted =
    only.length === 0
      ? options.units
      : unionOf(
          cut,
          only.map((state) => PartitionSet.intersection(options.units, states[state]))
        )
  const incompleteWindows =
    isPartitioned(asset) && asset.policy.incompleteWindows === "wait"
      ? IncompleteWindow.find(asset, wanted, options.now)
      : []
  const waiting = IncompleteWindow.unitsOf(incompleteWindows, cut)
  const target = PartitionSet.difference(wanted, waiting)
  if (PartitionSet.isEmpty(wanted)) return undefined
  const count = (set: PartitionSet.PartitionSet) => PartitionSet.size(PartitionSet.intersection(target, set))
  const rebuilt = isSource ? 0 : count(status.built)
  const built = PartitionSet.size(status.built)
  return {
    asset,
    target,
    existing: PartitionSet.size(status.existing),
    built,
    missing: count(lacking),
    stale: count(stale),
    fresh: PartitionSet.size(PartitionSet.difference(target, due)),
    waiting,
    incompleteWindows,
    isMuch: rebuilt > built * share && (rebuilt >= few || !isPartitioned(asset))
  }
}

/**
 * The parts of a backfill that has not begun.
 *
 * @category constructors
 * @since 0.1.0
 */
export const begin = <R>(proposed: ReadonlyArray<Proposed<R>>): ReadonlyArray<Part<R>> =>
  proposed.flatMap(({ asset, target }) => {
    const none = PartitionSet.empty(target.partitions)
    return PartitionSet.isEmpty(target)
      ? []
      : [{ asset, target, requested: none, built: none, failed: none, failures: [], holder: undefined }]
  })

/**
 * What is to be requested next, of parts given upstream before downstream. What lies downstream of a failure goes to the
 * failed.
 *
 * **Details**
 *
 * Of each asset one run is under way at a time, because its steps exclude each other anyway, and so of each pool. An asset
 * in between that is not part of the backfill is looked through. Where a mapping reads rows, every unit downstream may be
 * made of every unit upstream.
 *
 * @category decisions
 * @since 0.1.0
 */
export const decide = <R>(
  parts: ReadonlyArray<Part<R>>,
  options: { readonly graph: AssetGraph<R>; readonly maxConcurrent: number; readonly now: number }
): Decision<R> => {
  const { graph, maxConcurrent, now } = options
  const known = new Map(parts.map((part) => [part.asset.name, part]))
  const flows = new Map<AssetKey, Flow>()
  const pools = new Set(parts.flatMap(({ asset, holder }) => (holder === undefined ? [] : (asset.policy.pool ?? []))))
  let places = maxConcurrent - parts.filter(({ holder }) => holder !== undefined).length
  const changed: Array<Part<R>> = []
  const claims: Array<Claim<R>> = []
  for (const asset of graph.assets.values()) {
    const part = known.get(asset.name)
    const coming = flowInto(asset, { flows, target: part?.target, now })
    if (part === undefined) {
      flows.set(asset.name, coming)
      continue
    }
    const { built, failed, requested, target } = part
    const { difference, intersection, isEmpty, union } = PartitionSet
    const untried = difference(difference(target, union(requested, built)), failed)
    const doomed = intersection(untried, coming.broken)
    const free = difference(difference(untried, doomed), coming.open)
    const pool = asset.policy.pool
    const isFree = part.holder === undefined && places > 0 && (pool === undefined || !pools.has(pool))
    const units = isFree
      ? PartitionSet.take(free, asset.policy.stepSize * stepsPerRun)
      : PartitionSet.empty(cutOf(asset))
    const next = { ...part, failed: union(failed, doomed), requested: union(requested, units) }
    if (!isEmpty(units)) {
      places -= 1
      if (pool !== undefined) pools.add(pool)
      claims.push({ asset, units })
    }
    if (!isEmpty(units) || !isEmpty(doomed)) changed.push(next)
    flows.set(asset.name, {
      open: union(beyond(coming.open, part), left(next)),
      broken: union(beyond(coming.broken, part), next.failed)
    })
  }
  return { parts: changed, claims }
}

/**
 * What is under way: requested, and neither built nor failed.
 *
 * @category getters
 * @since 0.1.0
 */
export const underWay = ({ built, failed, requested }: Pick<Part, "built" | "failed" | "requested">) =>
  PartitionSet.difference(PartitionSet.difference(requested, built), failed)

/**
 * What is neither built nor failed.
 *
 * @category getters
 * @since 0.1.0
 */
export const left = ({ built, failed, target }: Pick<Part, "built" | "failed" | "target">): PartitionSet.PartitionSet =>
  PartitionSet.difference(PartitionSet.difference(target, built), failed)

/**
 * Whether every unit is built or failed.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isDone = (parts: ReadonlyArray<Pick<Part, "built" | "failed" | "target">>): boolean =>
  parts.every((part) => PartitionSet.isEmpty(left(part)))

/**
 * The units that have failed themselves; the other failed ones lie downstream.
 *
 * @category getters
 * @since 0.1.0
 */
export const failing = ({ asset, failures }: Pick<Part, "asset" | "failures">): PartitionSet.PartitionSet =>
  unionOf(
    cutOf(asset),
    failures.map(({ units }) => units)
  )

/**
 * The part after units were built. Only units of the target count.
 *
 * @category combinators
 * @since 0.1.0
 */
export const built = <R>(self: Part<R>, units: PartitionSet.PartitionSet): Part<R> => {
  const done = PartitionSet.intersection(units, self.target)
  return {
    ...self,
    requested: PartitionSet.union(self.requested, done),
    built: PartitionSet.union(self.built, done),
    failed: PartitionSet.difference(self.failed, done),
    failures: withoutUnits(self.failures, done)
  }
}

/**
 * The part after units have failed. What is built stays built.
 *
 * @category combinators
 * @since 0.1.0
 */
export const failed = <R>(self: Part<R>, { message, reason, units }: Failure): Part<R> => {
  const lost = PartitionSet.difference(PartitionSet.intersection(units, self.target), self.built)
  if (PartitionSet.isEmpty(lost)) return self
  const others = withoutUnits(self.failures, lost)
  const same = others.find((failure) => failure.reason === reason && failure.message === message)
  const kind = same ?? (others.length < maxFailures ? undefined : others.at(-1))
  return {
    ...self,
    requested: PartitionSet.union(self.requested, lost),
    failed: PartitionSet.union(self.failed, lost),
    failures:
      kind === undefined
        ? [...others, { units: lost, reason, message }]
        : others.map((failure) =>
            failure !== kind
              ? failure
              : {
                  ...failure,
                  units: PartitionSet.union(failure.units, lost),
                  ...(failure === same ? {} : { reason: "Various", message: "for other reasons, which the runs tell" })
                }
          )
  }
}

/**
 * The part after its run has ended without having done all of it: what is under way is to be requested again.
 *
 * @category combinators
 * @since 0.1.0
 */
export const released = <R>(self: Part<R>): Part<R> => ({
  ...self,
  requested: PartitionSet.difference(self.requested, underWay(self)),
  holder: undefined
})

/**
 * The part after somebody wants what has failed to be tried again.
 *
 * @category combinators
 * @since 0.1.0
 */
export const retried = <R>(self: Part<R>): Part<R> => ({
  ...self,
  requested: PartitionSet.difference(self.requested, self.failed),
  failed: PartitionSet.empty(self.failed.partitions),
  failures: []
})

/**
 * The parts of a stored backfill; fails where an asset is not in the graph, or is cut otherwise than when it began.
 *
 * @category conversions
 * @since 0.1.0
 */
export const decodeAll = <R>(
  parts: ReadonlyArray<BackfillPart>,
  graph: AssetGraph<R>
): Result.Result<ReadonlyArray<Part<R>>, DefinitionFault> =>
  Result.gen(function* () {
    const decoded: Array<Part<R>> = []
    for (const part of parts) {
      const asset = graph.assets.get(part.asset)
      if (asset === undefined) return yield* Result.fail(unusable(`"${part.asset}" is not in this graph any more`))
      decoded.push(yield* decode(part, asset))
    }
    return decoded
  })

/**
 * A stored part of an asset; fails where it was cut otherwise when the backfill began.
 *
 * @category conversions
 * @since 0.1.0
 */
export const decode = <R>(
  part: BackfillPart,
  asset: Asset<string, unknown, R>
): Result.Result<Part<R>, DefinitionFault> => {
  const read = (json: PartitionSet.Json) => fromJson(cutOf(asset), json)
  return Result.gen(function* () {
    const failures: Array<Failure> = []
    for (const failure of part.failures) failures.push({ ...failure, units: yield* read(failure.units) })
    return {
      asset,
      target: yield* read(part.target),
      requested: yield* read(part.requested),
      built: yield* read(part.built),
      failed: yield* read(part.failed),
      failures,
      holder: part.holder
    }
  }).pipe(
    Result.mapError(() => unusable(`"${asset.name}" was cut into other partitions then (${part.target.partitions})`))
  )
}

/**
 * A part as it is stored.
 *
 * @category conversions
 * @since 0.1.0
 */
export const encode = (self: Part): BackfillPart => ({
  asset: self.asset.name,
  target: toJson(self.target),
  requested: toJson(self.requested),
  built: toJson(self.built),
  failed: toJson(self.failed),
  failures: self.failures.map((failure): BackfillFailure => ({
    ...failure,
    units: toJson(failure.units)
  })),
  holder: self.holder
})

/**
 * The time left, in milliseconds, from how many units were done in the time so far; undefined before the first is done.
 *
 * @category getters
 * @since 0.1.0
 */
export const remaining = (progress: {
  readonly done: number
  readonly left: number
  readonly elapsed: number
}): number | undefined =>
  progress.done <= 0 || progress.left <= 0 ? undefined : (progress.elapsed / progress.done) * progress.left

// --- internal ---

/** Keys of dynamic partitions come and go while a backfill runs, so their sets are kept by name, and read as far as they are. */
const toJson = (set: PartitionSet.PartitionSet): PartitionSet.Json =>
  isDynamic(set.partitions)
    ? {
        partitions: Partitions.format(set.partitions),
        definition: byName,
        ranges: Array.from(PartitionSet.keys(set), (key) => [key, key] as const)
      }
    : PartitionSet.toJson(set)

const fromJson = (
  partitions: Partitions.Partitions,
  json: PartitionSet.Json
): Result.Result<PartitionSet.PartitionSet, PartitionSet.InvalidPartitionSet> =>
  json.definition === byName && isDynamic(partitions)
    ? Result.succeed(
        PartitionSet.fromKnownKeys(
          partitions,
          json.ranges.map(([key]) => key)
        )
      )
    : PartitionSet.fromJson(partitions, json)

const byName = "by name"

const isDynamic = (partitions: Partitions.Partitions): boolean =>
  Partitions.isMulti(partitions)
    ? partitions.dimensions.some((dimension) => isDynamic(dimension.partitions))
    : partitions._tag === "Static" && partitions.dynamic !== undefined

/** What flows from an asset to what reads it: units that are still to be built, and units that will not be. */
interface Flow {
  readonly open: PartitionSet.PartitionSet
  readonly broken: PartitionSet.PartitionSet
}

const flowInto = (
  asset: Asset,
  {
    flows,
    now,
    target
  }: {
    readonly flows: ReadonlyMap<AssetKey, Flow>
    readonly target: PartitionSet.PartitionSet | undefined
    readonly now: number
  }
): Flow => {
  const cut = flowCutOf(asset)
  const through = (of: (flow: Flow) => PartitionSet.PartitionSet) =>
    asset.inputs.reduce((union, input) => {
      const flow = flows.get(input.asset.name)
      if (flow === undefined || PartitionSet.isEmpty(of(flow))) return union
      return PartitionSet.union(union, reached(asset, { input, units: of(flow), target, now }))
    }, PartitionSet.empty(cut))
  return { open: through(({ open }) => open), broken: through(({ broken }) => broken) }
}

/** A view is cut as what reads it sees it, although it has no units that could be built. */
const flowCutOf = (asset: Asset): Partitions.Partitions =>
  asset.write._tag === "View" ? asset.partitions : cutOf(asset)

const reached = (
  asset: Asset,
  {
    input: { asset: upstream, mapping },
    now,
    target,
    units
  }: {
    readonly input: NamedInput
    readonly units: PartitionSet.PartitionSet
    readonly target: PartitionSet.PartitionSet | undefined
    readonly now: number
  }
): PartitionSet.PartitionSet => {
  const to = flowCutOf(asset)
  const existing = Partitions.existing(to, now)
  const everything = target === undefined ? existing : PartitionSet.union(existing, target)
  const isByPartition = to._tag !== "Unpartitioned" && flowCutOf(upstream)._tag !== "Unpartitioned"
  const found = isByPartition ? PartitionReach.downstream(mapping, { upstream: units, downstream: to }) : undefined
  return found === undefined ? everything : PartitionSet.intersection(found, everything)
}

/** What flows past a part: units that are none of its own. */
const beyond = (flow: PartitionSet.PartitionSet, { target }: Part): PartitionSet.PartitionSet =>
  PartitionSet.difference(flow, target)

const unionOf = (
  partitions: Partitions.Partitions,
  sets: ReadonlyArray<PartitionSet.PartitionSet>
): PartitionSet.PartitionSet =>
  sets.reduce((union, set) => PartitionSet.union(union, set), PartitionSet.empty(partitions))

const withoutUnits = (failures: ReadonlyArray<Failure>, units: PartitionSet.PartitionSet): ReadonlyArray<Failure> =>
  failures
    .map((failure) => ({ ...failure, units: PartitionSet.difference(failure.units, units) }))
    .filter((failure) => !PartitionSet.isEmpty(failure.units))

const unusable = (problem: string): DefinitionFault =>
  new DefinitionFault({
    message: `this backfill cannot be gone on with, because ${problem}. Cancel it, and begin another one`,
    code: undefined
  })
