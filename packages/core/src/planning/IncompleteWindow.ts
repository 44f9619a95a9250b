/**
 * Which partitions cannot be whole yet, because upstream windows that they are made of do not exist? Nothing that is
 * needed is passed over: what lies before an upstream's start is missing like what has not come to exist (L7). Pure.
 */
import { toDate } from "date-fns/toDate"
import type { Asset, AssetKey, NamedInput } from "../Asset.ts"
import { isPartitioned } from "../Asset.ts"
import * as PartitionReach from "../PartitionReach.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { TimeWindow } from "../TimeWindow.ts"

/**
 * Partitions of an asset with the upstream partitions that they need and that are not there.
 *
 * @category models
 * @since 0.1.0
 */
export interface IncompleteWindow {
  readonly upstream: AssetKey
  readonly units: PartitionSet.PartitionSet
  readonly absent: PartitionSet.PartitionSet
  readonly obstacle: Obstacle
}

/**
 * Why upstream partitions are not there.
 *
 * **Details**
 *
 * - `BeforeStart`, `AfterEnd`, `NoSuchKey`: the upstream's definition has them not, so they will never exist.
 * - `NotYet`: all of them exist from an instant on, in epoch milliseconds.
 * - `Waiting`: they exist, and wait for windows themselves.
 *
 * @category models
 * @since 0.1.0
 */
export type Obstacle =
  | { readonly _tag: "BeforeStart" }
  | { readonly _tag: "AfterEnd" }
  | { readonly _tag: "NoSuchKey" }
  | { readonly _tag: "NotYet"; readonly existsAt: number }
  | { readonly _tag: "Waiting" }

/**
 * What existing partitions of an asset lack, whatever its policy says of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const find = (
  asset: Asset,
  partitions: PartitionSet.PartitionSet,
  now: number
): ReadonlyArray<IncompleteWindow> =>
  PartitionSet.isEmpty(partitions)
    ? []
    : asset.inputs.flatMap((input) =>
        isPartitioned(input.asset) || input.asset.write._tag === "View"
          ? apart(partitions, input.asset.partitions).flatMap((part) => ofInput(input, part, now))
          : []
      )

/**
 * Of some existing partitions those that wait, because the asset's policy says so and they lack upstream windows.
 *
 * @category getters
 * @since 0.1.0
 */
export const waiting = (asset: Asset, partitions: PartitionSet.PartitionSet, now: number): PartitionSet.PartitionSet =>
  asset.policy.incompleteWindows === "wait"
    ? unitsOf(find(asset, partitions, now), partitions.partitions)
    : PartitionSet.empty(partitions.partitions)

/**
 * The partitions that lack something.
 *
 * @category getters
 * @since 0.1.0
 */
export const unitsOf = (
  found: ReadonlyArray<IncompleteWindow>,
  partitions: Partitions.Partitions
): PartitionSet.PartitionSet =>
  found.reduce((union, { units }) => PartitionSet.union(union, units), PartitionSet.empty(partitions))

/**
 * Says who waits for what and until when: `2024-01-01 waits for gold_daily 2024-01-01..2024-01-19, which lie before its
 * start`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = ({ absent, obstacle, units, upstream }: IncompleteWindow): string => {
  const isOne = PartitionSet.size(absent) === 1
  const verb = PartitionSet.size(units) === 1 ? "waits" : "wait"
  const head = `${PartitionSet.format(units, { limit: 4 })} ${verb} for ${upstream} ${PartitionSet.format(absent, { limit: 4 })}`
  switch (obstacle._tag) {
    case "BeforeStart":
      return `${head}, which ${isOne ? "lies" : "lie"} before its start`
    case "AfterEnd":
      return `${head}, which ${isOne ? "lies" : "lie"} behind its end`
    case "NoSuchKey":
      return `${head}, which ${isOne ? "is not one" : "are none"} of its partitions`
    case "NotYet":
      return `${head}, which will ${isOne ? "" : "all "}exist at ${toDate(obstacle.existsAt).toISOString()}`
    case "Waiting":
      return `${head}, which ${isOne ? "waits itself" : "wait themselves"}`
  }
}

/**
 * Whether what is missing comes to exist by time alone.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPassing = ({ obstacle }: IncompleteWindow): boolean =>
  obstacle._tag === "NotYet" || obstacle._tag === "Waiting"

// --- internal ---

/**
 * Offsets that reach back over the upstream's start end there, but only for partitions that begin in its range; so those
 * that begin before it are asked by themselves, or one set would answer for the other.
 */
