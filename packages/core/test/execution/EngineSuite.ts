/**
 * What the engine promises, whatever the storage: which units a run builds and which it leaves alone, what a plan says
 * before, what a failure stops, and how it is gone on after it. Every storage must pass this suite.
 */
import * as AssetCheck from "@assay/core/AssetCheck"
import { DefinitionFault, ResourceExhausted, Transient } from "@assay/core/MaterializationError"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Plan from "@assay/core/planning/Plan"
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import * as Progress from "@assay/core/execution/Progress"
import { Outbox } from "@assay/core/ledger/Outbox"
import { Runs } from "@assay/core/ledger/Runs"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import { sql } from "@assay/core/Sql"
import { assert, describe } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { Disturbance, failing } from "../shop/Disturbance.ts"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { open, type Storage, Time } from "../shop/Storage.ts"
import { built, lies, lines, order, parcel, planned, rows, shop, steps, trouble } from "../shop/Trade.ts"

/** Declares a test on a fresh storage. */
export type Test = (name: string, body: () => Effect.Effect<void, unknown, Storage | Scope.Scope>) => void

const all = { assets: [] }

/** Two customers, two stores, three months. */
const opening = [
  order("1", "01-25", { tier: "silver" }),
  order("2", "02-10", { tier: "gold", store: "west" }),
  order("3", "02-10", { customer: "bob", amount: 7 }),
  order("4", "03-03T10:30", { customer: "bob", store: "east" }),
  order("5", "03-05T08:00")
]

const everywhere = {
  bronze_orders: 1,
  silver_orders: 0,
  last_orders: 0,
  dim_customer: 0,
  customer_cards: 0,
  gold_daily: 46,
  mart_monthly: 2,
  tier_monthly: 3,
  tier_records: 0,
  hourly_orders: 61,
  weekly_customers: 6,
  store_totals: 3,
  store_labels: 3,
  store_ranking: 0,
  store_archive: 0,
  trailing_week: 46,
  busy_neighbours: 45
}

/** The whole shop, opened, filled and built once. */
const running = (options: Omit<Shop.Options, "source"> = {}) =>
  Effect.gen(function* () {
    const { assay, feed } = yield* shop(options)
    yield* feed.deliver(parcel("opening", opening))
    const first = yield* assay.materialize(all)
    return { assay, feed, first }
  })

