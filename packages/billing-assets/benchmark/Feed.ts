/**
 * Which rows does the benchmark land? A feed by the contract of billing events, of any size: late rows, corrections that
 * move an event to another day or customer, repeated rows, deletes, contradictions and malformed rows. Every row follows
 * from the seed and its place alone, so nothing is remembered while millions are written.
 */
import * as FeedRow from "@assay/billing-assets/generator/FeedRow"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGzip } from "node:zlib"

/** How much is written. */
export interface Size {
  readonly seed: number
  /** Rows of the feed before any late batch. */
  readonly rows: number
}

/** The first day of every feed. */
export const start = "2024-01-01"

/** How many days the feed spans: 24 months. */
export const days = 731

/** How many customers a feed has: one for fifty rows. */
export const customers = (size: Size): number => Math.max(1, Math.floor(size.rows / rowsPerCustomer))

/** Writes the feed into a folder, a compressed file for each month of arrival, and yields the bytes written. */
export const write = async (folder: string, size: Size): Promise<number> => {
  const perDay = size.rows / days
  let bytes = 0
  for (let day = 0; day < days;) {
    const month = isoDay(day).slice(0, 7)
    let end = day
    while (end < days && isoDay(end).startsWith(month)) end += 1
    const from = Math.floor(day * perDay)
    const to = end === days ? size.rows : Math.floor(end * perDay)
    bytes += await writeFile(Path.join(folder, `events-${month}.csv.gz`), from, to, (place) => line(size, place))
    day = end
  }
  return bytes
}

/** Writes a batch that comes after the feed: so many rows, whose events lie on any days, and yields its name. */
export const writeLate = async (
  folder: string,
  size: Size,
  batch: { readonly number: number; readonly rows: number }
): Promise<string> => {
  const first = size.rows + batch.number * mostLateRows
  const name = `late-${String(batch.number).padStart(3, "0")}.csv.gz`
  await writeFile(Path.join(folder, name), first, first + batch.rows, (place) => lateLine(size, place))
  return name
}

// --- internal ---

const rowsPerCustomer = 50

/** The greatest late batch; batches never share places. */
const mostLateRows = 5_000_000

const daySeconds = 86_400
const epoch = Date.parse(`${start}T00:00:00Z`) / 1000

const writeFile = async (path: string, from: number, to: number, row: (place: number) => string): Promise<number> => {
  function* chunks(): Generator<Buffer> {
    let text = `${FeedRow.COLUMNS.join(",")}\n`
    for (let place = from; place < to; place++) {
      text += row(place)
      if (text.length < chunkCharacters) continue
      yield Buffer.from(text, "latin1")
      text = ""
    }
    if (text.length > 0) yield Buffer.from(text, "latin1")
  }
  await pipeline(Readable.from(chunks(), { objectMode: true }), createGzip({ level: 1 }), Fs.createWriteStream(path))
  return Fs.statSync(path).size
}

const chunkCharacters = 256 * 1024

