/**
 * The backfills: what each is to build and how far it is, as sets. Several processes work on one backfill; each holds it
 * for the moment in which it decides, and changes the sets of an asset in the transaction that makes the change true. A
 * process is known to be there as long as it attends, so that what a dead one had under way is taken over at once.
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { AssetKey } from "../Asset.ts"
import * as Backfill from "../Backfill.ts"
import type { Reason } from "../MaterializationError.ts"
import { MemoryStore } from "../Transactor.ts"

/**
 * What the id of a backfill, or the beginning of one, leads to.
 *
 * @category models
 * @since 0.1.0
 */
export type Lookup =
  | { readonly _tag: "Found"; readonly backfill: Backfill.Backfill }
  | { readonly _tag: "NotFound" }
  | {
      readonly _tag: "Ambiguous"
      readonly count: number
      /** The first few of them. */
      readonly backfillIds: ReadonlyArray<string>
    }

/**
 * The most ids that an ambiguous lookup names.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxCandidates = 10

/**
 * A backfill that is held.
 *
 * @category models
 * @since 0.1.0
 */
export interface Held extends Backfill.Backfill {
  /** The processes that hold parts of it and are there no more. */
  readonly gone: ReadonlySet<string>
}

/**
 * The backfills.
 *
 * @category services
 * @since 0.1.0
 */
export class Backfills extends Context.Service<
  Backfills,
  {
    /** Records a new backfill. One that is recorded already stays as it is, so starting may be tried again. */
    readonly start: (backfill: Backfill.Backfill) => Effect.Effect<void, Reason>
    /** The latest backfills, newest first. */
    readonly list: (options: { readonly limit: number }) => Effect.Effect<ReadonlyArray<Backfill.Backfill>, Reason>
    /** A backfill by its id or by the beginning of it. */
    readonly get: (backfillId: string) => Effect.Effect<Lookup, Reason>
    /** The state of a backfill. */
    readonly status: (backfillId: string) => Effect.Effect<Option.Option<Backfill.BackfillStatus>, Reason>
    /** Makes a process known as there until the scope closes, it dies or its connection is lost. */
    readonly attend: (process: string) => Effect.Effect<void, Reason, Scope.Scope>
    /**
     * Holds a backfill and all of its parts until the transaction ends, and reads them with who of those that work on them
     * is gone. Waits for whoever holds it. `process` asks, and so is there.
     */
    readonly hold: (options: {
      readonly backfillId: string
      readonly process: string | undefined
    }) => Effect.Effect<Option.Option<Held>, Reason>
    /** Replaces parts that are held. */
    readonly put: (options: {
      readonly backfillId: string
      readonly parts: ReadonlyArray<Backfill.BackfillPart>
    }) => Effect.Effect<void, Reason>
    /** Changes one part, which is held until the transaction ends. */
    readonly alter: (options: {
      readonly backfillId: string
      readonly asset: AssetKey
      readonly change: (part: Backfill.BackfillPart) => Backfill.BackfillPart
    }) => Effect.Effect<void, Reason>
    /** Moves a backfill to its next state. False where it stays as it was. */
    readonly move: (options: {
      readonly backfillId: string
      readonly event: Backfill.BackfillEvent
      readonly at: DateTime.Utc
    }) => Effect.Effect<boolean, Reason>
    /** Gives a sign of life. */
    readonly beat: (options: { readonly backfillId: string; readonly at: DateTime.Utc }) => Effect.Effect<void, Reason>
    /** The parts of assets in which units are failed or downstream, of the latest backfills first. */
    readonly failed: (
      assets: ReadonlyArray<AssetKey>
    ) => Effect.Effect<ReadonlyMap<AssetKey, ReadonlyArray<Backfill.BackfillPart>>, Reason>
  }
>()("@assay/core/ledger/Backfills") {}

