/**
 * Which keys have dynamic partitions now? The definitions of a graph get the keys of the moment before anything reads them,
 * and once more inside of a step: what it computes is of the keys as they are when it has picked its units, and what it
 * marks is of those that nobody can change before it commits.
 */
import * as Effect from "effect/Effect"
import type { Asset } from "../Asset.ts"
import * as AssetGraph from "../AssetGraph.ts"
import { PartitionKeys } from "../ledger/PartitionKeys.ts"
import type { Reason } from "../MaterializationError.ts"
import * as Partitions from "../Partitions.ts"
import { type Lock, Transactor } from "../Transactor.ts"

/**
 * The graph with the keys that its dynamic partitions have now. Asks nothing where it has none.
 *
 * @category graphs
 * @since 0.1.0
 */
export const current = Effect.fnUntraced(function* <R>(
  graph: AssetGraph.AssetGraph<R>
): Effect.fn.Return<AssetGraph.AssetGraph<R>, Reason, PartitionKeys> {
  const names = AssetGraph.dynamicNames(graph)
  if (names.length === 0) return graph
  const keys = yield* PartitionKeys
  const found = yield* keys.read(names)
  return AssetGraph.withKeys(graph, (name) => found.get(name) ?? [])
})

/**
 * An asset of a graph with the keys of now. Asks nothing where neither it nor what it reads is cut by dynamic partitions.
 *
 * @category graphs
 * @since 0.1.0
 */
export const currentOf = Effect.fnUntraced(function* <R>(
  graph: AssetGraph.AssetGraph,
  asset: Asset<string, unknown, R>
): Effect.fn.Return<Asset<string, unknown, R>, Reason, PartitionKeys> {
  if (namesRead(asset).length === 0) return asset
  const { assets } = yield* current(graph)
  const { inputs, partitions, write } = assets.get(asset.name) ?? asset
  return { ...asset, inputs, partitions, write }
})

/**
 * Holds until the transaction ends what decides which units of other assets a change of this one reaches, its own keys
 * included, and yields the graph with the keys of now, which stay these. To be taken before any stale set is held: who
 * changes keys waits for nobody else meanwhile.
 *
 * @category locks
 * @since 0.1.0
 */
export const hold = Effect.fnUntraced(function* <R>(
  graph: AssetGraph.AssetGraph<R>,
  asset: Asset
): Effect.fn.Return<AssetGraph.AssetGraph<R>, Reason, PartitionKeys | Transactor> {
  const locks = locksOf(graph, asset)
  if (locks.length === 0) return graph
  const transactor = yield* Transactor
  yield* transactor.lock(locks)
  return yield* current(graph)
})

/**
 * The holds that `hold` takes. Their names come after those of all assets, in the order in which locks are taken.
 *
 * @category locks
 * @since 0.1.0
 */
export const locksOf = (graph: AssetGraph.AssetGraph, asset: Asset): ReadonlyArray<Lock> =>
  Array.from(new Set([...Partitions.dynamicNames(asset.partitions), ...namesReached(graph, asset)]))
    .toSorted()
    .map((name) => lock(name, "shared"))

/**
 * The hold of the keys of a name: shared by who counts on them, exclusive for who changes them. No asset has this name.
 *
 * @category locks
 * @since 0.1.0
 */
export const lock = (name: string, mode: Lock["mode"]): Lock => ({ asset: `~partitions ${name}`, mode })

// --- internal ---

/** The names of an asset and of what it reads. */
const namesRead = (asset: Asset): ReadonlyArray<string> => [
  ...Partitions.dynamicNames(asset.partitions),
  ...asset.inputs.flatMap((input) =>
    input.asset.write._tag === "View" ? namesRead(input.asset) : Partitions.dynamicNames(input.asset.partitions)
  )
]

/** The names of an asset's readers; a view has none of its own, and is read through. */
const namesReached = (graph: AssetGraph.AssetGraph, asset: Asset): ReadonlyArray<string> =>
  AssetGraph.dynamicNames(graph).length === 0
    ? []
    : AssetGraph.edgesFrom(graph, asset.name).flatMap(({ downstream }) => [
        ...Partitions.dynamicNames(downstream.partitions),
        ...(downstream.write._tag === "View" ? namesReached(graph, downstream) : [])
      ])
