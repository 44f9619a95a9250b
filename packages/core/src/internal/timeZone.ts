import { tzOffset } from "@date-fns/tz"
import { toDate } from "date-fns/toDate"

/** A stretch `[start, end)` of epoch milliseconds in which local time is UTC plus one `offset`. */
export interface Segment {
  readonly start: number
  readonly end: number
  readonly offset: number
}

/** IANA names only: PostgreSQL reads `+05:30` with the opposite sign, which would move every window silently. */
export const isKnown = (timeZone: string): boolean => /^[A-Za-z]/.test(timeZone) && !Number.isNaN(offsetAt(timeZone, 0))

/**
 * The segment that holds an instant. Where nothing changes, a segment may end early at the edge of a block and go on in the
 * next one with the same offset.
 */
export const segmentAt = (timeZone: string, instant: number): Segment => {
  if (timeZone === "UTC") {
    return utc
  }
  const segments = blockAt(timeZone, Math.floor(instant / blockLength))
  let index = 0
  while (segments[index].end <= instant) {
    index++
  }
  return segments[index]
}

/** Local time as if its clock ran in UTC: plain arithmetic for everything that does not ask for an instant. */
export const toWall = (timeZone: string, instant: number): number => instant + segmentAt(timeZone, instant).offset

/** The first instant at which the local clock shows `wall` or later: the first of two, the end of a gap. */
export const fromWall = (timeZone: string, wall: number): number => {
  let segment = segmentAt(timeZone, wall - maximalOffset)
  while (true) {
    const instant = Math.max(segment.start, wall - segment.offset)
    if (instant < segment.end) {
      return instant
    }
    segment = segmentAt(timeZone, segment.end)
  }
}

// --- internal ---

const utc: Segment = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY, offset: 0 }

// No zone was ever more than 16 h away from UTC.
const maximalOffset = 26 * 3_600_000

// Offsets cost about 1 µs each to ask for, so they are sampled once per block (388 days), every 6 days, and bisected to the
// second between samples that differ. No zone changed twice within 6 days.
const second = 1000
const sampleLength = 2 ** 19 * second
const blockLength = 2 ** 25 * second

const blocks = new Map<string, Map<number, ReadonlyArray<Segment>>>()

const offsetAt = (timeZone: string, instant: number): number => Math.round(tzOffset(timeZone, toDate(instant)) * 60_000)

const blockAt = (timeZone: string, index: number): ReadonlyArray<Segment> => {
  let zone = blocks.get(timeZone)
  if (zone === undefined) {
    blocks.set(timeZone, (zone = new Map<number, ReadonlyArray<Segment>>()))
  }
  let block = zone.get(index)
  if (block === undefined) {
    zone.set(index, (block = scan(timeZone, index * blockLength)))
  }
  return block
}

const scan = (timeZone: string, blockStart: number): ReadonlyArray<Segment> => {
  const blockEnd = blockStart + blockLength
  const segments: Array<Segment> = []
  let start = blockStart
  let offset = offsetAt(timeZone, blockStart)
  for (let sample = blockStart; sample < blockEnd; sample += sampleLength) {
    const following = offsetAt(timeZone, sample + sampleLength)
    if (following !== offset) {
      const end = changeBetween(timeZone, sample, sample + sampleLength, offset)
      segments.push({ start, end, offset })
      start = end
      offset = following
    }
  }
  if (start < blockEnd) {
    segments.push({ start, end: blockEnd, offset })
  }
  return segments
}

const changeBetween = (timeZone: string, from: number, to: number, offset: number): number => {
  let before = from
  let after = to
  while (after - before > second) {
    const middle = before + Math.floor((after - before) / 2 / second) * second
    if (offsetAt(timeZone, middle) === offset) {
      before = middle
    } else {
      after = middle
    }
  }
  return after
}
