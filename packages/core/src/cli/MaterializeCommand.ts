/**
 * `materialize`: bring assets up to date. Shows the run while it goes on and says at the end what it did, what needs
 * attention and what to do next.
 */
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { AssetKey } from "../Asset.ts"
import { Listener, type Progress } from "../execution/Progress.ts"
import type { RunResult } from "../execution/Runner.ts"
import type { Lookup } from "../ledger/Runs.ts"
import type { Request } from "../planning/Request.ts"
import * as ExitCode from "./ExitCode.ts"
import { Host, type Session } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as PlanCommand from "./PlanCommand.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { Screen, writeLines } from "./Screen.ts"

/**
 * What `materialize --json` prints.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunDocument {
  /** Null where there was nothing to do, and so nothing to record. */
  readonly runId: string | null
  readonly target: string
  readonly status: RunResult["status"]
  readonly steps: number
  readonly durationMs: number
  readonly assets: ReadonlyArray<{
    readonly asset: AssetKey
    readonly outcome: "succeeded" | "unchanged" | "failed" | "skipped"
    readonly steps: number
    readonly units: number
    readonly rows: {
      readonly read: number
      readonly inserted: number
      readonly updated: number
      readonly deleted: number
      readonly unchanged: number
      readonly quarantined: number
    }
    readonly durationMs: number
    readonly error: { readonly reason: string; readonly message: string } | null
    /** For a skipped asset, the assets upstream that did not succeed. */
    readonly because: ReadonlyArray<AssetKey>
  }>
  readonly warnings: ReadonlyArray<string>
}

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make(
    "materialize",
    {
      ...RequestFlags.request,
      dryRun: RequestFlags.toggle("dry-run", "Explain what would be done, and write nothing; the same as plan"),
      json: RequestFlags.json
    },
    Effect.fnUntraced(function* ({ dryRun, json, selection, ...input }) {
      const options = { selection, isJson: json }
      const request = RequestFlags.toRequest(input)
      if (dryRun) yield* PlanCommand.explain(request, options)
      else yield* materialize(request, options)
    })
  ).pipe(
    Command.withDescription("Bring assets up to date: land new source rows, then build what is stale or missing"),
    Command.withExamples([
      { command: `${name} materialize`, description: "Everything" },
      {
        command: `${name} materialize --select 'tier:gold and status:stale'`,
        description: "What is stale among the assets of a tier, and what that is made of"
      },
      {
        command: `${name} materialize --asset gold_revenue --partitions 2024-03`,
        description: "One month of one asset, and what it is made of"
      },
      {
        command: `${name} materialize --asset gold_revenue --partitions 2024-03 --force --no-upstream`,
        description: "Again, although fresh"
      }
    ])
  )

// --- internal ---

