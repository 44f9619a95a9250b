/**
 * Which whole partitions reach which, by a mapping: the downstream partitions that an upstream partition makes stale,
 * and the upstream partitions that a downstream partition is made of. One relation, read both ways (L7).
 */
import * as Spans from "./internal/spans.ts"
import * as Partitions from "./Partitions.ts"
import * as PartitionSet from "./PartitionSet.ts"
import {
  type Custom,
  InvalidMapping,
  type PartitionMapping,
  type StaticMap,
  type TimeWindows as TimeWindowsMapping
} from "./PartitionMapping.ts"
import type { TimeWindow } from "./TimeWindow.ts"
import * as Tolerance from "./Tolerance.ts"
import type { Unit } from "./Unit.ts"

/**
 * The downstream partitions that upstream partitions reach, whether or not they exist yet. Undefined for a mapping that
 * reads rows, and where the two sides are cut in different ways: from partitions alone it could be any. Which partition is
 * the last one depends on rows, too.
 *
 * @category mapping
 * @since 0.1.0
 */
export const downstream = (
  mapping: PartitionMapping,
  options: { readonly upstream: PartitionSet.PartitionSet; readonly downstream: Partitions.Partitions }
): PartitionSet.PartitionSet | undefined => {
  const to = options.downstream
  switch (mapping._tag) {
    case "Identity":
      return options.upstream.partitions._tag === to._tag ? sameKeys(options.upstream, to) : undefined
    case "TimeWindows": {
      if (to._tag !== "TimeWindows") return undefined
      // d reads [s + startOffset, e + endOffset) counted in windows of d, so u reaches the d that begin after u's start
      // minus endOffset windows and up to u's end minus startOffset windows.
      return unionOf(
        to,
        PartitionSet.ranges(options.upstream).map(({ end, start }) => {
          const first = Partitions.shift(to, Partitions.windowEndingAfter(to, start), -mapping.endOffset)
          const last = Partitions.shift(to, end - 1, -mapping.startOffset)
          return PartitionSet.fromWindow(to, { start: first.start, end: Math.max(first.start, last.end) })
        })
      )
    }
    case "Keys":
      return mapping.keys.some((key) => PartitionSet.has(options.upstream, key))
        ? PartitionSet.all(to)
        : PartitionSet.empty(to)
    case "StaticMap":
      return PartitionSet.fromKnownKeys(to, mapped(mapping, PartitionSet.keys(options.upstream)))
    case "Custom":
      return PartitionSet.fromKnownKeys(to, reachedBy(mapping, PartitionSet.keys(options.upstream), to))
    case "All":
    case "ByColumns":
    case "Onwards":
    case "AsOf":
    case "Last":
      return undefined
  }
}

/**
 * The upstream partitions that downstream partitions are made of, as far as they lie in the upstream's range. Undefined for a
 * mapping that reads rows.
 *
 * @category mapping
 * @since 0.1.0
 */
export const upstream = (
  mapping: PartitionMapping,
  options: { readonly downstream: PartitionSet.PartitionSet; readonly upstream: Partitions.Partitions }
): PartitionSet.PartitionSet | undefined => {
  const from = options.upstream
  const to = options.downstream.partitions
  switch (mapping._tag) {
    case "Identity":
      return from._tag === to._tag ? sameKeys(options.downstream, from) : undefined
    case "TimeWindows": {
      if (from._tag !== "TimeWindows" || to._tag !== "TimeWindows") return undefined
      const { ranges } = PartitionSet
      return unionOf(
        from,
        ranges(options.downstream).map((range) => PartitionSet.fromWindow(from, needed(mapping, to, range)))
      )
    }
    case "Keys":
      return PartitionSet.fromKnownKeys(from, PartitionSet.isEmpty(options.downstream) ? [] : mapping.keys)
    case "StaticMap":
      return PartitionSet.fromKnownKeys(from, unmapped(mapping, options.downstream))
    case "Custom":
      return PartitionSet.fromKnownKeys(from, neededBy(mapping, PartitionSet.keys(options.downstream), from))
    case "All":
    case "ByColumns":
    case "Onwards":
    case "AsOf":
    case "Last":
      return undefined
  }
}

