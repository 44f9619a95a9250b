import * as Option from "effect/Option"
import * as Partitions from "../Partitions.ts"
import type { TimeWindow } from "../TimeWindow.ts"
import * as Calendar from "./calendar.ts"

/**
 * A definition along one line: windows in epoch milliseconds, names in positions of their list. Each key covers a stretch of
 * the line, and neighbours touch.
 */
export type Axis = Exclude<Partitions.Partitions, Partitions.Multi>

export const extent = (axis: Axis): TimeWindow => {
  switch (axis._tag) {
    case "Unpartitioned":
      return { start: 0, end: 1 }
    case "Static":
      return { start: 0, end: axis.keys.length }
    case "TimeWindows":
      return Partitions.range(axis)
  }
}

export const spanOf = (axis: Axis, key: string): Option.Option<TimeWindow> => {
  if (Partitions.isTimeWindows(axis)) {
    // Up to the next window, which excluded days may hold off: neighbours must touch, or equal sets had unequal spans.
    return Option.map(Partitions.windowOf(axis, key), ({ end, start }) => ({
      start,
      end: axis.exclusions.length === 0 ? end : Calendar.next(axis, start)
    }))
  }
  const start = Partitions.isStatic(axis) ? positionOf(axis, key) : key === Partitions.unit ? 0 : -1
  return start < 0 ? Option.none() : Option.some({ start, end: start + 1 })
}

export const keyAt = (axis: Axis, start: number): string => {
  switch (axis._tag) {
    case "Unpartitioned":
      return Partitions.unit
    case "Static":
      return axis.keys[start] ?? ""
    case "TimeWindows":
      return Calendar.key(axis, start)
  }
}

export const sizeOf = (axis: Axis, span: TimeWindow): number =>
  Partitions.isTimeWindows(axis) ? Calendar.count(axis, span.start, span.end) : span.end - span.start

export const advance = (axis: Axis, start: number, count: number): number =>
  Partitions.isTimeWindows(axis) ? Calendar.shift(axis, start, count) : start + count

export const retreat = (axis: Axis, end: number): number =>
  Partitions.isTimeWindows(axis) ? Calendar.floor(axis, end - 1) : end - 1

export function* starts(axis: Axis, spans: Iterable<TimeWindow>): Generator<number> {
  for (const span of spans) {
    for (let start = span.start; start < span.end; start = advance(axis, start, 1)) {
      yield start
    }
  }
}

// --- internal ---

const positions = new WeakMap<Partitions.Static, ReadonlyMap<string, number>>()

const positionOf = (partitions: Partitions.Static, key: string): number => {
  let known = positions.get(partitions)
  if (known === undefined) {
    positions.set(partitions, (known = new Map(partitions.keys.map((name, index) => [name, index]))))
  }
  return known.get(key) ?? -1
}
