/**
 * The ledger as one: everything the engine remembers between runs. Its parts know nothing of the warehouse; the two
 * meet in the transaction of a step.
 */
import * as Layer from "effect/Layer"
import type { MemoryStore } from "../Transactor.ts"
import * as AutomationCursors from "./AutomationCursors.ts"
import * as Backfills from "./Backfills.ts"
import * as Materializations from "./Materializations.ts"
import * as Outbox from "./Outbox.ts"
import * as PartitionKeys from "./PartitionKeys.ts"
import * as Positions from "./Positions.ts"
import * as Quarantine from "./Quarantine.ts"
import * as Runs from "./Runs.ts"
import * as StaleSets from "./StaleSets.ts"

/**
 * The services of the ledger.
 *
 * @category models
 * @since 0.1.0
 */
export type Ledger =
  | AutomationCursors.AutomationCursors
  | Backfills.Backfills
  | Materializations.Materializations
  | Outbox.Outbox
  | PartitionKeys.PartitionKeys
  | Positions.Positions
  | Quarantine.Quarantine
  | Runs.Runs
  | StaleSets.StaleSets

/**
 * A ledger in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Ledger, never, MemoryStore> = Layer.provideMerge(
  AutomationCursors.layerMemory,
  Layer.mergeAll(
    Backfills.layerMemory,
    Outbox.layerMemory,
    PartitionKeys.layerMemory,
    Positions.layerMemory,
    Quarantine.layerMemory,
    Runs.layerMemory,
    Layer.provideMerge(StaleSets.layerMemory, Materializations.layerMemory)
  )
)
