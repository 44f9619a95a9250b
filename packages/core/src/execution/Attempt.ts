/**
 * One part of a run that is tried, tried again and recorded: what it counts, how often it was tried, and how it ended.
 * What fails for good is recorded as a failed step and becomes the error of its asset, never of the run.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type { Asset } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { Outbox } from "../ledger/Outbox.ts"
import { Runs } from "../ledger/Runs.ts"
import { DefinitionFault, MaterializationError, type Reason } from "../MaterializationError.ts"
import type { PartitionSet } from "../PartitionSet.ts"
import type { Target } from "../planning/Request.ts"
import type { StepRecord } from "../Run.ts"
import { Transactor } from "../Transactor.ts"
import { tell } from "./Progress.ts"

/**
 * The services that recording an attempt uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Transactor | Runs | Outbox

/**
 * What a run has to do for one asset, and what it did so far.
 *
 * @category models
 * @since 0.1.0
 */
export interface Work {
  readonly graph: AssetGraph<never>
  readonly runId: string
  readonly target: Target<never>
  /** The place of the next step in the run. */
  readonly nextIndex: Effect.Effect<number>
  readonly tally: Ref.Ref<Tally>
  /** Who is told what becomes of each partition; undefined where a step that fails ends the asset. */
  readonly tracker?: Tracker | undefined
}

/**
 * Somebody to whom each partition counts by itself, as it does to a backfill.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tracker {
  /** Whether another step is wanted. */
  readonly goesOn: Effect.Effect<boolean, Reason>
  /** These are as they should be; said in the transaction that makes it true, where there is one. */
  readonly built: (partitions: PartitionSet) => Effect.Effect<void, Reason>
  /** This one cannot be built. */
  readonly failed: (partitions: PartitionSet, reason: Reason) => Effect.Effect<void, Reason>
}

/**
 * What was done for an asset, in steps, units and rows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tally {
  readonly steps: number
  readonly units: number
  readonly read: number
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly unchanged: number
  readonly quarantined: number
}

/**
 * A step of a run: what is recorded of it, and what of it is committed so far.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly record: StepRecord
  readonly committed: Ref.Ref<Tally>
}

/**
 * Nothing done.
 *
 * @category constructors
 * @since 0.1.0
 */
export const nothing: Tally = {
  steps: 0,
  units: 0,
  read: 0,
  inserted: 0,
  updated: 0,
  deleted: 0,
  unchanged: 0,
  quarantined: 0
}

/**
 * Both together.
 *
 * @category combinators
 * @since 0.1.0
 */
export const add = (tally: Tally, more: Partial<Tally>): Tally => ({
  steps: tally.steps + (more.steps ?? 0),
  units: tally.units + (more.units ?? 0),
  read: tally.read + (more.read ?? 0),
  inserted: tally.inserted + (more.inserted ?? 0),
  updated: tally.updated + (more.updated ?? 0),
  deleted: tally.deleted + (more.deleted ?? 0),
  unchanged: tally.unchanged + (more.unchanged ?? 0),
  quarantined: tally.quarantined + (more.quarantined ?? 0)
})

/**
 * A step that begins now. Nothing is recorded of it yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const begin = Effect.fnUntraced(function* (
  { nextIndex, runId, target }: Pick<Work, "nextIndex" | "runId"> & { readonly target: { readonly asset: Asset } },
  options: { readonly kind: StepRecord["kind"]; readonly why: string }
): Effect.fn.Return<Step> {
  return {
    record: {
      runId,
      index: yield* nextIndex,
      asset: target.asset.name,
      status: "running",
      kind: options.kind,
      attempts: 1,
      units: 0,
      rowsRead: 0,
      rowsInserted: 0,
      rowsUpdated: 0,
      rowsDeleted: 0,
      rowsUnchanged: 0,
      rowsQuarantined: 0,
      durationMs: 0,
      error: undefined,
      reason: undefined,
      why: options.why,
      codeVersion: target.asset.codeVersion,
      startedAt: yield* DateTime.now,
      finishedAt: undefined
    },
    committed: yield* Ref.make(nothing)
  }
})

/**
 * Records a step as it stands, in the caller's transaction when there is one. `counted` is what it has done with the
 * rest of that transaction.
 *
 * @category recording
 * @since 0.1.0
 */
