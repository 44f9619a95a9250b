import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { identifier, list, sql } from "@assay/core/Sql"
import { none } from "@assay/core/Unit"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Services } from "./layers.ts"
import { build, partitions, prepare, rows, scope, transact, type Units } from "./World.ts"

const some = Column.nullable(Column.text)

/** What a query might call its own parts, keywords, and whatever else PostgreSQL lets a column be called. */
const names = {
  a: some, b: some, c: some, d: some, e: some, f: some, g: some, k: some, l: some, m: some, n: some, o: some, p: some,
  q: some, r: some, s: some, t: some, u: some, v: some, w: some,
  asked: some, b1: some, candidate: some, changed: some, come: some, compared: some, computed: some, examples: some,
  gone: some, hash: some, instant: some, key: some, landed: some, listed: some, missing: some, name: some,
  observation: some, observed: some, position: some, reached: some, repeated: some, rows: some, staged: some,
  stranger: some, unexpected: some, unit: some, units: some, version: some, violations: some, whole: some, winner: some,
  window_start: some, window_end: some, _is_new: some, _exists: some, _next: some, _position: some, _opens: some,
  _valid_until: some,
  all: some, and: some, array: some, column: some, default: some, end: some, excluded: some, from: some, in: some,
  lag: some, not: some, null: some, over: some, row: some, table: some, true: some, where: some, with: some,
  Mixed: some, mixed: some, "two words": some, 'qu"ot\'ed': some, "a.b": some, "$1": some, "--": some, "\\": some,
  "ümläut": some, "列": some, "\u{1F600}": some, constructor: some, toString: some, " ": some,
  [`${"é".repeat(31)}!`]: some
} // prettier-ignore

const fields = {
  order: Column.text,
  group: Column.integer,
  user: Column.text,
  when: Column.timestamp,
  select: Column.date,
  ...names
}

const logColumns = Schema.Struct({ ...fields, batch: Column.text, loaded: Column.timestamp })

type Logged = (typeof logColumns)["Type"]

const blank = Object.fromEntries(Object.keys(names).map((name) => [name, `value of ${name}`]))

const decode = Schema.decodeUnknownSync(logColumns)

const said = (
  order: string,
  group: number,
  day: string,
  said: { readonly [column: string]: string | null } = {}
): Logged =>
  decode({
    ...blank,
    order,
    group,
    user: "somebody",
    when: `${day}T10:00:00.000000Z`,
    select: day,
    batch: "1",
    loaded: `${day}T10:00:00.000000Z`,
    ...said
  })

const world = () => {
  const log = Asset.source("names_log", {
    description: "Everything under odd names",
    columns: logColumns,
    write: WriteStrategy.append({ key: ["order", "group", "when"], batch: "batch", loadedAt: "loaded" }),
    source: {
      description: "nothing of its own",
      discover: () => Effect.succeed([]),
      read: () => Stream.empty,
      replay: () => Effect.succeed([])
    }
  })
  const columns = Schema.Struct(fields)
  const latest = Asset.make("names_latest", {
    description: "The latest of each",
    columns,
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("order", "group")) },
    write: WriteStrategy.upsert({ key: ["order", "group"], version: "when" }),
    checks: [AssetCheck.notNull("v"), AssetCheck.unique("rows", "v"), AssetCheck.acceptedValues("r", ["value of r"])],
    compute: {
      sql: ({ log }) => sql`SELECT ${list(Object.keys(fields).map((name) => identifier(name)))},
        FALSE AS _deleted, '' AS _tie FROM ${log} AS log`,
      rows: ({ log }) => log.map((row) => ({ ...row, _deleted: false, _tie: "" }))
    }
  })
  const dimension = Asset.make("names_dimension", {
    description: "Users through time",
    columns: Schema.Struct({
      t: Column.text,
      user: Column.text,
      v: Column.timestamp,
      m: Column.nullable(Column.timestamp),
      u: Column.boolean,
      r: some,
      w: some,
      o: some,
      _position: some
    }),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("user")) },
    write: WriteStrategy.scd2({
      key: ["user"],
      surrogateKey: "t",
      validFrom: "v",
      validTo: "m",
      isCurrent: "u",
      tracked: ["r", "_position"],
      latest: ["w"],
      fixed: ["o"]
    }),
    compute: {
      sql: ({ log }) => sql`SELECT "user", "when" AS v, r, w, o, _position, "group" AS _sequence FROM ${log} AS log`,
      rows: ({ log }) =>
        log.map(({ _position, group, o, r, user, w, when }) => ({
          user,
          v: when,
          r,
          w,
          o,
          _position,
          _sequence: group
        }))
    }
  })
  const daily = Asset.make("names_daily", {
    description: "The latest of each by day, with its user",
    columns: Schema.Struct({ ...fields, j: some }),
    partitions: Partitions.daily({ start: "2024-01-01" }),
    inputs: {
      f: Asset.input(latest, PartitionMapping.byColumn("select")),
      o: Asset.input(dimension, PartitionMapping.asOf({ facts: "f", key: "user", at: "when", bounds: "compared" }), {
        columns: ["user", "v", "m", "r", "o"]
      })
    },
    write: WriteStrategy.replacePartitions("select", { key: ["select", "order", "group"] }),
    checks: [
      AssetCheck.notNull("v"),
      AssetCheck.unique("rows", "v"),
      AssetCheck.acceptedValues("r", ["value of r"]),
      AssetCheck.relationship("v", { input: "f", to: "u" }),
      AssetCheck.condition("v is m", { sql: sql`v = m`, holds: ({ m, v }) => v === null || m === null || v === m }),
      AssetCheck.violations("nobody", {
        sql: ({ rows }) => sql`SELECT * FROM ${rows} AS r`,
        violations: (rows) => rows
      })
    ],
    compute: {
      sql: ({ f, o }) => sql`SELECT facts.*, held.r AS j FROM ${f} AS facts LEFT JOIN ${o} AS held
        ON held."user" = facts."user" AND held.v <= facts."when" AND (held.m IS NULL OR facts."when" < held.m)`,
      rows: ({ f, o }) =>
        f.map((fact) => ({
          ...fact,
          j:
            o.find(({ m, user, v }) => user === fact.user && v <= fact.when && (m === null || fact.when < m))?.r ?? null
        }))
    }
  })
  const view = Asset.make("names_view", {
    description: "Seen through a view",
    columns,
    inputs: { daily: Asset.input(daily, PartitionMapping.all) },
    write: WriteStrategy.view,
    compute: { sql: ({ daily }) => sql`SELECT * FROM ${daily} AS d`, rows: ({ daily }) => daily }
  })
  return { log, latest, dimension, daily, view, graph: AssetGraph.fromIterable([log, latest, dimension, daily, view]) }
}

