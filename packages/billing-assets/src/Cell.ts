/**
 * What stands in a cell of a row whose type is not known statically? Checks look at such rows; where a cell holds
 * another kind of value than the check reads, it reads the plainest value of the wanted kind.
 */
import type * as Column from "@assay/core/Column"
import * as BigDecimal from "effect/BigDecimal"
import * as Money from "./Money.ts"

/**
 * The text in a cell, and no text where it holds none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const text = (cell: Column.Cell | undefined): string => (typeof cell === "string" ? cell : "")

/**
 * The amount in a cell, and zero where it holds none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const amount = (cell: Column.Cell | undefined): BigDecimal.BigDecimal =>
  BigDecimal.isBigDecimal(cell) ? cell : Money.zero

/**
 * The whole number in a cell, and zero where it holds none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const count = (cell: Column.Cell | undefined): number => (typeof cell === "number" ? cell : 0)