export const record = Effect.fnUntraced(function* (
  { record }: Step,
  counted: Tally,
  as: Pick<StepRecord, "status" | "attempts"> & Partial<Pick<StepRecord, "error" | "reason">>
): Effect.fn.Return<void, Reason, Runs> {
  const runs = yield* Runs
  // A clock that was set back meanwhile must not let a step end before it began.
  const now = DateTime.max(yield* DateTime.now, record.startedAt)
  yield* runs.record({
    ...record,
    units: counted.units,
    rowsRead: counted.read,
    rowsInserted: counted.inserted,
    rowsUpdated: counted.updated,
    rowsDeleted: counted.deleted,
    rowsUnchanged: counted.unchanged,
    rowsQuarantined: counted.quarantined,
    durationMs: DateTime.toEpochMillis(now) - DateTime.toEpochMillis(record.startedAt),
    finishedAt: as.status === "running" ? undefined : now,
    ...as
  })
})

/**
 * Takes over what the ledger has of a step, and yields whether that is all of it. To be asked before trying again: where
 * a connection is lost while a transaction commits, only the ledger knows whether it did.
 *
 * @category recording
 * @since 0.1.0
 */
export const recall = Effect.fnUntraced(function* (
  { runId, tally }: Pick<Work, "runId" | "tally">,
  { committed, record: { index } }: Step
): Effect.fn.Return<boolean, Reason, Runs> {
  const runs = yield* Runs
  const found = yield* runs.get(runId)
  const recorded = found._tag === "Found" ? found.steps.find((step) => step.index === index) : undefined
  if (recorded === undefined) return false
  const known = yield* Ref.getAndSet(committed, countedBy(recorded))
  yield* Ref.update(tally, (sum) => add(sum, without(countedBy(recorded), known)))
  return recorded.status === "succeeded"
})

/**
 * Tries by the asset's retry schedule. What fails for good, or is interrupted, is recorded as the end of the step; a
 * failure without a step is recorded as one of its own.
 *
 * **Details**
 *
 * Where the server is out of resources and `lessen` can make the next attempt smaller, that one follows at once and does
 * not count against the schedule: it is another try. More connections are not had by asking for less, so for those the
 * schedule waits.
 *
 * @category running
 * @since 0.1.0
 */
export const make = <A, R>(
  work: Work,
  body: (attempts: number) => Effect.Effect<A, Reason, R>,
  { lessen = Effect.succeed(false), step }: { readonly step?: Step; readonly lessen?: Effect.Effect<boolean> } = {}
): Effect.Effect<A, MaterializationError, R | Services> => {
  const { asset } = work.target
  let attempts = 0
  const retrying = ({ reason: { message } }: MaterializationError) =>
    tell({ _tag: "Retrying", asset: asset.name, attempt: attempts, message })
  const once = Effect.suspend(() => {
    attempts += 1
    return body(attempts)
  }).pipe(
    Effect.catchDefect((defect) => died(asset, defect)),
    Effect.mapError((reason) => new MaterializationError({ asset: asset.name, reason }))
  )
  const fitting: Effect.Effect<A, MaterializationError, R> = once.pipe(
    Effect.catch((error) =>
      Effect.flatMap(wantsLess(error.reason) ? lessen : Effect.succeed(false), (isLess) =>
        isLess ? Effect.andThen(retrying(error), fitting) : Effect.fail(error)
      )
    )
  )
  const transacted = <B>(effect: Effect.Effect<B, Reason, Runs | Outbox>) =>
    Effect.flatMap(Transactor, ({ transact }) => Effect.ignore(insist(transact(effect))))
  const schedule = asset.policy.retry.pipe(
    Schedule.while(({ input }) => input.isRetryable),
    Schedule.tap(({ input }) => retrying(input))
  )
  return Effect.retry(fitting, schedule).pipe(
    Effect.tapError((error) => transacted(recordFailure(work, error, attempts, step))),
    Effect.onInterrupt(() =>
      step === undefined ? Effect.void : transacted(end(step, { status: "cancelled", attempts }))
    )
  )
}

