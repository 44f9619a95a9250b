/**
 * The assets of an application and the edges between them, in topological order. Inputs are values, so a graph cannot
 * have cycles; what it can lack or repeat, an input or a name, does not compile.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Graph from "effect/Graph"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Asset, AssetKey, NamedInput } from "./Asset.ts"
import { phantom, retype } from "./internal/erase.ts"
import * as Nearest from "./internal/nearest.ts"
import type { Reason } from "./MaterializationError.ts"
import * as Partitions from "./Partitions.ts"

/**
 * The type id of `AssetGraph`.
 *
 * @category type IDs
 * @since 0.1.0
 */
export const TypeId: TypeId = "~@assay/core/AssetGraph"

/**
 * The type of `AssetGraph`'s type id.
 *
 * @category type IDs
 * @since 0.1.0
 */
export type TypeId = "~@assay/core/AssetGraph"

/**
 * A graph of assets. `R` is the union of the services that their computes and sources need.
 *
 * @category models
 * @since 0.1.0
 */
export interface AssetGraph<out R = unknown> {
  readonly [TypeId]: { readonly services: R }
  /** The assets by name, upstream before downstream. */
  readonly assets: ReadonlyMap<AssetKey, Asset<string, unknown, R>>
  /** For each asset, the edges that leave it. */
  readonly edges: ReadonlyMap<AssetKey, ReadonlyArray<Edge>>
}

/**
 * An edge: what `downstream` reads of `upstream`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Edge {
  readonly upstream: Asset
  readonly downstream: Asset
  readonly input: NamedInput
}

/**
 * Two assets of one name, or an input that is not in the graph.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidGraph extends Schema.TaggedError<InvalidGraph>("@assay/core/InvalidGraph")("InvalidGraph", {
  message: Schema.String
}) {}

/**
 * A name that no asset of the graph has.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownAsset extends Schema.TaggedError<UnknownAsset>("@assay/core/UnknownAsset")("UnknownAsset", {
  asset: Schema.String,
  message: Schema.String
}) {}

/**
 * A graph of the given assets, in any order. A repeated name or a missing input is a compile error.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const Assets extends ReadonlyArray<Asset>>(
  assets: Assets & CheckedAssets<Assets>
): AssetGraph<ServicesOf<Assets[number]>> =>
  fromIterable(retype<ReadonlyArray<Asset<string, unknown, ServicesOf<Assets[number]>>>>(assets))

/**
 * A graph of assets that are only known at run time. Throws `InvalidGraph` where a name is repeated or an input is
 * missing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromIterable = <R>(assets: Iterable<Asset<string, unknown, R>>): AssetGraph<R> => {
  const byName = new Map<AssetKey, Asset<string, unknown, R>>()
  for (const asset of assets) {
    if (byName.has(asset.name))
      throw new InvalidGraph({ message: `Two assets are named "${asset.name}"; a name stands for one table.` })
    byName.set(asset.name, asset)
  }
  const edges = new Map<AssetKey, Array<Edge>>(Array.from(byName.keys(), (name) => [name, []]))
  for (const asset of byName.values()) {
    for (const input of asset.inputs) {
      if (byName.get(input.asset.name) !== input.asset) {
        throw new InvalidGraph({
          message: `Asset "${asset.name}" reads "${input.asset.name}", which is not in the graph. Add it to the list of assets.`
        })
      }
      edges.get(input.asset.name)?.push({ upstream: input.asset, downstream: asset, input })
    }
  }
  return { [TypeId]: phantom(), assets: new Map(topological(byName)), edges }
}

/**
 * The asset of that name.
 *
 * @category getters
 * @since 0.1.0
 */
export const get = <R>(self: AssetGraph<R>, name: AssetKey): Asset<string, unknown, R> | undefined =>
  self.assets.get(name)

