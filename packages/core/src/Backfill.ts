/**
 * What a backfill is: chosen partitions of some assets that are to be built once, written down when it begins so that it
 * survives whoever works on it. For each asset four sets say how far it is. This module holds the records and the states
 * they go through; the ledger stores them, planning decides by them, and the execution room moves them along.
 */
import * as Schema from "effect/Schema"
import * as PartitionSet from "./PartitionSet.ts"

/**
 * The states of a backfill: being worked on or to be gone on with, all built, some not built, ended before its end.
 *
 * @category models
 * @since 0.1.0
 */
export const BackfillStatus = Schema.Literals(["running", "succeeded", "failed", "cancelled"])

/**
 * The states of a backfill.
 *
 * @category models
 * @since 0.1.0
 */
export type BackfillStatus = typeof BackfillStatus.Type

/**
 * What can happen to a backfill.
 *
 * @category models
 * @since 0.1.0
 */
export type BackfillEvent = "succeed" | "fail" | "cancel" | "resume" | "retry"

/**
 * The units that a backfill may be restricted to, as they are when it begins: never built, left undone by what failed,
 * built and stale.
 *
 * @category models
 * @since 0.1.0
 */
export const Only = Schema.Literals(["missing", "failed", "stale"])

/**
 * The units that a backfill may be restricted to.
 *
 * @category models
 * @since 0.1.0
 */
export type Only = typeof Only.Type

/**
 * A backfill, but for its sets.
 *
 * @category models
 * @since 0.1.0
 */
export const BackfillRecord = Schema.Struct({
  backfillId: Schema.String,
  status: BackfillStatus,
  /** The assets as they were selected. */
  selection: Schema.String,
  /** The range of partitions as it was asked for. */
  partitions: Schema.UndefinedOr(Schema.String),
  /** What it is restricted to. Without a restriction units are built although they are fresh. */
  only: Schema.Array(Only),
  /** The most runs at once, over all processes. */
  maxConcurrent: Schema.Int,
  requestedBy: Schema.String,
  why: Schema.String,
  startedAt: Schema.DateTimeUtc,
  /** The last sign of life of a process that works on it. */
  heartbeatAt: Schema.DateTimeUtc,
  finishedAt: Schema.UndefinedOr(Schema.DateTimeUtc)
})

/**
 * A backfill, but for its sets.
 *
 * @category models
 * @since 0.1.0
 */
export type BackfillRecord = typeof BackfillRecord.Type

/**
 * Units that cannot be built, and why.
 *
 * @category models
 * @since 0.1.0
 */
export const BackfillFailure = Schema.Struct({
  units: PartitionSet.Json,
  /** The tag of the reason. */
  reason: Schema.String,
  message: Schema.String
})

/**
 * Units that cannot be built, and why.
 *
 * @category models
 * @since 0.1.0
 */
export type BackfillFailure = typeof BackfillFailure.Type

/**
 * One asset's part of a backfill. Units of an asset without partitions are the one that it has.
 *
 * **Details**
 *
 * - `target`: what is to be built; it never changes.
 * - `requested`: what was handed to a run, in the target. What of it is neither built nor failed is under way.
 * - `built`: what was built, in the transaction that built it.
 * - `failed`: what could not be built, and what is made of it: failed and downstream. `failures` tell the first of these
 *   from the second.
 * - `holder`: the run that is under way, and the process that carries it out.
 *
 * @category models
 * @since 0.1.0
 */
export const BackfillPart = Schema.Struct({
  asset: Schema.String,
  target: PartitionSet.Json,
  requested: PartitionSet.Json,
  built: PartitionSet.Json,
  failed: PartitionSet.Json,
  failures: Schema.Array(BackfillFailure),
  holder: Schema.UndefinedOr(Schema.Struct({ runId: Schema.String, process: Schema.String }))
})

/**
 * One asset's part of a backfill.
 *
 * @category models
 * @since 0.1.0
 */
export type BackfillPart = typeof BackfillPart.Type

/**
 * A backfill with its parts, upstream before downstream.
 *
 * @category models
 * @since 0.1.0
 */
export interface Backfill {
  readonly record: BackfillRecord
  readonly parts: ReadonlyArray<BackfillPart>
}

/**
 * The state after an event, or `ignored` where the event does not matter: what has succeeded stays so, and only what has
 * failed, was cancelled or is under way can be retried.
 *
 * @category combinators
 * @since 0.1.0
 */
export const transition = (status: BackfillStatus, event: BackfillEvent): BackfillStatus | "ignored" =>
  transitions[status][event]

/**
 * The states in which an event is not ignored.
 *
 * @category getters
 * @since 0.1.0
 */
export const movedBy = (event: BackfillEvent): ReadonlyArray<BackfillStatus> =>
  BackfillStatus.literals.filter((status) => transition(status, event) !== "ignored")

/**
 * The state to which an event leads.
 *
 * @category getters
 * @since 0.1.0
 */
export const statusAfter = (event: BackfillEvent): BackfillStatus => results[event]

// --- internal ---

const results: Record<BackfillEvent, BackfillStatus> = {
  succeed: "succeeded",
  fail: "failed",
  cancel: "cancelled",
  resume: "running",
  retry: "running"
}

const transitions: Record<BackfillStatus, Record<BackfillEvent, BackfillStatus | "ignored">> = {
  running: { succeed: "succeeded", fail: "failed", cancel: "cancelled", resume: "running", retry: "running" },
  succeeded: { succeed: "ignored", fail: "ignored", cancel: "ignored", resume: "ignored", retry: "ignored" },
  failed: { succeed: "ignored", fail: "ignored", cancel: "ignored", resume: "ignored", retry: "running" },
  cancelled: { succeed: "ignored", fail: "ignored", cancel: "ignored", resume: "running", retry: "running" }
}
