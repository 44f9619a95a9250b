import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerMemory } from "../shop/Storage.ts"
import * as History from "./History.ts"
import { seeds } from "./Seeds.ts"

describe("random histories in memory", () => {
  it.effect(
    "are sound at every commit, equal the full refresh when drained, and then rest (Verifies: L1, L2, L4, L5, L6)",
    () =>
      Effect.forEach(
        seeds(25),
        (seed) => Effect.provide(History.live(seed, { events: 12, verified: 0.1 }), layerMemory),
        { discard: true }
      ),
    600_000
  )
})
