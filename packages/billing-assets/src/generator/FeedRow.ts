/**
 * What is one row of a billing feed? The nine columns as text, exactly as they stand in the file, and beside them what
 * only the generator knows: when the row arrived, why it is in the feed, and which rule it breaks.
 */
import type { Instant } from "./Instant.ts"

/**
 * The columns of a feed file, in the order in which they are written.
 *
 * @category columns
 * @since 0.1.0
 */
export const COLUMNS = [
  "event_id",
  "customer_id",
  "event_type",
  "amount",
  "currency",
  "event_ts",
  "updated_at",
  "op",
  "attributes"
] as const

/**
 * Why a row is in the feed.
 *
 * **Details**
 *
 * | cause | what happened |
 * | --- | --- |
 * | `first` | the first version, within hours |
 * | `late` | the first version, held up for days or weeks |
 * | `backdated` | the first version, written at the source weeks or months after the event |
 * | `correction` | a newer version: another amount, another day, another customer, another attribute |
 * | `duplicate` | the same bytes again, minutes or weeks later |
 * | `delete` | a newer version that takes the event back |
 * | `redelivery` | an older upsert that arrives after its delete, perhaps not for the first time |
 * | `same_instant_delete` | a delete with the `updated_at` of the upsert that it beats |
 * | `conflict` | another upsert with the same `updated_at` |
 * | `repair` | the sound row, after its malformed copy |
 *
 * @category models
 * @since 0.1.0
 */
export type Cause =
  | "first"
  | "late"
  | "backdated"
  | "correction"
  | "duplicate"
  | "delete"
  | "redelivery"
  | "same_instant_delete"
  | "conflict"
  | "repair"

/**
 * The rule that a malformed row breaks.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault =
  | "missing_event_id"
  | "missing_customer_id"
  | "unknown_event_type"
  | "bad_amount"
  | "missing_amount"
  | "wrong_sign"
  | "bad_currency"
  | "bad_event_ts"
  | "bad_updated_at"
  | "bad_op"
  | "bad_json"
  | "bad_attribute"
  | "too_few_fields"
  | "too_many_fields"

/**
 * One row of a feed.
 *
 * @category models
 * @since 0.1.0
 */
export interface FeedRow extends Readonly<Record<(typeof COLUMNS)[number], string>> {
  /** When the row reached the file; rows of a feed are ordered by it. */
  readonly arrivedAt: Instant
  readonly cause: Cause
  /** The rule that the row breaks, or null when it keeps them all. */
  readonly fault: Fault | null
}

/**
 * Gives the cells of a row in the order of `COLUMNS`: nine, unless their number is the row's fault.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toCells = (row: FeedRow): ReadonlyArray<string> => {
  const cells = COLUMNS.map((column) => row[column])
  if (row.fault === "too_few_fields") return cells.slice(0, CELLS_WRITTEN)
  return row.fault === "too_many_fields" ? [...cells, "eor"] : cells
}

/**
 * Prints a row as a line of NDJSON, without its line break; empty optional fields are left out.
 *
 * **Details**
 *
 * `attributes` is nested as it stands, so that bad JSON stays bad. A JSON object has no number of cells: too few cells
 * become a line that breaks off, too many a line with something behind the object.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toJson = (row: FeedRow): string => {
  const fields = COLUMNS.flatMap((column) => {
    const value = row[column]
    if (value === "" && OPTIONAL.has(column)) return []
    return [`"${column}":${column === "attributes" ? value : JSON.stringify(value)}`]
  })
  if (row.fault === "too_few_fields") return `{${fields.slice(0, CELLS_WRITTEN).join(",")}`
  return row.fault === "too_many_fields" ? `{${fields.join(",")}},"eor"` : `{${fields.join(",")}}`
}

// --- internal ---

const CELLS_WRITTEN = 4

const OPTIONAL: ReadonlySet<string> = new Set(["amount", "currency", "op", "attributes"])
