/**
 * How do words look where they are shown? Colours where the terminal has them and the user wants them, Unicode where
 * the locale can show it, and plain ASCII everywhere else.
 */

/**
 * What an output can show.
 *
 * @category models
 * @since 0.1.0
 */
export interface Capabilities {
  readonly canColor: boolean
  readonly isUnicode: boolean
}

/**
 * The looks of an output.
 *
 * @category models
 * @since 0.1.0
 */
export interface Style extends Capabilities {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly green: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  /** Our own words: typographic signs become ASCII where the locale lacks them. Never for data. */
  readonly words: (text: string) => string
  readonly symbols: Readonly<
    Record<"done" | "unchanged" | "failed" | "skipped" | "warning" | "ellipsis" | "rule", string>
  >
}

/**
 * The style for an output.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (capabilities: Capabilities): Style => {
  const { canColor, isUnicode } = capabilities
  const sequence = (code: number) => (text: string) =>
    canColor && text !== "" ? `\u001B[${code}m${text}\u001B[0m` : text
  const green = sequence(32)
  const red = sequence(31)
  const yellow = sequence(33)
  const dim = sequence(2)
  return {
    ...capabilities,
    bold: sequence(1),
    dim,
    green,
    red,
    yellow,
    words: (text) => (isUnicode ? text : toAscii(text)),
    symbols: {
      done: green(isUnicode ? "✓" : "+"),
      unchanged: dim(isUnicode ? "·" : "="),
      failed: red(isUnicode ? "✗" : "x"),
      skipped: yellow(isUnicode ? "○" : "-"),
      warning: yellow("!"),
      ellipsis: isUnicode ? "…" : "...",
      rule: isUnicode ? "─" : "-"
    }
  }
}

/**
 * No colours and no Unicode: logs, pipes and tests.
 *
 * @category constants
 * @since 0.1.0
 */
export const plain: Style = make({ canColor: false, isUnicode: false })

// --- internal ---

const ascii: Readonly<Record<string, string>> = { "…": "...", "→": "->", "–": "-", "—": "-", "·": "|", "×": "x" }

const toAscii = (text: string): string => text.replaceAll(/[…→–—·×]/g, (sign) => ascii[sign] ?? sign)
