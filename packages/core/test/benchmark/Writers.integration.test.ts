import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Cursor from "../../benchmark/Cursor.ts"
import { layer } from "../../benchmark/Workbench.ts"
import * as Writers from "../../benchmark/Writers.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

it.layer(TestDatabase.layer)("writers side by side", (it) => {
  it.effect("lose nothing through Assay, while a consumer follows them (Verifies: L1, L4, L8)", () =>
    Effect.gen(function* () {
      const size = { seed: 3, writers: 4, batches: 3, rows: 5, pauseMs: 5 }
      const { batches, outcomes, rows } = yield* TestClock.withLive(Writers.run(size))
      assert.deepStrictEqual([batches, rows], [12, 60])
      // What the others lose depends on time, and is counted by force in the test of cursors.
      assert.deepStrictEqual(
        outcomes.map(({ name }) => name),
        [...Cursor.all.map(({ name }) => name), "Assay"]
      )
      const own = outcomes.at(-1)
      assert.deepStrictEqual([own?.lostBatches, own?.lostRows, own?.again], [0, 0, 0])
    }).pipe(Effect.provide(layer("writers")))
  )
})
