/**
 * What did a run do, for people? The line of each asset as it ends, the summary, what needs attention, and what to do
 * next.
 */
import type { AssetOutcome, RunResult } from "../execution/Runner.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { PlanStep, Why } from "../planning/Plan.ts"
import type { Board, Lane } from "./Board.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import type { Style } from "./Style.ts"
import * as Table from "./Table.ts"

/**
 * How much room there is, and how things look there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Layout {
  readonly style: Style
  readonly width: number
  /** The width of the longest asset name that may come. */
  readonly nameWidth: number
}

/**
 * The lines of an asset that has ended: what was done and why, how many rows changed, how long it took; and beneath it,
 * why it failed.
 *
 * @category conversions
 * @since 0.1.0
 */
export const ended = (lane: Lane, layout: Layout): ReadonlyArray<string> => {
  const { nameWidth, style, width } = layout
  const { ellipsis } = style.symbols
  const outcome = lane.outcome ?? "skipped"
  const name = Paragraph.truncate(lane.asset, { width: nameWidth, ellipsis }).padEnd(nameWidth)
  const head = `${symbolOf(outcome, style)} ${name}  `
  const figures = lane.step === undefined ? "" : `  ${figuresOf(lane)}`
  const room = Math.max(narrowestDeed, width - nameWidth - 4 - figures.length)
  const what = Paragraph.truncate(style.words(deed(lane)), { width: room, ellipsis })
  if (figures === "") return [head + (outcome === "failed" ? what : style.dim(what)), ...cause(lane, layout)]
  return [head + what.padEnd(Math.min(room, widestDeed)) + style.dim(figures), ...cause(lane, layout)]
}

/**
 * The summary of a run.
 *
 * @category conversions
 * @since 0.1.0
 */
export const summary = (options: {
  readonly result: RunResult
  readonly board: Board
  readonly layout: Layout
  readonly durationMs: number
  readonly call: string
  readonly partitions: string | undefined
}): ReadonlyArray<string> => {
  const { board, call, durationMs, layout, result } = options
  const { style } = layout
  if (result.steps === 0 && result.status === "succeeded") {
    return [style.green("Everything is up to date: 0 steps."), ...attention(options)]
  }
  const shown = result.outcomes.filter(({ steps }) => steps > 0)
  const status = result.status === "succeeded" ? style.green("succeeded") : style.red(result.status)
  return [
    ...(shown.length === 0 ? [] : [...Table.render(outcomesTable(shown, board), layout), ""]),
    ...attention(options),
    `Run ${style.bold(result.runId ?? "")} ${status} in ${Quantity.duration(durationMs)}: ${Quantity.count(result.steps, "step")}.`,
    ...next({ ...options, call }).map((hint, index) => style.dim(`${index === 0 ? "Next:" : "     "} ${hint}`))
  ]
}

/**
 * What was kept when a run was interrupted.
 *
 * @category conversions
 * @since 0.1.0
 */
