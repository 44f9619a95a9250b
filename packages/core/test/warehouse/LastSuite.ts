import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Cut from "./Cut.ts"
import type { Services } from "./layers.ts"
import { facts } from "./MappingSuite.ts"
import { build, event, events, land, partitions, prepare, rows } from "./World.ts"

const zonedDays = Partitions.daily({ start: "2024-01-01", timeZone: "America/New_York" })

/** Every warehouse must pass this suite: which partition is the last, and what makes its readers stale. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) =>
  describe(`Warehouse mappings: last (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("the partition of the last row that the input sees is read, and reaches everything", () =>
        Effect.gen(function* () {
          const log = events("last_log")
          const upstream = Cut.make("last_days", log, { by: "at", partitions: zonedDays })
          const downstream = Asset.make("last_ids", {
            description: "What the last day says",
            columns: Schema.Struct({ id: Column.text }),
            inputs: {
              upstream: Asset.input(upstream, PartitionMapping.last, { columns: ["id"], where: { note: ["seen"] } })
            },
            write: WriteStrategy.replace({ key: ["id"] }),
            compute: {
              sql: ({ upstream }) => sql`SELECT id FROM ${upstream} AS upstream`,
              rows: ({ upstream }) => upstream
            }
          })
          const graph = AssetGraph.fromIterable([log, upstream, downstream])
          yield* prepare(graph)
          const after = Effect.fnUntraced(function* (
            days: ReadonlyArray<string>,
            ...landed: ReadonlyArray<ReturnType<typeof event>>
          ) {
            yield* land(graph, log, landed)
            const { reached } = yield* build(graph, upstream, partitions(upstream, ...days))
            yield* build(graph, downstream)
            return [reached["last_ids"]?.length === 1, (yield* rows(downstream, ["id"])).flat().join()]
          })
          const happened = (id: string, at: string, note = "seen", kind = "sale") =>
            event(id, { line: Number(id.slice(1)), at: `${at}:00.000000Z`, note, kind })
          // Half past four in the night of UTC is the day before in New York.
          assert.deepStrictEqual(
            yield* after(
              ["2024-03-01", "2024-03-02"],
              happened("a1", "2024-03-01T12:00"),
              happened("b2", "2024-03-02T04:30")
            ),
            [true, "a1,b2"]
          )
          // A later day without a row that the input sees is not the last.
          assert.deepStrictEqual(yield* after(["2024-03-05"], happened("c3", "2024-03-05T12:00", "unseen")), [
            false,
            "a1,b2"
          ])
          assert.deepStrictEqual(yield* after(["2024-03-04"], happened("d4", "2024-03-04T12:00")), [true, "d4"])
          // An earlier day is not read any more.
          assert.deepStrictEqual(yield* after(["2024-03-01"], happened("e5", "2024-03-01T13:00")), [false, "d4"])
          assert.deepStrictEqual(yield* after(["2024-03-04"], happened("f6", "2024-03-04T11:00")), [true, "d4,f6"])
        })
      )

      it.effect("it moves back when its rows are gone, and nothing is read where there is none", () =>
        Effect.gen(function* () {
          const log = events("back_log")
          const latest = facts("back_facts", log)
          const upstream = Asset.make("back_shelves", {
            description: "Facts by region, whose last one is not the last of the alphabet",
            columns: Schema.Struct({ region: Column.text, id: Column.text }),
            partitions: Partitions.fromKeys(["south", "north", "east"]),
            inputs: {
              facts: Asset.input(latest, PartitionMapping.byColumn("region"), { columns: ["region", "id"] })
            },
            write: WriteStrategy.replacePartitions("region", { key: ["region", "id"] }),
            compute: {
              sql: ({ facts }) => sql`SELECT region, id FROM ${facts} AS facts`,
              rows: ({ facts }) => facts.flatMap(({ id, region }) => (region === null ? [] : [{ id, region }]))
            }
          })
          const downstream = Asset.make("back_ids", {
            description: "What the last region says",
            columns: Schema.Struct({ id: Column.text }),
            inputs: { upstream: Asset.input(upstream, PartitionMapping.last, { columns: ["id"] }) },
            write: WriteStrategy.replace({ key: ["id"] }),
            compute: {
              sql: ({ upstream }) => sql`SELECT id FROM ${upstream} AS upstream`,
              rows: ({ upstream }) => upstream
            }
          })
          const graph = AssetGraph.fromIterable([log, latest, upstream, downstream])
          yield* prepare(graph)
          let line = 0
          const after = Effect.fnUntraced(function* (id: string, region: string, isDeleted: boolean = false) {
            line += 1
            yield* land(graph, log, [event(id, { line, region, isDeleted })])
            yield* build(graph, latest, { keys: [id] })
            const { reached } = yield* build(graph, upstream, partitions(upstream, "south", "north", "east"))
            yield* build(graph, downstream)
            return [reached["back_ids"]?.length === 1, (yield* rows(downstream, ["id"])).flat().join()]
          })
          assert.deepStrictEqual(yield* after("s", "south"), [true, "s"])
          assert.deepStrictEqual(yield* after("e", "east"), [true, "e"])
          assert.deepStrictEqual(yield* after("n", "north"), [false, "e"])
          assert.deepStrictEqual(yield* after("e", "east", true), [true, "n"])
          assert.deepStrictEqual(yield* after("n", "north", true), [true, "s"])
          assert.deepStrictEqual(yield* after("s", "south", true), [true, ""])
        })
      )
    })
  })
