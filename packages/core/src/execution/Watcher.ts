/**
 * The daemon: looks when something was committed, when a schedule ticks, when a window comes to exist or a source may have
 * something new; evaluates the conditions; and carries out what they request as runs, beside each other. Several may
 * watch the same assets, and none is special: an evaluation and the requests that follow from it are one transaction,
 * which waits for the others', and what one has requested is in progress to all.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Asset, AssetKey } from "../Asset.ts"
import { isPartitioned } from "../Asset.ts"
import { type AssetGraph, edgesFrom } from "../AssetGraph.ts"
import { AutomationCursors, type Ending, type Question, type Reading } from "../ledger/AutomationCursors.ts"
import { type Notice, Outbox } from "../ledger/Outbox.ts"
import { Transient, type Reason } from "../MaterializationError.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as Automation from "../planning/Automation.ts"
import * as AutomationState from "../planning/AutomationState.ts"
import * as AutomationTurn from "../planning/AutomationTurn.ts"
import type { Delivery } from "../Source.ts"
import { type Lock, Transactor } from "../Transactor.ts"
import { whole } from "../Unit.ts"
import * as Gate from "./Gate.ts"
import * as Lander from "./Lander.ts"
import * as Resolution from "./Resolution.ts"
import * as Runner from "./Runner.ts"

/**
 * The services that a daemon uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Runner.Services | AutomationCursors

/**
 * What a daemon watches, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly graph: AssetGraph<never>
  /** The assets that it requests. */
  readonly assets: ReadonlySet<AssetKey>
  /** How often sources are asked whether they have something to deliver. */
  readonly poll: Duration.Duration
  /** Whether it ends as soon as nothing is requested and nothing is under way. */
  readonly isOnce: boolean
  /** How many assets of a run are worked on at once. */
  readonly concurrency: number
  readonly newRunId: Effect.Effect<string>
  readonly requestedBy: string
  readonly listen: (event: WatchEvent) => Effect.Effect<void>
}

/**
 * What a daemon tells.
 *
 * **Details**
 *
 * - `Requested`: a run begins; `follows` are the assets that go along because the run may make them due.
 * - `Finished`: a run has ended. `Broken`: it ended without a result, because the database could not be reached.
 * - `Held`: windows closed by their horizon are stale, and wait for somebody to ask. Told when they change.
 * - `Superseded`: other processes have taken assets over with another definition; they are left to these.
 * - `SourceFailed`: a source could not be asked what it has.
 * - `Unreachable`, `Reached`: the database is gone, and is back.
 * - `Stopping`: so many runs are finishing the transactions that they are in.
 *
 * @category models
 * @since 0.1.0
 */
export type WatchEvent =
  | { readonly _tag: "Watching"; readonly assets: number }
  | {
      readonly _tag: "Requested"
      readonly runId: string
      readonly requested: ReadonlyArray<AutomationTurn.Requested>
      readonly follows: ReadonlyArray<AssetKey>
    }
  | { readonly _tag: "Finished"; readonly result: Runner.RunResult; readonly durationMs: number }
  | { readonly _tag: "Broken"; readonly runId: string; readonly reason: Reason | undefined }
  | { readonly _tag: "Held"; readonly asset: AssetKey; readonly units: PartitionSet.PartitionSet }
  | { readonly _tag: "Superseded"; readonly assets: ReadonlyArray<AssetKey> }
  | { readonly _tag: "SourceFailed"; readonly asset: AssetKey; readonly reason: Reason }
  | { readonly _tag: "Unreachable"; readonly reason: Reason }
  | { readonly _tag: "Reached" }
  | { readonly _tag: "Stopping"; readonly runs: number }

/**
 * Watches until it is interrupted, or with `isOnce` until nothing is left to do. Interrupted, it lets the transactions
 * under way end, begins no new ones, and records its runs as cancelled.
 *
 * @category running
 * @since 0.1.0
 */
export const watch = Effect.fn("Watcher.watch")(function* (options: Options): Effect.fn.Return<void, Reason, Services> {
  yield* Effect.scoped(
    Effect.gen(function* () {
      const daemon = yield* start(options)
      yield* options.listen({ _tag: "Watching", assets: options.assets.size })
      yield* loop(daemon)
    })
  )
})

