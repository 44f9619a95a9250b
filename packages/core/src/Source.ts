/**
 * Where rows come from. A source says what there is to land, given what was landed before, and streams it in batches
 * with a position after each. Rows and position commit together, so a landing that dies is resumed by landing again.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"

/**
 * How far one origin (a file, a table) has been landed. `value` belongs to the source alone.
 *
 * @category models
 * @since 0.1.0
 */
export interface Position {
  readonly origin: string
  readonly value: Schema.Json
}

/**
 * Something to land: one origin, and in a few words what it is and why it is due.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delivery {
  readonly origin: string
  readonly description: string
  /** The size in bytes of what is to be read, where known. */
  readonly bytes: number | undefined
  /** The position from which it goes on; undefined for an origin never landed. */
  readonly after: Position | undefined
  /** How far the asset had been landed when this was found, as the ledger says it. Set by who asks the source. */
  readonly revision?: string | undefined
}

/**
 * A row that breaks the rules of its source, kept with everything needed to see why and to try it again.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rejected {
  readonly origin: string
  /** The line on which the record begins, from 1. */
  readonly line: number
  readonly raw: string
  readonly reasons: ReadonlyArray<string>
  /** What the source needs to read the row again, like the header of its file; it belongs to the source alone. */
  readonly context: Schema.Json
}

/**
 * Rows read in one go, and the position behind them.
 *
 * **Details**
 *
 * Where `knownBy` names columns, a row that agrees in them with a row already landed is left out: that is how a
 * rewritten file lands only what is new in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch<out Row> {
  readonly rows: ReadonlyArray<Row>
  readonly rejected: ReadonlyArray<Rejected>
  readonly position: Position
  readonly knownBy: ReadonlyArray<string> | undefined
  readonly warnings: ReadonlyArray<string>
}

/**
 * An origin cannot be read as a whole: a file is missing or unreadable, or lacks required columns.
 *
 * @category errors
 * @since 0.1.0
 */
export class SourceError extends Schema.TaggedError<SourceError>("@assay/core/SourceError")("SourceError", {
  origin: Schema.String,
  kind: Schema.Literals(["SchemaMismatch", "Unreadable", "Transient"]),
  message: Schema.String
}) {}

/**
 * Where the rows of a source asset come from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Source<out Row, out R = never> {
  readonly description: string
  /** What there is to land, given the positions already landed, in the order in which it should land. */
  readonly discover: (landed: ReadonlyArray<Position>) => Effect.Effect<ReadonlyArray<Delivery>, SourceError, R>
  /** Reads a delivery in batches of bounded size. */
  readonly read: (delivery: Delivery) => Stream.Stream<Batch<Row>, SourceError, R>
  /** Reads rejected rows again, by today's rules. The rows come back in the order of the rejected ones. */
  readonly replay: (
    rejected: ReadonlyArray<Rejected>
  ) => Effect.Effect<ReadonlyArray<{ readonly row: Row } | { readonly reasons: ReadonlyArray<string> }>, SourceError, R>
}
