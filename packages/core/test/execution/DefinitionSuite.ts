/**
 * What a change of a definition means for what was built by the one before: rows that it does not have any more, releases
 * that take turns, assets that leave the graph and come back. Every storage must pass this suite.
 */
import { Materializations } from "@assay/core/ledger/Materializations"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import * as Plan from "@assay/core/planning/Plan"
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Time } from "../shop/Storage.ts"
import { built, lies, order, parcel, rows, trouble } from "../shop/Trade.ts"
import type { Test } from "./EngineSuite.ts"
import { days, kiosk } from "./Kiosk.ts"

const all = { assets: [] }

const opening = [
  order("1", "02-01", { amount: 100 }),
  order("2", "02-10", { amount: 20, store: "west" }),
  order("3", "02-20", { amount: 30, store: "east" }),
  order("4", "03-05", { amount: 40 })
]

/** A kiosk, opened, filled and built once. */
const running = (options: Parameters<typeof kiosk>[0] = {}) =>
  Effect.gen(function* () {
    const opened = yield* kiosk(options)
    yield* opened.feed.deliver(parcel("opening", opening))
    yield* opened.assay.materialize(all)
    return opened
  })

const recorded = (asset: string) => Effect.flatMap(Materializations, (records) => records.units(asset))

const marked = (asset: string) =>
  Effect.flatMap(StaleSets, (staleSets) => Effect.map(staleSets.units(asset), (units) => units.map(({ unit }) => unit)))

