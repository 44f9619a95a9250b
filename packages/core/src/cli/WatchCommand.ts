/**
 * `watch`: materialize by itself what the assets' conditions request, until it is interrupted. Says what it requests and
 * why, and otherwise nothing.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AssetKey } from "../Asset.ts"
import type { AssetOutcome } from "../execution/Runner.ts"
import type { WatchEvent } from "../execution/Watcher.ts"
import * as ExitCode from "./ExitCode.ts"
import { Host } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Quantity from "./Quantity.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { Screen, writeLines } from "./Screen.ts"

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make("watch", { selection: RequestFlags.selection, poll, once }, watch).pipe(
    Command.withDescription(
      "Materialize by itself what is due: woken by commits, schedules, windows and new deliveries"
    ),
    Command.withExamples([
      { command: `${name} watch`, description: "Everything, until Ctrl-C" },
      { command: `${name} watch --select 'tier:bronze' --poll 10s`, description: "Only landing, looked for often" },
      { command: `${name} watch --once`, description: "What is due now, and what follows from it" }
    ])
  )

// --- internal ---

const once = RequestFlags.toggle("once", "End as soon as nothing is left to do")

const poll = Flag.String("poll").pipe(
  Flag.withMetavar("TIME"),
  Flag.withDescription("How often sources are asked what they have: 10s, 5m, 1h (default: 1m)"),
  Flag.optional
)

const watch = Effect.fnUntraced(function* (input: {
  readonly selection: RequestFlags.Selection
  readonly poll: Option.Option<string>
  readonly once: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const every = Option.isNone(input.poll) ? Duration.minutes(1) : parsePoll(input.poll.value)
  if (every === undefined) {
    return yield* new ExitCode.UsageError({
      message: `cannot read --poll ${Option.getOrElse(input.poll, () => "")}: expected a number with s, m or h, such as 10s`
    })
  }
  const session = yield* host.open
  const selected = yield* HostReport.select(session, input.selection)
  if (selected?.length === 0) {
    return yield* writeLines(out, [HostReport.nothingSelected(input.selection)])
  }
  const WatchReport = yield* Effect.promise(() => import("./WatchReport.ts"))
  const outcomes = new Map<AssetKey, AssetOutcome>()
  const failed = new Set<AssetKey>()
  const listen = Effect.fnUntraced(function* (event: WatchEvent) {
    if (event._tag === "Finished") for (const outcome of event.result.outcomes) outcomes.set(outcome.asset, outcome)
    if (event._tag === "SourceFailed") failed.add(event.asset)
    const time = out.style.dim(Quantity.moment(yield* DateTime.now).slice("2024-03-01 ".length))
    const lines = WatchReport.lines(event, { style: out.style })
    yield* Effect.ignore(
      writeLines(
        out,
        lines.map((line) => `${time}  ${line}`)
      )
    )
  })
  yield* writeLines(out, HostReport.header("watch", session, out.style))
  yield* session.assay
    .watch({ select: selected, poll: every, once: input.once, requestedBy: host.requestedBy, listen })
    .pipe(HostReport.blameSetup)
  const ended = Array.from(outcomes.values())
  const isFailed = failed.size > 0 || ended.some(({ outcome }) => outcome === "failed")
  const code = ExitCode.ofRun({ outcomes: ended, status: isFailed ? "failed" : "succeeded" })
  if (code === ExitCode.ExitCode.failed || code === ExitCode.ExitCode.partlyFailed)
    return yield* new ExitCode.Unsuccessful({ code })
}, Effect.scoped)

const parsePoll = (text: string): Duration.Duration | undefined => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim()) ?? []
  const millis = unit === undefined ? undefined : { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit]
  return millis === undefined || Number(amount) <= 0 ? undefined : Duration.millis(Number(amount) * millis)
}
