/**
 * What does a backfill look like while it goes on? On a terminal one line, redrawn in place below what has failed: how far
 * it is, what is built now, and how long it will take. Elsewhere a line when a run begins or units fail, and now and then a
 * sign of life for the logs.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { BackfillNotice, Progress } from "../execution/Backfiller.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as Backfill from "../planning/Backfill.ts"
import * as BackfillReport from "./BackfillReport.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import type { Notices, Output } from "./Screen.ts"
import type { Style } from "./Style.ts"

/**
 * A view of a backfill.
 *
 * @category models
 * @since 0.1.0
 */
export interface BackfillProgress {
  readonly listen: (notice: BackfillNotice) => Effect.Effect<void>
  /** Takes the line away; what is written next stands in its place. */
  readonly close: Effect.Effect<void>
}

/**
 * Shows a backfill on an output until the scope closes. `isQuiet` leaves out all but the line on a terminal.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly output: Output
  readonly notices: Notices
  readonly isQuiet: boolean
}): Effect.fn.Return<BackfillProgress, never, Scope.Scope> {
  const { output } = options
  const { style } = output
  const startedAt = yield* Clock.currentTimeMillis
  const turn = Semaphore.makeUnsafe(1)
  const waiting: Array<string> = []
  let known: Known | undefined
  let isClosed = false
  const release = output.isTerminal ? options.notices.take((line) => waiting.push(line)) : Effect.void
  // Progress is a courtesy: when nobody reads it any more, the backfill goes on all the same.
  const write = (text: string) => Effect.ignore(output.write(text))
  const draw = (above: ReadonlyArray<string>) =>
    turn.withPermit(
      Effect.gen(function* () {
        const shown = [...waiting.splice(0), ...above].map((text) => `${text}\n`).join("")
        if (!output.isTerminal || isClosed) return yield* write(shown)
        const now = yield* Clock.currentTimeMillis
        const width = yield* output.columns
        yield* write(
          `${hideCursor}\r${clearLine}${shown}${known === undefined ? "" : line(known, { now, style, width })}`
        )
      })
    )
  const close = turn.withPermit(
    Effect.suspend(() => {
      if (!output.isTerminal || isClosed) return Effect.void
      isClosed = true
      const left = waiting.splice(0).map((text) => `${text}\n`)
      return Effect.andThen(write(`\r${clearLine}${left.join("")}${showCursor}`), release)
    })
  )
  const pulse = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    return known === undefined || options.isQuiet ? [] : [style.words(`  ${life(known, now)}`)]
  })
  yield* Effect.forkScoped(
    output.isTerminal
      ? Effect.repeat(Effect.andThen(Effect.sleep(frame), draw([])), Schedule.forever)
      : Effect.repeat(
          Effect.andThen(
            Effect.sleep(heartbeat),
            Effect.flatMap(pulse, (lines) => (lines.length === 0 ? Effect.void : draw(lines)))
          ),
          Schedule.forever
        )
  )
  yield* Effect.addFinalizer(() => close)

  return {
    close,
    listen: Effect.fnUntraced(function* (notice: BackfillNotice) {
      if (notice._tag === "Progressed") known = after(known, notice.progress, startedAt)
      const lines = news(notice, { style, isTerminal: output.isTerminal })
      if (lines.length > 0 && !options.isQuiet) yield* draw(lines)
    })
  }
})

/**
 * What is known of a backfill that is worked on, with how far it was when this process began.
 *
 * @category models
 * @since 0.1.0
 */
export interface Known {
  readonly progress: Progress
  readonly startedAt: number
  /** Units that were built or had failed already. */
  readonly before: number
}

/**
 * A backfill at work as one line of a terminal.
 *
 * @category conversions
 * @since 0.1.0
 */
