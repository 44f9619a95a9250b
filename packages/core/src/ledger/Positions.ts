/**
 * How far each origin of a source asset has been landed. Rows and position commit together, and a position moves only
 * from the value that the landing started from; so of two landings of one origin, one loses and lands nothing (L4, L8).
 * Each move gives a position a revision that no position of the asset had before. It tells who lands whether anything was
 * landed since he looked, under whatever name.
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { AssetKey } from "../Asset.ts"
import { canonicalJson } from "../Column.ts"
import type { Reason } from "../MaterializationError.ts"
import type { Position } from "../Source.ts"
import { MemoryStore } from "../Transactor.ts"

/**
 * A position, when it was reached, and by which move.
 *
 * @category models
 * @since 0.1.0
 */
export interface LandedPosition extends Position {
  readonly landedAt: DateTime.Utc
  readonly revision: string
}

/**
 * A move of one position: from the value that the landing started from to a new one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Advance {
  readonly asset: AssetKey
  readonly origin: string
  /** Where the landing started from, by its revision too where one is given; undefined for an origin never landed. */
  readonly expected: (Position & { readonly revision?: string | undefined }) | undefined
  readonly value: Schema.Json
  readonly at: DateTime.Utc
}

/**
 * The positions of all source assets.
 *
 * @category services
 * @since 0.1.0
 */
export class Positions extends Context.Service<
  Positions,
  {
    /** The positions of an asset, in the order of their origins. */
    readonly all: (asset: AssetKey) => Effect.Effect<ReadonlyArray<LandedPosition>, Reason>
    /** The revision of the asset's last move; undefined where nothing was landed. */
    readonly revision: (asset: AssetKey) => Effect.Effect<string | undefined, Reason>
    /**
     * Moves a position where it still stands as expected, and yields its new revision; undefined where it does not. Waits
     * for another transaction that is moving the same position.
     */
    readonly advance: (options: Advance) => Effect.Effect<string | undefined, Reason>
    /** Forgets the positions of an asset: everything is landed again. */
    readonly forget: (asset: AssetKey) => Effect.Effect<void, Reason>
  }
>()("@assay/core/ledger/Positions") {}

/**
 * Positions in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Positions, never, MemoryStore> = Layer.effect(
  Positions,
  Effect.gen(function* () {
    const store = yield* MemoryStore
    const state = store.cell<ReadonlyMap<AssetKey, ReadonlyMap<string, LandedPosition>>>(new Map())
    const moves = store.cell(0)
    const of = (asset: AssetKey): ReadonlyMap<string, LandedPosition> => state.get().get(asset) ?? new Map()

    return Positions.of({
      all: (asset) =>
        Effect.sync(() => Array.from(of(asset).values()).toSorted((a, b) => (a.origin < b.origin ? -1 : 1))),
      revision: (asset) =>
        Effect.sync(() =>
          Array.from(of(asset).values(), ({ revision }) => revision).reduce<string | undefined>(
            (latest, revision) => (Number(revision) > Number(latest ?? 0) ? revision : latest),
            undefined
          )
        ),
      advance: ({ asset, at, expected, origin, value }) =>
        Effect.sync(() => {
          const stored = of(asset).get(origin)
          const isExpected =
            stored === undefined || expected === undefined
              ? stored === expected
              : canonicalJson(stored.value) === canonicalJson(expected.value) &&
                (expected.revision === undefined || expected.revision === stored.revision)
          if (!isExpected) return undefined
          moves.set(moves.get() + 1)
          const revision = String(moves.get())
          const moved = { origin, value, landedAt: at, revision }
          state.set(new Map(state.get()).set(asset, new Map(of(asset)).set(origin, moved)))
          return revision
        }),
      forget: (asset) =>
        Effect.sync(() => state.set(new Map(Array.from(state.get()).filter(([known]) => known !== asset))))
    })
  })
)
