/**
 * How does the generator reckon time? In whole microseconds since 1970-01-01T00:00:00Z, the finest instant that the
 * feed can carry, with the calendar of UTC months and days that its files are cut by.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

/**
 * Whole microseconds since 1970-01-01T00:00:00Z; exact as a JavaScript number up to the year 2255.
 *
 * @category models
 * @since 0.1.0
 */
export type Instant = number

/**
 * How a timestamp is written: its offset from UTC in minutes (`"Z"` for the letter) and its fraction digits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Notation {
  readonly offset: number | "Z"
  readonly digits: number
}

/**
 * A calendar month of UTC, half-open: `[start, end)`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Month {
  /** The month as `2024-01`. */
  readonly name: string
  /** Where the feed's part of the month begins: its first instant, or later in the feed's first month. */
  readonly start: Instant
  readonly end: Instant
}

/**
 * One second.
 *
 * @category lengths
 * @since 0.1.0
 */
export const SECOND = 1_000_000

/**
 * One minute.
 *
 * @category lengths
 * @since 0.1.0
 */
export const MINUTE = 60 * SECOND

/**
 * One hour.
 *
 * @category lengths
 * @since 0.1.0
 */
export const HOUR = 60 * MINUTE

/**
 * One day of UTC.
 *
 * @category lengths
 * @since 0.1.0
 */
export const DAY = 24 * HOUR

/**
 * Reads a day such as `2024-01-31`; none when there is no such day.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromDay = (text: string): Option.Option<Instant> =>
  /^\d{4}-\d{2}-\d{2}$/.test(text)
    ? DateTime.make(`${text}T00:00:00Z`).pipe(
        Option.map((day) => DateTime.toEpochMillis(day) * 1000),
        // A day that the calendar lacks must not slide into the next month.
        Option.filter((instant) => toDay(instant) === text)
      )
    : Option.none()

/**
 * Lists so many calendar months, of which the first begins late, at the given instant.
 *
 * @category constructors
 * @since 0.1.0
 */
export const monthsFrom = (start: Instant, count: number): ReadonlyArray<Month> => {
  const first = DateTime.startOf(DateTime.makeUnsafe(start / 1000), "month")
  const edge = (months: number): Instant => DateTime.toEpochMillis(DateTime.add(first, { months })) * 1000
  return Array.from({ length: count }, (_, position) => ({
    name: toDay(edge(position)).slice(0, 7),
    start: position === 0 ? start : edge(position),
    end: edge(position + 1)
  }))
}

/**
 * Gives the UTC day of an instant, as `2024-01-31`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toDay = (instant: Instant): string => dayText(Math.floor(instant / DAY))

/**
 * Cuts an instant to so many fraction digits of a second.
 *
 * @category combinators
 * @since 0.1.0
 */
export const cut = (instant: Instant, digits: number): Instant => instant - (instant % 10 ** (6 - digits))

/**
 * Gives the first instant of the UTC day after an instant's own.
 *
 * @category combinators
 * @since 0.1.0
 */
export const nextDay = (instant: Instant): Instant => instant - (instant % DAY) + DAY

/**
 * Gives the fraction digits of a second that an instant needs: 0, 3 or 6.
 *
 * @category conversions
 * @since 0.1.0
 */
export const digitsOf = (instant: Instant): number => (instant % SECOND === 0 ? 0 : instant % 1000 === 0 ? 3 : 6)

/**
 * Prints an RFC 3339 timestamp; the notation must have the digits that the instant needs.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toText = (instant: Instant, notation: Notation): string => {
  const minutes = notation.offset === "Z" ? 0 : notation.offset
  const local = instant + minutes * MINUTE
  const day = Math.floor(local / DAY)
  const seconds = Math.floor((local - day * DAY) / SECOND)
  const fraction =
    notation.digits === 0
      ? ""
      : `.${String(local - day * DAY - seconds * SECOND)
          .padStart(6, "0")
          .slice(0, notation.digits)}`
  return `${dayText(day)}T${clock(seconds)}${fraction}${offsetText(notation.offset)}`
}

// --- internal ---

// A feed prints millions of timestamps out of a few thousand days.
const dayTexts = new Map<number, string>()

const dayText = (day: number): string => {
  const known = dayTexts.get(day)
  if (known !== undefined) return known
  const text = DateTime.formatIsoDateUtc(DateTime.makeUnsafe(day * 86_400_000))
  dayTexts.set(day, text)
  return text
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value))

const clock = (seconds: number): string =>
  `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`

const offsetText = (offset: number | "Z"): string => {
  if (offset === "Z") return "Z"
  const size = Math.abs(offset)
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
