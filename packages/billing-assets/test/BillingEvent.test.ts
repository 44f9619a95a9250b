import * as BillingEvent from "@assay/billing-assets/BillingEvent"
import * as EventType from "@assay/billing-assets/EventType"
import { assert, describe, it } from "@effect/vitest"
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Record from "./support/Record.ts"

const landed = (fields: Record.Fields) => Result.getOrThrow(BillingEvent.admit(Record.make(fields)))

const reasons = (fields: Record.Fields) =>
  Result.match(BillingEvent.admit(Record.make(fields)), { onFailure: (reasons) => reasons, onSuccess: () => [] })

const invoice = Record.invoice()
const created = { ...invoice, event_type: "customer_created", amount: "", currency: "" }
const attributes = (value: unknown): Record.Fields => ({ ...created, attributes: JSON.stringify(value) })

describe("BillingEvent.admit lands", () => {
  const good: ReadonlyArray<readonly [string, Record.Fields]> = [
    ["an invoice of zero", { ...invoice, amount: "0" }],
    ["an invoice of the greatest amount", { ...invoice, amount: "9999999999999999.9999" }],
    ["an amount with an explicit sign", { ...invoice, amount: "+5.5" }],
    ["a negative zero as zero", { ...invoice, amount: "-0.00" }],
    ["a refund", { ...invoice, event_type: "refund_issued", amount: "-5" }],
    ["a refund of zero", { ...invoice, event_type: "refund_issued", amount: "0" }],
    ["an opened dispute", { ...invoice, event_type: "dispute_opened", amount: "-0.0001" }],
    ["a won dispute", { ...invoice, event_type: "dispute_won", amount: "0.0001" }],
    ["a delete", { ...invoice, op: "delete" }],
    ["an explicit upsert", { ...invoice, op: "upsert" }],
    ["an empty op", { ...invoice, op: "" }],
    ["a null op", { ...invoice, op: null }],
    ["a state event without amount and currency", created],
    ["a state event whose fields are absent", { ...created, amount: undefined, currency: undefined, op: undefined }],
    ["a state event whose amount is no number, for it is ignored", { ...created, amount: "n/a" }],
    ["a state event with a currency", { ...created, currency: "EUR" }],
    ["attributes as JSON text", attributes({ name: "Ann", segment: null })],
    ["attributes as a JSON object", { ...created, attributes: { name: "Ann", monthly_amount: "12.50" } }],
    ["null attributes", { ...created, attributes: null }],
    ["attributes of a money event", { ...invoice, attributes: `{"note":"paid late"}` }],
    ["fields that nobody knows, of any type", attributes({ score: 1.5, tags: ["a", { b: null }], vip: true })],
    ["a monthly amount of zero", attributes({ monthly_amount: "0" })],
    ["a null monthly amount", attributes({ monthly_amount: null })],
    ["an id with spaces and emoji", { ...invoice, event_id: " 1 \u{1f600} " }]
  ]

  it.each(good)("%s", (_, fields) => {
    assert.deepStrictEqual(reasons(fields), [])
  })

  it.each(EventType.state)("the state type %s", (event_type) => {
    assert.deepStrictEqual(reasons({ ...created, event_type }), [])
  })
})

