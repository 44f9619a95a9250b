import { AutomationCursors } from "@assay/core/ledger/AutomationCursors"
import { Materializations } from "@assay/core/ledger/Materializations"
import { Transactor } from "@assay/core/Transactor"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { at, postgres } from "../ledger/layers.ts"
import { suite } from "./AutomationCursorsSuite.ts"

suite("postgres", postgres)

it.layer(postgres)("AutomationCursors and slow commits", (it) => {
  it.effect("show what was built before an evaluation and committed after it as new, once (Verifies: L3)", () =>
    Effect.gen(function* () {
      const cursors = yield* AutomationCursors
      const { record } = yield* Materializations
      const { transact } = yield* Transactor
      const isWritten = yield* Deferred.make<void>()
      const mayCommit = yield* Deferred.make<void>()
      const build = (unit: string) =>
        record({
          asset: "days",
          runId: "r",
          codeVersion: "1",
          at: at("10:00:00"),
          units: [{ unit, rows: 1, contentHash: "" }]
        })
      const evaluate = Effect.gen(function* () {
        const questions = [{ asset: "days", isPartitioned: true, units: undefined }]
        const reading = yield* cursors.read({ watcher: "me", questions, aliveSince: at("10:00:00") })
        yield* cursors.remember({
          seen: reading.seen,
          assets: [{ asset: "days", definition: "d", at: at("10:00:00"), parts: {} }]
        })
        return reading.facts.get("days")?.built.flatMap(({ isUpdated, unit }) => (isUpdated ? [unit] : []))
      })
      yield* transact(evaluate)
      const slow = yield* Effect.forkChild(
        transact(
          Effect.gen(function* () {
            yield* build("slow")
            yield* Deferred.succeed(isWritten, undefined)
            yield* Deferred.await(mayCommit)
          })
        )
      )
      yield* Deferred.await(isWritten)
      yield* build("quick")
      assert.deepStrictEqual(yield* transact(evaluate), ["quick"])
      yield* Deferred.succeed(mayCommit, undefined)
      yield* Fiber.join(slow)
      assert.deepStrictEqual(yield* transact(evaluate), ["slow"])
      assert.deepStrictEqual(yield* transact(evaluate), [])
    })
  )
})
