/**
 * The stage of the crash lane: environments in a database of the test file, each with a folder of files of its own;
 * processes that work in them and to which something happens; and the question whether the result is exactly what an
 * undisturbed environment has.
 */
import * as Assay from "@assay/core/Assay"
import * as Column from "@assay/core/Column"
import { FaultPoint, type Point } from "@assay/core/execution/FaultPoint"
import { Listener, type Progress } from "@assay/core/execution/Progress"
import { Runs } from "@assay/core/ledger/Runs"
import * as SqlLedger from "@assay/core/ledger/SqlLedger"
import * as Database from "@assay/core/postgres/Database"
import * as Postgres from "@assay/core/postgres/Postgres"
import * as SqlWarehouse from "@assay/core/warehouse/SqlWarehouse"
import { PgClient } from "@effect/sql-pg"
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Readline from "node:readline"
import * as TestDatabase from "../support/TestDatabase.ts"
import { type Fault, Instructions, Message } from "./Instructions.ts"
import * as OwnServer from "./OwnServer.ts"
import * as Till from "./Till.ts"
import * as Watch from "./Watch.ts"

/** Everything that a till holds, in a form in which two tills can be compared. */
export interface Contents {
  readonly rows: { readonly [asset: string]: ReadonlyArray<string> }
  readonly quarantine: ReadonlyArray<string>
}

/** The database of a test file, and what a till holds to which nothing happened. */
export class Stage extends Context.Service<
  Stage,
  {
    readonly url: string
    readonly undisturbed: Contents
    /** Where the processes keep what they have compiled. */
    readonly compileCache: string
  }
>()("@assay/core/test/crash/Stage") {}

export type Test = (
  name: string,
  body: () => Effect.Effect<void, unknown, Stage | PgClient.PgClient | Scope.Scope>
) => void

/** Declares the tests of a file, one after the other on one database: files run side by side, and that is enough. */
export const suite = (declare: (test: Test) => void, timeout: Duration.Input = "10 minutes"): void =>
  it.layer(layerShared, { excludeTestServices: true, timeout: Duration.minutes(10) })((it) =>
    declare((name, body) => it.effect(name, body, Duration.toMillis(timeout)))
  )

/** A till in an environment of its own. */
export interface Place {
  readonly environment: string
  readonly folder: string
  readonly assay: typeof Assay.Assay.Service
  readonly runs: typeof Runs.Service
}

/** A till before its first build, with all of its files. */
export const unbuilt = Effect.gen(function* () {
  const till = yield* place
  yield* deliver(till, "opening.csv", Till.opening)
  yield* deliver(till, "corrections.csv", Till.corrections)
  return till
})

/** A till that was built once and to which the corrections have been delivered. */
export const corrected = Effect.gen(function* () {
  const till = yield* place
  yield* deliver(till, "opening.csv", Till.opening)
  yield* till.assay.materialize({ assets: [] })
  yield* deliver(till, "corrections.csv", Till.corrections)
  return till
})

/** A process that materializes a till. It is killed at the end of the test if it is still there. */
export interface Process {
  readonly applicationName: string
  readonly pid: number
  /** Resumes when the process waits at its point. */
  readonly waiting: Effect.Effect<void>
  /** Lets a process that waits at its point go on. */
  readonly release: Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** How the process ended, and what it said last. */
  readonly ended: Effect.Effect<{
    readonly code: number | null
    readonly signal: string | null
    readonly done: (Message & { readonly _tag: "Done" }) | undefined
    readonly errors: string
  }>
}

