import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Partitions from "../Partitions.ts"
import * as TimeWindow from "../TimeWindow.ts"
import * as Axis from "./axis.ts"
import * as Boxes from "./boxes.ts"
import * as Calendar from "./calendar.ts"
import * as MultiSet from "./multiSet.ts"
import * as internal from "./partitionSet.ts"
import * as Spans from "./spans.ts"

/** A set of partitions, before it has a face: `PartitionSet` documents what is here, and the texts of sets compute with it. */
export type PartitionSet = internal.PartitionSet<Partitions.Partitions>

export const empty = (partitions: Partitions.Partitions): PartitionSet => internal.make(partitions, [])

export const all = (partitions: Partitions.Partitions): PartitionSet =>
  Partitions.isMulti(partitions)
    ? internal.fromBoxes(partitions, MultiSet.extent(partitions))
    : internal.make(partitions, [Axis.extent(partitions)])

/** The stretches that a key covers along the axes of a definition; undefined where it names no partition. */
export const pointOf = (
  partitions: Partitions.Partitions,
  key: string
): ReadonlyArray<TimeWindow.TimeWindow> | undefined => {
  if (Partitions.isMulti(partitions)) return MultiSet.pointOf(partitions, key)
  const span = Axis.spanOf(partitions, key)
  return Option.isNone(span) ? undefined : [span.value]
}

export const fromPoints = (
  partitions: Partitions.Partitions,
  points: ReadonlyArray<ReadonlyArray<TimeWindow.TimeWindow>>
): PartitionSet =>
  Partitions.isMulti(partitions)
    ? internal.fromBoxes(partitions, Boxes.fromPoints(points))
    : internal.make(partitions, points.flat())

export const product = (partitions: Partitions.Multi, dimensions: ReadonlyArray<PartitionSet>): PartitionSet =>
  internal.fromBoxes(
    partitions,
    MultiSet.product(
      partitions,
      dimensions.map(({ spans }) => spans)
    )
  )

export const fromWindow = (partitions: Partitions.Partitions, window: TimeWindow.TimeWindow): PartitionSet => {
  if (!Partitions.isTimeWindows(partitions)) {
    return empty(partitions)
  }
  return internal.make(
    partitions,
    Option.toArray(TimeWindow.intersection(window, Partitions.range(partitions))).map(({ end, start }) => ({
      start: Partitions.windowEndingAfter(partitions, start).start,
      end: end === Number.POSITIVE_INFINITY ? end : Calendar.ceil(partitions, end)
    }))
  )
}

export const boxes = (self: PartitionSet): ReadonlyArray<ReadonlyArray<PartitionSet>> => {
  const { partitions } = self
  if (!Partitions.isMulti(partitions)) return isEmpty(self) ? [] : [[self]]
  return MultiSet.factors(partitions, self.spans).map((factors) =>
    partitions.dimensions.map((dimension, place) => internal.make(dimension.partitions, factors[place] ?? []))
  )
}

export const dimension = (self: PartitionSet, name: string): PartitionSet => {
  const { partitions } = self
  if (!Partitions.isMulti(partitions)) return self
  const place = partitions.dimensions.findIndex((one) => one.name === name)
  return unionAll(
    partitions.dimensions[place]?.partitions ?? partitions,
    boxes(self).flatMap((box) => box[place] ?? [])
  )
}

export const union = (self: PartitionSet, that: PartitionSet): PartitionSet =>
  combine(self, that, Spans.union, Boxes.union)

export const unionAll = (partitions: Partitions.Partitions, sets: ReadonlyArray<PartitionSet>): PartitionSet => {
  const [first = empty(partitions)] = sets
  if (sets.length <= 1) return first
  // By halves, so that each set is met as often as there are halvings.
  const middle = sets.length >>> 1
  return union(unionAll(partitions, sets.slice(0, middle)), unionAll(partitions, sets.slice(middle)))
}

export const intersection = (self: PartitionSet, that: PartitionSet): PartitionSet =>
  combine(self, that, Spans.intersection, Boxes.intersection)

export const difference = (self: PartitionSet, that: PartitionSet): PartitionSet =>
  combine(self, that, Spans.difference, Boxes.difference)

