/**
 * When is a unit materialized without anybody asking? A condition is data: leaves that say something of a unit, and the
 * ways to combine them. `planning/Automation` tells of which units it is true; nothing here runs.
 *
 * @since 0.1.0
 */
import * as Cron from "effect/Cron"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/**
 * A condition on the units of an asset.
 *
 * **Details**
 *
 * - `Missing`: it exists and was never built.
 * - `Stale`: it was built and may differ from the full refresh.
 * - `NewlyUpdated`: it was materialized since the last evaluation.
 * - `InProgress`: a step is building it.
 * - `Failed`: its last step failed, and nothing that it depends on has changed since.
 * - `CheckFailed`: its last step failed in a blocking check.
 * - `CodeChanged`: the asset's code is another than the one that built it.
 * - `WillBeRequested`: this evaluation requests it.
 * - `InLatestWindow`: its window is among the last `windows` that exist. Always true without windows.
 * - `CronTick`: the schedule ticked since the last evaluation.
 * - `AnyDeps`, `AllDeps`: the condition is true of a unit, or of every unit, that it is made of.
 * - `Since`: `trigger` was true, and `reset` has not been since.
 * - `NewlyTrue`: true now, and not at the last evaluation.
 *
 * @category models
 * @since 0.1.0
 */
export type AutomationCondition =
  | { readonly _tag: "Never" }
  | { readonly _tag: "Missing" }
  | { readonly _tag: "Stale" }
  | { readonly _tag: "NewlyUpdated" }
  | { readonly _tag: "InProgress" }
  | { readonly _tag: "Failed" }
  | { readonly _tag: "CheckFailed" }
  | { readonly _tag: "CodeChanged" }
  | { readonly _tag: "WillBeRequested" }
  | { readonly _tag: "InLatestWindow"; readonly windows: number }
  | { readonly _tag: "CronTick"; readonly cron: string; readonly timeZone: string }
  | { readonly _tag: "AnyDeps"; readonly of: AutomationCondition }
  | { readonly _tag: "AllDeps"; readonly of: AutomationCondition }
  | { readonly _tag: "And"; readonly all: ReadonlyArray<AutomationCondition> }
  | { readonly _tag: "Or"; readonly any: ReadonlyArray<AutomationCondition> }
  | { readonly _tag: "Not"; readonly of: AutomationCondition }
  | { readonly _tag: "Since"; readonly trigger: AutomationCondition; readonly reset: AutomationCondition }
  | { readonly _tag: "NewlyTrue"; readonly of: AutomationCondition }

/**
 * A schedule that cannot be read; thrown where it is written, because only its author can repair it.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidSchedule extends Schema.TaggedError<InvalidSchedule>("@assay/core/InvalidSchedule")(
  "InvalidSchedule",
  { cron: Schema.String, timeZone: Schema.String, problem: Schema.String }
) {
  override get message(): string {
    return (
      `cannot read the schedule ${JSON.stringify(this.cron)} in ${this.timeZone}: ${this.problem}; ` +
      "expected five fields, minute hour day-of-month month day-of-week, and an IANA time zone such as Europe/Berlin"
    )
  }
}

/**
 * True of no unit: the asset is materialized only where a request names it.
 *
 * @category leaves
 * @since 0.1.0
 */
export const never: AutomationCondition = { _tag: "Never" }

/**
 * True of units that exist and were never built.
 *
 * @category leaves
 * @since 0.1.0
 */
export const missing: AutomationCondition = { _tag: "Missing" }

/**
 * True of units that were built and may differ from the full refresh.
 *
 * @category leaves
 * @since 0.1.0
 */
export const stale: AutomationCondition = { _tag: "Stale" }

/**
 * True of units that were materialized since the last evaluation.
 *
 * @category leaves
 * @since 0.1.0
 */
export const newlyUpdated: AutomationCondition = { _tag: "NewlyUpdated" }

/**
 * True of units that a step is building.
 *
 * @category leaves
 * @since 0.1.0
 */
export const inProgress: AutomationCondition = { _tag: "InProgress" }

/**
 * True of units whose last step failed, as long as nothing that they depend on changes.
 *
 * @category leaves
 * @since 0.1.0
 */
export const failed: AutomationCondition = { _tag: "Failed" }

/**
 * True of units whose last step failed in a blocking check.
 *
 * @category leaves
 * @since 0.1.0
 */
export const checkFailed: AutomationCondition = { _tag: "CheckFailed" }

/**
 * True of every unit when the code of the asset is another than the one that built it.
 *
 * @category leaves
 * @since 0.1.0
 */
export const codeChanged: AutomationCondition = { _tag: "CodeChanged" }

