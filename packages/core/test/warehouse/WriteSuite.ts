import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Services } from "./layers.ts"
import { build, event, events, land, prepare, refusal, rows, transact } from "./World.ts"

/** The latest version of each event: a deletion wins at equal lines, then the note. */
const latest = (name: string) => {
  const log = events(`${name}_log`)
  const asset = Asset.make(name, {
    description: "Latest version of each event",
    columns: Schema.Struct({
      id: Column.text,
      line: Column.integer,
      amount: Column.nullable(Column.decimal({ precision: 12, scale: 2 })),
      note: Column.nullable(Column.text)
    }),
    inputs: {
      log: Asset.input(log, PartitionMapping.byColumn("id"), {
        columns: ["id", "line", "amount", "note", "isDeleted"],
        where: { kind: ["sale", "refund"] }
      })
    },
    write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
    compute: {
      sql: ({ log }) =>
        sql`SELECT id, line, amount, note, "isDeleted" AS _deleted, coalesce(note, '') AS _tie FROM ${log} AS log`,
      rows: ({ log }) => log.map((row) => ({ ...row, _deleted: row.isDeleted, _tie: row.note ?? "" }))
    }
  })
  return { log, asset, graph: AssetGraph.fromIterable([log, asset]) }
}

/** Branches by region and number: a key of two columns. */
const branches = (name: string) => {
  const log = events(`${name}_log`)
  const asset = Asset.make(name, {
    description: "Latest note of each branch",
    columns: Schema.Struct({
      region: Column.text,
      branch: Column.integer,
      line: Column.integer,
      note: Column.nullable(Column.text)
    }),
    inputs: {
      log: Asset.input(log, PartitionMapping.byColumn("region", "branch"), {
        columns: ["region", "branch", "line", "note"]
      })
    },
    write: WriteStrategy.upsert({ key: ["region", "branch"], version: "line" }),
    compute: {
      sql: ({ log }) => sql`SELECT *, FALSE AS _deleted, coalesce(note, '') AS _tie FROM ${log} AS log`,
      rows: ({ log }) => log.map((row) => ({ ...row, _deleted: false, _tie: row.note ?? "" }))
    }
  })
  return { log, asset, graph: AssetGraph.fromIterable([log, asset]) }
}