/**
 * What downstream partitions are made of: upstream partitions that exist, and those that would have to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Requirement {
  readonly existing: PartitionSet.PartitionSet
  /** Among the upstream's windows continued without end; among the downstream's keys where these are names. */
  readonly absent: PartitionSet.PartitionSet
}

/**
 * What downstream partitions need of an upstream as it is at an instant. Undefined for a mapping that reads rows.
 *
 * **Details**
 *
 * Nothing that is needed is dropped: windows before the upstream's range or behind it are absent like those that have not
 * come to exist yet. Only an offset that reaches back over the beginning ends there: the first day of a running total of
 * seven days is made of one day. What a tolerance excuses for each of the partitions that need it is not absent.
 *
 * @category mapping
 * @since 0.1.0
 */
export const requirement = (
  mapping: PartitionMapping,
  options: {
    readonly downstream: PartitionSet.PartitionSet
    readonly upstream: Partitions.Partitions
    readonly now: number
    readonly tolerance?: Tolerance.Tolerance
  }
): Requirement | undefined => {
  const { downstream, upstream: from, tolerance = Tolerance.none } = options
  const found = strictly(mapping, options)
  if (found === undefined || tolerance._tag === "None" || PartitionSet.isEmpty(found.absent)) return found
  const { absent, existing } = found
  if (tolerance._tag === "Any") return { existing, absent: PartitionSet.empty(absent.partitions) }
  const late = from._tag === "TimeWindows" ? toCome(absent, from) : PartitionSet.empty(absent.partitions)
  return {
    existing,
    absent: readersOf(mapping, late, downstream).reduce(
      (union, reader) => PartitionSet.union(union, unexcused(mapping, { ...options, downstream: reader, tolerance })),
      PartitionSet.difference(absent, late)
    )
  }
}

/**
 * Those of some downstream partitions that need an upstream partition which does not exist and is not excused.
 *
 * @category mapping
 * @since 0.1.0
 */
export const lacking = (
  mapping: PartitionMapping,
  options: Parameters<typeof requirement>[1]
): PartitionSet.PartitionSet => {
  const { downstream, upstream: from, tolerance = Tolerance.none } = options
  const to = downstream.partitions
  const absent = requirement(mapping, options)?.absent
  if (absent === undefined || PartitionSet.isEmpty(absent)) return PartitionSet.empty(to)
  if (from._tag !== "TimeWindows") return partOf(mapping, absent, downstream)
  const late = toCome(absent, from)
  const never = PartitionSet.difference(absent, late)
  const head = PartitionSet.intersection(never, before(from))
  const held = PartitionSet.union(
    partOf(mapping, PartitionSet.difference(never, head), downstream),
    partOf(mapping, head, readersBefore(mapping, from, downstream))
  )
  return readersOf(mapping, late, downstream).reduce(
    (union, reader) =>
      PartitionSet.isEmpty(unexcused(mapping, { ...options, downstream: reader, tolerance }))
        ? union
        : PartitionSet.union(union, reader),
    held
  )
}

/**
 * The stretches of upstream time that downstream partitions read through a time-window mapping.
 *
 * @category mapping
 * @since 0.1.0
 */
export const windowsNeeded = (
  mapping: TimeWindowsMapping,
  partitions: Partitions.TimeWindows,
  units: ReadonlyArray<Unit>
): ReadonlyArray<TimeWindow> =>
  Spans.normalize(units.flatMap(({ window }) => (window === undefined ? [] : [needed(mapping, partitions, window)])))

/**
 * What is wrong with a mapping of somebody's own between two cuts, found on a sample of their partitions: a key that is
 * none, or a pair on which its two directions disagree. Undefined where nothing was found.
 *
 * @category mapping
 * @since 0.1.0
 */