export const suite = (name: string, test: Test) => {
  describe(`a definition with fewer partitions (${name})`, () => {
    test("by a later start takes back the days before it, and what reads them follows (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { reopen } = yield* running()
        const later = yield* reopen({ days: days({ start: "2024-02-10" }) })
        const result = yield* later.materialize(all)
        assert.deepStrictEqual(trouble(result), {})
        assert.deepStrictEqual(yield* rows(later, "daily"), [
          ["2024-02-10", "20"],
          ["2024-02-20", "30"],
          ["2024-03-05", "40"]
        ])
        assert.deepStrictEqual(yield* rows(later, "monthly"), [
          ["2024-02-01", "50"],
          ["2024-03-01", "40"]
        ])
        assert.deepStrictEqual(yield* rows(later, "record"), [["record", "40"]])
        assert.deepStrictEqual((yield* rows(later, "pairs"))[0], ["2024-02-10", "20"])
        assert.deepStrictEqual((yield* recorded("daily"))[0], "2024-02-10")
        assert.deepStrictEqual(yield* marked("daily"), [])
        assert.deepStrictEqual(yield* lies(later, { strict: true }), [])
        assert.strictEqual((yield* later.materialize(all)).steps, 0)
      }))

    test("by an earlier end takes back the days from it on (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { reopen } = yield* running()
        const sooner = yield* reopen({ days: days({ end: "2024-02-15" }) })
        yield* sooner.materialize(all)
        assert.deepStrictEqual(yield* rows(sooner, "daily"), [
          ["2024-02-01", "100"],
          ["2024-02-10", "20"]
        ])
        assert.deepStrictEqual(yield* rows(sooner, "monthly"), [["2024-02-01", "120"]])
        assert.deepStrictEqual(yield* lies(sooner, { strict: true }), [])
      }))

    test("by a running day that it waits for takes that day back, until it has ended (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { reopen } = yield* running()
        const patient = yield* reopen({ days: days({ endOffset: 0 }) })
        yield* patient.materialize(all)
        assert.deepStrictEqual((yield* rows(patient, "daily")).at(-1), ["2024-02-20", "30"])
        assert.deepStrictEqual(yield* lies(patient, { strict: true }), [])
        yield* (yield* Time).set("2024-03-06T00:00:00Z")
        yield* patient.materialize(all)
        assert.deepStrictEqual((yield* rows(patient, "daily")).at(-1), ["2024-03-05", "40"])
        assert.deepStrictEqual(yield* lies(patient, { strict: true }), [])
      }))

    test("by a dropped name takes its rows back, also where another asset has that name still (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { reopen } = yield* running()
        const smaller = yield* reopen({ stores: ["north", "west"] })
        yield* smaller.materialize(all)
        assert.deepStrictEqual(yield* rows(smaller, "signs"), [
          ["north", "north: 140"],
          ["west", "west: 20"]
        ])
        assert.deepStrictEqual(yield* recorded("by_store"), ["north", "west"])
        assert.deepStrictEqual(yield* lies(smaller, { strict: true }), [])
        const again = yield* reopen({})
        yield* again.materialize(all)
        assert.deepStrictEqual((yield* rows(again, "signs"))[0], ["east", "east: 30"])
        assert.deepStrictEqual(yield* lies(again, { strict: true }), [])
      }))

    test("none of which exists leaves nothing behind (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { reopen } = yield* running()
        const future = yield* reopen({ days: days({ start: "2025-01-01" }) })
        const { steps } = yield* future.plan({ assets: ["daily"] })
        assert.deepStrictEqual(
          steps.map((step) => step._tag === "Build" && [step.asset, step.units, step.withdrawn?.length]),
          [["daily", 0, 34]]
        )
        yield* future.materialize(all)
        assert.deepStrictEqual(yield* rows(future, "daily"), [])
        assert.deepStrictEqual(yield* rows(future, "monthly"), [])
        assert.deepStrictEqual(yield* rows(future, "record"), [])
        assert.deepStrictEqual(yield* lies(future, { strict: true }), [])
        assert.strictEqual((yield* future.materialize(all)).steps, 0)
      }))

    test("of another cadence keeps nothing of the one before (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { reopen } = yield* running({ without: ["monthly", "shown", "pairs"] })
        // The keys of the usual days are dates as those of these, but not in this zone's windows.
        const zoned = yield* reopen({
          days: days({ start: "2024-02-05", timeZone: "Asia/Tokyo" }),
          without: ["monthly", "shown", "pairs"]
        })
        yield* zoned.materialize(all)
        assert.deepStrictEqual(yield* lies(zoned, { strict: true }), [])
        assert.isFalse((yield* recorded("daily")).includes("2024-02-01"))
      }))

    test("says in the plan what goes, and the plan writes nothing", () =>
      Effect.gen(function* () {
        const { assay, reopen } = yield* running()
        const later = yield* reopen({ days: days({ start: "2024-02-10" }) })
        const before = yield* rows(assay, "daily")
        const explained = Plan.explain(yield* later.plan({ assets: ["daily"] })).join("\n")
        assert.include(explained, "2024-02-01 to 2024-02-09: no partitions any more, so their rows are removed")
        assert.deepStrictEqual(yield* rows(assay, "daily"), before)
        assert.strictEqual((yield* recorded("daily")).length, 34)
      }))

    test("takes them back also where only a later range is asked for (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { reopen } = yield* running()
        const later = yield* reopen({ days: days({ start: "2024-02-10" }) })
        yield* later.materialize({ assets: ["daily"], partitions: "2024-03" })
        assert.deepStrictEqual((yield* rows(later, "daily"))[0], ["2024-02-10", "20"])
        assert.deepStrictEqual(yield* lies(later), [])
        yield* later.materialize(all)
        assert.deepStrictEqual(yield* lies(later, { strict: true }), [])
      }))

    test("is sound in whatever order its readers are built (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { reopen } = yield* running()
        const later = yield* reopen({ days: days({ start: "2024-02-10" }) })
        for (const asset of ["pairs", "monthly", "record", "daily", "pairs", "monthly", "record"]) {
          yield* later.materialize({ assets: [asset], upstream: false })
          assert.deepStrictEqual(yield* lies(later), [])
        }
        assert.deepStrictEqual(yield* lies(later, { strict: true }), [])
        assert.deepStrictEqual((yield* rows(later, "pairs"))[0], ["2024-02-10", "20"])
      }))

    test("that dies while it takes them back has taken nothing (Verifies: L3)", () =>
      Effect.gen(function* () {
        const { assay, reopen } = yield* running()
        const before = yield* rows(assay, "daily")
        const later = yield* reopen({ days: days({ start: "2024-02-10" }) })
        for (const point of FaultPoint.stepPoints.filter(
          (point) => point !== "afterCommit" && point !== "afterChecks"
        )) {
          const died = yield* later
            .materialize({ assets: ["daily"] })
            .pipe(
              Effect.provideService(FaultPoint.FaultPoint, (passed) =>
                passed === point ? Effect.die(`died at ${point}`) : Effect.void
              )
            )
          assert.deepStrictEqual(trouble(died), { daily: "failed: DefinitionFault" }, point)
          assert.deepStrictEqual(yield* rows(later, "daily"), before)
          assert.strictEqual((yield* recorded("daily")).length, 34)
        }
        yield* later.materialize(all)
        assert.deepStrictEqual(yield* lies(later, { strict: true }), [])
      }))
  })

  describe(`a definition with more partitions (${name})`, () => {
    test("does not trust what was built by the one with fewer (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { feed, reopen } = yield* running()
        const later = yield* reopen({ days: days({ start: "2024-02-10" }) })
        yield* later.materialize(all)
        yield* feed.deliver(parcel("correction", [order("1", "02-01", { amount: 111, seen: "03-01" })]))
        yield* later.materialize(all)
        const wide = yield* reopen({})
        yield* wide.materialize(all)
        assert.deepStrictEqual((yield* rows(wide, "daily"))[0], ["2024-02-01", "111"])
        assert.deepStrictEqual(yield* lies(wide, { strict: true }), [])
      }))

    test("finds what was marked outside of the other one's, though nothing was taken back (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { feed, reopen } = yield* running()
        const later = yield* reopen({ days: days({ start: "2024-02-10" }) })
        // Only the orders: the days keep the rows of the first definition, and are told nothing of the correction.
        yield* feed.deliver(parcel("correction", [order("1", "02-01", { amount: 111, seen: "03-01" })]))
        yield* later.materialize({ assets: ["silver_orders"] })
        const wide = yield* reopen({})
        yield* wide.materialize(all)
        assert.deepStrictEqual((yield* rows(wide, "daily"))[0], ["2024-02-01", "111"])
        assert.deepStrictEqual(yield* lies(wide, { strict: true }), [])
      }))
  })

  describe(`two releases (${name})`, () => {
    test("that take turns are each right by their own code, and never silently wrong (Verifies: L2, L8)", () =>
      Effect.gen(function* () {
        const { assay: older, feed, reopen } = yield* running()
        const newer = yield* reopen({ factor: 10, days: days({ start: "2024-02-10" }) })
        for (let turn = 0; turn < 3; turn++) {
          for (const [own, other] of [
            [newer, older],
            [older, newer]
          ] as const) {
            yield* feed.deliver(
              parcel(`${turn} ${own === newer}`, [order("2", "02-10", { amount: turn, seen: `03-0${turn + 1}` })])
            )
            const result = yield* own.materialize(all)
            assert.deepStrictEqual(trouble(result), {})
            assert.deepStrictEqual(yield* lies(own, { strict: true }), [])
            // What the one has built is nothing that the other takes for its own.
            assert.deepInclude((yield* other.status(["daily"]))[0], { whole: "its definition changed" })
            assert.deepStrictEqual(yield* lies(other), [])
          }
        }
      }))

    test("at once: the one that registered last wins, and the other writes nothing (Verifies: L2, L8)", () =>
      Effect.gen(function* () {
        const { assay: older, feed, reopen } = yield* running()
        const newer = yield* reopen({ factor: 10 })
        yield* feed.deliver(parcel("more", [order("5", "02-10", { amount: 5 })]))
        const paused = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        const slow = yield* Effect.forkChild(
          older.materialize(all).pipe(
            // Between the step of the orders, which is committed, and that of the days.
            Effect.provideService(FaultPoint.FaultPoint, (point) =>
              point === "afterCommit"
                ? Effect.andThen(Deferred.succeed(paused, undefined), Effect.asVoid(Deferred.await(go)))
                : Effect.void
            )
          )
        )
        yield* Deferred.await(paused)
        assert.deepStrictEqual(trouble(yield* newer.materialize(all)), {})
        const right = yield* rows(newer, "daily")
        yield* Deferred.succeed(go, undefined)
        const result = yield* Fiber.join(slow)
        assert.strictEqual(trouble(result)["daily"], "failed: DefinitionFault")
        assert.deepStrictEqual(yield* rows(newer, "daily"), right)
        assert.deepStrictEqual(yield* lies(newer, { strict: true }), [])
        assert.strictEqual((yield* newer.materialize(all)).steps, 0)
      }))

    test("of which the older one lands rows: what the newer one reads is stale (Verifies: L2, L8)", () =>
      Effect.gen(function* () {
        const { assay: older, feed, reopen } = yield* running()
        const newer = yield* reopen({ factor: 10 })
        yield* newer.materialize(all)
        yield* feed.deliver(parcel("more", [order("5", "02-10", { amount: 5 })]))
        yield* older.materialize({ assets: ["silver_orders"] })
        assert.deepStrictEqual(yield* lies(newer), [])
        assert.deepStrictEqual(built(yield* newer.materialize(all))["daily"], 34)
        assert.deepStrictEqual(yield* lies(newer, { strict: true }), [])
      }))
  })

  describe(`an asset that left the graph (${name})`, () => {
    test("and comes back is rebuilt where its inputs changed meanwhile (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { feed, reopen } = yield* running()
        const without = ["by_store", "signs", "record"]
        const smaller = yield* reopen({ without })
        assert.strictEqual((yield* smaller.materialize(all)).steps, 0)
        yield* feed.deliver(parcel("more", [order("5", "02-10", { amount: 500, store: "west" })]))
        yield* smaller.materialize(all)
        const back = yield* reopen({})
        assert.deepStrictEqual(yield* lies(back), [])
        yield* back.materialize(all)
        assert.deepStrictEqual(yield* rows(back, "record"), [["record", "520"]])
        assert.deepStrictEqual(yield* lies(back, { strict: true }), [])
      }))

    test("and comes back where nothing changed is not touched (Verifies: L6)", () =>
      Effect.gen(function* () {
        const { reopen } = yield* running()
        const smaller = yield* reopen({ without: ["by_store", "signs"] })
        yield* smaller.materialize(all)
        const back = yield* reopen({})
        assert.strictEqual((yield* back.materialize(all)).steps, 0)
      }))
  })
}
