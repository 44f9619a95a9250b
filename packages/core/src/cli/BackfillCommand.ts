/**
 * `backfill`: build chosen partitions of the past, through whatever happens meanwhile; and look after the ones that were
 * begun.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { stdin } from "node:process"
import type { Progress, Proposal } from "../execution/Backfiller.ts"
import * as BackfillFlags from "./BackfillFlags.ts"
import * as ExitCode from "./ExitCode.ts"
import { Host, type Session } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as Paragraph from "./Paragraph.ts"
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
  Command.make("backfill", BackfillFlags.request, backfill).pipe(
    Command.withDescription("Build chosen partitions of the past, and go on with it after any crash"),
    Command.withExamples([
      {
        command: `${name} backfill --select gold_revenue --partitions 2024-01..2024-03`,
        description: "A quarter again, although fresh"
      },
      {
        command: `${name} backfill --select 'tier:gold' --only missing,failed --dry-run`,
        description: "What the rest of a tier would be"
      },
      { command: `${name} backfill resume 20240520-101530`, description: "Go on, also beside another process" }
    ]),
    Command.withSubcommands([
      Command.make("list", { limit, json: RequestFlags.json }, list).pipe(
        Command.withDescription("List the latest backfills, newest first")
      ),
      Command.make("show", one, show).pipe(
        Command.withDescription("Show one backfill: how far each asset is, and why units failed")
      ),
      Command.make("cancel", one, cancel).pipe(
        Command.withDescription("End a backfill; steps under way end first, and what is built stays")
      ),
      Command.make("resume", one, (input) => goOn("resume", input)).pipe(
        Command.withDescription("Go on with a backfill that was cancelled or left, or help with one that is running")
      ),
      Command.make("retry", one, (input) => goOn("retry", input)).pipe(
        Command.withDescription("Try what has failed again, and what lies downstream of it")
      )
    ])
  )

// --- internal ---

const one = { id: BackfillFlags.id, json: RequestFlags.json }

const limit = Flag.Int("limit").pipe(
  Flag.withAlias("n"),
  Flag.withMetavar("N"),
  Flag.filter(
    (most) => most > 0,
    () => "Expected a number of backfills, 1 or more"
  ),
  Flag.withDescription("At most so many backfills (default: 20)"),
  Flag.withDefault(20)
)

interface Input {
  readonly selection: RequestFlags.Selection
  readonly partitions: Option.Option<string>
  readonly only: Option.Option<string>
  readonly maxConcurrent: number
  readonly dryRun: boolean
  readonly yes: boolean
  readonly json: boolean
}

const backfill = Effect.fnUntraced(function* (input: Input) {
  const host = yield* Host
  const { out } = yield* Screen
  const only = Option.isNone(input.only) ? [] : BackfillFlags.parseOnly(input.only.value)
  if (only === undefined) {
    return yield* new ExitCode.UsageError({
      message: `cannot read --only ${Option.getOrElse(input.only, () => "")}: expected missing, failed or stale, several with commas`
    })
  }
  if (RequestFlags.expressions(input.selection).length === 0) {
    return yield* new ExitCode.UsageError({
      message: `Say which assets are to be backfilled: --select NAME, or --select '*' for all. See those that were begun: ${host.call} backfill list`
    })
  }
  const BackfillReport = yield* Effect.promise(() => import("./BackfillReport.ts"))
  const session = yield* host.open
  const assets = yield* HostReport.select(session, input.selection)
  const partitions = Option.getOrUndefined(input.partitions)
  if (assets?.length !== 0) yield* HostReport.check(session, { assets, partitions, upstream: false })
  const nothing: Proposal = { assets: [], only, partitions, selection: "" }
  const proposal: Proposal =
    assets?.length === 0
      ? nothing
      : yield* session.assay.backfills.propose({ select: expressionOf(input.selection), partitions, only })
  const units = BackfillReport.unitsOf(proposal)
  const style = out.style
  const layout = { style, width: yield* out.columns }
  if (input.json ? input.dryRun || units === 0 : false)
    return yield* out.write(Json.document(BackfillReport.proposalDocument(proposal, session.target)))
  if (!input.json) yield* writeLines(out, HostReport.header("backfill", session, style))
  if (units === 0) {
    yield* writeLines(out, BackfillReport.proposalLines(proposal, layout).slice(1))
    return yield* writeLines(out, [
      assets?.length === 0 ? HostReport.nothingSelected(input.selection) : "Nothing is to be built."
    ])
  }
  if (!input.json) yield* writeLines(out, [...BackfillReport.proposalLines(proposal, layout), ""])
  if (input.dryRun) {
    return yield* writeLines(out, [
      `${Quantity.count(units, "unit")} would be requested.`,
      ...agreement(proposal, BackfillReport.much).flatMap((text) => Paragraph.wrap(text, layout)),
      style.dim("Nothing was written.")
    ])
  }
  if (!(yield* isAgreed(proposal, input))) return yield* writeLines(out, ["Nothing was begun."])
  const backfillId = yield* session.assay.backfills.start(proposal, {
    maxConcurrent: input.maxConcurrent,
    requestedBy: host.requestedBy,
    why: host.commandLine
  })
  yield* work(session, backfillId, input)
}, Effect.scoped)

/** What is selected, as it was typed, so that it is remembered like that. */
const expressionOf = (selection: RequestFlags.Selection): string => {
  const expressions = RequestFlags.expressions(selection)
  return expressions.length === 1 ? expressions.join("") : expressions.map((text) => `(${text})`).join(" or ")
}

