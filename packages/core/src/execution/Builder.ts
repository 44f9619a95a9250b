/**
 * Bringing one computed asset up to date: its stale units, a step's worth at a time, until nothing within the wanted
 * range is due.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { Asset } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { Materializations } from "../ledger/Materializations.ts"
import { type Selection, StaleSets } from "../ledger/StaleSets.ts"
import type { MaterializationError, Reason } from "../MaterializationError.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as AssetStatus from "../planning/AssetStatus.ts"
import * as Plan from "../planning/Plan.ts"
import { Transactor } from "../Transactor.ts"
import { fromPartitions } from "../Unit.ts"
import * as Attempt from "./Attempt.ts"
import * as Materializer from "./Materializer.ts"
import { tell } from "./Progress.ts"

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
 * built, which may exist again.
 *
 * @category steps
 * @since 0.1.0
 */
export const expand = Effect.fnUntraced(function* (
  graph: AssetGraph,
  asset: Asset
): Effect.fn.Return<void, Reason, Services> {
  const transactor = yield* Transactor
  const staleSets = yield* StaleSets
  const materializations = yield* Materializations
  const ranges = (yield* staleSets.get([asset.name])).get(asset.name)?.ranges ?? []
  if (ranges.length === 0) return
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
    yield* buildStep(work, () => ({ _tag: "Whole", isForced }), why)
    if (asset.write._tag === "Replace") return
  }
  let left = planned.isWhole ? ((yield* planOf(work))?.units ?? 0) : planned.units
  while (left > 0) {
    const units = yield* buildStep(work, (limit) => ({ _tag: "Some", limit }), why)
    left = units === 0 ? 0 : left - units
  }
})

/** Partitioned assets: the due partitions of the wanted range. */
const buildPartitions = Effect.fnUntraced(function* (
  work: Sized,
  wanted: PartitionSet.PartitionSet
): Effect.fn.Return<void, MaterializationError, Services> {
  const { asset, isForced } = work.target
  yield* Attempt.make(work, () => expand(work.graph, asset))
  const planned = yield* planOf(work)
  if (planned?.partitions === undefined || PartitionSet.isEmpty(planned.partitions)) return
  yield* tell({ _tag: "AssetStarted", asset: asset.name, step: planned })
  const why = Plan.describe(planned)[0]
  let left = PartitionSet.intersection(planned.partitions, wanted)
  while (!PartitionSet.isEmpty(left)) {
    const next = (limit: number) => PartitionSet.take(left, limit)
    yield* buildStep(work, (limit) => ({ _tag: "Units", units: fromPartitions(next(limit)), isForced }), why)
    left = PartitionSet.difference(left, next(yield* Ref.get(work.limit)))
  }
})

const planOf = Effect.fnUntraced(function* (
  work: Sized
): Effect.fn.Return<(Plan.PlanStep & { readonly _tag: "Build" }) | undefined, MaterializationError, Services> {
  const { target } = work
  const now = yield* DateTime.now
  const [status] = yield* Attempt.make(work, () => AssetStatus.read({ assets: [target.asset], now }))
  if (status === undefined) return undefined
  const planned = Plan.step({ target, status, deliveries: [] }, { now: DateTime.toEpochMillis(now) })
  return planned?._tag === "Build" ? planned : undefined
})

/** One step with its attempts; yields the number of units it built. */
const buildStep = Effect.fnUntraced(function* (
  work: Sized,
  selection: (limit: number) => Selection,
  why: string
): Effect.fn.Return<number, MaterializationError, Services> {
  const { graph, limit, runId, tally } = work
  const { asset } = work.target
  const step = yield* Attempt.begin(work, { kind: "build", why })
  const halve = Ref.update(limit, (size) => Math.max(1, Math.floor(size / 2)))
  const result = yield* Attempt.make(
    work,
    (attempts) =>
      Effect.gen(function* () {
        return yield* Materializer.step({
          graph,
          asset,
          selection: selection(yield* Ref.get(limit)),
          runId,
          record: ({ units, written }) =>
            Attempt.record(step, Attempt.add(Attempt.nothing, { ...written, units }), { status: "succeeded", attempts })
        })
      }).pipe(Effect.tapError((reason) => (reason._tag === "ResourceExhausted" ? halve : Effect.void))),
    step
  )
  if (result === undefined) return 0
  yield* Ref.update(tally, (sum) => Attempt.add(sum, { ...result.written, steps: 1, units: result.units }))
  yield* tell({ _tag: "StepDone", asset: asset.name, units: result.units, written: result.written })
  for (const warning of result.warnings) {
    yield* tell({ _tag: "Warned", asset: asset.name, message: Materializer.describe(warning) })
  }
  return result.units
})
