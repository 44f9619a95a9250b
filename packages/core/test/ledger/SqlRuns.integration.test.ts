import { postgres } from "./layers.ts"
import { suite } from "./RunsSuite.ts"

suite("postgres", postgres)
