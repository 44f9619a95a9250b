/**
 * Which stretch of time does something cover? A window is half-open, `[start, end)`, in whole epoch milliseconds, so that
 * neighbours share no instant and leave none out.
 *
 * @since 0.1.0
 */
import { toDate } from "date-fns/toDate"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"

/**
 * A stretch of time `[start, end)` in epoch milliseconds; an open side is infinite.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeWindow {
  readonly start: number
  readonly end: number
}

/**
 * The bounds of a window are not whole milliseconds, or its end lies before its start.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidTimeWindow extends Schema.TaggedError<InvalidTimeWindow>("@assay/core/InvalidTimeWindow")(
  "InvalidTimeWindow",
  { start: Schema.Number, end: Schema.Number }
) {
  override get message(): string {
    return (
      `a time window cannot run from ${this.start} to ${this.end}: both must be whole epoch milliseconds (or an ` +
      `infinity for an open side), and the end must not lie before the start`
    )
  }
}

/**
 * Makes a window from its first instant and the first instant after it; throws `InvalidTimeWindow` on bounds that are none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (start: number, end: number): TimeWindow => {
  if (!isBound(start) || !isBound(end) || end < start) {
    throw new InvalidTimeWindow({ start, end })
  }
  return { start, end }
}

/**
 * Whether a window holds no instant at all.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isEmpty = (self: TimeWindow): boolean => self.end <= self.start

/**
 * The length of a window in milliseconds.
 *
 * @category getters
 * @since 0.1.0
 */
export const duration = (self: TimeWindow): number => Math.max(0, self.end - self.start)

/**
 * Whether an instant lies inside a window; the end does not.
 *
 * @category predicates
 * @since 0.1.0
 */
export const contains: {
  (instant: number): (self: TimeWindow) => boolean
  (self: TimeWindow, instant: number): boolean
} = dual(2, (self: TimeWindow, instant: number): boolean => self.start <= instant && instant < self.end)

/**
 * Whether a window holds every instant of another.
 *
 * @category predicates
 * @since 0.1.0
 */
export const encloses: {
  (that: TimeWindow): (self: TimeWindow) => boolean
  (self: TimeWindow, that: TimeWindow): boolean
} = dual(
  2,
  (self: TimeWindow, that: TimeWindow): boolean => isEmpty(that) || (self.start <= that.start && that.end <= self.end)
)

/**
 * Whether two windows share an instant; touching ends share none.
 *
 * @category predicates
 * @since 0.1.0
 */
export const overlaps: {
  (that: TimeWindow): (self: TimeWindow) => boolean
  (self: TimeWindow, that: TimeWindow): boolean
} = dual(
  2,
  (self: TimeWindow, that: TimeWindow): boolean => Math.max(self.start, that.start) < Math.min(self.end, that.end)
)

/**
 * The window that two windows share, if they overlap.
 *
 * @category combinators
 * @since 0.1.0
 */
export const intersection: {
  (that: TimeWindow): (self: TimeWindow) => Option.Option<TimeWindow>
  (self: TimeWindow, that: TimeWindow): Option.Option<TimeWindow>
} = dual(2, (self: TimeWindow, that: TimeWindow): Option.Option<TimeWindow> =>
  overlaps(self, that)
    ? Option.some({ start: Math.max(self.start, that.start), end: Math.min(self.end, that.end) })
    : Option.none()
)

/**
 * Orders windows by start, then by end.
 *
 * @category instances
 * @since 0.1.0
 */
export const order: Order.Order<TimeWindow> = Order.combine(
  Order.mapInput(Order.Number, (self: TimeWindow) => self.start),
  Order.mapInput(Order.Number, (self: TimeWindow) => self.end)
)

/**
 * Writes a window for people, in UTC: `[2024-03-01T00:00:00.000Z, 2024-03-02T00:00:00.000Z)`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (self: TimeWindow): string => `[${formatBound(self.start)}, ${formatBound(self.end)})`

// --- internal ---

const isBound = (instant: number): boolean =>
  Number.isSafeInteger(instant) || instant === Number.POSITIVE_INFINITY || instant === Number.NEGATIVE_INFINITY

const formatBound = (instant: number): string => (Number.isFinite(instant) ? toDate(instant).toISOString() : "open")
