/**
 * What should every table hold? The naive answer: read the contract from top to bottom and compute everything anew, with
 * plain texts and whole numbers of a ten-thousandth. It shares no code with what it judges and prefers the obvious loop to
 * the fast one.
 */

/** A version of an event as bronze holds it; `amount` is decimal text, times are canonical UTC with microseconds. */
export interface Version {
  readonly event_id: string
  readonly customer_id: string
  readonly event_type: string
  readonly amount: string
  readonly currency: string | null
  readonly event_ts: string
  readonly updated_at: string
  readonly op: string
  readonly attributes: unknown
  readonly _hash: string
}

/** A row as canonical texts: decimals with four digits, times in UTC with microseconds, JSON with sorted keys. */
export type Texts = { readonly [column: string]: string | null }

/** Every table, its rows ordered by their key. `dim` lacks `customer_sk`, a hash that only the engine knows. */
export interface Tables {
  readonly silver: ReadonlyArray<Texts>
  readonly dim: ReadonlyArray<Texts>
  readonly gold: ReadonlyArray<Texts>
  readonly martRevenue: ReadonlyArray<Texts>
  readonly martMrr: ReadonlyArray<Texts>
}

/** Recomputes every table from the set of versions, for partitions from the day `start` to the instant `now`. */
export const recompute = (versions: ReadonlyArray<Version>, start: string, now: string): Tables => {
  const events = currentEvents(versions)
  const customers = customerVersions(events)
  const today = now.slice(0, 10)
  return {
    silver: inOrder(events.map(silverRow), ["event_id"]),
    dim: inOrder(customers.map(dimensionRow), ["customer_id", "valid_from"]),
    gold: inOrder(goldRows(events, customers, start, today), ["revenue_date", "currency", "segment", "plan_type"]),
    martRevenue: inOrder(revenueRows(events, start, today), ["revenue_month", "currency"]),
    martMrr: inOrder(mrrRows(customers, start, today), ["mrr_month", "billing_currency"])
  }
}

/**
 * Each table from the tables that it reads, as they are: the names are those of the assets, and `now` is in epoch
 * milliseconds.
 */
export const naive = (
  start: string
): {
  readonly [asset: string]: (table: (asset: string) => ReadonlyArray<Texts>, now: number) => ReadonlyArray<Texts>
} => {
  const today = (now: number) => new Date(now).toISOString().slice(0, 10)
  return {
    silver_events: (table) => currentEvents(table("bronze_events").map(toVersion)).map(silverRow),
    dim_customer: (table) => customerVersions(table("silver_events").map(toVersion)).map(dimensionRow),
    gold_revenue: (table, now) =>
      goldRows(table("silver_events").map(toVersion), table("dim_customer").map(toCustomerVersion), start, today(now)),
    mart_revenue_monthly: (table, now) => revenueRows(table("silver_events").map(toVersion), start, today(now)),
    mart_mrr_monthly: (table, now) => mrrRows(table("dim_customer").map(toCustomerVersion), start, today(now))
  }
}

/** The unit of an asset to which a row belongs, as the ledger names it. */
export const unitOf = (asset: string, row: Texts): string => {
  const column = unitColumns[asset]
  return column === undefined ? "*" : (row[column] ?? "")
}

/** How many events a tie of contradicting latest versions decides. */
export const conflicts = (versions: ReadonlyArray<Version>): number => {
  let count = 0
  for (const candidates of groups(versions, (version) => version.event_id)) {
    const winner = candidates.reduce((best, candidate) => (beats(candidate, best) ? candidate : best))
    const tied = candidates.filter(({ op, updated_at }) => op === winner.op && updated_at === winner.updated_at)
    if (tied.some(({ _hash }) => _hash !== winner._hash)) count++
  }
  return count
}

// --- rows of tables ---

const unitColumns: { readonly [asset: string]: string } = {
  silver_events: "event_id",
  dim_customer: "customer_id",
  gold_revenue: "revenue_date",
  mart_revenue_monthly: "revenue_month",
  mart_mrr_monthly: "mrr_month"
}

const toVersion = (row: Texts): Version => ({
  event_id: row["event_id"] ?? "",
  customer_id: row["customer_id"] ?? "",
  event_type: row["event_type"] ?? "",
  amount: row["amount"] ?? "",
  currency: row["currency"] ?? null,
  event_ts: row["event_ts"] ?? "",
  updated_at: row["updated_at"] ?? "",
  op: row["op"] ?? "",
  attributes: JSON.parse(row["attributes"] ?? "{}"),
  _hash: row["_hash"] ?? ""
})

