import type { Row } from "../Column.ts"
import type { Compute } from "../Compute.ts"
import type { Source } from "../Source.ts"

// oxlint-disable typescript/no-unnecessary-type-parameters -- the caller names the type: that is what these are for
/** A type parameter's stand-in: a property that only the type checker reads. */
export const phantom = <A>(): A => undefined as A

/**
 * The engine runs computes whose row types it cannot know; the definition has checked them against the inputs and the
 * write strategy, so here, and only here, they are let go.
 */
export const compute = <R>(definition: { readonly sql?: unknown; readonly rows?: unknown }): Compute<R> =>
  ({ sql: definition.sql, rows: definition.rows }) as Compute<R>

/** The same for sources. */
export const source = <R>(typed: Source<unknown, R>): Source<Row, R> => typed as Source<Row, R>

/** A value whose services a checked tuple has told, or whose services have been provided. */
export const retype = <A>(value: unknown): A => value as A
