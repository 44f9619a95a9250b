/**
 * How does a person read a number? Counts with their noun and grouped digits, lengths of time in two units at most,
 * moments as seen from now.
 */
import * as DateTime from "effect/DateTime"

/**
 * A number with its digits in groups of three, `12,345`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const number = (value: number): string => value.toLocaleString("en-US")

/**
 * A number with its noun, `1 day`, `12 days`, `2 deliveries`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const count = (value: number, noun: string): string => `${number(value)} ${value === 1 ? noun : plural(noun)}`

/**
 * A length of time, `340 ms`, `3.2 s`, `42 s`, `2 min 05 s`, `1 h 05 min`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const duration = (millis: number): string => {
  const ms = Math.max(0, Math.round(millis))
  if (ms < 1000) return `${ms} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  const minutes = Math.round(seconds / 60)
  return `${number(Math.floor(minutes / 60))} h ${two(minutes % 60)} min`
}

/**
 * A speed, `850 rows/s`, `12.3k rows/s`; empty where there is no time to measure by.
 *
 * @category conversions
 * @since 0.1.0
 */
export const rate = (amount: number, millis: number, noun: string): string => {
  if (millis <= 0 || amount <= 0) return ""
  const perSecond = (amount * 1000) / millis
  const value =
    perSecond >= 999_500
      ? `${(perSecond / 1_000_000).toFixed(1)}M`
      : perSecond >= 9995
        ? `${Math.round(perSecond / 1000)}k`
        : perSecond >= 1000
          ? `${(perSecond / 1000).toFixed(1)}k`
          : String(Math.round(perSecond))
  return `${value} ${plural(noun)}/s`
}

/**
 * How long ago something was, `just now`, `42 s ago`, `5 min ago`, `3 h ago`, `2 days ago`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const ago = (at: DateTime.Utc, now: DateTime.Utc): string => {
  const seconds = Math.floor((DateTime.toEpochMillis(now) - DateTime.toEpochMillis(at)) / 1000)
  if (seconds < 5) return "just now"
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return `${count(Math.floor(seconds / 86_400), "day")} ago`
}

/**
 * A moment to the second, in UTC: `2024-03-01 09:30:05`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const moment = (at: DateTime.Utc): string => DateTime.formatIso(at).slice(0, 19).replace("T", " ")

// --- internal ---

const two = (value: number): string => String(value).padStart(2, "0")

const plural = (noun: string): string => (/[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`)
