import { Materializations } from "@assay/core/ledger/Materializations"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { at } from "./layers.ts"

const record = (asset: string, units: ReadonlyArray<string>, contentHash = "h1", runId = "run-1") =>
  Effect.flatMap(Materializations, (materializations) =>
    materializations.record({
      asset,
      runId,
      codeVersion: "v1",
      at: at("10:00:00"),
      units: units.map((unit) => ({ unit, rows: 3, contentHash }))
    })
  )

/** Every `Materializations` layer must pass this suite. */
export const suite = (name: string, layer: Layer.Layer<Materializations | StaleSets | Transactor, unknown>) =>
  describe(`Materializations (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("knows nothing of an asset that was never built", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          assert.deepStrictEqual(yield* materializations.units("unbuilt"), [])
          assert.strictEqual(yield* materializations.count("unbuilt"), 0)
          assert.isTrue(Option.isNone(yield* materializations.get({ asset: "unbuilt", unit: "2024-03-01" })))
        })
      )

      it.effect("gives back what was recorded of a unit", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          yield* materializations.record({
            asset: "recorded",
            runId: "run-7",
            codeVersion: "v2",
            at: at("10:00:00.123"),
            units: [{ unit: "2024-03-01", rows: 5_000_000_000, contentHash: "abc" }]
          })
          assert.deepStrictEqual(
            yield* materializations.get({ asset: "recorded", unit: "2024-03-01" }),
            Option.some({
              asset: "recorded",
              unit: "2024-03-01",
              rows: 5_000_000_000,
              contentHash: "abc",
              runId: "run-7",
              codeVersion: "v2",
              at: at("10:00:00.123")
            })
          )
        })
      )

      it.effect("lists each built unit once, in bytewise order", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          yield* record("listed", ["b", "a"])
          yield* record("listed", ["a", "é", "Z", "_"])
          assert.deepStrictEqual(yield* materializations.units("listed"), ["Z", "_", "a", "b", "é"])
          assert.strictEqual(yield* materializations.count("listed"), 5)
        })
      )

      it.effect("replaces the record of a unit that is built again", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          yield* record("rebuilt", ["a", "b"], "h1", "run-1")
          yield* record("rebuilt", ["b"], "h2", "run-2")
          const units = yield* Effect.forEach(["a", "b"], (unit) => materializations.get({ asset: "rebuilt", unit }))
          assert.deepStrictEqual(units.map(Option.map(({ contentHash, runId }) => [contentHash, runId])), [
            Option.some(["h1", "run-1"]),
            Option.some(["h2", "run-2"])
          ])
        })
      )

      it.effect("takes the last of a unit named twice", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          yield* materializations.record({
            asset: "twice",
            runId: "run-1",
            codeVersion: "v1",
            at: at("10:00:00"),
            units: [
              { unit: "a", rows: 1, contentHash: "first" },
              { unit: "a", rows: 2, contentHash: "last" }
            ]
          })
          const unit = yield* materializations.get({ asset: "twice", unit: "a" })
          assert.deepStrictEqual(
            Option.map(unit, ({ contentHash }) => contentHash),
            Option.some("last")
          )
        })
      )

      it.effect("keeps apart the units of two assets", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          yield* record("left", ["a", "b"])
          yield* record("right", ["b"])
          yield* materializations.forget({ asset: "left", units: ["b"] })
          assert.deepStrictEqual(yield* materializations.units("left"), ["a"])
          assert.deepStrictEqual(yield* materializations.units("right"), ["b"])
        })
      )

      it.effect("forgets only the units named, also when some of them are unknown", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          yield* record("forgotten", ["a", "b", "c"])
          yield* materializations.forget({ asset: "forgotten", units: ["a", "c", "never"] })
          yield* materializations.forget({ asset: "forgotten", units: [] })
          assert.deepStrictEqual(yield* materializations.units("forgotten"), ["b"])
        })
      )

      it.effect("tells the units that other code built last", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          yield* record("coded", ["a", "b", "c"])
          const units = [{ unit: "b", rows: 1, contentHash: "h2" }]
          yield* materializations.record({
            asset: "coded",
            runId: "run-2",
            codeVersion: "v2",
            at: at("11:00:00"),
            units
          })
          const outdated = (codeVersion: string) => materializations.outdated({ asset: "coded", codeVersion })
          assert.deepStrictEqual(yield* outdated("v2"), ["a", "c"])
          assert.deepStrictEqual(yield* outdated("v1"), ["b"])
          assert.deepStrictEqual(yield* materializations.outdated({ asset: "uncoded", codeVersion: "v1" }), [])
        })
      )

      it.effect("finds units by parts of their keys, of known assets but some", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          const staleSets = yield* StaleSets
          const names = ["parted_1", "parted_2", "parted_3"]
          for (const asset of names) yield* record(asset, ["eu", "2024-03-01|eu", "europe", "us|2024-03-01"])
          const assets = names.map((asset) => ({ asset, codeVersion: "v1", isPartitioned: true, reads: [] }))
          yield* staleSets.register({ assets, at: at("09:00:00") })
          assert.deepStrictEqual(
            yield* materializations.withParts({ parts: ["eu", "nowhere"], except: ["parted_2"] }),
            new Map([
              ["parted_1", ["2024-03-01|eu", "eu"]],
              ["parted_3", ["2024-03-01|eu", "eu"]]
            ])
          )
        })
      )

      it.effect("keeps units whose text needs quoting as they are", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          const units = ["", "NULL", 'a"b', "a\\b", "a,b", "{}", "line\nbreak", "東京"]
          yield* record("quoted", units)
          assert.sameMembers([...(yield* materializations.units("quoted"))], units)
        })
      )

      it.effect("records more units than fit in one statement", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          const units = Array.from({ length: 60_001 }, (_, index) => `u${String(index).padStart(6, "0")}`)
          yield* record("many", units)
          assert.strictEqual(yield* materializations.count("many"), 60_001)
          yield* materializations.forget({ asset: "many", units: units.slice(1) })
          assert.deepStrictEqual(yield* materializations.units("many"), ["u000000"])
        })
      )

      it.effect("a record vanishes with the transaction that fails (Verifies: L3)", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          const transactor = yield* Transactor
          yield* record("atomic", ["kept"])
          const error = yield* Effect.flip(
            transactor.transact(
              Effect.gen(function* () {
                yield* record("atomic", ["lost"])
                yield* materializations.forget({ asset: "atomic", units: ["kept"] })
                return yield* Effect.fail("no")
              })
            )
          )
          assert.strictEqual(error, "no")
          assert.deepStrictEqual(yield* materializations.units("atomic"), ["kept"])
        })
      )
    })
  })
