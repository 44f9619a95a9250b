import * as PartitionSet from "@assay/core/PartitionSet"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import * as TestDatabase from "../support/TestDatabase.ts"
import { count, open } from "./Workplace.ts"
import * as Works from "./Works.ts"

it.layer(TestDatabase.layer, { excludeTestServices: true })("several daemons", (it) => {
  it.effect(
    "share the work: every delivery lands once, every day is built as often as it changed (Verifies: L1, L4, L6)",
    () =>
      Effect.gen(function* () {
        const { assay, engine, feed, name } = yield* open({ links: 4 })
        const daemons = [assay, yield* engine({}), yield* engine({})]
        const lookouts = yield* Effect.forEach(daemons, (daemon) => Works.lookout(daemon, { poll: "10 millis" }))
        let sum = 0
        for (let round = 1; round <= 12; round++) {
          yield* feed.deliver([Works.reading(`a${round}`, "01", round), Works.reading(`b${round}`, "03", 1)])
          sum += round
          // Some rounds overlap, others begin when the last one is done.
          if (round % 3 === 0) yield* Works.untilAmounts(assay, "link_4", { "01": sum, "03": round })
        }
        const requested = count(`SELECT count(*) FROM ${name}_assay.automation_request`)
        yield* Effect.repeat(requested, { until: (found) => found === 0 })
        yield* Effect.forEach(lookouts, ({ fiber }) => Fiber.interrupt(fiber), { concurrency: "unbounded" })
        assert.strictEqual(yield* count(`SELECT count(*) FROM ${name}.readings`), 24)
        assert.deepStrictEqual(
          (yield* assay.verify({ strict: true })).filter(({ isOk }) => !isOk),
          []
        )
        // Requested by one is in progress to the others: no source is landed by two, and nobody had to try again.
        assert.strictEqual(
          yield* count(`SELECT count(*) FROM ${name}_assay.step WHERE attempts > 1 OR status = 'failed'`),
          0
        )
        assert.strictEqual(yield* count(`SELECT count(*) FROM ${name}_assay.step WHERE kind = 'land'`), 12)
      })
  )

  it.effect("that look at the same moment request the same work once", () =>
    Effect.gen(function* () {
      const { assay, engine, name } = yield* open({ links: 1 })
      const daemons = [assay, yield* engine({}), yield* engine({}), yield* engine({})]
      const sql = yield* PgClient.PgClient
      const waiting = count(
        `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      )
      const isLocked = yield* Deferred.make<void>()
      const mayWrite = yield* Deferred.make<void>()
      // Nobody can write a request down until all of them have looked, or wait for their turn to.
      const holding = yield* Effect.forkChild(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* sql.unsafe(`LOCK TABLE ${name}_assay.automation_request IN EXCLUSIVE MODE`)
            yield* Deferred.succeed(isLocked, undefined)
            yield* Deferred.await(mayWrite)
          })
        )
      )
      yield* Deferred.await(isLocked)
      const lookouts = yield* Effect.forEach(daemons, (daemon) => Works.lookout(daemon, { once: true }))
      yield* Effect.repeat(waiting, { until: (found) => found === daemons.length })
      yield* Deferred.succeed(mayWrite, undefined)
      yield* Fiber.join(holding)
      yield* Effect.forEach(lookouts, ({ fiber }) => Fiber.join(fiber), { concurrency: "unbounded" })
      const requested = lookouts.flatMap(({ told }) =>
        told.flatMap((event) =>
          event._tag === "Requested"
            ? event.requested.map(({ asset, units }) => `${asset} ${PartitionSet.format(units)}`)
            : []
        )
      )
      assert.deepStrictEqual(requested, ["link_1 2024-03-01..2024-03-05"])
    })
  )

  it.effect("take over at once what a killed one had requested (Verifies: L3, L8)", () =>
    Effect.gen(function* () {
      const { assay, feed, name } = yield* open({ links: 3, codeVersion: "1" })
      const { url } = yield* TestDatabase.TestDatabase
      yield* feed.deliver([Works.reading("a", "01", 4)])
      const child = ChildProcess.spawn(
        process.execPath,
        [Path.join(import.meta.dirname, "daemon.ts"), Redacted.value(url), name],
        { stdio: ["ignore", "pipe", "inherit"] }
      )
      yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
      yield* Effect.callback<void>((resume) => {
        child.stdout.on("data", (text: Buffer) => {
          if (text.toString().includes("computing")) resume(Effect.void)
        })
      })
      const alive = yield* Works.lookout(assay, { once: true })
      yield* Fiber.join(alive.fiber)
      assert.deepStrictEqual(Works.requests(alive.told), [])
      const gone = yield* Effect.forkChild(
        Effect.callback<void>((resume) => void child.once("exit", () => resume(Effect.void)))
      )
      child.kill("SIGKILL")
      yield* Fiber.join(gone)
      const locks = count(
        `SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
          WHERE l.locktype = 'advisory' AND d.datname = current_database()`
      )
      yield* Effect.repeat(locks, { until: (found) => found === 0 })
      yield* assay.watch({ once: true })
      assert.deepStrictEqual(yield* Works.amounts(assay, "link_3"), { "01": 4 })
      assert.strictEqual(yield* count(`SELECT count(*) FROM ${name}.readings`), 1)
      assert.strictEqual(yield* count(`SELECT count(*) FROM ${name}_assay.run WHERE status = 'cancelled'`), 1)
      assert.strictEqual(yield* count(`SELECT count(*) FROM ${name}_assay.run WHERE status = 'running'`), 0)
    })
  )
})