const toCustomerVersion = (row: Texts): CustomerVersion => {
  const amount = row["monthly_amount"] ?? null
  return {
    customer_id: row["customer_id"] ?? "",
    name: row["name"] ?? null,
    segment: row["segment"] ?? null,
    plan_type: row["plan_type"] ?? null,
    country: row["country"] ?? null,
    monthly_amount: amount === null ? null : toUnits(amount),
    billing_currency: row["billing_currency"] ?? null,
    email: row["email"] ?? null,
    acquisition_channel: row["acquisition_channel"] ?? null,
    created_at: row["created_at"] ?? "",
    valid_from: row["valid_from"] ?? "",
    valid_to: row["valid_to"] ?? null
  }
}

// --- events ---

const beats = (a: Version, b: Version): boolean => {
  if (a.updated_at !== b.updated_at) return a.updated_at > b.updated_at
  if (a.op !== b.op) return a.op === "delete"
  return a._hash > b._hash
}

const currentEvents = (versions: ReadonlyArray<Version>): ReadonlyArray<Version> => {
  const winners: Array<Version> = []
  for (const candidates of groups(versions, (version) => version.event_id)) {
    const winner = candidates.reduce((best, candidate) => (beats(candidate, best) ? candidate : best))
    if (winner.op !== "delete") winners.push(winner)
  }
  return winners
}

const silverRow = (event: Version): Texts => ({
  event_id: event.event_id,
  customer_id: event.customer_id,
  event_type: event.event_type,
  amount: toText(toUnits(event.amount)),
  currency: event.currency,
  event_ts: event.event_ts,
  updated_at: event.updated_at,
  op: event.op,
  attributes: JSON.stringify(sorted(event.attributes)),
  event_date: event.event_ts.slice(0, 10)
})

// --- customers ---

interface State {
  name: string | null
  segment: string | null
  plan_type: string | null
  country: string | null
  monthly_amount: bigint | null
  billing_currency: string | null
  email: string | null
}

interface CustomerVersion extends Readonly<State> {
  readonly customer_id: string
  readonly acquisition_channel: string | null
  readonly created_at: string
  readonly valid_from: string
  readonly valid_to: string | null
}

const stateTypes = new Set([
  "customer_created",
  "customer_updated",
  "subscription_created",
  "plan_upgraded",
  "plan_downgraded",
  "subscription_cancelled"
])

const tracked = ["name", "segment", "plan_type", "country", "monthly_amount", "billing_currency"] as const

const customerVersions = (events: ReadonlyArray<Version>): ReadonlyArray<CustomerVersion> => {
  const all: Array<CustomerVersion> = []
  for (const ofCustomer of groups(
    events.filter(({ event_type }) => stateTypes.has(event_type)),
    (e) => e.customer_id
  )) {
    const history = ofCustomer.toSorted(
      (a, b) =>
        Buffer.compare(Buffer.from(a.event_ts), Buffer.from(b.event_ts)) ||
        Buffer.compare(Buffer.from(a.updated_at), Buffer.from(b.updated_at)) ||
        Buffer.compare(Buffer.from(a.event_id), Buffer.from(b.event_id))
    )
    // The state at the end of each instant at which something happened.
    const moments: Array<{ at: string; state: State }> = []
    let state: State = {
      name: null,
      segment: null,
      plan_type: null,
      country: null,
      monthly_amount: null,
      billing_currency: null,
      email: null
    }
    let channel: string | null = null
    for (const event of history) {
      state = after(state, event)
      const said = valueOf(event, "acquisition_channel")
      if (channel === null && typeof said === "string") channel = said
      if (moments.at(-1)?.at === event.event_ts) moments.pop()
      moments.push({ at: event.event_ts, state })
    }
    const changes = moments.filter(({ state }, index) => {
      const before = moments[index - 1]
      return before === undefined || tracked.some((attribute) => before.state[attribute] !== state[attribute])
    })
    changes.forEach((change, index) => {
      all.push({
        ...change.state,
        customer_id: history[0]?.customer_id ?? "",
        email: state.email,
        acquisition_channel: channel,
        created_at: history[0]?.event_ts ?? "",
        valid_from: change.at,
        valid_to: changes[index + 1]?.at ?? null
      })
    })
  }
  return all
}

const valueOf = (event: Version, field: string): unknown => {
  const { attributes } = event
  return typeof attributes === "object" && attributes !== null && Object.hasOwn(attributes, field)
    ? Object.entries(attributes).find(([key]) => key === field)?.[1]
    : undefined
}

