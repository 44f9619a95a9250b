import { memory } from "./layers.ts"
import { suite } from "./OutboxSuite.ts"

suite("memory", memory)
