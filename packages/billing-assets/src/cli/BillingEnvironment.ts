/**
 * Where do the billing events come from, and when does revenue begin? The settings that are billing's own, checked where
 * they are read, so that a mistake is told before anything is touched.
 */
import * as Environment from "@assay/core/cli/Environment"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { fileURLToPath } from "node:url"

/**
 * The settings of the billing warehouse.
 *
 * @category models
 * @since 0.1.0
 */
export interface BillingEnvironment {
  /** `BILLING_EVENTS`: a file, a folder or a glob. Default: the sample that comes with the package. */
  readonly events: string
  /** `BILLING_START`: the first day of revenue. Default `2024-01-01`. */
  readonly start: string
}

/**
 * The settings as they are.
 *
 * @category getters
 * @since 0.1.0
 */
export const read = Effect.fn("BillingEnvironment.read")(function* () {
  const environment = yield* Environment.Environment
  const events = yield* environment.path("BILLING_EVENTS")
  const start = yield* environment.text("BILLING_START")
  return {
    events: Option.getOrElse(events, () => sample),
    start: yield* toDay(Option.getOrElse(start, () => "2024-01-01"))
  } satisfies BillingEnvironment
})

// --- internal ---

/** Beside the sources and beside what they are built to. */
const sample = fileURLToPath(new URL("../../sample", import.meta.url))

const toDay = (text: string): Effect.Effect<string, Environment.InvalidSetting> => {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? DateTime.make(`${text}T00:00:00Z`) : Option.none()
  return Option.exists(day, (at) => DateTime.formatIsoDateUtc(at) === text)
    ? Effect.succeed(text)
    : Effect.fail(
        new Environment.InvalidSetting({
          setting: "BILLING_START",
          message: `BILLING_START is ${JSON.stringify(text)}, which is not a day. It is the first day of revenue, such as 2024-01-01.`
        })
      )
}
