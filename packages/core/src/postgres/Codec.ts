/**
 * How values of the engine's own tables come out of the driver, for the schemas that decode their rows.
 */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * A `timestamptz`; the engine's own times have milliseconds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const instant = Schema.DateTimeUtcFromDate

/**
 * A `bigint` within JavaScript's safe integers: a count, a number of rows.
 *
 * @category schemas
 * @since 0.1.0
 */
export const integer = Schema.BigInt.pipe(
  Schema.decodeTo(Schema.Int, { decode: SchemaGetter.transform(Number), encode: SchemaGetter.transform(BigInt) })
)

/**
 * A nullable column, where null is `undefined`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const undefinedOr = <S extends Schema.Constraint>(column: S) =>
  Schema.NullOr(column).pipe(
    Schema.decodeTo(Schema.UndefinedOr(Schema.toType(column)), {
      decode: SchemaGetter.transform((value) => value ?? undefined),
      encode: SchemaGetter.transform((value) => value ?? null)
    })
  )
