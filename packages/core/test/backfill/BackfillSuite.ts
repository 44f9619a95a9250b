/**
 * Backfills of a mill, worked on by one process, by several and by none. Every storage must pass this suite.
 */
import type * as Assay from "@assay/core/Assay"
import { FaultPoint } from "@assay/core/execution/FaultPoint"
import type { BackfillNotice } from "@assay/core/execution/Backfiller"
import * as PartitionSet from "@assay/core/PartitionSet"
import type { Part } from "@assay/core/planning/Backfill"
import * as TestSource from "@assay/core/testing/TestSource"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { open, type Storage, Time } from "../shop/Storage.ts"
import * as Mill from "./Mill.ts"

export type Test = (name: string, body: () => Effect.Effect<void, unknown, Storage | Scope.Scope>) => void

export const suite = (name: string, test: Test) =>
  describe(`a backfill (${name})`, () => {
    test("builds its target in the order of the graph, in runs that say what for (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { assay } = yield* mill()
        const { backfillId, notices, progress } = yield* backfilled(assay, { select: "flour or bread or shelf" })
        assert.strictEqual(progress.status, "succeeded")
        assert.deepStrictEqual(setsOf(progress.parts), {
          flour: { target: "01..16", built: "01..16", failed: "none" },
          bread: { target: "01..16", built: "01..16", failed: "none" },
          shelf: { target: "*", built: "*", failed: "none" }
        })
        assert.deepStrictEqual(
          notices.flatMap((notice) => (notice._tag === "Requested" ? [notice.asset] : [])),
          ["flour", "bread", "shelf"]
        )
        const runs = yield* assay.runs({ limit: 10 })
        assert.deepStrictEqual(
          runs
            .filter(({ run }) => run.why === `backfill ${backfillId}`)
            .map(({ run }) => `${run.assets.join()} ${run.partitions} ${run.status}`)
            .toSorted(),
          [
            "bread 2024-03-01..2024-03-16 succeeded",
            "flour 2024-03-01..2024-03-16 succeeded",
            "shelf undefined succeeded"
          ]
        )
        yield* assertExact(assay)
      }))

    test("builds what is fresh again, but not where only some states are asked for (Verifies: L6)", () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* mill()
        yield* assay.materialize({})
        const all = yield* assay.backfills.propose({ assets: ["bread"], partitions: "2024-03-01..2024-03-04" })
        assert.deepStrictEqual(countsOf(all), { bread: [0, 0, 4] })
        assert.deepStrictEqual((yield* assay.backfills.propose({ only: ["missing", "stale"] })).assets, [])
        yield* feed.deliver([Mill.load("07", 70)])
        yield* assay.materialize({ assets: ["grain"] })
        const stale = yield* assay.backfills.propose({ only: ["stale"] })
        assert.deepStrictEqual(countsOf(stale), { flour: [0, 1, 0] })
        const before = yield* runIds(assay)
        const { progress } = yield* backfilled(assay, { only: ["stale"] })
        assert.deepStrictEqual(setsOf(progress.parts), { flour: { target: "07", built: "07", failed: "none" } })
        assert.deepStrictEqual(yield* steps(assay, before), ["flour 1 succeeded"])
      }))

    test("writes nothing while it is only proposed, and leaves out what waits (Verifies: L7)", () =>
      Effect.gen(function* () {
        const { assay } = yield* mill()
        const runs = yield* assay.runs({ limit: 10 })
        const proposal = yield* assay.backfills.propose({ select: "flour", partitions: "2024-03-02..2024-03-05" })
        assert.deepStrictEqual(countsOf(proposal), { flour: [4, 0, 0] })
        assert.deepStrictEqual([proposal.selection, proposal.partitions], ["flour", "2024-03-02..2024-03-05"])
        assert.deepStrictEqual(yield* assay.backfills.list({ limit: 10 }), [])
        assert.deepStrictEqual(yield* assay.runs({ limit: 10 }), runs)
      }))

    test("finds what fails of a step, builds the rest, and has what is downstream wait (Verifies: L11)", () =>
      Effect.gen(function* () {
        const { assay, spoilt } = yield* mill()
        spoilt.add("2024-03-05").add("2024-03-06").add("2024-03-13")
        const { backfillId, progress } = yield* backfilled(assay, { select: "flour or bread or shelf" })
        assert.strictEqual(progress.status, "failed")
        assert.deepStrictEqual(setsOf(progress.parts), {
          flour: { target: "01..16", built: "01..04, 07..12, 14..16", failed: "05..06, 13" },
          bread: { target: "01..16", built: "01..04, 07..12, 14..16", failed: "05..06, 13" },
          shelf: { target: "*", built: "none", failed: "*" }
        })
        const [flour, bread] = progress.parts
        assert.deepStrictEqual(
          flour?.failures.map(({ reason, units }) => [short(units), reason]),
          [["05..06, 13", "DataQuality"]]
        )
        assert.include(flour?.failures[0]?.message, "division by zero")
        assert.deepStrictEqual(bread?.failures, [])
        assert.isTrue((yield* assay.verify()).every(({ isOk }) => isOk))

        const failed = yield* assay.backfills.propose({ only: ["failed"] })
        assert.deepStrictEqual(countsOf(failed), { flour: [3, 0, 0], bread: [3, 0, 0], shelf: [1, 0, 0] })

        spoilt.clear()
        const before = yield* runIds(assay)
        assert.isTrue(yield* assay.backfills.retry(backfillId))
        const again = yield* assay.backfills.work(backfillId)
        assert.strictEqual(again.status, "succeeded")
        assert.deepStrictEqual(yield* unitsBuilt(assay, before), { flour: 3, bread: 3, shelf: 0 })
        assert.isFalse(yield* assay.backfills.retry(backfillId))
        yield* assertExact(assay)
      }))

    test("that is cancelled lets the step under way end, and is gone on with from there (Verifies: L3)", () =>
      Effect.gen(function* () {
        const { assay } = yield* mill()
        const proposal = yield* assay.backfills.propose({ select: "flour or bread" })
        const backfillId = yield* assay.backfills.start(proposal)
        const before = yield* runIds(assay)
        let passed = 0
        const cancelled = yield* assay.backfills.work(backfillId).pipe(
          Effect.provideService(FaultPoint, (point) => {
            if (point !== "afterCommit") return Effect.void
            passed += 1
            // The second step of all is the first of the bread, which has six.
            return passed === 2 ? Effect.asVoid(Effect.orDie(assay.backfills.cancel(backfillId))) : Effect.void
          })
        )
        assert.strictEqual(cancelled.status, "cancelled")
        assert.deepStrictEqual(setsOf(cancelled.parts)["bread"], { target: "01..16", built: "01..03", failed: "none" })
        assert.isTrue(cancelled.parts.every(({ holder }) => holder === undefined))
        assert.isFalse(yield* assay.backfills.cancel(backfillId))
        assert.isTrue(yield* assay.backfills.resume(backfillId))
        const resumed = yield* assay.backfills.work(backfillId)
        assert.strictEqual(resumed.status, "succeeded")
        assert.deepStrictEqual(yield* unitsBuilt(assay, before), { flour: 16, bread: 16 })
        assert.isFalse(yield* assay.backfills.resume(backfillId))
      }))

    test("is shared by all who work on it, and nothing is built twice (Verifies: L8)", () =>
      Effect.gen(function* () {
        const { assay, graph } = yield* mill()
        const other = yield* open(graph)
        const proposal = yield* assay.backfills.propose({ select: "flour or bread or shelf" })
        const backfillId = yield* assay.backfills.start(proposal, { maxConcurrent: 2 })
        const before = yield* runIds(assay)
        const ended = yield* Effect.all(
          [assay.backfills.work(backfillId), other.backfills.work(backfillId), assay.backfills.work(backfillId)],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          ended.map(({ status }) => status),
          ["succeeded", "succeeded", "succeeded"]
        )
        assert.deepStrictEqual(yield* unitsBuilt(assay, before), { flour: 16, bread: 16, shelf: 0 })
        yield* assertExact(assay)
      }))

    test("is known by its id, or says that it is not", () =>
      Effect.gen(function* () {
        const { assay } = yield* mill()
        const { backfillId } = yield* backfilled(assay, { select: "flour", partitions: "2024-03-01" })
        const found = yield* assay.backfills.get(backfillId.slice(0, -1))
        assert.strictEqual(found._tag === "Found" ? found.backfill.record.backfillId : found._tag, backfillId)
        const missing = yield* Effect.flip(assay.backfills.work("nothing"))
        assert.strictEqual(missing.message, 'there is no backfill "nothing"')
        const error = yield* Effect.flip(assay.backfills.propose({ select: "flour", partitions: "2024-02" }))
        assert.strictEqual(error._tag, "InvalidPartitionRange")
      }))
  })

