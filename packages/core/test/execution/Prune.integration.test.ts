import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerPostgresAgain } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { suite } from "./PruneSuite.ts"

it.layer(TestDatabase.layer)((it) => {
  suite("postgres", (name, body) => {
    it.effect(name, () => Effect.provide(body(), layerPostgresAgain("pruned")))
  })
})
