/**
 * How does a true billing event reach the feed? Mostly once and within hours; sometimes late, twice, corrected, taken
 * back, in the wrong order or broken. This is the only place where the mess is made.
 */
import type * as Arr from "effect/Array"
import * as Customer from "./Customer.ts"
import type * as Fault from "./Fault.ts"
import type * as FeedRow from "./FeedRow.ts"
import * as Instant from "./Instant.ts"
import * as Moment from "./Moment.ts"
import * as Random from "./Random.ts"
import type * as Story from "./Story.ts"
import * as Version from "./Version.ts"

/**
 * How often each kind of mess happens, in ten-thousandths: of the events; `overtaken` of the corrections, `malformed`
 * of the rows, `repaired` of the malformed rows.
 *
 * @category rates
 * @since 0.1.0
 */
export const RATES = {
  late: 300,
  corrected: 300,
  overtaken: 1000,
  duplicatedSoon: 120,
  duplicatedLater: 100,
  deleted: 70,
  deletedFirst: 25,
  deletedAndRedelivered: 35,
  sameInstantDelete: 15,
  conflict: 3,
  malformed: 50,
  repaired: 5000
} as const

/**
 * What a delivery needs to know of the feed around it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Courier {
  readonly random: Random.Random
  readonly faults: Fault.Rota
  /** How many customers the feed has, for events that were booked on the wrong one. */
  readonly customers: number
}

/**
 * Delivers an event: all rows that the feed will ever hold of it, in no particular order.
 *
 * @category delivering
 * @since 0.1.0
 */
export const deliver = (
  courier: Courier,
  eventId: string,
  happening: Story.Happening
): ReadonlyArray<FeedRow.FeedRow> => {
  const { random } = courier
  const first = firstRow(random, Version.make(random, eventId, happening))
  const latest = Random.chance(random, RATES.corrected) ? correction(courier, first) : first
  const ended = FATES[Random.weighted(random, FATE_WEIGHTS)](random, latest)
  const older =
    latest === first ? [] : [Random.chance(random, RATES.overtaken) ? overtaken(random, first, latest) : first]
  const sent = [...older, ...ended, ...duplicates(random, Random.pick(random, [latest, ...older]))]
  return sent.flatMap(({ row }) => spoiled(courier, row))
}

// --- internal ---

interface Sent {
  readonly version: Version.Version
  readonly row: FeedRow.FeedRow
}

const send = (
  random: Random.Random,
  version: Version.Version,
  arrivedAt: Instant.Instant,
  cause: FeedRow.Cause
): Sent => ({ version, row: Version.toRow(version, random, { arrivedAt, cause }) })

// Exact copies keep every byte, also the way in which their moments are written.
const resend = (sent: Sent, arrivedAt: Instant.Instant, cause: FeedRow.Cause): Sent => ({
  version: sent.version,
  row: { ...sent.row, arrivedAt, cause }
})

// The source is exported within hours of a change.
const exported = (random: Random.Random, updatedAt: Instant.Instant): Instant.Instant =>
  updatedAt + Random.between(random, 5, 360) * Instant.MINUTE

const firstRow = (random: Random.Random, version: Version.Version): Sent => {
  if (Random.chance(random, RATES.late))
    return send(random, version, Moment.daysLater(random, version.updatedAt, 10, 80), "late")
  const isBackdated = version.updatedAt - version.happening.at > Instant.DAY
  return send(random, version, exported(random, version.updatedAt), isBackdated ? "backdated" : "first")
}

const correction = (courier: Courier, first: Sent): Sent => {
  const { random } = courier
  const version = Version.corrected(random, first.version, {
    updatedAt: Moment.daysLater(random, first.version.updatedAt, 1, 45),
    otherCustomerId: Customer.toId(Random.below(random, courier.customers))
  })
  return send(random, version, exported(random, version.updatedAt), "correction")
}

// A correction can arrive before what it corrects.
const overtaken = (random: Random.Random, first: Sent, latest: Sent): Sent =>
  resend(first, Moment.daysLater(random, latest.row.arrivedAt, 1, 20), "late")

type Fate = (random: Random.Random, latest: Sent) => ReadonlyArray<Sent>

const FATES = {
  kept: (_random, latest) => [latest],
  deleted: (random, latest) => [latest, deletion(random, latest)],
  deletedFirst: (random, latest) => {
    const version = Version.deleted(
      latest.version,
      latest.version.updatedAt + Random.between(random, 30, 2000) * Instant.MINUTE
    )
    const gone = send(random, version, exported(random, version.updatedAt), "delete")
    return [gone, resend(latest, Moment.daysLater(random, gone.row.arrivedAt, 1, 25), "redelivery")]
  },
  deletedAndRedelivered: (random, latest) => {
    const gone = deletion(random, latest)
    return [latest, gone, resend(latest, Moment.daysLater(random, gone.row.arrivedAt, 1, 40), "redelivery")]
  },
  sameInstantDelete: (random, latest) => {
    const gone = Version.deleted(latest.version, latest.version.updatedAt)
    // Shortly before or after its upsert: the order of arrival must not matter.
    const arrivedAt = latest.row.arrivedAt + Random.pick(random, [-3, 3]) * Instant.MINUTE
    return [latest, send(random, gone, arrivedAt, "same_instant_delete")]
  },
  conflict: (random, latest) => [
    latest,
    send(random, Version.conflicting(latest.version), Moment.daysLater(random, latest.row.arrivedAt, 1, 20), "conflict")
  ]
} satisfies Record<string, Fate>

const FATE_WEIGHTS: Arr.NonEmptyReadonlyArray<readonly [keyof typeof FATES, number]> = [
  ["deleted", RATES.deleted],
  ["deletedFirst", RATES.deletedFirst],
  ["deletedAndRedelivered", RATES.deletedAndRedelivered],
  ["sameInstantDelete", RATES.sameInstantDelete],
  ["conflict", RATES.conflict],
  [
    "kept",
    10_000 - RATES.deleted - RATES.deletedFirst - RATES.deletedAndRedelivered - RATES.sameInstantDelete - RATES.conflict
  ]
]

const deletion = (random: Random.Random, latest: Sent): Sent => {
  const version = Version.deleted(
    latest.version,
    Instant.cut(Moment.daysLater(random, latest.version.updatedAt, 1, 30), 0)
  )
  const earliest = Math.max(version.updatedAt, latest.row.arrivedAt)
  return send(random, version, exported(random, earliest), "delete")
}

const duplicates = (random: Random.Random, sent: Sent): ReadonlyArray<Sent> => {
  const { arrivedAt } = sent.row
  const soon = Random.chance(random, RATES.duplicatedSoon)
    ? [resend(sent, arrivedAt + Random.between(random, 1, 30) * Instant.MINUTE, "duplicate")]
    : []
  return Random.chance(random, RATES.duplicatedLater)
    ? [...soon, resend(sent, Moment.daysLater(random, arrivedAt, 20, 50), "duplicate")]
    : soon
}

const spoiled = (courier: Courier, row: FeedRow.FeedRow): ReadonlyArray<FeedRow.FeedRow> => {
  const { random } = courier
  if (!Random.chance(random, RATES.malformed)) return [row]
  const broken = courier.faults.spoil(row, random)
  return Random.chance(random, RATES.repaired)
    ? [broken, { ...row, arrivedAt: Moment.daysLater(random, row.arrivedAt, 1, 6), cause: "repair" }]
    : [broken]
}
