/**
 * How does a sentence fit a terminal? Broken between words at the width, later lines indented; a cell that must stay on
 * one line is cut, and shows that it was.
 */
import { displayWidth } from "effect/cli/CliOutput"

/**
 * The columns that a text takes on a terminal, colours not counted.
 *
 * @category getters
 * @since 0.1.0
 */
export const width: (text: string) => number = displayWidth

/**
 * The lines of a text, each no wider than `width`; a word that alone is wider is cut into pieces.
 *
 * @category conversions
 * @since 0.1.0
 */
export const wrap = (
  text: string,
  options: { readonly width: number; readonly indent?: string }
): ReadonlyArray<string> => {
  const indent = options.indent ?? ""
  return text.split("\n").flatMap((paragraph) => {
    const [, margin = "", rest = ""] = /^(\s*)(.*)$/.exec(paragraph) ?? []
    const lines: Array<string> = []
    let line = margin
    let isEmpty = true
    for (const word of rest.split(" ").flatMap((word) => pieces(word, options.width - width(margin + indent)))) {
      if (!isEmpty && width(line) + 1 + width(word) > options.width) {
        lines.push(line)
        line = margin + indent + word
      } else {
        line = isEmpty ? line + word : `${line} ${word}`
      }
      isEmpty = false
    }
    return [...lines, line]
  })
}

/**
 * The text in at most `width` columns; what is cut off is told by the ellipsis.
 *
 * @category conversions
 * @since 0.1.0
 */
export const truncate = (text: string, options: { readonly width: number; readonly ellipsis: string }): string => {
  // Most cells are short: a character takes at most two columns.
  if (text.length * 2 <= options.width || width(text) <= options.width) return text
  const room = options.width - width(options.ellipsis)
  if (room <= 0) return options.ellipsis.slice(0, Math.max(0, options.width))
  let kept = ""
  let taken = 0
  for (const { segment } of graphemes.segment(text)) {
    const next = width(segment)
    if (taken + next > room) break
    kept += segment
    taken += next
  }
  return kept + options.ellipsis
}

/**
 * The text on one line and harmless to a terminal: control characters are written as escapes.
 *
 * @category conversions
 * @since 0.1.0
 */
export const visible = (text: string): string =>
  text.replaceAll(
    control,
    (character) => escapes[character] ?? `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`
  )

// --- internal ---

const pieces = (word: string, room: number): ReadonlyArray<string> => {
  if (width(word) <= room || room < 1) return [word]
  const found: Array<string> = []
  let piece = ""
  let taken = 0
  for (const { segment } of graphemes.segment(word)) {
    const next = width(segment)
    if (taken + next > room) {
      found.push(piece)
      piece = ""
      taken = 0
    }
    piece += segment
    taken += next
  }
  return [...found, piece]
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })

/** Also the C1 range, in which terminals find sequences of their own. */
const control = /\p{Cc}/gu

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }
