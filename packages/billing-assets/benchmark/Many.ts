/**
 * A graph of many assets by day, in chains of ten, without a row in them: what a run costs that has nothing to do, and what
 * a step costs that computes nothing.
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

/** The transactions that build a day of each of them by hand. */
export const byHand = (
  count: number,
  { schema, start }: { readonly schema: string; readonly start: string }
): ReadonlyArray<ReadonlyArray<string>> =>
  Array.from({ length: count }, (_, index) => {
    const own = `"${schema}".${nameOf(index)}`
    const day = `day = DATE '${start}'`
    const before =
      index % 10 === 0
        ? "SELECT DATE '2024-01-01', 1 WHERE FALSE"
        : `SELECT day, amount FROM "${schema}".${nameOf(index - 1)} WHERE ${day}`
    return [`DELETE FROM ${own} WHERE ${day}`, `INSERT INTO ${own} (day, amount) ${before}`]
  })

// --- internal ---

const nameOf = (index: number): string => `asset_${String(index).padStart(3, "0")}`

type Table = Asset.Asset<string, { readonly day: string; readonly amount: number }, never>

const table = (index: number, start: string, before: Table | undefined): Table => {
  const name = nameOf(index)
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
