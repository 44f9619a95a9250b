/**
 * What there is to do and why: a plan is data with two readers, the runner, which carries it out, and the explainer,
 * which says it in words. Making it is pure; what it says about units is exact as of the status it was made from.
 */
import type { Asset, AssetKey } from "../Asset.ts"
import { type Cause, formatCause } from "../ledger/StaleSets.ts"
import type { Reason } from "../MaterializationError.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import type { Delivery } from "../Source.ts"
import { type AssetStatus, due, missing } from "./AssetStatus.ts"
import * as IncompleteWindow from "./IncompleteWindow.ts"
import type { Target } from "./Request.ts"

/**
 * Why units are built.
 *
 * @category models
 * @since 0.1.0
 */
export type Why =
  | { readonly _tag: "NeverBuilt"; readonly units: number | undefined }
  | { readonly _tag: "CodeChanged"; readonly units: number | undefined }
  | { readonly _tag: "KeysRemoved"; readonly units: number }
  | { readonly _tag: "UpstreamChanged"; readonly upstream: AssetKey; readonly units: number | undefined }
  | { readonly _tag: "Forced"; readonly units: number | undefined }
  | { readonly _tag: "NewRows"; readonly deliveries: number }

/**
 * One asset's part of a plan.
 *
 * **Details**
 *
 * - `Land`: a source has deliveries.
 * - `Build`: units are due. `partitions` names them where they are partitions; `isWhole` says that everything is
 *   rebuilt. `incomplete` are those among them whose window has not ended; `waiting` are due partitions that are left
 *   out because they need upstream windows that do not exist, which `incompleteWindows` names. `withdrawn` are units that an earlier definition had built and this
 *   one does not have: their rows are removed.
 * - `Follow`: nothing is due now, but an earlier step of the plan may make something due.
 *
 * @category models
 * @since 0.1.0
 */
export type PlanStep =
  | {
      readonly _tag: "Land"
      readonly asset: AssetKey
      readonly deliveries: ReadonlyArray<Delivery>
      readonly why: ReadonlyArray<Why>
      readonly rows: number | undefined
    }
  | {
      readonly _tag: "Build"
      readonly asset: AssetKey
      readonly units: number
      readonly unitName: string
      readonly isWhole: boolean
      readonly isForced: boolean
      readonly partitions: PartitionSet.PartitionSet | undefined
      readonly existing: number | undefined
      readonly incomplete: PartitionSet.PartitionSet | undefined
      readonly waiting: PartitionSet.PartitionSet | undefined
      readonly incompleteWindows?: ReadonlyArray<IncompleteWindow.IncompleteWindow> | undefined
      readonly withdrawn?: ReadonlyArray<string> | undefined
      readonly why: ReadonlyArray<Why>
      readonly rows: number | undefined
      /** How many of the partitions a rehearsal brought up to date by adding a difference, which it found cheaper. */
      readonly differences?: number | undefined
    }
  | { readonly _tag: "Follow"; readonly asset: AssetKey; readonly upstream: ReadonlyArray<AssetKey> }

/**
 * The steps to take, upstream before downstream, and the assets that need none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  readonly steps: ReadonlyArray<PlanStep>
  readonly upToDate: ReadonlyArray<AssetKey>
  /** Whether the units downstream of landings were found out by rehearsing them, so that the plan is exact. */
  readonly isRehearsed: boolean
  /** What the rehearsal failed for, where the run will fail for it, too. */
  readonly reason?: Reason | undefined
}

/**
 * What is known of one target when the plan is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Finding<R = unknown> {
  readonly target: Target<R>
  readonly status: AssetStatus<R>
  readonly deliveries: ReadonlyArray<Delivery>
  /** The rows that a rehearsal of the step changed. */
  readonly rows?: number | undefined
  /** The partitions that it brought up to date by adding a difference. */
  readonly differences?: number | undefined
}

/**
 * The plan that follows from the findings, given upstream before downstream.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  findings: ReadonlyArray<Finding>,
  options: { readonly now: number; readonly isRehearsed: boolean }
): Plan => {
  const steps: Array<PlanStep> = []
  const upToDate: Array<AssetKey> = []
  const busy = new Set<AssetKey>()
  for (const finding of findings) {
    const { asset } = finding.target
    const found = step(finding, options)
    const upstream = Array.from(new Set(asset.inputs.map((input) => input.asset.name))).filter((name) => busy.has(name))
    const follows = upstream.length > 0 && !options.isRehearsed
    const isWork = found !== undefined && !isIdle(found)
    if (follows || isWork) busy.add(asset.name)
    if (follows && !isWork && asset.write._tag !== "View") steps.push({ _tag: "Follow", asset: asset.name, upstream })
    else if (found !== undefined) steps.push(found)
    else upToDate.push(asset.name)
  }
  return { steps, upToDate, isRehearsed: options.isRehearsed }
}

/**
 * The part of one asset; undefined where nothing is due.
 *
 * @category constructors
 * @since 0.1.0
 */
