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
import type { AssetGraph } from "../AssetGraph.ts"
import { Outbox } from "../ledger/Outbox.ts"
import { Runs } from "../ledger/Runs.ts"
import { type Selection, StaleSets } from "../ledger/StaleSets.ts"
import { MaterializationError, type Reason } from "../MaterializationError.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as AssetStatus from "../planning/AssetStatus.ts"
import * as Plan from "../planning/Plan.ts"
import type { Target } from "../planning/Request.ts"
import type { FinishedRunStatus, StepRecord } from "../Run.ts"
import type { Delivery } from "../Source.ts"
import { Transactor } from "../Transactor.ts"
import { fromPartitions } from "../Unit.ts"
import * as Lander from "./Lander.ts"
import * as Materializer from "./Materializer.ts"
import { tell } from "./Progress.ts"

/**
 * The services that a run uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Lander.Services | Runs

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
  /** What was found to land when the run was decided on, by source asset. */
  readonly deliveries: ReadonlyMap<AssetKey, ReadonlyArray<Delivery>>
  readonly runId: string
  readonly partitions: string | undefined
  readonly requestedBy: string
  readonly why: string
  /** How many assets are worked on at once. */
  readonly concurrency: number
}

/**
 * Brings the targets up to date and records the run.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fn("Runner.run")(function*(options: RunOptions): Effect.fn.Return<RunResult, Reason, Services> {
  const { runId } = options
  const runs = yield* Runs
  const outbox = yield* Outbox
  const transactor = yield* Transactor
  const startedAt = yield* DateTime.now
  yield* runs.abandon({ olderThan: DateTime.subtract(startedAt, { minutes: 2 }), at: startedAt })
  const assets = options.targets.map(({ asset }) => asset.name)
  yield* transactor.transact(Effect.gen(function*() {
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
    yield* outbox.emit([{ _tag: "RunStarted", runId, assets, requestedBy: options.requestedBy, why: options.why, at: startedAt }])
  }))
  const finish = Effect.fnUntraced(function*(status: FinishedRunStatus, error: string | undefined) {
    const at = yield* DateTime.now
    yield* transactor.transact(Effect.gen(function*() {
      yield* runs.finish({ runId, status, error, at })
      yield* outbox.emit([{ _tag: "RunFinished", runId, status, error, at }])
    }))
  })
  const beating = Effect.flatMap(DateTime.now, (at) => runs.beat({ runId, at })).pipe(
    Effect.ignore,
    Effect.repeat(Schedule.spaced(Duration.seconds(15)))
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
        : Effect.ignore(finish(Exit.hasInterrupts(exit) ? "cancelled" : "failed", Exit.hasInterrupts(exit) ? "interrupted" : "the engine failed"))
    )
  )
})

// --- internal ---

const all = Effect.fnUntraced(function*(options: RunOptions): Effect.fn.Return<ReadonlyArray<AssetOutcome>, Reason, Services> {
  const indexes = yield* Ref.make(0)
  const nextIndex = Ref.getAndUpdate(indexes, (index) => index + 1)
  const places = Semaphore.makeUnsafe(options.concurrency)
  const pools = new Map<string, Semaphore.Semaphore>()
  for (const { asset: { policy: { pool } } } of options.targets) if (pool !== undefined) pools.set(pool, Semaphore.makeUnsafe(1))
  const outcomes = new Map<AssetKey, Deferred.Deferred<AssetOutcome>>()
  for (const { asset } of options.targets) outcomes.set(asset.name, Deferred.makeUnsafe())
  return yield* Effect.forEach(options.targets, (target) =>
    Effect.gen(function*() {
      const own = outcomes.get(target.asset.name) ?? Deferred.makeUnsafe<AssetOutcome>()
      const upstream = yield* Effect.forEach(
        new Set(target.asset.inputs.map((input) => input.asset.name)),
        (name) => {
          const outcome = outcomes.get(name)
          return outcome === undefined ? Effect.succeed(undefined) : Deferred.await(outcome)
        }
      )
      const broken = upstream.flatMap((outcome) =>
        outcome !== undefined && (outcome.outcome === "failed" || outcome.outcome === "skipped") ? [outcome.asset] : [])
      const pool = pools.get(target.asset.policy.pool ?? "")
      const work = broken.length > 0
        ? skip(options, target.asset, broken, nextIndex)
        : places.withPermit(attend(options, target, nextIndex))
      const outcome = yield* pool === undefined ? work : pool.withPermit(work)
      yield* tell({
        _tag: "AssetDone",
        asset: outcome.asset,
        outcome: outcome.outcome,
        message: outcome.error?.reason.message ??
          (outcome.because.length > 0 ? `${outcome.because.join(", ")} did not succeed` : undefined)
      })
      yield* Deferred.succeed(own, outcome)
      return outcome
    }), { concurrency: "unbounded" })
})

/** Brings one asset up to date; a failure becomes its outcome. */
const attend = Effect.fnUntraced(function*(
  options: RunOptions,
  target: Target<never>,
  nextIndex: Effect.Effect<number>
): Effect.fn.Return<AssetOutcome, Reason, Services> {
  const { asset } = target
  const began = yield* Clock.currentTimeMillis
  const tally = yield* Ref.make(emptyTally)
  const work = asset.body._tag === "Source" ? landAll : asset.write._tag === "View" ? nothing : buildAll
  const error = yield* Effect.match(work({ ...options, target, nextIndex, tally }), {
    onFailure: (failure) => failure,
    onSuccess: () => undefined
  })
  const done = yield* Ref.get(tally)
  return {
    asset: asset.name,
    ...done,
    durationMs: (yield* Clock.currentTimeMillis) - began,
    because: [],
    outcome: error !== undefined ? "failed" : done.steps === 0 ? "unchanged" : "succeeded",
    error
  }
})

