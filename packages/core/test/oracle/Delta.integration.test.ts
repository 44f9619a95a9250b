import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { identifier, sql } from "@assay/core/Sql"
import { Postgres } from "@assay/core/postgres/Postgres"
import * as SqlDelta from "@assay/core/warehouse/SqlDelta"
import * as Storage from "@assay/core/Storage"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { layerPostgres, open, Time } from "../shop/Storage.ts"
import { lies, noon, order, parcel, rows } from "../shop/Trade.ts"
import * as TestDatabase from "../support/TestDatabase.ts"
import { meanwhile } from "./Pause.ts"

/** What was sold by day and by the tier that the customer had then: sums over customers. */
const graph = (source: Source<Shop.Order>) => {
  const bronze = Shop.bronze(source)
  const silver = Asset.make("silver_orders", {
    description: "Each order as it was last seen",
    columns: Schema.Struct({
      order_id: Column.text,
      customer: Column.text,
      tier: Column.nullable(Column.text),
      amount: Column.integer,
      ordered_at: Column.timestamp,
      seen_at: Column.timestamp
    }),
    inputs: {
      orders: Asset.input(bronze, PartitionMapping.byColumn("order_id"), {
        columns: ["order_id", "customer", "tier", "amount", "ordered_at", "seen_at", "is_deleted"]
      })
    },
    write: WriteStrategy.upsert({ key: ["order_id"], version: "seen_at" }),
    compute: { sql: ({ orders }) => sql`SELECT *, is_deleted AS _deleted, '' AS _tie FROM ${orders} AS o` }
  })
  const customers = Asset.make("dim_customer", {
    description: "The customers' tiers through time",
    columns: Schema.Struct({
      customer_sk: Column.text,
      customer: Column.text,
      tier: Column.nullable(Column.text),
      valid_from: Column.timestamp,
      valid_to: Column.nullable(Column.timestamp),
      is_current: Column.boolean
    }),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("customer"), {
        columns: ["customer", "tier", "ordered_at"]
      })
    },
    write: WriteStrategy.scd2({
      key: ["customer"],
      surrogateKey: "customer_sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["tier"]
    }),
    compute: {
      sql: ({ orders }) =>
        sql`SELECT customer, tier, ordered_at AS valid_from, 1 AS _sequence FROM ${orders} AS o WHERE tier IS NOT NULL`
    }
  })
  const daily = Asset.make("gold_daily", {
    description: "Sales by day and by the tier that the customer had then",
    columns: Schema.Struct({
      day: Column.date,
      tier: Column.text,
      orders: Column.integer,
      customers: Column.integer,
      amount: Column.integer
    }),
    partitions: Partitions.daily({ start: "2024-02-01" }),
    inputs: {
      orders: Asset.input(silver, PartitionMapping.byColumn("ordered_at"), {
        columns: ["customer", "amount", "ordered_at"]
      }),
      customers: Asset.input(customers, PartitionMapping.asOf({ facts: "orders", key: "customer", at: "ordered_at" }), {
        columns: ["customer", "tier", "valid_from", "valid_to"]
      })
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "tier"], additiveOver: "customer" }),
    storage: Storage.byMonth("day"),
    compute: {
      sql: ({ customers, orders }) => sql`
        SELECT (o.ordered_at AT TIME ZONE 'UTC')::date AS day, coalesce(c.tier, 'none') AS tier, count(*) AS orders,
          count(DISTINCT o.customer) AS customers, sum(o.amount) AS amount
        FROM ${orders} AS o
        LEFT JOIN ${customers} AS c ON c.customer = o.customer AND c.valid_from <= o.ordered_at
          AND (c.valid_to IS NULL OR o.ordered_at < c.valid_to)
        GROUP BY 1, 2`
    }
  })
  const standing = Asset.make("standing", {
    description: "How many customers are of a tier at the end of a day, and how many have come to it since it began",
    columns: Schema.Struct({
      day: Column.date,
      tier: Column.text,
      customers: Column.integer,
      comers: Column.integer
    }),
    partitions: Partitions.daily({ start: "2024-02-01", end: "2024-02-06" }),
    inputs: {
      customers: Asset.input(customers, PartitionMapping.onwards("valid_from", { bounds: "compared" }), {
        columns: ["customer", "tier", "valid_from", "valid_to"]
      })
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "tier"], additiveOver: "customer" }),
    compute: {
      sql: ({ customers, units }) => sql`
        SELECT (u.window_start AT TIME ZONE 'UTC')::date AS day, c.tier, count(*) FILTER (WHERE c.holds) AS customers,
          count(*) FILTER (WHERE c.valid_from >= u.window_start) AS comers
        FROM ${units} AS u CROSS JOIN LATERAL (
          SELECT *, valid_to IS NULL OR u.window_end <= valid_to AS holds FROM ${customers} AS c
          WHERE valid_from < u.window_end
        ) AS c
        WHERE c.tier IS NOT NULL AND (c.holds OR c.valid_from >= u.window_start)
        GROUP BY 1, 2`
    }
  })
  return AssetGraph.make([bronze, silver, customers, daily, standing])
}

