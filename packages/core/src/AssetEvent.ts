/**
 * What happens to assets, said to whoever listens: lineage, metrics, alerts. An event is written to the outbox in the
 * transaction that makes it true (L3), so it is told exactly when it happened, and told again until it is acknowledged.
 */
import * as Schema from "effect/Schema"
import { FinishedRunStatus } from "./Run.ts"

/**
 * The most unit keys that one event names; beyond it the event gives their number only.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxUnitKeys = 100

/**
 * Something that happened to an asset or a run.
 *
 * **Details**
 *
 * - `RunStarted`, `RunFinished`: the ends of a run.
 * - `Landed`: rows of one origin came into a source asset; `rows` are new, `quarantined` were rejected.
 * - `Materialized`: units were rebuilt; `units` counts them, `unitKeys` names at most `maxUnitKeys` of them.
 * - `CheckFailed`: a check found rows that break it, with a few of them as text.
 * - `SchemaMismatched`: an origin or a table is not of the declared shape, and the asset has stopped.
 * - `MaterializationFailed`: a step gave up; `reason` is the tag of the error's reason.
 *
 * @category models
 * @since 0.1.0
 */
export const AssetEvent = Schema.TaggedUnion({
  RunStarted: {
    runId: Schema.String,
    assets: Schema.Array(Schema.String),
    requestedBy: Schema.String,
    why: Schema.String,
    at: Schema.DateTimeUtc
  },
  RunFinished: {
    runId: Schema.String,
    status: FinishedRunStatus,
    error: Schema.UndefinedOr(Schema.String),
    at: Schema.DateTimeUtc
  },
  Landed: {
    asset: Schema.String,
    runId: Schema.String,
    origin: Schema.String,
    rows: Schema.Int,
    quarantined: Schema.Int,
    at: Schema.DateTimeUtc
  },
  Materialized: {
    asset: Schema.String,
    runId: Schema.String,
    codeVersion: Schema.String,
    units: Schema.Int,
    unitKeys: Schema.Array(Schema.String),
    inserted: Schema.Int,
    updated: Schema.Int,
    deleted: Schema.Int,
    unchanged: Schema.Int,
    at: Schema.DateTimeUtc
  },
  CheckFailed: {
    asset: Schema.String,
    runId: Schema.String,
    check: Schema.String,
    severity: Schema.Literals(["error", "warn"]),
    violations: Schema.Int,
    examples: Schema.Array(Schema.String),
    at: Schema.DateTimeUtc
  },
  SchemaMismatched: {
    asset: Schema.String,
    runId: Schema.String,
    message: Schema.String,
    at: Schema.DateTimeUtc
  },
  MaterializationFailed: {
    asset: Schema.String,
    runId: Schema.String,
    reason: Schema.String,
    message: Schema.String,
    at: Schema.DateTimeUtc
  }
})

/**
 * Something that happened to an asset or a run.
 *
 * @category models
 * @since 0.1.0
 */
export type AssetEvent = typeof AssetEvent.Type

/**
 * Events as JSON, the form in which they are stored and sent.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AssetEventJson = Schema.toCodecJson(AssetEvent)
