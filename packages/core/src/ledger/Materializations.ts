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
    }) => Effect.Effect<void, Reason>
    /** The units of an asset that were built, in order. */
    readonly units: (asset: AssetKey) => Effect.Effect<ReadonlyArray<string>, Reason>
    /** The units of an asset that were built last by other code than this. */
    readonly outdated: (options: {
      readonly asset: AssetKey
      readonly codeVersion: string
    }) => Effect.Effect<ReadonlyArray<string>, Reason>
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
      record: ({ units, ...common }) =>
        Effect.sync(() => {
          const next = new Map(of(common.asset))
          for (const unit of units) next.set(unit.unit, { ...common, ...unit })
          put(common.asset, next)
        }),
      units: (asset) => Effect.sync(() => Array.from(of(asset).keys()).toSorted()),
      outdated: ({ asset, codeVersion }) =>
        Effect.sync(() =>
          Array.from(of(asset).values())
            .flatMap((built) => (built.codeVersion === codeVersion ? [] : [built.unit]))
            .toSorted()
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
