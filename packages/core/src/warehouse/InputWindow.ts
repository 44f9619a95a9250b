/**
 * Which stretches of time of a partitioned input do the partitions of a step read? The mapping read backwards, in the
 * windows of the upstream asset: a partition that is read is read as a whole (L7).
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Asset } from "../Asset.ts"
import * as Spans from "../internal/spans.ts"
import type * as PartitionMapping from "../PartitionMapping.ts"
import * as PartitionReach from "../PartitionReach.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { TimeWindow } from "../TimeWindow.ts"
import type { Unit } from "../Unit.ts"

/**
 * The stretches that a time-window mapping reads, merged and in order. Undefined where one side has no windows.
 *
 * @category mapping
 * @since 0.1.0
 */
export const ofTimeWindows = (
  mapping: PartitionMapping.TimeWindows,
  options: { readonly upstream: Asset; readonly downstream: Asset; readonly units: ReadonlyArray<Unit> }
): ReadonlyArray<TimeWindow> | undefined => {
  const from = options.upstream.partitions
  const to = options.downstream.partitions
  if (from._tag !== "TimeWindows" || to._tag !== "TimeWindows") return undefined
  return Spans.normalize(
    PartitionReach.windowsNeeded(mapping, to, options.units).flatMap((window) =>
      PartitionSet.ranges(PartitionSet.fromWindow(from, window))
    )
  )
}

/**
 * The partitions upstream that a mapping of keys, or one that goes dimension by dimension, has the partitions of a step read.
 *
 * @category mapping
 * @since 0.1.0
 */
export const ofKeys = (
  mapping: PartitionMapping.Keys | PartitionMapping.ByPartition,
  options: { readonly upstream: Asset; readonly downstream: Asset; readonly units: ReadonlyArray<Unit> }
): PartitionSet.PartitionSet => {
  const from = options.upstream.partitions
  const to = options.downstream.partitions
  const downstream =
    mapping._tag === "Keys"
      ? PartitionSet.all(to)
      : Result.getOrThrow(
          PartitionSet.fromKeys(
            to,
            options.units.map(({ unit }) => unit)
          )
        )
  return PartitionReach.upstream(mapping, { downstream, upstream: from }) ?? PartitionSet.all(from)
}

/**
 * The stretch that a mapping onwards reads: all time up to the end of the last partition.
 *
 * @category mapping
 * @since 0.1.0
 */
export const ofOnwards = (units: ReadonlyArray<Unit>): TimeWindow => ({
  start: Number.NEGATIVE_INFINITY,
  end: units.reduce(
    (last, { window }) => Math.max(last, window?.end ?? Number.POSITIVE_INFINITY),
    Number.NEGATIVE_INFINITY
  )
})

/**
 * The stretches that partitions of the same keys cover upstream, where a key may stand for another stretch of time.
 *
 * @category mapping
 * @since 0.1.0
 */
export const ofIdentity = (upstream: Partitions.TimeWindows, units: ReadonlyArray<Unit>): ReadonlyArray<Unit> =>
  units.flatMap(({ unit }) =>
    Option.match(Partitions.windowOf(upstream, unit), { onNone: () => [], onSome: (window) => [{ unit, window }] })
  )
