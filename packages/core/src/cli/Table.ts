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
  options: { readonly width: number; readonly style?: Style }
): ReadonlyArray<string> => {
  const style = options.style ?? plain
  const { columns, rows } = self
  const widths = fit(self, naturalWidths(self), options.width - gap.length * (columns.length - 1))
  const line = (cells: ReadonlyArray<string>, look: (text: string) => string) =>
    columns
      .map(({ align = "left" }, index) => {
        const room = { width: widths[index] ?? 0, align, ellipsis: style.symbols.ellipsis }
        return look(place(cells[index] ?? "", room))
      })
      .join(gap)
      .trimEnd()
  return [...titles(columns).map((cells) => line(cells, style.dim)), ...rows.map((row) => line(row, (cell) => cell))]
}

/**
 * The table with the titles of several words (`gross_amount`) on two lines, so that numbers, which are shorter than what
 * they are called, stand closer together.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withBrokenTitles = ({ columns, rows }: Table): Table => ({
  columns: columns.map((column) => ({ ...column, title: broken(column.title) })),
  rows
})

/**
 * How many of the first columns fit a width, none that gives way cut shorter than `readable`; at least one.
 *
 * @category getters
 * @since 0.1.0
 */
export const fitting = (
  self: Table,
  { readable, width }: { readonly width: number; readonly readable: number }
): number => {
  const least = leastWidths(self, naturalWidths(self), readable)
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
    rows.reduce((widest, row) => Math.max(widest, Paragraph.width(row[index] ?? "")), titleWidth(title))
  )

const titleWidth = (title: string): number => Math.max(...title.split("\n").map(Paragraph.width))

/** The lines of the titles; those of one line stand on the last. */
const titles = (columns: ReadonlyArray<Column>): ReadonlyArray<ReadonlyArray<string>> => {
  const parts = columns.map(({ title }) => title.split("\n"))
  const height = Math.max(...parts.map(({ length }) => length))
  return Array.from({ length: height }, (_, line) => parts.map((part) => part[line - height + part.length] ?? ""))
}

/** Broken behind the underscore that leaves the narrower halves. */
const broken = (title: string): string => {
  const words = title.split("_")
  const halves = words.slice(1).map((_, index) => {
    const first = `${words.slice(0, index + 1).join("_")}_`
    const second = words.slice(index + 1).join("_")
    return { text: `${first}\n${second}`, width: Math.max(first.length, second.length) }
  })
  const [narrowest] = halves.toSorted((a, b) => a.width - b.width)
  return narrowest?.text ?? title
}

const gap = "  "
const narrowest = 8

/** How narrow each column may become: a fixed one not at all, another to its title. */
const leastWidths = (
  { columns }: Table,
  natural: ReadonlyArray<number>,
  readable: number = narrowest
): ReadonlyArray<number> =>
  columns.map(({ isFixed, title }, index) => {
    const width = natural[index] ?? 0
    return isFixed === true ? width : Math.min(width, Math.max(readable, titleWidth(title)))
  })

/** The widest columns give way first, all down to one width, so that narrow ones stay whole. */
const fit = (self: Table, natural: ReadonlyArray<number>, room: number): ReadonlyArray<number> => {
  const least = leastWidths(self, natural)
  const capped = (cap: number) => natural.map((width, index) => Math.max(least[index] ?? 0, Math.min(width, cap)))
  const sum = (widths: ReadonlyArray<number>) => widths.reduce((total, width) => total + width, 0)
  let cap = Math.min(Math.max(0, ...natural), Math.max(0, room))
  while (cap > 0 && sum(capped(cap)) > room) cap -= 1
  let spare = Math.max(0, room - sum(capped(cap)))
  return capped(cap).map((width, index) => {
    if (spare === 0 || width >= (natural[index] ?? 0)) return width
    spare -= 1
    return width + 1
  })
}

const place = (
  cell: string,
  { align, ellipsis, width }: { readonly width: number; readonly align: "left" | "right"; readonly ellipsis: string }
): string => {
  const text = Paragraph.truncate(cell, { width, ellipsis })
  const padding = " ".repeat(Math.max(0, width - Paragraph.width(text)))
  return align === "right" ? padding + text : text + padding
}
