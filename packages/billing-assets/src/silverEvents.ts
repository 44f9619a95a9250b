/**
 * What is true of each event now? One row per event: its latest version, unless the latest version says that the event
 * is deleted.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import * as Storage from "@assay/core/Storage"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"
import * as BillingEvent from "./BillingEvent.ts"
import * as BillingRetry from "./BillingRetry.ts"
import type * as bronzeEvents from "./bronzeEvents.ts"
import * as Cell from "./Cell.ts"
import * as EventType from "./EventType.ts"
import * as Timestamp from "./Timestamp.ts"

/**
 * The columns of `silver_events`.
 *
 * @category columns
 * @since 0.1.0
 */
export const columns = Schema.Struct({
  ...BillingEvent.fields,
  event_date: Column.date.annotate({ description: "The UTC day on which it happened" })
})

/**
 * A row of `silver_events`.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = (typeof columns)["Type"]

/**
 * The events as they are known now.
 *
 * **Details**
 *
 * `storage` is one table, or a month table for each month of `event_ts` or of `event_date`. Month tables are for many years
 * of events that people ask for by month. A late batch knows its events by their key alone, and so looks each of them up in
 * every month table: at ten million events and fewer, one table is the better choice.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  bronze: Asset.Asset<"bronze_events", bronzeEvents.Row>,
  options: { readonly storage?: Storage.Storage<"event_ts" | "event_date"> } = {}
): Asset.Asset<"silver_events", Row, never, "bronze_events"> =>
  Asset.make("silver_events", {
    description: "The latest version of every billing event that is not deleted",
    labels: { group: "events", tier: "silver", owners: ["billing-platform"], tags: { domain: "billing", pii: "" } },
    columns,
    inputs: {
      events: Asset.input(bronze, PartitionMapping.byColumn("event_id"), {
        columns: [
          "event_id",
          "customer_id",
          "event_type",
          "amount",
          "currency",
          "event_ts",
          "updated_at",
          "op",
          "attributes",
          "_hash"
        ]
      })
    },
    write: WriteStrategy.upsert({
      key: ["event_id"],
      version: "updated_at",
      partitionedBy: { column: "event_date", partitions: anyDay }
    }),
    storage: options.storage ?? Storage.single,
    policy: BillingRetry.policy,
    checks: [
      AssetCheck.notNull("event_id", "customer_id", "event_type", "amount", "event_ts", "updated_at", "event_date"),
      AssetCheck.unique("event_id"),
      AssetCheck.acceptedValues("event_type", EventType.all),
      AssetCheck.acceptedValues("op", ["upsert"]),
      AssetCheck.relationship("event_id", { input: "events", to: "event_id" }),
      signedMoney,
      AssetCheck.warn(conflicts)
    ],
    compute: {
      sql: ({ events }) => sql`
        SELECT event_id, customer_id, event_type, amount, currency, event_ts, updated_at, op, attributes,
          (event_ts AT TIME ZONE 'UTC')::date AS event_date,
          op = 'delete' AS _deleted,
          _hash AS _tie
        FROM ${events} AS e`,
      rows: ({ events }) =>
        events.map(({ _hash, ...event }) => ({
          ...event,
          event_date: Timestamp.day(event.event_ts),
          _deleted: event.op === "delete",
          _tie: _hash
        }))
    }
  })

// --- internal ---

/** Events of any day are kept, also before the first day of revenue and after today. */
const anyDay = Partitions.daily({ start: "0001-01-01" })

const outgoing = EventType.money.filter((type) => !EventType.isIncoming(type))

const signedMoney = AssetCheck.condition("money has a currency and its type's sign; other events have no amount", {
  sql: sql`CASE
    WHEN event_type IN (${EventType.toSql(EventType.incoming)}) THEN amount >= 0 AND currency IS NOT NULL
    WHEN event_type IN (${EventType.toSql(outgoing)}) THEN amount <= 0 AND currency IS NOT NULL
    ELSE amount = 0 END`,
  holds: (row) => {
    const { value } = Cell.amount(row["amount"])
    const type = Cell.text(row["event_type"])
    if (!EventType.isMoney(type)) return value === 0n
    return row["currency"] !== null && (EventType.isIncoming(type) ? value >= 0n : value <= 0n)
  }
})

/**
 * The losers of a tie are no longer in this table, so the check looks at the versions it was made of. Grouping first
 * keeps it to one pass: ties are rare, and only these are looked up again.
 *
 * Written collations keep the server from grouping by way of the index on the events, which fetches every row from anywhere
 * in the table: of ten million, 61 s instead of 15 s.
 */
const conflicts = AssetCheck.violations("no two latest versions of an event contradict each other", {
  sql: ({ events }) => sql`
    SELECT tied.* FROM (
      SELECT event_id COLLATE "C" AS event_id, updated_at, op, min(_hash) AS first_hash, max(_hash) AS last_hash
      FROM ${events} AS e
      GROUP BY event_id COLLATE "C", updated_at, op
      HAVING min(_hash) <> max(_hash)
    ) AS tied
    WHERE NOT EXISTS (
      SELECT FROM ${events} AS later
      WHERE later.event_id COLLATE "C" = tied.event_id
        AND (later.updated_at > tied.updated_at
          OR (later.updated_at = tied.updated_at AND later.op = 'delete' AND tied.op = 'upsert'))
    )`,
  violations: function* (_rows, { events = [] }) {
    for (const versions of Map.groupBy(events, (event) => event["event_id"]).values()) {
      const rank = (event: Column.Row) => `${Cell.text(event["updated_at"])} ${event["op"] === "delete" ? 1 : 0}`
      const latest = versions.map(rank).reduce((a, b) => (a > b ? a : b))
      const tied = versions.filter((event) => rank(event) === latest)
      const hashes = tied.map((event) => Cell.text(event["_hash"])).toSorted()
      const [first] = tied
      if (first !== undefined && hashes[0] !== hashes.at(-1)) {
        const { event_id = null, op = null, updated_at = null } = first
        yield { event_id, updated_at, op, first_hash: hashes[0] ?? null, last_hash: hashes.at(-1) ?? null }
      }
    }
  }
})
