/**
 * Making a graph known before it runs: its tables in the warehouse, and in the ledger its assets with their code and
 * with what they read. A definition changes only between the steps that it concerns, never during one (L8).
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { type Asset, type AssetKey, isPartitioned } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { type Registration, StaleSets } from "../ledger/StaleSets.ts"
import type { Reason } from "../MaterializationError.ts"
import { Transactor } from "../Transactor.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"

/**
 * Creates what is missing of the graph's tables. Several processes may do it at once: they wait for each other.
 *
 * @category steps
 * @since 0.1.0
 */
export const prepare = Effect.fn("Registration.prepare")(function* (
  graph: AssetGraph
): Effect.fn.Return<void, Reason, Transactor | Warehouse> {
  const transactor = yield* Transactor
  const warehouse = yield* Warehouse
  yield* transactor.transact(
    Effect.andThen(transactor.lock([{ asset: tables, mode: "exclusive" }]), warehouse.prepare(graph))
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
): Effect.fn.Return<void, Reason, Transactor | StaleSets | Warehouse> {
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
  const concerned = new Set(pending.flatMap(({ asset, reads }) => [asset, ...reads]))
  const at = yield* DateTime.now
  yield* transactor.transact(
    Effect.gen(function* () {
      yield* transactor.lock(
        Array.from(graph.assets.keys()).flatMap((asset) => (concerned.has(asset) ? [{ asset, mode: "exclusive" }] : []))
      )
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

/** No asset has this name: a hold on all tables. */
const tables: AssetKey = ""

const storedInputs = (asset: Asset): ReadonlyArray<AssetKey> =>
  asset.inputs.flatMap((input) => (input.asset.write._tag === "View" ? storedInputs(input.asset) : [input.asset.name]))
