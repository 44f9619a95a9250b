import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Cut from "./Cut.ts"
import * as Dimension from "./Dimension.ts"
import type { Services } from "./layers.ts"
import { build, event, events, land, partitions, prepare, rows, scope, transact, type Units } from "./World.ts"

const start = "2024-01-01"

const zonedDays = Partitions.daily({ start, timeZone: "America/New_York" })

/** One row per partition that tells how many rows stood behind the input, and how many units were asked for. */
const counting = (
  name: string,
  upstream: ReturnType<typeof Cut.make>,
  mapping: PartitionMapping.ByPartition,
  cut: Partitions.Partitions
) =>
  Asset.make(name, {
    description: "How many upstream rows are read",
    columns: Schema.Struct({ starts: Column.timestamp, seen: Column.integer, units: Column.integer }),
    partitions: cut,
    inputs: { upstream: Asset.input(upstream, mapping, { columns: ["id", "line"] }) },
    write: WriteStrategy.replacePartitions("starts", { key: ["starts"] }),
    compute: {
      sql: ({ units, upstream }) =>
        sql`SELECT window_start AS starts, (SELECT count(*) FROM ${upstream} AS upstream) AS seen, count(*) OVER () AS units FROM ${units} AS units`,
      rows: ({ units, upstream }) =>
        units.flatMap(({ window }) =>
          window === undefined
            ? []
            : [
                {
                  starts: DateTime.formatIso(DateTime.makeUnsafe(window.start)).replace("Z", "000Z"),
                  seen: upstream.length,
                  units: units.length
                }
              ]
        )
    }
  })

/** The latest versions of events by id, with all that facts need. */
export const facts = (name: string, log: ReturnType<typeof events<string>>) =>
  Asset.make(name, {
    description: "Latest version of each event",
    columns: Schema.Struct({
      id: Column.text,
      line: Column.integer,
      region: Column.nullable(Column.text),
      kind: Column.text,
      day: Column.nullable(Column.date),
      at: Column.nullable(Column.timestamp),
      note: Column.nullable(Column.text)
    }),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("id")) },
    write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
    compute: {
      sql: ({ log }) =>
        sql`SELECT id, line, nullif(region, '-') AS region, kind, day, at, note, "isDeleted" AS _deleted, '' AS _tie FROM ${log} AS log`,
      rows: ({ log }) =>
        log.map((row) => ({
          ...row,
          region: row.region === "-" ? null : row.region,
          _deleted: row.isDeleted,
          _tie: ""
        }))
    }
  })

/** The partitions of an asset whose build can be seen through its only edge. */
const changedBy = (graph: AssetGraph.AssetGraph, asset: Asset.Asset<string, unknown, never>, units: Units) =>
  transact(
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      const [edge] = AssetGraph.edgesFrom(graph, asset.name)
      assert.isDefined(edge)
      yield* warehouse.build({ asset, scope: yield* scope(units), at: yield* DateTime.now })
      return (yield* warehouse.changed(edge)).toSorted()
    })
  )

