import { memory } from "../ledger/layers.ts"
import { suite } from "./AutomationCursorsSuite.ts"

suite("memory", memory)
