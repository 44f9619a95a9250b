/**
 * Which partitions of one definition are meant: requested, existing, materialized, stale? A set keeps ranges, not keys, so
 * that a million days cost as much as one, and its algebra (union, intersection, difference) is exact.
 *
 * @since 0.1.0
 */
import { toDate } from "date-fns/toDate"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Calendar from "./internal/calendar.ts"
import { md5 } from "./internal/hash.ts"
import * as Nearest from "./internal/nearest.ts"
import * as Range from "./internal/partitionRange.ts"
import * as internal from "./internal/partitionSet.ts"
import * as Spans from "./internal/spans.ts"
import * as Partitions from "./Partitions.ts"
import * as TimeWindow from "./TimeWindow.ts"

/**
 * A set of partitions of one definition; equal sets are structurally equal.
 *
 * **Details**
 *
 * `spans` are sorted, disjoint and nowhere touching, in epoch milliseconds for windows of time and in positions of the list of
 * keys otherwise. Read them through `ranges`, `windows` and `keys`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartitionSet extends internal.PartitionSet<Partitions.Partitions> {}

/**
 * A key that names no partition of the definition.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidPartitionKey extends Schema.TaggedError<InvalidPartitionKey>("@assay/core/InvalidPartitionKey")(
  "InvalidPartitionKey",
  { key: Schema.String, partitions: Schema.String, expected: Schema.String }
) {
  override get message(): string {
    return `${JSON.stringify(this.key)} is not a partition (${this.partitions}): expected ${this.expected}`
  }
}

/**
 * A text that does not say which partitions are meant, or says some of which none exists.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidPartitionRange extends Schema.TaggedError<InvalidPartitionRange>(
  "@assay/core/InvalidPartitionRange"
)("InvalidPartitionRange", {
  text: Schema.String,
  item: Schema.String,
  position: Schema.Number,
  problem: Schema.String,
  validForms: Schema.String,
  /** Whether it can be read, and yet means nothing that could be used. */
  isUnderstood: Schema.optional(Schema.Boolean)
}) {
  override get message(): string {
    const range = `partition range ${JSON.stringify(this.text)}`
    const item = `${JSON.stringify(this.item)} (character ${this.position})`
    if (this.isUnderstood !== true)
      return `cannot read the ${range}: ${item} ${this.problem}\nvalid forms: ${this.validForms}`
    return this.item === this.text ? `the ${range} ${this.problem}` : `in the ${range}, ${item} ${this.problem}`
  }
}

/**
 * A stored set that cannot be read as one of this definition.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidPartitionSet extends Schema.TaggedError<InvalidPartitionSet>("@assay/core/InvalidPartitionSet")(
  "InvalidPartitionSet",
  { partitions: Schema.String, problem: Schema.String }
) {
  override get message(): string {
    return `cannot read a stored set of partitions (${this.partitions}): ${this.problem}`
  }
}

/**
 * A set as it is stored: the same in every process and for every way in which the set was made.
 *
 * **Details**
 *
 * `partitions` says the definition for people and `definition` names it exactly. `ranges` are the first and the last key of
 * each range, in order; the last one is null where a range has no end.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Json = Schema.Struct({
  partitions: Schema.String,
  definition: Schema.String,
  ranges: Schema.Array(Schema.Tuple([Schema.String, Schema.NullOr(Schema.String)]))
})

/**
 * A set as it is stored.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = (typeof Json)["Type"]

/**
 * Whether a value is a set of partitions.
 *
 * @category guards
 * @since 0.1.0
 */
export const isPartitionSet = (self: unknown): self is PartitionSet => Predicate.hasProperty(self, internal.TypeId)

/**
 * The set without a partition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty = (partitions: Partitions.Partitions): PartitionSet => internal.make(partitions, [])

/**
 * Every partition that a definition can ever have; without bound when the definition has no end.
 *
 * @category constructors
 * @since 0.1.0
 */
export const all = (partitions: Partitions.Partitions): PartitionSet => internal.make(partitions, [extent(partitions)])

