/**
 * What a change set makes stale downstream: the edge's mapping read forwards. An edge sees only the columns and rows its
 * input names, so the change that counts is the difference, as multisets, between the old and the new images seen
 * through the input; what differs elsewhere makes nothing stale (L6). The twin in SQL is `SqlChange.ts`.
 */
import type { Asset, NamedInput } from "../Asset.ts"
import { unitColumns } from "../Asset.ts"
import type { Edge } from "../AssetGraph.ts"
import { type Column, type Row, rowText } from "../Column.ts"
import { compare as compareBytes } from "../internal/byteOrder.ts"
import type { AsOf, Bounds, ByColumns, Keys, Onwards } from "../PartitionMapping.ts"
import { matches } from "../RowFilter.ts"
import { all, listed, none, type UnitSet } from "../Unit.ts"
import type { Scd2 } from "../WriteStrategy.ts"
import * as Cells from "./Cells.ts"
import * as InputWindow from "./InputWindow.ts"
import * as KeyOrder from "./KeyOrder.ts"
import * as MemoryUnit from "./MemoryUnit.ts"

/**
 * The rows that a write removed and added; a changed row is in both, in its old and its new image.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly removed: ReadonlyArray<Row>
  readonly added: ReadonlyArray<Row>
}

/**
 * The change of a write that changed nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Change = { removed: [], added: [] }

/**
 * The difference between old and new images, seen through an input and in the columns its mapping reads: rows that
 * look the same before and after cancel out.
 *
 * @category mapping
 * @since 0.1.0
 */
export const difference = (
  { input, upstream }: Pick<Edge, "input" | "upstream">,
  mapped: ReadonlyArray<string>,
  change: Change
): ReadonlyArray<Row> => {
  const columns = Cells.named(upstream, new Set([...input.columns, ...mapped]))
  const surplus = new Map<string, { readonly row: Row; count: number }>()
  const add = (rows: ReadonlyArray<Row>, by: 1 | -1) => {
    for (const row of rows) {
      if (!matches(upstream.columns, input.where, row)) continue
      const text = rowText(columns, row)
      const known = surplus.get(text)
      if (known === undefined) surplus.set(text, { row, count: by })
      else known.count += by
    }
  }
  add(change.added, 1)
  add(change.removed, -1)
  return Array.from(surplus.values()).flatMap(({ count, row }) => (count === 0 ? [] : [row]))
}

/**
 * The units named by the columns of changed rows, in their old and their new image.
 *
 * @category mapping
 * @since 0.1.0
 */
export const byColumns = (edge: Edge, mapping: ByColumns, change: Change): UnitSet => {
  const unit = MemoryUnit.of(edge.downstream, Cells.named(edge.upstream, mapping.columns))
  return reached(edge.downstream, difference(edge, mapping.columns, change).map(unit))
}

/**
 * The partitions of the upstream asset that hold changed rows.
 *
 * @category mapping
 * @since 0.1.0
 */
export const partitions = (edge: Edge, change: Change): ReadonlyArray<string> =>
  distinct(difference(edge, unitColumns(edge.upstream), change).map(MemoryUnit.own(edge.upstream)))

/**
 * Whether a change is seen in the partitions that every unit reads.
 *
 * @category mapping
 * @since 0.1.0
 */
export const keys = (edge: Edge, mapping: Keys, change: Change): UnitSet => {
  const names = unitColumns(edge.upstream)
  const { downstream, upstream } = edge
  const isRead = MemoryUnit.isInSome(
    InputWindow.ofKeys(mapping, { upstream, downstream, units: [] }),
    Cells.named(upstream, names)
  )
  return difference(edge, names, change).some(isRead) ? all : none
}

/**
 * Whether a change is seen in the partition that is or was the last one with a row.
 *
 * **Details**
 *
 * A partition behind the one that is the last now has lost all its rows, so it was the last before. One before it is not
 * read, and was not: the last partition only moves back when it loses its rows.
 *
 * @category mapping
 * @since 0.1.0
 */
