/**
 * What was known of each customer when? A slowly changing dimension: every change of a tracked attribute opens a new
 * version, valid from the moment at which the change happened, whenever it was heard of.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { identifier, list, literal, type Sql, sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import * as BillingRetry from "./BillingRetry.ts"
import * as ByteOrder from "./ByteOrder.ts"
import * as Cell from "./Cell.ts"
import * as CustomerAttributes from "./CustomerAttributes.ts"
import * as EventType from "./EventType.ts"
import * as Money from "./Money.ts"
import type * as silverEvents from "./silverEvents.ts"

/**
 * The columns of `dim_customer`.
 *
 * @category columns
 * @since 0.1.0
 */
export const columns = Schema.Struct({
  customer_sk: Column.text.annotate({ description: "Hash of the customer and the start of the version" }),
  customer_id: Column.text.annotate({ description: "The customer" }),
  name: Column.nullable(Column.text).annotate({ description: "Name in this version" }),
  segment: Column.nullable(Column.text).annotate({ description: "Market segment in this version" }),
  plan_type: Column.nullable(Column.text).annotate({
    description: "Plan in this version; null without a subscription"
  }),
  country: Column.nullable(Column.text).annotate({ description: "Country in this version" }),
  monthly_amount: Column.nullable(Money.column).annotate({
    description: "Monthly price of the subscription in this version; null without one"
  }),
  billing_currency: Column.nullable(Column.text).annotate({
    description: "Currency of the monthly price in this version"
  }),
  email: Column.nullable(Column.text).annotate({ description: "Latest e-mail address, on every version" }),
  acquisition_channel: Column.nullable(Column.text).annotate({
    description: "First known acquisition channel, on every version"
  }),
  created_at: Column.timestamp.annotate({ description: "When the customer's first event happened, on every version" }),
  valid_from: Column.timestamp.annotate({ description: "When this version begins" }),
  valid_to: Column.nullable(Column.timestamp).annotate({
    description: "When this version ends, exclusive; null while it lasts"
  }),
  is_current: Column.boolean.annotate({ description: "Whether this version lasts" })
})

/**
 * A row of `dim_customer`.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = (typeof columns)["Type"]

/**
 * What is known of a customer right after one of its events.
 *
 * @category models
 * @since 0.1.0
 */
export interface Observation extends Omit<Row, "customer_sk" | "valid_to" | "is_current"> {
  /** The position of the event among all events of the customer, from 1. */
  readonly _sequence: number
}

/**
 * The history of every customer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  silver: Asset.Asset<"silver_events", silverEvents.Row>
): Asset.Asset<"dim_customer", Row, never, "silver_events"> =>
  Asset.make("dim_customer", {
    description: "Customers and their attributes through time (slowly changing dimension of type 2)",
    labels: { group: "customers", tier: "silver", owners: ["billing-platform"], tags: { domain: "billing", pii: "" } },
    columns,
    inputs: {
      events: Asset.input(silver, PartitionMapping.byColumn("customer_id"), {
        columns: ["event_id", "customer_id", "event_type", "event_ts", "updated_at", "attributes"],
        where: { event_type: EventType.state }
      })
    },
    write: WriteStrategy.scd2({
      key: ["customer_id"],
      surrogateKey: "customer_sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["name", "segment", "plan_type", "country", "monthly_amount", "billing_currency"],
      latest: ["email"],
      fixed: ["acquisition_channel", "created_at"]
    }),
    policy: BillingRetry.policy,
    checks: [
      AssetCheck.notNull("customer_sk", "customer_id", "created_at", "valid_from", "is_current"),
      AssetCheck.unique("customer_sk"),
      AssetCheck.unique("customer_id", "valid_from"),
      AssetCheck.relationship("customer_id", { input: "events", to: "customer_id" }),
      AssetCheck.condition("a monthly amount is not negative", {
        sql: sql`coalesce(monthly_amount, 0) >= 0`,
        holds: (row) => Cell.amount(row["monthly_amount"]).value >= 0n
      }),
      AssetCheck.condition("no version begins before its customer", {
        sql: sql`valid_from >= created_at`,
        holds: (row) => Cell.text(row["valid_from"]) >= Cell.text(row["created_at"])
      })
    ],
    compute: {
      sql: ({ events }) => observationsSql(events),
      rows: ({ events }) => observations(events)
    }
  })

// --- internal ---

type StateEvent = Pick<
  silverEvents.Row,
  "event_id" | "customer_id" | "event_type" | "event_ts" | "updated_at" | "attributes"
>

const filled = ["name", "segment", "plan_type", "country", "monthly_amount", "billing_currency", "email"] as const

const cancelled = "subscription_cancelled" satisfies EventType.EventType

/** What a cancellation takes away, after its own attributes. */
const subscription: ReadonlySet<string> = new Set(["plan_type", "monthly_amount"])

