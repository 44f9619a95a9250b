/**
 * A mill whose past is backfilled: loads of grain, the flour of each day, the bread of each day, and what is on the shelf.
 * The grain of some days is spoilt, and stays so until a test says otherwise.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import { DataQuality } from "@assay/core/MaterializationError"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"

export interface Load {
  readonly id: string
  readonly day: string
  readonly amount: number
}

export const load = (day: string, amount: number): Load => ({ id: `${day} ${amount}`, day: `2024-03-${day}`, amount })

/** Sixteen days of March, whatever the time. */
export const days = Partitions.daily({ start: "2024-03-01", end: "2024-03-17" })

export const dayNames = Array.from({ length: 16 }, (_, index) => String(index + 1).padStart(2, "0"))

/** A load for each day. */
export const loads = dayNames.map((day) => load(day, Number(day)))

export interface Options {
  readonly source: Source<Load>
  /** The days whose grain cannot be milled, as dates; what a test puts here counts from the next step on. */
  readonly spoilt?: Set<string>
  readonly stepSize?: number
  /** Stands for the texts of the computes, which a process that is started by Node sees otherwise than one of the tests. */
  readonly codeVersion?: string
}

export const make = ({ codeVersion, source, spoilt = new Set(), stepSize = 20 }: Options) => {
  const policy = MaterializationPolicy.make({ retry: Schedule.recurs(0), stepSize })
  const version = codeVersion === undefined ? {} : { codeVersion }
  const columns = Schema.Struct({ day: Column.date, amount: Column.integer })
  const daily = { columns, partitions: days, write: WriteStrategy.replacePartitions("day", { key: ["day"] }), policy }
  const grain = Asset.source("grain", {
    description: "What was brought to the mill",
    columns: Schema.Struct({
      id: Column.text,
      day: Column.date,
      amount: Column.integer,
      batch: Column.text,
      loaded_at: Column.timestamp
    }),
    write: WriteStrategy.append({ key: ["id"], batch: "batch", loadedAt: "loaded_at" }),
    policy,
    source
  })
  const flour = Asset.make("flour", {
    ...daily,
    ...version,
    description: "What was milled on each day",
    inputs: { grain: Asset.input(grain, PartitionMapping.byColumn("day"), { columns: ["id", "day", "amount"] }) },
    compute: {
      sql: ({ grain }) => sql`
        SELECT day, (sum(amount) / min(CASE WHEN day = ANY(${Array.from(spoilt)}::date[]) THEN 0 ELSE 1 END))::bigint AS amount
        FROM ${grain} AS g GROUP BY day`,
      rows: ({ grain }) =>
        grain.some(({ day }) => spoilt.has(day))
          ? Effect.fail(new DataQuality({ message: "the grain is spoilt: division by zero", check: undefined }))
          : Effect.succeed(
              Array.from(
                Map.groupBy(grain, ({ day }) => day),
                ([day, own]) => ({ day, amount: own.reduce((sum, { amount }) => sum + amount, 0) })
              )
            )
    }
  })
  const bread = Asset.make("bread", {
    ...daily,
    ...version,
    description: "What was baked on each day",
    policy: MaterializationPolicy.withStepSize(policy, 3),
    inputs: { flour: Asset.input(flour, PartitionMapping.identity) },
    compute: {
      sql: ({ flour }) => sql`SELECT day, amount * 2 AS amount FROM ${flour} AS f`,
      rows: ({ flour }) => flour.map(({ amount, day }) => ({ day, amount: amount * 2 }))
    }
  })
  const shelf = Asset.make("shelf", {
    ...version,
    description: "What is there in all",
    columns: Schema.Struct({ kind: Column.text, amount: Column.integer }),
    inputs: { bread: Asset.input(bread, PartitionMapping.all) },
    write: WriteStrategy.replace({ key: ["kind"] }),
    policy,
    compute: {
      sql: ({ bread }) => sql`SELECT 'bread' AS kind, coalesce(sum(amount), 0)::bigint AS amount FROM ${bread} AS b`,
      rows: ({ bread }) => [{ kind: "bread", amount: bread.reduce((sum, { amount }) => sum + amount, 0) }]
    }
  })
  return AssetGraph.make([grain, flour, bread, shelf])
}
