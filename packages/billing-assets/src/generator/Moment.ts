/**
 * When does something happen? Drawn moments: on a day, some days later, or within a window.
 */
import * as Instant from "./Instant.ts"
import * as Random from "./Random.ts"

/**
 * Draws a moment of the day that begins at the given instant, to the microsecond.
 *
 * @category drawing
 * @since 0.1.0
 */
export const onDay = (random: Random.Random, day: Instant.Instant): Instant.Instant =>
  day + Random.below(random, 86_400) * Instant.SECOND + Random.below(random, Instant.SECOND)

/**
 * Draws a moment of a UTC day that lies from `fewest` to `most` days, at least one, after the instant's own.
 *
 * @category drawing
 * @since 0.1.0
 */
export const daysLater = (
  random: Random.Random,
  instant: Instant.Instant,
  fewest: number,
  most: number
): Instant.Instant =>
  onDay(random, Instant.nextDay(instant) + Random.between(random, fewest - 1, most - 1) * Instant.DAY)

/**
 * Draws a moment of a window of whole days.
 *
 * @category drawing
 * @since 0.1.0
 */
export const within = (random: Random.Random, start: Instant.Instant, end: Instant.Instant): Instant.Instant =>
  onDay(random, start + Random.below(random, Math.floor((end - start) / Instant.DAY)) * Instant.DAY)

/**
 * Cuts a moment to the fraction digits that some source would keep: mostly none, else three or six.
 *
 * @category drawing
 * @since 0.1.0
 */
export const recorded = (random: Random.Random, instant: Instant.Instant): Instant.Instant =>
  Instant.cut(instant, Random.pick(random, [0, 0, 0, 3, 6]))
