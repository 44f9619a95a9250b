import { assert, describe, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as CommandLine from "./support/CommandLine.ts"
import { call, fail, read, succeed, warehouse } from "./support/Commands.ts"

const { feed, header, invoice } = CommandLine

/** What of the documents these tests look at. */
const Units = Schema.Struct({
  status: Schema.String,
  assets: Schema.Array(Schema.Struct({ asset: Schema.String, units: Schema.Int }))
})
const Status = Schema.Struct({
  assets: Schema.Array(
    Schema.Struct({ asset: Schema.String, rows: Schema.Int, units: Schema.Struct({ built: Schema.Int }) })
  )
})
const Run = Schema.Struct({
  runId: Schema.String,
  status: Schema.String,
  why: Schema.String,
  partitions: Schema.NullOr(Schema.String),
  requestedBy: Schema.String,
  error: Schema.NullOr(Schema.String)
})
const Runs = Schema.Struct({ runs: Schema.Array(Run) })
const Steps = Schema.Struct({
  run: Run,
  steps: Schema.Array(Schema.Struct({ asset: Schema.String, rows: Schema.Struct({ quarantined: Schema.Int }) }))
})
const Rejected = Schema.Struct({
  id: Schema.String,
  asset: Schema.String,
  file: Schema.String,
  line: Schema.Int,
  retriedAt: Schema.NullOr(Schema.String),
  releasedAt: Schema.NullOr(Schema.String)
})
const Quarantine = Schema.Struct({ rows: Schema.Array(Rejected), next: Schema.NullOr(Schema.String) })
const Verification = Schema.Struct({ target: Schema.String, isStrict: Schema.Boolean, isOk: Schema.Boolean })

layer(CommandLine.layer, { timeout: "5 minutes" })("assay", (it) => {
  describe("materialize", () => {
    it.effect("says what it did, and does nothing the second time", () =>
      Effect.gen(function* () {
        const { env, first } = yield* warehouse("first")
        assert.match(first, /^materialize \| target first, PostgreSQL at /)
        assert.match(first, /\+ bronze_events +a\.csv, 1 rejected +2 rows +\d+ m?s/)
        assert.match(first, /\+ gold_revenue +[\d,]+ days: never built +2 rows/)
        assert.match(first, /\ngold_revenue +[\d,]+ days +2 +0 +0\n/)
        assert.include(first, `1 row went to quarantine, with reasons: ${call} quarantine`)
        assert.match(first, /Incomplete, for the window has not ended: .*gold_revenue \d{4}-\d\d-\d\d \(running day\)/)
        assert.match(first, /Run \d{8}-\d{6}-[0-9a-f]{6} succeeded in .*: \d+ steps\./)
        const second = yield* succeed(["materialize"], env)
        assert.include(second, "Everything is up to date: 0 steps.")
        assert.lengthOf((yield* read(Runs, yield* succeed(["runs", "--json"], env))).runs, 1)
      })
    )

    it.effect("tells beforehand that a file lacks a required column", () =>
      Effect.gen(function* () {
        const env = { ASSAY_TARGET: "lacking", BILLING_EVENTS: "feed/lacking" }
        yield* feed("lacking/a.csv", [header.replace(",amount", ""), "e1,c1,invoice_paid,EUR"])
        const out = yield* succeed(["plan"], env)
        assert.match(out, /This would fail: [^]*"?amount/)
        assert.include(yield* succeed(["plan", "--json"], env), '"reason": "SchemaMismatch"')
        const { out: run } = yield* fail(1, ["materialize"], env)
        assert.include(run, "amount")
      })
    )

    it.effect("touches only what a new row touches", () =>
      Effect.gen(function* () {
        const { env } = yield* warehouse("narrow")
        yield* feed("narrow/b.csv", [header, invoice("e4", "2024-03-01", "1")])
        const result = yield* read(Units, yield* succeed(["materialize", "--json"], env))
        const units = Object.fromEntries(result.assets.map(({ asset, units }) => [asset, units]))
        assert.deepStrictEqual(units, {
          bronze_events: 1,
          silver_events: 1,
          dim_customer: 0,
          gold_revenue: 1,
          mart_revenue_monthly: 1,
          mart_mrr_monthly: 0
        })
        assert.strictEqual(result.status, "succeeded")
      })
    )

    it.effect("writes nothing in a dry run, and neither does plan", () =>
      Effect.gen(function* () {
        yield* feed("dry/a.csv", [header, invoice("e1", "2024-03-01", "100")])
        const env = { ASSAY_TARGET: "dry", BILLING_EVENTS: "feed/dry" }
        const args = ["--asset", "gold_revenue", "--partitions", "2024-03"]
        const dry = yield* succeed(["materialize", "--dry-run", ...args], env)
        assert.strictEqual(yield* succeed(["plan", ...args], env), dry)
        assert.match(dry, /1\. bronze_events +land a\.csv: new file/)
        assert.match(dry, /gold_revenue +31 days of [\d,]+ \(2024-03-01\.\.2024-03-31\), because 31 units never built/)
        assert.isTrue(dry.endsWith("\nNothing was written.\n"))
        assert.include(yield* succeed(["runs"], env), "Nothing was run yet")
        const status = yield* read(Status, yield* succeed(["status", "--json"], env))
        assert.deepStrictEqual(
          status.assets.map(({ rows }) => rows),
          [0, 0, 0, 0, 0, 0]
        )
      })
    )

    it.effect("takes several assets, repeated or with commas, and a range", () =>
      Effect.gen(function* () {
        yield* feed("several/a.csv", [header, invoice("e1", "2024-03-01", "100")])
        const env = { ASSAY_TARGET: "several", BILLING_EVENTS: "feed/several" }
        yield* succeed(
          [
            "materialize",
            "--asset",
            "gold_revenue,mart_revenue_monthly",
            "--asset",
            "dim_customer",
            "--partitions=2024-03"
          ],
          env
        )
        const status = yield* read(Status, yield* succeed(["status", "--json"], env))
        const built = Object.fromEntries(status.assets.map(({ asset, units }) => [asset, units.built]))
        assert.deepInclude(built, { gold_revenue: 31, mart_revenue_monthly: 1, dim_customer: 1, mart_mrr_monthly: 0 })
      })
    )

    it.effect("fails with 1 when nothing comes out well, and says which file lacks what", () =>
      Effect.gen(function* () {
        yield* feed("broken/a.csv", ["event_id,customer_id", "e1,c1"])
        const env = { ASSAY_TARGET: "broken", BILLING_EVENTS: "feed/broken" }
        const { out } = yield* fail(1, ["materialize"], env)
        assert.match(out, /x bronze_events/)
        assert.match(out, /a\.csv[^]*event_type[^]*amount/)
        assert.match(out, /- gold_revenue +skipped: /)
        const { code } = yield* fail(1, ["materialize", "--json"], env)
        assert.strictEqual(code, 1)
        const runs = yield* succeed(["runs"], env)
        assert.match(runs, /failed/)
      })
    )

    it.effect("fails with 3 when some assets come out well and others do not, and mends itself", () =>
      Effect.gen(function* () {
        const assay = yield* CommandLine.CommandLine
        const { env } = yield* warehouse("partly")
        yield* assay.tamper("ALTER TABLE partly.gold_revenue ADD CONSTRAINT cheap CHECK (net_amount < 1000) NOT VALID")
        yield* feed("partly/b.csv", [header, invoice("e5", "2024-03-05", "5000")])
        const { out } = yield* fail(3, ["materialize"], env)
        assert.match(out, /\nx gold_revenue .*\n {2}.*cheap/)
        assert.match(out, /\n\+ mart_revenue_monthly +1 month: silver_events changed/)
        assert.match(out, /Run \S+ failed in .*\nNext: node \S+bin\.ts runs show /)
        assert.include(yield* succeed(["status"], env), "gold_revenue: failed: ")
        yield* assay.tamper("ALTER TABLE partly.gold_revenue DROP CONSTRAINT cheap")
        assert.match(yield* succeed(["materialize"], env), /\+ gold_revenue +1 day: silver_events changed/)
        assert.include(yield* succeed(["verify", "--strict"], env), "Every table equals a full refresh.")
      })
    )

    it.effect("stops on an interruption, keeps what was finished, and goes on from there", () =>
      Effect.gen(function* () {
        const assay = yield* CommandLine.CommandLine
        yield* succeed(["generate", "--customers", "4000", "--months", "6", "--out", "feed/large"])
        const env = { ASSAY_TARGET: "large", BILLING_EVENTS: "feed/large" }
        const running = yield* assay.start(["materialize"], env)
        yield* running.wrote("+ bronze_events")
        yield* running.kill("SIGINT")
        const ended = yield* running.ended
        assert.strictEqual(ended.code, 130, ended.error)
        assert.include(ended.error, "Interrupted, and kept what was finished: bronze_events (6 deliveries")
        const [run] = (yield* read(Runs, yield* succeed(["runs", "--json"], env))).runs
        assert.strictEqual(run.status, "cancelled")
        yield* succeed(["materialize"], env)
        assert.include(yield* succeed(["verify", "--strict"], env), "Every table equals a full refresh.")
      })
    )
  })

  describe("requests that cannot be understood", () => {
    it.effect("name the nearest right word and exit with 2", () =>
      Effect.gen(function* () {
        const env = { ASSAY_TARGET: "usage", BILLING_EVENTS: "feed/first" }
        yield* feed("first/a.csv", [header])
        const says = Effect.fnUntraced(function* (args: ReadonlyArray<string>, ...words: ReadonlyArray<string>) {
          const { error, out } = yield* fail(2, args, env)
          assert.strictEqual(out, "", args.join(" "))
          for (const word of words) assert.include(error, word)
        })
        yield* says(["materialise"], 'Unknown subcommand "materialise"', "materialize", `${call} --help`)
        yield* says(["plan", "--asst", "gold_revenue"], "--asst", "--asset", `${call} plan --help`)
        for (const args of [
          ["materialize", "--asset"],
          ["plan", "--select"],
          ["status", "--select"],
          ["verify", "--asset"],
          ["assets", "-s"],
          ["quarantine", "list", "-a"],
          ["quarantine", "replay", "--select"]
        ]) {
          yield* says(
            [...args, "+gold_revnue and tag:pii"],
            '    +gold_revnue and tag:pii\n     ^^^^^^^^^^^ no asset has this name; did you mean "gold_revenue"?'
          )
        }
        yield* says(["why", "gold_revnue"], 'There is no asset "gold_revnue". Did you mean "gold_revenue"?')
        yield* says(["why", "gold_revenue", "2024-02"], "stands for 29 partitions")
        yield* says(["why"], "Missing required argument")
        yield* says(["show", "nothing"], "The assets are bronze_events, silver_events")
        yield* says(
          ["plan", "--asset", "gold_revenue", "--partitions", "2024-3"],
          "months and days have two digits",
          "valid forms: 2024 (a year)"
        )
        yield* says(
          ["plan", "--asset", "gold_revenue", "--partitions", "2019"],
          'The partition range "2019" selects nothing that exists: partitions run from 2024-01-01'
        )
        yield* says(
          ["show", "dim_customer", "--partitions", "2024-03"],
          "dim_customer has no partitions",
          "gold_revenue"
        )
        yield* says(["show"], "Missing required argument")
        yield* says(["show", "gold_revenue", "--format", "xml"], "xml", "csv")
        yield* says(["show", "gold_revenue", "--limit", "-1"], "0 or more")
        yield* says(["runs", "show", "2019"], "There is no run")
        yield* says(["quarantine", "show", "abc"], "There is no rejected row")
      })
    )

    it.effect("say which setting is wrong", () =>
      Effect.gen(function* () {
        const { error: events } = yield* fail(2, ["materialize"], { BILLING_EVENTS: "feeds/nowhere" })
        assert.match(events, /There is nothing at .*feeds\/nowhere[^]*Set BILLING_EVENTS to a file, a folder or a glob/)
        const { error: plan } = yield* fail(2, ["plan"], { BILLING_EVENTS: "feeds/*.csv" })
        assert.match(plan, /No file matches/)
        const { error: start } = yield* fail(2, ["status"], { BILLING_START: "2024-02-30" })
        assert.include(start, 'BILLING_START is "2024-02-30", which is not a day.')
        const { error: target } = yield* fail(2, ["status"], { ASSAY_TARGET: "Prod" })
        assert.include(target, 'ASSAY_TARGET is "Prod"')
      })
    )

    it.effect("never show a password: 2 where the URL is to be mended, 1 where the server is", () =>
      Effect.gen(function* () {
        const assay = yield* CommandLine.CommandLine
        const stranger = new URL(assay.databaseUrl)
        stranger.username = "stranger"
        stranger.password = "s3cret-word"
        const missing = new URL(assay.databaseUrl)
        missing.pathname = "/nowhere"
        missing.password = "s3cret-word"
        for (const [code, url, word] of [
          [2, "postgresql://user:s3cret-word/with@slash@db:5432/x", "not of the form"],
          [2, "s3cret-word", "not of the form"],
          [2, stranger.href, "user name"],
          [2, missing.href, "Create it"],
          [1, "postgresql://user:s3cret-word@localhost:1/x", "nobody listens there"]
        ] as const) {
          const { error, out } = yield* fail(code, ["status"], { DATABASE_URL: url })
          assert.include(error, word)
          assert.include(error, "DATABASE_URL")
          assert.notInclude(error + out, "s3cret-word")
        }
      })
    )
  })

  describe("looking", () => {
    it.effect("shows rows as CSV, JSON and a table", () =>
      Effect.gen(function* () {
        const { env } = yield* warehouse("look")
        assert.strictEqual(
          yield* succeed(["show", "gold_revenue", "--partitions", "2024-03", "--format", "csv"], env),
          "revenue_date,currency,segment,plan_type,invoice_count,gross_amount,refund_count,refund_amount,dispute_amount,net_amount,paying_customers\n" +
            "2024-03-01,EUR,unknown,unknown,1,100.5000,0,0.0000,0.0000,100.5000,1\n" +
            "2024-03-02,EUR,unknown,unknown,1,20.0000,0,0.0000,0.0000,20.0000,1\n"
        )
        const rows = yield* read(
          Schema.Json,
          yield* succeed(["show", "silver_events", "--format", "json", "--limit", "1"], env)
        )
        assert.deepStrictEqual(rows, [
          {
            event_id: "e1",
            customer_id: "c1",
            event_type: "invoice_paid",
            amount: "100.5000",
            currency: "EUR",
            event_ts: "2024-03-01T12:00:00.000000Z",
            updated_at: "2024-03-01T12:00:01.000000Z",
            op: "upsert",
            attributes: {},
            event_date: "2024-03-01"
          }
        ])
        assert.deepStrictEqual(
          yield* read(Schema.Json, yield* succeed(["show", "dim_customer", "--format", "json"], env)),
          []
        )
        const table = yield* succeed(["show", "gold_revenue", "--limit", "1"], env)
        assert.match(
          table,
          /^revenue_date +currency .*\n2024-03-01 +EUR .*\n\.\.\. 1 more row \(--limit, or --format csv for all\)\n$/
        )
        assert.include(
          yield* succeed(["show", "gold_revenue"], { ...env, ASSAY_TARGET: "fresh" }),
          `it was never built. Build it: ${call} materialize --asset gold_revenue`
        )
      })
    )

    it.effect("ends quietly when the reader has seen enough", () =>
      Effect.gen(function* () {
        const assay = yield* CommandLine.CommandLine
        yield* feed("long/a.csv", [
          header,
          ...Array.from({ length: 20_000 }, (_, index) => invoice(`e${index}`, "2024-03-01", "1"))
        ])
        const env = { ASSAY_TARGET: "long", BILLING_EVENTS: "feed/long" }
        yield* succeed(["materialize", "--asset", "silver_events"], env)
        const running = yield* assay.start(["show", "silver_events", "--format", "csv"], env)
        yield* running.wrote("event_id")
        yield* running.hangUp
        const { code, error } = yield* running.ended
        assert.deepStrictEqual([code, error], [0, ""])
      })
    )

    it.effect("shows status, runs and one run", () =>
      Effect.gen(function* () {
        const { env } = yield* warehouse("past")
        const status = yield* succeed(["status"], env)
        assert.match(status, /\nasset +built +stale +missing +failed +rows +last run\n/)
        assert.match(status, /\nbronze_events +- +- +- +- +2 +(just now|\d+ s ago)\n/)
        assert.match(status, /\nsilver_events +yes +0 +0 +0 +2 /)
        assert.match(status, /bronze_events: 1 row in quarantine: node \S+bin\.ts quarantine\n/)
        const [run] = (yield* read(Runs, yield* succeed(["runs", "--json"], env))).runs
        assert.deepInclude(run, { status: "succeeded", why: "assay materialize", partitions: null, error: null })
        assert.match(run.requestedBy, /^.+@.+$/)
        const shown = yield* succeed(["runs", "show", run.runId.slice(0, 17)], env)
        assert.match(shown, /\nstatus +succeeded\n/)
        assert.match(shown, /\n *1 +bronze_events +succeeded +1 +2 /)
        const document = yield* read(Steps, yield* succeed(["runs", "show", run.runId, "--json"], env))
        assert.strictEqual(document.run.runId, run.runId)
        assert.strictEqual(document.steps[0].rows.quarantined, 1)
      })
    )

    it.effect("lists rejected rows with file, line, reasons and text, and lands them when they pass", () =>
      Effect.gen(function* () {
        const { env } = yield* warehouse("rejected")
        const list = yield* succeed(["quarantine"], env)
        assert.strictEqual(yield* succeed(["quarantine", "list"], env), list)
        assert.match(list, /#(\d+) {2}a\.csv:4 {2}bronze_events\n {4}amount: "12,50" is not a decimal/)
        assert.include(list, '    e3,c1,invoice_paid,"12,50",EUR,2024-03-03T12:00:00Z')
        const [row] = (yield* read(Quarantine, yield* succeed(["quarantine", "list", "--json"], env))).rows
        assert.deepInclude(row, { asset: "bronze_events", file: "a.csv", line: 4, releasedAt: null })
        const shown = yield* succeed(["quarantine", "show", `#${row.id}`], env)
        assert.match(shown, /\nfile +a\.csv\nline +4\n/)
        assert.include(yield* succeed(["quarantine", "replay"], env), "1 row read again: 0 landed, 1 still rejected.")
        const again = yield* read(Rejected, yield* succeed(["quarantine", "show", row.id, "--json"], env))
        assert.isString(again.retriedAt)
      })
    )

    it.effect("verifies, and fails where a table was tampered with", () =>
      Effect.gen(function* () {
        const { env } = yield* warehouse("right_days")
        assert.include(yield* succeed(["verify"], env), "Every fresh unit equals its recompute.")
        const strict = yield* read(Verification, yield* succeed(["verify", "--strict", "--json"], env))
        assert.deepInclude(strict, { target: "right_days", isStrict: true, isOk: true })
        const assay = yield* CommandLine.CommandLine
        yield* assay.tamper(
          `UPDATE right_days.gold_revenue SET net_amount = net_amount + 1, gross_amount = gross_amount + 1 WHERE revenue_date = '2024-03-02'`
        )
        const { out } = yield* fail(1, ["verify"], env)
        assert.match(out, /gold_revenue +x differs +units +0 +0 +1 +1\n/)
        assert.include(out, '"net_amount":21.0000')
        const { out: refused } = yield* fail(1, ["verify", "--strict", "--json"], env)
        assert.isFalse((yield* read(Verification, refused)).isOk)
        yield* succeed(
          ["materialize", "--asset", "gold_revenue", "--partitions", "2024-03-02", "--force", "--no-upstream"],
          env
        )
        assert.include(yield* succeed(["verify", "--strict"], env), "Every table equals a full refresh.")
      })
    )

    it.effect("fails a strict verification where something is stale, though what is there is right", () =>
      Effect.gen(function* () {
        const { env } = yield* warehouse("behind")
        yield* feed("behind/b.csv", [header, invoice("e9", "2024-03-09", "9")])
        yield* succeed(["materialize", "--asset", "silver_events"], env)
        assert.include(yield* succeed(["verify"], env), "Every fresh unit equals its recompute.")
        const { out } = yield* fail(1, ["verify", "--strict"], env)
        assert.match(out, /gold_revenue +x stale +everything +1 +0 +1 +0\n/)
        assert.include(out, "2 of 5 assets are not up to date.")
      })
    )
  })

  describe("the command itself", () => {
    it.effect("tells its version and helps, on standard output", () =>
      Effect.gen(function* () {
        assert.match(yield* succeed(["--version"]), /^assay \d+\.\d+\.\d+\n$/)
        const help = yield* succeed(["--help"])
        for (const word of ["materialize", "quarantine", "generate", "DATABASE_URL", "BILLING_EVENTS"])
          assert.include(help, word)
        assert.strictEqual(yield* succeed([]), help)
        assert.match(yield* succeed(["materialize", "--help"]), /--partitions RANGE/)
        assert.include(yield* succeed(["--completions", "bash"]), "complete")
      })
    )

    it.effect("takes arguments behind the -- that some package managers hand on", () =>
      Effect.gen(function* () {
        yield* feed("first/a.csv", [header])
        assert.include(yield* succeed(["runs", "--", "--json"], { ASSAY_TARGET: "dashes" }), '"runs": []')
      })
    )

    it.effect("runs on the embedded server by itself, with settings from .env", () =>
      Effect.gen(function* () {
        const { folder } = yield* CommandLine.CommandLine
        yield* feed("embedded/a.csv", [header, invoice("e1", "2024-03-01", "100")])
        Fs.writeFileSync(
          Path.join(folder, ".env"),
          "ASSAY_TARGET=from_file\nASSAY_HOME=home\nBILLING_START=2024-03-01\n"
        )
        const env = { DATABASE_URL: "", BILLING_EVENTS: "feed/embedded/*.csv" }
        const out = yield* succeed(["materialize"], env)
        Fs.rmSync(Path.join(folder, ".env"))
        assert.match(out, /^materialize \| target from_file, embedded PostgreSQL in home\n/)
        assert.isTrue(Fs.existsSync(Path.join(folder, "home")))
        const rows = yield* succeed(["show", "gold_revenue", "--format", "csv"], {
          ...env,
          ASSAY_TARGET: "from_file",
          ASSAY_HOME: "home",
          BILLING_START: "2024-03-01"
        })
        assert.include(rows, "2024-03-01,EUR,unknown,unknown,1,100.0000")
      })
    )

    it.effect("generates the same feed for the same numbers", () =>
      Effect.gen(function* () {
        const { folder } = yield* CommandLine.CommandLine
        const args = ["generate", "--customers", "5", "--months", "2", "--seed", "7", "--out"]
        const out = yield* succeed([...args, "one"])
        assert.match(out, /\nbilling-2024-01\.csv +\d+ +\d+\n/)
        yield* succeed([...args, "two"])
        for (const name of ["billing-2024-01.csv", "billing-2024-02.csv"]) {
          assert.strictEqual(
            Fs.readFileSync(Path.join(folder, "one", name), "utf8"),
            Fs.readFileSync(Path.join(folder, "two", name), "utf8")
          )
        }
        const { error } = yield* fail(2, ["generate", "--customers", "5"])
        assert.include(error, "Missing required flag: --out")
      })
    )
  })
})
