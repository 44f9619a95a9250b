import * as PgClient from "@effect/sql-pg/PgClient"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestDatabase from "../support/TestDatabase.ts"
import { overClient } from "./layers.ts"
import { suite } from "./Scd2HistorySuite.ts"

/** A client for each test: every commit empties all temporary tables that its connection has ever made. */
const layer = Layer.unwrap(
  Effect.map(TestDatabase.TestDatabase, ({ url }) => Layer.fresh(Layer.provide(overClient, PgClient.layer({ url }))))
)

it.layer(TestDatabase.layerDatabase)((it) =>
  suite("postgres", (name, body) => it.effect(name, () => Effect.provide(body(), layer)))
)
