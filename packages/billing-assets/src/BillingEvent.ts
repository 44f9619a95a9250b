/**
 * What is a billing event, and which records of a feed are one? This is the door: a record comes in as text of unknown
 * worth and leaves either as a row of exact values in one canonical spelling, or with every rule that it breaks.
 */
import * as Column from "@assay/core/Column"
import * as ExactJson from "@assay/core/source/ExactJson"
import type { FileRecord } from "@assay/core/source/FileRecord"
import type * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { hash } from "node:crypto"
import * as CustomerAttributes from "./CustomerAttributes.ts"
import * as EventType from "./EventType.ts"
import * as Money from "./Money.ts"
import { quote } from "./Quotation.ts"
import * as Timestamp from "./Timestamp.ts"

/**
 * The columns that a feed must have.
 *
 * @category constants
 * @since 0.1.0
 */
export const requiredColumns = [
  "event_id",
  "customer_id",
  "event_type",
  "amount",
  "currency",
  "event_ts",
  "updated_at"
] as const

/**
 * The columns that a feed may have. Any other column is extra.
 *
 * @category constants
 * @since 0.1.0
 */
export const optionalColumns = ["op", "attributes"] as const

/**
 * The columns of the feed, as tables hold them.
 *
 * @category columns
 * @since 0.1.0
 */
export const fields = {
  event_id: Column.text.annotate({ description: "Stable identity of the business event at the source" }),
  customer_id: Column.text.annotate({ description: "The customer whom the event concerns" }),
  event_type: Column.text.annotate({ description: "What happened: one of the money types or the state types" }),
  amount: Money.column.annotate({ description: "Signed amount of a money event; 0 for state events" }),
  currency: Column.nullable(Column.text).annotate({ description: "Currency of the amount, three capital letters" }),
  event_ts: Column.timestamp.annotate({ description: "When it happened" }),
  updated_at: Column.timestamp.annotate({ description: "When this version of the event was written at the source" }),
  op: Column.text.annotate({ description: "Whether this version says that the event is (upsert) or is not (delete)" }),
  attributes: Column.json.annotate({ description: "What the event says of the customer: only what changed" })
}

/**
 * The columns of a landed row that the source fills; the landing's id and time are filled by the engine.
 *
 * @category columns
 * @since 0.1.0
 */
export const landedFields = {
  ...fields,
  extra: Column.json.annotate({ description: "Columns of the feed that nobody knows, kept as they came" }),
  _file: Column.text.annotate({ description: "The file that the row came from" }),
  _line: Column.integer.annotate({ description: "The line of that file on which the record begins, from 1" }),
  _hash: Column.text.annotate({ description: "Hash of the row's content: equal content has an equal hash" })
}

/**
 * A row as it lands.
 *
 * @category models
 * @since 0.1.0
 */
export type Landed = Schema.Struct<typeof landedFields>["Type"]

/**
 * The row that a record stands for, or every rule that the record breaks.
 *
 * @category constructors
 * @since 0.1.0
 */
export const admit = (
  record: Pick<FileRecord, "origin" | "line" | "fields" | "extra">
): Result.Result<Landed, ReadonlyArray<string>> => {
  const { fields } = record
  const faults: Array<string> = []
  const type = fields["event_type"]
  const money = typeof type === "string" && EventType.isMoney(type) ? type : undefined
  const row = {
    event_id: id("event_id", fields, faults),
    customer_id: id("customer_id", fields, faults),
    event_type: eventType(fields, faults),
    amount: money === undefined ? Money.zero : amount(money, fields, faults),
    currency: currency(money, fields, faults),
    event_ts: timestamp("event_ts", fields, faults),
    updated_at: timestamp("updated_at", fields, faults),
    op: op(fields, faults),
    attributes: attributes(fields, faults),
    extra: record.extra,
    _file: record.origin,
    _line: record.line,
    _hash: ""
  }
  if (faults.length > 0) return Result.fail(faults)
  row._hash = contentHash(row)
  return Result.succeed(row)
}

// --- internal ---

type Fields = FileRecord["fields"]
type Content = Omit<Landed, "_file" | "_line" | "_hash">

/**
 * Where rules are broken. Each field adds what is wrong with it and gives a value that nobody will see: a feed has
 * millions of fields, and a result for each would be most of the work of landing it.
 */
type Faults = Array<string>

/** Several columns of text stand in one index entry, which PostgreSQL limits to 2.7 kB. */
const maxIdLength = 512

