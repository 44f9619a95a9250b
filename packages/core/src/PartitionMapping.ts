/**
 * What a change upstream makes stale downstream. A mapping is data on the edge between two assets; it is one relation
 * read both ways: forwards it turns changed rows into stale units, backwards it tells which upstream rows a unit is
 * made of (L7). The interpreters live in `warehouse` (rows) and `PartitionReach` (whole partitions).
 */
import * as Schema from "effect/Schema"

/**
 * Every change makes everything downstream stale, and every unit reads the whole upstream table.
 *
 * @category models
 * @since 0.1.0
 */
export interface All {
  readonly _tag: "All"
}

/**
 * A changed partition makes the partition of the same key stale.
 *
 * **Details**
 *
 * A unit reads the rows of that partition. A view has no column that tells a row's partition, so of a view every row is
 * read, by this mapping and by time windows: the compute itself takes those of its `units`, as it has to where a step
 * builds several.
 *
 * @category models
 * @since 0.1.0
 */
export interface Identity {
  readonly _tag: "Identity"
}

/**
 * A changed partition makes the downstream windows stale that its own window reaches.
 *
 * **Details**
 *
 * A downstream window `[s, e)` reads the upstream windows that overlap `[s + startOffset windows, e + endOffset
 * windows)`, both counted in downstream windows. Offsets of `-6` and `0` over daily partitions are a trailing week.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeWindows {
  readonly _tag: "TimeWindows"
  readonly startOffset: number
  readonly endOffset: number
}

/**
 * A changed row makes the unit stale that its columns name, in its old and in its new image.
 *
 * **Details**
 *
 * Downstream of a partitioned asset the column holds a date or a timestamp (or the static key), and the unit is the
 * partition that holds it; where that has dimensions, there is a column for each, in their order. Downstream of a keyed asset
 * the columns hold the key.
 *
 * @category models
 * @since 0.1.0
 */
export interface ByColumns<out Column extends string = string> {
  readonly _tag: "ByColumns"
  readonly columns: ReadonlyArray<Column>
}

/**
 * What a compute does with the bounds of a slowly changing dimension's windows: they are values that may show in the
 * result (`shown`), or it only compares them with times to find what holds then (`compared`).
 *
 * @category models
 * @since 0.1.0
 */
export type Bounds = "shown" | "compared"

/**
 * A changed row makes every partition stale from the one on that holds the column's value (old or new image). A partition
 * reads the rows up to its end; a row whose column is null belongs to none.
 *
 * **Details**
 *
 * Where the column is the start of the windows of a slowly changing dimension and bounds are `compared`, the change
 * begins at the first instant at which the dimension says something else than before, which may lie inside a window. So
 * the compute may ask what holds at an instant, up to the end of its partition. One that counts versions or returns a
 * bound leaves `bounds` as it is: then the change begins with the first window that differs in anything.
 *
 * @category models
 * @since 0.1.0
 */
export interface Onwards<out Column extends string = string> {
  readonly _tag: "Onwards"
  readonly column: Column
  readonly bounds: Bounds
}

/**
 * A changed version of a slowly changing dimension makes the units stale whose facts it is looked up for.
 *
 * **Details**
 *
 * `facts` names another input of the same asset; a fact with key `key` at time `at` sees the version whose window
 * holds that time. A unit is stale when one of its facts sees other values than before. The bounds of the window are
 * among these values if the input shows them. A compute needs them to find the version, so where it does nothing else
 * with them, say that they are `compared`: then a window that moves without another value at any fact makes nothing
 * stale. To say so of a compute that returns a bound makes its result silently wrong.
 *
 * @category models
 * @since 0.1.0
 */
export interface AsOf<
  out Facts extends string = string,
  out Key extends string = string,
  out At extends string = string
> {
  readonly _tag: "AsOf"
  readonly facts: Facts
  readonly key: Key
  readonly at: At
  readonly bounds: Bounds
}

/**
 * Every unit reads the last partition upstream that holds a row which the input sees, and a change of that one makes
 * everything stale.
 *
 * **Details**
 *
 * "Last" is said of rows, not of the clock: a window that has come to exist without a row is passed over. So the first
 * rows of a new window are the change that makes everything stale, in the transaction that writes them, and what a unit
 * reads is decided by the table alone (ADR 0019). Names are in the order in which they are defined.
 *
 * @category models
 * @since 0.1.0
 */
export interface Last {
  readonly _tag: "Last"
}

/**
 * Every unit reads these partitions upstream, and a change in one of them makes everything stale.
 *
 * @category models
 * @since 0.1.0
 */
export interface Keys {
  readonly _tag: "Keys"
  readonly keys: ReadonlyArray<string>
}

