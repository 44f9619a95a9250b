import { assert } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import {
  assertExact,
  assertSound,
  corrected,
  materialized,
  type Place,
  Stage,
  stepsOf,
  suite,
  unbuilt
} from "./harness.ts"
import * as Watch from "./Watch.ts"

/** Before some of the days on which the till has sales. */
const early = DateTime.makeUnsafe("2024-03-05T12:00:00Z")

const setBack = Effect.map(DateTime.now, (now) => Duration.millis(early.epochMilliseconds - now.epochMilliseconds))

/** Whatever the clock showed, nothing ended before it began. */
const assertInOrder = Effect.fnUntraced(function* ({ assay }: Place) {
  const runs = (yield* assay.runs({ limit: 100 })).map(({ run }) => run)
  for (const { finishedAt, startedAt } of [...runs, ...(yield* stepsOf(assay))]) {
    assert.isTrue(finishedAt !== undefined && !DateTime.isLessThan(finishedAt, startedAt))
  }
  assert.isTrue((yield* stepsOf(assay)).every(({ durationMs }) => durationMs >= 0))
})

suite((test) => {
  test("a run whose clock is years behind builds what exists by it, and the next one the rest (Verifies: L1, L2, L5)", () =>
    Effect.gen(function* () {
      const till = yield* corrected
      const behind = yield* setBack
      const url = Redacted.make((yield* Stage).url)
      const result = yield* materialized(till, { url, retries: 0, clock: Watch.make(() => behind) })
      assert.strictEqual(result.status, "succeeded")
      yield* assertSound(till)
      yield* till.assay.materialize({ assets: [] })
      yield* assertInOrder(till)
      yield* assertExact(till)
    }))

  for (const [name, stage] of Object.entries({ "first run": unbuilt, "later run": corrected })) {
    for (const asset of ["silver_sales", "gold_daily"]) {
      test(`a ${name} whose clock jumps back by years within a step of ${asset} loses nothing and does nothing twice (Verifies: L1, L2, L5)`, () =>
        Effect.gen(function* () {
          const till = yield* stage
          const behind = yield* setBack
          const url = Redacted.make((yield* Stage).url)
          let ahead = Duration.zero
          const result = yield* materialized(till, {
            url,
            retries: 0,
            clock: Watch.make(() => ahead),
            passing: (point, atWork) =>
              Effect.sync(() => {
                if (point === "afterWrite" && atWork === asset) ahead = behind
              })
          })
          assert.strictEqual(result.status, "succeeded")
          assert.strictEqual(ahead, behind)
          yield* assertSound(till)
          yield* till.assay.materialize({ assets: [] })
          yield* assertInOrder(till)
          yield* assertExact(till)
        }))
    }
  }
})