const land = (asset: Asset.Asset, landed: ReadonlyArray<Logged>) =>
  transact(
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      return yield* warehouse.land({ asset, rows: landed, knownBy: Object.keys(fields) })
    })
  )

const examined = (asset: Asset.Asset<string, unknown, never>, units: Units) =>
  transact(
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      const within = yield* scope(units)
      return {
        checks: yield* warehouse.check({ asset, scope: within }),
        difference: yield* warehouse.verify({ asset, scope: within, except: none })
      }
    })
  )

const columnsOf = (asset: Asset.Asset) => asset.columns.map(({ name }) => name)

/** Every warehouse must pass this suite: whatever PostgreSQL lets a column be called, an asset may call it. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse names (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("a column may be called like a part of a query, a keyword or anything else (Verifies: L2, L11)", () =>
        Effect.gen(function* () {
          const { daily, dimension, graph, latest, log, view } = world()
          yield* prepare(graph)
          yield* prepare(graph)
          const first = said("a", 1, "2024-03-01")
          const landed = [first, said("b", 1, "2024-03-02", { v: null, r: "other", u: null })]
          assert.strictEqual((yield* land(log, landed)).inserted, 2)
          assert.strictEqual((yield* land(log, [{ ...first, batch: "2" }])).inserted, 0)
          assert.deepStrictEqual(yield* build(graph, latest, { keys: ['["a", "1"]', '["b", "1"]'] }), {
            counts: [2, 0, 0, 0],
            reached: { names_daily: ["2024-03-01", "2024-03-02"] }
          })
          yield* build(graph, dimension, { keys: ["somebody"] })
          const days = partitions(daily, "2024-03-01", "2024-03-02")
          yield* build(graph, daily, days)
          const texts = new Map(Object.entries({ ...first, group: "1", j: "value of r" }))
          for (const asset of [latest, daily, view]) {
            const [stored] = yield* rows(asset, columnsOf(asset))
            assert.deepStrictEqual(
              stored,
              columnsOf(asset).map((column) => texts.get(column) ?? null)
            )
          }

          const { checks, difference } = yield* examined(daily, days)
          assert.deepStrictEqual(difference, { missing: 0, unexpected: 0, examples: [] })
          assert.deepStrictEqual(
            checks.map(({ check, violations }) => [check, violations]),
            [
              ["not null: v", 1],
              ["unique: rows, v", 0],
              ["accepted values: r", 1],
              ["relationship: v in f.u", 1],
              ["v is m", 1],
              ["nobody", 2]
            ]
          )
          for (const { examples } of checks.filter(({ check }) => check === "not null: v" || check === "nobody")) {
            assert.containsAllKeys(JSON.parse(examples[0] ?? ""), columnsOf(daily))
          }

          // A change is mapped, written, found and taken back under the same names.
          yield* land(log, [said("a", 1, "2024-03-03", { r: "late", when: "2024-02-01T00:00:00.000000Z" })])
          assert.deepStrictEqual((yield* examined(dimension, { keys: ["somebody"] })).difference.missing, 1)
          assert.deepStrictEqual((yield* build(graph, dimension, { keys: ["somebody"] })).reached, { names_daily: [] })
          yield* land(log, [said("c", 2, "2024-03-01", { r: "corrected" })])
          assert.deepStrictEqual((yield* build(graph, dimension, { keys: ["somebody"] })).reached, {
            names_daily: ["2024-03-01"]
          })
          yield* build(graph, latest, { keys: ['["c", "2"]'] })
          const { difference: found } = yield* examined(daily, days)
          assert.deepStrictEqual([found.missing, found.unexpected], [2, 1])
          yield* build(graph, daily, days)
          assert.deepStrictEqual((yield* examined(daily, days)).checks[1]?.violations, 1)

          const warehouse = yield* Warehouse
          const chain = yield* transact(
            warehouse.verifyChain({
              graph,
              partitions: (asset) =>
                ["2024-03-01", "2024-03-02"].map((unit) => ({
                  unit,
                  window: Option.getOrUndefined(Partitions.windowOf(asset.partitions, unit))
                }))
            })
          )
          for (const [asset, { examples }] of chain) assert.deepStrictEqual([asset, examples], [asset, []])
          for (const edge of AssetGraph.edgesFrom(graph, latest.name))
            assert.strictEqual(yield* warehouse.outside(edge), 0)
        })
      )
    })
  })
