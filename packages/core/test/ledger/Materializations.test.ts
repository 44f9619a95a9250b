import { memory } from "./layers.ts"
import { suite } from "./MaterializationsSuite.ts"

suite("memory", memory)
