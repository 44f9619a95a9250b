/**
 * A source, an asset computed from it, and a graph of both, in memory. The second delivery brings a refund for a day
 * that is built already; the plan says so, and only that day is built again.
 */
import * as Assay from "@assay/core/Assay"
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as Plan from "@assay/core/planning/Plan"
import * as TestSource from "@assay/core/testing/TestSource"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { Console, Effect, Schema, Stream } from "effect"

const payment = { payment_id: Column.text, paid_on: Column.date, cents: Column.integer }

const program = Effect.gen(function* () {
  // Stands for files, which `@assay/core/source/FileSource` reads.
  const feed = yield* TestSource.make<Schema.Struct<typeof payment>["Type"]>()

  const bronze = Asset.source("bronze_payments", {
    description: "Every payment as it was delivered",
    columns: Schema.Struct({ ...payment, _batch: Column.text, _loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["payment_id"], batch: "_batch", loadedAt: "_loaded_at" }),
    source: feed.source
  })

  const gold = Asset.make("gold_payments", {
    description: "What was paid on each day",
    columns: Schema.Struct({ day: Column.date, payments: Column.integer, cents: Column.integer }),
    partitions: Partitions.daily({ start: "2024-03-01", end: "2024-03-08" }),
    inputs: { payments: Asset.input(bronze, PartitionMapping.byColumn("paid_on")) },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    checks: [AssetCheck.notNull("cents")],
    compute: {
      rows: ({ payments }) =>
        Array.from(
          Map.groupBy(payments, ({ paid_on }) => paid_on),
          ([day, paid]) => ({ day, payments: paid.length, cents: paid.reduce((sum, { cents }) => sum + cents, 0) })
        )
    }
  })

  yield* Effect.gen(function* () {
    const assay = yield* Assay.Assay
    yield* feed.deliver([
      { payment_id: "p1", paid_on: "2024-03-01", cents: 1200 },
      { payment_id: "p2", paid_on: "2024-03-02", cents: 800 }
    ])
    yield* assay.materialize({ assets: ["gold_payments"] })

    yield* feed.deliver([{ payment_id: "p3", paid_on: "2024-03-01", cents: -500 }])
    const plan = yield* assay.plan({ assets: ["gold_payments"] })
    yield* Console.log(Plan.explain(plan).join("\n"))

    yield* assay.materialize({ assets: ["gold_payments"] })
    const { rows } = yield* assay.rows({ asset: "gold_payments" })
    yield* Stream.runForEach(rows, (row) => Console.log(row))
  }).pipe(Effect.provide(Assay.layerMemory(AssetGraph.make([bronze, gold]))))
})

await Effect.runPromise(program)
