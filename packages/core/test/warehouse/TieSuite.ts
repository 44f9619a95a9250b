import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Dimension from "./Dimension.ts"
import type { Services } from "./layers.ts"
import { build, event, events, land, prepare, refusal, rows, transact } from "./World.ts"

const exactly = BigDecimal.fromStringUnsafe

/** A table of whatever rows a test computes. */
const upserted = (
  name: string,
  log: ReturnType<typeof events<string>>,
  candidates: ReadonlyArray<{
    readonly id: string
    readonly version: string
    readonly extra?: Schema.Json
    readonly isDeleted?: boolean
    readonly tie?: string
  }>
) =>
  Asset.make(name, {
    description: "Versions that a test gives",
    columns: Schema.Struct({
      id: Column.text,
      version: Column.decimal({ precision: 12, scale: 2 }),
      extra: Column.nullable(Column.json)
    }),
    inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["id"] }) },
    write: WriteStrategy.upsert({ key: ["id"], version: "version" }),
    codeVersion: "one",
    compute: {
      rows: () =>
        candidates.map(({ extra = null, id, isDeleted = false, tie = "", version }) => ({
          id,
          version: exactly(version),
          extra,
          _deleted: isDeleted,
          _tie: tie
        }))
    }
  })

/** Every warehouse must pass this suite: what decides among rows is what the table would hold of them. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse ties (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect(
        "versions that the column rounds to one are one: then the deletion, and then the tie decide (Verifies: L5)",
        () =>
          Effect.gen(function* () {
            const log = events("rounded_log")
            const asset = upserted("rounded", log, [
              { id: "deleted", version: "1.004" },
              { id: "deleted", version: "1.001", isDeleted: true },
              { id: "tied", version: "1.004", tie: "a", extra: "less" },
              { id: "tied", version: "0.999", tie: "b", extra: "greater" },
              { id: "later", version: "1.005", tie: "a", extra: "rounds up" },
              { id: "later", version: "1.004", tie: "b" }
            ])
            const graph = AssetGraph.fromIterable([log, asset])
            yield* prepare(graph)
            yield* build(graph, asset)
            assert.deepStrictEqual(yield* rows(asset, ["id", "version", "extra"]), [
              ["later", "1.01", '"rounds up"'],
              ["tied", "1.00", '"greater"']
            ])
          })
      )

      it.effect(
        "a tie between documents ends alike in every warehouse, in whichever order they come (Verifies: L5)",
        () =>
          Effect.gen(function* () {
            const log = events("document_log")
            const documents: ReadonlyArray<readonly [Schema.Json, Schema.Json]> = [
              // The shorter key comes first, though not in the order of bytes.
              [
                { aa: 1, b: 9 },
                { aa: 2, b: 1 }
              ],
              [[1], { a: 1 }],
              [1e21, 2],
              [1e-7, 1],
              ["a", [0]],
              [{ a: 1 }, { a: 1, b: 1 }]
            ]
            const winners = Effect.fnUntraced(function* (table: string, isReversed: boolean) {
              const asset = upserted(
                table,
                log,
                documents.flatMap((pair, index) =>
                  (isReversed ? pair.toReversed() : pair).map((extra) => ({ id: String(index), version: "1", extra }))
                )
              )
              yield* prepare(AssetGraph.fromIterable([log, asset]))
              yield* build(AssetGraph.fromIterable([log, asset]), asset)
              return (yield* rows(asset, ["extra"])).map(([extra]) => extra)
            })
            const expected = ['{"aa":1,"b":9}', '{"a":1}', "2", "1", "[0]", '{"a":1}']
            assert.deepStrictEqual(yield* winners("document_one", false), expected)
            assert.deepStrictEqual(yield* winners("document_other", true), expected)
          })
      )

      it.effect(
        "observations that the columns round to one are ordered by what is left to tell them apart (Verifies: L5)",
        () =>
          Effect.gen(function* () {
            const log = events("observed_log")
            const asset = Asset.make("observed", {
              description: "Two observations of one instant",
              columns: Dimension.columns,
              inputs: { log: Asset.input(log, PartitionMapping.all) },
              write: Dimension.write,
              compute: {
                rows: () =>
                  [
                    { price: exactly("1.004"), email: "a" },
                    { price: exactly("1.001"), email: "z" }
                  ].map((said) => ({
                    ...said,
                    region: "north",
                    segment: null,
                    channel: null,
                    valid_from: "2024-03-01T00:00:00.000000Z",
                    _sequence: 1
                  }))
              }
            })
            const graph = AssetGraph.fromIterable([log, asset])
            yield* prepare(graph)
            yield* build(graph, asset)
            assert.deepStrictEqual(yield* rows(asset, ["price", "email"]), [["1.00", "z"]])
          })
      )

      it.effect("accepted documents are compared as documents", () =>
        Effect.gen(function* () {
          const log = events("accepted_log", [AssetCheck.acceptedValues("extra", ['{"b":[1],"a":2}', "3"])])
          const graph = AssetGraph.make([log])
          const warehouse = yield* Warehouse
          yield* prepare(graph)
          const [result] = yield* transact(
            Effect.andThen(
              land(graph, log, [
                event("1", { extra: { a: 2, b: [1] } }),
                event("2", { extra: 3 }),
                event("3"),
                event("4", { extra: { a: 2 } })
              ]),
              warehouse.check({ asset: log, scope: { units: { _tag: "All" }, partitions: [] } })
            )
          )
          assert.strictEqual(result?.violations, 1)
        })
      )

      it.effect("a value that JavaScript rounds, or a day of another form, is refused (Verifies: L2)", () =>
        Effect.gen(function* () {
          const log = events("range_log")
          const asset = Asset.make("range", {
            description: "Values that are none",
            columns: Schema.Struct({ id: Column.text, line: Column.integer, day: Column.nullable(Column.date) }),
            inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["id", "line", "note"] }) },
            write: WriteStrategy.replace({ key: ["id"] }),
            compute: {
              rows: ({ log }) =>
                log.map(({ id, line, note }) => ({ id, line: id === "line" ? 2 ** 53 : line, day: note }))
            }
          })
          const graph = AssetGraph.fromIterable([log, asset])
          yield* prepare(graph)
          yield* land(graph, log, [event("line")])
          assert.match(yield* refusal(build(graph, asset)), /^DataQuality: .*"line is out of range"/)
          const days = Asset.make("range", {
            description: "Days that are none",
            columns: Schema.Struct({ id: Column.text, line: Column.integer, day: Column.nullable(Column.date) }),
            inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["id", "line"] }) },
            write: WriteStrategy.replace({ key: ["id"] }),
            compute: { rows: ({ log }) => log.map((row) => ({ ...row, day: "infinity" })) }
          })
          assert.match(
            yield* refusal(build(AssetGraph.fromIterable([log, days]), days)),
            /^DataQuality: .*"day is out of range"/
          )
          assert.deepStrictEqual(yield* rows(asset, ["id"]), [])
        })
      )
    })
  })
