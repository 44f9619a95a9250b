/**
 * Why a unit is as it is, asked of a shop that is opened, changed and brought up to date; and which assets a selection by
 * state finds meanwhile. Every storage must pass this suite.
 */
import type * as Assay from "@assay/core/Assay"
import * as AssetSelection from "@assay/core/AssetSelection"
import { DefinitionFault } from "@assay/core/MaterializationError"
import { formatCause } from "@assay/core/ledger/StaleSets"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Disturbance } from "../shop/Disturbance.ts"
import { Time } from "../shop/Storage.ts"
import { order, parcel, shop } from "../shop/Trade.ts"
import type { Test } from "./EngineSuite.ts"

const explained = (assay: typeof Assay.Assay.Service, asset: string, unit?: string) =>
  Effect.map(assay.why({ asset, unit }), (told) => ({
    unit: told.unit,
    state: told.state,
    next: told.next._tag,
    runId: told.built?.runId,
    automation: told.automation?.isTrue,
    reasons: told.reasons.map(({ cause, runId }) => [formatCause(cause), runId])
  }))

/** A time of the day on which the shop is opened, so that what comes later is known to. */
const at = (time: string) => Effect.flatMap(Time, ({ set }) => set(`2024-03-05T${time}Z`))

export const suite = (name: string, test: Test) => {
  describe(`an explanation (${name})`, () => {
    test("follows a day from before it exists until it is fresh again", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        const day = "2024-03-03"
        const bare = { unit: day, runId: undefined, reasons: [] }
        assert.deepStrictEqual(yield* explained(assay, "gold_daily", "2024-03-09"), {
          ...bare,
          unit: "2024-03-09",
          state: "toCome",
          next: "Exist",
          automation: false
        })
        assert.deepStrictEqual(yield* explained(assay, "gold_daily", day), {
          ...bare,
          state: "missing",
          next: "Build",
          automation: true
        })

        yield* feed.deliver(parcel("opening", [order("1", "03-03")]))
        const { runId: first } = yield* assay.materialize({})
        const fresh = { ...bare, state: "fresh", next: "Nothing", automation: false } as const
        assert.deepStrictEqual(yield* explained(assay, "gold_daily", day), { ...fresh, runId: first })

        yield* at("12:00:01")
        yield* feed.deliver(parcel("late", [order("2", "03-03")]))
        const { runId: second } = yield* assay.materialize({ assets: ["silver_orders"] })
        assert.deepStrictEqual(yield* explained(assay, "gold_daily", day), {
          unit: day,
          state: "stale",
          next: "Build",
          runId: first,
          automation: true,
          reasons: [["silver_orders changed", second]]
        })
        // Without a unit, the last one that is due is explained.
        assert.strictEqual((yield* assay.why({ asset: "gold_daily" })).unit, day)

        yield* at("12:00:02")
        const { runId: third } = yield* assay.materialize({ select: "gold_daily" })
        assert.deepStrictEqual(yield* explained(assay, "gold_daily", day), { ...fresh, runId: third })
        assert.strictEqual((yield* assay.why({ asset: "gold_daily" })).unit, "2024-03-05")
      }))

    test("explains a key by its own mark", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", [order("1", "03-03")]))
        yield* assay.materialize({})
        yield* feed.deliver(parcel("late", [order("2", "03-03", { customer: "bob" })]))
        yield* assay.materialize({ assets: ["bronze_orders"] })
        const state = (unit?: string) => Effect.map(explained(assay, "silver_orders", unit), (told) => told.state)
        assert.deepStrictEqual([yield* state("2"), yield* state("1"), yield* state()], ["stale", "fresh", "stale"])
        const source = yield* explained(assay, "bronze_orders")
        assert.deepStrictEqual([source.state, source.next, source.automation], ["source", "Nothing", undefined])
      }))

    test("says which asset is unknown, and that one unit is explained at a time", () =>
      Effect.gen(function* () {
        const { assay } = yield* shop()
        assert.include((yield* Effect.flip(assay.why({ asset: "gold_dialy" }))).message, "gold_daily")
        const range = yield* Effect.flip(assay.why({ asset: "gold_daily", unit: "2024-02" }))
        assert.include(range.message, '"2024-02" stands for 29 partitions, and one is explained at a time')
        assert.strictEqual((yield* assay.why({ asset: "gold_daily", unit: "latest" })).unit, "2024-03-05")
      }))
  })

  describe(`a selection by state (${name})`, () => {
    test("asks the ledger: missing, then stale, then failed, then none", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        const among = (status: AssetSelection.Status) =>
          assay.select(
            AssetSelection.intersection(
              AssetSelection.names("gold_daily", "mart_monthly"),
              AssetSelection.status(status)
            )
          )
        const states = Effect.all([among("missing"), among("stale"), among("failed")])
        assert.deepStrictEqual(yield* states, [["gold_daily", "mart_monthly"], [], []])
        yield* feed.deliver(parcel("opening", [order("1", "02-10")]))
        yield* assay.materialize({})
        assert.deepStrictEqual(yield* states, [[], [], []])
        yield* feed.deliver(parcel("late", [order("2", "02-10")]))
        yield* assay.materialize({ assets: ["silver_orders"] })
        assert.deepStrictEqual(yield* states, [[], ["gold_daily"], []])

        yield* at("12:00:01")
        const disturbance = yield* Disturbance
        yield* disturbance.set(Effect.fail(new DefinitionFault({ message: "no", code: undefined })))
        yield* assay.materialize({ assets: ["store_totals"] })
        yield* disturbance.set(Effect.void)
        assert.include(yield* assay.select("status:failed"), "store_totals")
        assert.deepStrictEqual(
          (yield* assay.status("status:failed and store_totals")).map(({ asset }) => asset),
          ["store_totals"]
        )
        yield* at("12:00:02")
        yield* assay.materialize({ select: "status:stale or status:failed" })
        assert.deepStrictEqual(yield* assay.select("status:failed"), [])
        assert.deepStrictEqual(
          (yield* assay.verify({ select: "gold_daily" })).map(({ asset, isOk }) => [asset, isOk]),
          [["gold_daily", true]]
        )
      }))
  })
}
