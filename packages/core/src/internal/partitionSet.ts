import * as Pipeable from "effect/Pipeable"
import type { TimeWindow } from "../TimeWindow.ts"
import type * as Boxes from "./boxes.ts"
import * as Spans from "./spans.ts"

export const TypeId = "~@assay/core/PartitionSet"

/** Knows nothing of definitions, so that `Partitions` can return the sets which `PartitionSet` computes with. */
export interface PartitionSet<out Partitions> extends Pipeable.Pipeable {
  readonly [TypeId]: typeof TypeId
  readonly partitions: Partitions
  /** Of several dimensions those of the first axis, each with what it holds of the others. */
  readonly spans: Boxes.Boxes
}

const Proto: Pipeable.Pipeable & { readonly [TypeId]: typeof TypeId } = { ...Pipeable.Prototype, [TypeId]: TypeId }

/** Trusts the caller that every bound of the spans is a bound of a partition. */
export const make = <Partitions>(partitions: Partitions, spans: Iterable<TimeWindow>): PartitionSet<Partitions> =>
  Object.assign(Object.create(Proto) as typeof Proto, { partitions, spans: Spans.normalize(spans) })

/** Trusts the caller that the boxes are a set's: along the axes of the definition, and each set in one way. */
export const fromBoxes = <Partitions>(partitions: Partitions, boxes: Boxes.Boxes): PartitionSet<Partitions> =>
  Object.assign(Object.create(Proto) as typeof Proto, { partitions, spans: boxes })
