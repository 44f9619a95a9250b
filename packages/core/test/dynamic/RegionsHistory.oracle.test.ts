import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { seeds } from "../oracle/Seeds.ts"
import { layerPostgresAgain } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { live } from "./RegionsHistory.ts"

it.layer(TestDatabase.layer)((it) => {
  for (const seed of seeds(2, 101)) {
    it.effect(`keys come and go on PostgreSQL: seed ${seed} (Verifies: L1, L2, L6)`, () =>
      Effect.provide(live(seed, 20), layerPostgresAgain("history"))
    )
  }
})
