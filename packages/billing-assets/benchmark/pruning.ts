/**
 * What are month tables for? Two years of events in month tables of the engine's own and, row by row the same, in one plain
 * table without indexes; beside them the daily sums. Asks each for the revenue of a month and of the last 30 days.
 *
 * Usage: node packages/billing-assets/benchmark/pruning.ts [--rows 1m] [--times 5] [--within FOLDER] [--plans] [--json]
 */
import * as BillingEvent from "@assay/billing-assets/BillingEvent"
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as RevenueMeasures from "@assay/billing-assets/RevenueMeasures"
import * as Assay from "@assay/core/Assay"
import * as Database from "@assay/core/postgres/Database"
import * as Postgres from "@assay/core/postgres/Postgres"
import { compile, literal } from "@assay/core/Sql"
import * as Storage from "@assay/core/Storage"
import * as TestSource from "@assay/core/testing/TestSource"
import { Transactor } from "@assay/core/Transactor"
import * as SqlFirstLoad from "@assay/core/warehouse/SqlFirstLoad"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Os from "node:os"
import { parseArgs } from "node:util"
import * as Arguments from "./Arguments.ts"
import * as Client from "./Client.ts"
import * as Report from "./Report.ts"
import * as Server from "./Server.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1m" },
    times: { type: "string", default: "5" },
    within: { type: "string", default: Os.tmpdir() },
    plans: { type: "boolean", default: false },
    json: { type: "boolean", default: false }
  }
})

const rows = Arguments.rowsOf(values.rows)
const times = Number(values.times)

if (!(rows >= 10_000)) Arguments.refuse("--rows is a number from 10k on: 500k, 10m, 50m.")
if (!(times >= 1) || !Number.isInteger(times)) Arguments.refuse("--times is a whole number.")

// The events twice, and the indexes of one of them.
Arguments.requireRoom(values.within, { rows: values.rows, needed: rows * 700 + 2e9 })

const say = (line: string): void => {
  if (!values.json) console.log(line)
}

/** The months of two years. */
const months = Array.from({ length: 24 }, (_, place) => {
  const day = (month: number) => new Date(Date.UTC(2024, month, 1)).toISOString().slice(0, 10)
  return { start: day(place), end: day(place + 1) }
})

const money = "('invoice_paid', 'refund_issued', 'dispute_opened', 'dispute_won')"

const schema = "assay_pruning"

/** What is asked, from a day until before another. */
const questions = [
  { name: "month", what: "revenue of one month", from: "2025-06-01", to: "2025-07-01", aim: 8 },
  { name: "last_30_days", what: "revenue of the last 30 days", from: "2025-12-02", to: "2026-01-01", aim: 40 }
] as const

/** Of the daily sums, in milliseconds. */
const aimOfSums = 10

const ofEvents = (table: string, from: string, to: string) => `SELECT currency, sum(amount) AS revenue FROM ${table}
  WHERE event_ts >= '${from} 00:00:00+00' AND event_ts < '${to} 00:00:00+00' AND event_type IN ${money} GROUP BY currency`

const ofSums = (from: string, to: string) => `SELECT currency, sum(net_amount) AS revenue FROM ${schema}.gold_revenue
  WHERE revenue_date >= '${from}' AND revenue_date < '${to}' GROUP BY currency`

/** One event of each month, by which the engine makes the month tables. */
const first = months.map(({ start }, line) =>
  Result.getOrThrow(
    BillingEvent.admit({
      origin: "first",
      line: line + 1,
      fields: {
        event_id: `first-${line}`,
        customer_id: "c0",
        event_type: "invoice_paid",
        amount: "10.00",
        currency: "EUR",
        event_ts: `${start}T00:00:00Z`,
        updated_at: `${start}T00:00:00Z`
      },
      extra: {}
    })
  )
)

