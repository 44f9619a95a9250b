/**
 * One transaction for everything that must agree: rows, stale sets, records, outbox (L3). The transaction is ambient:
 * ledger and warehouse join it without knowing each other. In memory a transaction is a saved state that a failure
 * brings back; on PostgreSQL it is a transaction (`postgres/Postgres.ts`).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { AssetKey } from "./Asset.ts"
import type { Reason } from "./MaterializationError.ts"

/**
 * Runs effects in a transaction, and locks assets within it.
 *
 * @category services
 * @since 0.1.0
 */
export class Transactor extends Context.Service<
  Transactor,
  {
    /** Runs the effect in a transaction: all of its writes or none. Joins the caller's transaction when there is one. */
    readonly transact: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Reason, R>
    /** Runs the effect in a transaction and undoes it afterwards, whatever its outcome. */
    readonly rehearse: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Reason, R>
    /** Runs the effect on one snapshot of everything committed so far, and undoes what it wrote. */
    readonly snapshot: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Reason, R>
    /**
     * Holds assets until the transaction ends: `exclusive` against every other holder, `shared` against exclusive ones.
     * Waits for them, in the order given; the first statement of a step, so that what follows sees what others committed.
     */
    readonly lock: (locks: ReadonlyArray<Lock>) => Effect.Effect<void, Reason>
  }
>()("@assay/core/Transactor") {}

/**
 * A hold on an asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lock {
  readonly asset: AssetKey
  readonly mode: "exclusive" | "shared"
}

/**
 * State that memory layers keep, saved and brought back together by the memory transactor.
 *
 * @category services
 * @since 0.1.0
 */
export class MemoryStore extends Context.Service<
  MemoryStore,
  {
    /** A cell of state. Values put into it are never changed in place. */
    readonly cell: <A>(initial: A) => Cell<A>
    readonly save: () => () => void
  }
>()("@assay/core/Transactor/MemoryStore") {}

/**
 * A piece of state.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cell<A> {
  readonly get: () => A
  readonly set: (value: A) => void
}

/**
 * An empty memory store.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemoryStore: Layer.Layer<MemoryStore> = Layer.sync(MemoryStore, () => {
  const saves = new Set<() => () => void>()
  return MemoryStore.of({
    cell: (initial) => {
      let current = initial
      saves.add(() => {
        const saved = current
        return () => {
          current = saved
        }
      })
      return {
        get: () => current,
        set: (value) => {
          current = value
        }
      }
    },
    save: () => {
      const restores = Array.from(saves, (save) => save())
      return () => restores.forEach((restore) => restore())
    }
  })
})

/**
 * Transactions over the memory store, one at a time.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Transactor, never, MemoryStore> = Layer.effect(
  Transactor,
  Effect.gen(function* () {
    const store = yield* MemoryStore
    const one = Semaphore.makeUnsafe(1)
    const run = <A, E, R>(effect: Effect.Effect<A, E, R>, keep: (exit: Exit.Exit<A, E>) => boolean) =>
      Effect.flatMap(IsInTransaction, (isInTransaction) => {
        const saving = Effect.suspend(() => {
          const restore = store.save()
          return Effect.onExit(effect, (exit) => Effect.sync(() => (keep(exit) ? undefined : restore())))
        })
        return isInTransaction ? saving : one.withPermit(Effect.provideService(saving, IsInTransaction, true))
      })
    return Transactor.of({
      transact: (effect) => run(effect, Exit.isSuccess),
      rehearse: (effect) => run(effect, () => false),
      snapshot: (effect) => run(effect, () => false),
      lock: () => Effect.void
    })
  })
)

// --- internal ---

const IsInTransaction = Context.Reference<boolean>("@assay/core/Transactor/IsInTransaction", {
  defaultValue: () => false
})