const apart = (
  partitions: PartitionSet.PartitionSet,
  upstream: Partitions.Partitions
): ReadonlyArray<PartitionSet.PartitionSet> => {
  const definition = partitions.partitions
  if (!Partitions.isTimeWindows(upstream) || !Partitions.isTimeWindows(definition)) return [partitions]
  const { start } = Partitions.range(upstream)
  const earlier = PartitionSet.intersection(
    partitions,
    PartitionSet.fromWindow(definition, { start: Number.NEGATIVE_INFINITY, end: start })
  )
  return [earlier, PartitionSet.difference(partitions, earlier)].filter((part) => !PartitionSet.isEmpty(part))
}

type Lack = Omit<IncompleteWindow, "units">

const ofInput = (
  { asset: upstream, mapping, tolerance }: NamedInput,
  partitions: PartitionSet.PartitionSet,
  now: number
): ReadonlyArray<IncompleteWindow> => {
  const options = { downstream: partitions, upstream: upstream.partitions, now, tolerance }
  const needs = PartitionReach.requirement(mapping, options)
  if (needs === undefined) return []
  const held = PartitionReach.lacking(mapping, options)
  const reachedBy = (through: PartitionSet.PartitionSet, among: PartitionSet.PartitionSet) => {
    const reached = PartitionReach.downstream(mapping, { upstream: through, downstream: partitions.partitions })
    return reached === undefined ? among : PartitionSet.intersection(reached, among)
  }
  const absent = PartitionReach.requirement(mapping, { ...options, downstream: held })?.absent ?? needs.absent
  return [
    ...absences(upstream, absent).map((lack) => ({ ...lack, units: reachedBy(lack.absent, held) })),
    ...waits(upstream, needs.existing, now).map(({ through, ...lack }) => ({
      ...lack,
      units: reachedBy(through, partitions)
    }))
  ].filter(({ units }) => !PartitionSet.isEmpty(units))
}

/** Upstream partitions that do not exist, by why that is. */
const absences = ({ name, partitions }: Asset, absent: PartitionSet.PartitionSet): ReadonlyArray<Lack> => {
  if (PartitionSet.isEmpty(absent)) return []
  const lack = (absent: PartitionSet.PartitionSet, obstacle: Obstacle): ReadonlyArray<Lack> =>
    PartitionSet.isEmpty(absent) ? [] : [{ upstream: name, absent, obstacle }]
  const dimensions = dimensionsOf(partitions, absent)
  // A partition that is missing in two dimensions is told by the first of these reasons.
  const reasons = [
    { _tag: "NoSuchKey", of: unknownIn },
    { _tag: "BeforeStart", of: beforeStart },
    { _tag: "AfterEnd", of: behindEnd }
  ] as const
  const told: Array<Lack> = []
  let left = absent
  for (const { _tag, of } of reasons) {
    const found = dimensions.reduce(
      (union, dimension) => PartitionSet.union(union, dimension.among(of(dimension))),
      PartitionSet.empty(absent.partitions)
    )
    told.push(...lack(PartitionSet.intersection(left, found), { _tag }))
    left = PartitionSet.difference(left, found)
  }
  const [last] = dimensions.flatMap(({ cut, keysOf }) => existingFrom(cut, keysOf(left))).toSorted((a, b) => b - a)
  return [...told, ...(last === undefined ? [] : lack(left, { _tag: "NotYet", existsAt: last }))]
}

/** One way in which partitions are cut, with the keys that are absent in it. */
interface Dimension {
  readonly cut: Partitions.Partitions
  readonly keysOf: (absent: PartitionSet.PartitionSet) => PartitionSet.PartitionSet
  readonly absent: PartitionSet.PartitionSet
  /** The absent partitions with some keys of it. */
  readonly among: (keys: PartitionSet.PartitionSet) => PartitionSet.PartitionSet
}

