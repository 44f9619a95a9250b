/**
 * A process of the concurrency lane: it does what it was told over and over until its input ends, says what it does, and
 * kills itself at a fault point when its time has come. Which graph it works on is the business of the program that
 * runs it.
 */
import * as Assay from "@assay/core/Assay"
import { FaultPoint } from "@assay/core/execution/FaultPoint"
import { Listener } from "@assay/core/execution/Progress"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import type { Request } from "@assay/core/planning/Request"
import * as Database from "@assay/core/postgres/Database"
import type { PgClient } from "@effect/sql-pg"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { once } from "node:events"
import * as Module from "node:module"
import * as Prng from "../oracle/Prng.ts"
import { Instructions, Message } from "./Instructions.ts"
import * as ShiftedClock from "./ShiftedClock.ts"

/** What processes work on. */
export interface Trade {
  readonly assay: (instructions: Instructions) => Layer.Layer<Assay.Assay, unknown, PgClient.PgClient>
  /** The asset that landers land. */
  readonly source: string
  /** Something that somebody might want to have materialized. */
  readonly request: (random: Prng.Prng, instructions: Instructions) => Request
  /**
   * Puts the delivery of a number into the folder, unless there is none left. Those from the first one of the
   * instructions on have landed.
   */
  readonly deliver: (random: Prng.Prng, instructions: Instructions, delivery: number) => boolean
}

/** The policy that a process has by its instructions: many quick attempts, by steps of its own size. */
export const policy = ({ pool, seed, stepSize }: Instructions): MaterializationPolicy.MaterializationPolicy =>
  MaterializationPolicy.make({
    stepSize,
    pool,
    retry:
      seed % 2 === 0
        ? Schedule.recurs(20)
        : Schedule.exponential(Duration.millis(2), 1.5).pipe(Schedule.jittered, Schedule.upTo({ times: 12 }))
  })

/** Runs the process whose instructions are its first argument. */
export const run = async (trade: Trade): Promise<void> => {
  const instructions = Schema.decodeUnknownSync(Instructions)(process.argv[2])
  // A process that is killed leaves nothing for the next one's start; half of a start is compiling.
  Module.flushCompileCache()
  say({ _tag: "Ready" })
  await once(process.stdin, "data")
  let isOver = false
  process.stdin.once("end", () => (isOver = true)).resume()
  await Effect.runPromise(
    work(trade, instructions, () => isOver).pipe(
      Effect.provideService(Clock.Clock, ShiftedClock.make(instructions.ahead)),
      Effect.provideService(References.MinimumLogLevel, "Warn"),
      Effect.provideService(Logger.LogToStderr, true)
    )
  )
}

// --- internal ---

const encode = Schema.encodeSync(Message)

const say = (message: Message): void => void process.stdout.write(`${encode(message)}\n`)

const work = Effect.fnUntraced(function* (trade: Trade, instructions: Instructions, isOver: () => boolean) {
  const { applicationName, connections, dies, role, seed, url } = instructions
  const random = Prng.make(seed)
  const turn = Effect.suspend(() => {
    if (role === "runner") {
      const request = instructions.asks === "everything" ? { assets: [] } : trade.request(random, instructions)
      return materialize(request, instructions.concurrency)
    }
    if (trade.deliver(random, instructions, delivery)) {
      say({ _tag: "Delivered", delivery })
      delivery += 1
    }
    return materialize({ assets: [trade.source] }, instructions.concurrency)
  })
  let delivery = instructions.delivery
  let passings = 0
  yield* Effect.repeat(turn, { until: isOver }).pipe(
    Effect.provideService(FaultPoint, () =>
      Effect.sync(() => {
        passings += 1
        if (passings === dies) process.kill(process.pid, "SIGKILL")
      })
    ),
    Effect.provide(
      Layer.provide(
        trade.assay(instructions),
        Database.layerUrl({ url: Redacted.make(url), applicationName, maxConnections: connections })
      )
    )
  )
})

const materialize = Effect.fnUntraced(function* (request: Request, concurrency: number) {
  const assay = yield* Assay.Assay
  yield* assay.materialize(request, { concurrency }).pipe(
    Effect.provideService(Listener, (progress) =>
      Effect.sync(() => {
        if (progress._tag === "StepDone") {
          const { deleted, inserted, updated } = progress.written
          say({ _tag: "Step", asset: progress.asset, rows: inserted + updated + deleted })
        }
        if (progress._tag === "Landed") say({ _tag: "Step", asset: progress.asset, rows: progress.rows })
        if (progress._tag === "Retrying") say({ _tag: "Retrying", asset: progress.asset, message: progress.message })
      })
    ),
    Effect.match({
      onSuccess: ({ outcomes, runId = null, status }) =>
        say({
          _tag: "Done",
          request: JSON.stringify(request),
          runId,
          status,
          errors: outcomes.flatMap(({ error }) => error?.message ?? [])
        }),
      onFailure: (error) =>
        say({
          _tag: "Done",
          request: JSON.stringify(request),
          runId: null,
          status: error._tag === "InvalidPartitionRange" ? "refused" : "error",
          errors: error._tag === "InvalidPartitionRange" ? [] : [`${error._tag}: ${error.message}`]
        })
    })
  )
})
