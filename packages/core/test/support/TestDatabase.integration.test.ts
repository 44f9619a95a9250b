import { assert, describe, it } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer, Redacted } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlClient } from "effect/sql/SqlClient"
import { inject } from "vitest"
import * as TestDatabase from "./TestDatabase.ts"

const current = Effect.gen(function* () {
  const sql = yield* SqlClient
  const rows = yield* sql<{ readonly name: string }>`SELECT current_database()::text AS name`
  return rows[0]?.name
})

const exists = (name: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const rows = yield* sql`SELECT 1 FROM pg_database WHERE datname = ${name}`
    return rows.length === 1
  }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(inject("postgresUrl")) })))

describe("TestDatabase", () => {
  it.layer(TestDatabase.layer)("within one layer", (it) => {
    it.effect("connects to the database that it created", () =>
      Effect.gen(function* () {
        const { name } = yield* TestDatabase.TestDatabase
        assert.strictEqual(yield* current, name)
        assert.isTrue(yield* exists(name))
      })
    )

    it.effect("keeps what one test wrote for the next test of the layer", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        yield* sql`CREATE TABLE note (body text)`
        yield* sql`INSERT INTO note ${sql.insert([{ body: "kept" }])}`
        assert.deepStrictEqual(yield* sql`SELECT body FROM note`, [{ body: "kept" }])
      })
    )
  })

  it.effect("gives each layer a database of its own", () =>
    Effect.gen(function* () {
      const [first, second] = yield* Effect.all(
        [current.pipe(Effect.provide(TestDatabase.layer)), current.pipe(Effect.provide(TestDatabase.layer))],
        { concurrency: 2 }
      )
      assert.isDefined(first)
      assert.notStrictEqual(first, second)
    })
  )

  it.effect("drops the database when the layer closes, even with a connection still open", () =>
    Effect.gen(function* () {
      const name = yield* Effect.gen(function* () {
        const database = yield* TestDatabase.TestDatabase
        const straggler = yield* PgClient.make({ url: database.url })
        yield* straggler`SELECT 1`
        return database.name
      }).pipe(Effect.provide(Layer.merge(TestDatabase.layerDatabase, Reactivity.layer)))
      assert.isFalse(yield* exists(name))
    })
  )
})
