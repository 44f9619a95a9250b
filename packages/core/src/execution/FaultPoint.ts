/**
 * Named places in a step at which a test may make the process die. In production every point does nothing.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * The places, in the order in which a step passes them.
 *
 * @category models
 * @since 0.1.0
 */
export type Point =
  | "beforeLock"
  | "afterLock"
  | "afterPick"
  | "beforeWrite"
  | "afterWrite"
  | "afterChecks"
  | "afterMarks"
  | "afterClear"
  | "beforeCommit"
  | "afterCommit"
  | "landing.beforeWrite"
  | "landing.afterWrite"
  | "landing.beforeCommit"
  | "landing.afterCommit"

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