interface Work extends RunOptions {
  readonly target: Target<never>
  readonly nextIndex: Effect.Effect<number>
  readonly tally: Ref.Ref<Tally>
}

interface Tally {
  readonly steps: number
  readonly units: number
  readonly read: number
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly unchanged: number
  readonly quarantined: number
}

const emptyTally: Tally = { steps: 0, units: 0, read: 0, inserted: 0, updated: 0, deleted: 0, unchanged: 0, quarantined: 0 }

const add = (tally: Tally, more: Partial<Tally>): Tally => ({
  steps: tally.steps + (more.steps ?? 0),
  units: tally.units + (more.units ?? 0),
  read: tally.read + (more.read ?? 0),
  inserted: tally.inserted + (more.inserted ?? 0),
  updated: tally.updated + (more.updated ?? 0),
  deleted: tally.deleted + (more.deleted ?? 0),
  unchanged: tally.unchanged + (more.unchanged ?? 0),
  quarantined: tally.quarantined + (more.quarantined ?? 0)
})

const nothing = (): Effect.Effect<void> => Effect.void

const landAll = Effect.fnUntraced(function*(work: Work): Effect.fn.Return<void, MaterializationError, Services> {
  const { graph, nextIndex, runId, tally, target: { asset } } = work
  const from = Lander.sourceOf(asset)
  if (from === undefined) return
  const deliveries = work.deliveries.get(asset.name) ?? []
  if (deliveries.length === 0) return
  yield* tell({
    _tag: "AssetStarted",
    asset: asset.name,
    step: { _tag: "Land", asset: asset.name, deliveries, why: [{ _tag: "NewRows", deliveries: deliveries.length }], rows: undefined }
  })
  const failures: Array<MaterializationError> = []
  for (const found of deliveries) {
    const index = yield* nextIndex
    const step = yield* stepOf(work, index, "land", `new rows: ${found.description}`)
    const failure = yield* attempt(work, (attempts) =>
      Effect.gen(function*() {
        // Looked up again on every further attempt: an earlier one, or another process, may have landed part of it.
        const delivery = attempts === 1
          ? found
          : (yield* Lander.discover(from)).find(({ origin }) => origin === found.origin)
        if (delivery === undefined) return
        const runs = yield* Runs
        yield* Lander.land({
          graph,
          from,
          delivery,
          runId,
          batchId: `${runId}-${index}`,
          record: (landed) =>
            Effect.flatMap(step.done, (times) =>
              runs.record({
                ...step.record,
                ...times,
                attempts,
                units: 1,
                rowsRead: landed.read,
                rowsInserted: landed.inserted,
                rowsUnchanged: landed.unchanged,
                rowsQuarantined: landed.quarantined
              })),
          onBatch: ({ quarantined, rows, warnings }) =>
            Effect.gen(function*() {
              yield* Ref.update(tally, (sum) => add(sum, { inserted: rows, read: rows + quarantined, quarantined }))
              yield* tell({ _tag: "Landed", asset: asset.name, rows, quarantined })
              yield* Effect.forEach(warnings, (message) => tell({ _tag: "Warned", asset: asset.name, message }), { discard: true })
            })
        })
        yield* Ref.update(tally, (sum) => add(sum, { steps: 1, units: 1 }))
        yield* tell({ _tag: "Delivered", asset: asset.name, origin: found.origin })
      }), step).pipe(
        Effect.as(undefined),
        Effect.catch((error) => Effect.succeed(error))
      )
    if (failure !== undefined) failures.push(failure)
  }
  const [first] = failures
  if (first !== undefined) return yield* first
})

