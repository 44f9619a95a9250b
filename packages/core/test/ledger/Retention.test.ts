import * as Layer from "effect/Layer"
import { memory } from "./layers.ts"
import { suite } from "./RetentionSuite.ts"

suite("memory", () => Layer.fresh(memory))
