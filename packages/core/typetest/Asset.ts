// oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- what must not compile has no type
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { sql } from "@assay/core/Sql"
import * as Storage from "@assay/core/Storage"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { Context, Effect, Schema } from "effect"

class Rates extends Context.Service<Rates, { readonly rate: number }>()("typetest/Rates") {}

const events = Schema.Struct({
  event_id: Column.text,
  customer_id: Column.text,
  day: Column.date,
  at: Column.timestamp,
  batch: Column.text,
  loaded_at: Column.timestamp
})

declare const source: Source<Omit<(typeof events)["Type"], "batch" | "loaded_at">>

const log = Asset.source("log", {
  description: "Events as they arrive",
  columns: events,
  write: WriteStrategy.append({ key: ["event_id"], batch: "batch", loadedAt: "loaded_at" }),
  source
})

const customers = Asset.make("customers", {
  description: "Customers as they were",
  columns: Schema.Struct({
    sk: Column.text,
    customer_id: Column.text,
    segment: Column.text,
    valid_from: Column.timestamp,
    valid_to: Column.nullable(Column.timestamp),
    is_current: Column.boolean
  }),
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("customer_id")) },
  write: WriteStrategy.scd2({
    key: ["customer_id"],
    surrogateKey: "sk",
    validFrom: "valid_from",
    validTo: "valid_to",
    isCurrent: "is_current",
    tracked: ["segment"]
  }),
  compute: {
    rows: ({ log }) =>
      log.map((row, _sequence) => ({ customer_id: row.customer_id, segment: "smb", valid_from: row.at, _sequence }))
  }
})

const daily = Schema.Struct({ day: Column.date, events: Column.integer })

export const byDay = Asset.make("by_day", {
  description: "Events by day",
  columns: daily,
  partitions: Partitions.daily({ start: "2024-01-01" }),
  inputs: {
    log: Asset.input(log, PartitionMapping.byColumn("day"), { columns: ["day", "customer_id", "at"] }),
    customers: Asset.input(customers, PartitionMapping.asOf({ facts: "log", key: "customer_id", at: "at" }))
  },
  write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
  checks: [AssetCheck.notNull("events")],
  compute: { sql: ({ log }) => sql`SELECT day, count(*) AS events FROM ${log} AS log GROUP BY day` }
})

export const graph: AssetGraph.AssetGraph<never> = AssetGraph.make([log, customers, byDay])

// @ts-expect-error: '"dya"' is not assignable to type '"at" | "batch" | "customer_id" | "day" | "event_id" | "loaded_at"'
export const misspeltMapping = Asset.input(log, PartitionMapping.byColumn("dya"))

// @ts-expect-error: '"dya"' is not assignable to type '"at" | "batch" | "customer_id" | "day" | "event_id" | "loaded_at"'
export const misspeltColumn = Asset.input(log, PartitionMapping.byColumn("day"), { columns: ["dya"] })

// @ts-expect-error: 'dya' does not exist in type
export const misspeltFilter = Asset.input(log, PartitionMapping.byColumn("day"), { where: { dya: ["x"] } })

const rest = {
  description: "Events by day",
  columns: daily,
  partitions: Partitions.daily({ start: "2024-01-01" }),
  write: WriteStrategy.replacePartitions("day", { key: ["day"] })
} as const

export const unknownFacts = Asset.make("unknown_facts", {
  ...rest,
  inputs: {
    log: Asset.input(log, PartitionMapping.byColumn("day")),
    // @ts-expect-error: but no input has that name.
    customers: Asset.input(customers, PartitionMapping.asOf({ facts: "evnts", key: "customer_id", at: "at" }))
  },
  compute: { sql: () => sql`SELECT 1` }
})

export const hiddenFact = Asset.make("hidden_fact", {
  ...rest,
  inputs: {
    log: Asset.input(log, PartitionMapping.byColumn("day"), { columns: ["day", "customer_id"] }),
    // @ts-expect-error: that the as-of mapping reads.
    customers: Asset.input(customers, PartitionMapping.asOf({ facts: "log", key: "customer_id", at: "at" }))
  },
  compute: { sql: () => sql`SELECT 1` }
})

export const taken = Asset.make("taken", {
  ...rest,
  inputs: {
    // @ts-expect-error: The name `units` is taken: it stands for the units being computed.
    units: Asset.input(log, PartitionMapping.byColumn("day"))
  },
  compute: { sql: () => sql`SELECT 1` }
})