const buildAll = Effect.fnUntraced(function*(work: Work): Effect.fn.Return<void, MaterializationError, Services> {
  const { target: { asset, partitions } } = work
  if (partitions === undefined) yield* buildKeys(work)
  else yield* buildPartitions(work, asset, partitions)
})

/** Keyed and whole assets: everything where they are stale as a whole, then marked keys until none is left. */
const buildKeys = Effect.fnUntraced(function*(work: Work): Effect.fn.Return<void, MaterializationError, Services> {
  const { target: { asset, isForced } } = work
  const staleSets = yield* StaleSets
  const planned = yield* planOf(work)
  if (planned === undefined) return
  yield* tell({ _tag: "AssetStarted", asset: asset.name, step: planned })
  const why = Plan.describe(planned)[0]
  if (planned.isWhole || isForced) {
    const transactor = yield* Transactor
    yield* attempt(work, () => transactor.transact(staleSets.open(asset.name)))
    yield* buildStep(work, () => ({ _tag: "Whole" }), why)
    if (asset.write._tag === "Replace") return
  }
  let more = true
  while (more) {
    const built = yield* buildStep(work, (limit) => ({ _tag: "Some", limit }), why)
    more = built.units >= built.limit
  }
})

/** Partitioned assets: the due partitions of the wanted range, a step's worth at a time. */
const buildPartitions = Effect.fnUntraced(function*(
  work: Work,
  asset: Asset<string, unknown, never>,
  wanted: PartitionSet.PartitionSet
): Effect.fn.Return<void, MaterializationError, Services> {
  const { target: { isForced } } = work
  const staleSets = yield* StaleSets
  const transactor = yield* Transactor
  const now = yield* DateTime.now
  yield* attempt(work, () =>
    Effect.gen(function*() {
      const set = (yield* staleSets.get([asset.name])).get(asset.name)
      if (set === undefined || set.ranges.length === 0) return
      const [status] = yield* AssetStatus.read({ assets: [asset], now })
      if (status === undefined) return
      yield* transactor.transact(Effect.andThen(
        transactor.lock(Materializer.locksOf(work.graph, asset)),
        staleSets.expand({ asset: asset.name, units: Array.from(PartitionSet.keys(status.existing)), at: now })
      ))
    }))
  const planned = yield* planOf(work)
  if (planned?.partitions === undefined || PartitionSet.isEmpty(planned.partitions)) return
  yield* tell({ _tag: "AssetStarted", asset: asset.name, step: planned })
  const why = Plan.describe(planned)[0]
  let left = PartitionSet.intersection(planned.partitions, wanted)
  while (!PartitionSet.isEmpty(left)) {
    const from = left
    const { limit } = yield* buildStep(
      work,
      (size) => ({ _tag: "Units", units: fromPartitions(PartitionSet.take(from, size)), isForced }),
      why
    )
    left = PartitionSet.difference(left, PartitionSet.take(left, limit))
  }
})

const planOf = Effect.fnUntraced(function*(
  work: Work
): Effect.fn.Return<Plan.PlanStep & { readonly _tag: "Build" } | undefined, MaterializationError, Services> {
  const { target } = work
  const now = yield* DateTime.now
  const [status] = yield* attempt(work, () => AssetStatus.read({ assets: [target.asset], now }))
  const planned = status === undefined
    ? undefined
    : Plan.step({ target, status, deliveries: [] }, { now: DateTime.toEpochMillis(now) })
  return planned?._tag === "Build" ? planned : undefined
})

/** One step with its attempts: fewer units each time the server is out of resources. */
const buildStep = Effect.fnUntraced(function*(
  work: Work,
  selection: (limit: number) => Selection,
  why: string
): Effect.fn.Return<{ readonly units: number; readonly limit: number }, MaterializationError, Services> {
  const { graph, runId, tally, target: { asset } } = work
  const limit = yield* Ref.make(asset.policy.stepSize)
  const index = yield* work.nextIndex
  const step = yield* stepOf(work, index, "build", why)
  const runs = yield* Runs
  const result = yield* attempt(work, (attempts) =>
    Effect.flatMap(Ref.get(limit), (size) =>
      Materializer.step({
        graph,
        asset,
        selection: selection(size),
        runId,
        record: ({ units, written }) =>
          Effect.flatMap(step.done, (times) =>
            runs.record({
              ...step.record,
              ...times,
              attempts,
              units,
              rowsRead: written.read,
              rowsInserted: written.inserted,
              rowsUpdated: written.updated,
              rowsDeleted: written.deleted,
              rowsUnchanged: written.unchanged
            }))
      })).pipe(
        Effect.tapError((reason) =>
          reason._tag === "ResourceExhausted" ? Ref.update(limit, (size) => Math.max(1, Math.floor(size / 2))) : Effect.void)
      ), step)
  const size = yield* Ref.get(limit)
  if (result === undefined) return { units: 0, limit: size }
  yield* Ref.update(tally, (sum) => add(sum, { ...result.written, steps: 1, units: result.units }))
  yield* tell({ _tag: "StepDone", asset: asset.name, units: result.units, written: result.written })
  yield* Effect.forEach(result.warnings, ({ check, examples, violations }) =>
    tell({ _tag: "Warned", asset: asset.name, message: `check "${check}": ${violations} rows, for example ${examples[0] ?? ""}` }), { discard: true })
  return { units: result.units, limit: size }
})

