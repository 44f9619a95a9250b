import { memory } from "./layers.ts"
import { suite } from "./PartitionKeysSuite.ts"

suite("memory", memory)
