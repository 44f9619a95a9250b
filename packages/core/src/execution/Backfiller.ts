/**
 * Carrying out backfills: what is to be requested is decided and written down in a short transaction that holds the
 * backfill, and each request is a run, beside the others. Several processes may work on one backfill and none is special;
 * what one of them had under way when it died is taken over by whoever looks next.
 */
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AssetKey } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import type { BackfillEvent, BackfillPart, BackfillStatus, Only } from "../Backfill.ts"
import { Backfills } from "../ledger/Backfills.ts"
import { Outbox } from "../ledger/Outbox.ts"
import { abandonedError, Runs } from "../ledger/Runs.ts"
import { DefinitionFault, type Reason, Transient } from "../MaterializationError.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as AssetStatus from "../planning/AssetStatus.ts"
import * as Backfill from "../planning/Backfill.ts"
import type { Target } from "../planning/Request.ts"
import { Transactor } from "../Transactor.ts"
import * as Attempt from "./Attempt.ts"
import * as Runner from "./Runner.ts"

/**
 * The services that a backfill uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Runner.Services | Backfills

/**
 * An id that no backfill has.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownBackfill extends Schema.TaggedError<UnknownBackfill>("@assay/core/execution/UnknownBackfill")(
  "UnknownBackfill",
  { backfillId: Schema.String }
) {
  override get message(): string {
    return `there is no backfill ${JSON.stringify(this.backfillId)}`
  }
}

/**
 * A backfill that is thought of: what it would do to each asset, upstream before downstream.
 *
 * @category models
 * @since 0.1.0
 */
export interface Proposal {
  readonly assets: ReadonlyArray<Backfill.Proposed<never>>
  readonly only: ReadonlyArray<Only>
  readonly partitions: string | undefined
  readonly selection: string
}

/**
 * A backfill as it stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  readonly backfillId: string
  readonly status: BackfillStatus
  readonly parts: ReadonlyArray<Backfill.Part<never>>
}

/**
 * What is told while a backfill is worked on.
 *
 * **Details**
 *
 * - `Progressed`: how far it is, whoever did it.
 * - `Requested`: a run begins, of this process.
 * - `Failed`: units of an asset cannot be built.
 *
 * @category models
 * @since 0.1.0
 */
export type BackfillNotice =
  | { readonly _tag: "Progressed"; readonly progress: Progress }
  | {
      readonly _tag: "Requested"
      readonly runId: string
      readonly asset: AssetKey
      readonly units: PartitionSet.PartitionSet
    }
  | {
      readonly _tag: "Failed"
      readonly asset: AssetKey
      readonly units: PartitionSet.PartitionSet
      readonly reason: Reason
    }

/**
 * How to work on a backfill.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly graph: AssetGraph<never>
  readonly backfillId: string
  readonly requestedBy: string
  readonly newId: Effect.Effect<string>
  readonly listen: (notice: BackfillNotice) => Effect.Effect<void>
}

/**
 * What a backfill of these targets would do. Reads, and writes nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const propose = Effect.fn("Backfiller.propose")(function* (options: {
  readonly targets: ReadonlyArray<Target<never>>
  readonly only: ReadonlyArray<Only>
}): Effect.fn.Return<ReadonlyArray<Backfill.Proposed<never>>, Reason, Services> {
  const { only, targets } = options
  const at = yield* DateTime.now
  const runs = yield* Runs
  const backfills = yield* Backfills
  const names = targets.map(({ asset }) => asset.name)
  const statuses = yield* AssetStatus.read({ assets: targets.map(({ asset }) => asset), now: at })
  const asksFailed = only.includes("failed")
  const steps = yield* runs.lastOf(asksFailed ? names : [])
  const failed = yield* backfills.failed(asksFailed ? names : [])
  return statuses.flatMap((status) => {
    const { asset } = status
    const target = targets.find(({ asset: { name } }) => name === asset.name)
    const units = target?.partitions ?? PartitionSet.all(Backfill.cutOf(asset))
    const proposed = Backfill.propose(status, {
      units,
      only,
      lastStep: steps.get(asset.name),
      failed: failedOf(asset, failed.get(asset.name) ?? []),
      now: DateTime.toEpochMillis(at)
    })
    return proposed === undefined ? [] : [proposed]
  })
})

/**
 * Writes a backfill down; nothing is built yet.
 *
 * @category running
 * @since 0.1.0
 */