/**
 * The partitions with these keys, in any order; fails on the first that names none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromKeys: {
  (keys: Iterable<string>): (partitions: Partitions.Partitions) => Result.Result<PartitionSet, InvalidPartitionKey>
  (partitions: Partitions.Partitions, keys: Iterable<string>): Result.Result<PartitionSet, InvalidPartitionKey>
} = dual(
  2,
  (partitions: Partitions.Partitions, keys: Iterable<string>): Result.Result<PartitionSet, InvalidPartitionKey> => {
    const spans: Array<TimeWindow.TimeWindow> = []
    for (const key of keys) {
      const span = spanOf(partitions, key)
      if (Option.isNone(span)) return Result.fail(unknownKey(partitions, key))
      spans.push(span.value)
    }
    return Result.succeed(internal.make(partitions, spans))
  }
)

/**
 * The partitions with those of some keys that the definition has: stored keys may be of an earlier definition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromKnownKeys: {
  (keys: Iterable<string>): (partitions: Partitions.Partitions) => PartitionSet
  (partitions: Partitions.Partitions, keys: Iterable<string>): PartitionSet
} = dual(2, (partitions: Partitions.Partitions, keys: Iterable<string>): PartitionSet =>
  internal.make(
    partitions,
    Array.from(keys).flatMap((key) => Option.toArray(spanOf(partitions, key)))
  )
)

/**
 * The partitions whose window overlaps a stretch of time; none where the definition has no windows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromWindow: {
  (window: TimeWindow.TimeWindow): (partitions: Partitions.Partitions) => PartitionSet
  (partitions: Partitions.Partitions, window: TimeWindow.TimeWindow): PartitionSet
} = dual(2, (partitions: Partitions.Partitions, window: TimeWindow.TimeWindow): PartitionSet => {
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
})

/**
 * The partitions of a set that another definition of the same grid has too.
 *
 * @category combinators
 * @since 0.1.0
 */
export const within: {
  (partitions: Partitions.TimeWindows): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, partitions: Partitions.TimeWindows): PartitionSet
} = dual(2, (self: PartitionSet, partitions: Partitions.TimeWindows): PartitionSet =>
  internal.make(partitions, Spans.intersection(self.spans, [Partitions.range(partitions)]))
)

/**
 * The partitions that are in either set.
 *
 * @category combinators
 * @since 0.1.0
 */
export const union: {
  (that: PartitionSet): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, that: PartitionSet): PartitionSet
} = dual(2, (self: PartitionSet, that: PartitionSet): PartitionSet => combine(self, that, Spans.union))

/**
 * The partitions that are in both sets.
 *
 * @category combinators
 * @since 0.1.0
 */
export const intersection: {
  (that: PartitionSet): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, that: PartitionSet): PartitionSet
} = dual(2, (self: PartitionSet, that: PartitionSet): PartitionSet => combine(self, that, Spans.intersection))

/**
 * The partitions of the first set that are not in the second.
 *
 * @category combinators
 * @since 0.1.0
 */
export const difference: {
  (that: PartitionSet): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, that: PartitionSet): PartitionSet
} = dual(2, (self: PartitionSet, that: PartitionSet): PartitionSet => combine(self, that, Spans.difference))

/**
 * The partitions of the same definition that are not in a set; without bound when the definition has no end and the set
 * has one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const complement = (self: PartitionSet): PartitionSet => difference(all(self.partitions), self)

/**
 * The partitions of another definition that have the keys of a set. Keys that it has not are left out.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sameKeys: {
  (partitions: Partitions.Partitions): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, partitions: Partitions.Partitions): PartitionSet
} = dual(2, (self: PartitionSet, partitions: Partitions.Partitions): PartitionSet => {
  const from = self.partitions
  if (from === partitions) return self
  if (Partitions.isTimeWindows(from) && Partitions.isTimeWindows(partitions) && isSameGrid(from, partitions)) {
    return within(self, partitions)
  }
  return internal.make(
    partitions,
    Arr.fromIterable(keys(self)).flatMap((key) => Option.toArray(spanOf(partitions, key)))
  )
})

/**
 * The first partitions of a set, in order, at most `count` of them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const take: {
  (count: number): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, count: number): PartitionSet
} = dual(2, (self: PartitionSet, count: number): PartitionSet => {
  const taken: Array<TimeWindow.TimeWindow> = []
  let left = count
  for (const span of self.spans) {
    if (left <= 0) {
      break
    }
    const size = sizeOf(self.partitions, span)
    taken.push(size <= left ? span : { start: span.start, end: advance(self.partitions, span.start, left) })
    left -= size
  }
  return internal.make(self.partitions, taken)
})

/**
 * The last partitions of a set, in order, at most `count` of them; none of a set without bound.
 *
 * @category combinators
 * @since 0.1.0
 */
