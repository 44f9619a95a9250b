/**
 * A business calendar: settlements of a bank that does not work on weekends and on Christmas Day. Business days are the
 * partitions; each reads the payments of its own day and of the days off before it, so that nothing that was paid on a
 * Sunday is lost.
 */
import * as Assay from "@assay/core/Assay"
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as TestSource from "@assay/core/testing/TestSource"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { Console, Effect, Schema, Stream } from "effect"

const payment = { payment_id: Column.text, paid_on: Column.date, cents: Column.integer }

const days = Partitions.daily({ start: "2024-12-19", end: "2025-01-01" })

const businessDays = Partitions.daily({
  start: "2024-12-19",
  end: "2025-01-01",
  exclusions: ["0 0 * * 6,0", "2024-12-25"]
})

const program = Effect.gen(function* () {
  const feed = yield* TestSource.make<Schema.Struct<typeof payment>["Type"]>()

  const payments = Asset.source("bronze_payments", {
    description: "Every payment as it was delivered",
    columns: Schema.Struct({ ...payment, _batch: Column.text, _loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["payment_id"], batch: "_batch", loadedAt: "_loaded_at" }),
    source: feed.source
  })

  const daily = Asset.make("daily_payments", {
    description: "What was paid on each day of the week",
    columns: Schema.Struct({ day: Column.date, cents: Column.integer }),
    partitions: days,
    inputs: { payments: Asset.input(payments, PartitionMapping.byColumn("paid_on")) },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    compute: {
      rows: ({ payments }) =>
        Array.from(
          Map.groupBy(payments, ({ paid_on }) => paid_on),
          ([day, paid]) => ({ day, cents: paid.reduce((sum, { cents }) => sum + cents, 0) })
        )
    }
  })

  // From the business day before up to this one: what lies between them are days off.
  const settlements = Asset.make("settlements", {
    description: "What is settled on each business day: its own payments, and those of the days off before it",
    columns: Schema.Struct({ business_day: Column.date, days: Column.integer, cents: Column.integer }),
    partitions: businessDays,
    inputs: { days: Asset.input(daily, PartitionMapping.timeWindows({ startOffset: -1 })) },
    write: WriteStrategy.replacePartitions("business_day", { key: ["business_day"] }),
    compute: {
      rows: ({ days, units }) =>
        units.map(({ unit, window }) => {
          const previous = previousBusinessDay(window?.start ?? 0)
          const own = days.filter(({ day }) => previous < day && day <= unit)
          return { business_day: unit, days: own.length, cents: own.reduce((sum, { cents }) => sum + cents, 0) }
        })
    }
  })

  yield* Effect.gen(function* () {
    const assay = yield* Assay.Assay
    yield* feed.deliver([
      { payment_id: "p1", paid_on: "2024-12-20", cents: 100 },
      { payment_id: "p2", paid_on: "2024-12-22", cents: 200 },
      { payment_id: "p3", paid_on: "2024-12-23", cents: 300 },
      { payment_id: "p4", paid_on: "2024-12-25", cents: 400 }
    ])
    yield* assay.materialize({ assets: [] })
    const { rows } = yield* assay.rows({ asset: "settlements" })
    yield* Stream.runForEach(rows, ({ business_day, cents, days }) => Console.log(business_day, days, cents))
  }).pipe(Effect.provide(Assay.layerMemory(AssetGraph.make([payments, daily, settlements]))))
})

/** The key of the business day before the one that begins at an instant. */
const previousBusinessDay = (start: number): string => Partitions.keyOf(businessDays, start - 1)

await Effect.runPromise(program)
