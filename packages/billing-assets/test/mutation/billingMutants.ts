/**
 * What can go wrong in the billing assets: the mistakes that such warehouses are known for.
 */
import type { Mutant, Net } from "../../../core/test/mutation/Mutant.ts"

const silver = "packages/billing-assets/src/silverEvents.ts"
const customers = "packages/billing-assets/src/dimCustomer.ts"
const revenue = "packages/billing-assets/src/goldRevenue.ts"
const recurring = "packages/billing-assets/src/martMrrMonthly.ts"

const memory: Net = { files: ["packages/billing-assets/test/oracle/Oracle.test.ts"], tests: /random histories/ }
const postgres: Net = {
  files: ["packages/billing-assets/test/oracle/Billing1.oracle.test.ts"],
  tests: /random histories/
}

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "a watermark on updated_at",
    laws: ["L4"],
    because: "a landing skips rows that were updated before the newest row that has landed",
    edits: [
      {
        file: "packages/core/src/warehouse/SqlWarehouse.ts",
        find: "AS r WHERE ${isNew}`",
        replace:
          "AS r WHERE ${isNew} AND r.updated_at >= (SELECT coalesce(max(w.updated_at), '-infinity') FROM ${SqlTable.of(pg, asset)} AS w)`"
      }
    ],
    net: postgres
  },
  {
    name: "the current customer",
    laws: ["L1"],
    because: "revenue is told by what a customer is now, not by what it was at the time of the event",
    edits: [
      {
        file: revenue,
        find: "AND c.valid_from <= e.event_ts AND (c.valid_to IS NULL OR e.event_ts < c.valid_to)",
        replace: "AND c.valid_to IS NULL"
      }
    ],
    net: postgres
  },
  {
    name: "two customers at once",
    laws: ["L1"],
    because: "at the instant at which a version ends an event is counted in it and in the next one",
    edits: [{ file: revenue, find: "e.event_ts < c.valid_to", replace: "e.event_ts <= c.valid_to" }],
    net: postgres
  },
  {
    name: "an instant too long (memory)",
    laws: ["L1"],
    because: "an event at the instant at which a version ends is counted in it where no other one follows",
    edits: [{ file: revenue, find: "version.valid_from <= at", replace: "version.valid_from < at" }],
    net: memory
  },
  {
    name: "history as it was heard of",
    laws: ["L1", "L5"],
    because: "attributes are filled forward in the order of updates, so a late event overwrites what happened after it",
    edits: [
      {
        file: customers,
        find: 'ORDER BY event_ts, updated_at, event_id COLLATE "C") AS _sequence',
        replace: 'ORDER BY updated_at, event_ts, event_id COLLATE "C") AS _sequence'
      },
      {
        file: customers,
        find: 'ORDER BY event_ts, updated_at, event_id COLLATE "C" ROWS',
        replace: 'ORDER BY updated_at, event_ts, event_id COLLATE "C" ROWS'
      }
    ],
    net: postgres
  },
  {
    name: "cancelled, and still paying",
    laws: ["L1"],
    because: "a cancellation leaves plan and price as they were",
    edits: [{ file: customers, find: "subscription.has(field) ? sql`", replace: "field.length === 0 ? sql`" }],
    net: postgres
  },
  {
    name: "deletions as updates",
    laws: ["L1"],
    because: "an event that was deleted counts as its latest version",
    edits: [{ file: silver, find: "op = 'delete' AS _deleted", replace: "FALSE AS _deleted" }],
    net: postgres
  },
  {
    name: "days of another zone",
    laws: ["L1", "L12"],
    because: "events of the evening belong to the next day",
    edits: [
      {
        file: silver,
        find: "(event_ts AT TIME ZONE 'UTC')::date AS event_date",
        replace: "(event_ts AT TIME ZONE 'Asia/Kathmandu')::date AS event_date"
      }
    ],
    net: postgres
  },
  {
    name: "only the month of the change",
    laws: ["L1", "L2"],
    because: "a subscription counts in the month in which a version begins, and later months are not reached",
    edits: [
      {
        file: recurring,
        find: 'PartitionMapping.onwards("valid_from", { bounds: "compared" })',
        replace: 'PartitionMapping.byColumn("valid_from")'
      }
    ],
    net: postgres
  }
]
