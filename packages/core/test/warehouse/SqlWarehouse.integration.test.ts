import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { Postgres } from "@assay/core/postgres/Postgres"
import { identifier, literal, type Sql, sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Dimension from "./Dimension.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import * as Cut from "./Cut.ts"
import { overClient, postgres } from "./layers.ts"
import * as Schema from "effect/Schema"
import { suite } from "./WarehouseSuite.ts"
import { build, event, events, land, partitions, prepare, refusal, rows } from "./World.ts"

suite("postgres", postgres)

describe("SqlWarehouse", () => {
  it.layer(postgres)((it) => {
    it.effect("keeps overlapping versions out of a dimension, whoever writes them (Verifies: L10)", () =>
      Effect.gen(function* () {
        const pg = yield* Postgres
        const log = events("log")
        const dimension = Dimension.make("dimension", log)
        yield* prepare(AssetGraph.fromIterable([log, dimension]))
        const insert = (from: string, to: string) =>
          pg.execute(sql`INSERT INTO dev.dimension (sk, region, valid_from, valid_to, is_current)
            VALUES (${from}, 'north', ${from}::timestamptz, ${to}::timestamptz, FALSE)`)
        yield* insert("2024-01-01", "2024-01-05")
        yield* insert("2024-01-05", "2024-01-09")
        assert.match(yield* refusal(insert("2024-01-04", "2024-01-06")), /^DataQuality: .*dimension_no_overlap/)
      })
    )

    it.effect("shows every version to a reader beside whom the dimension grows (Verifies: L2, L10)", () =>
      Effect.gen(function* () {
        const pg = yield* Postgres
        const log = events("grown_log")
        const dimension = Dimension.make("grown", log)
        yield* prepare(AssetGraph.fromIterable([log, dimension]))
        const insert = (region: Sql, day: Sql, rows: number) =>
          sql`INSERT INTO dev.grown (sk, region, valid_from, valid_to, is_current)
            SELECT ${region}, ${region}, ${day}, ${day} + interval '1 day', FALSE
            FROM generate_series(1, ${literal(String(rows))}) AS n`
        const day = sql`'2024-01-01'::timestamptz + n * interval '1 day'`
        // Versions that were replaced, as a step does it, leave dead entries in the first page of every index.
        yield* pg.execute(insert(sql`'north ' || n`, day, 40))
        yield* pg.execute(sql`DELETE FROM dev.grown WHERE valid_from < '2024-01-12'`)
        yield* pg.execute(insert(sql`'north ' || n`, day, 10))
        // In the middle of a reader's join others add versions, and the page is split.
        yield* pg.execute(sql`CREATE FUNCTION dev.grow(fact integer) RETURNS integer LANGUAGE plpgsql VOLATILE AS ${literal("$$")}
          BEGIN
            IF fact = 11 THEN ${insert(sql`'south ' || n`, sql`'2025-01-01'::timestamptz + n * interval '1 day'`, 300)}; END IF;
            RETURN fact;
          END ${literal("$$")}`)
        const found = (n: Sql) =>
          pg.query(
            sql`SELECT count(d.sk)::int AS versions
              FROM (SELECT ${n} AS n FROM generate_series(1, 40) AS s(n) OFFSET 0) AS fact
              LEFT JOIN dev.grown AS d ON tstzrange(d.valid_from, d.valid_to)
                @> '2024-01-01 12:00:00+00'::timestamptz + fact.n * interval '1 day'`,
            Schema.Struct({ versions: Schema.Int })
          )
        const { transact } = yield* Transactor
        yield* transact(
          Effect.gen(function* () {
            // So few rows would otherwise be read without any index.
            for (const way of ["seqscan", "bitmapscan", "material"])
              yield* pg.execute(sql`SELECT set_config(${`enable_${way}`}, 'off', true)`)
            assert.deepStrictEqual(yield* found(sql`dev.grow(s.n)`), [{ versions: 40 }])
            assert.deepStrictEqual(yield* found(sql`s.n`), [{ versions: 40 }])
          })
        )
        const overlapping = sql`INSERT INTO dev.grown (sk, region, valid_from, is_current)
          VALUES ('overlapping', 'north 1', '2024-01-02 12:00:00+00', TRUE)`
        assert.match(yield* refusal(pg.execute(overlapping)), /^DataQuality: .*grown_no_overlap/)
      })
    )

    it.effect("replaces an exclusion constraint by whose index queries could read (Verifies: L2, L10)", () =>
      Effect.gen(function* () {
        const pg = yield* Postgres
        const log = events("older_log")
        const graph = AssetGraph.fromIterable([log, Dimension.make("older", log)])
        yield* prepare(graph)
        yield* pg.execute(sql`ALTER TABLE dev.older DROP CONSTRAINT older_no_overlap`)
        yield* pg.execute(sql`ALTER TABLE dev.older ADD CONSTRAINT older_no_overlap
          EXCLUDE USING gist (region WITH =, tstzrange(valid_from, valid_to) WITH &&)`)
        yield* prepare(graph)
        const made = pg.query(
          sql`SELECT pg_get_constraintdef(oid) AS definition, oid::text AS oid FROM pg_constraint WHERE conname = 'older_no_overlap'`,
          Schema.Struct({ definition: Schema.String, oid: Schema.String })
        )
        const [replaced] = yield* made
        assert.match(replaced?.definition ?? "", /WHERE .*isempty/)
        yield* prepare(graph)
        assert.deepStrictEqual(yield* made, [replaced])
      })
    )

    it.effect("needs a plain query for a view", () =>
      Effect.gen(function* () {
        const log = events("view_log")
        const view = Asset.make("rows_view", {
          description: "Rows only",
          columns: Schema.Struct({ id: Column.text }),
          inputs: { log: Asset.input(log, PartitionMapping.all) },
          write: WriteStrategy.view,
          compute: { rows: ({ log }) => log }
        })
        assert.strictEqual(
          yield* refusal(prepare(AssetGraph.make([log, view]))),
          'DefinitionFault: view "rows_view" needs a compute whose sql is a plain query'
        )
      })
    )

    it.effect("reads and writes the same whatever the settings of the database (Verifies: L5)", () =>
      Effect.gen(function* () {
        const pg = yield* Postgres
        const { name, url } = yield* TestDatabase
        for (const setting of ["TimeZone = 'Asia/Kathmandu'", "DateStyle = 'German'", "extra_float_digits = -15"]) {
          yield* pg.execute(sql`ALTER DATABASE ${identifier(name)} SET ${literal(setting)}`)
        }
        const log = events("set_log")
        const daily = Cut.make("set_daily", log, { by: "at", partitions: Partitions.daily({ start: "2024-01-01" }) })
        const graph = AssetGraph.fromIterable([log, daily])
        yield* Effect.gen(function* () {
          yield* prepare(graph)
          const { reached } = yield* land(graph, log, [
            event("a", { at: "2024-02-29T23:59:59.999999Z", day: "2024-03-01", amount: "1.5" })
          ])
          assert.deepStrictEqual(reached, { set_daily: ["2024-02-29"] })
          yield* build(graph, daily, partitions(daily, "2024-02-29"))
          assert.deepStrictEqual(yield* rows(log, ["at", "day", "amount", "loaded_at"]), [
            ["2024-02-29T23:59:59.999999Z", "2024-03-01", "1.50", "2024-06-01T00:00:00.000000Z"]
          ])
          assert.deepStrictEqual(yield* rows(daily, ["time"]), [["2024-02-29T23:59:59.999999Z"]])
        }).pipe(Effect.provide(overClient.pipe(Layer.provide(PgClient.layer({ url })))))
      })
    )

    it.effect("takes an empty table's large first load for a change of everything", () =>
      Effect.gen(function* () {
        const log = events("large_log")
        const large = Asset.make("large", {
          description: "More rows than a change set is kept for",
          columns: Schema.Struct({ id: Column.integer }),
          inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["id"] }) },
          write: WriteStrategy.replace({ key: ["id"] }),
          compute: { sql: () => sql`SELECT generate_series(1, 5001) AS id` }
        })
        const graph = AssetGraph.make([log, large])
        yield* prepare(graph)
        assert.deepStrictEqual((yield* build(graph, large)).counts, [5001, 0, 0, 0])
        assert.deepStrictEqual((yield* build(graph, large)).counts, [0, 0, 0, 5001])
      })
    )
  })
})
