import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { seeds } from "../oracle/Seeds.ts"
import { layerMemory } from "../shop/Storage.ts"
import { live } from "./RegionsHistory.ts"

for (const seed of seeds(12)) {
  it.effect(`keys come and go, and the rows are those of a full refresh: seed ${seed} (Verifies: L1, L2, L6)`, () =>
    Effect.provide(live(seed, 40), layerMemory)
  )
}
