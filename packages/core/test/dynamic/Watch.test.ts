import type * as Assay from "@assay/core/Assay"
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as References from "effect/References"
import * as Works from "../automation/Works.ts"
import { layerMemory } from "../shop/Storage.ts"
import { lies, order, parcel, rows } from "../shop/Trade.ts"
import { regions } from "./Regions.ts"

const opening = [
  order("1", "02-01", { amount: 100, store: "north" }),
  order("2", "02-02", { amount: 20, store: "east" })
]

/** Waits until an asset has these rows. */
const until = (assay: typeof Assay.Assay.Service, asset: string, expected: ReadonlyArray<ReadonlyArray<string>>) =>
  Effect.repeat(rows(assay, asset), { until: (found) => JSON.stringify(found) === JSON.stringify(expected) })

describe("a daemon and keys that come and go", () => {
  it.effect("is woken by a key that is added, and builds it and what follows", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* regions()
      yield* feed.deliver(parcel("opening", opening))
      const { next, told } = yield* Works.lookout(assay, { poll: "30 days" })
      yield* next("Finished")
      yield* assay.addPartitions("regions", ["north"])
      yield* until(assay, "signs", [["north", "north: 100"]])
      yield* assay.addPartitions("regions", ["east"])
      yield* until(assay, "shown_total", [["total", "120"]])
      yield* until(assay, "total", [["total", "120"]])
      yield* until(assay, "home", [
        ["east", "east: 20"],
        ["north", "north: 100"]
      ])
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      assert.isFalse(told.some(({ _tag }) => _tag === "Broken"))
    }).pipe(Effect.provide(layerMemory))
  )

  it.effect("takes back what was built of a key that is removed, once", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* regions()
      yield* assay.addPartitions("regions", ["north", "east"])
      yield* feed.deliver(parcel("opening", opening))
      yield* assay.watch({ once: true })
      yield* assay.removePartitions("regions", ["east"])
      const { fiber, told } = yield* Works.lookout(assay, { once: true })
      yield* Fiber.join(fiber)
      const requested = told.flatMap((event) => (event._tag === "Requested" ? event.requested : []))
      assert.deepStrictEqual(requested.map(({ asset, because }) => [asset, because]).slice(0, 3), [
        ["sales", ["keys were removed"]],
        ["signs", ["keys were removed"]],
        ["posters", ["keys were removed"]]
      ])
      assert.deepStrictEqual(yield* rows(assay, "signs"), [["north", "north: 100"]])
      assert.deepStrictEqual(yield* rows(assay, "shown_total"), [["total", "100"]])
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      const before = (yield* assay.runs({ limit: 20 })).length
      yield* assay.watch({ once: true })
      assert.strictEqual((yield* assay.runs({ limit: 20 })).length, before)
    }).pipe(Effect.provide(layerMemory))
  )

  it.effect("does not try for ever to take back what it cannot", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* regions()
      yield* assay.addPartitions("regions", ["north", "east"])
      yield* feed.deliver(parcel("opening", opening))
      yield* assay.watch({ once: true })
      yield* assay.removePartitions("regions", ["east"])
      const tries = yield* Ref.make(0)
      const broken = (point: FaultPoint.Point) =>
        point === "beforeWrite"
          ? Effect.andThen(
              Ref.update(tries, (count) => count + 1),
              Effect.die("it cannot be written")
            )
          : Effect.void
      yield* assay.watch({ once: true }).pipe(Effect.provideService(FaultPoint.FaultPoint, broken))
      assert.isAbove(yield* Ref.get(tries), 0)
      assert.deepStrictEqual(yield* lies(assay), [])
      yield* assay.materialize({ assets: [] })
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    }).pipe(Effect.provide(layerMemory), Effect.provideService(References.MinimumLogLevel, "None"))
  )
})
