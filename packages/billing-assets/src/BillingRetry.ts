/**
 * How is a failed step tried again? As one value, so that the schedule can be named, tested with a test clock, and
 * replaced for one asset without touching the others.
 */
import type { MaterializationError } from "@assay/core/MaterializationError"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"

/**
 * Eight more attempts, from a quarter of a second doubling to half a minute; only for errors that another attempt can mend.
 *
 * **Details**
 *
 * The jitter of a fifth up or down comes after the cap, so a delay can be 36 seconds. All delays together are about a
 * minute: longer than a failover of PostgreSQL takes, shorter than a person's patience.
 *
 * @category schedules
 * @since 0.1.0
 */
export const schedule: MaterializationPolicy.Retry = Schedule.min([
  Schedule.exponential(Duration.millis(250)),
  Schedule.spaced(Duration.seconds(30))
]).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 8 }),
  Schedule.setInputType<MaterializationError>(),
  Schedule.while(({ input }) => input.isRetryable)
)

/**
 * The policy of the billing assets: kept up to date whenever asked for, tried again by `schedule`.
 *
 * @category constants
 * @since 0.1.0
 */
export const policy: MaterializationPolicy.MaterializationPolicy = MaterializationPolicy.eager.pipe(
  MaterializationPolicy.withRetry(schedule)
)
