import type { TimeWindow } from "../TimeWindow.ts"
import type * as Spans from "./spans.ts"

/** A stretch of the first axis with the set of the axes behind it; without one it is a stretch of the last axis. */
export interface Box extends TimeWindow {
  readonly rest?: Boxes
}

/**
 * A set in several axes: the stretches of the first one, sorted and disjoint, each with what it holds of the others. No
 * stretch is empty or holds nothing, and neighbours that touch hold different things, so equal sets have equal boxes.
 */
export type Boxes = ReadonlyArray<Box>

/** All points that have their place on each axis in the set of that axis. */
export const product = (axes: ReadonlyArray<Spans.Spans>): Boxes => {
  if (axes.some((spans) => spans.length === 0)) return []
  const [first = [], ...others] = axes
  if (others.length === 0) return first
  const rest = product(others)
  return first.map(({ end, start }) => ({ start, end, rest }))
}

/** Of points whose places on each axis are either the same or apart, in any order. */
export const fromPoints = (points: ReadonlyArray<ReadonlyArray<TimeWindow>>, axis = 0): Boxes => {
  const [first] = points
  if (first === undefined) return []
  const found: Array<Box> = []
  const isLast = axis === first.length - 1
  const groups = Map.groupBy(points, (point) => at(point, axis).start)
  for (const [start, group] of Array.from(groups).toSorted(([a], [b]) => a - b)) {
    const { end } = at(group[0] ?? first, axis)
    put(found, { start, end }, isLast ? {} : { rest: fromPoints(group, axis + 1) })
  }
  return found
}

export const union = (self: Boxes, that: Boxes): Boxes =>
  self.length === 0 ? that : that.length === 0 || self === that ? self : sweep(self, that, either)

/** Of many at once by halves, so that each is met as often as there are halvings. */
export const unionAll = (all: ReadonlyArray<Boxes>): Boxes => {
  if (all.length <= 1) return all[0] ?? []
  const middle = all.length >>> 1
  return union(unionAll(all.slice(0, middle)), unionAll(all.slice(middle)))
}

export const intersection = (self: Boxes, that: Boxes): Boxes => (self === that ? self : sweep(self, that, both))

export const difference = (self: Boxes, that: Boxes): Boxes =>
  self === that ? [] : that.length === 0 ? self : sweep(self, that, onlyFirst)

export const equals = (self: Boxes, that: Boxes): boolean =>
  self === that ||
  (self.length === that.length &&
    self.every((box, index) => {
      const other = that[index]
      return (
        other !== undefined && box.start === other.start && box.end === other.end && equals(restOf(box), restOf(other))
      )
    }))

export const contains = (self: Boxes, point: ReadonlyArray<number>): boolean => {
  let boxes = self
  for (const place of point) {
    const box = holding(boxes, place)
    if (box === undefined) return false
    boxes = restOf(box)
  }
  return true
}

/** The sum of the boxes' sizes, each the product of the sizes of its stretches. */
export const size = (self: Boxes, sizeOf: (axis: number, span: TimeWindow) => number, axis = 0): number =>
  self.reduce(
    (sum, { end, rest, start }) =>
      sum + sizeOf(axis, { start, end }) * (rest === undefined ? 1 : size(rest, sizeOf, axis + 1)),
    0
  )

/** How the axes are walked along. */
export interface Walk {
  readonly sizeOf: (axis: number, span: TimeWindow) => number
  readonly advance: (axis: number, start: number, count: number) => number
}

/** The first points in the order of the axes, at most so many. */
export const take = (self: Boxes, count: number, walk: Walk, axis = 0): Boxes => {
  const taken: Array<Box> = []
  let left = count
  for (const box of self) {
    if (left <= 0) break
    const { end, start } = box
    const slice = box.rest === undefined ? 1 : size(box.rest, walk.sizeOf, axis + 1)
    const slices = walk.sizeOf(axis, { start, end })
    if (slices * slice <= left) {
      taken.push(box)
      left -= slices * slice
      continue
    }
    const whole = Math.floor(left / slice)
    const cut = walk.advance(axis, start, whole)
    if (whole > 0) put(taken, { start, end: cut }, box)
    const more = left - (whole === 0 ? 0 : whole * slice)
    if (more > 0 && box.rest !== undefined)
      put(taken, { start: cut, end: walk.advance(axis, cut, 1) }, { rest: take(box.rest, more, walk, axis + 1) })
    left = 0
  }
  return taken
}