export const start = Effect.fn("Backfiller.start")(function* (options: {
  readonly proposal: Proposal
  readonly backfillId: string
  readonly maxConcurrent: number
  readonly requestedBy: string
  readonly why: string
}): Effect.fn.Return<void, Reason, Services> {
  const { backfillId, maxConcurrent, proposal, requestedBy, why } = options
  const backfills = yield* Backfills
  const transactor = yield* Transactor
  const at = yield* DateTime.now
  const { only, partitions, selection } = proposal
  yield* Attempt.insist(
    transactor.transact(
      backfills.start({
        record: {
          backfillId,
          status: "running",
          selection,
          partitions,
          only,
          maxConcurrent: Math.max(1, Math.floor(maxConcurrent)),
          requestedBy,
          why,
          startedAt: at,
          heartbeatAt: at,
          finishedAt: undefined
        },
        parts: Backfill.begin(proposal.assets).map(Backfill.encode)
      })
    )
  )
})

/**
 * Cancels a backfill, goes on with a cancelled one, or has what failed requested again. False where it stays as it was. No
 * run begins by this: somebody has to work on it.
 *
 * @category running
 * @since 0.1.0
 */
export const move = Effect.fn("Backfiller.move")(function* (options: {
  readonly graph: AssetGraph<never>
  readonly backfillId: string
  readonly event: Extract<BackfillEvent, "cancel" | "resume" | "retry">
}): Effect.fn.Return<boolean, Reason | UnknownBackfill, Services> {
  const { backfillId, event, graph } = options
  const backfills = yield* Backfills
  const transactor = yield* Transactor
  const change = Effect.gen(function* () {
    const held = yield* backfills.hold({ backfillId, process: undefined })
    if (Option.isNone(held)) return yield* new UnknownBackfill({ backfillId })
    const at = yield* DateTime.now
    const isMoved = yield* backfills.move({ backfillId, event, at })
    const parts = Backfill.decodeAll(held.value.parts, graph)
    // To be cancelled, a backfill need not be understood any more.
    if (Result.isFailure(parts) && event !== "cancel") return yield* parts.failure
    const freed = yield* freeing(
      Result.getOrElse(parts, () => []),
      held.value.gone,
      at
    )
    const isAgain = isMoved && event === "retry"
    yield* backfills.put({
      backfillId,
      parts: freed.map((part) => Backfill.encode(isAgain ? Backfill.retried(part) : part))
    })
    yield* ring(held.value.parts.map(({ asset }) => asset))
    return isMoved
  })
  return yield* transactor.transact(change)
})

/**
 * Works on a backfill until nothing of it is left to be done or it is cancelled; then the steps under way end first. Another
 * process may have done part of it, or all.
 *
 * @category running
 * @since 0.1.0
 */
export const work = Effect.fn("Backfiller.work")(function* (
  options: Options
): Effect.fn.Return<Progress, Reason | UnknownBackfill, Services> {
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const worker = yield* attend(options)
      while (true) {
        const looked = yield* Attempt.insist(look(worker))
        if (looked === undefined) return yield* new UnknownBackfill({ backfillId: options.backfillId })
        yield* options.listen({ _tag: "Progressed", progress: looked })
        for (const { runId, ...claim } of looked.claims) {
          yield* options.listen({ _tag: "Requested", runId, asset: claim.asset.name, units: claim.units })
          yield* carryOut(worker, { ...claim, runId, isForced: looked.isForced })
        }
        if (looked.status !== "running" && worker.running.size === 0) return looked
        yield* heard(worker)
      }
    })
  )
})

