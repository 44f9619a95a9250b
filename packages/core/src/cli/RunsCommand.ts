/**
 * `runs`: what was run, when, by whom, and how did it end? And of one run, its steps.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { AssetKey } from "../Asset.ts"
import type { RunRecord, RunStatus, RunSummary, StepRecord } from "../Run.ts"
import { UsageError } from "./ExitCode.ts"
import { Host } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { Screen, writeLines } from "./Screen.ts"
import type { Style } from "./Style.ts"
import * as Table from "./Table.ts"

/**
 * A run in the documents of `runs --json` and `runs show --json`. Times are ISO 8601 in UTC.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOfDocument {
  readonly runId: string
  readonly status: RunStatus
  readonly assets: ReadonlyArray<AssetKey>
  readonly partitions: string | null
  readonly requestedBy: string
  readonly why: string
  readonly startedAt: string
  readonly finishedAt: string | null
  readonly error: string | null
}

/**
 * What `runs --json` prints: the latest runs, newest first, each with the number of its steps in each state.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunsDocument {
  readonly runs: ReadonlyArray<RunOfDocument & { readonly steps: Readonly<Record<RunStatus, number>> }>
}

/**
 * What `runs show ID --json` prints.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunStepsDocument {
  readonly run: RunOfDocument
  readonly steps: ReadonlyArray<{
    readonly index: number
    readonly asset: AssetKey
    readonly kind: "land" | "build"
    readonly status: RunStatus
    readonly attempts: number
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
    readonly why: string
    readonly reason: string | null
    readonly error: string | null
    readonly startedAt: string
    readonly finishedAt: string | null
  }>
}

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make(
    "runs",
    {
      limit: Flag.Int("limit").pipe(
        Flag.withAlias("n"),
        Flag.withMetavar("N"),
        Flag.filter(
          (limit) => limit > 0,
          () => "Expected a number of runs, 1 or more"
        ),
        Flag.withDescription("At most so many runs (default: 20)"),
        Flag.withDefault(20)
      ),
      json: RequestFlags.json
    },
    ({ json, limit }) => list({ isJson: json, limit })
  ).pipe(
    Command.withDescription("List the latest runs, newest first"),
    Command.withSubcommands([
      Command.make(
        "show",
        {
          id: Argument.String("ID").pipe(Argument.withDescription("Id of a run, or the beginning of one")),
          json: RequestFlags.json
        },
        ({ id, json }) => show(id, { isJson: json })
      ).pipe(
        Command.withDescription("Show one run with its steps"),
        Command.withExamples([
          { command: `${name} runs show 20240520-101530`, description: "By the beginning of its id" }
        ])
      )
    ])
  )

/**
 * The lines of a list of runs.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  runs: ReadonlyArray<RunSummary>,
  options: { readonly style: Style; readonly width: number; readonly now: DateTime.Utc }
): ReadonlyArray<string> => {
  const { now, style } = options
  return Table.render(
    {
      columns: [
        { title: "run", isFixed: true },
        { title: "status", isFixed: true },
        { title: "started", isFixed: true },
        { title: "took", align: "right", isFixed: true },
        { title: "steps", align: "right", isFixed: true },
        { title: "why" }
      ],
      rows: runs.map(({ run, steps }) => [
        run.runId,
        colored(run.status, style),
        Quantity.ago(run.startedAt, now),
        run.finishedAt === undefined ? "" : Quantity.duration(millis(run.startedAt, run.finishedAt)),
        stepCounts(steps),
        Paragraph.visible(run.why)
      ])
    },
    options
  )
}

/**
 * The lines of one run.
 *
 * @category conversions
 * @since 0.1.0
 */
export const runLines = (
  run: RunRecord,
  steps: ReadonlyArray<StepRecord>,
  options: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const { style, width } = options
  const facts: ReadonlyArray<readonly [string, string]> = [
    ["run", style.bold(run.runId)],
    ["status", colored(run.status, style)],
    ["started", `${Quantity.moment(run.startedAt)} UTC`],
    ...(run.finishedAt === undefined
      ? []
      : [["took", Quantity.duration(millis(run.startedAt, run.finishedAt))] as const]),
    ["by", Paragraph.visible(run.requestedBy)],
    ["why", Paragraph.visible(run.why)],
    ...(run.partitions === undefined ? [] : [["partitions", run.partitions] as const])
  ]
  const failures = steps.filter(({ error, status }) => error !== undefined && status === "failed")
  const isRecorded = run.error !== undefined && failures.length === 0
  return [
    ...facts.flatMap(([label, text]) =>
      Paragraph.wrap(text, { width: width - 12 }).map(
        (line, index) => `${style.dim((index === 0 ? label : "").padEnd(10))}  ${line}`
      )
    ),
    "",
    ...(steps.length === 0 ? ["No step was finished."] : stepsTable(steps, options)),
    ...failures.flatMap((step) => [
      "",
      ...Paragraph.wrap(
        `step ${steps.indexOf(step) + 1}, ${step.asset}, failed (${step.reason ?? "unknown"}): ${Paragraph.visible(step.error ?? "")}`,
        { width, indent: "  " }
      ).map(style.red)
    ]),
    ...(isRecorded ? ["", ...Paragraph.wrap(Paragraph.visible(run.error ?? ""), { width }).map(style.yellow)] : [])
  ]
}