const materialize = Effect.fnUntraced(function* (
  asked: Request,
  { isJson, selection }: { readonly isJson: boolean; readonly selection: RequestFlags.Selection }
) {
  const host = yield* Host
  const screen = yield* Screen
  // Beside a document, progress stands on the other output or nowhere.
  const output = isJson ? screen.error : screen.out
  const began = yield* Clock.currentTimeMillis
  const session = yield* host.open
  const assets = yield* HostReport.select(session, selection)
  if (assets?.length === 0) {
    const nothing: RunResult = { runId: undefined, status: "succeeded", steps: 0, outcomes: [] }
    const durationMs = (yield* Clock.currentTimeMillis) - began
    return yield* isJson
      ? screen.out.write(Json.document(documentOf(nothing, { target: session.target, durationMs, warnings: [] })))
      : writeLines(output, [HostReport.nothingSelected(selection)])
  }
  const request = { ...asked, assets }
  yield* HostReport.check(session, request)
  const RunReport = yield* Effect.promise(() => import("./RunReport.ts"))
  const LiveProgress = yield* Effect.promise(() => import("./LiveProgress.ts"))
  const nameWidth = Math.min(28, Math.max(...namesOf(session).map(({ length }) => length)))
  const live = yield* LiveProgress.make({ output, notices: screen.notices, nameWidth, isQuiet: isJson })
  if (!isJson) yield* Effect.ignore(writeLines(output, HostReport.header("materialize", session, output.style)))
  const result = yield* session.assay
    .materialize(request, { requestedBy: host.requestedBy, why: host.commandLine })
    .pipe(
      Effect.provideService(Listener, (progress) =>
        Effect.flatMap(naming(progress, session, began), (named) => live.listen(named))
      ),
      HostReport.blameSetup,
      Effect.onInterrupt(() =>
        Effect.gen(function* () {
          yield* live.close
          const { columns, style } = screen.error
          const lines = RunReport.interrupted(yield* live.board, { call: host.call, style, width: yield* columns })
          yield* Effect.ignore(writeLines(screen.error, lines))
        })
      )
    )
  yield* live.close
  const board = yield* live.board
  // What the ledger says of a run that it knows, so that `runs` says the same.
  const recorded = result.runId === undefined ? undefined : yield* Effect.option(session.assay.run(result.runId))
  const durationMs = lengthOf(recorded) ?? (yield* Clock.currentTimeMillis) - began
  // A reader that has gone changes nothing about the run, nor about the exit code.
  yield* Effect.ignore(
    isJson
      ? screen.out.write(
          Json.document(documentOf(result, { target: session.target, durationMs, warnings: board.warnings }))
        )
      : Effect.flatMap(output.columns, (width) =>
          writeLines(output, [
            ...(board.lanes.size === 0 ? [] : [""]),
            ...RunReport.summary({
              result,
              board,
              durationMs,
              call: host.call,
              partitions: request.partitions,
              layout: { style: output.style, width, nameWidth }
            })
          ])
        )
  )
  const code = ExitCode.ofRun(result)
  if (code === ExitCode.ExitCode.failed || code === ExitCode.ExitCode.partlyFailed)
    return yield* new ExitCode.Unsuccessful({ code })
}, Effect.scoped)

/** Where another process is in the way, the run that it carries out is named, so that somebody can look at it. */
const naming = Effect.fnUntraced(function* (progress: Progress, { assay }: Session, began: number) {
  if (progress._tag !== "Retrying" || !progress.message.includes("another process")) return progress
  const runs = yield* Effect.orElseSucceed(assay.runs({ limit: 20 }), () => [])
  const other = runs.find(
    ({ run }) =>
      run.status === "running" && run.assets.includes(progress.asset) && DateTime.toEpochMillis(run.startedAt) < began
  )
  if (other === undefined) return progress
  return { ...progress, message: `run ${other.run.runId} of ${other.run.requestedBy}: ${progress.message}` }
})

const lengthOf = (recorded: Option.Option<Lookup> | undefined): number | undefined => {
  if (recorded === undefined || recorded._tag === "None" || recorded.value._tag !== "Found") return undefined
  const { finishedAt, startedAt } = recorded.value.run
  return finishedAt === undefined ? undefined : DateTime.toEpochMillis(finishedAt) - DateTime.toEpochMillis(startedAt)
}

const namesOf = ({ assay: { graph } }: Session): ReadonlyArray<AssetKey> => Array.from(graph.assets.keys())

const documentOf = (
  { outcomes, runId, status, steps }: RunResult,
  rest: Pick<RunDocument, "target" | "durationMs" | "warnings">
): RunDocument => ({
  runId: runId ?? null,
  target: rest.target,
  status,
  steps,
  durationMs: rest.durationMs,
  assets: outcomes.map((outcome) => ({
    asset: outcome.asset,
    outcome: outcome.outcome,
    steps: outcome.steps,
    units: outcome.units,
    rows: {
      read: outcome.read,
      inserted: outcome.inserted,
      updated: outcome.updated,
      deleted: outcome.deleted,
      unchanged: outcome.unchanged,
      quarantined: outcome.quarantined
    },
    durationMs: outcome.durationMs,
    error:
      outcome.error === undefined ? null : { reason: outcome.error.reason._tag, message: outcome.error.reason.message },
    because: outcome.because
  })),
  warnings: rest.warnings
})
