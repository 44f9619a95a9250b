import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerPostgres } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as History from "./History.ts"
import { seeds } from "./Seeds.ts"

it.layer(TestDatabase.layer)("random histories on PostgreSQL", (it) => {
  it.effect(
    "are sound at every commit, equal the full refresh when drained, and then rest (Verifies: L1, L2, L4, L5, L6)",
    () =>
      Effect.forEach(
        seeds(24),
        (seed) => Effect.provide(History.live(seed, { events: 10, verified: 0.03 }), layerPostgres(`history${seed}`)),
        { discard: true }
      ),
    600_000
  )
})