describe("BillingEvent.admit rejects", () => {
  const bad: ReadonlyArray<readonly [string, Record.Fields, ReadonlyArray<string>]> = [
    ["a missing event id", { ...invoice, event_id: "" }, ["event_id: is missing (expected non-empty text)"]],
    ["a null event id", { ...invoice, event_id: null }, ["event_id: is missing (expected non-empty text)"]],
    [
      "an absent customer id",
      { ...invoice, customer_id: undefined },
      ["customer_id: is missing (expected non-empty text)"]
    ],
    [
      "an id that is no text",
      { ...invoice, customer_id: ["c1"] },
      [`customer_id: ["c1"] is not text (expected text in quotes)`]
    ],
    [
      "an id that no index can hold",
      { ...invoice, event_id: "x".repeat(513) },
      ["event_id: has 513 characters (expected at most 512)"]
    ],
    [
      "a missing type",
      { ...invoice, event_type: "" },
      [`event_type: is missing (expected one of ${EventType.all.join(", ")})`]
    ],
    [
      "an unknown type",
      { ...invoice, event_type: "Invoice_Paid" },
      [`event_type: "Invoice_Paid" is not a known type (expected one of ${EventType.all.join(", ")})`]
    ],
    [
      "a missing amount",
      { ...invoice, amount: "" },
      ["amount: is missing (expected a decimal with at most 16 digits before and 4 after the point)"]
    ],
    ...[
      "12.3.4",
      "1e3",
      "1,5",
      "abc",
      " 5",
      "5.",
      ".5",
      "--5",
      "0x1f",
      "NaN",
      "Infinity",
      "１２",
      "1.23456",
      "12345678901234567"
    ].map(
      (amount) =>
        [
          `the amount ${amount}`,
          { ...invoice, amount },
          [`amount: "${amount}" is not a decimal (expected at most 16 digits before and 4 after the point)`]
        ] as const
    ),
    [
      "a negative invoice",
      { ...invoice, amount: "-5" },
      [`amount: "-5" has the wrong sign (expected at least 0 for invoice_paid)`]
    ],
    [
      "a positive refund",
      { ...invoice, event_type: "refund_issued", amount: "5" },
      [`amount: "5" has the wrong sign (expected at most 0 for refund_issued)`]
    ],
    [
      "a positive dispute",
      { ...invoice, event_type: "dispute_opened", amount: "0.0001" },
      [`amount: "0.0001" has the wrong sign (expected at most 0 for dispute_opened)`]
    ],
    [
      "a negative dispute won",
      { ...invoice, event_type: "dispute_won", amount: "-0.0001" },
      [`amount: "-0.0001" has the wrong sign (expected at least 0 for dispute_won)`]
    ],
    [
      "a missing currency",
      { ...invoice, currency: "" },
      ["currency: is missing (expected three capital letters for invoice_paid, such as EUR)"]
    ],
    ...["eur", "EURO", "EU", "E1R", "ÉUR"].map(
      (currency) =>
        [
          `the currency ${currency}`,
          { ...invoice, currency },
          [`currency: "${currency}" is not a currency code (expected three capital letters, such as EUR)`]
        ] as const
    ),
    [
      "the bad currency of a state event",
      { ...created, currency: "usd" },
      [`currency: "usd" is not a currency code (expected three capital letters, such as EUR)`]
    ],
    [
      "a timestamp without an offset",
      { ...invoice, event_ts: "2024-03-03T10:00:00" },
      [
        `event_ts: "2024-03-03T10:00:00" is not a timestamp (expected RFC 3339 with an offset and at most microseconds, ` +
          "such as 2024-03-01T09:30:00.250Z)"
      ]
    ],
    [
      "a missing timestamp",
      { ...invoice, updated_at: "" },
      [
        "updated_at: is missing (expected RFC 3339 with an offset and at most microseconds, such as 2024-03-01T09:30:00.250Z)"
      ]
    ],
    [
      "an unknown operation",
      { ...invoice, op: "UPSERT" },
      [`op: "UPSERT" is not an operation (expected upsert, delete, or nothing for upsert)`]
    ],
    [
      "attributes that are a list",
      attributes(["a"]),
      [`attributes: ["a"] is not a JSON object (expected one like {"plan_type": "pro"})`]
    ],
    [
      "attributes that are the text null",
      { ...created, attributes: "null" },
      [`attributes: null is not a JSON object (expected one like {"plan_type": "pro"})`]
    ],
    ["a name that is a number", attributes({ name: 5 }), ["attributes.name: 5 is not text (expected text or null)"]],
    [
      "a plan that is an object",
      attributes({ plan_type: { id: 1 } }),
      [`attributes.plan_type: {"id":1} is not text (expected text or null)`]
    ],
    [
      "a segment that no index can hold",
      attributes({ segment: "x".repeat(257) }),
      ["attributes.segment: has 257 characters (expected at most 256, for rows are told apart by it)"]
    ],
    [
      "a monthly amount that is a JSON number",
      attributes({ monthly_amount: 12.5 }),
      [
        "attributes.monthly_amount: 12.5 is not decimal text (expected at most 16 digits before and 4 after the point, " +
          "or null; a JSON number is not exact, write it as text)"
      ]
    ],
    [
      "a monthly amount with five decimals",
      attributes({ monthly_amount: "1.00001" }),
      [
        `attributes.monthly_amount: "1.00001" is not decimal text (expected at most 16 digits before and 4 after the point, or null)`
      ]
    ],
    [
      "a negative monthly amount",
      attributes({ monthly_amount: "-1" }),
      [`attributes.monthly_amount: "-1" is negative (expected at least 0, or null)`]
    ],
    [
      "bad attributes of a money event too",
      { ...invoice, attributes: `{"email": false}` },
      ["attributes.email: false is not text (expected text or null)"]
    ],
    [
      "every rule that is broken, in the order of the columns",
      {
        event_id: "",
        customer_id: "c1",
        event_type: "invoice_paid",
        amount: "-x",
        currency: "eu",
        event_ts: "yesterday",
        updated_at: "2024-03-03T10:00:00Z",
        op: "x",
        attributes: `{"name": 1, "email": 2}`
      },
      [
        "event_id: is missing (expected non-empty text)",
        `amount: "-x" is not a decimal (expected at most 16 digits before and 4 after the point)`,
        `currency: "eu" is not a currency code (expected three capital letters, such as EUR)`,
        `event_ts: "yesterday" is not a timestamp (expected RFC 3339 with an offset and at most microseconds, ` +
          "such as 2024-03-01T09:30:00.250Z)",
        `op: "x" is not an operation (expected upsert, delete, or nothing for upsert)`,
        "attributes.name: 1 is not text (expected text or null)",
        "attributes.email: 2 is not text (expected text or null)"
      ]
    ]
  ]

  it.each(bad)("%s", (_, fields, expected) => {
    assert.deepStrictEqual(reasons(fields), expected)
  })

  it.each(["{", '{"a":1,}', "{'a':1}", "not json", '{"a":"\\u0000"}', '{"a":"\\ud800"}', "[".repeat(200)])(
    "attributes that cannot be kept: %s",
    (text) => {
      const [reason = "", ...others] = reasons({ ...created, attributes: text })
      assert.match(reason, /^attributes: ".*" cannot be kept: \S/)
      assert.deepStrictEqual(others, [])
    }
  )

  it("a long value without repeating all of it", () => {
    const [reason = ""] = reasons({ ...invoice, amount: "9".repeat(10_000) })
    assert.isBelow(reason.length, 200)
  })
})

