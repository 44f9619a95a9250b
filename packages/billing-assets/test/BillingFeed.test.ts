/** What the feed's contract makes of values at its limits: one line of a file in, a row of bronze or the reasons out. */
import * as BillingEvent from "@assay/billing-assets/BillingEvent"
import * as BillingFeed from "@assay/billing-assets/BillingFeed"
import * as bronzeEvents from "@assay/billing-assets/bronzeEvents"
import * as Assay from "@assay/core/Assay"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"

/** A column, the text of the file in it, and what bronze holds then. */
type Good = readonly [column: string, given: string, held: string | null]

/** A column, the text of the file in it, and what is said of it: the reasons, behind the column's name. */
type Bad = readonly [column: string, given: string, ...says: ReadonlyArray<string>]

const greatest = "9999999999999999.9999"

const money: ReadonlyArray<Good> = [
  ["amount", "0", "0.0000"],
  ["amount", "-0", "0.0000"],
  ["amount", "+0.0000", "0.0000"],
  ["amount", "0.0001", "0.0001"],
  ["amount", "007.50", "7.5000"],
  ["amount", "0000000000000000", "0.0000"],
  ["amount", greatest, greatest],
  ["amount", `+${greatest}`, greatest],
  ["currency", "EUR", "EUR"],
  ["currency", "XXX", "XXX"],
  ["event_id", " ", " "],
  ["event_id", "  e 1\t", "  e 1\t"],
  ["event_id", "E1", "E1"],
  ["event_id", "=cmd()", "=cmd()"],
  ["event_id", "null", "null"],
  ["event_id", "x".repeat(512), "x".repeat(512)],
  ["customer_id", "c\u00a0\u200b", "c\u00a0\u200b"],
  ["customer_id", "Grüße 😀", "Grüße 😀"],
  ["event_ts", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"],
  ["event_ts", "0001-01-01T14:00:00+14:00", "0001-01-01T00:00:00.000000Z"],
  ["event_ts", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"],
  ["event_ts", "9999-12-31T11:59:59.999999-12:00", "9999-12-31T23:59:59.999999Z"],
  ["event_ts", "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"],
  ["event_ts", "1582-10-10T00:00:00Z", "1582-10-10T00:00:00.000000Z"],
  ["event_ts", "2000-02-29T23:59:59.9-00:00", "2000-02-29T23:59:59.900000Z"],
  ["event_ts", "2024-03-01t09:30:00z", "2024-03-01T09:30:00.000000Z"],
  ["event_ts", "2024-03-31 02:30:00+01:00", "2024-03-31T01:30:00.000000Z"],
  ["updated_at", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000Z"],
  ["op", "", "upsert"],
  ["op", "upsert", "upsert"],
  ["op", "delete", "delete"],
  ["attributes", "", "{}"],
  ["attributes", " {\n } ", "{}"],
  ["attributes", '{"b":1,"a":[1.50,1e400]}', '{"a":[1.5,"1e400"],"b":1}'],
  ["attributes", '{"monthly_amount":"9999999999999999.9999"}', '{"monthly_amount":"9999999999999999.9999"}'],
  ["attributes", '{"monthly_amount":"-0"}', '{"monthly_amount":"-0"}'],
  ["attributes", '{"name":"","Segment":5,"email":null}', '{"Segment":5,"email":null,"name":""}'],
  ["attributes", '{"name":1,"name":"last"}', '{"name":"last"}'],
  ["attributes", '{"__proto__":{"name":5}}', '{"__proto__":{"name":5}}'],
  ["region", "north", '{"region":"north"}']
]

const decimal = "(expected at most 16 digits before and 4 after the point)"
const timestamp = "(expected RFC 3339 with an offset and at most microseconds, such as 2024-03-01T09:30:00.250Z)"
const currency = "(expected three capital letters, such as EUR)"
const notDecimal = (given: string): Bad => ["amount", given, `${JSON.stringify(given)} is not a decimal ${decimal}`]
const notTimestamp = (given: string): Bad => [
  "event_ts",
  given,
  `${JSON.stringify(given)} is not a timestamp ${timestamp}`
]
const notCurrency = (given: string): Bad => [
  "currency",
  given,
  `${JSON.stringify(given)} is not a currency code ${currency}`
]

const rejected: ReadonlyArray<Bad> = [
  ["event_id", "", "is missing (expected non-empty text)"],
  ["event_id", "x".repeat(513), "has 513 characters (expected at most 512)"],
  ["customer_id", "", "is missing (expected non-empty text)"],
  ["amount", "", `is missing (expected a decimal with ${decimal.slice("(expected ".length)}`],
  ["amount", "-0.0001", '"-0.0001" has the wrong sign (expected at least 0 for invoice_paid)'],
  ...[
    "10000000000000000",
    "00000000000000000",
    "0.00001",
    "1.",
    ".1",
    "1 000",
    "1,000",
    "1'000",
    "1_000",
    "€1",
    "1e0"
  ].map(notDecimal),
  ...[" 1", "1 ", "\t1", "1\u00a0", "+ 1", "+-1", "NaN", "Infinity", "0x1", "１", "٣", "−1", "null", "true"].map(
    notDecimal
  ),
  ["currency", "", "is missing (expected three capital letters for invoice_paid, such as EUR)"],
  ...["eur", "Eur", " EUR", "EUR ", "EU", "EURO", "€", "ЕUR", "E\u0055\u0301R", "EU1", "null"].map(notCurrency),
  ["event_ts", "", `is missing ${timestamp}`],
  ...[
    "0000-12-31T23:59:59Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "10000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "2024-03-01",
    "2024-03-01T09:30:00",
    "2024-03-01T09:30Z",
    "2024-03-01T09:30:00.1234567Z",
    "2024-03-01T09:30:00,5Z",
    "2024-03-01T24:00:00Z",
    "2024-03-01T23:59:60Z",
    "2023-02-29T00:00:00Z",
    "2024-03-01T09:30:00+24:00",
    "2024-03-01T09:30:00 +01:00",
    " 2024-03-01T09:30:00Z",
    "2024-03-01T09:30:00Z ",
    "2024-03-01T09:30:00UTC",
    "２024-03-01T09:30:00Z",
    "1709285400",
    "infinity",
    "now"
  ].map(notTimestamp),
  ["op", "DELETE", '"DELETE" is not an operation (expected upsert, delete, or nothing for upsert)'],
  ["op", " delete", '" delete" is not an operation (expected upsert, delete, or nothing for upsert)'],
  ["op", "null", '"null" is not an operation (expected upsert, delete, or nothing for upsert)'],
  ["attributes", "null", 'null is not a JSON object (expected one like {"plan_type": "pro"})'],
  ["attributes", '"{}"', '"{}" is not a JSON object (expected one like {"plan_type": "pro"})']
]

const header = [
  "event_id",
  "customer_id",
  "event_type",
  "amount",
  "currency",
  "event_ts",
  "updated_at",
  "op",
  "attributes"
]

const sound: { readonly [column: string]: string } = {
  event_id: "e1",
  customer_id: "c1",
  event_type: "invoice_paid",
  amount: "10",
  currency: "EUR",
  event_ts: "2024-03-03T10:00:00Z",
  updated_at: "2024-03-03T10:00:00Z",
  op: "",
  attributes: ""
}

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`

/** A file with one sound record, but for one column; as CSV with a header, or as NDJSON. */
const fileOf = (format: "csv" | "ndjson", column: string, given: string): string => {
  const record = { ...sound, [column]: given }
  if (format === "ndjson") return `${JSON.stringify(record)}\n`
  const columns = header.includes(column) ? header : [...header, column]
  return `${columns.join(",")}\n${columns.map((name) => quoted(record[name] ?? "")).join(",")}\n`
}

/** What the engine in memory makes of a file. */
const landing = Effect.fnUntraced(function* (file: string, text: string) {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "billing-feed-"))),
    (folder) => Effect.promise(() => Fs.rm(folder, { recursive: true, force: true }))
  )
  yield* Effect.promise(() => Fs.writeFile(Path.join(folder, file), text))
  const graph = AssetGraph.make([bronzeEvents.make(BillingFeed.make(folder))])
  const assay = Context.get(yield* Layer.build(Layer.fresh(Assay.layerMemory(graph))), Assay.Assay)
  const { outcomes } = yield* assay.materialize({ assets: [] })
  const { asset, rows } = yield* assay.rows({ asset: "bronze_events" })
  return {
    error: outcomes.map(({ error }) => error?.message).find((message) => message !== undefined),
    rows: (yield* Stream.runCollect(rows)).map(
      (row) => new Map(asset.columns.map((column) => [column.name, Column.toText(column, row[column.name] ?? null)]))
    ),
    quarantine: yield* assay.quarantined({ limit: 10 })
  }
})

const cellOf = (row: ReadonlyMap<string, string | null> | undefined, column: string) =>
  row?.get(row.has(column) ? column : "extra")

describe.each(["csv", "ndjson"] as const)("the billing feed as %s", (format) => {
  const line = format === "csv" ? 2 : 1

  it.effect.each(money)("lands %s %j as %j (Verifies: L4)", ([column, given, held]) =>
    Effect.gen(function* () {
      const { error, quarantine, rows } = yield* landing(`feed.${format}`, fileOf(format, column, given))
      assert.deepStrictEqual([error, quarantine.map(({ reasons }) => reasons), rows.length], [undefined, [], 1])
      assert.strictEqual(cellOf(rows[0], column), held)
      assert.strictEqual(rows[0]?.get("_line"), String(line))
    }).pipe(Effect.scoped)
  )

  it.effect.each(rejected)("quarantines %s %j (Verifies: L4)", ([column, given, ...says]) =>
    Effect.gen(function* () {
      const text = fileOf(format, column, given)
      const { error, quarantine, rows } = yield* landing(`feed.${format}`, text)
      assert.deepStrictEqual([error, rows], [undefined, []])
      assert.deepStrictEqual(
        quarantine.map(({ line, origin, raw, reasons }) => ({ line, origin, raw, reasons })),
        [
          {
            line,
            origin: `feed.${format}`,
            raw: text
              .split("\n")
              .slice(line - 1, -1)
              .join("\n"),
            reasons: says.map((what) => `${column}: ${what}`)
          }
        ]
      )
    }).pipe(Effect.scoped)
  )
})

describe("the header of the billing feed", () => {
  it.effect.each(BillingEvent.requiredColumns.map((column) => [column] as const))(
    "must have %s, named exactly so",
    ([column]) =>
      Effect.gen(function* () {
        for (const name of [column.toUpperCase(), ` ${column}`, `${column}\u200b`]) {
          const text = fileOf("csv", "op", "").replace(column, name)
          const { error, quarantine, rows } = yield* landing("feed.csv", text)
          assert.include(error, `feed.csv cannot be landed: it lacks the required columns "${column}"`)
          assert.deepStrictEqual([quarantine, rows], [[], []])
        }
      }).pipe(Effect.scoped)
  )

  it.effect("loses no file whose lines end in CR alone", () =>
    Effect.gen(function* () {
      const { error, rows } = yield* landing(
        "feed.csv",
        fileOf("csv", "op", "").replaceAll('"', "").replaceAll("\n", "\r")
      )
      assert.include(error, "its lines end in CR alone: end them with LF or CRLF")
      assert.deepStrictEqual(rows, [])
    }).pipe(Effect.scoped)
  )
})
