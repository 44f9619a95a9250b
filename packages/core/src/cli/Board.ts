/**
 * What is known of a run while it goes on? Everything that the run tells, folded into one lane per asset: what was to
 * be done and why, how far it is, how it ended. Pure, so that the live view, the plain lines and the report agree.
 */
import type { AssetKey } from "../Asset.ts"
import type { Progress } from "../execution/Progress.ts"
import type { PlanStep } from "../planning/Plan.ts"

/**
 * What is known of one asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lane {
  readonly asset: AssetKey
  readonly step: PlanStep | undefined
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly done: number
  /** How many units there are to do, where that is known. */
  readonly total: number | undefined
  /** Rows written so far: landed, or inserted, updated and deleted. */
  readonly rows: number
  readonly quarantined: number
  /** What the last attempt failed for, while the next is awaited. */
  readonly retrying: string | undefined
  readonly outcome: "succeeded" | "unchanged" | "failed" | "skipped" | undefined
  readonly message: string | undefined
}

/**
 * What is known of a run. Lanes stand in the order in which their assets began.
 *
 * @category models
 * @since 0.1.0
 */
export interface Board {
  readonly lanes: ReadonlyMap<AssetKey, Lane>
  /** Each warning once. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * A board on which nothing has happened.
 *
 * @category constants
 * @since 0.1.0
 */
export const empty: Board = { lanes: new Map(), warnings: [] }

/**
 * The board after something happened at a time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const after = (self: Board, progress: Progress, at: number): Board => {
  const { asset } = progress
  if (progress._tag === "Warned") {
    const warning = warningOf(progress)
    return self.warnings.includes(warning) ? self : { ...self, warnings: [...self.warnings, warning] }
  }
  const lane = self.lanes.get(asset) ?? idle(asset, at)
  return { ...self, lanes: new Map(self.lanes).set(asset, change(lane, progress, at)) }
}

/**
 * The assets that are being worked on.
 *
 * @category getters
 * @since 0.1.0
 */
export const running = (self: Board): ReadonlyArray<Lane> =>
  Array.from(self.lanes.values()).filter(({ outcome }) => outcome === undefined)

/**
 * A warning as a sentence.
 *
 * @category conversions
 * @since 0.1.0
 */
export const warningOf = ({ asset, message }: { readonly asset: AssetKey; readonly message: string }): string =>
  `${asset}: ${message}`

/**
 * The time left, from how the units went so far; undefined before the first is done.
 *
 * @category getters
 * @since 0.1.0
 */
export const remaining = ({ done, startedAt, total }: Lane, now: number): number | undefined =>
  total === undefined || done <= 0 || done >= total ? undefined : ((now - startedAt) / done) * (total - done)

// --- internal ---

type Told = Exclude<Progress, { readonly _tag: "Warned" }>

const idle = (asset: AssetKey, at: number): Lane => ({
  asset,
  step: undefined,
  startedAt: at,
  endedAt: undefined,
  done: 0,
  total: undefined,
  rows: 0,
  quarantined: 0,
  retrying: undefined,
  outcome: undefined,
  message: undefined
})

const change = (lane: Lane, progress: Told, at: number): Lane => {
  switch (progress._tag) {
    case "AssetStarted":
      return { ...lane, step: progress.step, startedAt: at, total: totalOf(progress.step) }
    case "Landed":
      return {
        ...lane,
        rows: lane.rows + progress.rows,
        quarantined: lane.quarantined + progress.quarantined,
        retrying: undefined
      }
    case "Delivered":
      return { ...lane, done: lane.done + 1, retrying: undefined }
    case "StepDone": {
      const { deleted, inserted, updated } = progress.written
      return {
        ...lane,
        done: lane.done + progress.units,
        rows: lane.rows + inserted + updated + deleted,
        retrying: undefined
      }
    }
    case "Retrying":
      return { ...lane, retrying: progress.message }
    case "AssetDone":
      return { ...lane, endedAt: at, outcome: progress.outcome, message: progress.message }
  }
}

const totalOf = (step: PlanStep): number | undefined => {
  switch (step._tag) {
    case "Land":
      return step.deliveries.length
    case "Build":
      return step.isWhole ? undefined : step.units
    case "Follow":
      return undefined
  }
}
