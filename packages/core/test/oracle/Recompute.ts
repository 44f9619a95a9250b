/**
 * The shop computed again, naively: every table from scratch, in plain TypeScript over texts, with nothing of the
 * engine and nothing of the shop's own computes. What the engine arrives at by steps is compared with this.
 */

/** A row as texts by column. */
export type Row = { readonly [column: string]: string | null }

/** Tables by the name of their asset. */
export type Tables = ReadonlyMap<string, ReadonlyArray<Row>>

/** A table from the tables it reads, as of an instant in epoch milliseconds. */
type Naive = (table: (asset: string) => ReadonlyArray<Row>, now: number) => ReadonlyArray<Row>

const second = 1000
const hour = 3600 * second
const day = 24 * hour

const text = (row: Row, column: string): string => row[column] ?? ""
const number = (row: Row, column: string): number => Number(row[column])
const millis = (timestamp: string): number => Date.parse(timestamp)
const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
const total = (rows: ReadonlyArray<Row>, column: string): string =>
  String(rows.reduce((sum, row) => sum + number(row, column), 0))

const by = (rows: ReadonlyArray<Row>, key: (row: Row) => string): ReadonlyMap<string, ReadonlyArray<Row>> => {
  const groups = new Map<string, Array<Row>>()
  for (const row of rows) {
    const group = groups.get(key(row))
    if (group === undefined) groups.set(key(row), [row])
    else group.push(row)
  }
  return groups
}

const flat = <A>(
  groups: ReadonlyMap<string, ReadonlyArray<Row>>,
  f: (key: string, rows: ReadonlyArray<Row>) => ReadonlyArray<A>
) => Array.from(groups).flatMap(([key, rows]) => f(key, rows))

/** The dates from the first on, as long as `lasts` says. */
const dates = (first: string, next: (at: number) => number, lasts: (at: number) => boolean): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let at = Date.parse(first); lasts(at); at = next(at)) found.push(dateOf(at))
  return found
}

/** Where the partitions begin that are recomputed here; the hours are those of two days in Berlin. */
export const cuts = {
  hourly: "2024-03-04",
  hourlyEnd: "2024-03-06",
  daily: "2024-02-10",
  weekly: "2024-02-11",
  monthly: "2024-01-01"
}

/** Today is a day already; a week and a month are there when they are over. */
const days = (now: number) =>
  dates(
    "2024-02-10",
    (at) => at + day,
    (at) => at <= now
  )
const weeks = (now: number) =>
  dates(
    "2024-02-11",
    (at) => at + 7 * day,
    (at) => at + 7 * day <= now
  )
const nextMonth = (at: number): number => Date.UTC(new Date(at).getUTCFullYear(), new Date(at).getUTCMonth() + 1, 1)
const months = (now: number) => dates("2024-01-01", nextMonth, (at) => nextMonth(at) <= now)
const monthsWithThis = (now: number) => dates("2024-01-01", nextMonth, (at) => at <= now)

