/**
 * Why a materialization failed, and what follows from it: whether trying again can help, and what a person should do.
 * One error with a tagged reason, so that retrying, halving, waiting and stopping are decisions on data.
 */
import * as Schema from "effect/Schema"

/**
 * Worth another attempt with the same input: a lost connection, a deadlock, a lock or statement timeout.
 *
 * @category errors
 * @since 0.1.0
 */
export class Transient extends Schema.TaggedError<Transient>("@assay/core/Transient")("Transient", {
  message: Schema.String,
  code: Schema.UndefinedOr(Schema.String)
}) {
  readonly isRetryable = true
}

/**
 * The server ran out of memory, disk or connections: worth another attempt with a smaller step.
 *
 * @category errors
 * @since 0.1.0
 */
export class ResourceExhausted extends Schema.TaggedError<ResourceExhausted>("@assay/core/ResourceExhausted")(
  "ResourceExhausted",
  { message: Schema.String, code: Schema.UndefinedOr(Schema.String) }
) {
  readonly isRetryable = true
}

/**
 * The data breaks a rule: a blocking check failed, or a compute returned rows that it should not have.
 *
 * @category errors
 * @since 0.1.0
 */
export class DataQuality extends Schema.TaggedError<DataQuality>("@assay/core/DataQuality")("DataQuality", {
  message: Schema.String,
  check: Schema.UndefinedOr(Schema.String)
}) {
  readonly isRetryable = false
}

/**
 * The shape of the data is not the declared one: a file without a required column, a table of other columns.
 *
 * @category errors
 * @since 0.1.0
 */
export class SchemaMismatch extends Schema.TaggedError<SchemaMismatch>("@assay/core/SchemaMismatch")("SchemaMismatch", {
  message: Schema.String
}) {
  readonly isRetryable = false
}

/**
 * The definition is wrong: a query that does not run, a compute missing for the warehouse at hand.
 *
 * @category errors
 * @since 0.1.0
 */
export class DefinitionFault extends Schema.TaggedError<DefinitionFault>("@assay/core/DefinitionFault")(
  "DefinitionFault",
  {
    message: Schema.String,
    code: Schema.UndefinedOr(Schema.String)
  }
) {
  readonly isRetryable = false
}

/**
 * The reasons for which a materialization fails.
 *
 * @category errors
 * @since 0.1.0
 */
export const Reason = Schema.Union([Transient, ResourceExhausted, DataQuality, SchemaMismatch, DefinitionFault])

/**
 * The reasons for which a materialization fails.
 *
 * @category errors
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * A materialization of one asset failed.
 *
 * @category errors
 * @since 0.1.0
 */
export class MaterializationError extends Schema.TaggedError<MaterializationError>("@assay/core/MaterializationError")(
  "MaterializationError",
  {
    asset: Schema.String,
    reason: Reason
  }
) {
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  override get message(): string {
    return `${this.asset}: ${this.reason.message}`
  }
}
