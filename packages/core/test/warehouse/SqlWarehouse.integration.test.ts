import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { Postgres } from "@assay/core/postgres/Postgres"
import { identifier, literal, sql } from "@assay/core/Sql"
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
          compute: { sql: () => sql`SELECT generate_series(1, 50001) AS id` }
        })
        const graph = AssetGraph.make([log, large])
        yield* prepare(graph)
        assert.deepStrictEqual((yield* build(graph, large)).counts, [50_001, 0, 0, 0])
        assert.deepStrictEqual((yield* build(graph, large)).counts, [0, 0, 0, 50_001])
      })
    )
  })
})
