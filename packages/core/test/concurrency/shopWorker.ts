/**
 * A process of the concurrency lane that works on the shop, whose orders come from files.
 * Usage: node shopWorker.ts '{"url":"…","role":"runner",…}'
 */
import * as Stock from "./Stock.ts"
import * as Worker from "./Worker.ts"

await Worker.run(Stock.trade)