/** A graph with three days of orders, all of it built. */
const traded = Effect.gen(function* () {
  const feed = yield* Feed.make<Shop.Order>()
  yield* (yield* Time).set(noon)
  const assay = yield* open(graph(feed.source))
  yield* feed.deliver(
    parcel("opening", [
      order("1", "02-01", { customer: "ann", tier: "gold" }),
      order("2", "02-01", { customer: "bob", tier: "silver" }),
      order("3", "02-02", { customer: "ann" }),
      order("4", "02-02", { customer: "bob" }),
      order("5", "02-03", { customer: "cid" })
    ])
  )
  yield* assay.materialize({ assets: [] })
  /** How many days of what is due the plan would bring up to date by a difference. */
  const differencesOf = (asset: string) =>
    Effect.map(assay.plan({ assets: [] }), ({ steps }) =>
      steps.flatMap((step) => (step._tag === "Build" && step.asset === asset ? [step.differences] : []))
    )
  const differences = differencesOf("gold_daily")
  const drained = Effect.gen(function* () {
    yield* assay.materialize({ assets: [] })
    assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    assert.strictEqual((yield* assay.materialize({ assets: [] })).steps, 0)
    return yield* rows(assay, "gold_daily")
  })
  return { assay, feed, differences, differencesOf, drained }
})

const always = Effect.provideService(SqlDelta.Preference, "always")

