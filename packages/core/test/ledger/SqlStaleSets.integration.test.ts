import { postgres } from "./layers.ts"
import { suite } from "./StaleSetsSuite.ts"

suite("postgres", postgres)
