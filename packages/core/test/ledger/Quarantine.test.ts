import { memory } from "./layers.ts"
import { suite } from "./QuarantineSuite.ts"

suite("memory", memory)
