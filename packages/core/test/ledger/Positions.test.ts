import { memory } from "./layers.ts"
import { suite } from "./PositionsSuite.ts"

suite("memory", memory)
