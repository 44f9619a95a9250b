/**
 * A small graph in which every kind of asset, write strategy and mapping occurs: orders of a shop, their latest state,
 * the customers' history, and what can be counted of both by hour, day, week, month and store. Each compute is given in
 * SQL and in TypeScript, except where only TypeScript is wanted.
 */
import * as Asset from "@assay/core/Asset"
import type * as AssetCheck from "@assay/core/AssetCheck"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as AssetSelection from "@assay/core/AssetSelection"
import * as AutomationCondition from "@assay/core/AutomationCondition"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { literal, sql } from "@assay/core/Sql"
import type { Unit } from "@assay/core/Unit"
import * as Storage from "@assay/core/Storage"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Disturbance } from "./Disturbance.ts"

/** What a delivery says of an order, as it was seen at some time. */
export const orderFields = {
  origin: Column.text,
  line: Column.integer,
  order_id: Column.text,
  customer: Column.text,
  store: Column.text,
  amount: Column.integer,
  tier: Column.nullable(Column.text),
  ordered_at: Column.timestamp,
  seen_at: Column.timestamp,
  is_deleted: Column.boolean
}

export type Order = Schema.Struct<typeof orderFields>["Type"]

/** The stores that are partitions; orders of others lie outside. */
export const stores = ["east", "north", "west"] as const

/** Where the partitions of each cadence begin, and where the hours end. */
export interface Cuts {
  readonly hourly: string
  readonly hourlyEnd: string | undefined
  readonly daily: string
  readonly weekly: string
  readonly monthly: string
}

const usualCuts: Cuts = {
  hourly: "2024-03-03",
  hourlyEnd: undefined,
  daily: "2024-01-20",
  weekly: "2024-01-21",
  monthly: "2024-01-01"
}

/** What a test varies. */
export interface Options {
  readonly source: Source<Order>
  /** The code versions of assets, where they are not what their definitions say. */
  readonly codeVersions?: { readonly [asset: string]: string }
  readonly policy?: MaterializationPolicy.MaterializationPolicy
  readonly cuts?: Cuts
  /** The policy of `mart_monthly`. */
  readonly monthly?: MaterializationPolicy.MaterializationPolicy
  /** How many unfinished months `mart_monthly` has. */
  readonly monthlyEndOffset?: number
  /** The checks of `gold_daily`. */
  readonly dailyChecks?: ReadonlyArray<AssetCheck.AssetCheck<"day" | "tier" | "orders" | "amount">>
  /** The checks of `bronze_orders`. */
  readonly orderChecks?: ReadonlyArray<AssetCheck.AssetCheck<keyof Order>>
  /** From how many orders on a day counts as busy. */
  readonly busy?: number
  /** Makes the compute of `store_labels` answer for a store that it was not asked for. */
  readonly strayLabel?: string
  /** Slows the SQL of `store_totals` down, in seconds. */
  readonly sleep?: number
}

/** Three attempts without delay. */
export const promptly = MaterializationPolicy.make({ retry: Schedule.recurs(2) })

