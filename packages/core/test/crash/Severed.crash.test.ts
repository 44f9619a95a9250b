import type { Progress } from "@assay/core/execution/Progress"
import { PgClient } from "@effect/sql-pg"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { assertExact, assertSound, corrected, materialized, type Place, Stage, suite, unbuilt } from "./harness.ts"
import * as Wire from "./Wire.ts"

/**
 * Materializes a till again and again on a wire that deals each statement a fate, until a run is dealt none. The same
 * text in another place of a transaction, or while another asset is at work, is another statement; `times` counts how
 * often it came before. Yields how many met their fate, by the asset at work.
 */
const disturbed = Effect.fnUntraced(function* (
  till: Place,
  deal: (statement: Wire.Statement & { readonly atWork: string; readonly times: number }) => Wire.Fate
) {
  const { url } = yield* Stage
  let atWork = ""
  const met = new Map<string, number>()
  const dealt = new Map<string, number>()
  const count = (counts: Map<string, number>, name: string) => {
    const times = counts.get(name) ?? 0
    counts.set(name, times + 1)
    return times
  }
  const wired = yield* Wire.make({
    url,
    client: yield* PgClient.PgClient,
    fate: (statement) => {
      const fate = deal({ ...statement, atWork, times: count(met, `${atWork}: ${statement.path}`) })
      if (fate !== "passes") count(dealt, atWork)
      return fate
    }
  })
  const total = () => Array.from(dealt.values()).reduce((sum, times) => sum + times, 0)
  const steps = []
  let before = -1
  while (before < total()) {
    before = total()
    const told = (progress: Progress) =>
      Effect.sync(() => {
        if (progress._tag === "AssetStarted") atWork = progress.asset
        if (progress._tag === "AssetDone") atWork = ""
      })
    const exit = yield* Effect.exit(materialized(till, { url: wired, retries: 1000, told }))
    atWork = ""
    yield* assertSound(till)
    // A run that cannot begin or end for good says so; nothing that it committed is lost.
    const runId = Exit.isSuccess(exit) ? exit.value.runId : undefined
    if (runId === undefined) continue
    const found = yield* till.assay.run(runId)
    assert.deepInclude(found._tag === "Found" ? found.run : {}, { status: "succeeded", error: undefined })
    steps.push(...(found._tag === "Found" ? found.steps : []))
  }
  assert.deepStrictEqual(
    steps.filter(({ status }) => status !== "succeeded"),
    []
  )
  return { dealt, total: total(), steps }
})

suite((test) => {
  test("a run whose connection is ended before the answer to what takes effect does not do it twice (Verifies: L1, L2, L3, L4)", () =>
    Effect.gen(function* () {
      const till = yield* corrected
      const { total } = yield* disturbed(till, ({ path, text, times }) =>
        times === 0 && (text === "COMMIT" || text === path) ? "unanswered" : "passes"
      )
      assert.isAbove(total, 25)
      yield* assertExact(till)
    }))

  test("steps and landings whose connection is ended at every statement are tried again until they are through (Verifies: L1, L2, L3, L4)", () =>
    Effect.gen(function* () {
      const till = yield* corrected
      const { dealt, steps, total } = yield* disturbed(till, ({ atWork, text, times }) =>
        atWork !== "" && times === 0 && !text.includes("heartbeat_at") ? "lost" : "passes"
      )
      assert.isAbove(total, 150)
      // Assets that do nothing but steps have tried once more for each connection that they lost, and say so.
      for (const name of ["silver_sales", "dim_member"]) {
        const attempts = steps.filter(({ asset }) => asset === name).map((step) => step.attempts - 1)
        assert.strictEqual(
          attempts.reduce((sum, more) => sum + more, 0),
          dealt.get(name)
        )
      }
      yield* assertExact(till)
    }))

  test("a first run whose connection is ended at every statement before and after its steps is begun again until it is through (Verifies: L1, L2, L3, L4)", () =>
    Effect.gen(function* () {
      const till = yield* unbuilt
      const { total } = yield* disturbed(till, ({ atWork, times }) =>
        atWork === "" && times === 0 ? "lost" : "passes"
      )
      assert.isAbove(total, 40)
      yield* assertExact(till)
    }))
}, "30 minutes")