/** Starts a process that materializes a till. */
export const start = Effect.fnUntraced(function* (till: Place, fault?: Fault) {
  const { compileCache, url } = yield* Stage
  processes += 1
  const applicationName = `${till.environment} process ${processes}`
  const instructions = yield* Schema.encodeEffect(Instructions)({
    url,
    applicationName,
    environment: till.environment,
    folder: till.folder,
    ...(fault === undefined ? undefined : { fault })
  })
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, [Path.join(import.meta.dirname, "victim.ts"), instructions], {
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, NODE_COMPILE_CACHE: compileCache }
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const closed = once(child, "close")
  const messages: Array<Message> = []
  const complaints: Array<string> = []
  const waiting = new Promise<void>((resolve) => {
    Readline.createInterface({ input: child.stdout }).on("line", (line) => {
      const message = Schema.decodeUnknownSync(Message)(line)
      messages.push(message)
      if (message._tag === "Waiting") resolve()
    })
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => complaints.push(text))
  const ended = Effect.map(
    Effect.promise(() => closed),
    () => ({
      code: child.exitCode,
      signal: child.signalCode,
      done: messages.find((message) => message._tag === "Done"),
      errors: complaints.join("")
    })
  )
  const gone = Effect.flatMap(ended, ({ errors }) =>
    Effect.die(new Error(`the process ended before it came to its point: ${errors}`))
  )
  return {
    applicationName,
    pid: child.pid ?? 0,
    waiting: Effect.raceFirst(
      Effect.promise(() => waiting),
      gone
    ),
    release: Effect.sync(() => void child.stdin.write("\n")),
    signal: (signal) => Effect.sync(() => void child.kill(signal)),
    ended
  } satisfies Process
})

/** Runs a process that dies of its fault. */
export const killed = Effect.fnUntraced(function* (till: Place, fault: Omit<Fault, "action">) {
  const victim = yield* start(till, { ...fault, action: "SIGKILL" })
  const { code, errors, signal } = yield* victim.ended
  assert.deepStrictEqual({ code, signal, errors }, { code: null, signal: "SIGKILL", errors: "" })
})

/** Runs a process to its end. */
export const completed = Effect.fnUntraced(function* (running: Process) {
  const { code, done, errors } = yield* running.ended
  const ended = { code, errors, status: done?.status, failures: done?.errors }
  assert.deepStrictEqual(ended, { code: 0, errors: "", status: "succeeded", failures: [] })
  return done?.runId ?? undefined
})

/** The till holds exactly what an undisturbed one holds, knows that it does, and has counted each row once. */
export const assertExact = Effect.fnUntraced(function* (till: Place) {
  const { undisturbed } = yield* Stage
  const { assay } = till
  assert.deepStrictEqual(yield* contentsOf(assay), undisturbed)
  const verdicts = yield* assay.verify({ strict: true })
  assert.deepStrictEqual(
    verdicts.filter(({ isOk }) => !isOk),
    []
  )
  const again = yield* assay.materialize({ assets: [] })
  assert.deepStrictEqual([again.runId, again.steps], [undefined, 0])
  assert.deepStrictEqual(
    yield* countedBy(assay),
    new Map(tablesOf(assay).map((asset) => [asset, undisturbed.rows[asset]?.length]))
  )
})

/**
 * What the till holds is right as far as it says so, whatever was done and undone before: each unit that it does not
 * call stale equals its recompute (L2), and each table has as many rows as the steps that committed have counted (L3).
 */
export const assertSound = Effect.fnUntraced(function* ({ assay }: Place) {
  const verdicts = yield* assay.verify()
  assert.deepStrictEqual(
    verdicts.filter(({ isOk }) => !isOk),
    []
  )
  const reports = yield* assay.status()
  const counted = yield* countedBy(assay)
  assert.deepStrictEqual(
    tablesOf(assay).map((name) => [name, reports.find(({ asset }) => asset === name)?.rows]),
    tablesOf(assay).map((name) => [name, counted.get(name)])
  )
})

/** Materializes a till from this process on connections of its own, as a process would that starts now. */
export const materialized = (
  { environment, folder }: Place,
  options: {
    readonly url: Redacted.Redacted
    readonly retries: number
    readonly clock?: Clock.Clock
    /** Happens when the asset at work passes a point. */
    readonly passing?: (point: Point, asset: string) => Effect.Effect<void>
    readonly told?: (progress: Progress) => Effect.Effect<void>
  }
) =>
  Effect.gen(function* () {
    const layer = layerTill({ environment, folder, retries: options.retries }).pipe(
      Layer.provide(Database.layerUrl({ url: options.url, applicationName: nameHere(environment), connectTimeout }))
    )
    const assay = Context.get(yield* Layer.build(layer), Assay.Assay)
    let atWork = ""
    return yield* assay.materialize({ assets: [] }, { concurrency: 1 }).pipe(
      Effect.provideService(FaultPoint, (point) => options.passing?.(point, atWork) ?? Effect.void),
      Effect.provideService(Listener, (progress) => {
        if (progress._tag === "AssetStarted") atWork = progress.asset
        if (progress._tag === "AssetDone") atWork = ""
        return options.told?.(progress) ?? Effect.void
      })
    )
  }).pipe(Effect.scoped, Effect.provideService(Clock.Clock, options.clock ?? Watch.make()))

/** The name under which the server lists what this process does for a till; another file has tills of the same names. */
export const nameHere = (environment: string): string => `${environment} here`

/** Resumes when the condition holds; dies when it does not come to hold within two minutes. */
export const waitUntil = <E, R>(what: string, condition: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.repeat(condition, { until: (holds) => holds, schedule: Schedule.spaced(Duration.millis(10)) }).pipe(
    Effect.timeoutOrElse({
      duration: Duration.minutes(2),
      orElse: () => Effect.die(new Error(`waited two minutes in vain: ${what}`))
    }),
    Effect.asVoid
  )

/** Resumes when a process is stopped by a signal. */
export const stopped = ({ pid }: Process) =>
  waitUntil(
    `process ${pid} is stopped`,
    Effect.sync(() =>
      ChildProcess.spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.startsWith("T")
    )
  )

/** Resumes when a process waits for an asset that another one holds. */
export const waitsForLock = Effect.fnUntraced(function* ({ applicationName }: Process) {
  const sql = yield* PgClient.PgClient
  const waiting = sql`
    SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND NOT granted AND datname = current_database() AND application_name = ${applicationName}`
  yield* waitUntil(
    `${applicationName} waits for an asset`,
    Effect.map(waiting, ({ length }) => length === 1)
  )
})

/** Ends the connection on which a process has a transaction open, and resumes when the server has forgotten it. */
export const cutOff = Effect.fnUntraced(function* ({ applicationName }: Process) {
  const sql = yield* PgClient.PgClient
  const open = sql<{ readonly pid: number }>`
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = ${applicationName} AND state = 'idle in transaction'`
  const [backend, ...others] = yield* open
  assert.deepStrictEqual([backend === undefined, others], [false, []])
  yield* sql`SELECT pg_terminate_backend(${backend?.pid ?? 0}, 20000)`
  yield* waitUntil(
    `the transaction of ${applicationName} is gone`,
    Effect.map(open, ({ length }) => length === 0)
  )
})

/** The step records of a till's runs, oldest run first. */
export const stepsOf = Effect.fnUntraced(function* (assay: Place["assay"]) {
  const summaries = yield* assay.runs({ limit: 100 })
  const found = yield* Effect.forEach(summaries.toReversed(), ({ run }) => assay.run(run.runId))
  return found.flatMap((lookup) => (lookup._tag === "Found" ? lookup.steps : []))
})

// --- internal ---

/** A tenth of it passes on a watch. */
const connectTimeout = Duration.minutes(2)

let places = 0

let processes = 0

/** A folder that is gone at the end. */
const temporary = Effect.acquireRelease(
  Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "assay-till-"))),
  (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
)

