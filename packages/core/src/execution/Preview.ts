/**
 * The plan before anything is written. What new rows will make stale cannot be known without landing them, so where
 * they are few the work is rehearsed: landed and built as in a run, in one transaction that is undone. Where they are
 * many, or everything is due anyway, the plan says which assets follow.
 */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { AssetKey } from "../Asset.ts"
import { type AssetGraph, edgesFrom } from "../AssetGraph.ts"
import { StaleSets } from "../ledger/StaleSets.ts"
import { type Reason, SchemaMismatch } from "../MaterializationError.ts"
import * as AssetStatus from "../planning/AssetStatus.ts"
import * as Plan from "../planning/Plan.ts"
import type { Target } from "../planning/Request.ts"
import { Transactor } from "../Transactor.ts"
import { fromPartitions } from "../Unit.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import * as Builder from "./Builder.ts"
import * as Lander from "./Lander.ts"
import * as Materializer from "./Materializer.ts"
import * as Registration from "./Registration.ts"
import * as Resolution from "./Resolution.ts"
import * as Withdrawal from "./Withdrawal.ts"

/**
 * The services that a rehearsal uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Lander.Services | Builder.Services

/**
 * What is known of some targets as things stand, and the plan that follows, without rehearsing anything.
 *
 * @category models
 * @since 0.1.0
 */
export interface Survey {
  readonly plan: Plan.Plan
  readonly findings: ReadonlyArray<Plan.Finding<never>>
  /** The sources that could not be asked what there is to land; their findings say nothing. */
  readonly unasked: ReadonlyMap<AssetKey, Reason>
}

/**
 * Looks at some targets as things stand. A source that cannot be asked keeps nobody from the others.
 *
 * @category plans
 * @since 0.1.0
 */
export const survey = Effect.fn("Preview.survey")(function* (
  targets: ReadonlyArray<Target<never>>
): Effect.fn.Return<Survey, Reason, Lander.Services> {
  const now = yield* DateTime.now
  const statuses = yield* AssetStatus.read({ assets: targets.map(({ asset }) => asset), now })
  const findings: Array<Plan.Finding<never>> = []
  const unasked = new Map<AssetKey, Reason>()
  for (const [index, status] of statuses.entries()) {
    const target = targets[index]
    if (target === undefined) continue
    const from = Lander.sourceOf(status.asset)
    const deliveries = from === undefined ? Result.succeed([]) : yield* Effect.result(Lander.discover(from))
    if (Result.isFailure(deliveries)) unasked.set(status.asset.name, deliveries.failure)
    findings.push({ target, status, deliveries: Result.getOrElse(deliveries, () => []) })
  }
  return { findings, unasked, plan: Plan.make(findings, { now: DateTime.toEpochMillis(now), isRehearsed: false }) }
})

/**
 * The plan for some targets, rehearsed where that is cheap. Where the rehearsal fails, as the run will, the plan is the
 * one without it.
 *
 * @category plans
 * @since 0.1.0
 */
export const plan = Effect.fn("Preview.plan")(function* (options: {
  readonly graph: AssetGraph<never>
  readonly targets: ReadonlyArray<Target<never>>
}): Effect.fn.Return<Plan.Plan, Reason, Services> {
  const surveyed = yield* survey(options.targets)
  const [reason] = surveyed.unasked.values()
  if (reason !== undefined) return yield* reason
  if (Plan.isEmpty(surveyed.plan)) return surveyed.plan
  if (!isCheap(surveyed.findings, options)) return { ...surveyed.plan, reason: yield* glance(surveyed.findings) }
  const transactor = yield* Transactor
  return yield* transactor.rehearse(rehearsal(options)).pipe(
    Effect.catch((reason) => Effect.succeed(willFailAgain(reason) ? { ...surveyed.plan, reason } : surveyed.plan)),
    Effect.catchCause((cause) => (Cause.hasInterrupts(cause) ? Effect.failCause(cause) : Effect.succeed(surveyed.plan)))
  )
})

// --- internal ---

/** What lies in the data or the definition meets the run, too; what passes by itself need not. */
const willFailAgain = ({ _tag }: Reason): boolean =>
  _tag === "SchemaMismatch" || _tag === "DataQuality" || _tag === "DefinitionFault"

/** Above these a rehearsal would cost about what the run itself costs. */
const manyBytes = 4 * 1024 * 1024
const manyUnits = 20_000

/** Of more deliveries the first ones tell enough; reading the beginning of one takes about a millisecond. */
const mostGlances = 100

/** Whether what there is to land can be read, as far as its beginnings tell: a file may lack a required column. */
const glance = Effect.fnUntraced(function* (findings: ReadonlyArray<Plan.Finding<never>>) {
  for (const { deliveries, target } of findings) {
    const from = Lander.sourceOf(target.asset)
    if (from === undefined) continue
    for (const delivery of deliveries.slice(0, mostGlances)) {
      const read = yield* Effect.result(Stream.runHead(from.source.read(delivery)))
      if (Result.isFailure(read) && read.failure.kind === "SchemaMismatch")
        return new SchemaMismatch({ message: read.failure.message })
    }
  }
  return undefined
})

