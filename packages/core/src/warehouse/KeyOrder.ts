/**
 * In which order do the keys of windows stand as texts? In that of time, except where the clock is set back and windows
 * open several times an hour: `01:00-0500` opens after `01:30`, and is the lesser text. Sets of units are compared as texts
 * (`From`, and what lies in a range), so their bounds are texts that leave none of the later windows out.
 */
import { compare as compareBytes } from "../internal/byteOrder.ts"
import * as Calendar from "../internal/calendar.ts"
import * as Partitions from "../Partitions.ts"
import { from, type UnitSet } from "../Unit.ts"

/**
 * The windows that end after an instant: those which a row of that time is read by where everything up to their end is.
 *
 * @category conversions
 * @since 0.1.0
 */
export const onwards = (partitions: Partitions.TimeWindows, instant: number): UnitSet =>
  from(least(partitions, Partitions.windowEndingAfter(partitions, instant).start))

/**
 * The least text of a window that the definition has, and the greatest; no greatest where there is no end. An end names the
 * first showing of its time, so the window before it has the greatest text of those before.
 *
 * @category getters
 * @since 0.1.0
 */
export const bounds = (
  partitions: Partitions.TimeWindows
): { readonly least: string; readonly greatest: string | undefined } => {
  const { end, start } = Partitions.range(partitions)
  return {
    least: least(partitions, start),
    greatest: Number.isFinite(end) ? Partitions.keyOf(partitions, end - 1) : undefined
  }
}

// --- internal ---

/** No clock is ever set back by more than a day. */
const longest = Calendar.day

/** The least text of the windows from one on: only those that open within a day can have a lesser one than it has itself. */
const least = (partitions: Partitions.TimeWindows, start: number): string => {
  let text = Partitions.keyOf(partitions, start)
  if (Calendar.isNamedByDate(partitions)) return text
  for (let next = Calendar.next(partitions, start); next <= start + longest; next = Calendar.next(partitions, next)) {
    const other = Partitions.keyOf(partitions, next)
    if (compareBytes(other, text) < 0) text = other
  }
  return text
}