export const interrupted = (
  board: Board,
  options: { readonly call: string; readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const { call, style, width } = options
  const kept = Array.from(board.lanes.values()).filter(({ done, rows }) => done > 0 || rows > 0)
  const words = kept.map(
    (lane) => `${lane.asset} (${Quantity.count(lane.done, unitOf(lane.step))}, ${Quantity.count(lane.rows, "row")})`
  )
  const what = words.length === 0 ? "before anything was written" : `and kept what was finished: ${words.join(", ")}`
  return [
    ...Paragraph.wrap(`${style.symbols.warning} Interrupted, ${what}.`, { width, indent: "  " }),
    ...Paragraph.wrap(`  Run the same command again to do the rest. See the runs: ${call} runs`, { width }).map(
      style.dim
    )
  ]
}

/**
 * What is done to an asset and why, in a few words.
 *
 * @category conversions
 * @since 0.1.0
 */
export const deed = ({ message, outcome, quarantined, step }: Lane): string => {
  if (step === undefined) {
    return outcome === "skipped"
      ? `skipped: ${message ?? "an asset upstream failed"}`
      : outcome === "failed"
        ? "failed"
        : "up to date"
  }
  const rejected = quarantined === 0 ? "" : `, ${Quantity.number(quarantined)} rejected`
  switch (step._tag) {
    case "Land": {
      const [first] = step.deliveries
      const what =
        step.deliveries.length === 1 && first !== undefined
          ? first.origin
          : Quantity.count(step.deliveries.length, "delivery")
      return `${what}${rejected}`
    }
    case "Build": {
      const what = step.isWhole ? "everything" : Quantity.count(step.units, step.unitName)
      return `${what}: ${Array.from(new Set(step.why.map(reason))).join(", ")}`
    }
    case "Follow":
      return `whatever ${step.upstream.join(" and ")} makes stale`
  }
}

/**
 * What the units of a step are called.
 *
 * @category getters
 * @since 0.1.0
 */
export const unitOf = (step: PlanStep | undefined): string =>
  step?._tag === "Build" ? step.unitName : step?._tag === "Land" ? "delivery" : "unit"

// --- internal ---

/** Wide enough for what is usual, narrow enough that the figures stand near. */
const widestDeed = 56
const narrowestDeed = 12

const symbolOf = (outcome: NonNullable<Lane["outcome"]>, { symbols }: Style): string =>
  outcome === "succeeded" ? symbols.done : symbols[outcome]

const figuresOf = ({ endedAt, rows, startedAt }: Lane): string => {
  const changed = rows === 0 ? "no change" : Quantity.count(rows, "row")
  return `${changed.padStart(14)}  ${Quantity.duration((endedAt ?? startedAt) - startedAt).padStart(8)}`
}

/** Why an asset failed; why one was skipped stands on its line. */
const cause = ({ message, outcome }: Lane, { style, width }: Layout): ReadonlyArray<string> =>
  outcome !== "failed" || message === undefined
    ? []
    : Paragraph.wrap(`  ${Paragraph.visible(message)}`, { width }).map(style.red)

const reason = (why: Why): string => {
  switch (why._tag) {
    case "NeverBuilt":
      return "never built"
    case "CodeChanged":
      return "definition changed"
    case "KeysRemoved":
      return "keys removed"
    case "UpstreamChanged":
      return `${why.upstream} changed`
    case "Forced":
      return "forced"
    case "NewRows":
      return "new rows"
  }
}

const outcomesTable = (outcomes: ReadonlyArray<AssetOutcome>, board: Board): Table.Table => ({
  columns: [
    { title: "asset" },
    { title: "units", align: "right", isFixed: true },
    { title: "inserted", align: "right", isFixed: true },
    { title: "updated", align: "right", isFixed: true },
    { title: "deleted", align: "right", isFixed: true },
    { title: "quarantined", align: "right", isFixed: true }
  ],
  rows: outcomes.map((outcome) => {
    const step = board.lanes.get(outcome.asset)?.step
    return [
      outcome.asset,
      step?._tag === "Build" && step.isWhole ? "all" : Quantity.count(outcome.units, unitOf(step)),
      ...[outcome.inserted, outcome.updated, outcome.deleted].map(Quantity.number),
      step?._tag === "Land" ? Quantity.number(outcome.quarantined) : ""
    ]
  })
})

/** What somebody should look at, before the last line. */
const attention = ({
  board,
  call,
  layout,
  result
}: {
  readonly result: RunResult
  readonly board: Board
  readonly layout: Layout
  readonly call: string
}): ReadonlyArray<string> => {
  const { style } = layout
  const rejected = result.outcomes.reduce((sum, { quarantined }) => sum + quarantined, 0)
  const steps = Array.from(board.lanes.values()).flatMap(({ asset, step }) =>
    step?._tag === "Build" ? [{ asset, step }] : []
  )
  const incomplete = steps.flatMap(({ asset, step }) =>
    text(step.incomplete).map((keys) => `${asset} ${keys} (running ${step.unitName})`)
  )
  const waiting = steps.flatMap(({ asset, step }) => text(step.waiting).map((keys) => `${asset} ${keys}`))
  const notes = [
    ...(rejected === 0
      ? []
      : [`${Quantity.count(rejected, "row")} went to quarantine, with reasons: ${call} quarantine`]),
    ...(incomplete.length === 0 ? [] : [`Incomplete, for the window has not ended: ${incomplete.join(", ")}`]),
    ...(waiting.length === 0 ? [] : [`Waiting for upstream windows that do not exist: ${waiting.join(", ")}`])
  ]
  const lines = notes.flatMap((note) =>
    Paragraph.wrap(style.words(note), { width: layout.width - 2 }).map(
      (line, index) => `${index === 0 ? style.symbols.warning : " "} ${line}`
    )
  )
  return lines.length === 0 ? [] : [...lines, ""]
}

const text = (partitions: PartitionSet.PartitionSet | undefined): ReadonlyArray<string> =>
  partitions === undefined || PartitionSet.isEmpty(partitions) ? [] : [PartitionSet.format(partitions, { limit: 4 })]

const next = ({
  call,
  partitions,
  result
}: {
  readonly result: RunResult
  readonly call: string
  readonly partitions: string | undefined
}): ReadonlyArray<string> => {
  if (result.status !== "succeeded") {
    return [`${call} runs show ${result.runId ?? ""}`, `${call} status`]
  }
  const last = result.outcomes.findLast(({ outcome }) => outcome === "succeeded")
  return [
    ...(last === undefined
      ? []
      : [`${call} show ${last.asset}${partitions === undefined ? "" : ` --partitions ${partitions}`}`]),
    `${call} status`
  ]
}