export const take = (self: PartitionSet, count: number): PartitionSet => {
  const { partitions } = self
  if (Partitions.isMulti(partitions))
    return internal.fromBoxes(partitions, Boxes.take(self.spans, count, MultiSet.walkOf(partitions)))
  const taken: Array<TimeWindow.TimeWindow> = []
  let left = count
  for (const span of self.spans) {
    if (left <= 0) {
      break
    }
    const size = Axis.sizeOf(partitions, span)
    taken.push(size <= left ? span : { start: span.start, end: Axis.advance(partitions, span.start, left) })
    left -= size
  }
  return internal.make(partitions, taken)
}

export const takeLast = (self: PartitionSet, count: number): PartitionSet => {
  const { partitions } = self
  if (Partitions.isMulti(partitions))
    return internal.fromBoxes(partitions, Boxes.takeLast(self.spans, count, MultiSet.walkOf(partitions)))
  const taken: Array<TimeWindow.TimeWindow> = []
  let left = count
  for (const span of self.spans.toReversed()) {
    if (left <= 0 || span.end === Number.POSITIVE_INFINITY) {
      break
    }
    const size = Axis.sizeOf(partitions, span)
    taken.push(size <= left ? span : { start: Axis.advance(partitions, span.start, size - left), end: span.end })
    left -= size
  }
  return internal.make(partitions, taken)
}

export const last = (self: PartitionSet): PartitionSet => {
  const { partitions } = self
  if (Partitions.isMulti(partitions)) return takeLast(self, 1)
  const span = self.spans.at(-1)
  return span === undefined || span.end === Number.POSITIVE_INFINITY
    ? empty(partitions)
    : internal.make(partitions, [{ start: Axis.retreat(partitions, span.end), end: span.end }])
}

export const isEmpty = (self: PartitionSet): boolean => self.spans.length === 0

export const size = (self: PartitionSet): number => {
  const { partitions, spans } = self
  return Partitions.isMulti(partitions)
    ? Boxes.size(spans, MultiSet.walkOf(partitions).sizeOf)
    : spans.reduce((total, span) => total + Axis.sizeOf(partitions, span), 0)
}

export const keys = (self: PartitionSet): Iterable<string> => {
  const { partitions, spans } = self
  if (Partitions.isMulti(partitions)) return iterable(() => MultiSet.keys(partitions, spans))
  return iterable(function* () {
    for (const start of Axis.starts(partitions, spans)) {
      yield Axis.keyAt(partitions, start)
    }
  })
}

export const windows = (self: PartitionSet): Iterable<TimeWindow.TimeWindow> => {
  const { partitions, spans } = self
  return iterable(function* () {
    if (Partitions.isTimeWindows(partitions)) {
      for (const start of Axis.starts(partitions, spans)) {
        yield { start, end: Calendar.end(partitions, start) }
      }
    } else if (Partitions.isMulti(partitions)) {
      const [first, second] = Partitions.axes(partitions)
      const grid = first?.partitions
      if (grid === undefined || !Partitions.isTimeWindows(grid)) return
      if (second !== undefined && Partitions.isTimeWindows(second.partitions)) return
      for (const [start = 0] of MultiSet.points(partitions, spans)) {
        yield { start, end: Calendar.end(grid, start) }
      }
    }
  })
}

export const sameDefinition = (self: PartitionSet, that: PartitionSet): boolean =>
  self.partitions === that.partitions || Equal.equals(self.partitions, that.partitions)

// --- internal ---

const iterable = <A>(iterator: () => Iterator<A>): Iterable<A> => ({ [Symbol.iterator]: iterator })

const combine = (
  self: PartitionSet,
  that: PartitionSet,
  ofSpans: (self: Spans.Spans, that: Spans.Spans) => Spans.Spans,
  ofBoxes: (self: Boxes.Boxes, that: Boxes.Boxes) => Boxes.Boxes
): PartitionSet => {
  if (!sameDefinition(self, that)) {
    throw new Partitions.InvalidPartitions({
      definition: `a set of partitions (${Partitions.format(self.partitions)})`,
      problem: `it cannot be combined with one of another definition (${Partitions.format(that.partitions)})`,
      expected: "two sets of the same definition; a mapping translates between definitions"
    })
  }
  return Partitions.isMulti(self.partitions)
    ? internal.fromBoxes(self.partitions, ofBoxes(self.spans, that.spans))
    : internal.make(self.partitions, ofSpans(self.spans, that.spans))
}
