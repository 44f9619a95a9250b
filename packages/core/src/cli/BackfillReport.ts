/**
 * What does a backfill say, for people and for scripts? What it would do, how far it is, and what became of it.
 */
import * as DateTime from "effect/DateTime"
import type { AssetKey } from "../Asset.ts"
import { isPartitioned } from "../Asset.ts"
import type { BackfillRecord, BackfillStatus, Only } from "../Backfill.ts"
import type { Progress, Proposal } from "../execution/Backfiller.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as BackfillPlan from "../planning/Backfill.ts"
import * as IncompleteWindow from "../planning/IncompleteWindow.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import type { Style } from "./Style.ts"
import * as Table from "./Table.ts"

/**
 * What `backfill --dry-run --json` prints.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProposalDocument {
  readonly target: string
  readonly selection: string
  readonly partitions: string | null
  readonly only: ReadonlyArray<Only>
  readonly units: number
  readonly assets: ReadonlyArray<{
    readonly asset: AssetKey
    readonly units: number
    /** The partitions as a range, where the units are partitions. */
    readonly partitions: string | null
    readonly missing: number
    readonly stale: number
    readonly fresh: number
    /** Partitions left out, because they need upstream windows that do not exist. */
    readonly waiting: string | null
    /** Whether so much of it would be built again that `--yes` is needed where nobody can be asked. */
    readonly isMuch: boolean
  }>
}

/**
 * What `backfill --json`, `backfill show --json` and, for each one, `backfill list --json` print. Times are ISO 8601 in UTC.
 *
 * @category models
 * @since 0.1.0
 */
export interface BackfillDocument {
  readonly backfillId: string
  readonly status: BackfillStatus
  readonly selection: string
  readonly partitions: string | null
  readonly only: ReadonlyArray<Only>
  readonly maxConcurrent: number
  readonly requestedBy: string
  readonly why: string
  readonly startedAt: string
  readonly heartbeatAt: string
  readonly finishedAt: string | null
  readonly assets: ReadonlyArray<PartDocument>
}

/**
 * One asset of a backfill. Ranges of partitions are null where there is none.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartDocument {
  readonly asset: AssetKey
  readonly units: {
    readonly target: number
    readonly underWay: number
    readonly built: number
    readonly failed: number
    readonly downstream: number
  }
  readonly partitions: {
    readonly target: string | null
    readonly underWay: string | null
    readonly built: string | null
    readonly failed: string | null
    readonly downstream: string | null
  }
  readonly failures: ReadonlyArray<{
    readonly units: number
    readonly partitions: string | null
    readonly reason: string
    readonly message: string
  }>
  readonly runId: string | null
}

/**
 * How many units a backfill has, and what became of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly target: number
  readonly underWay: number
  readonly built: number
  readonly failed: number
  readonly downstream: number
}

/**
 * The counts of parts together.
 *
 * @category getters
 * @since 0.1.0
 */
export const counts = (parts: Progress["parts"]): Counts =>
  parts.map(countsOf).reduce(
    (sum, part) => ({
      target: sum.target + part.target,
      underWay: sum.underWay + part.underWay,
      built: sum.built + part.built,
      failed: sum.failed + part.failed,
      downstream: sum.downstream + part.downstream
    }),
    { target: 0, underWay: 0, built: 0, failed: 0, downstream: 0 }
  )

/**
 * The document of a proposal.
 *
 * @category conversions
 * @since 0.1.0
 */
export const proposalDocument = (proposal: Proposal, target: string): ProposalDocument => ({
  target,
  selection: proposal.selection,
  partitions: proposal.partitions ?? null,
  only: proposal.only,
  units: unitsOf(proposal),
  assets: proposal.assets.map(({ asset, fresh, isMuch, missing, stale, target: units, waiting }) => ({
    asset: asset.name,
    units: PartitionSet.size(units),
    partitions: rangeOf(units),
    missing,
    stale,
    fresh,
    waiting: rangeOf(waiting),
    isMuch
  }))
})

/**
 * The document of a backfill.
 *
 * @category conversions
 * @since 0.1.0
 */
export const document = (record: BackfillRecord, parts: Progress["parts"]): BackfillDocument => ({
  backfillId: record.backfillId,
  status: record.status,
  selection: record.selection,
  partitions: record.partitions ?? null,
  only: record.only,
  maxConcurrent: record.maxConcurrent,
  requestedBy: record.requestedBy,
  why: record.why,
  startedAt: DateTime.formatIso(record.startedAt),
  heartbeatAt: DateTime.formatIso(record.heartbeatAt),
  finishedAt: record.finishedAt === undefined ? null : DateTime.formatIso(record.finishedAt),
  assets: parts.map((part) => {
    const { built, failing, downstream, target, underWay } = setsOf(part)
    return {
      asset: part.asset.name,
      units: countsOf(part),
      partitions: {
        target: rangeOf(target),
        underWay: rangeOf(underWay),
        built: rangeOf(built),
        failed: rangeOf(failing),
        downstream: rangeOf(downstream)
      },
      failures: part.failures.map(({ message, reason, units }) => ({
        units: PartitionSet.size(units),
        partitions: rangeOf(units),
        reason,
        message
      })),
      runId: part.holder?.runId ?? null
    }
  })
})

