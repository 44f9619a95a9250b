import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Dimension from "./Dimension.ts"
import type { Services } from "./layers.ts"
import { build, event, events, land, partitions, prepare, scope, transact, type Units } from "./World.ts"

const columns = Schema.Struct({
  id: Column.text,
  line: Column.integer,
  day: Column.date,
  amount: Column.nullable(Column.decimal({ precision: 12, scale: 2 })),
  kind: Column.text,
  note: Column.nullable(Column.text),
  isDeleted: Column.boolean
})

const start = "2024-01-01"

/** Events by day with checks, and a list of known notes beside them. */
const world = (name: string, checks: ReadonlyArray<AssetCheck.AssetCheck<keyof (typeof columns)["Type"]>>) => {
  const log = events(`${name}_log`)
  const known = events(`${name}_known`)
  const asset = Asset.make(name, {
    description: "Events by day",
    columns,
    partitions: Partitions.daily({ start }),
    inputs: {
      log: Asset.input(log, PartitionMapping.byColumn("day")),
      known: Asset.input(known, PartitionMapping.all, { columns: ["note", "line"], where: { kind: ["sale"] } })
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id", "line"] }),
    checks,
    compute: {
      sql: ({ log }) =>
        sql`SELECT id, line, day, amount, kind, note, "isDeleted" FROM ${log} AS log WHERE day IS NOT NULL`,
      rows: ({ log }) => log.flatMap(({ day, ...row }) => (day === null ? [] : [{ ...row, day }]))
    }
  })
  return { log, known, asset, graph: AssetGraph.fromIterable([log, known, asset]) }
}

const violations = (asset: Asset.Asset, units: Units) =>
  transact(
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      const results = yield* warehouse.check({ asset, scope: yield* scope(units) })
      for (const result of results) assert.strictEqual(result.examples.length, Math.min(3, result.violations))
      return Object.fromEntries(results.map((result) => [result.check, result.violations]))
    })
  )

const first = "2024-03-01"
const second = "2024-03-02"

