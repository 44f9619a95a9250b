/**
 * What a run is: one execution of a plan, and within it one step for each asset. This module holds the records of both
 * and the states they go through; the ledger stores them and the execution room moves them along.
 */
import * as Schema from "effect/Schema"

/**
 * The states of a run, and of a step within it.
 *
 * @category models
 * @since 0.1.0
 */
export const RunStatus = Schema.Literals(["running", "succeeded", "failed", "skipped", "cancelled"])

/**
 * The states of a run, and of a step within it.
 *
 * @category models
 * @since 0.1.0
 */
export type RunStatus = typeof RunStatus.Type

/**
 * The states in which nothing happens any more.
 *
 * @category models
 * @since 0.1.0
 */
export const FinishedRunStatus = Schema.Literals(["succeeded", "failed", "skipped", "cancelled"])

/**
 * The states in which nothing happens any more.
 *
 * @category models
 * @since 0.1.0
 */
export type FinishedRunStatus = typeof FinishedRunStatus.Type

/**
 * What can happen to a run or a step.
 *
 * @category models
 * @since 0.1.0
 */
export type RunEvent = "beat" | "succeed" | "fail" | "skip" | "cancel"

/**
 * One execution of a plan.
 *
 * @category models
 * @since 0.1.0
 */
export const RunRecord = Schema.Struct({
  runId: Schema.String,
  status: RunStatus,
  assets: Schema.Array(Schema.String),
  /** The range of partitions as it was asked for. */
  partitions: Schema.UndefinedOr(Schema.String),
  requestedBy: Schema.String,
  why: Schema.String,
  startedAt: Schema.DateTimeUtc,
  /** The last sign of life of the process that executes the run. */
  heartbeatAt: Schema.DateTimeUtc,
  finishedAt: Schema.UndefinedOr(Schema.DateTimeUtc),
  error: Schema.UndefinedOr(Schema.String)
})

/**
 * One execution of a plan.
 *
 * @category models
 * @since 0.1.0
 */
export type RunRecord = typeof RunRecord.Type

/**
 * What a run did to one asset.
 *
 * @category models
 * @since 0.1.0
 */
export const StepRecord = Schema.Struct({
  runId: Schema.String,
  /** The place of the step in its plan, from 0. */
  index: Schema.Int,
  asset: Schema.String,
  status: RunStatus,
  kind: Schema.Literals(["land", "build"]),
  attempts: Schema.Int,
  units: Schema.Int,
  rowsRead: Schema.Int,
  rowsInserted: Schema.Int,
  rowsUpdated: Schema.Int,
  rowsDeleted: Schema.Int,
  rowsUnchanged: Schema.Int,
  rowsQuarantined: Schema.Int,
  durationMs: Schema.Finite,
  error: Schema.UndefinedOr(Schema.String),
  /** The tag of the reason for which the step failed, or `UpstreamFailed` for a step that was skipped. */
  reason: Schema.UndefinedOr(Schema.String),
  /** Why the plan has the step, in words. */
  why: Schema.String,
  codeVersion: Schema.String,
  startedAt: Schema.DateTimeUtc,
  finishedAt: Schema.UndefinedOr(Schema.DateTimeUtc)
})

/**
 * What a run did to one asset.
 *
 * @category models
 * @since 0.1.0
 */
export type StepRecord = typeof StepRecord.Type

/**
 * A run with the number of its steps in each state.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunSummary {
  readonly run: RunRecord
  readonly steps: Readonly<Record<RunStatus, number>>
}

/**
 * The state after an event, or `ignored` where the event no longer matters: a finished run stays as it finished, also
 * when a process that was taken for dead comes back and reports success.
 *
 * @category combinators
 * @since 0.1.0
 */
export const transition = (status: RunStatus, event: RunEvent): RunStatus | "ignored" => transitions[status][event]

/**
 * Tells whether nothing happens any more in a state.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isFinished = (status: RunStatus): status is FinishedRunStatus => status !== "running"

/**
 * The event that leads to a state.
 *
 * @category getters
 * @since 0.1.0
 */
export const eventTo = (status: RunStatus): RunEvent => events[status]

/**
 * The states in which an event is not ignored.
 *
 * @category getters
 * @since 0.1.0
 */
export const movedBy = (event: RunEvent): ReadonlyArray<RunStatus> =>
  RunStatus.literals.filter((status) => transition(status, event) !== "ignored")

// --- internal ---

const finished: Record<RunEvent, "ignored"> = {
  beat: "ignored",
  succeed: "ignored",
  fail: "ignored",
  skip: "ignored",
  cancel: "ignored"
}

const transitions: Record<RunStatus, Record<RunEvent, RunStatus | "ignored">> = {
  running: { beat: "running", succeed: "succeeded", fail: "failed", skip: "skipped", cancel: "cancelled" },
  succeeded: finished,
  failed: finished,
  skipped: finished,
  cancelled: finished
}

const events: Record<RunStatus, RunEvent> = {
  running: "beat",
  succeeded: "succeed",
  failed: "fail",
  skipped: "skip",
  cancelled: "cancel"
}