/**
 * A changed partition makes those partitions stale that its name is mapped to.
 *
 * **Details**
 *
 * The names on the left are upstream, those on the right downstream. One may feed several, and several may feed one. A
 * name upstream that is not on the left feeds nothing; one downstream that is nowhere on the right reads nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface StaticMap {
  readonly _tag: "StaticMap"
  readonly reaches: { readonly [upstream: string]: ReadonlyArray<string> }
}

/**
 * A relation between partitions that somebody else has written, in both directions.
 *
 * **Details**
 *
 * `downstream` tells the keys that an upstream key reaches, `upstream` the keys that a downstream key is made of. They are
 * asked key by key, so that what a set reaches can only be what its members reach. A key that lies beyond the other side's
 * range counts as one that does not exist; a text that is no key of it at all is refused. Both must say the same: they are
 * compared on a sample where the asset is defined, and on each pair that is used (L7). Name and version are part of the
 * code version, the functions are not: who changes a function changes the version.
 *
 * @category models
 * @since 0.1.0
 */
export interface Custom {
  readonly _tag: "Custom"
  readonly name: string
  readonly version: string
  readonly downstream: (upstreamKey: string) => ReadonlyArray<string>
  readonly upstream: (downstreamKey: string) => ReadonlyArray<string>
}

/**
 * How one dimension downstream is made of one upstream.
 *
 * @category models
 * @since 0.1.0
 */
export type DimensionMapping = Identity | TimeWindows | Keys | StaticMap | Custom | All

/**
 * A changed partition makes those partitions stale that it reaches in every dimension at once.
 *
 * **Details**
 *
 * Each link relates a dimension downstream to one upstream. A dimension that no link names is met by everything: a change
 * reaches all of it downstream, and all of it is read upstream.
 *
 * @category models
 * @since 0.1.0
 */
export interface ByDimension {
  readonly _tag: "ByDimension"
  readonly links: ReadonlyArray<DimensionLink>
}

/**
 * A dimension downstream, and the one upstream that it is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface DimensionLink {
  readonly downstream: string
  readonly upstream: string
  readonly mapping: DimensionMapping
}

/**
 * An asset that is cut in one way meets one dimension of an asset that is cut in several; whichever of them is upstream.
 *
 * @category models
 * @since 0.1.0
 */
export interface SingleDimension {
  readonly _tag: "SingleDimension"
  readonly dimension: string
  readonly mapping: DimensionMapping
}

/**
 * A mapping that contradicts itself, found where it is used.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidMapping extends Schema.TaggedError<InvalidMapping>("@assay/core/InvalidMapping")("InvalidMapping", {
  message: Schema.String
}) {}

/**
 * What a change upstream makes stale downstream. The type parameter names the upstream columns the mapping reads.
 *
 * @category models
 * @since 0.1.0
 */
export type PartitionMapping<Column extends string = string> =
  | All
  | Identity
  | TimeWindows
  | ByColumns<Column>
  | Onwards<Column>
  | AsOf
  | Last
  | Keys
  | StaticMap
  | Custom
  | ByDimension
  | SingleDimension

/**
 * A mapping that relates partitions by their keys alone: the changed partitions tell which ones they reach.
 *
 * @category models
 * @since 0.1.0
 */
export type ByPartition = Identity | TimeWindows | StaticMap | Custom | ByDimension | SingleDimension

/**
 * Every change makes everything downstream stale.
 *
 * @category constructors
 * @since 0.1.0
 */
export const all: All = { _tag: "All" }

/**
 * The same partition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const identity: Identity = { _tag: "Identity" }

/**
 * The downstream windows that an upstream window reaches, with offsets counted in downstream windows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const timeWindows = (
  options: { readonly startOffset?: number; readonly endOffset?: number } = {}
): TimeWindows => ({
  _tag: "TimeWindows",
  startOffset: options.startOffset ?? 0,
  endOffset: options.endOffset ?? 0
})

/**
 * The unit that the row's columns name: the key of a keyed asset, or the partition that holds a date or timestamp; one column
 * for each dimension, in their order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const byColumn = <const Column extends string>(
  ...columns: readonly [Column, ...Array<Column>]
): ByColumns<Column> => ({
  _tag: "ByColumns",
  columns
})

/**
 * Every partition from the one on that holds the column's value.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onwards = <const Column extends string>(
  column: Column,
  options: { readonly bounds?: Bounds } = {}
): Onwards<Column> => ({ _tag: "Onwards", column, bounds: options.bounds ?? "shown" })

/**
 * The units of the facts that see other values of this slowly changing dimension than before.
 *
 * @category constructors
 * @since 0.1.0
 */
export const asOf = <const Facts extends string, const Key extends string, const At extends string>(options: {
  readonly facts: Facts
  readonly key: Key
  readonly at: At
  readonly bounds?: Bounds
}): AsOf<Facts, Key, At> => ({ _tag: "AsOf", bounds: "shown", ...options })

