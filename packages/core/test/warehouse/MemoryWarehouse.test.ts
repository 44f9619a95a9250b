import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { memory } from "./layers.ts"
import { suite } from "./WarehouseSuite.ts"
import { build, event, events, land, prepare, refusal, rows } from "./World.ts"

suite("memory", memory)

const columns = Schema.Struct({ id: Column.text, amount: Column.decimal({ precision: 6, scale: 2 }) })

describe("MemoryWarehouse", () => {
  it.layer(memory)((it) => {
    it.effect("runs the rows of a compute, and says so where there are none", () =>
      Effect.gen(function* () {
        const log = events("log")
        const inputs = { log: Asset.input(log, PartitionMapping.all) }
        const table = Asset.make("only_sql", {
          description: "Only SQL",
          columns,
          inputs,
          write: WriteStrategy.replace({ key: ["id"] }),
          compute: { sql: ({ log }) => sql`SELECT id, amount FROM ${log} AS log` }
        })
        const view = Asset.make("only_sql_view", {
          description: "Only SQL",
          columns,
          inputs,
          write: WriteStrategy.view,
          compute: { sql: ({ log }) => sql`SELECT id, amount FROM ${log} AS log` }
        })
        const graph = AssetGraph.make([log, table, view])
        yield* prepare(graph)
        const message = (name: string) =>
          `DefinitionFault: the in-memory warehouse runs the rows of a compute, but "${name}" gives only sql. ` +
          "Give its compute rows beside the sql, or materialize it on PostgreSQL."
        assert.strictEqual(yield* refusal(build(graph, table)), message("only_sql"))
        assert.strictEqual(yield* refusal(rows(view, ["id"])), message("only_sql_view"))
      })
    )

    it.effect("faults a view whose rows are an Effect, because nothing provides what it needs where it is read", () =>
      Effect.gen(function* () {
        const log = events("effect_log")
        const view = Asset.make("effect_view", {
          description: "Rows by an Effect",
          columns,
          inputs: { log: Asset.input(log, PartitionMapping.all) },
          write: WriteStrategy.view,
          compute: { rows: () => Effect.succeed([]) }
        })
        yield* prepare(AssetGraph.make([log, view]))
        assert.strictEqual(
          yield* refusal(rows(view, ["id"])),
          'DefinitionFault: view "effect_view" needs a compute whose rows are a plain function'
        )
      })
    )

    it.effect("refuses a decimal that its column cannot hold, as PostgreSQL does", () =>
      Effect.gen(function* () {
        const log = events("wide_log")
        const narrow = Asset.make("narrow", {
          description: "Small amounts",
          columns,
          inputs: { log: Asset.input(log, PartitionMapping.all) },
          write: WriteStrategy.replace({ key: ["id"] }),
          compute: { rows: ({ log }) => log.flatMap(({ amount, id }) => (amount === null ? [] : [{ id, amount }])) }
        })
        const graph = AssetGraph.make([log, narrow])
        yield* prepare(graph)
        yield* land(graph, log, [event("a", { amount: "-9999.99" }), event("b", { amount: "0" })])
        yield* build(graph, narrow)
        yield* land(graph, log, [event("c", { amount: "10000.00" })])
        assert.strictEqual(
          yield* refusal(build(graph, narrow)),
          'DataQuality: column "amount" of "narrow" cannot hold 10000.00: it has more digits before the point than were declared.'
        )
        assert.deepStrictEqual(yield* rows(narrow, ["amount"]), [["-9999.99"], ["0.00"]])
      })
    )
  })
})
