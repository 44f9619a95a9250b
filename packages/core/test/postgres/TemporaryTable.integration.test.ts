import { Postgres } from "@assay/core/postgres/Postgres"
import * as TemporaryTable from "@assay/core/postgres/TemporaryTable"
import { identifier, literal, sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { layerPostgres } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const table = (name: string): TemporaryTable.TemporaryTable => ({
  name: `_assay_${name}`,
  columns: literal("value integer")
})

const fill = (name: string, rows = 1) =>
  Effect.gen(function* () {
    const pg = yield* Postgres
    yield* TemporaryTable.prepare(pg, [table(name)])
    yield* pg.execute(sql`INSERT INTO ${identifier(`_assay_${name}`)} SELECT generate_series(1, ${rows}::integer)`)
    yield* TemporaryTable.filled(pg, [`_assay_${name}`], rows)
  })

const release = (...names: ReadonlyArray<string>) =>
  Effect.flatMap(Postgres, (pg) =>
    TemporaryTable.release(
      pg,
      names.map((name) => `_assay_${name}`)
    )
  )

const number = (query: ReturnType<typeof sql>) =>
  Effect.flatMap(Postgres, (pg) =>
    Effect.map(pg.query(sql`SELECT (${query})::integer AS n`, Schema.Struct({ n: Schema.Int })), ([row]) => row?.n)
  )

const count = (name: string) => number(sql`SELECT count(*) FROM ${identifier(`_assay_${name}`)}`)

const size = (name: string) => number(sql`SELECT pg_relation_size(${`_assay_${name}`}::regclass)`)

const kept = number(
  sql`SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND starts_with(relname::text, '_assay_')`
)

/** One connection for all of a test. */
const one = Layer.unwrap(Effect.map(TestDatabase.TestDatabase, ({ url }) => PgClient.layer({ url, maxConnections: 1 })))

const transact = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Transactor, (transactor) => transactor.transact(effect))

it.layer(TestDatabase.layerDatabase)("the temporary tables of a connection", (it) => {
  const connected = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, Layer.fresh(layerPostgres("temporary")).pipe(Layer.provideMerge(Layer.fresh(one))))

  it.effect("hold no rows when the step that filled them has ended, or was undone (Verifies: L3)", () =>
    connected(
      Effect.gen(function* () {
        for (const rows of [3, 3000]) {
          yield* transact(Effect.andThen(fill("a", rows), release("a")))
          assert.strictEqual(yield* count("a"), 0)
          yield* Effect.exit(transact(Effect.andThen(fill("a", rows), Effect.fail("no"))))
          assert.strictEqual(yield* count("a"), 0)
          yield* transact(fill("a", rows))
          assert.strictEqual(yield* count("a"), 0)
          yield* transact(transact(fill("a", rows)))
          assert.strictEqual(yield* count("a"), 0)
        }
      })
    )
  )

  it.effect("are empty for each of the steps that share a transaction", () =>
    connected(
      transact(
        Effect.gen(function* () {
          yield* fill("f", 3)
          yield* fill("f", 2)
          assert.strictEqual(yield* count("f"), 2)
          yield* transact(fill("g", 3))
          yield* fill("g", 2)
          assert.strictEqual(yield* count("g"), 2)
        })
      )
    )
  )

  it.effect("take no more room after many steps than after a few", () =>
    connected(
      Effect.gen(function* () {
        for (let step = 0; step < 40; step++) yield* transact(Effect.andThen(fill("b", 1000), release("b")))
        assert.isAtMost((yield* size("b")) ?? Number.POSITIVE_INFINITY, 128 * 1024)
      })
    )
  )

  it.effect("are emptied also while a cursor reads them, however large they are", () =>
    connected(
      Effect.gen(function* () {
        const pg = yield* Postgres
        const read = pg.cursor(sql`SELECT value::text FROM _assay_e`, { fetch: 10 })
        yield* transact(
          Effect.gen(function* () {
            yield* fill("e", 10_000)
            yield* Stream.runDrain(Stream.take(read, 1))
            yield* release("e")
            assert.strictEqual(yield* count("e"), 0)
          })
        )
        yield* transact(
          Effect.gen(function* () {
            yield* fill("e", 1)
            assert.strictEqual(yield* size("e"), 8192)
          })
        )
      })
    )
  )

  it.effect("make room for new ones, but none that the transaction has touched", () =>
    connected(
      Effect.gen(function* () {
        yield* transact(fill("oldest", 1))
        for (let index = 0; index < 200; index++) yield* transact(fill(`c${index}`))
        assert.isAtMost((yield* kept) ?? Number.POSITIVE_INFINITY, 128)
        yield* transact(
          Effect.gen(function* () {
            for (let index = 0; index < 200; index++) yield* fill(`d${index}`)
            for (let index = 0; index < 200; index++) assert.strictEqual(yield* count(`d${index}`), 1)
          })
        )
      })
    )
  )
})
