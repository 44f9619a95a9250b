import { suite } from "./BuiltSuite.ts"
import { memory } from "./layers.ts"

suite("memory", memory)
