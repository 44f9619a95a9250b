/**
 * What does a run look like while it goes on? On a terminal, a bar for each asset at work, redrawn in place below the
 * lines of those that are done; elsewhere plain lines, and now and then a sign of life for the logs.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Progress } from "../execution/Progress.ts"
import * as Board from "./Board.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import * as RunReport from "./RunReport.ts"
import type { Notices, Output } from "./Screen.ts"
import type { Style } from "./Style.ts"

/**
 * A view of a run.
 *
 * @category models
 * @since 0.1.0
 */
export interface LiveProgress {
  readonly listen: (progress: Progress) => Effect.Effect<void>
  readonly board: Effect.Effect<Board.Board>
  /** Takes the bars away; what is written next stands below the lines. */
  readonly close: Effect.Effect<void>
}

/**
 * Shows a run on an output until the scope closes. `isQuiet` leaves out the lines of assets that have ended, for an
 * output that stands beside a document.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly output: Output
  readonly notices: Notices
  readonly nameWidth: number
  readonly isQuiet: boolean
}): Effect.fn.Return<LiveProgress, never, Scope.Scope> {
  const { output } = options
  const board = yield* Ref.make(Board.empty)
  const painted = yield* Ref.make<ReadonlyArray<string>>([])
  const isClosed = yield* Ref.make(false)
  const turn = Semaphore.makeUnsafe(1)
  const layout = Effect.map(output.columns, (width) => ({ style: output.style, width, nameWidth: options.nameWidth }))
  // Progress is a courtesy: when nobody reads it any more, the run goes on all the same.
  const write = (text: string) => Effect.ignore(output.write(text))

  const erase = Effect.gen(function* () {
    const lines = yield* Ref.getAndSet(painted, [])
    // From the first column: an echoed ^C has moved the cursor.
    return lines.length === 0 ? "\r" : `\r\u001B[${height(lines, yield* output.columns)}A\u001B[0J`
  })
  const bars = Effect.gen(function* () {
    const [now, { nameWidth, style, width }, state] = yield* Effect.all([
      Clock.currentTimeMillis,
      layout,
      Ref.get(board)
    ])
    const lines = Board.running(state).map((lane) => bar(lane, { now, style, width, nameWidth }))
    yield* Ref.set(painted, lines)
    return lines.map((line) => `${line}\n`).join("")
  })
  const draw = (above: ReadonlyArray<string>) =>
    turn.withPermit(
      Effect.gen(function* () {
        const lines = [...waiting.splice(0), ...above].map((line) => `${line}\n`).join("")
        if (!output.isTerminal || (yield* Ref.get(isClosed))) return yield* write(lines)
        const erased = yield* erase
        yield* write(`${hideCursor}${erased}${lines}${yield* bars}`)
      })
    )
  // Log lines would tear the bars apart, so they wait for the next frame.
  const waiting: Array<string> = []
  const release = output.isTerminal ? options.notices.take((line) => waiting.push(line)) : Effect.void
  const close = output.isTerminal
    ? turn.withPermit(
        Effect.gen(function* () {
          if (yield* Ref.getAndSet(isClosed, true)) return
          const left = waiting.splice(0).map((line) => `${line}\n`)
          yield* write(`${yield* erase}${left.join("")}${showCursor}`)
          yield* release
        })
      )
    : Effect.void

  const pulse = Effect.gen(function* () {
    const state = yield* Ref.get(board)
    const now = yield* Clock.currentTimeMillis
    return Board.running(state).map((lane) => output.style.words(`  ${life(lane, now)}`))
  })
  yield* Effect.forkScoped(
    output.isTerminal
      ? Effect.repeat(Effect.andThen(Effect.sleep(frame), draw([])), Schedule.forever)
      : Effect.repeat(Effect.andThen(Effect.sleep(heartbeat), Effect.flatMap(pulse, draw)), Schedule.forever)
  )
  yield* Effect.addFinalizer(() => close)

  return {
    board: Ref.get(board),
    close,
    listen: Effect.fnUntraced(function* (progress) {
      const now = yield* Clock.currentTimeMillis
      const [before, state] = yield* Ref.modify(board, (before) => {
        const state = Board.after(before, progress, now)
        return [[before, state] as const, state]
      })
      const lines = news(progress, before, state, yield* layout)
      if (lines.length > 0 && !options.isQuiet) yield* draw(lines)
    })
  }
})

/**
 * A running asset as one line of a terminal: a bar where the amount of work is known, units, speed, time spent and
 * time left.
 *
 * @category conversions
 * @since 0.1.0
 */
