import { Positions } from "@assay/core/ledger/Positions"
import { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import { at } from "./layers.ts"

/** Moves the position of one origin; `from` undefined means that it was never landed. */
export const advance = (asset: string, from: Schema.Json | undefined, to: Schema.Json) =>
  Effect.flatMap(Positions, (positions) =>
    Effect.map(
      positions.advance({
        asset,
        origin: "events.csv",
        expected: from === undefined ? undefined : { origin: "events.csv", value: from },
        value: to,
        at: at("10:00:00")
      }),
      (revision) => revision !== undefined
    )
  )

export const values = (asset: string) =>
  Effect.flatMap(Positions, (positions) => Effect.map(positions.all(asset), (all) => all.map(({ value }) => value)))

/** Every `Positions` layer must pass this suite. */
export const suite = (name: string, layer: Layer.Layer<Positions | Transactor, unknown>) =>
  describe(`Positions (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("knows no position of an asset that never landed", () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* values("never"), [])
        })
      )

      it.effect("lists the positions of an asset by origin, with the time of each", () =>
        Effect.gen(function* () {
          const positions = yield* Positions
          const land = (origin: string, value: Schema.Json, time: string) =>
            Effect.map(
              positions.advance({ asset: "listed", origin, expected: undefined, value, at: at(time) }),
              (revision) => revision !== undefined
            )
          assert.isTrue(yield* land("b.csv", { line: 2 }, "10:00:00"))
          assert.isTrue(yield* land("a.csv", [1, null, "x"], "11:00:00.5"))
          assert.isDefined(
            yield* positions.advance({
              asset: "other",
              origin: "c.csv",
              expected: undefined,
              value: 1,
              at: at("10:00:00")
            })
          )
          const listed = (yield* positions.all("listed")).map(({ landedAt, origin, value }) => ({
            origin,
            value,
            landedAt
          }))
          assert.deepStrictEqual(listed, [
            { origin: "a.csv", value: [1, null, "x"], landedAt: at("11:00:00.5") },
            { origin: "b.csv", value: { line: 2 }, landedAt: at("10:00:00") }
          ])
        })
      )

      it.effect("moves from the expected value only", () =>
        Effect.gen(function* () {
          assert.isTrue(yield* advance("moved", undefined, { line: 1 }))
          assert.isFalse(yield* advance("moved", { line: 2 }, { line: 3 }))
          assert.deepStrictEqual(yield* values("moved"), [{ line: 1 }])
          assert.isTrue(yield* advance("moved", { line: 1 }, { line: 2 }))
          assert.deepStrictEqual(yield* values("moved"), [{ line: 2 }])
        })
      )

      it.effect("does not begin an origin twice", () =>
        Effect.gen(function* () {
          assert.isTrue(yield* advance("begun", undefined, 1))
          assert.isFalse(yield* advance("begun", undefined, 1))
          assert.deepStrictEqual(yield* values("begun"), [1])
        })
      )

      it.effect("does not move an origin that was expected somewhere but never landed", () =>
        Effect.gen(function* () {
          assert.isFalse(yield* advance("absent", { line: 1 }, { line: 2 }))
          assert.deepStrictEqual(yield* values("absent"), [])
        })
      )

      it.effect("compares values as JSON, whatever the order of their keys", () =>
        Effect.gen(function* () {
          assert.isTrue(yield* advance("keys", undefined, { a: 1, b: { c: null, d: [1, 2] } }))
          assert.isFalse(yield* advance("keys", { a: 1, b: { c: null, d: [2, 1] } }, "moved"))
          assert.isTrue(yield* advance("keys", { b: { d: [1, 2], c: null }, a: 1 }, "moved"))
          assert.deepStrictEqual(yield* values("keys"), ["moved"])
        })
      )

      it.effect("takes null for a value like any other, not for an absent one", () =>
        Effect.gen(function* () {
          assert.isTrue(yield* advance("null", undefined, null))
          assert.isFalse(yield* advance("null", undefined, 1))
          assert.isTrue(yield* advance("null", null, 1))
        })
      )

      it.effect("forgets the positions of one asset, which land again from the beginning", () =>
        Effect.gen(function* () {
          const positions = yield* Positions
          yield* advance("dropped", undefined, 1)
          yield* advance("kept", undefined, 1)
          yield* positions.forget("dropped")
          assert.deepStrictEqual([yield* values("dropped"), yield* values("kept")], [[], [1]])
          assert.isFalse(yield* advance("dropped", 1, 2))
          assert.isTrue(yield* advance("dropped", undefined, 3))
        })
      )

      it.effect("gives each move a revision, and moves from the expected one only (Verifies: L4, L8)", () =>
        Effect.gen(function* () {
          const positions = yield* Positions
          const move = (origin: string, revision?: string) =>
            positions.advance({
              asset: "revised",
              origin,
              expected: revision === undefined ? undefined : { origin, value: 1, revision },
              value: 1,
              at: at("10:00:00")
            })
          assert.isUndefined(yield* positions.revision("revised"))
          const first = yield* move("a.csv")
          assert.strictEqual(yield* positions.revision("revised"), first)
          const second = yield* move("b.csv")
          assert.strictEqual(yield* positions.revision("revised"), second)
          const third = yield* move("a.csv", first)
          assert.strictEqual(yield* positions.revision("revised"), third)
          assert.strictEqual(new Set([first, second, third]).size, 3)
          // The value is the one that was expected; only the move was another one.
          assert.isUndefined(yield* move("a.csv", first))
          assert.deepStrictEqual(
            (yield* positions.all("revised")).map(({ revision }) => revision),
            [third, second]
          )
        })
      )

      it.effect("a move vanishes with the transaction that fails (Verifies: L3)", () =>
        Effect.gen(function* () {
          const transactor = yield* Transactor
          yield* advance("atomic", undefined, 1)
          const error = yield* Effect.flip(
            transactor.transact(Effect.andThen(advance("atomic", 1, 2), Effect.fail("no")))
          )
          assert.strictEqual(error, "no")
          assert.deepStrictEqual(yield* values("atomic"), [1])
        })
      )
    })
  })
