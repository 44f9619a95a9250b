/**
 * A works with a watched graph: readings that are delivered, and a chain of assets by day behind them; and a lookout that
 * hears what the daemon tells, so that tests wait for what happened instead of for time.
 */
import * as Asset from "@assay/core/Asset"
import type * as Assay from "@assay/core/Assay"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import type { WatchEvent } from "@assay/core/execution/Watcher"
import type { Reason } from "@assay/core/MaterializationError"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import type { Source } from "@assay/core/Source"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

export interface Measurement {
  readonly id: string
  readonly day: string
  readonly amount: number
}

export const reading = (id: string, day: string, amount = 1): Measurement => ({ id, day: `2024-03-${day}`, amount })

export interface Options {
  readonly source: Source<Measurement>
  /** How many assets by day follow each other. */
  readonly links: number
  readonly policies?: { readonly [asset: string]: MaterializationPolicy.MaterializationPolicy }
  readonly days?: Partitions.Partitions
  /** Stands for the texts of the computes, which a process that is started by Node sees otherwise than one of the tests. */
  readonly codeVersion?: string
  /** Done by the first link before it answers. */
  readonly before?: Effect.Effect<void, Reason>
}

/** Tries once: what fails is to fail at once. */
export const promptly = MaterializationPolicy.make({ retry: Schedule.recurs(0) })

/** Five days of March, whatever the time. */
export const fiveDays = Partitions.daily({ start: "2024-03-01", end: "2024-03-06" })

export const make = ({ before = Effect.void, codeVersion, days = fiveDays, links, policies = {}, source }: Options) => {
  const policyOf = (name: string) => policies[name] ?? promptly
  const version = codeVersion === undefined ? {} : { codeVersion }
  const columns = Schema.Struct({ day: Column.date, amount: Column.integer })
  const readings = Asset.source("readings", {
    description: "What was read",
    columns: Schema.Struct({
      id: Column.text,
      day: Column.date,
      amount: Column.integer,
      batch: Column.text,
      loaded_at: Column.timestamp
    }),
    write: WriteStrategy.append({ key: ["id"], batch: "batch", loadedAt: "loaded_at" }),
    policy: policyOf("readings"),
    source
  })
  const first = Asset.make("link_1", {
    description: "The sum of each day",
    columns,
    partitions: days,
    inputs: { readings: Asset.input(readings, PartitionMapping.byColumn("day"), { columns: ["id", "day", "amount"] }) },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    policy: policyOf("link_1"),
    ...version,
    compute: {
      sql: ({ readings }) =>
        Effect.as(before, sql`SELECT day, sum(amount) AS amount FROM ${readings} AS r GROUP BY day`),
      rows: ({ readings }) =>
        Effect.as(
          before,
          Array.from(
            Map.groupBy(readings, ({ day }) => day),
            ([day, own]) => ({ day, amount: own.reduce((sum, { amount }) => sum + amount, 0) })
          )
        )
    }
  })
  const chain: Array<Asset.Asset<string, unknown, never>> = [readings, first]
  let last: Asset.Asset<string, { readonly day: string; readonly amount: number }, never> = first
  for (let link = 2; link <= links; link++) {
    const name = `link_${link}`
    last = Asset.make(name, {
      description: "The same",
      columns,
      partitions: days,
      inputs: { before: Asset.input(last, PartitionMapping.identity) },
      write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
      policy: policyOf(name),
      ...version,
      compute: {
        sql: ({ before }) => sql`SELECT day, amount FROM ${before} AS b`,
        rows: ({ before }) => before.map(({ amount, day }) => ({ day, amount }))
      }
    })
    chain.push(last)
  }
  return AssetGraph.fromIterable(chain)
}

/** The amounts of an asset by the last two digits of their days. */
export const amounts = (assay: typeof Assay.Assay.Service, asset: string) =>
  Effect.gen(function* () {
    const { rows } = yield* assay.rows({ asset })
    return Object.fromEntries(
      (yield* Stream.runCollect(rows)).map(({ amount, day }) => [
        typeof day === "string" ? day.slice(-2) : "",
        Number(amount)
      ])
    )
  })

/** Waits until an asset has these amounts. */
export const untilAmounts = (
  assay: typeof Assay.Assay.Service,
  asset: string,
  expected: { readonly [day: string]: number }
) =>
  Effect.repeat(amounts(assay, asset), {
    until: (found) => JSON.stringify(found) === JSON.stringify(expected)
  })

/** A daemon and what it tells. */
export interface Lookout {
  readonly fiber: Fiber.Fiber<void, unknown>
  readonly told: ReadonlyArray<WatchEvent>
  /** The next event that is such a one; those before it are passed over. */
  readonly next: <E extends WatchEvent["_tag"]>(tag: E) => Effect.Effect<Extract<WatchEvent, { readonly _tag: E }>>
}

/** Watches until the scope closes. */
export const lookout = (assay: typeof Assay.Assay.Service, options: Assay.WatchOptions = {}) =>
  Effect.gen(function* () {
    const events = yield* Queue.unbounded<WatchEvent>()
    const told: Array<WatchEvent> = []
    const listen = (event: WatchEvent) =>
      Effect.suspend(() => {
        told.push(event)
        return Effect.asVoid(Queue.offer(events, event))
      })
    const fiber = yield* Effect.forkScoped(assay.watch({ ...options, listen }))
    const next: Lookout["next"] = (tag) =>
      Effect.flatMap(Queue.take(events), (event) => (isTagged(event, tag) ? Effect.succeed(event) : next(tag)))
    return { fiber, told, next } satisfies Lookout
  })

/** The requests of a daemon: asset and units of each, with what follows. */
export const requests = (told: ReadonlyArray<WatchEvent>): ReadonlyArray<string> =>
  told.flatMap((event) =>
    event._tag === "Requested"
      ? [
          [
            ...event.requested.map(({ asset, units }) => `${asset} ${PartitionSet.format(units)}`),
            ...event.follows.map((asset) => `then ${asset}`)
          ].join(", ")
        ]
      : []
  )

// --- internal ---

const isTagged = <E extends WatchEvent["_tag"]>(
  event: WatchEvent,
  tag: E
): event is Extract<WatchEvent, { readonly _tag: E }> => event._tag === tag