export const contradiction = (
  mapping: Custom,
  options: { readonly upstream: Partitions.Partitions; readonly downstream: Partitions.Partitions }
): string | undefined => {
  const { downstream, upstream } = options
  for (const key of sampleOf(upstream)) {
    const { problem } = reachesOf(mapping, key, downstream)
    if (problem !== undefined) return problem
  }
  for (const key of sampleOf(downstream)) {
    const { problem } = needsOf(mapping, key, upstream)
    if (problem !== undefined) return problem
  }
  return undefined
}

// --- internal ---

/** What is needed, whatever a tolerance would excuse. */
const strictly = (
  mapping: PartitionMapping,
  options: {
    readonly downstream: PartitionSet.PartitionSet
    readonly upstream: Partitions.Partitions
    readonly now: number
  }
): Requirement | undefined => {
  const { downstream, now, upstream: from } = options
  const to = downstream.partitions
  const exists = Partitions.existing(from, now)
  switch (mapping._tag) {
    case "Identity": {
      if (from._tag !== to._tag) return undefined
      if (from._tag === "TimeWindows")
        return requirementOf(sameKeys(downstream, Partitions.endless(from)), from, exists)
      const existing = PartitionSet.intersection(sameKeys(downstream, from), exists)
      return { existing, absent: PartitionSet.difference(downstream, sameKeys(existing, to)) }
    }
    case "TimeWindows": {
      if (from._tag !== "TimeWindows" || to._tag !== "TimeWindows") return undefined
      const endless = Partitions.endless(from)
      const windows = PartitionSet.ranges(downstream).map((range) =>
        PartitionSet.fromWindow(endless, clamped(needed(mapping, to, range), range, Partitions.range(from)))
      )
      return requirementOf(unionOf(endless, windows), from, exists)
    }
    case "Last": {
      // Which one holds the last row is not known here. Some partition has to exist; none is needed by name.
      const none = { existing: PartitionSet.empty(from), absent: PartitionSet.empty(endlessly(from)) }
      if (from._tag !== "TimeWindows" || PartitionSet.isEmpty(downstream) || !PartitionSet.isEmpty(exists)) return none
      const { start } = Partitions.range(from)
      return requirementOf(PartitionSet.fromWindow(Partitions.endless(from), { start, end: start + 1 }), from, exists)
    }
    case "Keys":
      return requirementOf(
        PartitionSet.fromKnownKeys(endlessly(from), PartitionSet.isEmpty(downstream) ? [] : mapping.keys),
        from,
        exists
      )
    case "StaticMap":
      return requirementOf(PartitionSet.fromKnownKeys(from, unmapped(mapping, downstream)), from, exists)
    case "Custom":
      return requirementOf(
        PartitionSet.fromKnownKeys(endlessly(from), neededBy(mapping, PartitionSet.keys(downstream), from)),
        from,
        exists
      )
    case "All":
    case "ByColumns":
    case "Onwards":
    case "AsOf":
      return undefined
  }
}

const requirementOf = (
  needs: PartitionSet.PartitionSet,
  from: Partitions.Partitions,
  exists: PartitionSet.PartitionSet
): Requirement => {
  if (from._tag !== "TimeWindows") {
    const existing = PartitionSet.intersection(needs, exists)
    return { existing, absent: PartitionSet.difference(needs, existing) }
  }
  const existing = PartitionSet.intersection(PartitionSet.within(needs, from), exists)
  return { existing, absent: PartitionSet.difference(needs, PartitionSet.within(existing, Partitions.endless(from))) }
}

/** The absent windows that will come to exist: those in the range. */
const toCome = (absent: PartitionSet.PartitionSet, from: Partitions.TimeWindows): PartitionSet.PartitionSet =>
  PartitionSet.within(PartitionSet.within(absent, from), Partitions.endless(from))

