/**
 * One step: the transaction in which some units of an asset are rebuilt and everything that must agree with them is
 * written (L3). Lock, pick, compute, write, check, clear, mark downstream, record: always these eight actions in this
 * order, for every asset.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Asset, type AssetKey, isPartitioned } from "../Asset.ts"
import type { CheckResult } from "../AssetCheck.ts"
import type { AssetEvent } from "../AssetEvent.ts"
import { maxUnitKeys } from "../AssetEvent.ts"
import { type AssetGraph, type Edge, edgesFrom } from "../AssetGraph.ts"
import { Materializations } from "../ledger/Materializations.ts"
import { Outbox } from "../ledger/Outbox.ts"
import type { PartitionKeys } from "../ledger/PartitionKeys.ts"
import { type Known, type Picked, type Selection, StaleSets } from "../ledger/StaleSets.ts"
import { DataQuality, DefinitionFault, type Reason, Transient } from "../MaterializationError.ts"
import { isByPartition } from "../PartitionMapping.ts"
import * as PartitionReach from "../PartitionReach.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import { type Lock, Transactor } from "../Transactor.ts"
import { all, listed, type UnitSet, whole } from "../Unit.ts"
import { type Content, type Scope, Warehouse, type Written } from "../warehouse/Warehouse.ts"
import * as FaultPoint from "./FaultPoint.ts"
import * as Resolution from "./Resolution.ts"

/**
 * The services that a step uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Transactor | StaleSets | Materializations | Outbox | PartitionKeys | Warehouse

/**
 * What a step did.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepResult {
  readonly units: number
  readonly written: Written
  /** The checks that found something, all of them warnings. */
  readonly warnings: ReadonlyArray<CheckResult>
}

/**
 * Rebuilds the selected units of an asset in one transaction. Undefined where nothing was selected.
 *
 * **Details**
 *
 * Of dynamic partitions, what was selected and is removed by now is left out, and what is removed during the step makes it
 * try again: what a step commits is of keys that are there.
 *
 * @category steps
 * @since 0.1.0
 */
export const step = Effect.fn("Materializer.step")(function* <E, R>(options: {
  readonly graph: AssetGraph
  readonly asset: Asset<string, unknown, never>
  readonly selection: Selection
  readonly runId: string
  /** Recorded with the rows, in the same transaction. */
  readonly record: (result: StepResult) => Effect.Effect<void, E, R>
}): Effect.fn.Return<StepResult | undefined, Reason | E, Services | R> {
  const { graph, record, runId } = options
  const transactor = yield* Transactor
  const staleSets = yield* StaleSets
  const warehouse = yield* Warehouse
  const result = yield* transactor.transact(
    Effect.gen(function* () {
      yield* FaultPoint.pass("beforeLock")
      yield* transactor.lock(locksOf(graph, options.asset))
      yield* FaultPoint.pass("afterLock")
      const known = yield* refuseOtherCode(options.asset)
      const found = yield* Resolution.currentOf(graph, options.asset)
      const selection = present(found, options.selection)
      const picked = yield* staleSets.pick({ asset: found.name, selection })
      if (picked.units._tag === "None") return undefined
      // Asked again, because a key upstream may have been added and built until the marks were picked.
      const asset = yield* Resolution.currentOf(graph, found)
      const at = yield* DateTime.now
      yield* FaultPoint.pass("afterPick")
      const written = yield* warehouse.build({ asset, scope: picked, at, computed: FaultPoint.pass("beforeWrite") })
      yield* FaultPoint.pass("afterWrite")
      const warnings = yield* checked(asset, picked)
      yield* FaultPoint.pass("afterChecks")
      // What takes time comes first: who marks this asset, or what it marks, waits from here to the commit.
      const units = yield* unitsBuilt(asset, picked, written)
      const held = yield* Resolution.hold(graph, asset)
      const { partitions } = held.assets.get(asset.name) ?? asset
      yield* refuseRemoved(picked, found.partitions, partitions)
      const marks = yield* reach({ graph: held, asset, written, at, known })
      yield* staleSets.hold([asset.name, ...marks.map((mark) => mark.asset)])
      yield* staleSets.clear(picked)
      yield* FaultPoint.pass("afterClear")
      yield* spread(asset, marks, at)
      yield* FaultPoint.pass("afterMarks")
      const done: StepResult = { units: picked.count, written, warnings }
      const materializations = yield* Materializations
      yield* materializations.record({
        asset: asset.name,
        runId,
        codeVersion: asset.codeVersion,
        at,
        units,
        partitions: isPartitioned(asset) ? partitions : undefined
      })
      yield* warehouse.settle({ graph, asset })
      yield* emit({ asset, picked, result: done, runId, at })
      yield* record(done)
      yield* FaultPoint.pass("beforeCommit")
      return done
    })
  )
  yield* FaultPoint.pass("afterCommit")
  return result
})

