import * as Assay from "@assay/core/Assay"
import * as Automation from "@assay/core/Automation"
import * as SqlLedger from "@assay/core/ledger/SqlLedger"
import * as Postgres from "@assay/core/postgres/Postgres"
import * as TestSource from "@assay/core/testing/TestSource"
import * as SqlWarehouse from "@assay/core/warehouse/SqlWarehouse"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as Works from "./Works.ts"
import { count, open } from "./Workplace.ts"

it.layer(TestDatabase.layer, { excludeTestServices: true })("a daemon on PostgreSQL", (it) => {
  it.effect("lands and builds all the way what is delivered, as often as it is", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* open({ links: 3 })
      const { told } = yield* Works.lookout(assay, { poll: "20 millis" })
      yield* feed.deliver([Works.reading("a", "01", 2)])
      yield* Works.untilAmounts(assay, "link_3", { "01": 2 })
      yield* feed.deliver([Works.reading("b", "01", 3), Works.reading("c", "04", 1)])
      yield* Works.untilAmounts(assay, "link_3", { "01": 5, "04": 1 })
      assert.isFalse(told.some(({ _tag }) => _tag === "Broken" || _tag === "Unreachable"))
    })
  )

  it.effect("is woken by what another process commits, long before the next poll", () =>
    Effect.gen(function* () {
      const { assay, engine, feed } = yield* open({ links: 3 })
      const watching = yield* Works.lookout(assay, { poll: "1 day" })
      yield* watching.next("Finished")
      yield* feed.deliver([Works.reading("a", "02", 4)])
      const other = yield* engine()
      yield* other.materialize({ assets: ["readings"] })
      yield* Works.untilAmounts(assay, "link_3", { "02": 4 })
    })
  )

  it.effect("looks again from the beginning when it had lost its connections", () =>
    Effect.gen(function* () {
      const { assay, feed, name } = yield* open({ links: 2 })
      const watching = yield* Works.lookout(assay, { poll: "20 millis" })
      yield* watching.next("Finished")
      const sql = yield* PgClient.PgClient
      yield* sql.unsafe(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '${name} %'`
      )
      yield* watching.next("Unreachable")
      yield* watching.next("Reached")
      yield* feed.deliver([Works.reading("a", "03", 6)])
      yield* Works.untilAmounts(assay, "link_2", { "03": 6 })
      const listening = count(
        `SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '${name} %' AND query LIKE 'LISTEN%'`
      )
      yield* Effect.repeat(listening, { until: (found) => found === 1 })
    })
  )

  it.effect(
    "interrupted, lets the step at work end, begins no other, and leaves the rest requested (Verifies: L3)",
    () =>
      Effect.gen(function* () {
        const begun = yield* Deferred.make<void>()
        const goOn = yield* Deferred.make<void>()
        const before = Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(goOn))
        const { assay, engine, feed, name } = yield* open({ links: 3, before })
        yield* feed.deliver([Works.reading("a", "01", 9)])
        const watching = yield* Works.lookout(assay, { poll: "20 millis" })
        yield* Deferred.await(begun)
        const stopping = yield* Effect.forkChild(Fiber.interrupt(watching.fiber))
        yield* watching.next("Stopping")
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(stopping)
        assert.deepStrictEqual(yield* Works.amounts(assay, "link_1"), { "01": 9 })
        assert.deepStrictEqual(yield* Works.amounts(assay, "link_2"), {})
        assert.deepStrictEqual(
          (yield* assay.runs({ limit: 9 })).map(({ run }) => run.status),
          ["cancelled"]
        )
        assert.isAbove((yield* count(`SELECT count(*) FROM ${name}_assay.automation_request`)) ?? 0, 0)
        const next = yield* engine()
        yield* next.watch({ once: true })
        assert.deepStrictEqual(yield* Works.amounts(next, "link_3"), { "01": 9 })
        assert.strictEqual(yield* count(`SELECT count(*) FROM ${name}_assay.automation_request`), 0)
      })
  )

  it.effect("leaves an asset to the process that has taken it over with another definition (Verifies: L8)", () =>
    Effect.gen(function* () {
      const { assay, engine, feed, name } = yield* open({ links: 2 })
      const watching = yield* Works.lookout(assay, { poll: "20 millis" })
      yield* watching.next("Finished")
      const newer = yield* engine({ codeVersion: "newer" })
      yield* newer.watch({ once: true })
      // Told as they are found: an asset that is looked at anyway may be found before what is heard of the other one.
      const left = new Set(["link_1", "link_2"])
      while (left.size > 0) {
        const { assets } = yield* watching.next("Superseded")
        for (const asset of assets) assert.isTrue(left.delete(asset), asset)
      }
      yield* feed.deliver([Works.reading("a", "05", 8)])
      yield* Effect.repeat(count(`SELECT count(*) FROM ${name}_assay.stale_unit WHERE asset = 'link_1'`), {
        until: (found) => found === 1
      })
      yield* newer.watch({ once: true })
      yield* Works.untilAmounts(assay, "link_2", { "05": 8 })
      assert.strictEqual(
        yield* count(`SELECT count(*) FROM ${name}_assay.step WHERE asset = 'link_1' AND status = 'failed'`),
        0
      )
    })
  )

  it.effect("ends with its host's layer", () =>
    Effect.gen(function* () {
      const { assay, feed, name } = yield* open({ links: 2 })
      const { url } = yield* TestDatabase.TestDatabase
      const host = yield* Scope.make()
      const layer = Automation.layer(Works.make({ links: 2, source: feed.source }), {
        schemas: Assay.environment(name),
        poll: "20 millis"
      }).pipe(Layer.provide(PgClient.layer({ url, applicationName: `${name} host` })))
      yield* feed.deliver([Works.reading("a", "01", 2)])
      yield* Layer.buildWithScope(layer, host)
      yield* Works.untilAmounts(assay, "link_2", { "01": 2 })
      yield* Scope.close(host, Exit.void)
      const left = count(`SELECT count(*) FROM pg_stat_activity WHERE application_name = '${name} host'`)
      yield* Effect.repeat(left, { until: (found) => found === 0 })
    })
  )

  it.effect("looks by as many queries at fifty assets as at two", () =>
    Effect.gen(function* () {
      const looked = (links: number) =>
        Effect.gen(function* () {
          const feed = yield* TestSource.make<Works.Measurement>()
          let queries = 0
          const counting = Layer.effect(
            Postgres.Postgres,
            Effect.map(Postgres.Postgres, (pg) =>
              Postgres.Postgres.of({
                ...pg,
                query: (statement, row) => Effect.suspend(() => ((queries += 1), pg.query(statement, row))),
                execute: (statement) => Effect.suspend(() => ((queries += 1), pg.execute(statement)))
              })
            )
          )
          const connected = Postgres.layer(Assay.environment(`wide${links}`))
          const storage = Layer.mergeAll(SqlLedger.layer, SqlWarehouse.layer).pipe(
            Layer.provideMerge(Layer.provideMerge(counting, connected))
          )
          const graph = Works.make({ links, source: feed.source })
          const built = yield* Layer.build(Layer.fresh(Layer.provide(Assay.layerWithoutStorage(graph), storage)))
          const assay = Context.get(built, Assay.Assay)
          yield* assay.watch({ once: true })
          queries = 0
          yield* assay.watch({ once: true })
          return queries
        })
      const few = yield* looked(2)
      assert.strictEqual(yield* looked(50), few)
      assert.isAtMost(few, 10)
    })
  )
})