/** The finalizer of MurmurHash3: a permutation of 32-bit numbers, so that identities made with it are distinct. */
const scramble = (value: number): number => {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A number below a limit that follows from seed, place and purpose. */
const draw = (seed: number, place: number, purpose: number, limit: number): number =>
  scramble(place + scramble(seed * 64 + purpose)) % limit

const pick = <A>(values: ReadonlyArray<A>, index: number): A | undefined => values[index % values.length]

/** An event of the feed in one of its versions. Times are in seconds. */
interface Version {
  readonly id: string
  readonly customer: number
  readonly type: string
  readonly cents: number
  readonly currency: string
  readonly at: number
  readonly updated: number
  readonly attributes: string
}

const types = ["invoice_paid", "refund_issued", "dispute_opened", "dispute_won"] as const

/** The event that belongs to a place, as its first version says. */
const eventAt = (size: Size, place: number): Version => {
  const { rows, seed } = size
  const all = customers(size)
  const isLateBatch = place >= rows
  const arrives = Math.floor((place * days) / rows)
  const delay = draw(seed, place, 1, 1000) < 30 ? 10 + draw(seed, place, 2, 70) : 0
  const day = isLateBatch ? draw(seed, place, 1, days) : Math.max(0, arrives - delay)
  const at = epoch + day * daySeconds + draw(seed, place, 3, daySeconds)
  const id = `evt_${hex(scramble(place ^ scramble(seed)))}${hex(scramble(place + 0x5bd1e995))}`
  // Customers sign up during the first two fifths of the feed.
  const newcomer = isLateBatch || place % 20 !== 0 ? all : place / 20
  const customer = newcomer < all ? newcomer : draw(seed, place, 4, all)
  const updated = at + 60 + draw(seed, place, 5, 6 * 3600)
  const common = { id, customer, at, updated }
  if (newcomer < all)
    return { ...common, type: "customer_created", cents: 0, currency: "", attributes: created(seed, customer) }
  if (draw(seed, place, 6, 100) < 10) return { ...common, cents: 0, currency: "", ...changed(seed, place) }
  const lot = draw(seed, place, 7, 100)
  const type = lot < 92 ? types[0] : lot < 97 ? types[1] : lot < 99 ? types[2] : types[3]
  const cents = 500 + draw(seed, place, 8, 200_000)
  return {
    ...common,
    type,
    cents: type === "invoice_paid" || type === "dispute_won" ? cents : -cents,
    currency: pick(currencies, customer) ?? "EUR",
    attributes: ""
  }
}

const currencies = ["EUR", "USD", "GBP", "EUR", "USD"]
const segments = ["smb", "smb", "smb", "mid_market", "mid_market", "enterprise"]
const plans = ["free", "starter", "pro", "business"]
const prices = ["0.00", "19.00", "49.00", "99.50"]
const countries = ["DE", "FR", "NL", "GB", "US", "CA", "JP"]
const channels = ["organic", "paid_search", "partner", "referral"]

const created = (seed: number, customer: number): string => {
  const plan = draw(seed, customer, 9, plans.length)
  return (
    `{"acquisition_channel":"${pick(channels, draw(seed, customer, 10, 97))}",` +
    `"billing_currency":"${pick(currencies, customer)}","country":"${pick(countries, draw(seed, customer, 11, 97))}",` +
    `"email":"billing@customer-${customer}.example","monthly_amount":"${prices[plan]}","name":"Customer ${customer}",` +
    `"plan_type":"${plans[plan]}","segment":"${pick(segments, draw(seed, customer, 12, 97))}"}`
  )
}

const changed = (seed: number, place: number): Pick<Version, "type" | "attributes"> => {
  const lot = draw(seed, place, 13, 100)
  const plan = draw(seed, place, 14, plans.length)
  const terms = `{"monthly_amount":"${prices[plan]}","plan_type":"${plans[plan]}"}`
  if (lot < 30) return { type: "plan_upgraded", attributes: terms }
  if (lot < 50) return { type: "plan_downgraded", attributes: terms }
  if (lot < 65) return { type: "subscription_created", attributes: terms }
  if (lot < 75) return { type: "subscription_cancelled", attributes: "" }
  if (lot < 85)
    return { type: "customer_updated", attributes: `{"segment":"${pick(segments, draw(seed, place, 15, 97))}"}` }
  // Only what every version shares, so that no window of the dimension changes.
  return { type: "customer_updated", attributes: `{"email":"mail-${place}@customer.example"}` }
}

/** A later version: another amount, sometimes another day or another customer. */
const corrected = (size: Size, version: Version, place: number): Version => {
  const { seed } = size
  const lot = draw(seed, place, 16, 100)
  return {
    ...version,
    cents: version.cents === 0 ? 0 : version.cents + Math.sign(version.cents) * (1 + draw(seed, place, 17, 900)),
    at: lot < 20 ? version.at - daySeconds * (1 + draw(seed, place, 18, 5)) : version.at,
    customer: lot >= 95 ? draw(seed, place, 19, customers(size)) : version.customer,
    updated: version.updated + daySeconds * (1 + draw(seed, place, 20, 45))
  }
}

/** What a place of the feed delivers, in ten-thousandths: mostly its own event, else something about an earlier one. */
const line = (size: Size, place: number): string => {
  const { seed } = size
  const lot = draw(seed, place, 21, 10_000)
  const reach = Math.min(place, Math.ceil((size.rows / days) * 45))
  if (lot >= 708 || reach === 0) return print(eventAt(size, place), "")
  const earlier = eventAt(size, place - 1 - draw(seed, place, 22, reach))
  if (lot < 300) return print(corrected(size, earlier, place), "")
  if (lot < 520) return print(earlier, "")
  if (lot < 640)
    return print({ ...earlier, updated: earlier.updated + 3600 * (1 + draw(seed, place, 23, 500)) }, "delete")
  if (lot < 655) return print(earlier, "delete")
  if (lot < 658) return print({ ...earlier, cents: earlier.cents * 2 }, "upsert")
  return malformed(eventAt(size, place), lot)
}

const lateLine = (size: Size, place: number): string => {
  const { rows, seed } = size
  const lot = draw(seed, place, 21, 100)
  if (lot < 55) return print(eventAt(size, place), "")
  const earlier = eventAt(size, draw(seed, place, 22, rows))
  if (lot < 80) return print(corrected(size, { ...earlier, updated: earlier.updated + 60 * daySeconds }, place), "")
  if (lot < 88) return print(earlier, "")
  return print({ ...earlier, updated: earlier.updated + 120 * daySeconds }, "delete")
}

/** Faults that leave the number of fields as it is, so that a plain COPY reads them too. */
const malformed = (version: Version, lot: number): string => {
  switch (lot % 4) {
    case 0:
      return print({ ...version, type: "invoice_voided" }, "")
    case 1:
      return print(version, "remove")
    case 2:
      return print({ ...version, id: "" }, "")
    default:
      return print(version, "").replace(/\d\d:\d\d:\d\dZ/, "noon")
  }
}

const print = ({ at, attributes, cents, currency, customer, id, type, updated }: Version, op: string): string => {
  const quoted = attributes === "" ? "" : `"${attributes.replaceAll('"', '""')}"`
  const amount = currency === "" ? "" : money(cents)
  return `${id},cus_${String(customer + 1).padStart(7, "0")},${type},${amount},${currency},${iso(at)},${iso(updated)},${op},${quoted}\n`
}

const money = (cents: number): string => {
  const digits = String(Math.abs(cents)).padStart(3, "0")
  return `${cents < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

const hex = (value: number): string => value.toString(16).padStart(8, "0")

const isoDays = new Map<number, string>()

const isoDay = (day: number): string => {
  let text = isoDays.get(day)
  if (text === undefined) {
    text = new Date((epoch + day * daySeconds) * 1000).toISOString().slice(0, 10)
    isoDays.set(day, text)
  }
  return text
}

const two = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"))

const iso = (seconds: number): string => {
  const since = seconds - epoch
  const day = Math.floor(since / daySeconds)
  const rest = since - day * daySeconds
  const [hour, minute] = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60]
  return `${isoDay(day)}T${two[hour]}:${two[minute]}:${two[rest % 60]}Z`
}

// As a program: folder, seed, rows, and the number and rows of a late batch.
if (import.meta.main) {
  const [folder = "", seed, rows, number, lateRows] = process.argv.slice(2)
  const size = { seed: Number(seed), rows: Number(rows) }
  console.log(
    number === undefined
      ? await write(folder, size)
      : await writeLate(folder, size, { number: Number(number), rows: Number(lateRows) })
  )
}