export const line = (
  known: Known,
  options: { readonly now: number; readonly style: Style; readonly width: number }
): string => {
  const { now, style, width } = options
  const { built, downstream, failed, target } = BackfillReport.counts(known.progress.parts)
  const left = remaining(known, now)
  const lost = failed + downstream
  const parts = [
    `${Quantity.number(built)}/${Quantity.count(target, "unit")}`,
    lost === 0 ? "" : `${Quantity.number(lost)} failed`,
    left === undefined || now - known.startedAt < settling
      ? Quantity.duration(now - known.startedAt)
      : `${Quantity.duration(left)} left`,
    atWork(known.progress)
  ].filter((part) => part !== "")
  const { ellipsis } = style.symbols
  const text = Paragraph.truncate(style.words(parts.join("  ")), { width: Math.max(8, width - barWidth - 5), ellipsis })
  const filled = target === 0 ? barWidth : Math.round((built / target) * barWidth)
  const broken = Math.min(barWidth - filled, target === 0 ? 0 : Math.ceil((lost / target) * barWidth))
  const [full, empty] = style.isUnicode ? ["━", "─"] : ["#", "-"]
  const bar =
    style.green(full.repeat(filled)) +
    style.red(full.repeat(broken)) +
    style.dim(empty.repeat(Math.max(0, barWidth - filled - broken)))
  return `${spin(style, now)} ${bar} ${text}`
}

/**
 * How long it will take, as far as this process has seen how it goes.
 *
 * @category getters
 * @since 0.1.0
 */
export const remaining = ({ before, progress, startedAt }: Known, now: number): number | undefined => {
  const { built, downstream, failed, target } = BackfillReport.counts(progress.parts)
  const done = built + failed + downstream
  return Backfill.remaining({ done: done - before, left: target - done, elapsed: now - startedAt })
}

// --- internal ---

const frame = Duration.millis(100)
const heartbeat = Duration.seconds(10)

const barWidth = 20

/** Before that, the time left is a guess from too little. */
const settling = 1500

const clearLine = "\u001B[2K"
const hideCursor = "\u001B[?25l"
const showCursor = "\u001B[?25h"

const after = (known: Known | undefined, progress: Progress, startedAt: number): Known => {
  if (known !== undefined) return { ...known, progress }
  const { built, downstream, failed } = BackfillReport.counts(progress.parts)
  return { progress, startedAt, before: built + failed + downstream }
}

const news = (
  notice: BackfillNotice,
  { isTerminal, style }: { readonly style: Style; readonly isTerminal: boolean }
): ReadonlyArray<string> => {
  switch (notice._tag) {
    case "Progressed":
      return []
    case "Requested":
      return isTerminal
        ? []
        : [`${notice.asset} ${which(notice.units)} ${style.dim(style.words(`· run ${notice.runId}`))}`]
    case "Failed":
      return [
        `${style.symbols.failed} ${notice.asset} ${which(notice.units)} failed: ${Paragraph.visible(notice.reason.message)}`
      ]
  }
}

const life = (known: Known, now: number): string => {
  const { built, downstream, failed, target } = BackfillReport.counts(known.progress.parts)
  const left = remaining(known, now)
  const lost = failed + downstream
  return [
    `${Quantity.number(built)} of ${Quantity.count(target, "unit")} built`,
    ...(lost === 0 ? [] : [`${Quantity.number(lost)} failed`]),
    `${Quantity.duration(now - known.startedAt)} so far`,
    ...(left === undefined ? [] : [`about ${Quantity.duration(left)} left`])
  ].join(", ")
}

const atWork = ({ parts }: Progress): string =>
  parts.flatMap((part) => (part.holder === undefined ? [] : [part.asset.name])).join(", ")

const which = (units: PartitionSet.PartitionSet): string =>
  units.partitions._tag === "Unpartitioned" ? "as a whole" : PartitionSet.format(units, { limit: 4 })

const spin = (style: Style, now: number): string => {
  const frames = style.isUnicode ? "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" : "|/-\\"
  return style.green(frames[Math.floor(now / 100) % frames.length] ?? "")
}
