/**
 * How a computed result lands in the asset's table, and with it the asset's grain of work. Every strategy writes the
 * difference between the stored and the computed rows of the units at hand and yields that difference as the change
 * set. The implementations are `warehouse/*` (memory) and `warehouse/Sql*` (PostgreSQL).
 */

import { isMulti, type Partitions } from "./Partitions.ts"

/**
 * The column that tells to which partition a row belongs; where the partitions have dimensions, a column for each by the
 * name of the dimension: `{ day: "event_date", region: "region" }`.
 *
 * @category models
 * @since 0.1.0
 */
export type Cut<Column extends string = string> = Column | { readonly [dimension: string]: Column }

/**
 * A log: rows are only ever added. The strategy of source assets.
 *
 * **Details**
 *
 * `batch` and `loadedAt` are filled by the engine with the landing's id and time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Append<out Column extends string = string> {
  readonly _tag: "Append"
  readonly key: ReadonlyArray<Column>
  readonly batch: Column
  readonly loadedAt: Column
}

/**
 * The latest version per key. The compute yields candidate versions; the greatest `version` wins, at equal versions a
 * deletion beats a row, and rows still tied are ordered by `_tie`. Where a deletion wins the key is absent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Upsert<out Column extends string = string> {
  readonly _tag: "Upsert"
  readonly key: ReadonlyArray<Column>
  readonly version: Column
  /**
   * The partitions by which the rows may be asked for. The unit of work stays the key: a row that moves from one day to
   * another is one changed key, not two rebuilt days.
   */
  readonly partitionedBy: { readonly column: Cut<Column>; readonly partitions: Partitions } | undefined
}

/**
 * A slowly changing dimension of type 2. The compute yields one observation per change, holding the whole state from
 * `validFrom` on; the strategy makes half-open, disjoint versions of them, rebuilding whole keys.
 *
 * **Details**
 *
 * `tracked` columns open a new version when they change; `latest` (type 1) columns carry the last value on every
 * version; `fixed` columns carry the first value that is not null on every version. Observations at one instant are
 * ordered by `_sequence`, of which the last counts. `surrogateKey` is a hash of the key and `validFrom`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scd2<out Column extends string = string> {
  readonly _tag: "Scd2"
  readonly key: ReadonlyArray<Column>
  readonly surrogateKey: Column
  readonly validFrom: Column
  readonly validTo: Column
  readonly isCurrent: Column
  readonly tracked: ReadonlyArray<Column>
  readonly latest: ReadonlyArray<Column>
  readonly fixed: ReadonlyArray<Column>
}

/**
 * Whole partitions: `column` tells to which partition a row belongs, `key` identifies a row.
 *
 * **Details**
 *
 * `additiveOver` is a column of every input over which the result is a sum: what all rows give is, key by key, the sum of
 * what the rows of each of its values give by themselves. Then a change of a few values need not rebuild whole partitions.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReplacePartitions<out Column extends string = string> {
  readonly _tag: "ReplacePartitions"
  readonly column: Cut<Column>
  readonly key: ReadonlyArray<Column>
  readonly additiveOver: string | undefined
}

/**
 * The whole table at once.
 *
 * @category models
 * @since 0.1.0
 */
export interface Replace<out Column extends string = string> {
  readonly _tag: "Replace"
  readonly key: ReadonlyArray<Column>
}

/**
 * No table at all: the compute is the definition of a database view, which is never stale.
 *
 * @category models
 * @since 0.1.0
 */
export interface View {
  readonly _tag: "View"
}

/**
 * How a computed result lands. The type parameter names the columns the strategy uses.
 *
 * @category models
 * @since 0.1.0
 */
export type WriteStrategy<Column extends string = string> =
  | Append<Column>
  | Upsert<Column>
  | Scd2<Column>
  | ReplacePartitions<Column>
  | Replace<Column>
  | View

/**
 * What a compute yields for a strategy: the rows themselves, and what the strategy needs to choose among them.
 *
 * @category models
 * @since 0.1.0
 */
export type Staged<Strategy, Row> = Strategy extends Upsert
  ? Row & { readonly _deleted: boolean; readonly _tie: string }
  : Strategy extends Scd2<infer _Column>
    ? // Spelled out in one piece, so that an error names the property that is missing.
      {
        readonly [
          Name in Exclude<keyof Row, Strategy["surrogateKey" | "validTo" | "isCurrent"]> | "_sequence"
        ]: Name extends keyof Row ? Row[Name] : number
      }
    : Row