// --- internal ---

/** This process, as far as it works on one backfill. */
interface Worker {
  readonly options: Options
  /** The name under which it is known to be there. */
  readonly process: string
  readonly mailbox: Queue.Queue<Message>
  /** The runs under way here. */
  readonly running: Set<string>
  readonly scope: Scope.Scope
}

type Message =
  | { readonly _tag: "Heard" }
  | { readonly _tag: "Ended"; readonly runId: string; readonly exit: Exit.Exit<void, Reason> }

/** What nobody tells, such as a process that has died, is looked for so often. */
const recheck = Duration.seconds(5)

const heartbeat = Duration.seconds(15)

/** From a tenth of a second on, doubling to five seconds. */
const patiently = Schedule.min([Schedule.exponential(Duration.millis(100)), Schedule.spaced(recheck)])

const failedOf = (
  asset: Parameters<typeof Backfill.cutOf>[0],
  stored: ReadonlyArray<BackfillPart>
): PartitionSet.PartitionSet =>
  stored.reduce(
    (union, part) =>
      Result.match(Backfill.decode(part, asset), {
        // Cut otherwise by now: its units mean something else.
        onFailure: () => union,
        onSuccess: ({ failed }) => PartitionSet.union(union, failed)
      }),
    PartitionSet.empty(Backfill.cutOf(asset))
  )

/** Is there, gives signs of life, and hears what commits. */
const attend = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Worker, Reason | UnknownBackfill, Services | Scope.Scope> {
  const { backfillId } = options
  const backfills = yield* Backfills
  const outbox = yield* Outbox
  const found = yield* backfills.get(backfillId)
  if (found._tag !== "Found" || found.backfill.record.backfillId !== backfillId)
    return yield* new UnknownBackfill({ backfillId })
  const names = new Set(found.backfill.parts.map(({ asset }) => asset))
  const process = `${yield* options.newId}-${yield* Random.nextIntBetween(0, 0xffffff)}`
  const mailbox = yield* Queue.unbounded<Message>()
  const isThere = yield* Deferred.make<void>()
  const attending = Effect.gen(function* () {
    yield* backfills.attend(process)
    const notices = yield* outbox.listen
    yield* Deferred.succeed(isThere, undefined)
    yield* Stream.runForEach(notices, ({ asset }) =>
      asset !== undefined && names.has(asset) ? Queue.offer(mailbox, { _tag: "Heard" }) : Effect.void
    )
    return yield* new Transient({ message: "nothing is heard any more", code: undefined })
  })
  // A lost connection takes both with it, the name and the doorbell.
  yield* Effect.forkScoped(Effect.ignore(Effect.retry(Effect.scoped(attending), patiently)))
  yield* Deferred.await(isThere)
  yield* Effect.forkScoped(
    Effect.flatMap(DateTime.now, (at) => backfills.beat({ backfillId, at })).pipe(
      Effect.ignore,
      Effect.repeat(Schedule.spaced(heartbeat))
    )
  )
  return { options, process, mailbox, running: new Set(), scope: yield* Effect.scope }
})

/** Waits until something may have changed; fails where a run broke off because the ledger could not be reached. */
const heard = Effect.fnUntraced(function* ({ mailbox, running }: Worker): Effect.fn.Return<void, Reason> {
  const messages = yield* Effect.raceFirst(
    Queue.takeAll(mailbox),
    Effect.as(Effect.sleep(recheck), [{ _tag: "Heard" } as const])
  )
  for (const message of messages) {
    if (message._tag !== "Ended") continue
    running.delete(message.runId)
    yield* message.exit
  }
})

interface Look extends Progress {
  readonly isForced: boolean
  readonly claims: ReadonlyArray<Backfill.Claim<never> & { readonly runId: string }>
}

