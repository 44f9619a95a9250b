import type { TimeWindow } from "../TimeWindow.ts"

/** Sorted, disjoint, non-empty and nowhere touching, so equal sets have equal spans. */
export type Spans = ReadonlyArray<TimeWindow>

export const normalize = (spans: Iterable<TimeWindow>): Spans => {
  const list = Array.isArray(spans) ? (spans as Spans) : [...spans]
  return isNormal(list)
    ? list
    : merged(isSorted(list) ? list : list.toSorted((left, right) => left.start - right.start))
}

export const union = (self: Spans, that: Spans): Spans => {
  if (isWithin(self, that)) return that
  if (isWithin(that, self)) return self
  const both: Array<TimeWindow> = []
  let right = 0
  for (const span of self) {
    while (right < that.length && that[right].start < span.start) {
      both.push(that[right++])
    }
    both.push(span)
  }
  while (right < that.length) {
    both.push(that[right++])
  }
  return merged(both)
}

export const intersection = (self: Spans, that: Spans): Spans => {
  if (isWithin(self, that)) return self
  if (isWithin(that, self)) return that
  const shared: Array<TimeWindow> = []
  let left = 0
  let right = 0
  while (left < self.length && right < that.length) {
    const start = Math.max(self[left].start, that[right].start)
    const end = Math.min(self[left].end, that[right].end)
    if (start < end) {
      shared.push({ start, end })
    }
    if (self[left].end < that[right].end) {
      left++
    } else {
      right++
    }
  }
  return shared
}

export const difference = (self: Spans, that: Spans): Spans => {
  if (isApart(self, that)) return self
  const rest: Array<TimeWindow> = []
  let right = 0
  for (const span of self) {
    let start = span.start
    while (right < that.length && that[right].end <= start) {
      right++
    }
    for (let hole = right; hole < that.length && that[hole].start < span.end; hole++) {
      if (start < that[hole].start) {
        rest.push({ start, end: that[hole].start })
      }
      start = that[hole].end
    }
    if (start < span.end) {
      rest.push({ start, end: span.end })
    }
  }
  return rest
}

export const contains = (self: Spans, point: number): boolean => {
  let low = 0
  let high = self.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (self[middle].end <= point) {
      low = middle + 1
    } else {
      high = middle
    }
  }
  return low < self.length && self[low].start <= point
}

export const equals = (self: Spans, that: Spans): boolean =>
  self.length === that.length &&
  self.every((span, index) => span.start === that[index].start && span.end === that[index].end)

// --- internal ---

/** Whether one span holds everything: mostly so, where units are asked for among those that exist or are built. */
const isWithin = (self: Spans, that: Spans): boolean =>
  self.length === 0 || (that.length === 1 && that[0].start <= self[0].start && self[self.length - 1].end <= that[0].end)

/** Whether one ends before the other begins. */
const isApart = (self: Spans, that: Spans): boolean =>
  self.length === 0 ||
  that.length === 0 ||
  self[self.length - 1].end <= that[0].start ||
  that[that.length - 1].end <= self[0].start

const isNormal = (spans: Spans): boolean =>
  spans.every(({ end, start }, index) => start < end && (index === 0 || spans[index - 1].end < start))

const isSorted = (spans: Spans): boolean =>
  spans.every(({ start }, index) => index === 0 || spans[index - 1].start <= start)

/** Of spans in the order of their starts. */
const merged = (sorted: Spans): Spans => {
  const found: Array<TimeWindow> = []
  let start = Number.NaN
  let end = Number.NEGATIVE_INFINITY
  for (const span of sorted) {
    if (span.end <= span.start) {
      continue
    }
    if (span.start <= end) {
      end = Math.max(end, span.end)
      continue
    }
    if (start < end) {
      found.push({ start, end })
    }
    ;({ end, start } = span)
  }
  if (start < end) {
    found.push({ start, end })
  }
  return found
}
