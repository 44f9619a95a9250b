/**
 * The ledger on PostgreSQL, brought up to date when it is built.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Reason } from "../MaterializationError.ts"
import type { Postgres } from "../postgres/Postgres.ts"
import type { Transactor } from "../Transactor.ts"
import type { Ledger } from "./Ledger.ts"
import * as Migrations from "./Migrations.ts"
import * as SqlAutomationCursors from "./SqlAutomationCursors.ts"
import * as SqlBackfills from "./SqlBackfills.ts"
import * as SqlMaterializations from "./SqlMaterializations.ts"
import * as SqlOutbox from "./SqlOutbox.ts"
import * as SqlPartitionKeys from "./SqlPartitionKeys.ts"
import * as SqlPositions from "./SqlPositions.ts"
import * as SqlQuarantine from "./SqlQuarantine.ts"
import * as SqlRuns from "./SqlRuns.ts"
import * as SqlStaleSets from "./SqlStaleSets.ts"

/**
 * The migrations of the ledger, applied when the layer is built.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMigrations: Layer.Layer<never, Reason, Postgres | Transactor> = Layer.effectDiscard(
  Effect.flatMap(Migrations.run, (applied) =>
    applied.length === 0
      ? Effect.void
      : Effect.logInfo("ledger migrated").pipe(
          Effect.annotateLogs({ migrations: applied.map(({ id, name }) => `${id} ${name}`).join(", ") })
        )
  )
)

/**
 * The ledger over tables that are up to date already.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWithoutMigrations: Layer.Layer<Ledger, never, Postgres> = Layer.mergeAll(
  Layer.provideMerge(SqlAutomationCursors.layer, SqlOutbox.layer),
  SqlBackfills.layer,
  SqlMaterializations.layer,
  SqlPartitionKeys.layer,
  SqlPositions.layer,
  SqlQuarantine.layer,
  SqlRuns.layer,
  SqlStaleSets.layer
)

/**
 * The ledger on PostgreSQL, migrated first.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Ledger, Reason, Postgres | Transactor> = Layer.provideMerge(
  layerWithoutMigrations,
  layerMigrations
)