const dimensionsOf = (
  partitions: Partitions.Partitions,
  absent: PartitionSet.PartitionSet
): ReadonlyArray<Dimension> => {
  const all = absent.partitions
  if (!Partitions.isMulti(partitions) || !Partitions.isMulti(all)) {
    return [{ cut: partitions, keysOf: (set) => set, absent, among: (keys) => PartitionSet.intersection(absent, keys) }]
  }
  return partitions.dimensions.map(({ name, partitions: cut }, place): Dimension => {
    const keysOf = (set: PartitionSet.PartitionSet) => PartitionSet.dimension(set, name)
    const among = (keys: PartitionSet.PartitionSet) =>
      PartitionSet.intersection(
        absent,
        PartitionSet.product(
          all,
          all.dimensions.map((one, index) => (index === place ? keys : PartitionSet.all(one.partitions)))
        )
      )
    return { cut, keysOf, absent: keysOf(absent), among }
  })
}

/** Names that the upstream has not, and windows of another grid. */
const unknownIn = ({ absent, cut }: Dimension): PartitionSet.PartitionSet =>
  Partitions.isTimeWindows(cut) && Partitions.isTimeWindows(absent.partitions)
    ? PartitionSet.empty(absent.partitions)
    : PartitionSet.difference(absent, PartitionSet.sameKeys(PartitionSet.sameKeys(absent, cut), absent.partitions))

const beforeStart = ({ absent, cut }: Dimension): PartitionSet.PartitionSet =>
  Partitions.isTimeWindows(cut)
    ? amongWindows(absent, { start: Number.NEGATIVE_INFINITY, end: Partitions.range(cut).start })
    : PartitionSet.empty(absent.partitions)

const behindEnd = ({ absent, cut }: Dimension): PartitionSet.PartitionSet => {
  const { end } = Partitions.isTimeWindows(cut) ? Partitions.range(cut) : { end: Number.POSITIVE_INFINITY }
  return end === Number.POSITIVE_INFINITY
    ? PartitionSet.empty(absent.partitions)
    : amongWindows(absent, { start: end, end: Number.POSITIVE_INFINITY })
}

const amongWindows = (absent: PartitionSet.PartitionSet, window: TimeWindow): PartitionSet.PartitionSet =>
  PartitionSet.intersection(absent, PartitionSet.fromWindow(absent.partitions, window))

/** When the last of some windows will exist. */
const existingFrom = (cut: Partitions.Partitions, coming: PartitionSet.PartitionSet): ReadonlyArray<number> => {
  const [last] = PartitionSet.windows(PartitionSet.last(coming))
  return last === undefined || !Partitions.isTimeWindows(cut) ? [] : [Partitions.shift(cut, last, -cut.endOffset).end]
}

/**
 * Upstream partitions that exist and wait themselves, with those through which that is felt: behind a view it is what the
 * view reads that is missing.
 */
const waits = (
  upstream: Asset,
  needed: PartitionSet.PartitionSet,
  now: number
): ReadonlyArray<Lack & { readonly through: PartitionSet.PartitionSet }> => {
  const isView = upstream.write._tag === "View"
  if (!isView && upstream.policy.incompleteWindows === "build") return []
  const blocked = blockedOf(upstream, now)
  if (blocked.length === 0) return []
  if (isView) {
    return blocked
      .map(({ units, ...lack }) => ({ ...lack, through: PartitionSet.intersection(units, needed) }))
      .filter(({ through }) => !PartitionSet.isEmpty(through))
  }
  const through = PartitionSet.intersection(unitsOf(blocked, upstream.partitions), needed)
  return PartitionSet.isEmpty(through)
    ? []
    : [{ upstream: upstream.name, absent: through, through, obstacle: { _tag: "Waiting" } }]
}

/** What the existing partitions of an asset lack. Kept for an instant, because each of its readers asks again. */
const blockedOf = (asset: Asset, now: number): ReadonlyArray<IncompleteWindow> => {
  const known = kept.get(asset)
  if (known?.now === now) return known.blocked
  const blocked = find(asset, Partitions.existing(asset.partitions, now), now)
  kept.set(asset, { now, blocked })
  return blocked
}

const kept = new WeakMap<Asset, { readonly now: number; readonly blocked: ReadonlyArray<IncompleteWindow> }>()
