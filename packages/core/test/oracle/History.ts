/**
 * Living through a history: what happens outside, runs that do a part of what is due, several at once and beside a
 * lander, code that changes, time that goes on, processes that die. Whenever something is committed, every fresh unit
 * must equal its recompute (L2); whenever everything is drained, every table must equal the naive full refresh (L1), each
 * row of the source must be there (L4), and another run must find nothing to do (L6).
 */
import type * as Assay from "@assay/core/Assay"
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import * as SqlDelta from "@assay/core/warehouse/SqlDelta"
import * as SqlStage from "@assay/core/warehouse/SqlStage"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { Calm } from "../shop/Disturbance.ts"
import * as Shop from "../shop/Shop.ts"
import { open, Time } from "../shop/Storage.ts"
import { type Event, format, type Run } from "./Event.ts"
import * as Judgement from "./Judgement.ts"
import * as Picture from "./Picture.ts"
import * as Prng from "./Prng.ts"
import type { Subject } from "./Subject.ts"

/** How a history is watched: after which share of its commits it is judged. It always is after each event. */
export interface Watch {
  readonly verified: number
}

/** What was seen of a history. */
export interface Lived {
  readonly events: number
  readonly commits: number
  readonly judged: number
}

/** Something was wrong, and what had been told of the history until then. */
export class Broken extends Schema.TaggedError<Broken>("@assay/core/test/oracle/Broken")("Broken", {
  told: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/** Lives through events of a seed, in a fresh storage. */
export const live = <Act>(options: {
  readonly subject: Subject<Act>
  readonly seed: number
  readonly events: ReadonlyArray<Event<Act>>
  readonly watch: Watch
}) =>
  Effect.gen(function* () {
    const told: Array<string> = []
    return yield* lived(options, (line) => Effect.sync(() => void told.push(line))).pipe(
      // Tables of this size are never worth a difference, so most histories insist on it.
      Effect.provideService(SqlDelta.Preference, options.seed % 3 === 0 ? "never" : "always"),
      // Nor are they large enough for several processes.
      Effect.provideService(SqlStage.Large, options.seed % 2 === 0 ? 0 : Number.POSITIVE_INFINITY),
      Effect.scoped,
      Effect.catchCause((cause) => Effect.fail(new Broken({ told, message: Cause.pretty(cause) })))
    )
  })

// --- internal ---

type Service = typeof Assay.Assay.Service

const lived = <Act>(
  {
    events,
    seed,
    subject,
    watch
  }: {
    readonly subject: Subject<Act>
    readonly seed: number
    readonly events: ReadonlyArray<Event<Act>>
    readonly watch: Watch
  },
  tell: (line: string) => Effect.Effect<void>
) =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Picture.Services>()
    const time = yield* Time
    const chance = Prng.make(Prng.mix(seed, -1))
    const world = yield* subject.open(Prng.make(Prng.mix(seed, 0)))
    const versions = new Map<string, string>()
    const judge = Judgement.make(world)
    const seen = { commits: 0, judged: 0 }
    let now = subject.start
    yield* time.set(new Date(now).toISOString())
    const opened = Effect.suspend(() => open(world.graph(versions)))
    let assay: Service = yield* opened
    // Looking at the source creates the tables of all.
    yield* assay.verify({ assets: [subject.source] })

    const sound = Effect.gen(function* () {
      seen.judged++
      yield* refuse(judge(yield* Picture.take(assay.graph), assay.graph, now))
    }).pipe(Effect.provideContext(context), Effect.orDie)
    // What is found within a run is told after it: there it would be taken for a failure of the asset.
    const found: Array<Cause.Cause<unknown>> = []
    const watching = (point: FaultPoint.Point): Effect.Effect<void> => {
      if (!point.endsWith("afterCommit")) return Effect.void
      seen.commits++
      return chance.chance(watch.verified)
        ? Effect.catchCause(sound, (cause) => Effect.sync(() => void found.push(cause)))
        : Effect.void
    }
    const watched = Effect.provideService(FaultPoint.FaultPoint, watching)
    const findings = Effect.suspend(() => {
      const [first] = found
      return first === undefined ? Effect.void : Effect.failCause(first)
    })

    const act = (act: Act) =>
      Effect.flatMap(world.happen(act, now), (lines) => Effect.forEach(lines, (line) => tell(`  ${line}`)))

    const drain = Effect.fnUntraced(function* (concurrency: number) {
      const isTroubled = yield* world.isTroubled
      const result = yield* assay.materialize({ assets: [] }, { concurrency }).pipe(watched)
      yield* tell(`  ${JSON.stringify(result.outcomes.flatMap(brief))}`)
      yield* findings
      if (result.status !== "succeeded") {
        return yield* refuse(isTroubled ? undefined : `a run failed for no reason: ${result.status}`)
      }
      const picture = yield* Picture.take(assay.graph)
      yield* refuse(Judgement.ofEverything(world, picture, { graph: assay.graph, source: subject.source, now }))
      yield* refuse(world.lost(picture.table(subject.source), yield* assay.quarantined({ limit: 100_000 })))
      const again = yield* assay.materialize({ assets: [] })
      yield* refuse(
        again.steps === 0 && again.runId === undefined
          ? undefined
          : `another run found something to do: ${JSON.stringify(again.outcomes.flatMap(brief))}`
      )
    })

    const run = Effect.fnUntraced(function* ({ concurrency, ends, ...request }: Run) {
      const passed = yield* Ref.make(0)
      const exit = yield* Effect.exit(
        assay.materialize(request, { concurrency }).pipe(
          Effect.provideService(FaultPoint.FaultPoint, (point) =>
            Effect.gen(function* () {
              yield* watching(point)
              if ((yield* Ref.getAndUpdate(passed, (count) => count + 1)) !== ends?.at) return
              return yield* ends.how === "died" ? Effect.die(new Error(`died at ${point}`)) : Effect.interrupt
            })
          )
        )
      )
      if (Exit.isFailure(exit) && !Exit.hasInterrupts(exit)) {
        const error = yield* Effect.flip(exit)
        return yield* error._tag === "InvalidPartitionRange" ? tell("  refused: no such partitions") : Effect.die(error)
      }
      yield* tell(`  ${Exit.isSuccess(exit) ? JSON.stringify(exit.value.outcomes.flatMap(brief)) : "interrupted"}`)
    })

    const take = Effect.fnUntraced(function* (event: Event<Act>) {
      switch (event._tag) {
        case "Act":
          return yield* act(event.act)
        case "Run":
          return yield* run(event.run)
        case "Crowd":
          return yield* Effect.all(event.runs.map(run), { concurrency: "unbounded", discard: true })
        case "Lander": {
          const lander = yield* opened
          const landing = Effect.forEach(event.acts, (own) =>
            Effect.gen(function* () {
              yield* act(own)
              yield* lander.materialize({ assets: [subject.source] }).pipe(watched)
            })
          )
          return yield* Effect.all([run(event.run), landing], { concurrency: 2, discard: true })
        }
        case "Drain":
          return yield* drain(event.concurrency)
        case "ChangeCode":
          versions.set(event.asset, `version ${versions.size + 1} of ${versions.get(event.asset) ?? "the code"}`)
          assay = yield* opened
          return
        case "Part": {
          const other = yield* open(Shop.only(world.graph(versions), event.asset))
          yield* other.materialize({ assets: [] }).pipe(watched)
          return
        }
        case "Pass":
          now += event.hours * 3_600_000
          return yield* time.set(new Date(now).toISOString())
      }
    })

    for (const [index, event] of events.entries()) {
      yield* tell(format(event))
      yield* take(event)
      yield* findings
      yield* sound
      if (index % 10 === 9) yield* verified(assay, false)
    }
    yield* tell("mend and drain")
    yield* world.mend
    yield* drain(4)
    yield* verified(assay, true)
    return { events: events.length, ...seen } satisfies Lived
  })

/** By the engine's own account: what a user is told. */
const verified = (assay: Service, strict: boolean) =>
  Effect.flatMap(assay.verify({ strict }), (verdicts) => {
    const wrong = verdicts.filter(({ isOk }) => !isOk)
    return refuse(wrong.length === 0 ? undefined : `verify${strict ? " --strict" : ""}: ${JSON.stringify(wrong)}`)
  }).pipe(Effect.provideService(Calm, true))

const refuse = (wrong: string | undefined): Effect.Effect<void> =>
  wrong === undefined ? Effect.void : Effect.die(new Error(wrong))

const brief = ({
  asset,
  error,
  outcome,
  steps
}: {
  readonly asset: string
  readonly error: Error | undefined
  readonly outcome: string
  readonly steps: number
}) =>
  steps === 0 && outcome === "unchanged"
    ? []
    : [`${asset} ${outcome} ${steps}${error === undefined ? "" : ` ${error.message}`}`]
