/**
 * Adding keys to dynamic partitions and removing them. Both hold the name alone, for the length of a small transaction: the
 * steps that count on its keys are committed then, and those that come after see the change.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Asset, type AssetKey, isPartitioned, partitionedBy } from "../Asset.ts"
import * as AssetGraph from "../AssetGraph.ts"
import * as Nearest from "../internal/nearest.ts"
import { Materializations } from "../ledger/Materializations.ts"
import { Outbox } from "../ledger/Outbox.ts"
import { type AddedKey, PartitionKeys } from "../ledger/PartitionKeys.ts"
import { StaleSets } from "../ledger/StaleSets.ts"
import type { Reason } from "../MaterializationError.ts"
import * as Partitions from "../Partitions.ts"
import { Transactor } from "../Transactor.ts"
import { listed } from "../Unit.ts"
import * as Resolution from "./Resolution.ts"

/**
 * The services that changing keys uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Materializations | Outbox | PartitionKeys | StaleSets | Transactor

/**
 * A name by which no asset of the graph is cut.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownPartitions extends Schema.TaggedError<UnknownPartitions>("@assay/core/UnknownPartitions")(
  "UnknownPartitions",
  { name: Schema.String, message: Schema.String }
) {}

/**
 * The keys of a name, with what was built of each.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listing {
  readonly name: string
  /** The assets that build a unit of each key; views, which are cut by it as well, have nothing to build. */
  readonly assets: ReadonlyArray<AssetKey>
  /** In the order in which they were added, each with the assets that have built a unit of it. */
  readonly keys: ReadonlyArray<AddedKey & { readonly builtBy: ReadonlyArray<AssetKey> }>
}

/**
 * The keys of a name.
 *
 * @category reading
 * @since 0.1.0
 */
export const list = Effect.fn("Repartition.list")(function* (
  graph: AssetGraph.AssetGraph,
  name: string
): Effect.fn.Return<Listing, UnknownPartitions | Reason, Services> {
  const assets = (yield* assetsOf(graph, name)).filter(isPartitioned)
  const keys = yield* PartitionKeys
  const materializations = yield* Materializations
  const found = yield* keys.list(name)
  const builtBy = new Map<string, Array<AssetKey>>(found.map(({ key }) => [key, []]))
  for (const asset of assets) {
    const parts = yield* Effect.map(materializations.units(asset.name), (units) =>
      units.flatMap((unit) => partsOf(asset, name, unit))
    )
    for (const key of new Set(parts)) builtBy.get(key)?.push(asset.name)
  }
  return {
    name,
    assets: assets.map((asset) => asset.name),
    keys: found.map((key) => ({ ...key, builtBy: builtBy.get(key.key) ?? [] }))
  }
})

/**
 * Adds keys, and yields those that were not there. A new key is missing of every asset that is cut by it.
 *
 * @category steps
 * @since 0.1.0
 */
export const add = Effect.fn("Repartition.add")(function* (options: {
  readonly graph: AssetGraph.AssetGraph
  readonly name: string
  readonly keys: ReadonlyArray<string>
}): Effect.fn.Return<ReadonlyArray<string>, UnknownPartitions | Partitions.InvalidPartitions | Reason, Services> {
  const { graph, keys, name } = options
  yield* assetsOf(graph, name)
  yield* Effect.fromResult(Partitions.checkKeys(name, keys))
  const transactor = yield* Transactor
  const partitionKeys = yield* PartitionKeys
  const outbox = yield* Outbox
  return yield* transactor.transact(
    Effect.gen(function* () {
      yield* transactor.lock([Resolution.lock(name, "exclusive")])
      const added = yield* partitionKeys.add({ name, keys, at: yield* DateTime.now })
      if (added.length > 0) yield* outbox.announce([changed])
      return added
    })
  )
})

/**
 * Removes keys, and yields those that were there. The next run of an asset takes back what it had built of them.
 *
 * **Details**
 *
 * What changes upstream from now on does not tell units that are none. So the built ones are marked now, and are found to be
 * stale if the key is added again before anybody has taken them back.
 *
 * @category steps
 * @since 0.1.0
 */
export const remove = Effect.fn("Repartition.remove")(function* (options: {
  readonly graph: AssetGraph.AssetGraph
  readonly name: string
  readonly keys: ReadonlyArray<string>
}): Effect.fn.Return<ReadonlyArray<string>, UnknownPartitions | Reason, Services> {
  const { graph, keys, name } = options
  const assets = yield* assetsOf(graph, name)
  const transactor = yield* Transactor
  const partitionKeys = yield* PartitionKeys
  const materializations = yield* Materializations
  const staleSets = yield* StaleSets
  const outbox = yield* Outbox
  return yield* transactor.transact(
    Effect.gen(function* () {
      yield* transactor.lock([Resolution.lock(name, "exclusive")])
      const removed = yield* partitionKeys.remove({ name, keys })
      if (removed.length === 0) return removed
      const at = yield* DateTime.now
      const gone = new Set(removed)
      const own = new Map<AssetKey, ReadonlyArray<string>>()
      for (const asset of assets.filter(isPartitioned)) {
        const built = yield* materializations.units(asset.name)
        own.set(
          asset.name,
          built.filter((unit) => partsOf(asset, name, unit).some((key) => gone.has(key)))
        )
      }
      // Assets that only other graphs on this ledger have may be cut by the name as well. In the order of the graph, and then
      // by name, as stale sets are held.
      const others = yield* materializations.withParts({ parts: removed, except: Array.from(graph.assets.keys()) })
      for (const [asset, units] of [...own, ...others]) {
        if (units.length > 0) yield* staleSets.mark({ asset, units: listed(units), cause: neverBuilt, at })
      }
      yield* outbox.announce([changed])
      return removed
    })
  )
})

// --- internal ---

const neverBuilt = { _tag: "NeverBuilt" } as const

/** Of no asset in particular: who listens reads the keys again. */
const changed = { asset: undefined, units: undefined }

const assetsOf = (
  graph: AssetGraph.AssetGraph,
  name: string
): Effect.Effect<ReadonlyArray<Asset>, UnknownPartitions> => {
  const found = Array.from(graph.assets.values()).filter((asset) =>
    [asset.partitions, partitionedBy(asset)?.partitions].some(
      (cut) => cut !== undefined && Partitions.dynamicNames(cut).includes(name)
    )
  )
  if (found.length > 0) return Effect.succeed(found)
  const names = AssetGraph.dynamicNames(graph)
  const near = Nearest.find(names, name)
  const known =
    names.length === 0 ? "No asset of the graph is cut by dynamic partitions." : `The names are ${names.join(", ")}.`
  return Effect.fail(
    new UnknownPartitions({
      name,
      message: `There are no dynamic partitions "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`} ${known}`
    })
  )
}

/** The keys of a name that a unit of an asset is of: one, but for dimensions that share it. */
const partsOf = ({ partitions }: Asset, name: string, unit: string): ReadonlyArray<string> => {
  if (partitions._tag !== "Multi") return [unit]
  const parts = Partitions.keysOf(partitions, unit) ?? []
  return partitions.dimensions.flatMap(({ partitions: own }, place) =>
    Partitions.dynamicNames(own).includes(name) ? (parts[place] ?? []) : []
  )
}