/** A till without files. */
export const place = Effect.gen(function* () {
  places += 1
  const environment = `till${places}`
  const folder = yield* temporary
  const context = yield* Layer.build(layerTill({ environment, folder, retries: 3 }))
  return {
    environment,
    folder,
    assay: Context.get(context, Assay.Assay),
    runs: Context.get(context, Runs)
  } satisfies Place
})

const layerTill = (options: { readonly environment: string; readonly folder: string; readonly retries: number }) =>
  Layer.fresh(
    Assay.layerWithoutStorage(Till.make(options.folder, options)).pipe(
      Layer.provideMerge(Layer.mergeAll(SqlLedger.layer, SqlWarehouse.layer)),
      Layer.provide(Postgres.layer(Assay.environment(options.environment)))
    )
  )

/** Puts a file into the folder of a till. */
export const deliver = ({ folder }: Place, name: string, lines: ReadonlyArray<string>) =>
  Effect.promise(() => Fs.writeFile(Path.join(folder, name), `${lines.join("\n")}\n`))

/** What differs between any two landings: which it was, and when. */
const ofLanding: ReadonlySet<string> = new Set(["batch", "loaded_at"])

const contentsOf = Effect.fnUntraced(function* (assay: Place["assay"]) {
  const rows = yield* Effect.forEach(assay.graph.assets.keys(), (asset) =>
    Effect.gen(function* () {
      const { asset: definition, rows } = yield* assay.rows({ asset })
      const columns = definition.columns.filter(({ name }) => !ofLanding.has(name))
      const texts = (yield* Stream.runCollect(rows)).map((row) =>
        columns.map((column) => Column.toText(column, row[column.name] ?? null) ?? "null").join(" | ")
      )
      return [asset, texts.toSorted()] as const
    })
  )
  const quarantine = yield* assay.quarantined({ limit: 100 })
  return {
    rows: Object.fromEntries(rows),
    quarantine: quarantine
      .map(({ line, origin, raw, reasons }) => [origin, line, raw, ...reasons].join(" | "))
      .toSorted()
  } satisfies Contents
})

