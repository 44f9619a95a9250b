/**
 * Random histories as tests: some seeds of a graph, in memory or on PostgreSQL.
 */
import { describe, it } from "@effect/vitest"
import { layerMemory, layerPostgresAgain } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { seeds } from "./Seeds.ts"
import * as Trial from "./Trial.ts"

/** Seeds, as many as they are where the environment does not ask for others. */
interface Range {
  readonly from: number
  readonly count: number
}

/** Histories in memory, judged after every commit. */
export const inMemory = (trial: Trial.Trial, { count, from }: Range): void => {
  describe(`random histories of ${trial.name} in memory`, () => {
    it.effect(
      promise,
      () =>
        Trial.all(trial, {
          seeds: seeds(count, from),
          length: Trial.usualLength,
          verified: 1,
          isInMemory: true,
          storage: layerMemory
        }),
      600_000
    )
  })
}

/** Histories on PostgreSQL, judged after every event and after some commits within. */
export const onPostgres = (trial: Trial.Trial, { count, from }: Range): void =>
  it.layer(TestDatabase.layer)(
    `random histories ${from} to ${from + count - 1} of ${trial.name} on PostgreSQL`,
    (it) => {
      it.effect(promise, () =>
        Trial.all(trial, {
          seeds: seeds(count, from),
          length: Trial.usualLength,
          verified: 0.3,
          isInMemory: false,
          storage: layerPostgresAgain("history")
        })
      )
    }
  )

// --- internal ---

const promise =
  "are sound at every commit, equal the full refresh when drained, and then rest (Verifies: L1, L2, L4, L5, L6)"
