import type { AssetEvent } from "@assay/core/AssetEvent"
import { Outbox } from "@assay/core/ledger/Outbox"
import { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { at } from "./layers.ts"

/** One event of each kind. */
const events: ReadonlyArray<AssetEvent> = [
  {
    _tag: "RunStarted",
    runId: "run-1",
    assets: ["a", "b"],
    requestedBy: "cli",
    why: "asked for b",
    at: at("10:00:00")
  },
  {
    _tag: "Landed",
    asset: "a",
    runId: "run-1",
    origin: "events.csv",
    rows: 5_000_000_000,
    quarantined: 2,
    at: at("10:00:00.123")
  },
  {
    _tag: "Materialized",
    asset: "b",
    runId: "run-1",
    codeVersion: "v1",
    units: 2,
    unitKeys: ["2024-03-01", 'nul \0 and "quotes"'],
    inserted: 1,
    updated: 2,
    deleted: 3,
    unchanged: 4,
    at: at("10:00:02")
  },
  {
    _tag: "CheckFailed",
    asset: "b",
    runId: "run-1",
    check: "not null: currency",
    severity: "warn",
    violations: 7,
    examples: ['{"currency":null}'],
    at: at("10:00:03")
  },
  { _tag: "SchemaMismatched", asset: "a", runId: "run-1", message: "no column event_id", at: at("10:00:04") },
  {
    _tag: "MaterializationFailed",
    asset: "b",
    runId: "run-1",
    reason: "Transient",
    message: "gone",
    at: at("10:00:05")
  },
  { _tag: "RunFinished", runId: "run-1", status: "failed", error: "b failed", at: at("10:00:06") },
  { _tag: "RunFinished", runId: "run-2", status: "succeeded", error: undefined, at: at("10:00:07") }
]

export const mismatch = (message: string): AssetEvent => ({
  _tag: "SchemaMismatched",
  asset: "a",
  runId: "run-1",
  message,
  at: at("10:00:00")
})

export const emit = (...messages: ReadonlyArray<string>) =>
  Effect.flatMap(Outbox, (outbox) => outbox.emit(messages.map(mismatch)))

/**
 * All events, once there are so many: on PostgreSQL a transaction of a neighbouring test may hold them back for a moment.
 */
const settled = (count: number) =>
  Effect.flatMap(Outbox, (outbox) =>
    Effect.repeat(outbox.read({ limit: 100_000 }), { until: (entries) => entries.length >= count })
  )

/** The messages of all events, once there are so many. */
export const messages = (count: number) =>
  Effect.map(settled(count), (entries) =>
    entries.map(({ event }) => (event._tag === "SchemaMismatched" ? event.message : event._tag))
  )

/** Every `Outbox` layer must pass this suite. */
export const suite = (name: string, layer: Layer.Layer<Outbox | Transactor, unknown>) =>
  describe(`Outbox (${name})`, () => {
    const test = (name: string, body: Effect.Effect<void, unknown, Outbox | Transactor>) =>
      it.effect(name, () => Effect.provide(body, layer))

    test(
      "gives back events of every kind, in the order in which they were emitted",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        assert.deepStrictEqual(yield* outbox.read({ limit: 10 }), [])
        yield* outbox.emit(events.slice(0, 3))
        yield* outbox.emit([])
        yield* outbox.emit(events.slice(3))
        assert.deepStrictEqual(
          (yield* settled(events.length)).map(({ event }) => event),
          events
        )
      })
    )

    test(
      "is read page by page",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        yield* emit("1", "2", "3")
        yield* emit("4", "5")
        yield* settled(5)
        const first = yield* outbox.read({ limit: 2 })
        const second = yield* outbox.read({ limit: 2, after: first.at(-1)?.id })
        const third = yield* outbox.read({ limit: 2, after: second.at(-1)?.id })
        const last = yield* outbox.read({ limit: 2, after: third.at(-1)?.id })
        assert.deepStrictEqual(
          [...first, ...second, ...third, ...last].map(({ event }) => event),
          ["1", "2", "3", "4", "5"].map(mismatch)
        )
        assert.deepStrictEqual([first.length, second.length, third.length, last.length], [2, 2, 1, 0])
      })
    )

    test(
      "tells an event again until it is acknowledged, and never after",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        yield* emit("1", "2", "3")
        assert.deepStrictEqual(yield* messages(3), ["1", "2", "3"])
        const [, second] = yield* outbox.read({ limit: 2 })
        assert.isDefined(second)
        yield* outbox.acknowledge({ upTo: second.id })
        assert.deepStrictEqual(yield* messages(1), ["3"])
        yield* outbox.acknowledge({ upTo: second.id })
        yield* emit("4")
        assert.deepStrictEqual(yield* messages(2), ["3", "4"])
      })
    )

    test(
      "does not use the place of an acknowledged event again",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        yield* emit("1")
        const [first] = yield* settled(1)
        assert.isDefined(first)
        yield* outbox.acknowledge({ upTo: first.id })
        yield* emit("2")
        yield* settled(1)
        const after = yield* outbox.read({ limit: 10, after: first.id })
        assert.deepStrictEqual(
          after.map(({ event }) => event),
          [mismatch("2")]
        )
      })
    )

    test(
      "keeps thousands of events of one emission in order",
      Effect.gen(function* () {
        const many = Array.from({ length: 5_000 }, (_, index) => String(index))
        yield* emit(...many)
        assert.deepStrictEqual(yield* messages(many.length), many)
      })
    )

    test(
      "events vanish with the transaction that fails (Verifies: L3)",
      Effect.gen(function* () {
        const transactor = yield* Transactor
        yield* emit("kept")
        const error = yield* Effect.flip(transactor.transact(Effect.andThen(emit("lost"), Effect.fail("no"))))
        assert.strictEqual(error, "no")
        // The order is that of the transactions, so what was lost would stand before the end.
        yield* emit("end")
        assert.deepStrictEqual(yield* messages(2), ["kept", "end"])
      })
    )
  })
