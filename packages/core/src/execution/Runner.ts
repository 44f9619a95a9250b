/**
 * Carrying out a plan: each asset as soon as everything upstream of it in the plan is done, unrelated ones side by
 * side. An asset is brought up to date step by step until nothing within the wanted range is due; failures stop what
 * depends on them and nothing else.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import type { Asset, AssetKey } from "../Asset.ts"
import type { AssetEvent } from "../AssetEvent.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { Outbox } from "../ledger/Outbox.ts"
import { abandonedError, Runs } from "../ledger/Runs.ts"
import type { MaterializationError, Reason } from "../MaterializationError.ts"
import type { Target } from "../planning/Request.ts"
import type { FinishedRunStatus } from "../Run.ts"
import type { Delivery } from "../Source.ts"
import { Transactor } from "../Transactor.ts"
import * as Attempt from "./Attempt.ts"
import * as Builder from "./Builder.ts"
import * as Intake from "./Intake.ts"
import { tell } from "./Progress.ts"

/**
 * The services that a run uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Builder.Services | Intake.Services

/**
 * How one asset of a run ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface AssetOutcome {
  readonly asset: AssetKey
  readonly outcome: "succeeded" | "unchanged" | "failed" | "skipped"
  readonly steps: number
  readonly units: number
  readonly read: number
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly unchanged: number
  readonly quarantined: number
  readonly durationMs: number
  readonly error: MaterializationError | undefined
  /** For a skipped asset, the assets upstream that did not succeed. */
  readonly because: ReadonlyArray<AssetKey>
}

/**
 * How a run ended. `runId` is undefined where there was nothing to do, and so nothing to record.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunResult {
  readonly runId: string | undefined
  readonly status: FinishedRunStatus
  readonly steps: number
  readonly outcomes: ReadonlyArray<AssetOutcome>
}

/**
 * What a run is for, as the ledger records it.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOptions {
  readonly graph: AssetGraph<never>
  readonly targets: ReadonlyArray<Target<never>>
  /** What was found to land when the run was decided on, by source asset; a source that is not in it is asked now. */
  readonly deliveries: ReadonlyMap<AssetKey, ReadonlyArray<Delivery>>
  readonly runId: string
  readonly partitions: string | undefined
  readonly requestedBy: string
  readonly why: string
  /** How many assets are worked on at once. */
  readonly concurrency: number
  /** Who is told what becomes of each partition. */
  readonly tracker?: Attempt.Tracker | undefined
}

/**
 * Ends the runs whose process gives no sign of life any more, also where nothing is left to be done after them.
 *
 * @category running
 * @since 0.1.0
 */
export const abandon: Effect.Effect<void, Reason, Attempt.Services> = Effect.gen(function* () {
  const runs = yield* Runs
  const outbox = yield* Outbox
  const transactor = yield* Transactor
  const at = yield* DateTime.now
  const olderThan = DateTime.subtract(at, { minutes: 2 })
  if (!(yield* runs.hasDead(olderThan))) return
  yield* transactor.transact(
    Effect.gen(function* () {
      const dead = yield* runs.abandon({ olderThan, at })
      yield* outbox.emit(
        dead.map((runId): AssetEvent => ({
          _tag: "RunFinished",
          runId,
          status: "cancelled",
          error: abandonedError,
          at
        }))
      )
    })
  )
}).pipe(Effect.withSpan("Runner.abandon"))

