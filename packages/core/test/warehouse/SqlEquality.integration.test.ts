/**
 * Values that PostgreSQL calls equal although a reader can tell them apart. Only a compute in SQL can make them, so these
 * laws have no twin in memory: there a JSON number is a JavaScript number, whose text is all that can be seen of it.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { Postgres } from "@assay/core/postgres/Postgres"
import { literal, sql } from "@assay/core/Sql"
import { none } from "@assay/core/Unit"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Dimension from "./Dimension.ts"
import { postgres } from "./layers.ts"
import { build, event, events, land, partitions, prepare, refusal, rows, scope, transact } from "./World.ts"

/** The latest note of each event as a JSON document, and the text of a number in it as a reader sees it. */
const documents = (name: string) => {
  const log = events(`${name}_log`)
  const latest = Asset.make(name, {
    description: "Notes as documents",
    columns: Schema.Struct({ id: Column.text, line: Column.integer, doc: Column.nullable(Column.json) }),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "line", "note"] }) },
    write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
    compute: {
      sql: ({ log }) => sql`SELECT id, line, note::jsonb AS doc, FALSE AS _deleted, '' AS _tie FROM ${log} AS log`
    }
  })
  const reader = Asset.make(`${name}_reader`, {
    description: "The text of a number",
    columns: Schema.Struct({ id: Column.text, seen: Column.nullable(Column.text) }),
    inputs: { documents: Asset.input(latest, PartitionMapping.byColumn("id"), { columns: ["id", "doc"] }) },
    write: WriteStrategy.upsert({ key: ["id"], version: "seen" }),
    compute: {
      sql: ({ documents }) =>
        sql`SELECT id, doc ->> 'n' AS seen, FALSE AS _deleted, '' AS _tie FROM ${documents} AS documents`
    }
  })
  return { log, latest, reader, graph: AssetGraph.fromIterable([log, latest, reader]) }
}

/** A dimension whose only attribute is a document, the observations' notes. */
const dimensionOf = (name: string, log: ReturnType<typeof events<string>>) =>
  Asset.make(name, {
    description: "Documents through time",
    columns: Schema.Struct({
      sk: Column.text,
      region: Column.text,
      doc: Column.nullable(Column.json),
      latest: Column.nullable(Column.json),
      valid_from: Column.timestamp,
      valid_to: Column.nullable(Column.timestamp),
      is_current: Column.boolean
    }),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("region"), { columns: ["region", "note", "at"] }) },
    write: WriteStrategy.scd2({
      key: ["region"],
      surrogateKey: "sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["doc"],
      latest: ["latest"]
    }),
    compute: {
      sql: ({ log }) =>
        sql`SELECT region, note::jsonb AS doc, note::jsonb AS latest, at AS valid_from, 1 AS _sequence FROM ${log} AS log`
    }
  })

const seenIn = (asset: Asset.Asset) =>
  Effect.gen(function* () {
    const pg = yield* Postgres
    const found = yield* pg.query(
      sql`SELECT doc::text AS doc FROM ${literal(`dev.${asset.name}`)} ORDER BY doc::text COLLATE "C"`,
      Schema.Struct({ doc: Schema.NullOr(Schema.String) })
    )
    return found.map(({ doc }) => doc)
  })

const differences = (asset: Asset.Asset<string, unknown, never>) =>
  transact(
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      const found = yield* warehouse.verify({ asset, scope: yield* scope("everything"), except: none })
      return [found.missing, found.unexpected]
    })
  )

const at = (day: string) => `${day}T10:00:00.000000Z`