/** The assets that have rows of their own. */
const tablesOf = ({ graph }: Place["assay"]) =>
  Array.from(graph.assets.values()).flatMap(({ name, write }) => (write._tag === "View" ? [] : [name]))

/** By the records of all steps, how many rows each table must have: what they inserted less what they deleted (L3). */
const countedBy = Effect.fnUntraced(function* (assay: Place["assay"]) {
  const counts = new Map(tablesOf(assay).map((asset) => [asset, 0]))
  for (const { asset, rowsDeleted, rowsInserted } of yield* stepsOf(assay)) {
    // A view is recorded where it was skipped.
    const count = counts.get(asset)
    if (count !== undefined) counts.set(asset, count + rowsInserted - rowsDeleted)
  }
  return counts
})

const layerStage = (url: string) =>
  Layer.effect(
    Stage,
    Effect.gen(function* () {
      const undisturbed = yield* Effect.scoped(
        Effect.gen(function* () {
          const { assay } = yield* corrected
          const result = yield* assay.materialize({ assets: [] })
          assert.strictEqual(result.status, "succeeded")
          return yield* contentsOf(assay)
        })
      )
      return { url, undisturbed, compileCache: yield* temporary }
    })
  ).pipe(
    Layer.provideMerge(Database.layerUrl({ url: Redacted.make(url), applicationName: "test" })),
    Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "Warn"))
  )

/** The stage in a database of its own on the server that the tests share. */
const layerShared = Layer.unwrap(
  Effect.map(TestDatabase.TestDatabase, ({ url }) => layerStage(Redacted.value(url)))
).pipe(Layer.provide(TestDatabase.layerDatabase))

/** The stage on a server of its own. */
export const layerOwn = Layer.unwrap(Effect.map(OwnServer.OwnServer, ({ url }) => layerStage(url))).pipe(
  Layer.provideMerge(OwnServer.layer)
)
