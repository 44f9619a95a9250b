import { memory } from "./layers.ts"
import { suite } from "./StaleSetsSuite.ts"

suite("memory", memory)
