/**
 * The assets' own tables: creating them, computing and writing the units of a step by the asset's write strategy, and
 * telling what the difference that was written makes stale downstream. Writing yields a change set that lives as long
 * as the transaction; `affected` reads it. The warehouse knows nothing of runs, marks or records.
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Asset, AssetKey } from "../Asset.ts"
import type { CheckResult } from "../AssetCheck.ts"
import type { AssetGraph, Edge } from "../AssetGraph.ts"
import type { Row } from "../Column.ts"
import type { Reason } from "../MaterializationError.ts"
import type { PartitionSet } from "../PartitionSet.ts"
import type { Unit, UnitSet } from "../Unit.ts"

/**
 * The units of one step: `units` names them (`All` is everything), `partitions` lists them where they are partitions.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scope {
  readonly units: UnitSet
  readonly partitions: ReadonlyArray<Unit>
  /** Those of the partitions of which all that changed is in the change logs of the asset. */
  readonly logged?: ReadonlySet<string>
}

/**
 * What a write did, in rows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Written {
  /** Rows computed (or offered by a source). */
  readonly read: number
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly unchanged: number
  /**
   * Whether the change set holds the changed rows, or the write was so large that everything downstream is taken for
   * changed: a cost decision.
   */
  readonly change: "rows" | "everything"
  /** How many partitions were brought up to date by adding a difference, not by computing them anew. */
  readonly differences?: number
}

/**
 * Rows and hash of one unit: equal hashes mean equal rows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Content {
  readonly unit: string
  readonly rows: number
  readonly contentHash: string
}

/**
 * Where the stored rows of an asset differ from the recomputed ones.
 *
 * @category models
 * @since 0.1.0
 */
export interface Difference {
  /** Rows that the recompute has and the table lacks. */
  readonly missing: number
  /** Rows that the table has and the recompute lacks. */
  readonly unexpected: number
  /** A few of either, as text. */
  readonly examples: ReadonlyArray<string>
}

/**
 * The assets' own tables.
 *
 * @category services
 * @since 0.1.0
 */
export class Warehouse extends Context.Service<
  Warehouse,
  {
    /**
     * Creates what is missing: database schema, tables, indexes, views. Yields the assets whose tables were missing; tells
     * where a table is not of the declared shape.
     */
    readonly prepare: (graph: AssetGraph) => Effect.Effect<ReadonlyArray<AssetKey>, Reason>
    /**
     * Replaces the views whose definition is another one than the graph's. For the transaction that marks their readers
     * stale: a view that changed by itself would be read by units that nobody knows to be stale.
     */
    readonly redefine: (graph: AssetGraph) => Effect.Effect<void, Reason>
    /** Adds rows to a source asset's log. `knownBy`: leaves out rows that agree with a stored one in these columns. */
    readonly land: (options: {
      readonly asset: Asset
      readonly rows: ReadonlyArray<Row>
      readonly knownBy: ReadonlyArray<string> | undefined
      /** Done when the database has the rows and is still writing them, unless there are none. */
      readonly sent?: Effect.Effect<void>
    }) => Effect.Effect<Written, Reason>
    /** Ends a step of an asset: what it computed, changed and reached is forgotten before its transaction commits. */
    readonly settle: (options: { readonly graph: AssetGraph; readonly asset: Asset }) => Effect.Effect<void, Reason>
    /** Computes the units of a step from the inputs as they are, and writes the difference. */
    readonly build: (options: {
      readonly asset: Asset<string, unknown, never>
      readonly scope: Scope
      readonly at: DateTime.Utc
      /** Done when everything is computed and nothing is written yet. */
      readonly computed?: Effect.Effect<void>
    }) => Effect.Effect<Written, Reason>
    /** Whether so many partitions, of which all that changed is logged, are brought up to date by adding a difference. */
    readonly isByDifference: (options: {
      readonly asset: Asset
      readonly partitions: number
      readonly at: DateTime.Utc
    }) => Effect.Effect<boolean, Reason>
    /** Removes the rows of a partitioned asset that lie in none of the given partitions. */
    readonly withdraw: (options: {
      readonly asset: Asset
      readonly except: PartitionSet
    }) => Effect.Effect<Written, Reason>
    /** Runs the asset's checks over the units of a step as they are now; of a source asset, over the rows just landed. */
    readonly check: (options: {
      readonly asset: Asset
      readonly scope: Scope
    }) => Effect.Effect<ReadonlyArray<CheckResult>, Reason>
    /**
     * The units downstream that the change set of this transaction makes stale through an edge that maps rows. They last
     * until the next edge is asked for in the same slot.
     */
    readonly affected: (edge: Edge, slot?: number) => Effect.Effect<UnitSet, Reason>
    /**
     * Keeps what the change set of this transaction changes for an edge in a change log of the asset downstream, if that has
     * one, and tells whether it did.
     */
    readonly log: (edge: Edge, change: Written["change"]) => Effect.Effect<boolean, Reason>
    /** The partitions of the upstream asset in which the change set has rows that the edge can see. */
    readonly changed: (edge: Edge) => Effect.Effect<ReadonlyArray<string>, Reason>
    /** Rows and hash of partitions. */
    readonly contents: (options: {
      readonly asset: Asset
      readonly scope: Scope
    }) => Effect.Effect<ReadonlyArray<Content>, Reason>
    /** How many rows an asset has. */
    readonly count: (asset: Asset) => Effect.Effect<number, Reason>
    /** How many rows of an upstream asset no partition of the downstream asset holds, because they lie before the first. */
    readonly outside: (edge: Edge) => Effect.Effect<number, Reason>
    /** The rows of an asset, ordered by its key. */
    readonly rows: (options: {
      readonly asset: Asset
      readonly partitions: PartitionSet | undefined
      readonly limit: number | undefined
    }) => Stream.Stream<Row, Reason>
    /** Recomputes units and compares them with the stored ones; writes nothing. `except` leaves units out of the comparison. */
    readonly verify: (options: {
      readonly asset: Asset<string, unknown, never>
      readonly scope: Scope
      readonly except: UnitSet
    }) => Effect.Effect<Difference, Reason>
    /** Recomputes the whole chain from the source assets, apart from the tables, and compares every table with it. */
    readonly verifyChain: (options: {
      readonly graph: AssetGraph<never>
      readonly partitions: (asset: Asset) => ReadonlyArray<Unit>
    }) => Effect.Effect<ReadonlyMap<string, Difference>, Reason>
  }
>()("@assay/core/warehouse/Warehouse") {}
