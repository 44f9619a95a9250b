import * as Option from "effect/Option"
import * as Partitions from "../Partitions.ts"
import type { TimeWindow } from "../TimeWindow.ts"
import * as Axis from "./axis.ts"
import * as Boxes from "./boxes.ts"
import type * as Spans from "./spans.ts"

/** Boxes along the axes of a definition, and the keys that they stand for. */

export const extent = (multi: Partitions.Multi): Boxes.Boxes =>
  Boxes.product(Partitions.axes(multi).map(({ partitions }) => [Axis.extent(partitions)]))

/** The stretches that a key covers along the axes; undefined where it names no partition. */
export const pointOf = (multi: Partitions.Multi, key: string): ReadonlyArray<TimeWindow> | undefined => {
  const keys = Partitions.keysOf(multi, key)
  if (keys === undefined) return undefined
  const point: Array<TimeWindow> = []
  for (const { partitions, place } of Partitions.axes(multi)) {
    const span = Axis.spanOf(partitions, keys[place] ?? "")
    if (Option.isNone(span)) return undefined
    point.push(span.value)
  }
  return point
}

export const walkOf = (multi: Partitions.Multi): Boxes.Walk => {
  const axes = Partitions.axes(multi)
  const axis = (index: number): Axis.Axis => axes[index]?.partitions ?? Partitions.unpartitioned
  return {
    sizeOf: (index, span) => Axis.sizeOf(axis(index), span),
    advance: (index, start, count) => Axis.advance(axis(index), start, count)
  }
}

/** The key of keys that are in the order of the axes. */
const keyAt = (multi: Partitions.Multi, keys: ReadonlyArray<string>): string =>
  placed(multi, keys).join(Partitions.delimiter)

/** The points of a set in order, as starts along the axes. */
export function* points(
  multi: Partitions.Multi,
  boxes: Boxes.Boxes,
  before: ReadonlyArray<number> = []
): Generator<ReadonlyArray<number>> {
  const axis = Partitions.axes(multi)[before.length]?.partitions ?? Partitions.unpartitioned
  for (const box of boxes) {
    for (const start of Axis.starts(axis, [box])) {
      if (box.rest === undefined) yield [...before, start]
      else yield* points(multi, box.rest, [...before, start])
    }
  }
}

export function* keys(multi: Partitions.Multi, boxes: Boxes.Boxes): Generator<string> {
  const axes = Partitions.axes(multi)
  // The key of a day is asked for with each name, and costs more than all else.
  let known: ReadonlyArray<{ readonly start: number; readonly key: string }> = []
  for (const point of points(multi, boxes)) {
    known = axes.map(({ partitions }, index) => {
      const start = point[index] ?? 0
      const last = known[index]
      return last?.start === start ? last : { start, key: Axis.keyAt(partitions, start) }
    })
    yield keyAt(
      multi,
      known.map(({ key }) => key)
    )
  }
}

/** Products of one set of stretches per dimension, in the order of the dimensions, that have no point in common. */
export const factors = (multi: Partitions.Multi, boxes: Boxes.Boxes): ReadonlyArray<ReadonlyArray<Spans.Spans>> =>
  Boxes.factors(boxes).map((spans) => placed(multi, spans))

/** The product of one set of stretches per dimension, given in their order. */
export const product = (multi: Partitions.Multi, spans: ReadonlyArray<Spans.Spans>): Boxes.Boxes =>
  Boxes.product(Partitions.axes(multi).map(({ place }) => spans[place] ?? []))

/** The products of a stretch per dimension that make up a set, as their first and their last key; an end that there is not is empty. */
export const corners = (multi: Partitions.Multi, boxes: Boxes.Boxes): ReadonlyArray<readonly [string, string]> => {
  const axes = Partitions.axes(multi)
  const corner = (path: ReadonlyArray<TimeWindow>, of: (axis: Axis.Axis, span: TimeWindow) => string) =>
    keyAt(
      multi,
      axes.map(({ partitions }, index) => of(partitions, path[index] ?? Axis.extent(partitions)))
    )
  return Boxes.paths(boxes).map((path) => [
    corner(path, (axis, { start }) => Axis.keyAt(axis, start)),
    corner(path, (axis, { end }) => (end === Number.POSITIVE_INFINITY ? "" : Axis.keyAt(axis, Axis.retreat(axis, end))))
  ])
}

/** The keys between two corners; undefined where these are none. */
export const between = (multi: Partitions.Multi, first: string, last: string | null): Boxes.Boxes | undefined => {
  const from = pointOf(multi, first)
  const to = last === null ? undefined : Partitions.keysOf(multi, last)
  if (from === undefined || to === undefined) return undefined
  const spans: Array<Spans.Spans> = []
  for (const [index, { partitions, place }] of Partitions.axes(multi).entries()) {
    const start = from[index]?.start ?? 0
    const key = to[place]
    const end =
      key === "" ? Axis.extent(partitions).end : Axis.spanOf(partitions, key ?? "").pipe(Option.getOrUndefined)?.end
    if (end === undefined || end <= start) return undefined
    spans.push([{ start, end }])
  }
  return Boxes.product(spans)
}

// --- internal ---

const placed = <A>(multi: Partitions.Multi, alongAxes: ReadonlyArray<A>): ReadonlyArray<A> => {
  const found: Array<A> = []
  for (const [index, { place }] of Partitions.axes(multi).entries()) {
    const part = alongAxes[index]
    if (part !== undefined) found[place] = part
  }
  return found
}
