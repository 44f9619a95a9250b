/**
 * Is a stored table of the shape that its asset declares? A table of another shape is reported, never altered behind the
 * owner's back.
 */
import * as Effect from "effect/Effect"
import type { Asset } from "../Asset.ts"
import { type Column, postgresType } from "../Column.ts"
import { SchemaMismatch } from "../MaterializationError.ts"

/**
 * A column of a table, as PostgreSQL names its type. A collation by which different texts are equal is part of the type:
 * an asset tells texts apart by their bytes, and so does no index of such a column.
 *
 * @category models
 * @since 0.1.0
 */
export interface TableColumn {
  readonly name: string
  readonly type: string
  readonly isNullable: boolean
}

/**
 * The table's column for a column of an asset.
 *
 * @category conversions
 * @since 0.1.0
 */
export const declared = ({ isNullable, kind, name }: Column): TableColumn => ({
  name,
  type: postgresType(kind),
  isNullable
})

/**
 * Fails with `SchemaMismatch` where the stored columns are not the declared ones, in any order.
 *
 * @category comparing
 * @since 0.1.0
 */
export const compare = (asset: Asset, stored: ReadonlyArray<TableColumn>): Effect.Effect<void, SchemaMismatch> => {
  const wanted = new Set(asset.columns.map((column) => describe(declared(column))))
  const found = new Set(stored.map(describe))
  const missing = Array.from(wanted.difference(found))
  const unexpected = Array.from(found.difference(wanted))
  return missing.length + unexpected.length === 0
    ? Effect.void
    : Effect.fail(
        new SchemaMismatch({
          message: [
            `table "${asset.name}" exists with other columns than the asset declares.`,
            ...(missing.length > 0 ? [`Declared, but not in the table: ${missing.join(", ")}.`] : []),
            ...(unexpected.length > 0 ? [`In the table, but not declared: ${unexpected.join(", ")}.`] : []),
            "Alter the table to the declared shape, or drop it and materialize the asset again."
          ].join(" ")
        })
      )
}

/**
 * Fails with `SchemaMismatch` where the stored table lies otherwise on disk than its asset says. `dividedBy` is the column by
 * whose ranges it is divided, null where that is done in another way, and undefined where it is one table.
 *
 * @category comparing
 * @since 0.1.0
 */
export const compareStorage = (
  { name, storage }: Asset,
  dividedBy: string | null | undefined
): Effect.Effect<void, SchemaMismatch> => {
  const wanted = storage._tag === "ByMonth" ? storage.column : undefined
  if (dividedBy === wanted) return Effect.void
  const found =
    dividedBy === undefined
      ? "one plain table"
      : dividedBy === null
        ? "divided into tables in another way than by ranges of a column"
        : `divided into tables by "${dividedBy}"`
  const says = wanted === undefined ? "one plain table" : `month tables by "${wanted}"`
  return Effect.fail(
    new SchemaMismatch({
      message:
        `table "${name}" exists and is ${found}, but the asset says ${says}. ` +
        "Change the storage of the asset, or drop the table and materialize the asset again."
    })
  )
}

// --- internal ---

const describe = ({ isNullable, name, type }: TableColumn): string =>
  `${name} ${type.replace("timestamp with time zone", "timestamptz")}${isNullable ? "" : " not null"}`
