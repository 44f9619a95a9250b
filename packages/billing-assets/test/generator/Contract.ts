/**
 * What must a row of a billing feed keep? The contract in plain code, written without the generator, so that the
 * generator can be held to it.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

export const HEADER = "event_id,customer_id,event_type,amount,currency,event_ts,updated_at,op,attributes"

/** A row as a reader sees it: the fields by name, or only how it failed to be one. */
export type Line =
  | { readonly _tag: "Fields"; readonly fields: Readonly<Record<string, string>> }
  | { readonly _tag: "Broken"; readonly reason: string }

/** Reads the cells of a CSV record. */
export const fromCells = (cells: ReadonlyArray<string>): Line => {
  const names = HEADER.split(",")
  if (cells.length < names.length) return { _tag: "Broken", reason: "too_few_fields" }
  if (cells.length > names.length) return { _tag: "Broken", reason: "too_many_fields" }
  return { _tag: "Fields", fields: Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ""])) }
}

/** Reads a line of NDJSON. */
export const fromJson = (text: string): Line => {
  const parsed = parseObject(text)
  return Option.isNone(parsed)
    ? { _tag: "Broken", reason: "bad_json" }
    : {
        _tag: "Fields",
        fields: Object.fromEntries(
          Object.entries(parsed.value).map(([name, value]) => [
            name,
            typeof value === "string" ? value : JSON.stringify(value)
          ])
        )
      }
}

/** Every rule that a row breaks. */
export const reasons = (line: Line): ReadonlyArray<string> => {
  if (line._tag === "Broken") return [line.reason]
  const value = (name: string): string => line.fields[name] ?? ""
  const sign = SIGNS[value("event_type")]
  return [
    ...(value("event_id") === "" ? ["missing_event_id"] : []),
    ...(value("customer_id") === "" ? ["missing_customer_id"] : []),
    ...(sign === undefined ? ["unknown_event_type"] : []),
    ...(sign === undefined || sign === 0 ? [] : moneyReasons(value("amount"), value("currency"), sign)),
    ...(isTimestamp(value("event_ts")) ? [] : ["bad_event_ts"]),
    ...(isTimestamp(value("updated_at")) ? [] : ["bad_updated_at"]),
    ...(["", "upsert", "delete"].includes(value("op")) ? [] : ["bad_op"]),
    ...attributeReasons(value("attributes"))
  ]
}

/** The microseconds since 1970 of an RFC 3339 timestamp. */
export const micros = (text: string): bigint => {
  const [, whole = "", fraction = "", offset = ""] = /^(.{19})(?:\.(\d+))?(.+)$/.exec(text) ?? []
  const seconds = DateTime.toEpochMillis(DateTime.makeUnsafe(`${whole}${offset}`)) / 1000
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, "0"))
}

// --- internal ---

// 0: a change of state, whose amount is ignored.
const SIGNS: Readonly<Record<string, 1 | -1 | 0>> = {
  customer_created: 0,
  customer_updated: 0,
  subscription_created: 0,
  plan_upgraded: 0,
  plan_downgraded: 0,
  subscription_cancelled: 0,
  invoice_paid: 1,
  refund_issued: -1,
  dispute_opened: -1,
  dispute_won: 1
}

const DECIMAL = /^-?\d{1,16}(\.\d{1,4})?$/

const moneyReasons = (amount: string, currency: string, sign: 1 | -1): ReadonlyArray<string> => [
  ...(amount === "" ? ["missing_amount"] : DECIMAL.test(amount) ? [] : ["bad_amount"]),
  ...(DECIMAL.test(amount) && /[1-9]/.test(amount) && amount.startsWith("-") !== (sign === -1) ? ["wrong_sign"] : []),
  ...(/^[A-Z]{3}$/.test(currency) ? [] : ["bad_currency"])
]

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

const isTimestamp = (text: string): boolean => {
  const day = TIMESTAMP.exec(text)?.[1]
  return day !== undefined && isDay(day)
}

const days = new Map<string, boolean>()

const isDay = (day: string): boolean => {
  const known =
    days.get(day) ??
    Option.exists(DateTime.make(`${day}T00:00:00Z`), (midnight) => DateTime.formatIsoDateUtc(midnight) === day)
  days.set(day, known)
  return known
}

const TEXTS = ["name", "segment", "plan_type", "country", "email", "acquisition_channel", "billing_currency"]

const attributeReasons = (text: string): ReadonlyArray<string> => {
  if (text === "") return []
  const parsed = parseObject(text)
  if (Option.isNone(parsed)) return ["bad_json"]
  const { monthly_amount } = parsed.value
  const isSound =
    TEXTS.every((name) => isTextOrNull(parsed.value[name])) &&
    isTextOrNull(monthly_amount) &&
    (typeof monthly_amount !== "string" || (DECIMAL.test(monthly_amount) && !monthly_amount.startsWith("-")))
  return isSound ? [] : ["bad_attribute"]
}

const isTextOrNull = (value: unknown): boolean => value === undefined || value === null || typeof value === "string"

const parseObject = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))
