/**
 * Many writers at a time into one log, whose transactions commit in another order than they began, and consumers that
 * follow it; then the same batches with the same pauses through Assay. Real transactions in real time: what is lost
 * differs from run to run, that something is does not.
 */
import * as Assay from "@assay/core/Assay"
import type { RequestError } from "@assay/core/Assay"
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import type { RunResult } from "@assay/core/execution/Runner"
import type { Reason } from "@assay/core/MaterializationError"
import { sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Cursor from "./Cursor.ts"
import * as Letterbox from "./Letterbox.ts"
import * as Revenue from "./Revenue.ts"
import { one, type Services, Workbench } from "./Workbench.ts"

/** How much is written. */
export interface Size {
  readonly seed: number
  readonly writers: number
  readonly batches: number
  readonly rows: number
  /** How long a consumer waits between two looks at the log. */
  readonly pauseMs: number
}

/** What became of one consumer. */
export interface Outcome {
  readonly name: string
  readonly reads: number
  /** Rows that were read although the consumer had them. */
  readonly again: number
  readonly lostBatches: number
  readonly lostRows: number
}

/** What became of all of them. */
export interface Results {
  readonly batches: number
  readonly rows: number
  readonly outcomes: ReadonlyArray<Outcome>
  /** How long the writers took into the bare log, and through Assay. */
  readonly writersMs: number
  readonly assayMs: number
}

/** Lets the writers write into a bare log with all consumers behind them, and then through Assay. */
export const run = (size: Size): Effect.Effect<Results, Reason | RequestError, Services> =>
  Effect.gen(function* () {
    const plan = yield* batchesOf(size)
    yield* Cursor.prepare
    const { transact } = yield* Transactor
    const bare = yield* timed(
      followed({
        size,
        write: Effect.forEach(
          plan,
          (own) =>
            Effect.forEach(own, ({ batch, holdMs }) =>
              transact(Effect.andThen(Cursor.append(batch, size.rows), Effect.sleep(holdMs)))
            ),
          { concurrency: "unbounded", discard: true }
        ),
        consumers: Cursor.all.map((cursor) => ({
          name: cursor.name,
          read: Cursor.poll(cursor),
          lost: Cursor.lost(cursor)
        }))
      })
    )
    const assay = yield* timed(throughAssay(size, plan))
    return {
      batches: size.writers * size.batches,
      rows: size.writers * size.batches * size.rows,
      outcomes: [...bare.value, ...assay.value],
      writersMs: bare.elapsed,
      assayMs: assay.elapsed
    }
  })

// --- internal ---

interface Planned {
  readonly batch: string
  /** How long the transaction stays open after its rows are written. */
  readonly holdMs: number
}

/** Most transactions last some milliseconds; one of sixteen half a second, one of fifty more than one. */
const batchesOf = ({ batches, seed, writers }: Size): Effect.Effect<ReadonlyArray<ReadonlyArray<Planned>>> =>
  Effect.map(Random.Random, (random) => {
    const hold = () => {
      const lot = random.nextDoubleUnsafe()
      const spread = random.nextDoubleUnsafe()
      return Math.floor(lot < 0.02 ? 1200 + 300 * spread : lot < 0.08 ? 400 + 200 * spread : 5 + 45 * spread)
    }
    return Array.from({ length: writers }, (_, writer) =>
      Array.from({ length: batches }, (_, index) => ({ batch: `${writer}-${index}`, holdMs: hold() }))
    )
  }).pipe(Random.withSeed(seed))

interface Consumer<R> {
  readonly name: string
  readonly read: Effect.Effect<{ readonly read: number; readonly added: number }, Reason | RequestError, R>
  readonly lost: Effect.Effect<
    { readonly rows: number; readonly batches: ReadonlyArray<string> },
    Reason | RequestError,
    R
  >
}

/** Consumers read again and again while something is written, and once more when all of it is committed. */
const followed = <R, R2>(options: {
  readonly size: Size
  readonly write: Effect.Effect<void, Reason | RequestError, R>
  readonly consumers: ReadonlyArray<Consumer<R2>>
}): Effect.Effect<ReadonlyArray<Outcome>, Reason | RequestError, R | R2> =>
  Effect.gen(function* () {
    const isDone = yield* Ref.make(false)
    const writing = yield* Effect.forkChild(Effect.andThen(options.write, Ref.set(isDone, true)))
    const follow = Effect.fnUntraced(function* ({ lost, name, read }: Consumer<R2>) {
      let reads = 0
      let again = 0
      let isLast = false
      while (!isLast) {
        isLast = yield* Ref.get(isDone)
        const found = yield* read
        reads += 1
        again += found.read - found.added
        if (!isLast) yield* Effect.sleep(options.size.pauseMs)
      }
      const missing = yield* lost
      return { name, reads, again, lostBatches: missing.batches.length, lostRows: missing.rows }
    })
    const outcomes = yield* Effect.forEach(options.consumers, follow, { concurrency: "unbounded" })
    yield* Fiber.join(writing)
    return outcomes
  })

/** Each writer is a graph of its own on the same storage, as in a process of its own; one more runs the consumer. */
const throughAssay = (size: Size, plan: ReadonlyArray<ReadonlyArray<Planned>>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const open = Effect.gen(function* () {
        const letters = yield* Letterbox.make<Revenue.Event>()
        const graph = Revenue.graph({ source: letters.source, start: "2024-01-01", end: "2024-01-02" })
        const context = yield* Layer.build(Layer.fresh(Assay.layerWithoutStorage(graph)))
        return { assay: Context.get(context, Assay.Assay), letters }
      })
      const consumer = yield* open
      yield* consumer.assay.materialize({ assets: ["silver_events"] })
      const writers = yield* Effect.forEach(plan, (own) => Effect.map(open, (opened) => ({ ...opened, own })))
      const write = Effect.forEach(
        writers,
        ({ assay, letters, own }) =>
          Effect.forEach(own, ({ batch, holdMs }) =>
            Effect.gen(function* () {
              yield* letters.put(batch, events(batch, size.rows))
              yield* succeeded(assay.materialize({ assets: ["bronze_events"] })).pipe(
                Effect.provideService(FaultPoint.FaultPoint, (point) =>
                  point === "landing.beforeCommit" ? Effect.sleep(holdMs) : Effect.void
                )
              )
            })
          ),
        { concurrency: "unbounded", discard: true }
      )
      const read = Effect.map(
        succeeded(consumer.assay.materialize({ assets: ["silver_events"], upstream: false })),
        ({ outcomes }) => {
          const [silver] = outcomes
          return { read: silver === undefined ? 0 : silver.inserted + silver.unchanged, added: silver?.inserted ?? 0 }
        }
      )
      return yield* followed({ size, write, consumers: [{ name: "Assay", read, lost: lostByAssay }] })
    })
  )

