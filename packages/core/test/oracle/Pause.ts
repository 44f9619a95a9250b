/**
 * A pause in a materialization, in which something else happens.
 */
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** Runs a materialization up to a point, does something else, and then lets it go on. */
export const meanwhile = Effect.fnUntraced(function* <A, B, E>(
  point: FaultPoint.Point,
  run: Effect.Effect<A, E>,
  work: Effect.Effect<B, E>
) {
  const paused = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(
    Effect.provideService(run, FaultPoint.FaultPoint, (passed) =>
      passed === point
        ? Effect.andThen(Deferred.succeed(paused, undefined), Effect.asVoid(Deferred.await(go)))
        : Effect.void
    )
  )
  yield* Deferred.await(paused)
  const done = yield* work
  yield* Deferred.succeed(go, undefined)
  return [yield* Fiber.join(fiber), done] as const
})