const agreement = ({ assets, ...rest }: Proposal, much: (proposal: Proposal) => string): ReadonlyArray<string> =>
  assets.some(({ isMuch }) => isMuch) ? [much({ assets, ...rest })] : []

/** Asks where much would be built again; refuses to guess the answer where nobody can be asked. */
const isAgreed = Effect.fnUntraced(function* (proposal: Proposal, { json, yes }: Input) {
  const BackfillReport = yield* Effect.promise(() => import("./BackfillReport.ts"))
  const { out } = yield* Screen
  const [much] = agreement(proposal, BackfillReport.much)
  if (much === undefined || yes) return true
  if (json || !out.isTerminal || !stdin.isTTY) {
    return yield* new ExitCode.UsageError({
      message: `${much} Nobody can be asked here, so nothing was begun. If that is meant, say --yes; --dry-run shows all of it, and --only missing,stale leaves out what is fresh.`
    })
  }
  yield* writeLines(out, Paragraph.wrap(much, { width: yield* out.columns }))
  const { Confirm } = yield* Effect.promise(() => import("effect/cli/Prompt"))
  return yield* Confirm({
    message: `Request ${Quantity.count(BackfillReport.unitsOf(proposal), "unit")}?`,
    initial: false
  }).pipe(Effect.catch(() => Effect.interrupt))
})

/** Works on a backfill and shows it; ends with the exit code that it deserves. */
const work = Effect.fnUntraced(function* (session: Session, backfillId: string, { json }: { readonly json: boolean }) {
  const host = yield* Host
  const screen = yield* Screen
  const output = json ? screen.error : screen.out
  const BackfillReport = yield* Effect.promise(() => import("./BackfillReport.ts"))
  const BackfillProgress = yield* Effect.promise(() => import("./BackfillProgress.ts"))
  const began = yield* Clock.currentTimeMillis
  if (!json) yield* Effect.ignore(writeLines(output, [`Backfill ${output.style.bold(backfillId)}`]))
  const live = yield* BackfillProgress.make({ output, notices: screen.notices, isQuiet: json })
  const left = Effect.gen(function* () {
    yield* live.close
    const { columns, style } = screen.error
    const lines = BackfillReport.interrupted(backfillId, { call: host.call, style, width: yield* columns })
    yield* Effect.ignore(writeLines(screen.error, lines))
  })
  const progress = yield* session.assay.backfills
    .work(backfillId, { requestedBy: host.requestedBy, listen: live.listen })
    .pipe(
      Effect.onInterrupt(() => left),
      Effect.tapError(() => left)
    )
  yield* live.close
  const durationMs = (yield* Clock.currentTimeMillis) - began
  const stored = yield* session.assay.backfills.get(backfillId)
  // A reader that has gone changes nothing about the backfill, nor about the exit code.
  yield* Effect.ignore(
    json
      ? stored._tag === "Found"
        ? screen.out.write(Json.document(BackfillReport.document(stored.backfill.record, progress.parts)))
        : Effect.void
      : Effect.flatMap(output.columns, (width) =>
          writeLines(output, [
            "",
            ...BackfillReport.partLines(progress.parts, { style: output.style, width }),
            "",
            ...BackfillReport.summary(progress, { style: output.style, durationMs, call: host.call })
          ])
        )
  )
  const code = codeOf(progress, BackfillReport.counts)
  if (code !== undefined) return yield* new ExitCode.Unsuccessful({ code })
})

/** A cancelled backfill ends as it was asked to; a failed one partly, where something was built. */
const codeOf = (
  { parts, status }: Progress,
  counts: (parts: Progress["parts"]) => { readonly built: number }
): 1 | 3 | undefined =>
  status !== "failed" ? undefined : counts(parts).built > 0 ? ExitCode.ExitCode.partlyFailed : ExitCode.ExitCode.failed

