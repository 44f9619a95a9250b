import type { Backfill, BackfillPart, BackfillRecord } from "@assay/core/Backfill"
import { Backfills } from "@assay/core/ledger/Backfills"
import { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { at } from "./layers.ts"

const record = (backfillId: string, fields: Partial<BackfillRecord> = {}): BackfillRecord => ({
  backfillId,
  status: "running",
  selection: "gold_revenue",
  partitions: "2024-03",
  only: ["missing", "stale"],
  maxConcurrent: 4,
  requestedBy: "cli",
  why: "a quarter was late",
  startedAt: at("10:00:00.001"),
  heartbeatAt: at("10:00:00.001"),
  finishedAt: undefined,
  ...fields
})

const set = (...days: ReadonlyArray<readonly [string, string | null]>): BackfillPart["target"] => ({
  partitions: "daily",
  definition: "d",
  ranges: days
})

const part = (asset: string, fields: Partial<BackfillPart> = {}): BackfillPart => ({
  asset,
  target: set(["2024-03-01", "2024-03-31"]),
  requested: set(),
  built: set(),
  failed: set(),
  failures: [],
  holder: undefined,
  ...fields
})

const whole: Backfill = {
  record: record("whole"),
  parts: [
    // Not in the order of their names: upstream comes first.
    part("silver", { requested: set(["2024-03-01", "2024-03-04"]), holder: { runId: "r1", process: "p1" } }),
    part("gold", {
      failed: set(["2024-03-02", "2024-03-03"]),
      failures: [{ units: set(["2024-03-02", "2024-03-02"]), reason: "DataQuality", message: 'not "good"' }]
    })
  ]
}

/** Every `Backfills` layer must pass this suite. */
export const suite = (name: string, layer: Layer.Layer<Backfills | Transactor, unknown>) =>
  describe(`Backfills (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("gives back what was started, its parts upstream before downstream", () =>
        Effect.gen(function* () {
          const backfills = yield* Backfills
          yield* backfills.start(whole)
          assert.deepStrictEqual(yield* backfills.get("whole"), { _tag: "Found", backfill: whole })
          assert.deepStrictEqual(yield* backfills.status("whole"), Option.some("running"))
          assert.deepStrictEqual(yield* backfills.status("another"), Option.none())
        })
      )

      it.effect("leaves a backfill as it is when it is started again", () =>
        Effect.gen(function* () {
          const backfills = yield* Backfills
          const first: Backfill = { record: record("again"), parts: [part("gold")] }
          yield* backfills.start(first)
          yield* backfills.start({ record: record("again", { why: "another reason" }), parts: [part("silver")] })
          assert.deepStrictEqual(yield* backfills.get("again"), { _tag: "Found", backfill: first })
        })
      )

      it.effect("finds one by the beginning of its id, and names them where there are several", () =>
        Effect.gen(function* () {
          const backfills = yield* Backfills
          for (const id of ["look-up-1", "look-up-2", "look-up-2-b"])
            yield* backfills.start({ record: record(id), parts: [] })
          const found = (id: string) =>
            Effect.map(backfills.get(id), (lookup) =>
              lookup._tag === "Found" ? lookup.backfill.record.backfillId : lookup
            )
          assert.strictEqual(yield* found("look-up-1"), "look-up-1")
          assert.strictEqual(yield* found("look-up-2"), "look-up-2")
          assert.strictEqual(yield* found("look-up-2-"), "look-up-2-b")
          assert.deepStrictEqual(yield* found("look-up"), {
            _tag: "Ambiguous",
            count: 3,
            backfillIds: ["look-up-1", "look-up-2", "look-up-2-b"]
          })
          assert.deepStrictEqual(yield* found("look-up-3"), { _tag: "NotFound" })
        })
      )

      it.effect("lists the newest first", () =>
        Effect.gen(function* () {
          const backfills = yield* Backfills
          const later = {
            record: record("later", { startedAt: at("23:00:01") }),
            parts: [part("silver"), part("gold")]
          }
          yield* backfills.start(later)
          yield* backfills.start({ record: record("late", { startedAt: at("23:00:00") }), parts: [] })
          const listed = yield* backfills.list({ limit: 2 })
          assert.deepStrictEqual(
            listed.map((backfill) => backfill.record.backfillId),
            ["later", "late"]
          )
          assert.deepStrictEqual(listed[0], later)
        })
      )

      it.effect("changes parts, and nothing where the transaction fails (Verifies: L3)", () =>
        Effect.gen(function* () {
          const backfills = yield* Backfills
          const { transact } = yield* Transactor
          const [silver, gold] = [part("silver"), part("gold")]
          yield* backfills.start({ record: record("changed"), parts: [silver, gold] })
          const parts = Effect.map(backfills.get("changed"), (lookup) =>
            lookup._tag === "Found" ? lookup.backfill.parts : []
          )
          const built = { ...gold, built: set(["2024-03-05", null]), holder: { runId: "r", process: "p" } }
          yield* transact(backfills.alter({ backfillId: "changed", asset: "gold", change: () => built }))
          assert.deepStrictEqual(yield* parts, [silver, built])
          const requested = { ...silver, requested: set(["2024-03-01", "2024-03-02"]) }
          yield* transact(backfills.put({ backfillId: "changed", parts: [requested, gold] }))
          assert.deepStrictEqual(yield* parts, [requested, gold])
          yield* Effect.exit(
            transact(
              Effect.andThen(
                backfills.alter({ backfillId: "changed", asset: "gold", change: () => built }),
                Effect.fail("undone")
              )
            )
          )
          assert.deepStrictEqual(yield* parts, [requested, gold])
        })
      )

      it.effect("tells who works on parts and is gone", () =>
        Effect.gen(function* () {
          const backfills = yield* Backfills
          const { transact } = yield* Transactor
          const held = (runId: string, process: string) => ({ holder: { runId, process } })
          yield* backfills.start({
            record: record("held"),
            parts: [
              part("a", held("r1", "here")),
              part("b", held("r2", "asking")),
              part("c", held("r3", "dead")),
              part("d")
            ]
          })
          const presence = yield* Scope.make()
          yield* Scope.provide(backfills.attend("here"), presence)
          const gone = Effect.map(
            transact(backfills.hold({ backfillId: "held", process: "asking" })),
            Option.map((found) => Array.from(found.gone).toSorted())
          )
          assert.deepStrictEqual(yield* gone, Option.some(["dead"]))
          yield* Scope.close(presence, Exit.void)
          assert.deepStrictEqual(
            yield* Effect.repeat(gone, { until: Option.exists(({ length }) => length === 2) }),
            Option.some(["dead", "here"])
          )
          assert.deepStrictEqual(
            yield* transact(backfills.hold({ backfillId: "none", process: undefined })),
            Option.none()
          )
        })
      )

      it.effect("moves through its states, and stays where an event does not matter", () =>
        Effect.gen(function* () {
          const backfills = yield* Backfills
          yield* backfills.start({ record: record("moved"), parts: [] })
          const moves: ReadonlyArray<readonly ["cancel" | "resume" | "succeed" | "fail" | "retry", boolean]> = [
            ["cancel", true],
            ["succeed", false],
            ["resume", true],
            ["fail", true],
            ["resume", false],
            ["cancel", false],
            ["retry", true],
            ["succeed", true],
            ["retry", false]
          ]
          for (const [event, isMoved] of moves)
            assert.strictEqual(
              yield* backfills.move({ backfillId: "moved", event, at: at("11:00:00") }),
              isMoved,
              event
            )
          yield* backfills.beat({ backfillId: "moved", at: at("10:30:00") })
          assert.deepStrictEqual(yield* backfills.get("moved"), {
            _tag: "Found",
            backfill: {
              record: record("moved", {
                status: "succeeded",
                finishedAt: at("11:00:00"),
                heartbeatAt: at("10:30:00")
              }),
              parts: []
            }
          })
        })
      )

      it.effect("remembers of assets what has failed, until it has not", () =>
        Effect.gen(function* () {
          const backfills = yield* Backfills
          const { transact } = yield* Transactor
          const failed = part("mart", { failed: set(["2024-03-02", "2024-03-03"]) })
          yield* backfills.start({ record: record("failing"), parts: [failed, part("view")] })
          const found = Effect.map(backfills.failed(["mart", "view"]), (parts) => Array.from(parts))
          assert.deepStrictEqual(yield* found, [
            ["mart", [failed]],
            ["view", []]
          ])
          yield* transact(backfills.put({ backfillId: "failing", parts: [part("mart")] }))
          assert.deepStrictEqual(yield* found, [
            ["mart", []],
            ["view", []]
          ])
        })
      )
    })
  })
