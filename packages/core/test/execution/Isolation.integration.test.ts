import * as Assay from "@assay/core/Assay"
import * as Materializer from "@assay/core/execution/Materializer"
import * as AssetGraph from "@assay/core/AssetGraph"
import { Transactor } from "@assay/core/Transactor"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Disturbance from "../shop/Disturbance.ts"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open } from "../shop/Storage.ts"
import { built, lies, order, parcel, rows, shop, steps, trouble } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const all = { assets: [] }

const opening = parcel("opening", [
  order("1", "02-01", { tier: "gold" }),
  order("2", "02-01T13:00", { store: "west" }),
  order("3", "02-03", { customer: "bob" })
])

/** The first column of the only row that a query yields. */
const one = <A>(query: string) =>
  Effect.flatMap(PgClient.PgClient, (sql) =>
    Effect.map(sql.unsafe<{ readonly value: A }>(`SELECT (${query}) AS value`), ([row]) => row?.value)
  )

class First extends Context.Service<First, typeof Assay.Assay.Service>()("@assay/core/test/execution/First") {}
class Second extends Context.Service<Second, typeof Assay.Assay.Service>()("@assay/core/test/execution/Second") {}

const environments = <E, R>(layers: readonly [Layer.Layer<Assay.Assay, E, R>, Layer.Layer<Assay.Assay, E, R>]) =>
  Layer.merge(
    Layer.effect(First, Assay.Assay).pipe(Layer.provide(layers[0])),
    Layer.effect(Second, Assay.Assay).pipe(Layer.provide(layers[1]))
  )

/** One graph, filled in two environments at once, and then in one of them only. */
const keepApart = Effect.fnUntraced(function* (feed: Feed.Feed<Shop.Order>) {
  const first = yield* First
  const second = yield* Second
  yield* feed.deliver(opening)
  const results = yield* Effect.all([first.materialize(all), second.materialize(all)], { concurrency: 2 })
  assert.deepStrictEqual(results.map(trouble), [{}, {}])
  assert.deepStrictEqual(yield* rows(first, "store_totals"), yield* rows(second, "store_totals"))
  yield* feed.deliver(parcel("more", [order("4", "02-04", { store: "east" })]))
  assert.strictEqual(built(yield* first.materialize(all))["store_totals"], 1)
  assert.strictEqual((yield* rows(first, "bronze_orders")).length, 4)
  assert.strictEqual((yield* rows(second, "bronze_orders")).length, 3)
  assert.deepInclude((yield* second.status(["store_totals"]))[0], { stale: 0, rows: 2 })
  assert.strictEqual((yield* second.runs({ limit: 10 })).length, 1)
  for (const assay of [first, second]) assert.deepStrictEqual(yield* lies(assay), [])
})

it.layer(TestDatabase.layer)("two environments in one process", (it) => {
  it.effect("are apart on PostgreSQL (Verifies: L2, L4)", () =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Shop.Order>()
      const graph = Shop.make({ source: feed.source })
      const layers = [
        Assay.layer(graph, Assay.environment("first")),
        Assay.layer(graph, Assay.environment("second"))
      ] as const
      yield* keepApart(feed).pipe(Effect.provide(environments(layers)))
    }).pipe(Effect.provide(Disturbance.layer))
  )

  it.effect("are apart in memory (Verifies: L2, L4)", () =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Shop.Order>()
      const graph = Shop.make({ source: feed.source })
      yield* keepApart(feed).pipe(Effect.provide(environments([Assay.layerMemory(graph), Assay.layerMemory(graph)])))
    }).pipe(Effect.provide(Disturbance.layer))
  )
})

it.layer(TestDatabase.layer)("a transaction of the host", (it) => {
  const within = <A, E, R>(level: string, effect: Effect.Effect<A, E, R>) =>
    Effect.flatMap(PgClient.PgClient, (sql) =>
      sql.withTransaction(Effect.andThen(sql.unsafe(`SET TRANSACTION ISOLATION LEVEL ${level}`), effect))
    )

  for (const level of ["REPEATABLE READ", "SERIALIZABLE"]) {
    const environment = `refused_${level.replace(" ", "_").toLowerCase()}`
    it.effect(`in ${level} is refused with what to do instead, also behind the first run (Verifies: L2)`, () =>
      Effect.gen(function* () {
        const { assay, feed } = yield* shop()
        yield* feed.deliver(opening)
        for (const name of ["first", "second"]) {
          const error = yield* Effect.flip(within(level, assay.materialize(all)))
          assert.strictEqual(error._tag, "DefinitionFault", name)
          assert.include(
            error.message,
            `the transaction around it is ${level.toLowerCase()}; materialize in READ COMMITTED, or outside of a transaction`
          )
          assert.strictEqual(yield* one(`SELECT to_regclass('${environment}.bronze_orders') IS NULL`), true)
          yield* feed.deliver(parcel(`more for ${name}`, [order(name, "02-05")]))
        }
        yield* assay.materialize(all)
        yield* feed.deliver(parcel("more", [order("9", "02-04")]))
        assert.strictEqual((yield* Effect.flip(within(level, assay.materialize(all))))._tag, "DefinitionFault")
        assert.deepStrictEqual(yield* lies(assay), [])
      }).pipe(Effect.provide(layerPostgres(environment)))
    )
  }

  it.effect("in READ COMMITTED is joined: what it undoes never was (Verifies: L3)", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* shop()
      yield* assay.materialize(all)
      yield* feed.deliver(opening)
      const undone = yield* Effect.exit(
        within("READ COMMITTED", Effect.andThen(assay.materialize(all), Effect.fail("changed my mind")))
      )
      assert.isTrue(Exit.isFailure(undone))
      assert.deepStrictEqual(yield* rows(assay, "bronze_orders"), [])
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      yield* within("READ COMMITTED", assay.materialize(all))
      assert.strictEqual((yield* rows(assay, "bronze_orders")).length, 3)
      assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    }).pipe(Effect.provide(layerPostgres("joined")))
  )
})