/**
 * Brings the targets up to date and records the run.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fn("Runner.run")(function* (
  options: RunOptions
): Effect.fn.Return<RunResult, Reason, Services> {
  const { runId } = options
  const runs = yield* Runs
  const outbox = yield* Outbox
  const transactor = yield* Transactor
  const startedAt = yield* DateTime.now
  yield* Attempt.insist(abandon)
  const assets = options.targets.map(({ asset }) => asset.name)
  const start = transactor.transact(
    Effect.gen(function* () {
      yield* runs.start({
        runId,
        status: "running",
        assets,
        partitions: options.partitions,
        requestedBy: options.requestedBy,
        why: options.why,
        startedAt,
        heartbeatAt: startedAt,
        finishedAt: undefined,
        error: undefined
      })
      yield* outbox.emit([
        { _tag: "RunStarted", runId, assets, requestedBy: options.requestedBy, why: options.why, at: startedAt }
      ])
    })
  )
  yield* Attempt.insist(start)
  const finish = Effect.fnUntraced(function* (status: FinishedRunStatus, error: string | undefined) {
    // A clock that was set back meanwhile must not let a run end before it began.
    const at = DateTime.max(yield* DateTime.now, startedAt)
    const end = transactor.transact(
      Effect.gen(function* () {
        // An earlier attempt whose answer was lost may have ended it already.
        if (yield* runs.finish({ runId, status, error, at }))
          yield* outbox.emit([{ _tag: "RunFinished", runId, status, error, at }])
      })
    )
    yield* Attempt.insist(end)
  })
  const beating = Effect.flatMap(DateTime.now, (at) => runs.beat({ runId, at })).pipe(
    Effect.ignore,
    Effect.schedule(Schedule.spaced(Duration.seconds(15)))
  )
  const work = Effect.scoped(Effect.andThen(Effect.forkScoped(beating), all(options)))
  return yield* work.pipe(
    Effect.map((outcomes): RunResult => ({
      runId,
      status: outcomes.some(({ outcome }) => outcome === "failed") ? "failed" : "succeeded",
      steps: outcomes.reduce((sum, { steps }) => sum + steps, 0),
      outcomes
    })),
    Effect.onExit((exit) =>
      Exit.isSuccess(exit)
        ? finish(exit.value.status, errorOf(exit.value))
        : Effect.ignore(
            finish(
              Exit.hasInterrupts(exit) ? "cancelled" : "failed",
              Exit.hasInterrupts(exit) ? "interrupted" : "the engine failed"
            )
          )
    )
  )
})

// --- internal ---

const all = Effect.fnUntraced(function* (
  options: RunOptions
): Effect.fn.Return<ReadonlyArray<AssetOutcome>, Reason, Services> {
  const indexes = yield* Ref.make(0)
  const nextIndex = Ref.getAndUpdate(indexes, (index) => index + 1)
  const places = Semaphore.makeUnsafe(options.concurrency)
  const pools = new Map<string, Semaphore.Semaphore>()
  for (const {
    asset: {
      policy: { pool }
    }
  } of options.targets)
    if (pool !== undefined) pools.set(pool, Semaphore.makeUnsafe(1))
  const outcomes = new Map<AssetKey, Deferred.Deferred<AssetOutcome>>()
  for (const { asset } of options.targets) outcomes.set(asset.name, Deferred.makeUnsafe())
  return yield* Effect.forEach(
    options.targets,
    (target) =>
      Effect.gen(function* () {
        const own = outcomes.get(target.asset.name) ?? Deferred.makeUnsafe<AssetOutcome>()
        const upstream = yield* Effect.forEach(
          new Set(target.asset.inputs.map((input) => input.asset.name)),
          (name) => {
            const outcome = outcomes.get(name)
            return outcome === undefined ? Effect.succeed(undefined) : Deferred.await(outcome)
          }
        )
        const broken = upstream.flatMap((outcome) =>
          outcome !== undefined && (outcome.outcome === "failed" || outcome.outcome === "skipped")
            ? [outcome.asset]
            : []
        )
        const pool = pools.get(target.asset.policy.pool ?? "")
        const work =
          broken.length > 0
            ? skip(options, target.asset, broken, nextIndex)
            : places.withPermit(attend(options, target, nextIndex))
        const outcome = yield* pool === undefined ? work : pool.withPermit(work)
        yield* tell({
          _tag: "AssetDone",
          asset: outcome.asset,
          outcome: outcome.outcome,
          message:
            outcome.error?.reason.message ??
            (outcome.because.length > 0 ? `${outcome.because.join(", ")} did not succeed` : undefined)
        })
        yield* Deferred.succeed(own, outcome)
        return outcome
      }),
    { concurrency: "unbounded" }
  )
})

/** Brings one asset up to date; a failure becomes its outcome. */
const attend = Effect.fnUntraced(function* (
  options: RunOptions,
  target: Target<never>,
  nextIndex: Effect.Effect<number>
): Effect.fn.Return<AssetOutcome, Reason, Services> {
  const { asset } = target
  const began = yield* Clock.currentTimeMillis
  const tally = yield* Ref.make(Attempt.nothing)
  const { graph, runId, tracker } = options
  const work: Attempt.Work = { graph, runId, target, nextIndex, tally, tracker }
  const attended =
    asset.body._tag === "Source"
      ? Intake.land(work, options.deliveries.get(asset.name))
      : asset.write._tag === "View"
        ? Effect.void
        : Builder.build(work)
  const error = yield* Effect.match(attended, { onFailure: (failure) => failure, onSuccess: () => undefined })
  const done = yield* Ref.get(tally)
  return {
    asset: asset.name,
    ...done,
    durationMs: Math.max(0, (yield* Clock.currentTimeMillis) - began),
    because: [],
    outcome: error !== undefined ? "failed" : done.steps === 0 ? "unchanged" : "succeeded",
    error
  }
})

const skip = Effect.fnUntraced(function* (
  { runId }: RunOptions,
  asset: Asset,
  because: ReadonlyArray<AssetKey>,
  nextIndex: Effect.Effect<number>
): Effect.fn.Return<AssetOutcome, Reason, Attempt.Services> {
  const transactor = yield* Transactor
  const error = `skipped, because ${because.join(", ")} did not succeed`
  const step = yield* Attempt.begin({ runId, nextIndex, target: { asset } }, { kind: "build", why: error })
  yield* Attempt.insist(
    transactor.transact(
      Attempt.record(step, Attempt.nothing, { status: "skipped", attempts: 1, error, reason: "UpstreamFailed" })
    )
  )
  return { asset: asset.name, outcome: "skipped", ...Attempt.nothing, durationMs: 0, error: undefined, because }
})

const errorOf = (result: RunResult): string | undefined => {
  const failed = result.outcomes.filter(({ outcome }) => outcome === "failed")
  return failed.length === 0 ? undefined : failed.map(({ error }) => error?.message ?? "failed").join("; ")
}
