/**
 * How is a value quoted in a sentence about it? As JSON, and never more of it than a person wants to read.
 */

/**
 * A value in quotes, cut where it is long.
 *
 * @category conversions
 * @since 0.1.0
 */
export const quote = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 76)}…${text.startsWith('"') ? '"' : ""}` : text
}
