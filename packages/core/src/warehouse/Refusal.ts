/**
 * Why is a computed result not written? Because rows of it belong to units that were not asked for, because two of its
 * rows have one key, or because a value is missing or does not fit. The sentences, for every warehouse.
 */
import type { Asset } from "../Asset.ts"
import { columnUnsafe, unitColumns } from "../Asset.ts"
import type { Column } from "../Column.ts"
import { DataQuality, DefinitionFault } from "../MaterializationError.ts"
import type { RowFilter } from "../RowFilter.ts"
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
      `the compute returned ${rows} rows for ${named(units)}, which it was not asked to build. Each row's ` +
      `${unitColumns(asset).join(", ")} must follow from the same columns that the inputs are mapped by.`
  })

/**
 * Rows of units that no row of the inputs names. A step that rebuilds single units would never build or remove them, so
 * they would stay when what they come from is gone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const foreign = (asset: Asset, rows: number, units: ReadonlyArray<string | null>): DefinitionFault =>
  new DefinitionFault({
    message:
      `the compute of "${asset.name}" returned ${rows} rows for ${named(units)}, which no row of its inputs names. Each ` +
      `row's ${unitColumns(asset).join(", ")} must be what the inputs are mapped by: ${asset.inputs
        .flatMap(({ as, mapping }) => (mapping._tag === "ByColumns" ? [`${mapping.columns.join(", ")} of ${as}`] : []))
        .join("; ")}. Compute the key in an asset upstream and map by that column, or map an input by ` +
      "PartitionMapping.all.",
    code: undefined
  })

/**
 * The inputs whose rows name the units of an asset by their columns. Undefined where other inputs may name more of them,
 * so that rows of any unit have to be taken.
 *
 * @category getters
 * @since 0.1.0
 */
export const naming = (asset: Asset): ReadonlyArray<NamingInput> | undefined => {
  if (unitColumns(asset).length === 0) return undefined
  const inputs = asset.inputs.flatMap(({ asset, mapping, where }): ReadonlyArray<NamingInput> =>
    mapping._tag === "ByColumns"
      ? [{ asset, where, columns: mapping.columns.map((name) => columnUnsafe(asset, name)) }]
      : []
  )
  const isSure = asset.inputs.every(({ mapping }) => mapping._tag === "ByColumns" || mapping._tag === "AsOf")
  return isSure && inputs.length > 0 ? inputs : undefined
}

/**
 * An input that names units: its asset, its columns that do, and which of its rows.
 *
 * @category models
 * @since 0.1.0
 */
export interface NamingInput {
  readonly asset: Asset
  readonly columns: ReadonlyArray<Column>
  readonly where: RowFilter | undefined
}

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

const named = (units: ReadonlyArray<string | null>): string =>
  `${units
    .slice(0, shown)
    .map((unit) => `"${unit}"`)
    .join(", ")}${units.length > shown ? " and others" : ""}`
