/**
 * Why a unit is as it is, in lines for people and as a document for programs.
 */
import * as DateTime from "effect/DateTime"
import type { AssetKey } from "../Asset.ts"
import { formatCause } from "../ledger/StaleSets.ts"
import * as IncompleteWindow from "../planning/IncompleteWindow.ts"
import type { Explanation, Judgement, Next, Reason, State } from "../planning/Why.ts"
import { whole } from "../Unit.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import type { Style } from "./Style.ts"

/**
 * What `why --json` prints. Times are ISO 8601 in UTC.
 *
 * @category models
 * @since 0.1.0
 */
export interface WhyDocument {
  readonly target: string
  readonly asset: AssetKey
  /** A partition, the text of a key, or `*` for the whole asset. */
  readonly unit: string
  readonly unitName: Explanation["unitName"]
  readonly window: { readonly start: string; readonly end: string } | null
  readonly state: State
  readonly codeVersion: string
  readonly built: {
    readonly at: string
    readonly runId: string
    readonly rows: number
    readonly contentHash: string
    readonly codeVersion: string
    readonly isByOtherCode: boolean
  } | null
  readonly stale: ReadonlyArray<{
    readonly cause: string
    readonly upstream: AssetKey | null
    readonly since: string
    /** The run that marked it, where the ledger can tell. */
    readonly runId: string | null
    /** Whether it was marked together with all units, or all from one on. */
    readonly isRange: boolean
  }>
  /** Of a whole asset, how many units are stale for each cause. */
  readonly staleUnits: ReadonlyArray<{ readonly cause: string; readonly count: number }>
  readonly lacks: ReadonlyArray<string>
  readonly lastStep: {
    readonly runId: string
    readonly status: string
    readonly at: string
    readonly error: string | null
  } | null
  readonly othersDue: number
  readonly automation: JudgementDocument | null
  /** Whether its window is closed, so that only a request restates it. */
  readonly isHeld: boolean
  readonly next: {
    readonly action: Next["_tag"]
    readonly at: string | null
    readonly upstream: ReadonlyArray<AssetKey>
  }
}

/**
 * A part of an automation condition in the document of `why --json`; `isTrue` is null where only a daemon knows.
 *
 * @category models
 * @since 0.1.0
 */
export interface JudgementDocument {
  readonly condition: string
  readonly of: AssetKey | null
  readonly isTrue: boolean | null
  readonly parts: ReadonlyArray<JudgementDocument>
}

/**
 * The lines of an explanation.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  self: Explanation,
  options: { readonly style: Style; readonly width: number; readonly now: DateTime.Utc; readonly call: string }
): ReadonlyArray<string> => {
  const { style, width } = options
  const fact = (label: string, texts: ReadonlyArray<string>): ReadonlyArray<string> =>
    texts
      .flatMap((text) => Paragraph.wrap(style.words(text), { width: width - labelWidth, indent: "" }))
      .map((line, index) => `${style.dim((index === 0 ? label : "").padEnd(labelWidth))}${line}`)
  return [
    ...Paragraph.wrap(style.words(headline(self)), { width }).map((line, index) =>
      index === 0 ? style.bold(line) : line
    ),
    "",
    ...fact("window", windowOf(self)),
    ...fact("built", builtOf(self, options)),
    ...fact("stale", [...self.reasons.flatMap((reason) => reasonOf(reason, options)), ...self.causes.map(causeOf)]),
    ...fact("lacks", self.incomplete.map(IncompleteWindow.format)),
    ...fact("last step", lastStepOf(self, options)),
    ...(self.automation === undefined
      ? []
      : fact("automation", self.isHeld ? ["its window is closed: only a request restates it"] : []).concat(
          judgements(self.automation, options).map(
            (line, index) => `${style.dim((index === 0 && !self.isHeld ? "automation" : "").padEnd(labelWidth))}${line}`
          )
        )),
    ...fact("next", nextOf(self, options))
  ]
}

/**
 * The document of an explanation.
 *
 * @category conversions
 * @since 0.1.0
 */
export const documentOf = (self: Explanation, target: string): WhyDocument => ({
  target,
  asset: self.asset,
  unit: self.unit,
  unitName: self.unitName,
  window: self.window === undefined ? null : { start: iso(self.window.start), end: iso(self.window.end) },
  state: self.state,
  codeVersion: self.codeVersion,
  built:
    self.built === undefined
      ? null
      : {
          at: DateTime.formatIso(self.built.at),
          runId: self.built.runId,
          rows: self.built.rows,
          contentHash: self.built.contentHash,
          codeVersion: self.built.codeVersion,
          isByOtherCode: self.isBuiltByOtherCode
        },
  stale: self.reasons.map(({ at, cause, isRange, runId }) => ({
    cause: formatCause(cause),
    upstream: cause._tag === "Upstream" ? cause.asset : null,
    since: DateTime.formatIso(at),
    runId: runId ?? null,
    isRange
  })),
  staleUnits: self.causes.map(({ cause, count }) => ({ cause: formatCause(cause), count })),
  lacks: self.incomplete.map(IncompleteWindow.format),
  lastStep:
    self.lastStep === undefined
      ? null
      : {
          runId: self.lastStep.runId,
          status: self.lastStep.status,
          at: DateTime.formatIso(self.lastStep.finishedAt ?? self.lastStep.startedAt),
          error: self.lastStep.error ?? null
        },
  othersDue: self.othersDue,
  automation: self.automation === undefined ? null : judgementDocument(self.automation),
  isHeld: self.isHeld,
  next: {
    action: self.next._tag,
    at: self.next._tag === "Exist" ? iso(self.next.at) : null,
    upstream: self.next._tag === "Upstream" ? self.next.assets : []
  }
})

