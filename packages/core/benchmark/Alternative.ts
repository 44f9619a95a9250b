/**
 * A way in which people keep a revenue table up to date without building it anew each time, so that it can be watched
 * beside Assay.
 */
import type { Reason } from "@assay/core/MaterializationError"
import type { Postgres } from "@assay/core/postgres/Postgres"
import type { Sql } from "@assay/core/Sql"
import type * as Effect from "effect/Effect"
import type { Delivery } from "./Feed.ts"
import type { Distance } from "./Refresh.ts"
import type { Workbench } from "./Workbench.ts"

/** What an alternative does is done on the workbench. */
export type Step<A = void> = Effect.Effect<A, Reason, Workbench | Postgres>

/** One alternative. */
export interface Alternative {
  readonly name: string
  readonly prepare: Step
  /** Brings its tables up to date after a delivery, and counts what it looked at for that. */
  readonly run: (delivery: Delivery) => Step<number>
  /** The revenue that it arrives at. */
  readonly revenue: Step<Sql>
}

/** What became of one alternative, or of Assay. */
export interface Outcome extends Distance {
  readonly name: string
  /** What was looked at in all runs together, in the unit of the trial. */
  readonly work: number
}