export const suite = (name: string, test: Test) => {
  describe(`a run (${name})`, () => {
    test("builds everything the first time (Verifies: L1, L7)", () =>
      Effect.gen(function* () {
        const { assay, first } = yield* running()
        assert.deepStrictEqual([first.status, trouble(first)], ["succeeded", {}])
        assert.deepStrictEqual(built(first), everywhere)
        assert.deepStrictEqual(yield* rows(assay, "gold_daily"), [
          ["2024-01-25", "silver", "1", "10"],
          ["2024-02-10", "gold", "1", "10"],
          ["2024-02-10", "none", "1", "7"],
          ["2024-03-03", "none", "1", "10"],
          ["2024-03-05", "gold", "1", "10"]
        ])
        assert.deepStrictEqual(yield* rows(assay, "mart_monthly"), [
          ["2024-01-01", "silver", "1", "10"],
          ["2024-02-01", "gold", "1", "10"],
          ["2024-02-01", "none", "1", "7"]
        ])
        assert.deepStrictEqual(yield* rows(assay, "tier_monthly"), [
          ["2024-01-01", "silver", "1"],
          ["2024-02-01", "gold", "1"],
          ["2024-03-01", "gold", "1"]
        ])
        assert.deepStrictEqual(yield* rows(assay, "hourly_orders"), [
          ["2024-03-03T10:00:00.000000Z", "1"],
          ["2024-03-05T08:00:00.000000Z", "1"]
        ])
        assert.deepStrictEqual(yield* rows(assay, "weekly_customers"), [
          ["2024-01-21", "1"],
          ["2024-02-04", "2"]
        ])
        assert.deepStrictEqual(yield* rows(assay, "last_orders"), [
          ["ann", "north", "5", "2024-03-05T08:00:00.000000Z"],
          ["ann", "west", "2", "2024-02-10T12:00:00.000000Z"],
          ["bob", "east", "4", "2024-03-03T10:30:00.000000Z"],
          ["bob", "north", "3", "2024-02-10T12:00:00.000000Z"]
        ])
        assert.deepStrictEqual(yield* rows(assay, "customer_cards"), [["ann", "2", "gold"]])
        assert.deepStrictEqual(yield* rows(assay, "store_labels"), [
          ["east", "east: 1"],
          ["north", "north: 3"],
          ["west", "west: 1"]
        ])
        assert.deepStrictEqual(yield* rows(assay, "busy_days"), [["2024-02-10", "2"]])
        assert.deepStrictEqual(yield* rows(assay, "busy_neighbours", "2024-02-08..2024-02-12"), [
          ["2024-02-08", "0"],
          ["2024-02-09", "1"],
          ["2024-02-10", "1"],
          ["2024-02-11", "1"],
          ["2024-02-12", "0"]
        ])
        assert.deepStrictEqual(yield* rows(assay, "trailing_week", "2024-02-15..2024-02-17"), [
          ["2024-02-15", "17"],
          ["2024-02-16", "17"],
          ["2024-02-17", "0"]
        ])
        assert.deepStrictEqual(yield* lies(assay), [])
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("records itself and each of its steps", () =>
      Effect.gen(function* () {
        const { assay, first } = yield* running({ policy: MaterializationPolicy.withStepSize(Shop.promptly, 20) })
        const [summary] = yield* assay.runs({ limit: 1 })
        assert.deepInclude(summary?.run, { status: "succeeded", error: undefined })
        assert.strictEqual(summary?.run.runId, first.runId)
        assert.strictEqual(summary?.steps.succeeded, first.steps)
        const records = yield* steps(assay, first.runId)
        const of = (asset: string) =>
          records
            .filter((record) => record.asset === asset)
            .map(({ attempts, kind, rowsInserted, status, units }) => [kind, status, attempts, units, rowsInserted])
        assert.deepStrictEqual(of("bronze_orders"), [["land", "succeeded", 1, 1, 5]])
        assert.deepStrictEqual(of("silver_orders"), [["build", "succeeded", 1, 0, 5]])
        assert.deepStrictEqual(of("gold_daily"), [
          ["build", "succeeded", 1, 20, 1],
          ["build", "succeeded", 1, 20, 2],
          ["build", "succeeded", 1, 6, 2]
        ])
      }))

    test("tells what happened, each in the transaction that makes it true (Verifies: L3)", () =>
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const events = Effect.gen(function* () {
          // An event can be read once no older transaction of the server is open; other tests have theirs.
          const told = yield* Effect.repeat(outbox.read({ limit: 100 }), {
            until: (read) => read.at(-1)?.event._tag === "RunFinished"
          })
          const last = told.at(-1)
          if (last !== undefined) yield* outbox.acknowledge({ upTo: last.id })
          return told.map(({ event }) => ("asset" in event ? `${event._tag} ${event.asset}` : event._tag))
        })
        const { assay, feed } = yield* shop({
          dailyChecks: [modest, AssetCheck.warn(AssetCheck.acceptedValues("tier", ["gold"]))]
        })
        yield* feed.deliver(parcel("opening", [order("1", "03-01", { tier: "gold" })]))
        yield* feed.deliver({ ...parcel("odd", []), breaks: { after: 0, kind: "SchemaMismatch" } })
        yield* assay.materialize({ assets: ["bronze_orders"] })
        assert.deepStrictEqual(yield* events, [
          "RunStarted",
          "Landed bronze_orders",
          "SchemaMismatched bronze_orders",
          "RunFinished"
        ])
        yield* feed.mend("odd")
        yield* feed.deliver(parcel("more", [order("2", "03-01", { customer: "bob", amount: 1000 })]))
        yield* assay.materialize({ assets: ["gold_daily"] })
        assert.deepStrictEqual(yield* events, [
          "RunStarted",
          "Landed bronze_orders",
          "Landed bronze_orders",
          "Materialized silver_orders",
          "Materialized dim_customer",
          "MaterializationFailed gold_daily",
          "RunFinished"
        ])
        yield* feed.deliver(parcel("mended", [order("2", "03-01", { customer: "bob", seen: "03-02" })]))
        yield* assay.materialize({ assets: ["gold_daily"] })
        assert.deepStrictEqual((yield* events).slice(-3), [
          "Materialized gold_daily",
          "CheckFailed gold_daily",
          "RunFinished"
        ])
      }))

    test("does nothing and records nothing where nothing is new (Verifies: L6)", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        const again = yield* assay.materialize(all)
        assert.deepStrictEqual([again.runId, again.steps, again.status], [undefined, 0, "succeeded"])
        assert.deepStrictEqual(new Set(again.outcomes.map(({ outcome }) => outcome)), new Set(["unchanged"]))
        assert.strictEqual((yield* assay.runs({ limit: 10 })).length, 1)
      }))

    test("recomputes exactly what one changed amount reaches (Verifies: L6)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("correction", [order("3", "02-10", { customer: "bob", amount: 8, seen: "02-11" })]))
        const result = yield* assay.materialize(all)
        // Counts of orders stay as they are, so labels, busy days and hours are not even looked at.
        assert.deepStrictEqual(built(result), {
          bronze_orders: 1,
          silver_orders: 1,
          gold_daily: 1,
          mart_monthly: 1,
          trailing_week: 7,
          store_totals: 1,
          store_ranking: 1
        })
        const records = yield* steps(assay, result.runId)
        const changes = records.map(({ asset, rowsDeleted, rowsInserted, rowsUnchanged, rowsUpdated }) => [
          asset,
          [rowsInserted, rowsUpdated, rowsDeleted, rowsUnchanged]
        ])
        assert.deepStrictEqual(Object.fromEntries(changes), {
          bronze_orders: [1, 0, 0, 0],
          silver_orders: [0, 1, 0, 0],
          gold_daily: [0, 1, 0, 1],
          mart_monthly: [0, 1, 0, 1],
          trailing_week: [0, 7, 0, 0],
          store_totals: [0, 1, 0, 0],
          store_ranking: [0, 0, 0, 3]
        })
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("moves an order from one day, store and customer to others on both sides (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("move", [order("3", "03-01", { customer: "ann", store: "east", seen: "03-02" })]))
        const result = yield* assay.materialize(all)
        assert.deepInclude(built(result), {
          silver_orders: 1,
          last_orders: 2,
          dim_customer: 2,
          gold_daily: 2,
          mart_monthly: 1,
          weekly_customers: 2,
          store_totals: 2,
          trailing_week: 12,
          busy_neighbours: 6
        })
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("forgets a deleted order everywhere (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("deletion", [order("1", "01-25", { is_deleted: true, seen: "03-01" })]))
        yield* assay.materialize(all)
        assert.deepStrictEqual(yield* rows(assay, "customer_cards"), [["ann", "1", "gold"]])
        assert.deepStrictEqual(
          (yield* rows(assay, "tier_monthly")).map(([month]) => month),
          ["2024-02-01", "2024-03-01"]
        )
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("a tier heard of late changes the days on which the customer ordered under it, and no others", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("late", [order("0", "02-29", { customer: "bob", tier: "gold", amount: 0 })]))
        const result = yield* assay.materialize(all)
        assert.deepInclude(built(result), { dim_customer: 1, gold_daily: 2, tier_monthly: 2 })
        assert.deepStrictEqual(yield* rows(assay, "gold_daily", "2024-02-10..2024-03-04"), [
          ["2024-02-10", "gold", "1", "10"],
          ["2024-02-10", "none", "1", "7"],
          ["2024-02-29", "gold", "1", "0"],
          ["2024-03-03", "gold", "1", "10"]
        ])
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("unchanged content makes nothing downstream stale (Verifies: L6)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("again", opening))
        const result = yield* assay.materialize(all)
        assert.deepStrictEqual(built(result), { bronze_orders: 1, silver_orders: 5 })
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("rebuilds what is forced, and stops where that changes nothing (Verifies: L6)", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        const force = (asset: string) => assay.materialize({ assets: [asset], force: true })
        assert.deepStrictEqual(built(yield* force("gold_daily")), { gold_daily: 46 })
        assert.deepStrictEqual(built(yield* force("dim_customer")), { dim_customer: 0 })
        assert.deepStrictEqual(built(yield* force("store_ranking")), { store_ranking: 0 })
        const some = yield* assay.materialize({ assets: ["gold_daily"], partitions: "2024-02", force: true })
        assert.deepStrictEqual(built(some), { gold_daily: 29 })
        assert.deepStrictEqual((yield* assay.materialize(all)).steps, 0)
      }))

    test("without upstream builds from the tables as they are (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("more", [order("6", "03-04", { store: "west" })]))
        const narrow = yield* assay.materialize({ assets: ["store_totals"], upstream: false })
        assert.deepStrictEqual([narrow.steps, narrow.outcomes.map(({ asset }) => asset)], [0, ["store_totals"]])
        assert.deepStrictEqual(yield* lies(assay), [])
        const wide = yield* assay.materialize({ assets: ["store_totals"] })
        assert.deepStrictEqual(built(wide), { bronze_orders: 1, silver_orders: 1, store_totals: 1 })
      }))

    test("builds only the partitions asked for, and the rest later (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", opening))
        const february = yield* assay.materialize({ assets: ["mart_monthly"], partitions: "2024-02" })
        assert.deepStrictEqual(built(february), {
          bronze_orders: 1,
          silver_orders: 0,
          dim_customer: 0,
          gold_daily: 29,
          mart_monthly: 1
        })
        const [days, months] = yield* assay.status(["gold_daily", "mart_monthly"])
        assert.deepInclude(days, { existing: 46, built: 29, missing: 17, stale: 0 })
        assert.deepInclude(months, { existing: 2, built: 1, missing: 1, stale: 0 })
        assert.deepStrictEqual(yield* lies(assay), [])

        yield* feed.deliver(
          parcel("corrections", [
            order("1", "01-25", { tier: "silver", amount: 11, seen: "03-01" }),
            order("2", "02-10", { tier: "gold", store: "west", amount: 12, seen: "03-01" })
          ])
        )
        const january = yield* assay.materialize({ assets: ["gold_daily"], partitions: "..2024-01" })
        assert.deepStrictEqual(built(january), { bronze_orders: 1, silver_orders: 2, gold_daily: 12 })
        assert.deepInclude((yield* assay.status(["gold_daily"]))[0], { built: 41, missing: 5, stale: 1 })
        assert.deepStrictEqual(yield* lies(assay), [])

        const rest = yield* assay.materialize(all)
        assert.deepInclude(built(rest), { gold_daily: 6, mart_monthly: 2 })
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("names what it cannot understand", () =>
      Effect.gen(function* () {
        const { assay } = yield* shop()
        const stranger = yield* Effect.flip(assay.materialize({ assets: ["gold_dayly"] }))
        assert.include(stranger.message, 'Did you mean "gold_daily"?')
        const range = yield* Effect.flip(assay.materialize({ assets: ["gold_daily"], partitions: "yesterday" }))
        assert.include(range.message, "yesterday")
        assert.deepStrictEqual(yield* assay.runs({ limit: 10 }), [])
      }))

    test("leaves an asset that waits for requests alone until it is asked for by name", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", opening))
        assert.deepInclude(built(yield* assay.materialize({ assets: ["store_archive"] })), { store_archive: 0 })
        yield* feed.deliver(parcel("more", [order("6", "03-04", { store: "east", amount: 100 })]))
        const around = yield* assay.materialize({ assets: ["store_ranking", "store_labels"] })
        assert.isFalse(around.outcomes.some(({ asset }) => asset === "store_archive"))
        assert.deepStrictEqual((yield* rows(assay, "store_archive"))[0], ["east", "2"])
        assert.deepStrictEqual(yield* lies(assay), [])
        assert.deepStrictEqual(built(yield* assay.materialize({ assets: ["store_archive"] })), { store_archive: 1 })
        assert.deepStrictEqual((yield* rows(assay, "store_archive"))[0], ["east", "1"])
      }))

    test("ends although more and more comes in while it is at work", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running({ policy: MaterializationPolicy.withStepSize(Shop.promptly, 1) })
        yield* feed.deliver(parcel("more", [order("6", "03-04"), order("7", "03-04")]))
        const landed = yield* Ref.make(0)
        const result = yield* assay.materialize({ assets: ["silver_orders"] }).pipe(
          Effect.provideService(FaultPoint.FaultPoint, (point) =>
            Effect.gen(function* () {
              if (point !== "afterCommit" || (yield* Ref.updateAndGet(landed, (count) => count + 1)) > 9) return
              yield* feed.deliver(
                parcel(`meanwhile ${yield* Ref.get(landed)}`, [order(`0${yield* Ref.get(landed)}`, "03-04")])
              )
              yield* Effect.orDie(assay.materialize({ assets: ["bronze_orders"] }))
            })
          )
        )
        assert.deepStrictEqual(built(result), { bronze_orders: 1, silver_orders: 2 })
        assert.deepInclude((yield* assay.status(["silver_orders"]))[0], { stale: 2 })
        assert.deepStrictEqual(built(yield* assay.materialize({ assets: ["silver_orders"] })), { silver_orders: 2 })
        assert.deepStrictEqual(yield* lies(assay), [])
      }))

    test("works on the assets of a pool one after the other", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop({ policy: MaterializationPolicy.withPool(Shop.promptly, "narrow") })
        yield* feed.deliver(parcel("opening", opening))
        const working = yield* Ref.make<ReadonlyArray<string>>([])
        const most = yield* Ref.make(0)
        const result = yield* assay.materialize(all, { concurrency: 8 }).pipe(
          Effect.provideService(Progress.Listener, (progress) =>
            Effect.gen(function* () {
              if (progress._tag === "AssetStarted") {
                const now = yield* Ref.updateAndGet(working, (known) => [...known, progress.asset])
                yield* Ref.update(most, (count) => Math.max(count, now.length))
              }
              if (progress._tag === "AssetDone") {
                yield* Ref.update(working, (known) => known.filter((name) => name !== progress.asset))
              }
            })
          )
        )
        assert.deepStrictEqual([result.status, yield* Ref.get(most)], ["succeeded", 1])
      }))

    test("goes on with the days that have come to exist", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("ahead", [order("7", "03-06T01:00", { tier: "gold" })]))
        const before = yield* assay.materialize(all)
        assert.notProperty(built(before), "gold_daily")
        yield* (yield* Time).set("2024-03-06T01:30:00Z")
        const after = yield* assay.materialize(all)
        assert.deepStrictEqual(built(after), {
          gold_daily: 1,
          trailing_week: 1,
          busy_neighbours: 1,
          hourly_orders: 13
        })
        assert.deepStrictEqual(yield* rows(assay, "gold_daily", "2024-03-06"), [["2024-03-06", "gold", "1", "10"]])
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))
  })

  describe(`a plan (${name})`, () => {
    const whatIsThere = (assay: Effect.Success<ReturnType<typeof shop>>["assay"]) =>
      Effect.gen(function* () {
        const names = Array.from(assay.graph.assets.keys())
        const staleSets = yield* StaleSets
        return {
          status: yield* assay.status(),
          runs: yield* assay.runs({ limit: 10 }),
          stale: Array.from(yield* staleSets.get(names)),
          marks: yield* Effect.forEach(names, (asset) => staleSets.units(asset)),
          rows: yield* Effect.forEach(names, (asset) => rows(assay, asset))
        }
      })

    test("says exactly what the run then does, and writes nothing", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(
          parcel("more", [
            order("3", "02-10", { customer: "bob", amount: 8, seen: "02-11" }),
            order("6", "03-04", { customer: "bob", tier: "gold", store: "west" })
          ])
        )
        for (const request of [
          { assets: ["mart_monthly"], partitions: "2024-02" },
          { assets: ["store_ranking"] },
          { assets: ["gold_daily"], partitions: "2024-01", force: true, upstream: false },
          { assets: ["trailing_week", "customer_cards"] },
          all
        ]) {
          const before = yield* whatIsThere(assay)
          const plan = yield* assay.plan(request)
          assert.deepStrictEqual(yield* whatIsThere(assay), before)
          assert.isTrue(plan.isRehearsed)
          assert.deepStrictEqual(planned(plan), built(yield* assay.materialize(request)))
        }
        assert.deepStrictEqual(planned(yield* assay.plan(all)), {})
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("of a changed definition is exact too, however its units became stale", () =>
      Effect.gen(function* () {
        const { feed } = yield* running()
        const changed = yield* open(
          Shop.make({ source: feed.source, codeVersions: { gold_daily: "2", store_totals: "2", store_ranking: "2" } })
        )
        const plan = yield* changed.plan(all)
        const result = yield* changed.materialize(all)
        assert.deepStrictEqual(built(result), { gold_daily: 46, store_totals: 3, store_ranking: 0 })
        // What a rebuild of everything changes is not known before, so the plan says what follows it.
        const { gold_daily, store_ranking, store_totals } = planned(plan)
        assert.deepStrictEqual([gold_daily, store_totals, store_ranking], [46, 3, 0])
      }))

    test("of ranges that became stale is exact (Verifies: L7)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("late", [order("0", "02-29", { customer: "bob", tier: "gold", amount: 0 })]))
        // Only the dimension: what it makes stale from February on is a range that nobody has looked at yet.
        yield* assay.materialize({ assets: ["dim_customer"] })
        const plan = yield* assay.plan({ assets: ["tier_records"] })
        const result = yield* assay.materialize({ assets: ["tier_records"] })
        assert.deepStrictEqual(built(result), { tier_monthly: 2, tier_records: 1 })
        assert.deepStrictEqual(planned(plan), built(result))
        assert.deepStrictEqual(yield* lies(assay), [])
      }))

    test("of a build that will fail says what is due", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running({ dailyChecks: [modest] })
        yield* feed.deliver(parcel("large", [order("6", "03-04", { amount: 1000 })]))
        const plan = yield* assay.plan(all)
        assert.strictEqual(planned(plan)["bronze_orders"], 1)
        assert.isFalse(plan.isRehearsed)
        assert.strictEqual((yield* assay.materialize(all)).status, "failed")
      }))

    test("that is not rehearsed names what follows behind views too", () =>
      Effect.gen(function* () {
        const { assay } = yield* shop()
        const plan = yield* assay.plan({ assets: ["busy_neighbours"] })
        assert.isFalse(plan.isRehearsed)
        yield* assay.materialize(all)
        const changed = yield* open(
          Shop.make({ source: (yield* Feed.make<Shop.Order>()).source, codeVersions: { silver_orders: "2" } })
        )
        const { steps } = yield* changed.plan({ assets: ["busy_neighbours"] })
        assert.deepStrictEqual(
          steps.map(({ _tag, asset }) => [asset, _tag]),
          [
            ["silver_orders", "Build"],
            ["dim_customer", "Follow"],
            ["gold_daily", "Follow"],
            ["busy_neighbours", "Follow"]
          ]
        )
      }))

    test("gives the reason of each step", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("correction", [order("3", "02-10", { customer: "bob", amount: 8, seen: "02-11" })]))
        const explained = Plan.explain(yield* assay.plan({ assets: ["mart_monthly"] }))
        assert.deepStrictEqual(
          explained.map((line) => line.trim().replaceAll(/\s+/g, " ")),
          [
            "1. bronze_orders land correction (1 new row)",
            "2. silver_orders 1 key → 1 row changed, because bronze_orders changed",
            "3. gold_daily 1 day of 46 (2024-02-10) → 1 row changed, because silver_orders changed",
            "4. mart_monthly 1 month of 2 (2024-02-01), because gold_daily changed"
          ]
        )
      }))
  })

  describe(`code (${name})`, () => {
    test("that changed is run again, and nothing follows where it says the same (Verifies: L1, L6)", () =>
      Effect.gen(function* () {
        const { feed } = yield* running()
        const changed = yield* open(Shop.make({ source: feed.source, codeVersions: { silver_orders: "2" } }))
        assert.deepStrictEqual(built(yield* changed.materialize(all)), { silver_orders: 0 })
        assert.strictEqual((yield* changed.materialize(all)).steps, 0)
        const both = yield* open(
          Shop.make({ source: feed.source, codeVersions: { silver_orders: "2", gold_daily: "2" } })
        )
        const january = yield* both.materialize({ assets: ["gold_daily"], partitions: "2024-01" })
        assert.deepStrictEqual(built(january), { gold_daily: 12 })
        assert.deepStrictEqual(built(yield* both.materialize(all)), { gold_daily: 34 })
        assert.deepStrictEqual(yield* lies(both, { strict: true }), [])
      }))

    test("of a view counts for what reads it (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { feed } = yield* running()
        const changed = yield* open(Shop.make({ source: feed.source, busy: 1 }))
        assert.deepStrictEqual(built(yield* changed.materialize(all)), { busy_neighbours: 45 })
        assert.deepStrictEqual(yield* lies(changed, { strict: true }), [])
      }))

    test("behind a view that is not cut is rebuilt as a whole (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        const behind = yield* open(Shop.behindView(feed.source))
        yield* behind.materialize(all)
        yield* feed.deliver(parcel("correction", [order("3", "02-10", { customer: "bob", amount: 8, seen: "02-11" })]))
        assert.deepStrictEqual(built(yield* behind.materialize(all)), { bronze_orders: 1, order_amounts: 0 })
        assert.deepStrictEqual(yield* lies(behind, { strict: true }), [])
        // The other graph on the same tables was told of the correction, too.
        assert.deepStrictEqual(yield* lies(assay), [])
        yield* assay.materialize(all)
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("that withholds a window for a while rebuilds it when it is back (Verifies: L1)", () =>
      Effect.gen(function* () {
        const monthly = MaterializationPolicy.withIncompleteWindows(Shop.promptly, "build")
        const { feed } = yield* running({ monthlyEndOffset: 1, monthly })
        const { source } = feed
        const codeVersions = { mart_monthly: "2" }
        const narrow = yield* open(Shop.make({ source, monthly, codeVersions }))
        assert.deepStrictEqual(built(yield* narrow.materialize(all)), { mart_monthly: 2 })
        assert.deepStrictEqual(yield* lies(narrow, { strict: true }), [])
        const wide = yield* open(Shop.make({ source, monthly, codeVersions, monthlyEndOffset: 1 }))
        assert.deepStrictEqual(built(yield* wide.materialize(all)), { mart_monthly: 3 })
        assert.deepStrictEqual(yield* lies(wide), [])
      }))

    test("that is older than what another process runs by now writes nothing (Verifies: L8)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        const disturbance = yield* Disturbance
        const reached = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        yield* feed.deliver(parcel("more", [order("6", "03-04", { store: "west" })]))
        yield* disturbance.set(Effect.andThen(Deferred.succeed(reached, undefined), Effect.asVoid(Deferred.await(go))))
        const listener = Progress.Listener
        const old = yield* Effect.forkChild(
          assay.materialize({ assets: ["store_ranking"] }).pipe(
            // Waits outside of any transaction, right before the ranking is built.
            Effect.provideService(listener, (progress) =>
              progress._tag === "AssetDone" && progress.asset === "store_totals"
                ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.asVoid(Deferred.await(go)))
                : Effect.void
            )
          )
        )
        yield* disturbance.set(Effect.void)
        yield* Deferred.await(reached)
        const newer = yield* open(Shop.make({ source: feed.source, codeVersions: { store_ranking: "2" } }))
        yield* newer.materialize({ assets: ["store_ranking"] })
        yield* Deferred.succeed(go, undefined)
        const result = yield* Fiber.join(old)
        assert.deepStrictEqual(trouble(result), { store_ranking: "failed: DefinitionFault" })
        assert.deepInclude((yield* newer.status(["store_ranking"]))[0], { stale: 0, whole: undefined })
      }))

    test("that does not know an asset makes it stale all the same (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("more", [order("6", "03-04", { store: "west" })]))
        const part = yield* open(Shop.only(Shop.make({ source: feed.source }), "silver_orders"))
        yield* part.materialize(all)
        assert.deepStrictEqual(yield* lies(assay), [])
        assert.strictEqual((yield* assay.materialize(all)).status, "succeeded")
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
        assert.strictEqual((yield* assay.materialize(all)).steps, 0)
      }))
  })

  describe(`incomplete windows (${name})`, () => {
    const march = "2024-03-01"

    test("are waited for, and reported, where the policy says so (Verifies: L7)", () =>
      Effect.gen(function* () {
        const { assay } = yield* running({ monthlyEndOffset: 1, monthly: Shop.promptly })
        assert.deepInclude((yield* assay.status(["mart_monthly"]))[0], { existing: 3, built: 1, missing: 2 })
        for (const force of [false, true]) {
          const { steps } = yield* assay.plan({ assets: ["mart_monthly"], force })
          const step = steps.find(({ asset }) => asset === "mart_monthly")
          assert.deepStrictEqual(
            step?._tag === "Build" && step.waiting !== undefined ? Array.from(PartitionSet.keys(step.waiting)) : [],
            ["2024-01-01", march]
          )
          assert.deepStrictEqual(step === undefined ? [] : Plan.describe(step).slice(1), [
            "2024-01-01 waits for gold_daily 2024-01-01..2024-01-19, which lie before its start",
            "2024-03-01 waits for gold_daily 2024-03-06..2024-03-31, which will all exist at 2024-03-31T00:00:00.000Z"
          ])
        }
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
        assert.strictEqual((yield* assay.materialize(all)).runId, undefined)
        assert.strictEqual(
          (yield* assay.materialize({ assets: ["mart_monthly"], upstream: false, force: true })).steps,
          1
        )
        assert.deepInclude((yield* assay.status(["mart_monthly"]))[0], { existing: 3, built: 1, missing: 2 })
        yield* (yield* Time).set("2024-03-31T00:00:00Z")
        yield* assay.materialize(all)
        assert.deepStrictEqual((yield* rows(assay, "mart_monthly", march)).length, 2)
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("are built, and again when they grow, where the policy says so (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running({
          monthlyEndOffset: 1,
          monthly: MaterializationPolicy.withIncompleteWindows(Shop.promptly, "build")
        })
        const amounts = Effect.map(rows(assay, "mart_monthly", march), (found) => found.map(([, , , amount]) => amount))
        assert.deepStrictEqual(yield* amounts, ["10", "10"])
        yield* feed.deliver(parcel("more", [order("6", "03-04", { amount: 5 })]))
        yield* assay.materialize(all)
        assert.deepStrictEqual(yield* amounts, ["15", "10"])
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))
  })

  describe(`a failure (${name})`, () => {
    test("of a blocking check keeps the rows, the marks and the dependants as they were (Verifies: L11)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running({ dailyChecks: [modest] })
        const before = yield* rows(assay, "gold_daily")
        yield* (yield* Time).set("2024-03-05T13:00:00Z")
        yield* feed.deliver(parcel("large", [order("6", "03-04", { amount: 1000, store: "east" })]))
        const result = yield* assay.materialize(all)
        assert.strictEqual(result.status, "failed")
        assert.deepStrictEqual(trouble(result), {
          gold_daily: "failed: DataQuality",
          mart_monthly: "skipped: gold_daily",
          trailing_week: "skipped: gold_daily",
          busy_days: "skipped: gold_daily",
          busy_neighbours: "skipped: busy_days"
        })
        assert.deepStrictEqual(yield* rows(assay, "gold_daily"), before)
        assert.deepInclude((yield* assay.status(["gold_daily"]))[0], { stale: 1, failed: 1 })
        // Unrelated assets went on.
        assert.deepStrictEqual((yield* rows(assay, "store_labels"))[0], ["east", "east: 2"])
        assert.deepStrictEqual(yield* lies(assay), [])

        const [summary] = yield* assay.runs({ limit: 1 })
        assert.strictEqual(summary?.run.status, "failed")
        assert.include(summary?.run.error ?? "", 'check "modest" found 1 violating rows')
        const records = yield* steps(assay, result.runId)
        assert.deepStrictEqual(
          records
            .filter(({ status }) => status !== "succeeded")
            .map(({ asset, attempts, reason, status }) => [asset, status, reason, attempts])
            .toSorted(([a], [b]) => String(a).localeCompare(String(b))),
          [
            ["busy_days", "skipped", "UpstreamFailed", 1],
            ["busy_neighbours", "skipped", "UpstreamFailed", 1],
            ["gold_daily", "failed", "DataQuality", 1],
            ["mart_monthly", "skipped", "UpstreamFailed", 1],
            ["trailing_week", "skipped", "UpstreamFailed", 1]
          ]
        )

        yield* feed.deliver(parcel("mended", [order("6", "03-04", { amount: 99, store: "east", seen: "03-05" })]))
        assert.strictEqual((yield* assay.materialize(all)).status, "succeeded")
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("of a warning check is reported and stops nothing", () =>
      Effect.gen(function* () {
        const heard = yield* Ref.make<ReadonlyArray<string>>([])
        const { assay, feed } = yield* shop({
          dailyChecks: [AssetCheck.warn(modest)],
          orderChecks: [AssetCheck.warn(AssetCheck.acceptedValues("store", Shop.stores))]
        })
        yield* feed.deliver(
          parcel("large", [order("6", "03-04", { amount: 1000 }), order("7", "03-04", { store: "south" })])
        )
        const result = yield* assay
          .materialize(all)
          .pipe(
            Effect.provideService(Progress.Listener, (progress) =>
              progress._tag === "Warned" ? Ref.update(heard, (known) => [...known, progress.message]) : Effect.void
            )
          )
        assert.strictEqual(result.status, "succeeded")
        const [first = "", second = "", ...rest] = yield* Ref.get(heard)
        assert.include(first, 'check "accepted values: store": 1 rows')
        assert.include(second, 'check "modest": 1 rows')
        assert.deepStrictEqual(rest, [])
      }))

    test("of a compute that answers for units it was not asked for", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop({ strayLabel: "south" })
        yield* feed.deliver(parcel("opening", opening))
        const result = yield* assay.materialize(all)
        assert.deepStrictEqual(trouble(result), { store_labels: "failed: DataQuality" })
        const label = result.outcomes.find(({ asset }) => asset === "store_labels")
        assert.include(label?.error?.message ?? "", "south")
        assert.deepStrictEqual(yield* rows(assay, "store_labels"), [])
      }))

    test("that passes is tried again, and the attempts are recorded", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", opening))
        const disturbance = yield* Disturbance
        yield* disturbance.set(yield* failing(2, new Transient({ message: "try again", code: undefined })))
        const result = yield* assay.materialize({ assets: ["store_totals"] })
        assert.strictEqual(result.status, "succeeded")
        const totals = (yield* steps(assay, result.runId)).filter(({ asset }) => asset === "store_totals")
        assert.deepStrictEqual(
          totals.map(({ attempts, status, units }) => [status, attempts, units]),
          [["succeeded", 3, 3]]
        )
      }))

    test("that does not pass is given up after the attempts that the policy grants", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", opening))
        const disturbance = yield* Disturbance
        yield* disturbance.set(yield* failing(3, new Transient({ message: "try again", code: undefined })))
        const announced = yield* Ref.make<ReadonlyArray<number>>([])
        const result = yield* assay
          .materialize({ assets: ["store_labels"] })
          .pipe(
            Effect.provideService(Progress.Listener, (progress) =>
              progress._tag === "Retrying"
                ? Ref.update(announced, (known) => [...known, progress.attempt])
                : Effect.void
            )
          )
        assert.deepStrictEqual(trouble(result), {
          store_totals: "failed: Transient",
          store_labels: "skipped: store_totals"
        })
        const totals = (yield* steps(assay, result.runId)).find(({ asset }) => asset === "store_totals")
        assert.deepInclude(totals, { status: "failed", attempts: 3, error: "try again", reason: "Transient" })
        // Behind the last attempt there is none that could be announced.
        assert.deepStrictEqual(yield* Ref.get(announced), [1, 2])
        assert.strictEqual((yield* assay.materialize(all)).status, "succeeded")
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("that cannot pass is not tried again", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", opening))
        const disturbance = yield* Disturbance
        yield* disturbance.set(yield* failing(1, new DefinitionFault({ message: "hopeless", code: undefined })))
        const result = yield* assay.materialize({ assets: ["store_totals"] })
        const totals = (yield* steps(assay, result.runId)).find(({ asset }) => asset === "store_totals")
        assert.deepInclude(totals, { status: "failed", attempts: 1, reason: "DefinitionFault" })
      }))

    test("of a full server halves the steps of the asset, and they stay small", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop({ policy: MaterializationPolicy.withStepSize(Shop.promptly, 2) })
        yield* feed.deliver(parcel("opening", opening))
        const disturbance = yield* Disturbance
        yield* disturbance.set(yield* failing(1, new ResourceExhausted({ message: "no room", code: "53200" })))
        const result = yield* assay.materialize({ assets: ["store_totals"] })
        assert.strictEqual(result.status, "succeeded")
        const totals = (yield* steps(assay, result.runId)).filter(({ asset }) => asset === "store_totals")
        assert.deepStrictEqual(
          totals.map(({ attempts, units }) => [attempts, units]),
          [
            [2, 1],
            [1, 1],
            [1, 1]
          ]
        )
      }))

    test("of a server that is too full for one step at a time halves what is left, beyond the attempts of the policy", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", opening))
        const disturbance = yield* Disturbance
        const noRoom = new ResourceExhausted({ message: "no room", code: "53200" })
        yield* disturbance.set(yield* failing(1, noRoom))
        const result = yield* assay.materialize({ assets: ["store_totals"] })
        const unitsOf = (asset: string) =>
          Effect.map(steps(assay, result.runId), (found) =>
            found.flatMap((step) => (step.asset === asset ? [[step.attempts, step.units]] : []))
          )
        // Three units were too many, whatever the policy would allow.
        assert.deepStrictEqual(yield* unitsOf("store_totals"), [
          [2, 1],
          [1, 1],
          [1, 1]
        ])
        yield* disturbance.set(Effect.fail(noRoom))
        const hopeless = yield* assay.materialize({ assets: ["store_totals"], force: true })
        assert.deepStrictEqual(trouble(hopeless), { store_totals: "failed: ResourceExhausted" })
        // Once halved to a single store, and then as often as the policy says.
        const [failed] = yield* steps(assay, hopeless.runId)
        assert.deepInclude(failed, { status: "failed", attempts: 4 })
      }))

    test("of a server without a free connection waits, and keeps the size of the steps", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", opening))
        const disturbance = yield* Disturbance
        yield* disturbance.set(yield* failing(1, new ResourceExhausted({ message: "no slot", code: "53300" })))
        const result = yield* assay.materialize({ assets: ["store_totals"] })
        const totals = (yield* steps(assay, result.runId)).filter(({ asset }) => asset === "store_totals")
        assert.deepStrictEqual(
          totals.map(({ attempts, units }) => [attempts, units]),
          [[2, 3]]
        )
      }))

    test("of a compute that dies is the asset's own, and the run goes on", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", opening))
        const disturbance = yield* Disturbance
        yield* disturbance.set(Effect.die(new Error("undefined is not a function")))
        const result = yield* assay.materialize(all)
        assert.deepStrictEqual(trouble(result), {
          store_totals: "failed: DefinitionFault",
          store_labels: "skipped: store_totals",
          store_ranking: "skipped: store_totals",
          store_archive: "skipped: store_ranking"
        })
        const totals = result.outcomes.find(({ asset }) => asset === "store_totals")
        assert.include(totals?.error?.message ?? "", "undefined is not a function")
        assert.strictEqual((yield* assay.runs({ limit: 1 }))[0]?.run.status, "failed")
      }))

    test("is recorded also while another asset is at work and then fails too", () =>
      Effect.gen(function* () {
        const failed = yield* Deferred.make<void>()
        const writing = yield* Deferred.make<void>()
        const lastFailure = Effect.andThen(Deferred.succeed(failed, undefined), Deferred.await(writing))
        const retry = Schedule.forever.pipe(
          Schedule.tap(({ attempt }) => (attempt === 3 ? lastFailure : Effect.void)),
          Schedule.while(({ attempt }) => attempt < 3)
        )
        const policy = MaterializationPolicy.make({ retry })
        const { assay, feed } = yield* shop({ dailyChecks: [modest], policy })
        yield* feed.deliver(parcel("large", [order("6", "03-04", { amount: 1000 })]))
        const disturbance = yield* Disturbance
        yield* disturbance.set(Effect.fail(new Transient({ message: "try again", code: undefined })))
        // The days begin when the totals have failed for good; that is recorded while the days are being written.
        const result = yield* assay.materialize({ assets: ["gold_daily", "store_totals"] }).pipe(
          Effect.provideService(Progress.Listener, (progress) =>
            progress._tag === "AssetStarted" && progress.asset === "gold_daily" ? Deferred.await(failed) : Effect.void
          ),
          Effect.provideService(FaultPoint.FaultPoint, (point) =>
            Effect.gen(function* () {
              if (point !== "beforeWrite" || !(yield* Deferred.isDone(failed))) return
              yield* Deferred.succeed(writing, undefined)
              yield* Effect.repeat(Effect.yieldNow, { times: 100 })
            })
          )
        )
        const records = yield* steps(assay, result.runId)
        assert.deepStrictEqual(
          records
            .filter(({ status }) => status === "failed")
            .map(({ asset }) => asset)
            .toSorted(),
          ["gold_daily", "store_totals"]
        )
      }))
  })

  describe(`an interruption (${name})`, () => {
    test("cancels the run and leaves nothing half done (Verifies: L3)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", opening))
        yield* assay.materialize({ assets: ["silver_orders"] })
        const disturbance = yield* Disturbance
        const reached = yield* Deferred.make<void>()
        yield* disturbance.set(Effect.andThen(Deferred.succeed(reached, undefined), Effect.never))
        yield* (yield* Time).set("2024-03-05T13:00:00Z")
        const fiber = yield* Effect.forkChild(assay.materialize({ assets: ["store_totals"] }))
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        const [summary] = yield* assay.runs({ limit: 1 })
        assert.deepInclude(summary?.run, { status: "cancelled", error: "interrupted" })
        assert.deepStrictEqual(
          (yield* steps(assay, summary?.run.runId)).map(({ asset, status, units }) => [asset, status, units]),
          [["store_totals", "cancelled", 0]]
        )
        assert.deepInclude((yield* assay.status(["store_totals"]))[0], { built: 0, rows: 0, missing: 3 })
        yield* disturbance.set(Effect.void)
        assert.strictEqual((yield* assay.materialize(all)).status, "succeeded")
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("whose process died ends, and is told of, although everything is up to date", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        const runs = yield* Runs
        const outbox = yield* Outbox
        const start = (runId: string, heartbeatAt: DateTime.Utc) =>
          runs.start({
            runId,
            status: "running",
            assets: ["gold_daily"],
            partitions: undefined,
            requestedBy: "test",
            why: "to die",
            startedAt: heartbeatAt,
            heartbeatAt,
            finishedAt: undefined,
            error: undefined
          })
        const now = yield* DateTime.now
        const statusOf = (runId: string) =>
          Effect.map(runs.get(runId), (found) => (found._tag === "Found" ? found.run.status : found._tag))
        // An event is read when every transaction before it has ended, also one of another test.
        const ends = (count: number) =>
          Effect.repeat(
            Effect.map(outbox.read({ limit: 1000 }), (entries) =>
              entries.flatMap(({ event }) =>
                event._tag === "RunFinished" && event.status === "cancelled" ? [event.runId] : []
              )
            ),
            { until: ({ length }) => length >= count }
          )
        yield* start("dead", DateTime.subtract(now, { minutes: 3 }))
        yield* start("alive", DateTime.subtract(now, { minutes: 1 }))
        assert.isUndefined((yield* assay.materialize(all)).runId)
        assert.deepStrictEqual([yield* statusOf("dead"), yield* statusOf("alive")], ["cancelled", "running"])
        assert.deepStrictEqual(yield* ends(1), ["dead"])
        yield* start("seen", DateTime.subtract(now, { minutes: 3 }))
        const listed = yield* assay.runs({ limit: 10 })
        assert.strictEqual(listed.find(({ run }) => run.runId === "seen")?.run.status, "cancelled")
        assert.deepStrictEqual(yield* ends(2), ["dead", "seen"])
      }))

    test("that nobody recorded is recorded when the heartbeat has stopped for long", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        const runs = yield* Runs
        const [summary] = yield* assay.runs({ limit: 1 })
        assert.isDefined(summary)
        if (summary === undefined) return
        yield* runs.start({ ...summary.run, runId: "dead", status: "running", finishedAt: undefined })
        yield* feed.deliver(parcel("more", [order("6", "03-04")]))
        yield* (yield* Time).set("2024-03-05T12:01:59Z")
        yield* assay.materialize({ assets: ["bronze_orders"] })
        const dead = Effect.map(assay.run("dead"), (found) => (found._tag === "Found" ? found.run.status : found._tag))
        assert.strictEqual(yield* dead, "running")
        yield* (yield* Time).set("2024-03-05T12:02:01Z")
        yield* assay.materialize({ assets: ["silver_orders"] })
        assert.strictEqual(yield* dead, "cancelled")
      }))
  })

  describe(`landing (${name})`, () => {
    const broken: Feed.Parcel<Shop.Order> = {
      origin: "broken",
      batches: [
        { rows: lines("broken", opening.slice(0, 2)) },
        { rows: lines("broken", opening.slice(2, 3), 3), rejected: [rejected("broken", 4, "order four")] },
        { rows: lines("broken", opening.slice(4), 5) }
      ],
      breaks: { after: 2, kind: "Transient" }
    }

    test("goes on behind the last batch that landed, and lands each row once (Verifies: L4)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(broken)
        const first = yield* assay.materialize({ assets: ["silver_orders"] })
        assert.deepStrictEqual(trouble(first), {
          bronze_orders: "failed: Transient",
          silver_orders: "skipped: bronze_orders"
        })
        const outcome = first.outcomes.find(({ asset }) => asset === "bronze_orders")
        assert.deepInclude(outcome, { inserted: 3, quarantined: 1 })
        const [landing] = yield* steps(assay, first.runId)
        assert.deepInclude(landing, { status: "failed", attempts: 3, rowsRead: 4, rowsInserted: 3, rowsQuarantined: 1 })
        yield* feed.mend("broken")
        const second = yield* assay.materialize(all)
        assert.strictEqual(second.status, "succeeded")
        assert.deepStrictEqual(
          (yield* rows(assay, "bronze_orders")).map(([origin, line]) => [origin, line]),
          ["1", "2", "3", "5"].map((line) => ["broken", line])
        )
        assert.deepStrictEqual(
          (yield* assay.quarantined({ limit: 10 })).map(({ line }) => line),
          [4]
        )
        assert.strictEqual((yield* assay.materialize(all)).steps, 0)
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("that goes on within its attempts records everything it landed", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(broken)
        const result = yield* assay
          .materialize({ assets: ["bronze_orders"] })
          .pipe(
            Effect.provideService(Progress.Listener, (progress) =>
              progress._tag === "Retrying" ? feed.mend("broken") : Effect.void
            )
          )
        assert.strictEqual(result.status, "succeeded")
        assert.deepInclude(result.outcomes[0], { steps: 1, inserted: 4, quarantined: 1, read: 5 })
        const [landing] = yield* steps(assay, result.runId)
        assert.deepInclude(landing, {
          status: "succeeded",
          attempts: 2,
          rowsRead: 5,
          rowsInserted: 4,
          rowsQuarantined: 1
        })
      }))

    test("of a shape that does not fit fails the source, lands the rest and skips what depends on it", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver({ ...parcel("odd", opening.slice(0, 1)), breaks: { after: 0, kind: "SchemaMismatch" } })
        yield* feed.deliver(parcel("fine", opening.slice(1)))
        const result = yield* assay.materialize({ assets: ["silver_orders"] })
        assert.deepStrictEqual(trouble(result), {
          bronze_orders: "failed: SchemaMismatch",
          silver_orders: "skipped: bronze_orders"
        })
        assert.strictEqual((yield* rows(assay, "bronze_orders")).length, 4)
        yield* feed.mend("odd")
        assert.strictEqual((yield* assay.materialize(all)).status, "succeeded")
        assert.strictEqual((yield* rows(assay, "bronze_orders")).length, 5)
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("of a source that cannot be looked at fails the source, and the run is recorded", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* (yield* Time).set("2024-03-05T13:00:00Z")
        yield* feed.hide("SchemaMismatch")
        const failed = yield* assay.materialize({ assets: ["store_labels"] })
        assert.deepStrictEqual(trouble(failed), {
          bronze_orders: "failed: SchemaMismatch",
          silver_orders: "skipped: bronze_orders",
          store_totals: "skipped: silver_orders",
          store_labels: "skipped: store_totals"
        })
        assert.strictEqual((yield* assay.runs({ limit: 1 }))[0]?.run.runId, failed.runId)
        assert.strictEqual((yield* Effect.flip(assay.plan(all)))._tag, "SchemaMismatch")
        yield* feed.hide("Unreadable")
        assert.strictEqual((yield* Effect.flip(assay.materialize(all)))._tag, "DefinitionFault")
        assert.strictEqual((yield* assay.runs({ limit: 1 }))[0]?.run.runId, failed.runId)

        yield* feed.deliver(parcel("more", [order("6", "03-04")]))
        yield* feed.hide("Transient")
        const mended = yield* assay
          .materialize(all)
          .pipe(
            Effect.provideService(Progress.Listener, (progress) =>
              progress._tag === "Retrying" ? feed.hide(undefined) : Effect.void
            )
          )
        assert.deepInclude(built(mended), { bronze_orders: 1, silver_orders: 1 })
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("that a blocking check refuses lands nothing of the batch (Verifies: L11)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop({ orderChecks: [AssetCheck.acceptedValues("store", Shop.stores)] })
        yield* feed.deliver(parcel("south", [order("1", "03-01"), order("2", "03-01", { store: "south" })]))
        assert.strictEqual((yield* assay.materialize(all)).status, "failed")
        assert.deepStrictEqual(yield* rows(assay, "bronze_orders"), [])
      }))

    test("leaves out what a rewritten delivery repeats (Verifies: L4)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("file", opening.slice(0, 3)))
        yield* assay.materialize(all)
        yield* feed.deliver({ ...parcel("rewritten", opening), knownBy: ["order_id", "seen_at"] })
        const result = yield* assay.materialize({ assets: ["silver_orders"] })
        assert.deepStrictEqual(built(result), { bronze_orders: 1, silver_orders: 2 })
        const [landing] = yield* steps(assay, result.runId)
        assert.deepInclude(landing, { rowsRead: 5, rowsInserted: 2, rowsUnchanged: 3 })
      }))

    test("of quarantined rows read by better rules reaches everything downstream (Verifies: L4)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver({
          origin: "odd",
          batches: [{ rows: [], rejected: [rejected("odd", 1, "order six"), rejected("odd", 2, "gibberish")] }]
        })
        yield* assay.materialize(all)
        assert.strictEqual((yield* assay.materialize(all)).steps, 0)
        const [six] = lines("odd", [order("6", "03-04", { store: "west", customer: "bob" })])
        if (six !== undefined) yield* feed.admit("order six", six)
        assert.deepStrictEqual(yield* assay.replay(), { tried: 2, landed: 1 })
        assert.deepStrictEqual(
          (yield* assay.quarantined({ limit: 10 })).map(({ raw, reasons }) => [raw, reasons]),
          [["gibberish", ["still not an order"]]]
        )
        const result = yield* assay.materialize(all)
        assert.deepInclude(built(result), { silver_orders: 1, gold_daily: 1, store_totals: 1 })
        assert.deepStrictEqual(yield* assay.replay(), { tried: 1, landed: 0 })
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))
  })

  describe(`verifying (${name})`, () => {
    test("finds rows that a recompute does not yield (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        const disturbance = yield* Disturbance
        yield* disturbance.charge(1)
        const found = yield* lies(assay)
        assert.deepStrictEqual(
          found.map(({ asset }) => asset),
          ["store_totals"]
        )
        assert.include(found[0]?.examples.join() ?? "", "missing")
        assert.include(found[0]?.examples.join() ?? "", "unexpected")
        assert.deepStrictEqual(
          (yield* lies(assay, { strict: true })).map(({ asset }) => asset),
          ["store_totals"]
        )
      }))

    test("leaves stale units out, and refuses them where it is strict (Verifies: L1, L2)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("more", [order("6", "03-04", { store: "west" })]))
        yield* assay.materialize({ assets: ["silver_orders"] })
        assert.deepStrictEqual(yield* lies(assay), [])
        const strict = yield* lies(assay, { strict: true })
        assert.deepInclude(
          strict.find(({ asset }) => asset === "store_totals"),
          { stale: 1, missing: 0 }
        )
        assert.isUndefined(strict.find(({ asset }) => asset === "silver_orders"))
      }))
  })
}

// --- internal ---

const modest = AssetCheck.condition("modest", {
  sql: sql`amount < 100`,
  holds: ({ amount }) => typeof amount === "number" && amount < 100
})

function rejected(origin: string, line: number, raw: string) {
  return { origin, line, raw, reasons: ["not an order"], context: null }
}
