import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerMemory } from "../shop/Storage.ts"
import { suite } from "./PlacesSuite.ts"

suite("memory", (name, body) => it.effect(name, () => Effect.provide(body(), layerMemory)), {
  seeds: [1, 2, 3, 4, 5, 6],
  steps: 14
})