/**
 * Marks what the change set of the current transaction makes stale downstream, and forgets the change set.
 *
 * @category steps
 * @since 0.1.0
 */
export const propagate = Effect.fnUntraced(function* (options: {
  readonly graph: AssetGraph
  readonly asset: Asset
  readonly written: Written
  readonly at: DateTime.Utc
}): Effect.fn.Return<void, Reason, PartitionKeys | StaleSets | Transactor | Warehouse> {
  const { asset, at } = options
  const warehouse = yield* Warehouse
  const graph = yield* Resolution.hold(options.graph, asset)
  yield* spread(asset, yield* reach({ ...options, graph }), at)
  yield* warehouse.settle(options)
})

/**
 * The holds of a step: its own asset alone, and, shared, every asset that its outgoing mappings read.
 *
 * **Details**
 *
 * A dimension whose change is mapped through the facts must not miss a fact that is being committed: without the shared
 * hold neither transaction would mark the fact's unit (write skew).
 *
 * @category locks
 * @since 0.1.0
 */
export const locksOf = (graph: AssetGraph, asset: Asset): ReadonlyArray<Lock> => {
  const read = edgesFrom(graph, asset.name).flatMap(({ downstream, input }): ReadonlyArray<string> => {
    const { mapping } = input
    const facts = mapping._tag === "AsOf" ? downstream.inputs.find(({ as }) => as === mapping.facts) : undefined
    return facts === undefined ? [] : [facts.asset.name]
  })
  return inOrder([
    { asset: asset.name, mode: "exclusive" },
    ...read.map((name): Lock => ({ asset: name, mode: "shared" }))
  ])
}

/**
 * Holds in the order in which they are taken, each asset once: that of their names, which is the same in every graph, so
 * that no two transactions that take all of theirs at once wait for each other (ADR 0013).
 *
 * @category locks
 * @since 0.1.0
 */
export const inOrder = (locks: Iterable<Lock>): ReadonlyArray<Lock> => {
  const modes = new Map<AssetKey, Lock["mode"]>()
  for (const { asset, mode } of locks) if (modes.get(asset) !== "exclusive") modes.set(asset, mode)
  return Array.from(modes, ([asset, mode]) => ({ asset, mode })).toSorted((a, b) => (a.asset < b.asset ? -1 : 1))
}

/**
 * Runs the checks of an asset over what a step wrote. Fails where a blocking one finds something (L11); yields the
 * warnings that do.
 *
 * @category steps
 * @since 0.1.0
 */
export const checked = Effect.fnUntraced(function* (
  asset: Asset,
  scope: Scope
): Effect.fn.Return<ReadonlyArray<CheckResult>, Reason, Warehouse> {
  const warehouse = yield* Warehouse
  const results = yield* warehouse.check({ asset, scope })
  const failed = results.filter(({ violations }) => violations > 0)
  const [first, ...others] = failed.filter(({ severity }) => severity === "error")
  if (first === undefined) return failed
  return yield* new DataQuality({
    check: first.check,
    message: `check "${first.check}" found ${first.violations} violating rows${
      others.length > 0 ? ` (and ${others.length} more checks failed)` : ""
    }; the previous rows stay visible. For example: ${first.examples.join(" ")}`
  })
})

/**
 * Fails where the asset is known with other code by now: what this code computes would never be found to be wrong (L8).
 * Yields who is known to read it, which stays so for as long as the asset is held.
 *
 * @category steps
 * @since 0.1.0
 */
export const refuseOtherCode = Effect.fnUntraced(function* (
  asset: Asset
): Effect.fn.Return<ReadonlyArray<Known>, Reason, StaleSets> {
  const staleSets = yield* StaleSets
  const known = yield* staleSets.known(asset.name)
  const own = known.find((candidate) => candidate.asset === asset.name)
  if (own?.codeVersion === asset.codeVersion) return known
  return yield* new DefinitionFault({
    message:
      `another process has begun to materialize "${asset.name}" with another definition (code version ` +
      `${own?.codeVersion ?? "none"}, here ${asset.codeVersion}), and this one has written nothing since. ` +
      "Stop the process whose code is out of date; run again where this is the current one.",
    code: undefined
  })
})

/**
 * Tells the outbox what a step did.
 *
 * @category steps
 * @since 0.1.0
 */
