/**
 * What happens to a customer in a month? It signs up, subscribes, is invoiced, gets money back, disputes, changes its
 * plan and its details, leaves and returns. A story knows nothing of the feed's mess; it tells what is true.
 */
import type * as Arr from "effect/Array"
import * as Amount from "./Amount.ts"
import * as Customer from "./Customer.ts"
import * as Instant from "./Instant.ts"
import * as Moment from "./Moment.ts"
import * as Random from "./Random.ts"

/**
 * The types of billing event.
 *
 * @category models
 * @since 0.1.0
 */
export type EventType =
  | "customer_created"
  | "customer_updated"
  | "subscription_created"
  | "plan_upgraded"
  | "plan_downgraded"
  | "subscription_cancelled"
  | "invoice_paid"
  | "refund_issued"
  | "dispute_opened"
  | "dispute_won"

/**
 * What an event says of its customer, and what else the source wrote beside it.
 *
 * @category models
 * @since 0.1.0
 */
export type Attributes = Readonly<Record<string, string | number | null | Readonly<Record<string, string>>>>

/**
 * One true billing event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Happening {
  readonly customerId: string
  readonly type: EventType
  /** The money that moved, or null for a change of state. */
  readonly money: { readonly amount: Amount.Amount; readonly currency: Customer.Currency } | null
  readonly at: Instant.Instant
  /** When the source wrote it down: minutes later, or months later for a backdated change. */
  readonly recordedAt: Instant.Instant
  readonly attributes: Attributes
}

/**
 * Tells what happens to a customer in a month, and returns the customer as it is afterwards.
 *
 * **Details**
 *
 * What follows from the month's events (a refund, a dispute) may happen in a later one.
 *
 * @category telling
 * @since 0.1.0
 */
export function* live(customer: Customer.Customer, month: Instant.Month): Generator<Happening, Customer.Customer> {
  if (customer.signedUpAt >= month.start) return yield* signUp(customer)
  if (customer.plan === null) {
    const rate = customer.subscribedAt === customer.signedUpAt ? RATES.subscribesLater : RATES.returns
    return Random.chance(customer.random, rate)
      ? yield* subscribe(customer, moment(customer, month.start, month.end))
      : customer
  }
  yield* bill(customer, customer.plan, month)
  // Changes follow the month's invoices, so that an invoice shows the plan it was written on.
  const firstChange = Instant.nextDay(Math.max(billingDay(customer, month), customer.subscribedAt))
  const moved = yield* changePlan(customer, customer.plan, moment(customer, firstChange, month.end))
  return Random.chance(customer.random, RATES.updates)
    ? yield* update(moved, moment(customer, firstChange, month.end))
    : moved
}

// --- internal ---

// Chances in ten-thousandths: per customer and month, or per event of the kind that they follow.
const RATES = {
  subscribesAtOnce: 8800,
  subscribesLater: 1500,
  returns: 900,
  upgrades: 400,
  downgrades: 180,
  cancels: 220,
  reasonGiven: 5000,
  growsWithUpgrade: 2500,
  updates: 900,
  updateIsBackdated: 2000,
  invoiceMissed: 200,
  invoiceHasDetails: 1500,
  refunded: 450,
  refundIsPartial: 4000,
  refundIsBackdated: 3500,
  disputed: 120,
  disputeWon: 4500,
  seatsMentioned: 3000,
  sourceMentioned: 1000
} as const

type Telling = Generator<Happening, Customer.Customer>

const moment = (customer: Customer.Customer, start: Instant.Instant, end: Instant.Instant): Instant.Instant =>
  Moment.recorded(customer.random, Moment.within(customer.random, start, end))

const writtenAfter = (customer: Customer.Customer, at: Instant.Instant): Instant.Instant =>
  at + Random.between(customer.random, 1, 600) * Instant.SECOND

interface Told {
  readonly at: Instant.Instant
  readonly recordedAt?: Instant.Instant
  readonly attributes?: Attributes
}

const state = (customer: Customer.Customer, type: EventType, told: Told): Happening => ({
  customerId: customer.id,
  type,
  money: null,
  at: told.at,
  recordedAt: told.recordedAt ?? writtenAfter(customer, told.at),
  attributes: Random.chance(customer.random, RATES.sourceMentioned)
    ? { ...told.attributes, source: "crm", utm: { medium: Random.pick(customer.random, ["cpc", "email", "none"]) } }
    : (told.attributes ?? {})
})

const money = (
  customer: Customer.Customer,
  type: EventType,
  told: Told & { readonly amount: Amount.Amount }
): Happening => ({
  customerId: customer.id,
  type,
  money: { amount: told.amount, currency: customer.currency },
  at: told.at,
  recordedAt: told.recordedAt ?? writtenAfter(customer, told.at),
  attributes: told.attributes ?? {}
})

