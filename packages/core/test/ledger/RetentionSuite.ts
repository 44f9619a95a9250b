import type { AssetEvent } from "@assay/core/AssetEvent"
import { Outbox } from "@assay/core/ledger/Outbox"
import { Quarantine } from "@assay/core/ledger/Quarantine"
import type { Batch, Pruned } from "@assay/core/ledger/Retention"
import { Runs } from "@assay/core/ledger/Runs"
import type { Reason } from "@assay/core/MaterializationError"
import type { RunStatus } from "@assay/core/Run"
import type { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { at } from "./layers.ts"

type Services = Outbox | Quarantine | Runs | Transactor

/** A day of 2024 at noon. */
const on = (day: string) => DateTime.makeUnsafe(`2024-${day}T12:00:00Z`)

/** All batches, one after the other; yields what each of them counted. */
const inBatches = <R>(
  prune: (batch: Batch) => Effect.Effect<Pruned, Reason, R>,
  options: Omit<Batch, "after">
): Effect.Effect<ReadonlyArray<number>, Reason, R> =>
  Effect.gen(function* () {
    const counts: Array<number> = []
    let after: string | undefined
    do {
      const part: Pruned = yield* prune({ ...options, after })
      counts.push(part.count)
      after = part.next
    } while (after !== undefined)
    return counts
  })

const sum = (counts: ReadonlyArray<number>): number => counts.reduce((total, count) => total + count, 0)

const event = (day: string): AssetEvent => ({
  _tag: "RunFinished",
  runId: day,
  status: "succeeded",
  error: undefined,
  at: on(day)
})

/** All events, when everything on the server that began before them has ended. */
const readAll = (count: number) =>
  Effect.flatMap(Outbox, (outbox) =>
    Effect.repeat(outbox.read({ limit: 100 }), { until: (entries) => entries.length >= count })
  )

/** A run with a step for each asset; running where it has no end. */
const run = (runId: string, days: readonly [start: string, end?: string], assets: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const runs = yield* Runs
    const [start, end] = days
    const status: RunStatus = end === undefined ? "running" : "succeeded"
    const times = { startedAt: on(start), finishedAt: end === undefined ? undefined : on(end) }
    yield* runs.start({
      ...times,
      runId,
      status: "running",
      assets,
      partitions: undefined,
      requestedBy: "test",
      why: "test",
      heartbeatAt: on(start),
      finishedAt: undefined,
      error: undefined
    })
    for (const [index, asset] of assets.entries()) {
      yield* runs.record({
        ...times,
        runId,
        index,
        asset,
        status,
        kind: "build",
        attempts: 1,
        units: 1,
        rowsRead: 0,
        rowsInserted: 0,
        rowsUpdated: 0,
        rowsDeleted: 0,
        rowsUnchanged: 0,
        rowsQuarantined: 0,
        durationMs: 1,
        error: undefined,
        reason: undefined,
        why: "test",
        codeVersion: "1"
      })
    }
    if (end !== undefined) yield* runs.finish({ runId, status: "succeeded", error: undefined, at: on(end) })
  })

const runIds = Effect.flatMap(Runs, (runs) =>
  Effect.map(runs.list({ limit: 1000 }), (listed) => listed.map(({ run }) => run.runId).toSorted())
)

