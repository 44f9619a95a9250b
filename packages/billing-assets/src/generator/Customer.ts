/**
 * Who are the customers of a generated feed? Companies with the traits of a subscription business: what they are
 * called, where they sit, what they pay for and how; all drawn from the customer's own stream of choices.
 */
import type * as Arr from "effect/Array"
import * as Amount from "./Amount.ts"
import type * as Instant from "./Instant.ts"
import * as Moment from "./Moment.ts"
import * as Random from "./Random.ts"

/**
 * The sizes of customer, from small to large.
 *
 * @category models
 * @since 0.1.0
 */
export type Segment = "smb" | "mid_market" | "enterprise"

/**
 * The plans, from small to large.
 *
 * @category models
 * @since 0.1.0
 */
export type Plan = "free" | "starter" | "pro" | "business"

/**
 * The currencies that customers are billed in.
 *
 * @category models
 * @since 0.1.0
 */
export type Currency = "EUR" | "USD" | "GBP"

/**
 * A customer as of some moment of its story.
 *
 * @category models
 * @since 0.1.0
 */
export interface Customer {
  readonly id: string
  readonly random: Random.Random
  readonly signedUpAt: Instant.Instant
  readonly name: string
  readonly domain: string
  readonly segment: Segment
  readonly country: string
  readonly channel: string | null
  readonly currency: Currency
  /** The running plan, or null without a subscription. */
  readonly plan: Plan | null
  readonly subscribedAt: Instant.Instant
  readonly seats: number
  /** What is left of the list price, in thousandths. */
  readonly priceLevel: number
  /** Whether business invoices carry metered usage. */
  readonly isMetered: boolean
  /** Separately invoiced parts of the company, at least one. */
  readonly contracts: number
  /** Days after the first of the month on which invoices are written. */
  readonly billingDay: number
}

/**
 * The segments, from small to large.
 *
 * @category traits
 * @since 0.1.0
 */
export const SEGMENTS: Arr.NonEmptyReadonlyArray<Segment> = ["smb", "mid_market", "enterprise"]

/**
 * The plans, from small to large.
 *
 * @category traits
 * @since 0.1.0
 */
export const PLANS: Arr.NonEmptyReadonlyArray<Plan> = ["free", "starter", "pro", "business"]

/**
 * The currencies that customers are billed in.
 *
 * @category traits
 * @since 0.1.0
 */
export const CURRENCIES: Arr.NonEmptyReadonlyArray<Currency> = ["EUR", "USD", "GBP"]

/**
 * The ways in which customers are won.
 *
 * @category traits
 * @since 0.1.0
 */
export const CHANNELS: Arr.NonEmptyReadonlyArray<string> = ["organic", "paid_search", "partner", "referral", "event"]

/**
 * Makes the customer at a position of the feed, who signs up on the given day.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly seed: number
  readonly position: number
  readonly day: Instant.Instant
}): Customer => {
  const random = Random.make({ seed: options.seed, stream: options.position })
  const signedUpAt = Moment.recorded(random, Moment.onDay(random, options.day))
  const segment = Random.weighted(random, SEGMENT_WEIGHTS)
  const [country, form, currency] = Random.weighted(random, COUNTRY_WEIGHTS)
  const [company, domain] = Random.pick(random, COMPANIES)
  return {
    id: toId(options.position),
    random,
    signedUpAt,
    name: `${company} ${Random.pick(random, TRADES)}${form}`,
    domain: `${domain}-${options.position + 1}.example`,
    segment,
    country,
    channel: Random.chance(random, CHANNEL_UNKNOWN) ? null : Random.pick(random, CHANNELS),
    currency,
    plan: null,
    subscribedAt: signedUpAt,
    seats: Random.between(random, ...SEATS[segment]),
    priceLevel: Random.weighted(random, PRICE_LEVELS),
    isMetered: Random.chance(random, METERED),
    contracts: Random.between(random, ...CONTRACTS[segment]),
    billingDay: Random.below(random, 20)
  }
}

/**
 * Gives the identity of the customer at a position of the feed.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toId = (position: number): string => `cus_${String(position + 1).padStart(6, "0")}`

/**
 * Gives what a customer pays a month on a plan.
 *
 * @category conversions
 * @since 0.1.0
 */
export const monthlyAmount = (customer: Customer, plan: Plan): Amount.Amount =>
  Amount.perMille(Amount.fromCents(PRICES[customer.currency][plan] * customer.seats), customer.priceLevel)

// --- internal ---

type Weighted<A> = Arr.NonEmptyReadonlyArray<readonly [A, number]>

const SEGMENT_WEIGHTS: Weighted<Segment> = [
  ["smb", 6],
  ["mid_market", 3],
  ["enterprise", 1]
]

// Country, legal form, currency.
const COUNTRY_WEIGHTS: Weighted<readonly [string, string, Currency]> = [
  [["DE", " GmbH", "EUR"], 8],
  [["FR", " SARL", "EUR"], 5],
  [["NL", " B.V.", "EUR"], 3],
  [["PL", " Sp. z o.o.", "EUR"], 2],
  [["GB", " Ltd", "GBP"], 6],
  [["US", ", Inc.", "USD"], 9],
  [["CA", ", Ltd.", "USD"], 2],
  [["JP", " K.K.", "USD"], 1],
  [["IN", " Pvt. Ltd.", "USD"], 2]
]

// Ten-thousandths of the customers.
const CHANNEL_UNKNOWN = 800
const METERED = 4000

type Range = readonly [lowest: number, highest: number]

const SEATS: Record<Segment, Range> = { smb: [1, 4], mid_market: [5, 25], enterprise: [25, 150] }
const CONTRACTS: Record<Segment, Range> = { smb: [1, 2], mid_market: [1, 4], enterprise: [2, 8] }

// Thousandths. A third off leaves amounts that need all four decimals.
const PRICE_LEVELS: Weighted<number> = [
  [1000, 10],
  [900, 4],
  [850, 2],
  [875, 1],
  [667, 1]
]

// Cents for one seat and month.
const PRICES: Record<Currency, Record<Plan, number>> = {
  EUR: { free: 0, starter: 1900, pro: 4900, business: 9900 },
  USD: { free: 0, starter: 2100, pro: 5400, business: 10_900 },
  GBP: { free: 0, starter: 1700, pro: 4400, business: 8900 }
}

// Commas, quotes and letters beyond ASCII, so that quoting and encoding are put to work.
const COMPANIES: Arr.NonEmptyReadonlyArray<readonly [name: string, domain: string]> = [
  ["Aurora", "aurora"],
  ["Bergström & Lind", "bergstrom-lind"],
  ["Café Olé", "cafe-ole"],
  ["Dupont, Martin et Fils", "dupont-martin"],
  ['The "Blue" Door', "blue-door"],
  ["O'Neill", "oneill"],
  ["Łódź Soft", "lodz-soft"],
  ["青葉 Aoba", "aoba"],
  ["Müller, Krause & Söhne", "mueller-krause"],
  ["Northwind", "northwind"],
  ["Quillfeather", "quillfeather"],
  ["Redwood", "redwood"],
  ["Silverline", "silverline"],
  ["Tideway", "tideway"],
  ["Vantage", "vantage"],
  ["Weißbach", "weissbach"]
]

const TRADES: Arr.NonEmptyReadonlyArray<string> = [
  "Analytics",
  "Energy",
  "Foods",
  "Health",
  "Logistics",
  "Media",
  "Robotics",
  "Studios",
  "Travel"
]