const planAttributes = (customer: Customer.Customer, plan: Customer.Plan): Attributes => ({
  plan_type: plan,
  monthly_amount: Amount.toText(Customer.monthlyAmount(customer, plan)),
  ...(Random.chance(customer.random, RATES.seatsMentioned) ? { seats: customer.seats } : {})
})

function* signUp(customer: Customer.Customer): Telling {
  const { random } = customer
  const attributes = {
    name: customer.name,
    segment: customer.segment,
    country: customer.country,
    email: `billing@${customer.domain}`,
    acquisition_channel: customer.channel,
    billing_currency: customer.currency
  }
  yield state(customer, "customer_created", { at: customer.signedUpAt, attributes })
  return Random.chance(random, RATES.subscribesAtOnce)
    ? yield* subscribe(customer, Moment.recorded(random, Moment.daysLater(random, customer.signedUpAt, 1, 5)))
    : customer
}

function* subscribe(before: Customer.Customer, at: Instant.Instant): Telling {
  const plan = Random.weighted(before.random, FIRST_PLANS[before.segment])
  const customer = { ...before, plan, subscribedAt: at }
  yield state(customer, "subscription_created", { at, attributes: planAttributes(customer, plan) })
  if (plan !== "free") yield* invoice(customer, plan, at + Random.between(before.random, 1, 90) * Instant.MINUTE)
  return customer
}

const FIRST_PLANS: Record<Customer.Segment, Arr.NonEmptyReadonlyArray<readonly [Customer.Plan, number]>> = {
  smb: [
    ["free", 3],
    ["starter", 5],
    ["pro", 2]
  ],
  mid_market: [
    ["starter", 3],
    ["pro", 5],
    ["business", 2]
  ],
  enterprise: [
    ["pro", 3],
    ["business", 7]
  ]
}

const billingDay = (customer: Customer.Customer, month: Instant.Month): Instant.Instant =>
  // The feed's first month may begin late; no customer is billed in it before having signed up.
  month.start + customer.billingDay * Instant.DAY

function* bill(customer: Customer.Customer, plan: Customer.Plan, month: Instant.Month): Generator<Happening, void> {
  if (plan === "free") return
  const day = billingDay(customer, month)
  for (let contract = 0; contract < customer.contracts; contract++) {
    const at = Moment.onDay(customer.random, day)
    if (at > customer.subscribedAt && !Random.chance(customer.random, RATES.invoiceMissed)) {
      yield* invoice(customer, plan, at)
    }
  }
}

function* invoice(
  customer: Customer.Customer,
  plan: Customer.Plan,
  exactly: Instant.Instant
): Generator<Happening, void> {
  const { random } = customer
  const at = Moment.recorded(random, exactly)
  const amount = Customer.monthlyAmount(customer, plan) / BigInt(customer.contracts) + usage(customer, plan)
  yield money(customer, "invoice_paid", {
    at,
    amount,
    attributes: Random.chance(random, RATES.invoiceHasDetails)
      ? { invoice_number: `INV-${Random.between(random, 100_000, 999_999)}`, payment_method: "card" }
      : {}
  })
  if (Random.chance(random, RATES.refunded)) yield refund(customer, at, amount)
  if (Random.chance(random, RATES.disputed)) yield* dispute(customer, at, amount)
}

// Metered calls cost 0.0125 each, which needs four decimals.
const usage = (customer: Customer.Customer, plan: Customer.Plan): Amount.Amount =>
  plan === "business" && customer.isMetered ? BigInt(Random.below(customer.random, 40_000)) * 125n : 0n

const refund = (customer: Customer.Customer, invoicedAt: Instant.Instant, amount: Amount.Amount): Happening => {
  const { random } = customer
  const back = Random.chance(random, RATES.refundIsPartial)
    ? Amount.perMille(amount, Random.between(random, 1, 9) * 100)
    : amount
  if (!Random.chance(random, RATES.refundIsBackdated)) {
    const at = Instant.cut(Moment.daysLater(random, invoicedAt, 1, 75), 0)
    return money(customer, "refund_issued", { at, amount: -back })
  }
  // Booked for a day near the invoice, but only entered when somebody found it.
  const at = Instant.cut(Moment.daysLater(random, invoicedAt, 1, 10), 0)
  return money(customer, "refund_issued", { at, amount: -back, recordedAt: Moment.daysLater(random, at, 14, 84) })
}

function* dispute(
  customer: Customer.Customer,
  invoicedAt: Instant.Instant,
  amount: Amount.Amount
): Generator<Happening, void> {
  const openedAt = Instant.cut(Moment.daysLater(customer.random, invoicedAt, 5, 40), 3)
  yield money(customer, "dispute_opened", { at: openedAt, amount: -amount })
  if (Random.chance(customer.random, RATES.disputeWon)) {
    const at = Instant.cut(Moment.daysLater(customer.random, openedAt, 15, 60), 3)
    yield money(customer, "dispute_won", { at, amount })
  }
}