/** What is pruned of every ledger; each test begins with one of its own. */
export const suite = (name: string, fresh: () => Layer.Layer<Services, unknown>) =>
  describe(`what is forgotten (${name})`, () => {
    const test = <E>(text: string, body: () => Effect.Effect<void, E, Services>) =>
      it.effect(text, () => Effect.provide(body(), fresh()))

    test("of events are those that are older, in the order in which they happened", () =>
      Effect.gen(function* () {
        const outbox = yield* Outbox
        for (const day of ["01-01", "01-02", "01-03", "03-01", "03-02"]) yield* outbox.emit([event(day)])
        const options = { before: on("02-01"), limit: 2, isCounted: true }
        assert.deepStrictEqual(yield* inBatches(outbox.prune, options), [2, 1, 0])
        assert.strictEqual((yield* readAll(5)).length, 5)
        assert.strictEqual(sum(yield* inBatches(outbox.prune, { ...options, isCounted: false })), 3)
        const left = yield* readAll(2)
        assert.deepStrictEqual(
          left.map((entry) => entry.event),
          [event("03-01"), event("03-02")]
        )
        assert.strictEqual(sum(yield* inBatches(outbox.prune, { ...options, isCounted: false })), 0)
      }))

    test("of runs are those that ended before, with their steps, but for the last of each asset", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* run("only of a", ["01-01", "01-01"], ["a"])
        yield* run("last of b", ["01-02", "01-02"], ["a", "b"])
        yield* run("referred", ["01-03", "01-03"], ["a"])
        yield* run("running", ["01-04"], ["a"])
        yield* run("long", ["01-05", "02-20"], ["a", "c"])
        yield* run("old", ["01-06", "01-06"], ["a", "c"])
        yield* run("last of c", ["01-07", "01-07"], ["c"])
        yield* run("last of a", ["03-01", "03-01"], ["a"])
        for (const isCounted of [true, false]) {
          let steps = 0
          const prune = (batch: Batch) =>
            Effect.tap(runs.prune({ ...batch, keep: ["referred"] }), (part) =>
              Effect.sync(() => void (steps += part.steps))
            )
          const counts = yield* inBatches(prune, { before: on("02-01"), limit: 2, isCounted })
          assert.deepStrictEqual([sum(counts), steps], [2, 3])
        }
        assert.deepStrictEqual(yield* runIds, ["last of a", "last of b", "last of c", "long", "referred", "running"])
        assert.deepStrictEqual(yield* runs.get("old"), { _tag: "NotFound" })
        assert.strictEqual((yield* runs.lastOf(["c"])).get("c")?.runId, "last of c")
      }))

    test("of runs are none where all of many are kept, whatever the size of a batch", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const names = Array.from({ length: 7 }, (_, index) => `asset_${index}`)
        for (const asset of names) yield* run(`run of ${asset}`, ["01-01", "01-01"], [asset])
        const prune = (batch: Batch) => runs.prune({ ...batch, keep: [] })
        const options = { before: on("02-01"), limit: 3, isCounted: false }
        assert.deepStrictEqual(yield* inBatches(prune, options), [0, 0, 0])
        assert.strictEqual((yield* runIds).length, 7)
      }))

    test("of quarantine are released rows, and never one that waits (Verifies: L4)", () =>
      Effect.gen(function* () {
        const quarantine = yield* Quarantine
        const rows = ["x", "y", "z", "w"].map((raw, line) => ({
          origin: "o",
          line,
          raw,
          reasons: ["bad"],
          context: null
        }))
        yield* quarantine.add({ asset: "bronze", runId: "1", at: on("01-01"), rows })
        const [x, y, z, w] = yield* quarantine.list({ asset: "bronze", limit: 10 })
        yield* quarantine.release({ ids: [x?.id ?? "", z?.id ?? ""], runId: "2", at: on("01-10") })
        yield* quarantine.release({ ids: [w?.id ?? ""], runId: "3", at: on("02-10") })
        const options = { before: on("02-01"), limit: 1, isCounted: true }
        assert.strictEqual(sum(yield* inBatches(quarantine.prune, options)), 2)
        assert.strictEqual(sum(yield* inBatches(quarantine.prune, { ...options, isCounted: false })), 2)
        assert.isTrue(Option.isNone(yield* quarantine.get(x?.id ?? "")))
        assert.isTrue(Option.isSome(yield* quarantine.get(w?.id ?? "")))
        assert.deepStrictEqual(
          (yield* quarantine.list({ asset: "bronze", limit: 10 })).map(({ id }) => id),
          [y?.id]
        )
        // An id is never given to another row.
        yield* quarantine.add({ asset: "bronze", runId: "4", at: at("10:00:00"), rows: rows.slice(0, 1) })
        const ids = (yield* quarantine.list({ asset: "bronze", limit: 10 })).map(({ id }) => Number(id))
        assert.isAbove(ids.at(-1) ?? 0, Number(w?.id))
      }))
  })