export const takeLast: {
  (count: number): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, count: number): PartitionSet
} = dual(2, (self: PartitionSet, count: number): PartitionSet => {
  const taken: Array<TimeWindow.TimeWindow> = []
  let left = count
  for (const span of self.spans.toReversed()) {
    if (left <= 0 || span.end === Number.POSITIVE_INFINITY) {
      break
    }
    const size = sizeOf(self.partitions, span)
    taken.push(size <= left ? span : { start: advance(self.partitions, span.start, size - left), end: span.end })
    left -= size
  }
  return internal.make(self.partitions, taken)
})

/**
 * The last partition of a set alone; empty when the set is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const last = (self: PartitionSet): PartitionSet => {
  const span = self.spans.at(-1)
  return span === undefined || span.end === Number.POSITIVE_INFINITY
    ? empty(self.partitions)
    : internal.make(self.partitions, [{ start: retreat(self.partitions, span.end), end: span.end }])
}

/**
 * Whether a set holds no partition.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isEmpty = (self: PartitionSet): boolean => self.spans.length === 0

/**
 * Whether a set holds the partition with this key.
 *
 * @category predicates
 * @since 0.1.0
 */
export const has: {
  (key: string): (self: PartitionSet) => boolean
  (self: PartitionSet, key: string): boolean
} = dual(2, (self: PartitionSet, key: string): boolean =>
  Option.exists(spanOf(self.partitions, key), (span) => Spans.contains(self.spans, span.start))
)

/**
 * Whether every partition of the first set is in the second.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSubset: {
  (that: PartitionSet): (self: PartitionSet) => boolean
  (self: PartitionSet, that: PartitionSet): boolean
} = dual(2, (self: PartitionSet, that: PartitionSet): boolean => isEmpty(difference(self, that)))

/**
 * Whether two sets hold the same partitions of the same definition.
 *
 * @category predicates
 * @since 0.1.0
 */
export const equals: {
  (that: PartitionSet): (self: PartitionSet) => boolean
  (self: PartitionSet, that: PartitionSet): boolean
} = dual(
  2,
  (self: PartitionSet, that: PartitionSet): boolean =>
    sameDefinition(self, that) && Spans.equals(self.spans, that.spans)
)

/**
 * The number of partitions in a set, counted by calendar difference; infinite for a set without bound.
 *
 * @category getters
 * @since 0.1.0
 */
export const size = (self: PartitionSet): number =>
  self.spans.reduce((total, span) => total + sizeOf(self.partitions, span), 0)

/**
 * The keys of a set in order, made one by one as they are asked for.
 *
 * @category getters
 * @since 0.1.0
 */
export const keys = (self: PartitionSet): Iterable<string> => {
  const { partitions } = self
  return iterable(function* () {
    for (const start of starts(self)) {
      yield keyAt(partitions, start)
    }
  })
}

/**
 * The windows of a set in order, made one by one as they are asked for; none where the definition has no windows.
 *
 * @category getters
 * @since 0.1.0
 */
export const windows = (self: PartitionSet): Iterable<TimeWindow.TimeWindow> => {
  const { partitions } = self
  return iterable(function* () {
    if (Partitions.isTimeWindows(partitions)) {
      for (const start of starts(self)) {
        yield { start, end: Calendar.end(partitions, start) }
      }
    }
  })
}

/**
 * The stretches of time that a set covers: merged, sorted, disjoint; none where the definition has no windows. Excluded days
 * lie outside, except in what has no bound.
 *
 * @category getters
 * @since 0.1.0
 */
export const ranges = (self: PartitionSet): ReadonlyArray<TimeWindow.TimeWindow> => {
  const { partitions, spans } = self
  if (!Partitions.isTimeWindows(partitions)) return []
  if (partitions.exclusions.length === 0) return spans
  const isBounded = ({ end }: TimeWindow.TimeWindow) => end !== Number.POSITIVE_INFINITY
  const bounded = spans.filter(isBounded)
  const unbounded = spans.filter((span) => !isBounded(span))
  return Spans.normalize([...windows(internal.make(partitions, bounded)), ...unbounded])
}

