/**
 * What the trials found, as tables for people: one table per trial, Assay in the last line of each.
 */
import type * as Days from "./Days.ts"
import type * as Writers from "./Writers.ts"

/** The trial of concurrent writers. */
export const writers = ({ assayMs, batches, outcomes, rows, writersMs }: Writers.Results): ReadonlyArray<string> => [
  `watermark: ${batches} batches, ${rows} rows, by concurrent writers ` +
    `(${seconds(writersMs)} into a bare table, ${seconds(assayMs)} through Assay)`,
  ...table(
    ["consumer", "reads", "rows read again", "batches lost", "rows lost"],
    outcomes.map(({ again, lostBatches, lostRows, name, reads }) => [
      name,
      String(reads),
      String(again),
      `${lostBatches} (${percent(lostBatches, batches)})`,
      String(lostRows)
    ])
  )
]

/** A trial of the feed of days. */
export const days = ({ outcomes, trial }: Days.Result, { whole }: Days.Results): ReadonlyArray<string> => [
  `${trial.name}: ${trial.title.toLowerCase()}`,
  ...table(
    ["alternative", trial.work, "wrong rows", "wrong days", "off by"],
    outcomes.map(({ cells, days, name, off, work }) => [
      name,
      String(work),
      `${cells} (${percent(cells, whole.cells)})`,
      `${days} (${percent(days, whole.days)})`,
      off
    ])
  )
]

/** What the feed of days was, in one line. */
export const feed = ({ assayMs, whole }: Days.Results): string =>
  `The feed: ${whole.deliveredRows} rows in one delivery a day; they make ${whole.facts} invoices and ${whole.cells} rows of ` +
  `revenue on ${whole.days} days, ${whole.amount} in all. Assay took ${seconds(assayMs)} for all runs.`

// --- internal ---

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const percent = (part: number, whole: number): string =>
  `${whole === 0 || part === 0 ? 0 : ((100 * part) / whole).toFixed(1)} %`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)))
  const text = (line: ReadonlyArray<string>) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd()
  return [text(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(text)]
}
