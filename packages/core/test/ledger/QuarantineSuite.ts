import * as Quarantine from "@assay/core/ledger/Quarantine"
import type { Rejected } from "@assay/core/Source"
import { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { at } from "./layers.ts"

const rejected = (line: number, raw = `row ${line}`): Rejected => ({
  origin: "events.csv",
  line,
  raw,
  reasons: [`line ${line} has no event_id`],
  context: { header: ["event_id", "amount"] }
})

const add = (asset: string, rows: ReadonlyArray<Rejected>, runId = "run-1") =>
  Effect.flatMap(Quarantine.Quarantine, (quarantine) => quarantine.add({ asset, runId, at: at("10:00:00"), rows }))

const list = (asset: string, after?: string) =>
  Effect.flatMap(Quarantine.Quarantine, (quarantine) => quarantine.list({ asset, limit: 1000, after }))

const lines = (asset: string) => Effect.map(list(asset), (rows) => rows.map(({ line }) => line))

/** Every `Quarantine` layer must pass this suite. */
export const suite = (name: string, layer: Layer.Layer<Quarantine.Quarantine | Transactor, unknown>) =>
  describe(`Quarantine (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("keeps a rejected row with everything that came with it", () =>
        Effect.gen(function* () {
          const quarantine = yield* Quarantine.Quarantine
          const row: Rejected = {
            origin: "feeds/März.csv",
            line: 5_000_000_000,
            raw: 'a,"b\\"\n{NULL}\t東京\u{1F600}',
            reasons: ['amount "x,y" is no decimal', "second \\ reason", ""],
            context: { header: ["a", "b"], nested: [1, null, { deep: true }] }
          }
          assert.strictEqual(yield* add("whole", [row]), 1)
          const [kept] = yield* list("whole")
          assert.isDefined(kept)
          assert.deepStrictEqual(kept, {
            ...row,
            id: kept.id,
            asset: "whole",
            runId: "run-1",
            quarantinedAt: at("10:00:00"),
            retriedAt: undefined,
            releasedAt: undefined,
            releasedBy: undefined
          })
          assert.deepStrictEqual(yield* quarantine.get(kept.id), Option.some(kept))
        })
      )

      it.effect("keeps rows that no text column can hold (Verifies: L4)", () =>
        Effect.gen(function* () {
          const raws = ["nul \0 inside", '"a JSON string"', "half \ud83d a character", "\\u0000"]
          const rows = raws.map((raw, index): Rejected => ({ ...rejected(index, raw), context: { raw } }))
          assert.strictEqual(yield* add("unstorable", rows), 4)
          const kept = yield* list("unstorable")
          assert.deepStrictEqual(
            kept.map(({ raw }) => raw),
            raws
          )
          assert.deepStrictEqual(
            kept.map(({ context }) => context),
            raws.map((raw) => ({ raw }))
          )
          assert.strictEqual(yield* add("unstorable", rows), 0)
        })
      )

      it.effect("keeps a row once, however often its file is landed (Verifies: L4)", () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* add("once", [rejected(1), rejected(2), rejected(1)]), 2)
          assert.strictEqual(yield* add("once", [rejected(1), rejected(2), rejected(3)], "run-2"), 1)
          const kept = yield* list("once")
          assert.deepStrictEqual(
            kept.map(({ line, runId }) => [line, runId]),
            [
              [1, "run-1"],
              [2, "run-1"],
              [3, "run-2"]
            ]
          )
        })
      )

      it.effect("takes rows of another asset, origin, line or text for other rows", () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* add("apart", [rejected(1)]), 1)
          assert.strictEqual(yield* add("apart too", [rejected(1)]), 1)
          const others = [{ ...rejected(1), origin: "other.csv" }, rejected(2, "row 1"), rejected(1, "row 1 ")]
          assert.strictEqual(yield* add("apart", others), 3)
        })
      )

      it.effect("keeps rows of any length, also where they differ in the end only", () =>
        Effect.gen(function* () {
          const long = "x".repeat(100_000)
          assert.strictEqual(yield* add("long", [rejected(1, `${long}a`), rejected(1, `${long}b`)]), 2)
          assert.strictEqual(yield* add("long", [rejected(1, `${long}a`)]), 0)
        })
      )

      it.effect("takes thousands of rows in one call", () =>
        Effect.gen(function* () {
          const quarantine = yield* Quarantine.Quarantine
          const rows = Array.from({ length: 12_000 }, (_, index) => rejected(index))
          assert.strictEqual(yield* add("many", rows), 12_000)
          assert.strictEqual(yield* add("many", rows), 0)
          assert.strictEqual(yield* quarantine.count("many"), 12_000)
          assert.deepStrictEqual((yield* list("many"))[999]?.line, 999)
        })
      )

      it.effect("adds nothing when there is nothing to add", () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* add("nothing", []), 0)
          assert.deepStrictEqual(yield* list("nothing"), [])
        })
      )

      it.effect("lists page by page, oldest first", () =>
        Effect.gen(function* () {
          const quarantine = yield* Quarantine.Quarantine
          yield* add(
            "paged",
            [1, 2, 3, 4, 5].map((line) => rejected(line))
          )
          const first = yield* quarantine.list({ asset: "paged", limit: 2 })
          const second = yield* quarantine.list({ asset: "paged", limit: 2, after: first.at(-1)?.id })
          const third = yield* quarantine.list({ asset: "paged", limit: 2, after: second.at(-1)?.id })
          assert.deepStrictEqual(
            [first, second, third].map((page) => page.map(({ line }) => line)),
            [[1, 2], [3, 4], [5]]
          )
        })
      )

      it.effect("streams every waiting row, while rows of earlier pages are released", () =>
        Effect.gen(function* () {
          const quarantine = yield* Quarantine.Quarantine
          yield* add(
            "streamed",
            [1, 2, 3, 4, 5, 6].map((line) => rejected(line))
          )
          const seen = yield* Quarantine.pages({ asset: "streamed", size: 2 }).pipe(
            Stream.tap((rows) =>
              quarantine.release({ ids: rows.map(({ id }) => id), runId: "run-2", at: at("11:00:00") })
            ),
            Stream.runCollect
          )
          assert.deepStrictEqual(
            seen.map((rows) => rows.map(({ line }) => line)),
            [
              [1, 2],
              [3, 4],
              [5, 6]
            ]
          )
          assert.deepStrictEqual(yield* lines("streamed"), [])
        })
      )

      it.effect("keeps a released row as evidence but no longer lists it", () =>
        Effect.gen(function* () {
          const quarantine = yield* Quarantine.Quarantine
          yield* add("released", [rejected(1), rejected(2)])
          const [row] = yield* list("released")
          assert.isDefined(row)
          const release = quarantine.release({ ids: [row.id], runId: "run-9", at: at("12:00:00") })
          assert.strictEqual(yield* release, 1)
          assert.strictEqual(yield* release, 0)
          assert.deepStrictEqual(yield* lines("released"), [2])
          assert.strictEqual(yield* quarantine.count("released"), 1)
          assert.deepStrictEqual(
            yield* quarantine.get(row.id),
            Option.some({ ...row, releasedAt: at("12:00:00"), releasedBy: "run-9" })
          )
        })
      )

      it.effect("takes a row that is rejected again after its release for a new one", () =>
        Effect.gen(function* () {
          const quarantine = yield* Quarantine.Quarantine
          yield* add("again", [rejected(1)])
          const ids = (yield* list("again")).map(({ id }) => id)
          yield* quarantine.release({ ids, runId: "run-2", at: at("12:00:00") })
          assert.strictEqual(yield* add("again", [rejected(1)]), 1)
          assert.deepStrictEqual(yield* lines("again"), [1])
          assert.notDeepEqual(
            (yield* list("again")).map(({ id }) => id),
            ids
          )
        })
      )

      it.effect("replaces the reasons of rows that were read again in vain, and of no released row", () =>
        Effect.gen(function* () {
          const quarantine = yield* Quarantine.Quarantine
          yield* add("revised", [rejected(1), rejected(2), rejected(3)])
          const [first, second, third] = yield* list("revised")
          assert.isDefined(first)
          assert.isDefined(second)
          assert.isDefined(third)
          yield* quarantine.release({ ids: [second.id], runId: "run-2", at: at("12:00:00") })
          yield* quarantine.revise({
            rows: [
              { id: first.id, reasons: ["still no event_id", "and no amount"] },
              { id: second.id, reasons: ["no"] }
            ],
            at: at("13:00:00")
          })
          yield* quarantine.revise({ rows: [], at: at("14:00:00") })
          assert.deepStrictEqual(yield* list("revised"), [
            { ...first, reasons: ["still no event_id", "and no amount"], retriedAt: at("13:00:00") },
            third
          ])
          const released = yield* quarantine.get(second.id)
          assert.deepStrictEqual(
            Option.map(released, ({ reasons }) => reasons),
            Option.some(second.reasons)
          )
        })
      )

      it.effect("finds no row by an id that is unknown or no id at all", () =>
        Effect.gen(function* () {
          const quarantine = yield* Quarantine.Quarantine
          const ids = ["999999999", "abc", "", "1.5", "99999999999999999999999"]
          const found = yield* Effect.forEach(ids, quarantine.get)
          assert.isTrue(found.every(Option.isNone))
        })
      )

      it.effect("rows and their release vanish with the transaction that fails (Verifies: L3)", () =>
        Effect.gen(function* () {
          const quarantine = yield* Quarantine.Quarantine
          const transactor = yield* Transactor
          yield* add("atomic", [rejected(1)])
          const ids = (yield* list("atomic")).map(({ id }) => id)
          const error = yield* Effect.flip(
            transactor.transact(
              Effect.gen(function* () {
                yield* add("atomic", [rejected(2)])
                yield* quarantine.release({ ids, runId: "run-2", at: at("12:00:00") })
                return yield* Effect.fail("no")
              })
            )
          )
          assert.strictEqual(error, "no")
          assert.deepStrictEqual(yield* lines("atomic"), [1])
        })
      )
    })

    it.effect("counts and lists the waiting rows of all assets", () =>
      Effect.gen(function* () {
        const quarantine = yield* Quarantine.Quarantine
        assert.strictEqual(yield* quarantine.count(), 0)
        yield* add("one", [rejected(1), rejected(2)])
        yield* add("two", [rejected(3)])
        const [first] = yield* list("one")
        assert.isDefined(first)
        yield* quarantine.release({ ids: [first.id], runId: "run-2", at: at("12:00:00") })
        assert.strictEqual(yield* quarantine.count(), 2)
        const rows = yield* quarantine.list({ limit: 10 })
        assert.deepStrictEqual(
          rows.map(({ asset, line }) => [asset, line]),
          [
            ["one", 2],
            ["two", 3]
          ]
        )
      }).pipe(Effect.provide(layer))
    )
  })
