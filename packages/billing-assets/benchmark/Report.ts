/**
 * The stages as tables, for a terminal and for the page.
 */
import type { Cost } from "./Meter.ts"
import * as Stage from "./Stage.ts"

/** The heads of the table's columns. */
export const head: ReadonlyArray<string> = ["stage", "Assay", "floor", "ratio", "rows/s", "aim", "met"]

/** What a stage took, beside the floor and its aim. */
export const times = (stage: Of): ReadonlyArray<string> => [
  stage.what,
  duration(stage.assay.ms),
  stage.floor === null ? "" : duration(stage.floor.ms),
  number(Stage.ratio(stage), (ratio) => `${ratio.toFixed(ratio < 10 ? 2 : 1)} ×`),
  number(Stage.rate(stage), (rate) => Math.round(rate).toLocaleString("en-US")),
  stage.aim?.text ?? "",
  stage.aim === null ? "" : stage.aim.isMet ? "yes" : "no"
]

/** The heads of the columns of work. */
export const workHead: ReadonlyArray<string> = [
  "stage",
  "by",
  "Node",
  "server",
  "WAL",
  "statements",
  "pages touched",
  "Node peak",
  "server peak"
]

/** What a stage did, by Assay and by the floor. */
export const work = (stage: Of): ReadonlyArray<ReadonlyArray<string>> => [
  [stage.what, "Assay", ...figures(stage.assay)],
  ...(stage.floor === null ? [] : [["", "floor", ...figures(stage.floor)]])
]

/** Lines of a table whose columns stand below each other. */
export const aligned = (
  titles: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const widths = widthsOf(titles, rows)
  const text = (line: ReadonlyArray<string>) => cells(line, widths).join("  ").trimEnd()
  return [text(titles), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(text)]
}

/** The same in Markdown. */
export const markdown = (
  titles: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const widths = widthsOf(titles, rows).map((width) => Math.max(3, width))
  const text = (line: ReadonlyArray<string>) => `| ${cells(line, widths).join(" | ")} |`
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`))
  return [text(titles), `| ${rule.join(" | ")} |`, ...rows.map(text)]
}

/** A duration in the unit that suits it. */
export const duration = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`

// --- internal ---

type Of = Pick<Stage.Stage, "what" | "rows" | "assay" | "floor" | "aim">

const figures = (cost: Cost): ReadonlyArray<string> => [
  duration(cost.nodeMs),
  number(cost.serverMs, duration),
  bytes(cost.walBytes),
  number(cost.statements, (count) => count.toLocaleString("en-US")),
  number(cost.touches, (count) => count.toLocaleString("en-US")),
  number(cost.nodeMb, (mb) => `${mb.toFixed(0)} MB`),
  number(cost.serverMb, (mb) => `${mb.toFixed(0)} MB`)
]

const number = (value: number | null, text: (value: number) => string): string => (value === null ? "" : text(value))

const bytes = (count: number): string =>
  count < 1e6
    ? `${(count / 1e3).toFixed(0)} kB`
    : count < 1e9
      ? `${(count / 1e6).toFixed(0)} MB`
      : `${(count / 1e9).toFixed(1)} GB`

const widthsOf = (titles: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<number> =>
  titles.map((_, column) => Math.max(...[titles, ...rows].map((line) => (line[column] ?? "").length)))

const cells = (line: ReadonlyArray<string>, widths: ReadonlyArray<number>): ReadonlyArray<string> =>
  widths.map((width, column) =>
    column === 0 ? (line[column] ?? "").padEnd(width) : (line[column] ?? "").padStart(width)
  )
