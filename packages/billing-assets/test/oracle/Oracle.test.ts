import { inMemory } from "../../../core/test/oracle/Histories.ts"
import * as Trial from "../../../core/test/oracle/Trial.ts"
import { billing } from "./BillingSubject.ts"

inMemory(Trial.make(billing), { from: 1, count: 8 })
