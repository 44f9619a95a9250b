/**
 * The record of what was built: per asset and unit the last materialization, with the code that made it and the hash of
 * its content. It tells units that exist from units that were never built, also where a unit came out empty.
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { AssetKey } from "../Asset.ts"
import type { Reason } from "../MaterializationError.ts"
import type { Partitions } from "../Partitions.ts"
import type * as PartitionSet from "../PartitionSet.ts"
import { MemoryStore } from "../Transactor.ts"

/**
 * What a unit holds since its last materialization.
 *
 * @category models
 * @since 0.1.0
 */
export interface BuiltUnit {
  readonly unit: string
  readonly rows: number
  readonly contentHash: string
}

/**
 * The last materialization of one unit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Materialization extends BuiltUnit {
  readonly asset: AssetKey
  readonly runId: string
  readonly codeVersion: string
  readonly at: DateTime.Utc
}

/**
 * What is built of an asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface Built {
  /** All of it as one set, where every unit is a partition of the definition asked for and was built by its code. */
  readonly set: PartitionSet.Json | undefined
  /** Otherwise the units, in order. */
  readonly units: ReadonlyArray<string>
  /** Those of them that were built last by other code. */
  readonly outdated: ReadonlyArray<string>
}

/**
 * The last materialization of every unit.
 *
 * @category services
 * @since 0.1.0
 */
export class Materializations extends Context.Service<
  Materializations,
  {
    /** Records units as built, in place of what was recorded of them. Of a unit named twice the last one counts. */
    readonly record: (options: {
      readonly asset: AssetKey
      readonly runId: string
      readonly codeVersion: string
      readonly at: DateTime.Utc
      readonly units: ReadonlyArray<BuiltUnit>
      /** How the asset is cut where the units are partitions, so that they can be kept as ranges too. */
      readonly partitions?: Partitions | undefined
    }) => Effect.Effect<void, Reason>
    /** What is built of assets, each as its definition and its code have it; one query for all of them. */
    readonly built: (
      assets: ReadonlyArray<{
        readonly asset: AssetKey
        readonly codeVersion: string
        readonly partitions: Partitions
      }>
    ) => Effect.Effect<ReadonlyMap<AssetKey, Built>, Reason>
    /** The units of an asset that were built, in order. */
    readonly units: (asset: AssetKey) => Effect.Effect<ReadonlyArray<string>, Reason>
    /** The units of an asset that were built last by other code than this. */
    readonly outdated: (options: {
      readonly asset: AssetKey
      readonly codeVersion: string
    }) => Effect.Effect<ReadonlyArray<string>, Reason>
    /**
     * The built units that have any of these texts for a key, or for a part of one between `|`, of all assets but some; in
     * order.
     */
    readonly withParts: (options: {
      readonly parts: ReadonlyArray<string>
      readonly except: ReadonlyArray<AssetKey>
    }) => Effect.Effect<ReadonlyMap<AssetKey, ReadonlyArray<string>>, Reason>
    /** How many units of an asset were built. */
    readonly count: (asset: AssetKey) => Effect.Effect<number, Reason>
    /** The last materialization of a unit; none where it was never built. */
    readonly get: (options: {
      readonly asset: AssetKey
      readonly unit: string
    }) => Effect.Effect<Option.Option<Materialization>, Reason>
    /** Makes units never built again. */
    readonly forget: (options: {
      readonly asset: AssetKey
      readonly units: ReadonlyArray<string>
    }) => Effect.Effect<void, Reason>
  }
>()("@assay/core/ledger/Materializations") {}

/**
 * Materializations in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Materializations, never, MemoryStore> = Layer.effect(
  Materializations,
  Effect.gen(function* () {
    const state = (yield* MemoryStore).cell<ReadonlyMap<AssetKey, ReadonlyMap<string, Materialization>>>(new Map())
    const of = (asset: AssetKey): ReadonlyMap<string, Materialization> => state.get().get(asset) ?? new Map()
    const put = (asset: AssetKey, units: ReadonlyMap<string, Materialization>) =>
      state.set(new Map(state.get()).set(asset, units))

    return Materializations.of({
      record: ({ asset, at, codeVersion, runId, units }) =>
        Effect.sync(() => {
          const next = new Map(of(asset))
          for (const unit of units) next.set(unit.unit, { asset, runId, codeVersion, at, ...unit })
          put(asset, next)
        }),
      units: (asset) => Effect.sync(() => Array.from(of(asset).keys()).toSorted()),
      outdated: ({ asset, codeVersion }) =>
        Effect.sync(() =>
          Array.from(of(asset).values())
            .flatMap((built) => (built.codeVersion === codeVersion ? [] : [built.unit]))
            .toSorted()
        ),
      built: (assets) =>
        Effect.sync(
          () =>
            new Map(
              assets.map(({ asset, codeVersion }) => {
                const units = Array.from(of(asset).values()).toSorted((a, b) => (a.unit < b.unit ? -1 : 1))
                const outdated = units.filter((unit) => unit.codeVersion !== codeVersion)
                return [asset, { set: undefined, units: units.map(nameOf), outdated: outdated.map(nameOf) }]
              })
            )
        ),
      withParts: ({ except, parts }) =>
        Effect.sync(
          () =>
            new Map(
              Array.from(state.get())
                .filter(([asset]) => !except.includes(asset))
                .map(([asset, units]): readonly [AssetKey, ReadonlyArray<string>] => [
                  asset,
                  Array.from(units.keys())
                    .filter((unit) => unit.split("|").some((part) => parts.includes(part)))
                    .toSorted()
                ])
                .filter(([, units]) => units.length > 0)
                .toSorted(([a], [b]) => (a < b ? -1 : 1))
            )
        ),
      count: (asset) => Effect.sync(() => of(asset).size),
      get: ({ asset, unit }) => Effect.sync(() => Option.fromUndefinedOr(of(asset).get(unit))),
      forget: ({ asset, units }) =>
        Effect.sync(() => {
          const next = new Map(of(asset))
          for (const unit of units) next.delete(unit)
          put(asset, next)
        })
    })
  })
)

// --- internal ---

const nameOf = ({ unit }: BuiltUnit): string => unit
