import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Dimension from "./Dimension.ts"
import { events } from "./World.ts"

const log = events("log")

const named =
  (name: string, write: "upsert" | "replace" = "replace") =>
  () =>
    Asset.make("named", {
      description: "One odd column",
      columns: Schema.Struct({ id: Column.text, [name]: Column.text }),
      inputs: { log: Asset.input(log, PartitionMapping.all) },
      write:
        write === "upsert"
          ? WriteStrategy.upsert({ key: ["id"], version: "id" })
          : WriteStrategy.replace({ key: ["id"] }),
      compute: { sql: () => sql`SELECT 1` }
    })

describe("the columns of an asset", () => {
  it("may be called whatever PostgreSQL keeps as it is", () => {
    for (const name of ["order", "A", "a b", '"', "_hash", `${"é".repeat(31)}a`, "_deleted"])
      assert.doesNotThrow(named(name))
  })

  it("are not called what PostgreSQL cuts off, keeps for itself, or cannot store", () => {
    assert.throws(named("é".repeat(32)), /column "é+" has a name of 64 bytes; PostgreSQL keeps 63/)
    assert.throws(named(""), /column "" has no name/)
    assert.throws(named("a\0b"), /column "a.b" has a character in its name that PostgreSQL cannot store/s)
    for (const name of ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"])
      assert.throws(named(name), new RegExp(`column "${name}" is called like one that every PostgreSQL table has`))
    assert.throws(named("__proto__"), /column "__proto__" is called like what every JavaScript object has/)
  })

  it("are not called what the engine adds to them", () => {
    assert.throws(named("_assay_is_new"), /column "_assay_is_new" begins with "_assay_", which is kept for the engine/)
    assert.throws(named("_deleted", "upsert"), /column "_deleted" is what the compute yields for the write strategy/)
    assert.throws(named("_tie", "upsert"), /column "_tie" is what the compute yields for the write strategy/)
    assert.throws(
      () =>
        Asset.make("sequenced", {
          description: "A dimension with a sequence of its own",
          columns: Schema.Struct({ ...Dimension.columns.fields, _sequence: Column.integer }),
          inputs: { log: Asset.input(log, PartitionMapping.byColumn("region")) },
          write: Dimension.write,
          compute: { sql: () => sql`SELECT 1` }
        }),
      /column "_sequence" is what the compute yields for the write strategy/
    )
  })

  it("are no key and tell no unit where they are JSON, of which one value has many texts (Verifies: L2)", () => {
    const documents =
      (write: WriteStrategy.WriteStrategy<"doc" | "id">, mapping: PartitionMapping.PartitionMapping<"extra" | "id">) =>
      () =>
        Asset.make("documents", {
          description: "Documents",
          columns: Schema.Struct({ id: Column.text, doc: Column.json }),
          inputs: { log: Asset.input(log, mapping) },
          write,
          compute: { sql: () => sql`SELECT 1` }
        })
    assert.throws(
      documents(WriteStrategy.replace({ key: ["doc"] }), PartitionMapping.all),
      /key column "doc" is JSON, of which equal values have several texts/
    )
    assert.throws(
      documents(WriteStrategy.upsert({ key: ["id"], version: "id" }), PartitionMapping.byColumn("extra")),
      /input "log" is mapped by "extra", which is JSON/
    )
  })

  it("of an as-of join are one key of the same kind on both sides, and a time (Verifies: L7)", () => {
    const dimension = Asset.make("pairs", {
      description: "A dimension of two columns",
      columns: Schema.Struct({ ...Dimension.columns.fields, branch: Column.integer }),
      inputs: { log: Asset.input(log, PartitionMapping.byColumn("region", "branch")) },
      write: { ...Dimension.write, key: ["region", "branch"] },
      compute: { sql: () => sql`SELECT 1` }
    })
    const joined =
      (as: Asset.Asset<string, (typeof Dimension.columns)["Type"]>, key: "region" | "branch", at: "at" | "note") =>
      () =>
        Asset.make("joined", {
          description: "Facts",
          columns: Schema.Struct({ day: Column.date }),
          partitions: Partitions.daily({ start: "2024-01-01" }),
          inputs: {
            facts: Asset.input(log, PartitionMapping.byColumn("day")),
            regions: Asset.input(as, PartitionMapping.asOf({ facts: "facts", key, at }))
          },
          write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
          compute: { sql: () => sql`SELECT 1` }
        })
    const single = Dimension.make("single", log)
    assert.doesNotThrow(joined(single, "region", "at"))
    assert.throws(
      joined(dimension, "region", "at"),
      /looks a fact up by one key, but the key of "pairs" is region, branch/
    )
    assert.throws(joined(single, "branch", "at"), /key "branch" is bigint, but "region" of "single" is text/)
    assert.throws(
      joined(single, "region", "note"),
      /input "regions" is looked up as of "note", which is neither a date nor a timestamp/
    )
  })

  it("are partitions of the same kind on both sides of an identity (Verifies: L7)", () => {
    const whole = Asset.make("whole", {
      description: "A whole table",
      columns: Schema.Struct({ day: Column.date }),
      inputs: { log: Asset.input(log, PartitionMapping.all) },
      write: WriteStrategy.replace({ key: ["day"] }),
      compute: { sql: () => sql`SELECT 1` }
    })
    const daily = (upstream: Asset.Asset<string, { readonly day: string }>) => () =>
      Asset.make("daily", {
        description: "Days",
        columns: Schema.Struct({ day: Column.date }),
        partitions: Partitions.daily({ start: "2024-01-01" }),
        inputs: { upstream: Asset.input(upstream, PartitionMapping.identity) },
        write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
        compute: { sql: () => sql`SELECT 1` }
      })
    assert.throws(daily(whole), /input "upstream" is mapped by identity, but its units are not of the same grain/)
  })
})