/** Events of a month as a feed has them: of random keys and, within the month, in no order of time. */
const fill = (place: number): string => {
  const month = months[place]
  const each = Math.floor(rows / months.length)
  return `INSERT INTO ${schema}.silver_events
      (event_id, customer_id, event_type, amount, currency, event_ts, updated_at, op, attributes, event_date)
    SELECT md5(n::text), 'c' || customer, kind, CASE kind
        WHEN 'invoice_paid' THEN cents / 100.0 WHEN 'refund_issued' THEN cents / -200.0
        WHEN 'dispute_opened' THEN cents / -100.0 ELSE 0 END,
      CASE WHEN kind = 'plan_upgraded' THEN NULL ELSE (ARRAY['EUR', 'USD', 'GBP'])[1 + customer % 3] END,
      at, at + interval '5 minutes', 'upsert', CASE WHEN kind = 'plan_upgraded' THEN '{"plan_type": "pro"}' ELSE '{}' END::jsonb,
      (at AT TIME ZONE 'UTC')::date
    FROM (
      SELECT n, abs(hashint8(n)) % ${Math.max(1, Math.floor(rows / 50))} AS customer, 500 + abs(hashint8(n + 1)) % 50000 AS cents,
        CASE WHEN n % 100 < 80 THEN 'invoice_paid' WHEN n % 100 < 88 THEN 'refund_issued'
          WHEN n % 100 < 90 THEN 'dispute_opened' ELSE 'plan_upgraded' END AS kind,
        timestamptz '${month?.start} 00:00:00+00' + (timestamptz '${month?.end} 00:00:00+00' - timestamptz '${month?.start} 00:00:00+00')
          * (abs(hashint8(n + 2)::bigint) % 1000000 / 1000000.0) AS at
      FROM generate_series(${place * each + 1}, ${(place + 1) * each}) AS n
    ) AS event`
}

/** Milliseconds of a query: the median of some runs behind one that warms it up. */
const time = Effect.fnUntraced(function* (client: SqlClient, query: string) {
  const took: Array<number> = []
  for (let run = 0; run <= times; run++) {
    const began = performance.now()
    yield* client.unsafe(query).raw
    if (run > 0) took.push(performance.now() - began)
  }
  return took.toSorted((a, b) => a - b)[Math.floor(took.length / 2)] ?? Number.NaN
})

const Line = Schema.Array(Schema.Struct({ "QUERY PLAN": Schema.String }))

const Answer = Schema.Tuple([Schema.Struct({ rows: Schema.NullOr(Schema.String) })])

/** The rows of a query as one text. */
const answer = Effect.fnUntraced(function* (client: SqlClient, query: string) {
  const text = `SELECT string_agg(q::text, ' ' ORDER BY q::text COLLATE "C") AS rows FROM (${query}) AS q`
  const [{ rows }] = yield* Schema.decodeUnknownEffect(Answer)(yield* client.unsafe(text).withoutTransform)
  return rows
})

/** What the server does for a query, line by line. */
const planOf = Effect.fnUntraced(function* (client: SqlClient, query: string, how = "") {
  const lines = yield* client.unsafe(`EXPLAIN ${how} ${query}`).withoutTransform
  return (yield* Schema.decodeUnknownEffect(Line)(lines)).map((line) => line["QUERY PLAN"])
})

/** How many tables a query reads. */
const tablesOf = (client: SqlClient, query: string) =>
  Effect.map(planOf(client, query), (lines) => lines.filter((line) => / Scan.* on /.test(line)).length)

const step = Effect.fnUntraced(function* <A, E>(what: string, effect: Effect.Effect<A, E>) {
  const began = performance.now()
  const done = yield* effect
  say(`${what.padEnd(58)}${Report.duration(performance.now() - began).padStart(9)}`)
  return done
})

