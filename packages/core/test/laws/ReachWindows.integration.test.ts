import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerPostgres } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as ReachWindowsSuite from "./ReachWindowsSuite.ts"

const { autumn, march, spring, suite } = ReachWindowsSuite

it.layer(TestDatabase.layer)((it) => {
  let environments = 0
  suite(
    "postgres",
    (name, body) =>
      it.effect(name, () => {
        environments += 1
        return Effect.provide(body(), layerPostgres(`windows${environments}`))
      }),
    { seasons: { autumn, march, spring }, seeds: [7], steps: 3 }
  )
})
