/**
 * A graph of many assets by day, in chains of ten, without a row in them: what a run costs that has nothing to do.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"

/** So many assets from a day on. */
export const make = (count: number, start: string): AssetGraph.AssetGraph<never> => {
  const made: Array<Table> = []
  for (let index = 0; index < count; index++) made.push(table(index, start, index % 10 === 0 ? undefined : made.at(-1)))
  return AssetGraph.fromIterable(made)
}

// --- internal ---

type Table = Asset.Asset<string, { readonly day: string; readonly amount: number }, never>

const table = (index: number, start: string, before: Table | undefined): Table => {
  const name = `asset_${String(index).padStart(3, "0")}`
  const common = {
    description: "Amounts by day",
    columns: Schema.Struct({ day: Column.date, amount: Column.integer }),
    partitions: Partitions.daily({ start }),
    write: WriteStrategy.replacePartitions("day", { key: ["day"] })
  } as const
  if (before === undefined) {
    const nothing = sql`SELECT DATE '2024-01-01' AS day, 1 AS amount WHERE FALSE`
    return Asset.make(name, { ...common, inputs: {}, compute: { sql: () => nothing } })
  }
  return Asset.make(name, {
    ...common,
    inputs: { before: Asset.input(before, PartitionMapping.identity) },
    compute: { sql: ({ before }) => sql`SELECT b.day, b.amount FROM ${before} AS b` }
  })
}