export const last = (edge: Edge, options: { readonly change: Change; readonly rows: Iterable<Row> }): UnitSet => {
  const { input, upstream } = edge
  const names = unitColumns(upstream)
  const [column] = Cells.named(upstream, names)
  if (column === undefined) return all
  const placeOf = MemoryUnit.placeOf(upstream.partitions, column)
  let now = Number.NEGATIVE_INFINITY
  for (const row of options.rows) {
    if (matches(upstream.columns, input.where, row)) now = Math.max(now, placeOf(row) ?? now)
  }
  return difference(edge, names, options.change).some((row) => (placeOf(row) ?? Number.NEGATIVE_INFINITY) >= now)
    ? all
    : none
}

/**
 * Every partition from the first one on that a mapping onwards reaches.
 *
 * **Details**
 *
 * Where the column is the start of a slowly changing dimension's windows and their bounds are only compared, the change
 * begins at the first instant at which the old and the new versions say something else, which may lie inside a window:
 * when a version is closed, the time before its new end is as it was.
 *
 * @category mapping
 * @since 0.1.0
 */
export const onwards = (edge: Edge, mapping: Onwards, change: Change): UnitSet => {
  const { upstream } = edge
  const [column] = Cells.named(upstream, [mapping.column])
  if (column === undefined) return none
  const changes =
    upstream.write._tag === "Scd2" && upstream.write.validFrom === mapping.column && mapping.bounds === "compared"
      ? boundaries(edge, upstream.write, change)
      : difference(edge, [mapping.column], change)
  const values = changes.flatMap((row) => Cells.text(column, row) ?? []).toSorted(compareBytes)
  return onwardsFrom(edge, mapping, values[0] ?? null)
}

/**
 * Every partition that reads a row with this value, by a mapping onwards; none for null.
 *
 * @category mapping
 * @since 0.1.0
 */
export const onwardsFrom = ({ downstream, upstream }: Edge, mapping: Onwards, value: string | null): UnitSet => {
  const { partitions } = downstream
  const [column] = Cells.named(upstream, [mapping.column])
  if (column === undefined || value === null) return none
  if (partitions._tag !== "TimeWindows") return all
  const instant = MemoryUnit.instantOf(partitions, column)({ [column.name]: value })
  return instant === undefined ? none : KeyOrder.onwards(partitions, instant)
}

/**
 * The units of the facts for which the changed versions of a slowly changing dimension say something else than before.
 *
 * @category mapping
 * @since 0.1.0
 */
export const asOf = (
  edge: Edge,
  mapping: AsOf,
  options: { readonly change: Change; readonly facts: NamedInput; readonly rows: Iterable<Row>; readonly write: Scd2 }
): UnitSet => {
  const { change, facts, rows, write } = options
  const { downstream, input, upstream } = edge
  const [dimensionKey] = Cells.named(upstream, write.key)
  const [key, at] = Cells.named(facts.asset, [mapping.key, mapping.at])
  if (dimensionKey === undefined || key === undefined || at === undefined) return none
  const histories = historiesOf({ input, upstream }, write, [dimensionKey], change)
  const mapped = facts.mapping._tag === "ByColumns" ? facts.mapping.columns : []
  const unit = MemoryUnit.of(downstream, Cells.named(facts.asset, mapped))
  const says = saysOf(input, upstream, write, mapping.bounds)
  const units: Array<string | null> = []
  for (const fact of rows) {
    const name = Cells.keyText([key], fact)
    const history = name === null ? undefined : histories.get(name)
    const instant = instantText(at, fact)
    if (history === undefined || instant === null || !matches(facts.asset.columns, facts.where, fact)) continue
    if (says(holding(history.before, instant)) !== says(holding(history.after, instant))) units.push(unit(fact))
  }
  return reached(downstream, units)
}

