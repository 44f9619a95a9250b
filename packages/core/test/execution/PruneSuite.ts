/**
 * What the engine still knows and does after its past was forgotten. Every storage must pass this suite.
 */
import { Outbox } from "@assay/core/ledger/Outbox"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Time } from "../shop/Storage.ts"
import { lies, order, parcel, rows, shop, trouble } from "../shop/Trade.ts"
import type { Test } from "./EngineSuite.ts"

const all = { assets: [] }

export const suite = (name: string, test: Test) => {
  describe(`a ledger that was pruned (${name})`, () => {
    test("knows the last run of each asset, where assets stand and why, and goes on (Verifies: L1, L2)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        const outbox = yield* Outbox
        for (const [index, day] of ["02-01", "02-02", "02-03", "02-04"].entries()) {
          yield* (yield* Time).set(`2024-03-0${index + 1}T12:00:00Z`)
          yield* feed.deliver(parcel(day, [order(day, day, { amount: 10 })]))
          assert.deepStrictEqual(trouble(yield* assay.materialize(all)), {})
        }
        yield* (yield* Time).set("2024-06-10T12:00:00Z")
        const before = yield* assay.runs({ limit: 100 })
        const status = yield* assay.status()
        const sales = yield* rows(assay, "gold_daily")
        const counted = yield* assay.prune({ olderThan: "90 days", dryRun: true })
        assert.isAbove(counted.runs, 0)
        assert.isAbove(counted.steps, counted.runs)
        assert.isAbove(counted.events, counted.steps)
        assert.isUndefined(counted.quarantined)
        assert.strictEqual((yield* assay.runs({ limit: 100 })).length, before.length)
        const pruned = yield* assay.prune({ olderThan: "90 days", batchSize: 3 })
        assert.deepStrictEqual(pruned, counted)
        const after = yield* assay.runs({ limit: 100 })
        assert.strictEqual(after.length, before.length - pruned.runs)
        assert.deepStrictEqual(after[0], before[0])
        // The last steps are in the reports, which are those from before.
        assert.deepStrictEqual(yield* assay.status(), status)
        assert.deepStrictEqual(yield* outbox.read({ limit: 10 }), [])
        assert.deepStrictEqual(yield* rows(assay, "gold_daily"), sales)
        const why = yield* assay.why({ asset: "gold_daily", unit: "2024-02-01" })
        assert.strictEqual(why.unit, "2024-02-01")
        const gone = before.find(({ run }) => !after.some((other) => other.run.runId === run.runId))
        assert.strictEqual((yield* assay.run(gone?.run.runId ?? ""))._tag, "NotFound")
        assert.deepStrictEqual(yield* lies(assay), [])
        const nothing = yield* assay.prune({ olderThan: "90 days" })
        assert.deepInclude(nothing, { runs: 0, steps: 0, events: 0 })
        yield* feed.deliver(parcel("more", [order("more", "02-01", { amount: 5 })]))
        assert.deepStrictEqual(trouble(yield* assay.materialize(all)), {})
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }))

    test("keeps runs that are running, whatever their age", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(parcel("opening", [order("1", "02-01")]))
        const during = yield* assay
          .materialize(all)
          .pipe(Effect.andThen(Effect.andThen((yield* Time).set("2024-09-01T12:00:00Z"), assay.runs({ limit: 10 }))))
        assert.isAbove((yield* assay.prune({ olderThan: "30 days" })).events, 0)
        assert.strictEqual((yield* assay.runs({ limit: 10 })).length, during.length)
      }))
  })
}
