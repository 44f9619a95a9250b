/**
 * A process of the concurrency lane that works on the billing warehouse.
 * Usage: node billingWorker.ts '{"url":"…","role":"runner",…}'
 */
import * as Worker from "../../../core/test/concurrency/Worker.ts"
import * as Books from "./Books.ts"

await Worker.run(Books.trade)