const isCheap = (
  findings: ReadonlyArray<Plan.Finding>,
  options: { readonly graph: AssetGraph<never>; readonly targets: ReadonlyArray<Target<never>> }
): boolean =>
  findings.every(({ deliveries, status, target: { asset, isForced } }) => {
    const isWhole =
      asset.body._tag === "Compute" &&
      asset.write._tag !== "View" &&
      (status.whole !== undefined || !status.isBuilt || isForced)
    return (
      deliveries.reduce((sum, { bytes }) => sum + (bytes ?? Number.POSITIVE_INFINITY), 0) <= manyBytes &&
      AssetStatus.staleCount(status) <= manyUnits &&
      !(isWhole && feedsAny(options, asset.name))
    )
  })

/** Whether an asset is upstream of another one that takes part. */
const feedsAny = (
  { graph, targets }: { readonly graph: AssetGraph<never>; readonly targets: ReadonlyArray<Target<never>> },
  name: AssetKey
): boolean =>
  edgesFrom(graph, name).some(({ downstream }) => targets.some(({ asset }) => asset.name === downstream.name))

/** How many of the partitions that are due a step would bring up to date by adding a difference. */
const differencesOf = Effect.fnUntraced(function* (
  finding: Plan.Finding<never>,
  now: DateTime.Utc
): Effect.fn.Return<number, Reason, Services> {
  const { asset } = finding.target
  const planned = Plan.step(finding, { now: DateTime.toEpochMillis(now) })
  if (planned?._tag !== "Build" || planned.partitions === undefined || planned.isForced) return 0
  const staleSets = yield* StaleSets
  const warehouse = yield* Warehouse
  const { logged } = yield* staleSets.pick({
    asset: asset.name,
    selection: { _tag: "Units", units: fromPartitions(planned.partitions), isForced: false }
  })
  const isCheaper = logged.size > 0 && (yield* warehouse.isByDifference({ asset, partitions: logged.size, at: now }))
  return isCheaper ? logged.size : 0
})

const rehearsal = Effect.fnUntraced(function* (options: {
  readonly graph: AssetGraph<never>
  readonly targets: ReadonlyArray<Target<never>>
}): Effect.fn.Return<Plan.Plan, Reason, Services> {
  const now = yield* DateTime.now
  const millis = DateTime.toEpochMillis(now)
  // All at once, because it makes many steps in one transaction: one after the other would not be in order.
  const transactor = yield* Transactor
  yield* transactor.lock(
    Materializer.inOrder([
      Registration.tables,
      ...options.targets.flatMap(({ asset }) => [
        ...Materializer.locksOf(options.graph, asset),
        ...Resolution.locksOf(options.graph, asset)
      ])
    ])
  )
  yield* Registration.prepare(options.graph)
  yield* Registration.register(options.graph)
  const findings: Array<Plan.Finding<never>> = []
  for (const target of options.targets) {
    const { asset } = target
    const from = Lander.sourceOf(asset)
    const deliveries = from === undefined ? [] : yield* Lander.discover(from)
    if (target.partitions !== undefined) yield* Builder.expand(options.graph, asset)
    const [status] = yield* AssetStatus.read({ assets: [asset], now })
    if (status === undefined) continue
    const finding = { target, status, deliveries }
    if (!feedsAny(options, asset.name)) {
      findings.push({ ...finding, differences: yield* differencesOf(finding, now) })
      continue
    }
    let rows = 0
    let differences = 0
    if (from !== undefined) {
      for (const delivery of deliveries) {
        yield* Lander.land({
          graph: options.graph,
          from,
          delivery,
          runId: rehearsalRun,
          batchId: rehearsalRun,
          record: () => Effect.void,
          onBatch: ({ inserted }) => Effect.sync(() => void (rows += inserted))
        })
      }
    } else {
      const planned = Plan.step(finding, { now: millis })
      if (status.withdrawn.length > 0) {
        const record = () => Effect.void
        const gone = yield* Withdrawal.step({ graph: options.graph, asset, runId: rehearsalRun, record })
        rows += gone?.written.deleted ?? 0
      }
      if (planned?._tag === "Build") {
        const step = yield* Materializer.step({
          graph: options.graph,
          asset,
          selection:
            planned.partitions !== undefined
              ? { _tag: "Units", units: fromPartitions(planned.partitions), isForced: planned.isForced }
              : planned.isWhole
                ? { _tag: "Whole", isForced: planned.isForced }
                : { _tag: "Some", limit: manyUnits },
          runId: rehearsalRun,
          record: () => Effect.void
        })
        if (step !== undefined) {
          rows += step.written.inserted + step.written.updated + step.written.deleted
          differences += step.written.differences ?? 0
        }
      }
    }
    findings.push({ ...finding, rows, differences })
  }
  return Plan.make(findings, { now: millis, isRehearsed: true })
})

const rehearsalRun = "rehearsal"
