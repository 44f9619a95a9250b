import * as Migrations from "@assay/core/ledger/Migrations"
import { Runs } from "@assay/core/ledger/Runs"
import * as SqlLedger from "@assay/core/ledger/SqlLedger"
import * as Postgres from "@assay/core/postgres/Postgres"
import { RunStatus } from "@assay/core/Run"
import { literal, sql } from "@assay/core/Sql"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestDatabase from "../support/TestDatabase.ts"
import { at, database, schemas } from "./layers.ts"

const ids = (migrations: ReadonlyArray<Migrations.Migration>) => migrations.map(({ id }) => id)

/** A migration that makes one table. */
const table = (id: number, name: string): Migrations.Migration => ({
  id,
  name,
  statements: (schema) => [sql`CREATE TABLE ${literal(`"${schema}"."${name}"`)} (id integer)`]
})

const broken: Migrations.Migration = {
  id: 2,
  name: "broken",
  statements: (schema) => [...table(2, "half").statements(schema), sql`SELECT 1 / 0`]
}

const tables = Effect.gen(function* () {
  const pg = yield* Postgres.Postgres
  const rows = yield* pg.query(
    sql`SELECT tablename::text AS name FROM pg_tables WHERE schemaname = ${pg.schemas.ledger} ORDER BY 1`,
    Schema.Struct({ name: Schema.String })
  )
  return rows.map(({ name }) => name)
})

const message = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.message)

/** A process of its own: another pool of connections to the same database. */
const process = <A, E, R>(effect: Effect.Effect<A, E, R>, options: { readonly role?: string } = {}) =>
  Effect.flatMap(TestDatabase.TestDatabase, ({ url }) =>
    Effect.provide(
      effect,
      Layer.fresh(
        Postgres.layer(schemas).pipe(
          Layer.provide(
            PgClient.layer({
              url,
              startupParameters: options.role === undefined ? {} : { role: options.role }
            })
          )
        )
      )
    )
  )

