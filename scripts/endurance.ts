/**
 * Is `verify --strict` clean on a large feed after many random runs? Delivers an invented billing feed to an embedded
 * PostgreSQL in random batches (new files, files that grow, files that come twice), materializes in as many random runs
 * (some assets, some partitions, some step sizes, some killed on the way), drains, verifies, counts, and prints what it
 * took. Fails when anything is stale, differs, is lost or is doubled.
 *
 * Usage: node scripts/endurance.ts [--rows 1000000] [--runs 50] [--seed 1] [--home <folder>]
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import * as Zlib from "node:zlib"
import * as BillingFeed from "../packages/billing-assets/src/BillingFeed.ts"
import * as BillingGraph from "../packages/billing-assets/src/BillingGraph.ts"
import * as Feed from "../packages/billing-assets/src/generator/Feed.ts"
import * as FeedRow from "../packages/billing-assets/src/generator/FeedRow.ts"
import * as Assay from "../packages/core/src/Assay.ts"
import { FaultPoint } from "../packages/core/src/execution/FaultPoint.ts"
import * as MaterializationPolicy from "../packages/core/src/MaterializationPolicy.ts"
import * as Database from "../packages/core/src/postgres/Database.ts"
import * as EmbeddedPostgres from "../packages/core/src/postgres/EmbeddedPostgres.ts"
import * as Prng from "../packages/core/test/oracle/Prng.ts"

/** What one process is to do. `dies` is the passing of a fault point at which it kills itself. */
const Instructions = Schema.fromJsonString(
  Schema.Struct({
    url: Schema.String,
    folder: Schema.String,
    what: Schema.Literals(["materialize", "verify"]),
    assets: Schema.Array(Schema.String),
    partitions: Schema.optionalKey(Schema.String),
    upstream: Schema.Boolean,
    concurrency: Schema.Int,
    stepSize: Schema.Int,
    dies: Schema.optionalKey(Schema.Int)
  })
)

type Instructions = typeof Instructions.Type

/** How it went: rows are those inserted, updated and deleted, or for `verify` those of every table. */
const Report = Schema.fromJsonString(
  Schema.Struct({
    status: Schema.String,
    steps: Schema.Int,
    rows: Schema.Int,
    landed: Schema.Int,
    quarantined: Schema.Int,
    errors: Schema.Array(Schema.String),
    rss: Schema.Int
  })
)

type Report = typeof Report.Type

// --- the whole ---