// --- internal ---

/** What wakes the daemon. */
type Message =
  | { readonly _tag: "Heard"; readonly notice: Notice }
  /** Notices may have been missed. */
  | { readonly _tag: "Attending" }
  | { readonly _tag: "Ended"; readonly runId: string; readonly endings: ReadonlyArray<Ending> }
  | { readonly _tag: "Woken" }

interface Daemon {
  /** Its graph has the keys that dynamic partitions had at the last look. */
  options: Options
  readonly watcher: string
  readonly gate: Gate.Gate
  readonly mailbox: Queue.Queue<Message>
  /** The runs under way, with the assets that take part. */
  readonly runs: Map<string, { readonly fiber: Fiber.Fiber<void>; readonly assets: ReadonlySet<AssetKey> }>
  readonly mind: Mind
}

/** What the daemon knows between two looks; all of it can be read again. */
interface Mind {
  known: Map<AssetKey, AutomationState.Known>
  /** What to ask again: units whose records may have changed, undefined for all. */
  dirty: Map<AssetKey, Set<string> | undefined>
  ended: Array<{ readonly runId: string; readonly endings: ReadonlyArray<Ending> }>
  deliveries: Map<AssetKey, ReadonlyArray<Delivery>>
  askedAt: number | undefined
  readAt: number
  held: Map<AssetKey, PartitionSet.PartitionSet>
  superseded: Set<AssetKey>
  isUnreachable: boolean
}

/** The hold of who evaluates. No asset has this name. */
const turn: Lock = { asset: " automation", mode: "exclusive" }

/** A run that has given no sign of life for so long is taken for dead, as the runner does. */
const silence = Duration.minutes(2)

/** Everything is read again so often, whatever was heard; timers beyond some weeks would not work either. */
const recheck = Duration.hours(1)

const start = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Daemon, never, Services | Scope.Scope> {
  const daemon: Daemon = {
    options,
    watcher: `${yield* options.newRunId}-${yield* Random.nextIntBetween(0, 0xffffff)}`,
    gate: yield* Gate.make,
    mailbox: yield* Queue.unbounded<Message>(),
    runs: new Map(),
    mind: {
      known: new Map(),
      dirty: new Map(),
      ended: [],
      deliveries: new Map(),
      askedAt: undefined,
      readAt: 0,
      held: new Map(),
      superseded: new Set(),
      isUnreachable: false
    }
  }
  yield* Effect.forkScoped(attend(daemon))
  // Runs end before the daemon stops being there: finalizers run last to first.
  yield* Effect.addFinalizer(() => stop(daemon))
  return daemon
})

/** Is there, and hears; after a lost connection again, and then nothing that was heard before counts. */
const attend = ({ mailbox, mind, options, watcher }: Daemon): Effect.Effect<never, never, Services> =>
  Effect.scoped(
    Effect.gen(function* () {
      const cursors = yield* AutomationCursors
      const outbox = yield* Outbox
      yield* cursors.attend(watcher)
      const notices = yield* outbox.listen
      yield* Queue.offer(mailbox, { _tag: "Attending" })
      yield* Stream.runForEach(notices, (notice) => Queue.offer(mailbox, { _tag: "Heard", notice }))
      return yield* new Transient({ message: "nothing is heard any more", code: undefined })
    })
  ).pipe(
    Effect.tapError((reason) => unreachable({ mind, options }, reason)),
    Effect.retry(patiently),
    Effect.catch(() => Effect.never)
  )

/** From a tenth of a second on, doubling to ten seconds; for ever. */
const patiently = Schedule.min([
  Schedule.exponential(Duration.millis(100)),
  Schedule.spaced(Duration.seconds(10))
]).pipe(Schedule.jittered)

const unreachable = ({ mind, options }: Pick<Daemon, "mind" | "options">, reason: Reason): Effect.Effect<void> => {
  if (mind.isUnreachable) return Effect.void
  mind.isUnreachable = true
  return options.listen({ _tag: "Unreachable", reason })
}