it.layer(TestDatabase.layer)("what is a sum over customers", (it) => {
  it.effect(
    "is brought up to date by what changed, wherever an order moves or a tier begins (Verifies: L1, L2, L6)",
    () =>
      Effect.gen(function* () {
        const { differences, drained, feed } = yield* traded
        yield* feed.deliver(
          parcel("moved", [
            order("4", "02-01", { customer: "bob", amount: 7, seen: "02-10" }),
            order("6", "02-02T18:00", { customer: "ann", amount: 5 }),
            order("7", "02-03T18:00", { customer: "dee", amount: 3 })
          ])
        )
        assert.deepStrictEqual(yield* differences, [3])
        assert.deepStrictEqual(yield* drained, [
          ["2024-02-01", "gold", "1", "1", "10"],
          ["2024-02-01", "silver", "2", "1", "17"],
          ["2024-02-02", "gold", "2", "1", "15"],
          ["2024-02-03", "none", "2", "2", "13"]
        ])

        // A tier that began before all orders of a customer, and an order that is gone.
        yield* feed.deliver(
          parcel("tier", [
            order("8", "01-20", { customer: "cid", tier: "gold" }),
            order("1", "02-01", { customer: "ann", tier: "gold", seen: "02-11", is_deleted: true })
          ])
        )
        assert.deepStrictEqual(yield* differences, [3])
        assert.deepStrictEqual(yield* drained, [
          ["2024-02-01", "silver", "2", "1", "17"],
          ["2024-02-02", "none", "2", "1", "15"],
          ["2024-02-03", "gold", "1", "1", "10"],
          ["2024-02-03", "none", "1", "1", "3"]
        ])
      }).pipe(always, Effect.provide(layerPostgres("summed")))
  )

  it.effect("is the same by differences and without, and small tables are computed anew (Verifies: L1, L8)", () =>
    Effect.gen(function* () {
      const { differences, drained, feed } = yield* traded
      yield* feed.deliver(parcel("first", [order("4", "02-01", { customer: "bob", amount: 7, seen: "02-10" })]))
      assert.deepStrictEqual(yield* differences, [0])
      const anew = yield* drained
      yield* feed.deliver(
        parcel("back", [
          order("4", "02-02", { customer: "bob", seen: "02-11" }),
          order("9", "02-03T09:00", { customer: "cid", amount: 2 })
        ])
      )
      yield* always(drained)
      yield* feed.deliver(
        parcel("again", [
          order("4", "02-01", { customer: "bob", amount: 7, seen: "02-12" }),
          order("9", "02-03T09:00", { customer: "cid", seen: "02-12", is_deleted: true })
        ])
      )
      assert.deepStrictEqual(yield* always(drained), anew)
    }).pipe(Effect.provide(layerPostgres("bothways")))
  )

  it.effect("is computed anew where a step before used up what had changed (Verifies: L2)", () =>
    Effect.gen(function* () {
      const { assay, differences, drained, feed } = yield* traded
      yield* feed.deliver(
        parcel("two days", [
          order("6", "02-01T18:00", { customer: "ann", amount: 5 }),
          order("7", "02-02T18:00", { customer: "bob", amount: 3 })
        ])
      )
      yield* assay.materialize({ assets: ["dim_customer"] })
      yield* assay.materialize({ assets: ["gold_daily"], partitions: "2024-02-01", upstream: false })
      assert.deepStrictEqual(yield* lies(assay), [])
      assert.deepStrictEqual(yield* differences, [0])
      // Another change of the day that was left does not make it one whose changes are all known.
      yield* feed.deliver(parcel("third", [order("8", "02-02T19:00", { customer: "ann", amount: 1 })]))
      assert.deepStrictEqual(yield* differences, [0])
      assert.deepStrictEqual(yield* drained, [
        ["2024-02-01", "gold", "2", "1", "15"],
        ["2024-02-01", "silver", "1", "1", "10"],
        ["2024-02-02", "gold", "2", "1", "11"],
        ["2024-02-02", "silver", "2", "1", "13"],
        ["2024-02-03", "none", "1", "1", "10"]
      ])
    }).pipe(always, Effect.provide(layerPostgres("usedup")))
  )

  it.effect("is computed anew behind a gap in what is known to have changed (Verifies: L2)", () =>
    Effect.gen(function* () {
      const { assay, drained, feed } = yield* traded
      yield* feed.deliver(
        parcel("more", [
          order("10", "02-03T01:00", { customer: "ann" }),
          order("11", "02-03T02:00", { customer: "ann" })
        ])
      )
      yield* drained
      const { execute, query, schemas } = yield* Postgres
      const [log] = yield* query(
        sql`SELECT table_name::text AS name FROM information_schema.tables
          WHERE table_schema = ${schemas.ledger} AND table_name LIKE 'change_log_gold_daily_customers%'`,
        Schema.Struct({ name: Schema.String })
      )
      assert.isDefined(log)
      yield* execute(sql`INSERT INTO ${identifier(schemas.ledger, log.name)} (_assay_is_new) VALUES (NULL)`)
      // The order leaves its day, and then its customer has another tier than the day was built with. That is not kept:
      // a difference would take the order from the tier that it never counted for.
      yield* feed.deliver(parcel("moved", [order("5", "02-02", { customer: "cid", seen: "02-10" })]))
      yield* assay.materialize({ assets: ["silver_orders"] })
      yield* feed.deliver(parcel("tier", [order("8", "01-20", { customer: "cid", tier: "gold" })]))
      yield* assay.materialize({ assets: ["dim_customer"] })
      const kept = yield* query(
        sql`SELECT count(*)::int AS rows FROM ${identifier(schemas.ledger, log.name)} WHERE _assay_is_new IS NOT NULL`,
        Schema.Struct({ rows: Schema.Int })
      )
      assert.deepStrictEqual(kept, [{ rows: 0 }])
      assert.deepStrictEqual((yield* drained).slice(2), [
        ["2024-02-02", "gold", "2", "2", "20"],
        ["2024-02-02", "silver", "1", "1", "10"],
        ["2024-02-03", "gold", "2", "1", "20"]
      ])
      const left = yield* query(
        sql`SELECT count(*)::int AS rows FROM ${identifier(schemas.ledger, log.name)}`,
        Schema.Struct({ rows: Schema.Int })
      )
      assert.deepStrictEqual(left, [{ rows: 0 }])
    }).pipe(always, Effect.provide(layerPostgres("gap")))
  )

  it.effect("takes in what is committed while it is computed with the next step, once (Verifies: L1, L2)", () =>
    Effect.gen(function* () {
      const { assay, drained, feed } = yield* traded
      yield* feed.deliver(parcel("first", [order("6", "02-01T18:00", { customer: "ann", amount: 5 })]))
      yield* assay.materialize({ assets: ["dim_customer"] })
      yield* meanwhile(
        "beforeWrite",
        assay.materialize({ assets: ["gold_daily"], upstream: false }),
        Effect.gen(function* () {
          // The same day of the same customer again, and another day.
          yield* feed.deliver(
            parcel("meanwhile", [
              order("7", "02-01T19:00", { customer: "ann", amount: 3 }),
              order("8", "02-02T19:00", { customer: "ann", amount: 2 })
            ])
          )
          yield* assay.materialize({ assets: ["dim_customer"] })
        })
      )
      assert.deepStrictEqual(yield* lies(assay), [])
      assert.deepStrictEqual(yield* drained, [
        ["2024-02-01", "gold", "3", "1", "18"],
        ["2024-02-01", "silver", "1", "1", "10"],
        ["2024-02-02", "gold", "2", "1", "12"],
        ["2024-02-02", "silver", "1", "1", "10"],
        ["2024-02-03", "none", "1", "1", "10"]
      ])
    }).pipe(always, Effect.provide(layerPostgres("meanwhile")))
  )
})

