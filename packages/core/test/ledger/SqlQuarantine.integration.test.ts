import { postgres } from "./layers.ts"
import { suite } from "./QuarantineSuite.ts"

suite("postgres", postgres)
