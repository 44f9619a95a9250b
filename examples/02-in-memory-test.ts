/**
 * Testing billing logic without a database: the billing assets over events that the test delivers, at a time that the
 * test sets. Runs with `node --test`, as here, or with any test runner.
 */
import * as BillingEvent from "@assay/billing-assets/BillingEvent"
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as Assay from "@assay/core/Assay"
import * as Column from "@assay/core/Column"
import * as TestSource from "@assay/core/testing/TestSource"
import { Effect, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Assert from "node:assert/strict"
import { test } from "node:test"

/** An event as the feed would bring it, admitted by the same rules. */
const event = (event_type: string, at: string, more: { readonly [field: string]: string }) => {
  const event_id = `${event_type} ${at}`
  const fields = { event_id, customer_id: "acme", event_type, event_ts: at, updated_at: at, ...more }
  return Result.getOrThrow(BillingEvent.admit({ origin: event_id, line: 1, fields, extra: {} }))
}

const invoice = (at: string, amount: string) => event("invoice_paid", at, { amount, currency: "EUR" })
const segment = (at: string, name: string) => event("customer_updated", at, { attributes: `{"segment": "${name}"}` })

/** What `gold_revenue` says of each day: day, segment and net amount. */
const revenue = Effect.gen(function* () {
  const { asset, rows } = yield* (yield* Assay.Assay).rows({ asset: "gold_revenue" })
  const shown = asset.columns.filter(({ name }) => ["revenue_date", "segment", "net_amount"].includes(name))
  const read = yield* Stream.runCollect(rows)
  return read.map((row) => shown.map((column) => Column.toText(column, row[column.name] ?? null)))
})

await test("a segment that held from 10 March on, but was heard of later, changes the days after and no other", () =>
  Effect.gen(function* () {
    const feed = yield* TestSource.make<BillingEvent.Landed>()
    const graph = BillingGraph.make({ start: "2024-01-01", source: feed.source })

    yield* Effect.gen(function* () {
      const assay = yield* Assay.Assay
      yield* TestClock.setTime(Date.parse("2024-06-01T00:00:00Z"))
      yield* feed.deliver([
        segment("2024-01-01T09:00:00Z", "smb"),
        invoice("2024-03-03T09:00:00Z", "100.00"),
        invoice("2024-03-12T09:00:00Z", "50.00")
      ])
      Assert.equal((yield* assay.materialize({ assets: ["gold_revenue"] })).status, "succeeded")

      yield* feed.deliver([segment("2024-03-10T09:00:00Z", "growth")])
      const { outcomes } = yield* assay.materialize({ assets: ["gold_revenue"] })

      Assert.equal(outcomes.find(({ asset }) => asset === "gold_revenue")?.units, 1)
      Assert.deepEqual(yield* revenue, [
        ["2024-03-03", "smb", "100.0000"],
        ["2024-03-12", "growth", "50.0000"]
      ])
      const verdicts = yield* assay.verify({ assets: ["gold_revenue"], strict: true })
      Assert.ok(verdicts.every(({ isOk }) => isOk))
    }).pipe(Effect.provide(Assay.layerMemory(graph)))
  }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise))