/**
 * Writes a set for people: `2024-03-01..2024-03-31, 2024-04-02`, both ends inclusive.
 *
 * **Details**
 *
 * With `limit`, at most so many ranges (or names) are written, and the number of partitions left out is said. A set that is
 * written in full reads back with `parse`, except an empty one and the unit of an asset in one piece.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (self: PartitionSet, options?: { readonly limit?: number | undefined }): string => {
  if (isEmpty(self)) {
    return "none"
  }
  const limit = options?.limit ?? Number.POSITIVE_INFINITY
  const written: Array<string> = []
  let count = 0
  for (const part of formatted(self)) {
    if (written.length >= limit) {
      return `${written.join(", ")} … and ${size(self) - count} more`.trimStart()
    }
    written.push(part.text)
    count += part.size
  }
  return written.join(", ")
}

/**
 * Names a definition exactly, in few characters: a hash of everything that it says.
 *
 * @category conversions
 * @since 0.1.0
 */
export const definitionOf = (partitions: Partitions.Partitions): string => {
  let known = definitions.get(partitions)
  if (known === undefined) {
    definitions.set(partitions, (known = md5(JSON.stringify(fieldsOf(partitions)))))
  }
  return known
}

/**
 * Writes a set for storage.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toJson = (self: PartitionSet): Json => ({
  partitions: Partitions.format(self.partitions),
  definition: definitionOf(self.partitions),
  ranges: self.spans.map(({ end, start }) => [
    keyAt(self.partitions, start),
    end === Number.POSITIVE_INFINITY ? null : keyAt(self.partitions, retreat(self.partitions, end))
  ])
})

/**
 * Reads a stored set; fails where it was stored under another definition, because its keys would mean something else.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromJson: {
  (json: Json): (partitions: Partitions.Partitions) => Result.Result<PartitionSet, InvalidPartitionSet>
  (partitions: Partitions.Partitions, json: Json): Result.Result<PartitionSet, InvalidPartitionSet>
} = dual(2, (partitions: Partitions.Partitions, json: Json): Result.Result<PartitionSet, InvalidPartitionSet> => {
  const refuse = (problem: string) =>
    Result.fail(new InvalidPartitionSet({ partitions: Partitions.format(partitions), problem }))
  if (json.definition !== definitionOf(partitions)) {
    return refuse(`it is one of another definition (${json.partitions})`)
  }
  const spans: Array<TimeWindow.TimeWindow> = []
  for (const [first, last] of json.ranges) {
    const from = spanOf(partitions, first)
    const to = last === null ? Option.some(extent(partitions)) : spanOf(partitions, last)
    if (Option.isNone(from) || Option.isNone(to) || to.value.end <= from.value.start) {
      return refuse(`${JSON.stringify([first, last])} is no range of it`)
    }
    spans.push({ start: from.value.start, end: to.value.end })
  }
  return Result.succeed(internal.make(partitions, spans))
})

/**
 * The codec of the sets of a definition.
 *
 * @category schemas
 * @since 0.1.0
 */
export const schema = (partitions: Partitions.Partitions): Schema.Codec<PartitionSet, Json> =>
  Json.pipe(
    Schema.decodeTo(
      Schema.declare((input: unknown): input is PartitionSet => isPartitionSet(input)),
      SchemaTransformation.transformEffect({
        decode: (json: Json, options) =>
          Effect.fromResult(
            Result.mapError(
              fromJson(partitions, json),
              ({ message }) => new SchemaIssue.InvalidValue({ message }, json, options)
            )
          ),
        encode: (set: PartitionSet) => Effect.succeed(toJson(set))
      })
    )
  )

/**
 * Reads a range as a user writes it and selects what of it exists.
 *
 * **Details**
 *
 * Items are separated by commas and united: `2024` (a year), `2024-03` (a month), `2024-03-05` (a day), an hourly key,
 * `2024-03..2024-05-15` (both ends inclusive), `2024-03..`, `..2024-05`, `all`, and `latest` (the newest that exists). A date
 * finer than the cadence means the window that holds it. Names are taken as they are. Every item must select something.
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = (
  text: string,
  options: {
    readonly partitions: Partitions.Partitions
    readonly existing: PartitionSet
    readonly now: number
  }
): Result.Result<PartitionSet, InvalidPartitionRange> => {
  const { existing, now, partitions } = options
  return Result.gen(function* () {
    let parsed = empty(partitions)
    for (const item of Range.items(text)) {
      const invalid = (problem: string, isUnderstood = false) =>
        new InvalidPartitionRange({
          text,
          item: item.text,
          position: item.position,
          problem,
          validForms: validForms(partitions),
          ...(isUnderstood ? { isUnderstood } : {})
        })
      const selected = yield* Result.mapError(select(partitions, existing, item.text), (problem) => invalid(problem))
      const found = intersection(selected, existing)
      if (isEmpty(found)) {
        return yield* Result.fail(invalid(`selects nothing that exists: ${whatExists(selected, existing, now)}`, true))
      }
      parsed = union(parsed, found)
    }
    return parsed
  })
}

// --- internal ---

const iterable = <A>(iterator: () => Iterator<A>): Iterable<A> => ({ [Symbol.iterator]: iterator })

/** On one grid equal windows have equal keys, whatever the ranges. */
const isSameGrid = (self: Partitions.TimeWindows, that: Partitions.TimeWindows): boolean =>
  self.cron === that.cron &&
  self.timeZone === that.timeZone &&
  self.exclusions.length === that.exclusions.length &&
  self.exclusions.every((exclusion, index) => exclusion === that.exclusions[index])

