/**
 * What is measured about a group of money events? The same measures by day and by month, so they are said once: as
 * columns, in SQL, and as a function of the events.
 */
import * as AssetCheck from "@assay/core/AssetCheck"
import * as Column from "@assay/core/Column"
import { type Sql, sql } from "@assay/core/Sql"
import * as BigDecimal from "effect/BigDecimal"
import type * as Schema from "effect/Schema"
import * as Cell from "./Cell.ts"
import * as Money from "./Money.ts"
import type * as silverEvents from "./silverEvents.ts"

/**
 * The columns of the measures.
 *
 * @category columns
 * @since 0.1.0
 */
export const fields = {
  invoice_count: Column.integer.annotate({ description: "Paid invoices" }),
  gross_amount: Money.totalColumn.annotate({ description: "Sum of the paid invoices" }),
  refund_count: Column.integer.annotate({ description: "Refunds" }),
  refund_amount: Money.totalColumn.annotate({ description: "Sum of the refunds, zero or less" }),
  dispute_amount: Money.totalColumn.annotate({ description: "Sum of disputes opened (less) and won (more)" }),
  net_amount: Money.totalColumn.annotate({ description: "Sum of everything: gross, refunds and disputes" }),
  paying_customers: Column.integer.annotate({ description: "Distinct customers with a paid invoice" })
}

/**
 * The measures of one group.
 *
 * @category models
 * @since 0.1.0
 */
export type RevenueMeasures = Schema.Struct<typeof fields>["Type"]

/**
 * What the measures read of a money event.
 *
 * @category models
 * @since 0.1.0
 */
export type Event = Pick<silverEvents.Row, "customer_id" | "event_type" | "amount">

/**
 * The measures of a group of money events.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromEvents = (events: ReadonlyArray<Event>): RevenueMeasures => {
  const byType = Map.groupBy(events, (event) => event.event_type)
  const of = (type: string) => byType.get(type) ?? []
  const invoices = of("invoice_paid")
  const refunds = of("refund_issued")
  return {
    invoice_count: invoices.length,
    gross_amount: total(invoices),
    refund_count: refunds.length,
    refund_amount: total(refunds),
    dispute_amount: total([...of("dispute_opened"), ...of("dispute_won")]),
    net_amount: total(events),
    paying_customers: new Set(invoices.map((event) => event.customer_id)).size
  }
}

/**
 * The measures that are sums over events, as columns of a grouped query: unlike distinct customers, several processes of the
 * server can count them, each in a part of the events.
 *
 * @category conversions
 * @since 0.1.0
 */
export const sumsToSql: Sql = sql`
  count(*) FILTER (WHERE event_type = 'invoice_paid') AS invoice_count,
  coalesce(sum(amount) FILTER (WHERE event_type = 'invoice_paid'), 0) AS gross_amount,
  count(*) FILTER (WHERE event_type = 'refund_issued') AS refund_count,
  coalesce(sum(amount) FILTER (WHERE event_type = 'refund_issued'), 0) AS refund_amount,
  coalesce(sum(amount) FILTER (WHERE event_type IN ('dispute_opened', 'dispute_won')), 0) AS dispute_amount,
  sum(amount) AS net_amount`

/**
 * The measures as columns of a grouped query over money events.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toSql: Sql = sql`${sumsToSql},
  count(DISTINCT customer_id) FILTER (WHERE event_type = 'invoice_paid') AS paying_customers`

/**
 * What holds of the measures in every group.
 *
 * @category checks
 * @since 0.1.0
 */
export const checks: ReadonlyArray<AssetCheck.AssetCheck<keyof typeof fields>> = [
  AssetCheck.notNull(
    "invoice_count",
    "gross_amount",
    "refund_count",
    "refund_amount",
    "dispute_amount",
    "net_amount",
    "paying_customers"
  ),
  AssetCheck.condition("net = gross + refunds + disputes", {
    sql: sql`net_amount = gross_amount + refund_amount + dispute_amount`,
    holds: (row) => {
      const parts = [row["gross_amount"], row["refund_amount"], row["dispute_amount"]].map(Cell.amount)
      return BigDecimal.equals(Cell.amount(row["net_amount"]), BigDecimal.sumAll(parts))
    }
  }),
  AssetCheck.condition("gross is zero or more, refunds are zero or less", {
    sql: sql`gross_amount >= 0 AND refund_amount <= 0`,
    holds: (row) => Cell.amount(row["gross_amount"]).value >= 0n && Cell.amount(row["refund_amount"]).value <= 0n
  }),
  AssetCheck.condition("every paying customer has a paid invoice", {
    sql: sql`paying_customers <= invoice_count AND (paying_customers > 0) = (invoice_count > 0)`,
    holds: (row) => {
      const [invoices, customers] = [Cell.count(row["invoice_count"]), Cell.count(row["paying_customers"])]
      return customers <= invoices && customers > 0 === invoices > 0
    }
  })
]

// --- internal ---

const total = (events: ReadonlyArray<Event>): BigDecimal.BigDecimal =>
  BigDecimal.sumAll(events.map((event) => event.amount))
