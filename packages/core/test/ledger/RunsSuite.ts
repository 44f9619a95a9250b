import { abandonedError, maxCandidates, Runs } from "@assay/core/ledger/Runs"
import type { RunRecord, StepRecord } from "@assay/core/Run"
import { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { at } from "./layers.ts"

const run = (runId: string, fields: Partial<RunRecord> = {}): RunRecord => ({
  runId,
  status: "running",
  assets: ["silver_events", "gold_revenue"],
  partitions: undefined,
  requestedBy: "cli",
  why: "asked for gold_revenue",
  startedAt: at("10:00:00"),
  heartbeatAt: at("10:00:00"),
  finishedAt: undefined,
  error: undefined,
  ...fields
})

const step = (runId: string, index: number, fields: Partial<StepRecord> = {}): StepRecord => ({
  runId,
  index,
  asset: "gold_revenue",
  status: "succeeded",
  kind: "build",
  attempts: 1,
  units: 31,
  rowsRead: 0,
  rowsInserted: 5_000_000_000,
  rowsUpdated: 2,
  rowsDeleted: 3,
  rowsUnchanged: 4,
  rowsQuarantined: 5,
  durationMs: 12.5,
  error: undefined,
  reason: undefined,
  why: "silver_events changed",
  codeVersion: "v1",
  startedAt: at("10:00:01.001"),
  finishedAt: at("10:00:02"),
  ...fields
})

/** Every `Runs` layer must pass this suite. */
export const suite = (name: string, layer: Layer.Layer<Runs | Transactor, unknown>) =>
  describe(`Runs (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("gives back a run with its steps in the order of the plan", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          const started = run("whole", { partitions: "2024-01..2024-03", startedAt: at("10:00:00.001") })
          const failed = step("whole", 1, {
            status: "failed",
            error: "check failed",
            reason: "DataQuality",
            attempts: 3
          })
          const waiting = step("whole", 0, { status: "running", kind: "land", finishedAt: undefined })
          yield* runs.start(started)
          yield* runs.record(failed)
          yield* runs.record(waiting)
          assert.deepStrictEqual(yield* runs.get("whole"), { _tag: "Found", run: started, steps: [waiting, failed] })
        })
      )

      it.effect("leaves a run as it is when it is started again", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          yield* runs.start(run("restarted"))
          yield* runs.beat({ runId: "restarted", at: at("10:05:00") })
          yield* runs.start(run("restarted", { why: "another reason" }))
          assert.deepStrictEqual(yield* runs.get("restarted"), {
            _tag: "Found",
            run: run("restarted", { heartbeatAt: at("10:05:00") }),
            steps: []
          })
        })
      )

      it.effect("replaces a step that is recorded again", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          const started = step("rerecorded", 0, { status: "running", finishedAt: undefined, attempts: 0, asset: "a" })
          const ended = step("rerecorded", 0, {
            asset: "b",
            status: "skipped",
            kind: "land",
            attempts: 2,
            units: 1,
            rowsRead: 2,
            rowsInserted: 3,
            rowsUpdated: 4,
            rowsDeleted: 5,
            rowsUnchanged: 6,
            rowsQuarantined: 7,
            durationMs: 8,
            error: "silver_events failed",
            reason: "UpstreamFailed",
            why: "forced",
            codeVersion: "v2",
            startedAt: at("10:00:03"),
            finishedAt: at("10:00:04")
          })
          yield* runs.start(run("rerecorded"))
          yield* runs.record(started)
          yield* runs.record(ended)
          assert.deepStrictEqual(yield* runs.get("rerecorded"), {
            _tag: "Found",
            run: run("rerecorded"),
            steps: [ended]
          })
        })
      )

      it.effect("refuses a step of a run that was never started", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          const error = yield* Effect.flip(runs.record(step("nobody", 0)))
          assert.strictEqual(error._tag, "DataQuality")
        })
      )

      it.effect("finishes a run once", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          const failed = { runId: "finished", status: "failed", error: "disk full", at: at("11:00:00") } as const
          yield* runs.start(run("finished"))
          assert.isTrue(yield* runs.beat({ runId: "finished", at: at("10:59:00") }))
          assert.isTrue(yield* runs.finish(failed))
          assert.isFalse(yield* runs.finish({ ...failed, status: "succeeded", error: undefined, at: at("12:00:00") }))
          assert.isFalse(yield* runs.beat({ runId: "finished", at: at("12:00:00") }))
          assert.deepStrictEqual(yield* runs.get("finished"), {
            _tag: "Found",
            run: run("finished", {
              status: "failed",
              error: "disk full",
              heartbeatAt: at("10:59:00"),
              finishedAt: at("11:00:00")
            }),
            steps: []
          })
        })
      )

      it.effect("neither keeps alive nor finishes a run that was never started", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          assert.isFalse(yield* runs.beat({ runId: "never", at: at("10:00:00") }))
          assert.isFalse(
            yield* runs.finish({ runId: "never", status: "succeeded", error: undefined, at: at("10:00:00") })
          )
          assert.deepStrictEqual(yield* runs.get("never"), { _tag: "NotFound" })
        })
      )

      it.effect("finds a run by the beginning of its id, and says which ones a short one may mean", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          yield* runs.start(run("prefix-ab1"))
          yield* runs.start(run("prefix-ab2"))
          yield* runs.start(run("prefix-c"))
          assert.deepStrictEqual(yield* runs.get("prefix-c"), { _tag: "Found", run: run("prefix-c"), steps: [] })
          assert.deepStrictEqual(yield* runs.get("prefix-ab2"), { _tag: "Found", run: run("prefix-ab2"), steps: [] })
          assert.deepStrictEqual(yield* runs.get("prefix-ab"), {
            _tag: "Ambiguous",
            count: 2,
            runIds: ["prefix-ab1", "prefix-ab2"]
          })
          assert.deepStrictEqual(yield* runs.get("prefix-abc"), { _tag: "NotFound" })
          assert.deepStrictEqual(yield* runs.get("refix"), { _tag: "NotFound" })
        })
      )

      it.effect("prefers the run whose id is given in full to those that go on from it", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          yield* runs.start(run("exact"))
          yield* runs.start(run("exact-not"))
          assert.deepStrictEqual(yield* runs.get("exact"), { _tag: "Found", run: run("exact"), steps: [] })
        })
      )

      it.effect("takes wildcards in an id for plain characters", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          yield* runs.start(run("wild1"))
          assert.deepStrictEqual(yield* runs.get("wild_"), { _tag: "NotFound" })
          assert.deepStrictEqual(yield* runs.get("wild%"), { _tag: "NotFound" })
        })
      )

      it.effect("names a few of many runs that a short id may mean, and counts all", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          const ids = Array.from({ length: maxCandidates + 5 }, (_, index) => `crowd-${String(index).padStart(2, "0")}`)
          yield* Effect.forEach(ids, (id) => runs.start(run(id)))
          assert.deepStrictEqual(yield* runs.get("crowd"), {
            _tag: "Ambiguous",
            count: ids.length,
            runIds: ids.slice(0, maxCandidates)
          })
        })
      )

      it.effect("knows the latest step of each asset", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          yield* runs.start(run("last-1"))
          yield* runs.start(run("last-2"))
          const early = step("last-1", 0, { asset: "last_a", startedAt: at("10:00:00") })
          const late = step("last-2", 0, { asset: "last_a", startedAt: at("11:00:00"), status: "failed" })
          const twin = step("last-1", 1, { asset: "last_b", startedAt: at("10:00:00") })
          const twinOfLaterRun = step("last-2", 1, { asset: "last_b", startedAt: at("10:00:00") })
          const only = step("last-1", 2, { asset: "last_c" })
          yield* Effect.forEach([late, early, twinOfLaterRun, twin, only], runs.record)
          const last = yield* runs.lastOf(["last_a", "last_b", "last_none"])
          assert.deepStrictEqual(Object.fromEntries(last), { last_a: late, last_b: twinOfLaterRun })
          assert.strictEqual((yield* runs.lastOf([])).size, 0)
        })
      )

      it.effect("a run and its steps vanish with the transaction that fails (Verifies: L3)", () =>
        Effect.gen(function* () {
          const runs = yield* Runs
          const transactor = yield* Transactor
          yield* runs.start(run("atomic"))
          const error = yield* Effect.flip(
            transactor.transact(
              Effect.gen(function* () {
                yield* runs.record(step("atomic", 0))
                yield* runs.finish({ runId: "atomic", status: "succeeded", error: undefined, at: at("11:00:00") })
                yield* runs.start(run("vanished"))
                return yield* Effect.fail("no")
              })
            )
          )
          assert.strictEqual(error, "no")
          assert.deepStrictEqual(yield* runs.get("atomic"), { _tag: "Found", run: run("atomic"), steps: [] })
          assert.deepStrictEqual(yield* runs.get("vanished"), { _tag: "NotFound" })
        })
      )
    })

    it.effect("lists the latest runs, newest first, with the steps of each in each state", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        assert.deepStrictEqual(yield* runs.list({ limit: 10 }), [])
        const old = run("b", { startedAt: at("09:00:00") })
        const first = run("a", { startedAt: at("10:00:00") })
        const second = run("c", { startedAt: at("10:00:00") })
        yield* Effect.forEach([first, old, second], runs.start)
        yield* runs.record(step("a", 0))
        yield* runs.record(step("a", 1))
        yield* runs.record(step("a", 2, { status: "failed" }))
        yield* runs.record(step("a", 3, { status: "skipped" }))
        const none = { running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0 }
        assert.deepStrictEqual(yield* runs.list({ limit: 2 }), [
          { run: second, steps: none },
          { run: first, steps: { ...none, succeeded: 2, failed: 1, skipped: 1 } }
        ])
        assert.deepStrictEqual(
          (yield* runs.list({ limit: 10 })).map((item) => item.run.runId),
          ["c", "a", "b"]
        )
      }).pipe(Effect.provide(layer))
    )

    it.effect("gives up runs without a sign of life, and what they were doing", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const end = { status: "cancelled", error: abandonedError, finishedAt: at("11:00:00") } as const
        const alive = run("alive", { heartbeatAt: at("10:50:00") })
        const ended = run("ended", { status: "succeeded", finishedAt: at("10:01:00") })
        yield* Effect.forEach([run("dead"), run("dead too"), alive, ended], runs.start)
        const done = step("dead", 0)
        const doing = step("dead", 1, { status: "running", finishedAt: undefined })
        const living = step("alive", 0, { status: "running", finishedAt: undefined })
        yield* Effect.forEach([done, doing, living], runs.record)

        const give = runs.abandon({ olderThan: at("10:50:00"), at: at("11:00:00") })
        assert.deepStrictEqual(yield* give, ["dead", "dead too"])
        assert.deepStrictEqual(yield* give, [])
        assert.deepStrictEqual(yield* runs.get("dead"), {
          _tag: "Found",
          run: run("dead", end),
          steps: [done, { ...doing, ...end }]
        })
        assert.deepStrictEqual(yield* runs.get("alive"), { _tag: "Found", run: alive, steps: [living] })
        assert.deepStrictEqual(yield* runs.get("ended"), { _tag: "Found", run: ended, steps: [] })
      }).pipe(Effect.provide(layer))
    )

    it.effect("a run that was given up learns of it and cannot report success any more (Verifies: L8)", () =>
      Effect.gen(function* () {
        const runs = yield* Runs
        yield* runs.start(run("slow"))
        yield* runs.abandon({ olderThan: at("10:30:00"), at: at("11:00:00") })
        assert.isFalse(yield* runs.beat({ runId: "slow", at: at("11:01:00") }))
        assert.isFalse(yield* runs.finish({ runId: "slow", status: "succeeded", error: undefined, at: at("11:02:00") }))
        const [last] = yield* runs.list({ limit: 1 })
        assert.strictEqual(last?.run.status, "cancelled")
      }).pipe(Effect.provide(layer))
    )
  })