/**
 * How many units a proposal has.
 *
 * @category getters
 * @since 0.1.0
 */
export const unitsOf = ({ assets }: Proposal): number =>
  assets.reduce((sum, { target }) => sum + PartitionSet.size(target), 0)

/**
 * The lines of a proposal.
 *
 * @category conversions
 * @since 0.1.0
 */
export const proposalLines = (
  { assets }: Proposal,
  options: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const { style, width } = options
  const waits = assets.flatMap(({ incompleteWindows }) => incompleteWindows.map(IncompleteWindow.format))
  return [
    ...Table.render(
      {
        columns: [
          { title: "asset", isFixed: true },
          { title: "units", align: "right", isFixed: true },
          { title: "missing", align: "right", isFixed: true },
          { title: "stale", align: "right", isFixed: true },
          { title: "fresh", align: "right", isFixed: true },
          { title: "partitions" }
        ],
        rows: assets.map(({ asset, fresh, missing, stale, target }) => [
          asset.name,
          ...(asset.body._tag === "Source"
            ? [Quantity.number(PartitionSet.size(target)), "", "", ""]
            : [PartitionSet.size(target), missing, stale, fresh].map(Quantity.number)),
          asset.body._tag === "Source" ? "what there is to land" : named(target)
        ])
      },
      options
    ),
    ...waits.flatMap((note) => Paragraph.wrap(style.words(`left out: ${note}`), { width }).map(style.yellow))
  ]
}

/**
 * How much is built again, as a sentence for who has to agree.
 *
 * @category conversions
 * @since 0.1.0
 */
export const much = ({ assets }: Proposal): string => {
  const parts = assets.flatMap(({ asset, built, isMuch, missing, target }) => {
    if (!isMuch) return []
    const again = PartitionSet.size(target) - missing
    return [
      isPartitioned(asset)
        ? `${Quantity.number(again)} of ${Quantity.count(built, "partition")} of ${asset.name}`
        : `all of ${asset.name}`
    ]
  })
  return `This builds again what is built: ${parts.join(", ")}.`
}

/**
 * The lines of a list of backfills.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  backfills: ReadonlyArray<{ readonly record: BackfillRecord; readonly counts: Counts | undefined }>,
  options: { readonly style: Style; readonly width: number; readonly now: DateTime.Utc }
): ReadonlyArray<string> => {
  const { now, style } = options
  return Table.render(
    {
      columns: [
        { title: "backfill", isFixed: true },
        { title: "status", isFixed: true },
        { title: "started", isFixed: true },
        { title: "built", align: "right", isFixed: true },
        { title: "failed", align: "right", isFixed: true },
        { title: "what" }
      ],
      rows: backfills.map(({ counts, record }) => [
        record.backfillId,
        statusOf(record, { style, now }),
        Quantity.ago(record.startedAt, now),
        counts === undefined ? "" : `${Quantity.number(counts.built)} of ${Quantity.number(counts.target)}`,
        counts === undefined ? "" : Quantity.number(counts.failed + counts.downstream),
        Paragraph.visible(whatOf(record))
      ])
    },
    options
  )
}

/**
 * The lines of one backfill: what it is, how far each asset is, and why units failed.
 *
 * @category conversions
 * @since 0.1.0
 */
export const backfillLines = (
  record: BackfillRecord,
  parts: Progress["parts"],
  options: { readonly style: Style; readonly width: number; readonly now: DateTime.Utc }
): ReadonlyArray<string> => {
  const { now, style, width } = options
  const facts: ReadonlyArray<readonly [string, string]> = [
    ["backfill", style.bold(record.backfillId)],
    ["status", statusOf(record, options)],
    ["started", `${Quantity.moment(record.startedAt)} UTC`],
    ...(record.finishedAt === undefined
      ? [["seen", Quantity.ago(record.heartbeatAt, now)] as const]
      : [["took", Quantity.duration(millis(record.startedAt, record.finishedAt))] as const]),
    ["by", Paragraph.visible(record.requestedBy)],
    ["what", Paragraph.visible(whatOf(record))]
  ]
  return [
    ...facts.flatMap(([label, text]) =>
      Paragraph.wrap(text, { width: width - 12 }).map(
        (line, index) => `${style.dim((index === 0 ? label : "").padEnd(10))}  ${line}`
      )
    ),
    "",
    ...partLines(parts, options)
  ]
}

/**
 * How far each asset is, and why units failed.
 *
 * @category conversions
 * @since 0.1.0
 */
