/**
 * `status`: where do the assets stand? Units built, stale, missing and failed, rows, and what happened last.
 */
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Report } from "../Assay.ts"
import type { AssetKey } from "../Asset.ts"
import { type LabelsDocument, labelsDocument } from "./AssetsCommand.ts"
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
 * What `status --json` prints. Times are ISO 8601 in UTC.
 *
 * @category models
 * @since 0.1.0
 */
export interface StatusDocument {
  readonly target: string
  readonly assets: ReadonlyArray<{
    readonly asset: AssetKey
    readonly description: string
    readonly labels: LabelsDocument
    readonly kind: Report["kind"]
    readonly isBuilt: boolean
    /** Why it is stale as a whole, where it is. */
    readonly staleAsAWhole: string | null
    readonly units: {
      readonly existing: number
      readonly built: number
      readonly stale: number
      readonly missing: number
      readonly failed: number
    }
    readonly rows: number
    readonly quarantined: number
    /** Rows of upstream assets that lie before the first partition. */
    readonly rowsOutside: number
    readonly lastRun: {
      readonly runId: string
      readonly status: string
      readonly startedAt: string
      readonly finishedAt: string | null
      readonly error: string | null
    } | null
    readonly lastLandingAt: string | null
  }>
}

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make("status", { selection: RequestFlags.selection, json: RequestFlags.json }, ({ json, selection }) =>
    status(selection, { isJson: json })
  ).pipe(
    Command.withDescription("Show where the assets stand: units built, stale, missing, failed; rows; the last run"),
    Command.withExamples([
      { command: `${name} status --asset gold_revenue`, description: "One asset" },
      { command: `${name} status --select 'status:stale or status:missing'`, description: "What is not up to date" }
    ])
  )

/**
 * The lines of a status.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  reports: ReadonlyArray<Report>,
  options: { readonly style: Style; readonly width: number; readonly now: DateTime.Utc; readonly call: string }
): ReadonlyArray<string> => {
  const { now, style, width } = options
  const said = reports.flatMap((report) => notes(report, options).map((note) => ({ asset: report.asset, note })))
  const noted = Array.from(
    Map.groupBy(said, ({ note }) => note),
    ([note, of]) => `${of.map(({ asset }) => asset).join(", ")}: ${note}`
  )
  return [
    ...Table.render(
      {
        columns: [
          { title: "asset" },
          { title: "built", align: "right", isFixed: true },
          { title: "stale", align: "right", isFixed: true },
          { title: "missing", align: "right", isFixed: true },
          { title: "failed", align: "right", isFixed: true },
          { title: "rows", align: "right", isFixed: true },
          { title: "last run" }
        ],
        rows: reports.map((report) => [
          report.asset,
          built(report, style),
          number(report.kind === "source" ? undefined : staleOf(report), style.yellow, style),
          number(report.kind === "source" ? undefined : report.missing, style.yellow, style),
          number(report.kind === "source" ? undefined : report.failed, style.red, style),
          Quantity.number(report.rows),
          lastRun(report, now, style)
        ])
      },
      { width, style }
    ),
    ...(noted.length === 0 ? [] : [""]),
    ...noted.flatMap((note) => Paragraph.wrap(style.words(note), { width, indent: "  " }))
  ]
}

// --- internal ---

const status = Effect.fnUntraced(function* (
  selection: RequestFlags.Selection,
  { isJson }: { readonly isJson: boolean }
) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const assets = yield* HostReport.select(session, selection)
  const isNothing = assets?.length === 0
  const reports = isNothing ? [] : yield* session.assay.status(assets)
  if (isJson) return yield* out.write(Json.document(documentOf(reports, session.target)))
  const now = yield* DateTime.now
  yield* writeLines(out, HostReport.header("status", session, out.style))
  if (isNothing) return yield* writeLines(out, [HostReport.nothingSelected(selection)])
  yield* writeLines(out, lines(reports, { style: out.style, width: yield* out.columns, now, call: host.call }))
}, Effect.scoped)

const built = (report: Report, style: Style): string => {
  switch (report.kind) {
    case "source":
    case "view":
      return style.dim(style.words("–"))
    case "partitioned":
      return `${Quantity.number(report.built)}/${Quantity.number(report.existing)}`
    case "keyed":
    case "whole":
      return report.isBuilt ? "yes" : "no"
  }
}

/** Stale as a whole is stale, also where no unit is marked by itself. */
const staleOf = ({ isBuilt, stale, whole }: Report): number | "all" =>
  whole !== undefined && isBuilt && stale === 0 ? "all" : stale

const number = (value: number | "all" | undefined, look: (text: string) => string, style: Style): string =>
  value === undefined
    ? style.dim(style.words("–"))
    : value === 0
      ? "0"
      : look(value === "all" ? value : Quantity.number(value))

const lastRun = ({ lastStep }: Report, now: DateTime.Utc, style: Style): string => {
  if (lastStep === undefined) return style.dim("never")
  const when = Quantity.ago(lastStep.finishedAt ?? lastStep.startedAt, now)
  return lastStep.status === "succeeded" ? when : `${when}, ${lastStep.status}`
}

const notes = (
  report: Report,
  { call, now }: { readonly now: DateTime.Utc; readonly call: string }
): ReadonlyArray<string> => [
  ...(report.lastLandingAt === undefined
    ? []
    : [`last landing ${Quantity.moment(report.lastLandingAt)} UTC (${Quantity.ago(report.lastLandingAt, now)})`]),
  ...(report.quarantined === 0
    ? []
    : [`${Quantity.count(report.quarantined, "row")} in quarantine: ${call} quarantine`]),
  ...(report.whole === undefined || !report.isBuilt ? [] : [`stale as a whole: ${report.whole}`]),
  ...(report.outside === 0 ? [] : [`${Quantity.count(report.outside, "row")} upstream before its first partition`]),
  ...(report.lastStep?.status === "failed"
    ? [`failed: ${Paragraph.visible(report.lastStep.error ?? "no reason recorded")}`]
    : [])
]

const documentOf = (reports: ReadonlyArray<Report>, target: string): StatusDocument => ({
  target,
  assets: reports.map((report) => ({
    asset: report.asset,
    description: report.description,
    labels: labelsDocument(report.labels),
    kind: report.kind,
    isBuilt: report.isBuilt,
    staleAsAWhole: report.whole ?? null,
    units: {
      existing: report.existing,
      built: report.built,
      stale: report.stale,
      missing: report.missing,
      failed: report.failed
    },
    rows: report.rows,
    quarantined: report.quarantined,
    rowsOutside: report.outside,
    lastRun:
      report.lastStep === undefined
        ? null
        : {
            runId: report.lastStep.runId,
            status: report.lastStep.status,
            startedAt: DateTime.formatIso(report.lastStep.startedAt),
            finishedAt:
              report.lastStep.finishedAt === undefined ? null : DateTime.formatIso(report.lastStep.finishedAt),
            error: report.lastStep.error ?? null
          },
    lastLandingAt: report.lastLandingAt === undefined ? null : DateTime.formatIso(report.lastLandingAt)
  }))
})
