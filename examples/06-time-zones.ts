/**
 * One graph, three clocks: page views by the hour in UTC, and from them the days of Tokyo and of New York, each from local
 * midnight to local midnight. On 10 March New York's clock is set on, so that its day has 23 hours; a view that is heard of
 * late makes one hour stale, and one day in each city.
 */
import * as Assay from "@assay/core/Assay"
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as Plan from "@assay/core/planning/Plan"
import * as TestSource from "@assay/core/testing/TestSource"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { Console, DateTime, Effect, Schema, Stream } from "effect"

const view = { view_id: Column.text, viewed_at: Column.timestamp }
const range = { start: "2024-03-09", end: "2024-03-13" }

const program = Effect.gen(function* () {
  const feed = yield* TestSource.make<Schema.Struct<typeof view>["Type"]>()

  const views = Asset.source("bronze_views", {
    description: "Every page view",
    columns: Schema.Struct({ ...view, _batch: Column.text, _loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["view_id"], batch: "_batch", loadedAt: "_loaded_at" }),
    source: feed.source
  })

  const hours = Asset.make("hourly_views", {
    description: "Page views by the hour, in UTC",
    columns: Schema.Struct({ hour: Column.timestamp, views: Column.integer }),
    partitions: Partitions.hourly({ start: "2024-03-08-12:00", end: "2024-03-13-12:00" }),
    inputs: { views: Asset.input(views, PartitionMapping.byColumn("viewed_at")) },
    write: WriteStrategy.replacePartitions("hour", { key: ["hour"] }),
    compute: {
      rows: ({ views }) =>
        Array.from(
          Map.groupBy(views, ({ viewed_at }) => `${viewed_at.slice(0, 13)}:00:00.000000Z`),
          ([hour, own]) => ({ hour, views: own.length })
        )
    }
  })

  // The compute is the same for every city: only the clock that cuts the days is another one.
  const daysOf = <const Name extends string>(name: Name, timeZone: string) =>
    Asset.make(name, {
      description: `Page views by the day in ${timeZone}`,
      columns: Schema.Struct({ day: Column.date, hours: Column.integer, views: Column.integer }),
      partitions: Partitions.daily({ ...range, timeZone }),
      inputs: { hours: Asset.input(hours, PartitionMapping.timeWindows()) },
      write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
      compute: {
        rows: ({ hours, units }) =>
          units.map(({ unit, window }) => {
            const { end, start } = window ?? { start: 0, end: 0 }
            const own = hours.filter(({ hour }) => {
              const at = DateTime.makeUnsafe(hour).epochMilliseconds
              return start <= at && at < end
            })
            const total = own.reduce((sum, { views }) => sum + views, 0)
            return { day: unit, hours: (end - start) / 3_600_000, views: total }
          })
      }
    })

  const graph = AssetGraph.make([
    views,
    hours,
    daysOf("tokyo_days", "Asia/Tokyo"),
    daysOf("new_york_days", "America/New_York")
  ])

  yield* Effect.gen(function* () {
    const assay = yield* Assay.Assay
    yield* feed.deliver([
      { view_id: "v1", viewed_at: "2024-03-10T04:30:00.000000Z" },
      { view_id: "v2", viewed_at: "2024-03-10T06:10:00.000000Z" },
      { view_id: "v3", viewed_at: "2024-03-11T03:50:00.000000Z" }
    ])
    yield* assay.materialize({ assets: [] })

    yield* feed.deliver([{ view_id: "v4", viewed_at: "2024-03-10T16:00:00.000000Z" }])
    yield* Console.log(Plan.explain(yield* assay.plan({ assets: [] })).join("\n"))
    yield* assay.materialize({ assets: [] })

    for (const asset of ["tokyo_days", "new_york_days"]) {
      const { rows } = yield* assay.rows({ asset })
      yield* Stream.runForEach(rows, ({ day, hours, views }) => Console.log(asset, day, hours, views))
    }
  }).pipe(Effect.provide(Assay.layerMemory(graph)))
})

await Effect.runPromise(program)
