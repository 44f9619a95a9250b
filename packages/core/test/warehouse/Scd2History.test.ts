import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { memory } from "./layers.ts"
import { suite } from "./Scd2HistorySuite.ts"

suite("memory", (name, body) => it.effect(name, () => Effect.provide(body(), Layer.fresh(memory))))