const after = (before: State, event: Version): State => {
  const state = { ...before }
  for (const field of ["name", "segment", "plan_type", "country", "billing_currency", "email"] as const) {
    const said = valueOf(event, field)
    if (said === null) state[field] = null
    if (typeof said === "string") state[field] = said
  }
  const amount = valueOf(event, "monthly_amount")
  if (amount === null) state.monthly_amount = null
  if (typeof amount === "string") state.monthly_amount = toUnits(amount)
  if (event.event_type === "subscription_cancelled") {
    state.plan_type = null
    state.monthly_amount = null
  }
  return state
}

const dimensionRow = (version: CustomerVersion): Texts => ({
  customer_id: version.customer_id,
  name: version.name,
  segment: version.segment,
  plan_type: version.plan_type,
  country: version.country,
  monthly_amount: version.monthly_amount === null ? null : toText(version.monthly_amount),
  billing_currency: version.billing_currency,
  email: version.email,
  acquisition_channel: version.acquisition_channel,
  created_at: version.created_at,
  valid_from: version.valid_from,
  valid_to: version.valid_to,
  is_current: String(version.valid_to === null)
})

// --- revenue ---

const moneyTypes = new Set(["invoice_paid", "refund_issued", "dispute_opened", "dispute_won"])

const goldRows = (
  events: ReadonlyArray<Version>,
  customers: ReadonlyArray<CustomerVersion>,
  start: string,
  today: string
): ReadonlyArray<Texts> => {
  const versionsOf = new Map(
    groups(customers, (version) => version.customer_id).map((own) => [own[0]?.customer_id, own])
  )
  const facts = events.flatMap((event) => {
    const day = event.event_ts.slice(0, 10)
    if (!moneyTypes.has(event.event_type) || day < start || day > today) return []
    const version = versionsOf
      .get(event.customer_id)
      ?.find(
        ({ valid_from, valid_to }) => valid_from <= event.event_ts && (valid_to === null || event.event_ts < valid_to)
      )
    return [
      {
        event,
        labels: {
          revenue_date: day,
          currency: event.currency,
          segment: version === undefined ? "unknown" : (version.segment ?? "none"),
          plan_type: version === undefined ? "unknown" : (version.plan_type ?? "none")
        }
      }
    ]
  })
  return groups(facts, ({ labels }) => JSON.stringify(labels)).map((group) => ({
    ...group[0]?.labels,
    ...measures(group.map(({ event }) => event))
  }))
}

const revenueRows = (events: ReadonlyArray<Version>, start: string, today: string): ReadonlyArray<Texts> => {
  const monthOf = (event: Version) => event.event_ts.slice(0, 7)
  const facts = events.filter(
    (event) =>
      moneyTypes.has(event.event_type) && monthOf(event) >= start.slice(0, 7) && monthOf(event) <= today.slice(0, 7)
  )
  return groups(facts, (event) => JSON.stringify([monthOf(event), event.currency])).map((group) => ({
    revenue_month: `${group[0]?.event_ts.slice(0, 7) ?? ""}-01`,
    currency: group[0]?.currency ?? null,
    ...measures(group)
  }))
}

const measures = (events: ReadonlyArray<Version>): Texts => {
  const invoices = events.filter(({ event_type }) => event_type === "invoice_paid")
  const refunds = events.filter(({ event_type }) => event_type === "refund_issued")
  const disputes = events.filter(({ event_type }) => event_type === "dispute_opened" || event_type === "dispute_won")
  return {
    invoice_count: String(invoices.length),
    gross_amount: toText(sum(invoices)),
    refund_count: String(refunds.length),
    refund_amount: toText(sum(refunds)),
    dispute_amount: toText(sum(disputes)),
    net_amount: toText(sum(events)),
    paying_customers: String(new Set(invoices.map(({ customer_id }) => customer_id)).size)
  }
}

const sum = (events: ReadonlyArray<Version>): bigint =>
  events.reduce((total, { amount }) => total + toUnits(amount), 0n)

// --- recurring revenue ---

