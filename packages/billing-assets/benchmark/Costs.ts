/**
 * What does each stage cost, in units that are the same on every machine and at every load? Statements, pages and bytes of
 * write-ahead log of a small feed, counted by a server that does nothing else, beside what was counted when the expectation
 * was committed. `--write` commits to what is counted now.
 *
 * Usage: node packages/billing-assets/benchmark/Costs.ts [--write]
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Bench from "./Bench.ts"
import * as Server from "./Server.ts"

/** What a stage costs. */
const Cost = Schema.Struct({ statements: Schema.Int, touches: Schema.Int, walKb: Schema.Int })

/** What each stage costs, by its name. */
export const Costs = Schema.Record(Schema.String, Cost)

/** What each stage costs, by its name. */
export type Costs = typeof Costs.Type

/** Counts the stages of a small feed; fails where Assay and the floor differ by a row. */
export const measure: Effect.Effect<Costs, unknown> = Effect.gen(function* () {
  const url = yield* Server.start({ within: Os.tmpdir(), settings: Server.calm })
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const made = Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-feed-"))
      Fs.chmodSync(made, 0o755)
      return made
    }),
    (made) => Effect.sync(() => Fs.rmSync(made, { recursive: true, force: true }))
  )
  const size = { seed: 1, rows: 5000 }
  yield* Effect.promise(() => Bench.writeFeed(folder, size))
  const parts = ["base", "late", "noop"]
  const stages = yield* Bench.run({ url, size, folder, times: 4, parts, isSerial: true, onStage: () => undefined })
  return Object.fromEntries(
    stages.map(({ assay: { statements, touches, walBytes }, name }) => [
      name,
      { statements: statements ?? 0, touches: touches ?? 0, walKb: Math.round(walBytes / 1000) }
    ])
  )
}).pipe(
  Effect.scoped,
  Effect.provideServiceEffect(
    Clock.Clock,
    Effect.map(Clock.Clock, (real) => standing(real))
  ),
  Effect.provideService(References.MinimumLogLevel, "Warn")
)

/** What was committed to. */
export const expected = (): Costs => decode(Fs.readFileSync(file, "utf8"))

/** What has changed by more than it may, in sentences. */
export const differences = (found: Costs, wanted: Costs): ReadonlyArray<string> =>
  Array.from(new Set([...Object.keys(found), ...Object.keys(wanted)])).flatMap((stage) => {
    const [now, before] = [found[stage], wanted[stage]]
    if (now === undefined || before === undefined)
      return [`${stage} is measured ${now === undefined ? "no more" : "now"}`]
    return units.flatMap(({ name, slack, unit }) => {
      const most = before[name] * (1 + tolerance) + slack
      const least = before[name] * (1 - 2 * tolerance) - slack
      return now[name] > most || now[name] < least
        ? [`${stage} takes ${now[name]} ${unit}, where ${before[name]} were expected`]
        : []
    })
  })

// --- internal ---

const file = Path.join(import.meta.dirname, "costs.json")

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Costs))

/** Plans may differ a little, and pages be split elsewhere. Much less than expected is a reason to expect less. */
const tolerance = 0.15

const units = [
  { name: "statements", unit: "statements", slack: 2 },
  { name: "touches", unit: "touches of pages", slack: 200 },
  { name: "walKb", unit: "kB of write-ahead log", slack: 20 }
] as const

/** How many days have partitions must not depend on when this is run. */
const standing = (real: Clock.Clock): Clock.Clock => {
  const at = Date.parse("2026-03-01T12:00:00Z")
  const began = real.currentTimeMillisUnsafe()
  const millis = () => at + real.currentTimeMillisUnsafe() - began
  const nanos = () => BigInt(millis()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: real.monotonicTimeNanos,
    sleep: (duration) => real.sleep(duration)
  }
}

if (import.meta.main) {
  const found = await Effect.runPromise(measure)
  if (process.argv.includes("--write")) Fs.writeFileSync(file, `${JSON.stringify(found, undefined, 2)}\n`)
  else {
    const changed = differences(found, expected())
    for (const sentence of changed) console.error(sentence)
    process.exitCode = changed.length > 0 ? 1 : 0
  }
}
