/**
 * What a run reports while it goes on. The runner tells; whoever listens (a terminal, a log, a page) decides what to
 * make of it. Nothing here is recorded.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { AssetKey } from "../Asset.ts"
import type { PlanStep } from "../planning/Plan.ts"
import type { Written } from "../warehouse/Warehouse.ts"

/**
 * Something that happened in a run.
 *
 * **Details**
 *
 * `AssetStarted` carries the asset's part of the plan, so a listener can say how much there is to do and why. A landing
 * tells `Landed` for each batch and `Delivered` for each delivery that is done; a build tells `StepDone` for each step.
 *
 * @category models
 * @since 0.1.0
 */
export type Progress =
  | { readonly _tag: "AssetStarted"; readonly asset: AssetKey; readonly step: PlanStep }
  | { readonly _tag: "Landed"; readonly asset: AssetKey; readonly rows: number; readonly quarantined: number }
  | { readonly _tag: "Delivered"; readonly asset: AssetKey; readonly origin: string }
  | { readonly _tag: "StepDone"; readonly asset: AssetKey; readonly units: number; readonly written: Written }
  | { readonly _tag: "Retrying"; readonly asset: AssetKey; readonly attempt: number; readonly message: string }
  | { readonly _tag: "Warned"; readonly asset: AssetKey; readonly message: string }
  | {
      readonly _tag: "AssetDone"
      readonly asset: AssetKey
      readonly outcome: "succeeded" | "unchanged" | "failed" | "skipped"
      readonly message: string | undefined
    }

/**
 * The listener of a run.
 *
 * @category references
 * @since 0.1.0
 */
export const Listener = Context.Reference<(progress: Progress) => Effect.Effect<void>>(
  "@assay/core/execution/Progress/Listener",
  { defaultValue: () => () => Effect.void }
)

/**
 * Tells the listener.
 *
 * @category effects
 * @since 0.1.0
 */
export const tell = (progress: Progress): Effect.Effect<void> => Effect.flatMap(Listener, (listen) => listen(progress))
