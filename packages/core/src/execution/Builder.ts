/**
 * Bringing one computed asset up to date: its stale units, a step's worth at a time, until nothing within the wanted
 * range is due.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import type { Asset, AssetKey } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { Materializations } from "../ledger/Materializations.ts"
import { type Selection, type StaleSet, StaleSets } from "../ledger/StaleSets.ts"
import type { MaterializationError, Reason } from "../MaterializationError.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as AssetStatus from "../planning/AssetStatus.ts"
import * as Plan from "../planning/Plan.ts"
import { Transactor } from "../Transactor.ts"
import { fromPartitions } from "../Unit.ts"
import * as Attempt from "./Attempt.ts"
import * as Materializer from "./Materializer.ts"
import { tell } from "./Progress.ts"
import * as Withdrawal from "./Withdrawal.ts"

/**
 * The services that building uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Materializer.Services | Attempt.Services

/**
 * Brings a computed asset up to date.
 *
 * @category running
 * @since 0.1.0
 */
export const build = Effect.fn("Builder.build")(function* (
  work: Attempt.Work
): Effect.fn.Return<void, MaterializationError, Services> {
  const { asset, partitions } = work.target
  const sized: Sized = { ...work, limit: yield* Ref.make(asset.policy.stepSize) }
  yield* partitions === undefined ? buildKeys(sized) : buildPartitions(sized, partitions)
})

/**
 * Turns the ranges of a partitioned asset into marks on its partitions: on those that exist, and on those that were
 * built, which may exist again. Yields what is stale of it, where there were none.
 *
 * @category steps
 * @since 0.1.0
 */
export const expand = Effect.fnUntraced(function* (
  graph: AssetGraph,
  asset: Asset
): Effect.fn.Return<ReadonlyMap<AssetKey, StaleSet> | undefined, Reason, Services> {
  const transactor = yield* Transactor
  const staleSets = yield* StaleSets
  const materializations = yield* Materializations
  const sets = yield* staleSets.get([asset.name])
  if ((sets.get(asset.name)?.ranges ?? []).length === 0) return sets
  const at = yield* DateTime.now
  yield* transactor.transact(
    Effect.gen(function* () {
      yield* transactor.lock(Materializer.locksOf(graph, asset))
      const [status] = yield* AssetStatus.read({ assets: [asset], now: at })
      const existing = status === undefined ? [] : PartitionSet.keys(status.existing)
      const units = new Set([...existing, ...(yield* materializations.units(asset.name))])
      yield* staleSets.expand({ asset: asset.name, units: Array.from(units), at })
    })
  )
})

// --- internal ---

interface Sized extends Attempt.Work {
  /** The most units of the next step: smaller once the server was out of resources. */
  readonly limit: Ref.Ref<number>
}

/**
 * Keyed and whole assets: everything where they are stale as a whole, then as many keys as were marked by then. Keys
 * that are marked meanwhile are left to the next run, or a busy source would never let this one end.
 */
const buildKeys = Effect.fnUntraced(function* (work: Sized): Effect.fn.Return<void, MaterializationError, Services> {
  const { asset, isForced } = work.target
  const transactor = yield* Transactor
  const staleSets = yield* StaleSets
  const planned = yield* planOf(work)
  if (planned === undefined) return
  yield* tell({ _tag: "AssetStarted", asset: asset.name, step: planned })
  const why = Plan.describe(planned)[0]
  if (planned.isWhole) {
    yield* Attempt.make(work, () => transactor.transact(staleSets.open(asset.name)))
    yield* buildStep(work, { selection: () => ({ _tag: "Whole", isForced }), left: 1, why })
    if (asset.write._tag === "Replace") return
  }
  let left = planned.isWhole ? ((yield* planOf(work))?.units ?? 0) : planned.units
  while (left > 0 && (yield* Attempt.goesOn(work))) {
    const units: number = yield* buildStep(work, { selection: (limit) => ({ _tag: "Some", limit }), left, why })
    left = units === 0 ? 0 : left - units
  }
})

