/**
 * A process of little memory that lands files into the engine in memory, and says what became of them and how much memory
 * it took. Usage: node --max-old-space-size=256 intake.ts <path>
 */
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Bronze from "./Bronze.ts"

const program = Effect.gen(function* () {
  const assay = yield* Bronze.open(process.argv[2] ?? "")
  const { error, kept } = yield* Bronze.land(assay)
  const records = kept.map(({ line, raw, reasons }) => [line, raw.length, reasons?.join("; ") ?? null])
  const report = { error: error ?? null, records, peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024) }
  process.stdout.write(JSON.stringify(report))
}).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "None"))

await Effect.runPromise(program)
