/**
 * The command `soak`: lives through thousands of random histories, two at a time, until the time is over or one is
 * wrong; or through one again, whole or in part.
 */
import { ExitCode, UsageError } from "@assay/core/cli/ExitCode"
import * as Failure from "@assay/core/cli/Failure"
import * as HelpPresenter from "@assay/core/cli/HelpPresenter"
import * as Quantity from "@assay/core/cli/Quantity"
import * as Screen from "@assay/core/cli/Screen"
import * as Database from "@assay/core/postgres/Database"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgClient } from "@effect/sql-pg"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stdio from "effect/Stdio"
import * as TestClock from "effect/testing/TestClock"
import * as Crypto from "node:crypto"
import { layerMemory, layerPostgresAgain, type Storage } from "../shop/Storage.ts"
import * as Server from "../support/Postgres.ts"
import * as History from "./History.ts"
import * as Trial from "./Trial.ts"

/** Runs the command and ends the process. */
export const main = (trials: ReadonlyArray<Trial.Trial>): void =>
  NodeRuntime.runMain(program(trials), {
    disableErrorReporting: true,
    teardown: (exit, end) =>
      end(Exit.isSuccess(exit) ? Number(exit.value) : Cause.hasInterrupts(exit.cause) ? ExitCode.interrupted : 1)
  })

// --- internal ---

interface Input {
  readonly graph: Option.Option<string>
  readonly minutes: number
  readonly fromSeed: number
  readonly seed: Option.Option<number>
  readonly events: Option.Option<ReadonlyArray<number>>
  readonly memory: boolean
}

const program = (trials: ReadonlyArray<Trial.Trial>) =>
  Effect.gen(function* () {
    const { args } = yield* Stdio.Stdio
    return yield* Command.runWith(soak(trials), { version: "0.0.0" })(yield* args).pipe(
      Effect.as<number>(ExitCode.done),
      Effect.catchCause(tell)
    )
  }).pipe(
    Effect.provide(
      Layer.mergeAll(
        NodeServices.layer,
        HelpPresenter.layer(settings, "node scripts/soak.ts"),
        CliConfig.layer({ builtIns: [GlobalFlag.Help] }),
        Layer.succeed(References.MinimumLogLevel, "None")
      ).pipe(Layer.provideMerge(Screen.layer))
    )
  )

const settings = [
  { name: "TEST_DATABASE_URL", description: "PostgreSQL 15 or newer; databases are made there and dropped again" },
  { name: "DATABASE_URL", description: "The same, where the former is not set (default: an embedded server)" }
]

/** Tells what went wrong and yields its exit code; an interruption goes on being one. */
const tell = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>) {
  if (Cause.hasInterruptsOnly(cause)) return yield* Effect.interrupt
  const error = Cause.squash(cause)
  const { error: output } = yield* Screen.Screen
  if (error instanceof Wrong) {
    yield* Effect.ignore(output.write(`\n${error.report}\n`))
    return ExitCode.failed
  }
  const failure = Failure.fromError(error, "pnpm soak")
  const lines = Failure.lines(failure, { style: output.style, width: yield* output.columns, secrets: [] })
  yield* Effect.ignore(Screen.writeLines(output, lines))
  return failure.code
})

/** A history is wrong; the report says which one and how to have it again. */
class Wrong extends Error {
  readonly report: string
  constructor(report: string) {
    super("a history is wrong")
    this.report = report
  }
}

const positive = (number: number): number => {
  if (!(number > 0)) throw new Error("it has to be more than 0")
  return number
}

