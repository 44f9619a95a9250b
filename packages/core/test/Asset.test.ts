import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { literal, sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const visits = Asset.source("visits", {
  description: "Visits",
  columns: Schema.Struct({ id: Column.text, at: Column.timestamp, batch: Column.text, loaded_at: Column.timestamp }),
  write: WriteStrategy.append({ key: ["id"], batch: "batch", loadedAt: "loaded_at" }),
  source: {
    description: "nothing",
    discover: () => Effect.succeed([]),
    read: () => Stream.empty,
    replay: () => Effect.succeed([])
  }
})

const days = (partitions: Partitions.Partitions = Partitions.daily({ start: "2024-01-01" }), codeVersion?: string) =>
  Asset.make("days", {
    description: "Visits by day",
    columns: Schema.Struct({ day: Column.date, visits: Column.integer }),
    partitions,
    inputs: { visits: Asset.input(visits, PartitionMapping.byColumn("at")) },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    ...(codeVersion === undefined ? {} : { codeVersion }),
    compute: { sql: ({ visits }) => sql`SELECT at::date AS day, count(*) AS visits FROM ${visits} AS v GROUP BY 1` }
  })

const busy = (least: number) =>
  Asset.make("busy", {
    description: "Days with many visits",
    columns: Schema.Struct({ day: Column.date, visits: Column.integer }),
    inputs: { days: Asset.input(days(), PartitionMapping.all) },
    write: WriteStrategy.view,
    compute: { sql: ({ days }) => sql`SELECT * FROM ${days} AS d WHERE visits >= ${literal(String(least))}` }
  })

const count = (least: number, codeVersion?: string) =>
  Asset.make("busy_count", {
    description: "How many days have many visits",
    columns: Schema.Struct({ days: Column.integer }),
    inputs: { busy: Asset.input(busy(least), PartitionMapping.all) },
    write: WriteStrategy.replace({ key: ["days"] }),
    ...(codeVersion === undefined ? {} : { codeVersion }),
    compute: { sql: ({ busy }) => sql`SELECT count(*) AS days FROM ${busy} AS b` }
  })

describe("codeVersion", () => {
  it("is the same for the same definition", () => {
    assert.strictEqual(days().codeVersion, days().codeVersion)
    assert.strictEqual(count(2).codeVersion, count(2).codeVersion)
  })

  it("changes with what decides in which partition a row lies, and whether it lies in any (Verifies: L1)", () => {
    const { codeVersion } = days()
    const { daily } = Partitions
    assert.strictEqual(days(daily({ start: "2024-01-01" })).codeVersion, codeVersion)
    assert.notStrictEqual(days(daily({ start: "2024-01-02" })).codeVersion, codeVersion)
    assert.notStrictEqual(days(daily({ start: "2024-01-01", end: "2025-01-01" })).codeVersion, codeVersion)
    assert.notStrictEqual(days(daily({ start: "2024-01-01", timeZone: "Europe/Berlin" })).codeVersion, codeVersion)
    assert.notStrictEqual(days(Partitions.weekly({ start: "2024-01-01" })).codeVersion, codeVersion)
  })

  it("changes with the definition of a view that is read, also where it is given (Verifies: L1)", () => {
    assert.notStrictEqual(count(2).codeVersion, count(3).codeVersion)
    assert.notStrictEqual(count(2, "7").codeVersion, count(3, "7").codeVersion)
    assert.match(count(2, "7").codeVersion, /^7\+/)
  })

  it("is the given one where only tables are read", () => {
    assert.strictEqual(days(Partitions.daily({ start: "2024-01-01" }), "7").codeVersion, "7")
  })
})