export const emit = Effect.fnUntraced(function* (options: {
  readonly asset: Asset
  readonly picked: Picked
  readonly result: StepResult
  readonly runId: string
  readonly at: DateTime.Utc
}): Effect.fn.Return<void, Reason, Outbox> {
  const { asset, at, picked, result, runId } = options
  const outbox = yield* Outbox
  const materialized: AssetEvent = {
    _tag: "Materialized",
    asset: asset.name,
    runId,
    codeVersion: asset.codeVersion,
    units: result.units,
    unitKeys: picked.partitions.slice(0, maxUnitKeys).map(({ unit }) => unit),
    inserted: result.written.inserted,
    updated: result.written.updated,
    deleted: result.written.deleted,
    unchanged: result.written.unchanged,
    at
  }
  const warned = result.warnings.map((check): AssetEvent => ({
    _tag: "CheckFailed",
    asset: asset.name,
    runId,
    ...check,
    at
  }))
  yield* outbox.emit([materialized, ...warned])
})

/**
 * A failed check in a few words.
 *
 * @category conversions
 * @since 0.1.0
 */
export const describe = ({ check, examples, violations }: CheckResult): string =>
  `check "${check}": ${violations} rows${examples[0] === undefined ? "" : `, for example ${short(examples[0])}`}`

// --- internal ---

/** What of a selection is there: of partitions that the ledger has, some may have been removed since they were selected. */
const present = (asset: Asset, selection: Selection): Selection => {
  if (selection._tag !== "Units" || Partitions.dynamicNames(asset.partitions).length === 0) return selection
  const revision = Partitions.revisionsOf(asset.partitions)
  return { ...selection, units: selection.units.filter(({ unit }) => revision(unit) !== undefined) }
}

/**
 * Fails where a picked key was removed since, though it may have been added again: who removed it has told its units of it
 * before this step made them anew.
 */
const refuseRemoved = Effect.fnUntraced(function* (
  { asset, partitions: picked }: Picked,
  before: Partitions.Partitions,
  now: Partitions.Partitions
): Effect.fn.Return<void, Reason> {
  if (before === now || Partitions.dynamicNames(now).length === 0) return
  const [then, today] = [Partitions.revisionsOf(before), Partitions.revisionsOf(now)]
  const removed = picked.find(({ unit }) => then(unit) !== today(unit))
  if (removed === undefined) return
  return yield* new Transient({
    message: `"${removed.unit}" was removed from the partitions of "${asset}" while it was built; what is left is built again`,
    code: undefined
  })
})

/** Units of one asset that are to be marked. */
interface Mark {
  readonly asset: AssetKey
  readonly units: UnitSet
  readonly isLogged: boolean
}

/**
 * What the change set of the current transaction reaches downstream, through every edge, in the order of the graph. A view
 * keeps no rows, so what it reaches is reached through it. Which units of an asset that another graph defines are reached
 * cannot be told here, so all of them are.
 */
const reach = Effect.fnUntraced(function* (options: {
  readonly graph: AssetGraph
  readonly asset: Asset
  readonly written: Written
  readonly at: DateTime.Utc
  /** Who is known to read the asset, where that was asked already. */
  readonly known?: ReadonlyArray<Known>
}): Effect.fn.Return<ReadonlyArray<Mark>, Reason, StaleSets | Warehouse> {
  const { asset, at, graph, written } = options
  if (written.inserted + written.updated + written.deleted === 0) return []
  const staleSets = yield* StaleSets
  const warehouse = yield* Warehouse
  const marks: Array<Mark> = []
  for (const [slot, edge] of edgesFrom(graph, asset.name).entries()) {
    const units = written.change === "everything" ? all : yield* unitsReached(edge, slot, at)
    const isLogged = yield* warehouse.log(edge, written.change)
    for (const { reached, to } of throughViews(graph, edge, units, at))
      marks.push({ asset: to.name, units: reached, isLogged })
  }
  for (const reader of options.known ?? (yield* staleSets.known(asset.name))) {
    const isOurs = reader.asset === asset.name || graph.assets.get(reader.asset)?.codeVersion === reader.codeVersion
    if (!isOurs) marks.push({ asset: reader.asset, units: all, isLogged: false })
  }
  return inGraphOrder(graph, marks)
})

/** Upstream before downstream, and what the graph does not know behind it, by name. */
const inGraphOrder = (graph: AssetGraph, marks: ReadonlyArray<Mark>): ReadonlyArray<Mark> => {
  const places = new Map(Array.from(graph.assets.keys(), (name, place) => [name, place]))
  const place = ({ asset }: Mark) => places.get(asset) ?? places.size
  return marks.toSorted((a, b) => place(a) - place(b) || (a.asset < b.asset ? -1 : 1))
}