/** One look: takes back what dead processes had under way, decides, writes down what is requested, and ends what is done. */
const look = Effect.fnUntraced(function* ({
  options: { backfillId, graph, newId },
  process
}: Worker): Effect.fn.Return<Look | undefined, Reason, Services> {
  const backfills = yield* Backfills
  const transactor = yield* Transactor
  const looking = Effect.gen(function* () {
    const held = yield* backfills.hold({ backfillId, process })
    if (Option.isNone(held)) return undefined
    const { gone, record } = held.value
    const at = yield* DateTime.now
    const stored = yield* Effect.fromResult(Backfill.decodeAll(held.value.parts, graph))
    const parts = yield* freeing(stored, gone, at)
    const save = (next: ReadonlyArray<Backfill.Part<never>>) =>
      backfills.put({ backfillId, parts: next.filter((part, place) => part !== stored[place]).map(Backfill.encode) })
    const progress = { backfillId, isForced: record.only.length === 0, claims: [] }
    if (record.status !== "running") {
      yield* save(parts)
      return { ...progress, status: record.status, parts }
    }
    const now = DateTime.toEpochMillis(at)
    const decision = Backfill.decide(parts, { graph, maxConcurrent: record.maxConcurrent, now })
    const claims: Array<Look["claims"][number]> = []
    for (const claim of decision.claims) claims.push({ ...claim, runId: yield* newId })
    const next = parts.map((part) => {
      const decided = decision.parts.find(({ asset }) => asset.name === part.asset.name) ?? part
      const claim = claims.find(({ asset }) => asset.name === part.asset.name)
      return claim === undefined ? decided : { ...decided, holder: { runId: claim.runId, process } }
    })
    yield* save(next)
    // A run that has just done the last unit has still to let go of it.
    if (!Backfill.isDone(next) || next.some(({ holder }) => holder !== undefined))
      return { ...progress, claims, status: record.status, parts: next }
    const isFailed = next.some(({ failed }) => !PartitionSet.isEmpty(failed))
    yield* backfills.move({ backfillId, event: isFailed ? "fail" : "succeed", at })
    yield* ring(next.map(({ asset }) => asset.name))
    return { ...progress, status: isFailed ? ("failed" as const) : ("succeeded" as const), parts: next }
  })
  return yield* transactor.transact(looking)
})

/** Rings, when the transaction commits, for who works on the backfill and waits for others. */
const ring = (assets: ReadonlyArray<AssetKey>): Effect.Effect<void, Reason, Outbox> =>
  Effect.flatMap(Outbox, (outbox) => outbox.announce(assets.map((asset) => ({ asset, units: [] }))))

/** The parts of which no dead process has anything under way any more; its runs are recorded as cancelled. */
const freeing = Effect.fnUntraced(function* (
  parts: ReadonlyArray<Backfill.Part<never>>,
  gone: ReadonlySet<string>,
  at: DateTime.Utc
): Effect.fn.Return<ReadonlyArray<Backfill.Part<never>>, Reason, Runs> {
  const runs = yield* Runs
  return yield* Effect.forEach(parts, (part) =>
    part.holder === undefined || !gone.has(part.holder.process)
      ? Effect.succeed(part)
      : Effect.as(
          runs.finish({ runId: part.holder.runId, status: "cancelled", error: abandonedError, at }),
          Backfill.released(part)
        )
  )
})

interface Request extends Backfill.Claim<never> {
  readonly runId: string
  readonly isForced: boolean
}

/** Carries out a request beside whatever else is under way, and says when it has ended. */
const carryOut = Effect.fnUntraced(function* (
  worker: Worker,
  request: Request
): Effect.fn.Return<void, never, Services> {
  const { mailbox, running, scope } = worker
  const { runId } = request
  running.add(runId)
  yield* run(worker, request).pipe(
    Effect.onExit((exit) => Effect.asVoid(Queue.offer(mailbox, { _tag: "Ended", runId, exit }))),
    Effect.forkIn(scope)
  )
})

