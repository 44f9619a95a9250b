/**
 * The laws, checked on the data at hand. `units` recomputes every unit outside the stale sets from its upstream tables
 * as they are (L2); `chain` recomputes everything from the source assets and also refuses anything stale (L1). Both
 * read one snapshot and leave nothing behind.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Asset, AssetKey } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import type { Materializations } from "../ledger/Materializations.ts"
import { StaleSets } from "../ledger/StaleSets.ts"
import type { Reason } from "../MaterializationError.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as AssetStatus from "../planning/AssetStatus.ts"
import * as IncompleteWindow from "../planning/IncompleteWindow.ts"
import { Transactor } from "../Transactor.ts"
import { all, fromPartitions, listed, none } from "../Unit.ts"
import { type Difference, Warehouse } from "../warehouse/Warehouse.ts"

/**
 * The services that verifying uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Transactor | StaleSets | Materializations | Warehouse

/**
 * What verifying an asset found. `stale` counts the units that were left out (L2), or that should not be there (L1);
 * `never` says that nothing was there to compare.
 *
 * @category models
 * @since 0.1.0
 */
export interface Verdict {
  readonly asset: AssetKey
  readonly isOk: boolean
  readonly compared: "units" | "everything" | "nothing"
  readonly stale: number
  readonly missing: number
  readonly difference: Difference
}

/**
 * Compares every unit outside the stale sets with its recompute (L2).
 *
 * @category verifying
 * @since 0.1.0
 */
export const units = Effect.fn("Verifier.units")(function* (
  assets: ReadonlyArray<Asset<string, unknown, never>>
): Effect.fn.Return<ReadonlyArray<Verdict>, Reason, Services> {
  const transactor = yield* Transactor
  const now = yield* DateTime.now
  return yield* transactor.snapshot(
    Effect.gen(function* () {
      const statuses = yield* AssetStatus.read({ assets: assets.filter(isComputed), now })
      return yield* Effect.forEach(statuses, verifyUnits)
    })
  )
})

/**
 * Recomputes the whole chain from the source assets and compares every table with it; anything stale or missing fails
 * (L1). Partitions that wait for upstream windows are not missed.
 *
 * @category verifying
 * @since 0.1.0
 */
export const chain = Effect.fn("Verifier.chain")(function* (
  graph: AssetGraph<never>
): Effect.fn.Return<ReadonlyArray<Verdict>, Reason, Services> {
  const transactor = yield* Transactor
  const warehouse = yield* Warehouse
  const now = yield* DateTime.now
  return yield* transactor.snapshot(
    Effect.gen(function* () {
      const statuses = yield* AssetStatus.read({ assets: Array.from(graph.assets.values()).filter(isComputed), now })
      const millis = DateTime.toEpochMillis(now)
      const waiting = new Map(
        statuses.map((status) => {
          const held = IncompleteWindow.waiting(status.asset, status.existing, millis)
          return [status.asset.name, PartitionSet.difference(held, status.built)]
        })
      )
      const expected = new Map(
        statuses.map(({ asset, existing }) => {
          const held = waiting.get(asset.name)
          return [asset.name, fromPartitions(held === undefined ? existing : PartitionSet.difference(existing, held))]
        })
      )
      const differences = yield* warehouse.verifyChain({ graph, partitions: ({ name }) => expected.get(name) ?? [] })
      return statuses.map((status): Verdict => {
        const difference = differences.get(status.asset.name) ?? same
        const stale =
          status.whole === undefined ? AssetStatus.staleCount(status) : Math.max(1, AssetStatus.staleCount(status))
        const held = waiting.get(status.asset.name) ?? PartitionSet.empty(status.existing.partitions)
        const missing = PartitionSet.size(PartitionSet.difference(AssetStatus.missing(status), held))
        return {
          asset: status.asset.name,
          isOk: stale + missing + difference.missing + difference.unexpected === 0,
          compared: "everything",
          stale,
          missing,
          difference
        }
      })
    })
  )
})

// --- internal ---

const same: Difference = { missing: 0, unexpected: 0, examples: [] }

const isComputed = (asset: Asset): boolean => asset.body._tag === "Compute" && asset.write._tag !== "View"

const verifyUnits = Effect.fnUntraced(function* (
  status: AssetStatus.AssetStatus<never>
): Effect.fn.Return<Verdict, Reason, Services> {
  const { asset } = status
  const stale = AssetStatus.staleCount(status)
  const missing = PartitionSet.size(AssetStatus.missing(status))
  const verdict = (compared: Verdict["compared"], difference: Difference): Verdict => ({
    asset: asset.name,
    isOk: difference.missing + difference.unexpected === 0,
    compared,
    stale,
    missing,
    difference
  })
  if (!status.isBuilt || (status.whole !== undefined && asset.write._tag !== "ReplacePartitions"))
    return verdict("nothing", same)
  const staleSets = yield* StaleSets
  const warehouse = yield* Warehouse
  if (asset.write._tag === "ReplacePartitions") {
    const fresh = PartitionSet.difference(status.built, status.stale)
    if (PartitionSet.isEmpty(fresh)) return verdict("nothing", same)
    const scope = yield* staleSets.pick({
      asset: asset.name,
      selection: { _tag: "Units", units: fromPartitions(fresh), isForced: true }
    })
    return verdict("units", yield* warehouse.verify({ asset, scope, except: none }))
  }
  const marked = yield* staleSets.units(asset.name)
  if (asset.write._tag === "Replace" && marked.length > 0) return verdict("nothing", same)
  return verdict(
    "units",
    yield* warehouse.verify({
      asset,
      scope: { units: all, partitions: [] },
      except: listed(marked.map(({ unit }) => unit))
    })
  )
})