/** Every warehouse must pass this suite: what a change makes stale, and what a unit is computed from. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse mappings (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("all: any visible change reaches everything, and everything is read", () =>
        Effect.gen(function* () {
          const log = events("all_log")
          const count = Asset.make("all_count", {
            description: "Distinct notes",
            columns: Schema.Struct({ name: Column.text, notes: Column.integer }),
            inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["note"], where: { kind: ["sale"] } }) },
            write: WriteStrategy.replace({ key: ["name"] }),
            compute: {
              sql: ({ log }) => sql`SELECT 'notes' AS name, count(DISTINCT note) AS notes FROM ${log} AS log`,
              rows: ({ log }) => [{ name: "notes", notes: new Set(log.flatMap(({ note }) => note ?? [])).size }]
            }
          })
          const graph = AssetGraph.make([log, count])
          yield* prepare(graph)
          assert.deepStrictEqual((yield* land(graph, log, [event("1", { note: "a" })])).reached, {
            all_count: ["<all>"]
          })
          assert.deepStrictEqual((yield* land(graph, log, [event("2", { kind: "other" })])).reached, { all_count: [] })
          assert.deepStrictEqual((yield* land(graph, log, [])).reached, { all_count: [] })
          yield* build(graph, count)
          assert.deepStrictEqual(yield* rows(count, ["name", "notes"]), [["notes", "1"]])
        })
      )

      it.effect("identity: a partition reads and reaches the partition of the same key, whatever its zone", () =>
        Effect.gen(function* () {
          const log = events("same_log")
          const upstream = Cut.make("same_days", log, { by: "at", partitions: zonedDays })
          const downstream = counting("same_count", upstream, PartitionMapping.identity, Partitions.daily({ start }))
          const graph = AssetGraph.fromIterable([log, upstream, downstream])
          yield* prepare(graph)
          yield* land(graph, log, [
            event("late evening", { at: "2024-03-02T04:00:00.000000Z" }),
            event("morning", { at: "2024-03-02T12:00:00.000000Z" }),
            event("noon", { at: "2024-03-02T17:00:00.000000Z" })
          ])
          const keys = ["2024-03-01", "2024-03-02"]
          assert.deepStrictEqual(yield* changedBy(graph, upstream, partitions(upstream, ...keys)), keys)
          assert.deepStrictEqual(yield* changedBy(graph, upstream, partitions(upstream, ...keys)), [])
          yield* build(graph, downstream, partitions(downstream, "2024-03-01"))
          yield* build(graph, downstream, partitions(downstream, "2024-03-02"))
          assert.deepStrictEqual(yield* rows(downstream, ["starts", "seen"]), [
            ["2024-03-01T00:00:00.000000Z", "1"],
            ["2024-03-02T00:00:00.000000Z", "2"]
          ])
        })
      )

      it.effect("identity: a key reads and reaches the same key", () =>
        Effect.gen(function* () {
          const log = events("key_log")
          const upstream = facts("key_facts", log)
          const downstream = Asset.make("key_copy", {
            description: "A copy",
            columns: Schema.Struct({ id: Column.text, line: Column.integer, seen: Column.integer }),
            inputs: { facts: Asset.input(upstream, PartitionMapping.identity, { columns: ["id", "line"] }) },
            write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
            compute: {
              sql: ({ facts }) =>
                sql`SELECT id, line, count(*) OVER () AS seen, FALSE AS _deleted, '' AS _tie FROM ${facts} AS facts`,
              rows: ({ facts }) => facts.map((row) => ({ ...row, seen: facts.length, _deleted: false, _tie: "" }))
            }
          })
          const graph = AssetGraph.fromIterable([log, upstream, downstream])
          yield* prepare(graph)
          yield* land(graph, log, [event("a"), event("b"), event("c")])
          assert.deepStrictEqual(yield* changedBy(graph, upstream, "everything"), ["a", "b", "c"])
          yield* build(graph, downstream, { keys: ["a", "b"] })
          assert.deepStrictEqual(yield* rows(downstream, ["id", "seen"]), [
            ["a", "2"],
            ["b", "2"]
          ])
        })
      )

      it.effect("timeWindows: a partition is read as a whole, with offsets in its reader's windows", () =>
        Effect.gen(function* () {
          const log = events("window_log")
          const upstream = Cut.make("window_days", log, { by: "day", partitions: Partitions.daily({ start }) })
          const zoned = Cut.make("window_zoned", log, { by: "at", partitions: zonedDays })
          const months = Cut.make("window_months", log, { by: "day", partitions: Partitions.monthly({ start }) })
          const { timeWindows } = PartitionMapping
          const daily = Partitions.daily({ start })
          const week = counting("window_week", upstream, timeWindows(), Partitions.weekly({ start }))
          const trailing = counting("window_trailing", upstream, timeWindows({ startOffset: -6 }), daily)
          const next = counting("window_next", upstream, timeWindows({ startOffset: 1, endOffset: 1 }), daily)
          const hour = counting("window_hour", upstream, timeWindows(), Partitions.hourly({ start }))
          const across = counting("window_across", zoned, timeWindows(), daily)
          const within = counting("window_within", months, timeWindows(), daily)
          const graph = AssetGraph.fromIterable([
            log,
            upstream,
            zoned,
            months,
            week,
            trailing,
            next,
            hour,
            across,
            within
          ])
          yield* prepare(graph)
          const march = Array.from({ length: 31 }, (_, index) => `2024-03-${String(index + 1).padStart(2, "0")}`)
          const landed = march.map((day) => event(day, { day, at: `${day}T16:00:00.000000Z` }))
          const first = yield* land(graph, log, landed)
          assert.deepStrictEqual(first.reached["window_days"], march)
          assert.deepStrictEqual((yield* build(graph, upstream, partitions(upstream, ...march))).reached, {
            window_week: ["<all>"],
            window_trailing: ["<all>"],
            window_next: ["<all>"],
            window_hour: ["<all>"]
          })
          yield* build(graph, zoned, partitions(zoned, ...march))
          yield* build(graph, months, partitions(months, "2024-03-01"))

          const seen = Effect.fnUntraced(function* (asset: typeof week, ...keys: ReadonlyArray<string>) {
            yield* build(graph, asset, partitions(asset, ...keys))
            return (yield* rows(asset, ["seen", "units"])).map((row) => row.join("/"))
          })
          assert.deepStrictEqual(yield* seen(week, "2024-03-04"), ["7/1"])
          assert.deepStrictEqual(yield* seen(week, "2024-02-26"), ["3/1", "7/1"])
          assert.deepStrictEqual(yield* seen(trailing, "2024-03-10", "2024-03-20"), ["14/2", "14/2"])
          assert.deepStrictEqual(yield* seen(next, "2024-03-10", "2024-03-31"), ["1/2", "1/2"])
          assert.deepStrictEqual(yield* seen(hour, "2024-03-10-05:00"), ["1/1"])
          assert.deepStrictEqual(yield* seen(across, "2024-03-10"), ["2/1"])
          assert.deepStrictEqual(yield* seen(within, "2024-03-10"), ["31/1"])
        })
      )

      it.effect("custom: however many pieces a step reads, it reads these alone", () =>
        Effect.gen(function* () {
          const log = events("piece_log")
          const daily = Partitions.daily({ start })
          const upstream = Cut.make("piece_days", log, { by: "day", partitions: daily })
          const second = (day: string) => (Date.parse(day) % (2 * 86_400_000) === 0 ? [day] : [])
          const everySecond = PartitionMapping.custom({
            name: "every second day",
            version: "1",
            downstream: second,
            upstream: second
          })
          const downstream = counting("piece_count", upstream, everySecond, daily)
          const graph = AssetGraph.fromIterable([log, upstream, downstream])
          yield* prepare(graph)
          const first = Date.parse("2024-01-02")
          const days = Array.from({ length: 200 }, (_, index) =>
            new Date(first + index * 86_400_000).toISOString().slice(0, 10)
          )
          yield* land(
            graph,
            log,
            days.map((day) => event(day, { day }))
          )
          yield* build(graph, upstream, partitions(upstream, ...days))
          const asked = days.slice(10, 190)
          yield* build(graph, downstream, partitions(downstream, ...asked))
          const read = String(asked.flatMap(second).length)
          assert.deepStrictEqual(
            new Set((yield* rows(downstream, ["seen", "units"])).map((row) => row.join("/"))),
            new Set([`${read}/180`])
          )
        })
      )

      it.effect("byColumn: only what the input shows can reach, in its old and its new image", () =>
        Effect.gen(function* () {
          const log = events("seen_log")
          const upstream = facts("seen_facts", log)
          const downstream = Asset.make("seen_notes", {
            description: "Notes by region",
            columns: Schema.Struct({ region: Column.text, notes: Column.text }),
            inputs: {
              facts: Asset.input(upstream, PartitionMapping.byColumn("region"), {
                columns: ["note"],
                where: { kind: ["sale"] }
              })
            },
            write: WriteStrategy.upsert({ key: ["region"], version: "notes" }),
            compute: { rows: () => [] }
          })
          const graph = AssetGraph.fromIterable([log, upstream, downstream])
          yield* prepare(graph)
          const after = Effect.fnUntraced(function* (...landed: ReadonlyArray<ReturnType<typeof event>>) {
            yield* land(graph, log, landed)
            const { reached } = yield* build(graph, upstream, { keys: landed.map(({ id }) => id) })
            return reached["seen_notes"]
          })
          assert.deepStrictEqual(yield* after(event("a", { note: "x" }), event("b", { region: "south", note: "y" })), [
            "north",
            "south"
          ])
          // Another day is not shown, so nothing that is read has changed.
          assert.deepStrictEqual(yield* after(event("a", { line: 2, note: "x", day: "2024-05-05" })), [])
          assert.deepStrictEqual(yield* after(event("a", { line: 3, note: "x2" })), ["north"])
          // Moving to another region changes both.
          assert.deepStrictEqual(yield* after(event("a", { line: 4, note: "x2", region: "west" })), ["north", "west"])
          // Two events swap what they say: seen through the input, the region's rows are the same.
          yield* after(event("c", { region: "west", note: "z" }))
          assert.deepStrictEqual(
            yield* after(
              event("a", { line: 5, note: "z", region: "west" }),
              event("c", { line: 5, note: "x2", region: "west" })
            ),
            []
          )
          // Leaving the filter, or losing the region, is like a deletion.
          assert.deepStrictEqual(yield* after(event("c", { line: 6, note: "x2", region: "west", kind: "other" })), [
            "west"
          ])
          assert.deepStrictEqual(yield* after(event("a", { line: 7, note: "z", region: "-" })), ["west"])
          assert.deepStrictEqual(yield* after(event("b", { line: 8, region: "south", isDeleted: true })), ["south"])
          assert.deepStrictEqual(yield* after(event("b", { line: 9, region: "south", isDeleted: true })), [])
        })
      )

      it.effect("byColumn: a key of several columns is no unit while one of them is null", () =>
        Effect.gen(function* () {
          const log = events("part_log")
          const upstream = facts("part_facts", log)
          const downstream = Asset.make("part_pairs", {
            description: "Regions and days",
            columns: Schema.Struct({ region: Column.text, day: Column.date, line: Column.integer }),
            inputs: { facts: Asset.input(upstream, PartitionMapping.byColumn("region", "day")) },
            write: WriteStrategy.upsert({ key: ["region", "day"], version: "line" }),
            compute: {
              sql: ({ facts }) => sql`SELECT region, day, line, FALSE AS _deleted, '' AS _tie FROM ${facts} AS facts`,
              rows: ({ facts }) =>
                facts.flatMap(({ day, line, region }) =>
                  region === null || day === null ? [] : [{ region, day, line, _deleted: false, _tie: "" }]
                )
            }
          })
          const graph = AssetGraph.fromIterable([log, upstream, downstream])
          yield* prepare(graph)
          yield* land(graph, log, [event("a"), event("b", { region: "-" }), event("c", { day: null }), event("d")])
          const { reached } = yield* build(graph, upstream)
          assert.deepStrictEqual(reached["part_pairs"], ['["north", "2024-03-01"]'])
          const built = yield* build(graph, downstream, { keys: ['["north", "2024-03-01"]'] })
          assert.deepStrictEqual(built.counts, [1, 0, 0, 0])
        })
      )

      it.effect("onwards: reaches every partition from the first change on", () =>
        Effect.gen(function* () {
          const log = events("on_log")
          const upstream = facts("on_facts", log)
          const cumulative = (name: string, column: "at" | "day", cut: Partitions.Partitions) =>
            Asset.make(name, {
              description: "Running totals",
              columns: Schema.Struct({ month: Column.date, total: Column.integer }),
              partitions: cut,
              inputs: {
                facts: Asset.input(upstream, PartitionMapping.onwards(column), {
                  columns: ["id"],
                  where: { kind: ["sale"] }
                })
              },
              write: WriteStrategy.replacePartitions("month", { key: ["month"] }),
              compute: {
                sql: ({ facts, units }) =>
                  sql`SELECT (window_start AT TIME ZONE 'UTC')::date AS month, (SELECT count(*) FROM ${facts} AS facts) AS total FROM ${units} AS units`,
                rows: ({ facts, units }) => units.map(({ unit }) => ({ month: unit, total: facts.length }))
              }
            })
          const monthly = cumulative("on_monthly", "day", Partitions.monthly({ start }))
          const zoned = cumulative("on_zoned", "at", Partitions.monthly({ start, timeZone: "America/New_York" }))
          const graph = AssetGraph.fromIterable([log, upstream, monthly, zoned])
          yield* prepare(graph)
          const after = Effect.fnUntraced(function* (...landed: ReadonlyArray<ReturnType<typeof event>>) {
            yield* land(graph, log, landed)
            const { reached } = yield* build(graph, upstream, { keys: landed.map(({ id }) => id) })
            return [reached["on_monthly"], reached["on_zoned"]]
          })
          const at = "2024-05-01T00:00:00.000000Z"
          assert.deepStrictEqual(
            yield* after(event("a", { day: "2024-05-05", at }), event("b", { day: "2024-07-01", at })),
            [["<from> 2024-05-01"], ["<from> 2024-04-01"]]
          )
          assert.deepStrictEqual(yield* after(event("a", { line: 2, day: "2024-06-05", at })), [
            ["<from> 2024-05-01"],
            []
          ])
          assert.deepStrictEqual(yield* after(event("a", { line: 3, day: "2024-04-05", at })), [
            ["<from> 2024-04-01"],
            []
          ])
          assert.deepStrictEqual(yield* after(event("c", { kind: "other" }), event("d", { day: null, at: null })), [
            [],
            []
          ])
          yield* build(graph, monthly, partitions(monthly, "2024-05-01", "2024-06-01"))
          // Both months read up to the end of the later one, which b lies behind; d lies nowhere.
          assert.deepStrictEqual(yield* rows(monthly, ["month", "total"]), [
            ["2024-05-01", "1"],
            ["2024-06-01", "1"]
          ])
        })
      )

      it.effect("onwards: a dimension reaches from the first instant at which it says something else", () =>
        Effect.gen(function* () {
          const log = events("said_log")
          const dimension = Dimension.make("said_dimension", log)
          const monthly = Asset.make("said_monthly", {
            description: "Regions by month",
            columns: Schema.Struct({ month: Column.date, total: Column.integer }),
            partitions: Partitions.monthly({ start }),
            inputs: {
              regions: Asset.input(dimension, PartitionMapping.onwards("valid_from", { bounds: "compared" }), {
                columns: ["region", "segment", "valid_from", "valid_to"]
              })
            },
            write: WriteStrategy.replacePartitions("month", { key: ["month"] }),
            compute: { rows: () => [] }
          })
          const graph = AssetGraph.fromIterable([log, dimension, monthly])
          yield* prepare(graph)
          const after = Effect.fnUntraced(function* (...landed: ReadonlyArray<ReturnType<typeof event>>) {
            yield* land(graph, log, landed)
            const { reached } = yield* build(graph, dimension, { keys: landed.map(({ region }) => region) })
            return reached["said_monthly"]
          })
          const observed = (day: string, note: string, line = 1, region = "north") =>
            event(`-:${region}:${day}`, { region, kind: "-", note, line, at: `${day}T10:00:00.000000Z` })
          assert.deepStrictEqual(yield* after(observed("2024-02-10", "a")), ["<from> 2024-02-01"])
          // The open version is closed in June; until then nothing changes.
          assert.deepStrictEqual(yield* after(observed("2024-06-10", "b")), ["<from> 2024-06-01"])
          assert.deepStrictEqual(yield* after(observed("2024-04-10", "c")), ["<from> 2024-04-01"])
          // A version that is split, but says the same as before in both parts: only from the second part on.
          assert.deepStrictEqual(yield* after(observed("2024-03-10", "a"), observed("2024-05-10", "d")), [
            "<from> 2024-05-01"
          ])
          // The price is not shown, so a version for its sake says nothing else.
          assert.deepStrictEqual(
            yield* after({ ...observed("2024-08-10", "b"), amount: event("", { amount: "7" }).amount }),
            []
          )
          // Two regions: the earlier one counts.
          assert.deepStrictEqual(
            yield* after(observed("2024-09-10", "x", 1, "south"), observed("2024-07-31", "y", 1, "west")),
            ["<from> 2024-07-01"]
          )
          // The first version is taken back.
          assert.deepStrictEqual(yield* after({ ...observed("2024-02-10", "b", 2) }), ["<from> 2024-02-01"])
          assert.deepStrictEqual(yield* after(observed("2024-06-10", "b", 2)), [])
        })
      )

      it.effect("asOf: reaches the units whose facts see another version than before, no others", () =>
        Effect.gen(function* () {
          const log = events("as_log")
          const changes = events("as_changes")
          const upstream = facts("as_facts", log)
          const dimension = Dimension.make("as_dimension", changes)
          const daily = Asset.make("as_daily", {
            description: "Facts by day and segment",
            columns: Schema.Struct({ day: Column.date, segments: Column.text }),
            partitions: Partitions.daily({ start }),
            inputs: {
              facts: Asset.input(upstream, PartitionMapping.byColumn("day"), {
                columns: ["day", "region", "at"],
                where: { kind: ["sale", "refund"] }
              }),
              regions: Asset.input(
                dimension,
                PartitionMapping.asOf({ facts: "facts", key: "region", at: "at", bounds: "compared" }),
                {
                  columns: ["region", "segment", "valid_from", "valid_to"]
                }
              )
            },
            write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
            compute: { rows: () => [] }
          })
          const graph = AssetGraph.fromIterable([log, changes, upstream, dimension, daily])
          yield* prepare(graph)
          const fact = (day: string, fields: Parameters<typeof event>[1] = {}) =>
            event(`${day} ${fields.region ?? ""}${fields.kind ?? ""}`, {
              day,
              at: `${day}T12:00:00.000000Z`,
              ...fields
            })
          yield* land(graph, log, [
            fact("2024-03-01"),
            fact("2024-03-09"),
            fact("2024-03-10", { at: "2024-03-10T09:59:59.999999Z" }),
            fact("2024-03-11", { at: "2024-03-10T10:00:00.000000Z" }),
            fact("2024-03-20"),
            fact("2024-03-21", { kind: "unseen" }),
            fact("2024-03-22", { region: "south" }),
            fact("2024-03-23", { at: null }),
            fact("2024-03-24", { region: "-" }),
            fact("2023-12-01"),
            fact("2024-05-01"),
            fact("2024-06-01")
          ])
          yield* build(graph, upstream)
          const after = Effect.fnUntraced(function* (...landed: ReadonlyArray<ReturnType<typeof event>>) {
            yield* land(graph, changes, landed)
            const { reached } = yield* build(graph, dimension, { keys: landed.map(({ region }) => region) })
            return reached["as_daily"]
          })
          const observed = (day: string, note: string | null, line = 1, region = "north") =>
            event(`-:${region}:${day}`, { region, kind: "-", note, line, at: `${day}T10:00:00.000000Z` })

          // The first version: from then on every fact sees one, before none does.
          assert.deepStrictEqual(yield* after(observed("2024-01-01", "small")), [
            "2024-03-01",
            "2024-03-09",
            "2024-03-10",
            "2024-03-11",
            "2024-03-20",
            "2024-05-01",
            "2024-06-01"
          ])
          // A late change in May, then one in March that holds until then.
          assert.deepStrictEqual(yield* after(observed("2024-05-01", "large")), ["2024-05-01", "2024-06-01"])
          assert.deepStrictEqual(yield* after(observed("2024-03-10", "medium")), ["2024-03-11", "2024-03-20"])
          // Null is another value than any text.
          assert.deepStrictEqual(yield* after(observed("2024-05-15", null)), ["2024-06-01"])
          // What the input does not show cannot be seen: the price makes a version that says the same.
          assert.deepStrictEqual(
            yield* after({ ...observed("2024-03-15", "medium"), amount: event("", { amount: "7" }).amount }),
            []
          )
          // A version is taken back: its facts see the one before again.
          assert.deepStrictEqual(yield* after({ ...observed("2024-03-10", "small", 2) }), ["2024-03-11"])
          assert.deepStrictEqual(yield* after(observed("2024-03-22", "first", 1, "south")), ["2024-03-22"])
          assert.deepStrictEqual(yield* after(observed("2024-03-22", "first", 2, "south")), [])
        })
      )
    })
  })
