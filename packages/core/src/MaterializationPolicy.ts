/**
 * When and how an asset is materialized: one record of plain values, so that it can be shown, compared and explained.
 * A policy never decides what is correct, only when the work is done, in which portions, and how it is tried again.
 */
import * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import type { Pipeable } from "effect/Pipeable"
import { pipeArguments } from "effect/Pipeable"
import * as Schedule from "effect/Schedule"
import * as AutomationCondition from "./AutomationCondition.ts"
import type { MaterializationError } from "./MaterializationError.ts"

/**
 * The delays between attempts of a step, fed with the error of the last attempt.
 *
 * @category models
 * @since 0.1.0
 */
export type Retry = Schedule.Schedule<unknown, MaterializationError>

/**
 * When and how an asset is materialized.
 *
 * @category models
 * @since 0.1.0
 */
export interface MaterializationPolicy extends Pipeable {
  /** Which units a daemon materializes by itself. With `never`, only a request that names the asset itself builds it. */
  readonly automation: AutomationCondition.AutomationCondition
  /** How long after its end a window is restated by itself; older ones wait for a request. Undefined means always. */
  readonly horizon: Duration.Duration | undefined
  /** The most units that one transaction rebuilds. Halved while the server is out of resources. */
  readonly stepSize: number
  /** Assets of one pool are materialized one after the other; undefined means no such restraint. */
  readonly pool: string | undefined
  /** How a failed step is tried again, where its error says that trying again can help. */
  readonly retry: Retry
  /** Whether a unit is built whose upstream windows do not all exist yet. */
  readonly incompleteWindows: "wait" | "build"
}

/**
 * Five more attempts, from 200 milliseconds doubling to ten seconds, each give or take a fifth; only for errors that
 * are worth it.
 *
 * @category schedules
 * @since 0.1.0
 */
export const defaultRetry: Retry = Schedule.min([
  Schedule.exponential(Duration.millis(200)),
  Schedule.spaced(Duration.seconds(10))
]).pipe(Schedule.jittered, Schedule.upTo({ times: 5 }), Schedule.setInputType<MaterializationError>())

/**
 * A policy from its parts; what is left out is as in `eager`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Partial<Omit<MaterializationPolicy, "pipe">> = {}): MaterializationPolicy => ({
  automation: AutomationCondition.eager,
  horizon: undefined,
  stepSize: 20_000,
  pool: undefined,
  retry: defaultRetry,
  incompleteWindows: "wait",
  ...options,
  pipe() {
    return pipeArguments(this, arguments)
  }
})

/**
 * Materialized whenever it or anything downstream of it is asked for.
 *
 * @category constructors
 * @since 0.1.0
 */
export const eager: MaterializationPolicy = make()

/**
 * Materialized only where a request names the asset itself.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onRequest: MaterializationPolicy = make({ automation: AutomationCondition.never })

/**
 * Materialized by a daemon from each tick of a schedule on, until it is up to date.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onCron = (cron: string, timeZone?: string): MaterializationPolicy =>
  make({ automation: AutomationCondition.onCron(cron, timeZone) })

/**
 * Materialized by a daemon where it was never built.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onMissing: MaterializationPolicy = make({ automation: AutomationCondition.onMissing })

/**
 * The same policy with another condition.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withAutomation: {
  (automation: AutomationCondition.AutomationCondition): (self: MaterializationPolicy) => MaterializationPolicy
  (self: MaterializationPolicy, automation: AutomationCondition.AutomationCondition): MaterializationPolicy
} = dual(2, (self: MaterializationPolicy, automation: AutomationCondition.AutomationCondition): MaterializationPolicy =>
  make({ ...self, automation })
)

/**
 * The same policy, closing windows so long after their end: late data in them waits for somebody to ask.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withHorizon: {
  (horizon: Duration.Input): (self: MaterializationPolicy) => MaterializationPolicy
  (self: MaterializationPolicy, horizon: Duration.Input): MaterializationPolicy
} = dual(2, (self: MaterializationPolicy, horizon: Duration.Input): MaterializationPolicy =>
  make({ ...self, horizon: Duration.fromInputUnsafe(horizon) })
)

/**
 * The same policy with another retry schedule.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withRetry: {
  (retry: Retry): (self: MaterializationPolicy) => MaterializationPolicy
  (self: MaterializationPolicy, retry: Retry): MaterializationPolicy
} = dual(2, (self: MaterializationPolicy, retry: Retry): MaterializationPolicy => make({ ...self, retry }))

/**
 * The same policy with at most this many units per transaction.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withStepSize: {
  (units: number): (self: MaterializationPolicy) => MaterializationPolicy
  (self: MaterializationPolicy, units: number): MaterializationPolicy
} = dual(2, (self: MaterializationPolicy, units: number): MaterializationPolicy =>
  make({ ...self, stepSize: Math.max(1, Math.floor(units)) })
)

/**
 * The same policy within a pool whose assets are materialized one after the other.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withPool: {
  (pool: string): (self: MaterializationPolicy) => MaterializationPolicy
  (self: MaterializationPolicy, pool: string): MaterializationPolicy
} = dual(2, (self: MaterializationPolicy, pool: string): MaterializationPolicy => make({ ...self, pool }))

/**
 * The same policy, building units on incomplete windows or waiting for them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withIncompleteWindows: {
  (incompleteWindows: "wait" | "build"): (self: MaterializationPolicy) => MaterializationPolicy
  (self: MaterializationPolicy, incompleteWindows: "wait" | "build"): MaterializationPolicy
} = dual(2, (self: MaterializationPolicy, incompleteWindows: "wait" | "build"): MaterializationPolicy =>
  make({ ...self, incompleteWindows })
)
