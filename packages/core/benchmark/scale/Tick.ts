/**
 * One look of a daemon that knows everything already, without what it carries out: it reads what it was told has changed,
 * evaluates all conditions and decides, in one transaction, as `execution/Watcher` does.
 */
import { type Asset, type AssetKey, isPartitioned } from "@assay/core/Asset"
import type { AssetGraph } from "@assay/core/AssetGraph"
import { AutomationCursors, type Facts } from "@assay/core/ledger/AutomationCursors"
import type { Reason } from "@assay/core/MaterializationError"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as AutomationState from "@assay/core/planning/AutomationState"
import * as AutomationTurn from "@assay/core/planning/AutomationTurn"
import { Transactor } from "@assay/core/Transactor"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"

/** What a daemon knows when everything that exists is built, and nothing is stale. */
export const atRest = (graph: AssetGraph<never>, now: number): AutomationTurn.Ground => {
  // All assets are cut alike.
  const [first] = graph.assets.values()
  const existing = first === undefined ? [] : PartitionSet.keys(Partitions.existing(first.partitions, now))
  const built = Array.from(existing, (unit) => ({ unit, isUpdated: false }))
  return {
    graph,
    assets: new Set(graph.assets.keys()),
    deliveries: new Map(),
    known: new Map(Array.from(graph.assets, ([name, asset]) => [name, knownWith(asset, built)]))
  }
}

/** Looks at assets that were heard of, with the units that were told of them. */
export const look = Effect.fnUntraced(function* (
  ground: AutomationTurn.Ground,
  { heard, now }: { readonly heard: ReadonlyMap<AssetKey, ReadonlyArray<string>>; readonly now: number }
): Effect.fn.Return<AutomationTurn.Request | undefined, Reason, AutomationCursors | Transactor> {
  const cursors = yield* AutomationCursors
  const transactor = yield* Transactor
  return yield* transactor.transact(
    Effect.gen(function* () {
      yield* transactor.lock([{ asset: " automation", mode: "exclusive" }])
      const remembering = AutomationTurn.rememberingOf(ground)
      const questions = Array.from(ground.graph.assets.values()).flatMap((asset) => {
        const units = heard.get(asset.name)
        return units === undefined && !remembering.has(asset.name)
          ? []
          : [{ asset: asset.name, isPartitioned: isPartitioned(asset), units: units ?? [] }]
      })
      const aliveSince = DateTime.makeUnsafe(now)
      const reading = yield* cursors.read({ watcher: "benchmark", questions, aliveSince })
      const seen = AutomationTurn.see(ground, { questions, reading, now })
      return AutomationTurn.decide(ground, seen, { runId: "benchmark", reading })
    })
  )
})

// --- internal ---

const knownWith = (asset: Asset, built: Facts["built"]): AutomationState.Known =>
  AutomationState.learn(
    asset,
    { codeVersion: asset.codeVersion, ranges: [], marks: [], built, failures: [], remembered: undefined },
    { before: undefined, units: undefined }
  )
