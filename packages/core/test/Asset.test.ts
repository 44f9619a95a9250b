import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { literal, sql } from "@assay/core/Sql"
import type { AllowMissing } from "@assay/core/Tolerance"
import * as Storage from "@assay/core/Storage"
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

  const day = Partitions.daily({ start: "2024-01-01" })
  const region = Partitions.fromKeys(["eu", "us"])
  const dayAndRegion = Partitions.multi({ day, region })
  const places = (
    mapping: PartitionMapping.PartitionMapping<"day" | "region" | "note">,
    {
      allowMissing = false,
      cut = { day: "day", region: "region" },
      from = dayAndRegion,
      key = ["day", "region"],
      to = dayAndRegion
    }: {
      readonly from?: Partitions.Partitions
      readonly to?: Partitions.Partitions
      readonly cut?: WriteStrategy.Cut<"day" | "region" | "note">
      readonly key?: readonly ["day" | "region", ...Array<"day" | "region">]
      readonly allowMissing?: AllowMissing
    } = {}
  ) => {
    const columns = Schema.Struct({ day: Column.date, region: Column.text, note: Column.integer })
    const upstream = Asset.make("upstream", {
      description: "Anything",
      columns,
      partitions: from,
      inputs: {},
      write:
        from._tag === "Multi"
          ? WriteStrategy.replacePartitions(
              Object.fromEntries(
                from.dimensions.map((one) => [one.name, one.partitions._tag === "Static" ? "region" : "day"] as const)
              ),
              { key: ["day", "region"] }
            )
          : WriteStrategy.replacePartitions(from._tag === "Static" ? "region" : "day", { key: ["day", "region"] }),
      compute: { rows: () => [] }
    })
    return () =>
      Asset.make("places", {
        description: "Anything by place",
        columns,
        partitions: to,
        inputs: { upstream: Asset.input(upstream, mapping, { allowMissing }) },
        write: WriteStrategy.replacePartitions(cut, { key }),
        compute: { rows: () => [] }
      })
  }

  const { byColumn, byDimension, fromDimension, identity, singleDimension, timeWindows } = PartitionMapping
  it.each([
    [places(identity, { cut: "day" }), "its partitions have dimensions, so it names a column for each: day, region."],
    [places(identity, { cut: { day: "day" } }), 'it names no column for the dimension "region".'],
    [
      places(identity, { cut: { day: "day", region: "region", note: "note" } }),
      'its partitions have no dimension "note"; they have day, region.'
    ],
    [places(identity, { cut: { day: "day", region: "day" } }), 'column "day" stands for two dimensions'],
    [
      places(identity, { cut: { day: "day", region: "note" } }),
      'partition column "note" holds a static key, so it is text.'
    ],
    [places(identity, { cut: { day: "region", region: "day" } }), 'partition column "region" holds a time'],
    [places(identity, { key: ["day"] }), 'its key lacks the partition column "region"'],
    [
      places(identity, { from: day, to: day }),
      "it names columns of dimensions (day, region), which its partitions have not."
    ],
    [
      places(identity, { from: day }),
      'by identity, but the dimensions of "upstream" are none, and here day, region; map it by byDimension or singleDimension.'
    ],
    [
      places(identity, { from: Partitions.multi({ region, day }) }),
      'the dimensions of "upstream" are region, day, and here day, region'
    ],
    [
      places(identity, { to: Partitions.multi({ day: region, region: day }), cut: { day: "region", region: "day" } }),
      'dimension "day" has windows on one side and names on the other.'
    ],
    [places(timeWindows()), "a side has several dimensions; say of which by byDimension or singleDimension."],
    [places(byColumn("day")), "maps 1 columns to a unit of 2 (day, region)."],
    [
      places(byColumn("region", "day")),
      'is mapped to time partitions by "region", which is neither a date nor a timestamp.'
    ],
    [
      places(PartitionMapping.last),
      '"upstream", which has several dimensions and so no last one; name partitions by keys.'
    ],
    [places(PartitionMapping.keys("2024-01-01")), 'is mapped by "2024-01-01", which is no partition of "upstream"'],
    [places(PartitionMapping.onwards("day")), "is mapped onwards, which needs time partitions here"],
    [
      places(PartitionMapping.keys("2024-01-01|eu"), { allowMissing: { newest: 1 } }),
      "partitions with several dimensions, of which no window is the newest; map it by dimension."
    ],
    [
      places(byDimension({ day: identity }), { from: day }),
      "by dimension, but one side has not several; map it by singleDimension."
    ],
    [places(byDimension({ date: identity })), 'mapped by dimension "date", but "places" has only day, region.'],
    [
      places(byDimension({ day: fromDimension("date") })),
      'mapped from dimension "date", but "upstream" has only day, region.'
    ],
    [
      places(byDimension({ day: identity, region: fromDimension("day", PartitionMapping.all) })),
      'maps dimension "day" of "upstream" twice; each is mapped to one.'
    ],
    [
      places(byDimension({ day: fromDimension("region") })),
      "maps a dimension of windows and one of names by identity."
    ],
    [places(byDimension({ region: timeWindows() })), "mapped by time windows, but one side has none."],
    [
      places(byDimension({ region: PartitionMapping.staticMap({ eu: "de" }) })),
      'is mapped by "de", which is no partition of "places"'
    ],
    [
      places(
        byDimension({
          day: PartitionMapping.custom({ name: "odd", version: "1", downstream: (key) => [key], upstream: () => [] })
        })
      ),
      'mapping "odd" says that'
    ],
    [
      places(byDimension({ region: PartitionMapping.staticMap({ eu: "eu" }) }), {
        to: Partitions.multi({ day, region: Partitions.dynamic("regions") })
      }),
      "are in the ledger, not in code"
    ],
    [places(singleDimension("day")), "by a single dimension, so one side has several and the other is cut in one way."],
    [places(singleDimension("date"), { from: day }), 'mapped by dimension "date", but there are only day, region.'],
    [places(singleDimension("region"), { from: day }), "maps a dimension of windows and one of names by identity."]
  ])("of dimensions that contradicts itself is refused with the reason (%#)", (make, problem) => {
    assert.throws(make, problem)
  })

  it("of dimensions has another code version with other dimensions, cuts and links, and no other", () => {
    const make = (...options: Parameters<typeof places>) => places(...options)().codeVersion
    const own = make(byDimension({ day: identity, region: identity }))
    assert.strictEqual(make(byDimension({ day: fromDimension("day"), region: identity })), own)
    const others = [
      make(identity),
      make(byDimension({ day: identity })),
      make(byDimension({ day: timeWindows(), region: identity })),
      make(byDimension({ day: identity, region: identity }), {
        to: Partitions.multi({ region, day }),
        cut: { region: "region", day: "day" }
      }),
      make(byDimension({ day: identity, region: identity }), {
        to: Partitions.multi({ day: Partitions.daily({ start: "2024-01-02" }), region })
      }),
      make(byDimension({ day: identity, region: identity }), {
        to: Partitions.multi({ day: Partitions.daily({ start: "2024-01-01", endOffset: 1 }), region })
      }),
      make(byDimension({ day: identity, region: identity }), {
        from: Partitions.multi({ day, region: Partitions.fromKeys(["us", "eu"]) })
      })
    ]
    assert.strictEqual(new Set([own, ...others]).size, others.length + 1)
  })
})

