/** What an input allows to be missing decides when a unit is built, never what is correct. */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import type { AllowMissing } from "@assay/core/Tolerance"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Feed from "../shop/Feed.ts"
import { layerMemory, open, Time } from "../shop/Storage.ts"
import { built, rows } from "../shop/Trade.ts"

const fields = { origin: Column.text, line: Column.integer, at: Column.timestamp, id: Column.text }

type Delivered = Schema.Struct<typeof fields>["Type"]

/** Weeks of UTC over the days of New York, of which Sunday's ends on Monday morning. */
const graph = (source: Source<Delivered>, allowMissing: AllowMissing) => {
  const log = Asset.source("log", {
    description: "What happened",
    columns: Schema.Struct({ ...fields, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    source
  })
  const byDay = Asset.make("by_day", {
    description: "What happened by day",
    columns: Schema.Struct({ at: Column.timestamp, id: Column.text }),
    partitions: Partitions.daily({ start: "2024-02-25", timeZone: "America/New_York" }),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("at"), { columns: ["at", "id"] }) },
    write: WriteStrategy.replacePartitions("at", { key: ["at", "id"] }),
    compute: { rows: ({ log }) => log }
  })
  const byWeek = Asset.make("by_week", {
    description: "What happened by week",
    columns: Schema.Struct({ week: Column.date, id: Column.text }),
    partitions: Partitions.weekly({ start: "2024-03-04" }),
    inputs: { days: Asset.input(byDay, PartitionMapping.timeWindows(), { columns: ["id"], allowMissing }) },
    write: WriteStrategy.replacePartitions("week", { key: ["week", "id"] }),
    compute: { rows: ({ days, units }) => units.flatMap(({ unit }) => days.map(({ id }) => ({ week: unit, id }))) }
  })
  return AssetGraph.make([log, byDay, byWeek])
}

const week = (allowMissing: AllowMissing) =>
  Effect.gen(function* () {
    const feed = yield* Feed.make<Delivered>()
    const time = yield* Time
    const assay = yield* open(graph(feed.source, allowMissing))
    const parcel = ["2024-03-06T12:00:00.000000Z", "2024-03-10T23:00:00.000000Z"].map((at, line) => ({
      origin: "1",
      line,
      at,
      id: at.slice(5, 10)
    }))
    yield* feed.deliver({ origin: "1", batches: [{ rows: parcel }] })
    const at = Effect.fnUntraced(function* (now: string) {
      yield* time.set(now)
      const result = yield* assay.materialize({ assets: [] })
      return [built(result)["by_week"] ?? 0, (yield* rows(assay, "by_week")).map(([, id]) => id).join()]
    })
    // An hour into Monday in UTC, Sunday evening in New York; then Monday morning there.
    return [yield* at("2024-03-11T01:00:00Z"), yield* at("2024-03-11T06:00:00Z"), yield* at("2024-03-11T07:00:00Z")]
  })

describe("an input's tolerance", () => {
  it.effect("of nothing has a window wait for all that it reads (Verifies: L7)", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* week(false), [
        [0, ""],
        [1, "03-06,03-10"],
        [0, "03-06,03-10"]
      ])
    }).pipe(Effect.provide(layerMemory))
  )

  for (const allowMissing of [{ newest: 1 }, true] as const) {
    it.effect(
      `of ${JSON.stringify(allowMissing)} builds it early, and again when the last day comes (Verifies: L1, L7)`,
      () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* week(allowMissing), [
            [1, "03-06"],
            [1, "03-06,03-10"],
            [0, "03-06,03-10"]
          ])
        }).pipe(Effect.provide(layerMemory))
    )
  }
})
