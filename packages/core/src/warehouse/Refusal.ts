/**
 * Why is a computed result not written? Because rows of it belong to units that were not asked for, because two of its
 * rows have one key, or because a value is missing or does not fit. The sentences, for every warehouse.
 */
import type { Asset } from "../Asset.ts"
import { unitColumns } from "../Asset.ts"
import { DataQuality } from "../MaterializationError.ts"
import { primaryKey } from "../WriteStrategy.ts"

/**
 * Rows of units that the step does not rebuild: they were computed from incomplete inputs, so writing them would be
 * wrong. A null unit stands for rows that name none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const strangers = (asset: Asset, rows: number, units: ReadonlyArray<string | null>): DataQuality =>
  new DataQuality({
    check: "units",
    message:
      `the compute returned ${rows} rows for ${units
        .slice(0, shown)
        .map((unit) => `"${unit}"`)
        .join(", ")}` +
      `${units.length > shown ? " and others" : ""}, which it was not asked to build. Each row's ` +
      `${unitColumns(asset).join(", ")} must follow from the same columns that the inputs are mapped by.`
  })

/**
 * Keys that more than one row has. `key` is an example, as text.
 *
 * @category constructors
 * @since 0.1.0
 */
export const duplicates = (asset: Asset, keys: number, key: string): DataQuality =>
  new DataQuality({
    check: "key",
    message: `${keys} ${keys === 1 ? "key belongs" : "keys belong"} to more than one row, for example (${primaryKey(
      asset.write
    ).join(", ")}) = ${key}. The key that the write strategy of "${asset.name}" names must identify one row.`
  })

/**
 * Nulls in a column that is not nullable.
 *
 * @category constructors
 * @since 0.1.0
 */
export const nulls = (asset: Asset, column: string, rows: number): DataQuality =>
  new DataQuality({
    check: "columns",
    message: `column "${column}" of "${asset.name}" is null in ${rows} ${rows === 1 ? "row" : "rows"}, but it is not declared nullable.`
  })

/**
 * A decimal with more digits before the point than its column holds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const overflow = (asset: Asset, column: string, value: string): DataQuality =>
  new DataQuality({
    check: "columns",
    message: `column "${column}" of "${asset.name}" cannot hold ${value}: it has more digits before the point than were declared.`
  })

/**
 * A value for which a column of its kind has no canonical text: a date of another form or beyond the years 1 to 9999, a
 * whole number that JavaScript rounds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const range = (asset: Asset, column: string, value: string): DataQuality =>
  new DataQuality({
    check: "columns",
    message: `column "${column}" of "${asset.name}" cannot hold ${value}: "${column} is out of range".`
  })

// --- internal ---

/** So many units are named in a message. */
const shown = 3
