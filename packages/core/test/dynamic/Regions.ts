/**
 * Sales of regions that open and close while the application runs: cut by keys of the ledger, read by identity, through a
 * view, as a whole, and by an asset whose keys are in code; and a second name beside the first one.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import type { Reason } from "@assay/core/MaterializationError"
import type * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { open, Time } from "../shop/Storage.ts"
import { noon } from "../shop/Trade.ts"

export interface Options {
  readonly source: Source<Shop.Order>
  readonly policy?: MaterializationPolicy.MaterializationPolicy
  /** Done by `sales` before it answers. */
  readonly before?: Effect.Effect<void, Reason>
  /** The name by which the regions are kept. */
  readonly name?: string
  /** The assets that the graph does not have. */
  readonly without?: ReadonlyArray<string>
}

export const make = ({
  before = Effect.void,
  name = "regions",
  policy = Shop.promptly,
  source,
  without = []
}: Options) => {
  const bronze = Asset.source("bronze_orders", {
    description: "Everything that was ever said of an order",
    columns: Schema.Struct({ ...Shop.orderFields, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    policy,
    source
  })

  const silver = Asset.make("silver_orders", {
    description: "Each order as it was last seen",
    columns: Schema.Struct({
      order_id: Column.text,
      region: Column.text,
      customer: Column.text,
      amount: Column.integer,
      seen_at: Column.timestamp
    }),
    inputs: {
      orders: Asset.input(bronze, PartitionMapping.byColumn("order_id"), {
        columns: ["order_id", "store", "customer", "amount", "seen_at", "is_deleted"]
      })
    },
    write: WriteStrategy.upsert({ key: ["order_id"], version: "seen_at" }),
    policy,
    compute: {
      sql: ({ orders }) => sql`
        SELECT order_id, store AS region, customer, amount, seen_at, is_deleted AS _deleted, '' AS _tie
        FROM ${orders} AS o`,
      rows: ({ orders }) =>
        orders.map(({ amount, customer, is_deleted, order_id, seen_at, store }) => ({
          order_id,
          region: store,
          customer,
          amount,
          seen_at,
          _deleted: is_deleted,
          _tie: ""
        }))
    }
  })

  const sales = Asset.make("sales", {
    description: "Sales by region",
    columns: salesColumns,
    partitions: Partitions.dynamic(name),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("region"), { columns: ["order_id", "region", "amount"] })
    },
    write: WriteStrategy.replacePartitions("region", { key: ["region"] }),
    policy,
    codeVersion: "1",
    compute: {
      sql: ({ orders }) =>
        Effect.as(before, sql`SELECT region, sum(amount) AS amount FROM ${orders} AS o GROUP BY region`),
      rows: ({ orders }) =>
        Effect.as(
          before,
          Array.from(
            Map.groupBy(orders, ({ region }) => region),
            ([region, own]) => ({ region, amount: sum(own.map(({ amount }) => amount)) })
          )
        )
    }
  })

  const signs = Asset.make("signs", {
    description: "What the sign of each region says",
    columns: signColumns,
    partitions: Partitions.dynamic(name),
    inputs: { sales: Asset.input(sales, PartitionMapping.identity) },
    write: WriteStrategy.replacePartitions("region", { key: ["region"] }),
    policy,
    compute: sign
  })

  const shown = Asset.make("shown", {
    description: "The regions as they may be shown",
    columns: salesColumns,
    partitions: Partitions.dynamic(name),
    inputs: { sales: Asset.input(sales, PartitionMapping.identity) },
    write: WriteStrategy.view,
    compute: { sql: ({ sales }) => sql`SELECT region, amount FROM ${sales} AS s`, rows: ({ sales }) => sales }
  })

  const posters = Asset.make("posters", {
    description: "What hangs in the streets of each region, by the view",
    columns: signColumns,
    partitions: Partitions.dynamic(name),
    inputs: { sales: Asset.input(shown, PartitionMapping.identity) },
    write: WriteStrategy.replacePartitions("region", { key: ["region"] }),
    policy,
    // A view is read as a whole, whatever the units are.
    compute: {
      sql: ({ sales, units }) => sql`
        SELECT s.region, s.region || ': ' || s.amount AS sign FROM ${sales} AS s JOIN ${units} AS u ON u.unit = s.region`,
      rows: ({ sales, units }) =>
        sign.rows({ sales: sales.filter(({ region }) => units.some(({ unit }) => unit === region)) })
    }
  })

  const total = Asset.make("total", {
    description: "The sales of all regions there are",
    columns: totalColumns,
    inputs: { sales: Asset.input(sales, PartitionMapping.all) },
    write: WriteStrategy.replace({ key: ["id"] }),
    policy,
    compute: summed
  })

  const shownTotal = Asset.make("shown_total", {
    description: "The same, through the view",
    columns: totalColumns,
    inputs: { sales: Asset.input(shown, PartitionMapping.all) },
    write: WriteStrategy.replace({ key: ["id"] }),
    policy,
    compute: summed
  })

  const home = Asset.make("home", {
    description: "The sign of two regions that are in code",
    columns: signColumns,
    partitions: Partitions.fromKeys(["north", "east"]),
    inputs: { sales: Asset.input(sales, PartitionMapping.identity) },
    write: WriteStrategy.replacePartitions("region", { key: ["region"] }),
    // A region may be one that is not open.
    policy: { ...policy, incompleteWindows: "build" },
    compute: sign
  })

  const customers = Asset.make("customers", {
    description: "Sales by customer, of those that are known",
    columns: Schema.Struct({ customer: Column.text, amount: Column.integer }),
    partitions: Partitions.dynamic("customers"),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("customer"), {
        columns: ["order_id", "customer", "amount"]
      })
    },
    write: WriteStrategy.replacePartitions("customer", { key: ["customer"] }),
    policy,
    compute: {
      sql: ({ orders }) => sql`SELECT customer, sum(amount) AS amount FROM ${orders} AS o GROUP BY customer`,
      rows: ({ orders }) =>
        Array.from(
          Map.groupBy(orders, ({ customer }) => customer),
          ([customer, own]) => ({ customer, amount: sum(own.map(({ amount }) => amount)) })
        )
    }
  })

  const pairs = Asset.make("pairs", {
    description: "Sales by region and customer",
    columns: pairColumns,
    partitions: Partitions.multi({ region: Partitions.dynamic(name), customer: Partitions.dynamic("customers") }),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("region", "customer"), {
        columns: ["order_id", "region", "customer", "amount"]
      })
    },
    write: WriteStrategy.replacePartitions({ region: "region", customer: "customer" }, { key: ["region", "customer"] }),
    policy,
    compute: {
      sql: ({ orders }) =>
        sql`SELECT region, customer, sum(amount) AS amount FROM ${orders} AS o GROUP BY region, customer`,
      rows: ({ orders }) =>
        Array.from(Map.groupBy(orders, ({ customer, region }) => `${region}|${customer}`).values(), (own) => ({
          region: own[0]?.region ?? "",
          customer: own[0]?.customer ?? "",
          amount: sum(own.map(({ amount }) => amount))
        }))
    }
  })

  const pairTotal = Asset.make("pair_total", {
    description: "The sales of all pairs there are",
    columns: totalColumns,
    inputs: { sales: Asset.input(pairs, PartitionMapping.all) },
    write: WriteStrategy.replace({ key: ["id"] }),
    policy,
    compute: summed
  })

  return AssetGraph.fromIterable<never>(
    [bronze, silver, sales, signs, shown, posters, total, shownTotal, home, customers, pairs, pairTotal].filter(
      (asset) => !without.includes(asset.name)
    )
  )
}

