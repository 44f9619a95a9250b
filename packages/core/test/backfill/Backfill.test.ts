import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layerMemory } from "../shop/Storage.ts"
import { suite } from "./BackfillSuite.ts"

suite("memory", (name, body) => it.effect(name, () => Effect.provide(Effect.scoped(body()), layerMemory)))
