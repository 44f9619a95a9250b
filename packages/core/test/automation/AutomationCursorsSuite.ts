/**
 * What daemons share, on every storage: what is new since an evaluation, who is alive, and what was requested and tried.
 */
import { AutomationCursors, type Question } from "@assay/core/ledger/AutomationCursors"
import { Materializations } from "@assay/core/ledger/Materializations"
import { Outbox } from "@assay/core/ledger/Outbox"
import { Runs } from "@assay/core/ledger/Runs"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import { Transactor } from "@assay/core/Transactor"
import { all, listed } from "@assay/core/Unit"
import { assert, it } from "@effect/vitest"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Services } from "../ledger/layers.ts"
import { at } from "../ledger/layers.ts"

export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  it.layer(layer)(`AutomationCursors (${name})`, (it) => {
    it.effect("tells what is built, and what of it was since the remembered evaluation", () =>
      Effect.gen(function* () {
        const { cursors } = yield* services
        yield* build("days", ["2024-03-01", "2024-03-02"])
        const first = yield* read([{ asset: "days", isPartitioned: true, units: undefined }])
        assert.deepStrictEqual(built(first, "days"), { "2024-03-01": false, "2024-03-02": false })
        yield* cursors.remember({ seen: first.seen, assets: [{ asset: "days", ...memory }] })
        yield* build("days", ["2024-03-02", "2024-03-03"])
        const second = yield* read([{ asset: "days", isPartitioned: true, units: undefined }])
        assert.deepStrictEqual(built(second, "days"), { "2024-03-01": false, "2024-03-02": true, "2024-03-03": true })
        const some = yield* read([{ asset: "days", isPartitioned: true, units: ["2024-03-03", "2024-03-04"] }])
        assert.deepStrictEqual(built(some, "days"), { "2024-03-03": true })
        assert.deepStrictEqual(some.facts.get("days")?.remembered, memory)
      })
    )

    it.effect("gives every mark a version that another mark changes", () =>
      Effect.gen(function* () {
        const { staleSets } = yield* services
        const mark = (asset: string, unit: string) =>
          staleSets.mark({ asset, units: listed([unit]), cause: { _tag: "Upstream", asset: "up" }, at: at("10:00:00") })
        const marksOf = (asset: string, isPartitioned: boolean) =>
          Effect.map(read([{ asset, isPartitioned, units: [] }]), ({ facts }) => facts.get(asset)?.marks ?? [])
        yield* mark("hours", "1")
        yield* mark("hours", "2")
        const before = yield* marksOf("hours", true)
        yield* mark("hours", "2")
        const after = yield* marksOf("hours", true)
        assert.deepStrictEqual(
          after.map(({ unit }) => unit),
          ["1", "2"]
        )
        assert.strictEqual(after[0]?.version, before[0]?.version)
        assert.notStrictEqual(after[1]?.version, before[1]?.version)
        yield* mark("keys", "a")
        const one = yield* marksOf("keys", false)
        yield* mark("keys", "b")
        const two = yield* marksOf("keys", false)
        assert.deepStrictEqual([one.map(({ unit }) => unit), two.map(({ unit }) => unit)], [["*"], ["*"]])
        assert.notStrictEqual(one[0]?.version, two[0]?.version)
        yield* staleSets.mark({ asset: "hours", units: all, cause: { _tag: "CodeChanged" }, at: at("10:00:00") })
        const ranges = (yield* read([{ asset: "hours", isPartitioned: true, units: [] }])).facts.get("hours")?.ranges
        assert.deepStrictEqual(
          ranges?.map(({ cause, from }) => [cause._tag, from]),
          [["CodeChanged", undefined]]
        )
      })
    )

    it.effect("keeps requests until they end, and knows whether who made them is there", () =>
      Effect.gen(function* () {
        const { cursors, runs } = yield* services
        const presence = yield* Scope.make()
        yield* Scope.provide(cursors.attend("one"), presence)
        yield* startRun("r1")
        yield* cursors.request({
          runId: "r1",
          watcher: "one",
          at: at("10:00:00"),
          assets: [
            { asset: "a", partitions: { x: 1 } },
            { asset: "b", partitions: null }
          ]
        })
        const pending = Effect.map(read([]), (reading) =>
          reading.pending
            .toSorted((a, b) => (a.asset < b.asset ? -1 : 1))
            .map(({ asset, isAlive, partitions, runId }) => [runId, asset, partitions, isAlive])
        )
        assert.deepStrictEqual(yield* pending, [
          ["r1", "a", { x: 1 }, true],
          ["r1", "b", null, true]
        ])
        yield* cursors.end({ runId: "r1", endings: [{ asset: "b", units: ["*"], failures: [] }] })
        yield* Scope.close(presence, Exit.void)
        assert.deepStrictEqual(yield* Effect.repeat(pending, { until: ([first]) => first?.[3] === false }), [
          ["r1", "a", { x: 1 }, false]
        ])
        yield* cursors.takeBack({ runIds: ["r1"], assets: ["a"], at: at("10:05:00") })
        assert.deepStrictEqual(yield* pending, [])
        const found = yield* runs.get("r1")
        assert.strictEqual(found._tag === "Found" ? found.run.status : found._tag, "cancelled")
      })
    )

    it.effect("tells of runs that no daemon has requested, as long as they give signs of life", () =>
      Effect.gen(function* () {
        yield* startRun("by hand")
        const foreign = (aliveSince: string) =>
          Effect.gen(function* () {
            const { cursors } = yield* services
            const reading = yield* cursors.read({ watcher: "me", questions: [], aliveSince: at(aliveSince) })
            return reading.foreign.map(({ assets, runId }) => [runId, assets])
          })
        assert.deepStrictEqual(yield* foreign("10:00:00"), [["by hand", ["a", "b"]]])
        assert.deepStrictEqual(yield* foreign("10:00:01"), [])
      })
    )

    it.effect("remembers what was tried in vain until it is tried again", () =>
      Effect.gen(function* () {
        const { cursors } = yield* services
        const failure = (unit: string, tries: number) => ({
          unit,
          version: "7",
          isCheck: unit === "2",
          tries,
          retryAt: unit === "1" ? at("11:00:00.250") : undefined
        })
        const failures = Effect.map(
          read([{ asset: "tried", isPartitioned: true, units: [] }]),
          ({ facts }) => facts.get("tried")?.failures
        )
        yield* cursors.end({
          runId: "r",
          endings: [{ asset: "tried", units: ["1", "2"], failures: [failure("1", 1), failure("2", 1)] }]
        })
        assert.deepStrictEqual(yield* failures, [failure("1", 1), failure("2", 1)])
        yield* cursors.end({
          runId: "r",
          endings: [{ asset: "tried", units: ["1", "2"], failures: [failure("2", 2)] }]
        })
        assert.deepStrictEqual(yield* failures, [failure("2", 2)])
      })
    )

    it.effect("rings for who listens when a transaction has emitted, or a request has ended", () =>
      Effect.gen(function* () {
        const { cursors, outbox } = yield* services
        const { transact } = yield* Transactor
        const notices = yield* outbox.listen
        const heard = yield* Effect.forkChild(Stream.runCollect(Stream.take(notices, 3)))
        const materialized = (units: ReadonlyArray<string>, count: number) => ({
          _tag: "Materialized" as const,
          asset: "days",
          runId: "r",
          codeVersion: "1",
          units: count,
          unitKeys: units,
          inserted: 0,
          updated: 0,
          deleted: 0,
          unchanged: 0,
          at: at("10:00:00")
        })
        yield* transact(outbox.emit([materialized(["1"], 1)]))
        yield* transact(outbox.emit([materialized(["1"], 2)]))
        yield* cursors.end({ runId: "r", endings: [{ asset: "b", units: [], failures: [] }] })
        assert.deepStrictEqual(Array.from(yield* Fiber.join(heard)), [
          { asset: "days", units: ["1"] },
          { asset: "days", units: undefined },
          { asset: "b", units: [] }
        ])
      })
    )
  })

