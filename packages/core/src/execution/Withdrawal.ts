/**
 * Taking back what an earlier definition of a partitioned asset had built and this one does not have: a start that moved
 * later, an end that moved earlier, a name that was dropped. To what reads the asset it is a change like any other, so it
 * is a step like any other, only that it computes nothing.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Asset } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { Materializations } from "../ledger/Materializations.ts"
import { StaleSets } from "../ledger/StaleSets.ts"
import type { Reason } from "../MaterializationError.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as AssetStatus from "../planning/AssetStatus.ts"
import { Transactor } from "../Transactor.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import * as FaultPoint from "./FaultPoint.ts"
import * as Materializer from "./Materializer.ts"
import * as Resolution from "./Resolution.ts"

/**
 * Removes the rows, records and marks of the units that the asset's definition does not have any more, in one
 * transaction. Undefined where there are none.
 *
 * **Details**
 *
 * A row stays where its partition exists, or was built by this code: a process whose clock is ahead may have built one
 * that does not exist here yet. Keys of dynamic partitions do not depend on a clock: only those that are there stay.
 *
 * @category steps
 * @since 0.1.0
 */
export const step = Effect.fn("Withdrawal.step")(function* <E, R>(options: {
  readonly graph: AssetGraph
  readonly asset: Asset<string, unknown, never>
  readonly runId: string
  /** Recorded in the same transaction. */
  readonly record: (result: Materializer.StepResult) => Effect.Effect<void, E, R>
}): Effect.fn.Return<Materializer.StepResult | undefined, Reason | E, Materializer.Services | R> {
  const { record, runId } = options
  const transactor = yield* Transactor
  const staleSets = yield* StaleSets
  const materializations = yield* Materializations
  const warehouse = yield* Warehouse
  const result = yield* transactor.transact(
    Effect.gen(function* () {
      yield* FaultPoint.pass("beforeLock")
      yield* transactor.lock(Materializer.locksOf(options.graph, options.asset))
      yield* FaultPoint.pass("afterLock")
      yield* Materializer.refuseOtherCode(options.asset)
      // A key that was added since this run began must not be taken for one that is there no more.
      const graph = yield* Resolution.hold(options.graph, options.asset)
      const asset = yield* Resolution.currentOf(graph, options.asset)
      const at = yield* DateTime.now
      const [status] = yield* AssetStatus.read({ assets: [asset], now: at })
      const units = status?.withdrawn ?? []
      if (status === undefined || units.length === 0) return undefined
      const picked = yield* staleSets.pick({
        asset: asset.name,
        selection: { _tag: "Units", units: units.map((unit) => ({ unit, window: undefined })), isForced: true }
      })
      yield* FaultPoint.pass("afterPick")
      yield* FaultPoint.pass("beforeWrite")
      const written = yield* warehouse.withdraw({
        asset,
        except: PartitionSet.union(status.existing, yield* builtByThisCode(asset))
      })
      yield* FaultPoint.pass("afterWrite")
      yield* staleSets.clear(picked)
      yield* FaultPoint.pass("afterClear")
      yield* Materializer.propagate({ graph, asset, written, at })
      yield* FaultPoint.pass("afterMarks")
      yield* materializations.forget({ asset: asset.name, units })
      // Units that are gone are not units that were rebuilt.
      const done: Materializer.StepResult = { units: 0, written, warnings: [] }
      yield* Materializer.emit({ asset, picked, result: done, runId, at })
      yield* record(done)
      yield* FaultPoint.pass("beforeCommit")
      return done
    })
  )
  yield* FaultPoint.pass("afterCommit")
  return result
})

// --- internal ---

const builtByThisCode = Effect.fnUntraced(function* (
  asset: Asset
): Effect.fn.Return<PartitionSet.PartitionSet, Reason, Materializations> {
  const materializations = yield* Materializations
  const outdated = new Set(yield* materializations.outdated({ asset: asset.name, codeVersion: asset.codeVersion }))
  const units = yield* materializations.units(asset.name)
  return PartitionSet.fromKnownKeys(
    asset.partitions,
    units.filter((unit) => !outdated.has(unit))
  )
})
