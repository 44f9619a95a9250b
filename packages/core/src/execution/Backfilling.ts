/**
 * The door to backfills: chosen past partitions, written down once and carried out through any crash, by any number of
 * processes. Proposing reads, starting writes down, working builds.
 */
import * as Effect from "effect/Effect"
import type { AssetGraph, UnknownAsset } from "../AssetGraph.ts"
import * as AssetSelection from "../AssetSelection.ts"
import type { Backfill, Only } from "../Backfill.ts"
import { Backfills, type Lookup } from "../ledger/Backfills.ts"
import type { Reason } from "../MaterializationError.ts"
import type { InvalidPartitionRange } from "../PartitionSet.ts"
import * as Planning from "../planning/Backfill.ts"
import * as Request from "../planning/Request.ts"
import * as Attempt from "./Attempt.ts"
import * as Backfiller from "./Backfiller.ts"

/**
 * The services that backfills use.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Backfiller.Services

/**
 * What is to be backfilled: the partitions of a range, of the selected assets. What they are made of is part of it only
 * where it is selected too.
 *
 * @category models
 * @since 0.1.0
 */
export interface BackfillRequest extends Pick<Request.Request, "assets" | "select" | "partitions"> {
  /** Only units that are in one of these states now. Without it all are built, also the fresh ones. */
  readonly only?: ReadonlyArray<Only> | undefined
}

/**
 * A request that cannot be understood.
 *
 * @category errors
 * @since 0.1.0
 */
export type RequestError = UnknownAsset | AssetSelection.InvalidSelection | InvalidPartitionRange

/**
 * How a backfill is started.
 *
 * @category models
 * @since 0.1.0
 */
export interface StartOptions {
  /** The most runs at once, over all processes. Default 4. */
  readonly maxConcurrent?: number | undefined
  readonly requestedBy?: string | undefined
  readonly why?: string | undefined
}

/**
 * How a process works on a backfill.
 *
 * @category models
 * @since 0.1.0
 */
export interface WorkOptions {
  readonly requestedBy?: string | undefined
  readonly listen?: ((notice: Backfiller.BackfillNotice) => Effect.Effect<void>) | undefined
}

/**
 * What can be done with backfills.
 *
 * @category models
 * @since 0.1.0
 */
export interface Backfilling {
  /** What a backfill would do. Writes nothing. */
  readonly propose: (request: BackfillRequest) => Effect.Effect<Backfiller.Proposal, RequestError | Reason>
  /** Writes a backfill down and yields its id; `work` builds it. */
  readonly start: (proposal: Backfiller.Proposal, options?: StartOptions) => Effect.Effect<string, Reason>
  /** Works on a backfill until it ends, beside other processes that do. Units that fail are in the result, not errors. */
  readonly work: (
    backfillId: string,
    options?: WorkOptions
  ) => Effect.Effect<Backfiller.Progress, Backfiller.UnknownBackfill | Reason>
  /** The latest backfills, newest first. */
  readonly list: (options: { readonly limit: number }) => Effect.Effect<ReadonlyArray<Backfill>, Reason>
  /** A backfill by its id or the beginning of it. */
  readonly get: (backfillId: string) => Effect.Effect<Lookup, Reason>
  /** The parts of a stored backfill, their sets read. */
  readonly parts: (backfill: Backfill) => Effect.Effect<Backfiller.Progress["parts"], Reason>
  /** Ends a backfill; steps under way end first. False where it had ended before. */
  readonly cancel: (backfillId: string) => Effect.Effect<boolean, Backfiller.UnknownBackfill | Reason>
  /** Goes on with a backfill; `work` builds it. False where nothing of it is left to be tried. */
  readonly resume: (backfillId: string) => Effect.Effect<boolean, Backfiller.UnknownBackfill | Reason>
  /** Has failed and downstream units tried again; `work` builds them. False where all of it is built. */
  readonly retry: (backfillId: string) => Effect.Effect<boolean, Backfiller.UnknownBackfill | Reason>
}

/**
 * The backfills of a graph.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <R>(options: {
  /** The graph as it is now. */
  readonly current: Effect.Effect<AssetGraph<never>, Reason, R>
  readonly registered: Effect.Effect<void, Reason, R>
  readonly targetsOf: (
    graph: AssetGraph<never>,
    request: Request.Request
  ) => Effect.Effect<ReadonlyArray<Request.Target<never>>, RequestError | Reason, R>
  readonly newId: Effect.Effect<string>
  readonly provide: <A, E>(effect: Effect.Effect<A, E, R | Services>) => Effect.Effect<A, E>
}): Backfilling => {
  const { current, newId, provide, registered, targetsOf } = options
  const move = (event: "cancel" | "resume" | "retry") => (backfillId: string) =>
    provide(Effect.flatMap(current, (graph) => Backfiller.move({ graph, backfillId, event })))
  return {
    propose: Effect.fn("Backfilling.propose")(function* (request: BackfillRequest) {
      const { only = [], partitions } = request
      const graph = yield* current
      const selection = AssetSelection.format(yield* Effect.fromResult(Request.selection(request, graph)))
      const targets = yield* targetsOf(graph, { ...request, upstream: false })
      return { assets: yield* Backfiller.propose({ targets, only }), only, partitions, selection }
    }, provide),

    start: Effect.fn("Backfilling.start")(function* (proposal: Backfiller.Proposal, options: StartOptions = {}) {
      const backfillId = yield* newId
      const { maxConcurrent = 4, requestedBy = "api", why = "requested" } = options
      yield* Attempt.insist(registered)
      yield* Backfiller.start({ proposal, backfillId, maxConcurrent, requestedBy, why })
      return backfillId
    }, provide),

    work: Effect.fn("Backfilling.work")(function* (backfillId: string, options: WorkOptions = {}) {
      const { listen = () => Effect.void, requestedBy = "api" } = options
      yield* Attempt.insist(registered)
      const graph = yield* Attempt.insist(current)
      return yield* Backfiller.work({ graph, backfillId, requestedBy, newId, listen })
    }, provide),

    list: (options) => provide(Effect.flatMap(Backfills, (backfills) => backfills.list(options))),
    get: (backfillId) => provide(Effect.flatMap(Backfills, (backfills) => backfills.get(backfillId))),
    parts: ({ parts }) =>
      provide(Effect.flatMap(current, (graph) => Effect.fromResult(Planning.decodeAll(parts, graph)))),
    cancel: move("cancel"),
    resume: move("resume"),
    retry: move("retry")
  }
}
