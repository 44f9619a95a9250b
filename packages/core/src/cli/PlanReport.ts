/**
 * What does a plan say, for people and for scripts? The steps in words with their reasons, and the same as a document.
 */
import type { AssetKey } from "../Asset.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as IncompleteWindow from "../planning/IncompleteWindow.ts"
import * as Plan from "../planning/Plan.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import type { Style } from "./Style.ts"

/**
 * What `plan --json` prints.
 *
 * @category models
 * @since 0.1.0
 */
export interface PlanDocument {
  readonly target: string
  /** Whether the units downstream of new rows are known exactly; where not, such steps have the action `follow`. */
  readonly isExact: boolean
  readonly steps: ReadonlyArray<{
    readonly asset: AssetKey
    /** `land` new rows, `build` units, or `follow` what earlier steps make stale. */
    readonly action: "land" | "build" | "follow"
    /** How many units, or deliveries; null where it is not known. */
    readonly units: number | null
    readonly unit: string
    readonly isWhole: boolean
    /** The partitions as a range, where the units are partitions. */
    readonly partitions: string | null
    /** Those of them whose window has not ended. */
    readonly incomplete: string | null
    /** Partitions left out, because they need upstream windows that do not exist. */
    readonly waiting: string | null
    /** Which windows these are: who waits for what, and until when. */
    readonly waitingFor: ReadonlyArray<string>
    /** Rows that the step changes, where it was rehearsed. */
    readonly rows: number | null
    readonly why: ReadonlyArray<string>
    readonly deliveries: ReadonlyArray<{
      readonly origin: string
      readonly description: string
      readonly bytes: number | null
    }>
  }>
  readonly upToDate: ReadonlyArray<AssetKey>
  /** What the rehearsal failed for, where the run will fail for it, too. */
  readonly failure: { readonly reason: string; readonly message: string } | null
}

/**
 * The document of a plan.
 *
 * @category conversions
 * @since 0.1.0
 */
export const document = (plan: Plan.Plan, target: string): PlanDocument => ({
  target,
  isExact: isExact(plan),
  steps: plan.steps.map(stepDocument),
  upToDate: plan.upToDate,
  failure: plan.reason === undefined ? null : { reason: plan.reason._tag, message: plan.reason.message }
})

/**
 * The lines of a plan.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  plan: Plan.Plan,
  options: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const { style, width } = options
  if (Plan.isEmpty(plan)) return idle(plan, options)
  const nameWidth = Math.max(...plan.steps.map(({ asset }) => asset.length))
  const margin = " ".repeat(nameWidth + 7)
  return [
    ...plan.steps.flatMap((step, index) => {
      const [head, ...notes] = Plan.describe(step)
      const room = width - margin.length
      const [first = "", ...rest] = Paragraph.wrap(style.words(head), { width: room })
      return [
        `${style.dim(`${index + 1}.`.padStart(4))} ${style.bold(step.asset.padEnd(nameWidth))}  ${first}`,
        ...[
          ...rest,
          ...notes.flatMap((note) => Paragraph.wrap(style.words(note), { width: room }).map(style.yellow))
        ].map((line) => margin + line),
        ...deliveries(step, style).map((line) => margin + line)
      ]
    }),
    ...(plan.reason === undefined
      ? []
      : [
          "",
          ...Paragraph.wrap(Paragraph.visible(`This would fail: ${plan.reason.message}`), { width }).map(style.red)
        ]),
    ...(isExact(plan) || plan.reason !== undefined
      ? []
      : ["", ...Paragraph.wrap(style.words(inexact(plan)), { width }).map(style.yellow)]),
    ...(plan.upToDate.length === 0
      ? []
      : ["", ...Paragraph.wrap(`Up to date: ${plan.upToDate.join(", ")}.`, { width })])
  ]
}

// --- internal ---

const isExact = (plan: Plan.Plan): boolean =>
  plan.isRehearsed || Plan.isEmpty(plan) || plan.steps.every(({ _tag }) => _tag === "Build")

const inexact = (plan: Plan.Plan): string =>
  plan.steps.some(({ _tag }) => _tag === "Follow")
    ? "Not exact: which units follow is known only once the steps before them are done, and there is too much to rehearse."
    : "Not exact: how many rows change is known only once it is done."

/** What waits is said also where nothing can be done about it now. */
const idle = (
  plan: Plan.Plan,
  { style, width }: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const notes = plan.steps.flatMap((step) =>
    Plan.describe(step)
      .slice(1)
      .map((note) => `${step.asset} ${note}`)
  )
  return notes.length === 0
    ? [style.green("Everything is up to date: 0 steps.")]
    : [
        style.green("Everything else is up to date: 0 steps."),
        ...notes.flatMap((note) => Paragraph.wrap(style.words(note), { width }).map(style.yellow))
      ]
}

const mostDeliveries = 5

const deliveries = (step: Plan.PlanStep, style: Style): ReadonlyArray<string> => {
  if (step._tag !== "Land" || step.deliveries.length < 2) return []
  const more = step.deliveries.length - mostDeliveries
  return [
    ...step.deliveries.slice(0, mostDeliveries).map(({ description }) => style.dim(Paragraph.visible(description))),
    ...(more > 0 ? [style.dim(style.words(`… and ${Quantity.number(more)} more`))] : [])
  ]
}

const stepDocument = (step: Plan.PlanStep): PlanDocument["steps"][number] => {
  const bare = {
    partitions: null,
    incomplete: null,
    waiting: null,
    waitingFor: [],
    rows: null,
    why: [],
    deliveries: [],
    isWhole: false
  }
  switch (step._tag) {
    case "Land":
      return {
        ...bare,
        asset: step.asset,
        action: "land",
        units: step.deliveries.length,
        unit: "delivery",
        rows: step.rows ?? null,
        why: step.why.map(Plan.formatWhy),
        deliveries: step.deliveries.map(({ bytes, description, origin }) => ({
          origin,
          description,
          bytes: bytes ?? null
        }))
      }
    case "Build":
      return {
        ...bare,
        asset: step.asset,
        action: "build",
        units: step.isWhole ? null : step.units,
        unit: step.unitName,
        isWhole: step.isWhole,
        partitions: range(step.partitions),
        incomplete: range(step.incomplete),
        waiting: range(step.waiting),
        waitingFor: (step.incompleteWindows ?? []).map(IncompleteWindow.format),
        rows: step.rows ?? null,
        why: step.why.map(Plan.formatWhy)
      }
    case "Follow":
      return { ...bare, asset: step.asset, action: "follow", units: null, unit: "unit", why: [Plan.describe(step)[0]] }
  }
}

const range = (partitions: PartitionSet.PartitionSet | undefined): string | null =>
  partitions === undefined || PartitionSet.isEmpty(partitions) ? null : PartitionSet.format(partitions)
