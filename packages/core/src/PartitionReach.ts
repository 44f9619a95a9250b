/**
 * Which whole partitions reach which, by a mapping: the downstream partitions that an upstream partition makes stale,
 * and the upstream partitions that a downstream partition is made of. One relation, read both ways (L7).
 */
import * as CustomRelation from "./internal/customRelation.ts"
import * as DimensionLinks from "./internal/dimensionLinks.ts"
import * as Spans from "./internal/spans.ts"
import * as Partitions from "./Partitions.ts"
import * as PartitionSet from "./PartitionSet.ts"
import type { PartitionMapping, StaticMap, TimeWindows as TimeWindowsMapping } from "./PartitionMapping.ts"
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
  const links = DimensionLinks.of(mapping, options.upstream.partitions, to)
  if (links !== undefined) return reached(links, options)
  switch (mapping._tag) {
    case "Identity":
      return isSameKind(options.upstream.partitions, to) ? sameKeys(options.upstream, to) : undefined
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
      return PartitionSet.fromKnownKeys(to, CustomRelation.reachedBy(mapping, PartitionSet.keys(options.upstream), to))
    case "All":
    case "ByColumns":
    case "Onwards":
    case "AsOf":
    case "Last":
    case "ByDimension":
    case "SingleDimension":
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
  const links = DimensionLinks.of(mapping, from, to)
  if (links !== undefined) return read(links, options)
  switch (mapping._tag) {
    case "Identity":
      return isSameKind(from, to) ? sameKeys(options.downstream, from) : undefined
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
      return PartitionSet.fromKnownKeys(
        from,
        CustomRelation.neededBy(mapping, PartitionSet.keys(options.downstream), from)
      )
    case "All":
    case "ByColumns":
    case "Onwards":
    case "AsOf":
    case "Last":
    case "ByDimension":
    case "SingleDimension":
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
  const links = DimensionLinks.of(mapping, from, downstream.partitions)
  if (links !== undefined) return required(links, options)
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
  const links = DimensionLinks.of(mapping, from, to)
  if (links !== undefined) return lackingAcross(links, options)
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
export const contradiction: typeof CustomRelation.contradiction = CustomRelation.contradiction

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
      if (!isSameKind(from, to)) return undefined
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
      const none = { existing: PartitionSet.empty(from), absent: PartitionSet.empty(DimensionLinks.endless(from)) }
      if (from._tag !== "TimeWindows" || PartitionSet.isEmpty(downstream) || !PartitionSet.isEmpty(exists)) return none
      const { start } = Partitions.range(from)
      return requirementOf(PartitionSet.fromWindow(Partitions.endless(from), { start, end: start + 1 }), from, exists)
    }
    case "Keys":
      return requirementOf(
        PartitionSet.fromKnownKeys(DimensionLinks.endless(from), PartitionSet.isEmpty(downstream) ? [] : mapping.keys),
        from,
        exists
      )
    case "StaticMap":
      return requirementOf(PartitionSet.fromKnownKeys(from, unmapped(mapping, downstream)), from, exists)
    case "Custom":
      return requirementOf(
        PartitionSet.fromKnownKeys(
          DimensionLinks.endless(from),
          CustomRelation.neededBy(mapping, PartitionSet.keys(downstream), from)
        ),
        from,
        exists
      )
    case "All":
    case "ByColumns":
    case "Onwards":
    case "AsOf":
    case "ByDimension":
    case "SingleDimension":
      return undefined
  }
}