const endure = () => {
  const { values } = parseArgs({
    options: {
      rows: { type: "string", default: "1000000" },
      runs: { type: "string", default: "50" },
      seed: { type: "string", default: "1" },
      home: { type: "string" }
    }
  })
  const [rows, runs, seed] = [Number(values.rows), Number(values.runs), Number(values.seed)]
  const home = values.home ?? Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-endurance-"))
  const [feed, staged] = [Path.join(home, "feed"), Path.join(home, "staged")]
  return Effect.gen(function* () {
    for (const folder of [feed, staged]) Fs.mkdirSync(folder, { recursive: true })
    // The server's own account has to be able to enter.
    Fs.chmodSync(home, 0o755)
    const random = Prng.make(seed)
    const began = performance.now()
    const parcels = yield* stage({ rows, runs, seed, random, staged })
    say(`${count(rows)} rows staged in ${parcels.length} parcels, ${since(began)}; seed ${seed}, ${home}`)

    const server = yield* EmbeddedPostgres.make({ home })
    const url = `postgresql://${server.username}@localhost:${server.port}/${server.database}?host=${encodeURIComponent(server.socketDirectory)}`
    const process = (instructions: Omit<Instructions, "url" | "folder">) =>
      start({ url, folder: feed, ...instructions })
    const worked = performance.now()
    const tally = { steps: 0, rows: 0, killed: 0, rss: 0 }
    let delivered = 0
    for (let run = 1; run <= runs; run++) {
      // The last tenth of the runs only mends.
      const due = parcels.filter(({ before }) => before === run)
      for (const parcel of due) deliver({ feed, staged, parcel })
      delivered += due.reduce((sum, parcel) => sum + parcel.rows, 0)
      const request = requestOf(random, rows)
      const time = performance.now()
      const report = yield* process(request)
      const said = `${String(run).padStart(3)}  ${since(time).padStart(8)}  ${count(delivered).padStart(9)} delivered  ${describe(request)}`
      if (report === undefined) {
        tally.killed += 1
        say(`${said}: killed`)
        continue
      }
      tally.steps += report.steps
      tally.rows += report.rows
      tally.rss = Math.max(tally.rss, report.rss)
      say(`${said}: ${report.status}, ${count(report.steps)} steps, ${count(report.rows)} rows written`)
      for (const error of report.errors) say(`     ${error}`)
    }

    const everything = { assets: [], upstream: true, concurrency: 4, stepSize: 20_000 }
    const drained = yield* timed("drain", process({ what: "materialize", ...everything }))
    const again = yield* timed("another run", process({ what: "materialize", ...everything }))
    const total = since(worked)
    const verified = yield* timed("verify --strict", process({ what: "verify", ...everything }))
    const failures = [
      ...(delivered === rows ? [] : [`${delivered} of ${rows} rows were delivered`]),
      ...[drained, again, verified].flatMap((report) => report?.errors ?? ["a process died by itself"]),
      ...(drained?.status === "succeeded" ? [] : ["the drain did not succeed"]),
      ...(again?.steps === 0 ? [] : ["another run found something to do"]),
      ...(verified === undefined || verified.landed + verified.quarantined === rows
        ? []
        : [`${rows} rows were delivered, ${verified.landed} are in bronze and ${verified.quarantined} in quarantine`])
    ]
    for (const report of [drained, again, verified]) tally.rss = Math.max(tally.rss, report?.rss ?? 0)
    say(
      `${count(verified?.landed ?? 0)} rows in bronze, ${count(verified?.quarantined ?? 0)} in quarantine, ` +
        `${count(verified?.rows ?? 0)} in all tables; ${count(tally.steps + (drained?.steps ?? 0))} steps, ` +
        `${count(tally.rows + (drained?.rows ?? 0))} rows written by runs that lived, ${tally.killed} of ${runs} runs killed`
    )
    say(
      `${total} of materializing, ${since(began)} altogether, at most ${count(Math.ceil(tally.rss / 1024))} MB in a process`
    )
    for (const failure of failures) say(`NOT CLEAN: ${failure}`)
    say(failures.length === 0 ? "verify --strict is clean" : `verify --strict is not clean; ${home} is kept`)
    if (failures.length > 0) globalThis.process.exitCode = 1
    return failures.length === 0
  }).pipe(
    Effect.scoped,
    Effect.tap((isClean) =>
      Effect.sync(() => (isClean && values.home === undefined ? Fs.rmSync(home, { recursive: true }) : undefined))
    )
  )
}

// --- the feed ---

/** Rows that come together, before a run: as a file of their own, or behind what a plain file has already. */
interface Parcel {
  readonly name: string
  readonly rows: number
  readonly before: number
  readonly behind: string | undefined
}