// --- internal ---

const list = Effect.fnUntraced(function* ({ isJson, limit }: { readonly isJson: boolean; readonly limit: number }) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const runs = yield* session.assay.runs({ limit })
  if (isJson) {
    const document: RunsDocument = { runs: runs.map(({ run, steps }) => ({ ...runDocument(run), steps })) }
    return yield* out.write(Json.document(document))
  }
  yield* writeLines(out, HostReport.header("runs", session, out.style))
  if (runs.length === 0) return yield* writeLines(out, [`Nothing was run yet. Begin: ${host.call} materialize`])
  const now = yield* DateTime.now
  yield* writeLines(out, lines(runs, { style: out.style, width: yield* out.columns, now }))
}, Effect.scoped)

const show = Effect.fnUntraced(function* (id: string, { isJson }: { readonly isJson: boolean }) {
  const host = yield* Host
  const { out } = yield* Screen
  const { assay } = yield* host.open
  const found = yield* assay.run(id)
  switch (found._tag) {
    case "NotFound":
      return yield* new UsageError({
        message: `There is no run ${JSON.stringify(id)}. See the runs: ${host.call} runs`
      })
    case "Ambiguous":
      return yield* new UsageError({
        message: `${Quantity.number(found.count)} runs begin with ${JSON.stringify(id)}: ${found.runIds.join(", ")}${
          found.count > found.runIds.length ? " and others" : ""
        }. Give more of the id.`
      })
    case "Found": {
      if (!isJson)
        return yield* writeLines(out, runLines(found.run, found.steps, { style: out.style, width: yield* out.columns }))
      const document: RunStepsDocument = { run: runDocument(found.run), steps: found.steps.map(stepDocument) }
      return yield* out.write(Json.document(document))
    }
  }
}, Effect.scoped)

const stepsTable = (
  steps: ReadonlyArray<StepRecord>,
  options: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> =>
  Table.render(
    {
      columns: [
        { title: "#", align: "right", isFixed: true },
        { title: "asset", isFixed: true },
        { title: "status", isFixed: true },
        { title: "units", align: "right", isFixed: true },
        { title: "changed", align: "right", isFixed: true },
        { title: "took", align: "right", isFixed: true },
        { title: "why" }
      ],
      // An index that a step took and did not need leaves a gap, which means nothing to anybody.
      rows: steps.map((step, place) => [
        String(place + 1),
        step.asset,
        colored(step.status, options.style) + (step.attempts > 1 ? ` (${step.attempts})` : ""),
        step.kind === "build" && step.status === "succeeded" && step.units === 0 ? "all" : Quantity.number(step.units),
        Quantity.number(step.rowsInserted + step.rowsUpdated + step.rowsDeleted),
        Quantity.duration(step.durationMs),
        options.style.words(Paragraph.visible(step.why))
      ])
    },
    options
  )

const stepCounts = ({ cancelled, failed, running, skipped, succeeded }: RunSummary["steps"]): string => {
  const others = [
    [failed, "failed"],
    [skipped, "skipped"],
    [cancelled, "cancelled"],
    [running, "running"]
  ] as const
  return [String(succeeded), ...others.flatMap(([count, state]) => (count === 0 ? [] : [`${count} ${state}`]))].join(
    ", "
  )
}

const colored = (status: RunStatus, style: Style): string => {
  switch (status) {
    case "succeeded":
      return style.green(status)
    case "failed":
      return style.red(status)
    case "running":
    case "skipped":
    case "cancelled":
      return style.yellow(status)
  }
}

const millis = (from: DateTime.Utc, to: DateTime.Utc): number =>
  DateTime.toEpochMillis(to) - DateTime.toEpochMillis(from)

const runDocument = (run: RunRecord): RunOfDocument => ({
  runId: run.runId,
  status: run.status,
  assets: run.assets,
  partitions: run.partitions ?? null,
  requestedBy: run.requestedBy,
  why: run.why,
  startedAt: DateTime.formatIso(run.startedAt),
  finishedAt: run.finishedAt === undefined ? null : DateTime.formatIso(run.finishedAt),
  error: run.error ?? null
})

const stepDocument = (step: StepRecord): RunStepsDocument["steps"][number] => ({
  index: step.index,
  asset: step.asset,
  kind: step.kind,
  status: step.status,
  attempts: step.attempts,
  units: step.units,
  rows: {
    read: step.rowsRead,
    inserted: step.rowsInserted,
    updated: step.rowsUpdated,
    deleted: step.rowsDeleted,
    unchanged: step.rowsUnchanged,
    quarantined: step.rowsQuarantined
  },
  durationMs: step.durationMs,
  why: step.why,
  reason: step.reason ?? null,
  error: step.error ?? null,
  startedAt: DateTime.formatIso(step.startedAt),
  finishedAt: step.finishedAt === undefined ? null : DateTime.formatIso(step.finishedAt)
})
