/**
 * Random histories of a small business: few customers, few instants, many coincidences. Everything that makes late,
 * repeated, corrected, moved and deleted events hard meets within a handful of rows.
 */
import * as EventType from "@assay/billing-assets/EventType"
import * as Schema from "effect/Schema"
import type { Feed } from "./Record.ts"

const orAbsent = <const Value extends string>(...values: ReadonlyArray<Value>) =>
  Schema.NullOr(Schema.Literals(["absent", ...values]))

// The odd ids sort differently by code unit, by byte and by dictionary.
const ids = ["a", "A", "b", "B", "_", "é", "\u{1f600}", "\uff5e", "a b", "10", "9", "z"] as const

const instants = [
  "2023-12-31T23:59:59.999999Z",
  "2024-01-01T00:00:00Z",
  "2024-01-15T12:00:00+02:00",
  "2024-01-31T23:30:00-01:00",
  "2024-02-01T00:00:00Z",
  "2024-02-01T00:00:00.000001Z",
  "2024-02-29T12:00:00Z",
  "2024-03-01T00:00:00Z",
  "2024-03-31T23:59:59.999999Z",
  "2024-04-15T08:00:00Z",
  "2024-05-31T12:00:00Z"
] as const

const Entry = Schema.Struct({
  id: Schema.Literals(ids),
  number: Schema.Literals(["", "1", "2"]),
  customer: Schema.Literals(["c1", "c2", "ç3"]),
  type: Schema.Literals(EventType.all),
  amount: Schema.Literals(["0", "0.0001", "12.5", "100", "9999999999999999.9999"]),
  currency: Schema.Literals(["EUR", "USD"]),
  at: Schema.Literals(instants),
  updated: Schema.Literals([
    "2024-06-01T00:00:00Z",
    "2024-06-01T02:00:00+02:00",
    "2024-06-02T00:00:00Z",
    "2024-06-03T00:00:00Z"
  ]),
  op: Schema.Literals(["", "upsert", "upsert", "delete"]),
  name: orAbsent("Ann", "Änn", ""),
  segment: orAbsent("smb", "enterprise", "unknown"),
  plan: orAbsent("basic", "pro"),
  monthly: orAbsent("0", "10", "10.00", "20.5", "+30"),
  billing: orAbsent("EUR", "USD"),
  email: orAbsent("a@example.com", "b@example.com"),
  channel: orAbsent("web", "fair")
})

/** A random feed of everything. */
export const History = Schema.Array(Entry).check(Schema.isMaxLength(60))

/** A random feed of few subscriptions that begin, grow, shrink, end and begin again. */
export const SubscriptionHistory = Schema.Array(
  Schema.Struct({
    ...Entry.fields,
    customer: Schema.Literals(["c1", "c2"]),
    type: Schema.Literals(["customer_updated", "plan_upgraded", "plan_downgraded", "subscription_cancelled"]),
    op: Schema.Literal("upsert"),
    monthly: orAbsent("0", "10", "10.00", "20.5", "+30"),
    billing: Schema.Literals(["absent", "EUR", "USD"])
  })
).check(Schema.isMinLength(12), Schema.isMaxLength(60))

/** The fields of each record of a random feed. */
export const toFields = (history: ReadonlyArray<typeof Entry.Type>): Feed =>
  history.map((entry) => {
    const isOutgoing = EventType.isMoney(entry.type) && !EventType.isIncoming(entry.type)
    const attributes = {
      name: entry.name,
      segment: entry.segment,
      plan_type: entry.plan,
      monthly_amount: entry.monthly,
      billing_currency: entry.billing,
      email: entry.email,
      acquisition_channel: entry.channel,
      score: 1.5
    }
    return {
      event_id: `${entry.id}${entry.number}`,
      customer_id: entry.customer,
      event_type: entry.type,
      amount: isOutgoing ? `-${entry.amount}` : entry.amount,
      currency: entry.currency,
      event_ts: entry.at,
      updated_at: entry.updated,
      op: entry.op,
      attributes: JSON.stringify(
        Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== "absent"))
      )
    }
  })