/** The part of some downstream partitions that need some upstream ones. */
const partOf = (
  mapping: PartitionMapping,
  needs: PartitionSet.PartitionSet,
  partitions: PartitionSet.PartitionSet
): PartitionSet.PartitionSet => {
  if (PartitionSet.isEmpty(needs)) return PartitionSet.empty(partitions.partitions)
  const reached = downstream(mapping, { upstream: needs, downstream: partitions.partitions })
  return reached === undefined ? partitions : PartitionSet.intersection(reached, partitions)
}

/** The part of some downstream partitions, each by itself. */
const readersOf = (
  mapping: PartitionMapping,
  needs: PartitionSet.PartitionSet,
  partitions: PartitionSet.PartitionSet
): ReadonlyArray<PartitionSet.PartitionSet> => {
  const { partitions: to } = partitions
  return Array.from(PartitionSet.keys(partOf(mapping, needs, partitions)), (key) =>
    PartitionSet.fromKnownKeys(to, [key])
  )
}

/** Of the windows that one downstream partition needs and that are still to come, those that are not excused. */
const unexcused = (
  mapping: PartitionMapping,
  options: Parameters<typeof requirement>[1] & { readonly tolerance: Tolerance.Tolerance }
): PartitionSet.PartitionSet => {
  const { tolerance, upstream: from } = options
  const found = strictly(mapping, options)
  if (found === undefined || from._tag !== "TimeWindows") return PartitionSet.empty(from)
  const late = toCome(found.absent, from)
  const needs = PartitionSet.union(PartitionSet.within(found.existing, Partitions.endless(from)), found.absent)
  switch (tolerance._tag) {
    case "None":
      return late
    case "Newest":
      return PartitionSet.difference(late, PartitionSet.takeLast(needs, tolerance.windows))
    case "Any":
      return PartitionSet.empty(late.partitions)
  }
}

/** An offset that reaches back over the upstream's beginning ends there, so only partitions that begin earlier lack what is before. */
const readersBefore = (
  mapping: PartitionMapping,
  from: Partitions.TimeWindows,
  partitions: PartitionSet.PartitionSet
): PartitionSet.PartitionSet => {
  if (mapping._tag !== "TimeWindows") return partitions
  const { partitions: to } = partitions
  const { start } = Partitions.range(from)
  if (to._tag !== "TimeWindows" || !Number.isFinite(start)) return partitions
  const first = Partitions.windowAt(to, start)
  const end = first.start < start ? first.end : first.start
  return PartitionSet.intersection(partitions, PartitionSet.fromWindow(to, { start: Number.NEGATIVE_INFINITY, end }))
}

/** What the upstream's range begins behind. */
const before = (from: Partitions.TimeWindows): PartitionSet.PartitionSet =>
  PartitionSet.fromWindow(Partitions.endless(from), {
    start: Number.NEGATIVE_INFINITY,
    end: Partitions.range(from).start
  })

const endlessly = (partitions: Partitions.Partitions): Partitions.Partitions =>
  partitions._tag === "TimeWindows" ? Partitions.endless(partitions) : partitions

const mapped = ({ reaches }: StaticMap, keys: Iterable<string>): ReadonlyArray<string> => {
  const upstream = new Set(keys)
  return Object.entries(reaches).flatMap(([key, reached]) => (upstream.has(key) ? reached : []))
}

const unmapped = ({ reaches }: StaticMap, downstream: PartitionSet.PartitionSet): ReadonlyArray<string> =>
  Object.entries(reaches).flatMap(([key, reached]) =>
    reached.some((name) => PartitionSet.has(downstream, name)) ? [key] : []
  )

/** The keys that a key is related to, or what is wrong with them. */
interface Related {
  readonly keys: ReadonlyArray<string>
  readonly problem: string | undefined
}