const places = (text: string): ReadonlyArray<number> => {
  if (text === "none") return []
  const numbers = text.split(",").map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN))
  const wrong = numbers.findIndex((number) => !(number < Trial.usualLength))
  if (wrong === -1) return numbers
  throw new Error(
    `"${text.split(",")[wrong]}" is not the place of an event: places are 0 to ${Trial.usualLength - 1}, with commas between them`
  )
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const soak = (trials: ReadonlyArray<Trial.Trial>) => {
  const names = trials.map(({ name }) => name)
  return Command.make(
    "soak",
    {
      graph: Flag.Literals("graph", names).pipe(
        Flag.withDescription(`The graph of the histories (default: in turn)`),
        Flag.optional
      ),
      minutes: Flag.Finite("minutes").pipe(
        Flag.withMetavar("M"),
        Flag.withDescription("How long to go on (default: 30)"),
        Flag.mapTryCatch(positive, reason),
        Flag.withDefault(30)
      ),
      fromSeed: Flag.Int("from-seed").pipe(
        Flag.withMetavar("N"),
        Flag.withDescription("The first seed (default: 1)"),
        Flag.mapTryCatch(positive, reason),
        Flag.withDefault(1)
      ),
      seed: Flag.Int("seed").pipe(
        Flag.withMetavar("N"),
        Flag.withDescription("Only the history of this seed"),
        Flag.mapTryCatch(positive, reason),
        Flag.optional
      ),
      events: Flag.String("events").pipe(
        Flag.withMetavar("I,J,K"),
        Flag.withDescription("Of that history only the events at these places, or none"),
        Flag.mapTryCatch(places, reason),
        Flag.optional
      ),
      memory: Flag.Boolean("memory").pipe(
        Flag.withoutNegation,
        Flag.withDescription("In memory instead of on PostgreSQL"),
        Flag.withDefault(false)
      )
    },
    (input) =>
      Effect.scoped(Option.isSome(input.seed) ? replay(trials, input, input.seed.value) : search(trials, input))
  ).pipe(
    Command.withDescription("Live through random histories, and fail with the least of one that is wrong"),
    Command.withExamples([
      { command: "soak --minutes 5", description: "Five minutes of both graphs" },
      { command: "soak --graph billing --seed 17", description: "One history again" },
      { command: "soak --graph shop --seed 17 --events 3,4,9 --memory", description: "A part of it, in memory" }
    ])
  )
}

const replay = Effect.fnUntraced(function* (trials: ReadonlyArray<Trial.Trial>, input: Input, seed: number) {
  const trial = trials.find(({ name }) => Option.contains(input.graph, name))
  if (trial === undefined) {
    return yield* new UsageError({
      message: `--seed needs a graph: --graph ${trials.map(({ name }) => name).join(" or --graph ")}`
    })
  }
  const { out } = yield* Screen.Screen
  const place = yield* newPlace(input.memory, yield* server(input.memory))
  const only = Option.getOrUndefined(input.events)
  const life = (only: ReadonlyArray<number> | undefined) => live(place, trial, { seed, only })
  const lived = yield* life(only).pipe(
    Effect.catchTag("Broken", (broken) =>
      // What is left of a history is told as it is; a whole one is shrunk first.
      only === undefined
        ? shrunk(trial, { seed, broken, isInMemory: input.memory, life })
        : Effect.die(
            new Wrong(
              Trial.report({ seed, only, broken, attempts: 0 }, { graph: trial.name, isInMemory: input.memory })
            )
          )
    )
  )
  yield* Effect.ignore(out.write(`History ${seed} of ${trial.name} is right: ${counted(lived)}.\n`))
})

const search = Effect.fnUntraced(function* (trials: ReadonlyArray<Trial.Trial>, input: Input) {
  if (Option.isSome(input.events))
    return yield* new UsageError({ message: "--events needs the --seed whose events they are" })
  const chosen = trials.filter(({ name }) => Option.isNone(input.graph) || input.graph.value === name)
  const began = yield* Clock.currentTimeMillis
  const deadline = began + input.minutes * 60_000
  const done = { histories: 0, events: 0, commits: 0, judged: 0 }
  let next = 0
  const lane = Effect.fnUntraced(function* (url: Redacted.Redacted | undefined) {
    const place = yield* newPlace(input.memory, url)
    while ((yield* Clock.currentTimeMillis) < deadline) {
      const trial = chosen[next % chosen.length]
      const seed = input.fromSeed + Math.floor(next / chosen.length)
      next++
      if (trial === undefined) return
      const life = (only: ReadonlyArray<number> | undefined) => live(place, trial, { seed, only })
      const lived = yield* life(undefined).pipe(
        Effect.catchTag("Broken", (broken) => shrunk(trial, { seed, broken, isInMemory: input.memory, life }))
      )
      done.histories++
      done.events += lived.events
      done.commits += lived.commits
      done.judged += lived.judged
    }
  }, Effect.scoped)
  const sofar = Effect.map(
    Clock.currentTimeMillis,
    (now) => `${Quantity.count(done.histories, "history")}, ${counted(done)}, in ${Quantity.duration(now - began)}`
  )
  const url = yield* server(input.memory)
  yield* Effect.forkScoped(progress(sofar))
  yield* Effect.all([lane(url), lane(url)], { concurrency: 2, discard: true })
  const { out } = yield* Screen.Screen
  yield* Effect.ignore(out.write(`${out.isTerminal ? erase : ""}All of them are right: ${yield* sofar}.\n`))
})