const run = Effect.fnUntraced(function* (
  { options }: Worker,
  { asset, isForced, runId, units }: Request
): Effect.fn.Return<void, Reason, Services> {
  const { backfillId, graph, listen } = options
  const backfills = yield* Backfills
  const transactor = yield* Transactor
  const isCut = asset.write._tag === "ReplacePartitions"
  const alter = (change: (part: Backfill.Part<never>) => Backfill.Part<never>) =>
    transactor.transact(
      backfills.alter({
        backfillId,
        asset: asset.name,
        // Read before in this process, and how a part is cut never changes.
        change: (part) => Backfill.encode(change(Result.getOrThrow(Backfill.decode(part, asset))))
      })
    )
  const isOwn = ({ holder }: Backfill.Part<never>) => holder?.runId === runId
  const failedBy = (units: PartitionSet.PartitionSet, { _tag: reason, message }: Reason) =>
    alter((part) => Backfill.failed(part, { units, reason, message }))
  const tell = (units: PartitionSet.PartitionSet, reason: Reason) =>
    listen({ _tag: "Failed", asset: asset.name, units, reason })
  const letGo = alter((part) => (isOwn(part) ? Backfill.released(part) : part))
  const wanted = Effect.map(backfills.status(backfillId), (status) => Option.contains(status, "running"))
  let isStopped = false
  const result = yield* Runner.run({
    graph,
    targets: [{ asset, isNamed: true, partitions: isCut ? units : undefined, isForced }],
    deliveries: new Map(),
    runId,
    partitions: isCut ? PartitionSet.format(units) : undefined,
    requestedBy: options.requestedBy,
    why: `backfill ${backfillId}`,
    concurrency: 1,
    tracker: {
      goesOn: Effect.map(wanted, (isWanted) => {
        isStopped ||= !isWanted
        return isWanted
      }),
      built: (built) => alter((part) => Backfill.built(part, built)),
      failed: (failed, reason) => Effect.andThen(failedBy(failed, reason), tell(failed, reason))
    }
  }).pipe(Effect.onInterrupt(() => Effect.ignore(letGo)))
  const error = result.outcomes.find((outcome) => outcome.asset === asset.name)?.error
  const reason = error?.reason ?? leftOut
  const ending = Effect.gen(function* () {
    if (error === undefined && !isCut && !isStopped) yield* alter((part) => Backfill.built(part, units))
    const rest = isStopped ? undefined : yield* undone({ backfillId, asset, runId })
    if (rest !== undefined) yield* failedBy(rest, reason)
    yield* letGo
    yield* ring([asset.name])
    return rest
  })
  const rest = yield* Attempt.insist(transactor.transact(ending))
  if (rest !== undefined && !PartitionSet.isEmpty(rest)) yield* tell(rest, reason)
})

/** What a run has neither built nor found to fail, although it was let go on to its end. */
const undone = Effect.fnUntraced(function* (options: {
  readonly backfillId: string
  readonly asset: Backfill.Claim<never>["asset"]
  readonly runId: string
}): Effect.fn.Return<PartitionSet.PartitionSet | undefined, Reason, Services> {
  const { asset, backfillId, runId } = options
  const backfills = yield* Backfills
  const found = yield* backfills.get(backfillId)
  const stored = found._tag === "Found" ? found.backfill.parts.find((part) => part.asset === asset.name) : undefined
  if (stored?.holder?.runId !== runId) return undefined
  return Backfill.underWay(yield* Effect.fromResult(Backfill.decode(stored, asset)))
})

/** Partitions that a run left alone, because they wait for upstream windows since the backfill began. */
const leftOut = new DefinitionFault({
  message: "it waits for upstream windows that do not exist",
  code: undefined
})
