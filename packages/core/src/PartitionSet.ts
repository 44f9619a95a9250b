/**
 * Which partitions of one definition are meant: requested, existing, materialized, stale? A set keeps ranges, not keys, so
 * that a million days cost as much as one, and its algebra (union, intersection, difference) is exact.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Axis from "./internal/axis.ts"
import * as Boxes from "./internal/boxes.ts"
import { md5 } from "./internal/hash.ts"
import * as MultiSet from "./internal/multiSet.ts"
import * as internal from "./internal/partitionSet.ts"
import * as Text from "./internal/partitionText.ts"
import * as Algebra from "./internal/setAlgebra.ts"
import * as Spans from "./internal/spans.ts"
import * as Partitions from "./Partitions.ts"
import type * as TimeWindow from "./TimeWindow.ts"

/**
 * A set of partitions of one definition; equal sets are structurally equal.
 *
 * **Details**
 *
 * `spans` are sorted, disjoint and nowhere touching, in epoch milliseconds for windows of time and in positions of the list of
 * keys otherwise; of several dimensions those of the first axis, each with what it holds of the others. Read them through
 * `ranges`, `windows`, `keys` and `boxes`.
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
 * each range, in order; the last one is null where a range has no end. Of several dimensions a range is every key between
 * the two in each of them, and the last key of a dimension without end is empty: `["2024-03-01|eu", "|us"]`.
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
export const empty: (partitions: Partitions.Partitions) => PartitionSet = Algebra.empty

/**
 * Every partition that a definition can ever have; without bound when the definition has no end.
 *
 * @category constructors
 * @since 0.1.0
 */
export const all: (partitions: Partitions.Partitions) => PartitionSet = Algebra.all

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
    const points: Array<ReadonlyArray<TimeWindow.TimeWindow>> = []
    for (const key of keys) {
      const point = Algebra.pointOf(partitions, key)
      if (point === undefined)
        return Result.fail(
          new InvalidPartitionKey({
            key,
            partitions: Partitions.format(partitions),
            expected: Text.expectedKey(partitions, key)
          })
        )
      points.push(point)
    }
    return Result.succeed(Algebra.fromPoints(partitions, points))
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
  Algebra.fromPoints(
    partitions,
    Array.from(keys).flatMap((key) => {
      const point = Algebra.pointOf(partitions, key)
      return point === undefined ? [] : [point]
    })
  )
)

/**
 * Of several dimensions the partitions whose key of each dimension is in the set of that dimension, given in their order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const product: {
  (dimensions: ReadonlyArray<PartitionSet>): (partitions: Partitions.Multi) => PartitionSet
  (partitions: Partitions.Multi, dimensions: ReadonlyArray<PartitionSet>): PartitionSet
} = dual(2, Algebra.product)

/**
 * The partitions whose window overlaps a stretch of time; none where the definition is not one of windows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromWindow: {
  (window: TimeWindow.TimeWindow): (partitions: Partitions.Partitions) => PartitionSet
  (partitions: Partitions.Partitions, window: TimeWindow.TimeWindow): PartitionSet
} = dual(2, Algebra.fromWindow)

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
 * A set of several dimensions as products that have no partition in common, each with one set per dimension, in their order.
 *
 * @category getters
 * @since 0.1.0
 */
export const boxes: (self: PartitionSet) => ReadonlyArray<ReadonlyArray<PartitionSet>> = Algebra.boxes

/**
 * The keys that the partitions of a set have in one of several dimensions.
 *
 * @category getters
 * @since 0.1.0
 */
export const dimension: {
  (name: string): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, name: string): PartitionSet
} = dual(2, Algebra.dimension)

/**
 * The partitions that are in either set.
 *
 * @category combinators
 * @since 0.1.0
 */
export const union: {
  (that: PartitionSet): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, that: PartitionSet): PartitionSet
} = dual(2, Algebra.union)

/**
 * The partitions that are in any of some sets of a definition.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unionAll: {
  (sets: ReadonlyArray<PartitionSet>): (partitions: Partitions.Partitions) => PartitionSet
  (partitions: Partitions.Partitions, sets: ReadonlyArray<PartitionSet>): PartitionSet
} = dual(2, Algebra.unionAll)

/**
 * The partitions that are in both sets.
 *
 * @category combinators
 * @since 0.1.0
 */
export const intersection: {
  (that: PartitionSet): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, that: PartitionSet): PartitionSet
} = dual(2, Algebra.intersection)

/**
 * The partitions of the first set that are not in the second.
 *
 * @category combinators
 * @since 0.1.0
 */
export const difference: {
  (that: PartitionSet): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, that: PartitionSet): PartitionSet
} = dual(2, Algebra.difference)

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
  if (Partitions.isMulti(from) || Partitions.isMulti(partitions)) {
    return Partitions.isMulti(from) && Partitions.isMulti(partitions) && hasSameNames(from, partitions)
      ? unionAll(
          partitions,
          boxes(self).map((box) => sameKeysOf(box, partitions))
        )
      : empty(partitions)
  }
  if (Partitions.isTimeWindows(from) && Partitions.isTimeWindows(partitions) && isSameGrid(from, partitions)) {
    return within(self, partitions)
  }
  return internal.make(
    partitions,
    Arr.fromIterable(keys(self)).flatMap((key) => Option.toArray(Axis.spanOf(partitions, key)))
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
} = dual(2, Algebra.take)