/** The regions opened on the storage at hand at noon of 5 March 2024, with their feed; and how others open them. */
export const regions = (options: Omit<Options, "source"> = {}) =>
  Effect.gen(function* () {
    const feed = yield* Feed.make<Shop.Order>()
    yield* (yield* Time).set(noon)
    const reopen = (changed: Omit<Options, "source">) => open(make({ ...changed, source: feed.source }))
    return { assay: yield* reopen(options), feed, reopen }
  })

// --- internal ---

interface Sales {
  readonly region: string
  readonly amount: number
}

const pairColumns = Schema.Struct({ region: Column.text, customer: Column.text, amount: Column.integer })

const salesColumns = Schema.Struct({ region: Column.text, amount: Column.integer })

const signColumns = Schema.Struct({ region: Column.text, sign: Column.text })

const totalColumns = Schema.Struct({ id: Column.text, amount: Column.integer })

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const sign = {
  sql: ({ sales }: { readonly sales: ReturnType<typeof sql> }) =>
    sql`SELECT region, region || ': ' || amount AS sign FROM ${sales} AS s`,
  rows: ({ sales }: { readonly sales: ReadonlyArray<Sales> }) =>
    sales.map(({ amount, region }) => ({ region, sign: `${region}: ${amount}` }))
}

const summed = {
  sql: ({ sales }: { readonly sales: ReturnType<typeof sql> }) =>
    sql`SELECT 'total' AS id, sum(amount) AS amount FROM ${sales} AS s HAVING count(*) > 0`,
  rows: ({ sales }: { readonly sales: ReadonlyArray<Sales> }) =>
    sales.length === 0 ? [] : [{ id: "total", amount: sum(sales.map(({ amount }) => amount)) }]
}
