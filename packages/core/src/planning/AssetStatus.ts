/**
 * Where an asset stands: which of its units exist, are built, are stale, and why. One read of the ledger for a set of
 * assets; everything else about planning is pure.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Asset, AssetKey } from "../Asset.ts"
import { isPartitioned } from "../Asset.ts"
import type { Status } from "../AssetSelection.ts"
import { type Built, Materializations } from "../ledger/Materializations.ts"
import { type Cause, type Marks, type StaleSet, StaleSets } from "../ledger/StaleSets.ts"
import type { Reason } from "../MaterializationError.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { StepRecord } from "../Run.ts"

/**
 * Where an asset stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface AssetStatus<R = unknown> {
  readonly asset: Asset<string, unknown, R>
  /** Whether it was built at least once: as a whole, or at least one partition. */
  readonly isBuilt: boolean
  /** Why it is stale as a whole, where it is. */
  readonly whole: Cause | undefined
  /** The partitions that exist; of an asset without partitions the one unit it has. */
  readonly existing: PartitionSet.PartitionSet
  /** The existing partitions that were built. */
  readonly built: PartitionSet.PartitionSet
  /** The existing partitions that were built and may differ from the full refresh. */
  readonly stale: PartitionSet.PartitionSet
  /** The units that were built by other code, or of keys that were removed, and are no partitions that exist now. */
  readonly withdrawn: ReadonlyArray<string>
  /** Why units are stale, and how many for each cause; partitions never built are not among them. */
  readonly causes: ReadonlyArray<{ readonly cause: Cause; readonly count: number }>
  /** The built partitions that are marked by themselves, by cause. */
  readonly marked: ReadonlyArray<{ readonly cause: Cause; readonly partitions: PartitionSet.PartitionSet }>
}

/**
 * The existing partitions that were never built.
 *
 * @category getters
 * @since 0.1.0
 */
export const missing = (self: AssetStatus): PartitionSet.PartitionSet =>
  PartitionSet.difference(self.existing, self.built)

/**
 * The existing partitions that have to be built: never built or stale.
 *
 * @category getters
 * @since 0.1.0
 */
export const due = (self: AssetStatus): PartitionSet.PartitionSet => PartitionSet.union(missing(self), self.stale)

/**
 * How many units are stale, not counting the never built.
 *
 * @category getters
 * @since 0.1.0
 */
export const staleCount = (self: AssetStatus): number =>
  isPartitioned(self.asset) ? PartitionSet.size(self.stale) : self.causes.reduce((sum, { count }) => sum + count, 0)

/**
 * The states that a selection can ask for. A source has no units that could be stale or missing.
 *
 * @category getters
 * @since 0.1.0
 */
export const states = (self: AssetStatus, lastStep: StepRecord | undefined): ReadonlySet<Status> => {
  const isComputed = self.asset.body._tag === "Compute"
  const isStale = isComputed && self.isBuilt && (self.whole !== undefined || staleCount(self) > 0)
  const isMissing = isComputed && !PartitionSet.isEmpty(missing(self))
  return new Set<Status>([
    ...(isStale ? (["stale"] as const) : []),
    ...(isMissing ? (["missing"] as const) : []),
    ...(lastStep?.status === "failed" ? (["failed"] as const) : [])
  ])
}

/**
 * Reads the status of assets as of `now`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function* <R>(options: {
  readonly assets: ReadonlyArray<Asset<string, unknown, R>>
  readonly now: DateTime.Utc
  /** What is stale of the assets, where that was just asked. */
  readonly sets?: ReadonlyMap<AssetKey, StaleSet> | undefined
}): Effect.fn.Return<ReadonlyArray<AssetStatus<R>>, Reason, StaleSets | Materializations> {
  const { assets } = options
  const staleSets = yield* StaleSets
  const materializations = yield* Materializations
  const now = DateTime.toEpochMillis(options.now)
  // Three queries, however many assets there are, and two where no partition is marked.
  const sets = options.sets ?? (yield* staleSets.get(assets.map(({ name }) => name)))
  const isMarked = ({ name }: Asset) => (sets.get(name)?.marks ?? []).length > 0
  const marked = assets.filter((asset) => isPartitioned(asset) && isMarked(asset)).map(({ name }) => name)
  const marks: ReadonlyMap<AssetKey, ReadonlyArray<Marks>> = marked.length === 0
    ? new Map()
    : yield* staleSets.marked(marked)
  const built = yield* materializations.built(
    assets.map(({ codeVersion, name, partitions }) => ({ asset: name, codeVersion, partitions }))
  )
  return assets.map((asset) => {
    const known: Known = {
      set: sets.get(asset.name) ?? { asset: asset.name, codeVersion: undefined, ranges: [], marks: [] },
      marks: marks.get(asset.name) ?? [],
      built: built.get(asset.name) ?? { set: undefined, units: [], outdated: [] }
    }
    return isPartitioned(asset) ? ofPartitions(asset, known, now) : ofWhole(asset, known)
  })
})