/** What was read onwards is marked by a range, whose end nobody knows. */
it.layer(TestDatabase.layer)("what is a sum over customers and read onwards", (it) => {
  const before = [
    ["2024-02-01", "gold", "1", "1"],
    ["2024-02-01", "silver", "1", "1"],
    ["2024-02-02", "gold", "1", "0"],
    ["2024-02-02", "silver", "1", "0"],
    ["2024-02-03", "gold", "1", "0"],
    ["2024-02-03", "silver", "1", "0"],
    ["2024-02-04", "gold", "1", "0"],
    ["2024-02-04", "silver", "1", "0"],
    ["2024-02-05", "gold", "1", "0"],
    ["2024-02-05", "silver", "1", "0"]
  ]
  it.effect("is brought up to date by what changed, from the day on at which it did (Verifies: L1, L2, L6)", () =>
    Effect.gen(function* () {
      const { assay, differencesOf, drained, feed } = yield* traded
      assert.deepStrictEqual(yield* rows(assay, "standing"), before)
      yield* feed.deliver(parcel("tier", [order("6", "02-04", { customer: "bob", tier: "gold" })]))
      assert.deepStrictEqual(yield* differencesOf("standing"), [2])
      yield* drained
      assert.deepStrictEqual((yield* rows(assay, "standing")).slice(6), [
        ["2024-02-04", "gold", "2", "1"],
        ["2024-02-05", "gold", "2", "0"]
      ])
      // Back again, and somebody new who had a tier before there were days.
      yield* feed.deliver(
        parcel("back", [
          order("6", "02-04", { customer: "bob", tier: null, seen: "02-10" }),
          order("7", "01-20", { customer: "dee", tier: "bronze" })
        ])
      )
      assert.deepStrictEqual(yield* differencesOf("standing"), [5])
      yield* drained
      assert.deepStrictEqual(
        (yield* rows(assay, "standing")).filter(([, tier]) => tier !== "bronze"),
        before
      )
    }).pipe(always, Effect.provide(layerPostgres("onwards")))
  )

  it.effect("is right where some of what changed lies behind its units (Verifies: L1, L2)", () =>
    Effect.gen(function* () {
      const { assay, drained, feed } = yield* traded
      yield* feed.deliver(
        parcel("tiers", [
          order("6", "02-02", { customer: "bob", tier: "gold" }),
          order("7", "02-04", { customer: "bob", tier: "bronze" })
        ])
      )
      yield* assay.materialize({ assets: ["dim_customer"] })
      yield* assay.materialize({ assets: ["standing"], partitions: "2024-02-02..2024-02-03", upstream: false })
      assert.deepStrictEqual(yield* lies(assay), [])
      assert.deepStrictEqual((yield* rows(assay, "standing")).slice(2, 4), [
        ["2024-02-02", "gold", "2", "1"],
        ["2024-02-03", "gold", "2", "0"]
      ])
      yield* drained
    }).pipe(always, Effect.provide(layerPostgres("behind")))
  )

  it.effect("is computed anew where a step before used up what had changed, on any day (Verifies: L2)", () =>
    Effect.gen(function* () {
      const { assay, differencesOf, drained, feed } = yield* traded
      yield* feed.deliver(parcel("first", [order("6", "02-02", { customer: "bob", tier: "gold" })]))
      yield* assay.materialize({ assets: ["dim_customer"] })
      yield* assay.materialize({ assets: ["standing"], partitions: "2024-02-03", upstream: false })
      assert.deepStrictEqual(yield* lies(assay), [])
      assert.deepStrictEqual(yield* differencesOf("standing"), [0])
      // A range of its own, of which all changes are known, does not make the days known that another one left.
      yield* feed.deliver(parcel("second", [order("7", "02-03", { customer: "ann", tier: "bronze" })]))
      yield* assay.materialize({ assets: ["dim_customer"] })
      assert.deepStrictEqual(yield* differencesOf("standing"), [1])
      yield* drained
      assert.deepStrictEqual((yield* rows(assay, "standing")).slice(2, 5), [
        ["2024-02-02", "gold", "2", "1"],
        ["2024-02-03", "bronze", "1", "1"],
        ["2024-02-03", "gold", "1", "0"]
      ])
    }).pipe(always, Effect.provide(layerPostgres("onwardsusedup")))
  )

  it.effect("takes in what is committed while it is computed with the next step, once (Verifies: L1, L2)", () =>
    Effect.gen(function* () {
      const { assay, drained, feed } = yield* traded
      for (const point of ["afterPick", "beforeWrite"] as const) {
        yield* feed.deliver(parcel(`first ${point}`, [order(`6 ${point}`, "02-02", { customer: point, tier: "gold" })]))
        yield* assay.materialize({ assets: ["dim_customer"] })
        yield* meanwhile(
          point,
          assay.materialize({ assets: ["standing"], partitions: "2024-02-02", upstream: false }),
          Effect.gen(function* () {
            yield* feed.deliver(
              parcel(`meanwhile ${point}`, [
                order(`7 ${point}`, "02-03", { customer: point, tier: "silver" }),
                order(`8 ${point}`, "02-05", { customer: "ann", tier: point })
              ])
            )
            yield* assay.materialize({ assets: ["dim_customer"] })
          })
        )
        assert.deepStrictEqual(yield* lies(assay), [], point)
        yield* drained
      }
    }).pipe(always, Effect.provide(layerPostgres("onwardsmeanwhile")))
  )

  it.effect("is computed anew where a step that read none of it used up what had changed (Verifies: L2)", () =>
    Effect.gen(function* () {
      const { assay, differencesOf, drained, feed } = yield* traded
      // Nothing is stale when it begins.
      yield* meanwhile(
        "afterPick",
        assay.materialize({ assets: ["standing"], partitions: "2024-02-01", force: true, upstream: false }),
        Effect.gen(function* () {
          yield* feed.deliver(parcel("meanwhile", [order("6", "02-03", { customer: "bob", tier: "gold" })]))
          yield* assay.materialize({ assets: ["dim_customer"] })
        })
      )
      // The same days again, this time with all that changed in the log.
      yield* feed.deliver(parcel("after", [order("7", "02-03", { customer: "ann", tier: "silver" })]))
      yield* assay.materialize({ assets: ["dim_customer"] })
      assert.deepStrictEqual(yield* differencesOf("standing"), [0])
      yield* drained
      assert.deepStrictEqual((yield* rows(assay, "standing")).slice(4, 6), [
        ["2024-02-03", "gold", "1", "1"],
        ["2024-02-03", "silver", "1", "1"]
      ])
    }).pipe(always, Effect.provide(layerPostgres("onwardsforced")))
  )
})