const program = Effect.gen(function* () {
  const url = yield* Server.start({ within: values.within, settings: Server.generous })
  const { deliver, source } = yield* TestSource.make<BillingEvent.Landed>()
  const graph = BillingGraph.make({ start: "2024-01-01", source, silverStorage: Storage.byMonth("event_ts") })
  const silver = graph.assets.get("silver_events")
  if (silver === undefined) return yield* Effect.die(new Error("the graph has no silver_events"))
  const schemas = Assay.environment(schema)
  const layer = Layer.merge(Assay.layer(graph, schemas), Postgres.layer(schemas)).pipe(
    Layer.provide(Database.layerUrl({ url: Redacted.make(url) }))
  )
  const services = yield* Layer.build(layer)
  const assay = Context.get(services, Assay.Assay)
  const pg = Context.get(services, Postgres.Postgres)
  const { transact } = Context.get(services, Transactor)
  yield* deliver(first)
  yield* step("24 events make 24 month tables", assay.materialize({ assets: [] }))

  const client = yield* Client.connect(url, "assay-pruning")
  const run = (statement: string) => client.unsafe(statement).raw
  yield* run("SET maintenance_work_mem = '512MB'")
  yield* run(`CREATE TABLE public.plain_events (LIKE ${schema}.silver_events)`)
  const filled = step(
    `${rows.toLocaleString("en-US")} events into them`,
    Effect.forEach(months, (_, place) => pg.execute(literal(fill(place))), { discard: true })
  )
  yield* step("… and with their indexes", transact(SqlFirstLoad.fill(pg, silver, filled)))
  yield* step(
    "the same rows into one plain table",
    run(`INSERT INTO public.plain_events SELECT * FROM ${schema}.silver_events`)
  )
  yield* run(`DELETE FROM ${schema}.gold_revenue`)
  yield* step(
    "daily sums of them",
    run(`INSERT INTO ${schema}.gold_revenue (revenue_date, currency, segment, plan_type, ${Object.keys(RevenueMeasures.fields).join(", ")})
      SELECT event_date, currency, 'unknown', 'unknown', ${compile(RevenueMeasures.toSql).text}
      FROM ${schema}.silver_events WHERE event_type IN ${money} GROUP BY event_date, currency`)
  )
  // What a reader finds: statistics, and pages that say which of their rows everybody sees.
  for (const table of [`${schema}.silver_events`, "public.plain_events", `${schema}.gold_revenue`])
    yield* step(`VACUUM ANALYZE ${table}`, run(`VACUUM ANALYZE ${table}`))

  const results = yield* Effect.forEach(questions, ({ aim, from, name, to, what }) =>
    Effect.gen(function* () {
      const [byMonth, plain] = [
        ofEvents(`${schema}.silver_events`, from, to),
        ofEvents("public.plain_events", from, to)
      ]
      const found = yield* Effect.forEach([byMonth, plain, ofSums(from, to)], (query) => answer(client, query))
      if (found.some((one) => one !== found[0])) return yield* Effect.die(new Error(`${what}: ${found.join(" or ")}`))
      const tables = yield* tablesOf(client, byMonth)
      const ms = {
        byMonth: yield* time(client, byMonth),
        plain: yield* time(client, plain),
        sums: yield* time(client, ofSums(from, to))
      }
      const ratio = ms.plain / ms.byMonth
      if (values.plans)
        for (const query of [byMonth, plain])
          say(`\n${(yield* planOf(client, query, "(ANALYZE, TIMING OFF)")).join("\n")}`)
      return { name, what, tables, ms, ratio, aim, isMet: ratio >= aim && ms.sums < aimOfSums }
    })
  )
  if (values.json) console.log(JSON.stringify({ rows, times, results }, undefined, 2))
  const table = results.map(({ aim, ms, ratio, tables, what }) => [
    what,
    `${tables} of ${months.length + 2}`,
    Report.duration(ms.byMonth),
    Report.duration(ms.plain),
    `${ratio.toFixed(1)} ×`,
    `≥ ${aim} ×`,
    ratio >= aim ? "yes" : "no",
    Report.duration(ms.sums),
    `${Math.round(ms.plain / ms.sums).toLocaleString("en-US")} ×`,
    `< ${aimOfSums} ms`,
    ms.sums < aimOfSums ? "yes" : "no"
  ])
  const head = [
    "question",
    "tables read",
    "month tables",
    "one table",
    "ratio",
    "aim",
    "met",
    "daily sums",
    "ratio",
    "aim",
    "met"
  ]
  say(["", ...Report.aligned(head, table)].join("\n"))
})

// A signal interrupts the run, so that the server is gone behind it.
NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "Warn")))