/**
 * Whether another step is wanted, as far as somebody is to be asked.
 *
 * @category running
 * @since 0.1.0
 */
export const goesOn = (work: Work): Effect.Effect<boolean, MaterializationError, Services> => {
  const { tracker } = work
  return tracker === undefined ? Effect.succeed(true) : make(work, () => tracker.goesOn)
}

/**
 * Tries again what concerns a run as a whole, and so has no asset whose policy says how often: a connection that is lost
 * while a run begins or ends must not make its record untrue.
 *
 * @category running
 * @since 0.1.0
 */
export const insist = <A, R>(effect: Effect.Effect<A, Reason, R>): Effect.Effect<A, Reason, R> =>
  Effect.retry(effect, { schedule: insisting, while: (reason) => reason.isRetryable })

// --- internal ---

/** Six times within three seconds: longer than a server takes to start again. */
const insisting = Schedule.exponential(Duration.millis(100)).pipe(Schedule.jittered, Schedule.upTo({ times: 5 }))

const wantsLess = (reason: Reason): boolean => reason._tag === "ResourceExhausted" && reason.code !== tooManyConnections

const tooManyConnections = "53300"

const countedBy = (step: StepRecord): Tally => ({
  steps: step.status === "succeeded" ? 1 : 0,
  // The only unit of a landing is its delivery, which is done when the step is.
  units: step.status === "succeeded" ? step.units : 0,
  read: step.rowsRead,
  inserted: step.rowsInserted,
  updated: step.rowsUpdated,
  deleted: step.rowsDeleted,
  unchanged: step.rowsUnchanged,
  quarantined: step.rowsQuarantined
})

const without = (tally: Tally, less: Tally): Tally => ({
  steps: tally.steps - less.steps,
  units: tally.units - less.units,
  read: tally.read - less.read,
  inserted: tally.inserted - less.inserted,
  updated: tally.updated - less.updated,
  deleted: tally.deleted - less.deleted,
  unchanged: tally.unchanged - less.unchanged,
  quarantined: tally.quarantined - less.quarantined
})

/** A compute or a source that dies is a mistake in its code; it concerns its asset and nothing else. */
const died = Effect.fnUntraced(function* (asset: Asset, defect: unknown): Effect.fn.Return<never, DefinitionFault> {
  yield* Effect.logError("asset died", defect).pipe(Effect.annotateLogs({ asset: asset.name }))
  return yield* new DefinitionFault({
    message: `the code of "${asset.name}" died: ${defect instanceof Error ? defect.message : String(defect)}`,
    code: undefined
  })
})

const end = (step: Step, as: Parameters<typeof record>[2]): Effect.Effect<void, Reason, Runs> =>
  Effect.flatMap(Ref.get(step.committed), (committed) => record(step, committed, as))

const recordFailure = Effect.fnUntraced(function* (
  work: Work,
  { reason }: MaterializationError,
  attempts: number,
  step: Step | undefined
): Effect.fn.Return<void, Reason, Runs | Outbox> {
  const outbox = yield* Outbox
  const kind = work.target.asset.body._tag === "Source" ? "land" : "build"
  const failed = step ?? (yield* begin(work, { kind, why: "looking up what is due" }))
  const { message } = reason
  const { asset, runId } = failed.record
  const at = yield* DateTime.now
  if (step === undefined || !(yield* recall(work, step)))
    yield* end(failed, { status: "failed", attempts, error: message, reason: reason._tag })
  yield* outbox.emit([
    reason._tag === "SchemaMismatch"
      ? { _tag: "SchemaMismatched", asset, runId, message, at }
      : { _tag: "MaterializationFailed", asset, runId, reason: reason._tag, message, at }
  ])
})