const loop = Effect.fnUntraced(function* (daemon: Daemon): Effect.fn.Return<void, Reason, Services> {
  const { mailbox, mind, options, runs } = daemon
  const next = (until: number) =>
    Effect.flatMap(DateTime.now, (now) =>
      Effect.raceFirst(
        Queue.takeAll(mailbox),
        Effect.as(Effect.sleep(Duration.millis(Math.max(1, until - DateTime.toEpochMillis(now)))), [
          { _tag: "Woken" } as const
        ])
      )
    )
  let messages: ReadonlyArray<Message> = yield* Queue.takeAll(mailbox)
  while (true) {
    for (const message of messages) absorb(daemon, message)
    const look = yield* lookAround(daemon).pipe(
      Effect.tapError((reason) => (reason.isRetryable ? unreachable(daemon, reason) : Effect.void)),
      Effect.retry({ schedule: patiently, while: (reason) => reason.isRetryable })
    )
    if (mind.isUnreachable) {
      mind.isUnreachable = false
      yield* options.listen({ _tag: "Reached" })
    }
    if (look.request !== undefined) yield* carryOut(daemon, look.request)
    else if (options.isOnce && runs.size === 0) return
    messages = yield* next(look.wakeAt)
    while (messages.every((message) => isOwnBusiness(daemon, message))) {
      for (const message of messages) absorb(daemon, message)
      messages = yield* next(look.wakeAt)
    }
  }
})

/**
 * Whether what was heard is a step of a run of this daemon that changes nothing for assets outside of its runs: the end
 * of the run is early enough to look. Without this a run of a thousand steps would be looked at a thousand times.
 */
const isOwnBusiness = (daemon: Daemon, message: Message): boolean => {
  if (message._tag !== "Heard" || message.notice.asset === undefined) return false
  const { asset } = message.notice
  return (
    isBusy(daemon, asset) &&
    readersOf(daemon.options.graph, asset).every(
      (reader) => isBusy(daemon, reader) || !isWatched(daemon.options, reader)
    )
  )
}

const isBusy = ({ runs }: Daemon, asset: AssetKey): boolean =>
  Array.from(runs.values()).some(({ assets }) => assets.has(asset))

const isWatched = ({ assets, graph }: Options, name: AssetKey): boolean =>
  assets.has(name) && graph.assets.get(name)?.policy.automation._tag !== "Never"

/** Takes in what was heard: which assets have to be looked at again, and which of their units. */
const absorb = (daemon: Daemon, message: Message): void => {
  const { mind, options, runs } = daemon
  switch (message._tag) {
    case "Woken":
      return
    case "Attending":
      return everything(daemon)
    case "Ended": {
      mind.ended.push({ runId: message.runId, endings: message.endings })
      runs.delete(message.runId)
      // What has come while a source was landed need not wait for the next time.
      for (const { asset } of message.endings) if (mind.deliveries.delete(asset)) mind.askedAt = undefined
      return
    }
    case "Heard": {
      const { asset: name, units } = message.notice
      if (name === undefined) return
      const asset = options.graph.assets.get(name)
      // Another graph on this ledger: what it marks of ours is not told.
      if (asset === undefined) return everything(daemon)
      soil(mind, name, units)
      for (const reader of readersOf(options.graph, name)) soil(mind, reader, [])
      // Landed by somebody else: what was found is out of date.
      if (asset.body._tag === "Source" && !isBusy(daemon, name)) mind.askedAt = undefined
    }
  }
}

const everything = ({ mind, options }: Daemon): void => {
  for (const name of options.graph.assets.keys()) mind.dirty.set(name, undefined)
  mind.readAt = 0
}

const soil = (mind: Mind, asset: AssetKey, units: ReadonlyArray<string> | undefined): void => {
  const known = mind.dirty.get(asset)
  if (units === undefined) mind.dirty.set(asset, undefined)
  else if (known !== undefined || !mind.dirty.has(asset)) mind.dirty.set(asset, new Set([...(known ?? []), ...units]))
}

/** The assets that a change of one marks: its readers, and the readers of the views among them. */
const readersOf = (graph: AssetGraph, name: AssetKey): ReadonlyArray<AssetKey> =>
  edgesFrom(graph, name).flatMap(({ downstream }) =>
    downstream.write._tag === "View" ? readersOf(graph, downstream.name) : [downstream.name]
  )

