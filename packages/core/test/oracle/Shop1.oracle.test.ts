import { onPostgres } from "./Histories.ts"
import { shop } from "./ShopSubject.ts"
import * as Trial from "./Trial.ts"

onPostgres(Trial.make(shop), { from: 1, count: 30 })
