import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { Postgres } from "@assay/core/postgres/Postgres"
import { type Sql, sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import * as SqlStage from "@assay/core/warehouse/SqlStage"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { postgres } from "./layers.ts"
import * as NameSuite from "./NameSuite.ts"
import * as Scd2Suite from "./Scd2Suite.ts"
import * as TieSuite from "./TieSuite.ts"
import * as VerifySuite from "./VerifySuite.ts"
import { build, events, prepare, refusal } from "./World.ts"
import * as WriteSuite from "./WriteSuite.ts"

/** Every input is large, so whatever computes most of an asset makes its result table anew. */
const large = Layer.merge(postgres, Layer.succeed(SqlStage.Large, 0))

for (const { suite } of [NameSuite, Scd2Suite, TieSuite, VerifySuite, WriteSuite])
  suite("postgres, by several processes", large)

/** One row of a query that knows no types but its own. */
const single = (name: string, query: Sql) => {
  const log = events(`${name}_log`)
  const asset = Asset.make(name, {
    description: "A row",
    columns: Schema.Struct({
      id: Column.text,
      count: Column.integer,
      amount: Column.nullable(Column.decimal({ precision: 12, scale: 2 })),
      day: Column.nullable(Column.date)
    }),
    inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["id"] }) },
    write: WriteStrategy.replace({ key: ["id"] }),
    compute: { sql: () => query }
  })
  return { asset, graph: AssetGraph.make([log, asset]) }
}

const ResultTable = Schema.Struct({ object: Schema.String })

/** The result tables of the connection of the transaction. */
const resultTables = Effect.flatMap(Postgres, (pg) =>
  pg.query(
    sql`SELECT oid::text AS object FROM pg_class WHERE relname LIKE '\\_assay\\_result%' AND relnamespace = pg_my_temp_schema()`,
    ResultTable
  )
)

describe("SqlStage", () => {
  for (const [way, rows] of [
    ["by several processes", 0],
    ["by one process", Number.POSITIVE_INFINITY]
  ] as const) {
    it.layer(postgres)((it) => {
      const refused = Effect.fnUntraced(function* (name: string, query: Sql) {
        const { asset, graph } = single(name, query)
        yield* prepare(graph)
        return yield* Effect.provideService(refusal(build(graph, asset)), SqlStage.Large, rows)
      })

      it.effect(`refuses what a column does not take ${way} (Verifies: L2)`, () =>
        Effect.gen(function* () {
          const text = sql`SELECT 'a' AS id, '5'::text AS count, NULL::numeric AS amount, NULL::date AS day`
          assert.match(yield* refused("of_text", text), /^DefinitionFault: .*"count" is of type bigint.* type text/)
          const endless = sql`SELECT 'a' AS id, 5 AS count, NULL::numeric AS amount, 'infinity'::date AS day`
          assert.match(yield* refused("of_endless", endless), /^DataQuality: .*day is out of range/)
          const wide = sql`SELECT 'a' AS id, 5 AS count, 12345678901.5 AS amount, NULL::date AS day`
          assert.match(yield* refused("of_wide", wide), /^DataQuality: .*numeric field overflow/)
        })
      )
    })
  }

  it.layer(large)((it) => {
    it.effect("makes the result table anew where most of an asset is computed, and only there (Verifies: L1)", () =>
      Effect.gen(function* () {
        const { asset, graph } = single(
          "anew",
          sql`SELECT 'a' COLLATE "C" AS id, 5 AS count, 1.005 AS amount, '2024-02-29'::date AS day`
        )
        yield* prepare(graph)
        const { transact } = yield* Transactor
        const warehouse = yield* Warehouse
        const at = yield* DateTime.now
        const scope = { units: { _tag: "All" }, partitions: [] } as const
        yield* transact(
          Effect.gen(function* () {
            yield* warehouse.build({ asset, scope, at })
            const first = yield* resultTables
            yield* warehouse.build({ asset, scope, at })
            const second = yield* resultTables
            assert.deepStrictEqual([first.length, second.length], [1, 1])
            assert.notDeepEqual(second, first)
            const again = warehouse.build({ asset, scope, at })
            yield* Effect.provideService(again, SqlStage.Large, Number.POSITIVE_INFINITY)
            assert.deepStrictEqual(yield* resultTables, second)
          })
        )
        assert.deepStrictEqual(yield* warehouse.verify({ asset, scope, except: { _tag: "None" } }), {
          missing: 0,
          unexpected: 0,
          examples: []
        })
      })
    )
  })
})