const groundOf = ({ mind: { deliveries, known }, options: { assets, graph } }: Daemon): AutomationTurn.Ground => ({
  assets,
  deliveries,
  graph,
  known
})

interface Look {
  readonly request: AutomationTurn.Request | undefined
  readonly wakeAt: number
}

/** One look: asks the sources, and in one transaction reads, evaluates, remembers and requests. */
const lookAround = Effect.fnUntraced(function* (daemon: Daemon): Effect.fn.Return<Look, Reason, Services> {
  const { mind, options } = daemon
  const transactor = yield* Transactor
  const runId = yield* options.newRunId
  if (DateTime.toEpochMillis(yield* DateTime.now) - mind.readAt > Duration.toMillis(recheck)) everything(daemon)
  yield* askSources(daemon)
  const looked = yield* transactor.transact(
    Effect.gen(function* () {
      yield* transactor.lock([turn])
      const at = yield* DateTime.now
      const cursors = yield* AutomationCursors
      for (const { endings, runId } of mind.ended) yield* cursors.end({ runId, endings })
      recut(daemon, yield* Resolution.current(daemon.options.graph))
      const questions = questionsOf(daemon)
      const reading = yield* cursors.read({
        watcher: daemon.watcher,
        questions,
        aliveSince: DateTime.subtractDuration(at, silence)
      })
      const seen = AutomationTurn.see(groundOf(daemon), { questions, reading, now: DateTime.toEpochMillis(at) })
      const dead = reading.pending.filter(({ asset, isAlive }) => !isAlive && options.assets.has(asset))
      yield* cursors.takeBack({
        runIds: Array.from(new Set(dead.map((pending) => pending.runId))),
        assets: dead.map(({ asset }) => asset),
        at
      })
      yield* cursors.remember({
        seen: reading.seen,
        assets: Array.from(seen.cursor.remembered).flatMap(([asset, memory]) =>
          seen.remembering.has(asset)
            ? [{ asset, definition: memory.definition, at, parts: AutomationState.encodeParts(memory) }]
            : []
        )
      })
      const request = AutomationTurn.decide(groundOf(daemon), seen, { runId, reading })
      if (request !== undefined) {
        yield* cursors.request({
          runId,
          watcher: daemon.watcher,
          at,
          assets: request.targets.map(({ asset, partitions }) => ({
            asset: asset.name,
            partitions: AutomationState.encodeSet(asset, partitions ?? PartitionSet.all(asset.partitions))
          }))
        })
      }
      return { seen, request, now: DateTime.toEpochMillis(at), foreign: reading.foreign }
    })
  )
  mind.known = new Map(Array.from(looked.seen.known, ([name, known]) => [name, AutomationState.evaluated(known)]))
  mind.dirty = new Map()
  mind.ended = []
  if (mind.readAt === 0) mind.readAt = looked.now
  yield* tellOf(daemon, looked.seen)
  return { request: looked.request, wakeAt: wakeAt(daemon, looked) }
})

/** Takes in the keys of now: of an asset whose definition they change, everything is learned anew. */
const recut = (daemon: Daemon, graph: AssetGraph<never>): void => {
  const { mind, options } = daemon
  if (graph === options.graph) return
  for (const [name, asset] of graph.assets) {
    if (options.graph.assets.get(name) === asset) continue
    mind.known.delete(name)
    mind.held.delete(name)
    mind.dirty.set(name, undefined)
  }
  daemon.options = { ...options, graph }
}

/** What a look is about: what was soiled since the last one, and what is remembered of the others. */
const questionsOf = ({ mind, options }: Daemon): ReadonlyArray<Question> => {
  const remembering = AutomationTurn.rememberingOf(options)
  return Array.from(options.graph.assets.values()).flatMap((asset) => {
    const { name } = asset
    if (asset.write._tag === "View") return []
    const isDirty = mind.dirty.has(name) || !mind.known.has(name)
    if (!isDirty && !remembering.has(name)) return []
    const dirty = mind.dirty.get(name)
    const units = !isDirty ? [] : dirty === undefined ? undefined : Array.from(dirty)
    return [{ asset: name, isPartitioned: isPartitioned(asset), units }]
  })
}

