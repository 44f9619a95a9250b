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
          const first = Partitions.shift(to, start, -mapping.endOffset)
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
 * The upstream partitions that downstream partitions are made of: those that lie in the upstream's range, and the
 * windows needed that no upstream partition of the range can ever hold. Undefined for a mapping that reads rows.
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
    case "TimeWindows":
      if (from._tag !== "TimeWindows" || to._tag !== "TimeWindows") return undefined
      return unionOf(
        from,
        PartitionSet.ranges(options.downstream).map((range) =>
          PartitionSet.fromWindow(from, needed(mapping, to, range))
        )
      )
    default:
      return undefined
  }
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