/**
 * Backfills in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Backfills, never, MemoryStore> = Layer.effect(
  Backfills,
  Effect.gen(function* () {
    const state = (yield* MemoryStore).cell<ReadonlyMap<string, Backfill.Backfill>>(new Map())
    const present = new Set<string>()
    const update = (backfillId: string, change: (backfill: Backfill.Backfill) => Backfill.Backfill): void => {
      const found = state.get().get(backfillId)
      if (found !== undefined) state.set(new Map(state.get()).set(backfillId, change(found)))
    }
    const newest = () =>
      Array.from(state.get().values()).toSorted(
        (a, b) =>
          DateTime.Order(b.record.startedAt, a.record.startedAt) || (a.record.backfillId < b.record.backfillId ? 1 : -1)
      )

    return Backfills.of({
      start: (backfill) =>
        Effect.sync(() => {
          const { backfillId } = backfill.record
          if (!state.get().has(backfillId)) state.set(new Map(state.get()).set(backfillId, backfill))
        }),
      list: ({ limit }) => Effect.sync(() => newest().slice(0, limit)),
      get: (backfillId) =>
        Effect.sync((): Lookup => {
          const exact = state.get().get(backfillId)
          const ids = exact === undefined ? idsWith(state.get().keys(), backfillId) : [backfillId]
          const [first] = ids
          const backfill = first === undefined ? undefined : state.get().get(first)
          if (backfill === undefined) return { _tag: "NotFound" }
          return ids.length === 1
            ? { _tag: "Found", backfill }
            : { _tag: "Ambiguous", count: ids.length, backfillIds: ids.slice(0, maxCandidates) }
        }),
      status: (backfillId) => Effect.sync(() => Option.fromUndefinedOr(state.get().get(backfillId)?.record.status)),
      attend: (process) =>
        Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => present.add(process)),
            () => Effect.sync(() => present.delete(process))
          )
        ),
      hold: ({ backfillId, process }) =>
        Effect.sync(() =>
          Option.map(Option.fromUndefinedOr(state.get().get(backfillId)), (backfill): Held => ({
            ...backfill,
            gone: new Set(holdersOf(backfill).filter((holder) => holder !== process && !present.has(holder)))
          }))
        ),
      put: ({ backfillId, parts }) =>
        Effect.sync(() =>
          update(backfillId, (backfill) => ({
            ...backfill,
            parts: backfill.parts.map((part) => parts.find(({ asset }) => asset === part.asset) ?? part)
          }))
        ),
      alter: ({ asset, backfillId, change }) =>
        Effect.sync(() =>
          update(backfillId, (backfill) => ({
            ...backfill,
            parts: backfill.parts.map((part) => (part.asset === asset ? change(part) : part))
          }))
        ),
      move: ({ at, backfillId, event }) =>
        Effect.sync(() => {
          const found = state.get().get(backfillId)
          const status = found === undefined ? "ignored" : Backfill.transition(found.record.status, event)
          if (status === "ignored") return false
          const finishedAt = status === "running" ? undefined : at
          update(backfillId, ({ parts, record }) => ({ parts, record: { ...record, status, finishedAt } }))
          return true
        }),
      beat: ({ at, backfillId }) =>
        Effect.sync(() =>
          update(backfillId, ({ parts, record }) => ({ parts, record: { ...record, heartbeatAt: at } }))
        ),
      failed: (assets) =>
        Effect.sync(
          () =>
            new Map(
              assets.map((asset) => [
                asset,
                newest().flatMap(({ parts }) =>
                  parts.filter((part) => part.asset === asset && part.failed.ranges.length > 0)
                )
              ])
            )
        )
    })
  })
)

/**
 * Who holds parts of a backfill, each once.
 *
 * @category getters
 * @since 0.1.0
 */
export const holdersOf = ({ parts }: Pick<Backfill.Backfill, "parts">): ReadonlyArray<string> =>
  Array.from(new Set(parts.flatMap(({ holder }) => (holder === undefined ? [] : [holder.process]))))

// --- internal ---

const idsWith = (ids: Iterable<string>, beginning: string): ReadonlyArray<string> =>
  Array.from(ids)
    .filter((id) => id.startsWith(beginning))
    .toSorted()
