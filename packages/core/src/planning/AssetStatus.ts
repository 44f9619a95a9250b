/**
 * Where an asset stands: which of its units exist, are built, are stale, and why. One read of the ledger for a set of
 * assets; everything else about planning is pure.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Asset } from "../Asset.ts"
import { isPartitioned } from "../Asset.ts"
import { Materializations } from "../ledger/Materializations.ts"
import { type Cause, type StaleSet, StaleSets } from "../ledger/StaleSets.ts"
import type { Reason } from "../MaterializationError.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import { whole as wholeUnit } from "../Unit.ts"

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
  /** The units that were built by other code, and are no partitions that exist by this one. */
  readonly withdrawn: ReadonlyArray<string>
  /** Why units are stale, and how many for each cause; partitions never built are not among them. */
  readonly causes: ReadonlyArray<{ readonly cause: Cause; readonly count: number }>
  /** The cause of each stale partition that is marked by itself. */
  readonly causeOf: ReadonlyMap<string, Cause>
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
 * Reads the status of assets as of `now`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function* <R>(options: {
  readonly assets: ReadonlyArray<Asset<string, unknown, R>>
  readonly now: DateTime.Utc
}): Effect.fn.Return<ReadonlyArray<AssetStatus<R>>, Reason, StaleSets | Materializations> {
  const staleSets = yield* StaleSets
  const sets = yield* staleSets.get(options.assets.map(({ name }) => name))
  return yield* Effect.forEach(options.assets, (asset) => {
    const set = sets.get(asset.name) ?? { asset: asset.name, codeVersion: undefined, ranges: [], marks: [] }
    return isPartitioned(asset) ? ofPartitions(asset, set, options.now) : ofWhole(asset, set)
  })
})

// --- internal ---

const ofWhole = Effect.fnUntraced(function* <R>(
  asset: Asset<string, unknown, R>,
  set: StaleSet
): Effect.fn.Return<AssetStatus<R>, Reason, Materializations> {
  const materializations = yield* Materializations
  const existing = PartitionSet.all(Partitions.unpartitioned)
  const isComputed = asset.body._tag === "Compute" && asset.write._tag !== "View"
  const isBuilt = asset.write._tag === "View" || (yield* materializations.count(asset.name)) > 0
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
    causeOf: new Map()
  }
})

const ofPartitions = Effect.fnUntraced(function* <R>(
  asset: Asset<string, unknown, R>,
  set: StaleSet,
  now: DateTime.Utc
): Effect.fn.Return<AssetStatus<R>, Reason, StaleSets | Materializations> {
  const staleSets = yield* StaleSets
  const materializations = yield* Materializations
  const existing = Partitions.existing(asset.partitions, DateTime.toEpochMillis(now))
  const built = PartitionSet.intersection(existing, setOf(asset.partitions, yield* materializations.units(asset.name)))
  const outdated = yield* materializations.outdated({ asset: asset.name, codeVersion: asset.codeVersion })
  const marks = yield* staleSets.units(asset.name)
  const isOtherCode = set.codeVersion !== undefined && set.codeVersion !== asset.codeVersion
  const ranged = set.ranges.map(({ cause, from }) => ({ cause, partitions: onwards(existing, from) }))
  const marked = setOf(
    asset.partitions,
    marks.map(({ unit }) => unit)
  )
  const stale = [...ranged.map(({ partitions }) => partitions), ...(isOtherCode ? [existing] : [])].reduce(
    (union, part) => PartitionSet.union(union, part),
    marked
  )
  const staleBuilt = PartitionSet.intersection(stale, built)
  const causeOf = new Map(marks.map(({ cause, unit }) => [unit, cause]))
  const counted = Map.groupBy(PartitionSet.keys(PartitionSet.intersection(marked, built)), (unit) =>
    JSON.stringify(causeOf.get(unit))
  )
  const byMark = Array.from(counted.values(), (units) => ({
    cause: causeOf.get(units[0] ?? wholeUnit),
    count: units.length
  }))
  return {
    asset,
    isBuilt: !PartitionSet.isEmpty(built),
    whole: isOtherCode
      ? { _tag: "CodeChanged" }
      : ranged.find(({ partitions }) => !PartitionSet.isEmpty(built) && PartitionSet.isSubset(built, partitions))
          ?.cause,
    existing,
    built,
    stale: staleBuilt,
    withdrawn: outdated.filter((unit) => !PartitionSet.has(existing, unit)),
    causes: [
      ...(isOtherCode ? [{ cause: { _tag: "CodeChanged" } as const, count: PartitionSet.size(built) }] : []),
      ...ranged.map(({ cause, partitions }) => ({
        cause,
        count: PartitionSet.size(PartitionSet.intersection(partitions, built))
      })),
      ...byMark.flatMap(({ cause, count }) => (cause === undefined ? [] : [{ cause, count }]))
    ],
    causeOf
  }
})

/** The partitions of stored keys; a key that the definition no longer has, because its start moved, is left out. */
const setOf = (partitions: Partitions.Partitions, keys: ReadonlyArray<string>): PartitionSet.PartitionSet => {
  const set = PartitionSet.fromKeys(
    partitions,
    keys.filter((key) => Partitions.isKey(partitions, key))
  )
  return set._tag === "Success" ? set.success : PartitionSet.empty(partitions)
}

const onwards = (existing: PartitionSet.PartitionSet, from: string | undefined): PartitionSet.PartitionSet => {
  if (from === undefined) return existing
  const { partitions } = existing
  if (partitions._tag !== "TimeWindows") return existing
  const start = Array.from(PartitionSet.keys(existing)).find((key) => key >= from)
  const window = start === undefined ? undefined : Partitions.windowOf(partitions, start)
  return window === undefined || window._tag === "None"
    ? PartitionSet.empty(partitions)
    : PartitionSet.intersection(
        existing,
        PartitionSet.fromWindow(partitions, { start: window.value.start, end: Number.POSITIVE_INFINITY })
      )
}