describe("values that PostgreSQL calls equal and a reader tells apart", () => {
  it.layer(postgres)((it) => {
    it.effect("a number in a document that gains a digit is written, and reaches its readers (Verifies: L2)", () =>
      Effect.gen(function* () {
        const { graph, latest, log, reader } = documents("scaled")
        yield* prepare(graph)
        yield* land(graph, log, [event("a", { note: '{"n": 1.5}' }), event("b", { note: '{"n": 2}' })])
        yield* build(graph, latest)
        yield* build(graph, reader)
        yield* land(graph, log, [event("a", { line: 2, note: '{"n": 1.50}' })])
        // The line is not shown to the reader: only the text of the number tells the images apart.
        assert.deepStrictEqual(yield* build(graph, latest, { keys: ["a"] }), {
          counts: [0, 1, 0, 0],
          reached: { scaled_reader: ["a"] }
        })
        yield* build(graph, reader, { keys: ["a"] })
        assert.deepStrictEqual(yield* rows(reader, ["id", "seen"]), [
          ["a", "1.50"],
          ["b", "2"]
        ])
      })
    )

    it.effect("a document is written although nothing else of its row differs (Verifies: L2)", () =>
      Effect.gen(function* () {
        const log = events("only_log")
        const only = (name: string, of: string) =>
          Asset.make(name, {
            description: "One document",
            columns: Schema.Struct({ id: Column.text, doc: Column.nullable(Column.json) }),
            inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["id"] }) },
            write: WriteStrategy.replace({ key: ["id"] }),
            compute: { sql: ({ log }) => sql`SELECT id, ${of}::jsonb AS doc FROM ${log} AS log` }
          })
        const before = only("only", '[1.5, {"b": 1, "a": 2}]')
        const after = only("only", '[1.50, {"a": 2, "b": 1}]')
        yield* prepare(AssetGraph.fromIterable([log, before]))
        yield* land(AssetGraph.fromIterable([log, before]), log, [event("a")])
        yield* build(AssetGraph.fromIterable([log, before]), before)
        assert.deepStrictEqual(yield* differences(before), [0, 0])
        // Verification sees what a reader sees.
        assert.deepStrictEqual(yield* differences(after), [1, 1])
        assert.deepStrictEqual((yield* build(AssetGraph.fromIterable([log, after]), after)).counts, [0, 1, 0, 0])
        assert.deepStrictEqual(yield* seenIn(after), ['[1.50, {"a": 2, "b": 1}]'])
      })
    )

    it.effect("a tie between documents is broken by what can be seen of them (Verifies: L5)", () =>
      Effect.gen(function* () {
        const log = events("tied_log")
        const pg = yield* Postgres
        const winner = (order: ReadonlyArray<string>) =>
          Effect.gen(function* () {
            const asset = Asset.make("tied_values", {
              description: "Versions in the order of a list",
              columns: Schema.Struct({ id: Column.text, line: Column.integer, doc: Column.json }),
              inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["id"] }) },
              write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
              compute: {
                sql: () =>
                  sql`SELECT 'x' AS id, 1 AS line, jsonb_build_object('n', n::numeric) AS doc, FALSE AS _deleted, '' AS _tie
                    FROM unnest(${order}::text[]) WITH ORDINALITY AS v(n, o) ORDER BY o`
              }
            })
            yield* prepare(AssetGraph.fromIterable([log, asset]))
            yield* pg.execute(sql`DELETE FROM dev.tied_values`)
            yield* build(AssetGraph.fromIterable([log, asset]), asset)
            return yield* seenIn(asset)
          })
        assert.deepStrictEqual(yield* winner(["1.5", "1.500", "1.50"]), ['{"n": 1.5}'])
        assert.deepStrictEqual(yield* winner(["1.500", "1.50", "1.5"]), ['{"n": 1.5}'])
        assert.deepStrictEqual(yield* winner(["1.50", "1.5", "1.500"]), ['{"n": 1.5}'])
      })
    )

    it.effect("a tracked document opens a version when its text differs (Verifies: L2, L10)", () =>
      Effect.gen(function* () {
        const log = events("tracked_log")
        const dimension = dimensionOf("tracked", log)
        const graph = AssetGraph.fromIterable([log, dimension])
        yield* prepare(graph)
        yield* land(graph, log, [
          event("1", { note: '{"n": 1.5}', at: at("2024-03-01") }),
          event("2", { note: '{"n": 1.50}', at: at("2024-03-02") }),
          event("3", { note: '{ "n":1.50 }', at: at("2024-03-03") })
        ])
        yield* build(graph, dimension)
        assert.deepStrictEqual(yield* seenIn(dimension), ['{"n": 1.50}', '{"n": 1.5}'])
        assert.deepStrictEqual(yield* rows(dimension, ["valid_from", "valid_to"]), [
          [at("2024-03-01"), at("2024-03-02")],
          [at("2024-03-02"), null]
        ])
      })
    )

    it.effect("facts that see another text of an equal document are reached (Verifies: L2)", () =>
      Effect.gen(function* () {
        const log = events("shown_log")
        const changes = events("shown_changes")
        const dimension = dimensionOf("shown_dimension", changes)
        const shown = { columns: ["region", "doc", "valid_from", "valid_to"] } as const
        const compute = { sql: () => sql`SELECT NULL::date AS day WHERE FALSE` }
        const daily = Asset.make("shown_daily", {
          description: "Facts by day and document",
          columns: Schema.Struct({ day: Column.date }),
          partitions: Partitions.daily({ start: "2024-01-01" }),
          inputs: {
            facts: Asset.input(log, PartitionMapping.byColumn("day"), { columns: ["day", "region", "at"] }),
            regions: Asset.input(
              dimension,
              PartitionMapping.asOf({ facts: "facts", key: "region", at: "at", bounds: "compared" }),
              shown
            )
          },
          write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
          compute
        })
        const monthly = Asset.make("shown_monthly", {
          description: "Documents by month",
          columns: Schema.Struct({ day: Column.date }),
          partitions: Partitions.monthly({ start: "2024-01-01" }),
          inputs: {
            regions: Asset.input(dimension, PartitionMapping.onwards("valid_from", { bounds: "compared" }), shown)
          },
          write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
          compute
        })
        const graph = AssetGraph.fromIterable([log, changes, dimension, daily, monthly])
        yield* prepare(graph)
        yield* land(graph, log, [event("fact", { day: "2024-05-01", at: at("2024-05-01") })])
        yield* land(graph, changes, [event("1", { note: '{"n": 1.5}', at: at("2024-03-01") })])
        yield* build(graph, dimension)
        yield* land(graph, changes, [event("2", { note: '{"n": 1.50}', at: at("2024-04-01") })])
        assert.deepStrictEqual((yield* build(graph, dimension, { keys: ["north"] })).reached, {
          shown_daily: ["2024-05-01"],
          shown_monthly: ["<from> 2024-04-01"]
        })
      })
    )

    it.effect("keys are told apart by their bytes, whatever collation a compute gives them (Verifies: L2)", () =>
      Effect.gen(function* () {
        const pg = yield* Postgres
        yield* pg.execute(sql`CREATE COLLATION public.caseless
          (provider = icu, locale = 'und-u-ks-level2', deterministic = FALSE)`)
        const log = events("caseless_log")
        const latest = Asset.make("caseless", {
          description: "Latest line of each event",
          columns: Schema.Struct({ id: Column.text, line: Column.integer }),
          inputs: { log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "line"] }) },
          write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
          compute: {
            sql: ({ log }) =>
              sql`SELECT id COLLATE public.caseless AS id, line, FALSE AS _deleted, '' AS _tie FROM ${log} AS log`
          }
        })
        const view = Asset.make("caseless_view", {
          description: "The same, seen through a view",
          columns: Schema.Struct({ id: Column.text }),
          inputs: { latest: Asset.input(latest, PartitionMapping.all) },
          write: WriteStrategy.view,
          compute: { sql: ({ latest }) => sql`SELECT id COLLATE public.caseless AS id FROM ${latest} AS latest` }
        })
        const counted = Asset.make("caseless_count", {
          description: "How many of each there are",
          columns: Schema.Struct({ id: Column.text, events: Column.integer }),
          inputs: { view: Asset.input(view, PartitionMapping.all) },
          write: WriteStrategy.replace({ key: ["id"] }),
          compute: { sql: ({ view }) => sql`SELECT id, count(*) AS events FROM ${view} AS v GROUP BY id` }
        })
        const graph = AssetGraph.fromIterable([log, latest, view, counted])
        yield* prepare(graph)
        yield* land(graph, log, [event("a"), event("A", { line: 2 })])
        yield* build(graph, latest)
        yield* build(graph, counted)
        assert.deepStrictEqual(yield* rows(counted, ["id", "events"]), [
          ["A", "1"],
          ["a", "1"]
        ])
        assert.deepStrictEqual(yield* rows(latest, ["id", "line"]), [
          ["A", "2"],
          ["a", "1"]
        ])
        yield* pg.execute(
          sql`CREATE TABLE dev.foreign_texts (id text COLLATE public.caseless PRIMARY KEY, line bigint NOT NULL)`
        )
        const foreign = Asset.make("foreign_texts", {
          description: "A table that somebody else made",
          columns: Schema.Struct({ id: Column.text, line: Column.integer }),
          inputs: { log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "line"] }) },
          write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
          compute: { sql: ({ log }) => sql`SELECT *, FALSE AS _deleted, '' AS _tie FROM ${log} AS log` }
        })
        assert.match(
          yield* refusal(prepare(AssetGraph.fromIterable([log, foreign]))),
          /^SchemaMismatch: .*In the table, but not declared: id text collate "caseless" not null\./
        )
      })
    )

    it.effect("what a query leaves open decides nothing (Verifies: L5)", () =>
      Effect.gen(function* () {
        const log = events("open_log")
        const latest = Asset.make("open_latest", {
          description: "Candidates about which something is unknown",
          columns: Schema.Struct({ id: Column.integer, line: Column.integer, note: Column.text }),
          inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["id"] }) },
          write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
          compute: {
            // Keys and versions are texts, several of which are one number.
            sql: () => sql`SELECT * FROM (VALUES
              ('7', '1', 'known', FALSE, 'x'), ('07', '+1', 'unknown', NULL, NULL), ('8', '1', 'alone', NULL, ''),
              ('9', '10', 'later', FALSE, ''), ('9', '9', 'earlier', FALSE, '')
            ) AS v(id, line, note, _deleted, _tie)`
          }
        })
        const dimension = Asset.make("open_dimension", {
          description: "Observations of one instant, in an order that texts tell",
          columns: Dimension.columns,
          inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["id"] }) },
          write: Dimension.write,
          compute: {
            sql: () => sql`SELECT v.*, NULL::numeric AS price, NULL AS email, NULL AS channel,
                '2024-03-01Z'::timestamptz AS valid_from
              FROM (VALUES ('a', 'ninth', '9'), ('a', 'tenth', '10'), ('b', 'first', '1'), ('b', 'unknown', NULL))
              AS v(region, segment, _sequence)`
          }
        })
        const graph = AssetGraph.fromIterable([log, latest, dimension])
        yield* prepare(graph)
        yield* build(graph, latest)
        assert.deepStrictEqual(yield* rows(latest, ["id", "line", "note"]), [
          ["7", "1", "known"],
          ["8", "1", "alone"],
          ["9", "10", "later"]
        ])
        yield* build(graph, dimension)
        assert.deepStrictEqual(yield* rows(dimension, ["region", "segment"]), [
          ["a", "tenth"],
          ["b", "first"]
        ])
      })
    )

    it.effect(
      "a value that no canonical text stands for is refused, and the previous rows stay (Verifies: L2, L11)",
      () =>
        Effect.gen(function* () {
          const log = events("domain_log")
          const asset = Asset.make("domain", {
            description: "Values as notes say them",
            columns: Schema.Struct({
              id: Column.text,
              day: Column.nullable(Column.date),
              at: Column.nullable(Column.timestamp),
              whole: Column.nullable(Column.integer),
              exact: Column.nullable(Column.decimal({ precision: 12, scale: 2 }))
            }),
            inputs: {
              log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "kind", "note", "line"] })
            },
            write: WriteStrategy.upsert({ key: ["id"], version: "whole" }),
            checks: [AssetCheck.notNull("id")],
            compute: {
              sql: ({ log }) => sql`SELECT id,
              CASE kind WHEN 'day' THEN note::date END AS day, CASE kind WHEN 'at' THEN note::timestamptz END AS at,
              CASE kind WHEN 'whole' THEN note::bigint END AS whole, CASE kind WHEN 'exact' THEN note::numeric END AS exact,
              FALSE AS _deleted, '' AS _tie FROM ${log} AS log`
            }
          })
          const graph = AssetGraph.fromIterable([log, asset])
          yield* prepare(graph)
          const said = (kind: string, note: string) => event(`${kind} ${note}`, { kind, note })
          const whole = String(Number.MAX_SAFE_INTEGER)
          const good = [
            said("day", "0001-01-01"),
            said("day", "9999-12-31"),
            said("at", "0001-01-01 00:00:00+00"),
            said("at", "9999-12-31 23:59:59.999999+00"),
            said("whole", whole),
            said("whole", `-${whole}`),
            said("exact", "-9999999999.99")
          ]
          yield* land(graph, log, good)
          assert.deepStrictEqual((yield* build(graph, asset)).counts, [good.length, 0, 0, 0])
          const bad = [
            said("day", "infinity"),
            said("day", "-infinity"),
            said("day", "0001-12-31 BC"),
            said("day", "10000-01-01"),
            said("at", "infinity"),
            said("at", "-infinity"),
            said("at", "0001-12-31 23:59:59+00 BC"),
            said("at", "10000-01-01 00:00:00+00"),
            said("whole", String(BigInt(whole) + 1n)),
            said("whole", String(-BigInt(whole) - 1n)),
            said("exact", "NaN")
          ]
          for (const one of bad) {
            yield* land(graph, log, [one])
            assert.match(
              yield* refusal(build(graph, asset, { keys: [one.id] })),
              new RegExp(`^DataQuality: .*"${one.kind} is out of range"`)
            )
          }
          assert.strictEqual((yield* rows(asset, ["id"])).length, good.length)
        })
    )

    it.effect("a day that only the session's zone could tell is the same in every session (Verifies: L5)", () =>
      Effect.gen(function* () {
        const log = events("zoned_log")
        const daily = Asset.make("zoned", {
          description: "Events by day",
          columns: Schema.Struct({ day: Column.date, id: Column.text }),
          partitions: Partitions.daily({ start: "2024-01-01" }),
          inputs: { log: Asset.input(log, PartitionMapping.byColumn("at"), { columns: ["id", "at"] }) },
          write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
          // A timestamp goes into a date column by the session's time zone, which a step sets.
          compute: { sql: ({ log }) => sql`SELECT at AS day, id FROM ${log} AS log` }
        })
        const graph = AssetGraph.fromIterable([log, daily])
        yield* prepare(graph)
        const pg = yield* Postgres
        yield* land(graph, log, [event("late", { at: "2024-03-01T23:30:00.000000Z" })])
        yield* transact(
          Effect.gen(function* () {
            yield* pg.execute(sql`SET LOCAL TimeZone = 'Asia/Kathmandu'`)
            yield* build(graph, daily, partitions(daily, "2024-03-01"))
          })
        )
        assert.deepStrictEqual(yield* rows(daily, ["day"]), [["2024-03-01"]])
      })
    )
  })
})
