import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Costs from "../../benchmark/Costs.ts"

describe("the costs of the billing warehouse", () => {
  it.effect("are what was committed to, and the rows those of hand-written SQL (Verifies: L1, L6)", () =>
    Effect.gen(function* () {
      const found = yield* TestClock.withLive(Costs.measure)
      assert.deepStrictEqual(
        Costs.differences(found, Costs.expected()),
        [],
        "a stage costs another amount of work; if that is meant: node packages/billing-assets/benchmark/Costs.ts --write"
      )
    })
  )

  it("differ where a stage takes many more statements, far fewer pages, or is missing", () => {
    const cost = { statements: 100, touches: 10_000, walKb: 1000 }
    assert.deepStrictEqual(Costs.differences({ late: cost }, { late: cost }), [])
    assert.deepStrictEqual(
      Costs.differences({ late: { ...cost, statements: 116, touches: 11_000 } }, { late: cost }),
      []
    )
    assert.deepStrictEqual(Costs.differences({ late: { ...cost, statements: 120, touches: 6000 } }, { late: cost }), [
      "late takes 120 statements, where 100 were expected",
      "late takes 6000 touches of pages, where 10000 were expected"
    ])
    assert.deepStrictEqual(Costs.differences({}, { late: cost }), ["late is measured no more"])
  })
})
