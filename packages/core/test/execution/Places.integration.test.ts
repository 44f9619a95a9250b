import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerPostgres } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { suite } from "./PlacesSuite.ts"

let environments = 0

it.layer(TestDatabase.layer)((it) => {
  suite(
    "postgres",
    (name, body) => {
      environments += 1
      const storage = layerPostgres(`places${environments}`)
      it.effect(name, () => Effect.provide(body(), storage))
    },
    { seeds: [11], steps: 10 }
  )
})
