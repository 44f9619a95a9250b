/**
 * Why does each alternative lose data? Runs it on a real PostgreSQL, with Assay beside it on the same feed, and compares
 * both with the full refresh. The database is that of `DATABASE_URL`, or a server that is started for the benchmark.
 *
 * Usage: node packages/core/benchmark/run.ts [--only watermark,lookback,partitions,scd2] [--seed 1] [--json]
 */
import { sql } from "@assay/core/Sql"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Os from "node:os"
import { parseArgs } from "node:util"
import { start } from "../test/support/Postgres.ts"
import * as Days from "./Days.ts"
import * as Report from "./Report.ts"
import { layer, one } from "./Workbench.ts"
import * as Writers from "./Writers.ts"

const names: ReadonlyArray<string> = ["watermark", ...Days.trials.map(({ name }) => name)]

const { values } = parseArgs({
  options: {
    only: { type: "string", default: names.join() },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false }
  }
})

const wanted = values.only.split(",")
const seed = Number(values.seed)

const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0 || !Number.isInteger(seed)) {
  console.error(`Trials are ${names.join(", ")}; a seed is a whole number.`)
  process.exit(2)
}

const say = (lines: ReadonlyArray<string>): Effect.Effect<void> =>
  values.json ? Effect.void : Effect.sync(() => console.log(`${lines.join("\n")}\n`))

const program = Effect.gen(function* () {
  const { version } = yield* one(
    sql`SELECT current_setting('server_version') AS version`,
    Schema.Struct({ version: Schema.String })
  ).pipe(Effect.provide(layer("assay_benchmark")))
  const machine = {
    processor: Os.cpus()[0]?.model ?? "unknown",
    cores: Os.availableParallelism(),
    memoryGb: Math.round(Os.totalmem() / 2 ** 30),
    system: `${Os.type()} ${Os.release()}`,
    node: process.version,
    postgres: version,
    seed
  }
  yield* say([
    `${machine.cores} cores (${machine.processor}), ${machine.memoryGb} GB, ${machine.system}, ` +
      `Node ${machine.node}, PostgreSQL ${machine.postgres}, seed ${seed}`
  ])

  const writers = wanted.includes("watermark")
    ? yield* Writers.run({ seed, writers: 16, batches: 20, rows: 10, pauseMs: 20 }).pipe(
        Effect.provide(layer("assay_benchmark"))
      )
    : undefined
  if (writers !== undefined) yield* say(Report.writers(writers))

  const trials = Days.trials.filter(({ name }) => wanted.includes(name))
  const days =
    trials.length > 0
      ? yield* Days.run({ size: { seed, days: 60, customers: 400, invoices: 200 }, trials }).pipe(
          Effect.provide(layer("assay_benchmark"))
        )
      : undefined
  if (days !== undefined) {
    yield* say([Report.feed(days)])
    yield* Effect.forEach(days.results, (result) => say(Report.days(result, days)))
  }

  if (values.json) {
    const results = days?.results.map(({ outcomes, trial: { name, title, work } }) => ({ name, title, work, outcomes }))
    console.log(JSON.stringify({ machine, watermark: writers, days: days && { ...days, results } }, undefined, 2))
  }
  const own = [
    ...(writers?.outcomes ?? []).map(({ lostRows, name }) => ({ name, wrong: lostRows })),
    ...(days?.results ?? []).flatMap(({ outcomes }) => outcomes.map(({ cells, name }) => ({ name, wrong: cells })))
  ].filter(({ name }) => name === "Assay")
  return own.every(({ wrong }) => wrong === 0)
})

const given = process.env["DATABASE_URL"] ?? ""
const server = given === "" ? await start({ durable: true }) : { url: given, stop: () => Promise.resolve() }
const client = PgClient.layer({ url: Redacted.make(server.url), maxConnections: 40 })
try {
  const isExact = await Effect.runPromise(
    program.pipe(Effect.provide(client), Effect.provideService(References.MinimumLogLevel, "Warn"))
  )
  process.exitCode = isExact ? 0 : 1
} finally {
  await server.stop()
}
