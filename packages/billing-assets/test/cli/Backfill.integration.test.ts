import { assert, layer } from "@effect/vitest"
import * as Database from "@assay/core/postgres/Database"
import { Effect, Layer, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as CommandLine from "./support/CommandLine.ts"
import { call, fail, read, succeed, warehouse } from "./support/Commands.ts"

const { feed, header, invoice } = CommandLine

/** What of the documents these tests look at. */
const Units = Schema.Struct({
  target: Schema.Int,
  underWay: Schema.Int,
  built: Schema.Int,
  failed: Schema.Int,
  downstream: Schema.Int
})
const Ranges = Schema.Struct({ failed: Schema.NullOr(Schema.String), downstream: Schema.NullOr(Schema.String) })
const Backfill = Schema.Struct({
  backfillId: Schema.String,
  status: Schema.String,
  selection: Schema.String,
  assets: Schema.Array(
    Schema.Struct({
      asset: Schema.String,
      units: Units,
      partitions: Ranges,
      failures: Schema.Array(Schema.Struct({ reason: Schema.String, message: Schema.String }))
    })
  )
})
const Proposal = Schema.Struct({
  units: Schema.Int,
  assets: Schema.Array(Schema.Struct({ asset: Schema.String, fresh: Schema.Int, isMuch: Schema.Boolean }))
})
layer(CommandLine.layer, { timeout: "5 minutes" })("assay backfill", (it) => {
  it.effect("says what it would request, and writes nothing; then does it, and can be looked at", () =>
    Effect.gen(function* () {
      const { env } = yield* warehouse("past")
      const args = ["--select", "gold_revenue or mart_revenue_monthly", "--partitions", "2024-03"]
      const dry = yield* succeed(["backfill", ...args, "--dry-run"], env)
      assert.match(dry, /\ngold_revenue +31 +0 +0 +31 +2024-03-01\.\.2024-03-31\n/)
      assert.match(dry, /\n32 units would be requested\.\nNothing was written\.\n$/)

      const done = yield* succeed(["backfill", ...args], env)
      assert.match(done, /\nmart_revenue_monthly 2024-03-01 \| run \S+\n/)
      assert.match(done, /\ngold_revenue +31 +31 +0 +0 +0 +2024-03-01\.\.2024-03-31\n/)
      const [, id = ""] = /\nBackfill (\S+) succeeded in .*: 32 of 32 units built\.\n/.exec(done) ?? []
      assert.match(
        yield* succeed(["backfill", "list"], env),
        new RegExp(`\n${id} +succeeded .* 32 of 32 +0 +gold_revenue or`)
      )
      const shown = yield* succeed(["backfill", "show", id.slice(0, -2)], env)
      assert.match(
        shown,
        /^backfill {4}\S+\nstatus {6}succeeded\n[^]*\nwhat +gold_revenue or mart_revenue_monthly 2024-03\n/
      )
      assert.include(yield* succeed(["runs"], env), `backfill ${id}`)
      assert.include(yield* succeed(["backfill", "resume", id], env), `All of backfill ${id} is built.`)
    })
  )

  it.effect("begins nothing that would build much again where nobody can be asked, unless it is told to", () =>
    Effect.gen(function* () {
      const { env } = yield* warehouse("much")
      const proposal = yield* read(
        Proposal,
        yield* succeed(["backfill", "--select", "silver_events", "--dry-run", "--json"], env)
      )
      assert.deepStrictEqual(proposal, {
        units: 1,
        assets: [{ asset: "silver_events", fresh: 1, isMuch: true }]
      })
      const { error } = yield* fail(2, ["backfill", "--select", "silver_events"], env)
      assert.include(error, "This builds again what is built: all of silver_events.")
      assert.include(error, "say --yes")
      assert.include(yield* succeed(["backfill", "list"], env), "No backfill was begun yet.")
      const done = yield* succeed(["backfill", "--select", "silver_events", "--yes", "--json"], env)
      assert.strictEqual((yield* read(Backfill, done)).status, "succeeded")
    })
  )

  it.effect("builds what can be built of a step, exits with 3, and builds the rest when it is told to try again", () =>
    Effect.gen(function* () {
      const assay = yield* CommandLine.CommandLine
      const { env } = yield* warehouse("partly_past")
      yield* feed("partly_past/b.csv", [header, invoice("e5", "2024-03-05", "5000")])
      yield* succeed(["materialize", "--asset", "silver_events"], env)
      yield* assay.tamper(
        "ALTER TABLE partly_past.gold_revenue ADD CONSTRAINT cheap CHECK (net_amount < 1000) NOT VALID"
      )
      const args = ["backfill", "--select", "gold_revenue", "--partitions", "2024-03"]
      const { out } = yield* fail(3, args, env)
      assert.match(out, /\nx gold_revenue 2024-03-05 failed: .*cheap/)
      assert.match(
        out,
        /\n {2}gold_revenue 2024-03-05 failed \(DataQuality\): .*cheap|gold_revenue 2024-03-05 failed \(DataQuality\)/
      )
      const [, id = ""] = /\nBackfill (\S+) failed in .*: 30 of 31 units built, 1 failed\.\nNext: /.exec(out) ?? []
      assert.include(out, `${call} backfill retry ${id}`)
      const shown = yield* read(Backfill, yield* succeed(["backfill", "show", id, "--json"], env))
      assert.deepStrictEqual(
        shown.assets.map(({ partitions, units }) => [units, partitions]),
        [
          [
            { target: 31, underWay: 0, built: 30, failed: 1, downstream: 0 },
            { failed: "2024-03-05", downstream: null }
          ]
        ]
      )
      assert.include(yield* succeed(["backfill", "resume", id], env), `${call} backfill retry ${id}`)
      yield* assay.tamper("ALTER TABLE partly_past.gold_revenue DROP CONSTRAINT cheap")
      assert.match(yield* succeed(["backfill", "retry", id], env), /succeeded in .*: 31 of 31 units built\./)
      yield* succeed(["materialize"], env)
      assert.include(yield* succeed(["verify", "--strict"], env), "Every table equals a full refresh.")
    })
  )

  it.effect("says what it cannot understand, and what it could", () =>
    Effect.gen(function* () {
      const env = { ASSAY_TARGET: "asked", BILLING_EVENTS: "feed/asked" }
      yield* feed("asked/a.csv", [header])
      const says = Effect.fnUntraced(function* (args: ReadonlyArray<string>, ...words: ReadonlyArray<string>) {
        const { error, out } = yield* fail(2, ["backfill", ...args], env)
        assert.strictEqual(out, "", args.join(" "))
        for (const word of words) assert.include(error, word)
      })
      yield* says([], "--select NAME", `${call} backfill list`)
      yield* says(["show", "nothing"], 'There is no backfill "nothing"', `${call} backfill list`)
      yield* says(["--select", "gold_revenue", "--only", "stail"], "stail", "missing, failed or stale")
      yield* says(["--select", "gold_revenue", "--partitions", "2024-3x"], "\n    2024-3x\n    ^^^^^^^ is not a date\n")
      yield* says(["--select", "gold_revenu"], "gold_revenue")
      yield* says(["--select", "dim_customer", "--partitions", "2024-03"], "has no partitions")
    })
  )

  it.effect("that is interrupted is gone on with by its id", () =>
    Effect.gen(function* () {
      const assay = yield* CommandLine.CommandLine
      const { env } = yield* warehouse("left")
      const sql = yield* SqlClient
      // Somebody else holds the asset, so the backfill has begun and cannot end.
      const id = yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${JSON.stringify(["left_assay", "gold_revenue"])}, 0))`
          const running = yield* assay.start(["backfill", "--select", "gold_revenue", "--yes"], env)
          yield* running.wrote("| run ")
          yield* running.kill("SIGINT")
          const { code, error, out } = yield* running.ended
          const [, begun = ""] = /\nBackfill (\S+)\n/.exec(out) ?? []
          assert.strictEqual(code, 130, error)
          assert.include(error, `Go on: ${call} backfill resume ${begun}`)
          return begun
        })
      )
      assert.match(yield* succeed(["backfill", "resume", id], env), new RegExp(`Backfill ${id} succeeded in `))
    }).pipe(Effect.provide(database))
  )
})

/** A session of somebody else. */
const database = Layer.unwrap(
  Effect.map(CommandLine.CommandLine, ({ databaseUrl }) =>
    Database.layerUrl({ url: Redacted.make(databaseUrl), maxConnections: 1 })
  )
)