const spread = Effect.fnUntraced(function* (
  asset: Asset,
  marks: ReadonlyArray<Mark>,
  at: DateTime.Utc
): Effect.fn.Return<void, Reason, StaleSets> {
  const staleSets = yield* StaleSets
  yield* staleSets.hold(marks.map((mark) => mark.asset))
  for (const { asset: to, isLogged, units } of marks)
    yield* staleSets.mark({ asset: to, units, isLogged, cause: { _tag: "Upstream", asset: asset.name }, at })
})

const unitsReached = Effect.fnUntraced(function* (
  edge: Edge,
  slot: number,
  at: DateTime.Utc
): Effect.fn.Return<UnitSet, Reason, Warehouse> {
  const warehouse = yield* Warehouse
  const { input, upstream } = edge
  const { mapping } = input
  if (!isByPartition(mapping)) return yield* warehouse.affected(edge, slot)
  const keys = yield* warehouse.changed(edge)
  if (!isPartitioned(upstream)) return listed(keys)
  return mapped(edge, keys, at)
})

/** All, where partitions alone do not tell, and where rows of withdrawn ones changed, which the definition knows no more. */
const mapped = ({ downstream, input, upstream }: Edge, keys: ReadonlyArray<string>, at: DateTime.Utc): UnitSet => {
  const changed = PartitionSet.fromKeys(Partitions.including(upstream.partitions, keys), keys)
  if (changed._tag === "Failure") return all
  // Rows of a removed key go through a view, though it is no key of the view either.
  const isView = downstream.write._tag === "View"
  const reached = PartitionReach.downstream(input.mapping, {
    upstream: changed.success,
    downstream: isView ? Partitions.including(downstream.partitions, keys) : downstream.partitions
  })
  if (reached === undefined) return all
  if (Number.isFinite(PartitionSet.size(reached))) return listed(Array.from(PartitionSet.keys(reached)))
  // A dimension without end that nothing is mapped to: what exists nowhere yet is built of what will be there then.
  return isView ? all : listed(Array.from(PartitionSet.keys(PartitionSet.intersection(reached, soon(downstream, at)))))
}

/** What exists by the clock of any process: no two of them are a day apart. */
const soon = ({ partitions }: Asset, at: DateTime.Utc): PartitionSet.PartitionSet =>
  Partitions.existing(partitions, DateTime.toEpochMillis(DateTime.add(at, { days: 1 })))

/** Where an edge ends in a view, what lies beyond it: by whole partitions where the mappings allow, otherwise all. */
const throughViews = (
  graph: AssetGraph,
  edge: Edge,
  units: UnitSet,
  at: DateTime.Utc
): ReadonlyArray<{ readonly to: Asset; readonly reached: UnitSet }> => {
  const { downstream } = edge
  if (units._tag === "None") return []
  if (downstream.write._tag !== "View") return [{ to: downstream, reached: wholeWhereOnlyOne(downstream, units) }]
  return edgesFrom(graph, downstream.name).flatMap((next) =>
    throughViews(
      graph,
      next,
      units._tag === "Listed" && downstream.partitions._tag !== "Unpartitioned" ? mapped(next, units.units, at) : all,
      at
    )
  )
}

/** An asset that is one unit is stale as that unit, however it was reached. */
const wholeWhereOnlyOne = (asset: Asset, units: UnitSet): UnitSet =>
  asset.write._tag === "Replace" ? listed([whole]) : units

/** What the ledger remembers of the units that a step built: rows and, of partitions, a hash of their content. */
const unitsBuilt = Effect.fnUntraced(function* (
  asset: Asset,
  picked: Picked,
  written: Written
): Effect.fn.Return<ReadonlyArray<Content>, Reason, Materializations | Warehouse> {
  const warehouse = yield* Warehouse
  return isPartitioned(asset)
    ? yield* warehouse.contents({ asset, scope: picked })
    : [{ unit: whole, rows: yield* rowsAfter(asset, picked, written), contentHash: "" }]
})

/**
 * The rows of an asset that is recorded as one unit: all that were computed, or counted on from the last record; never by
 * reading the table.
 */
const rowsAfter = Effect.fnUntraced(function* (
  asset: Asset,
  { units }: Picked,
  { deleted, inserted, unchanged, updated }: Written
): Effect.fn.Return<number, Reason, Materializations> {
  if (units._tag === "All") return inserted + updated + unchanged
  const materializations = yield* Materializations
  return Option.match(yield* materializations.get({ asset: asset.name, unit: whole }), {
    onNone: () => inserted - deleted,
    onSome: ({ rows }) => rows + inserted - deleted
  })
})

/** An example is a whole row; one line of it says which. */
const short = (example: string): string => (example.length <= 100 ? example : `${example.slice(0, 100)}…`)