/** The text of a field; empty where the field is absent, null or empty, undefined where it is no text. */
const textOf = (column: string, fields: Fields, faults: Faults): string | undefined => {
  const value = fields[column] ?? ""
  if (typeof value === "string") return value
  faults.push(`${column}: ${quote(value)} is not text (expected text in quotes)`)
  return undefined
}

/** As `textOf`, but the field must not be empty. */
const required = (column: string, fields: Fields, faults: Faults, expected: string): string | undefined => {
  const text = textOf(column, fields, faults)
  if (text !== "") return text
  faults.push(`${column}: is missing (expected ${expected})`)
  return undefined
}

const id = (column: string, fields: Fields, faults: Faults): string => {
  const text = required(column, fields, faults, "non-empty text") ?? ""
  if (text.length > maxIdLength)
    faults.push(`${column}: has ${text.length} characters (expected at most ${maxIdLength})`)
  return text
}

const eventTypes = `one of ${EventType.all.join(", ")}`

const eventType = (fields: Fields, faults: Faults): string => {
  const text = required("event_type", fields, faults, eventTypes)
  if (text !== undefined && !EventType.isEventType(text))
    faults.push(`event_type: ${quote(text)} is not a known type (expected ${eventTypes})`)
  return text ?? ""
}

const decimal = "at most 16 digits before and 4 after the point"
const expectedDecimal = `a decimal with ${decimal}`

const amount = (type: EventType.Money, fields: Fields, faults: Faults): BigDecimal.BigDecimal => {
  const text = required("amount", fields, faults, expectedDecimal)
  if (text === undefined) return Money.zero
  const value = Money.fromText(text)
  if (value === undefined) {
    faults.push(`amount: ${quote(text)} is not a decimal (expected ${decimal})`)
    return Money.zero
  }
  const isIncoming = EventType.isIncoming(type)
  if (isIncoming ? value.value < 0n : value.value > 0n)
    faults.push(
      `amount: ${quote(text)} has the wrong sign (expected ${isIncoming ? "at least" : "at most"} 0 for ${type})`
    )
  return value
}

const currencyPattern = /^[A-Z]{3}$/

const currency = (type: EventType.Money | undefined, fields: Fields, faults: Faults): string | null => {
  const text = textOf("currency", fields, faults)
  if (text === undefined) return null
  if (text !== "") {
    if (!currencyPattern.test(text))
      faults.push(`currency: ${quote(text)} is not a currency code (expected three capital letters, such as EUR)`)
    return text
  }
  if (type !== undefined) faults.push(`currency: is missing (expected three capital letters for ${type}, such as EUR)`)
  return null
}

const rfc3339 = "RFC 3339 with an offset and at most microseconds, such as 2024-03-01T09:30:00.250Z"

const timestamp = (column: "event_ts" | "updated_at", fields: Fields, faults: Faults): string => {
  const text = required(column, fields, faults, rfc3339)
  if (text === undefined) return ""
  const canonical = Timestamp.fromText(text)
  if (canonical === undefined) faults.push(`${column}: ${quote(text)} is not a timestamp (expected ${rfc3339})`)
  return canonical ?? ""
}

const op = (fields: Fields, faults: Faults): string => {
  const text = textOf("op", fields, faults)
  if (text === "" || text === undefined || text === "upsert") return "upsert"
  if (text !== "delete")
    faults.push(`op: ${quote(text)} is not an operation (expected upsert, delete, or nothing for upsert)`)
  return text
}

const nothing: Schema.JsonObject = {}

const attributes = (fields: Fields, faults: Faults): Schema.JsonObject => {
  const value = fields["attributes"] ?? ""
  if (value === "") return nothing
  const parsed = typeof value === "string" ? ExactJson.parse(value) : Result.succeed(value)
  if (Result.isFailure(parsed)) {
    faults.push(`attributes: ${quote(value)} cannot be kept: ${parsed.failure}`)
    return nothing
  }
  const read = CustomerAttributes.fromJson(parsed.success)
  if (Result.isSuccess(read)) return read.success
  faults.push(...read.failure)
  return nothing
}

const contentColumns = Column.fromStruct(Schema.Struct({ ...fields, extra: landedFields.extra }))

/**
 * Rows of an equal hash are equal in every column that a result could depend on, so a tie broken by hash is broken by
 * content. 128 bits of SHA-256 keep even a hostile feed from making two rows look like one.
 */
const contentHash = (row: Content): string => hash("sha256", Column.rowText(contentColumns, row)).slice(0, 32)