/** The log of a source of orders, for graphs of which the rest is their own. */
export const bronze = (source: Source<Order>) =>
  Asset.source("bronze_orders", {
    description: "Everything that was ever said of an order",
    columns: Schema.Struct({ ...orderFields, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    source
  })

export const make = (options: Options) => {
  const policy = options.policy ?? promptly
  const cuts = options.cuts ?? usualCuts
  const version = (asset: string): { readonly codeVersion?: string } => {
    const codeVersion = options.codeVersions?.[asset]
    return codeVersion === undefined ? {} : { codeVersion }
  }

  const bronze = Asset.source("bronze_orders", {
    description: "Everything that was ever said of an order",
    columns: Schema.Struct({ ...orderFields, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    policy,
    checks: options.orderChecks ?? [],
    source: options.source
  })

  const silver = Asset.make("silver_orders", {
    description: "Each order as it was last seen",
    columns: Schema.Struct({
      order_id: Column.text,
      customer: Column.text,
      store: Column.text,
      amount: Column.integer,
      tier: Column.nullable(Column.text),
      ordered_at: Column.timestamp,
      ordered_on: Column.date,
      seen_at: Column.timestamp
    }),
    inputs: {
      orders: Asset.input(bronze, PartitionMapping.byColumn("order_id"), {
        columns: ["order_id", "customer", "store", "amount", "tier", "ordered_at", "seen_at", "is_deleted"]
      })
    },
    write: WriteStrategy.upsert({ key: ["order_id"], version: "seen_at" }),
    storage: Storage.byMonth("ordered_at"),
    policy,
    ...version("silver_orders"),
    compute: {
      sql: ({ orders }) => sql`
        SELECT order_id, customer, store, amount, tier, ordered_at, (ordered_at AT TIME ZONE 'UTC')::date AS ordered_on,
          seen_at, is_deleted AS _deleted, concat_ws('|', customer, store, amount, coalesce(tier, ''),
            to_char(ordered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) AS _tie
        FROM ${orders} AS o`,
      rows: ({ orders }) =>
        orders.map(({ is_deleted, ...order }) => ({
          ...order,
          ordered_on: order.ordered_at.slice(0, 10),
          _deleted: is_deleted,
          _tie: [order.customer, order.store, order.amount, order.tier ?? "", order.ordered_at].join("|")
        }))
    }
  })

  const lastOrders = Asset.make("last_orders", {
    description: "The latest order of each customer in each store",
    columns: Schema.Struct({
      customer: Column.text,
      store: Column.text,
      order_id: Column.text,
      ordered_at: Column.timestamp
    }),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("customer", "store"), {
        columns: ["customer", "store", "order_id", "ordered_at"]
      })
    },
    write: WriteStrategy.upsert({ key: ["customer", "store"], version: "ordered_at" }),
    policy,
    ...version("last_orders"),
    compute: {
      sql: ({ orders }) => sql`
        SELECT customer, store, order_id, ordered_at, FALSE AS _deleted, order_id AS _tie FROM ${orders} AS o`,
      rows: ({ orders }) => orders.map((order) => ({ ...order, _deleted: false, _tie: order.order_id }))
    }
  })

  const customers = Asset.make("dim_customer", {
    description: "The customers' tiers through time",
    columns: Schema.Struct({
      customer_sk: Column.text,
      customer: Column.text,
      tier: Column.text,
      last_store: Column.text,
      first_store: Column.text,
      valid_from: Column.timestamp,
      valid_to: Column.nullable(Column.timestamp),
      is_current: Column.boolean
    }),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("customer"), {
        columns: ["order_id", "customer", "store", "tier", "ordered_at"]
      })
    },
    write: WriteStrategy.scd2({
      key: ["customer"],
      surrogateKey: "customer_sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["tier"],
      latest: ["last_store"],
      fixed: ["first_store"]
    }),
    policy,
    ...version("dim_customer"),
    compute: {
      sql: ({ orders }) => sql`
        SELECT customer, tier, store AS last_store, store AS first_store, ordered_at AS valid_from,
          row_number() OVER (PARTITION BY customer ORDER BY ordered_at, order_id COLLATE "C") AS _sequence
        FROM ${orders} AS o WHERE tier IS NOT NULL`,
      rows: ({ orders }) =>
        orders
          .toSorted((a, b) => compare(a.ordered_at, b.ordered_at) || compare(a.order_id, b.order_id))
          .flatMap(({ customer, ordered_at, store, tier }, index) =>
            tier === null
              ? []
              : [{ customer, tier, last_store: store, first_store: store, valid_from: ordered_at, _sequence: index }]
          )
    }
  })

  const cards = Asset.make("customer_cards", {
    description: "How often each customer changed tier, computed in TypeScript only",
    columns: Schema.Struct({ customer: Column.text, changes: Column.integer, tier: Column.text }),
    inputs: {
      versions: Asset.input(customers, PartitionMapping.identity, { columns: ["customer", "tier", "valid_from"] })
    },
    write: WriteStrategy.upsert({ key: ["customer"], version: "changes" }),
    policy,
    ...version("customer_cards"),
    compute: {
      rows: ({ versions }) =>
        Array.from(Map.groupBy(versions, ({ customer }) => customer).values()).flatMap((own) => {
          const last = own.toSorted((a, b) => compare(a.valid_from, b.valid_from)).at(-1)
          return last === undefined
            ? []
            : [{ customer: last.customer, changes: own.length, tier: last.tier, _deleted: false, _tie: "" }]
        })
    }
  })

  const day = Partitions.daily({ start: cuts.daily, endOffset: 1 })

  const daily = Asset.make("gold_daily", {
    description: "Orders by day and by the tier that the customer had then",
    columns: Schema.Struct({ day: Column.date, tier: Column.text, orders: Column.integer, amount: Column.integer }),
    partitions: day,
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("ordered_on"), {
        columns: ["order_id", "customer", "amount", "ordered_at", "ordered_on"]
      }),
      customers: Asset.input(
        customers,
        PartitionMapping.asOf({ facts: "orders", key: "customer", at: "ordered_at", bounds: "compared" }),
        {
          columns: ["customer", "tier", "valid_from", "valid_to"]
        }
      )
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "tier"] }),
    storage: Storage.byMonth("day"),
    policy,
    checks: options.dailyChecks ?? [],
    ...version("gold_daily"),
    compute: {
      sql: ({ customers, orders }) => sql`
        SELECT o.ordered_on AS day, coalesce(c.tier, 'none') AS tier, count(*) AS orders, sum(o.amount) AS amount
        FROM ${orders} AS o
        LEFT JOIN ${customers} AS c ON c.customer = o.customer AND c.valid_from <= o.ordered_at
          AND (c.valid_to IS NULL OR o.ordered_at < c.valid_to)
        GROUP BY 1, 2`,
      rows: ({ customers, orders }) => {
        const seen = orders.map((order) => ({
          ...order,
          tier:
            customers.find(
              ({ customer, valid_from, valid_to }) =>
                customer === order.customer &&
                valid_from <= order.ordered_at &&
                (valid_to === null || order.ordered_at < valid_to)
            )?.tier ?? "none"
        }))
        return grouped(seen, ({ ordered_on, tier }) => [ordered_on, tier]).map(([first, own]) => ({
          day: first.ordered_on,
          tier: first.tier,
          orders: own.length,
          amount: sum(own.map(({ amount }) => amount))
        }))
      }
    }
  })

  const monthly = Asset.make("mart_monthly", {
    description: "Orders by month and tier",
    columns: Schema.Struct({ month: Column.date, tier: Column.text, orders: Column.integer, amount: Column.integer }),
    partitions: Partitions.monthly({ start: cuts.monthly, endOffset: options.monthlyEndOffset ?? 0 }),
    inputs: { days: Asset.input(daily, PartitionMapping.timeWindows()) },
    write: WriteStrategy.replacePartitions("month", { key: ["month", "tier"] }),
    // Its first month begins before the first day.
    policy: options.monthly ?? MaterializationPolicy.withIncompleteWindows(policy, "build"),
    ...version("mart_monthly"),
    compute: {
      sql: ({ days }) => sql`
        SELECT date_trunc('month', day::timestamp)::date AS month, tier, sum(orders) AS orders, sum(amount) AS amount
        FROM ${days} AS d GROUP BY 1, 2`,
      rows: ({ days }) =>
        grouped(days, ({ day, tier }) => [day.slice(0, 7), tier]).map(([first, own]) => ({
          month: `${first.day.slice(0, 7)}-01`,
          tier: first.tier,
          orders: sum(own.map(({ orders }) => orders)),
          amount: sum(own.map(({ amount }) => amount))
        }))
    }
  })

  const tierMonthly = Asset.make("tier_monthly", {
    description: "Customers by tier at the end of each month",
    columns: Schema.Struct({ month: Column.date, tier: Column.text, customers: Column.integer }),
    partitions: Partitions.monthly({ start: cuts.monthly, endOffset: 1 }),
    inputs: {
      customers: Asset.input(customers, PartitionMapping.onwards("valid_from", { bounds: "compared" }), {
        columns: ["customer", "tier", "valid_from", "valid_to"]
      })
    },
    write: WriteStrategy.replacePartitions("month", { key: ["month", "tier"] }),
    policy,
    ...version("tier_monthly"),
    compute: {
      sql: ({ customers, units }) => sql`
        SELECT (u.window_start AT TIME ZONE 'UTC')::date AS month, c.tier, count(*) AS customers
        FROM ${units} AS u JOIN ${customers} AS c
          ON c.valid_from < u.window_end AND (c.valid_to IS NULL OR c.valid_to >= u.window_end)
        GROUP BY 1, 2`,
      rows: ({ customers, units }) =>
        units.flatMap((unit) => {
          const end = instant(unit, "end")
          const open = customers.filter(
            ({ valid_from, valid_to }) => valid_from < end && (valid_to === null || valid_to >= end)
          )
          return grouped(open, ({ tier }) => [tier]).map(([{ tier }, own]) => ({
            month: date(unit),
            tier,
            customers: own.length
          }))
        })
    }
  })

  const tierRecords = Asset.make("tier_records", {
    description: "The most customers that each tier ever had",
    columns: Schema.Struct({ tier: Column.text, customers: Column.integer }),
    inputs: { months: Asset.input(tierMonthly, PartitionMapping.all, { columns: ["tier", "customers"] }) },
    write: WriteStrategy.replace({ key: ["tier"] }),
    policy,
    ...version("tier_records"),
    compute: {
      sql: ({ months }) => sql`SELECT tier, max(customers) AS customers FROM ${months} AS m GROUP BY tier`,
      rows: ({ months }) =>
        grouped(months, ({ tier }) => [tier]).map(([{ tier }, own]) => ({
          tier,
          customers: Math.max(...own.map(({ customers }) => customers))
        }))
    }
  })

  const hourly = Asset.make("hourly_orders", {
    description: "Orders by the hour",
    columns: Schema.Struct({ hour: Column.timestamp, orders: Column.integer }),
    partitions: Partitions.hourly({ start: cuts.hourly, end: cuts.hourlyEnd, timeZone: "Europe/Berlin" }),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("ordered_at"), { columns: ["order_id", "ordered_at"] })
    },
    write: WriteStrategy.replacePartitions("hour", { key: ["hour"] }),
    policy,
    ...version("hourly_orders"),
    compute: {
      sql: ({ orders }) => sql`
        SELECT date_trunc('hour', ordered_at) AS hour, count(*) AS orders FROM ${orders} AS o GROUP BY 1`,
      rows: ({ orders }) =>
        grouped(orders, ({ ordered_at }) => [ordered_at.slice(0, 13)]).map(([first, own]) => ({
          hour: `${first.ordered_at.slice(0, 13)}:00:00.000000Z`,
          orders: own.length
        }))
    }
  })

  const weekly = Asset.make("weekly_customers", {
    description: "How many customers ordered in each week",
    columns: Schema.Struct({ week: Column.date, customers: Column.integer }),
    partitions: Partitions.weekly({ start: cuts.weekly, firstDayOfWeek: 0 }),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("ordered_on"), {
        columns: ["order_id", "customer", "ordered_at"]
      })
    },
    write: WriteStrategy.replacePartitions("week", { key: ["week"] }),
    policy,
    ...version("weekly_customers"),
    compute: {
      sql: ({ orders, units }) => sql`
        SELECT (u.window_start AT TIME ZONE 'UTC')::date AS week, count(DISTINCT o.customer) AS customers
        FROM ${units} AS u JOIN ${orders} AS o ON o.ordered_at >= u.window_start AND o.ordered_at < u.window_end
        GROUP BY 1`,
      rows: ({ orders, units }) =>
        units.flatMap((unit) => {
          const [start, end] = [instant(unit, "start"), instant(unit, "end")]
          const own = orders.filter(({ ordered_at }) => start <= ordered_at && ordered_at < end)
          return own.length === 0
            ? []
            : [{ week: date(unit), customers: new Set(own.map(({ customer }) => customer)).size }]
        })
    }
  })

  const totals = Asset.make("store_totals", {
    description: "Orders by store",
    columns: Schema.Struct({ store: Column.text, orders: Column.integer, amount: Column.integer }),
    partitions: Partitions.fromKeys(stores),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("store"), { columns: ["order_id", "store", "amount"] })
    },
    write: WriteStrategy.replacePartitions("store", { key: ["store"] }),
    policy,
    ...version("store_totals"),
    compute: {
      sql: ({ orders }) =>
        Effect.gen(function* () {
          const disturbance = yield* Disturbance
          yield* disturbance.before
          const surcharge = yield* disturbance.surcharge
          return sql`SELECT t.* FROM (
              SELECT store, count(*) AS orders, sum(amount) + ${surcharge}::bigint AS amount FROM ${orders} AS o GROUP BY store
            ) AS t, (SELECT pg_sleep(${options.sleep ?? 0}::float8)) AS slept`
        }),
      rows: ({ orders }) =>
        Effect.gen(function* () {
          const disturbance = yield* Disturbance
          yield* disturbance.before
          const surcharge = yield* disturbance.surcharge
          return grouped(orders, ({ store }) => [store]).map(([{ store }, own]) => ({
            store,
            orders: own.length,
            amount: sum(own.map(({ amount }) => amount)) + surcharge
          }))
        })
    }
  })

  const labels = Asset.make("store_labels", {
    description: "What the sign of each store says, computed in TypeScript only",
    columns: Schema.Struct({ store: Column.text, label: Column.text }),
    partitions: Partitions.fromKeys(stores),
    inputs: { totals: Asset.input(totals, PartitionMapping.identity, { columns: ["store", "orders"] }) },
    write: WriteStrategy.replacePartitions("store", { key: ["store"] }),
    policy,
    ...version("store_labels"),
    compute: {
      rows: ({ totals }) =>
        totals.map(({ orders, store }) => ({ store: options.strayLabel ?? store, label: `${store}: ${orders}` }))
    }
  })

  const ranking = Asset.make("store_ranking", {
    description: "The stores by their sales",
    columns: Schema.Struct({ store: Column.text, place: Column.integer }),
    inputs: { totals: Asset.input(totals, PartitionMapping.all, { columns: ["store", "amount"] }) },
    write: WriteStrategy.replace({ key: ["store"] }),
    policy,
    ...version("store_ranking"),
    compute: {
      sql: ({ totals }) => sql`
        SELECT store, row_number() OVER (ORDER BY amount DESC, store COLLATE "C") AS place FROM ${totals} AS t`,
      rows: ({ totals }) =>
        totals
          .toSorted((a, b) => b.amount - a.amount || compare(a.store, b.store))
          .map(({ store }, index) => ({ store, place: index + 1 }))
    }
  })

  const archive = Asset.make("store_archive", {
    description: "The ranking as it was when somebody asked for it",
    columns: Schema.Struct({ store: Column.text, place: Column.integer }),
    inputs: { ranking: Asset.input(ranking, PartitionMapping.all) },
    write: WriteStrategy.replace({ key: ["store"] }),
    policy: MaterializationPolicy.make({ ...policy, automation: AutomationCondition.never }),
    ...version("store_archive"),
    compute: {
      sql: ({ ranking }) => sql`SELECT store, place FROM ${ranking} AS r`,
      rows: ({ ranking }) => ranking
    }
  })

  const trailingWeek = Asset.make("trailing_week", {
    description: "Sales of the seven days up to each day",
    columns: Schema.Struct({ day: Column.date, amount: Column.integer }),
    partitions: day,
    inputs: {
      days: Asset.input(daily, PartitionMapping.timeWindows({ startOffset: -6 }), {
        columns: ["day", "tier", "amount"]
      })
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    policy,
    ...version("trailing_week"),
    compute: {
      sql: ({ days, units }) => sql`
        SELECT u.day, coalesce(sum(d.amount), 0) AS amount
        FROM (SELECT (window_start AT TIME ZONE 'UTC')::date AS day FROM ${units} AS units) AS u
        LEFT JOIN ${days} AS d ON d.day <= u.day AND d.day >= u.day - 6 GROUP BY u.day`,
      rows: ({ days, units }) =>
        units.map((unit) => {
          const [first, last] = [date(unit, -6), date(unit)]
          return {
            day: last,
            amount: sum(days.filter(({ day }) => first <= day && day <= last).map(({ amount }) => amount))
          }
        })
    }
  })

  const busyDays = Asset.make("busy_days", {
    description: "The days with many orders",
    columns: Schema.Struct({ day: Column.date, orders: Column.integer }),
    partitions: day,
    inputs: { days: Asset.input(daily, PartitionMapping.identity, { columns: ["day", "tier", "orders"] }) },
    write: WriteStrategy.view,
    compute: {
      sql: ({ days }) => sql`
        SELECT day, sum(orders) AS orders FROM ${days} AS d GROUP BY day
        HAVING sum(orders) >= ${literal(String(options.busy ?? 2))}`,
      rows: ({ days }) =>
        grouped(days, ({ day }) => [day]).flatMap(([{ day }, own]) => {
          const orders = sum(own.map((row) => row.orders))
          return orders >= (options.busy ?? 2) ? [{ day, orders }] : []
        })
    }
  })

  const busyNeighbours = Asset.make("busy_neighbours", {
    description: "How many of a day, the day before and the day after are busy; it waits for the day after",
    columns: Schema.Struct({ day: Column.date, busy: Column.integer }),
    partitions: day,
    inputs: { busy: Asset.input(busyDays, PartitionMapping.timeWindows({ startOffset: -1, endOffset: 1 })) },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    policy,
    ...version("busy_neighbours"),
    compute: {
      sql: ({ busy, units }) => sql`
        SELECT u.day, count(b.day) AS busy
        FROM (SELECT (window_start AT TIME ZONE 'UTC')::date AS day FROM ${units} AS units) AS u
        LEFT JOIN ${busy} AS b ON b.day >= u.day - 1 AND b.day <= u.day + 1 GROUP BY u.day`,
      rows: ({ busy, units }) =>
        units.map((unit) => ({
          day: date(unit),
          busy: busy.filter(({ day }) => date(unit, -1) <= day && day <= date(unit, 1)).length
        }))
    }
  })

  return AssetGraph.make([
    bronze,
    silver,
    lastOrders,
    customers,
    cards,
    daily,
    monthly,
    tierMonthly,
    tierRecords,
    hourly,
    weekly,
    totals,
    labels,
    ranking,
    archive,
    trailingWeek,
    busyDays,
    busyNeighbours
  ])
}

