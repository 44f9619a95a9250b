import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerPostgres } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as ReachSuite from "./ReachSuite.ts"

it.layer(TestDatabase.layer)((it) => {
  let environments = 0
  ReachSuite.suite(
    "postgres",
    (name, body) =>
      it.effect(name, () => {
        environments += 1
        return Effect.provide(body(), layerPostgres(`reach${environments}`))
      }),
    { seeds: [11], steps: 5 }
  )
})
