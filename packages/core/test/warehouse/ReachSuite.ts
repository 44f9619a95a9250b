import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import { none } from "@assay/core/Unit"
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
import { build, event, events, land, partitions, prepare, refusal, rows, scope, transact, type Units } from "./World.ts"

const start = "2024-01-01"

/** Each event with its region's segment at the time, and with the bounds of the window in which it held. */
const attributed = (
  name: string,
  log: ReturnType<typeof events<string>>,
  dimension: ReturnType<typeof Dimension.make>,
  bounds?: PartitionMapping.Bounds
) =>
  Asset.make(name, {
    description: "Events with a version's segment and bounds",
    columns: Schema.Struct({
      day: Column.date,
      id: Column.text,
      segment: Column.nullable(Column.text),
      since: Column.nullable(Column.timestamp),
      until: Column.nullable(Column.timestamp)
    }),
    partitions: Partitions.daily({ start }),
    inputs: {
      facts: Asset.input(log, PartitionMapping.byColumn("day"), { columns: ["day", "id", "region", "at"] }),
      regions: Asset.input(
        dimension,
        PartitionMapping.asOf({
          facts: "facts",
          key: "region",
          at: "at",
          ...(bounds === undefined ? {} : { bounds })
        }),
        { columns: ["region", "segment", "valid_from", "valid_to"] }
      )
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    compute: {
      sql: ({ facts, regions }) =>
        sql`SELECT f.day, f.id, r.segment, r.valid_from AS since, r.valid_to AS until FROM ${facts} AS f
          LEFT JOIN ${regions} AS r
            ON r.region = f.region AND r.valid_from <= f.at AND (r.valid_to IS NULL OR f.at < r.valid_to)`,
      rows: ({ facts, regions }) =>
        facts.flatMap(({ at, day, id, region }) => {
          const held = regions.find(
            (version) =>
              at !== null &&
              version.region === region &&
              version.valid_from <= at &&
              (version.valid_to === null || at < version.valid_to)
          )
          return day === null
            ? []
            : [
                {
                  day,
                  id,
                  segment: held?.segment ?? null,
                  since: held?.valid_from ?? null,
                  until: held?.valid_to ?? null
                }
              ]
        })
    }
  })

/** For each month the first and the last bound of the versions that have begun by its end. */
const monthly = (name: string, dimension: ReturnType<typeof Dimension.make>, bounds?: PartitionMapping.Bounds) =>
  Asset.make(name, {
    description: "Bounds of the versions so far",
    columns: Schema.Struct({
      month: Column.date,
      since: Column.nullable(Column.timestamp),
      until: Column.nullable(Column.timestamp)
    }),
    partitions: Partitions.monthly({ start }),
    inputs: {
      regions: Asset.input(dimension, PartitionMapping.onwards("valid_from", bounds === undefined ? {} : { bounds }), {
        columns: ["region", "segment", "valid_from", "valid_to"]
      })
    },
    write: WriteStrategy.replacePartitions("month", { key: ["month"] }),
    compute: {
      sql: ({ regions, units }) =>
        sql`SELECT (u.window_start AT TIME ZONE 'UTC')::date AS month, min(r.valid_from) AS since, max(r.valid_to) AS until
          FROM ${units} AS u LEFT JOIN ${regions} AS r ON r.valid_from < u.window_end GROUP BY 1`,
      rows: ({ regions, units }) =>
        units.map(({ unit, window }) => {
          const end = window === undefined ? "" : DateTime.formatIso(DateTime.makeUnsafe(window.end))
          const begun = regions.filter(({ valid_from }) => valid_from < end)
          return {
            month: unit,
            since: begun.map(({ valid_from }) => valid_from).toSorted()[0] ?? null,
            until:
              begun
                .flatMap(({ valid_to }) => valid_to ?? [])
                .toSorted()
                .at(-1) ?? null
          }
        })
    }
  })

const observed = (day: string, note: string, line = 1) =>
  event(`-:${day}`, { kind: "-", note, line, at: `${day}T10:00:00.000000Z` })

const fact = (day: string) => event(day, { day, at: `${day}T12:00:00.000000Z` })

const differences = (asset: Asset.Asset<string, unknown, never>, units: Units) =>
  transact(
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      const found = yield* warehouse.verify({ asset, scope: yield* scope(units), except: none })
      return [found.missing, found.unexpected]
    })
  )

