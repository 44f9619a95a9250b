import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Days from "../../benchmark/Days.ts"
import { layer } from "../../benchmark/Workbench.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const size = { seed: 7, days: 16, customers: 20, invoices: 12 }

/** Thirty days are longer than this feed: such a lookback reads all of it each time, and is right. */
const reachesBackOverAll = ({ name }: { readonly name: string }): boolean => name.includes("30 days")

it.layer(TestDatabase.layer)("a feed with late, corrected, moved and deleted rows", (it) => {
  it.effect(
    "is exact through Assay and wrong through every alternative that does not read all (Verifies: L1, L5)",
    () =>
      Effect.gen(function* () {
        const { results, whole } = yield* TestClock.withLive(Days.run({ size, trials: Days.trials }))
        assert.isAbove(whole.cells, size.days)
        assert.deepStrictEqual(
          results.map(({ trial }) => trial.name),
          ["lookback", "partitions", "scd2"]
        )
        for (const { outcomes } of results) {
          const own = outcomes.filter(({ name }) => name === "Assay")
          assert.deepStrictEqual(
            own.map(({ cells, days, off }) => [cells, days, off]),
            [[0, 0, "0.00"]]
          )
          const others = outcomes.filter((outcome) => outcome.name !== "Assay" && !reachesBackOverAll(outcome))
          assert.isAtLeast(others.length, 3)
          for (const { cells, days, name, off } of others) {
            assert.isAbove(cells, 0, name)
            assert.isAbove(days, 0, name)
            assert.isAbove(Number(off), 0, name)
          }
        }
      }).pipe(Effect.provide(layer("days")))
  )
})