/** Asks the sources what they have, when it is time to: they do not say so by themselves. */
const askSources = Effect.fnUntraced(function* ({ mind, options }: Daemon): Effect.fn.Return<void, Reason, Services> {
  const now = DateTime.toEpochMillis(yield* DateTime.now)
  if (!isTimeToAsk(mind, options, now)) return
  for (const asset of sourcesOf(options)) {
    const from = Lander.sourceOf(asset)
    if (from === undefined) continue
    const found = yield* Effect.exit(Lander.discover(from))
    if (Exit.isSuccess(found)) mind.deliveries.set(asset.name, found.value)
    else {
      const reason = found.cause.reasons.find((part) => part._tag === "Fail")?.error
      if (reason === undefined) return yield* Effect.failCause(found.cause)
      mind.deliveries.delete(asset.name)
      yield* options.listen({ _tag: "SourceFailed", asset: asset.name, reason })
    }
  }
  mind.askedAt = now
})

const isTimeToAsk = ({ askedAt }: Mind, options: Options, now: number): boolean =>
  askedAt === undefined || now >= nextAsking(options, askedAt)

/** The next time of the poll, or the next tick of a source's own schedule. */
const nextAsking = (options: Options, askedAt: number): number =>
  Math.min(
    askedAt + Duration.toMillis(options.poll),
    ...sourcesOf(options).flatMap(({ policy }) => Automation.nextTick(policy.automation, askedAt) ?? [])
  )

const sourcesOf = ({ assets, graph }: Options): ReadonlyArray<Asset<string, unknown, never>> =>
  Array.from(graph.assets.values()).filter(
    ({ body, name, policy }) => body._tag === "Source" && assets.has(name) && policy.automation._tag !== "Never"
  )

const wakeAt = (
  { mind, options }: Daemon,
  {
    foreign,
    now,
    seen
  }: { readonly now: number; readonly seen: AutomationTurn.Seen; readonly foreign: Reading["foreign"] }
): number =>
  Math.min(
    now + Duration.toMillis(recheck),
    sourcesOf(options).length === 0 ? Number.POSITIVE_INFINITY : nextAsking(options, mind.askedAt ?? now),
    Automation.nextInstant(options.graph, now) ?? Number.POSITIVE_INFINITY,
    ...Array.from(seen.known.values()).flatMap((known) => AutomationState.retries(known, now)),
    // Nobody tells that a run or a daemon has died.
    ...foreign.map(({ heartbeatAt }) => DateTime.toEpochMillis(heartbeatAt) + Duration.toMillis(silence) + 1),
    ...(Array.from(seen.states.values()).some(({ inProgress }) => !PartitionSet.isEmpty(inProgress))
      ? [now + Duration.toMillis(options.poll)]
      : [])
  )

const tellOf = Effect.fnUntraced(function* ({ mind, options }: Daemon, { decisions, superseded }: AutomationTurn.Seen) {
  for (const { asset, held } of decisions) {
    const before = mind.held.get(asset) ?? PartitionSet.empty(held.partitions)
    mind.held.set(asset, held)
    if (!PartitionSet.isEmpty(held) && !PartitionSet.equals(before, held))
      yield* options.listen({ _tag: "Held", asset, units: held })
  }
  const news = Array.from(superseded).filter((name) => options.assets.has(name) && !mind.superseded.has(name))
  mind.superseded = new Set(superseded)
  if (news.length > 0) yield* options.listen({ _tag: "Superseded", assets: news })
})