export const step = (finding: Finding, options: { readonly now: number }): PlanStep | undefined => {
  const { deliveries, status, target } = finding
  const { asset, isForced } = target
  if (asset.body._tag === "Source") {
    return deliveries.length === 0
      ? undefined
      : {
          _tag: "Land",
          asset: asset.name,
          deliveries,
          why: [{ _tag: "NewRows", deliveries: deliveries.length }],
          rows: finding.rows
        }
  }
  if (asset.write._tag === "View") return undefined
  return target.partitions === undefined
    ? buildWhole(finding)
    : buildPartitions(target.partitions, status, {
        isForced,
        now: options.now,
        rows: finding.rows,
        differences: finding.differences
      })
}

/**
 * Tells whether there is nothing to do: nothing is due, or all that is due waits.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isEmpty = (self: Plan): boolean => self.steps.every(isIdle)

/**
 * Tells whether a step has nothing to do: all of its partitions wait.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isIdle = (planned: PlanStep): boolean =>
  planned._tag === "Build" &&
  planned.partitions !== undefined &&
  PartitionSet.isEmpty(planned.partitions) &&
  (planned.withdrawn ?? []).length === 0

/**
 * The plan in words: a line per step, each with its why.
 *
 * @category conversions
 * @since 0.1.0
 */
export const explain = (self: Plan): ReadonlyArray<string> =>
  self.steps.flatMap((planned, index) => {
    const number = `${index + 1}.`.padStart(4)
    const [head, ...rest] = describe(planned)
    return [
      `${number} ${planned.asset.padEnd(nameWidth(self))}  ${head}`,
      ...rest.map((line) => `${" ".repeat(nameWidth(self) + 7)}${line}`)
    ]
  })

/**
 * One step in words, without its asset: what is done, and why.
 *
 * @category conversions
 * @since 0.1.0
 */
export const describe = (planned: PlanStep): readonly [string, ...Array<string>] => {
  switch (planned._tag) {
    case "Land": {
      const [first] = planned.deliveries
      const what =
        planned.deliveries.length === 1 && first !== undefined
          ? first.description
          : `${planned.deliveries.length} deliveries`
      return [`land ${what}${planned.rows === undefined ? "" : ` (${count(planned.rows, "new row")})`}`]
    }
    case "Follow":
      return [`whatever ${planned.upstream.join(" and ")} makes stale`]
    case "Build": {
      const why = planned.why.map(formatWhy).join("; ")
      const changed = planned.rows === undefined ? "" : ` → ${count(planned.rows, "row")} changed`
      return [
        isIdle(planned) ? "nothing now" : `${amount(planned)}${changed}, because ${why}`,
        ...((planned.differences ?? 0) > 0
          ? [`${count(planned.differences ?? 0, planned.unitName)} by adding what changed`]
          : []),
        ...note("incomplete, its window has not ended", planned.incomplete),
        ...waits(planned),
        ...withdrawal(planned.withdrawn ?? [])
      ]
    }
  }
}

/**
 * A why in words.
 *
 * @category conversions
 * @since 0.1.0
 */
export const formatWhy = (why: Why): string => {
  switch (why._tag) {
    case "NeverBuilt":
      return why.units === undefined ? "never built" : `${count(why.units, "unit")} never built`
    case "CodeChanged":
      return "its definition changed"
    case "KeysRemoved":
      return `${count(why.units, "key")} removed`
    case "UpstreamChanged":
      return `${why.upstream} changed`
    case "Forced":
      return "forced"
    case "NewRows":
      return "new rows"
  }
}

/**
 * The why that a cause is.
 *
 * @category conversions
 * @since 0.1.0
 */
export const whyOf = (cause: Cause, units: number | undefined): Why => {
  switch (cause._tag) {
    case "NeverBuilt":
      return { _tag: "NeverBuilt", units }
    case "CodeChanged":
      return { _tag: "CodeChanged", units }
    case "Upstream":
      return { _tag: "UpstreamChanged", upstream: cause.asset, units }
  }
}

// --- internal ---

const buildWhole = ({ rows, status, target }: Finding): PlanStep | undefined => {
  const { asset, isForced } = target
  const why: ReadonlyArray<Why> = [
    ...(isForced ? [{ _tag: "Forced", units: undefined } as const] : []),
    ...(status.whole === undefined ? [] : [whyOf(status.whole, undefined)]),
    ...status.causes.map(({ cause, count }) => whyOf(cause, count))
  ]
  if (why.length === 0) return undefined
  const isWhole = isForced || status.whole !== undefined || asset.write._tag === "Replace"
  return {
    _tag: "Build",
    asset: asset.name,
    units: status.causes.reduce((sum, cause) => sum + cause.count, 0),
    unitName: asset.write._tag === "Replace" ? "table" : "key",
    isWhole,
    isForced,
    partitions: undefined,
    existing: undefined,
    incomplete: undefined,
    waiting: undefined,
    why,
    rows
  }
}

