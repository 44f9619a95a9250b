import { memory } from "./layers.ts"
import { suite } from "./RunsSuite.ts"

suite("memory", memory)