export const partLines = (
  parts: Progress["parts"],
  options: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const { style, width } = options
  const failures = parts.flatMap((part) => part.failures.map((failure) => ({ asset: part.asset.name, ...failure })))
  return [
    ...Table.render(
      {
        columns: [
          { title: "asset", isFixed: true },
          { title: "built", align: "right", isFixed: true },
          { title: "of", align: "right", isFixed: true },
          { title: "under way", align: "right", isFixed: true },
          { title: "failed", align: "right", isFixed: true },
          { title: "downstream", align: "right", isFixed: true },
          { title: "partitions" }
        ],
        rows: parts.map((part) => {
          const { built, downstream, failed, target, underWay } = countsOf(part)
          return [
            part.asset.name,
            ...[built, target, underWay, failed, downstream].map(Quantity.number),
            named(part.target)
          ]
        })
      },
      options
    ),
    ...failures.flatMap(({ asset, message, reason, units }) => [
      "",
      ...Paragraph.wrap(`${asset} ${named(units)} failed (${reason}): ${Paragraph.visible(message)}`, {
        width,
        indent: "  "
      }).map(style.red)
    ])
  ]
}

/**
 * The last sentence about a backfill that was worked on, and what to do next.
 *
 * @category conversions
 * @since 0.1.0
 */
export const summary = (
  { backfillId, parts, status }: Progress,
  options: { readonly style: Style; readonly durationMs: number; readonly call: string }
): ReadonlyArray<string> => {
  const { call, style } = options
  const { built, downstream, failed, target } = counts(parts)
  const word =
    status === "succeeded" ? style.green(status) : status === "failed" ? style.red(status) : style.yellow(status)
  const lost = failed === 0 ? "" : `, ${Quantity.number(failed)} failed`
  const below = downstream === 0 ? "" : `, ${Quantity.number(downstream)} downstream of them`
  const next =
    status === "failed"
      ? `${call} backfill retry ${backfillId}`
      : status === "cancelled"
        ? `${call} backfill resume ${backfillId}`
        : `${call} status`
  return [
    `Backfill ${style.bold(backfillId)} ${word} in ${Quantity.duration(options.durationMs)}: ` +
      `${Quantity.number(built)} of ${Quantity.count(target, "unit")} built${lost}${below}.`,
    style.dim(`Next: ${next}`)
  ]
}

/**
 * The lines of a backfill that is left before its end.
 *
 * @category conversions
 * @since 0.1.0
 */
export const interrupted = (
  backfillId: string,
  options: { readonly call: string; readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const { call, style, width } = options
  return Paragraph.wrap(
    `${style.symbols.warning} Interrupted; what was built stays. Go on: ${call} backfill resume ${backfillId}`,
    { width, indent: "  " }
  )
}

/**
 * Whether nobody seems to work on a backfill that is to be worked on.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isLeft = ({ heartbeatAt, status }: BackfillRecord, now: DateTime.Utc): boolean =>
  status === "running" && millis(heartbeatAt, now) > silence

// --- internal ---

/** Signs of life come each 15 seconds. */
const silence = 60_000

const setsOf = (part: Progress["parts"][number]) => {
  const failing = BackfillPlan.failing(part)
  return {
    target: part.target,
    underWay: BackfillPlan.underWay(part),
    built: part.built,
    failing,
    downstream: PartitionSet.difference(part.failed, failing)
  }
}

const countsOf = (part: Progress["parts"][number]): Counts => {
  const { built, downstream, failing, target, underWay } = setsOf(part)
  return {
    target: PartitionSet.size(target),
    underWay: PartitionSet.size(underWay),
    built: PartitionSet.size(built),
    failed: PartitionSet.size(failing),
    downstream: PartitionSet.size(downstream)
  }
}

const rangeOf = (set: PartitionSet.PartitionSet): string | null =>
  PartitionSet.isEmpty(set) || set.partitions._tag === "Unpartitioned" ? null : PartitionSet.format(set)

const named = (set: PartitionSet.PartitionSet): string =>
  PartitionSet.isEmpty(set)
    ? ""
    : set.partitions._tag === "Unpartitioned"
      ? "everything"
      : PartitionSet.format(set, { limit: 4 })

const whatOf = ({ only, partitions, selection }: BackfillRecord): string =>
  [
    selection,
    ...(partitions === undefined ? [] : [partitions]),
    ...(only.length === 0 ? [] : [`only ${only.join(", ")}`])
  ].join(" ")

const statusOf = (
  record: BackfillRecord,
  { now, style }: { readonly style: Style; readonly now: DateTime.Utc }
): string => {
  switch (record.status) {
    case "succeeded":
      return style.green(record.status)
    case "failed":
      return style.red(record.status)
    case "cancelled":
      return style.yellow(record.status)
    case "running":
      return style.yellow(isLeft(record, now) ? "interrupted" : record.status)
  }
}

const millis = (from: DateTime.Utc, to: DateTime.Utc): number =>
  DateTime.toEpochMillis(to) - DateTime.toEpochMillis(from)
