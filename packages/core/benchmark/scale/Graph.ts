/**
 * A graph of many assets, cut by days, each of which reads one or two others: by the same day, or by a week of days.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { literal, sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"

const columns = Schema.Struct({ day: Column.date, amount: Column.integer })

type Table = Asset.Asset<string, { readonly day: string; readonly amount: number }, never>

/** So many assets from a day on. */
export const days = (count: number, start: string): AssetGraph.AssetGraph<never> => {
  const made: Array<Table> = []
  for (let index = 0; index < count; index++) made.push(table(index, start, made))
  return AssetGraph.fromIterable(made)
}

/** One asset of many windows of five minutes. */
export const minutes = (start: string): Table =>
  Asset.make("many_minutes", {
    description: "One asset of many partitions",
    columns: Schema.Struct({ day: Column.timestamp, amount: Column.integer }),
    partitions: Partitions.cron("*/5 * * * *", { start }),
    inputs: {},
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    compute: { sql: () => sql`SELECT now() AS day, 1 AS amount WHERE FALSE` }
  })

// --- internal ---

const table = (index: number, start: string, made: ReadonlyArray<Table>): Table => {
  const name = `asset_${String(index).padStart(5, "0")}`
  const common = {
    description: "Amounts by day",
    columns,
    partitions: Partitions.daily({ start }),
    write: WriteStrategy.replacePartitions("day", { key: ["day"] })
  } as const
  // Chains of ten, each of whose assets reads the one before and one of the chain beside it.
  const before = index % 10 === 0 ? undefined : made[index - 1]
  const beside = made[index - 11]
  if (before === undefined) {
    return Asset.make(name, {
      ...common,
      inputs: {},
      compute: { sql: () => sql`SELECT DATE '2024-01-01' AS day, ${literal(String(index))} AS amount WHERE FALSE` }
    })
  }
  return Asset.make(name, {
    ...common,
    inputs: {
      one: Asset.input(before, PartitionMapping.identity),
      week: Asset.input(beside ?? before, PartitionMapping.timeWindows({ startOffset: -6 }))
    },
    compute: { sql: ({ one, week }) => sql`SELECT o.day, o.amount FROM ${one} AS o JOIN ${week} AS w ON w.day = o.day` }
  })
}
