/**
 * The grain of work of an asset and sets of it. A unit is a partition key, the text of a key, or `*` where the whole
 * table is one unit. Sets of units that may be large stay where they are: `Relation` names a temporary relation of the
 * current transaction, so that marking a hundred thousand keys stale moves none of them.
 */
import * as Partitions from "./Partitions.ts"
import * as PartitionSet from "./PartitionSet.ts"
import type { TimeWindow } from "./TimeWindow.ts"

/**
 * One unit, with its window where it is a time partition.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unit {
  readonly unit: string
  readonly window: TimeWindow | undefined
}

/**
 * The unit of an asset that has only one.
 *
 * @category constants
 * @since 0.1.0
 */
export const whole = Partitions.unit

/**
 * A set of units of one asset.
 *
 * **Details**
 *
 * - `All`: every unit, also those that come to exist later.
 * - `From`: every partition from this one on, also those that come to exist later.
 * - `Listed`: these.
 * - `Relation`: those in column `unit` of a temporary relation of the current transaction.
 *
 * @category models
 * @since 0.1.0
 */
export type UnitSet =
  | { readonly _tag: "None" }
  | { readonly _tag: "All" }
  | { readonly _tag: "From"; readonly unit: string }
  | { readonly _tag: "Listed"; readonly units: ReadonlyArray<string> }
  | { readonly _tag: "Relation"; readonly name: string }

/**
 * No unit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const none: UnitSet = { _tag: "None" }

/**
 * Every unit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const all: UnitSet = { _tag: "All" }

/**
 * Every partition from this one on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const from = (unit: string): UnitSet => ({ _tag: "From", unit })

/**
 * The given units.
 *
 * @category constructors
 * @since 0.1.0
 */
export const listed = (units: ReadonlyArray<string>): UnitSet => (units.length === 0 ? none : { _tag: "Listed", units })

/**
 * The units in column `unit` of a temporary relation of the current transaction.
 *
 * @category constructors
 * @since 0.1.0
 */
export const relation = (name: string): UnitSet => ({ _tag: "Relation", name })

/**
 * The partitions of a set as units, in order.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromPartitions = (partitions: PartitionSet.PartitionSet): ReadonlyArray<Unit> => {
  const windows = Array.from(PartitionSet.windows(partitions))
  return Array.from(PartitionSet.keys(partitions), (unit, index) => ({ unit, window: windows[index] }))
}
