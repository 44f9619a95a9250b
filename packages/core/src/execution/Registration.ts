/**
 * Making a graph known before it runs: its tables in the warehouse, and in the ledger its assets with their code and
 * with what they read. A definition changes only between the steps that it concerns, never during one (L8).
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { type Asset, type AssetKey, isPartitioned } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { Materializations } from "../ledger/Materializations.ts"
import { Positions } from "../ledger/Positions.ts"
import { type Registration, StaleSets } from "../ledger/StaleSets.ts"
import type { Reason } from "../MaterializationError.ts"
import { type Lock, Transactor } from "../Transactor.ts"
import { all } from "../Unit.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import * as Materializer from "./Materializer.ts"

/**
 * The services that making a graph known uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Transactor | StaleSets | Materializations | Positions | Warehouse

/**
 * The hold of who makes tables. No asset has this name.
 *
 * @category locks
 * @since 0.1.0
 */
export const tables: Lock = { asset: "", mode: "exclusive" }

/**
 * Creates what is missing of the graph's tables. Several processes may do it at once: they wait for each other.
 *
 * **Details**
 *
 * A table that is missing although the ledger knows what is in it was dropped by somebody. What it held is forgotten with
 * it, so that it is landed or built again, and what reads it is stale.
 *
 * @category steps
 * @since 0.1.0
 */
export const prepare = Effect.fn("Registration.prepare")(function* (
  graph: AssetGraph
): Effect.fn.Return<void, Reason, Services> {
  const transactor = yield* Transactor
  const warehouse = yield* Warehouse
  yield* transactor.transact(
    Effect.gen(function* () {
      yield* transactor.lock([tables])
      for (const name of yield* warehouse.prepare(graph)) {
        const asset = graph.assets.get(name)
        if (asset !== undefined) yield* forget(asset)
      }
    })
  )
})

/**
 * Makes the assets of the graph known to the ledger.
 *
 * **Details**
 *
 * A step reads under its lock who reads its asset, and under which code. So an asset is registered under its own lock
 * and those of everything it reads: the steps before it are committed and seen by its first build, and the steps after
 * it know it.
 *
 * @category steps
 * @since 0.1.0
 */
export const register = Effect.fn("Registration.register")(function* (
  graph: AssetGraph
): Effect.fn.Return<void, Reason, Services> {
  const transactor = yield* Transactor
  const staleSets = yield* StaleSets
  const warehouse = yield* Warehouse
  const registrations = of(graph)
  const pending = yield* staleSets.unregistered(registrations)
  // A view is part of its readers' code: where it changed, they are pending, and it changes with them.
  if (pending.length === 0) {
    const hasViews = Array.from(graph.assets.values()).some(({ write }) => write._tag === "View")
    return hasViews ? yield* transactor.transact(warehouse.redefine(graph)) : undefined
  }
  const concerned = pending.flatMap(({ asset, reads }) => [asset, ...reads])
  const at = yield* DateTime.now
  yield* transactor.transact(
    Effect.gen(function* () {
      yield* transactor.lock(Materializer.inOrder(concerned.map((asset) => ({ asset, mode: "exclusive" }))))
      yield* warehouse.redefine(graph)
      yield* staleSets.register({ assets: yield* staleSets.unregistered(pending), at })
    })
  )
})

/**
 * What the ledger has to know of the assets of a graph. Sources and views are never stale.
 *
 * @category conversions
 * @since 0.1.0
 */
export const of = (graph: AssetGraph): ReadonlyArray<Registration> =>
  Array.from(graph.assets.values())
    .filter(({ body, write }) => body._tag === "Compute" && write._tag !== "View")
    .map((asset) => ({
      asset: asset.name,
      codeVersion: asset.codeVersion,
      isPartitioned: isPartitioned(asset),
      reads: Array.from(new Set(storedInputs(asset))).toSorted()
    }))

// --- internal ---

/** Forgets what the ledger knows of the rows of an asset whose table is new. */
const forget = Effect.fnUntraced(function* (asset: Asset): Effect.fn.Return<void, Reason, Services> {
  const staleSets = yield* StaleSets
  const materializations = yield* Materializations
  const positions = yield* Positions
  const units = yield* materializations.units(asset.name)
  if (units.length === 0 && (yield* positions.all(asset.name)).length === 0) return
  const at = yield* DateTime.now
  yield* materializations.forget({ asset: asset.name, units })
  yield* positions.forget(asset.name)
  for (const known of yield* staleSets.known(asset.name)) {
    const isItself = known.asset === asset.name
    if (isItself && isPartitioned(asset)) continue
    yield* staleSets.mark({
      asset: known.asset,
      units: all,
      cause: isItself ? { _tag: "NeverBuilt" } : { _tag: "Upstream", asset: asset.name },
      at
    })
  }
})

const storedInputs = (asset: Asset): ReadonlyArray<AssetKey> =>
  asset.inputs.flatMap((input) => (input.asset.write._tag === "View" ? storedInputs(input.asset) : [input.asset.name]))
