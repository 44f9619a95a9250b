/**
 * A process that materializes the till once, and to which something happens on the way when its instructions say so.
 * Usage: node victim.ts '{"url":"…","applicationName":"…","environment":"…","folder":"…"}'
 */
import * as Assay from "@assay/core/Assay"
import { FaultPoint } from "@assay/core/execution/FaultPoint"
import { Listener } from "@assay/core/execution/Progress"
import * as Database from "@assay/core/postgres/Database"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { once } from "node:events"
import * as Module from "node:module"
import { type Fault, Instructions, Message } from "./Instructions.ts"
import * as Till from "./Till.ts"

const say = (message: Message) =>
  Effect.map(Schema.encodeEffect(Message)(message), (line) => void process.stdout.write(`${line}\n`))

const suffer = ({ action }: Fault): Effect.Effect<void> =>
  action === "wait"
    ? say({ _tag: "Waiting" }).pipe(Effect.andThen(Effect.promise(() => once(process.stdin, "data"))), Effect.orDie)
    : Effect.sync(() => void process.kill(process.pid, action))

const program = Effect.gen(function* () {
  const { applicationName, environment, fault, folder, url } = yield* Schema.decodeUnknownEffect(Instructions)(
    process.argv[2]
  )
  const atWork = yield* Ref.make("")
  const passings = yield* Ref.make(0)
  const run = Effect.gen(function* () {
    const assay = yield* Assay.Assay
    // One asset at a time, so that the one at work is the one that passes a point.
    return yield* assay.materialize({ assets: [] }, { concurrency: 1 })
  }).pipe(
    Effect.provideService(Listener, (progress) =>
      progress._tag === "AssetStarted" ? Ref.set(atWork, progress.asset) : Effect.void
    ),
    Effect.provideService(FaultPoint, (point) =>
      Effect.gen(function* () {
        if (point !== fault?.point || (yield* Ref.get(atWork)) !== fault.asset) return
        if ((yield* Ref.updateAndGet(passings, (count) => count + 1)) === fault.passing) yield* suffer(fault)
      })
    ),
    Effect.provide(
      Assay.layer(Till.make(folder, { retries: 3 }), Assay.environment(environment)).pipe(
        Layer.provide(Database.layerUrl({ url: Redacted.make(url), applicationName }))
      )
    )
  )
  const { outcomes, runId, status } = yield* run
  yield* say({
    _tag: "Done",
    runId: runId ?? null,
    status,
    errors: outcomes.flatMap(({ error }) => error?.message ?? [])
  })
}).pipe(Effect.provideService(References.MinimumLogLevel, "Warn"), Effect.provideService(Logger.LogToStderr, true))

// A process that is killed leaves nothing for the next one's start; half of a start is compiling.
Module.flushCompileCache()
await Effect.runPromise(program)
process.stdin.destroy()