/** Writes the whole feed into parcels; each row is in exactly one. */
const stage = (options: {
  readonly rows: number
  readonly runs: number
  readonly seed: number
  readonly random: Prng.Prng
  readonly staged: string
}) => {
  const { random, rows, runs, seed, staged } = options
  const last = Math.max(1, Math.ceil(runs * 0.9))
  const parcels: Array<Parcel> = []
  const begin = (left: number) => {
    // Most deliveries are small, some are huge.
    const share = random.pick([0.2, 0.5, 1, 1, 2, 5]) * (rows / last / 2)
    const size = Math.min(left, Math.max(1, Math.ceil(share * (0.5 + random.below(1000) / 1000))))
    const format = random.pick([".csv", ".csv", ".ndjson", ".csv.gz"])
    const number = String(parcels.length + 1).padStart(4, "0")
    return { name: `billing-${number}${format}`, size, lines: new Array<string>() }
  }
  let staging = begin(rows)
  let written = 0
  const end = () => {
    const { lines, name } = staging
    const before = 1 + Math.min(last - 1, Math.floor(((written - lines.length) / rows) * last))
    const ending = name.slice(name.indexOf("."))
    const earlier = parcels.filter((parcel) => parcel.behind === undefined && parcel.name.endsWith(ending))
    const behind = ending !== ".csv.gz" && random.chance(0.3) ? earlier[random.below(earlier.length)]?.name : undefined
    const header = behind !== undefined || ending === ".ndjson" ? [] : [FeedRow.COLUMNS.join()]
    const text = [...header, ...lines, ""].join("\n")
    Fs.writeFileSync(Path.join(staged, name), ending === ".csv.gz" ? Zlib.gzipSync(text) : text)
    parcels.push({ name, rows: lines.length, before, behind })
    staging = begin(rows - written)
  }
  // A customer has about 17 rows in a year.
  return Feed.generate({ customers: Math.ceil(rows / 15), months: 12, seed }).pipe(
    Stream.take(rows),
    Stream.runForEachArray((chunk) =>
      Effect.sync(() => {
        for (const row of chunk) {
          staging.lines.push(staging.name.includes(".csv") ? csv(FeedRow.toCells(row)) : FeedRow.toJson(row))
          written += 1
          if (staging.lines.length === staging.size) end()
        }
      })
    ),
    Effect.map(() => parcels)
  )
}

const csv = (cells: ReadonlyArray<string>): string =>
  cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join()

/** A file comes into place whole; one that grows is read while it does. What is compressed comes once more under another name. */
const deliver = (options: { readonly feed: string; readonly staged: string; readonly parcel: Parcel }): void => {
  const { feed, parcel, staged } = options
  const from = Path.join(staged, parcel.name)
  if (parcel.behind !== undefined) {
    Fs.appendFileSync(Path.join(feed, parcel.behind), Fs.readFileSync(from))
    Fs.rmSync(from)
    return
  }
  if (parcel.name.endsWith(".gz")) Fs.copyFileSync(from, Path.join(feed, `again-${parcel.name}`))
  Fs.renameSync(from, Path.join(feed, parcel.name))
}

// --- the runs ---

const cut = ["gold_revenue", "mart_revenue_monthly", "mart_mrr_monthly"] as const
const computed = ["silver_events", "dim_customer", ...cut] as const

const requestOf = (random: Prng.Prng, rows: number): Omit<Instructions, "url" | "folder"> => {
  const stepSize = Math.ceil(rows / random.pick([200, 50, 10, 1]))
  const some = random.some(computed, 0.4)
  const kind = random.pick(["all", "all", "some", "some", "range", "land"])
  return {
    what: "materialize",
    assets:
      kind === "land" ? ["bronze_events"] : kind === "some" ? some : kind === "range" ? random.some(cut, 0.6) : [],
    upstream: random.chance(0.7),
    concurrency: 1 + random.below(4),
    stepSize,
    ...(kind === "range" && {
      partitions: random.pick(["2024-02", "2024-03..2024-05", "..2024-06-15", "2024-09..", "latest"])
    }),
    ...(random.chance(0.4) && { dies: 1 + random.below(random.pick([8, 30, 100])) })
  }
}

const describe = ({
  assets,
  concurrency,
  partitions,
  stepSize,
  upstream
}: Omit<Instructions, "url" | "folder">): string =>
  [
    assets.length === 0 ? "all" : assets.join("+"),
    ...(partitions === undefined ? [] : [partitions]),
    ...(upstream ? [] : ["without upstream"]),
    `by ${count(stepSize)}`,
    `${concurrency} at once`
  ].join(", ")

/** A process that does what it is told. Undefined where it was killed, as it was told to be. */
const start = Effect.fnUntraced(function* (instructions: Instructions) {
  const text = yield* Schema.encodeEffect(Instructions)(instructions)
  return yield* Effect.promise(async () => {
    const child = ChildProcess.spawn(process.execPath, [import.meta.filename, "process", text], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let said = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text))
    await once(child, "close")
    if (child.signalCode === "SIGKILL" && instructions.dies !== undefined) return undefined
    if (child.exitCode !== 0) throw new Error(`a process ended with ${child.exitCode ?? child.signalCode}`)
    return Schema.decodeUnknownSync(Report)(said)
  })
})

