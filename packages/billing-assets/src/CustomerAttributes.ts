/**
 * What does an event say of its customer? Its attributes carry only what changed: an absent field leaves a value as it
 * was, a JSON null takes it away. Fields that nobody knows are kept and ignored.
 */
import type * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Money from "./Money.ts"
import { quote } from "./Quotation.ts"

/**
 * The fields that hold text or null.
 *
 * @category constants
 * @since 0.1.0
 */
export const textFields = [
  "name",
  "segment",
  "plan_type",
  "country",
  "email",
  "acquisition_channel",
  "billing_currency"
] as const

/**
 * A field that holds text or null.
 *
 * @category models
 * @since 0.1.0
 */
export type TextField = (typeof textFields)[number]

/**
 * The attributes themselves, or what is wrong with their known fields, one sentence each.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromJson = (json: Schema.Json): Result.Result<Schema.JsonObject, ReadonlyArray<string>> => {
  if (!isObject(json))
    return Result.fail([`attributes: ${quote(json)} is not a JSON object (expected one like {"plan_type": "pro"})`])
  const found = faults(json)
  return found.length > 0 ? Result.fail(found) : Result.succeed(json)
}

/**
 * The text of a field after an event: as the event says, or as it was where the event is silent.
 *
 * @category getters
 * @since 0.1.0
 */
export const text = (attributes: Schema.Json, field: TextField, before: string | null): string | null => {
  if (!isObject(attributes) || !Object.hasOwn(attributes, field)) return before
  const value = attributes[field]
  return typeof value === "string" ? value : null
}

/**
 * The monthly amount after an event: as the event says, or as it was where the event is silent.
 *
 * @category getters
 * @since 0.1.0
 */
export const monthlyAmount = (
  attributes: Schema.Json,
  before: BigDecimal.BigDecimal | null
): BigDecimal.BigDecimal | null => {
  if (!isObject(attributes) || !Object.hasOwn(attributes, "monthly_amount")) return before
  const value = attributes["monthly_amount"]
  return typeof value === "string" ? (Money.fromText(value) ?? null) : null
}

/**
 * The most characters of a text by which rows are told apart: several must fit into one entry of a PostgreSQL index.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxKeyLength = 256

// --- internal ---

const keyFields: ReadonlySet<TextField> = new Set(["segment", "plan_type", "billing_currency"])

const isObject = (json: Schema.Json): json is Schema.JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json)

const faults = (attributes: Schema.JsonObject): ReadonlyArray<string> => [
  ...textFields.flatMap((field) => {
    const value = attributes[field] ?? null
    if (value === null) return []
    if (typeof value !== "string") return [`attributes.${field}: ${quote(value)} is not text (expected text or null)`]
    return keyFields.has(field) && value.length > maxKeyLength
      ? [
          `attributes.${field}: has ${value.length} characters (expected at most ${maxKeyLength}, for rows are told apart by it)`
        ]
      : []
  }),
  ...faultsOfAmount(attributes["monthly_amount"] ?? null)
]

const faultsOfAmount = (value: Schema.Json): ReadonlyArray<string> => {
  if (value === null) return []
  const amount = typeof value === "string" ? Money.fromText(value) : undefined
  if (amount === undefined) {
    const hint = typeof value === "number" ? "; a JSON number is not exact, write it as text" : ""
    return [
      `attributes.monthly_amount: ${quote(value)} is not decimal text ` +
        `(expected at most 16 digits before and 4 after the point, or null${hint})`
    ]
  }
  return amount.value < 0n
    ? [`attributes.monthly_amount: ${quote(value)} is negative (expected at least 0, or null)`]
    : []
}
