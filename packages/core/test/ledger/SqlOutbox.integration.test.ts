import { Outbox } from "@assay/core/ledger/Outbox"
import { Postgres } from "@assay/core/postgres/Postgres"
import { sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { postgres } from "./layers.ts"
import { emit, messages, mismatch, suite } from "./OutboxSuite.ts"

suite("postgres", postgres)

describe("an outbox of several writers", () => {
  it.effect("hides what a slow transaction may still come before, and then gives all of it", () =>
    Effect.gen(function* () {
      const outbox = yield* Outbox
      const transactor = yield* Transactor
      const pg = yield* Postgres
      const hasBegun = yield* Deferred.make<void>()
      const isToEnd = yield* Deferred.make<void>()
      const slow = yield* Effect.forkChild(
        transactor.transact(
          Effect.gen(function* () {
            yield* emit("slow 1")
            // What is told waits for the next question.
            yield* pg.execute(sql`SELECT TRUE`)
            yield* Deferred.succeed(hasBegun, undefined)
            yield* Deferred.await(isToEnd)
            yield* emit("slow 2")
          })
        )
      )
      yield* Deferred.await(hasBegun)
      yield* emit("quick")
      assert.deepStrictEqual(yield* outbox.read({ limit: 10 }), [])
      yield* Deferred.succeed(isToEnd, undefined)
      yield* Fiber.join(slow)

      // Identities are 1, 3 and 2 in this order.
      assert.deepStrictEqual(yield* messages(3), ["slow 1", "slow 2", "quick"])
      const first = yield* outbox.read({ limit: 2 })
      const rest = yield* outbox.read({ limit: 2, after: first.at(-1)?.id })
      assert.deepStrictEqual(
        [...first, ...rest].map(({ event }) => event),
        ["slow 1", "slow 2", "quick"].map(mismatch)
      )
      yield* Effect.forEach(first.slice(-1), ({ id }) => outbox.acknowledge({ upTo: id }))
      assert.deepStrictEqual(yield* messages(1), ["quick"])
    }).pipe(Effect.provide(postgres))
  )

  it.effect("a reader that moves on never misses an event of writers that overlap (Verifies: L4)", () =>
    Effect.gen(function* () {
      const outbox = yield* Outbox
      const transactor = yield* Transactor
      const writers = Array.from({ length: 8 }, (_, writer) => writer)
      const rounds = Array.from({ length: 15 }, (_, round) => round)
      const writing = yield* Effect.forkChild(
        Effect.forEach(
          writers,
          (writer) =>
            Effect.forEach(rounds, (round) =>
              transactor.transact(Effect.andThen(emit(`${writer}.${round}.a`), emit(`${writer}.${round}.b`)))
            ),
          { concurrency: "unbounded", discard: true }
        )
      )

      const seen: Array<string> = []
      const expected = writers.length * rounds.length * 2
      let after: string | undefined
      yield* Effect.repeat(
        Effect.gen(function* () {
          for (const { event, id } of yield* outbox.read({ limit: 7, after })) {
            seen.push(event._tag === "SchemaMismatched" ? event.message : event._tag)
            after = id
          }
        }),
        { until: () => seen.length >= expected }
      )
      yield* Fiber.join(writing)
      const byWriter = writers.map((writer) => seen.filter((message) => message.startsWith(`${writer}.`)))
      assert.deepStrictEqual(
        byWriter,
        writers.map((writer) => rounds.flatMap((round) => [`${writer}.${round}.a`, `${writer}.${round}.b`]))
      )
    }).pipe(Effect.provide(postgres))
  )

  it.effect("tells events that were restored from a dump of another server, before newer ones", () =>
    Effect.gen(function* () {
      const { execute } = yield* Postgres
      yield* emit("restored 1", "restored 2")
      yield* execute(sql`UPDATE assay.outbox SET transaction_id = '4000000000000'`)
      yield* emit("new")
      assert.deepStrictEqual(yield* messages(3), ["restored 1", "restored 2", "new"])
    }).pipe(Effect.provide(postgres))
  )
})