export const naive: { readonly [asset: string]: Naive } = {
  silver_orders: (table) =>
    flat(
      by(table("bronze_orders"), (row) => text(row, "order_id")),
      (_, versions) => {
        let last: Row | undefined
        const rank = (row: Row) => [
          text(row, "seen_at"),
          row["is_deleted"] === "true" ? "1" : "0",
          ["customer", "store", "amount", "tier", "ordered_at"].map((column) => text(row, column)).join("|")
        ]
        for (const version of versions) {
          if (last === undefined || isAfter(rank(version), rank(last))) last = version
        }
        if (last === undefined || last["is_deleted"] === "true") return []
        const { amount, customer, order_id, ordered_at, seen_at, store, tier } = last
        return [{ order_id, customer, store, amount, tier, ordered_at, ordered_on: ordered_at?.slice(0, 10), seen_at }]
      }
    ).map(complete),

  last_orders: (table) =>
    flat(
      by(table("silver_orders"), (row) => JSON.stringify([row["customer"], row["store"]])),
      (_, orders) => {
        const [last] = [...orders].toSorted((a, b) =>
          isAfter([text(a, "ordered_at"), text(a, "order_id")], [text(b, "ordered_at"), text(b, "order_id")]) ? -1 : 1
        )
        return last === undefined
          ? []
          : [
              {
                customer: last["customer"],
                store: last["store"],
                order_id: last["order_id"],
                ordered_at: last["ordered_at"]
              }
            ]
      }
    ).map(complete),

  // The surrogate key is left out: it is a hash of what is compared anyway.
  dim_customer: (table) =>
    flat(
      by(table("silver_orders"), (row) => text(row, "customer")),
      (customer, orders) => {
        const said = orders
          .filter((row) => row["tier"] !== null)
          .toSorted((a, b) =>
            isAfter([text(a, "ordered_at"), text(a, "order_id")], [text(b, "ordered_at"), text(b, "order_id")]) ? 1 : -1
          )
        const versions: Array<{ tier: string; from: string }> = []
        for (const row of said) {
          const from = text(row, "ordered_at")
          while (versions.at(-1)?.from === from) versions.pop()
          versions.push({ tier: text(row, "tier"), from })
        }
        const changes = versions.filter(({ tier }, index) => versions[index - 1]?.tier !== tier)
        return changes.map(({ from, tier }, index) => ({
          customer,
          tier,
          last_store: text(said.at(-1) ?? {}, "store"),
          first_store: text(said[0] ?? {}, "store"),
          valid_from: from,
          valid_to: changes[index + 1]?.from ?? null,
          is_current: String(index === changes.length - 1)
        }))
      }
    ),

  customer_cards: (table) =>
    flat(
      by(table("dim_customer"), (row) => text(row, "customer")),
      (customer, versions) => [
        {
          customer,
          changes: String(versions.length),
          tier: text(versions.find((row) => row["is_current"] === "true") ?? {}, "tier")
        }
      ]
    ),

  gold_daily: (table, now) =>
    days(now).flatMap((date) => {
      const orders = table("silver_orders").filter((row) => row["ordered_on"] === date)
      const tierAt = ({ customer, ordered_at }: Row) => {
        const holding = table("dim_customer").filter(
          (version) =>
            version["customer"] === customer &&
            text(version, "valid_from") <= (ordered_at ?? "") &&
            (version["valid_to"] === null || (ordered_at ?? "") < text(version, "valid_to"))
        )
        return holding.length === 0 ? "none" : text(holding[0] ?? {}, "tier")
      }
      return flat(by(orders, tierAt), (tier, own) => [
        { day: date, tier, orders: String(own.length), amount: total(own, "amount") }
      ])
    }),

  mart_monthly: (table, now) =>
    months(now).flatMap((month) =>
      flat(
        by(
          table("gold_daily").filter((row) => text(row, "day").slice(0, 7) === month.slice(0, 7)),
          (row) => text(row, "tier")
        ),
        (tier, own) => [{ month, tier, orders: total(own, "orders"), amount: total(own, "amount") }]
      )
    ),

  tier_monthly: (table, now) =>
    monthsWithThis(now).flatMap((month) => {
      const end = nextMonth(millis(month))
      const open = table("dim_customer").filter(
        (row) =>
          millis(text(row, "valid_from")) < end && (row["valid_to"] === null || millis(text(row, "valid_to")) >= end)
      )
      return flat(
        by(open, (row) => text(row, "tier")),
        (tier, own) => [{ month, tier, customers: String(own.length) }]
      )
    }),

  tier_records: (table) =>
    flat(
      by(table("tier_monthly"), (row) => text(row, "tier")),
      (tier, own) => [{ tier, customers: String(Math.max(...own.map((row) => number(row, "customers")))) }]
    ),

  hourly_orders: (table, now) =>
    flat(
      by(
        table("silver_orders").filter((row) => {
          const at = millis(text(row, "ordered_at"))
          const end = Math.min(Date.parse("2024-03-05T23:00:00Z"), Math.floor(now / hour) * hour)
          return Date.parse("2024-03-03T23:00:00Z") <= at && at < end
        }),
        (row) => `${text(row, "ordered_at").slice(0, 13)}:00:00.000000Z`
      ),
      (start, own) => [{ hour: start, orders: String(own.length) }]
    ),

  weekly_customers: (table, now) =>
    weeks(now).flatMap((week) => {
      const start = millis(week)
      const customers = table("silver_orders").flatMap((row) => {
        const at = millis(text(row, "ordered_at"))
        return start <= at && at < start + 7 * day ? [text(row, "customer")] : []
      })
      return customers.length === 0 ? [] : [{ week, customers: String(new Set(customers).size) }]
    }),

  store_totals: (table) =>
    ["east", "north", "west"].flatMap((store) => {
      const own = table("silver_orders").filter((row) => row["store"] === store)
      return own.length === 0 ? [] : [{ store, orders: String(own.length), amount: total(own, "amount") }]
    }),

  store_labels: (table) =>
    table("store_totals").map((row) => ({ store: text(row, "store"), label: `${row["store"]}: ${row["orders"]}` })),

  store_ranking: (table) => {
    const beats = (a: Row, b: Row) =>
      number(a, "amount") > number(b, "amount") ||
      (number(a, "amount") === number(b, "amount") && text(a, "store") < text(b, "store"))
    const all = table("store_totals")
    return all.map((row) => ({
      store: text(row, "store"),
      place: String(1 + all.filter((other) => beats(other, row)).length)
    }))
  },

  store_archive: (table) => table("store_ranking"),

  trailing_week: (table, now) =>
    days(now).map((date) => {
      const from = dateOf(millis(date) - 6 * day)
      const own = table("gold_daily").filter((row) => from <= text(row, "day") && text(row, "day") <= date)
      return { day: date, amount: total(own, "amount") }
    }),

  busy_days: (table) =>
    flat(
      by(table("gold_daily"), (row) => text(row, "day")),
      (date, own) => {
        const orders = total(own, "orders")
        return Number(orders) >= 2 ? [{ day: date, orders }] : []
      }
    ),

  // The running day waits for tomorrow.
  busy_neighbours: (table, now) =>
    days(now - day).map((date) => {
      const near = new Set([-1, 0, 1].map((offset) => dateOf(millis(date) + offset * day)))
      return { day: date, busy: String(table("busy_days").filter((row) => near.has(text(row, "day"))).length) }
    })
}