/**
 * True of units that this evaluation requests.
 *
 * @category leaves
 * @since 0.1.0
 */
export const willBeRequested: AutomationCondition = { _tag: "WillBeRequested" }

/**
 * True of the last windows that exist, one unless said otherwise.
 *
 * @category leaves
 * @since 0.1.0
 */
export const inLatestWindow = (windows = 1): AutomationCondition => ({ _tag: "InLatestWindow", windows })

/**
 * True of every unit when the schedule ticked since the last evaluation. Throws `InvalidSchedule`.
 *
 * @category leaves
 * @since 0.1.0
 */
export const cronTick = (cron: string, timeZone = "UTC"): AutomationCondition => {
  const parsed = Cron.parse(cron, timeZone)
  if (Result.isFailure(parsed)) throw new InvalidSchedule({ cron, timeZone, problem: parsed.failure.message })
  return { _tag: "CronTick", cron, timeZone }
}

/**
 * True of units of which at least one unit that they are made of meets a condition.
 *
 * @category combinators
 * @since 0.1.0
 */
export const anyDeps = (of: AutomationCondition): AutomationCondition => ({ _tag: "AnyDeps", of })

/**
 * True of units of which every unit that they are made of meets a condition.
 *
 * @category combinators
 * @since 0.1.0
 */
export const allDeps = (of: AutomationCondition): AutomationCondition => ({ _tag: "AllDeps", of })

/**
 * True where all conditions are.
 *
 * @category combinators
 * @since 0.1.0
 */
export const and = (...all: ReadonlyArray<AutomationCondition>): AutomationCondition => ({ _tag: "And", all })

/**
 * True where one of the conditions is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const or = (...any: ReadonlyArray<AutomationCondition>): AutomationCondition => ({ _tag: "Or", any })

/**
 * True where a condition is not.
 *
 * @category combinators
 * @since 0.1.0
 */
export const not = (of: AutomationCondition): AutomationCondition => ({ _tag: "Not", of })

/**
 * True from when `trigger` was true until `reset` is. Where both are at once, `trigger` counts.
 *
 * @category combinators
 * @since 0.1.0
 */
export const since = (trigger: AutomationCondition, reset: AutomationCondition): AutomationCondition => ({
  _tag: "Since",
  trigger,
  reset
})

/**
 * True where a condition is true now and was not at the last evaluation.
 *
 * @category combinators
 * @since 0.1.0
 */
export const newlyTrue = (of: AutomationCondition): AutomationCondition => ({ _tag: "NewlyTrue", of })

const isDue = or(missing, stale)

const isIdle = and(not(inProgress), not(failed))

/**
 * Whatever is missing or stale, as soon as it is: late data counts, however old its window. What failed waits until
 * something changes.
 *
 * @category conditions
 * @since 0.1.0
 */
export const eager: AutomationCondition = and(isDue, isIdle)

/**
 * What was never built, and nothing else.
 *
 * @category conditions
 * @since 0.1.0
 */
export const onMissing: AutomationCondition = and(missing, isIdle)

/**
 * Whatever is missing or stale, from each tick of a schedule on until it is built.
 *
 * @category conditions
 * @since 0.1.0
 */
export const onCron = (cron: string, timeZone = "UTC"): AutomationCondition =>
  and(since(cronTick(cron, timeZone), newlyUpdated), isDue, isIdle)

/**
 * Writes a condition for people.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (self: AutomationCondition): string => {
  switch (self._tag) {
    case "Never":
      return "never"
    case "Missing":
      return "missing"
    case "Stale":
      return "stale"
    case "NewlyUpdated":
      return "newly updated"
    case "InProgress":
      return "in progress"
    case "Failed":
      return "failed"
    case "CheckFailed":
      return "check failed"
    case "CodeChanged":
      return "code changed"
    case "WillBeRequested":
      return "will be requested"
    case "InLatestWindow":
      return self.windows === 1 ? "in the latest window" : `in the latest ${self.windows} windows`
    case "CronTick":
      return `tick of ${self.cron} (${self.timeZone})`
    case "AnyDeps":
      return `any deps (${format(self.of)})`
    case "AllDeps":
      return `all deps (${format(self.of)})`
    case "And":
      return self.all.map(operand).join(" and ")
    case "Or":
      return self.any.map(operand).join(" or ")
    case "Not":
      return `not ${operand(self.of)}`
    case "Since":
      return `${operand(self.trigger)} since ${operand(self.reset)}`
    case "NewlyTrue":
      return `newly true (${format(self.of)})`
  }
}

// --- internal ---

const operand = (self: AutomationCondition): string =>
  self._tag === "And" || self._tag === "Or" || self._tag === "Since" ? `(${format(self)})` : format(self)
