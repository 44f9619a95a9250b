/**
 * What is an amount of money, exactly? A decimal of at most 16 digits before and 4 after the point, from the text of
 * the feed to the text of a report; never a JavaScript number.
 */
import * as Column from "@assay/core/Column"
import * as BigDecimal from "effect/BigDecimal"

/**
 * A column that holds one amount, `numeric(20,4)`.
 *
 * @category columns
 * @since 0.1.0
 */
export const column = Column.decimal({ precision: 20, scale: 4 })

/**
 * A column that holds a sum of amounts: as exact, with room for 10^18 of the largest ones.
 *
 * @category columns
 * @since 0.1.0
 */
export const totalColumn = Column.decimal({ precision: 38, scale: 4 })

/**
 * Nothing.
 *
 * @category constants
 * @since 0.1.0
 */
export const zero: BigDecimal.BigDecimal = BigDecimal.make(0n, 4)

/**
 * The amount that a decimal text stands for, or undefined where it is not one.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromText = (text: string): BigDecimal.BigDecimal | undefined => {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, sign = "", whole = "", fraction = ""] = match
  return BigDecimal.make(BigInt(`${sign === "-" ? "-" : ""}${whole}${fraction.padEnd(4, "0")}`), 4)
}

// --- internal ---

const pattern = /^([+-]?)(\d{1,16})(?:\.(\d{1,4}))?$/