/** The unit of an asset to which a row belongs, as the ledger names it. */
export const unitOf = (asset: string, row: Row): string => {
  switch (asset) {
    case "silver_orders":
      return text(row, "order_id")
    case "last_orders":
      return `["${row["customer"]}", "${row["store"]}"]`
    case "dim_customer":
    case "customer_cards":
      return text(row, "customer")
    case "gold_daily":
    case "trailing_week":
    case "busy_neighbours":
      return text(row, "day")
    case "mart_monthly":
    case "tier_monthly":
      return text(row, "month")
    case "weekly_customers":
      return text(row, "week")
    case "hourly_orders":
      return berlin.format(millis(text(row, "hour"))).replace(" ", "-")
    case "store_totals":
    case "store_labels":
      return text(row, "store")
    default:
      return "*"
  }
}

/** Everything, from the rows of the source alone. */
export const chain = (bronze: ReadonlyArray<Row>, now: number): Tables => {
  const tables = new Map<string, ReadonlyArray<Row>>([["bronze_orders", bronze]])
  for (const [asset, compute] of Object.entries(naive))
    tables.set(
      asset,
      compute((name) => tables.get(name) ?? [], now)
    )
  return tables
}

/** Rows as sorted texts, by which tables are compared. */
export const canonical = (rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  rows
    .map((row) =>
      JSON.stringify(
        Object.fromEntries(
          Object.entries(row)
            .filter(([name]) => name !== "customer_sk")
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
        )
      )
    )
    .toSorted()

// --- internal ---

const isAfter = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean => {
  const index = a.findIndex((part, at) => part !== b[at])
  return index >= 0 && (a[index] ?? "") > (b[index] ?? "")
}

const complete = (row: { readonly [column: string]: string | null | undefined }): Row =>
  Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell ?? null]))

const berlin = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Europe/Berlin",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit"
})