/**
 * The last partitions of a set, in order, at most `count` of them; none of a set without bound.
 *
 * @category combinators
 * @since 0.1.0
 */
export const takeLast: {
  (count: number): (self: PartitionSet) => PartitionSet
  (self: PartitionSet, count: number): PartitionSet
} = dual(2, Algebra.takeLast)

/**
 * The last partition of a set alone; empty when the set is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const last: (self: PartitionSet) => PartitionSet = Algebra.last

/**
 * Whether a set holds no partition.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isEmpty: (self: PartitionSet) => boolean = Algebra.isEmpty

/**
 * Whether a set holds the partition with this key.
 *
 * @category predicates
 * @since 0.1.0
 */
export const has: {
  (key: string): (self: PartitionSet) => boolean
  (self: PartitionSet, key: string): boolean
} = dual(2, (self: PartitionSet, key: string): boolean => {
  const { partitions } = self
  if (!Partitions.isMulti(partitions))
    return Option.exists(Axis.spanOf(partitions, key), (span) => Spans.contains(self.spans, span.start))
  const point = MultiSet.pointOf(partitions, key)
  return (
    point !== undefined &&
    Boxes.contains(
      self.spans,
      point.map(({ start }) => start)
    )
  )
})

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
    Algebra.sameDefinition(self, that) &&
    (Partitions.isMulti(self.partitions) ? Boxes.equals(self.spans, that.spans) : Spans.equals(self.spans, that.spans))
)

/**
 * The number of partitions in a set, counted by calendar difference; infinite for a set without bound.
 *
 * @category getters
 * @since 0.1.0
 */
export const size: (self: PartitionSet) => number = Algebra.size

/**
 * The keys of a set in order, made one by one as they are asked for.
 *
 * @category getters
 * @since 0.1.0
 */
export const keys: (self: PartitionSet) => Iterable<string> = Algebra.keys

/**
 * The windows of a set in order, made one by one as they are asked for; none where the definition has no windows. Of several
 * dimensions it is the window of each partition in the only one with windows, and none where there are more of these.
 *
 * @category getters
 * @since 0.1.0
 */
export const windows: (self: PartitionSet) => Iterable<TimeWindow.TimeWindow> = Algebra.windows

/**
 * The stretches of time that a set covers: merged, sorted, disjoint; none where the definition is not one of windows. Excluded days
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
export const format = (self: PartitionSet, options?: { readonly limit?: number | undefined }): string =>
  Text.format(self, options?.limit)

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
  ranges: rangesOf(self)
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
  if (Partitions.isMulti(partitions)) {
    const found = json.ranges.map(([first, last]) => MultiSet.between(partitions, first, last))
    const wrong = found.indexOf(undefined)
    return wrong >= 0
      ? refuse(`${JSON.stringify(json.ranges[wrong])} is no range of it`)
      : Result.succeed(
          internal.fromBoxes(partitions, Boxes.unionAll(found.flatMap((one) => (one === undefined ? [] : [one]))))
        )
  }
  const spans: Array<TimeWindow.TimeWindow> = []
  for (const [first, last] of json.ranges) {
    const from = Axis.spanOf(partitions, first)
    const to = last === null ? Option.some(Axis.extent(partitions)) : Axis.spanOf(partitions, last)
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
 * Of several dimensions an item says something of each, in their order and separated by `|`: `2024-03|eu`, and `*` for all
 * that there is of one: `2024-03..2024-04|*`, `*|eu`. `latest` is the newest of every dimension with windows.
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
  return Result.mapError(
    Text.parse(text, options),
    ({ isUnderstood, item, problem }) =>
      new InvalidPartitionRange({
        text,
        item: item.text,
        position: item.position,
        problem,
        validForms: Text.validForms(options.partitions),
        ...(isUnderstood ? { isUnderstood } : {})
      })
  )
}

// --- internal ---

/** On one grid equal windows have equal keys, whatever the ranges. */
const isSameGrid = (self: Partitions.TimeWindows, that: Partitions.TimeWindows): boolean =>
  self.cron === that.cron &&
  self.timeZone === that.timeZone &&
  self.exclusions.length === that.exclusions.length &&
  self.exclusions.every((exclusion, index) => exclusion === that.exclusions[index])

const hasSameNames = (self: Partitions.Multi, that: Partitions.Multi): boolean =>
  self.dimensions.length === that.dimensions.length &&
  self.dimensions.every(({ name }, place) => name === that.dimensions[place]?.name)

const sameKeysOf = (box: ReadonlyArray<PartitionSet>, partitions: Partitions.Multi): PartitionSet =>
  product(
    partitions,
    partitions.dimensions.map((dimension, place) =>
      sameKeys(box[place] ?? empty(dimension.partitions), dimension.partitions)
    )
  )

const rangesOf = ({ partitions, spans }: PartitionSet): Json["ranges"] =>
  Partitions.isMulti(partitions)
    ? MultiSet.corners(partitions, spans)
    : spans.map(({ end, start }) => [
        Axis.keyAt(partitions, start),
        end === Number.POSITIVE_INFINITY ? null : Axis.keyAt(partitions, Axis.retreat(partitions, end))
      ])

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
    case "Multi":
      return [partitions._tag, partitions.dimensions.map((one) => [one.name, fieldsOf(one.partitions)])]
  }
}