describe("BillingEvent.admit", () => {
  it("brings values into one canonical spelling", () => {
    const row = landed({
      ...invoice,
      amount: "+0012.5",
      event_ts: "2024-03-01t00:30:00.25+01:00",
      updated_at: "2024-02-29 23:00:00-01:30",
      op: ""
    })
    assert.isTrue(BigDecimal.equals(row.amount, BigDecimal.fromStringUnsafe("12.5")))
    assert.strictEqual(row.event_ts, "2024-02-29T23:30:00.250000Z")
    assert.strictEqual(row.updated_at, "2024-03-01T00:30:00.000000Z")
    assert.strictEqual(row.op, "upsert")
    assert.deepStrictEqual(row.attributes, {})
  })

  it("keeps where the record stood, and its extra columns", () => {
    const row = Result.getOrThrow(BillingEvent.admit({ ...Record.make(invoice, 17), extra: { region: "north" } }))
    assert.deepStrictEqual([row._file, row._line, row.extra], ["feed.csv", 17, { region: "north" }])
  })

  it("stores 0 and no currency for a state event", () => {
    const row = landed({ ...created, amount: "12" })
    assert.isTrue(BigDecimal.isZero(row.amount))
    assert.isNull(row.currency)
  })

  it("keeps every digit of an amount that a JavaScript number would round", () => {
    const row = landed({ ...invoice, amount: "9007199254740993.0001" })
    assert.strictEqual(BigDecimal.format(row.amount), "9007199254740993.0001")
  })

  it.each<readonly [string, Record.Fields, Record.Fields]>([
    ["another number of zeros", { amount: "5" }, { amount: "5.0000" }],
    ["another offset", { event_ts: "2024-03-03T10:00:00Z" }, { event_ts: "2024-03-03T11:00:00.000+01:00" }],
    ["an explicit default", { op: "" }, { op: "upsert" }],
    ["absent attributes", { attributes: undefined }, { attributes: "{}" }],
    ["another order of attributes", { attributes: `{"a":1,"b":2}` }, { attributes: `{ "b": 2, "a": 1 }` }],
    ["attributes as an object", { attributes: `{"name":"Ann"}` }, { attributes: { name: "Ann" } }]
  ])("hashes %s alike", (_, a, b) => {
    assert.strictEqual(landed({ ...invoice, ...a })._hash, landed({ ...invoice, ...b })._hash)
  })

  it.each<readonly [string, Record.Fields]>([
    ["event_id", { event_id: "e2" }],
    ["customer_id", { customer_id: "c2" }],
    ["event_type", { event_type: "dispute_won" }],
    ["amount", { amount: "10.0001" }],
    ["currency", { currency: "USD" }],
    ["event_ts", { event_ts: "2024-03-03T10:00:00.000001Z" }],
    ["updated_at", { updated_at: "2024-03-03T10:00:00.000001Z" }],
    ["op", { op: "delete" }],
    ["attributes", { attributes: `{"name":null}` }]
  ])("hashes another %s differently", (_, fields) => {
    assert.notStrictEqual(landed({ ...invoice, ...fields })._hash, landed(invoice)._hash)
  })

  it("hashes extra columns, but not where the record stood", () => {
    const at = (line: number, extra: { readonly [column: string]: string }) =>
      Result.getOrThrow(BillingEvent.admit({ ...Record.make(invoice, line), extra }))._hash
    assert.strictEqual(at(2, {}), at(3, {}))
    assert.notStrictEqual(at(2, {}), at(2, { region: "north" }))
  })
})