/**
 * The asset of that name. Throws `UnknownAsset`, naming the nearest one, where there is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const getUnsafe = <R>(self: AssetGraph<R>, name: AssetKey): Asset<string, unknown, R> => {
  const asset = self.assets.get(name)
  if (asset === undefined) throw unknownAsset(self, name)
  return asset
}

/**
 * The error for a name that no asset has, with the nearest name as a suggestion.
 *
 * @category errors
 * @since 0.1.0
 */
export const unknownAsset = (self: AssetGraph, name: string): UnknownAsset => {
  const names = Array.from(self.assets.keys())
  const near = Nearest.find(names, name)
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`
  return new UnknownAsset({
    asset: name,
    message: `There is no asset "${name}".${hint} The assets are ${names.join(", ")}.`
  })
}

/**
 * The edges that leave an asset.
 *
 * @category getters
 * @since 0.1.0
 */
export const edgesFrom = (self: AssetGraph, name: AssetKey): ReadonlyArray<Edge> => self.edges.get(name) ?? []

/**
 * Rejects, at compile time, a repeated name or a missing input; the type of the offending asset becomes a sentence.
 *
 * @category type-level
 * @since 0.1.0
 */
export type CheckedAssets<Assets extends ReadonlyArray<Asset>> = {
  readonly [I in keyof Assets]: CheckedAsset<I, Assets[I], Positions<Assets>, Assets[number]["name"]>
}

/** The position of each name; a name that stands twice has a union of positions. */
type Positions<Assets extends ReadonlyArray<Asset>> = {
  readonly [I in Exclude<keyof Assets, keyof ReadonlyArray<unknown>> as NameOf<Assets[I]>]: I
}

type NameOf<A> = A extends Asset<infer Name> ? Name : never

type CheckedAsset<I, A, ByName, Names extends string> =
  A extends Asset<infer Name, unknown, unknown, infer Upstream>
    ? Name extends keyof ByName
      ? [ByName[Name]] extends [I]
        ? [Exclude<Upstream, Names>] extends [never]
          ? A
          : `The asset "${Name}" reads "${Exclude<Upstream, Names>}", which is not in the graph.`
        : `Two assets are named "${Name}".`
      : A
    : A

type ServicesOf<A> = A extends Asset<string, unknown, infer R> ? R : never

/**
 * The same graph with the services of its computes and sources taken from a context.
 *
 * @category combinators
 * @since 0.1.0
 */
export const provide = <R>(self: AssetGraph<R>, context: Context.Context<R>): AssetGraph<never> =>
  retype({ ...self, assets: new Map(Array.from(self.assets, ([name, asset]) => [name, provideAsset(asset, context)])) })

/**
 * The names of the dynamic partitions by which assets of the graph are cut.
 *
 * @category getters
 * @since 0.1.0
 */
export const dynamicNames = (self: AssetGraph): ReadonlyArray<string> => {
  let known = dynamics.get(self.assets)
  if (known === undefined) {
    const cuts = Array.from(self.assets.values(), cutsOf).flat()
    dynamics.set(self.assets, (known = Array.from(new Set(cuts.flatMap(Partitions.dynamicNames))).toSorted()))
  }
  return known
}

/**
 * The same graph with the keys that dynamic partitions have at the moment: the graph itself where they are those that it
 * has already, and the same assets where theirs are.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withKeys = <R>(
  self: AssetGraph<R>,
  keysOf: (name: string) => ReadonlyArray<Partitions.DynamicKey>
): AssetGraph<R> => {
  if (dynamicNames(self).length === 0) return self
  const resolve = (partitions: Partitions.Partitions) => Partitions.withKeys(partitions, keysOf)
  if (
    Array.from(self.assets.values(), cutsOf)
      .flat()
      .every((cut) => resolve(cut) === cut)
  )
    return self
  // One object for each cut, because sets of one definition are combined without comparing their keys.
  const cuts = new Map<Partitions.Partitions, Partitions.Partitions>()
  const resolved = (partitions: Partitions.Partitions) => {
    const known = cuts.get(partitions) ?? resolve(partitions)
    cuts.set(partitions, known)
    return known
  }
  const assets = new Map<AssetKey, Asset<string, unknown, R>>()
  const edges = new Map<AssetKey, Array<Edge>>(Array.from(self.assets.keys(), (name) => [name, []]))
  for (const [name, asset] of self.assets) {
    const inputs = asset.inputs.map((input) => ({ ...input, asset: assets.get(input.asset.name) ?? input.asset }))
    const isSame =
      cutsOf(asset).every((cut) => resolved(cut) === cut) &&
      inputs.every((input) => self.assets.get(input.asset.name) === input.asset)
    const known = isSame
      ? asset
      : { ...asset, inputs, partitions: resolved(asset.partitions), write: rewritten(asset.write, resolved) }
    assets.set(name, known)
    for (const input of known.inputs) {
      const upstream = assets.get(input.asset.name) ?? input.asset
      edges.get(input.asset.name)?.push({ upstream, downstream: known, input })
    }
  }
  return { ...self, assets, edges }
}

// --- internal ---

const dynamics = new WeakMap<AssetGraph["assets"], ReadonlyArray<string>>()

const cutsOf = ({ partitions, write }: Asset): ReadonlyArray<Partitions.Partitions> =>
  write._tag === "Upsert" && write.partitionedBy !== undefined
    ? [partitions, write.partitionedBy.partitions]
    : [partitions]

const rewritten = (
  write: Asset["write"],
  resolved: (partitions: Partitions.Partitions) => Partitions.Partitions
): Asset["write"] =>
  write._tag === "Upsert" && write.partitionedBy !== undefined
    ? { ...write, partitionedBy: { ...write.partitionedBy, partitions: resolved(write.partitionedBy.partitions) } }
    : write

/** Edges keep the assets as defined: nothing is run through an edge. */
const provideAsset = <R>(asset: Asset<string, unknown, R>, context: Context.Context<R>): Asset => {
  const { body } = asset
  if (body._tag === "Source") {
    const { discover, read, replay } = body.source
    return {
      ...asset,
      body: {
        _tag: "Source",
        source: {
          ...body.source,
          discover: (landed) => Effect.provideContext(discover(landed), context),
          read: (delivery) => Stream.provideContext(read(delivery), context),
          replay: (rejected) => Effect.provideContext(replay(rejected), context)
        }
      }
    }
  }
  const { rows, sql } = body.compute
  const given = <A>(result: A | Effect.Effect<A, Reason, R>): A | Effect.Effect<A, Reason> =>
    Effect.isEffect(result) ? Effect.provideContext(result, context) : result
  return {
    ...asset,
    body: {
      _tag: "Compute",
      compute: {
        sql: sql === undefined ? undefined : (inputs) => given(sql(inputs)),
        rows: rows === undefined ? undefined : (inputs) => given(rows(inputs))
      }
    }
  }
}

const topological = <R>(
  byName: ReadonlyMap<AssetKey, Asset<string, unknown, R>>
): ReadonlyArray<readonly [AssetKey, Asset<string, unknown, R>]> => {
  const graph = Graph.directed<AssetKey, null>((mutable) => {
    const nodes = new Map(Array.from(byName.keys(), (name) => [name, Graph.addNode(mutable, name)]))
    for (const asset of byName.values()) {
      const to = nodes.get(asset.name)
      for (const upstream of new Set(asset.inputs.map((input) => input.asset.name))) {
        const from = nodes.get(upstream)
        if (from !== undefined && to !== undefined) Graph.addEdge(mutable, from, to, null)
      }
    }
  })
  return Array.from(Graph.values(Graph.topo(graph))).flatMap((name) => {
    const asset = byName.get(name)
    return asset === undefined ? [] : [[name, asset] as const]
  })
}