describe("Migrations", () => {
  const test = (name: string, body: Effect.Effect<void, unknown, Layer.Success<typeof database>>) =>
    it.effect(name, () => Effect.provide(body, database))

  it("has ids that count up from one", () => {
    assert.deepStrictEqual(
      ids(Migrations.all),
      Migrations.all.map((_, index) => index + 1)
    )
  })

  test(
    "makes the ledger in an empty database, and finds nothing to do after that",
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Migrations.run, Migrations.all)
      assert.deepStrictEqual(yield* Migrations.run, [])
      assert.deepStrictEqual(yield* tables, [
        "asset",
        "automation_cursor",
        "automation_failure",
        "automation_request",
        "backfill",
        "backfill_asset",
        "built_set",
        "materialization",
        "migration",
        "outbox",
        "partition_key",
        "position",
        "quarantine",
        "run",
        "stale_range",
        "stale_unit",
        "step"
      ])
    })
  )

  test(
    "applies each migration once when many processes start at once",
    Effect.gen(function* () {
      const applied = yield* Effect.forEach([1, 2, 3, 4, 5], () => process(Migrations.run), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        ids(applied.flat()).toSorted((a, b) => a - b),
        ids(Migrations.all)
      )
    })
  )

  test(
    "applies what is new in a later version",
    Effect.gen(function* () {
      yield* Migrations.apply([table(1, "a")])
      assert.deepStrictEqual(ids(yield* Migrations.apply([table(1, "a"), table(2, "b"), table(3, "c")])), [2, 3])
      assert.deepStrictEqual(yield* tables, ["a", "b", "c", "migration"])
    })
  )

  test(
    "leaves nothing of a migration that fails, and keeps those before it",
    Effect.gen(function* () {
      assert.include(yield* message(Migrations.apply([table(1, "a"), broken, table(3, "c")])), "division by zero")
      assert.deepStrictEqual(yield* tables, ["a", "migration"])
      assert.deepStrictEqual(ids(yield* Migrations.apply([table(1, "a"), table(2, "b")])), [2])
    })
  )

  test(
    "stops at a database that a newer version has migrated",
    Effect.gen(function* () {
      yield* Migrations.apply([table(1, "a"), table(2, "from the future")])
      assert.strictEqual(
        yield* message(Migrations.apply([table(1, "a")])),
        'the ledger in database schema "assay" is at migration 2 ("from the future"), but this version of @assay/core ' +
          "knows only migrations up to 1. Run a version that is at least as new as the one that migrated it."
      )
    })
  )

  test(
    "stops at a database that lacks an earlier migration instead of skipping it",
    Effect.gen(function* () {
      yield* Migrations.apply([table(1, "a"), table(3, "c")])
      assert.strictEqual(
        yield* message(Migrations.apply([table(1, "a"), table(2, "late"), table(3, "c")])),
        'the ledger in database schema "assay" lacks migration 2 ("late") although 3 ("c") is applied. Migrations are ' +
          "applied in order only; restore the ledger from before, or use another one."
      )
      assert.deepStrictEqual(yield* tables, ["a", "c", "migration"])
    })
  )

  test(
    "stops at a database whose migrations are other ones",
    Effect.gen(function* () {
      yield* Migrations.apply([table(1, "a"), table(2, "b"), table(3, "c")])
      const known = [table(1, "a"), table(2, "other"), table(3, "c")]
      assert.include(yield* message(Migrations.apply(known)), 'has migration 2 as "b"')
      assert.include(yield* message(Migrations.apply(known)), 'has "other"')
      assert.include(yield* message(Migrations.apply([table(1, "a"), table(3, "c")])), "has none")
    })
  )

  test(
    "works where an administrator made the database schema and allows no other",
    Effect.gen(function* () {
      const { name } = yield* TestDatabase.TestDatabase
      const { execute } = yield* Postgres.Postgres
      const role = `role_${name}`
      yield* Effect.acquireUseRelease(
        execute(sql`CREATE ROLE ${literal(role)}`),
        () =>
          Effect.gen(function* () {
            assert.include(yield* message(process(Migrations.run, { role })), "permission denied")
            yield* execute(sql`CREATE SCHEMA assay AUTHORIZATION ${literal(role)}`)
            assert.deepStrictEqual(yield* process(Migrations.run, { role }), Migrations.all)
          }),
        () =>
          Effect.orDie(
            Effect.andThen(execute(sql`DROP OWNED BY ${literal(role)}`), execute(sql`DROP ROLE ${literal(role)}`))
          )
      )
    })
  )

  test(
    "keeps apart the ledgers of two environments",
    Effect.gen(function* () {
      const other = Postgres.layer({ warehouse: "qa", ledger: 'Assay "qa"' })
      assert.deepStrictEqual(yield* Migrations.run, Migrations.all)
      assert.deepStrictEqual(yield* Effect.provide(Migrations.run, other), Migrations.all)
      assert.deepStrictEqual(yield* Effect.provide(Migrations.run, other), [])
    })
  )

  test(
    "comes before the services of the ledger",
    Effect.gen(function* () {
      const runs = yield* Effect.provide(
        Effect.flatMap(Runs, (runs) => runs.list({ limit: 1 })),
        SqlLedger.layer
      )
      assert.deepStrictEqual(runs, [])
    })
  )

  test(
    "lets a run be in every state that there is",
    Effect.gen(function* () {
      const runs = yield* Runs
      yield* Effect.forEach(RunStatus.literals, (status) =>
        runs.start({
          runId: status,
          status,
          assets: [],
          partitions: undefined,
          requestedBy: "test",
          why: "test",
          startedAt: at("10:00:00"),
          heartbeatAt: at("10:00:00"),
          finishedAt: undefined,
          error: undefined
        })
      )
      assert.strictEqual((yield* runs.list({ limit: 10 })).length, RunStatus.literals.length)
    }).pipe(Effect.provide(SqlLedger.layer))
  )
})
