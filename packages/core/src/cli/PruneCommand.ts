/**
 * `prune`: forget what only tells of the past, when it is older than somebody wants to know.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Result } from "../execution/Pruner.ts"
import { UsageError } from "./ExitCode.ts"
import { Host } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as Quantity from "./Quantity.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { Screen, writeLines } from "./Screen.ts"
import type { Style } from "./Style.ts"
import * as Table from "./Table.ts"

/**
 * What `prune --json` prints: how many records were deleted, or with `--dry-run` would be. `quarantined` is null where it
 * was not asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface PruneDocument {
  readonly before: string
  readonly dryRun: boolean
  readonly runs: number
  readonly steps: number
  readonly events: number
  readonly quarantined: number | null
}

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make("prune", { olderThan, quarantine, dryRun, json: RequestFlags.json }, prune).pipe(
    Command.withDescription(
      "Delete old runs, their steps and events from the ledger; never what decides what is done next"
    ),
    Command.withExamples([
      { command: `${name} prune --older-than 90d --dry-run`, description: "Count what would go" },
      { command: `${name} prune --older-than 90d`, description: "Runs and events of more than 90 days ago" },
      {
        command: `${name} prune --older-than 52w --quarantine`,
        description: "And rejected rows that have landed since"
      }
    ])
  )

/**
 * The lines of what was pruned.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  { before, events, quarantined, runs, steps }: Result,
  { dryRun, style, width }: { readonly dryRun: boolean; readonly style: Style; readonly width: number }
): ReadonlyArray<string> => [
  ...Table.render(
    {
      columns: [{ title: "older records" }, { title: dryRun ? "would go" : "deleted", align: "right", isFixed: true }],
      rows: [
        ["runs", Quantity.number(runs)],
        ["steps of these runs", Quantity.number(steps)],
        ["events", Quantity.number(events)],
        ...(quarantined === undefined ? [] : [["rows released from quarantine", Quantity.number(quarantined)]])
      ]
    },
    { width, style }
  ),
  "",
  style.dim(style.words(`Of before ${Quantity.moment(before)} UTC; the last run of each asset stays.`))
]

/**
 * Reads a length of time: a number with m, h, d or w; undefined for what is none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const parseAge = (text: string): Duration.Duration | undefined => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(m|h|d|w)$/.exec(text.trim()) ?? []
  const minutes = unit === undefined ? undefined : { m: 1, h: 60, d: 1440, w: 10_080 }[unit]
  const age = minutes === undefined ? 0 : Number(amount) * minutes
  return age > 0 && age <= longest ? Duration.minutes(age) : undefined
}

// --- internal ---

/** A hundred years, in minutes: before that is no date that a database knows. */
const longest = 52_596_000

const olderThan = Flag.String("older-than").pipe(
  Flag.withMetavar("TIME"),
  Flag.withDescription("How long ago it must lie: 90d, 12w, 36h")
)

const quarantine = RequestFlags.toggle("quarantine", "Also rejected rows that landed after all; those that wait stay")

const dryRun = RequestFlags.toggle("dry-run", "Only count, and delete nothing")

const prune = Effect.fnUntraced(function* (input: {
  readonly olderThan: string
  readonly quarantine: boolean
  readonly dryRun: boolean
  readonly json: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const age = parseAge(input.olderThan)
  if (age === undefined) {
    return yield* new UsageError({
      message: `cannot read --older-than ${input.olderThan}: expected a number with m, h, d or w, such as 90d, of at most a hundred years`
    })
  }
  const session = yield* host.open
  const { dryRun, quarantine } = input
  const result = yield* session.assay.prune({ olderThan: age, quarantine, dryRun })
  if (input.json) {
    const { before, events, quarantined, runs, steps } = result
    const document: PruneDocument = {
      before: DateTime.formatIso(before),
      dryRun,
      runs,
      steps,
      events,
      quarantined: quarantined ?? null
    }
    return yield* out.write(Json.document(document))
  }
  yield* writeLines(out, HostReport.header("prune", session, out.style))
  yield* writeLines(out, lines(result, { dryRun, style: out.style, width: yield* out.columns }))
}, Effect.scoped)
