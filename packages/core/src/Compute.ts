/**
 * How an asset's rows follow from its inputs. A compute is written over relations; the engine decides which rows stand
 * behind them (a few keys, some days, everything), so the incremental step and the full refresh run the same code and
 * cannot disagree. `sql` is pushed down to the database; `rows` is a TypeScript function over the typed rows of one
 * step, for logic that SQL cannot say and for tests without a database. With both, `rows` is the executable
 * specification of `sql`.
 */
import type * as Effect from "effect/Effect"
import type { Row } from "./Column.ts"
import type { Reason } from "./MaterializationError.ts"
import type { Sql } from "./Sql.ts"
import type { Unit } from "./Unit.ts"

/**
 * The inputs of an asset as relations: each stands after `FROM` or `JOIN`, with an alias (`FROM ${events} AS e`), which
 * PostgreSQL 15 asks for and 16 does not. `units` has the columns `unit`,
 * `window_start` and `window_end` of the units being computed.
 *
 * @category models
 * @since 0.1.0
 */
export type Relations<Inputs> = { readonly [Name in keyof Inputs]: Sql } & { readonly units: Sql }

/**
 * The inputs of an asset as typed rows, and the units being computed.
 *
 * @category models
 * @since 0.1.0
 */
export type Rows<Inputs> = { readonly [Name in keyof Inputs]: ReadonlyArray<RowOf<Inputs[Name]>> } & {
  readonly units: ReadonlyArray<Unit>
}

/**
 * The row type that an input declares.
 *
 * @category models
 * @since 0.1.0
 */
export type RowOf<Input> = Input extends { readonly "~row": infer Row } ? Row : never

/**
 * A compute as the definition gives it: typed by its inputs and by what its write strategy wants.
 *
 * @category models
 * @since 0.1.0
 */
export type Definition<Inputs, Out, R> =
  | { readonly sql: SqlCompute<Inputs, R>; readonly rows?: RowsCompute<Inputs, Out, R> }
  | { readonly sql?: SqlCompute<Inputs, R>; readonly rows: RowsCompute<Inputs, Out, R> }

/**
 * A query over the inputs, whose columns are named like the asset's. As an Effect it may use services, and fail with a
 * reason: a `Transient` one is tried again by the asset's policy.
 *
 * @category models
 * @since 0.1.0
 */
export type SqlCompute<Inputs, R> = (inputs: Relations<Inputs>) => Sql | Effect.Effect<Sql, Reason, R>

/**
 * A function over the rows of one step. As an Effect it may use services, and fail with a reason.
 *
 * @category models
 * @since 0.1.0
 */
export type RowsCompute<Inputs, Out, R> = (
  inputs: Rows<Inputs>
) => Iterable<Out> | Effect.Effect<Iterable<Out>, Reason, R>

/**
 * A compute as the engine runs it, its types erased.
 *
 * @category models
 * @since 0.1.0
 */
export interface Compute<out R = never> {
  readonly sql: ((inputs: { readonly [name: string]: Sql }) => Sql | Effect.Effect<Sql, Reason, R>) | undefined
  readonly rows: ((inputs: AnyRows) => Iterable<Row> | Effect.Effect<Iterable<Row>, Reason, R>) | undefined
}

/**
 * The rows of a step, types erased.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnyRows {
  readonly [name: string]: ReadonlyArray<Row> | ReadonlyArray<Unit>
  readonly units: ReadonlyArray<Unit>
}
