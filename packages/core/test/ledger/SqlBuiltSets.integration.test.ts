import * as Partitions from "@assay/core/Partitions"
import { Transactor } from "@assay/core/Transactor"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { built, days, record, suite } from "./BuiltSuite.ts"
import { postgres, waiting } from "./layers.ts"

suite("postgres", postgres)

it.layer(postgres)("a set of what is built", (it) => {
  const mine = { codeVersion: "v1", partitions: days }

  it.effect("is there as long as one code has built all there is, and again when it has", () =>
    Effect.gen(function* () {
      const is = (expected: boolean) =>
        Effect.map(built("kept", mine), ({ isSet }) => assert.strictEqual(isSet, expected))
      yield* is(false)
      yield* record("kept", ["2024-01-01", "2024-01-02"])
      yield* is(true)
      yield* record("kept", ["2024-01-02"], { codeVersion: "v2" })
      yield* is(false)
      assert.isFalse((yield* built("kept", { ...mine, codeVersion: "v2" })).isSet)
      yield* record("kept", ["2024-01-02", "2024-01-04"])
      yield* is(true)
      assert.isFalse((yield* built("kept", { ...mine, partitions: Partitions.daily({ start: "2020-01-01" }) })).isSet)
      yield* record("kept", ["no partition"])
      yield* is(false)
    })
  )

  it.effect("holds what two recorders add at the same time", () =>
    Effect.gen(function* () {
      const transactor = yield* Transactor
      const hasRecorded = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      yield* record("shared", ["2024-01-05"])
      const first = yield* Effect.forkChild(
        transactor.transact(
          Effect.gen(function* () {
            yield* record("shared", ["2024-01-01"])
            yield* Deferred.succeed(hasRecorded, undefined)
            yield* Deferred.await(goOn)
          })
        )
      )
      yield* Deferred.await(hasRecorded)
      const second = yield* Effect.forkChild(transactor.transact(record("shared", ["2024-01-02"])))
      yield* waiting(1)
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.deepStrictEqual(yield* built("shared", mine), {
        isSet: true,
        units: ["2024-01-01", "2024-01-02", "2024-01-05"],
        outdated: []
      })
    })
  )

  it.effect("vanishes with the transaction that fails (Verifies: L3)", () =>
    Effect.gen(function* () {
      const transactor = yield* Transactor
      yield* record("undone", ["2024-01-01"])
      yield* Effect.flip(transactor.transact(Effect.andThen(record("undone", ["2024-01-02"]), Effect.fail("no"))))
      assert.deepStrictEqual((yield* built("undone", mine)).units, ["2024-01-01"])
    })
  )
})