/** Does what the instructions say, and reports it as a line of JSON. */
const work = Effect.fnUntraced(function* (text: unknown) {
  const { dies, folder, url, ...instructions } = yield* Schema.decodeUnknownEffect(Instructions)(text)
  let passed = 0
  const report = yield* perform(instructions).pipe(
    Effect.provideService(FaultPoint, () =>
      Effect.sync(() => (++passed === dies ? void process.kill(process.pid, "SIGKILL") : undefined))
    ),
    Effect.provide(
      Assay.layer(graphOf(folder, instructions.stepSize)).pipe(
        Layer.provide(Database.layerUrl({ url: Redacted.make(url), applicationName: "assay endurance" }))
      )
    )
  )
  process.stdout.write(
    yield* Schema.encodeEffect(Report)({ ...report, rss: Math.ceil(process.resourceUsage().maxRSS) })
  )
})

const perform = Effect.fnUntraced(function* (
  instructions: Pick<Instructions, "what" | "assets" | "upstream" | "concurrency"> & { readonly partitions?: string }
): Effect.fn.Return<Omit<Report, "rss">, unknown, Assay.Assay> {
  const assay = yield* Assay.Assay
  if (instructions.what === "verify") {
    const verdicts = yield* assay.verify({ strict: true })
    const statuses = yield* assay.status()
    const sum = (of: "rows" | "quarantined") => statuses.reduce((total, status) => total + status[of], 0)
    return {
      status: verdicts.every(({ isOk }) => isOk) ? "clean" : "not clean",
      steps: 0,
      rows: sum("rows"),
      landed: statuses.find(({ asset }) => asset === "bronze_events")?.rows ?? 0,
      quarantined: sum("quarantined"),
      errors: verdicts.flatMap(({ asset, difference, isOk, missing, stale }) =>
        isOk ? [] : [`${asset}: ${JSON.stringify({ stale, missing, difference })}`]
      )
    }
  }
  const { concurrency, what: _, ...request } = instructions
  const { outcomes, status, steps } = yield* assay.materialize(request, { concurrency })
  const sum = (of: "inserted" | "updated" | "deleted" | "quarantined") =>
    outcomes.reduce((total, outcome) => total + outcome[of], 0)
  return {
    status,
    steps,
    rows: sum("inserted") + sum("updated") + sum("deleted"),
    landed: outcomes.find(({ asset }) => asset === "bronze_events")?.inserted ?? 0,
    quarantined: sum("quarantined"),
    errors: outcomes.flatMap(({ error }) => error?.message ?? [])
  }
})

/** The billing graph with steps of another size. */
const graphOf = (folder: string, stepSize: number) => {
  const graph = BillingGraph.make({ start: "2024-01-01", source: BillingFeed.make(folder) })
  const assets = Array.from(graph.assets, ([name, asset]) => {
    const policy = MaterializationPolicy.withStepSize(asset.policy, stepSize)
    return [name, { ...asset, policy }] as const
  })
  return { ...graph, assets: new Map(assets) }
}

// --- words ---

const say = (line: string): void => console.log(line)

const count = (number: number): string => number.toLocaleString("en").replaceAll(",", " ")

const since = (began: number): string => `${((performance.now() - began) / 1000).toFixed(1)} s`

const timed = <E, R>(what: string, effect: Effect.Effect<Report | undefined, E, R>) =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.tap(effect, (report) =>
      Effect.sync(() => say(`${what}: ${report?.status ?? "killed"}, ${report?.steps ?? 0} steps, ${since(began)}`))
    )
  })

const command = process.argv[2] === "process" ? work(process.argv[3]) : endure()
await Effect.runPromise(
  command.pipe(
    Effect.provideService(References.MinimumLogLevel, "Warn"),
    Effect.provideService(Logger.LogToStderr, true)
  )
)