/** Orders behind a view that is not cut, which passes their keys on to what reads it. */
export const behindView = (source: Source<Order>) => {
  const log = bronze(source)
  const columns = ["order_id", "amount", "seen_at"] as const
  const shown = Asset.make("shown_orders", {
    description: "What may be seen of an order",
    columns: Schema.Struct({ order_id: Column.text, amount: Column.integer, seen_at: Column.timestamp }),
    inputs: { orders: Asset.input(log, PartitionMapping.byColumn("order_id"), { columns }) },
    write: WriteStrategy.view,
    compute: {
      sql: ({ orders }) => sql`SELECT order_id, amount, seen_at FROM ${orders} AS o`,
      rows: ({ orders }) => orders
    }
  })
  const amounts = Asset.make("order_amounts", {
    description: "The latest amount of each order",
    columns: Schema.Struct({ order_id: Column.text, amount: Column.integer, seen_at: Column.timestamp }),
    inputs: { orders: Asset.input(shown, PartitionMapping.identity) },
    write: WriteStrategy.upsert({ key: ["order_id"], version: "seen_at" }),
    compute: {
      sql: ({ orders }) => sql`SELECT order_id, amount, seen_at, FALSE AS _deleted, '' AS _tie FROM ${orders} AS o`,
      rows: ({ orders }) => orders.map((order) => ({ ...order, _deleted: false, _tie: "" }))
    }
  })
  return AssetGraph.make([log, shown, amounts])
}

