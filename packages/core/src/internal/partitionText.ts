import { toDate } from "date-fns/toDate"
import * as Result from "effect/Result"
import * as Partitions from "../Partitions.ts"
import * as Axis from "./axis.ts"
import * as Calendar from "./calendar.ts"
import * as Nearest from "./nearest.ts"
import * as Range from "./partitionRange.ts"
import * as internal from "./partitionSet.ts"
import {
  all,
  boxes,
  dimension,
  empty,
  fromWindow,
  intersection,
  isEmpty,
  keys,
  last,
  type PartitionSet,
  product,
  size,
  union,
  windows
} from "./setAlgebra.ts"

/** A set for people; with a limit at most so many ranges, and how many partitions were left out. */
export const format = (self: PartitionSet, limit = Number.POSITIVE_INFINITY): string => {
  if (isEmpty(self)) {
    return "none"
  }
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

/** What a key of a definition looks like, for somebody who has written another text. */
export const expectedKey = (partitions: Partitions.Partitions, key: string): string => {
  switch (partitions._tag) {
    case "Unpartitioned":
      return JSON.stringify(Partitions.unit)
    case "Static": {
      const nearest = Nearest.find(partitions.keys, key)
      return nearest === undefined ? "one of its keys" : `one of its keys; did you mean ${JSON.stringify(nearest)}?`
    }
    case "TimeWindows":
      return `${keyForms[partitions.cadence]}, inside the range`
    case "Multi": {
      const names = partitions.dimensions.map(({ name }) => name).join(Partitions.delimiter)
      const parts = Partitions.keysOf(partitions, key)
      if (parts === undefined) return `one key of each dimension, ${names}`
      const wrong = partitions.dimensions.findIndex(
        (one, place) => !Partitions.isKey(one.partitions, parts[place] ?? "")
      )
      const dimension = partitions.dimensions[wrong]
      if (dimension === undefined) return names
      const part = parts[wrong] ?? ""
      return `in dimension "${dimension.name}" ${expectedKey(dimension.partitions, part)}, and ${JSON.stringify(part)} is none`
    }
  }
}

/** What of the existing partitions a text selects, each of its items something. */
export const parse = (
  text: string,
  options: {
    readonly partitions: Partitions.Partitions
    readonly existing: PartitionSet
    readonly now: number
  }
): Result.Result<PartitionSet, Unreadable> => {
  const { existing, now, partitions } = options
  return Result.gen(function* () {
    let parsed = empty(partitions)
    for (const item of Range.items(text)) {
      const selected = yield* Partitions.isMulti(partitions)
        ? across(partitions, existing, item)
        : select(partitions, existing, item)
      const found = intersection(selected, existing)
      if (isEmpty(found)) {
        const problem = `selects nothing that exists: ${whatExists(selected, existing, now)}`
        return yield* Result.fail({ item, problem, isUnderstood: true })
      }
      parsed = union(parsed, found)
    }
    return parsed
  })
}

/** What cannot be read, and where it stands. */
export interface Unreadable {
  readonly item: Range.Item
  readonly problem: string
  /** Whether it can be read, and yet means nothing that could be used. */
  readonly isUnderstood: boolean
}

export const validForms = (partitions: Partitions.Partitions): string => {
  switch (partitions._tag) {
    case "Unpartitioned":
      return "all, latest"
    case "Static":
      return `${format(all(partitions), 10)}; several separated by commas; all, latest`
    case "TimeWindows":
      return [
        "2024 (a year), 2024-03 (a month), 2024-03-05 (a day)",
        ...(Calendar.isNamedByDate(partitions) ? [] : ["2024-03-05-07:00 (a window)"]),
        "2024-03..2024-05-15, 2024-03.., ..2024-05, all, latest; several separated by commas"
      ].join(", ")
    case "Multi": {
      const names = partitions.dimensions.map(({ name }) => name).join(Partitions.delimiter)
      const parts = partitions.dimensions.map(
        (one) => `${one.name}: ${Partitions.unit} or ${segmentForms(one.partitions)}`
      )
      return `${names}, several separated by commas; ${parts.join("; ")}; all, latest`
    }
  }
}

// --- internal ---

function* formatted(self: PartitionSet): Generator<{ readonly text: string; readonly size: number }> {
  const { partitions, spans } = self
  if (Partitions.isMulti(partitions)) {
    for (const box of boxes(self)) yield* formattedBox(box)
    return
  }
  if (!Partitions.isTimeWindows(partitions)) {
    for (const text of keys(self)) {
      yield { text, size: 1 }
    }
    return
  }
  for (const span of spans) {
    const first = Axis.keyAt(partitions, span.start)
    const size = Axis.sizeOf(partitions, span)
    const end = span.end === Number.POSITIVE_INFINITY ? "" : Axis.keyAt(partitions, Axis.retreat(partitions, span.end))
    yield { text: size === 1 ? first : `${first}..${end}`, size }
  }
}

/** One text for each way to take a stretch of time or a name, or all names, of every dimension. */
function* formattedBox([first, ...others]: ReadonlyArray<PartitionSet>): ReturnType<typeof formatted> {
  if (first === undefined) return
  const { partitions } = first
  const isAllNames = Partitions.isStatic(partitions) && size(first) === partitions.keys.length && size(first) > 1
  for (const part of isAllNames ? [{ text: Partitions.unit, size: size(first) }] : formatted(first)) {
    if (others.length === 0) yield part
    else
      for (const rest of formattedBox(others))
        yield { text: `${part.text}${Partitions.delimiter}${rest.text}`, size: part.size * rest.size }
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

const select = (
  partitions: Axis.Axis,
  existing: PartitionSet,
  item: Range.Item
): Result.Result<PartitionSet, Unreadable> => {
  const { text } = item
  const unreadable = (problem: string): Unreadable => ({ item, problem, isUnderstood: false })
  if (text === "all") {
    return Result.succeed(existing)
  }
  if (text === "latest") {
    return Result.succeed(last(existing))
  }
  switch (partitions._tag) {
    case "Unpartitioned":
      return Result.fail(unreadable(text === "" ? "is empty" : "names a partition, but the asset is in one piece"))
    case "Static":
      return Result.mapBoth(Range.position(partitions.keys, text), {
        onFailure: unreadable,
        onSuccess: (start) => internal.make(partitions, [{ start, end: start + 1 }])
      })
    case "TimeWindows":
      return Result.mapBoth(Range.instants(partitions, text), {
        onFailure: unreadable,
        onSuccess: (window) => fromWindow(partitions, window)
      })
  }
}

/** An item that says something of every dimension. The latest of several is what is the newest of each with windows. */
const across = (
  partitions: Partitions.Multi,
  existing: PartitionSet,
  item: Range.Item
): Result.Result<PartitionSet, Unreadable> => {
  if (item.text === "all") return Result.succeed(existing)
  const { dimensions } = partitions
  const segments =
    item.text === "latest"
      ? dimensions.map((one) => ({ ...item, text: Partitions.isTimeWindows(one.partitions) ? "latest" : "all" }))
      : Range.segments(item, Partitions.delimiter)
  const names = dimensions.map(({ name }) => name).join(Partitions.delimiter)
  if (segments.length !== dimensions.length) {
    const example = dimensions.map((_, place) => segments[place]?.text || Partitions.unit).join(Partitions.delimiter)
    return Result.fail({
      item,
      isUnderstood: false,
      problem:
        item.text === ""
          ? "is empty"
          : `says something of ${segments.length} ${segments.length === 1 ? "dimension" : "dimensions"}, but the partitions have ${dimensions.length}: ${names}${
              segments.length < dimensions.length ? `; did you mean ${JSON.stringify(example)}?` : ""
            }`
    })
  }
  return Result.gen(function* () {
    const selected: Array<PartitionSet> = []
    for (const [place, { name, partitions }] of dimensions.entries()) {
      const segment = segments[place] ?? item
      const of = dimension(existing, name)
      selected.push(
        segment.text === Partitions.unit
          ? of
          : yield* Result.mapError(select(partitions, of, segment), ({ item, problem }) => ({
              item,
              problem: `${problem} (dimension "${name}")`,
              isUnderstood: false
            }))
      )
    }
    return product(partitions, selected)
  })
}

const whatExists = (selected: PartitionSet, existing: PartitionSet, now: number): string => {
  const { partitions } = existing
  if (Partitions.isMulti(partitions)) {
    const parts = partitions.dimensions.map(({ name }) => `${name} ${format(dimension(existing, name), 10)}`)
    return isEmpty(existing) ? "no partition exists yet" : `what exists is ${parts.join(" | ")}`
  }
  if (!Partitions.isTimeWindows(partitions)) {
    return isEmpty(existing) ? "no partition exists" : `the partitions are ${format(existing, 10)}`
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

const segmentForms = (partitions: Partitions.Static | Partitions.TimeWindows): string =>
  Partitions.isStatic(partitions)
    ? format(all(partitions), 10)
    : "2024-03, 2024-03..2024-05-15, 2024-03.., ..2024-05, latest"
