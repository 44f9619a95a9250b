/**
 * Which kinds of billing event are there, and what follows from the kind: money types move an amount of one sign, state
 * types say something new about a customer.
 */
import { list, type Sql, value } from "@assay/core/Sql"

/**
 * The types of event that move money.
 *
 * @category constants
 * @since 0.1.0
 */
export const money = ["invoice_paid", "refund_issued", "dispute_opened", "dispute_won"] as const

/**
 * The types of event that change what is known of a customer.
 *
 * @category constants
 * @since 0.1.0
 */
export const state = [
  "customer_created",
  "customer_updated",
  "subscription_created",
  "plan_upgraded",
  "plan_downgraded",
  "subscription_cancelled"
] as const

/**
 * All types of event.
 *
 * @category constants
 * @since 0.1.0
 */
export const all = [...money, ...state] as const

/**
 * A type of event that moves money.
 *
 * @category models
 * @since 0.1.0
 */
export type Money = (typeof money)[number]

/**
 * A type of event.
 *
 * @category models
 * @since 0.1.0
 */
export type EventType = (typeof all)[number]

/**
 * The money types whose amount is zero or more; that of the others is zero or less.
 *
 * @category constants
 * @since 0.1.0
 */
export const incoming = ["invoice_paid", "dispute_won"] as const satisfies ReadonlyArray<Money>

/**
 * Tells whether a text names a type of event.
 *
 * @category guards
 * @since 0.1.0
 */
export const isEventType = (text: string): text is EventType => contains(all, text)

/**
 * Tells whether a type of event moves money.
 *
 * @category guards
 * @since 0.1.0
 */
export const isMoney = (type: string): type is Money => contains(money, type)

/**
 * Tells whether a money type's amount is zero or more, as opposed to zero or less.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isIncoming = (type: Money): boolean => contains(incoming, type)

/**
 * Types of event as a list of SQL values, for `IN (…)`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toSql = (types: ReadonlyArray<EventType>): Sql => list(types.map(value))

// --- internal ---

const contains = (types: ReadonlyArray<string>, type: string): boolean => types.includes(type)
