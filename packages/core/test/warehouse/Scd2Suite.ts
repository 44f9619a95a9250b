import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Column from "@assay/core/Column"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import { assert, describe, it } from "@effect/vitest"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"
import * as Dimension from "./Dimension.ts"
import type { Services } from "./layers.ts"
import { cases, eventsOf, rowsOf, shown } from "./Scd2Cases.ts"
import { build, event, events, land, prepare, refusal, rows, scope } from "./World.ts"

/** Every warehouse must pass this suite: slowly changing dimensions. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse dimensions (${name})`, () => {
    it.layer(layer)((it) => {
      cases.forEach((one, index) => {
        it.effect(`${one.name} (Verifies: L10)`, () =>
          Effect.gen(function* () {
            const { dimension, graph, log } = world(`case_${index}`)
            yield* prepare(graph)
            const observed = eventsOf("north", one)
            const unrelated = event("-:south", { region: "south", kind: "-" })
            yield* land(graph, log, [...observed, unrelated])
            yield* build(graph, dimension)
            const versions = (yield* rows(dimension, ["region", ...shown])).filter(([region]) => region === "north")
            assert.deepStrictEqual(
              versions.map(([, ...version]) => version),
              rowsOf(one)
            )
            assert.deepStrictEqual(yield* violations(dimension), 0)
          })
        )

        it.effect(`${one.name}, observed one by one (Verifies: L5)`, () =>
          Effect.gen(function* () {
            const { dimension, graph, log } = world(`late_${index}`)
            yield* prepare(graph)
            for (const observed of eventsOf("north", one).toReversed()) {
              yield* land(graph, log, [observed])
              yield* build(graph, dimension, { keys: ["north"] })
              assert.deepStrictEqual(yield* violations(dimension), 0)
            }
            assert.deepStrictEqual(yield* rows(dimension, shown), rowsOf(one))
            const again = yield* build(graph, dimension, { keys: ["north", "unknown"] })
            assert.deepStrictEqual(again.counts, [0, 0, 0, one.versions.length])
          })
        )
      })

      it.effect("writes what changed of a history, and only that", () =>
        Effect.gen(function* () {
          const { dimension, graph, log } = world("history")
          yield* prepare(graph)
          yield* land(graph, log, [
            observed("1", "north", "2024-01-01", "a"),
            observed("2", "north", "2024-01-05", "b"),
            observed("3", "south", "2024-01-01", "a")
          ])
          assert.deepStrictEqual((yield* build(graph, dimension)).counts, [3, 0, 0, 0])
          yield* land(graph, log, [observed("4", "north", "2024-01-03", "c")])
          assert.deepStrictEqual((yield* build(graph, dimension, { keys: ["north"] })).counts, [1, 1, 0, 1])
          // The split is taken back: the middle version goes, the first one is open until the last again.
          yield* land(graph, log, [{ ...observed("5", "north", "2024-01-03", "a"), line: 2 }])
          assert.deepStrictEqual((yield* build(graph, dimension, { keys: ["north"] })).counts, [0, 1, 1, 1])
          assert.deepStrictEqual(yield* rows(dimension, ["region", "valid_from", "valid_to"]), [
            ["north", "2024-01-01T00:00:00.000000Z", "2024-01-05T00:00:00.000000Z"],
            ["north", "2024-01-05T00:00:00.000000Z", null],
            ["south", "2024-01-01T00:00:00.000000Z", null]
          ])
        })
      )

      it.effect("counts what the column rounds away as no change", () =>
        Effect.gen(function* () {
          const log = events("rounded_log")
          const hair = BigDecimal.fromStringUnsafe("0.0001")
          const dimension = Asset.make("rounded", {
            description: "Prices with a hair more at each line",
            columns: Dimension.columns,
            inputs: { log: Asset.input(log, PartitionMapping.byColumn("region")) },
            write: Dimension.write,
            compute: {
              sql: ({ log }) =>
                sql`SELECT region, note AS segment, amount + line * 0.0001 AS price, NULL AS email, NULL AS channel,
                  at AS valid_from, line AS _sequence FROM ${log} AS log`,
              rows: ({ log }) =>
                log.flatMap(({ amount, at, line, note, region }) =>
                  at === null || amount === null
                    ? []
                    : [
                        {
                          region,
                          segment: note,
                          price: BigDecimal.sum(amount, BigDecimal.multiply(hair, BigDecimal.fromBigInt(BigInt(line)))),
                          email: null,
                          channel: null,
                          valid_from: at,
                          _sequence: line
                        }
                      ]
                )
            }
          })
          const graph = AssetGraph.fromIterable([log, dimension])
          yield* prepare(graph)
          yield* land(graph, log, [
            observed("1", "north", "2024-01-01", "a"),
            { ...observed("2", "north", "2024-01-02", "a"), line: 2 }
          ])
          yield* build(graph, dimension)
          assert.deepStrictEqual(yield* rows(dimension, ["price", "valid_to"]), [["1.00", null]])
        })
      )

      it.effect("tells keys of several parts apart by their parts, whatever is in them (Verifies: L10)", () =>
        Effect.gen(function* () {
          const log = events("composite_log")
          const from = "2024-01-01T00:00:00.000000Z"
          const keys = [
            ["a\u001fb", "c"],
            ["a", "b\u001fc"]
          ] as const
          const asset = Asset.make("composite", {
            description: "Branches of regions through time",
            columns: Schema.Struct({
              sk: Column.text,
              region: Column.text,
              branch: Column.text,
              note: Column.text,
              valid_from: Column.timestamp,
              valid_to: Column.nullable(Column.timestamp),
              is_current: Column.boolean
            }),
            inputs: { log: Asset.input(log, PartitionMapping.all) },
            write: WriteStrategy.scd2({
              key: ["region", "branch"],
              surrogateKey: "sk",
              validFrom: "valid_from",
              validTo: "valid_to",
              isCurrent: "is_current",
              tracked: ["note"]
            }),
            compute: {
              sql: () => sql`SELECT 'a' || chr(31) || 'b' AS region, 'c' AS branch, 'x' AS note,
                ${from}::timestamptz AS valid_from, 1 AS _sequence
                UNION ALL SELECT 'a', 'b' || chr(31) || 'c', 'x', ${from}::timestamptz, 1`,
              rows: () =>
                keys.map(([region, branch]) => ({ region, branch, note: "x", valid_from: from, _sequence: 1 }))
            }
          })
          const graph = AssetGraph.make([log, asset])
          yield* prepare(graph)
          yield* build(graph, asset)
          const md5 = (text: string) => Crypto.createHash("md5").update(text).digest("hex")
          assert.sameMembers(
            (yield* rows(asset, ["sk"])).flat(),
            keys.map((parts) => md5(`${parts.map(md5).join("")}\u001f${from}`))
          )
        })
      )

      it.effect("refuses an observation without a key or without a start", () =>
        Effect.gen(function* () {
          const log = events("void_log")
          const dimension = Asset.make("void", {
            description: "Careless observations",
            columns: Dimension.columns,
            inputs: { log: Asset.input(log, PartitionMapping.byColumn("region")) },
            write: Dimension.write,
            compute: {
              sql: ({ log }) =>
                sql`SELECT nullif(region, '-') AS region, note AS segment, amount AS price, id AS email, kind AS channel,
                  at AS valid_from, line AS _sequence FROM ${log} AS log`,
              // Passes the type checker, as careless code does, and yet lets nulls through.
              rows: ({ log }) =>
                log.map(({ amount, at, id, kind, line, note, region }) =>
                  Object.assign(
                    { region, valid_from: "", segment: note, price: amount, email: id, channel: kind, _sequence: line },
                    { region: region === "-" ? null : region, valid_from: at }
                  )
                )
            }
          })
          const graph = AssetGraph.fromIterable([log, dimension])
          yield* prepare(graph)
          yield* land(graph, log, [event("good"), event("no key", { region: "-" })])
          assert.match(yield* refusal(build(graph, dimension)), /^DataQuality: .*"region"/)
          yield* land(graph, log, [event("no start", { at: null, note: "another" })])
          assert.match(yield* refusal(build(graph, dimension, { keys: ["north"] })), /^DataQuality: .*"valid_from"/)
          assert.deepStrictEqual(yield* rows(dimension, ["region"]), [])
        })
      )

      it.effect("has a surrogate key that follows from key and start alone", () =>
        Effect.gen(function* () {
          const { dimension, graph, log } = world("surrogate")
          yield* prepare(graph)
          yield* land(graph, log, [observed("1", "n\u00f6rd\u{1F600}", "2024-01-01", "a")])
          yield* build(graph, dimension)
          const text = "n\u00f6rd\u{1F600}\u001f2024-01-01T00:00:00.000000Z"
          assert.deepStrictEqual(yield* rows(dimension, ["sk"]), [
            [Crypto.createHash("md5").update(text).digest("hex")]
          ])
        })
      )
    })
  })

// --- internal ---

const world = (name: string) => {
  const log = events(`${name}_log`)
  const dimension = Dimension.make(name, log)
  return { log, dimension, graph: AssetGraph.fromIterable([log, dimension]) }
}

const observed = (id: string, region: string, day: string, segment: string) =>
  event(`-:${id}`, { region, kind: "-", note: segment, at: `${day}T00:00:00.000000Z` })

/** Rows that break a check of the dimension; it comes with the check of its own shape. */
const violations = (dimension: ReturnType<typeof Dimension.make>) =>
  Effect.gen(function* () {
    const warehouse = yield* Warehouse
    const results = yield* warehouse.check({ asset: dimension, scope: yield* scope("everything") })
    assert.deepStrictEqual(
      results.map(({ check }) => check),
      ["SCD2 shape"]
    )
    return results.reduce((sum, result) => sum + result.violations, 0)
  })