it.layer(TestDatabase.layer)("a changed view", (it) => {
  /** The session that waits for a lock with a statement of this beginning, as soon as there is another one than before. */
  const waitingFor = (statement: string, before?: number | null) =>
    Effect.repeat(
      one<number | null>(
        `SELECT min(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
          AND query LIKE '${statement}%'`
      ),
      { until: (pid) => typeof pid === "number" && pid !== before }
    )
  const whatIsKnown = one<string>(
    `SELECT obj_description(to_regclass('viewed.busy_days')) || (SELECT code_version FROM viewed_assay.asset
      WHERE asset = 'busy_neighbours') || (SELECT count(*) FROM viewed_assay.stale_range)`
  )

  it.effect(
    "goes live with the marks of its readers: behind who reads it, after a crash, and not before (Verifies: L2, L3)",
    () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase.TestDatabase
        const { assay, feed } = yield* shop()
        yield* feed.deliver(opening)
        yield* assay.materialize(all)
        const before = yield* whatIsKnown
        const other = Context.get(yield* Layer.build(Layer.fresh(PgClient.layer({ url }))), PgClient.PgClient)
        /** Runs a statement in a transaction that stays open until it may end, and runs it again before it does. */
        const keepOpen = Effect.fnUntraced(function* (level: string, statement: string) {
          const isOpen = yield* Deferred.make<void>()
          const mayEnd = yield* Deferred.make<void>()
          const transaction = other.withTransaction(
            Effect.gen(function* () {
              yield* other.unsafe(`SET TRANSACTION ISOLATION LEVEL ${level}`)
              const first = yield* other.unsafe(statement)
              yield* Deferred.succeed(isOpen, undefined)
              yield* Deferred.await(mayEnd)
              return [first, yield* other.unsafe(statement)] as const
            })
          )
          const fiber = yield* Effect.forkChild(transaction)
          yield* Deferred.await(isOpen)
          return Effect.andThen(Deferred.succeed(mayEnd, undefined), Fiber.join(fiber))
        })
        const endReading = yield* keepOpen(
          "REPEATABLE READ",
          "SELECT to_char(day, 'YYYY-MM-DD') AS day, orders FROM viewed.busy_days ORDER BY day"
        )
        const endHolding = yield* keepOpen(
          "READ COMMITTED",
          "SELECT asset FROM viewed_assay.asset WHERE asset = 'busy_neighbours' FOR UPDATE"
        )
        const changed = yield* open(Shop.make({ source: feed.source, busy: 1 }))
        const changing = yield* Effect.forkChild(changed.materialize(all))
        const replacing = yield* waitingFor("CREATE OR REPLACE VIEW")
        assert.strictEqual(yield* whatIsKnown, before)
        // The process of the change loses its session before it could commit, and tries again.
        yield* one(`SELECT pg_terminate_backend(${replacing})`)
        yield* waitingFor("CREATE OR REPLACE VIEW", replacing)
        const [first, second] = yield* endReading
        assert.deepStrictEqual(second, first)
        assert.deepStrictEqual(first, [{ day: "2024-02-01", orders: 2n }])
        // Now the view is replaced, but its readers are not marked; nobody sees the one without the other.
        const marking = yield* waitingFor("INSERT INTO")
        assert.strictEqual(yield* whatIsKnown, before)
        yield* one(`SELECT pg_terminate_backend(${marking})`)
        yield* waitingFor("INSERT INTO", marking)
        assert.strictEqual(yield* whatIsKnown, before)
        yield* endHolding
        assert.deepStrictEqual(trouble(yield* Fiber.join(changing)), {})
        assert.notStrictEqual(yield* whatIsKnown, before)
        assert.strictEqual((yield* rows(changed, "busy_days")).length, 2)
        assert.deepStrictEqual(yield* lies(changed, { strict: true }), [])
      }).pipe(Effect.provide(layerPostgres("viewed")))
  )
})

