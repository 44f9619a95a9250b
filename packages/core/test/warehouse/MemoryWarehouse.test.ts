import { memory } from "./layers.ts"
import { suite } from "./WarehouseSuite.ts"

suite("memory", memory)