export const bar = (lane: Board.Lane, options: RunReport.Layout & { readonly now: number }): string => {
  const { now, style, width } = options
  const elapsed = now - lane.startedAt
  const left = Board.remaining(lane, now)
  const unit = RunReport.unitOf(lane.step)
  const name = Paragraph.truncate(lane.asset, { width: options.nameWidth, ellipsis: style.symbols.ellipsis }).padEnd(
    options.nameWidth
  )
  const amount =
    lane.retrying !== undefined
      ? `trying again: ${Paragraph.visible(lane.retrying)}`
      : lane.total === undefined
        ? RunReport.deed(lane)
        : `${Quantity.number(lane.done)}/${Quantity.count(lane.total, unit)}`
  const speed = lane.retrying === undefined ? Quantity.rate(lane.rows, elapsed, "row") : ""
  const rest = left === undefined || elapsed < settling ? "" : `${Quantity.duration(left)} left`
  const spent = Quantity.duration(elapsed)
  const room = width - 6 - options.nameWidth
  // What is least worth knowing goes first where there is no room for all: the speed, then the time spent.
  const choices = [
    [amount, speed, spent, rest],
    [amount, spent, rest],
    [amount, rest === "" ? spent : rest],
    [amount]
  ].map((parts) => style.words(parts.filter((part) => part !== "").join("  ")))
  const all =
    choices.find((text) => Paragraph.width(text) <= room - narrowestTrack) ??
    Paragraph.truncate(choices.at(-1) ?? "", {
      width: Math.max(0, room - narrowestTrack),
      ellipsis: style.symbols.ellipsis
    })
  const track = barTrack(lane, {
    style,
    now,
    width: Math.max(narrowestTrack, Math.min(widestTrack, room - Paragraph.width(all)))
  })
  return `${spin(style, now)} ${name}  ${track} ${all}`
}

// --- internal ---

const frame = Duration.millis(100)
const heartbeat = Duration.seconds(10)

const narrowestTrack = 8
const widestTrack = 24

/** Before that, the time left is a guess from too little. */
const settling = 1500

const hideCursor = "\u001B[?25l"
const showCursor = "\u001B[?25h"

/** The rows that lines take on a terminal that may have become narrower since they were drawn. */
const height = (lines: ReadonlyArray<string>, columns: number): number =>
  lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(Paragraph.width(line) / columns)), 0)

const news = (
  progress: Progress,
  before: Board.Board,
  after: Board.Board,
  layout: RunReport.Layout
): ReadonlyArray<string> => {
  const { style, width } = layout
  if (progress._tag === "AssetDone") {
    const lane = after.lanes.get(progress.asset)
    return lane === undefined ? [] : RunReport.ended(lane, layout)
  }
  if (progress._tag !== "Warned" || before.warnings.length === after.warnings.length) return []
  const warning = Paragraph.visible(Board.warningOf(progress))
  return Paragraph.wrap(warning, { width: width - 2, indent: "" }).map((line, index) =>
    index === 0 ? `${style.symbols.warning} ${style.yellow(line)}` : `  ${style.yellow(line)}`
  )
}

const life = (lane: Board.Lane, now: number): string => {
  const unit = RunReport.unitOf(lane.step)
  const amount =
    lane.total === undefined
      ? RunReport.deed(lane)
      : `${Quantity.number(lane.done)} of ${Quantity.count(lane.total, unit)}`
  const state = lane.retrying === undefined ? amount : `${amount}, trying again: ${Paragraph.visible(lane.retrying)}`
  return `${lane.asset}: ${state}, ${Quantity.count(lane.rows, "row")}, ${Quantity.duration(now - lane.startedAt)} so far`
}

const spin = (style: Style, now: number): string => {
  const frames = style.isUnicode ? "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" : "|/-\\"
  return style.green(frames[Math.floor(now / 100) % frames.length] ?? "")
}

const barTrack = (
  lane: Board.Lane,
  { now, style, width }: { readonly style: Style; readonly width: number; readonly now: number }
): string => {
  const [full, empty] = style.isUnicode ? ["━", "─"] : ["#", "-"]
  if (lane.total === undefined || lane.total === 0) {
    const size = Math.min(3, width)
    const at = Math.floor(now / 100) % (width - size + 1)
    return style.dim(empty.repeat(at)) + style.green(full.repeat(size)) + style.dim(empty.repeat(width - size - at))
  }
  const filled = Math.min(width, Math.round((lane.done / lane.total) * width))
  return style.green(full.repeat(filled)) + style.dim(empty.repeat(width - filled))
}
