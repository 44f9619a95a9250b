/**
 * The keys of dynamic partitions: which there are at the moment, in the order in which they were added, by the name that the
 * assets which are cut by them share. Whoever changes them holds the name (`execution/Repartition`), so that what a step
 * marks is marked by the keys as they are when it commits.
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Reason } from "../MaterializationError.ts"
import type { DynamicKey } from "../Partitions.ts"
import { MemoryStore } from "../Transactor.ts"

/**
 * A key with the time at which it was added.
 *
 * @category models
 * @since 0.1.0
 */
export interface AddedKey extends DynamicKey {
  readonly addedAt: DateTime.Utc
}

/**
 * The keys of dynamic partitions.
 *
 * @category services
 * @since 0.1.0
 */
export class PartitionKeys extends Context.Service<
  PartitionKeys,
  {
    /** The keys of each name, in the order in which they were added; one query for all of them. */
    readonly read: (
      names: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, ReadonlyArray<DynamicKey>>, Reason>
    /** The keys of a name, in the order in which they were added. */
    readonly list: (name: string) => Effect.Effect<ReadonlyArray<AddedKey>, Reason>
    /** Adds keys, in the order given, and yields those that were not there. */
    readonly add: (options: {
      readonly name: string
      readonly keys: ReadonlyArray<string>
      readonly at: DateTime.Utc
    }) => Effect.Effect<ReadonlyArray<string>, Reason>
    /** Removes keys, and yields those that were there, in the order in which they were added. */
    readonly remove: (options: {
      readonly name: string
      readonly keys: ReadonlyArray<string>
    }) => Effect.Effect<ReadonlyArray<string>, Reason>
  }
>()("@assay/core/ledger/PartitionKeys") {}

/**
 * Keys in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<PartitionKeys, never, MemoryStore> = Layer.effect(
  PartitionKeys,
  Effect.gen(function* () {
    const state = (yield* MemoryStore).cell<State>({ last: 0, names: new Map() })
    const of = (name: string) => state.get().names.get(name) ?? []

    return PartitionKeys.of({
      read: (names) => Effect.sync(() => new Map(names.map((name) => [name, of(name).map(identityOf)]))),
      list: (name) => Effect.sync(() => of(name)),
      add: ({ at, keys, name }) =>
        Effect.sync(() => {
          const present = new Set(of(name).map(({ key }) => key))
          const added = Array.from(new Set(keys)).filter((key) => !present.has(key))
          const { last, names } = state.get()
          state.set({
            last: last + added.length,
            names: new Map(names).set(name, [
              ...of(name),
              ...added.map((key, index) => ({ key, revision: String(last + index + 1), addedAt: at }))
            ])
          })
          return added
        }),
      remove: ({ keys, name }) =>
        Effect.sync(() => {
          const unwanted = new Set(keys)
          const { last, names } = state.get()
          const removed = of(name).filter(({ key }) => unwanted.has(key))
          state.set({
            last,
            names: new Map(names).set(
              name,
              of(name).filter(({ key }) => !unwanted.has(key))
            )
          })
          return removed.map(({ key }) => key)
        })
    })
  })
)

// --- internal ---

interface State {
  readonly last: number
  readonly names: ReadonlyMap<string, ReadonlyArray<AddedKey>>
}

const identityOf = ({ key, revision }: AddedKey): DynamicKey => ({ key, revision })