/**
 * The last partition that holds a row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const last: Last = { _tag: "Last" }

/**
 * These partitions, for every unit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keys = (...keys: readonly [string, ...Array<string>]): Keys => ({ _tag: "Keys", keys })

/**
 * From each name upstream to the names downstream that it feeds: `{ eu: ["de", "fr"] }`, or `{ de: "eu", fr: "eu" }`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const staticMap = (reaches: {
  readonly [upstream: string]: string | readonly [string, ...Array<string>]
}): StaticMap => ({
  _tag: "StaticMap",
  reaches: Object.fromEntries(
    Object.entries(reaches).map(([upstream, downstream]) => [
      upstream,
      typeof downstream === "string" ? [downstream] : downstream
    ])
  )
})

/**
 * A relation between partitions of one's own, in both directions.
 *
 * **Example** (Each month is compared with the same month of the year before)
 *
 * ```ts
 * import * as PartitionMapping from "@assay/core/PartitionMapping"
 *
 * const moved = (key: string, years: number) => `${Number(key.slice(0, 4)) + years}${key.slice(4)}`
 *
 * export const yearBefore = PartitionMapping.custom({
 *   name: "year before",
 *   version: "1",
 *   downstream: (month) => [moved(month, 1)],
 *   upstream: (month) => [moved(month, -1)]
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const custom = (options: Omit<Custom, "_tag">): Custom => ({ _tag: "Custom", ...options })

/**
 * Dimension by dimension, by the names that these have downstream.
 *
 * **Details**
 *
 * A dimension is made of the one of the same name upstream, or of the one that `fromDimension` names. What is left out is met
 * by everything.
 *
 * **Example** (A trailing week of the same region)
 *
 * ```ts
 * import * as PartitionMapping from "@assay/core/PartitionMapping"
 *
 * export const trailingWeek = PartitionMapping.byDimension({
 *   day: PartitionMapping.timeWindows({ startOffset: -6 }),
 *   region: PartitionMapping.identity
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const byDimension = (dimensions: {
  readonly [downstream: string]: DimensionMapping | Omit<DimensionLink, "downstream">
}): ByDimension => ({
  _tag: "ByDimension",
  links: Object.entries(dimensions).map(([downstream, link]) =>
    "_tag" in link ? { downstream, upstream: downstream, mapping: link } : { downstream, ...link }
  )
})

/**
 * The dimension upstream, where it has another name than the one downstream.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromDimension = (
  upstream: string,
  mapping: DimensionMapping = identity
): Omit<DimensionLink, "downstream"> => ({ upstream, mapping })

/**
 * One dimension of the side that has several, against all of the side that has only one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const singleDimension = (dimension: string, mapping: DimensionMapping = identity): SingleDimension => ({
  _tag: "SingleDimension",
  dimension,
  mapping
})

/**
 * Tells whether a mapping relates partitions by their keys alone.
 *
 * @category guards
 * @since 0.1.0
 */
export const isByPartition = (self: PartitionMapping): self is ByPartition => {
  switch (self._tag) {
    case "Identity":
    case "TimeWindows":
    case "StaticMap":
    case "Custom":
    case "ByDimension":
    case "SingleDimension":
      return true
    case "All":
    case "ByColumns":
    case "Onwards":
    case "AsOf":
    case "Last":
    case "Keys":
      return false
  }
}

/**
 * Tells whether a mapping has units read partitions, so that what they read depends on which ones there are.
 *
 * @category predicates
 * @since 0.1.0
 */
export const readsPartitions = (self: PartitionMapping): boolean =>
  isByPartition(self) || self._tag === "Last" || self._tag === "Keys"

/**
 * The upstream columns that tell to which units a row belongs. A row in which one of them is null belongs to none.
 *
 * @category getters
 * @since 0.1.0
 */
export const columnsOf = (self: PartitionMapping): ReadonlyArray<string> => {
  switch (self._tag) {
    case "ByColumns":
      return self.columns
    case "Onwards":
      return [self.column]
    default:
      return []
  }
}

/**
 * A mapping in a few words, for plans and docs.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (self: PartitionMapping): string => {
  switch (self._tag) {
    case "All":
      return "everything"
    case "Identity":
      return "the same partition"
    case "TimeWindows":
      return self.startOffset === 0 && self.endOffset === 0
        ? "overlapping windows"
        : `windows from ${self.startOffset} to ${self.endOffset}`
    case "ByColumns":
      return `by ${self.columns.join(", ")}`
    case "Onwards":
      return `every partition from ${self.column} on`
    case "AsOf":
      return `${self.facts} by ${self.key} as of ${self.at}`
    case "Last":
      return "the last partition"
    case "Keys":
      return `always ${self.keys.join(", ")}`
    case "StaticMap":
      return Object.entries(self.reaches)
        .map(([upstream, downstream]) => `${upstream} to ${downstream.join(", ")}`)
        .join("; ")
    case "Custom":
      return `${self.name} (version ${self.version})`
    case "ByDimension":
      return self.links.length === 0
        ? "everything"
        : self.links
            .map(({ downstream, mapping, upstream }) => {
              const name = downstream === upstream ? downstream : `${downstream} from ${upstream}`
              return `${name}: ${format(mapping)}`
            })
            .join("; ")
    case "SingleDimension":
      return `dimension ${self.dimension}: ${format(self.mapping)}`
  }
}
