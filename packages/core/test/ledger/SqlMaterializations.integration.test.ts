import { postgres } from "./layers.ts"
import { suite } from "./MaterializationsSuite.ts"

suite("postgres", postgres)
