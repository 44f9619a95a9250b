/**
 * What somebody wants to have materialized, and what follows from it before anything is looked up: which assets take
 * part, in which order, and within which partitions.
 */
import * as Result from "effect/Result"
import type { Asset, AssetKey } from "../Asset.ts"
import { isPartitioned } from "../Asset.ts"
import type { AssetGraph, UnknownAsset } from "../AssetGraph.ts"
import * as AssetSelection from "../AssetSelection.ts"
import * as PartitionReach from "../PartitionReach.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"

/**
 * What somebody wants to have materialized.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  /** The assets by name. All, where neither names nor a selection are given. */
  readonly assets?: ReadonlyArray<AssetKey> | undefined
  /** The assets by a selection, as data or as `AssetSelection.parse` reads it; those of `assets` are added to it. */
  readonly select?: AssetSelection.AssetSelection | string | undefined
  /** The partitions as a range (`2024-03..`), for the named assets that have partitions; undefined means all. */
  readonly partitions?: string | undefined
  /** Whether what they are made of is brought up to date first. Default true. */
  readonly upstream?: boolean | undefined
  /** Whether units of the named assets are rebuilt although they are fresh. Default false. */
  readonly force?: boolean | undefined
}

/**
 * One asset that takes part.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target<R = unknown> {
  readonly asset: Asset<string, unknown, R>
  /** Whether the request names it; the others are upstream of one that it names. */
  readonly isNamed: boolean
  /** The partitions wanted; undefined for an asset without partitions. */
  readonly partitions: PartitionSet.PartitionSet | undefined
  readonly isForced: boolean
}

/**
 * The assets that are asked for, as a selection.
 *
 * @category getters
 * @since 0.1.0
 */
export const selection = (
  { assets = [], select }: Pick<Request, "assets" | "select">,
  graph: AssetGraph
): Result.Result<AssetSelection.AssetSelection, AssetSelection.InvalidSelection> => {
  const named = AssetSelection.names(...assets)
  if (select === undefined) return Result.succeed(assets.length === 0 ? AssetSelection.all : named)
  return Result.map(
    typeof select === "string" ? AssetSelection.parse(select, graph) : Result.succeed(select),
    (selected) => (assets.length === 0 ? selected : AssetSelection.union(selected, named))
  )
}

/**
 * The assets that take part, upstream before downstream, each with the partitions wanted of it.
 *
 * **Details**
 *
 * Upstream of a range lie the partitions that the range is made of, where the mapping tells them; all, where it reads
 * rows. An asset whose policy is `onRequest` takes part only where it is named. A selection by state asks `statusOf`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const targets = <R>(
  request: Request,
  options: { readonly graph: AssetGraph<R>; readonly now: number; readonly statusOf?: AssetSelection.StatusOf }
): Result.Result<
  ReadonlyArray<Target<R>>,
  UnknownAsset | AssetSelection.InvalidSelection | PartitionSet.InvalidPartitionRange
> =>
  Result.gen(function* () {
    const { graph, now, statusOf } = options
    const named = AssetSelection.names(
      ...(yield* AssetSelection.resolve(yield* selection(request, graph), graph, statusOf))
    )
    const names = new Set(named.names)
    const isWithUpstream = request.upstream ?? true
    const order = yield* AssetSelection.resolve(isWithUpstream ? AssetSelection.upstream(named) : named, graph)
    const wanted = new Map<AssetKey, PartitionSet.PartitionSet>()
    const want = (asset: Asset, partitions: PartitionSet.PartitionSet) =>
      wanted.set(
        asset.name,
        PartitionSet.union(wanted.get(asset.name) ?? PartitionSet.empty(asset.partitions), partitions)
      )
    const taking: Array<Target<R>> = []
    for (const name of order.toReversed()) {
      const asset = graph.assets.get(name)
      if (asset === undefined) continue
      const isNamed = names.has(name)
      const existing = Partitions.existing(asset.partitions, now)
      if (isNamed && isPartitioned(asset)) {
        want(
          asset,
          request.partitions === undefined
            ? existing
            : yield* PartitionSet.parse(request.partitions, { partitions: asset.partitions, existing, now })
        )
      }
      const partitions = isPartitioned(asset)
        ? PartitionSet.intersection(wanted.get(name) ?? existing, existing)
        : undefined
      for (const { asset: upstream, mapping } of asset.inputs) {
        if (!isPartitioned(upstream)) continue
        const reached =
          partitions === undefined
            ? undefined
            : PartitionReach.upstream(mapping, { downstream: partitions, upstream: upstream.partitions })
        want(upstream, reached ?? Partitions.existing(upstream.partitions, now))
      }
      // A view has nothing that could wait for a request; what is read through it has to be done first.
      if (!isNamed && asset.policy.automation._tag === "Never" && asset.write._tag !== "View") continue
      taking.push({ asset, isNamed, partitions, isForced: isNamed && (request.force ?? false) })
    }
    return taking.toReversed()
  })
