import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerMemory } from "../shop/Storage.ts"
import * as Event from "./Event.ts"
import type { Act } from "./ShopSubject.ts"
import { shop } from "./ShopSubject.ts"
import type { Subject } from "./Subject.ts"
import * as Trial from "./Trial.ts"

/** The shop judged by a rule that is wrong: a store called west is left out of the totals. */
const misjudged: Subject<Act> = {
  ...shop,
  open: (random) =>
    Effect.map(shop.open(random), (world) => ({
      ...world,
      naive: {
        ...world.naive,
        store_totals: (table, now) =>
          (world.naive["store_totals"]?.(table, now) ?? []).filter(({ store }) => store !== "west")
      }
    }))
}

const options = { seed: 1, length: Trial.usualLength, verified: 0.5 }

const live = (trial: Trial.Trial, only: ReadonlyArray<number> | undefined) =>
  Effect.provide(trial.live({ ...options, only }), Layer.fresh(layerMemory))

describe("a history", () => {
  it("follows from its seed, each event from its place", () => {
    const events = Event.history(shop, 5, 30)
    assert.deepStrictEqual(events, Event.history(shop, 5, 30))
    assert.deepStrictEqual(events.slice(0, 7), Event.history(shop, 5, 7))
    assert.notDeepEqual(events, Event.history(shop, 6, 30))
  })

  it.effect("in which table and judgement differ is shrunk to the delivery that it takes", () =>
    Effect.gen(function* () {
      const trial = Trial.make(misjudged)
      const broken = yield* Effect.flip(live(trial, undefined))
      const failure = yield* Trial.shrink({ ...options, broken, attempts: 200, live: (only) => live(trial, only) })
      // The last drain, which every history ends with, builds what was delivered.
      assert.lengthOf(failure.only, 1)
      const report = Trial.report(failure, { graph: trial.name, isInMemory: true })
      assert.include(report, `pnpm soak --graph shop --seed 1 --events ${failure.only.join()} --memory`)
      assert.match(report, /store_totals.*west/)
      const again = yield* Effect.flip(live(trial, failure.only))
      assert.deepStrictEqual(again.message.split("\n")[0], failure.broken.message.split("\n")[0])
    })
  )
})
