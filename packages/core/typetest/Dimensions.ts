import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { Schema } from "effect"

const columns = Schema.Struct({ day: Column.date, region: Column.text, events: Column.integer })

declare const events: Asset.Asset<"events", (typeof columns)["Type"]>

const day = Partitions.daily({ start: "2024-01-01" })
const dayAndRegion = Partitions.multi({ day, region: Partitions.fromKeys(["eu", "us"]) })

const rest = {
  description: "Events by day and region",
  columns,
  inputs: { events: Asset.input(events, PartitionMapping.byColumn("day", "region")) },
  compute: { rows: () => [] }
} as const

const key = { key: ["day", "region"] } as const

export const byDayAndRegion = Asset.make("by_day_and_region", {
  ...rest,
  partitions: dayAndRegion,
  write: WriteStrategy.replacePartitions({ region: "region", day: "day" }, key)
})

export const lastDays = Asset.make("last_days", {
  ...rest,
  partitions: dayAndRegion,
  inputs: {
    events: Asset.input(
      byDayAndRegion,
      PartitionMapping.byDimension({
        day: PartitionMapping.timeWindows({ startOffset: -6 }),
        region: PartitionMapping.fromDimension("region")
      })
    )
  },
  write: WriteStrategy.replacePartitions({ day: "day", region: "region" }, key)
})

export const oneColumn = Asset.make("one_column", {
  ...rest,
  partitions: dayAndRegion,
  // @ts-expect-error: The partitions have dimensions, so replacePartitions names a column for each of them.
  write: WriteStrategy.replacePartitions("day", key)
})

export const missingDimension = Asset.make("missing_dimension", {
  ...rest,
  partitions: dayAndRegion,
  // @ts-expect-error: The write strategy names no column for a dimension: region.
  write: WriteStrategy.replacePartitions({ day: "day" }, key)
})

export const unknownDimension = Asset.make("unknown_dimension", {
  ...rest,
  partitions: dayAndRegion,
  // @ts-expect-error: The partitions have no such dimension: regoin.
  write: WriteStrategy.replacePartitions({ day: "day", region: "region", regoin: "events" }, key)
})

export const unknownColumn = Asset.make("unknown_column", {
  ...rest,
  partitions: dayAndRegion,
  // @ts-expect-error: "regoin"
  write: WriteStrategy.replacePartitions({ day: "day", region: "regoin" }, key)
})

export const byRows = PartitionMapping.byDimension({
  // @ts-expect-error: Onwards<"day">
  day: PartitionMapping.onwards("day")
})

// @ts-expect-error: Unpartitioned
export const inOnePiece = Partitions.multi({ day, all: Partitions.unpartitioned })