/**
 * What a version of a slowly changing dimension says: the columns that the input shows, without its window's bounds where
 * the compute only compares them.
 *
 * @category mapping
 * @since 0.1.0
 */
export const attributes = (input: NamedInput, write: Scd2, bounds: Bounds): ReadonlyArray<string> =>
  input.columns.filter((name) => bounds === "shown" || (name !== write.validFrom && name !== write.validTo))

// --- internal ---

/** A key's versions in order of their start, before and after the change. Unchanged versions are in neither. */
interface History {
  readonly before: ReadonlyArray<Version>
  readonly after: ReadonlyArray<Version>
}

interface Version {
  readonly from: string
  readonly to: string | null
  readonly row: Row
}

const distinct = (units: Iterable<string | null>): ReadonlyArray<string> =>
  Array.from(new Set(units))
    .flatMap((unit) => unit ?? [])
    .toSorted(compareBytes)

const reached = (downstream: Asset, units: Iterable<string | null>): UnitSet => {
  const isWithin = unitColumns(downstream).length === 0 ? () => true : MemoryUnit.isWithin(downstream.partitions)
  return listed(distinct(units).filter(isWithin))
}

/** A timestamp's text, or that of the midnight at which a date begins in UTC: text order is time order. */
const instantText = (column: Column, row: Row): string | null => {
  const text = Cells.text(column, row)
  return text !== null && column.kind._tag === "Date" ? `${text}T00:00:00.000000Z` : text
}

const historiesOf = (
  { input, upstream }: Pick<Edge, "input" | "upstream">,
  write: Scd2,
  key: ReadonlyArray<Column>,
  change: Change
): ReadonlyMap<string, History> => {
  const [start, end] = Cells.named(upstream, [write.validFrom, write.validTo])
  const group = (rows: ReadonlyArray<Row>) =>
    Map.groupBy(
      rows
        .flatMap((row) => {
          const begins = start === undefined ? null : instantText(start, row)
          const name = Cells.keyText(key, row)
          if (end === undefined || begins === null || name === null) return []
          return matches(upstream.columns, input.where, row)
            ? [{ name, from: begins, to: instantText(end, row), row }]
            : []
        })
        .toSorted((a, b) => compareBytes(a.from, b.from)),
      ({ name }) => name
    )
  const before = group(change.removed)
  const after = group(change.added)
  return new Map(
    Array.from(new Set([...before.keys(), ...after.keys()]), (name) => [
      name,
      { before: before.get(name) ?? [], after: after.get(name) ?? [] }
    ])
  )
}

/** The version that holds at an instant: versions of a key do not overlap, so only the last to begin can. */
const holding = (versions: ReadonlyArray<Version>, at: string): Row | undefined => {
  let low = 0
  let high = versions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const version = versions[middle]
    if (version !== undefined && version.from <= at) low = middle + 1
    else high = middle
  }
  const last = versions[low - 1]
  return last !== undefined && (last.to === null || at < last.to) ? last.row : undefined
}

const saysOf = (
  input: NamedInput,
  upstream: Asset,
  write: Scd2,
  bounds: Bounds
): ((row: Row | undefined) => string | undefined) => {
  const columns = Cells.named(upstream, attributes(input, write, bounds))
  return (row) => (row === undefined ? undefined : rowText(columns, row))
}

/** The instants at which windows begin or end and the versions before and after differ from there on. */
const boundaries = ({ input, upstream }: Edge, write: Scd2, change: Change): ReadonlyArray<Row> => {
  const says = saysOf(input, upstream, write, "compared")
  const histories = historiesOf({ input, upstream }, write, Cells.named(upstream, write.key), change)
  return Array.from(histories.values()).flatMap(({ after, before }) => {
    const instants = new Set([...before, ...after].flatMap((version) => [version.from, version.to ?? version.from]))
    return Array.from(instants).flatMap((at): ReadonlyArray<Row> =>
      says(holding(before, at)) === says(holding(after, at)) ? [] : [{ [write.validFrom]: at }]
    )
  })
}
