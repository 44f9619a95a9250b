/**
 * What adding and removing keys of dynamic partitions means for what is built, planned and asked. Every storage must pass
 * this suite.
 */
import type * as Assay from "@assay/core/Assay"
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import { Materializations } from "@assay/core/ledger/Materializations"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import * as Plan from "@assay/core/planning/Plan"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { Test } from "../execution/EngineSuite.ts"
import { built, lies, order, parcel, planned, rows, trouble } from "../shop/Trade.ts"
import { regions } from "./Regions.ts"

const all = { assets: [] }

export const opening = [
  order("1", "02-01", { amount: 100, store: "north" }),
  order("2", "02-02", { amount: 20, store: "east" }),
  order("3", "02-03", { amount: 3, store: "west", customer: "bob" })
]

/** Two regions, filled and built once; nobody has opened the west. */
export const running = (options: Parameters<typeof regions>[0] = {}) =>
  Effect.gen(function* () {
    const opened = yield* regions(options)
    yield* opened.assay.addPartitions("regions", ["north", "east"])
    yield* opened.feed.deliver(parcel("opening", opening))
    assert.deepStrictEqual(trouble(yield* opened.assay.materialize(all)), {})
    return opened
  })

const marked = (asset: string) =>
  Effect.flatMap(StaleSets, (staleSets) => Effect.map(staleSets.units(asset), (units) => units.map(({ unit }) => unit)))

const recorded = (asset: string) => Effect.flatMap(Materializations, (records) => records.units(asset))

/** Runs everything, and finds all of it right and nothing left to do. */
export const settled = (assay: typeof Assay.Assay.Service) =>
  Effect.gen(function* () {
    const result = yield* assay.materialize(all)
    assert.deepStrictEqual(trouble(result), {})
    assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    assert.strictEqual((yield* assay.materialize(all)).steps, 0)
    return built(result)
  })

