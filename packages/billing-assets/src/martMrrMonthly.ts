/**
 * How much recurs each month, and why is it more or less than the month before? A customer counts with the version that
 * holds at the last instant of the month, in that version's currency; what moved is told per customer and currency.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { type Sql, sql } from "@assay/core/Sql"
import type { Unit } from "@assay/core/Unit"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as BigDecimal from "effect/BigDecimal"
import * as Schema from "effect/Schema"
import * as BillingRetry from "./BillingRetry.ts"
import * as Cell from "./Cell.ts"
import type * as dimCustomer from "./dimCustomer.ts"
import * as Money from "./Money.ts"
import * as Timestamp from "./Timestamp.ts"

const movementFields = {
  new_mrr: Money.totalColumn.annotate({ description: "From customers who never paid in this currency before" }),
  reactivation_mrr: Money.totalColumn.annotate({ description: "From customers who come back after months without" }),
  expansion_mrr: Money.totalColumn.annotate({ description: "From customers who pay more than the month before" }),
  contraction_mrr: Money.totalColumn.annotate({ description: "From customers who pay less, zero or less" }),
  churn_mrr: Money.totalColumn.annotate({ description: "From customers who no longer pay, zero or less" })
}

/**
 * The columns of `mart_mrr_monthly`.
 *
 * @category columns
 * @since 0.1.0
 */
export const columns = Schema.Struct({
  mrr_month: Column.date.annotate({ description: "The first day of the UTC month" }),
  billing_currency: Column.text.annotate({ description: "Currency of the amounts" }),
  mrr: Money.totalColumn.annotate({ description: "Monthly recurring revenue at the last instant of the month" }),
  active_customers: Column.integer.annotate({ description: "Customers with monthly recurring revenue" }),
  ...movementFields
})

/**
 * A row of `mart_mrr_monthly`.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = (typeof columns)["Type"]

/**
 * Monthly recurring revenue from the month of a day on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly start: string
  readonly customers: Asset.Asset<"dim_customer", dimCustomer.Row>
}): Asset.Asset<"mart_mrr_monthly", Row, never, "dim_customer"> =>
  Asset.make("mart_mrr_monthly", {
    description: "Monthly recurring revenue by currency, with its movement against the month before",
    labels: { group: "finance", tier: "gold", owners: ["finance"], tags: { domain: "billing" } },
    columns,
    partitions: Partitions.monthly({ start: Timestamp.month(options.start), endOffset: 1 }),
    inputs: {
      customers: Asset.input(options.customers, PartitionMapping.onwards("valid_from", { bounds: "compared" }), {
        columns: ["customer_id", "valid_from", "valid_to", "monthly_amount", "billing_currency"]
      })
    },
    write: WriteStrategy.replacePartitions("mrr_month", {
      key: ["mrr_month", "billing_currency"],
      additiveOver: "customer_id"
    }),
    policy: MaterializationPolicy.withIncompleteWindows(BillingRetry.policy, "build"),
    checks: [
      AssetCheck.notNull("mrr_month", "billing_currency", "mrr", "active_customers", ...movements),
      AssetCheck.unique("mrr_month", "billing_currency"),
      AssetCheck.relationship("billing_currency", { input: "customers", to: "billing_currency" }),
      signs,
      continuity
    ],
    compute: {
      sql: ({ customers, units }) => mrrSql(customers, units),
      rows: ({ customers, units }) => mrr(customers, units)
    }
  })

// --- internal ---

type Version = Pick<dimCustomer.Row, "customer_id" | "valid_from" | "valid_to" | "monthly_amount" | "billing_currency">

const movements = ["new_mrr", "reactivation_mrr", "expansion_mrr", "contraction_mrr", "churn_mrr"] as const

type Movement = (typeof movements)[number]

const moved = (row: Column.Row): BigDecimal.BigDecimal =>
  BigDecimal.sumAll(movements.map((movement) => Cell.amount(row[movement])))

const signs = AssetCheck.condition("revenue and gains are zero or more, losses zero or less", {
  sql: sql`mrr >= 0 AND (active_customers > 0) = (mrr > 0) AND new_mrr >= 0 AND reactivation_mrr >= 0
    AND expansion_mrr >= 0 AND contraction_mrr <= 0 AND churn_mrr <= 0`,
  holds: (row) => {
    const sign = (column: string) => BigDecimal.sign(Cell.amount(row[column]))
    const hasCustomers = Cell.count(row["active_customers"]) > 0
    return (
      hasCustomers === sign("mrr") > 0 &&
      sign("mrr") >= 0 &&
      sign("new_mrr") >= 0 &&
      sign("reactivation_mrr") >= 0 &&
      sign("expansion_mrr") >= 0 &&
      sign("contraction_mrr") <= 0 &&
      sign("churn_mrr") <= 0
    )
  }
})

/** Two months next to each other can be compared; a month whose neighbour was not computed with it cannot. */
const continuity = AssetCheck.violations("the month before and the movements add up to the month", {
  sql: ({ rows }) => sql`
    SELECT month.*, before.mrr AS mrr_before
    FROM ${rows} AS month
    JOIN ${rows} AS before ON before.billing_currency = month.billing_currency
      AND before.mrr_month = (month.mrr_month - interval '1 month')::date
    WHERE month.mrr <> before.mrr + month.new_mrr + month.reactivation_mrr + month.expansion_mrr
      + month.contraction_mrr + month.churn_mrr`,
  violations: function* (rows) {
    const key = (row: Column.Row, month: string) => JSON.stringify([row["billing_currency"], month])
    const byMonth = new Map(rows.map((row) => [key(row, following(Cell.text(row["mrr_month"]))), row]))
    for (const row of rows) {
      const before = byMonth.get(key(row, Cell.text(row["mrr_month"])))
      if (before === undefined) continue
      const expected = BigDecimal.sum(Cell.amount(before["mrr"]), moved(row))
      if (!BigDecimal.equals(Cell.amount(row["mrr"]), expected)) yield row
    }
  }
})