// --- internal ---

const memory = { definition: "d", at: at("09:00:00"), parts: { "": { definition: "x", spans: [[1, 2]] } } }

const services = Effect.gen(function* () {
  return {
    cursors: yield* AutomationCursors,
    materializations: yield* Materializations,
    outbox: yield* Outbox,
    runs: yield* Runs,
    staleSets: yield* StaleSets
  }
})

const read = (questions: ReadonlyArray<Question>) =>
  Effect.gen(function* () {
    const { cursors } = yield* services
    const { transact } = yield* Transactor
    return yield* transact(cursors.read({ watcher: "me", questions, aliveSince: at("10:00:00") }))
  })

const built = (reading: Effect.Success<ReturnType<typeof read>>, asset: string) =>
  Object.fromEntries(
    (reading.facts.get(asset)?.built ?? [])
      .map(({ isUpdated, unit }) => [unit, isUpdated] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )

const build = (asset: string, units: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { materializations } = yield* services
    yield* materializations.record({
      asset,
      runId: "r",
      codeVersion: "1",
      at: at("10:00:00"),
      units: units.map((unit) => ({ unit, rows: 1, contentHash: "" }))
    })
  })

const startRun = (runId: string) =>
  Effect.gen(function* () {
    const { runs } = yield* services
    const startedAt: DateTime.Utc = at("10:00:00")
    yield* runs.start({
      runId,
      status: "running",
      assets: ["a", "b"],
      partitions: undefined,
      requestedBy: "test",
      why: "test",
      startedAt,
      heartbeatAt: startedAt,
      finishedAt: undefined,
      error: undefined
    })
  })
