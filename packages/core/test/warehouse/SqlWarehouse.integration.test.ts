import { postgres } from "./layers.ts"
import { suite } from "./WarehouseSuite.ts"

suite("postgres", postgres)
