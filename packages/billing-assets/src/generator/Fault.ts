/**
 * How do rows get broken? Every way in which a row can break the feed's contract, each with the rows that it can
 * happen to and what it does to them.
 */
import type * as FeedRow from "./FeedRow.ts"
import * as Random from "./Random.ts"

/**
 * Takes turns between the faults, so that even a small feed shows each of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rota {
  /** Gives the broken copy of a row, by the next fault in turn that can happen to it. */
  readonly spoil: (row: FeedRow.FeedRow, random: Random.Random) => FeedRow.FeedRow
}

/**
 * All faults.
 *
 * @category faults
 * @since 0.1.0
 */
export const FAULTS: ReadonlyArray<FeedRow.Fault> = [
  "missing_event_id",
  "bad_json",
  "bad_amount",
  "unknown_event_type",
  "too_few_fields",
  "wrong_sign",
  "bad_event_ts",
  "bad_attribute",
  "missing_customer_id",
  "missing_amount",
  "too_many_fields",
  "bad_updated_at",
  "bad_currency",
  "bad_op"
]

/**
 * Makes a rota that begins with the first fault.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeRota = (): Rota => {
  let turns = FAULTS
  return {
    spoil: (row, random) => {
      const fault = turns.find((candidate) => SPOILS[candidate].happensTo(row)) ?? "missing_event_id"
      turns = [...turns.filter((other) => other !== fault), fault]
      return { ...row, ...SPOILS[fault].spoil(row, random), fault }
    }
  }
}

// --- internal ---

interface Spoil {
  readonly happensTo: (row: FeedRow.FeedRow) => boolean
  readonly spoil: (row: FeedRow.FeedRow, random: Random.Random) => Partial<FeedRow.FeedRow>
}

const always = (): boolean => true
const hasMoney = (row: FeedRow.FeedRow): boolean => row.amount !== ""

const SPOILS: Record<FeedRow.Fault, Spoil> = {
  missing_event_id: { happensTo: always, spoil: () => ({ event_id: "" }) },
  missing_customer_id: { happensTo: always, spoil: () => ({ customer_id: "" }) },
  unknown_event_type: {
    happensTo: always,
    spoil: (_row, random) => ({ event_type: Random.pick(random, ["invoice_voided", "INVOICE_PAID", "payment", ""]) })
  },
  bad_amount: {
    happensTo: hasMoney,
    spoil: (row, random) => ({
      amount: Random.pick(random, [
        row.amount.replace(".", ","),
        `${row.amount}99999`,
        `12345678901234567${row.amount.slice(-3)}`,
        "n/a",
        `${row.amount} EUR`
      ])
    })
  },
  missing_amount: { happensTo: hasMoney, spoil: () => ({ amount: "" }) },
  wrong_sign: {
    happensTo: (row) => /[1-9]/.test(row.amount),
    spoil: (row) => ({ amount: row.amount.startsWith("-") ? row.amount.slice(1) : `-${row.amount}` })
  },
  bad_currency: {
    happensTo: hasMoney,
    spoil: (row, random) => ({ currency: Random.pick(random, [row.currency.toLowerCase(), "€", "EURO", ""]) })
  },
  bad_event_ts: { happensTo: always, spoil: (row, random) => ({ event_ts: badTimestamp(row.event_ts, random) }) },
  bad_updated_at: { happensTo: always, spoil: (row, random) => ({ updated_at: badTimestamp(row.updated_at, random) }) },
  bad_op: { happensTo: always, spoil: (_row, random) => ({ op: Random.pick(random, ["update", "remove", "U"]) }) },
  bad_json: {
    happensTo: always,
    spoil: (_row, random) => ({
      attributes: Random.pick(random, ['{"name":"Aurora', "{'plan_type':'pro'}", "plan_type=pro", '["pro"]'])
    })
  },
  bad_attribute: {
    happensTo: (row) => row.amount === "",
    spoil: (_row, random) => ({
      attributes: Random.pick(random, [
        '{"segment":42}',
        '{"monthly_amount":"-5.00"}',
        '{"monthly_amount":"49,90"}',
        '{"country":{"code":"DE"}}'
      ])
    })
  },
  too_few_fields: { happensTo: always, spoil: () => ({}) },
  too_many_fields: { happensTo: always, spoil: () => ({}) }
}

const badTimestamp = (text: string, random: Random.Random): string =>
  Random.pick(random, [
    text.replace(/(Z|[+-]\d\d:\d\d)$/, ""),
    text.replace(/T.*$/, "T12:00:00.123456789Z"),
    text.replace(/-\d\dT/, "-32T"),
    text.replace("T", " at "),
    "yesterday",
    ""
  ])
