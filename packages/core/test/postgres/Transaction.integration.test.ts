import { Postgres } from "@assay/core/postgres/Postgres"
import { identifier, literal, sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { layerPostgres } from "../shop/Storage.ts"
import * as TestDatabase from "../support/TestDatabase.ts"

const transact = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Transactor, (transactor) => transactor.transact(effect))

/** A table of keys and versions, by a name that no other test has. */
const tableOf = Effect.fnUntraced(function* (name: string) {
  const pg = yield* Postgres
  const table = identifier("public", name)
  yield* pg.execute(
    sql`CREATE TABLE ${table} (place integer GENERATED ALWAYS AS IDENTITY, key text PRIMARY KEY, version integer, statement text DEFAULT ${literal("(statement_timestamp()::text)")})`
  )
  const put = (key: string) =>
    pg.later({
      name: key,
      parts: [
        sql`INSERT INTO ${table} AS t (key, version) VALUES (${key}, 1)
          ON CONFLICT (key) DO UPDATE SET version = t.version + 1 RETURNING TRUE`
      ]
    })
  const rows = pg.query(
    sql`SELECT key, version FROM ${table} ORDER BY place`,
    Schema.Struct({ key: Schema.String, version: Schema.Int })
  )
  const shown = Effect.map(rows, (found) => found.map(({ key, version }) => `${key}${version}`))
  const statements = Effect.map(
    pg.query(sql`SELECT count(DISTINCT statement)::integer AS n FROM ${table}`, Schema.Struct({ n: Schema.Int })),
    ([row]) => row?.n
  )
  return { put, shown, statements, table }
})

it.layer(layerPostgres("transaction").pipe(Layer.provideMerge(TestDatabase.layer)))(
  "what a transaction puts off",
  (it) => {
    it.effect("is sent in one statement and in its order, before the commit", () =>
      Effect.gen(function* () {
        const { put, shown, statements } = yield* tableOf("put_off")
        yield* transact(Effect.forEach(["c", "a", "d", "b"], put))
        assert.deepStrictEqual(yield* shown, ["c1", "a1", "d1", "b1"])
        assert.strictEqual(yield* statements, 1)
      })
    )

    it.effect("is there for whatever is asked next", () =>
      Effect.gen(function* () {
        const { put, shown, statements } = yield* tableOf("asked_next")
        yield* transact(
          Effect.gen(function* () {
            yield* put("a")
            assert.deepStrictEqual(yield* shown, ["a1"])
            yield* put("b")
          })
        )
        assert.deepStrictEqual(yield* shown, ["a1", "b1"])
        assert.strictEqual(yield* statements, 2)
      })
    )

    it.effect("does not share a statement where it may touch the same rows", () =>
      Effect.gen(function* () {
        const { put, shown } = yield* tableOf("same_rows")
        yield* transact(Effect.forEach(["a", "a", "b", "a"], put))
        assert.deepStrictEqual(yield* shown, ["a3", "b1"])
      })
    )

    it.effect("is gone with what it belongs to, and only with that (Verifies: L3)", () =>
      Effect.gen(function* () {
        const { put, shown } = yield* tableOf("undone")
        yield* Effect.exit(transact(Effect.andThen(put("a"), Effect.fail("no"))))
        assert.deepStrictEqual(yield* shown, [])
        yield* transact(
          Effect.gen(function* () {
            yield* put("b")
            yield* Effect.exit(transact(Effect.andThen(put("c"), Effect.fail("no"))))
            yield* transact(put("d"))
          })
        )
        assert.deepStrictEqual(yield* shown, ["b1", "d1"])
      })
    )

    it.effect("fails the transaction that put it off (Verifies: L3)", () =>
      Effect.gen(function* () {
        const pg = yield* Postgres
        const { put, shown, table } = yield* tableOf("failing")
        const wrong = pg.later({
          name: undefined,
          parts: [sql`INSERT INTO ${table} (key, version) SELECT 'x', 1 / 0 RETURNING TRUE`]
        })
        const error = yield* Effect.flip(transact(Effect.andThen(put("a"), wrong)))
        assert.strictEqual(error.message, "division by zero")
        assert.deepStrictEqual(yield* shown, [])
      })
    )

    it.effect("is sent at once outside of a transaction", () =>
      Effect.gen(function* () {
        const { put, shown } = yield* tableOf("at_once")
        yield* put("a")
        assert.deepStrictEqual(yield* shown, ["a1"])
      })
    )

    it.effect("goes on from what the part before it has touched", () =>
      Effect.gen(function* () {
        const pg = yield* Postgres
        const { put, shown, table } = yield* tableOf("parts")
        yield* put("a")
        const found = (key: string) =>
          pg.later({
            name: undefined,
            parts: [
              sql`UPDATE ${table} SET version = 7 WHERE key = ${key} RETURNING TRUE`,
              (before) =>
                sql`INSERT INTO ${table} (key, version) SELECT 'no ' || ${key}::text, 1 WHERE NOT EXISTS (SELECT FROM ${before}) RETURNING TRUE`
            ]
          })
        yield* transact(Effect.andThen(found("a"), found("b")))
        assert.deepStrictEqual(yield* shown, ["a7", "no b1"])
      })
    )
  }
)