const reachesOf = (mapping: Custom, key: string, to: Partitions.Partitions): Related => {
  const keys = mapping.downstream(key)
  const stranger = keys.find((reached) => !Partitions.isKey(endlessly(to), reached))
  if (stranger !== undefined) return { keys, problem: strange(mapping, `"${key}" reach`, stranger, to) }
  const denied = keys.find((reached) => !mapping.upstream(reached).includes(key))
  return {
    keys,
    problem: denied === undefined ? undefined : denial(mapping, { reaches: key, isMadeOf: denied }, "upstream")
  }
}

const needsOf = (mapping: Custom, key: string, from: Partitions.Partitions): Related => {
  const keys = mapping.upstream(key)
  const stranger = keys.find((needed) => !Partitions.isKey(endlessly(from), needed))
  if (stranger !== undefined) return { keys, problem: strange(mapping, `"${key}" be made of`, stranger, from) }
  const denied = keys.find((needed) => !mapping.downstream(needed).includes(key))
  return {
    keys,
    problem: denied === undefined ? undefined : denial(mapping, { reaches: denied, isMadeOf: key }, "downstream")
  }
}

const strange = ({ name }: Custom, does: string, key: string, partitions: Partitions.Partitions): string =>
  `mapping "${name}" has ${does} "${key}", which is no key of ${Partitions.format(partitions)}.`

const denial = (
  { name }: Custom,
  pair: { readonly reaches: string; readonly isMadeOf: string },
  denier: "downstream" | "upstream"
): string => {
  const reach = `"${pair.reaches}" reaches "${pair.isMadeOf}"`
  const need = `"${pair.isMadeOf}" is made of "${pair.reaches}"`
  const [says, denies] = denier === "upstream" ? [reach, need] : [need, reach]
  return `mapping "${name}" says that ${says}, but not that ${denies}; its two directions must be one relation.`
}

const reachedBy = (mapping: Custom, keys: Iterable<string>, to: Partitions.Partitions): ReadonlyArray<string> =>
  Array.from(keys).flatMap((key) => agreed(reachesOf(mapping, key, to)))

const neededBy = (mapping: Custom, keys: Iterable<string>, from: Partitions.Partitions): ReadonlyArray<string> =>
  Array.from(keys).flatMap((key) => agreed(needsOf(mapping, key, from)))

const agreed = ({ keys, problem }: Related): ReadonlyArray<string> => {
  if (problem !== undefined) throw new InvalidMapping({ message: problem })
  return keys
}

/** All names; of windows the first forty, and then some that lie ever farther apart. */
const sampleOf = (partitions: Partitions.Partitions): ReadonlyArray<string> => {
  if (partitions._tag !== "TimeWindows") return Array.from(PartitionSet.keys(PartitionSet.all(partitions)))
  const { end, start } = Partitions.range(partitions)
  return [...Array.from({ length: 40 }, (_, index) => index), 64, 128, 256, 512, 1024, 2048, 4096]
    .map((distance) => Partitions.shift(partitions, start, distance))
    .flatMap((window) => (window.start < end ? [Partitions.keyOf(partitions, window)] : []))
}

const needed = (mapping: TimeWindowsMapping, partitions: Partitions.TimeWindows, range: TimeWindow): TimeWindow => ({
  start: Partitions.shift(partitions, range.start, mapping.startOffset).start,
  end: Partitions.shift(partitions, range.end - 1, mapping.endOffset).end
})

/** Cuts off what lies before the upstream's range, unless the downstream windows themselves begin there. */
const clamped = (need: TimeWindow, range: TimeWindow, bounds: TimeWindow): TimeWindow =>
  range.start < bounds.start ? need : { start: Math.max(need.start, bounds.start), end: need.end }

const { sameKeys } = PartitionSet

const unionOf = (
  partitions: Partitions.Partitions,
  sets: ReadonlyArray<PartitionSet.PartitionSet>
): PartitionSet.PartitionSet =>
  sets.reduce((union, set) => PartitionSet.union(union, set), PartitionSet.empty(partitions))
