/**
 * Which assets of a graph are meant: names, everything, and what lies up- or downstream, combined as sets. A selection
 * is data; `resolve` turns it into names in topological order.
 */
import * as Result from "effect/Result"
import type { AssetKey } from "./Asset.ts"
import { type AssetGraph, edgesFrom, type UnknownAsset, unknownAsset } from "./AssetGraph.ts"

/**
 * A set of assets, as it was asked for.
 *
 * @category models
 * @since 0.1.0
 */
export type AssetSelection =
  | { readonly _tag: "All" }
  | { readonly _tag: "Names"; readonly names: ReadonlyArray<AssetKey> }
  | { readonly _tag: "Upstream"; readonly of: AssetSelection }
  | { readonly _tag: "Downstream"; readonly of: AssetSelection }
  | { readonly _tag: "Union"; readonly left: AssetSelection; readonly right: AssetSelection }
  | { readonly _tag: "Difference"; readonly left: AssetSelection; readonly right: AssetSelection }

/**
 * Every asset.
 *
 * @category constructors
 * @since 0.1.0
 */
export const all: AssetSelection = { _tag: "All" }

/**
 * The assets of these names.
 *
 * @category constructors
 * @since 0.1.0
 */
export const names = (...assets: ReadonlyArray<AssetKey>): AssetSelection => ({ _tag: "Names", names: assets })

/**
 * The selected assets and everything they are made of.
 *
 * @category combinators
 * @since 0.1.0
 */
export const upstream = (of: AssetSelection): AssetSelection => ({ _tag: "Upstream", of })

/**
 * The selected assets and everything made of them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const downstream = (of: AssetSelection): AssetSelection => ({ _tag: "Downstream", of })

/**
 * The assets of either selection.
 *
 * @category combinators
 * @since 0.1.0
 */
export const union = (left: AssetSelection, right: AssetSelection): AssetSelection => ({ _tag: "Union", left, right })

/**
 * The assets of the first selection that are not in the second.
 *
 * @category combinators
 * @since 0.1.0
 */
export const difference = (left: AssetSelection, right: AssetSelection): AssetSelection => ({
  _tag: "Difference",
  left,
  right
})

/**
 * The names of the selected assets, upstream before downstream.
 *
 * @category conversions
 * @since 0.1.0
 */
export const resolve = (
  self: AssetSelection,
  graph: AssetGraph
): Result.Result<ReadonlyArray<AssetKey>, UnknownAsset> =>
  Result.map(members(self, graph), (set) => Array.from(graph.assets.keys()).filter((name) => set.has(name)))

// --- internal ---

type Members = Result.Result<ReadonlySet<AssetKey>, UnknownAsset>

const members = (self: AssetSelection, graph: AssetGraph): Members => {
  switch (self._tag) {
    case "All":
      return Result.succeed(new Set(graph.assets.keys()))
    case "Names": {
      const stranger = self.names.find((name) => !graph.assets.has(name))
      return stranger === undefined ? Result.succeed(new Set(self.names)) : Result.fail(unknownAsset(graph, stranger))
    }
    case "Upstream":
      return Result.map(members(self.of, graph), (set) =>
        closure(set, (name) => graph.assets.get(name)?.inputs.map((input) => input.asset.name) ?? [])
      )
    case "Downstream":
      return Result.map(members(self.of, graph), (set) =>
        closure(set, (name) => edgesFrom(graph, name).map((edge) => edge.downstream.name))
      )
    case "Union":
      return combine(self, graph, (left, right) => left.union(right))
    case "Difference":
      return combine(self, graph, (left, right) => left.difference(right))
  }
}

const combine = (
  { left, right }: { readonly left: AssetSelection; readonly right: AssetSelection },
  graph: AssetGraph,
  f: (left: Set<AssetKey>, right: Set<AssetKey>) => ReadonlySet<AssetKey>
): Members =>
  Result.flatMap(members(left, graph), (a) => Result.map(members(right, graph), (b) => f(new Set(a), new Set(b))))

const closure = (
  start: ReadonlySet<AssetKey>,
  neighbours: (name: AssetKey) => ReadonlyArray<AssetKey>
): ReadonlySet<AssetKey> => {
  const reached = new Set(start)
  for (const name of reached) neighbours(name).forEach((neighbour) => reached.add(neighbour))
  return reached
}
