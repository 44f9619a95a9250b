import { suite } from "./BackfillsSuite.ts"
import { memory } from "./layers.ts"

suite("memory", memory)