/** The last points in the order of the axes, at most so many; none of what has no bound. */
export const takeLast = (self: Boxes, count: number, walk: Walk, axis = 0): Boxes => {
  const taken: Array<Box> = []
  let left = count
  for (const box of self.toReversed()) {
    const { end, start } = box
    const slice = box.rest === undefined ? 1 : size(box.rest, walk.sizeOf, axis + 1)
    const slices = walk.sizeOf(axis, { start, end })
    if (left <= 0 || !Number.isFinite(slices * slice)) break
    if (slices * slice <= left) {
      taken.push(box)
      left -= slices * slice
      continue
    }
    const whole = Math.floor(left / slice)
    const cut = walk.advance(axis, start, slices - whole)
    if (whole > 0) taken.push({ ...box, start: cut })
    const more = left - whole * slice
    if (more > 0 && box.rest !== undefined) {
      const from = walk.advance(axis, start, slices - whole - 1)
      taken.push({ start: from, end: cut, rest: takeLast(box.rest, more, walk, axis + 1) })
    }
    left = 0
  }
  return taken.toReversed()
}

/** The set as products that have no point in common, each with one set of stretches per axis; as few as share a rest. */
export const factors = (self: Boxes): ReadonlyArray<ReadonlyArray<Spans.Spans>> => {
  const groups = Map.groupBy(self, ({ rest }) => JSON.stringify(rest ?? null))
  return Array.from(groups.values()).flatMap((group) => {
    const spans = group.map(({ end, start }) => ({ start, end }))
    const rest = group[0]?.rest
    return rest === undefined ? [[spans]] : factors(rest).map((others) => [spans, ...others])
  })
}

/** Every product of one stretch per axis, in order. */
export const paths = (self: Boxes): ReadonlyArray<ReadonlyArray<TimeWindow>> =>
  self.flatMap(({ end, rest, start }) =>
    rest === undefined ? [[{ start, end }]] : paths(rest).map((others) => [{ start, end }, ...others])
  )

// --- internal ---

const restOf = ({ rest }: Box): Boxes => rest ?? []

const at = (point: ReadonlyArray<TimeWindow>, axis: number): TimeWindow => point[axis] ?? { start: 0, end: 0 }

type Part = Pick<Box, "rest">

const put = (found: Array<Box>, { end, start }: TimeWindow, part: Part | undefined): void => {
  if (part === undefined || end <= start) return
  const previous = found.at(-1)
  if (previous?.end === start && equals(restOf(previous), part.rest ?? [])) {
    found[found.length - 1] = { ...previous, end }
  } else found.push(part.rest === undefined ? { start, end } : { start, end, rest: part.rest })
}

/** What holds of a stretch on which neither set changes along the first axis. */
type Operation = (self: Box | undefined, that: Box | undefined) => Part | undefined

const either: Operation = (self, that) => {
  if (self === undefined || that === undefined) return self ?? that
  return self.rest === undefined ? self : { rest: union(self.rest, restOf(that)) }
}

const both: Operation = (self, that) => {
  if (self === undefined || that === undefined || self.rest === undefined) return that && self
  return filled(intersection(self.rest, restOf(that)))
}

const onlyFirst: Operation = (self, that) => {
  if (self === undefined || that === undefined) return self
  return self.rest === undefined ? undefined : filled(difference(self.rest, restOf(that)))
}

const filled = (rest: Boxes): Part | undefined => (rest.length === 0 ? undefined : { rest })

/** Walks along the first axis of both, stretch by stretch between their bounds. */
const sweep = (self: Boxes, that: Boxes, operation: Operation): Boxes => {
  const found: Array<Box> = []
  let [left, right] = [0, 0]
  let reached = Number.NEGATIVE_INFINITY
  while (left < self.length || right < that.length) {
    const one = self[left]
    const other = that[right]
    const start = Math.max(reached, Math.min(one?.start ?? never, other?.start ?? never))
    const isInOne = one !== undefined && one.start <= start
    const isInOther = other !== undefined && other.start <= start
    const end = Math.min(isInOne ? one.end : (one?.start ?? never), isInOther ? other.end : (other?.start ?? never))
    put(found, { start, end }, operation(isInOne ? one : undefined, isInOther ? other : undefined))
    if (one !== undefined && one.end <= end) left++
    if (other !== undefined && other.end <= end) right++
    reached = end
  }
  return found
}

const never = Number.POSITIVE_INFINITY

const holding = (boxes: Boxes, place: number): Box | undefined => {
  let [low, high] = [0, boxes.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const box = boxes[middle]
    if (box !== undefined && box.end <= place) low = middle + 1
    else high = middle
  }
  const box = boxes[low]
  return box !== undefined && box.start <= place ? box : undefined
}
