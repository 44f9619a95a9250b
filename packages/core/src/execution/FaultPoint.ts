/**
 * Named places in a step at which a test may make the process die: before and after each of its actions, where what
 * follows one action is what precedes the next. In production every point does nothing.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * The places of a step, in the order in which it passes them.
 *
 * @category constants
 * @since 0.1.0
 */
export const stepPoints = [
  "beforeLock",
  "afterLock",
  "afterPick",
  // Computed, and nothing written yet.
  "beforeWrite",
  "afterWrite",
  "afterChecks",
  "afterClear",
  "afterMarks",
  // Recorded, and told to the outbox.
  "beforeCommit",
  "afterCommit"
] as const

/**
 * The places of a batch that lands, in the order in which it passes them.
 *
 * @category constants
 * @since 0.1.0
 */
export const landingPoints = [
  "landing.beforeLock",
  "landing.afterLock",
  // The position has moved, and no row is there yet.
  "landing.beforeWrite",
  "landing.afterWrite",
  "landing.afterChecks",
  "landing.afterMarks",
  "landing.afterQuarantine",
  // Recorded, and told to the outbox.
  "landing.beforeCommit",
  "landing.afterCommit"
] as const

/**
 * A place in a step or in a batch that lands.
 *
 * @category models
 * @since 0.1.0
 */
export type Point = (typeof stepPoints)[number] | (typeof landingPoints)[number]

/**
 * What happens at a place.
 *
 * @category references
 * @since 0.1.0
 */
export const FaultPoint = Context.Reference<(point: Point) => Effect.Effect<void>>("@assay/core/execution/FaultPoint", {
  defaultValue: () => () => Effect.void
})

/**
 * Passes a place.
 *
 * @category effects
 * @since 0.1.0
 */
export const pass = (point: Point): Effect.Effect<void> => Effect.flatMap(FaultPoint, (at) => at(point))