/** The rows of the log, counted within their batch, that the asset does not have. */
const lostByAssay = Effect.gen(function* () {
  const { asset, table } = yield* Workbench
  return yield* one(
    sql`SELECT count(*)::int AS rows, coalesce(array_agg(DISTINCT batch), '{}') AS batches
      FROM (SELECT batch, row_number() OVER (PARTITION BY batch ORDER BY id) - 1 AS line FROM ${table("log")} AS l) AS l
      WHERE NOT EXISTS (
        SELECT FROM ${asset("silver_events")} AS s WHERE s.event_id = concat(l.batch, '-', l.line))`,
    Cursor.Lost
  )
})

/** The run of a writer or a consumer, which must not fail. */
const succeeded = <E, R>(run: Effect.Effect<RunResult, E, R>): Effect.Effect<RunResult, E, R> =>
  Effect.tap(run, ({ outcomes, status }) =>
    status === "succeeded"
      ? Effect.void
      : Effect.die(outcomes.map(({ asset, error }) => `${asset}: ${error?.message ?? "skipped"}`).join("; "))
  )

const events = (batch: string, rows: number): ReadonlyArray<Revenue.Event> =>
  Array.from({ length: rows }, (_, line) => ({
    origin: batch,
    line,
    event_id: `${batch}-${line}`,
    customer_id: batch,
    kind: "invoice",
    segment: null,
    amount: BigDecimal.make(100n, 2),
    event_ts: "2024-01-01T12:00:00.000000Z",
    updated_at: "2024-01-01T12:00:00.000000Z",
    is_deleted: false
  }))

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const value = yield* effect
    return { value, elapsed: (yield* Clock.currentTimeMillis) - began }
  })