/** The part of a graph that an asset is made of. */
export const only = <R>(graph: AssetGraph.AssetGraph<R>, asset: string): AssetGraph.AssetGraph<R> => {
  const names = Result.getOrThrow(AssetSelection.resolve(AssetSelection.upstream(AssetSelection.names(asset)), graph))
  return AssetGraph.fromIterable(names.map((name) => AssetGraph.getUnsafe(graph, name)))
}

// --- internal ---

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const grouped = <Row>(
  rows: ReadonlyArray<Row>,
  by: (row: Row) => ReadonlyArray<string>
): ReadonlyArray<readonly [first: Row, rows: ReadonlyArray<Row>]> =>
  Array.from(Map.groupBy(rows, (row) => JSON.stringify(by(row))).values()).flatMap((own) =>
    own[0] === undefined ? [] : [[own[0], own] as const]
  )

/** A bound of a unit's window as a timestamp of a column. */
const instant = ({ window }: Unit, bound: "start" | "end"): string =>
  new Date(window?.[bound] ?? Number.NaN).toISOString().replace("Z", "000Z")

/** The day on which a unit begins, or one so many days off. */
const date = ({ window }: Unit, days = 0): string =>
  new Date((window?.start ?? Number.NaN) + days * 86_400_000).toISOString().slice(0, 10)