const counted = ({ commits, events, judged }: History.Lived): string =>
  `${Quantity.count(events, "event")}, ${Quantity.count(commits, "commit")}, judged ${Quantity.count(judged, "time")}`

/** In place on a terminal; elsewhere a line now and then. */
const progress = Effect.fnUntraced(function* (sofar: Effect.Effect<string>) {
  const { out } = yield* Screen.Screen
  const line = Effect.flatMap(sofar, (text) =>
    Effect.ignore(out.write(out.isTerminal ? `${erase}${text}` : `${text}\n`))
  )
  return yield* Effect.repeat(
    Effect.andThen(Effect.sleep(out.isTerminal ? Duration.millis(200) : Duration.seconds(30)), line),
    Schedule.forever
  )
})

const erase = "\r\u001B[K"

const shrunk = (
  trial: Trial.Trial,
  options: {
    readonly seed: number
    readonly broken: History.Broken
    readonly isInMemory: boolean
    readonly life: (only: ReadonlyArray<number>) => Effect.Effect<History.Lived, History.Broken>
  }
): Effect.Effect<never, never, Screen.Screen> =>
  Effect.gen(function* () {
    const { error } = yield* Screen.Screen
    yield* Effect.ignore(
      error.write(
        `${error.isTerminal ? erase : ""}History ${options.seed} of ${trial.name} is wrong; leaving events out …\n`
      )
    )
    const failure = yield* Trial.shrink({
      ...options,
      length: Trial.usualLength,
      attempts: 200,
      live: options.life
    })
    return yield* Effect.die(new Wrong(Trial.report(failure, { graph: trial.name, isInMemory: options.isInMemory })))
  })

type Place = (graph: string) => Layer.Layer<Storage, unknown>

const live = (
  place: Place,
  trial: Trial.Trial,
  options: { readonly seed: number; readonly only: ReadonlyArray<number> | undefined }
): Effect.Effect<History.Lived, History.Broken> =>
  trial.live({ ...options, length: Trial.usualLength, verified: 0.5 }).pipe(
    Effect.provide(Layer.orDie(Layer.fresh(place(trial.name)))),
    Effect.timeoutOption(patience),
    Effect.flatMap(
      Option.match({
        onSome: Effect.succeed,
        onNone: () =>
          Effect.fail(new History.Broken({ told: [], message: `it takes longer than ${Duration.format(patience)}` }))
      })
    )
  )

/** A history takes seconds. One that waits for itself waits for ever. */
const patience = Duration.minutes(5)

/** The server's URL; none in memory. */
const server = (isInMemory: boolean): Effect.Effect<Redacted.Redacted | undefined, never, Scope.Scope> => {
  if (isInMemory) return Effect.succeed(undefined)
  const given = [process.env["TEST_DATABASE_URL"], process.env["DATABASE_URL"]].find(
    (url) => url !== undefined && url !== ""
  )
  if (given !== undefined) return Effect.succeed(Redacted.make(given))
  return Effect.acquireRelease(
    Effect.promise(() => Server.start({ durable: false })),
    ({ stop }) => Effect.promise(stop)
  ).pipe(Effect.map(({ url }) => Redacted.make(url)))
}

/** Where histories are lived through one after the other: in memory, or in a database of their own. */
const newPlace = Effect.fnUntraced(function* (isInMemory: boolean, url: Redacted.Redacted | undefined) {
  if (isInMemory || url === undefined) return () => Layer.provideMerge(layerMemory, TestClock.layer())
  const name = `soak_${Crypto.randomUUID().replaceAll("-", "")}`
  const administer = (statement: string) =>
    Effect.flatMap(PgClient.PgClient, (client) => client.unsafe(statement)).pipe(
      Effect.provide(Layer.fresh(Database.layerUrl({ url, maxConnections: 1 })))
    )
  yield* Effect.acquireRelease(administer(`CREATE DATABASE ${name} TEMPLATE template0`), () =>
    Effect.ignore(administer(`DROP DATABASE ${name} WITH (FORCE)`))
  )
  const own = new URL(Redacted.value(url))
  own.pathname = `/${name}`
  const clients = yield* Layer.build(Layer.fresh(Database.layerUrl({ url: Redacted.make(own.href) })))
  return (graph: string) => layerPostgresAgain(graph).pipe(Layer.provide(Layer.succeedContext(clients)))
})
