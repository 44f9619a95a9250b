/**
 * What does a realistic billing feed look like? The stories of some customers over some months, delivered with all
 * the mess of a real source, in the order of arrival. The same options give the same feed on every machine.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Customer from "./Customer.ts"
import * as Delivery from "./Delivery.ts"
import * as Fault from "./Fault.ts"
import type * as FeedRow from "./FeedRow.ts"
import * as Instant from "./Instant.ts"
import * as Story from "./Story.ts"

/**
 * What a feed is made from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How many customers sign up; at most a million. */
  readonly customers: number
  /** How many calendar months rows arrive in; the first is that of `start`. */
  readonly months: number
  /** The first day, as `2024-01-31`; `2024-01-01` when absent. */
  readonly start?: string | undefined
  /** Any whole number; another seed tells other stories. */
  readonly seed: number
}

/**
 * The rows that arrive in one calendar month of UTC.
 *
 * @category models
 * @since 0.1.0
 */
export interface FeedMonth {
  /** The month as `2024-01`. */
  readonly name: string
  readonly rows: ReadonlyArray<FeedRow.FeedRow>
}

/**
 * A feed cannot be made as asked, or its files cannot be written.
 *
 * @category errors
 * @since 0.1.0
 */
export class FeedError extends Schema.TaggedError<FeedError>("@assay/billing-assets/generator/FeedError")("FeedError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/**
 * Generates the rows of a feed in the order of arrival.
 *
 * **Details**
 *
 * Every customer draws from a stream of choices of its own, and is told month by month. Memory holds the customers,
 * the rows of the running month and those on their way to a later one, so it grows with the customers and not with the
 * months: 58 000 customers fit in a heap of 200 MB, over 12 months (1.0 M rows, written in 10 s) as over 36 (2.9 M).
 * Rows that would arrive after the last month are not in the feed.
 *
 * @category generating
 * @since 0.1.0
 */
export const generate = (options: Options): Stream.Stream<FeedRow.FeedRow, FeedError> =>
  Stream.flatMap(months(options), (month) => Stream.fromIterable(month.rows, { chunkSize: CHUNK_SIZE }))

/**
 * Generates the rows of a feed month of arrival by month of arrival.
 *
 * @category generating
 * @since 0.1.0
 */
export const months = (options: Options): Stream.Stream<FeedMonth, FeedError> =>
  Effect.fromResult(check(options)).pipe(
    // One month per pull: a month is all that should be in memory at a time.
    Effect.map((outline) => Stream.fromIterable({ [Symbol.iterator]: () => tell(outline) }, { chunkSize: 1 })),
    Stream.unwrap
  )

/**
 * Names the months that rows of a feed arrive in, such as `2024-01`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const monthNames = (options: Options): Result.Result<ReadonlyArray<string>, FeedError> =>
  Result.map(check(options), (outline) => outline.months.map((month) => month.name))

// --- internal ---

const CHUNK_SIZE = 1024

const MOST_CUSTOMERS = 1_000_000
const MOST_MONTHS = 600

// The share of the customers, in hundredths, that the source already had when the feed began.
const FOUNDING_SHARE = 40

interface Outline {
  readonly customers: number
  readonly months: ReadonlyArray<Instant.Month>
  readonly seed: number
}

const check = (options: Options): Result.Result<Outline, FeedError> => {
  const { customers, months, seed } = options
  const start = Instant.fromDay(options.start ?? "2024-01-01")
  if (!isWhole(customers, MOST_CUSTOMERS))
    return refuse("customers", `a whole number from 1 to ${MOST_CUSTOMERS}`, customers)
  if (!isWhole(months, MOST_MONTHS)) return refuse("months", `a whole number from 1 to ${MOST_MONTHS}`, months)
  if (!Number.isSafeInteger(seed)) return refuse("seed", "a whole number", seed)
  return Option.isSome(start) && start.value >= 0 && start.value < LATEST_START
    ? Result.succeed({ customers, months: Instant.monthsFrom(start.value, months), seed })
    : refuse("start", "a day from 1970-01-01 to 2199-12-31, such as 2024-01-01", options.start)
}

// 2200-01-01: with the most months on top, every instant stays exact as a number.
const LATEST_START = 84_006 * Instant.DAY

const isWhole = (value: number, most: number): boolean => Number.isSafeInteger(value) && value >= 1 && value <= most

const refuse = (option: string, expected: string, actual: unknown): Result.Result<never, FeedError> =>
  Result.fail(
    new FeedError({ message: `Cannot generate a feed: ${option} must be ${expected}, but is ${String(actual)}` })
  )

function* tell(outline: Outline): IterableIterator<FeedMonth> {
  const faults = Fault.makeRota()
  const customers: Array<Customer.Customer> = []
  const arrivals = outline.months.map((): Array<FeedRow.FeedRow> => [])
  const signUps = signUpDays(outline)
  let told = 0
  for (const [position, month] of outline.months.entries()) {
    while (customers.length < outline.customers && signUps(customers.length) < month.end) {
      const day = signUps(customers.length)
      customers.push(Customer.make({ seed: outline.seed, position: customers.length, day }))
    }
    for (const [index, customer] of customers.entries()) {
      const courier = { random: customer.random, faults, customers: outline.customers }
      const story = Story.live(customer, month)
      let step = story.next()
      for (; step.done !== true; step = story.next()) {
        for (const row of Delivery.deliver(courier, eventId(told++), step.value)) {
          place(outline.months, arrivals, position, row)
        }
      }
      customers[index] = step.value
    }
    // Sorting is stable and the stories are told in a fixed order, so ties are the same on every machine.
    const rows = (arrivals[position] ?? []).toSorted((one, other) => one.arrivedAt - other.arrivedAt)
    yield { name: month.name, rows }
    arrivals[position] = []
  }
}

const place = (
  months: ReadonlyArray<Instant.Month>,
  arrivals: ReadonlyArray<Array<FeedRow.FeedRow>>,
  running: number,
  row: FeedRow.FeedRow
): void => {
  for (let position = running; position < months.length; position++) {
    const month = months[position]
    if (month !== undefined && row.arrivedAt < month.end) {
      arrivals[position]?.push(row)
      return
    }
  }
}

// The founding customers sign up over the first month, the others evenly over the rest.
const signUpDays = (outline: Outline): ((position: number) => Instant.Instant) => {
  const [first] = outline.months
  const last = outline.months.at(-1)
  const starts = first?.start ?? 0
  const founded = first?.end ?? 0
  const ends = last?.end ?? founded
  const founding =
    outline.months.length === 1 ? outline.customers : Math.ceil((outline.customers * FOUNDING_SHARE) / 100)
  const evenly = (from: Instant.Instant, to: Instant.Instant, position: number, count: number): Instant.Instant =>
    from + Math.floor((((to - from) / Instant.DAY) * position) / count) * Instant.DAY
  return (position) =>
    position < founding
      ? evenly(starts, founded, position, founding)
      : evenly(founded, ends, position - founding, outline.customers - founding)
}

// An odd factor permutes the numbers below 2^40, so identities stay unique without being in order.
const eventId = (told: number): string =>
  `evt_${BigInt.asUintN(40, BigInt(told) * 0x9e3779b97fn + 0x5bf03635n)
    .toString(16)
    .padStart(10, "0")}`
