/**
 * `materialize`: bring assets up to date. Shows the run while it goes on and says at the end what it did, what needs
 * attention and what to do next.
 */
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AssetKey } from "../Asset.ts"
import { Listener } from "../execution/Progress.ts"
import type { RunResult } from "../execution/Runner.ts"
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
    Effect.fnUntraced(function* ({ dryRun, json, ...input }) {
      const request = RequestFlags.toRequest(input)
      if (dryRun) yield* PlanCommand.explain(request, { isJson: json })
      else yield* materialize(request, { isJson: json })
    })
  ).pipe(
    Command.withDescription("Bring assets up to date: land new source rows, then build what is stale or missing"),
    Command.withExamples([
      { command: `${name} materialize`, description: "Everything" },
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

const materialize = Effect.fnUntraced(function* (request: Request, { isJson }: { readonly isJson: boolean }) {
  const host = yield* Host
  const screen = yield* Screen
  // Beside a document, progress stands on the other output or nowhere.
  const output = isJson ? screen.error : screen.out
  const began = yield* Clock.currentTimeMillis
  const session = yield* host.open
  yield* HostReport.check(session, request)
  const RunReport = yield* Effect.promise(() => import("./RunReport.ts"))
  const LiveProgress = yield* Effect.promise(() => import("./LiveProgress.ts"))
  const nameWidth = Math.min(28, Math.max(...namesOf(session).map(({ length }) => length)))
  const live = yield* LiveProgress.make({ output, notices: screen.notices, nameWidth, isQuiet: isJson })
  if (!isJson) yield* Effect.ignore(writeLines(output, HostReport.header("materialize", session, output.style)))
  const result = yield* session.assay
    .materialize(request, { requestedBy: host.requestedBy, why: host.commandLine })
    .pipe(
      Effect.provideService(Listener, live.listen),
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
  const durationMs = (yield* Clock.currentTimeMillis) - began
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