const byTime: Order.Order<StateEvent> = Order.combineAll([
  Order.mapInput(Order.String, (event: StateEvent) => event.event_ts),
  Order.mapInput(Order.String, (event: StateEvent) => event.updated_at),
  Order.mapInput(ByteOrder.text, (event: StateEvent) => event.event_id)
])

const observations = (events: ReadonlyArray<StateEvent>): ReadonlyArray<Observation> =>
  Array.from(Map.groupBy(events, (event) => event.customer_id).values()).flatMap(history)

const history = (events: ReadonlyArray<StateEvent>): ReadonlyArray<Observation> => {
  const observed: Array<Observation> = []
  for (const event of events.toSorted(byTime)) observed.push(observe(event, observed.at(-1)))
  return observed
}

const observe = (event: StateEvent, before: Observation | undefined): Observation => {
  const text = (field: Exclude<CustomerAttributes.TextField, "acquisition_channel">) =>
    CustomerAttributes.text(event.attributes, field, before?.[field] ?? null)
  const isCancelled = event.event_type === cancelled
  return {
    customer_id: event.customer_id,
    name: text("name"),
    segment: text("segment"),
    plan_type: isCancelled ? null : text("plan_type"),
    country: text("country"),
    monthly_amount: isCancelled
      ? null
      : CustomerAttributes.monthlyAmount(event.attributes, before?.monthly_amount ?? null),
    billing_currency: text("billing_currency"),
    email: text("email"),
    acquisition_channel:
      before?.acquisition_channel ?? CustomerAttributes.text(event.attributes, "acquisition_channel", null),
    created_at: before?.created_at ?? event.event_ts,
    valid_from: event.event_ts,
    _sequence: (before?._sequence ?? 0) + 1
  }
}

/**
 * One sort serves both windows, and the forward fill needs no other: what an event says of a field is a text that begins
 * with the event's position, so the latest saying so far is the greatest text so far. The position has ten digits; `=`
 * and the value follow it, or nothing for a JSON null.
 */
const observationsSql = (events: Sql): Sql => sql`
  SELECT customer_id,
    ${list(filled.map((field) => sql`${said(field)} AS ${identifier(field)}`))},
    substr(acquisition_channel, 12) AS acquisition_channel,
    created_at, event_ts AS valid_from, _sequence
  FROM (
    SELECT customer_id, event_ts, _sequence,
      ${list(filled.map((field) => sql`max(${saying(field)}) OVER history AS ${identifier(field)}`))},
      min(place || '=' || (attributes ->> 'acquisition_channel')) OVER history AS acquisition_channel,
      min(event_ts) OVER history AS created_at
    FROM (
      SELECT numbered.*, lpad(_sequence::text, 10, '0') COLLATE "C" AS place
      FROM (
        SELECT e.*, row_number() OVER (PARTITION BY customer_id ORDER BY event_ts, updated_at, event_id COLLATE "C") AS _sequence
        FROM ${events} AS e
      ) AS numbered
    ) AS placed
    WINDOW history AS (
      PARTITION BY customer_id ORDER BY event_ts, updated_at, event_id COLLATE "C" ROWS UNBOUNDED PRECEDING
    )
  ) AS observed`

const saying = (field: (typeof filled)[number]): Sql => {
  const cancellation = subscription.has(field) ? sql`WHEN event_type = ${cancelled} THEN place` : sql``
  const key = literal(`'${field}'`)
  return sql`CASE ${cancellation} WHEN attributes ? ${key} THEN place || coalesce('=' || (attributes ->> ${key}), '') END`
}

const said = (field: (typeof filled)[number]): Sql => {
  const value = sql`CASE WHEN length(${identifier(field)}) > 10 THEN substr(${identifier(field)}, 12) END`
  return field === "monthly_amount" ? sql`(${value})::numeric(20,4)` : value
}