/** Latest line of each event by its region, where "-" stands for none. */
const latest = (name: string, log: ReturnType<typeof events<string>>) =>
  Asset.make(name, {
    description: "Latest version of each event",
    columns: Schema.Struct({
      id: Column.text,
      line: Column.integer,
      region: Column.nullable(Column.text),
      day: Column.nullable(Column.date)
    }),
    inputs: {
      log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "line", "region", "day", "isDeleted"] })
    },
    write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
    compute: {
      sql: ({ log }) =>
        sql`SELECT id, line, nullif(region, '-') AS region, day, "isDeleted" AS _deleted, '' AS _tie FROM ${log} AS log`,
      rows: ({ log }) =>
        log.map((row) => ({
          ...row,
          region: row.region === "-" ? null : row.region,
          _deleted: row.isDeleted,
          _tie: ""
        }))
    }
  })

/** Every warehouse must pass this suite: no change that a compute can see goes by. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse reach (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("a window whose bounds alone move reaches the facts that see them (Verifies: L2)", () =>
        Effect.gen(function* () {
          const log = events("moved_log")
          const changes = events("moved_changes")
          const dimension = Dimension.make("moved_dimension", changes)
          const shown = attributed("moved_shown", log, dimension)
          const compared = attributed("moved_compared", log, dimension, "compared")
          const graph = AssetGraph.fromIterable([log, changes, dimension, shown, compared])
          yield* prepare(graph)
          const days = ["2024-02-01", "2024-03-10", "2024-05-01"]
          yield* land(graph, log, days.map(fact))
          yield* land(graph, changes, [observed("2024-03-01", "a"), observed("2024-04-01", "b")])
          yield* build(graph, dimension)
          yield* build(graph, shown, partitions(shown, ...days))
          const after = Effect.fnUntraced(function* (...landed: ReadonlyArray<ReturnType<typeof event>>) {
            yield* land(graph, changes, landed)
            const { reached } = yield* build(graph, dimension, { keys: ["north"] })
            const marked = reached["moved_shown"] ?? []
            yield* build(graph, shown, partitions(shown, ...marked))
            assert.deepStrictEqual(yield* differences(shown, partitions(shown, ...days)), [0, 0])
            return [marked, reached["moved_compared"]]
          })
          // It begins earlier, but still after the first fact: what holds at each fact is the same.
          assert.deepStrictEqual(yield* after(observed("2024-02-20", "a")), [["2024-03-10"], []])
          // It ends earlier: after the second fact, before the third.
          assert.deepStrictEqual(yield* after(observed("2024-03-20", "b")), [["2024-03-10", "2024-05-01"], []])
          // It begins before the first fact, which now sees another segment, too.
          assert.deepStrictEqual(yield* after(observed("2024-01-20", "a")), [
            ["2024-02-01", "2024-03-10"],
            ["2024-02-01"]
          ])
          assert.deepStrictEqual(yield* after(observed("2024-01-20", "a", 2)), [[], []])
        })
      )

      it.effect("a window whose bounds alone move reaches the partitions from it on (Verifies: L2)", () =>
        Effect.gen(function* () {
          const changes = events("ends_changes")
          const dimension = Dimension.make("ends_dimension", changes)
          const shown = monthly("ends_shown", dimension)
          const compared = monthly("ends_compared", dimension, "compared")
          const graph = AssetGraph.fromIterable([changes, dimension, shown, compared])
          yield* prepare(graph)
          const months = ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01"]
          yield* land(graph, changes, [observed("2024-02-10", "a")])
          yield* build(graph, dimension)
          yield* build(graph, shown, partitions(shown, ...months))
          yield* land(graph, changes, [observed("2024-04-10", "b")])
          // The open version is closed in April: its end is seen from February on, another segment from April on.
          const { reached } = yield* build(graph, dimension, { keys: ["north"] })
          assert.deepStrictEqual(reached, { ends_shown: ["<from> 2024-02-01"], ends_compared: ["<from> 2024-04-01"] })
          yield* build(graph, shown, partitions(shown, ...months.slice(1)))
          assert.deepStrictEqual(yield* differences(shown, partitions(shown, ...months)), [0, 0])
        })
      )

      it.effect("onwards: a row without a place in time belongs to no partition, so none reads it (Verifies: L7)", () =>
        Effect.gen(function* () {
          const log = events("placed_log")
          const upstream = latest("placed_latest", log)
          const counted = Asset.make("placed_counted", {
            description: "How many events are read",
            columns: Schema.Struct({ month: Column.date, events: Column.integer }),
            partitions: Partitions.monthly({ start }),
            inputs: { events: Asset.input(upstream, PartitionMapping.onwards("day"), { columns: ["id"] }) },
            write: WriteStrategy.replacePartitions("month", { key: ["month"] }),
            compute: {
              sql: ({ events, units }) =>
                sql`SELECT (window_start AT TIME ZONE 'UTC')::date AS month,
                  (SELECT count(*) FROM ${events} AS e) AS events FROM ${units} AS u`,
              rows: ({ events, units }) => units.map(({ unit }) => ({ month: unit, events: events.length }))
            }
          })
          const graph = AssetGraph.fromIterable([log, upstream, counted])
          yield* prepare(graph)
          const months = ["2024-03-01", "2024-04-01", "2024-05-01"]
          const one = Effect.fnUntraced(function* () {
            for (const month of months) yield* build(graph, counted, partitions(counted, month))
            return (yield* rows(counted, ["events"])).map(([count]) => count)
          })
          yield* land(graph, log, [
            event("early", { day: "1999-01-01" }),
            event("first", { day: "2024-03-01" }),
            event("last", { day: "2024-04-30" })
          ])
          yield* build(graph, upstream)
          assert.deepStrictEqual(yield* one(), ["2", "3", "3"])
          yield* land(graph, log, [event("nowhere", { day: null })])
          assert.deepStrictEqual((yield* build(graph, upstream, { keys: ["nowhere"] })).reached, { placed_counted: [] })
          for (const month of months)
            assert.deepStrictEqual(yield* differences(counted, partitions(counted, month)), [0, 0])
          // It finds a place, and loses it again: both images count.
          yield* land(graph, log, [event("nowhere", { day: "2024-04-02", line: 2 })])
          assert.deepStrictEqual((yield* build(graph, upstream, { keys: ["nowhere"] })).reached, {
            placed_counted: ["<from> 2024-04-01"]
          })
          assert.deepStrictEqual(yield* one(), ["2", "4", "4"])
          yield* land(graph, log, [event("nowhere", { day: null, line: 3 })])
          assert.deepStrictEqual((yield* build(graph, upstream, { keys: ["nowhere"] })).reached, {
            placed_counted: ["<from> 2024-04-01"]
          })
          assert.deepStrictEqual(yield* one(), ["2", "3", "3"])
        })
      )

      it.effect("byColumn: a row that names no unit is in none, built by units or as a whole (Verifies: L1, L2)", () =>
        Effect.gen(function* () {
          const log = events("unnamed_log")
          const upstream = latest("unnamed_latest", log)
          const counted = Asset.make("unnamed_counted", {
            description: "Events by region",
            columns: Schema.Struct({ region: Column.text, events: Column.integer }),
            inputs: {
              events: Asset.input(upstream, PartitionMapping.byColumn("region"), { columns: ["id", "region"] })
            },
            write: WriteStrategy.upsert({ key: ["region"], version: "events" }),
            compute: {
              // A row without a region would make a region of its own.
              sql: ({ events }) =>
                sql`SELECT coalesce(region, 'none') AS region, count(*) AS events, FALSE AS _deleted, '' AS _tie
                  FROM ${events} AS e GROUP BY 1`,
              rows: ({ events }) =>
                Array.from(
                  Map.groupBy(events, ({ region }) => region ?? "none"),
                  ([region, own]) => ({ region, events: own.length, _deleted: false, _tie: "" })
                )
            }
          })
          const graph = AssetGraph.fromIterable([log, upstream, counted])
          yield* prepare(graph)
          const after = Effect.fnUntraced(function* (...landed: ReadonlyArray<ReturnType<typeof event>>) {
            yield* land(graph, log, landed)
            const { reached } = yield* build(graph, upstream, { keys: landed.map(({ id }) => id) })
            const keys = reached["unnamed_counted"] ?? []
            if (keys.length > 0) yield* build(graph, counted, { keys })
            assert.deepStrictEqual(yield* differences(counted, "everything"), [0, 0])
            return keys
          })
          assert.deepStrictEqual(yield* after(event("a", { region: "-" }), event("b")), ["north"])
          assert.deepStrictEqual(yield* after(event("a", { line: 2 })), ["north"])
          assert.deepStrictEqual(yield* after(event("a", { line: 3, region: "-" })), ["north"])
          assert.deepStrictEqual(yield* after(event("a", { line: 4, region: "-" })), [])
          assert.deepStrictEqual(yield* rows(counted, ["region", "events"]), [["north", "1"]])
        })
      )

      it.effect(
        "a view is read as a whole, and what its reader returns of other partitions is refused (Verifies: L7)",
        () =>
          Effect.gen(function* () {
            const log = events("through_log")
            const cut = Partitions.daily({ start })
            const daily = Cut.make("through_daily", log, { by: "day", partitions: cut })
            const view = Asset.make("through_view", {
              description: "Events by day, seen through a view",
              columns: Schema.Struct({ time: Column.date, id: Column.text }),
              partitions: cut,
              inputs: { daily: Asset.input(daily, PartitionMapping.identity, { columns: ["time", "id"] }) },
              write: WriteStrategy.view,
              compute: { sql: ({ daily }) => sql`SELECT time, id FROM ${daily} AS d`, rows: ({ daily }) => daily }
            })
            const reader = (
              as: string,
              mapping: PartitionMapping.Identity | PartitionMapping.TimeWindows,
              isOwn: boolean
            ) =>
              Asset.make(as, {
                description: "Events of the view by day",
                columns: Schema.Struct({ time: Column.date, events: Column.integer }),
                partitions: cut,
                inputs: { view: Asset.input(view, mapping) },
                write: WriteStrategy.replacePartitions("time", { key: ["time"] }),
                compute: {
                  sql: ({ units, view }) =>
                    isOwn
                      ? sql`SELECT v.time, count(*) AS events FROM ${view} AS v
                        JOIN ${units} AS u ON u.unit = to_char(v.time, 'YYYY-MM-DD') GROUP BY 1`
                      : sql`SELECT v.time, count(*) AS events FROM ${view} AS v GROUP BY 1`,
                  rows: ({ units, view }) =>
                    Array.from(
                      Map.groupBy(
                        view.filter(({ time }) => !isOwn || units.some(({ unit }) => unit === time)),
                        ({ time }) => time
                      ),
                      ([time, own]) => ({ time, events: own.length })
                    )
                }
              })
            const own = reader("through_own", PartitionMapping.identity, true)
            const windows = reader("through_windows", PartitionMapping.timeWindows(), true)
            const foreign = reader("through_foreign", PartitionMapping.identity, false)
            const graph = AssetGraph.fromIterable([log, daily, view, own, windows, foreign])
            yield* prepare(graph)
            const days = ["2024-03-01", "2024-03-02"]
            yield* land(
              graph,
              log,
              days.map((day) => event(day, { day }))
            )
            yield* build(graph, daily, partitions(daily, ...days))
            for (const asset of [own, windows]) {
              yield* build(graph, asset, partitions(asset, "2024-03-02"))
              assert.deepStrictEqual(yield* rows(asset, ["time", "events"]), [["2024-03-02", "1"]])
              assert.deepStrictEqual(yield* differences(asset, partitions(asset, "2024-03-02")), [0, 0])
            }
            assert.match(
              yield* refusal(build(graph, foreign, partitions(foreign, "2024-03-02"))),
              /^DataQuality: the compute returned 1 rows for "2024-03-01", which it was not asked to build/
            )
          })
      )
    })
  })
