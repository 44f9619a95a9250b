/**
 * The tables and the plot of docs/performance.md, drawn from what was measured: a page says `<!-- bench: name rows -->`
 * before a table (`times 10m`), and the last run of so many rows is put there; where the history has none, the table stays.
 * `--write` does it; without, the tables are printed. The plot is that of the fewest rows.
 *
 * Usage: node packages/billing-assets/benchmark/draw.ts [--history FILE] [--write]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import { rowsOf } from "./Arguments.ts"
import type * as History from "./History.ts"
import { read } from "./History.ts"
import * as Report from "./Report.ts"
import * as Stage from "./Stage.ts"

/** The blocks of the page by name. */
export const blocks = (entry: History.Entry): ReadonlyMap<string, ReadonlyArray<string>> =>
  new Map([
    ["machine", [machine(entry)]],
    ["times", Report.markdown(Report.head, entry.stages.map(Report.times))],
    ["work", Report.markdown(Report.workHead, entry.stages.flatMap(Report.work))]
  ])

/** The page with every block as the run of its number of rows says it. */
export const redraw = (page: string, entries: ReadonlyArray<History.Entry>): string =>
  page.replace(
    /<!-- bench: (\w+) (\w+) -->\n[\s\S]*?<!-- \/bench -->/g,
    (block: string, name: string, rows: string) => {
      const entry = entries.find((one) => one.rows === rowsOf(rows))
      const lines = entry === undefined ? undefined : blocks(entry).get(name)
      return lines === undefined
        ? block
        : [`<!-- bench: ${name} ${rows} -->`, "", ...lines, "", "<!-- /bench -->"].join("\n")
    }
  )

/** A bar for each stage, on a logarithmic scale of how many times the floor's time it took. */
export const plot = (entry: History.Entry): string => {
  const bars = entry.stages.flatMap((stage) => {
    const ratio = Stage.ratio(stage)
    return ratio === null ? [] : [{ what: stage.what, ratio, isMet: stage.aim?.isMet }]
  })
  const [least, most] = [0.5, Math.max(10, ...bars.map(({ ratio }) => ratio))]
  const x = (ratio: number) =>
    left + (Math.log(Math.max(ratio, least) / least) / Math.log(most / least)) * (width - left - margin)
  const height = top + bars.length * step + 8
  const marks = [0.5, 1, 2, 5, 10, 20, 50].filter((mark) => mark <= most)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `  <title>Time of each stage as a multiple of hand-written SQL, ${entry.rows.toLocaleString("en-US")} rows</title>`,
    `  <rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...marks.flatMap((mark) => [
      `  <line x1="${at(x(mark))}" x2="${at(x(mark))}" y1="${top - 6}" y2="${height - 6}" stroke="${mark === 1 ? "#333333" : "#dddddd"}"/>`,
      `  <text x="${at(x(mark))}" y="${top - 12}" text-anchor="middle" fill="#555555">${mark} ×</text>`
    ]),
    ...bars.flatMap(({ isMet, ratio, what }, index) => {
      const y = top + index * step
      const [from, to] = [Math.min(x(1), x(ratio)), Math.max(x(1), x(ratio))]
      return [
        `  <text x="${left - 10}" y="${y + 14}" text-anchor="end" fill="#222222">${what}</text>`,
        `  <rect x="${at(from)}" y="${y + 3}" width="${at(Math.max(1, to - from))}" height="14" fill="${isMet === false ? "#c8553d" : "#4a7c8c"}"/>`,
        `  <text x="${at(to + 5)}" y="${y + 14}" fill="#222222">${ratio.toFixed(1)}</text>`
      ]
    }),
    "</svg>",
    ""
  ].join("\n")
}

// --- internal ---

const [width, left, margin, top, step] = [860, 330, 60, 34, 22]

const at = (place: number): string => place.toFixed(1)

const machine = ({ at, machine, rows, seed }: History.Entry): string =>
  `${machine.cores} cores (${machine.processor}), ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node.replace("v", "")}, ` +
  `PostgreSQL ${machine.postgres}; ${rows.toLocaleString("en-US")} rows, seed ${seed}, ${at.slice(0, 10)}. ` +
  `${machine.load.toFixed(1)} processes were running or waiting for a core when it began.`

if (import.meta.main) {
  const root = Path.join(import.meta.dirname, "../../..")
  const { values } = parseArgs({
    options: {
      history: { type: "string", default: Path.join(root, ".assay/benchmark/history.jsonl") },
      write: { type: "boolean", default: false }
    }
  })
  const entries = read(values.history)
  const sizes = Array.from(new Set(entries.map(({ rows }) => rows))).toSorted((a, b) => a - b)
  const last = sizes.flatMap((size) => entries.findLast(({ rows }) => rows === size) ?? [])
  const [smallest] = last
  if (smallest === undefined) {
    console.error("The history has no run: measure one with run.ts.")
    process.exitCode = 1
  } else if (values.write) {
    const page = Path.join(root, "docs/performance.md")
    Fs.writeFileSync(page, redraw(Fs.readFileSync(page, "utf8"), last))
    Fs.writeFileSync(Path.join(root, "docs/performance.svg"), plot(smallest))
  } else {
    for (const entry of last) for (const lines of blocks(entry).values()) console.log(`${lines.join("\n")}\n`)
  }
}