export const strangePartition = Asset.make("strange_partition", {
  ...rest,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("day")) },
  // @ts-expect-error: '"date"' is not assignable to type 'Cut<"day" | "events">'
  write: WriteStrategy.replacePartitions("date", { key: ["date"] }),
  compute: { sql: () => sql`SELECT 1` }
})

export const byMonth = Asset.make("by_month", {
  ...rest,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("day")) },
  storage: Storage.byMonth("day"),
  compute: { sql: () => sql`SELECT 1` }
})

export const strangeMonth = Asset.make("strange_month", {
  ...rest,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("day")) },
  // @ts-expect-error: '"date"' is not assignable to type '"day" | "events"'
  storage: Storage.byMonth("date"),
  compute: { sql: () => sql`SELECT 1` }
})

export const strangeMonthOfLog = Asset.source("strange_month_of_log", {
  description: "Events as they arrive",
  columns: events,
  write: WriteStrategy.append({ key: ["event_id", "at"], batch: "batch", loadedAt: "loaded_at" }),
  // @ts-expect-error: '"time"' is not assignable to type
  storage: Storage.byMonth("time"),
  source
})

export const strangeCheck = Asset.make("strange_check", {
  ...rest,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("day")) },
  // @ts-expect-error: '"event"' is not assignable to type '"day" | "events"'
  checks: [AssetCheck.notNull("event")],
  compute: { sql: () => sql`SELECT 1` }
})

export const wrongRows = Asset.make("wrong_rows", {
  ...rest,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("day")) },
  // @ts-expect-error: Iterable<{ readonly day: string; readonly events: number; }>
  compute: { rows: ({ log }) => log.map(({ day }) => ({ day, events: "one" })) }
})

export const hiddenColumn = Asset.make("hidden_column", {
  ...rest,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("day"), { columns: ["day"] }) },
  // @ts-expect-error: Property 'customer_id' does not exist on type
  compute: { rows: ({ log }) => log.map(({ customer_id, day }) => ({ day, events: customer_id.length })) }
})

export const withoutTie = Asset.make("without_tie", {
  description: "Latest events",
  columns: Schema.Struct({ event_id: Column.text, at: Column.timestamp }),
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("event_id")) },
  write: WriteStrategy.upsert({ key: ["event_id"], version: "at" }),
  // @ts-expect-error: { readonly _deleted: boolean; readonly _tie: string; }
  compute: { rows: ({ log }) => log.map(({ at, event_id }) => ({ event_id, at })) }
})

const history = {
  description: "Customers as they were",
  columns: Schema.Struct({
    sk: Column.text,
    customer_id: Column.text,
    segment: Column.text,
    valid_from: Column.timestamp,
    valid_to: Column.nullable(Column.timestamp),
    is_current: Column.boolean
  }),
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("customer_id")) }
} as const

const versions = WriteStrategy.scd2({
  key: ["customer_id"],
  surrogateKey: "sk",
  validFrom: "valid_from",
  validTo: "valid_to",
  isCurrent: "is_current",
  tracked: ["segment"]
})

export const withoutSequence = Asset.make("without_sequence", {
  ...history,
  write: versions,
  compute: {
    // @ts-expect-error: Iterable<{ readonly _sequence: number; readonly customer_id: string;
    rows: ({ log }) => log.map((row) => ({ customer_id: row.customer_id, segment: "smb", valid_from: row.at }))
  }
})

export const strangeTracked = Asset.make("strange_tracked", {
  ...history,
  // @ts-expect-error: '"plan"' is not assignable to type
  write: WriteStrategy.scd2({ ...versions, key: ["customer_id"], tracked: ["plan"] }),
  compute: { sql: () => sql`SELECT 1` }
})

export const wrongReason = Asset.make("wrong_reason", {
  ...rest,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("day")) },
  // @ts-expect-error: Type 'string' is not assignable to type 'DataQuality | DefinitionFault
  compute: { sql: () => Effect.fail("no") }
})

const serviced = Asset.make("serviced", {
  ...rest,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("day")) },
  compute: {
    rows: ({ log }) => Effect.map(Rates, ({ rate }) => log.map(({ day }) => ({ day, events: rate })))
  }
})

export const needsRates: AssetGraph.AssetGraph<Rates> = AssetGraph.make([log, serviced])

// @ts-expect-error: Type 'Rates' is not assignable to type 'never'
export const missingService: AssetGraph.AssetGraph<never> = AssetGraph.make([log, serviced])
