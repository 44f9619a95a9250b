import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CommandLine from "./support/CommandLine.ts"
import { feed, header, invoice } from "./support/CommandLine.ts"
import { call, read, succeed, warehouse } from "./support/Commands.ts"

const Named = Schema.Struct({ assets: Schema.Array(Schema.Struct({ asset: Schema.String })) })
const Why = Schema.Struct({
  asset: Schema.String,
  unit: Schema.String,
  state: Schema.String,
  next: Schema.Struct({ action: Schema.String, at: Schema.NullOr(Schema.String) })
})

layer(CommandLine.layer, { timeout: "5 minutes" })("assay", (it) => {
  describe("a selection", () => {
    it.effect("chooses assets by name, label, neighbourhood and state, in every command", () =>
      Effect.gen(function* () {
        const env = { ASSAY_TARGET: "selection", BILLING_EVENTS: "feed/selection" }
        yield* feed("selection/a.csv", [header, invoice("e1", "2024-03-01", "100")])
        const named = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
          const { assets } = yield* read(Named, yield* succeed([...args, "--json"], env))
          return assets.map(({ asset }) => asset)
        })
        assert.deepStrictEqual(yield* named("assets", "--select", "group:finance"), [
          "mart_revenue_monthly",
          "gold_revenue",
          "mart_mrr_monthly"
        ])
        assert.deepStrictEqual(yield* named("assets", "-s", "1+gold_revenue and not tag:pii"), ["gold_revenue"])
        assert.deepStrictEqual(yield* named("assets", "-a", "gold_revenue,dim_customer", "-s", "kind:source"), [
          "bronze_events",
          "dim_customer",
          "gold_revenue"
        ])
        assert.deepStrictEqual(yield* named("status", "--select", "status:missing and tier:silver"), [
          "silver_events",
          "dim_customer"
        ])
        assert.deepStrictEqual(yield* named("materialize", "--select", "gold_*"), [
          "bronze_events",
          "silver_events",
          "dim_customer",
          "gold_revenue"
        ])
        assert.deepStrictEqual(yield* named("status", "--select", "status:missing"), [
          "mart_revenue_monthly",
          "mart_mrr_monthly"
        ])
        assert.deepStrictEqual(yield* named("verify", "--asset", "+gold_revenue"), [
          "silver_events",
          "dim_customer",
          "gold_revenue"
        ])
        for (const command of ["materialize", "plan", "status", "verify", "assets"]) {
          assert.include(
            yield* succeed([command, "--select", "status:failed"], env),
            "No asset is selected by status:failed.",
            command
          )
          yield* succeed([command, "--select", "status:failed", "--json"], env)
        }
        assert.include(yield* succeed(["assets"], env), "gold_revenue          replacepartitions  finance    daily")
      })
    )
  })

  describe("why", () => {
    it.effect("tells what made a day stale, by which run, and how to build it", () =>
      Effect.gen(function* () {
        const { env, first } = yield* warehouse("why")
        const runOf = (out: string) => /Run (\S+) succeeded/.exec(out)?.[1] ?? ""
        yield* feed("why/b.csv", [header, invoice("e9", "2024-03-01", "7")])
        const second = yield* succeed(["materialize", "--asset", "silver_events"], env)
        const out = yield* succeed(["why", "gold_revenue", "2024-03-01"], env)
        assert.include(out, "\ngold_revenue 2024-03-01 is stale: it may differ from the full refresh.\n")
        assert.match(out, new RegExp(`built .*: 1 row\\n +by run ${runOf(first)}\\n`))
        assert.match(out, new RegExp(`stale +since .*: silver_events changed\\n +by run ${runOf(second)}\\n`))
        assert.match(out, /automation +\+ \(missing or stale\)[^]*\n +x missing\n +\+ stale\n/)
        assert.include(out, `${call} materialize --asset gold_revenue --partitions 2024-03-01`)
        yield* succeed(["materialize"], env)
        assert.match(yield* succeed(["why", "gold_revenue", "2024-03-01"], env), / is fresh: [^]*next +nothing\n/)
        assert.include(yield* succeed(["why", "silver_events", "e9"], env), "silver_events e9 is fresh")
        assert.include(yield* succeed(["why", "bronze_events"], env), "bronze_events is a source")
        const told = yield* read(Why, yield* succeed(["why", "gold_revenue", "2999-01-01", "--json"], env))
        assert.deepStrictEqual(told, {
          asset: "gold_revenue",
          unit: "2999-01-01",
          state: "toCome",
          next: { action: "Exist", at: "2999-01-01T00:00:00.000Z" }
        })
      })
    )
  })
})
