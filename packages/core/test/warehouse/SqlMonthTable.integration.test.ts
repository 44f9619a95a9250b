import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as PostgresRoom from "@assay/core/postgres/Postgres"
import { Postgres } from "@assay/core/postgres/Postgres"
import { identifier, literal, sql, type Sql } from "@assay/core/Sql"
import * as Storage from "@assay/core/Storage"
import { Transactor } from "@assay/core/Transactor"
import * as SqlWarehouse from "@assay/core/warehouse/SqlWarehouse"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, it } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestDatabase } from "../support/TestDatabase.ts"
import { postgres } from "./layers.ts"
import { build, type Event, event, events, land, partitions, prepare, refusal, rows, transact } from "./World.ts"

type Log = Asset.Asset<string, Event>

/** The latest state of each event, by month of when it happened. */
const latest = (name: string, log: Log, storage: Storage.Storage<"at" | "day"> = Storage.byMonth("at")) =>
  Asset.make(name, {
    description: "Events as they were last told",
    columns: Schema.Struct({ id: Column.text, line: Column.integer, at: Column.timestamp, day: Column.date }),
    inputs: {
      log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "line", "at", "isDeleted"] })
    },
    write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
    storage,
    compute: {
      sql: ({
        log
      }) => sql`SELECT id, line, at, (at AT TIME ZONE 'UTC')::date AS day, "isDeleted" AS _deleted, '' AS _tie
        FROM ${log} AS l`
    }
  })

const anyDay = Partitions.daily({ start: "0001-01-01" })

/** Sums by day, by month of the day. */
const daily = (name: string, log: Log) =>
  Asset.make(name, {
    description: "Events of each day",
    columns: Schema.Struct({ day: Column.date, region: Column.text, events: Column.integer }),
    partitions: anyDay,
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("day"), { columns: ["day", "region"] }) },
    write: WriteStrategy.replacePartitions("day", { key: ["region", "day"] }),
    storage: Storage.byMonth("day"),
    compute: {
      sql: ({ log }) =>
        sql`SELECT day, region, count(*) AS events FROM ${log} AS l WHERE day IS NOT NULL GROUP BY day, region`
    }
  })

/** An asset over a log of its own, whose tables are there. */
const stored = Effect.fnUntraced(function* <Row>(
  name: string,
  make: (name: string, log: Log) => Asset.Asset<string, Row, never>
) {
  const log = events(`${name}_log`)
  const asset = make(name, log)
  const graph = AssetGraph.fromIterable([log, asset])
  yield* prepare(graph)
  return { asset, graph, log }
})

/** So many rows, an hour each from 2024 on, and somebody who reads them by region. */
const hours = (prefix: string, log: Log, size: number) => {
  const asset = Asset.make(`${prefix}_hours`, {
    description: "Hours",
    columns: Schema.Struct({ at: Column.timestamp, id: Column.integer, region: Column.text }),
    inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["region"] }) },
    write: WriteStrategy.replace({ key: ["id", "at"] }),
    storage: Storage.byMonth("at"),
    compute: {
      sql: () => sql`SELECT timestamptz '2024-01-01 00:00:00+00' + n * interval '1 hour' AS at, n AS id, 'r' || n % 7 AS region
        FROM generate_series(0, ${literal(String(size - 1))}) AS n`
    }
  })
  const reader = Asset.make(`${prefix}_reader`, {
    description: "Reads the hours by region",
    columns: Schema.Struct({ region: Column.text, rows: Column.integer }),
    inputs: { hours: Asset.input(asset, PartitionMapping.byColumn("region"), { columns: ["region"] }) },
    write: WriteStrategy.upsert({ key: ["region"], version: "rows" }),
    compute: {
      sql: ({ hours }) =>
        sql`SELECT region, count(*)::int AS rows, FALSE AS _deleted, '' AS _tie FROM ${hours} AS h GROUP BY region`
    }
  })
  return { asset, graph: AssetGraph.make([log, asset, reader]) }
}