const mrrRows = (customers: ReadonlyArray<CustomerVersion>, start: string, today: string): ReadonlyArray<Texts> => {
  const firstChange = customers.reduce((first, { valid_from }) => (valid_from < first ? valid_from : first), start)
  const firstMonth = firstChange.slice(0, 7)
  const history = monthsFrom(firstMonth < start.slice(0, 7) ? firstMonth : start.slice(0, 7), today.slice(0, 7))
  const totals = new Map<string, Record<(typeof mrrMeasures)[number], bigint>>()

  for (const own of groups(customers, ({ customer_id }) => customer_id)) {
    for (const currency of new Set(own.map(({ billing_currency }) => billing_currency))) {
      if (currency === null) continue
      const amounts = history.map((month) => {
        const end = `${nextMonth(month)}-01T00:00:00.000000Z`
        const version = own.find(
          ({ valid_from, valid_to }) => valid_from < end && (valid_to === null || valid_to >= end)
        )
        return version?.billing_currency === currency ? (version.monthly_amount ?? 0n) : 0n
      })
      amounts.forEach((amount, index) => {
        const month = history[index] ?? ""
        if (month < start.slice(0, 7)) return
        const before = amounts[index - 1] ?? 0n
        const hadSome = amounts.slice(0, index).some((earlier) => earlier > 0n)
        const key = `${month} ${currency}`
        const total = totals.get(key) ?? {
          mrr: 0n,
          active_customers: 0n,
          new_mrr: 0n,
          reactivation_mrr: 0n,
          expansion_mrr: 0n,
          contraction_mrr: 0n,
          churn_mrr: 0n
        }
        total.mrr += amount
        if (amount > 0n) total.active_customers += 1n
        if (before === 0n && !hadSome) total.new_mrr += amount
        if (before === 0n && hadSome) total.reactivation_mrr += amount
        if (before > 0n && amount > before) total.expansion_mrr += amount - before
        if (amount > 0n && amount < before) total.contraction_mrr += amount - before
        if (before > 0n && amount === 0n) total.churn_mrr -= before
        totals.set(key, total)
      })
    }
  }

  return [...totals].flatMap(([key, total]) => {
    if (mrrMeasures.every((measure) => total[measure] === 0n)) return []
    const [month, currency] = [key.slice(0, 7), key.slice(8)]
    return [
      {
        mrr_month: `${month}-01`,
        billing_currency: currency,
        mrr: toText(total.mrr),
        active_customers: String(total.active_customers),
        new_mrr: toText(total.new_mrr),
        reactivation_mrr: toText(total.reactivation_mrr),
        expansion_mrr: toText(total.expansion_mrr),
        contraction_mrr: toText(total.contraction_mrr),
        churn_mrr: toText(total.churn_mrr)
      }
    ]
  })
}

const mrrMeasures = [
  "mrr",
  "active_customers",
  "new_mrr",
  "reactivation_mrr",
  "expansion_mrr",
  "contraction_mrr",
  "churn_mrr"
] as const

const nextMonth = (month: string): string => {
  const [year = 0, number = 0] = month.split("-").map(Number)
  return number === 12
    ? `${String(year + 1).padStart(4, "0")}-01`
    : `${month.slice(0, 5)}${String(number + 1).padStart(2, "0")}`
}

const monthsFrom = (first: string, last: string): ReadonlyArray<string> => {
  const months: Array<string> = []
  for (let month = first; month <= last; month = nextMonth(month)) months.push(month)
  return months
}

// --- values ---

const toUnits = (text: string): bigint => {
  const isNegative = text.startsWith("-")
  const [whole = "0", fraction = ""] = text.replace(/^[+-]/, "").split(".")
  const units = BigInt(whole) * 10_000n + BigInt(fraction.padEnd(4, "0"))
  return isNegative ? -units : units
}

const toText = (units: bigint): string => {
  const digits = String(units < 0n ? -units : units).padStart(5, "0")
  return `${units < 0n ? "-" : ""}${digits.slice(0, -4)}.${digits.slice(-4)}`
}

const groups = <A>(items: ReadonlyArray<A>, keyOf: (item: A) => string): ReadonlyArray<ReadonlyArray<A>> => [
  ...Map.groupBy(items, keyOf).values()
]

const sorted = (json: unknown): unknown => {
  if (Array.isArray(json)) return json.map(sorted)
  if (typeof json !== "object" || json === null) return json
  const entries = Object.entries(json).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, value]) => [key, sorted(value)]))
}

const inOrder = (rows: ReadonlyArray<Texts>, key: ReadonlyArray<string>): ReadonlyArray<Texts> =>
  rows.toSorted((a, b) => {
    for (const column of key) {
      const order = Buffer.compare(Buffer.from(a[column] ?? ""), Buffer.from(b[column] ?? ""))
      if (order !== 0) return order
    }
    return 0
  })
