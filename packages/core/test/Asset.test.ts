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

const given = (codeVersion: string | undefined) => (codeVersion === undefined ? {} : { codeVersion })

const days = (
  partitions: Partitions.Partitions = Partitions.daily({ start: "2024-01-01" }),
  codeVersion?: string,
  {
    key = ["day"],
    least = 0,
    mapping = PartitionMapping.byColumn("at"),
    visits: counted = Column.integer
  }: {
    readonly key?: readonly ["day", ...Array<"visits">]
    readonly least?: number
    readonly mapping?: PartitionMapping.PartitionMapping<"at">
    readonly visits?: typeof Column.integer | ReturnType<typeof Column.nullable<typeof Column.integer>>
  } = {}
) =>
  Asset.make("days", {
    description: "Visits by day",
    columns: Schema.Struct({ day: Column.date, visits: counted }),
    partitions,
    inputs: { visits: Asset.input(visits, mapping) },
    write: WriteStrategy.replacePartitions("day", { key }),
    ...given(codeVersion),
    compute: {
      sql: ({ visits }) => sql`
        SELECT at::date AS day, count(*) AS visits FROM ${visits} AS v GROUP BY 1 HAVING count(*) >= ${literal(String(least))}`
    }
  })

const months = (
  upstream: Partitions.Partitions,
  mapping: PartitionMapping.PartitionMapping<"day">,
  codeVersion?: string
) =>
  Asset.make("months", {
    description: "Visits by month",
    columns: Schema.Struct({ month: Column.date, visits: Column.integer }),
    partitions: Partitions.monthly({ start: "2024-01-01" }),
    inputs: { days: Asset.input(days(upstream), mapping) },
    write: WriteStrategy.replacePartitions("month", { key: ["month"] }),
    ...given(codeVersion),
    compute: { sql: ({ days }) => sql`SELECT day AS month, visits FROM ${days} AS d` }
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
    ...given(codeVersion),
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
    for (const other of [
      daily({ start: "2024-01-02" }),
      daily({ start: "2024-01-01", end: "2025-01-01" }),
      daily({ start: "2024-01-01", endOffset: 1 }),
      daily({ start: "2024-01-01", timeZone: "Europe/Berlin" }),
      Partitions.weekly({ start: "2024-01-01" })
    ]) {
      assert.notStrictEqual(days(other).codeVersion, codeVersion)
    }
  })

  it("changes with which partitions of an input there are, where it is read by partition (Verifies: L2)", () => {
    const wide = Partitions.daily({ start: "2024-01-01" })
    const narrow = Partitions.daily({ start: "2024-02-01" })
    const version = (upstream: Partitions.Partitions, mapping: PartitionMapping.PartitionMapping<"day">) =>
      months(upstream, mapping).codeVersion
    for (const mapping of [PartitionMapping.timeWindows(), PartitionMapping.identity]) {
      assert.notStrictEqual(version(narrow, mapping), version(wide, mapping))
    }
    assert.strictEqual(version(narrow, PartitionMapping.all), version(wide, PartitionMapping.all))
  })

  it("that is given stands for the compute, and for nothing else (Verifies: L1)", () => {
    const wide = Partitions.daily({ start: "2024-01-01" })
    const { codeVersion } = days(wide, "7")
    assert.match(codeVersion, /^7\+[0-9a-f]{16}$/)
    assert.strictEqual(days(wide, "7").codeVersion, codeVersion)
    assert.strictEqual(days(wide, "7", { least: 2 }).codeVersion, codeVersion)
    assert.notStrictEqual(days(wide, "8").codeVersion, codeVersion)
    assert.notStrictEqual(days(wide).codeVersion, days(wide, undefined, { least: 2 }).codeVersion)
    for (const other of [
      days(Partitions.daily({ start: "2024-02-01" }), "7"),
      days(Partitions.daily({ start: "2024-01-01", timeZone: "Europe/Berlin" }), "7"),
      days(wide, "7", { mapping: PartitionMapping.all }),
      days(wide, "7", { visits: Column.nullable(Column.integer) }),
      days(wide, "7", { key: ["day", "visits"] })
    ]) {
      assert.notStrictEqual(other.codeVersion, codeVersion)
    }
    assert.notStrictEqual(
      months(Partitions.daily({ start: "2024-02-01" }), PartitionMapping.identity, "7").codeVersion,
      months(wide, PartitionMapping.identity, "7").codeVersion
    )
  })

  it("changes with the definition of a view that is read, also where it is given (Verifies: L1)", () => {
    assert.notStrictEqual(count(2).codeVersion, count(3).codeVersion)
    assert.notStrictEqual(count(2, "7").codeVersion, count(3, "7").codeVersion)
  })
})

describe("a definition", () => {
  it("that contradicts itself is refused with the reason", () => {
    const integers = Column.nullable(Column.integer)
    const problems: ReadonlyArray<readonly [() => unknown, string]> = [
      [() => days(Partitions.unpartitioned), "replacePartitions needs partitions; for a whole table use replace."],
      [() => days(Partitions.fromKeys(["east"])), 'partition column "day" holds a static key'],
      [() => days(undefined, undefined, { visits: integers, key: ["day", "visits"] }), '"visits" is nullable'],
      [
        () => days(undefined, undefined, { mapping: PartitionMapping.timeWindows() }),
        'input "visits" is mapped by time windows, but one side has none.'
      ],
      [
        () => days(undefined, undefined, { mapping: PartitionMapping.identity }),
        'input "visits" is mapped by identity, but its units are not of the same grain.'
      ]
    ]
    for (const [make, problem] of problems) assert.throws(make, problem)
  })
})
