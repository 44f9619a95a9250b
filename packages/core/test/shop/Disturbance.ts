/**
 * What goes wrong inside a compute of the shop: a service that the computes of `store_totals` call before they answer,
 * through which a test makes them fail, wait, or answer something else.
 */
import type { Reason } from "@assay/core/MaterializationError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"

export class Disturbance extends Context.Service<
  Disturbance,
  {
    /** Runs before the totals are computed. */
    readonly before: Effect.Effect<void, Reason>
    /** Added to every total: not part of the code, so that a change of it is a lie of the table. */
    readonly surcharge: Effect.Effect<number>
    readonly set: (before: Effect.Effect<void, Reason>) => Effect.Effect<void>
    readonly charge: (surcharge: number) => Effect.Effect<void>
  }
>()("@assay/core/test/shop/Disturbance") {}

/** Whether nothing goes wrong all the same: for looking at tables without disturbing anything. */
export const Calm = Context.Reference<boolean>("@assay/core/test/shop/Disturbance/Calm", { defaultValue: () => false })

/** Nothing goes wrong until a test says so. */
export const layer: Layer.Layer<Disturbance> = Layer.effect(
  Disturbance,
  Effect.gen(function* () {
    const before = yield* Ref.make<Effect.Effect<void, Reason>>(Effect.void)
    const surcharge = yield* Ref.make(0)
    return Disturbance.of({
      before: Effect.flatMap(Calm, (isCalm) => (isCalm ? Effect.void : Effect.flatten(Ref.get(before)))),
      surcharge: Ref.get(surcharge),
      set: (effect) => Ref.set(before, effect),
      charge: (amount) => Ref.set(surcharge, amount)
    })
  })
)

/** The same failure so many times, and never again. */
export const failing = (times: number, reason: Reason): Effect.Effect<Effect.Effect<void, Reason>> =>
  Effect.map(Ref.make(times), (left) =>
    Effect.flatMap(
      Ref.getAndUpdate(left, (count) => count - 1),
      (count) => (count > 0 ? Effect.fail(reason) : Effect.void)
    )
  )
