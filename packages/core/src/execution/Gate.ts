/**
 * A way to stop runs between transactions instead of within them: while the gate is open transactions pass; once it is
 * closed those under way end as they would have, and no further one begins. What is left undone stays stale (L3).
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { Transactor } from "../Transactor.ts"

/**
 * A gate.
 *
 * @category models
 * @since 0.1.0
 */
export interface Gate {
  /** The transactor for the runs that the gate is to stop. */
  readonly transactor: typeof Transactor.Service
  /**
   * Lets no further transaction begin and waits for those under way. Then it lets pass again, because whoever waits at
   * the gate is to be interrupted now, and records that in a transaction.
   */
  readonly close: Effect.Effect<void>
}

/**
 * An open gate before the transactor at hand.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<Gate, never, Transactor> = Effect.map(Transactor, (transactor) => {
  const quiet = Deferred.makeUnsafe<void>()
  let underWay = 0
  let isClosing = false
  const passing = <A, E, R>(transaction: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(IsInside, (isInside) =>
      isInside
        ? transaction
        : Effect.suspend(() => {
            if (isClosing) return Effect.never
            underWay += 1
            return Effect.ensuring(
              Effect.provideService(transaction, IsInside, true),
              Effect.suspend(() => {
                underWay -= 1
                return isClosing && underWay === 0 ? Deferred.succeed(quiet, undefined) : Effect.void
              })
            )
          })
    )
  return {
    transactor: Transactor.of({ ...transactor, transact: (effect) => passing(transactor.transact(effect)) }),
    close: Effect.gen(function* () {
      isClosing = true
      if (underWay > 0) yield* Deferred.await(quiet)
      isClosing = false
    })
  }
})

// --- internal ---

const IsInside = Context.Reference<boolean>("@assay/core/execution/Gate/IsInside", { defaultValue: () => false })
