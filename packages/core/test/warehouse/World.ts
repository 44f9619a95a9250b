/**
 * What the suites of this folder have in common: a log of events to land, steps as the engine takes them, and rows as
 * plain text.
 */
import * as Asset from "@assay/core/Asset"
import type * as AssetCheck from "@assay/core/AssetCheck"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import type { Reason } from "@assay/core/MaterializationError"
import * as Partitions from "@assay/core/Partitions"
import type * as PartitionSet from "@assay/core/PartitionSet"
import { Transactor } from "@assay/core/Transactor"
import type { Unit } from "@assay/core/Unit"
import { assert } from "@effect/vitest"
import { Warehouse, type Scope, type Written } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as BigDecimal from "effect/BigDecimal"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Probe } from "./layers.ts"

export const eventColumns = Schema.Struct({
  id: Column.text,
  line: Column.integer,
  region: Column.text,
  branch: Column.integer,
  kind: Column.text,
  day: Column.nullable(Column.date),
  at: Column.nullable(Column.timestamp),
  amount: Column.nullable(Column.decimal({ precision: 12, scale: 2 })),
  note: Column.nullable(Column.text),
  isDeleted: Column.boolean,
  extra: Column.nullable(Column.json),
  batch: Column.text,
  loaded_at: Column.timestamp
})

export type Event = (typeof eventColumns)["Type"]

/** A log of events into which tests land rows themselves. */
export const events = <const Name extends string>(
  name: Name,
  checks: ReadonlyArray<AssetCheck.AssetCheck<keyof Event>> = []
) =>
  Asset.source(name, {
    description: "Events",
    columns: eventColumns,
    checks,
    write: WriteStrategy.append({ key: ["id", "line"], batch: "batch", loadedAt: "loaded_at" }),
    source: {
      description: "nothing of its own",
      discover: () => Effect.succeed([]),
      read: () => Stream.empty,
      replay: () => Effect.succeed([])
    }
  })

/** An event with the given fields; money as text. */
export const event = (
  id: string,
  { amount = "1.00", ...fields }: Partial<Omit<Event, "amount">> & { readonly amount?: string | null } = {}
): Event => ({
  id,
  line: 1,
  region: "north",
  branch: 1,
  kind: "sale",
  day: "2024-03-01",
  at: "2024-03-01T12:00:00.000000Z",
  amount: amount === null ? null : BigDecimal.fromStringUnsafe(amount),
  note: null,
  isDeleted: false,
  extra: null,
  batch: "b1",
  loaded_at: "2024-06-01T00:00:00.000000Z",
  ...fields
})

/** The numbers of a write in the order inserted, updated, deleted, unchanged. */
export type Counts = readonly [inserted: number, updated: number, deleted: number, unchanged: number]

/** What a step did, and the units it made stale downstream, by the name of the asset downstream. */
export interface Step {
  readonly counts: Counts
  readonly reached: { readonly [asset: string]: ReadonlyArray<string> }
}

export const prepare = (graph: AssetGraph.AssetGraph) =>
  Effect.flatMap(Warehouse, (warehouse) => warehouse.prepare(graph))

export const land = (
  graph: AssetGraph.AssetGraph,
  asset: Asset.Asset,
  rows: ReadonlyArray<Event>,
  knownBy?: ReadonlyArray<string>
): Effect.Effect<Step, Reason, Warehouse | Transactor | Probe> =>
  step(
    graph,
    asset,
    Effect.flatMap(Warehouse, (warehouse) => warehouse.land({ asset, rows, knownBy }))
  )

/** Builds everything, or the given keys or partitions of an asset. */
export const build = (
  graph: AssetGraph.AssetGraph,
  asset: Asset.Asset<string, unknown, never>,
  units: Units = "everything"
): Effect.Effect<Step, Reason, Warehouse | Transactor | Probe> =>
  step(
    graph,
    asset,
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      return yield* warehouse.build({ asset, scope: yield* scope(units), at: yield* DateTime.now })
    })
  )

export type Units =
  | "everything"
  | { readonly keys: ReadonlyArray<string> }
  | { readonly partitions: ReadonlyArray<Unit> }

/** A scope, within the caller's transaction. */
export const scope = Effect.fnUntraced(function* (units: Units): Effect.fn.Return<Scope, Reason, Probe> {
  const probe = yield* Probe
  if (units === "everything") return { units: { _tag: "All" }, partitions: [] }
  return "keys" in units ? yield* probe.keys(units.keys) : yield* probe.partitions(units.partitions)
})

export const partitions = (of: Pick<Asset.Asset, "partitions">, ...keys: ReadonlyArray<string>): Units => ({
  partitions: keys.map((unit) => ({ unit, window: Option.getOrUndefined(Partitions.windowOf(of.partitions, unit)) }))
})

export const transact = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Transactor, (transactor) => transactor.transact(effect))

/** The rows of an asset in the order of its key, each as the canonical texts of the named columns. */
export const rows = (
  asset: Asset.Asset,
  columns: ReadonlyArray<string>,
  options: { readonly partitions?: PartitionSet.PartitionSet; readonly limit?: number } = {}
) =>
  Effect.gen(function* () {
    const warehouse = yield* Warehouse
    const found = yield* Stream.runCollect(
      warehouse.rows({ asset, partitions: options.partitions, limit: options.limit })
    )
    return found.map((row) => columns.map((name) => Column.toText(Asset.columnUnsafe(asset, name), row[name] ?? null)))
  })

/** The message of the data quality failure of an effect that fails so. */
export const refusal = <A, E extends { readonly _tag: string; readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.map(Effect.flip(effect), (error) => `${error._tag}: ${error.message}`)

// --- internal ---

const step = (
  graph: AssetGraph.AssetGraph,
  asset: Asset.Asset,
  write: Effect.Effect<Written, Reason, Warehouse | Probe>
): Effect.Effect<Step, Reason, Warehouse | Transactor | Probe> =>
  transact(
    Effect.gen(function* () {
      const warehouse = yield* Warehouse
      const probe = yield* Probe
      const written = yield* write
      assert.strictEqual(written.read, written.inserted + written.updated + written.unchanged)
      const reached: Record<string, ReadonlyArray<string>> = {}
      for (const edge of AssetGraph.edgesFrom(graph, asset.name)) {
        const units = yield* probe.units(yield* warehouse.affected(edge))
        reached[edge.downstream.name] = [...(reached[edge.downstream.name] ?? []), ...units].toSorted()
      }
      return {
        counts: [written.inserted, written.updated, written.deleted, written.unchanged],
        reached
      }
    })
  )
