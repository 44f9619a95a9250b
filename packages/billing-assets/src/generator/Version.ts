/**
 * What does the source say of one billing event at one moment? A version: the event as it was written then, to be
 * kept or taken back, and how it is printed as a row.
 */
import type * as Arr from "effect/Array"
import * as Amount from "./Amount.ts"
import type * as FeedRow from "./FeedRow.ts"
import * as Instant from "./Instant.ts"
import * as Moment from "./Moment.ts"
import * as Random from "./Random.ts"
import type * as Story from "./Story.ts"

/**
 * One version of a billing event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Version {
  readonly eventId: string
  readonly happening: Story.Happening
  readonly updatedAt: Instant.Instant
  readonly isDelete: boolean
}

/**
 * Makes the version that the source writes first.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (random: Random.Random, eventId: string, happening: Story.Happening): Version => ({
  eventId,
  happening,
  updatedAt: Moment.recorded(random, happening.recordedAt),
  isDelete: false
})

/**
 * Makes a newer version that corrects the event: its amount, its day, its customer or what it says.
 *
 * @category constructors
 * @since 0.1.0
 */
export const corrected = (
  random: Random.Random,
  before: Version,
  options: { readonly updatedAt: Instant.Instant; readonly otherCustomerId: string }
): Version => ({
  ...before,
  updatedAt: Moment.recorded(random, options.updatedAt),
  happening: CORRECTIONS[
    before.happening.money === null ? Random.weighted(random, STATE_WEIGHTS) : Random.weighted(random, MONEY_WEIGHTS)
  ](before.happening, random, options.otherCustomerId)
})

/**
 * Makes the version that takes the event back at the given instant.
 *
 * @category constructors
 * @since 0.1.0
 */
export const deleted = (before: Version, updatedAt: Instant.Instant): Version => ({
  ...before,
  updatedAt,
  isDelete: true
})

/**
 * Makes another version of the same instant that only content can tell from the first.
 *
 * @category constructors
 * @since 0.1.0
 */
export const conflicting = (before: Version): Version => ({
  ...before,
  happening:
    before.happening.money === null
      ? { ...before.happening, attributes: { ...before.happening.attributes, source: "backfill" } }
      : { ...before.happening, money: { ...before.happening.money, amount: before.happening.money.amount * 2n } }
})

/**
 * Prints a version as a row that arrives at the given instant.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toRow = (
  version: Version,
  random: Random.Random,
  options: { readonly arrivedAt: Instant.Instant; readonly cause: FeedRow.Cause }
): FeedRow.FeedRow => {
  const { at, customerId, money, type } = version.happening
  return {
    arrivedAt: options.arrivedAt,
    cause: options.cause,
    fault: null,
    event_id: version.eventId,
    customer_id: customerId,
    event_type: type,
    amount: money === null ? "" : Amount.toText(money.amount),
    currency: money === null ? "" : money.currency,
    event_ts: Instant.toText(at, notation(random, at)),
    updated_at: Instant.toText(version.updatedAt, notation(random, version.updatedAt)),
    op: version.isDelete ? "delete" : Random.chance(random, OP_EMPTY) ? "" : "upsert",
    attributes: attributesText(random, version)
  }
}

// --- internal ---

// Ten-thousandths of the upserts whose `op` is left empty.
const OP_EMPTY = 2500

// Weights of the ways to write a moment: most sources write UTC, some their own zone.
const OFFSETS: Arr.NonEmptyReadonlyArray<readonly [number | "Z", number]> = [
  ["Z", 60],
  [0, 4],
  [60, 8],
  [120, 14],
  [-300, 6],
  [-480, 3],
  [330, 3],
  [540, 2]
]

const EXTRA_DIGITS: Arr.NonEmptyReadonlyArray<number> = [0, 0, 0, 0, 0, 0, 1, 3, 6]

const notation = (random: Random.Random, instant: Instant.Instant): Instant.Notation => ({
  offset: Random.weighted(random, OFFSETS),
  digits: Math.max(Instant.digitsOf(instant), Random.pick(random, EXTRA_DIGITS))
})

const attributesText = (random: Random.Random, version: Version): string => {
  const isEmpty = Object.keys(version.happening.attributes).length === 0
  if (version.isDelete || isEmpty) return Random.chance(random, 8000) ? "" : "{}"
  return JSON.stringify(version.happening.attributes)
}

type Correction = (happening: Story.Happening, random: Random.Random, otherCustomerId: string) => Story.Happening

const CORRECTIONS = {
  amount: (happening, random) => {
    if (happening.money === null) return happening
    const level = Random.pick(random, [500, 800, 900, 1100, 1200, 2000])
    return { ...happening, money: { ...happening.money, amount: Amount.perMille(happening.money.amount, level) } }
  },
  // Backwards only, so that no event lies after the moment when it was written.
  day: (happening, random) => ({ ...happening, at: happening.at - Random.between(random, 1, 6) * Instant.DAY }),
  customer: (happening, _random, otherCustomerId) => ({ ...happening, customerId: otherCustomerId }),
  attributes: (happening) => {
    const { email, monthly_amount, name } = happening.attributes
    if (typeof monthly_amount === "string") {
      return { ...happening, attributes: { ...happening.attributes, monthly_amount: `1${monthly_amount}` } }
    }
    if (typeof name === "string") {
      return { ...happening, attributes: { ...happening.attributes, name: name.toUpperCase() } }
    }
    return typeof email === "string"
      ? { ...happening, attributes: { ...happening.attributes, email: `new.${email}` } }
      : { ...happening, attributes: { ...happening.attributes, note: "checked" } }
  }
} satisfies Record<string, Correction>

type Weights = Arr.NonEmptyReadonlyArray<readonly [keyof typeof CORRECTIONS, number]>

const MONEY_WEIGHTS: Weights = [
  ["amount", 5],
  ["day", 4],
  ["customer", 2]
]
const STATE_WEIGHTS: Weights = [
  ["attributes", 5],
  ["day", 5]
]