/** The first day of the month after one given by its first day. */
const following = (month: string): string => {
  const [year, number] = [Number(month.slice(0, 4)), Number(month.slice(5, 7))]
  return number === 12
    ? `${String(year + 1).padStart(4, "0")}-01-01`
    : `${month.slice(0, 4)}-${String(number + 1).padStart(2, "0")}-01`
}

/**
 * A version holds at the last instant of every month from that of `valid_from` up to, not including, that of `valid_to`.
 * Per customer and currency these spans do not overlap, so revenue moves only where a span begins or ends, and one sort
 * finds every movement of the whole history; no month is visited in between.
 */
const mrrSql = (customers: Sql, units: Sql): Sql => sql`
  WITH span AS (
    SELECT billing_currency, monthly_amount, from_month, to_month,
      lag(to_month) OVER series AS to_month_before,
      lag(monthly_amount) OVER series AS amount_before,
      lead(from_month) OVER series AS from_month_after
    FROM (
      SELECT customer_id, billing_currency, monthly_amount,
        date_trunc('month', valid_from, 'UTC') AS from_month, date_trunc('month', valid_to, 'UTC') AS to_month
      FROM ${customers} AS c
      WHERE monthly_amount > 0 AND billing_currency IS NOT NULL
    ) AS paid
    WHERE to_month IS NULL OR from_month < to_month
    WINDOW series AS (PARTITION BY customer_id, billing_currency ORDER BY from_month)
  ), change AS (
    SELECT from_month AS month, billing_currency,
      sum(CASE WHEN to_month_before = from_month THEN monthly_amount - amount_before ELSE monthly_amount END) AS mrr,
      count(*) FILTER (WHERE to_month_before IS DISTINCT FROM from_month) AS customers,
      coalesce(sum(monthly_amount) FILTER (WHERE to_month_before IS NULL), 0) AS new_mrr,
      coalesce(sum(monthly_amount) FILTER (WHERE to_month_before < from_month), 0) AS reactivation_mrr,
      coalesce(sum(greatest(monthly_amount - amount_before, 0)) FILTER (WHERE to_month_before = from_month), 0) AS expansion_mrr,
      coalesce(sum(least(monthly_amount - amount_before, 0)) FILTER (WHERE to_month_before = from_month), 0) AS contraction_mrr,
      0 AS churn_mrr
    FROM span GROUP BY from_month, billing_currency
    UNION ALL
    SELECT to_month, billing_currency, -sum(monthly_amount), -count(*), 0, 0, 0, 0, -sum(monthly_amount)
    FROM span
    WHERE to_month IS NOT NULL AND from_month_after IS DISTINCT FROM to_month
    GROUP BY to_month, billing_currency
  ), result AS (
    SELECT (u.window_start AT TIME ZONE 'UTC')::date AS mrr_month, c.billing_currency,
      sum(c.mrr) AS mrr,
      sum(c.customers)::bigint AS active_customers,
      coalesce(sum(c.new_mrr) FILTER (WHERE c.month = u.window_start), 0) AS new_mrr,
      coalesce(sum(c.reactivation_mrr) FILTER (WHERE c.month = u.window_start), 0) AS reactivation_mrr,
      coalesce(sum(c.expansion_mrr) FILTER (WHERE c.month = u.window_start), 0) AS expansion_mrr,
      coalesce(sum(c.contraction_mrr) FILTER (WHERE c.month = u.window_start), 0) AS contraction_mrr,
      coalesce(sum(c.churn_mrr) FILTER (WHERE c.month = u.window_start), 0) AS churn_mrr
    FROM ${units} AS u
    JOIN change AS c ON c.month <= u.window_start
    GROUP BY u.window_start, c.billing_currency
  )
  SELECT * FROM result
  WHERE mrr <> 0 OR new_mrr <> 0 OR reactivation_mrr <> 0 OR expansion_mrr <> 0 OR contraction_mrr <> 0 OR churn_mrr <> 0`