// --- internal ---

type Engineered = typeof Assay.Assay.Service

/** A mill to which everything was brought, and in which nothing was milled yet. */
const mill = Effect.fnUntraced(function* () {
  yield* Effect.flatMap(Time, ({ set }) => set("2024-05-01T12:00:00Z"))
  const feed = yield* TestSource.make<Mill.Load>()
  const spoilt = new Set<string>()
  const graph = Mill.make({ source: feed.source, spoilt })
  const assay = yield* open(graph)
  yield* feed.deliver(Mill.loads)
  yield* assay.materialize({ assets: ["grain"] })
  return { assay, feed, graph, spoilt }
})

const backfilled = Effect.fnUntraced(function* (
  assay: Engineered,
  request: Parameters<Engineered["backfills"]["propose"]>[0]
) {
  const notices: Array<BackfillNotice> = []
  const backfillId = yield* assay.backfills.start(yield* assay.backfills.propose(request))
  const listen = (notice: BackfillNotice) => Effect.sync(() => void notices.push(notice))
  const progress = yield* assay.backfills.work(backfillId, { listen })
  return { backfillId, notices, progress }
})

/** Days without their month. */
const short = (set: PartitionSet.PartitionSet): string =>
  set.partitions._tag === "Unpartitioned"
    ? PartitionSet.isEmpty(set)
      ? "none"
      : "*"
    : PartitionSet.format(set).replaceAll("2024-03-", "")

