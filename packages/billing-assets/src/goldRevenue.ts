/**
 * What was earned each day, by currency and by the segment and plan that the customer had at the time? Money events are
 * joined to the customer's version as of the moment of the event, never to the current one.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { type Sql, sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"
import * as BillingRetry from "./BillingRetry.ts"
import type * as dimCustomer from "./dimCustomer.ts"
import * as EventType from "./EventType.ts"
import * as RevenueMeasures from "./RevenueMeasures.ts"
import type * as silverEvents from "./silverEvents.ts"

/**
 * The columns of `gold_revenue`.
 *
 * @category columns
 * @since 0.1.0
 */
export const columns = Schema.Struct({
  revenue_date: Column.date.annotate({ description: "The UTC day on which the events happened" }),
  currency: Column.text.annotate({ description: "Currency of the amounts" }),
  segment: Column.text.annotate({
    description:
      "The customers' segment at the time of the event; none where it was null, unknown before the first version"
  }),
  plan_type: Column.text.annotate({
    description:
      "The customers' plan at the time of the event; none where it was null, unknown before the first version"
  }),
  ...RevenueMeasures.fields
})

/**
 * A row of `gold_revenue`.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = (typeof columns)["Type"]

/**
 * Daily revenue from a day on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly start: string
  readonly silver: Asset.Asset<"silver_events", silverEvents.Row>
  readonly customers: Asset.Asset<"dim_customer", dimCustomer.Row>
}): Asset.Asset<"gold_revenue", Row, never, "silver_events" | "dim_customer"> =>
  Asset.make("gold_revenue", {
    description: "Revenue by day, currency, segment and plan, as known of the customer at the time of the event",
    labels: { group: "finance", tier: "gold", owners: ["finance"], tags: { domain: "billing" } },
    columns,
    partitions: Partitions.daily({ start: options.start, endOffset: 1 }),
    inputs: {
      events: Asset.input(options.silver, PartitionMapping.byColumn("event_date"), {
        columns: ["customer_id", "event_type", "amount", "currency", "event_ts", "event_date"],
        where: { event_type: EventType.money }
      }),
      customers: Asset.input(
        options.customers,
        PartitionMapping.asOf({ facts: "events", key: "customer_id", at: "event_ts", bounds: "compared" }),
        { columns: ["customer_id", "valid_from", "valid_to", "segment", "plan_type"] }
      )
    },
    write: WriteStrategy.replacePartitions("revenue_date", {
      key: ["revenue_date", "currency", "segment", "plan_type"],
      additiveOver: "customer_id"
    }),
    policy: MaterializationPolicy.withIncompleteWindows(BillingRetry.policy, "build"),
    checks: [
      AssetCheck.notNull("revenue_date", "currency", "segment", "plan_type"),
      AssetCheck.unique("revenue_date", "currency", "segment", "plan_type"),
      AssetCheck.relationship("revenue_date", { input: "events", to: "event_date" }),
      AssetCheck.relationship("currency", { input: "events", to: "currency" }),
      ...RevenueMeasures.checks
    ],
    compute: {
      sql: ({ customers, events }) => revenueSql(events, customers),
      rows: ({ customers, events }) => revenue(events, customers)
    }
  })

// --- internal ---

type MoneyEvent = RevenueMeasures.Event & Pick<silverEvents.Row, "currency" | "event_ts" | "event_date">
type Version = Pick<dimCustomer.Row, "customer_id" | "valid_from" | "valid_to" | "segment" | "plan_type">

const revenueSql = (events: Sql, customers: Sql): Sql => sql`
  SELECT event_date AS revenue_date, currency, segment, plan_type, ${RevenueMeasures.toSql}
  FROM (
    SELECT e.event_date, e.currency, e.event_type, e.amount, e.customer_id,
      CASE WHEN c.customer_id IS NULL THEN 'unknown' ELSE coalesce(c.segment, 'none') END AS segment,
      CASE WHEN c.customer_id IS NULL THEN 'unknown' ELSE coalesce(c.plan_type, 'none') END AS plan_type
    FROM ${events} AS e
    LEFT JOIN ${customers} AS c ON c.customer_id = e.customer_id
      AND c.valid_from <= e.event_ts AND (c.valid_to IS NULL OR e.event_ts < c.valid_to)
  ) AS attributed
  GROUP BY event_date, currency, segment, plan_type`

const revenue = (events: ReadonlyArray<MoneyEvent>, customers: ReadonlyArray<Version>): ReadonlyArray<Row> => {
  const versionAt = index(customers)
  const attributed = events.map((event) => {
    const version = versionAt(event.customer_id, event.event_ts)
    const label = (attribute: "segment" | "plan_type") =>
      version === undefined ? "unknown" : (version[attribute] ?? "none")
    return { ...event, segment: label("segment"), plan_type: label("plan_type") }
  })
  const groups = Map.groupBy(attributed, ({ currency, event_date, plan_type, segment }) =>
    JSON.stringify([event_date, currency, segment, plan_type])
  )
  return Array.from(groups.values()).flatMap((group) => {
    const [first] = group
    // A money event has a currency, or the checks of silver_events would have kept it out; only its type does not say so.
    const currency = first?.currency ?? null
    if (first === undefined || currency === null) return []
    const { event_date, plan_type, segment } = first
    return [{ revenue_date: event_date, currency, segment, plan_type, ...RevenueMeasures.fromEvents(group) }]
  })
}

/** Looks up the version that holds at an instant, by bisection: versions of a customer do not overlap. */
const index = (customers: ReadonlyArray<Version>) => {
  const byCustomer = new Map(
    Array.from(
      Map.groupBy(customers, (version) => version.customer_id),
      ([customer, versions]) => [customer, versions.toSorted((a, b) => (a.valid_from < b.valid_from ? -1 : 1))]
    )
  )
  return (customer: string, at: string): Version | undefined => {
    const versions = byCustomer.get(customer) ?? []
    let [low, high] = [0, versions.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const version = versions[middle]
      if (version !== undefined && version.valid_from <= at) low = middle + 1
      else high = middle
    }
    const version = versions[low - 1]
    return version === undefined || (version.valid_to !== null && version.valid_to <= at) ? undefined : version
  }
}