interface Step {
  readonly record: StepRecord
  /** The times of a step that ends now. */
  readonly done: Effect.Effect<{ readonly status: "succeeded"; readonly finishedAt: DateTime.Utc; readonly durationMs: number }>
}

const stepOf = (work: Work, index: number, kind: StepRecord["kind"], why: string): Effect.Effect<Step> =>
  Effect.map(DateTime.now, (startedAt) => ({
    record: {
      runId: work.runId,
      index,
      asset: work.target.asset.name,
      status: "running",
      kind,
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
      why,
      codeVersion: work.target.asset.codeVersion,
      startedAt,
      finishedAt: undefined
    },
    done: Effect.map(DateTime.now, (finishedAt) => ({
      status: "succeeded",
      finishedAt,
      durationMs: DateTime.toEpochMillis(finishedAt) - DateTime.toEpochMillis(startedAt)
    }))
  }))

/** Tries by the asset's retry schedule; what fails for good is recorded as a failed step and becomes the asset's error. */
const attempt = <A, R>(
  work: Work,
  body: (attempts: number) => Effect.Effect<A, Reason, R>,
  step?: Step
): Effect.Effect<A, MaterializationError, R | Runs | Outbox> => {
  const { target: { asset } } = work
  let attempts = 0
  const once = Effect.suspend(() => {
    attempts += 1
    return body(attempts)
  }).pipe(
    Effect.mapError((reason) => new MaterializationError({ asset: asset.name, reason })),
    Effect.tapError((error) =>
      error.isRetryable ? tell({ _tag: "Retrying", asset: asset.name, attempt: attempts, message: error.reason.message }) : Effect.void)
  )
  return Effect.retry(once, { schedule: asset.policy.retry, while: (error) => error.isRetryable }).pipe(
    Effect.tapError((error) => recordFailure(work, error, attempts, step))
  )
}

const recordFailure = Effect.fnUntraced(function*(
  work: Work,
  error: MaterializationError,
  attempts: number,
  step: Step | undefined
): Effect.fn.Return<void, never, Runs | Outbox> {
  const runs = yield* Runs
  const outbox = yield* Outbox
  const { record } = step ?? (yield* stepOf(work, yield* work.nextIndex, "build", "looking up what is due"))
  const at = yield* DateTime.now
  const { asset, runId } = record
  yield* Effect.ignore(Effect.andThen(
    runs.record({
      ...record,
      status: "failed",
      attempts,
      error: error.reason.message,
      reason: error.reason._tag,
      finishedAt: at,
      durationMs: DateTime.toEpochMillis(at) - DateTime.toEpochMillis(record.startedAt)
    }),
    outbox.emit([
      error.reason._tag === "SchemaMismatch"
        ? { _tag: "SchemaMismatched", asset, runId, message: error.reason.message, at }
        : { _tag: "MaterializationFailed", asset, runId, reason: error.reason._tag, message: error.reason.message, at }
    ])
  ))
})

const skip = Effect.fnUntraced(function*(
  options: RunOptions,
  asset: Asset<string, unknown, never>,
  because: ReadonlyArray<AssetKey>,
  nextIndex: Effect.Effect<number>
): Effect.fn.Return<AssetOutcome, Reason, Runs> {
  const runs = yield* Runs
  const target: Target<never> = { asset, isNamed: false, partitions: undefined, isForced: false }
  const { record } = yield* stepOf({ ...options, target, nextIndex, tally: yield* Ref.make(emptyTally) }, yield* nextIndex, "build", "")
  const message = `skipped, because ${because.join(", ")} did not succeed`
  yield* runs.record({ ...record, status: "skipped", why: message, error: message, reason: "UpstreamFailed", finishedAt: record.startedAt })
  return { asset: asset.name, outcome: "skipped", ...emptyTally, durationMs: 0, error: undefined, because }
})

const errorOf = (result: RunResult): string | undefined => {
  const failed = result.outcomes.filter(({ outcome }) => outcome === "failed")
  return failed.length === 0 ? undefined : failed.map(({ error }) => error?.message ?? "failed").join("; ")
}