/** Partitioned assets: first what is no partition any more, then the due partitions of the wanted range. */
const buildPartitions = Effect.fnUntraced(function* (
  work: Sized,
  wanted: PartitionSet.PartitionSet
): Effect.fn.Return<void, MaterializationError, Services> {
  const { asset } = work.target
  const sets = yield* Attempt.make(work, () => expand(work.graph, asset))
  const planned = yield* planOf(work, sets)
  yield* toldFresh(work, wanted, [planned?.partitions, planned?.waiting])
  if (planned?.partitions === undefined || Plan.isIdle(planned)) return
  yield* tell({ _tag: "AssetStarted", asset: asset.name, step: planned })
  const why = Plan.describe(planned)[0]
  if ((planned.withdrawn ?? []).length > 0) {
    yield* carryOut(work, {
      why: Partitions.dynamicNames(asset.partitions).length === 0 ? "its definition changed" : "keys were removed",
      lessen: Effect.succeed(false),
      step: (record) => Withdrawal.step({ graph: work.graph, asset, runId: work.runId, record })
    })
  }
  yield* buildRange(work, { wanted: PartitionSet.intersection(planned.partitions, wanted), why })
})

/** Some partitions, a step's worth at a time; what a tracker is told to have failed does not keep the others from it. */
const buildRange = Effect.fnUntraced(function* (
  work: Sized,
  { wanted, why }: { readonly wanted: PartitionSet.PartitionSet; readonly why: string }
): Effect.fn.Return<void, MaterializationError, Services> {
  const { tracker } = work
  const { isForced } = work.target
  const pieces: Array<Piece> = [{ partitions: wanted, isApart: false }]
  let failure: MaterializationError | undefined
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    const { isApart, partitions } = piece
    if (PartitionSet.isEmpty(partitions)) continue
    if (!(yield* Attempt.goesOn(work))) break
    const next = (limit: number) => PartitionSet.take(partitions, limit)
    const tried = yield* Effect.result(
      buildStep(work, {
        selection: (limit) => ({ _tag: "Units", units: fromPartitions(next(limit)), isForced }),
        left: PartitionSet.size(partitions),
        why: isApart ? `${why}; apart, because a larger step failed` : why,
        settled: (limit) => tracker?.built(next(limit)) ?? Effect.void
      })
    )
    const done = next(yield* Ref.get(work.limit))
    pieces.unshift({ partitions: PartitionSet.difference(partitions, done), isApart })
    if (Result.isSuccess(tried)) continue
    const error = tried.failure
    if (tracker === undefined || !(yield* isOfUnits(work, error))) return yield* error
    if (PartitionSet.size(done) > 1) pieces.unshift(...halvesOf(done))
    else {
      yield* Attempt.make(work, () => tracker.failed(done, error.reason))
      failure ??= error
    }
  }
  if (failure !== undefined) return yield* failure
})

/** Partitions that are still to be built; apart, where they were part of a step that failed. */
interface Piece {
  readonly partitions: PartitionSet.PartitionSet
  readonly isApart: boolean
}

const halvesOf = (partitions: PartitionSet.PartitionSet): ReadonlyArray<Piece> => {
  const first = PartitionSet.take(partitions, Math.ceil(PartitionSet.size(partitions) / 2))
  return [
    { partitions: first, isApart: true },
    { partitions: PartitionSet.difference(partitions, first), isApart: true }
  ]
}

/**
 * Whether a step may have failed for some of its units only. What may pass by itself was tried often enough; what is wrong
 * with a table, a query or this process is wrong for every unit.
 */
const isOfUnits = (
  { target: { asset } }: Sized,
  { isRetryable, reason }: MaterializationError
): Effect.Effect<boolean, never, StaleSets> => {
  if (isRetryable || reason._tag === "SchemaMismatch") return Effect.succeed(false)
  if (reason._tag === "DefinitionFault" && reason.code?.startsWith("42") === true) return Effect.succeed(false)
  return Effect.map(Effect.result(Materializer.refuseOtherCode(asset)), Result.isSuccess)
}

