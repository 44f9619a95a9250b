import * as Pipeable from "effect/Pipeable"
import type { TimeWindow } from "../TimeWindow.ts"
import * as Spans from "./spans.ts"

export const TypeId = "~@assay/core/PartitionSet"

/** Knows nothing of definitions, so that `Partitions` can return the sets which `PartitionSet` computes with. */
export interface PartitionSet<out Partitions> extends Pipeable.Pipeable {
  readonly [TypeId]: typeof TypeId
  readonly partitions: Partitions
  readonly spans: Spans.Spans
}

const Proto: Pipeable.Pipeable & { readonly [TypeId]: typeof TypeId } = { ...Pipeable.Prototype, [TypeId]: TypeId }

/** Trusts the caller that every bound of the spans is a bound of a partition. */
export const make = <Partitions>(partitions: Partitions, spans: Iterable<TimeWindow>): PartitionSet<Partitions> =>
  Object.assign(Object.create(Proto) as typeof Proto, { partitions, spans: Spans.normalize(spans) })