describe("an asset that is a sum over a column", () => {
  const sums =
    (options: {
      readonly over?: string
      readonly shown?: ReadonlyArray<"id" | "at" | "size">
      readonly mapping?: PartitionMapping.PartitionMapping<"at">
      readonly total?:
        | typeof Column.integer
        | typeof Column.text
        | ReturnType<typeof Column.nullable<typeof Column.integer>>
    }) =>
    () => {
      const { mapping = PartitionMapping.byColumn("at"), over = "id", shown = ["id", "at", "size"], total } = options
      const sized = Asset.make("sized", {
        description: "Visits with a size",
        columns: Schema.Struct({ id: Column.text, at: Column.timestamp, size: Column.nullable(Column.integer) }),
        inputs: { visits: Asset.input(visits, PartitionMapping.byColumn("id")) },
        write: WriteStrategy.upsert({ key: ["id"], version: "at" }),
        compute: { sql: () => sql`SELECT 1` }
      })
      return Asset.make("sums", {
        description: "Sizes by day",
        columns: Schema.Struct({ day: Column.date, total: total ?? Column.integer }),
        partitions: Partitions.daily({ start: "2024-01-01" }),
        inputs: { sized: Asset.input(sized, mapping, { columns: shown }) },
        write: WriteStrategy.replacePartitions("day", { key: ["day"], additiveOver: over }),
        compute: { sql: () => sql`SELECT 1` }
      })
    }

  it("says what it is a sum over, and of what", () => {
    assert.doesNotThrow(sums({}))
    assert.throws(sums({ over: "name" }), 'it is additive over "name", which input "sized" does not show.')
    assert.throws(sums({ shown: ["at"] }), 'it is additive over "id", which input "sized" does not show.')
    assert.throws(sums({ over: "size" }), 'it is additive over "size", which may be null in "sized"')
    assert.doesNotThrow(sums({ mapping: PartitionMapping.onwards("at") }))
    assert.throws(sums({ mapping: PartitionMapping.all }), "map it by column, onwards, or as of a time.")
    assert.throws(
      sums({ total: Column.nullable(Column.integer) }),
      'so "total" is a sum: a whole number or a decimal that is never null.'
    )
    assert.throws(sums({ total: Column.text }), 'so "total" is a sum')
  })

  const stored = (
    by: Storage.Storage<"id" | "at" | "seen" | "size">,
    write: WriteStrategy.Upsert<"id" | "at"> | WriteStrategy.Replace<"id" | "at"> | WriteStrategy.View
  ) =>
    Asset.make("stored", {
      description: "Things, on disk in a way of their own",
      columns: Schema.Struct({
        id: Column.text,
        at: Column.timestamp,
        seen: Column.nullable(Column.date),
        size: Column.integer
      }),
      inputs: {},
      write,
      storage: by,
      compute: { sql: () => sql`SELECT 1` }
    })

  it("says by the months of what its table lies on disk, and is the same asset however it lies", () => {
    const upsert = WriteStrategy.upsert({ key: ["id"], version: "at" })
    const replace = WriteStrategy.replace({ key: ["id"] })
    const byMonth = Storage.byMonth("at")
    assert.strictEqual(stored(byMonth, upsert).codeVersion, stored(Storage.single, upsert).codeVersion)
    assert.doesNotThrow(() => stored(byMonth, WriteStrategy.replace({ key: ["id", "at"] })))
    assert.throws(
      () => stored(Storage.byMonth("size"), upsert),
      'it lies by month of "size", which is neither a date nor a timestamp.'
    )
    assert.throws(
      () => stored(Storage.byMonth("seen"), upsert),
      'it lies by month of "seen", which may be null; a row without it would lie nowhere.'
    )
    assert.throws(() => stored(byMonth, replace), 'its key lacks "at", by whose month it lies')
    assert.throws(
      () => stored(byMonth, WriteStrategy.view),
      "but a view has no table; say so where its rows come from."
    )
    const unknown: string = "sent"
    const columns: Schema.Struct.Fields = { id: Column.text, at: Column.timestamp }
    assert.throws(
      () =>
        Asset.make("loose", {
          description: "Columns that no type knows",
          columns: Schema.Struct(columns),
          inputs: {},
          write: upsert,
          storage: Storage.byMonth(unknown),
          compute: { sql: () => sql`SELECT 1` }
        }),
      '"loose" has no column "sent". Its columns are id, at.'
    )
    assert.throws(
      () =>
        Asset.make("history", {
          description: "Versions",
          columns: Schema.Struct({
            sk: Column.text,
            id: Column.text,
            segment: Column.text,
            valid_from: Column.timestamp,
            valid_to: Column.nullable(Column.timestamp),
            is_current: Column.boolean
          }),
          inputs: {},
          write: WriteStrategy.scd2({
            key: ["id"],
            surrogateKey: "sk",
            validFrom: "valid_from",
            validTo: "valid_to",
            isCurrent: "is_current",
            tracked: ["segment"]
          }),
          storage: Storage.byMonth("valid_from"),
          compute: { sql: () => sql`SELECT 1` }
        }),
      "kept apart by a constraint over all of them, which month tables cannot have; leave the storage out."
    )
  })
})
