import { inMemory } from "./Histories.ts"
import { shop } from "./ShopSubject.ts"
import * as Trial from "./Trial.ts"

inMemory(Trial.make(shop), { from: 1, count: 8 })
