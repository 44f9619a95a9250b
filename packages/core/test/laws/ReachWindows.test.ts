import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerMemory } from "../shop/Storage.ts"
import * as ReachWindowsSuite from "./ReachWindowsSuite.ts"

const { autumn, march, spring, suite } = ReachWindowsSuite

suite("memory", (name, body) => it.effect(name, () => Effect.provide(body(), layerMemory)), {
  seasons: { autumn, march, spring },
  seeds: [1],
  steps: 6
})
