import * as Layer from "effect/Layer"
import { postgres } from "./layers.ts"
import { suite } from "./RetentionSuite.ts"

suite("postgres", () => Layer.fresh(postgres))
