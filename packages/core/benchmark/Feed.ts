/**
 * What does a billing feed look like that behaves like life? Invoices and customers' segments, delivered once a day:
 * most on their day, some days or weeks late, some corrected, moved to another day or deleted, some delivered twice.
 * Everything follows from the seed.
 */
import * as BigDecimal from "effect/BigDecimal"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Event } from "./Revenue.ts"

/** How much is delivered. */
export interface Size {
  readonly seed: number
  readonly days: number
  readonly customers: number
  /** Invoices made per day. */
  readonly invoices: number
}

/** What arrives at the end of a day. */
export interface Delivery {
  readonly date: string
  /** When it is loaded: the midnight behind its day. */
  readonly loadedAt: string
  readonly events: ReadonlyArray<Event>
}

/** The first day of every feed. */
export const start = "2024-01-01"

/** The day that lies so many days behind the first one. */
export const dayAfter = (days: number): string => instant(days, 0).slice(0, 10)

/** The deliveries, one per day. What would arrive behind the last day never does. */
export const make = (size: Size): Effect.Effect<ReadonlyArray<Delivery>> =>
  Effect.map(Random.Random, (random) => {
    const below = (limit: number) => Math.floor(random.nextDoubleUnsafe() * limit)
    const dice: Dice = { below, chance: (probability) => random.nextDoubleUnsafe() < probability }
    const versions = [...segments(size, dice), ...invoices(size, dice)]
    const deliveries = Map.groupBy([...versions, ...repeated(versions, dice)], ({ arrives }) => arrives)
    return Array.from({ length: size.days }, (_, day) => ({
      date: dayAfter(day),
      loadedAt: instant(day + 1, 0),
      events: (deliveries.get(day) ?? []).map(({ event }, line) => ({ origin: dayAfter(day), line, ...event }))
    }))
  }).pipe(Random.withSeed(size.seed))

// --- internal ---

interface Dice {
  readonly below: (limit: number) => number
  readonly chance: (probability: number) => boolean
}

/** A version of an event and the day, counted from the first, on which it arrives. */
interface Version {
  readonly arrives: number
  readonly event: Omit<Event, "origin" | "line">
}

const daySeconds = 86_400

const instant = (day: number, second: number): string =>
  DateTime.formatIso(DateTime.makeUnsafe(Date.parse(start) + (day * daySeconds + second) * 1000)).replace("Z", "000Z")

const cents = (amount: number) => BigDecimal.make(BigInt(amount), 2)

const tiers = ["free", "team", "enterprise"] as const

/** Nine of ten changes come on their day or the week after; customers' masters are kept worse than invoices. */
const segmentDelay = ({ below, chance }: Dice) => (chance(0.6) ? 0 : chance(0.6) ? 1 + below(7) : 8 + below(30))

const invoiceDelay = ({ below, chance }: Dice) =>
  chance(0.9) ? 0 : chance(0.6) ? 1 + below(7) : chance(0.75) ? 8 + below(23) : 31 + below(60)

/** Each customer is known from the day before the first; a third of the later changes is corrected or taken back. */
const segments = ({ customers, days }: Size, dice: Dice): ReadonlyArray<Version> =>
  Array.from({ length: customers }, (_, customer) => customer).flatMap((customer) => {
    const change = (index: number, at: readonly [day: number, second: number], arrives: number): Version => ({
      arrives,
      event: {
        event_id: `segment-${customer}-${index}`,
        customer_id: `customer-${customer}`,
        kind: "segment",
        segment: tiers[dice.below(tiers.length)] ?? tiers[0],
        amount: cents(0),
        event_ts: instant(...at),
        updated_at: instant(...at),
        is_deleted: false
      }
    })
    const later = Array.from({ length: dice.below(4) }, (_, index) => {
      const day = dice.below(days)
      const first = change(index + 1, [day, dice.below(daySeconds)], day + segmentDelay(dice))
      return [first, ...corrections(first, { dice, day, days, moves: 0.1, deletes: 0.1, amounts: 0 })]
    })
    return [change(0, [-1, 0], 0), ...later.flat()]
  })

const invoices = ({ customers, days, invoices }: Size, dice: Dice): ReadonlyArray<Version> =>
  Array.from({ length: days * invoices }, (_, index) => {
    const day = Math.floor(index / invoices)
    const at = instant(day, dice.below(daySeconds))
    const first: Version = {
      arrives: day + invoiceDelay(dice),
      event: {
        event_id: `invoice-${index}`,
        customer_id: `customer-${dice.below(customers)}`,
        kind: "invoice",
        segment: null,
        amount: cents(1000 + dice.below(99_000)),
        event_ts: at,
        updated_at: at,
        is_deleted: false
      }
    }
    return [first, ...corrections(first, { dice, day, days, moves: 0.01, deletes: 0.01, amounts: 0.03 })]
  }).flat()

/** At most one correction of a version: it arrives days or weeks after the event, sometimes before the first version. */
const corrections = (
  { event }: Version,
  options: {
    readonly dice: Dice
    readonly day: number
    readonly days: number
    readonly moves: number
    readonly deletes: number
    readonly amounts: number
  }
): ReadonlyArray<Version> => {
  const { amounts, day, days, deletes, dice, moves } = options
  const corrected = (fields: Partial<Version["event"]>): ReadonlyArray<Version> => {
    const arrives = day + 1 + dice.below(40)
    return [{ arrives, event: { ...event, ...fields, updated_at: instant(arrives, 0) } }]
  }
  const lot = dice.below(1000) / 1000
  if (lot < moves) {
    const to = Math.min(Math.max(day - 5 + dice.below(11), 0), days - 1)
    return corrected({ event_ts: instant(to, dice.below(daySeconds)) })
  }
  if (lot < moves + deletes) return corrected({ is_deleted: true })
  if (lot < moves + deletes + amounts) return corrected({ amount: cents(1000 + dice.below(99_000)) })
  return []
}

/** One of fifty versions comes again, days later. */
const repeated = (versions: ReadonlyArray<Version>, dice: Dice): ReadonlyArray<Version> =>
  versions.flatMap((version) =>
    dice.chance(0.02) ? [{ ...version, arrives: version.arrives + 1 + dice.below(10) }] : []
  )
