/**
 * Processes that die while they work on a backfill, one after the other and each at another place, and one that goes on.
 */
import * as Assay from "@assay/core/Assay"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as TestSource from "@assay/core/testing/TestSource"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Path from "node:path"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as Mill from "./Mill.ts"

const environment = "mill"

it.layer(TestDatabase.layer, { excludeTestServices: true })("a backfill whose processes are killed", (it) => {
  it.effect(
    "is gone on with by another one, exactly, and nothing that was committed is built again (Verifies: L1, L3)",
    () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase.TestDatabase
        const feed = yield* TestSource.make<Mill.Load>()
        const graph = Mill.make({ source: feed.source, stepSize: 5, codeVersion: "1" })
        const layer = Layer.provide(Assay.layer(graph, Assay.environment(environment)), PgClient.layer({ url }))
        const assay = Context.get(yield* Layer.build(layer), Assay.Assay)
        yield* feed.deliver(Mill.loads)
        yield* assay.materialize({})
        const before = new Set((yield* assay.runs({ limit: 100 })).map(({ run }) => run.runId))

        // All of it is fresh, so only the sets of the backfill tell what is left to be done.
        const proposal = yield* assay.backfills.propose({ select: "flour or bread or shelf" })
        const backfillId = yield* assay.backfills.start(proposal)
        const built = Effect.gen(function* () {
          const found = yield* assay.backfills.get(backfillId)
          if (found._tag !== "Found") return assert.fail(found._tag)
          const parts = yield* assay.backfills.parts(found.backfill)
          return parts.map((part) => PartitionSet.size(part.built))
        })
        const counted = Effect.gen(function* () {
          const runs = (yield* assay.runs({ limit: 100 })).filter(({ run }) => !before.has(run.runId))
          const found = yield* Effect.forEach(runs, ({ run }) => assay.run(run.runId))
          const steps = found.flatMap((lookup) => (lookup._tag === "Found" ? lookup.steps : []))
          const of = (asset: string) =>
            steps.reduce((sum, step) => sum + (step.asset === asset && step.status === "succeeded" ? step.units : 0), 0)
          return [of("flour"), of("bread")]
        })

        // Two steps are committed, the third is not: of the flour, or of the bread that is made of its first five days.
        yield* killed(Redacted.value(url), { backfillId, point: "beforeCommit", passing: 3 })
        const [ground = 0, baked = 0, shelved] = yield* built
        assert.deepStrictEqual(yield* counted, [ground, baked])
        assert.isTrue(ground >= 5 && ground + baked > 5 && ground + baked <= 10 && shelved === 0)
        assert.isTrue((yield* assay.verify()).every(({ isOk }) => isOk))

        // Four steps more, the last one just committed.
        yield* killed(Redacted.value(url), { backfillId, point: "afterCommit", passing: 4 })
        const [flour = 0, bread = 0] = yield* built
        assert.deepStrictEqual(yield* counted, [flour, bread])
        assert.isTrue(flour + bread > ground + baked && flour + bread < 32)

        assert.isTrue(yield* assay.backfills.resume(backfillId))
        const progress = yield* assay.backfills.work(backfillId)
        assert.strictEqual(progress.status, "succeeded")
        assert.deepStrictEqual(yield* built, [16, 16, 1])
        assert.deepStrictEqual(yield* counted, [16, 16])
        const { rows } = yield* assay.rows({ asset: "shelf" })
        assert.deepStrictEqual(Array.from(yield* Stream.runCollect(rows)), [{ kind: "bread", amount: 272 }])
        assert.isTrue((yield* assay.verify({ strict: true })).every(({ isOk }) => isOk))
        // The runs of the dead have ended, too.
        const runs = yield* assay.runs({ limit: 100 })
        assert.isTrue(runs.every(({ run }) => run.status !== "running"))
      })
  )
})

// --- internal ---

/** A process that works on a backfill until it dies where it is told to. */
const killed = (
  url: string,
  { backfillId, passing, point }: { readonly backfillId: string; readonly point: string; readonly passing: number }
) =>
  Effect.gen(function* () {
    const script = Path.join(import.meta.dirname, "backfiller.ts")
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        ChildProcess.spawn(process.execPath, [script, url, environment, backfillId, point, String(passing)], {
          stdio: ["ignore", "ignore", "pipe"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let complaints = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaints += text
    })
    yield* Effect.promise(() => once(child, "close"))
    assert.deepStrictEqual([child.signalCode, complaints], ["SIGKILL", ""])
  }).pipe(Effect.scoped)