const sameDefinition = (self: PartitionSet, that: PartitionSet): boolean =>
  self.partitions === that.partitions || Equal.equals(self.partitions, that.partitions)

const combine = (
  self: PartitionSet,
  that: PartitionSet,
  operation: (self: Spans.Spans, that: Spans.Spans) => Spans.Spans
): PartitionSet => {
  if (!sameDefinition(self, that)) {
    throw new Partitions.InvalidPartitions({
      definition: `a set of partitions (${Partitions.format(self.partitions)})`,
      problem: `it cannot be combined with one of another definition (${Partitions.format(that.partitions)})`,
      expected: "two sets of the same definition; a mapping translates between definitions"
    })
  }
  return internal.make(self.partitions, operation(self.spans, that.spans))
}

const extent = (partitions: Partitions.Partitions): TimeWindow.TimeWindow => {
  switch (partitions._tag) {
    case "Unpartitioned":
      return { start: 0, end: 1 }
    case "Static":
      return { start: 0, end: partitions.keys.length }
    case "TimeWindows":
      return Partitions.range(partitions)
  }
}

const spanOf = (partitions: Partitions.Partitions, key: string): Option.Option<TimeWindow.TimeWindow> => {
  if (Partitions.isTimeWindows(partitions)) {
    // Up to the next window, which excluded days may hold off: neighbours must touch, or equal sets had unequal spans.
    return Option.map(Partitions.windowOf(partitions, key), ({ end, start }) => ({
      start,
      end: partitions.exclusions.length === 0 ? end : Calendar.next(partitions, start)
    }))
  }
  const start = Partitions.isStatic(partitions) ? positionOf(partitions, key) : key === Partitions.unit ? 0 : -1
  return start < 0 ? Option.none() : Option.some({ start, end: start + 1 })
}

const positions = new WeakMap<Partitions.Static, ReadonlyMap<string, number>>()

const positionOf = (partitions: Partitions.Static, key: string): number => {
  let known = positions.get(partitions)
  if (known === undefined) {
    positions.set(partitions, (known = new Map(partitions.keys.map((name, index) => [name, index]))))
  }
  return known.get(key) ?? -1
}

const definitions = new WeakMap<Partitions.Partitions, string>()

const fieldsOf = (partitions: Partitions.Partitions): ReadonlyArray<unknown> => {
  switch (partitions._tag) {
    case "Unpartitioned":
      return [partitions._tag]
    case "Static":
      return [partitions._tag, partitions.keys]
    case "TimeWindows": {
      const { _tag, cron, end, endOffset, exclusions, start, timeZone } = partitions
      return [_tag, cron, timeZone, start, end ?? null, endOffset, exclusions]
    }
  }
}

const keyAt = (partitions: Partitions.Partitions, start: number): string => {
  switch (partitions._tag) {
    case "Unpartitioned":
      return Partitions.unit
    case "Static":
      return partitions.keys[start] ?? ""
    case "TimeWindows":
      return Calendar.key(partitions, start)
  }
}

const sizeOf = (partitions: Partitions.Partitions, span: TimeWindow.TimeWindow): number =>
  Partitions.isTimeWindows(partitions) ? Calendar.count(partitions, span.start, span.end) : span.end - span.start

const advance = (partitions: Partitions.Partitions, start: number, count: number): number =>
  Partitions.isTimeWindows(partitions) ? Calendar.shift(partitions, start, count) : start + count

const retreat = (partitions: Partitions.Partitions, end: number): number =>
  Partitions.isTimeWindows(partitions) ? Calendar.floor(partitions, end - 1) : end - 1