const buildPartitions = (
  wanted: PartitionSet.PartitionSet,
  status: AssetStatus,
  options: {
    readonly isForced: boolean
    readonly now: number
    readonly rows: number | undefined
    readonly differences: number | undefined
  }
): PlanStep | undefined => {
  const { asset } = status
  const dueHere = PartitionSet.intersection(wanted, options.isForced ? status.existing : due(status))
  const lacks = asset.policy.incompleteWindows === "wait" ? IncompleteWindow.find(asset, dueHere, options.now) : []
  const held = IncompleteWindow.unitsOf(lacks, asset.partitions)
  const partitions = PartitionSet.difference(dueHere, held)
  const { withdrawn } = status
  if (PartitionSet.isEmpty(dueHere) && withdrawn.length === 0) return undefined
  const absent = PartitionSet.intersection(partitions, missing(status))
  const stale = PartitionSet.intersection(partitions, status.stale)
  const marked = status.marked.flatMap(({ cause, partitions: those }) => {
    const units = PartitionSet.size(PartitionSet.intersection(those, stale))
    return units === 0 ? [] : [whyOf(cause, units)]
  })
  const own = new Set(status.marked.map(({ cause }) => formatCause(cause)))
  const ranged = status.causes.filter(({ cause }) => !own.has(formatCause(cause)))
  return {
    _tag: "Build",
    asset: asset.name,
    units: PartitionSet.size(partitions),
    unitName: unitName(asset.partitions),
    isWhole: false,
    isForced: options.isForced,
    partitions,
    existing: PartitionSet.size(status.existing),
    incomplete: unended(partitions, options.now),
    waiting: held,
    incompleteWindows: lacks,
    withdrawn,
    why: [
      ...(options.isForced ? [{ _tag: "Forced", units: undefined } as const] : []),
      ...(PartitionSet.isEmpty(absent) ? [] : [{ _tag: "NeverBuilt", units: PartitionSet.size(absent) } as const]),
      ...(PartitionSet.isEmpty(stale) ? [] : [...marked, ...ranged.map(({ cause, count }) => whyOf(cause, count))]),
      ...(PartitionSet.isEmpty(dueHere) ? [withdrawing(asset, withdrawn)] : [])
    ],
    rows: options.rows,
    differences: options.differences
  }
}

/** Partitions in the code go with the code, and keys in the ledger by themselves. */
const withdrawing = ({ partitions }: Asset, withdrawn: ReadonlyArray<string>): Why =>
  Partitions.dynamicNames(partitions).length === 0
    ? { _tag: "CodeChanged", units: undefined }
    : { _tag: "KeysRemoved", units: withdrawn.length }

const unended = (partitions: PartitionSet.PartitionSet, now: number): PartitionSet.PartitionSet => {
  const definition = partitions.partitions
  return definition._tag !== "TimeWindows" && definition._tag !== "Multi"
    ? PartitionSet.empty(definition)
    : PartitionSet.difference(partitions, Partitions.finished(definition, now))
}

const unitName = (partitions: Partitions.Partitions): string => {
  if (partitions._tag !== "TimeWindows") return "partition"
  const names: Record<Partitions.Cadence, string> = {
    hourly: "hour",
    daily: "day",
    weekly: "week",
    monthly: "month",
    quarterly: "quarter",
    yearly: "year",
    cron: "window"
  }
  return names[partitions.cadence]
}

const amount = (planned: PlanStep & { readonly _tag: "Build" }): string => {
  if (planned.partitions === undefined) return planned.isWhole ? "everything" : count(planned.units, planned.unitName)
  const which = PartitionSet.format(planned.partitions, { limit: 4 })
  return `${count(planned.units, planned.unitName)} of ${(planned.existing ?? planned.units).toLocaleString("en-US")} (${which})`
}

const note = (text: string, partitions: PartitionSet.PartitionSet | undefined): ReadonlyArray<string> =>
  partitions === undefined || PartitionSet.isEmpty(partitions)
    ? []
    : [`${PartitionSet.format(partitions, { limit: 4 })}: ${text}`]

/** What waits, and for what. */
const waits = ({ incompleteWindows, waiting }: PlanStep & { readonly _tag: "Build" }): ReadonlyArray<string> =>
  incompleteWindows === undefined
    ? note("waiting for upstream windows that do not exist", waiting)
    : incompleteWindows.map(IncompleteWindow.format)

const withdrawal = (units: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [first] = units
  if (first === undefined) return []
  const which = units.length === 1 ? first : `${first} to ${units.at(-1)}`
  return [`${which}: no partitions any more, so ${units.length === 1 ? "its" : "their"} rows are removed`]
}

const count = (n: number, noun: string): string => `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`

const nameWidth = (self: Plan): number => Math.max(...self.steps.map((planned) => planned.asset.length))