const at = (id: string, instant: string, fields: Partial<Omit<Event, "amount">> = {}) =>
  event(id, { at: `${instant}Z`, day: instant.slice(0, 10), ...fields })

const query = <A>(statement: Sql, row: Schema.Codec<A, unknown>) =>
  Effect.flatMap(Postgres, (pg) => pg.query(statement, row))

const execute = (statement: Sql) => Effect.flatMap(Postgres, (pg) => pg.execute(statement))

const table = ({ name }: Pick<Asset.Asset, "name">) => identifier("dev", name)

/** The tables of which one consists, by their names, with how many rows each of them has. */
const tables = Effect.fnUntraced(function* (asset: Pick<Asset.Asset, "name">) {
  const found = yield* query(
    sql`SELECT c.relname::text AS name, (SELECT count(*)::int FROM ${table(asset)} AS t WHERE t.tableoid = c.oid) AS rows
      FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
      WHERE i.inhparent = to_regclass('dev.' || quote_ident(${asset.name})) ORDER BY c.relname COLLATE "C"`,
    Schema.Struct({ name: Schema.String, rows: Schema.Int })
  )
  return found.map(({ name, rows }) => `${name} ${rows}`)
})

it.layer(postgres)("month tables", (it) => {
  it.effect("come with the first row of their month, and hold it from then on (Verifies: L1)", () =>
    Effect.gen(function* () {
      const { asset, graph, log } = yield* stored("came", latest)
      assert.deepStrictEqual(yield* tables(asset), ["_came_before_1970 0", "_came_from_2100 0"])
      yield* land(graph, log, [
        at("a", "2024-03-31T23:59:59.999999"),
        at("b", "2024-04-01T00:00:00.000000"),
        at("c", "2024-12-31T12:00:00.000000"),
        at("d", "1969-12-31T23:59:59.999999"),
        at("e", "0007-01-01T00:00:00.000000"),
        at("f", "2100-01-01T00:00:00.000000"),
        at("g", "9999-12-31T23:59:59.999999"),
        at("h", "1970-01-01T00:00:00.000000"),
        at("i", "2099-12-31T23:59:59.999999")
      ])
      assert.deepStrictEqual((yield* build(graph, asset)).counts, [9, 0, 0, 0])
      const made = [
        "_came_1970_01 1",
        "_came_2024_03 1",
        "_came_2024_04 1",
        "_came_2024_12 1",
        "_came_2099_12 1",
        "_came_before_1970 2",
        "_came_from_2100 2"
      ]
      assert.deepStrictEqual(yield* tables(asset), made)
      assert.deepStrictEqual((yield* build(graph, asset)).counts, [0, 0, 0, 9])
      assert.deepStrictEqual(yield* tables(asset), made)
      yield* prepare(graph)
      const warehouse = yield* Warehouse
      assert.strictEqual(yield* warehouse.count(asset), 9)
      const difference = yield* transact(
        warehouse.verify({ asset, scope: { units: { _tag: "All" }, partitions: [] }, except: { _tag: "None" } })
      )
      assert.deepStrictEqual(difference, { missing: 0, unexpected: 0, examples: [] })
    })
  )

  it.effect("are left and entered by a row that moves, and one row keeps its key (Verifies: L1, L2)", () =>
    Effect.gen(function* () {
      const { asset, graph, log } = yield* stored("moved", latest)
      yield* land(graph, log, [at("a", "2024-03-01T00:00:00.000000"), at("b", "2024-03-02T00:00:00.000000")])
      yield* build(graph, asset)
      for (const [line, instant, expected] of [
        [2, "2024-05-01T00:00:00.000000", ["_moved_2024_03 1", "_moved_2024_05 1"]],
        [3, "1950-05-01T00:00:00.000000", ["_moved_2024_03 1", "_moved_2024_05 0", "_moved_before_1970 1"]],
        [4, "2024-03-01T00:00:00.000000", ["_moved_2024_03 2", "_moved_2024_05 0", "_moved_before_1970 0"]]
      ] as const) {
        yield* land(graph, log, [at("a", instant, { line })])
        assert.deepStrictEqual((yield* build(graph, asset, { keys: ["a"] })).counts, [0, 1, 0, 0])
        assert.deepStrictEqual(
          (yield* tables(asset)).filter((name) => expected.some((one) => one.slice(0, -2) === name.slice(0, -2))),
          Array.from(expected)
        )
        assert.deepStrictEqual(yield* rows(asset, ["id", "line"]), [
          ["a", String(line)],
          ["b", "1"]
        ])
      }
      yield* land(graph, log, [at("a", "2024-03-01T00:00:00.000000", { line: 5, isDeleted: true })])
      assert.deepStrictEqual((yield* build(graph, asset, { keys: ["a"] })).counts, [0, 0, 1, 0])
    })
  )

  it.effect("of a date hold the partitions of its months, rebuilt and withdrawn as in one table (Verifies: L2)", () =>
    Effect.gen(function* () {
      const { asset, graph, log } = yield* stored("dated", daily)
      yield* land(graph, log, [
        at("a", "2024-02-29T00:00:00.000000"),
        at("b", "2024-03-01T00:00:00.000000"),
        at("c", "1969-12-31T00:00:00.000000")
      ])
      yield* build(graph, asset, partitions(asset, "2024-02-29", "2024-03-01", "1969-12-31"))
      yield* land(graph, log, [at("d", "2024-03-01T00:00:00.000000"), at("e", "2100-01-01T00:00:00.000000")])
      const again = yield* build(graph, asset, partitions(asset, "2024-03-01", "2100-01-01"))
      assert.deepStrictEqual(again.counts, [1, 1, 0, 0])
      assert.deepStrictEqual(yield* tables(asset), [
        "_dated_2024_02 1",
        "_dated_2024_03 1",
        "_dated_before_1970 1",
        "_dated_from_2100 1"
      ])
      const warehouse = yield* Warehouse
      const except = Result.getOrThrow(PartitionSet.fromKeys(anyDay, ["2024-02-29", "2100-01-01"]))
      assert.strictEqual((yield* transact(warehouse.withdraw({ asset, except }))).deleted, 2)
      assert.deepStrictEqual(yield* rows(asset, ["day", "events"]), [
        ["2024-02-29", "1"],
        ["2100-01-01", "1"]
      ])
    })
  )

  it.effect("of a log refuse a key that comes twice, whatever comes between (Verifies: L4)", () =>
    Effect.gen(function* () {
      const log = Asset.source("stored_log", {
        description: "A log by month",
        columns: Schema.Struct({ id: Column.text, day: Column.date, batch: Column.text, loaded_at: Column.timestamp }),
        write: WriteStrategy.append({ key: ["id", "day"], batch: "batch", loadedAt: "loaded_at" }),
        storage: Storage.byMonth("day"),
        source: {
          description: "nothing of its own",
          discover: () => Effect.succeed([]),
          read: () => Stream.empty,
          replay: () => Effect.succeed([])
        }
      })
      const graph = AssetGraph.make([log])
      yield* prepare(graph)
      const warehouse = yield* Warehouse
      const arrive = (...days: ReadonlyArray<string>) =>
        transact(
          warehouse.land({
            asset: log,
            knownBy: undefined,
            rows: days.map((day) => ({ id: "a", day, batch: "b", loaded_at: "2024-06-01T00:00:00.000000Z" }))
          })
        )
      yield* arrive("2024-03-01", "2024-04-01", "2024-04-02")
      yield* arrive("2024-05-01")
      assert.match(yield* refusal(arrive("2024-06-01", "2024-04-01")), /^DataQuality: .*_stored_log_2024_04_pkey/)
      assert.match(yield* refusal(arrive("2024-05-02", "2024-05-02")), /^DataQuality: .*_stored_log_2024_05_pkey/)
      assert.deepStrictEqual(yield* tables(log), [
        "_stored_log_2024_03 1",
        "_stored_log_2024_04 2",
        "_stored_log_2024_05 1",
        "_stored_log_before_1970 0",
        "_stored_log_from_2100 0"
      ])
    })
  )

  it.effect("have names that are nobody else's", () =>
    Effect.gen(function* () {
      const log = events("named_log")
      const long = `n${"o".repeat(62)}`
      const names = [
        "named",
        "named_2024_03",
        "named_before",
        long.slice(0, 50),
        long.slice(0, 51),
        long.slice(0, 62),
        long
      ]
      const assets = names.map((name) => latest(name, log))
      const graph = AssetGraph.fromIterable([log, ...assets])
      yield* prepare(graph)
      yield* land(graph, log, [at("a", "2024-03-01T00:00:00.000000"), at("b", "1950-01-01T00:00:00.000000")])
      for (const asset of assets) assert.deepStrictEqual((yield* build(graph, asset)).counts, [2, 0, 0, 0])
      const found = (yield* Effect.forEach(assets, tables)).flat()
      assert.strictEqual(found.length, 3 * names.length)
      assert.strictEqual(new Set(found).size, found.length)
      assert.isTrue(found.every((name) => name.startsWith("_") && name.lastIndexOf(" ") <= 63))
      yield* prepare(graph)
    })
  )

  it.effect("are not made of a table that is there in another form, which is told", () =>
    Effect.gen(function* () {
      const log = events("formed_log")
      const forms = [
        { storage: Storage.single, is: "one plain table" },
        { storage: Storage.byMonth("at"), is: 'divided into tables by "at"', says: 'month tables by "at"' },
        { storage: Storage.byMonth("day"), is: 'divided into tables by "day"', says: 'month tables by "day"' }
      ]
      for (const first of forms) {
        yield* prepare(AssetGraph.make([log, latest("formed", log, first.storage)]))
        for (const second of forms.filter((form) => form !== first)) {
          assert.strictEqual(
            yield* refusal(prepare(AssetGraph.make([log, latest("formed", log, second.storage)]))),
            `SchemaMismatch: table "formed" exists and is ${first.is}, but the asset says ${second.says ?? second.is}. ` +
              "Change the storage of the asset, or drop the table and materialize the asset again."
          )
        }
        yield* execute(sql`DROP TABLE dev.formed`)
      }
      yield* execute(sql`CREATE TABLE dev.formed (id text NOT NULL, line bigint NOT NULL, at timestamptz NOT NULL, day date NOT NULL)
        PARTITION BY HASH (id)`)
      assert.match(
        yield* refusal(prepare(AssetGraph.make([log, latest("formed", log)]))),
        /^SchemaMismatch: table "formed" exists and is divided into tables in another way than by ranges of a column, but/
      )
    })
  )

  it.effect("come while somebody reads the table, who sees nothing of them (Verifies: L9)", () =>
    Effect.gen(function* () {
      const { asset, graph, log } = yield* stored("read", latest)
      yield* land(graph, log, [at("a", "2024-03-01T00:00:00.000000")])
      yield* build(graph, asset)
      const isRead = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const { snapshot } = yield* Transactor
      const reader = yield* Effect.forkChild(
        snapshot(
          Effect.gen(function* () {
            const before = yield* execute(sql`SELECT FROM dev.read`)
            yield* Deferred.succeed(isRead, undefined)
            yield* Deferred.await(go)
            return [before, yield* execute(sql`SELECT FROM dev.read`)]
          })
        )
      )
      yield* Deferred.await(isRead)
      yield* land(graph, log, [
        at("b", "2024-04-01T00:00:00.000000"),
        at("a", "2024-05-01T00:00:00.000000", { line: 2 })
      ])
      assert.deepStrictEqual((yield* build(graph, asset)).counts, [1, 1, 0, 0])
      yield* Deferred.succeed(go, undefined)
      assert.deepStrictEqual(yield* Fiber.join(reader), [1, 1])
      assert.strictEqual(yield* execute(sql`SELECT FROM dev.read`), 2)
    })
  )

  it.effect("have all their indexes and statistics behind a first load and behind a large step (Verifies: L10)", () =>
    Effect.gen(function* () {
      const log = events("full_log")
      const { asset, graph } = hours("full", log, 5001)
      yield* prepare(graph)
      const indexes = (parts: boolean) =>
        query(
          sql`SELECT t.relname::text AS name, count(*)::int AS indexes, count(*) FILTER (WHERE i.indisprimary)::int AS keys,
              bool_and(i.indisvalid) AS "isValid", min(t.reltuples)::int AS rows
            FROM pg_class AS t JOIN pg_index AS i ON i.indrelid = t.oid
            WHERE t.relnamespace = 'dev'::regnamespace AND ${parts ? sql`left(t.relname, 11) = '_full_hours'` : sql`t.relname = 'full_hours'`}
            GROUP BY t.relname ORDER BY t.relname COLLATE "C"`,
          Schema.Struct({
            name: Schema.String,
            indexes: Schema.Int,
            keys: Schema.Int,
            isValid: Schema.Boolean,
            rows: Schema.Int
          })
        )
      const has = { indexes: 2, keys: 1, isValid: true }
      const names = (yield* indexes(false)).map(({ name }) => name)
      assert.deepStrictEqual(names, ["full_hours"])
      assert.deepStrictEqual((yield* build(graph, asset)).counts, [5001, 0, 0, 0])
      const first = yield* indexes(true)
      assert.strictEqual(first.length, 9)
      assert.deepStrictEqual(
        first,
        first.map(({ name, rows }) => ({ name, rows, ...has }))
      )
      assert.deepStrictEqual(
        first.slice(0, 2).map(({ rows }) => rows),
        [744, 696]
      )
      assert.deepStrictEqual(yield* indexes(false), [{ name: "full_hours", rows: 5001, ...has }])
      const twice = execute(sql`INSERT INTO dev.full_hours (at, id, region) VALUES ('2024-01-01 00:00:00+00', 0, 'r')`)
      assert.match(yield* refusal(twice), /^DataQuality: .*_full_hours_2024_01_pkey/)

      const more = hours("full", log, 10_002)
      assert.deepStrictEqual((yield* build(more.graph, more.asset)).counts, [5001, 0, 0, 5001])
      const second = yield* indexes(true)
      assert.strictEqual(second.length, 16)
      assert.deepStrictEqual(
        second,
        second.map(({ name, rows }) => ({ name, rows, ...has }))
      )
      assert.strictEqual(
        second.reduce((sum, { rows }) => sum + Math.max(0, rows), 0),
        10_002
      )
      assert.deepStrictEqual(yield* indexes(false), [{ name: "full_hours", rows: 10_002, ...has }])
      const known = yield* query(
        sql`SELECT n_distinct::int AS regions FROM pg_stats WHERE schemaname = 'dev' AND tablename = 'full_hours' AND attname = 'region'`,
        Schema.Struct({ regions: Schema.Int })
      )
      assert.deepStrictEqual(known, [{ regions: 7 }])
    })
  )

  it.effect("are read one by one by a query that says which months it wants", () =>
    Effect.gen(function* () {
      const log = events("pruned_log")
      const { asset, graph } = hours("pruned", log, 5001)
      yield* prepare(graph)
      yield* build(graph, asset)
      const read = (from: string, to: string) =>
        Effect.map(
          query(
            sql`EXPLAIN SELECT count(*) FROM dev.pruned_hours WHERE at >= ${literal(`'${from}'`)} AND at < ${literal(`'${to}'`)}`,
            Schema.Struct({ "QUERY PLAN": Schema.String })
          ),
          (lines) => lines.flatMap((line) => / on (_\w+)/.exec(line["QUERY PLAN"])?.[1] ?? [])
        )
      assert.deepStrictEqual(yield* read("2024-03-01 00:00:00+00", "2024-04-01 00:00:00+00"), ["_pruned_hours_2024_03"])
      assert.deepStrictEqual(yield* read("2024-03-31 23:00:00+00", "2024-04-01 00:00:01+00"), [
        "_pruned_hours_2024_03",
        "_pruned_hours_2024_04"
      ])
    })
  )

  it.effect("that somebody made or took away are left to him", () =>
    Effect.gen(function* () {
      const { asset, graph, log } = yield* stored("own", latest)
      yield* execute(sql`CREATE TABLE dev.own_2023 PARTITION OF dev.own
        FOR VALUES FROM ('2023-01-01 00:00:00+00') TO ('2024-01-01 00:00:00+00')`)
      yield* land(graph, log, [at("a", "2023-03-01T00:00:00.000000"), at("b", "2024-01-01T00:00:00.000000")])
      yield* build(graph, asset)
      assert.deepStrictEqual(yield* tables(asset), [
        "_own_2024_01 1",
        "_own_before_1970 0",
        "_own_from_2100 0",
        "own_2023 1"
      ])
      yield* execute(sql`ALTER TABLE dev.own DETACH PARTITION dev._own_2024_01`)
      assert.strictEqual(
        yield* refusal(build(graph, asset)),
        'SchemaMismatch: table "_own_2024_01" exists, but is no part of "own" (any more), and rows of 2024-01 are to be ' +
          "written. Attach it again, or give it another name."
      )
      yield* execute(sql`CREATE TABLE dev.own_rest PARTITION OF dev.own DEFAULT`)
      assert.deepStrictEqual((yield* build(graph, asset)).counts, [1, 0, 0, 1])
      assert.include(yield* tables(asset), "own_rest 1")
    })
  )

  it.effect("refuse a row that says no month", () =>
    Effect.gen(function* () {
      const { asset, graph, log } = yield* stored("void", latest)
      yield* land(graph, log, [event("a", { at: null })])
      assert.strictEqual(
        yield* refusal(build(graph, asset)),
        'DataQuality: a row of "void" has no "at", whose month tells in which table it lies'
      )
    })
  )

  it.effect("of one environment are not those of another that is filled at the same time", () =>
    Effect.gen(function* () {
      const { url } = yield* TestDatabase
      const log = events("shared_log")
      const filled = (warehouse: string) =>
        Effect.gen(function* () {
          const { asset, graph } = hours("shared", log, 5001)
          const service = yield* Warehouse
          yield* transact(service.prepare(graph))
          const scope = { units: { _tag: "All" }, partitions: [] } as const
          const written = yield* transact(
            Effect.gen(function* () {
              return yield* service.build({ asset, scope, at: yield* DateTime.now })
            })
          )
          const found = yield* query(
            sql`SELECT count(*)::int AS tables FROM pg_inherits
              WHERE inhparent = to_regclass(${warehouse} || '.shared_hours')`,
            Schema.Struct({ tables: Schema.Int })
          )
          return [written.inserted, found[0]?.tables]
        }).pipe(
          Effect.provide(
            SqlWarehouse.layer.pipe(
              Layer.provideMerge(PostgresRoom.layer({ warehouse, ledger: `${warehouse}_ledger` })),
              Layer.provide(PgClient.layer({ url })),
              Layer.fresh
            )
          )
        )
      const found = yield* Effect.all([filled("qa"), filled("prod")], { concurrency: "unbounded" })
      assert.deepStrictEqual(found, [
        [5001, 9],
        [5001, 9]
      ])
    })
  )
})
