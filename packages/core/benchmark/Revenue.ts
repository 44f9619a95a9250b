/**
 * The warehouse that every trial builds: events as they were delivered, their latest versions, the segments of customers
 * through time, and revenue by day and by the segment that the customer had then.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"

const money = Column.decimal({ precision: 18, scale: 2 })

/** One version of an event: an invoice, or a customer's segment from an instant on. */
export const event = Schema.Struct({
  origin: Column.text,
  line: Column.integer,
  event_id: Column.text,
  customer_id: Column.text,
  kind: Column.text,
  segment: Column.nullable(Column.text),
  amount: money,
  event_ts: Column.timestamp,
  updated_at: Column.timestamp,
  is_deleted: Column.boolean
})

/** One version of an event. */
export type Event = (typeof event)["Type"]

/** The graph over a source of events; `end` is the day behind the last partition of revenue. */
export const graph = (options: {
  readonly source: Source<Event>
  readonly start: string
  readonly end: string
}): AssetGraph.AssetGraph<never> => {
  const bronze = Asset.source("bronze_events", {
    description: "Every event as it was delivered",
    columns: Schema.Struct({ ...event.fields, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    source: options.source
  })

  const silver = Asset.make("silver_events", {
    description: "The latest version of each event",
    columns: Schema.Struct({
      event_id: Column.text,
      customer_id: Column.text,
      kind: Column.text,
      segment: Column.nullable(Column.text),
      amount: money,
      event_ts: Column.timestamp,
      event_date: Column.date,
      updated_at: Column.timestamp
    }),
    inputs: { events: Asset.input(bronze, PartitionMapping.byColumn("event_id")) },
    write: WriteStrategy.upsert({ key: ["event_id"], version: "updated_at" }),
    compute: {
      sql: ({ events }) => sql`
        SELECT event_id, customer_id, kind, segment, amount, event_ts, (event_ts AT TIME ZONE 'UTC')::date AS event_date,
          updated_at, is_deleted AS _deleted, concat_ws('|', customer_id, kind, segment, amount, event_ts) AS _tie
        FROM ${events} AS e`
    }
  })

  const customers = Asset.make("dim_customer", {
    description: "The customers' segments through time",
    columns: Schema.Struct({
      customer_sk: Column.text,
      customer_id: Column.text,
      segment: Column.text,
      valid_from: Column.timestamp,
      valid_to: Column.nullable(Column.timestamp),
      is_current: Column.boolean
    }),
    inputs: {
      events: Asset.input(silver, PartitionMapping.byColumn("customer_id"), {
        columns: ["event_id", "customer_id", "segment", "event_ts"],
        where: { kind: ["segment"] }
      })
    },
    write: WriteStrategy.scd2({
      key: ["customer_id"],
      surrogateKey: "customer_sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["segment"]
    }),
    compute: {
      sql: ({ events }) => sql`
        SELECT customer_id, segment, event_ts AS valid_from,
          row_number() OVER (PARTITION BY customer_id ORDER BY event_ts, event_id COLLATE "C") AS _sequence
        FROM ${events} AS e`
    }
  })

  const revenue = Asset.make("gold_revenue", {
    description: "Revenue by day and by the customer's segment at the time",
    columns: Schema.Struct({
      revenue_date: Column.date,
      segment: Column.text,
      invoices: Column.integer,
      amount: money
    }),
    partitions: Partitions.daily({ start: options.start, end: options.end }),
    inputs: {
      invoices: Asset.input(silver, PartitionMapping.byColumn("event_date"), {
        columns: ["event_id", "customer_id", "amount", "event_ts", "event_date"],
        where: { kind: ["invoice"] }
      }),
      customers: Asset.input(
        customers,
        PartitionMapping.asOf({ facts: "invoices", key: "customer_id", at: "event_ts", bounds: "compared" }),
        { columns: ["customer_id", "segment", "valid_from", "valid_to"] }
      )
    },
    write: WriteStrategy.replacePartitions("revenue_date", { key: ["revenue_date", "segment"] }),
    compute: {
      sql: ({ customers, invoices }) => sql`
        SELECT i.event_date AS revenue_date, coalesce(c.segment, 'unknown') AS segment, count(*) AS invoices,
          sum(i.amount) AS amount
        FROM ${invoices} AS i
        LEFT JOIN ${customers} AS c ON c.customer_id = i.customer_id AND c.valid_from <= i.event_ts
          AND (c.valid_to IS NULL OR i.event_ts < c.valid_to)
        GROUP BY 1, 2`
    }
  })

  return AssetGraph.make([bronze, silver, customers, revenue])
}
