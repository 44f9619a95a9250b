import type * as Schema from "effect/Schema"

/** Text to JSON; throws where the text is none. Numbers are JavaScript's. */
export const parse = (text: string): Schema.Json => JSON.parse(text) as Schema.Json

/** The same with the source text of every number in its place. */
export const parseNumbersAsText = (text: string): Schema.Json => JSON.parse(text, numberText) as Schema.Json

const numberText = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" ? (context?.source ?? String(value)) : value

/** Whether a value is an object with fields, neither a list nor null. */
export const isObject = (value: Schema.Json): value is Schema.JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