it.layer(TestDatabase.layer)("locks", (it) => {
  it.effect("are taken in one order, whatever graph asks for them (Verifies: L8)", () =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Shop.Order>()
      const graph = Shop.make({ source: feed.source })
      const dimension = AssetGraph.getUnsafe(graph, "dim_customer")
      // By name, though the orders are upstream of the customers.
      assert.deepStrictEqual(Materializer.locksOf(graph, dimension), [
        { asset: "dim_customer", mode: "exclusive" },
        { asset: "silver_orders", mode: "shared" }
      ])
      assert.deepStrictEqual(
        Materializer.inOrder([
          { asset: "b", mode: "shared" },
          { asset: "a", mode: "exclusive" },
          { asset: "b", mode: "exclusive" },
          { asset: "a", mode: "shared" }
        ]),
        [
          { asset: "a", mode: "exclusive" },
          { asset: "b", mode: "exclusive" }
        ]
      )
    })
  )

  it.effect(
    "that a transaction takes in another order end in a deadlock, and that in another attempt (Verifies: L1)",
    () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase.TestDatabase
        const { assay, feed } = yield* shop()
        yield* feed.deliver(opening)
        yield* assay.materialize({ assets: ["silver_orders"] })
        const other = Context.get(yield* Layer.build(Layer.fresh(PgClient.layer({ url }))), PgClient.PgClient)
        const hold = (asset: string) =>
          other.unsafe(`SELECT pg_advisory_xact_lock(hashtextextended('["crossed_assay","${asset}"]', 0))`)
        const waitingForLocks = one<number>(
          `SELECT count(*)::int FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
          WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted`
        )
        const holding = yield* Deferred.make<void>()
        const crossing = yield* Deferred.make<void>()
        const crossed = yield* Effect.forkChild(
          Effect.exit(
            other.withTransaction(
              Effect.gen(function* () {
                // Whoever looks for the deadlock first is its victim; here that is the step.
                yield* other.unsafe("SET LOCAL deadlock_timeout = '1min'")
                yield* hold("silver_orders")
                yield* Deferred.succeed(holding, undefined)
                yield* Deferred.await(crossing)
                yield* hold("dim_customer")
              })
            )
          )
        )
        yield* Deferred.await(holding)
        const run = yield* Effect.forkChild(assay.materialize({ assets: ["dim_customer"], upstream: false }))
        yield* Effect.repeat(waitingForLocks, { until: (count) => count === 1 })
        yield* Deferred.succeed(crossing, undefined)
        const result = yield* Fiber.join(run)
        yield* Fiber.join(crossed)
        assert.deepStrictEqual(trouble(result), {})
        assert.deepStrictEqual(
          (yield* steps(assay, result.runId)).map(({ asset, status }) => [asset, status]),
          [["dim_customer", "succeeded"]]
        )
        yield* assay.materialize(all)
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
      }).pipe(Effect.provide(layerPostgres("crossed")))
  )
})

it.layer(TestDatabase.layer)("a changed view", (it) => {
  it.effect("does not wait for ever for who reads the old one, and is replaced when they have ended", () =>
    Effect.gen(function* () {
      const { assay, feed } = yield* shop()
      yield* feed.deliver(opening)
      yield* assay.materialize(all)
      const warehouse = yield* Warehouse
      const transactor = yield* Transactor
      const { url } = yield* TestDatabase.TestDatabase
      const reader = Context.get(yield* Layer.build(Layer.fresh(PgClient.layer({ url }))), PgClient.PgClient)
      const reading = yield* Deferred.make<void>()
      const done = yield* Deferred.make<void>()
      const held = yield* Effect.forkChild(
        reader.withTransaction(
          Effect.gen(function* () {
            yield* reader.unsafe("SELECT FROM replaced.busy_days")
            yield* Deferred.succeed(reading, undefined)
            yield* Deferred.await(done)
          })
        )
      )
      yield* Deferred.await(reading)
      const changed = Shop.make({ source: feed.source, busy: 1 })
      const error = yield* Effect.flip(transactor.transact(warehouse.redefine(changed)))
      assert.deepInclude(error, { _tag: "Transient", code: "55P03" })
      assert.match(error.message, /^the view "busy_days" has changed, but cannot be replaced while others read it/)
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.join(held)
      yield* transactor.transact(
        Effect.gen(function* () {
          yield* warehouse.redefine(changed)
          // What waits for locks after that waits as long as before.
          assert.strictEqual(yield* one<string>("SELECT current_setting('lock_timeout')"), "0")
        })
      )
      const graph = yield* open(changed)
      yield* graph.materialize(all)
      assert.deepStrictEqual(yield* lies(graph, { strict: true }), [])
    }).pipe(Effect.provide(layerPostgres("replaced")))
  )
})
