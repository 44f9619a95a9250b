/**
 * Which instant does a text of the feed name? Spellings of RFC 3339 come in, with any offset; one canonical spelling in
 * UTC goes on, of fixed width and with microseconds, so that the order of texts is the order of instants.
 */
import * as DateTime from "effect/DateTime"

/**
 * The canonical text of an RFC 3339 timestamp, or undefined where the text is not one or names more than microseconds.
 *
 * **Details**
 *
 * A leap second (`23:59:60`) has no instant of its own in PostgreSQL and is none here. Neither are years outside 0001 to
 * 9999, counted in UTC.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromText = (text: string): string | undefined => {
  // Most feeds say most instants so: then nothing has to be taken apart but the date.
  if (text.length === 20 && plain.test(text) && isDate(text.slice(0, 10)) && !text.startsWith("0000"))
    return `${text.slice(0, 19)}.000000Z`
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, date = "", hour = "", minute = "", second = "", fraction = "", sign, offsetHour = "", offsetMinute = ""] =
    match
  if (!isDate(date) || hour > "23" || minute > "59" || second > "59" || offsetHour > "23" || offsetMinute > "59") {
    return undefined
  }
  const offset = sign === undefined ? 0 : (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === "-" ? -1 : 1)
  const local = `${date}T${hour}:${minute}:${second}`
  const utc = offset === 0 ? local : shift(local, -offset)
  return yearPattern.test(utc) ? `${utc}.${fraction.padEnd(6, "0")}Z` : undefined
}

/**
 * The UTC day of a canonical timestamp, `2024-03-01`.
 *
 * @category getters
 * @since 0.1.0
 */
export const day = (timestamp: string): string => timestamp.slice(0, 10)

/**
 * The first day of the UTC month of a canonical timestamp or date, `2024-03-01`.
 *
 * @category getters
 * @since 0.1.0
 */
export const month = (timestamp: string): string => `${timestamp.slice(0, 7)}-01`

// --- internal ---

const pattern = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/** Whole seconds in UTC, in the spelling of the canonical text. */
const plain = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/

const yearPattern = /^(?!0000)\d{4}-/

const isDate = (date: string): boolean => {
  const [year, month, day] = [Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8))]
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

const shift = (local: string, minutes: number): string =>
  DateTime.formatIso(DateTime.add(DateTime.makeUnsafe(`${local}Z`), { minutes })).replace(/\.000Z$/, "")
