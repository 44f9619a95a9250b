/**
 * How close is Assay to hand-written SQL? Every stage of the billing warehouse, and beside it in the same run and database
 * the best SQL that we could write for the same rows. The run fails when the two differ by a row; it never fails by time.
 *
 * Usage: node packages/billing-assets/benchmark/run.ts [--rows 1m] [--only base,late,noop,cli] [--times 5] [--seed 1]
 *   [--database URL] [--history FILE] [--within FOLDER] [--profile] [--json]
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import * as Arguments from "./Arguments.ts"
import * as Bench from "./Bench.ts"
import * as Client from "./Client.ts"
import * as History from "./History.ts"
import type * as Meter from "./Meter.ts"
import * as Report from "./Report.ts"
import * as Server from "./Server.ts"
import * as Stage from "./Stage.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1m" },
    only: { type: "string", default: Stage.parts.join() },
    times: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    database: { type: "string" },
    history: { type: "string", default: Path.join(import.meta.dirname, "../../../.assay/benchmark/history.jsonl") },
    within: { type: "string", default: Os.tmpdir() },
    profile: { type: "boolean", default: false },
    json: { type: "boolean", default: false }
  }
})

const rows = Arguments.rowsOf(values.rows)
const [times, seed] = [Number(values.times), Number(values.seed)]
const parts = values.only.split(",")

if (!(rows >= 1000)) Arguments.refuse("--rows is a number from 1000 on: 100k, 1m, 10m, 50m.")
if (!(times >= 1) || !Number.isInteger(times) || !Number.isInteger(seed))
  Arguments.refuse("--times and --seed are whole numbers.")
if (parts.some((part) => !Stage.parts.some((known) => known === part)))
  Arguments.refuse(`Parts are ${Stage.parts.join(", ")}.`)

// Two warehouses, their indexes, write-ahead log, and what a sort of the largest table spills.
if (values.database === undefined)
  Arguments.requireRoom(values.within, { rows: values.rows, needed: rows * 2500 + 2e9 })

const say = (line: string): void => {
  if (!values.json) console.log(line)
}

const version = Effect.fnUntraced(function* (url: string) {
  const client = yield* Client.connect(url, "assay-benchmark")
  const found = yield* client.unsafe("SELECT current_setting('server_version') AS version").withoutTransform
  const [row] = yield* Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ version: Schema.String })]))(found)
  return row.version
}, Effect.scoped)

const program = Effect.gen(function* () {
  const url = values.database ?? (yield* Server.start({ within: values.within, settings: Server.generous }))
  const machine = {
    processor: Os.cpus()[0]?.model ?? "unknown",
    cores: Os.availableParallelism(),
    memoryGb: Math.round(Os.totalmem() / 2 ** 30),
    system: `${Os.type()} ${Os.release()}`,
    node: process.version,
    postgres: yield* version(url),
    load: Os.loadavg()[0] ?? 0
  }
  say(
    `${machine.cores} cores (${machine.processor}), ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, ` +
      `PostgreSQL ${machine.postgres}, load ${machine.load.toFixed(1)}, ${rows.toLocaleString("en-US")} rows, seed ${seed}\n`
  )
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const made = Fs.mkdtempSync(Path.join(values.within, "assay-feed-"))
      // The server reads the floor's files under its own account.
      Fs.chmodSync(made, 0o755)
      return made
    }),
    (made) => Effect.sync(() => Fs.rmSync(made, { recursive: true, force: true }))
  )
  const size = { seed, rows }
  const began = performance.now()
  const bytes = yield* Effect.promise(() => Bench.writeFeed(folder, size))
  say(
    `the feed: ${(Number(bytes) / 1e6).toFixed(0)} MB compressed, written in ${Report.duration(performance.now() - began)}\n`
  )
  const onStage = (stage: Stage.Stage) => {
    const [what = "", assay, floor = "", ratio = ""] = Report.times(stage)
    say(`${what.padEnd(58)}${(assay ?? "").padStart(9)}${floor.padStart(9)}${ratio.padStart(9)}`)
  }
  const onProfile = (statements: ReadonlyArray<Meter.Statement>) => {
    for (const { calls, ms, rows, text, touches } of statements)
      say(
        `    ${Report.duration(ms).padStart(8)} ${String(calls).padStart(6)} calls ${String(rows).padStart(9)} rows ` +
          `${String(touches).padStart(9)} pages  ${text.slice(0, 160)}`
      )
  }
  const profiled = values.profile ? { onProfile } : {}
  const stages = yield* Bench.run({ url, size, folder, times, parts, onStage, ...profiled })
  const entry: History.Entry = { at: new Date().toISOString(), machine, rows, seed, stages }
  History.add(values.history, entry)
  if (values.json) console.log(JSON.stringify(entry, undefined, 2))
  say(["", ...Report.aligned(Report.head, stages.map(Report.times)), ""].join("\n"))
  say([...Report.aligned(Report.workHead, stages.flatMap(Report.work)), ""].join("\n"))
  say(`added to ${values.history}`)
})

/** A driver's error says little; what the server said is its cause. */
const wordsOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const inner = Predicate.hasProperty(error, "reason") ? error.reason : error.cause
  return inner === undefined || inner === error ? error.message : `${error.message}: ${wordsOf(inner)}`
}

// A signal interrupts the run, so that the server and the feed are gone behind it.
NodeRuntime.runMain(
  program.pipe(
    Effect.scoped,
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Effect.sync(() => {
            console.error(wordsOf(Cause.squash(cause)))
            process.exitCode = 1
          })
    )
  )
)
