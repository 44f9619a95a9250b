/**
 * How does the generator keep money exact? As a whole number of ten-thousandths of the currency unit, the finest
 * amount that the feed can carry, printed as decimal text.
 */

/**
 * An amount of money in ten-thousandths of its unit.
 *
 * @category models
 * @since 0.1.0
 */
export type Amount = bigint

/**
 * Reads a whole number of cents.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromCents = (cents: number): Amount => BigInt(cents) * 100n

/**
 * Takes so many thousandths of an amount, cut off after the fourth decimal.
 *
 * @category combinators
 * @since 0.1.0
 */
export const perMille = (amount: Amount, thousandths: number): Amount => (amount * BigInt(thousandths)) / 1000n

/**
 * Prints an amount with two decimals when that is exact, else with four.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toText = (amount: Amount): string => (amount % 100n === 0n ? print(amount / 100n, 2) : print(amount, 4))

/**
 * Prints an amount with four decimals always: the same number as `toText`, in another notation.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toLongText = (amount: Amount): string => print(amount, 4)

// --- internal ---

const print = (scaled: bigint, decimals: number): string => {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, "0")
  return `${scaled < 0n ? "-" : ""}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}
