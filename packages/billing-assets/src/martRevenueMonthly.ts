/**
 * What was earned each month, by currency? The measures of the days, but counted anew: a customer who pays on two days
 * of a month is one paying customer of that month.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"
import * as BillingRetry from "./BillingRetry.ts"
import * as EventType from "./EventType.ts"
import * as RevenueMeasures from "./RevenueMeasures.ts"
import type * as silverEvents from "./silverEvents.ts"
import * as Timestamp from "./Timestamp.ts"

/**
 * The columns of `mart_revenue_monthly`.
 *
 * @category columns
 * @since 0.1.0
 */
export const columns = Schema.Struct({
  revenue_month: Column.date.annotate({ description: "The first day of the UTC month in which the events happened" }),
  currency: Column.text.annotate({ description: "Currency of the amounts" }),
  ...RevenueMeasures.fields
})

/**
 * A row of `mart_revenue_monthly`.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = (typeof columns)["Type"]

/**
 * Monthly revenue from the month of a day on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly start: string
  readonly silver: Asset.Asset<"silver_events", silverEvents.Row>
}): Asset.Asset<"mart_revenue_monthly", Row, never, "silver_events"> =>
  Asset.make("mart_revenue_monthly", {
    description: "Revenue by calendar month and currency",
    labels: { group: "finance", tier: "gold", owners: ["finance"], tags: { domain: "billing" } },
    columns,
    partitions: Partitions.monthly({ start: Timestamp.month(options.start), endOffset: 1 }),
    inputs: {
      events: Asset.input(options.silver, PartitionMapping.byColumn("event_date"), {
        columns: ["customer_id", "event_type", "amount", "currency", "event_date"],
        where: { event_type: EventType.money }
      })
    },
    write: WriteStrategy.replacePartitions("revenue_month", {
      key: ["revenue_month", "currency"],
      additiveOver: "customer_id"
    }),
    policy: MaterializationPolicy.withIncompleteWindows(BillingRetry.policy, "build"),
    checks: [
      AssetCheck.notNull("revenue_month", "currency"),
      AssetCheck.unique("revenue_month", "currency"),
      AssetCheck.relationship("currency", { input: "events", to: "currency" }),
      ...RevenueMeasures.checks
    ],
    compute: {
      sql: ({ events }) => sql`
        WITH sums AS (
          SELECT ${month} AS revenue_month, currency, ${RevenueMeasures.sumsToSql} FROM ${events} AS e GROUP BY 1, 2
        ),
        payers AS (
          SELECT revenue_month, currency, count(*) AS paying_customers
          FROM (
            SELECT DISTINCT ${month} AS revenue_month, currency, customer_id
            FROM ${events} AS e WHERE event_type = 'invoice_paid'
          ) AS payer
          GROUP BY 1, 2
        )
        SELECT sums.*, coalesce(paying_customers, 0) AS paying_customers
        FROM sums LEFT JOIN payers USING (revenue_month, currency)`,
      rows: ({ events }) => {
        const groups = Map.groupBy(events, ({ currency, event_date }) =>
          JSON.stringify([Timestamp.month(event_date), currency])
        )
        return Array.from(groups.values()).flatMap((group) => {
          const [first] = group
          // A money event has a currency, or the checks of silver_events would have kept it out.
          const currency = first?.currency ?? null
          if (first === undefined || currency === null) return []
          return [{ revenue_month: Timestamp.month(first.event_date), currency, ...RevenueMeasures.fromEvents(group) }]
        })
      }
    }
  })

// --- internal ---

const month = sql`date_trunc('month', event_date::timestamp)::date`
