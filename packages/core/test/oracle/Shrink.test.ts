import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Shrink from "./Shrink.ts"

const numbers = Array.from({ length: 30 }, (_, index) => index)

describe("shrinking", () => {
  it.effect("leaves what is needed, wherever it stands", () =>
    Effect.gen(function* () {
      const needed = [3, 17, 18, 29]
      const { attempts, left } = yield* Shrink.minimize(
        numbers,
        (some) => Effect.succeed(needed.every((number) => some.includes(number))),
        { attempts: 200 }
      )
      assert.deepStrictEqual(left, needed)
      assert.isBelow(attempts, 100)
    })
  )

  it.effect("leaves nothing where nothing is needed", () =>
    Effect.map(
      Shrink.minimize(numbers, () => Effect.succeed(true), { attempts: 200 }),
      ({ left }) => assert.deepStrictEqual(left, [])
    )
  )

  it.effect("leaves everything where everything is needed", () =>
    Effect.map(
      Shrink.minimize(numbers, (some) => Effect.succeed(some.length === numbers.length), { attempts: 200 }),
      ({ left }) => assert.deepStrictEqual(left, numbers)
    )
  )

  it.effect("gives up after so many attempts, with what it has", () =>
    Effect.map(
      Shrink.minimize(numbers, (some) => Effect.succeed(some.includes(7)), { attempts: 3 }),
      ({ attempts, left }) => {
        assert.strictEqual(attempts, 3)
        assert.include(left, 7)
        assert.isBelow(left.length, numbers.length)
      }
    )
  )
})
