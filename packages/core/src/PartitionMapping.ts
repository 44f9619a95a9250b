/**
 * What a change upstream makes stale downstream. A mapping is data on the edge between two assets; it is one relation
 * read both ways: forwards it turns changed rows into stale units, backwards it tells which upstream rows a unit is
 * made of (L7). The interpreters live in `warehouse` (rows) and `planning` (whole partitions).
 */

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
 * partition that holds it. Downstream of a keyed asset the columns hold the key.
 *
 * @category models
 * @since 0.1.0
 */
export interface ByColumns<out Column extends string = string> {
  readonly _tag: "ByColumns"
  readonly columns: ReadonlyArray<Column>
}

/**
 * A changed row makes every partition stale from the one on that holds the column's value (old or new image).
 *
 * **Details**
 *
 * Where the column is the start of the windows of a slowly changing dimension, the change begins at the first instant at
 * which the dimension says something else than before. So the compute may ask what holds at an instant, up to the end of
 * its partition; one that counts versions or reads their bounds for themselves maps by `all`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Onwards<out Column extends string = string> {
  readonly _tag: "Onwards"
  readonly column: Column
}

/**
 * A changed version of a slowly changing dimension makes the units stale whose facts it is looked up for.
 *
 * **Details**
 *
 * `facts` names another input of the same asset; a fact with key `key` at time `at` sees the version whose window
 * holds that time. A unit is stale when one of its facts sees other values than before.
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
}

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
 * The unit that the row's columns name: the key of a keyed asset, or the partition that holds a date or timestamp.
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
export const onwards = <const Column extends string>(column: Column): Onwards<Column> => ({ _tag: "Onwards", column })

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
}): AsOf<Facts, Key, At> => ({ _tag: "AsOf", ...options })

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
  }
}
