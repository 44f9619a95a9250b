/**
 * The feed of days, through alternatives and through Assay: after every delivery each of them brings its tables up to
 * date as it does, and after the last one their revenue is compared with the full refresh, row by row.
 */
import * as Assay from "@assay/core/Assay"
import type { RequestError } from "@assay/core/Assay"
import type { RunResult } from "@assay/core/execution/Runner"
import type { Reason } from "@assay/core/MaterializationError"
import { sql } from "@assay/core/Sql"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { Alternative, Outcome } from "./Alternative.ts"
import * as CurrentRow from "./CurrentRow.ts"
import * as Feed from "./Feed.ts"
import * as Letterbox from "./Letterbox.ts"
import * as Lookback from "./Lookback.ts"
import * as Overwrite from "./Overwrite.ts"
import * as Refresh from "./Refresh.ts"
import * as Revenue from "./Revenue.ts"
import { type Services, Workbench } from "./Workbench.ts"

/** Alternatives of one kind, and the asset in which Assay does what they do. */
export interface Trial {
  readonly name: "lookback" | "partitions" | "scd2"
  readonly title: string
  /** What is counted as work. */
  readonly work: string
  readonly asset: string
  readonly alternatives: ReadonlyArray<Alternative>
}

/** Every trial that this feed serves. */
export const trials: ReadonlyArray<Trial> = [
  {
    name: "lookback",
    title: "A lookback window by event time",
    work: "events read",
    asset: "silver_events",
    alternatives: [0, 1, 7, 30].map(Lookback.make)
  },
  {
    name: "partitions",
    title: "Overwriting the latest partitions",
    work: "days built",
    asset: "gold_revenue",
    alternatives: [...[1, 3, 7, 30].map(Overwrite.latest), Overwrite.touched()]
  },
  {
    name: "scd2",
    title: "A dimension that compares with the current row",
    work: "customers compared",
    asset: "dim_customer",
    alternatives: [CurrentRow.byLoad(), CurrentRow.byEffect(), CurrentRow.everyChange()]
  }
]

/** What became of a trial. */
export interface Result {
  readonly trial: Trial
  /** The alternatives in their order, and Assay behind them. */
  readonly outcomes: ReadonlyArray<Outcome>
}

/** What became of the trials, and how much there was. */
export interface Results {
  readonly whole: Schema.Schema.Type<typeof Refresh.Whole>
  readonly results: ReadonlyArray<Result>
  /** How long all runs of Assay took together. */
  readonly assayMs: number
}

/** Runs the trials. */
export const run = (options: {
  readonly size: Feed.Size
  readonly trials: ReadonlyArray<Trial>
}): Effect.Effect<Results, Reason | RequestError, Services> =>
  Effect.gen(function* () {
    const { size, trials } = options
    const deliveries = yield* Feed.make(size)
    const alternatives = trials.flatMap(({ alternatives }) => alternatives)
    yield* Refresh.prepare
    yield* Effect.forEach(alternatives, ({ prepare }) => prepare, { discard: true })

    const work = new Map<string, number>()
    for (const delivery of deliveries) {
      yield* Refresh.deliver(delivery)
      yield* Refresh.refresh
      for (const { name, run } of alternatives) {
        work.set(name, (work.get(name) ?? 0) + (yield* run(delivery)))
      }
    }

    const assay = yield* throughAssay(deliveries, Feed.dayAfter(size.days))
    const { asset } = yield* Workbench
    const exact = yield* Refresh.distance(sql`SELECT * FROM ${asset("gold_revenue")} AS g`)
    const results = yield* Effect.forEach(trials, (trial) =>
      Effect.gen(function* () {
        const outcomes = yield* Effect.forEach(trial.alternatives, ({ name, revenue }) =>
          Effect.map(Effect.flatMap(revenue, Refresh.distance), (distance): Outcome => ({
            name,
            work: work.get(name) ?? 0,
            ...distance
          }))
        )
        const own: Outcome = { name: "Assay", work: assay.units.get(trial.asset) ?? 0, ...exact }
        return { trial, outcomes: [...outcomes, own] }
      })
    )
    return { whole: yield* Refresh.whole, results, assayMs: assay.elapsed }
  })

// --- internal ---

/** Lands each delivery and brings everything up to date after it; counts the units that were built of each asset. */
const throughAssay = (deliveries: ReadonlyArray<Feed.Delivery>, end: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const letters = yield* Letterbox.make<Revenue.Event>()
      const graph = Revenue.graph({ source: letters.source, start: Feed.start, end })
      const context = yield* Layer.build(Layer.fresh(Assay.layerWithoutStorage(graph)))
      const assay = Context.get(context, Assay.Assay)
      const began = yield* Clock.currentTimeMillis
      const units = new Map<string, number>()
      for (const { date, events } of deliveries) {
        yield* letters.put(date, events)
        const result = yield* assay.materialize({ assets: [] })
        if (result.status !== "succeeded") return yield* Effect.die(failure(result))
        for (const outcome of result.outcomes) {
          units.set(outcome.asset, (units.get(outcome.asset) ?? 0) + built(outcome))
        }
      }
      return { units, elapsed: (yield* Clock.currentTimeMillis) - began }
    })
  )

/** An asset that is built as a whole has no units to count; what it inserts then is what it has. */
const built = ({ inserted, units }: RunResult["outcomes"][number]): number => (units === 0 ? inserted : units)

const failure = ({ outcomes }: RunResult): string =>
  outcomes.map(({ asset, error, outcome }) => `${asset} ${outcome}: ${error?.message ?? ""}`).join("; ")