/** Every warehouse must pass this suite: asset checks. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse checks (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("finds the rows that break each kind of rule, in the partitions of the step alone", () =>
        Effect.gen(function* () {
          const checks = [
            AssetCheck.notNull("amount", "note"),
            AssetCheck.unique("day", "note"),
            AssetCheck.acceptedValues("kind", ["sale", "refund"]),
            AssetCheck.acceptedValues("amount", ["1.00", "2.50"]),
            AssetCheck.acceptedValues("isDeleted", ["false"]),
            AssetCheck.acceptedValues("day", [first, second]),
            AssetCheck.relationship("note", { input: "known", to: "note" }),
            AssetCheck.relationship("line", { input: "known", to: "line" }),
            AssetCheck.condition("amounts are positive", {
              sql: sql`amount > 0`,
              holds: ({ amount }) => !BigDecimal.isBigDecimal(amount) || BigDecimal.isPositive(amount)
            }),
            AssetCheck.violations("no day has more rows than are known", {
              sql: ({ known, rows }) =>
                sql`SELECT day, count(*) FROM ${rows} AS r GROUP BY day HAVING count(*) > (SELECT count(*) FROM ${known} AS known)`,
              violations: (rows, { known }) =>
                Array.from(Map.groupBy(rows, ({ day }) => day).values()).flatMap((group) =>
                  group.length > (known?.length ?? 0) ? group.slice(0, 1) : []
                )
            })
          ]
          const { asset, graph, known, log } = world("rules", checks)
          yield* prepare(graph)
          yield* land(graph, known, [
            event("1", { note: "x" }),
            event("2", { note: "y" }),
            event("3"),
            event("4", { note: "hidden", line: 9, kind: "other" })
          ])
          const good = { day: first, note: "x" }
          const bad = { day: second }
          yield* land(graph, log, [
            event("a", good),
            event("b", { ...good, note: "y", amount: "2.5" }),
            event("c", { ...bad, note: null, amount: "-1" }),
            event("d", { ...bad, note: "x", amount: null, isDeleted: true }),
            event("e", { ...bad, note: "x", amount: "0.00", kind: "other" }),
            event("f", { ...bad, note: "hidden", line: 9, kind: "" }),
            event("g", { ...bad, note: "hidden", line: 1 }),
            event("h", { ...bad, note: null })
          ])
          yield* build(graph, asset, partitions(asset, first, second))
          const passing = Object.fromEntries(checks.map((check) => [check.name, 0]))
          assert.deepStrictEqual(yield* violations(asset, partitions(asset, first)), passing)
          const failing = {
            "not null: amount, note": 3,
            "unique: day, note": 2,
            "accepted values: kind": 2,
            "accepted values: amount": 2,
            "accepted values: isDeleted": 1,
            "accepted values: day": 0,
            "relationship: note in known.note": 2,
            "relationship: line in known.line": 1,
            "amounts are positive": 2,
            "no day has more rows than are known": 1
          }
          assert.deepStrictEqual(yield* violations(asset, partitions(asset, second)), failing)
          assert.deepStrictEqual(yield* violations(asset, partitions(asset, first, second)), failing)
          assert.deepStrictEqual(yield* violations(asset, "everything"), failing)
          assert.deepStrictEqual(yield* violations(asset, partitions(asset, "2024-03-03")), passing)
        })
      )

      it.effect("finds a row that agrees with one of another unit (Verifies: L11)", () =>
        Effect.gen(function* () {
          const { asset, graph, log } = world("across", [AssetCheck.unique("note"), AssetCheck.unique("day", "kind")])
          yield* prepare(graph)
          yield* land(graph, log, [
            event("a", { day: first, note: "x" }),
            event("b", { day: second, note: "y" }),
            event("c", { day: "2024-03-03", note: "x" }),
            event("d", { day: "2024-03-04", note: null })
          ])
          yield* build(graph, asset, partitions(asset, first, second))
          const found = (notes: number) => ({ "unique: note": notes, "unique: day, kind": 0 })
          assert.deepStrictEqual(yield* violations(asset, partitions(asset, first, second)), found(0))
          yield* build(graph, asset, partitions(asset, "2024-03-03", "2024-03-04"))
          assert.deepStrictEqual(yield* violations(asset, partitions(asset, "2024-03-03", "2024-03-04")), found(1))
          assert.deepStrictEqual(yield* violations(asset, partitions(asset, "2024-03-04")), found(0))
          assert.deepStrictEqual(yield* violations(asset, "everything"), found(1))
        })
      )

      it.effect("says of each check whether it blocks, and shows the columns of the rows it found", () =>
        Effect.gen(function* () {
          const { asset, graph, log } = world("severity", [
            AssetCheck.notNull("note"),
            AssetCheck.warn(AssetCheck.notNull("note"))
          ])
          yield* prepare(graph)
          yield* land(graph, log, [event('a "quoted"', { day: first })])
          yield* build(graph, asset, partitions(asset, first))
          const warehouse = yield* Warehouse
          const results = yield* warehouse.check({ asset, scope: yield* scope("everything") })
          assert.deepStrictEqual(
            results.map(({ severity, violations }) => [severity, violations]),
            [
              ["error", 1],
              ["warn", 1]
            ]
          )
          const [example = ""] = results[0]?.examples ?? []
          assert.deepInclude(JSON.parse(example), { id: 'a "quoted"', note: null, day: first })
        })
      )

      it.effect("finds every row whose value is unknown, of how many values ever, whichever of them are known", () =>
        Effect.gen(function* () {
          const { asset, graph, known, log } = world("related", [
            AssetCheck.relationship("note", { input: "known", to: "note" })
          ])
          yield* prepare(graph)
          yield* land(
            graph,
            known,
            Array.from({ length: 40 }, (_, place) => event(String(place), { note: `known ${place}` }))
          )
          const counts = [0, 1, 15, 16, 17, 40]
          const cases = counts.flatMap((knowns) => [0, 1, 3, 20].map((unknowns) => ({ knowns, unknowns })))
          const days = cases.map((_, place) => `2024-03-${String(place + 1).padStart(2, "0")}`)
          yield* land(
            graph,
            log,
            cases.flatMap(({ knowns, unknowns }, place) => {
              const day = days[place] ?? ""
              const notes = [
                null,
                ...Array.from({ length: knowns }, (_, value) => `known ${value}`),
                ...Array.from({ length: unknowns }, (_, value) => `unknown ${value}`)
              ]
              return notes.flatMap((note, value) =>
                ["a", "b"].map((twin) => event(`${place}-${value}-${twin}`, { day, note }))
              )
            })
          )
          yield* build(graph, asset, partitions(asset, ...days))
          for (const [place, { unknowns }] of cases.entries()) {
            const found = yield* violations(asset, partitions(asset, days[place] ?? ""))
            assert.deepStrictEqual(found, { "relationship: note in known.note": 2 * unknowns }, days[place])
          }
        })
      )

      it.effect("looks at what a landing brought, not at what the log held before", () =>
        Effect.gen(function* () {
          const log = events("landed_checked", [AssetCheck.notNull("note"), AssetCheck.unique("note")])
          const graph = AssetGraph.make([log])
          yield* prepare(graph)
          const found = (...landed: ReadonlyArray<ReturnType<typeof event>>) =>
            transact(Effect.andThen(land(graph, log, landed, ["id"]), violations(log, "everything")))
          assert.deepStrictEqual(yield* found(event("1"), event("2"), event("3", { note: "x" })), {
            "not null: note": 2,
            "unique: note": 0
          })
          assert.deepStrictEqual(yield* found(event("1"), event("4", { note: "x" })), {
            "not null: note": 0,
            "unique: note": 0
          })
        })
      )

      it.effect("has nothing to say of an asset without checks", () =>
        Effect.gen(function* () {
          const { asset, graph } = world("unchecked", [])
          yield* prepare(graph)
          assert.deepStrictEqual(yield* violations(asset, "everything"), {})
        })
      )

      it("refuses to define a relationship to a column that no input shows", () => {
        const relationship = (input: string, to: string) => () =>
          world("hidden", [AssetCheck.relationship("note", { input, to })])
        assert.throws(relationship("known", "kind"), /looks into known\.kind, which no input shows/)
        assert.throws(relationship("nowhere", "note"), /looks into nowhere\.note, which no input shows/)
      })

      it.effect("holds the shape of a dimension, whoever wrote its rows (Verifies: L10)", () =>
        Effect.gen(function* () {
          const log = events("shaped_log")
          const written = Asset.make("shaped_copy", {
            description: "Versions as they are given",
            columns: Dimension.columns,
            inputs: { log: Asset.input(log, PartitionMapping.all) },
            write: WriteStrategy.replace({ key: ["region", "valid_from"] }),
            checks: [
              AssetCheck.scd2Shape({
                key: ["region"],
                validFrom: "valid_from",
                validTo: "valid_to",
                isCurrent: "is_current"
              })
            ],
            compute: {
              sql: ({ log }) =>
                sql`SELECT '' AS sk, region, NULL AS segment, NULL::numeric AS price, NULL AS email, NULL AS channel,
                  at AS valid_from, note::timestamptz AS valid_to, "isDeleted" AS is_current FROM ${log} AS log`,
              rows: ({ log }) =>
                log.flatMap(({ at, isDeleted, note, region }) =>
                  at === null
                    ? []
                    : [
                        {
                          sk: "",
                          region,
                          segment: null,
                          price: null,
                          email: null,
                          channel: null,
                          valid_from: at,
                          valid_to: note,
                          is_current: isDeleted
                        }
                      ]
                )
            }
          })
          const graph = AssetGraph.make([log, written])
          yield* prepare(graph)
          const instant = (day: string) => `2024-01-${day}T00:00:00.000000Z`
          const version = (region: string, from: string, to: string | null, isCurrent: boolean) =>
            event(`${region}${from}`, {
              region,
              at: instant(from),
              note: to === null ? null : instant(to),
              isDeleted: isCurrent
            })
          yield* land(graph, log, [
            version("good", "01", "05", false),
            version("good", "05", "07", false),
            version("good", "09", null, true),
            version("empty", "01", "01", false),
            version("overlapping", "01", "05", false),
            version("overlapping", "04", null, true),
            version("two open", "01", null, true),
            version("two open", "04", null, true),
            version("not current", "01", null, false),
            version("current too long", "01", "02", true)
          ])
          yield* build(graph, written)
          assert.deepStrictEqual(yield* violations(written, "everything"), { "SCD2 shape": 5 })
        })
      )
    })
  })
