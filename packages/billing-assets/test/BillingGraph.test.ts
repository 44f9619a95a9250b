import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import { InvalidPartitions } from "@assay/core/Partitions"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { assert, describe, it } from "@effect/vitest"
import * as Chain from "./support/Chain.ts"

const graph = Chain.graph("2024-03-15")
const assets = Array.from(graph.assets.values())

const names = (asset: string) => graph.assets.get(asset)?.columns.map(({ name }) => name)

describe("the billing graph", () => {
  it("lists every asset after what it reads", () => {
    const order = assets.map(({ name }) => name)
    for (const { inputs, name } of assets) {
      for (const input of inputs) assert.isBelow(order.indexOf(input.asset.name), order.indexOf(name))
    }
    assert.deepStrictEqual(order.toSorted(), [
      "bronze_events",
      "dim_customer",
      "gold_revenue",
      "mart_mrr_monthly",
      "mart_revenue_monthly",
      "silver_events"
    ])
  })

  it("has the columns of the contract, in its order", () => {
    const source = [
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
    const measures = [
      "invoice_count",
      "gross_amount",
      "refund_count",
      "refund_amount",
      "dispute_amount",
      "net_amount",
      "paying_customers"
    ]
    assert.deepStrictEqual(names("bronze_events"), [
      ...source,
      "extra",
      "_file",
      "_line",
      "_hash",
      "_batch",
      "_loaded_at"
    ])
    assert.deepStrictEqual(names("silver_events"), [...source, "event_date"])
    assert.deepStrictEqual(names("dim_customer"), [
      "customer_sk",
      "customer_id",
      "name",
      "segment",
      "plan_type",
      "country",
      "monthly_amount",
      "billing_currency",
      "email",
      "acquisition_channel",
      "created_at",
      "valid_from",
      "valid_to",
      "is_current"
    ])
    assert.deepStrictEqual(names("gold_revenue"), ["revenue_date", "currency", "segment", "plan_type", ...measures])
    assert.deepStrictEqual(names("mart_revenue_monthly"), ["revenue_month", "currency", ...measures])
    assert.deepStrictEqual(names("mart_mrr_monthly"), [
      "mrr_month",
      "billing_currency",
      "mrr",
      "active_customers",
      "new_mrr",
      "reactivation_mrr",
      "expansion_mrr",
      "contraction_mrr",
      "churn_mrr"
    ])
  })

  it("describes every column", () => {
    for (const asset of assets) {
      for (const column of asset.columns) assert.isNotEmpty(column.description ?? "", `${asset.name}.${column.name}`)
    }
  })

  it("keeps amounts as numeric(20,4) and sums of them wider", () => {
    const type = (asset: string, column: string) => {
      const found = graph.assets.get(asset)
      return found === undefined ? undefined : Column.postgresType(Asset.columnUnsafe(found, column).kind)
    }
    assert.strictEqual(type("bronze_events", "amount"), "numeric(20,4)")
    assert.strictEqual(type("dim_customer", "monthly_amount"), "numeric(20,4)")
    assert.strictEqual(type("gold_revenue", "net_amount"), "numeric(38,4)")
    assert.strictEqual(type("mart_mrr_monthly", "mrr"), "numeric(38,4)")
  })

  it("begins revenue with a day, and the marts with its month", () => {
    const start = (asset: string) => {
      const partitions = graph.assets.get(asset)?.partitions
      return partitions?._tag === "TimeWindows"
        ? `${partitions.cadence} ${partitions.start} ${partitions.timeZone}`
        : undefined
    }
    assert.strictEqual(start("gold_revenue"), "daily 2024-03-15 UTC")
    assert.strictEqual(start("mart_revenue_monthly"), "monthly 2024-03-01 UTC")
    assert.strictEqual(start("mart_mrr_monthly"), "monthly 2024-03-01 UTC")
    assert.isUndefined(start("silver_events"))
  })

  it("refuses a start that is no day", () => {
    assert.throws(() => BillingGraph.make({ start: "2024-02-30", source: Chain.nothing }), InvalidPartitions)
  })

  it("reads no more of its inputs than it needs, so that nothing else makes it stale", () => {
    const inputs = assets.flatMap(({ inputs, name }) =>
      inputs.map((input) => [
        `${input.asset.name} -> ${name}`,
        PartitionMapping.format(input.mapping),
        input.columns.join(" "),
        Object.keys(input.where ?? {}).join(" ")
      ])
    )
    assert.deepStrictEqual(
      inputs.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)),
      [
        [
          "bronze_events -> silver_events",
          "by event_id",
          "event_id customer_id event_type amount currency event_ts updated_at op attributes _hash",
          ""
        ],
        [
          "dim_customer -> gold_revenue",
          "events by customer_id as of event_ts",
          "customer_id valid_from valid_to segment plan_type",
          ""
        ],
        [
          "dim_customer -> mart_mrr_monthly",
          "every partition from valid_from on",
          "customer_id valid_from valid_to monthly_amount billing_currency",
          ""
        ],
        [
          "silver_events -> dim_customer",
          "by customer_id",
          "event_id customer_id event_type event_ts updated_at attributes",
          "event_type"
        ],
        [
          "silver_events -> gold_revenue",
          "by event_date",
          "customer_id event_type amount currency event_ts event_date",
          "event_type"
        ],
        [
          "silver_events -> mart_revenue_monthly",
          "by event_date",
          "customer_id event_type amount currency event_date",
          "event_type"
        ]
      ]
    )
  })

  it("gives every asset checks, and both a query and a function", () => {
    for (const { body, checks, name } of assets) {
      const tags = checks.map(({ rule }) => rule._tag)
      assert.include(tags, "NotNull", name)
      assert.include(tags, "Unique", name)
      if (body._tag === "Source") continue
      assert.include(tags, "Relationship", name)
      assert.isDefined(body.compute.sql, name)
      assert.isDefined(body.compute.rows, name)
    }
  })

  it("has the same code version each time it is made, and another start changes none of the queries", () => {
    const versions = (start: string) =>
      new Map(Array.from(Chain.graph(start).assets.values(), (a) => [a.name, a.codeVersion]))
    assert.deepStrictEqual(versions("2024-03-15"), versions("2024-03-15"))
    assert.strictEqual(versions("2024-03-15").get("silver_events"), versions("2024-01-01").get("silver_events"))
  })
})