/**
 * The existing partitions that a range of the stale set holds: those whose keys are not before its bound, as the ledger
 * compares them. A bound need not be a key, and in a repeated hour it stands before keys of earlier windows.
 *
 * @category getters
 * @since 0.1.0
 */
export const onwards = (existing: PartitionSet.PartitionSet, from: string | undefined): PartitionSet.PartitionSet => {
  const { partitions } = existing
  if (from === undefined || partitions._tag !== "TimeWindows") return existing
  const size = PartitionSet.size(existing)
  let [low, high] = [0, size]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [key] = PartitionSet.keys(PartitionSet.last(PartitionSet.take(existing, middle + 1)))
    if (key !== undefined && key < from) low = middle + 1
    else high = middle
  }
  return PartitionSet.takeLast(existing, size - low)
}

// --- internal ---

/** What the ledger knows of one asset. */
interface Known {
  readonly set: StaleSet
  readonly marks: ReadonlyArray<Marks>
  readonly built: Built
}

const ofWhole = <R>(asset: Asset<string, unknown, R>, { built, set }: Known): AssetStatus<R> => {
  const existing = PartitionSet.all(Partitions.unpartitioned)
  const isComputed = asset.body._tag === "Compute" && asset.write._tag !== "View"
  const isBuilt = asset.write._tag === "View" || built.units.length > 0
  const [range] = set.ranges
  const whole: Cause | undefined = !isComputed
    ? undefined
    : set.codeVersion === undefined
      ? { _tag: "NeverBuilt" }
      : set.codeVersion !== asset.codeVersion
        ? { _tag: "CodeChanged" }
        : range?.cause
  return {
    asset,
    isBuilt,
    whole,
    existing,
    built: isBuilt ? existing : PartitionSet.empty(Partitions.unpartitioned),
    stale: whole !== undefined || set.marks.length > 0 ? existing : PartitionSet.empty(Partitions.unpartitioned),
    withdrawn: [],
    causes: set.marks,
    marked: []
  }
}

const ofPartitions = <R>(asset: Asset<string, unknown, R>, known: Known, now: number): AssetStatus<R> => {
  const { partitions } = asset
  const { set } = known
  const existing = Partitions.existing(partitions, now)
  const built = PartitionSet.intersection(existing, builtOf(partitions, known.built))
  const isOtherCode = set.codeVersion !== undefined && set.codeVersion !== asset.codeVersion
  const ranged = set.ranges.map(({ cause, from }) => ({ cause, partitions: onwards(existing, from) }))
  const marked = known.marks.map(({ cause, units }) => ({
    cause,
    partitions: PartitionSet.intersection(PartitionSet.fromKnownKeys(partitions, units), built)
  }))
  const stale = [...ranged, ...marked].reduce(
    (union, part) => PartitionSet.union(union, part.partitions),
    isOtherCode ? existing : PartitionSet.empty(partitions)
  )
  return {
    asset,
    isBuilt: !PartitionSet.isEmpty(built),
    whole: isOtherCode
      ? { _tag: "CodeChanged" }
      : ranged.find(({ partitions }) => !PartitionSet.isEmpty(built) && PartitionSet.isSubset(built, partitions))
          ?.cause,
    existing,
    built,
    stale: PartitionSet.intersection(stale, built),
    withdrawn: withdrawnOf(existing, known.built),
    causes: [
      ...(isOtherCode ? [{ cause: { _tag: "CodeChanged" } as const, count: PartitionSet.size(built) }] : []),
      ...ranged.map(({ cause, partitions }) => ({
        cause,
        count: PartitionSet.size(PartitionSet.intersection(partitions, built))
      })),
      ...marked.flatMap(({ cause, partitions }) =>
        PartitionSet.isEmpty(partitions) ? [] : [{ cause, count: PartitionSet.size(partitions) }]
      )
    ],
    marked
  }
}

const withdrawnOf = (existing: PartitionSet.PartitionSet, { outdated, units }: Built): ReadonlyArray<string> => {
  const gone = outdated.filter((unit) => !PartitionSet.has(existing, unit))
  if (Partitions.dynamicNames(existing.partitions).length === 0) return gone
  // What the ledger says is no key is none, whatever code has built it.
  const revision = Partitions.revisionsOf(existing.partitions)
  return Array.from(new Set([...gone, ...units.filter((unit) => revision(unit) === undefined)]))
}

const builtOf = (partitions: Partitions.Partitions, { set, units }: Built): PartitionSet.PartitionSet =>
  set === undefined
    ? PartitionSet.fromKnownKeys(partitions, units)
    : Result.getOrThrow(PartitionSet.fromJson(partitions, set))