const list = Effect.fnUntraced(function* (input: { readonly limit: number; readonly json: boolean }) {
  const host = yield* Host
  const { out } = yield* Screen
  const BackfillReport = yield* Effect.promise(() => import("./BackfillReport.ts"))
  const session = yield* host.open
  const found = yield* session.assay.backfills.list({ limit: input.limit })
  const rows = yield* Effect.forEach(found, (backfill) =>
    Effect.match(session.assay.backfills.parts(backfill), {
      // Of other partitions than these assets have now.
      onFailure: () => ({ record: backfill.record, counts: undefined }),
      onSuccess: (parts) => ({ record: backfill.record, counts: BackfillReport.counts(parts) })
    })
  )
  if (input.json) {
    const documents = rows.map(({ counts, record }) => {
      const { assets: _, ...document } = BackfillReport.document(record, [])
      return { ...document, units: counts ?? null }
    })
    return yield* out.write(Json.document({ backfills: documents }))
  }
  yield* writeLines(out, HostReport.header("backfill list", session, out.style))
  if (rows.length === 0)
    return yield* writeLines(out, [`No backfill was begun yet. Begin: ${host.call} backfill --select NAME`])
  const now = yield* DateTime.now
  yield* writeLines(out, BackfillReport.lines(rows, { style: out.style, width: yield* out.columns, now }))
  const left = rows.find(({ record }) => BackfillReport.isLeft(record, now))
  if (left === undefined) return
  yield* writeLines(out, ["", out.style.dim(`Go on: ${host.call} backfill resume ${left.record.backfillId}`)])
}, Effect.scoped)

const show = Effect.fnUntraced(function* (input: { readonly id: string; readonly json: boolean }) {
  const host = yield* Host
  const { out } = yield* Screen
  const BackfillReport = yield* Effect.promise(() => import("./BackfillReport.ts"))
  const session = yield* host.open
  const backfill = yield* lookUp(session, input.id)
  const { record } = backfill
  const parts = yield* session.assay.backfills.parts(backfill)
  if (input.json) return yield* out.write(Json.document(BackfillReport.document(record, parts)))
  const now = yield* DateTime.now
  yield* writeLines(
    out,
    BackfillReport.backfillLines(record, parts, { style: out.style, width: yield* out.columns, now })
  )
}, Effect.scoped)

const cancel = Effect.fnUntraced(function* (input: { readonly id: string; readonly json: boolean }) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const { record } = yield* lookUp(session, input.id)
  const { backfillId } = record
  const isCancelled = yield* session.assay.backfills.cancel(backfillId)
  if (input.json) return yield* out.write(Json.document({ backfillId, isCancelled }))
  yield* writeLines(out, [
    isCancelled
      ? `Backfill ${backfillId} is cancelled; a step under way ends first. Go on: ${host.call} backfill resume ${backfillId}`
      : `Backfill ${backfillId} had ended before (${record.status}).`
  ])
}, Effect.scoped)

const goOn = Effect.fnUntraced(function* (
  event: "resume" | "retry",
  input: { readonly id: string; readonly json: boolean }
) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const stored = yield* lookUp(session, input.id)
  const { record } = stored
  const { backfillId } = record
  const isMoved = yield* session.assay.backfills[event](backfillId)
  if (isMoved) {
    if (!input.json) yield* writeLines(out, HostReport.header(`backfill ${event}`, session, out.style))
    return yield* work(session, backfillId, input)
  }
  const why =
    record.status === "failed"
      ? `Nothing is left of backfill ${backfillId} but what has failed. Try that again: ${host.call} backfill retry ${backfillId}`
      : `All of backfill ${backfillId} is built.`
  if (!input.json) return yield* writeLines(out, [why])
  const BackfillReport = yield* Effect.promise(() => import("./BackfillReport.ts"))
  const parts = yield* session.assay.backfills.parts(stored)
  yield* out.write(Json.document(BackfillReport.document(record, parts)))
}, Effect.scoped)

/** The backfill of an id, or of the beginning of one. */
const lookUp = Effect.fnUntraced(function* ({ assay }: Session, id: string) {
  const { call } = yield* Host
  const found = yield* assay.backfills.get(id)
  switch (found._tag) {
    case "NotFound":
      return yield* new ExitCode.UsageError({
        message: `There is no backfill ${JSON.stringify(id)}. See the backfills: ${call} backfill list`
      })
    case "Ambiguous":
      return yield* new ExitCode.UsageError({
        message: `${Quantity.number(found.count)} backfills begin with ${JSON.stringify(id)}: ${found.backfillIds.join(", ")}${
          found.count > found.backfillIds.length ? " and others" : ""
        }. Give more of the id.`
      })
    case "Found":
      return found.backfill
  }
})
