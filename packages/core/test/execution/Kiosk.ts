/**
 * A graph whose definitions a test changes: orders and their latest state, sales by day and by store, and what reads them
 * by partition, as a whole and through a view. Each asset can be left out, cut or computed otherwise.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { literal, sql } from "@assay/core/Sql"
import type { Unit } from "@assay/core/Unit"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { open, Time } from "../shop/Storage.ts"
import { noon } from "../shop/Trade.ts"

export interface Options {
  readonly source: Source<Shop.Order>
  readonly days?: Partitions.Partitions
  /** The cut of the view over the days. */
  readonly viewDays?: Partitions.Partitions
  readonly stores?: ReadonlyArray<string>
  /** What every day's amount is multiplied by. */
  readonly factor?: number
  readonly codeVersion?: string
  /** The assets that the graph does not have. */
  readonly without?: ReadonlyArray<string>
}

/** The usual days: from 1 February on, with the running one. */
export const days = (options: Partial<Partitions.TimeWindowsOptions> = {}): Partitions.Partitions =>
  Partitions.daily({ start: "2024-02-01", endOffset: 1, ...options })

export const make = (options: Options) => {
  const factor = options.factor ?? 1
  const cut = options.days ?? days()

  const bronze = Asset.source("bronze_orders", {
    description: "Everything that was ever said of an order",
    columns: Schema.Struct({ ...Shop.orderFields, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    policy: Shop.promptly,
    source: options.source
  })

  const silver = Asset.make("silver_orders", {
    description: "Each order as it was last seen",
    columns: Schema.Struct({
      order_id: Column.text,
      store: Column.text,
      amount: Column.integer,
      ordered_on: Column.date,
      seen_at: Column.timestamp
    }),
    inputs: {
      orders: Asset.input(bronze, PartitionMapping.byColumn("order_id"), {
        columns: ["order_id", "store", "amount", "ordered_at", "seen_at", "is_deleted"]
      })
    },
    write: WriteStrategy.upsert({ key: ["order_id"], version: "seen_at" }),
    policy: Shop.promptly,
    compute: {
      sql: ({ orders }) => sql`
        SELECT order_id, store, amount, (ordered_at AT TIME ZONE 'UTC')::date AS ordered_on, seen_at,
          is_deleted AS _deleted, '' AS _tie FROM ${orders} AS o`,
      rows: ({ orders }) =>
        orders.map(({ is_deleted, ordered_at, ...order }) => ({
          ...order,
          ordered_on: ordered_at.slice(0, 10),
          _deleted: is_deleted,
          _tie: ""
        }))
    }
  })

  const daily = Asset.make("daily", {
    description: "Sales by day",
    columns: Schema.Struct({ day: Column.date, amount: Column.integer }),
    partitions: cut,
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("ordered_on"), {
        columns: ["order_id", "amount", "ordered_on"]
      })
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    policy: Shop.promptly,
    ...(options.codeVersion === undefined ? {} : { codeVersion: options.codeVersion }),
    compute: {
      sql: ({ orders }) => sql`
        SELECT ordered_on AS day, sum(amount) * ${literal(String(factor))} AS amount FROM ${orders} AS o GROUP BY 1`,
      rows: ({ orders }) =>
        grouped(orders, ({ ordered_on }) => ordered_on).map(([day, own]) => ({
          day,
          amount: sum(own.map(({ amount }) => amount)) * factor
        }))
    }
  })

  const monthly = Asset.make("monthly", {
    description: "Sales by month",
    columns: Schema.Struct({ month: Column.date, amount: Column.integer }),
    partitions: Partitions.monthly({ start: "2024-01-01", endOffset: 1 }),
    inputs: { days: Asset.input(daily, PartitionMapping.timeWindows()) },
    write: WriteStrategy.replacePartitions("month", { key: ["month"] }),
    policy: { ...Shop.promptly, incompleteWindows: "build" },
    compute: {
      sql: ({ days }) => sql`
        SELECT date_trunc('month', day::timestamp)::date AS month, sum(amount) AS amount FROM ${days} AS d GROUP BY 1`,
      rows: ({ days }) =>
        grouped(days, ({ day }) => `${day.slice(0, 7)}-01`).map(([month, own]) => ({
          month,
          amount: sum(own.map(({ amount }) => amount))
        }))
    }
  })

  const record = Asset.make("record", {
    description: "The best day's sales",
    columns: Schema.Struct({ id: Column.text, amount: Column.integer }),
    inputs: { days: Asset.input(daily, PartitionMapping.all) },
    write: WriteStrategy.replace({ key: ["id"] }),
    policy: Shop.promptly,
    compute: {
      sql: ({ days }) => sql`SELECT 'record' AS id, max(amount) AS amount FROM ${days} AS d HAVING count(*) > 0`,
      rows: ({ days }) =>
        days.length === 0 ? [] : [{ id: "record", amount: Math.max(...days.map(({ amount }) => amount)) }]
    }
  })

  const shown = Asset.make("shown", {
    description: "The days as they may be shown",
    columns: Schema.Struct({ day: Column.date, amount: Column.integer }),
    partitions: options.viewDays ?? Partitions.daily({ start: "2024-01-01", endOffset: 1 }),
    inputs: { days: Asset.input(daily, PartitionMapping.identity) },
    write: WriteStrategy.view,
    compute: { sql: ({ days }) => sql`SELECT day, amount FROM ${days} AS d`, rows: ({ days }) => days }
  })

  const pairs = Asset.make("pairs", {
    description: "Sales of each day and the day before, through the view",
    columns: Schema.Struct({ day: Column.date, amount: Column.integer }),
    partitions: Partitions.daily({ start: "2024-01-01", endOffset: 1 }),
    inputs: { shown: Asset.input(shown, PartitionMapping.timeWindows({ startOffset: -1 })) },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    policy: { ...Shop.promptly, incompleteWindows: "build" },
    compute: {
      sql: ({ shown, units }) => sql`
        SELECT u.day, sum(s.amount) AS amount
        FROM (SELECT (window_start AT TIME ZONE 'UTC')::date AS day FROM ${units} AS units) AS u
        JOIN ${shown} AS s ON s.day = u.day OR s.day = u.day - 1 GROUP BY u.day`,
      rows: ({ shown, units }) =>
        units.flatMap((unit) => {
          const own = shown.filter(({ day }) => day === date(unit) || day === date(unit, -1))
          return own.length === 0 ? [] : [{ day: date(unit), amount: sum(own.map(({ amount }) => amount)) }]
        })
    }
  })

  const byStore = Asset.make("by_store", {
    description: "Sales by store",
    columns: Schema.Struct({ store: Column.text, amount: Column.integer }),
    partitions: Partitions.fromKeys(options.stores ?? Shop.stores),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("store"), { columns: ["order_id", "store", "amount"] })
    },
    write: WriteStrategy.replacePartitions("store", { key: ["store"] }),
    policy: Shop.promptly,
    compute: {
      sql: ({ orders }) => sql`SELECT store, sum(amount) AS amount FROM ${orders} AS o GROUP BY store`,
      rows: ({ orders }) =>
        grouped(orders, ({ store }) => store).map(([store, own]) => ({
          store,
          amount: sum(own.map(({ amount }) => amount))
        }))
    }
  })

  const signs = Asset.make("signs", {
    description: "What the sign of each store says",
    columns: Schema.Struct({ store: Column.text, sign: Column.text }),
    partitions: Partitions.fromKeys(Shop.stores),
    inputs: { stores: Asset.input(byStore, PartitionMapping.identity) },
    write: WriteStrategy.replacePartitions("store", { key: ["store"] }),
    // A store may be one that by_store does not have any more.
    policy: { ...Shop.promptly, incompleteWindows: "build" },
    compute: {
      sql: ({ stores }) => sql`SELECT store, store || ': ' || amount AS sign FROM ${stores} AS s`,
      rows: ({ stores }) => stores.map(({ amount, store }) => ({ store, sign: `${store}: ${amount}` }))
    }
  })

  const without = new Set(options.without ?? [])
  return AssetGraph.fromIterable<never>(
    [bronze, silver, daily, monthly, record, shown, pairs, byStore, signs].filter(({ name }) => !without.has(name))
  )
}

/** A kiosk opened on the storage at hand at noon of 5 March 2024, with its feed; and how it is opened with other definitions. */
export const kiosk = (options: Omit<Options, "source"> = {}) =>
  Effect.gen(function* () {
    const feed = yield* Feed.make<Shop.Order>()
    yield* (yield* Time).set(noon)
    const reopen = (changed: Omit<Options, "source">) => open(make({ ...changed, source: feed.source }))
    return { assay: yield* reopen(options), feed, reopen }
  })

// --- internal ---

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const grouped = <Row>(
  rows: ReadonlyArray<Row>,
  by: (row: Row) => string
): ReadonlyArray<readonly [key: string, rows: ReadonlyArray<Row>]> => Array.from(Map.groupBy(rows, by))

/** The day on which a unit begins, or one so many days off. */
const date = ({ window }: Unit, days = 0): string =>
  new Date((window?.start ?? Number.NaN) + days * 86_400_000).toISOString().slice(0, 10)
