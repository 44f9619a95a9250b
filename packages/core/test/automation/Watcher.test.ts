import * as Assay from "@assay/core/Assay"
import * as AutomationCondition from "@assay/core/AutomationCondition"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as Partitions from "@assay/core/Partitions"
import * as TestSource from "@assay/core/testing/TestSource"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import * as Ref from "effect/Ref"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import * as Works from "./Works.ts"

const { onCron } = AutomationCondition

const open = (options: Omit<Works.Options, "source">) =>
  Effect.gen(function* () {
    yield* at("2024-03-10T12:00:00")
    const feed = yield* TestSource.make<Works.Measurement>()
    const graph = Works.make({ ...options, source: feed.source })
    const assay = Context.get(yield* Layer.build(Assay.layerMemory(graph)), Assay.Assay)
    return { feed, assay }
  })

const at = (time: string) => TestClock.setTime(Date.parse(`${time}Z`))

const policy = (condition: AutomationCondition.AutomationCondition) =>
  MaterializationPolicy.withAutomation(Works.promptly, condition)

describe("a daemon", () => {
  it.effect("lands what is delivered and carries it all the way down in one run", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* open({ links: 100 })
      yield* assay.watch({ once: true })
      yield* feed.deliver([Works.reading("a", "01", 5), Works.reading("b", "03", 7)])
      const before = (yield* assay.runs({ limit: 10 })).length
      yield* assay.watch({ once: true })
      assert.deepStrictEqual(yield* Works.amounts(assay, "link_100"), { "01": 5, "03": 7 })
      assert.strictEqual((yield* assay.runs({ limit: 10 })).length, before + 1)
      yield* assay.watch({ once: true })
      assert.strictEqual((yield* assay.runs({ limit: 10 })).length, before + 1)
    })
  )

  it.effect("says what it requests, why, and what follows", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* open({ links: 2 })
      yield* assay.watch({ once: true })
      yield* feed.deliver([Works.reading("a", "01")])
      const { fiber, told } = yield* Works.lookout(assay, { once: true })
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(Works.requests(told), ["readings *, then link_1, then link_2"])
      const [requested] = told.flatMap((event) => (event._tag === "Requested" ? event.requested : []))
      assert.deepStrictEqual(requested?.because, ["stale"])
      assert.strictEqual(requested?.deliveries.length, 1)
    })
  )

  it.effect("asks sources when the poll is due, and builds windows when they come to exist (Verifies: L12)", () =>
    Effect.gen(function* () {
      const days = Partitions.daily({ start: "2024-03-08" })
      const { assay, feed } = yield* open({ links: 2, days })
      const { next, told } = yield* Works.lookout(assay, { poll: "1 hour" })
      yield* next("Finished")
      yield* feed.deliver([Works.reading("a", "10")])
      yield* TestClock.adjust(Duration.minutes(59))
      assert.strictEqual(Works.requests(told).length, 1)
      yield* TestClock.adjust(Duration.minutes(1))
      yield* next("Finished")
      yield* at("2024-03-11T00:00:00")
      yield* next("Finished")
      assert.deepStrictEqual(Works.requests(told), [
        "link_1 2024-03-08..2024-03-09, link_2 2024-03-08..2024-03-09",
        "readings *, then link_1, then link_2",
        "link_1 2024-03-10, link_2 2024-03-10"
      ])
      assert.deepStrictEqual(yield* Works.amounts(assay, "link_2"), { "10": 1 })
    })
  )

  it.effect("waits for the tick of a schedule, and then until what was stale is built", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* open({ links: 2, policies: { link_2: policy(onCron("0 18 * * *")) } })
      const { next, told } = yield* Works.lookout(assay, { poll: "7 days" })
      yield* feed.deliver([Works.reading("a", "01", 3)])
      yield* next("Finished")
      assert.deepStrictEqual(yield* Works.amounts(assay, "link_2"), {})
      yield* at("2024-03-10T18:00:00")
      yield* next("Finished")
      assert.deepStrictEqual(Works.requests(told).at(-1), "link_2 2024-03-01..2024-03-05")
      assert.deepStrictEqual(yield* Works.amounts(assay, "link_2"), { "01": 3 })
    })
  )

  it.effect("holds back what its horizon has closed, tells it once, and builds it on request", () =>
    Effect.gen(function* () {
      const closing = MaterializationPolicy.withHorizon(Works.promptly, "6 days")
      const { assay, feed } = yield* open({ links: 1, policies: { link_1: closing } })
      yield* assay.materialize({ assets: ["link_1"] })
      yield* feed.deliver([Works.reading("old", "01"), Works.reading("new", "05")])
      const { fiber, told } = yield* Works.lookout(assay, { once: true })
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* Works.amounts(assay, "link_1"), { "05": 1 })
      assert.deepStrictEqual(
        told.flatMap((event) => (event._tag === "Held" ? [event.asset] : [])),
        ["link_1"]
      )
      yield* assay.materialize({ assets: ["link_1"] })
      assert.deepStrictEqual(yield* Works.amounts(assay, "link_1"), { "01": 1, "05": 1 })
    })
  )

  it.effect("does not try again what failed, until something changes", () =>
    Effect.gen(function* () {
      const tries = yield* Ref.make(0)
      const isBroken = yield* Ref.make(true)
      const before = Effect.gen(function* () {
        yield* Ref.update(tries, (count) => count + 1)
        if (yield* Ref.get(isBroken)) return yield* Effect.die("it cannot be computed")
      })
      const { assay, feed } = yield* open({ links: 2, before })
      yield* feed.deliver([Works.reading("a", "01")])
      const { next } = yield* Works.lookout(assay, { poll: "1 minute" })
      yield* next("Finished")
      // What came while it failed is a change, so it was tried once more; and then never again.
      yield* next("Finished")
      assert.strictEqual(yield* Ref.get(tries), 2)
      yield* TestClock.adjust(Duration.hours(30))
      assert.strictEqual(yield* Ref.get(tries), 2)
      yield* Ref.set(isBroken, false)
      yield* feed.deliver([Works.reading("b", "02")])
      yield* TestClock.adjust(Duration.minutes(1))
      yield* next("Finished")
      assert.deepStrictEqual(yield* Works.amounts(assay, "link_2"), { "01": 1, "02": 1 })
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )
})