/** Carries out a request beside whatever else is under way. */
const carryOut = Effect.fnUntraced(function* (
  { gate, mailbox, mind, options, runs }: Daemon,
  request: AutomationTurn.Request
): Effect.fn.Return<void, never, Services> {
  const { follows, requested, runId, targets } = request
  yield* options.listen({ _tag: "Requested", runId, requested, follows })
  const began = DateTime.toEpochMillis(yield* DateTime.now)
  const tries = triesOf(mind, request)
  const ended = (endings: ReadonlyArray<Ending>) =>
    Effect.asVoid(Queue.offer(mailbox, { _tag: "Ended", runId, endings }))
  const run = Runner.run({
    graph: options.graph,
    targets,
    // Asked again: another daemon may have landed what was found before this one had its turn. Now nobody else will.
    deliveries: new Map(),
    runId,
    partitions: undefined,
    requestedBy: options.requestedBy,
    why: requested.map(({ asset, because }) => `${asset}: ${because.join(", ")}`).join("; "),
    concurrency: options.concurrency
  }).pipe(
    Effect.provideService(Transactor, gate.transactor),
    Effect.matchEffect({
      onSuccess: (result) =>
        Effect.gen(function* () {
          const now = yield* DateTime.now
          const durationMs = DateTime.toEpochMillis(now) - began
          yield* options.listen({ _tag: "Finished", result, durationMs })
          yield* ended(result.outcomes.map((outcome) => endingOf(outcome, { request, tries, now })))
        }),
      onFailure: (reason) =>
        Effect.andThen(
          options.listen({ _tag: "Broken", runId, reason }),
          ended(targets.map(({ asset }) => ({ asset: asset.name, units: [], failures: [] })))
        )
    }),
    Effect.catchDefect(() =>
      Effect.andThen(
        options.listen({ _tag: "Broken", runId, reason: undefined }),
        ended(targets.map(({ asset }) => ({ asset: asset.name, units: [], failures: [] })))
      )
    ),
    Effect.asVoid
  )
  runs.set(runId, { fiber: yield* Effect.forkDetach(run), assets: new Set(targets.map(({ asset }) => asset.name)) })
})

/** How often each unit of a request was tried before as it is. */
const triesOf =
  ({ known }: Mind, { versions }: AutomationTurn.Request) =>
  (asset: AssetKey, unit: string): number => {
    const version = versions.get(asset)?.get(unit)
    return (
      known.get(asset)?.facts.failures.find((failure) => failure.unit === unit && failure.version === version)?.tries ??
      0
    )
  }

/**
 * What a run has tried in vain: a unit that it was to build and that failed, or that it found nothing to do for. An asset
 * that was skipped was not tried.
 */
const endingOf = (
  { asset, error, outcome }: Runner.AssetOutcome,
  {
    now,
    request,
    tries
  }: {
    readonly request: AutomationTurn.Request
    readonly tries: ReturnType<typeof triesOf>
    readonly now: DateTime.Utc
  }
): Ending => {
  const versions = Array.from(request.versions.get(asset) ?? [])
  return {
    asset,
    units: versions.length === 0 ? [whole] : versions.map(([unit]) => unit),
    failures:
      outcome !== "failed" && outcome !== "unchanged"
        ? []
        : versions.map(([unit, version]) => {
            const count = tries(asset, unit) + 1
            return {
              unit,
              version,
              isCheck: error?.reason._tag === "DataQuality" && error.reason.check !== undefined,
              tries: count,
              retryAt: error?.isRetryable === true ? DateTime.addDuration(now, pause(count)) : undefined
            }
          })
  }
}

/** What may help by itself is tried again after a minute, two, four and so on, up to an hour. */
const pause = (tries: number): Duration.Duration => Duration.minutes(Math.min(60, 2 ** Math.min(tries - 1, 6)))

/** Lets the transactions under way end, and nothing begin. What is requested and not finished stays requested. */
const stop = Effect.fnUntraced(function* ({
  gate,
  mailbox,
  options,
  runs
}: Daemon): Effect.fn.Return<void, never, Services> {
  if (runs.size > 0) {
    yield* options.listen({ _tag: "Stopping", runs: runs.size })
    yield* gate.close
    yield* Fiber.interruptAll(Array.from(runs.values(), ({ fiber }) => fiber))
  }
  const left = yield* Queue.clear(mailbox)
  const cursors = yield* AutomationCursors
  const transactor = yield* Transactor
  const finished = left.flatMap((message) => (message._tag === "Ended" ? [message] : []))
  if (finished.length === 0) return
  yield* Effect.ignore(transactor.transact(Effect.forEach(finished, (message) => cursors.end(message))))
})