/** Tells a tracker, if there is one, of wanted partitions for which there is nothing to do. */
const toldFresh = Effect.fnUntraced(function* (
  work: Sized,
  wanted: PartitionSet.PartitionSet,
  due: ReadonlyArray<PartitionSet.PartitionSet | undefined>
): Effect.fn.Return<void, MaterializationError, Attempt.Services> {
  const { tracker } = work
  if (tracker === undefined) return
  const fresh = due.reduce<PartitionSet.PartitionSet>(
    (left, part) => (part === undefined ? left : PartitionSet.difference(left, part)),
    wanted
  )
  if (!PartitionSet.isEmpty(fresh)) yield* Attempt.make(work, () => tracker.built(fresh))
})

const planOf = Effect.fnUntraced(function* (
  work: Sized,
  sets?: ReadonlyMap<AssetKey, StaleSet>
): Effect.fn.Return<(Plan.PlanStep & { readonly _tag: "Build" }) | undefined, MaterializationError, Services> {
  const { target } = work
  const now = yield* DateTime.now
  const [status] = yield* Attempt.make(work, () => AssetStatus.read({ assets: [target.asset], now, sets }))
  if (status === undefined) return undefined
  const planned = Plan.step({ target, status, deliveries: [] }, { now: DateTime.toEpochMillis(now) })
  return planned?._tag === "Build" ? planned : undefined
})

/** The most units of the next step, where so many are left. */
const sizeOf = ({ limit }: Sized, left: number): Effect.Effect<number> =>
  Effect.map(Ref.get(limit), (most) => Math.min(most, left))

/**
 * Halves what the last attempt tried, and tells whether it could. A keyed asset that is rebuilt as a whole cannot be
 * halved: which keys it has is known only when all of it is computed.
 */
const halve = (work: Sized, left: number): Effect.Effect<boolean> =>
  Effect.flatMap(sizeOf(work, left), (size) =>
    size <= 1 ? Effect.succeed(false) : Effect.as(Ref.set(work.limit, Math.floor(size / 2)), true)
  )

/** One step with its attempts; yields the number of units it built. */
const buildStep = (
  work: Sized,
  options: {
    readonly selection: (limit: number) => Selection
    readonly left: number
    readonly why: string
    /** What is to be recorded beside the step: in its transaction, or without one where there was nothing to do. */
    readonly settled?: (limit: number) => Effect.Effect<void, Reason>
  }
): Effect.Effect<number, MaterializationError, Services> =>
  carryOut(work, {
    why: options.why,
    lessen: halve(work, options.left),
    step: Effect.fnUntraced(function* (record) {
      const { graph, runId, target } = work
      const limit = yield* Ref.get(work.limit)
      const settled = options.settled?.(limit) ?? Effect.void
      const result = yield* Materializer.step({
        graph,
        asset: target.asset,
        selection: options.selection(limit),
        runId,
        record: (done) => Effect.andThen(record(done), settled)
      })
      if (result === undefined) yield* settled
      return result
    })
  })

type Step = <E, R>(
  record: (result: Materializer.StepResult) => Effect.Effect<void, E, R>
) => Effect.Effect<Materializer.StepResult | undefined, Reason | E, Materializer.Services | R>

/** Tries a step, records it and tells what it did; yields its number of units. */
const carryOut = Effect.fnUntraced(function* (
  work: Sized,
  options: { readonly why: string; readonly lessen: Effect.Effect<boolean>; readonly step: Step }
): Effect.fn.Return<number, MaterializationError, Services> {
  const { asset } = work.target
  const step = yield* Attempt.begin(work, { kind: "build", why: options.why })
  const result = yield* Attempt.make(
    work,
    (attempts) =>
      Effect.flatMap(attempts === 1 ? Effect.succeed(false) : Attempt.recall(work, step), (isDone) =>
        isDone
          ? Effect.succeed(undefined)
          : options.step(({ units, written }) =>
              Attempt.record(step, Attempt.add(Attempt.nothing, { ...written, units }), {
                status: "succeeded",
                attempts
              })
            )
      ),
    { step, lessen: options.lessen }
  )
  if (result === undefined) return (yield* Ref.get(step.committed)).units
  yield* Ref.update(work.tally, (sum) => Attempt.add(sum, { ...result.written, steps: 1, units: result.units }))
  yield* tell({ _tag: "StepDone", asset: asset.name, units: result.units, written: result.written })
  for (const warning of result.warnings) {
    yield* tell({ _tag: "Warned", asset: asset.name, message: Materializer.describe(warning) })
  }
  return result.units
})
