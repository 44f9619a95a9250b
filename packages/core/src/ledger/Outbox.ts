/**
 * What happened and must be told outside: events written in the transaction that makes them true (L3), read in order,
 * and deleted when the reader has passed them on. A reader that dies before it acknowledges is told again, so every
 * event arrives at least once.
 *
 * An identity value is no place in this order. A transaction may take value 5 and commit after another one that took
 * value 6; a reader that has gone on to 6 by then never sees 5. On PostgreSQL each event therefore carries the id of
 * its transaction, and is read only when every transaction with that id or a lower one has ended; the order is by
 * transaction and, within it, by identity, and nothing can appear in it behind the reader any more. The price is that
 * a long transaction, of anyone on the server, delays what began after it.
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AssetKey } from "../Asset.ts"
import type { AssetEvent } from "../AssetEvent.ts"
import type { Reason } from "../MaterializationError.ts"
import { MemoryStore } from "../Transactor.ts"
import * as Retention from "./Retention.ts"

/**
 * An event with its place in the order.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutboxEntry {
  /** Has a meaning only to the outbox it came from; it is not to be compared. */
  readonly id: string
  readonly event: AssetEvent
}

/**
 * What an event changes for who decides what to do next: an asset, with the units that were rebuilt where they are few,
 * or only that a run has ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Notice {
  readonly asset: AssetKey | undefined
  readonly units: ReadonlyArray<string> | undefined
}

/**
 * The notice of an event; undefined where nothing changes that anybody would wait for.
 *
 * @category conversions
 * @since 0.1.0
 */
export const noticeOf = (event: AssetEvent): Notice | undefined => {
  switch (event._tag) {
    case "RunStarted":
      return undefined
    case "RunFinished":
      return { asset: undefined, units: undefined }
    case "Materialized":
      return { asset: event.asset, units: event.unitKeys.length === event.units ? event.unitKeys : undefined }
    default:
      return { asset: event.asset, units: [] }
  }
}

/**
 * The events that were not acknowledged yet.
 *
 * @category services
 * @since 0.1.0
 */
export class Outbox extends Context.Service<
  Outbox,
  {
    /** Appends events, in this order. */
    readonly emit: (events: ReadonlyArray<AssetEvent>) => Effect.Effect<void, Reason>
    /** The oldest events, or those behind the given one. */
    readonly read: (options: {
      readonly after?: string | undefined
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<OutboxEntry>, Reason>
    /** Deletes the events up to and with the given one. */
    readonly acknowledge: (options: { readonly upTo: string }) => Effect.Effect<void, Reason>
    /**
     * Deletes of the oldest events, or of those behind the given one, up to `limit` of which it looks at those that are
     * older than an instant, whether or not anybody was told of them; with `isCounted` it only counts.
     */
    readonly prune: (options: Retention.Batch) => Effect.Effect<Retention.Pruned, Reason>
    /** Tells listeners when the transaction commits, without an event. */
    readonly announce: (notices: ReadonlyArray<Notice>) => Effect.Effect<void, Reason>
    /**
     * What is announced or emitted by transactions that commit from now on, as it happens. A doorbell: it keeps nothing
     * for who is away, and fails when the connection is lost.
     */
    readonly listen: Effect.Effect<Stream.Stream<Notice, Reason>, Reason, Scope.Scope>
  }
>()("@assay/core/ledger/Outbox") {}

/**
 * An outbox in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Outbox, never, MemoryStore> = Layer.effect(
  Outbox,
  Effect.gen(function* () {
    const state = (yield* MemoryStore).cell<State>({ last: 0, entries: [] })
    const notices = yield* PubSub.unbounded<Notice>()
    // Rung before the commit; who listens reads in a transaction of its own, which waits for this one.
    const announce = (told: ReadonlyArray<Notice>) => Effect.asVoid(PubSub.publishAll(notices, told))

    return Outbox.of({
      emit: (events) =>
        Effect.suspend(() => {
          const { entries, last } = state.get()
          state.set({
            last: last + events.length,
            entries: [...entries, ...events.map((event, index) => ({ id: String(last + index + 1), event }))]
          })
          return announce(events.flatMap((event) => noticeOf(event) ?? []))
        }),
      read: ({ after, limit }) =>
        Effect.sync(() =>
          state
            .get()
            .entries.filter(({ id }) => after === undefined || Number(id) > Number(after))
            .slice(0, limit)
        ),
      acknowledge: ({ upTo }) =>
        Effect.sync(() => {
          const { entries, last } = state.get()
          state.set({ last, entries: entries.filter(({ id }) => Number(id) > Number(upTo)) })
        }),
      prune: (batch) =>
        Effect.sync(() => {
          const { entries, last } = state.get()
          const window = entries.filter(({ id }) => Number(id) > Number(batch.after ?? 0)).slice(0, batch.limit)
          const old = new Set(window.filter(({ event }) => DateTime.isLessThan(event.at, batch.before)))
          if (!batch.isCounted) state.set({ last, entries: entries.filter((entry) => !old.has(entry)) })
          // What follows is younger: events stand in the order in which they were committed.
          return { count: old.size, next: old.size === 0 ? undefined : Retention.next(batch, window) }
        }),
      announce,
      listen: Effect.map(PubSub.subscribe(notices), Stream.fromSubscription)
    })
  })
)

// --- internal ---

interface State {
  readonly last: number
  readonly entries: ReadonlyArray<OutboxEntry>
}
