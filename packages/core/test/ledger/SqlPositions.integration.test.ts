import { Positions } from "@assay/core/ledger/Positions"
import { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { postgres, waiting } from "./layers.ts"
import { advance, suite, values } from "./PositionsSuite.ts"

suite("postgres", postgres)

describe("two landings of one origin", () => {
  /** The first moves the position and ends as told, while the second waits for it on another connection. */
  const race = <E>(asset: string, from: number | undefined, end: Effect.Effect<void, E>) =>
    Effect.gen(function* () {
      const transactor = yield* Transactor
      const isMoved = yield* Deferred.make<void>()
      const isSecondWaiting = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(
        transactor.transact(
          Effect.gen(function* () {
            const moved = yield* advance(asset, from, 1)
            yield* Deferred.succeed(isMoved, undefined)
            yield* Deferred.await(isSecondWaiting)
            yield* end
            return moved
          })
        )
      )
      yield* Deferred.await(isMoved)
      const second = yield* Effect.forkChild(transactor.transact(advance(asset, from, 2)))
      yield* waiting(1)
      yield* Deferred.succeed(isSecondWaiting, undefined)
      const results = yield* Effect.all([Effect.exit(Fiber.join(first)), Fiber.join(second)])
      return [results[0]._tag === "Success" && results[0].value, results[1]] as const
    })

  it.layer(postgres)((it) => {
    it.effect("only the first begins an origin (Verifies: L8)", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* race("begun", undefined, Effect.void), [true, false])
        assert.deepStrictEqual(yield* values("begun"), [1])
      })
    )

    it.effect("only the first moves on from a value (Verifies: L8)", () =>
      Effect.gen(function* () {
        yield* advance("moved", undefined, 0)
        assert.deepStrictEqual(yield* race("moved", 0, Effect.void), [true, false])
        assert.deepStrictEqual(yield* values("moved"), [1])
      })
    )

    it.effect("the second goes ahead when the first fails, from no position and from one", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* race("begun after", undefined, Effect.fail("no")), [false, true])
        assert.deepStrictEqual(yield* values("begun after"), [2])
        yield* advance("moved after", undefined, 0)
        assert.deepStrictEqual(yield* race("moved after", 0, Effect.fail("no")), [false, true])
        assert.deepStrictEqual(yield* values("moved after"), [2])
      })
    )

    it.effect("of many at once exactly one succeeds at each value", () =>
      Effect.gen(function* () {
        const positions = yield* Positions
        const winners = yield* Effect.forEach([undefined, 0, 1], (from) =>
          Effect.map(
            Effect.forEach(Array.from({ length: 8 }), () => advance("crowded", from, (from ?? -1) + 1), {
              concurrency: "unbounded"
            }),
            (results) => results.filter((isMoved) => isMoved).length
          )
        )
        assert.deepStrictEqual(winners, [1, 1, 1])
        assert.deepStrictEqual(
          (yield* positions.all("crowded")).map(({ value }) => value),
          [2]
        )
      })
    )
  })
})
