import { postgres } from "./layers.ts"
import { suite } from "./PartitionKeysSuite.ts"

suite("postgres", postgres)