function* starts(self: PartitionSet): Generator<number> {
  for (const span of self.spans) {
    for (let start = span.start; start < span.end; start = advance(self.partitions, start, 1)) {
      yield start
    }
  }
}

function* formatted(self: PartitionSet): Generator<{ readonly text: string; readonly size: number }> {
  if (!Partitions.isTimeWindows(self.partitions)) {
    for (const text of keys(self)) {
      yield { text, size: 1 }
    }
    return
  }
  for (const span of self.spans) {
    const first = keyAt(self.partitions, span.start)
    const size = sizeOf(self.partitions, span)
    const end = span.end === Number.POSITIVE_INFINITY ? "" : keyAt(self.partitions, retreat(self.partitions, span.end))
    yield { text: size === 1 ? first : `${first}..${end}`, size }
  }
}

const keyForms: Record<Partitions.Cadence, string> = {
  hourly: "the start of an hour YYYY-MM-DD-HH:MM (the second of two equal hours carries its offset, such as -0500)",
  daily: "a day YYYY-MM-DD",
  weekly: "the first day of a week, YYYY-MM-DD",
  monthly: "the first day of a month, YYYY-MM-01",
  quarterly: "the first day of a quarter, YYYY-MM-01",
  yearly: "the first day of a year, YYYY-01-01",
  cron: "a tick of the schedule: YYYY-MM-DD, or YYYY-MM-DD-HH:MM where a day has several"
}

const unknownKey = (partitions: Partitions.Partitions, key: string): InvalidPartitionKey => {
  const refuse = (expected: string) =>
    new InvalidPartitionKey({ key, partitions: Partitions.format(partitions), expected })
  switch (partitions._tag) {
    case "Unpartitioned":
      return refuse(JSON.stringify(Partitions.unit))
    case "Static": {
      const nearest = Nearest.find(partitions.keys, key)
      return refuse(
        nearest === undefined ? "one of its keys" : `one of its keys; did you mean ${JSON.stringify(nearest)}?`
      )
    }
    case "TimeWindows":
      return refuse(`${keyForms[partitions.cadence]}, inside the range`)
  }
}

const select = (
  partitions: Partitions.Partitions,
  existing: PartitionSet,
  text: string
): Result.Result<PartitionSet, string> => {
  if (text === "all") {
    return Result.succeed(existing)
  }
  if (text === "latest") {
    return Result.succeed(last(existing))
  }
  switch (partitions._tag) {
    case "Unpartitioned":
      return Result.fail(text === "" ? "is empty" : "names a partition, but the asset is in one piece")
    case "Static":
      return Result.map(Range.position(partitions.keys, text), (start) =>
        internal.make(partitions, [{ start, end: start + 1 }])
      )
    case "TimeWindows":
      return Result.map(Range.instants(partitions, text), (window) => fromWindow(partitions, window))
  }
}

const whatExists = (selected: PartitionSet, existing: PartitionSet, now: number): string => {
  const { partitions } = existing
  if (!Partitions.isTimeWindows(partitions)) {
    return isEmpty(existing) ? "no partition exists" : `the partitions are ${format(existing, { limit: 10 })}`
  }
  const first = existing.spans[0]
  const [wanted] = windows(selected)
  const running =
    wanted !== undefined && wanted.end > now
      ? ` (${Calendar.key(partitions, wanted.start)} ends at ${toDate(wanted.end).toISOString()})`
      : ""
  return first === undefined
    ? `no partition exists yet${running}`
    : `partitions run from ${Calendar.key(partitions, first.start)} ${until(existing)}${running}`
}

const until = (existing: PartitionSet): string => {
  const [key] = keys(last(existing))
  return key === undefined ? "on" : `to ${key}`
}

const validForms = (partitions: Partitions.Partitions): string => {
  switch (partitions._tag) {
    case "Unpartitioned":
      return "all, latest"
    case "Static":
      return `${format(all(partitions), { limit: 10 })}; several separated by commas; all, latest`
    case "TimeWindows":
      return [
        "2024 (a year), 2024-03 (a month), 2024-03-05 (a day)",
        ...(Calendar.isNamedByDate(partitions) ? [] : ["2024-03-05-07:00 (a window)"]),
        "2024-03..2024-05-15, 2024-03.., ..2024-05, all, latest; several separated by commas"
      ].join(", ")
  }
}
