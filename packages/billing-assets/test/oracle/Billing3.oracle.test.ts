import { onPostgres } from "../../../core/test/oracle/Histories.ts"
import * as Trial from "../../../core/test/oracle/Trial.ts"
import { billing } from "./BillingSubject.ts"

onPostgres(Trial.make(billing), { from: 71, count: 35 })
