import * as Assay from "@assay/core/Assay"
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import { sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as BigDecimal from "effect/BigDecimal"
import * as Cursor from "../../benchmark/Cursor.ts"
import * as Letterbox from "../../benchmark/Letterbox.ts"
import * as Revenue from "../../benchmark/Revenue.ts"
import { count, layer, Workbench } from "../../benchmark/Workbench.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

/** A transaction that does its work and stays open until it is told to go on. */
const paused = Effect.fnUntraced(function* <A, E, R>(
  transaction: (pause: Effect.Effect<void>) => Effect.Effect<A, E, R>
) {
  const isOpen = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  const pause = Effect.andThen(Deferred.succeed(isOpen, undefined), Deferred.await(go))
  const fiber = yield* Effect.forkChild(transaction(pause))
  yield* Effect.raceFirst(
    Deferred.await(isOpen),
    Effect.flatMap(Fiber.join(fiber), () => Effect.die("it did not pause"))
  )
  return Effect.andThen(Deferred.succeed(go, undefined), Fiber.join(fiber))
})

const event = (origin: string): Revenue.Event => ({
  origin,
  line: 1,
  event_id: origin,
  customer_id: "ann",
  kind: "invoice",
  segment: null,
  amount: BigDecimal.make(100n, 2),
  event_ts: "2024-01-01T12:00:00.000000Z",
  updated_at: "2024-01-01T12:00:00.000000Z",
  is_deleted: false
})

/** A graph with a feed of its own, as another process has it. */
const open = Effect.gen(function* () {
  const letters = yield* Letterbox.make<Revenue.Event>()
  const graph = Revenue.graph({ source: letters.source, start: "2024-01-01", end: "2024-01-02" })
  const context = yield* Layer.build(Layer.fresh(Assay.layerWithoutStorage(graph)))
  return { assay: Context.get(context, Assay.Assay), letters }
})

it.layer(TestDatabase.layer)("a transaction that began first and commits last", (it) => {
  it.effect("is lost to every high-water mark that orders rows, and to none that orders transactions", () =>
    Effect.gen(function* () {
      const { transact } = yield* Transactor
      yield* Cursor.prepare
      const commit = yield* paused((pause) =>
        transact(Effect.andThen(Cursor.append("slow", 3, "2024-01-01T10:00:00Z"), pause))
      )
      yield* transact(Cursor.append("fast", 3, "2024-01-01T10:00:02Z"))
      for (const cursor of Cursor.usual)
        assert.deepStrictEqual(yield* Cursor.poll(cursor), { read: 3, added: 3 }, cursor.name)
      assert.deepStrictEqual(yield* Cursor.poll(Cursor.horizon), { read: 0, added: 0 })

      yield* commit
      for (const cursor of Cursor.usual) {
        yield* Cursor.poll(cursor)
        assert.deepStrictEqual(yield* Cursor.lost(cursor), { rows: 3, batches: ["slow"] }, cursor.name)
      }
      // Transactions of other tests on this server hold the horizon back, too.
      const late = Effect.andThen(Cursor.poll(Cursor.horizon), Cursor.lost(Cursor.horizon))
      assert.deepStrictEqual(yield* Effect.repeat(late, { until: ({ rows }) => rows === 0 }), { rows: 0, batches: [] })
    }).pipe(Effect.provide(layer("order_of_commits")))
  )

  it.effect("is found by a lookback that is longer than it lasted, at the price of reading again", () =>
    Effect.gen(function* () {
      const { transact } = yield* Transactor
      yield* Cursor.prepare
      const commit = yield* paused((pause) =>
        transact(Effect.andThen(Cursor.append("slow", 3, "2024-01-01T10:00:00.0Z"), pause))
      )
      yield* transact(Cursor.append("fast", 5, "2024-01-01T10:00:00.5Z"))
      for (const cursor of Cursor.usual) yield* Cursor.poll(cursor)
      yield* commit
      const found = yield* Effect.forEach(Cursor.usual, (cursor) =>
        Effect.gen(function* () {
          const { added, read } = yield* Cursor.poll(cursor)
          return [cursor.name, added, read - added]
        })
      )
      assert.deepStrictEqual(found, [
        ["max(loaded_at)", 0, 5],
        ["max(loaded_at), lookback 300 ms", 0, 5],
        ["max(loaded_at), lookback 1 s", 3, 5],
        ["max(id), a sequence", 0, 0]
      ])
    }).pipe(Effect.provide(layer("lookback")))
  )

  it.effect("is not lost to Assay, whose marks commit with the rows (Verifies: L1, L4)", () =>
    Effect.gen(function* () {
      const { asset } = yield* Workbench
      const [slow, fast, consumer] = [yield* open, yield* open, yield* open]
      yield* consumer.assay.materialize({ assets: ["silver_events"] })
      yield* slow.letters.put("slow", [event("slow")])
      yield* fast.letters.put("fast", [event("fast")])
      const commit = yield* paused((pause) =>
        slow.assay
          .materialize({ assets: ["bronze_events"] })
          .pipe(
            Effect.provideService(FaultPoint.FaultPoint, (point) =>
              point === "landing.beforeCommit" ? pause : Effect.void
            )
          )
      )
      const second = yield* Effect.forkChild(fast.assay.materialize({ assets: ["bronze_events"] }))
      const early = yield* consumer.assay.materialize({ assets: ["silver_events"], upstream: false })
      assert.strictEqual(early.steps, 0)

      yield* commit
      assert.strictEqual((yield* Fiber.join(second)).status, "succeeded")
      yield* consumer.assay.materialize({ assets: ["silver_events"], upstream: false })
      const missing = yield* count(sql`SELECT count(*)::int AS count FROM ${asset("bronze_events")} AS b
        WHERE NOT EXISTS (SELECT FROM ${asset("silver_events")} AS s WHERE s.event_id = b.event_id)`)
      const landed = yield* count(sql`SELECT count(*)::int AS count FROM ${asset("bronze_events")} AS b`)
      assert.deepStrictEqual({ landed, missing }, { landed: 2, missing: 0 })
    }).pipe(Effect.provide(layer("marks")))
  )
})
