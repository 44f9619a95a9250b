import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerPostgres } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { suite } from "./BackfillSuite.ts"

let environments = 0

it.layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  suite("postgres", (name, body) => {
    environments += 1
    const storage = layerPostgres(`mill${environments}`)
    it.effect(name, () => Effect.provide(Effect.scoped(body()), storage))
  })
})
