/**
 * What is there to know of one unit? Everything that the ledger keeps of it and of what it is made of, read for an
 * explanation.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Asset, AssetKey } from "../Asset.ts"
import { isPartitioned } from "../Asset.ts"
import { type AssetGraph, type UnknownAsset, unknownAsset } from "../AssetGraph.ts"
import * as AssetSelection from "../AssetSelection.ts"
import { Materializations } from "../ledger/Materializations.ts"
import { Runs } from "../ledger/Runs.ts"
import { type Mark, StaleSets } from "../ledger/StaleSets.ts"
import type { Reason } from "../MaterializationError.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as AssetStatus from "../planning/AssetStatus.ts"
import * as Why from "../planning/Why.ts"
import { whole } from "../Unit.ts"

/**
 * The services that an inquiry asks.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Materializations | Runs | StaleSets

/**
 * Explains one unit of an asset.
 *
 * @category inquiries
 * @since 0.1.0
 */
export const make = Effect.fn("Inquiry.make")(function* (options: {
  readonly graph: AssetGraph
  readonly asset: AssetKey
  readonly unit?: string | undefined
}): Effect.fn.Return<Why.Explanation, UnknownAsset | PartitionSet.InvalidPartitionRange | Reason, Services> {
  const { graph } = options
  const asset = graph.assets.get(options.asset)
  if (asset === undefined) return yield* unknownAsset(graph, options.asset)
  const now = yield* DateTime.now
  const runs = yield* Runs
  const materializations = yield* Materializations
  const upstream = AssetSelection.upstream(AssetSelection.names(asset.name))
  const names = yield* Effect.fromResult(AssetSelection.resolve(upstream, graph))
  const assets = names.flatMap((name) => graph.assets.get(name) ?? [])
  const statuses = new Map(
    (yield* AssetStatus.read({ assets, now })).map((status) => [status.asset.name, status] as const)
  )
  const status = statuses.get(asset.name)
  const unit =
    options.unit === undefined
      ? status === undefined
        ? whole
        : Why.usualUnit(status)
      : yield* unitOf(asset, options.unit, now)
  return Why.make({
    graph,
    asset,
    unit,
    statuses,
    steps: yield* runs.lastOf(names),
    built: yield* materializations.get({ asset: asset.name, unit: isPartitioned(asset) ? unit : whole }),
    reasons: yield* reasonsOf(asset, unit),
    now
  })
})

// --- internal ---

/** A key as it is written; of a partition also `latest`, or a range that holds one partition. */
const unitOf = Effect.fnUntraced(function* (asset: Asset, text: string, at: DateTime.Utc) {
  const { partitions } = asset
  if (!isPartitioned(asset) || Partitions.isKey(partitions, text)) return text
  const now = DateTime.toEpochMillis(at)
  const existing = Partitions.existing(partitions, now)
  const found = yield* Effect.fromResult(PartitionSet.parse(text, { partitions, existing, now }))
  const [first = whole] = PartitionSet.keys(found)
  if (PartitionSet.size(found) === 1) return first
  return yield* new PartitionSet.InvalidPartitionRange({
    text,
    item: text,
    position: 1,
    problem: `stands for ${PartitionSet.size(found).toLocaleString("en-US")} partitions, and one is explained at a time`,
    validForms: `a partition, such as ${first}; latest`,
    isUnderstood: true
  })
})

const reasonsOf = Effect.fnUntraced(function* (
  asset: Asset,
  unit: string
): Effect.fn.Return<ReadonlyArray<Why.Reason>, Reason, StaleSets | Runs> {
  const staleSets = yield* StaleSets
  const marks = yield* staleSets.covering({ asset: asset.name, unit })
  return yield* Effect.forEach(marks, (mark) => Effect.map(markedBy(mark), (runId) => ({ ...mark, runId })))
})

/** Of more runs the ledger knows more than is worth reading. */
const mostRuns = 100

/** A mark says when it was made and by a change of which asset; the run is the one that was at work on it then. */
const markedBy = Effect.fnUntraced(function* ({ at, cause }: Mark) {
  if (cause._tag !== "Upstream") return undefined
  const runs = yield* Runs
  const during = (span: { readonly startedAt: DateTime.Utc; readonly finishedAt: DateTime.Utc | undefined }) =>
    DateTime.isLessThanOrEqualTo(span.startedAt, at) &&
    (span.finishedAt === undefined || DateTime.isGreaterThanOrEqualTo(span.finishedAt, at))
  const candidates = (yield* runs.list({ limit: mostRuns })).filter(
    ({ run }) => during(run) && run.assets.includes(cause.asset)
  )
  const found = yield* Effect.forEach(candidates, ({ run }) => runs.get(run.runId))
  const marking = found.flatMap((lookup) =>
    lookup._tag === "Found" && lookup.steps.some((step) => step.asset === cause.asset && during(step))
      ? [lookup.run.runId]
      : []
  )
  return marking.length === 1 ? marking[0] : undefined
})