/**
 * A log of rows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const append = <const Column extends string>(options: {
  readonly key: readonly [Column, ...Array<Column>]
  readonly batch: Column
  readonly loadedAt: Column
}): Append<Column> => ({ _tag: "Append", ...options })

/**
 * The latest version per key.
 *
 * @category constructors
 * @since 0.1.0
 */
export const upsert = <const Column extends string>(options: {
  readonly key: readonly [Column, ...Array<Column>]
  readonly version: Column
  readonly partitionedBy?: { readonly column: Cut<Column>; readonly partitions: Partitions }
}): Upsert<Column> => ({ _tag: "Upsert", partitionedBy: undefined, ...options })

/**
 * A slowly changing dimension of type 2.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scd2 = <
  const Key extends string,
  const SurrogateKey extends string,
  const ValidFrom extends string,
  const ValidTo extends string,
  const IsCurrent extends string,
  const Attribute extends string
>(options: {
  readonly key: readonly [Key, ...Array<Key>]
  readonly surrogateKey: SurrogateKey
  readonly validFrom: ValidFrom
  readonly validTo: ValidTo
  readonly isCurrent: IsCurrent
  readonly tracked: readonly [Attribute, ...Array<Attribute>]
  readonly latest?: ReadonlyArray<Attribute>
  readonly fixed?: ReadonlyArray<Attribute>
}): Scd2<Key | SurrogateKey | ValidFrom | ValidTo | IsCurrent | Attribute> & {
  readonly surrogateKey: SurrogateKey
  readonly validTo: ValidTo
  readonly isCurrent: IsCurrent
} => ({ _tag: "Scd2", latest: [], fixed: [], ...options })

/**
 * Whole partitions, told apart by a column, or by a column for each dimension.
 *
 * **Details**
 *
 * Where every column outside the key is a sum or a count, and no row of one customer changes what another customer gives,
 * say so by `additiveOver: "customer_id"`, a column that every input shows; the inputs are mapped by column, onwards, or as
 * of a time. When few customers changed, a step then adds what they give now and takes away what they gave before, instead
 * of computing their partitions anew. The rows are the same either way. How many different customers there are is such a
 * sum, an average or a greatest value is none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const replacePartitions = <const Column extends string, const By extends Cut>(
  column: By & Cut<Column>,
  options: { readonly key: readonly [Column, ...Array<Column>]; readonly additiveOver?: string }
): ReplacePartitions<Column> & { readonly column: By } => ({
  _tag: "ReplacePartitions",
  column,
  additiveOver: undefined,
  ...options
})

/**
 * The whole table at once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const replace = <const Column extends string>(options: {
  readonly key: readonly [Column, ...Array<Column>]
}): Replace<Column> => ({ _tag: "Replace", ...options })

/**
 * A database view.
 *
 * @category constructors
 * @since 0.1.0
 */
export const view: View = { _tag: "View" }

/**
 * The grain of work that a strategy implies: a log has none, keyed strategies work by key, others by partition.
 *
 * @category getters
 * @since 0.1.0
 */
export const grain = (self: WriteStrategy): "none" | "key" | "partition" => {
  switch (self._tag) {
    case "Append":
    case "View":
      return "none"
    case "Upsert":
    case "Scd2":
      return "key"
    case "ReplacePartitions":
    case "Replace":
      return "partition"
  }
}

/**
 * The columns of a cut, those of dimensions in the order of these.
 *
 * @category getters
 * @since 0.1.0
 */
export const cutColumns = <Column extends string>(cut: Cut<Column>, partitions: Partitions): ReadonlyArray<Column> => {
  if (typeof cut === "string") return [cut]
  return isMulti(partitions) ? partitions.dimensions.flatMap(({ name }) => cut[name] ?? []) : Object.values(cut)
}

/**
 * The columns that identify one row of the table; empty for a view.
 *
 * @category getters
 * @since 0.1.0
 */
export const primaryKey = (self: WriteStrategy): ReadonlyArray<string> => {
  switch (self._tag) {
    case "View":
      return []
    case "Scd2":
      return [...self.key, self.validFrom]
    default:
      return self.key
  }
}
