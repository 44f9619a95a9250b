/**
 * How do rows of text stand in columns? Aligned, numbers to the right, and no wider than the terminal: wide columns
 * give way first, and cut cells show that they are cut.
 */
import * as Paragraph from "./Paragraph.ts"
import { plain, type Style } from "./Style.ts"

/**
 * A column of a table.
 *
 * @category models
 * @since 0.1.0
 */
export interface Column {
  readonly title: string
  readonly align?: "left" | "right"
  /** Whether the column stays whole when the table is too wide; names and numbers do. */
  readonly isFixed?: boolean
}

/**
 * A table, its cells already text. Cells may carry colours where they are not cut.
 *
 * @category models
 * @since 0.1.0
 */
export interface Table {
  readonly columns: ReadonlyArray<Column>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

/**
 * The lines of a table.
 *
 * @category conversions
 * @since 0.1.0
 */
export const render = (
  self: Table,
  options: { readonly width: number; readonly style?: Style; readonly margin?: string }
): ReadonlyArray<string> => {
  const style = options.style ?? plain
  const margin = options.margin ?? ""
  const { columns, rows } = self
  const widths = fit(naturalWidths(self), columns, options.width - margin.length - gap.length * (columns.length - 1))
  const line = (cells: ReadonlyArray<string>, look: (text: string) => string) =>
    (margin +
      columns
        .map(({ align }, index) =>
          look(place(cells[index] ?? "", { width: widths[index] ?? 0, align: align ?? "left", ellipsis: style.symbols.ellipsis }))
        )
        .join(gap)).trimEnd()
  return [
    line(columns.map(({ title }) => title), style.dim),
    ...rows.map((row) => line(row, (cell) => cell))
  ]
}

/**
 * How many of the first columns fit a width, at their narrowest; at least one.
 *
 * @category getters
 * @since 0.1.0
 */
export const fitting = (self: Table, width: number): number => {
  const least = naturalWidths(self).map((natural, index) =>
    self.columns[index]?.isFixed === true ? natural : Math.min(natural, narrowest)
  )
  let taken = 0
  const beyond = least.findIndex((next, index) => {
    taken += next + (index === 0 ? 0 : gap.length)
    return taken > width
  })
  return beyond < 0 ? least.length : Math.max(1, beyond)
}

// --- internal ---

const naturalWidths = ({ columns, rows }: Table): ReadonlyArray<number> =>
  columns.map(({ title }, index) =>
    rows.reduce((widest, row) => Math.max(widest, Paragraph.width(row[index] ?? "")), Paragraph.width(title))
  )

const gap = "  "
const narrowest = 8

/** The widest column that may shrink shrinks first, so that narrow ones stay readable. */
const fit = (natural: ReadonlyArray<number>, columns: ReadonlyArray<Column>, room: number): ReadonlyArray<number> => {
  const widths = [...natural]
  let excess = widths.reduce((sum, width) => sum + width, 0) - room
  while (excess > 0) {
    const soft = widths.flatMap((width, index) => (columns[index]?.isFixed === true || width <= narrowest ? [] : [{ width, index }]))
    const sorted = soft.toSorted((a, b) => b.width - a.width)
    const [widest] = sorted
    if (widest === undefined) return widths
    const next = sorted.find(({ width }) => width < widest.width)?.width ?? narrowest
    const equals = sorted.filter(({ width }) => width === widest.width)
    const cut = Math.max(1, Math.min(widest.width - Math.max(next, narrowest), Math.floor(excess / equals.length)))
    for (const { index } of equals) {
      if (excess <= 0) break
      widths[index] = widest.width - cut
      excess -= cut
    }
  }
  return widths
}

const place = (
  cell: string,
  { align, ellipsis, width }: { readonly width: number; readonly align: "left" | "right"; readonly ellipsis: string }
): string => {
  const text = Paragraph.truncate(cell, { width, ellipsis })
  const padding = " ".repeat(Math.max(0, width - Paragraph.width(text)))
  return align === "right" ? padding + text : text + padding
}
