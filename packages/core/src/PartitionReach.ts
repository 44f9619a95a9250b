/**
 * Which whole partitions reach which, by a mapping: the downstream partitions that an upstream partition makes stale,
 * and the upstream partitions that a downstream partition is made of. One relation, read both ways (L7).
 */
import * as Spans from "./internal/spans.ts"
import * as Partitions from "./Partitions.ts"
import * as PartitionSet from "./PartitionSet.ts"
import type { PartitionMapping, TimeWindows as TimeWindowsMapping } from "./PartitionMapping.ts"
import type { TimeWindow } from "./TimeWindow.ts"
import type { Unit } from "./Unit.ts"

/**
 * The downstream partitions that upstream partitions reach, whether or not they exist yet. Undefined for a mapping that
 * reads rows, and where the two sides are cut in different ways: from partitions alone it could be any.
 *
 * @category mapping
 * @since 0.1.0
 */
export const downstream = (
  mapping: PartitionMapping,
  options: { readonly upstream: PartitionSet.PartitionSet; readonly downstream: Partitions.Partitions }
): PartitionSet.PartitionSet | undefined => {
  const to = options.downstream
  switch (mapping._tag) {
    case "Identity":
      return options.upstream.partitions._tag === to._tag ? sameKeys(options.upstream, to) : undefined
    case "TimeWindows": {
      if (to._tag !== "TimeWindows") return undefined
      // d reads [s + startOffset, e + endOffset) counted in windows of d, so u reaches the d that begin after u's start
      // minus endOffset windows and up to u's end minus startOffset windows.
      return unionOf(
        to,
        PartitionSet.ranges(options.upstream).map(({ end, start }) => {
          const first = Partitions.shift(to, Partitions.windowEndingAfter(to, start), -mapping.endOffset)
          const last = Partitions.shift(to, end - 1, -mapping.startOffset)
          return PartitionSet.fromWindow(to, { start: first.start, end: Math.max(first.start, last.end) })
        })
      )
    }
    default:
      return undefined
  }
}

/**
 * The upstream partitions that downstream partitions are made of, as far as they lie in the upstream's range. Undefined for a
 * mapping that reads rows.
 *
 * @category mapping
 * @since 0.1.0
 */
export const upstream = (
  mapping: PartitionMapping,
  options: { readonly downstream: PartitionSet.PartitionSet; readonly upstream: Partitions.Partitions }
): PartitionSet.PartitionSet | undefined => {
  const from = options.upstream
  const to = options.downstream.partitions
  switch (mapping._tag) {
    case "Identity":
      return from._tag === to._tag ? sameKeys(options.downstream, from) : undefined
    case "TimeWindows": {
      if (from._tag !== "TimeWindows" || to._tag !== "TimeWindows") return undefined
      const { ranges } = PartitionSet
      return unionOf(
        from,
        ranges(options.downstream).map((range) => PartitionSet.fromWindow(from, needed(mapping, to, range)))
      )
    }
    default:
      return undefined
  }
}

/**
 * What downstream partitions are made of: upstream partitions that exist, and those that would have to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Requirement {
  readonly existing: PartitionSet.PartitionSet
  /** Among the upstream's windows continued without end; among the downstream's keys where these are names. */
  readonly absent: PartitionSet.PartitionSet
}

/**
 * What downstream partitions need of an upstream as it is at an instant. Undefined for a mapping that reads rows.
 *
 * **Details**
 *
 * Nothing that is needed is dropped: windows before the upstream's range or behind it are absent like those that have not
 * come to exist yet. Only an offset that reaches back over the beginning ends there: the first day of a running total of
 * seven days is made of one day.
 *
 * @category mapping
 * @since 0.1.0
 */
export const requirement = (
  mapping: PartitionMapping,
  options: {
    readonly downstream: PartitionSet.PartitionSet
    readonly upstream: Partitions.Partitions
    readonly now: number
  }
): Requirement | undefined => {
  const { downstream, now, upstream: from } = options
  const to = downstream.partitions
  const exists = Partitions.existing(from, now)
  if (mapping._tag === "Identity" && from._tag !== "TimeWindows" && from._tag === to._tag) {
    const existing = PartitionSet.intersection(sameKeys(downstream, from), exists)
    return { existing, absent: PartitionSet.difference(downstream, sameKeys(existing, to)) }
  }
  if (from._tag !== "TimeWindows" || to._tag !== "TimeWindows") return undefined
  if (mapping._tag !== "Identity" && mapping._tag !== "TimeWindows") return undefined
  const endless = Partitions.endless(from)
  const needs =
    mapping._tag === "Identity"
      ? sameKeys(downstream, endless)
      : unionOf(
          endless,
          PartitionSet.ranges(downstream).map((range) =>
            PartitionSet.fromWindow(endless, clamped(needed(mapping, to, range), range, Partitions.range(from)))
          )
        )
  const existing = PartitionSet.intersection(PartitionSet.within(needs, from), exists)
  return { existing, absent: PartitionSet.difference(needs, PartitionSet.within(existing, endless)) }
}

/**
 * The stretches of upstream time that downstream partitions read through a time-window mapping.
 *
 * @category mapping
 * @since 0.1.0
 */
export const windowsNeeded = (
  mapping: TimeWindowsMapping,
  partitions: Partitions.TimeWindows,
  units: ReadonlyArray<Unit>
): ReadonlyArray<TimeWindow> =>
  Spans.normalize(units.flatMap(({ window }) => (window === undefined ? [] : [needed(mapping, partitions, window)])))

// --- internal ---

const needed = (mapping: TimeWindowsMapping, partitions: Partitions.TimeWindows, range: TimeWindow): TimeWindow => ({
  start: Partitions.shift(partitions, range.start, mapping.startOffset).start,
  end: Partitions.shift(partitions, range.end - 1, mapping.endOffset).end
})

/** Cuts off what lies before the upstream's range, unless the downstream windows themselves begin there. */
const clamped = (need: TimeWindow, range: TimeWindow, bounds: TimeWindow): TimeWindow =>
  range.start < bounds.start ? need : { start: Math.max(need.start, bounds.start), end: need.end }

const sameKeys = (set: PartitionSet.PartitionSet, partitions: Partitions.Partitions): PartitionSet.PartitionSet =>
  unionOf(
    partitions,
    Array.from(PartitionSet.keys(set))
      .filter((key) => Partitions.isKey(partitions, key))
      .flatMap((key) => {
        const one = PartitionSet.fromKeys(partitions, [key])
        return one._tag === "Success" ? [one.success] : []
      })
  )

const unionOf = (
  partitions: Partitions.Partitions,
  sets: ReadonlyArray<PartitionSet.PartitionSet>
): PartitionSet.PartitionSet =>
  sets.reduce((union, set) => PartitionSet.union(union, set), PartitionSet.empty(partitions))
