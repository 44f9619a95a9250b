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
  const type = fields["event_type"]
  const money = typeof type === "string" && EventType.isMoney(type) ? type : undefined
  const read = {
    event_id: id("event_id", fields),
    customer_id: id("customer_id", fields),
    event_type: eventType(fields),
    amount: money === undefined ? Result.succeed(Money.zero) : amount(money, fields),
    currency: currency(money, fields),
    event_ts: timestamp("event_ts", fields),
    updated_at: timestamp("updated_at", fields),
    op: op(fields),
    attributes: attributes(fields),
    extra: Result.succeed(record.extra)
  }
  const reasons = Object.values<Read<unknown>>(read).flatMap((field) => (Result.isFailure(field) ? field.failure : []))
  return reasons.length > 0
    ? Result.fail(reasons)
    : Result.map(Result.all(read), (row) => ({
        ...row,
        _file: record.origin,
        _line: record.line,
        _hash: contentHash(row)
      }))
}

// --- internal ---

type Fields = FileRecord["fields"]
type Read<A> = Result.Result<A, ReadonlyArray<string>>
type Content = Omit<Landed, "_file" | "_line" | "_hash">

/** Several columns of text stand in one index entry, which PostgreSQL limits to 2.7 kB. */
const maxIdLength = 512

const reject = (column: string, fault: string): Result.Result<never, ReadonlyArray<string>> =>
  Result.fail([`${column}: ${fault}`])

/** The text of a field; undefined where the field is absent, null or empty. */
const textOf = (column: string, fields: Fields): Read<string | undefined> => {
  const value = fields[column] ?? ""
  if (value === "") return Result.succeed(undefined)
  return typeof value === "string"
    ? Result.succeed(value)
    : reject(column, `${quote(value)} is not text (expected text in quotes)`)
}

const required = <A>(column: string, fields: Fields, expected: string, parse: (text: string) => Read<A>): Read<A> =>
  Result.flatMap(textOf(column, fields), (text) =>
    text === undefined ? reject(column, `is missing (expected ${expected})`) : parse(text)
  )

const id = (column: string, fields: Fields): Read<string> =>
  required(column, fields, "non-empty text", (text) =>
    text.length > maxIdLength
      ? reject(column, `has ${text.length} characters (expected at most ${maxIdLength})`)
      : Result.succeed(text)
  )

const eventTypes = `one of ${EventType.all.join(", ")}`

const eventType = (fields: Fields): Read<string> =>
  required("event_type", fields, eventTypes, (text) =>
    EventType.isEventType(text)
      ? Result.succeed(text)
      : reject("event_type", `${quote(text)} is not a known type (expected ${eventTypes})`)
  )

const decimal = "at most 16 digits before and 4 after the point"

const amount = (type: EventType.Money, fields: Fields): Read<BigDecimal.BigDecimal> =>
  required("amount", fields, `a decimal with ${decimal}`, (text) => {
    const value = Money.fromText(text)
    if (value === undefined) return reject("amount", `${quote(text)} is not a decimal (expected ${decimal})`)
    const isIncoming = EventType.isIncoming(type)
    const isWrong = isIncoming ? value.value < 0n : value.value > 0n
    return isWrong
      ? reject(
          "amount",
          `${quote(text)} has the wrong sign (expected ${isIncoming ? "at least" : "at most"} 0 for ${type})`
        )
      : Result.succeed(value)
  })

const currencyPattern = /^[A-Z]{3}$/

const currency = (type: EventType.Money | undefined, fields: Fields): Read<string | null> =>
  Result.flatMap(textOf("currency", fields), (text) => {
    if (text === undefined) {
      return type === undefined
        ? Result.succeed(null)
        : reject("currency", `is missing (expected three capital letters for ${type}, such as EUR)`)
    }
    return currencyPattern.test(text)
      ? Result.succeed(text)
      : reject("currency", `${quote(text)} is not a currency code (expected three capital letters, such as EUR)`)
  })

const rfc3339 = "RFC 3339 with an offset and at most microseconds, such as 2024-03-01T09:30:00.250Z"

const timestamp = (column: "event_ts" | "updated_at", fields: Fields): Read<string> =>
  required(column, fields, rfc3339, (text) => {
    const canonical = Timestamp.fromText(text)
    return canonical === undefined
      ? reject(column, `${quote(text)} is not a timestamp (expected ${rfc3339})`)
      : Result.succeed(canonical)
  })

const op = (fields: Fields): Read<string> =>
  Result.flatMap(textOf("op", fields), (text = "upsert") =>
    text === "upsert" || text === "delete"
      ? Result.succeed(text)
      : reject("op", `${quote(text)} is not an operation (expected upsert, delete, or nothing for upsert)`)
  )

const attributes = (fields: Fields): Read<Schema.JsonObject> => {
  const value = fields["attributes"] ?? ""
  if (value === "") return Result.succeed({})
  const parsed = typeof value === "string" ? ExactJson.parse(value) : Result.succeed(value)
  return Result.isFailure(parsed)
    ? reject("attributes", `${quote(value)} cannot be kept: ${parsed.failure}`)
    : CustomerAttributes.fromJson(parsed.success)
}

const contentColumns = Column.fromStruct(Schema.Struct({ ...fields, extra: landedFields.extra }))

/**
 * Rows of an equal hash are equal in every column that a result could depend on, so a tie broken by hash is broken by
 * content. 128 bits of SHA-256 keep even a hostile feed from making two rows look like one.
 */
const contentHash = (row: Content): string => hash("sha256", Column.rowText(contentColumns, row)).slice(0, 32)
