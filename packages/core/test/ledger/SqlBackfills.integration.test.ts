import { suite } from "./BackfillsSuite.ts"
import { postgres } from "./layers.ts"

suite("postgres", postgres)