export const suite = (name: string, test: Test) => {
  describe(`a key that is added (${name})`, () => {
    test("is missing until it is built, and what reads all of them follows (Verifies: L1, L6)", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        assert.deepStrictEqual(yield* rows(assay, "total"), [["total", "120"]])
        assert.deepStrictEqual(yield* assay.addPartitions("regions", ["west", "north"]), ["west"])
        const [sales] = yield* assay.status(["sales"])
        assert.deepInclude(sales, { existing: 3, built: 2, missing: 1, stale: 0 })
        assert.deepStrictEqual(yield* assay.select("status:missing"), ["sales", "signs", "posters"])
        const plan = yield* assay.plan(all)
        assert.deepInclude(planned(plan), { sales: 1, signs: 1, posters: 1 })
        assert.include(Plan.explain(plan).join("\n"), "1 partition of 3 (west)")
        assert.deepStrictEqual(yield* settled(assay), { sales: 1, signs: 1, posters: 1, total: 1, shown_total: 1 })
        assert.deepStrictEqual(yield* rows(assay, "sales"), [
          ["east", "20"],
          ["north", "100"],
          ["west", "3"]
        ])
        assert.deepStrictEqual(yield* rows(assay, "total"), [["total", "123"]])
        assert.deepStrictEqual(yield* rows(assay, "sales", "west"), [["west", "3"]])
      }))

    test("twice is added once, and leaves no work (Verifies: L6)", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        assert.deepStrictEqual(yield* assay.addPartitions("regions", ["east", "east"]), [])
        assert.strictEqual((yield* assay.materialize(all)).steps, 0)
      }))

    test("of another name changes nothing for these", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        assert.deepStrictEqual(yield* assay.addPartitions("customers", ["ann"]), ["ann"])
        assert.deepStrictEqual(yield* settled(assay), { customers: 1, pairs: 2, pair_total: 1 })
        assert.deepStrictEqual(yield* rows(assay, "customers"), [["ann", "120"]])
      }))

    test("has all that came before it, although nothing was marked then (Verifies: L4)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("more", [order("4", "02-04", { amount: 4, store: "west" })]))
        yield* assay.materialize(all)
        assert.deepStrictEqual(yield* marked("sales"), [])
        yield* assay.addPartitions("regions", ["west"])
        yield* settled(assay)
        assert.deepStrictEqual(yield* rows(assay, "sales", "west"), [["west", "7"]])
      }))

    test("is known to everybody, whatever graph he has, and to the code that was there before (Verifies: L8)", () =>
      Effect.gen(function* () {
        const { assay, reopen } = yield* running()
        const other = yield* reopen({})
        yield* other.addPartitions("regions", ["west"])
        const definition = (of: typeof assay) => of.graph.assets.get("sales")?.codeVersion
        assert.strictEqual(definition(assay), definition(other))
        assert.deepStrictEqual(yield* settled(assay), { sales: 1, signs: 1, posters: 1, total: 1, shown_total: 1 })
        assert.strictEqual((yield* other.materialize(all)).steps, 0)
      }))

    test("comes behind those that were there, and the last one is the latest", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        yield* assay.addPartitions("regions", ["a", "west"])
        const { keys } = yield* assay.partitions("regions")
        assert.deepStrictEqual(
          keys.map(({ builtBy, key }) => [key, builtBy]),
          [
            ["north", ["sales", "signs", "posters"]],
            ["east", ["sales", "signs", "posters"]],
            ["a", []],
            ["west", []]
          ]
        )
        assert.strictEqual((yield* assay.why({ asset: "sales", unit: "latest" })).unit, "west")
      }))
  })

  describe(`a key that is removed (${name})`, () => {
    test("is taken back by the next run, and what reads it follows (Verifies: L1, L6)", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        assert.deepStrictEqual(yield* assay.removePartitions("regions", ["east", "nowhere"]), ["east"])
        assert.deepStrictEqual(yield* lies(assay), [])
        const plan = yield* assay.plan({ assets: ["sales"] })
        assert.include(Plan.explain(plan).join("\n"), "1 key removed")
        assert.include(Plan.explain(plan).join("\n"), "east: no partitions any more, so its rows are removed")
        const result = yield* assay.materialize(all)
        assert.deepStrictEqual(trouble(result), {})
        // North was not reached, so nothing of it was built again.
        assert.deepStrictEqual(built(result), { sales: 0, signs: 0, posters: 0, total: 1, shown_total: 1, home: 1 })
        assert.deepStrictEqual(yield* rows(assay, "sales"), [["north", "100"]])
        assert.deepStrictEqual(yield* rows(assay, "signs"), [["north", "north: 100"]])
        assert.deepStrictEqual(yield* rows(assay, "posters"), [["north", "north: 100"]])
        assert.deepStrictEqual(yield* rows(assay, "total"), [["total", "100"]])
        assert.deepStrictEqual(yield* rows(assay, "home"), [["north", "north: 100"]])
        assert.deepStrictEqual(yield* recorded("sales"), ["north"])
        assert.deepStrictEqual(yield* marked("sales"), [])
        yield* settled(assay)
      }))

    test("and added again after that is missing, and built whole (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* assay.removePartitions("regions", ["east"])
        yield* assay.materialize(all)
        yield* feed.deliver(parcel("more", [order("4", "02-04", { amount: 4, store: "east" })]))
        yield* assay.materialize(all)
        yield* assay.addPartitions("regions", ["east"])
        assert.deepInclude((yield* assay.status(["sales"]))[0], { existing: 2, missing: 1 })
        yield* settled(assay)
        assert.deepStrictEqual(yield* rows(assay, "sales"), [
          ["east", "24"],
          ["north", "100"]
        ])
      }))

    test("and added again before anybody took it back has missed nothing (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* assay.removePartitions("regions", ["east"])
        yield* feed.deliver(parcel("more", [order("4", "02-04", { amount: 4, store: "east" })]))
        yield* assay.materialize({ assets: ["silver_orders"] })
        yield* assay.addPartitions("regions", ["east"])
        assert.deepStrictEqual(yield* lies(assay), [])
        assert.deepStrictEqual(yield* assay.select("status:stale"), ["sales", "signs", "posters"])
        yield* settled(assay)
        assert.deepStrictEqual(yield* rows(assay, "signs"), [
          ["east", "east: 24"],
          ["north", "north: 100"]
        ])
      }))

    test("is stale when it comes back for an asset that only another graph has (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay, feed, reopen } = yield* running()
        const other = yield* reopen({ without: ["signs"] })
        yield* other.removePartitions("regions", ["east"])
        yield* feed.deliver(parcel("more", [order("4", "02-04", { amount: 4, store: "east" })]))
        yield* assay.materialize({ assets: ["silver_orders"] })
        yield* other.addPartitions("regions", ["east"])
        assert.deepStrictEqual(yield* assay.select("status:stale"), ["sales", "signs", "posters"])
        yield* settled(assay)
      }))

    test("with all the others leaves nothing, and the name goes on", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        yield* assay.removePartitions("regions", ["north", "east"])
        yield* settled(assay)
        assert.deepStrictEqual(yield* rows(assay, "sales"), [])
        assert.deepStrictEqual(yield* rows(assay, "total"), [])
        yield* assay.addPartitions("regions", ["west"])
        yield* settled(assay)
        assert.deepStrictEqual(yield* rows(assay, "shown_total"), [["total", "3"]])
      }))

    test("is refused by the texts of requests", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        yield* assay.removePartitions("regions", ["east"])
        const error = yield* Effect.flip(assay.plan({ assets: ["sales"], partitions: "east" }))
        assert.include(error.message, '"east"')
        assert.include(error.message, "north")
      }))
  })

  describe(`a run under way (${name})`, () => {
    /** Pauses the first step that passes a point, for the length of an effect. */
    const during = (point: FaultPoint.Point, count: number, change: Effect.Effect<unknown, unknown>) =>
      Effect.gen(function* () {
        const passed = yield* Ref.make(0)
        return (at: FaultPoint.Point) =>
          Effect.flatMap(at === point ? Ref.updateAndGet(passed, (times) => times + 1) : Effect.succeed(0), (times) =>
            times === count ? Effect.asVoid(Effect.orDie(change)) : Effect.void
          )
      })

    test("keeps the keys that it began with; one that is added meanwhile waits for the next (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("more", [order("4", "02-04", { amount: 4, store: "west" })]))
        const pause = yield* during("afterCommit", 1, assay.addPartitions("regions", ["west"]))
        const result = yield* assay.materialize(all).pipe(Effect.provideService(FaultPoint.FaultPoint, pause))
        assert.deepStrictEqual(trouble(result), {})
        assert.isUndefined(built(result)["sales"])
        assert.deepStrictEqual(yield* lies(assay), [])
        assert.deepStrictEqual((yield* settled(assay))["sales"], 1)
        assert.deepStrictEqual(yield* rows(assay, "sales", "west"), [["west", "7"]])
      }))

    test("does not build what was removed since it began (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* running()
        yield* feed.deliver(parcel("more", [order("4", "02-04", { amount: 4, store: "east" })]))
        const pause = yield* during("afterCommit", 1, assay.removePartitions("regions", ["east"]))
        const result = yield* assay.materialize(all).pipe(Effect.provideService(FaultPoint.FaultPoint, pause))
        assert.deepStrictEqual(trouble(result), {})
        // As they were before the run: neither built again nor taken back yet.
        assert.deepStrictEqual(yield* rows(assay, "sales"), [
          ["east", "20"],
          ["north", "100"]
        ])
        assert.deepStrictEqual(yield* lies(assay), [])
        yield* settled(assay)
        assert.deepStrictEqual(yield* rows(assay, "sales"), [["north", "100"]])
      }))

    test("takes nothing back that was added and built since it began (Verifies: L2, L6)", () =>
      Effect.gen(function* () {
        const { assay, feed, reopen } = yield* running()
        const other = yield* reopen({})
        yield* feed.deliver(parcel("more", [order("4", "02-04", { amount: 4, store: "north" })]))
        const build = Effect.andThen(
          other.addPartitions("regions", ["west"]),
          other.materialize({ assets: ["sales"], upstream: false })
        )
        const pause = yield* during("afterCommit", 1, build)
        const result = yield* assay.materialize(all).pipe(Effect.provideService(FaultPoint.FaultPoint, pause))
        assert.deepStrictEqual(trouble(result), {})
        assert.deepStrictEqual(yield* recorded("sales"), ["east", "north", "west"])
        assert.deepStrictEqual(yield* rows(assay, "total"), [["total", "127"]])
        assert.deepStrictEqual(yield* lies(assay), [])
        yield* settled(assay)
      }))
  })

  describe(`a wrong key or name (${name})`, () => {
    test("is refused with what was wrong and what would be right", () =>
      Effect.gen(function* () {
        const { assay } = yield* running()
        const refusal = (key: string) =>
          Effect.map(Effect.flip(assay.addPartitions("regions", ["south", key])), ({ message }) => message)
        assert.strictEqual(
          yield* refusal("a|b"),
          'invalid partitions in the dynamic partitions "regions": the key "a|b" holds "|", which stands between the ' +
            'dimensions of a key; expected keys of 1 to 200 bytes without "|", commas, line breaks and outer spaces, ' +
            'other than "all", "latest" and "*"'
        )
        assert.include(yield* refusal(""), "is empty")
        assert.include(yield* refusal("a,b"), "comma")
        assert.include(yield* refusal("a\nb"), "line break")
        assert.include(yield* refusal(" a"), "space")
        assert.include(yield* refusal("latest"), "word of ranges")
        assert.include(yield* refusal("ä".repeat(101)), "202 bytes")
        assert.deepStrictEqual(yield* assay.addPartitions("regions", ["ä".repeat(100)]), ["ä".repeat(100)])
        assert.strictEqual((yield* assay.partitions("regions")).keys.length, 3)
        const unknown = yield* Effect.flip(assay.addPartitions("region", ["south"]))
        assert.strictEqual(
          unknown.message,
          'There are no dynamic partitions "region". Did you mean "regions"? The names are customers, regions.'
        )
      }))
  })
}