function* changePlan(customer: Customer.Customer, plan: Customer.Plan, at: Instant.Instant): Telling {
  const drawn = Random.below(customer.random, 10_000)
  if (drawn < RATES.upgrades) {
    const higher = next(Customer.PLANS, plan)
    return higher === plan ? customer : yield* upgrade(customer, higher, at)
  }
  if (drawn < RATES.upgrades + RATES.downgrades) {
    const lower = next(Customer.PLANS.toReversed(), plan)
    if (lower === plan) return customer
    yield state(customer, "plan_downgraded", { at, attributes: planAttributes(customer, lower) })
    return { ...customer, plan: lower }
  }
  if (drawn < RATES.upgrades + RATES.downgrades + RATES.cancels) {
    const reason = Random.pick(customer.random, ["price", "switched", "closed", "unused"])
    yield state(customer, "subscription_cancelled", {
      at,
      attributes: Random.chance(customer.random, RATES.reasonGiven) ? { reason } : {}
    })
    return { ...customer, plan: null }
  }
  return customer
}

function* upgrade(customer: Customer.Customer, plan: Customer.Plan, at: Instant.Instant): Telling {
  const segment = next(Customer.SEGMENTS, customer.segment)
  const grows = segment !== customer.segment && Random.chance(customer.random, RATES.growsWithUpgrade)
  const seats = customer.seats + Random.below(customer.random, 5)
  const grown: Customer.Customer = { ...customer, plan, seats, segment: grows ? segment : customer.segment }
  yield state(grown, "plan_upgraded", { at, attributes: planAttributes(grown, plan) })
  // Two changes at one instant, which make one version of the customer.
  if (grows) yield state(grown, "customer_updated", { at, attributes: { segment } })
  return grown
}

const next = <A>(steps: ReadonlyArray<A>, step: A): A => steps[steps.indexOf(step) + 1] ?? step

function* update(customer: Customer.Customer, at: Instant.Instant): Telling {
  const { random } = customer
  const [after, attributes] = UPDATES[Random.weighted(random, UPDATE_WEIGHTS)](customer)
  const backdated = Random.chance(random, RATES.updateIsBackdated)
    ? { recordedAt: Moment.daysLater(random, at, 30, 150) }
    : {}
  yield state(after, "customer_updated", { at, attributes, ...backdated })
  return after
}

type Update = (customer: Customer.Customer) => readonly [Customer.Customer, Attributes]

const UPDATES = {
  growth: (customer) => {
    const segment = next(Customer.SEGMENTS, customer.segment)
    return [{ ...customer, segment }, { segment }]
  },
  move: (customer) => {
    const country = Random.pick(customer.random, ["AT", "BE", "CH", "ES", "IE", "SG"])
    return [{ ...customer, country }, { country }]
  },
  countryForgotten: (customer) => [customer, { country: null }],
  email: (customer) => {
    const mailbox = Random.pick(customer.random, ["accounts", "finance", "invoices", "ap+saas"])
    return [customer, { email: `${mailbox}@${customer.domain}` }]
  },
  emailForgotten: (customer) => [customer, { email: null }],
  rename: (customer) => {
    const name = `${customer.name} ${Random.pick(customer.random, ["Group", '"Next"', "International"])}`
    return [{ ...customer, name }, { name }]
  },
  nameForgotten: (customer) => [customer, { name: null }],
  channelFound: (customer) => {
    const channel = customer.channel ?? Random.pick(customer.random, Customer.CHANNELS)
    return [{ ...customer, channel }, { acquisition_channel: channel }]
  },
  currency: (customer) => {
    const currency = Random.pick(customer.random, Customer.CURRENCIES)
    const after: Customer.Customer = { ...customer, currency }
    return [after, { billing_currency: currency, ...priced(after, Amount.toText) }]
  },
  // The same price in another notation, which is no change.
  priceConfirmed: (customer) => [
    customer,
    { ...priced(customer, Amount.toLongText), email: `billing@${customer.domain}` }
  ]
} satisfies Record<string, Update>

const priced = (customer: Customer.Customer, print: (amount: Amount.Amount) => string): Attributes =>
  customer.plan === null ? {} : { monthly_amount: print(Customer.monthlyAmount(customer, customer.plan)) }

const UPDATE_WEIGHTS: Arr.NonEmptyReadonlyArray<readonly [keyof typeof UPDATES, number]> = [
  ["growth", 20],
  ["move", 14],
  ["countryForgotten", 3],
  ["email", 24],
  ["emailForgotten", 2],
  ["rename", 14],
  ["nameForgotten", 4],
  ["channelFound", 5],
  ["currency", 4],
  ["priceConfirmed", 10]
]