/** The months at whose last instant one paid version holds, half-open; an open version has no end. */
interface Span {
  readonly currency: string
  readonly amount: BigDecimal.BigDecimal
  readonly from: string
  readonly to: string | undefined
}

/** What moves in one month, for one customer and currency. */
interface Change {
  readonly month: string
  readonly currency: string
  readonly movement: Movement | undefined
  readonly amount: BigDecimal.BigDecimal
  readonly customers: -1 | 0 | 1
}

const mrr = (customers: ReadonlyArray<Version>, units: ReadonlyArray<Unit>): ReadonlyArray<Row> => {
  const series = Map.groupBy(customers.flatMap(span), ({ customer, currency }) => JSON.stringify([customer, currency]))
  const changes = Array.from(series.values()).flatMap(changesOf)
  const months = units.map(({ unit }) => unit).toSorted()
  return Array.from(Map.groupBy(changes, ({ currency }) => currency)).flatMap(([currency, changes]) =>
    rowsOf(currency, changes, months)
  )
}

const span = (version: Version): ReadonlyArray<Span & { readonly customer: string }> => {
  const { billing_currency: currency, customer_id: customer, monthly_amount: amount, valid_from, valid_to } = version
  const from = Timestamp.month(valid_from)
  const to = valid_to === null ? undefined : Timestamp.month(valid_to)
  return currency === null || amount === null || amount.value <= 0n || (to !== undefined && to <= from)
    ? []
    : [{ customer, currency, amount, from, to }]
}

const changesOf = (series: ReadonlyArray<Span>): ReadonlyArray<Change> => {
  const spans = series.toSorted((a, b) => (a.from < b.from ? -1 : 1))
  return spans.flatMap(({ amount, currency, from, to }, index) => {
    const before = spans[index - 1]
    const begin: Change =
      before === undefined
        ? { month: from, currency, movement: "new_mrr", amount, customers: 1 }
        : before.to === from
          ? rise(from, currency, BigDecimal.subtract(amount, before.amount))
          : { month: from, currency, movement: "reactivation_mrr", amount, customers: 1 }
    return to === undefined || spans[index + 1]?.from === to
      ? [begin]
      : [begin, { month: to, currency, movement: "churn_mrr", amount: BigDecimal.negate(amount), customers: -1 }]
  })
}

const rise = (month: string, currency: string, amount: BigDecimal.BigDecimal): Change => {
  const sign = BigDecimal.sign(amount)
  const movement = sign > 0 ? "expansion_mrr" : sign < 0 ? "contraction_mrr" : undefined
  return { month, currency, movement, amount, customers: 0 }
}

/** Adds up one currency's changes month by month, and tells where it stands in each of the wanted months. */
const rowsOf = (
  currency: string,
  changes: ReadonlyArray<Change>,
  months: ReadonlyArray<string>
): ReadonlyArray<Row> => {
  const sorted = changes.toSorted((a, b) => (a.month < b.month ? -1 : a.month > b.month ? 1 : 0))
  const rows: Array<Row> = []
  let mrr = Money.zero
  let active = 0
  let next = 0
  for (const month of months) {
    const moved: Record<Movement, BigDecimal.BigDecimal> = { ...still }
    for (; next < sorted.length; next++) {
      const change = sorted[next]
      if (change === undefined || change.month > month) break
      mrr = BigDecimal.sum(mrr, change.amount)
      active += change.customers
      if (change.month === month && change.movement !== undefined) {
        moved[change.movement] = BigDecimal.sum(moved[change.movement], change.amount)
      }
    }
    if (!BigDecimal.isZero(mrr) || movements.some((movement) => !BigDecimal.isZero(moved[movement]))) {
      rows.push({ mrr_month: month, billing_currency: currency, mrr, active_customers: active, ...moved })
    }
  }
  return rows
}

const still: Record<Movement, BigDecimal.BigDecimal> = {
  new_mrr: Money.zero,
  reactivation_mrr: Money.zero,
  expansion_mrr: Money.zero,
  contraction_mrr: Money.zero,
  churn_mrr: Money.zero
}
