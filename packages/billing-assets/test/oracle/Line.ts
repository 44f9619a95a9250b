/**
 * Lines of a feed as a history says them: few events, customers and instants, so that everything that makes late,
 * repeated, corrected, moved and deleted events hard meets within a handful of lines. Each line is known in the spelling
 * of the feed and by what it means, in the canonical texts that bronze must hold.
 */
import type { Prng } from "../../../core/test/oracle/Prng.ts"

export interface Line {
  /** The fields by column, as the feed spells them. */
  readonly fields: { readonly [column: string]: string }
  /** What must land; undefined for a line that breaks the rules. */
  readonly meaning: string | undefined
}

/** The columns that a line may have; the last two may be absent from a file. */
export const columns = [
  "event_id",
  "customer_id",
  "event_type",
  "amount",
  "currency",
  "event_ts",
  "updated_at",
  "op",
  "attributes"
] as const

/** The canonical text of what a row of bronze says. */
export const meaningOf = (row: { readonly [column: string]: string | null }): string =>
  JSON.stringify(columns.map((column) => row[column] ?? null))

/** A few lines: events by themselves, or a fact and what is heard of its customer right before, at or after it. */
export const some = (random: Prng): ReadonlyArray<Line> => {
  if (random.chance(0.25)) {
    const [customer, at] = [random.pick(customers), random.pick(instants)]
    return [
      line(random, { customer, at, type: "invoice_paid" }),
      line(random, { customer, at: moved(at, random.below(3) - 1), type: random.pick(stateTypes) })
    ]
  }
  const lines = Array.from({ length: random.pick([1, 1, 2, 3, 6]) }, () =>
    random.chance(0.04) ? junk(random) : line(random, {})
  )
  return random.chance(0.2) ? [...lines, ...lines.slice(0, 2)] : lines
}

// --- internal ---

type Instant = readonly [millis: number, micros: number]

const customers = ["c1", "c2", "ç3"] as const
const ids = ["1", "2", "3", "4", "5", "6", "7", "A", "a", "é", "\u{1f600}", "\uff5e"] as const
const moneyTypes = ["invoice_paid", "invoice_paid", "refund_issued", "dispute_opened", "dispute_won"] as const
const stateTypes = [
  "customer_updated",
  "customer_created",
  "subscription_created",
  "plan_upgraded",
  "plan_downgraded",
  "subscription_cancelled"
] as const

const instants: readonly [Instant, ...ReadonlyArray<Instant>] = [
  [Date.UTC(2024, 1, 29, 12), 0],
  [Date.UTC(2023, 1, 28, 12), 0],
  [Date.UTC(2023, 11, 31, 23, 59, 59, 999), 999],
  [Date.UTC(2024, 0, 20), 0],
  [Date.UTC(2024, 0, 31, 23, 30), 0],
  [Date.UTC(2024, 1, 1), 0],
  [Date.UTC(2024, 1, 15, 12, 0, 0, 250), 0],
  [Date.UTC(2024, 2, 1), 0],
  [Date.UTC(2024, 2, 3, 10), 0],
  [Date.UTC(2024, 2, 4, 9), 0],
  [Date.UTC(2024, 2, 4, 12, 30), 0],
  [Date.UTC(2024, 2, 5), 0],
  [Date.UTC(2024, 2, 14, 10), 0],
  [Date.UTC(2024, 3, 1, 0, 30), 0]
]

const updates = [Date.UTC(2024, 5, 1), Date.UTC(2024, 5, 1, 2), Date.UTC(2024, 5, 2), Date.UTC(2024, 5, 3)] as const

const vocabulary: { readonly [field: string]: readonly [string, ...ReadonlyArray<string>] } = {
  name: ["Ann", "Änn", ""],
  segment: ["smb", "enterprise", "unknown"],
  plan_type: ["basic", "pro"],
  country: ["CH", "DE"],
  monthly_amount: ["0", "10", "10.00", "20.5", "+30"],
  billing_currency: ["EUR", "USD"],
  email: ["a@example.com", "b@example.com"],
  acquisition_channel: ["web", "fair"]
}