/** Every warehouse must pass this suite: logs, latest versions and whole tables. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse writes (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("keeps every value of a landed row exactly", () =>
        Effect.gen(function* () {
          const log = events("exact_log")
          yield* prepare(AssetGraph.make([log]))
          yield* land(AssetGraph.make([log]), log, [
            event('\u{1F600} "quoted\\"\n{NULL},', {
              line: Number.MAX_SAFE_INTEGER,
              at: "1969-12-31T23:59:59.999999Z",
              amount: "-9999999999.99",
              note: "",
              extra: { z: [1, null, "x"], a: { nested: true } }
            }),
            event("null", { day: null, at: null, amount: null, note: null, extra: null })
          ])
          assert.deepStrictEqual(
            yield* rows(log, ["id", "line", "day", "at", "amount", "note", "isDeleted", "extra"]),
            [
              ["null", "1", null, null, null, null, "false", null],
              [
                '\u{1F600} "quoted\\"\n{NULL},',
                "9007199254740991",
                "2024-03-01",
                "1969-12-31T23:59:59.999999Z",
                "-9999999999.99",
                "",
                "false",
                '{"a":{"nested":true},"z":[1,null,"x"]}'
              ]
            ]
          )
        })
      )

      it.effect("leaves out landed rows that agree with a stored one, where null agrees with null", () =>
        Effect.gen(function* () {
          const log = events("known_log")
          const graph = AssetGraph.make([log])
          yield* prepare(graph)
          assert.deepStrictEqual(
            (yield* land(graph, log, [event("a"), event("b", { note: "x" })])).counts,
            [2, 0, 0, 0]
          )
          const again = [event("a", { line: 2 }), event("b", { line: 2 }), event("c")]
          assert.deepStrictEqual((yield* land(graph, log, again, ["id", "note"])).counts, [2, 0, 0, 1])
          assert.deepStrictEqual(yield* rows(log, ["id", "line"]), [
            ["a", "1"],
            ["b", "1"],
            ["b", "2"],
            ["c", "1"]
          ])
          assert.deepStrictEqual((yield* land(graph, log, [], ["id"])).counts, [0, 0, 0, 0])
        })
      )

      it.effect("lands all rows of a batch or none", () =>
        Effect.gen(function* () {
          const log = events("batch_log")
          const graph = AssetGraph.make([log])
          yield* prepare(graph)
          yield* land(graph, log, [event("a")])
          assert.match(yield* refusal(land(graph, log, [event("b"), event("a", { note: "other" })])), /^DataQuality: /)
          assert.match(yield* refusal(land(graph, log, [event("b"), event("b")])), /^DataQuality: /)
          assert.deepStrictEqual(yield* rows(log, ["id", "note"]), [["a", null]])
        })
      )

      it.effect("chooses the winner of a key by version, deletion and the bytes of the tie", () =>
        Effect.gen(function* () {
          const { asset, graph, log } = latest("winner")
          yield* prepare(graph)
          yield* land(graph, log, [
            event("version", { line: 2, note: "older" }),
            event("version", { line: 10, note: "newer" }),
            event("deleted", { line: 1, note: "z" }),
            event("absent", { line: 1 }),
            event("absent", { line: 2, isDeleted: true }),
            event("hidden", { kind: "other" })
          ])
          assert.deepStrictEqual((yield* build(graph, asset)).counts, [2, 0, 0, 0])
          assert.deepStrictEqual(yield* rows(asset, ["id", "note"]), [
            ["deleted", "z"],
            ["version", "newer"]
          ])
        })
      )

      it.effect("breaks ties by UTF-8 bytes, as collation C does", () =>
        Effect.gen(function* () {
          const log = events("tie_log")
          const asset = Asset.make("tie", {
            description: "Greatest note",
            columns: Schema.Struct({ region: Column.text, branch: Column.integer, note: Column.nullable(Column.text) }),
            inputs: { log: Asset.input(log, PartitionMapping.byColumn("region")) },
            write: WriteStrategy.upsert({ key: ["region"], version: "branch" }),
            compute: {
              sql: ({ log }) =>
                sql`SELECT region, branch, note, "isDeleted" AS _deleted, coalesce(note, '') AS _tie FROM ${log} AS log`,
              rows: ({ log }) => log.map((row) => ({ ...row, _deleted: row.isDeleted, _tie: row.note ?? "" }))
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          yield* land(graph, log, [
            event("1", { note: "\uFFFD" }),
            event("2", { note: "\u{1F600}" }),
            event("3", { note: "Z" }),
            event("4", { region: "south", note: "a" }),
            event("5", { region: "south", note: "B" }),
            event("6", { region: "west", note: "z" }),
            event("7", { region: "west", note: "a", isDeleted: true })
          ])
          yield* build(graph, asset)
          assert.deepStrictEqual(yield* rows(asset, ["region", "note"]), [
            ["north", "\u{1F600}"],
            ["south", "a"]
          ])
        })
      )

      it.effect("rebuilds the asked keys and leaves all others as they are", () =>
        Effect.gen(function* () {
          const { asset, graph, log } = latest("asked")
          yield* prepare(graph)
          yield* land(graph, log, [event("a"), event("b"), event("c"), event("d")])
          assert.deepStrictEqual((yield* build(graph, asset)).counts, [4, 0, 0, 0])
          const { reached } = yield* land(graph, log, [
            event("a", { line: 2, note: "changed" }),
            event("b", { line: 2, isDeleted: true }),
            event("c", { line: 2, note: "not asked for" }),
            event("e")
          ])
          assert.deepStrictEqual(reached, { asked: ["a", "b", "c", "e"] })
          assert.deepStrictEqual((yield* build(graph, asset, { keys: ["a", "b", "e", "gone"] })).counts, [1, 1, 1, 0])
          assert.deepStrictEqual(yield* rows(asset, ["id", "line", "note"]), [
            ["a", "2", "changed"],
            ["c", "1", null],
            ["d", "1", null],
            ["e", "1", null]
          ])
          assert.deepStrictEqual((yield* build(graph, asset)).counts, [0, 1, 0, 3])
        })
      )

      it.effect("tells keys of several columns apart", () =>
        Effect.gen(function* () {
          const { asset, graph, log } = branches("pair")
          yield* prepare(graph)
          const first = yield* land(graph, log, [
            event("1", { region: "a", branch: 1 }),
            event("2", { region: "a", branch: 12 }),
            event("3", { region: '"b", \\', branch: -1 })
          ])
          assert.deepStrictEqual(first.reached, { pair: ['["\\"b\\", \\\\", "-1"]', '["a", "1"]', '["a", "12"]'] })
          yield* build(graph, asset)
          yield* land(graph, log, [
            event("4", { region: "a", branch: 1, line: 2, note: "x" }),
            event("5", { region: "a", branch: 12, line: 2, note: "x" }),
            event("6", { region: '"b", \\', branch: -1, line: 2, note: "x" })
          ])
          const keys = ['["a", "12"]', '["\\"b\\", \\\\", "-1"]']
          assert.deepStrictEqual((yield* build(graph, asset, { keys })).counts, [0, 2, 0, 0])
          assert.deepStrictEqual(yield* rows(asset, ["region", "branch", "note"]), [
            ['"b", \\', "-1", "x"],
            ["a", "1", null],
            ["a", "12", "x"]
          ])
        })
      )

      it.effect("changes nothing when nothing is new (Verifies: L6)", () =>
        Effect.gen(function* () {
          const { asset, log } = latest("quiet")
          const reader = Asset.make("quiet_reader", {
            description: "Reads the latest versions",
            columns: Schema.Struct({ id: Column.text, line: Column.integer }),
            inputs: { latest: Asset.input(asset, PartitionMapping.byColumn("id")) },
            write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
            compute: {
              sql: ({ latest }) => sql`SELECT id, line, FALSE AS _deleted, '' AS _tie FROM ${latest} AS latest`,
              rows: ({ latest }) => latest.map((row) => ({ ...row, _deleted: false, _tie: "" }))
            }
          })
          const graph = AssetGraph.fromIterable([log, asset, reader])
          yield* prepare(graph)
          yield* land(graph, log, [event("a"), event("b", { amount: "0.10" })])
          assert.deepStrictEqual(yield* build(graph, asset), {
            counts: [2, 0, 0, 0],
            reached: { quiet_reader: ["a", "b"] }
          })
          assert.deepStrictEqual(yield* build(graph, asset), { counts: [0, 0, 0, 2], reached: { quiet_reader: [] } })
          assert.deepStrictEqual(yield* build(graph, asset, { keys: ["b"] }), {
            counts: [0, 0, 0, 1],
            reached: { quiet_reader: [] }
          })
          // A winner that says the same is no change.
          yield* land(graph, log, [event("b", { line: 1, amount: "0.1", batch: "b2", kind: "refund", id: "b2" })])
          assert.deepStrictEqual(yield* build(graph, asset, { keys: ["b"] }), {
            counts: [0, 0, 0, 1],
            reached: { quiet_reader: [] }
          })
        })
      )

      it.effect("refuses rows of units that were not asked for, and names them", () =>
        Effect.gen(function* () {
          const log = events("stranger_log")
          const asset = Asset.make("stranger", {
            description: "Returns a row of its own making",
            columns: Schema.Struct({ id: Column.text, line: Column.integer }),
            inputs: { log: Asset.input(log, PartitionMapping.byColumn("id"), { columns: ["id", "line"] }) },
            write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
            compute: {
              sql: ({ log }) =>
                sql`SELECT id, line, FALSE AS _deleted, '' AS _tie FROM ${log} AS log UNION ALL SELECT 'foreign', 1, FALSE, ''`,
              rows: ({ log }) =>
                [...log, { id: "foreign", line: 1 }].map((row) => ({ ...row, _deleted: false, _tie: "" }))
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          yield* land(graph, log, [event("a"), event("b")])
          const message = yield* refusal(build(graph, asset, { keys: ["a"] }))
          assert.match(
            message,
            /^DataQuality: the compute returned 1 rows for "foreign", which it was not asked to build/
          )
          // A step of one key would never remove what a whole build had written under it.
          assert.match(
            yield* refusal(build(graph, asset)),
            /^DefinitionFault: the compute of "[a-z_]+" returned 1 rows for "foreign", which no row of its inputs names. Each row's id must be .*: id of log\./
          )
          assert.deepStrictEqual(yield* rows(asset, ["id"]), [])
        })
      )

      it.effect("refuses a null where the column allows none, and keeps the previous rows (Verifies: L11)", () =>
        Effect.gen(function* () {
          const log = events("strict_log")
          const asset = Asset.make("strict", {
            description: "Amounts that must be there",
            columns: Schema.Struct({ id: Column.text, amount: Column.decimal({ precision: 12, scale: 2 }) }),
            inputs: { log: Asset.input(log, PartitionMapping.all) },
            write: WriteStrategy.replace({ key: ["id"] }),
            compute: {
              sql: ({ log }) => sql`SELECT id, amount FROM ${log} AS log`,
              rows: ({ log }) => log.map(careless)
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          yield* land(graph, log, [event("a")])
          yield* build(graph, asset)
          yield* land(graph, log, [event("b"), event("c", { amount: null })])
          assert.match(yield* refusal(build(graph, asset)), /^DataQuality: .*"amount"/)
          assert.deepStrictEqual(yield* rows(asset, ["id"]), [["a"]])
        })
      )

      it.effect("refuses two rows of one key, also where one of them is stored already", () =>
        Effect.gen(function* () {
          const log = events("double_log")
          const asset = Asset.make("double", {
            description: "One row per event id",
            columns: Schema.Struct({ id: Column.text, note: Column.nullable(Column.text) }),
            inputs: { log: Asset.input(log, PartitionMapping.all) },
            write: WriteStrategy.replace({ key: ["id"] }),
            compute: { sql: ({ log }) => sql`SELECT id, note FROM ${log} AS log`, rows: ({ log }) => log }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          yield* land(graph, log, [event("a"), event("b")])
          yield* build(graph, asset)
          yield* land(graph, log, [event("a", { line: 2, note: "x" })])
          assert.match(
            yield* refusal(build(graph, asset)),
            /^DataQuality: 1 key belongs to more than one row, .*\["a"\]/
          )
          assert.deepStrictEqual(yield* rows(asset, ["id", "note"]), [
            ["a", null],
            ["b", null]
          ])
          yield* land(graph, log, [event("c"), event("c", { line: 2 })])
          assert.match(yield* refusal(build(graph, asset)), /^DataQuality: 2 keys belong to more than one row/)
        })
      )

      it.effect("replaces a whole table by its difference", () =>
        Effect.gen(function* () {
          const log = events("whole_log")
          const asset = Asset.make("whole", {
            description: "Amount per region",
            columns: Schema.Struct({ region: Column.text, amount: Column.decimal({ precision: 14, scale: 2 }) }),
            inputs: {
              log: Asset.input(log, PartitionMapping.all, {
                columns: ["id", "region", "amount"],
                where: { kind: ["sale"] }
              })
            },
            write: WriteStrategy.replace({ key: ["region"] }),
            compute: {
              sql: ({ log }) => sql`SELECT region, sum(amount) AS amount FROM ${log} AS log GROUP BY region`,
              rows: ({ log }) =>
                Array.from(
                  Map.groupBy(amounts(log), ({ region }) => region),
                  ([region, group]) => ({
                    region,
                    amount: BigDecimal.sumAll(group.map(({ amount }) => amount))
                  })
                )
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          const first = yield* land(graph, log, [
            event("1"),
            event("2", { amount: "2.50" }),
            event("3", { region: "south" }),
            event("4", { region: "west", amount: "0.05" })
          ])
          assert.deepStrictEqual(first.reached, { whole: ["<all>"] })
          assert.deepStrictEqual((yield* build(graph, asset)).counts, [3, 0, 0, 0])
          const unseen = yield* land(graph, log, [event("5", { kind: "other" })])
          assert.deepStrictEqual(unseen.reached, { whole: [] })
          yield* land(graph, log, [event("6", { region: "west", amount: "-0.05" }), event("7", { region: "east" })])
          assert.deepStrictEqual((yield* build(graph, asset, { keys: ["*"] })).counts, [1, 1, 0, 2])
          assert.deepStrictEqual(yield* rows(asset, ["region", "amount"]), [
            ["east", "1.00"],
            ["north", "3.50"],
            ["south", "1.00"],
            ["west", "0.00"]
          ])
        })
      )

      it.effect("reads a view as it is now, also through another view", () =>
        Effect.gen(function* () {
          const { asset, log } = latest("viewed")
          const view = Asset.make("viewed_view", {
            description: "Latest versions with an amount",
            columns: Schema.Struct({ id: Column.text, amount: Column.decimal({ precision: 12, scale: 2 }) }),
            inputs: { latest: Asset.input(asset, PartitionMapping.all) },
            write: WriteStrategy.view,
            compute: {
              sql: ({ latest }) => sql`SELECT id, amount FROM ${latest} AS latest WHERE amount IS NOT NULL`,
              rows: ({ latest }) => amounts(latest)
            }
          })
          const total = Asset.make("viewed_total", {
            description: "Total of the view",
            columns: Schema.Struct({
              name: Column.text,
              amount: Column.nullable(Column.decimal({ precision: 14, scale: 2 }))
            }),
            inputs: { view: Asset.input(view, PartitionMapping.all, { columns: ["amount"] }) },
            write: WriteStrategy.view,
            compute: {
              sql: ({ view }) => sql`SELECT 'total' AS name, sum(amount) AS amount FROM ${view} AS view`,
              rows: ({ view }) => [{ name: "total", amount: BigDecimal.sumAll(view.map(({ amount }) => amount)) }]
            }
          })
          const graph = AssetGraph.fromIterable([log, asset, view, total])
          yield* prepare(graph)
          yield* land(graph, log, [event("a", { amount: "1.25" }), event("b", { amount: null }), event("c")])
          yield* build(graph, asset)
          assert.deepStrictEqual(yield* rows(view, ["id", "amount"]), [
            ["a", "1.25"],
            ["c", "1.00"]
          ])
          assert.deepStrictEqual(yield* rows(total, ["name", "amount"]), [["total", "2.25"]])
          yield* land(graph, log, [event("c", { line: 2, amount: "3" })])
          const { reached } = yield* build(graph, asset, { keys: ["c"] })
          assert.deepStrictEqual(reached, { viewed_view: ["<all>"] })
          assert.deepStrictEqual(yield* rows(total, ["name", "amount"]), [["total", "4.25"]])
        })
      )

      it.effect("forgets everything that a failed transaction wrote (Verifies: L3)", () =>
        Effect.gen(function* () {
          const { asset, graph, log } = latest("undone")
          yield* prepare(graph)
          yield* land(graph, log, [event("a")])
          yield* build(graph, asset)
          const failing = transact(
            Effect.gen(function* () {
              yield* land(graph, log, [event("a", { line: 2, isDeleted: true }), event("b")])
              assert.deepStrictEqual((yield* build(graph, asset)).counts, [1, 0, 1, 0])
              return yield* Effect.fail("too late" as const)
            })
          )
          assert.strictEqual(yield* Effect.flip(failing), "too late")
          assert.deepStrictEqual(yield* rows(log, ["id", "line"]), [["a", "1"]])
          assert.deepStrictEqual(yield* rows(asset, ["id", "line"]), [["a", "1"]])
          assert.deepStrictEqual((yield* build(graph, asset)).counts, [0, 0, 0, 1])
        })
      )

      it.effect("reports a table of another shape than its asset declares", () =>
        Effect.gen(function* () {
          const { graph, log } = latest("shape")
          yield* prepare(graph)
          yield* prepare(graph)
          const changed = Asset.make("shape", {
            description: "The same table with other columns",
            columns: Schema.Struct({ id: Column.text, line: Column.nullable(Column.integer), day: Column.date }),
            inputs: { log: Asset.input(log, PartitionMapping.all) },
            write: WriteStrategy.replace({ key: ["id"] }),
            compute: { sql: ({ log }) => sql`SELECT id, line, day FROM ${log} AS log`, rows: () => [] }
          })
          const message = yield* refusal(prepare(AssetGraph.fromIterable([log, changed])))
          assert.strictEqual(
            message,
            'SchemaMismatch: table "shape" exists with other columns than the asset declares. Declared, but not in the ' +
              "table: line bigint, day date not null. In the table, but not declared: line bigint not null, amount " +
              "numeric(12,2), note text. Alter the table to the declared shape, or drop it and materialize the asset again."
          )
        })
      )
    })
  })

// --- internal ---

/** Passes the type checker, as careless code does, and yet lets a null through. */
const careless = <A extends { readonly amount: BigDecimal.BigDecimal | null }>(row: A) =>
  Object.assign({ amount: BigDecimal.fromBigInt(0n) }, row)

const amounts = <A extends { readonly amount: BigDecimal.BigDecimal | null }>(found: ReadonlyArray<A>) =>
  found.flatMap((row) => (row.amount === null ? [] : [{ ...row, amount: row.amount }]))