const setsOf = (parts: ReadonlyArray<Part>) =>
  Object.fromEntries(
    parts.map(({ asset, built, failed, target }) => [
      asset.name,
      { target: short(target), built: short(built), failed: short(failed) }
    ])
  )

/** Of each asset how many units were never built, are stale, and are fresh. */
const countsOf = ({ assets }: Effect.Success<ReturnType<Engineered["backfills"]["propose"]>>) =>
  Object.fromEntries(assets.map(({ asset, fresh, missing, stale }) => [asset.name, [missing, stale, fresh]]))

const runIds = (assay: Engineered) =>
  Effect.map(assay.runs({ limit: 100 }), (runs) => new Set(runs.map(({ run }) => run.runId)))

/** The steps of the runs that are new. */
const steps = (assay: Engineered, before: ReadonlySet<string>) =>
  Effect.gen(function* () {
    const runs = Array.from(yield* runIds(assay)).filter((runId) => !before.has(runId))
    const found = yield* Effect.forEach(runs, (runId) => assay.run(runId))
    const all = found.flatMap((lookup) => (lookup._tag === "Found" ? lookup.steps : []))
    return all.map(({ asset, status, units }) => `${asset} ${units} ${status}`).toSorted()
  })

/** How many units of each asset were built by the steps of the runs that are new. */
const unitsBuilt = (assay: Engineered, before: ReadonlySet<string>) =>
  Effect.map(steps(assay, before), (told) => {
    const sums: Record<string, number> = {}
    for (const [asset = "", units, status] of told.map((step) => step.split(" ")))
      if (status === "succeeded") sums[asset] = (sums[asset] ?? 0) + Number(units)
    return sums
  })

const assertExact = (assay: Engineered) =>
  Effect.gen(function* () {
    const { rows } = yield* assay.rows({ asset: "shelf" })
    assert.deepStrictEqual(Array.from(yield* Stream.runCollect(rows)), [{ kind: "bread", amount: 272 }])
    const verdicts = yield* assay.verify({ strict: true })
    assert.deepStrictEqual(
      verdicts.filter(({ isOk }) => !isOk),
      []
    )
  })