const line = (
  random: Prng,
  given: { readonly customer?: string; readonly at?: Instant; readonly type?: string }
): Line => {
  const type = given.type ?? (random.chance(0.5) ? random.pick(moneyTypes) : random.pick(stateTypes))
  const at = given.at ?? moved(random.pick(instants), random.pick([0, 0, 0, -1, 1]))
  const updated: Instant = [random.pick(updates), random.pick([0, 0, 0, 1])]
  const isOutgoing = type === "refund_issued" || type === "dispute_opened"
  const digits = random.pick(["0", "0.0001", "12.5", "100", "07.250", "1234567890123456.7891"])
  const currency = random.pick(["EUR", "USD"])
  const op = random.pick(["", "", "upsert", "upsert", "upsert", "delete"])
  const attributes = saying(random)
  const fields = {
    event_id: random.pick(ids),
    customer_id: given.customer ?? random.pick(customers),
    event_type: type,
    amount: isOutgoing ? `-${digits}` : `${random.pick(["", "", "+"])}${digits}`,
    currency,
    event_ts: spelled(at, random),
    updated_at: spelled(updated, random),
    op,
    attributes: JSON.stringify(attributes)
  }
  return {
    fields,
    meaning: meaningOf({
      ...fields,
      amount: isMoney(type) ? canonicalAmount(digits, isOutgoing) : "0.0000",
      event_ts: canonical(at),
      updated_at: canonical(updated),
      op: op === "" ? "upsert" : op,
      attributes: JSON.stringify(
        Object.fromEntries(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      )
    })
  }
}

/** A line that breaks a rule. */
const junk = (random: Prng): Line => ({
  fields: {
    ...line(random, { type: "invoice_paid" }).fields,
    ...random.pick<{ readonly [column: string]: string }>([
      { amount: "12,5" },
      { amount: "-1" },
      { event_type: "gift_sent" },
      { event_id: "" },
      { event_ts: "2024-02-30T00:00:00Z" },
      { updated_at: "2024-06-01 00:00:00" },
      { currency: "euro" },
      { op: "erase" }
    ])
  },
  meaning: undefined
})

const saying = (random: Prng): { readonly [field: string]: string | null } =>
  Object.fromEntries(
    Object.entries(vocabulary).flatMap(([field, values]) =>
      random.chance(0.35) ? [[field, random.chance(0.2) ? null : random.pick(values)] as const] : []
    )
  )

const isMoney = (type: string): boolean => moneyTypes.some((money) => money === type)

const canonicalAmount = (digits: string, isNegative: boolean): string => {
  const [whole = "", fraction = ""] = digits.split(".")
  const text = `${BigInt(whole)}.${fraction.padEnd(4, "0")}`
  return isNegative && /[1-9]/.test(text) ? `-${text}` : text
}

/** So many microseconds later, or earlier. */
const moved = ([millis, micros]: Instant, by: number): Instant => {
  const total = micros + by
  return total < 0 ? [millis - 1, total + 1000] : total > 999 ? [millis + 1, total - 1000] : [millis, total]
}

const canonical = ([millis, micros]: Instant): string =>
  `${new Date(millis).toISOString().slice(0, 23)}${String(micros).padStart(3, "0")}Z`

/** One of the spellings of an instant: with or without a fraction, in UTC or with an offset. */
const spelled = (at: Instant, random: Prng): string => {
  const [offset, hours] = random.pick([
    ["Z", 0],
    ["Z", 0],
    ["+00:00", 0],
    ["+02:00", 2],
    ["-05:00", -5]
  ] as const)
  const text = canonical([at[0] + hours * 3_600_000, at[1]]).slice(0, -1)
  return `${random.chance(0.5) ? text.replace(/\.?0+$/, "") : text}${offset}`
}