const requirementOf = (
  needs: PartitionSet.PartitionSet,
  from: Partitions.Partitions,
  exists: PartitionSet.PartitionSet
): Requirement => {
  if (from._tag === "Multi") {
    const existing = PartitionSet.intersection(sameKeys(needs, from), exists)
    return { existing, absent: PartitionSet.difference(needs, sameKeys(existing, needs.partitions)) }
  }
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

/** Cuts of several dimensions are related by these. */
const isSameKind = (from: Partitions.Partitions, to: Partitions.Partitions): boolean =>
  from._tag === to._tag && from._tag !== "Multi"

type Box = ReadonlyArray<PartitionSet.PartitionSet>

/** The part of a box in a dimension. */
const partAt = (box: Box, place: number, dimensions: ReadonlyArray<Partitions.Partitions>): PartitionSet.PartitionSet =>
  box[place] ?? PartitionSet.empty(dimensions[place] ?? Partitions.unpartitioned)

/**
 * What boxes reach is the product of what they reach in each dimension: a pair of partitions is related when each link
 * relates their keys, whatever the others do.
 */
const reached = (
  { from, links, to }: DimensionLinks.Links,
  options: Parameters<typeof downstream>[1]
): PartitionSet.PartitionSet =>
  unionOf(
    options.downstream,
    PartitionSet.boxes(options.upstream).map((box) =>
      DimensionLinks.product(
        options.downstream,
        to.map((dimension, place) => {
          const link = links.find(({ down }) => down === place)
          const part = link && downstream(link.mapping, { upstream: partAt(box, link.up, from), downstream: dimension })
          return part ?? PartitionSet.all(dimension)
        })
      )
    )
  )

const read = (
  { from, links, to }: DimensionLinks.Links,
  options: Parameters<typeof upstream>[1]
): PartitionSet.PartitionSet =>
  unionOf(
    options.upstream,
    PartitionSet.boxes(options.downstream).map((box) =>
      DimensionLinks.product(
        options.upstream,
        from.map((dimension, place) => {
          const link = links.find(({ up }) => up === place)
          const part = link && upstream(link.mapping, { downstream: partAt(box, link.down, to), upstream: dimension })
          return part ?? PartitionSet.all(dimension)
        })
      )
    )
  )

/** What is needed dimension by dimension; of one that nothing is linked to, what exists. */
const required = (links: DimensionLinks.Links, options: Parameters<typeof requirement>[1]): Requirement => {
  const { from, to } = links
  const { downstream: whole, upstream: cut } = options
  const needsOf = (box: Box) => from.map((_, place) => requiredAt(links, place, box, options))
  const none = to.map((dimension) => PartitionSet.empty(dimension))
  const endless = DimensionLinks.recut(
    cut,
    needsOf(none).map(({ absent }) => absent.partitions)
  )
  const found = PartitionSet.boxes(whole).map(needsOf)
  const existing = unionOf(
    cut,
    found.map((box) =>
      DimensionLinks.product(
        cut,
        box.map((one) => one.existing)
      )
    )
  )
  const needs = unionOf(
    endless,
    found.map((box) =>
      DimensionLinks.product(
        endless,
        box.map((one) => PartitionSet.union(sameKeys(one.existing, one.absent.partitions), one.absent))
      )
    )
  )
  return { existing, absent: PartitionSet.difference(needs, sameKeys(existing, endless)) }
}

const requiredAt = (
  { from, links, to }: DimensionLinks.Links,
  place: number,
  box: Box,
  options: Parameters<typeof requirement>[1]
): Requirement => {
  const dimension = from[place] ?? Partitions.unpartitioned
  const link = links.find(({ up }) => up === place)
  const found =
    link &&
    apart(partAt(box, link.down, to), dimension).map((part) =>
      requirement(link.mapping, { ...options, downstream: part, upstream: dimension })
    )
  const [first, ...others] = found ?? []
  if (first === undefined) {
    const existing = Partitions.existing(dimension, options.now)
    return { existing, absent: PartitionSet.empty(DimensionLinks.endless(dimension)) }
  }
  return others.reduce<Requirement>(
    (all, one) =>
      one === undefined
        ? all
        : {
            existing: PartitionSet.union(all.existing, one.existing),
            absent: PartitionSet.union(all.absent, one.absent)
          },
    first
  )
}

/** A partition lacks something when its key of some dimension does, and it reads something in all of them. */
const lackingAcross = (
  { from, links, to }: DimensionLinks.Links,
  options: Parameters<typeof requirement>[1]
): PartitionSet.PartitionSet => {
  const { downstream: whole, now } = options
  const isUnread = from.some(
    (dimension, place) =>
      !links.some(({ up }) => up === place) && PartitionSet.isEmpty(Partitions.existing(dimension, now))
  )
  const sets = PartitionSet.boxes(whole).flatMap((box) => {
    const reading = box.map((part, place) => {
      const link = links.find(({ down }) => down === place)
      return link === undefined ? part : readingAnything(link.mapping, part)
    })
    return links.map(({ down, mapping, up }) => {
      const dimension = from[up] ?? Partitions.unpartitioned
      const part = partAt(reading, down, to)
      const held = apart(part, dimension).map((one) =>
        lacking(mapping, { ...options, downstream: one, upstream: dimension })
      )
      return DimensionLinks.product(whole.partitions, reading.with(down, unionOf(part.partitions, held)))
    })
  })
  return isUnread ? PartitionSet.empty(whole.partitions) : unionOf(whole.partitions, sets)
}

/** The part of some downstream partitions that reads anything at all; only names may be mapped to nothing. */
const readingAnything = (
  mapping: PartitionMapping,
  partitions: PartitionSet.PartitionSet
): PartitionSet.PartitionSet => {
  const { partitions: to } = partitions
  const reads = (key: string): boolean =>
    mapping._tag === "Custom"
      ? mapping.upstream(key).length > 0
      : mapping._tag !== "StaticMap" || unmapped(mapping, PartitionSet.fromKnownKeys(to, [key])).length > 0
  return mapping._tag === "Custom" || mapping._tag === "StaticMap"
    ? PartitionSet.fromKnownKeys(to, Array.from(PartitionSet.keys(partitions)).filter(reads))
    : partitions
}

/** Some downstream partitions, those that begin before the upstream does by themselves: only the others end at its beginning. */
const apart = (
  partitions: PartitionSet.PartitionSet,
  from: Partitions.Partitions
): ReadonlyArray<PartitionSet.PartitionSet> => {
  const { partitions: to } = partitions
  if (from._tag !== "TimeWindows" || to._tag !== "TimeWindows") return [partitions]
  const window = { start: Number.NEGATIVE_INFINITY, end: Partitions.range(from).start }
  const earlier = PartitionSet.intersection(partitions, PartitionSet.fromWindow(to, window))
  const parts = [earlier, PartitionSet.difference(partitions, earlier)].filter((part) => !PartitionSet.isEmpty(part))
  return parts.length === 0 ? [partitions] : parts
}

const mapped = ({ reaches }: StaticMap, keys: Iterable<string>): ReadonlyArray<string> => {
  const upstream = new Set(keys)
  return Object.entries(reaches).flatMap(([key, reached]) => (upstream.has(key) ? reached : []))
}

const unmapped = ({ reaches }: StaticMap, downstream: PartitionSet.PartitionSet): ReadonlyArray<string> =>
  Object.entries(reaches).flatMap(([key, reached]) =>
    reached.some((name) => PartitionSet.has(downstream, name)) ? [key] : []
  )

const needed = (mapping: TimeWindowsMapping, partitions: Partitions.TimeWindows, range: TimeWindow): TimeWindow => ({
  start: Partitions.shift(partitions, range.start, mapping.startOffset).start,
  end: Partitions.shift(partitions, range.end - 1, mapping.endOffset).end
})

/** Cuts off what lies before the upstream's range, unless the downstream windows themselves begin there. */
const clamped = (need: TimeWindow, range: TimeWindow, bounds: TimeWindow): TimeWindow =>
  range.start < bounds.start ? need : { start: Math.max(need.start, bounds.start), end: need.end }

const { sameKeys, unionAll: unionOf } = PartitionSet
