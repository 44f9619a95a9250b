/**
 * Records of a feed for tests: a few words for what matters, sound values for the rest.
 */
import * as BillingEvent from "@assay/billing-assets/BillingEvent"
import * as Column from "@assay/core/Column"
import type { FileRecord } from "@assay/core/source/FileRecord"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Version } from "../oracle/Recompute.ts"

/** The fields of a record by their names. */
export type Fields = FileRecord["fields"]

/** The fields of the records of a feed, in order. */
export type Feed = ReadonlyArray<Fields>

/** A record of the given fields. */
export const make = (fields: Fields, line = 2): FileRecord => ({ origin: "feed.csv", line, fields, extra: {}, raw: "" })

/** The fields of a paid invoice of 10 EUR on 3 March 2024, with what is said otherwise. */
export const invoice = (fields: Fields = {}): Fields => ({
  event_id: "e1",
  customer_id: "c1",
  event_type: "invoice_paid",
  amount: "10",
  currency: "EUR",
  event_ts: "2024-03-03T10:00:00Z",
  updated_at: "2024-03-03T10:00:00Z",
  ...fields
})

/** The fields of a state event, with its attributes as an object. */
export const state = (
  type: string,
  at: string,
  attributes: { readonly [field: string]: string | null },
  fields: Fields = {}
): Fields => ({
  event_id: `${type} ${at}`,
  customer_id: "c1",
  event_type: type,
  event_ts: at,
  updated_at: at,
  attributes: JSON.stringify(attributes),
  ...fields
})

/** The rows that records of these fields land as, in order. */
export const land = (...feed: Feed): ReadonlyArray<BillingEvent.Landed> =>
  feed.map((fields, index) => Result.getOrThrow(BillingEvent.admit(make(fields, index + 2))))

/** Landed rows as the oracle reads them. */
export const toVersions = (rows: ReadonlyArray<BillingEvent.Landed>): ReadonlyArray<Version> =>
  rows.map((row) => ({ ...row, amount: (amount === undefined ? null : Column.toText(amount, row.amount)) ?? "" }))

const amount = Column.fromStruct(Schema.Struct(BillingEvent.fields)).find(({ name }) => name === "amount")