// --- internal ---

const labelWidth = 12

const headline = ({ asset, next, state, unit }: Explanation): string => {
  const name = unit === whole ? asset : `${asset} ${Paragraph.visible(unit)}`
  switch (state) {
    case "source":
      return `${asset} is a source: its rows come from outside, and nothing makes it stale.`
    case "view":
      return `${asset} is a view: it keeps no rows, and is as fresh as what it reads.`
    case "toCome":
      return next._tag === "Exist" ? `${name} does not exist before ${moment(next.at)}.` : `${name} does not exist.`
    case "missing":
      return `${name} was never built.`
    case "stale":
      return `${name} is stale: it may differ from the full refresh.`
    case "fresh":
      return `${name} is fresh: nothing that it is made of has changed since it was built.`
  }
}

const windowOf = ({ window }: Explanation): ReadonlyArray<string> =>
  window === undefined ? [] : [`${moment(window.start)} to ${moment(window.end)}`]

const builtOf = (
  { built, isBuiltByOtherCode, unitName }: Explanation,
  { now }: { readonly now: DateTime.Utc }
): ReadonlyArray<string> =>
  built === undefined
    ? []
    : [
        `${seen(built.at, now)}: ${unitName === "key" ? "with its whole table" : Quantity.count(built.rows, "row")}`,
        `by run ${built.runId}`,
        isBuiltByOtherCode
          ? `with another definition (${built.codeVersion.slice(0, 8)}) than the one of now`
          : `with the definition of now (${built.codeVersion.slice(0, 8)})`
      ]

const reasonOf = (
  { at, cause, isRange, runId }: Reason,
  { now }: { readonly now: DateTime.Utc }
): ReadonlyArray<string> => [
  `since ${seen(at, now)}: ${formatCause(cause)}${isRange ? ", for every unit" : ""}`,
  ...(runId === undefined ? [] : [`by run ${runId}`])
]

const causeOf = ({ cause, count }: Explanation["causes"][number]): string =>
  `${Quantity.count(count, "unit")}: ${formatCause(cause)}`

const lastStepOf = ({ lastStep }: Explanation, { now }: { readonly now: DateTime.Utc }): ReadonlyArray<string> =>
  lastStep === undefined || lastStep.status === "succeeded"
    ? []
    : [
        `${lastStep.status} ${seen(lastStep.finishedAt ?? lastStep.startedAt, now)} in run ${lastStep.runId}`,
        ...(lastStep.error === undefined ? [] : [Paragraph.visible(lastStep.error)])
      ]

/** A condition that is put together of two names its parts beneath it; what is negated or asked upstream stands by itself. */
const judgements = (
  self: Judgement,
  { style, width }: { readonly style: Style; readonly width: number },
  depth = 0
): ReadonlyArray<string> => {
  const { failed, done } = style.symbols
  const symbol = self.isTrue === undefined ? style.yellow("?") : self.isTrue ? done : failed
  const text = `${self.of === undefined ? "" : `${self.of}: `}${self.condition}`
  const room = Math.max(8, width - labelWidth - depth * 2 - 2)
  const cut = Paragraph.truncate(style.words(text), { width: room, ellipsis: style.symbols.ellipsis })
  const isPlain = self.parts.length === 1 && self.condition.startsWith("not ") && self.parts[0]?.parts.length === 0
  return [
    `${"  ".repeat(depth)}${symbol} ${cut}`,
    ...(isPlain ? [] : self.parts.flatMap((part) => judgements(part, { style, width }, depth + 1)))
  ]
}

const nextOf = (
  { asset, next, othersDue, state, unit, unitName }: Explanation,
  { call }: { readonly call: string }
): ReadonlyArray<string> => {
  const others =
    othersDue === 0
      ? []
      : [
          `${Quantity.count(othersDue, "other partition")} ${othersDue === 1 ? "is" : "are"} due: ${call} plan --asset ${asset}`
        ]
  const range = unitName === "partition" ? ` --partitions ${unit}` : ""
  switch (next._tag) {
    case "Nothing":
      return [
        ...(state === "source" ? [`what there is to land: ${call} plan --asset ${asset}`] : ["nothing"]),
        ...others
      ]
    case "Build":
      return [
        `to build it: ${call} materialize --asset ${asset}${range}`,
        ...(next.isOnlyNamed ? ["only where a request names it"] : []),
        ...others
      ]
    case "Exist":
      return ["nothing before it exists", ...others]
    case "Wait":
      return ["waits until what it lacks exists", ...others]
    case "Upstream":
      return [`nothing here; ${next.assets.join(", ")} upstream may make it stale once built`, ...others]
  }
}

const seen = (at: DateTime.Utc, now: DateTime.Utc): string => `${Quantity.moment(at)} UTC (${Quantity.ago(at, now)})`

const moment = (at: number): string => `${Quantity.moment(DateTime.makeUnsafe(at))} UTC`

const iso = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at))

const judgementDocument = ({ condition, isTrue, of, parts }: Judgement): JudgementDocument => ({
  condition,
  of: of ?? null,
  isTrue: isTrue ?? null,
  parts: parts.map(judgementDocument)
})
