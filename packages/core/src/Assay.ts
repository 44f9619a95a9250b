/**
 * The front door: a graph of assets that can be planned, materialized, looked at and verified, as one service. A host
 * gives it a graph and a database (or memory); it reads no environment, prints nothing and takes no signals.
 */
import type { PgClient } from "@effect/sql-pg"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Stream from "effect/Stream"
import type { Asset, AssetKey } from "./Asset.ts"
import { isPartitioned, partitionedBy } from "./Asset.ts"
import * as AssetGraph from "./AssetGraph.ts"
import type { AssetLabels } from "./AssetLabels.ts"
import * as AssetSelection from "./AssetSelection.ts"
import type { Row } from "./Column.ts"
import * as Attempt from "./execution/Attempt.ts"
import * as Backfilling from "./execution/Backfilling.ts"
import * as Inquiry from "./execution/Inquiry.ts"
import * as Lander from "./execution/Lander.ts"
import * as Preview from "./execution/Preview.ts"
import * as Pruner from "./execution/Pruner.ts"
import * as Registration from "./execution/Registration.ts"
import * as Repartition from "./execution/Repartition.ts"
import * as Resolution from "./execution/Resolution.ts"
import * as Runner from "./execution/Runner.ts"
import * as Verifier from "./execution/Verifier.ts"
import * as Watcher from "./execution/Watcher.ts"
import * as Ledger from "./ledger/Ledger.ts"
import { Positions } from "./ledger/Positions.ts"
import { Quarantine, type QuarantinedRow } from "./ledger/Quarantine.ts"
import { type Lookup, Runs } from "./ledger/Runs.ts"
import * as SqlLedger from "./ledger/SqlLedger.ts"
import type { Reason } from "./MaterializationError.ts"
import * as Partitions from "./Partitions.ts"
import * as PartitionSet from "./PartitionSet.ts"
import * as AssetStatus from "./planning/AssetStatus.ts"
import * as Plan from "./planning/Plan.ts"
import * as Request from "./planning/Request.ts"
import type * as Why from "./planning/Why.ts"
import * as Postgres from "./postgres/Postgres.ts"
import type { RunSummary, StepRecord } from "./Run.ts"
import * as Transactor from "./Transactor.ts"
import * as MemoryWarehouse from "./warehouse/MemoryWarehouse.ts"
import * as SqlWarehouse from "./warehouse/SqlWarehouse.ts"
import { Warehouse } from "./warehouse/Warehouse.ts"

/**
 * A request that cannot be understood: an unknown asset, a range that says nothing.
 *
 * @category errors
 * @since 0.1.0
 */
export type RequestError =
  | AssetGraph.UnknownAsset
  | AssetSelection.InvalidSelection
  | PartitionSet.InvalidPartitionRange

/**
 * Which assets are meant: names, where none mean all, or a selection, as data or as `AssetSelection.parse` reads it.
 *
 * @category models
 * @since 0.1.0
 */
export type Selected = ReadonlyArray<AssetKey> | AssetSelection.AssetSelection | string

/**
 * Where an asset stands, for people: units, rows, and what happened last.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly asset: AssetKey
  readonly description: string
  readonly labels: AssetLabels
  readonly kind: "source" | "keyed" | "partitioned" | "whole" | "view"
  readonly isBuilt: boolean
  readonly whole: string | undefined
  readonly existing: number
  readonly built: number
  readonly stale: number
  readonly missing: number
  /** Units that the last step left undone, where it failed. */
  readonly failed: number
  readonly rows: number
  readonly quarantined: number
  /** Rows of upstream assets that lie before this asset's first partition. */
  readonly outside: number
  readonly lastStep: StepRecord | undefined
  readonly lastLandingAt: DateTime.Utc | undefined
}

/**
 * How to watch.
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchOptions {
  /** All assets, where it is left out. A selection by state is made once, at the beginning. */
  readonly select?: Selected | undefined
  /** How often sources are asked what they have. Default a minute. */
  readonly poll?: Duration.Input | undefined
  readonly once?: boolean | undefined
  /** How many assets of a run are worked on at once. Default 4. */
  readonly concurrency?: number | undefined
  readonly requestedBy?: string | undefined
  readonly listen?: ((event: Watcher.WatchEvent) => Effect.Effect<void>) | undefined
}

/**
 * A graph of assets on a database.
 *
 * @category services
 * @since 0.1.0
 */
export class Assay extends Context.Service<
  Assay,
  {
    /** The graph as it is defined, its services provided. */
    readonly graph: AssetGraph.AssetGraph<never>
    /** The same with the keys that its dynamic partitions have now. */
    readonly current: Effect.Effect<AssetGraph.AssetGraph<never>, Reason>
    /** The names of the selected assets, upstream before downstream. Asks the ledger where the selection is by state. */
    readonly select: (selected: Selected) => Effect.Effect<ReadonlyArray<AssetKey>, RequestError | Reason>
    /** What materializing would do, and why. Writes nothing. */
    readonly plan: (request: Request.Request) => Effect.Effect<Plan.Plan, RequestError | Reason>
    /** Brings the requested assets up to date. Failures of assets are outcomes in the result, not errors. */
    readonly materialize: (
      request: Request.Request,
      options?: { readonly requestedBy?: string; readonly why?: string; readonly concurrency?: number }
    ) => Effect.Effect<Runner.RunResult, RequestError | Reason>
    /** Where assets stand; all of them where none is named. */
    readonly status: (selected?: Selected) => Effect.Effect<ReadonlyArray<Report>, RequestError | Reason>
    /**
     * Why one unit of an asset is as it is: a partition or a key by its text; the partition that is most in need of an
     * explanation, or the whole asset, where none is given.
     */
    readonly why: (options: {
      readonly asset: AssetKey
      readonly unit?: string | undefined
    }) => Effect.Effect<Why.Explanation, RequestError | Reason>
    /** The rows of an asset, ordered by its key. */
    readonly rows: (options: {
      readonly asset: AssetKey
      readonly partitions?: string | undefined
      readonly limit?: number | undefined
    }) => Effect.Effect<{ readonly asset: Asset; readonly rows: Stream.Stream<Row, Reason> }, RequestError | Reason>
    /** The latest runs, newest first. */
    readonly runs: (options: { readonly limit: number }) => Effect.Effect<ReadonlyArray<RunSummary>, Reason>
    /** One run with its steps, by its id or the beginning of it. */
    readonly run: (runId: string) => Effect.Effect<Lookup, Reason>
    /** Rejected rows that are not released, oldest first. */
    readonly quarantined: (options: {
      readonly asset?: AssetKey | undefined
      readonly limit: number
      readonly after?: string | undefined
    }) => Effect.Effect<ReadonlyArray<QuarantinedRow>, Reason>
    /** One rejected row by its id. */
    readonly quarantinedRow: (id: string) => Effect.Effect<Option.Option<QuarantinedRow>, Reason>
    /** Reads rejected rows again by today's rules and lands those that pass. */
    readonly replay: (
      selected?: Selected
    ) => Effect.Effect<{ readonly tried: number; readonly landed: number }, RequestError | Reason>
    /** Recomputes what is fresh and compares (L2); `strict` recomputes the whole chain and refuses anything stale (L1). */
    readonly verify: (options?: {
      readonly assets?: ReadonlyArray<AssetKey> | undefined
      readonly select?: AssetSelection.AssetSelection | string | undefined
      readonly strict?: boolean | undefined
    }) => Effect.Effect<ReadonlyArray<Verifier.Verdict>, RequestError | Reason>
    /**
     * Materializes by itself what the conditions of the selected assets request, until it is interrupted; with `once`
     * until nothing is left to do.
     */
    readonly watch: (options?: WatchOptions) => Effect.Effect<void, RequestError | Reason>
    /** Chosen past partitions, written down once and built through any crash. */
    readonly backfills: Backfilling.Backfilling
    /** The keys that dynamic partitions have now, and what was built of each. */
    readonly partitions: (name: string) => Effect.Effect<Repartition.Listing, Repartition.UnknownPartitions | Reason>
    /** Adds keys to dynamic partitions, and yields those that were not there; they are missing until they are built. */
    readonly addPartitions: (
      name: string,
      keys: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<string>, Repartition.UnknownPartitions | Partitions.InvalidPartitions | Reason>
    /**
     * Removes keys of dynamic partitions, and yields those that were there. What was built of them is taken back by the next
     * run of each asset, and what reads it learns of that.
     */
    readonly removePartitions: (
      name: string,
      keys: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<string>, Repartition.UnknownPartitions | Reason>
    /** Forgets events, runs and, if asked, rows released from quarantine that are older than a while. */
    readonly prune: (options: Pruner.Options) => Effect.Effect<Pruner.Result, Reason>
  }
>()("@assay/core/Assay") {}

/**
 * The database schemas of an environment: the assets' tables in one named like the environment, the ledger beside it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const environment = (name: string): Postgres.Schemas => ({ warehouse: name, ledger: `${name}_assay` })

/**
 * A graph on PostgreSQL. The layer asks for what the graph's computes and sources need, and for the host's `PgClient`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <R>(
  graph: AssetGraph.AssetGraph<R>,
  schemas: Postgres.Schemas = environment("dev")
): Layer.Layer<Assay, Reason, PgClient.PgClient | R> =>
  layerWithoutStorage(graph).pipe(
    // Fresh, because layers are shared by reference: two environments in one process would share the first one's storage.
    Layer.provide(
      Layer.fresh(Layer.mergeAll(SqlLedger.layer, SqlWarehouse.layer).pipe(Layer.provideMerge(Postgres.layer(schemas))))
    )
  )

/**
 * A graph in memory, for tests: the same engine, over the `rows` of the computes.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory = <R>(graph: AssetGraph.AssetGraph<R>): Layer.Layer<Assay, never, R> =>
  layerWithoutStorage(graph).pipe(
    Layer.provide(
      Layer.fresh(
        Layer.mergeAll(Ledger.layerMemory, MemoryWarehouse.layer, Transactor.layerMemory).pipe(
          Layer.provide(Transactor.layerMemoryStore)
        )
      )
    )
  )

/**
 * A graph over a ledger and a warehouse that the caller gives: several graphs, one after the other or side by side, on
 * one storage.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWithoutStorage = <R>(
  graph: AssetGraph.AssetGraph<R>
): Layer.Layer<Assay, never, R | Watcher.Services | Backfilling.Services> =>
  Layer.effect(
    Assay,
    Effect.gen(function* () {
      const context = yield* Effect.context<R | Services>()
      return make(AssetGraph.provide(graph, context), context)
    })
  )

// --- internal ---

type Services = Watcher.Services | Backfilling.Services

const make = (defined: AssetGraph.AssetGraph<never>, context: Context.Context<Services>): typeof Assay.Service => {
  const provide = <A, E>(effect: Effect.Effect<A, E, Services>): Effect.Effect<A, E> =>
    Effect.provideContext(effect, context)

  // Whatever is asked or done begins with the keys that dynamic partitions have then.
  let latest = defined
  const current = Effect.suspend(() => Effect.map(Resolution.current(latest), (graph) => (latest = graph)))

  // Once is enough for this process: nobody but a person drops tables. Repeating it would lock out readers of views.
  let isPrepared = false
  const prepared = Effect.suspend(() =>
    isPrepared ? Effect.void : Effect.map(Registration.prepare(defined), () => void (isPrepared = true))
  )
  const registered = Effect.andThen(prepared, Registration.register(defined))
  return Assay.of({
    graph: defined,

    current: provide(current),

    select: (which) => provide(Effect.flatMap(current, (graph) => choosing(graph).resolved(toRequest(which)))),

    plan: Effect.fn("Assay.plan")(function* (request: Request.Request) {
      const graph = yield* current
      const targets = yield* choosing(graph).targetsOf(request)
      return yield* Preview.plan({ graph, targets })
    }, provide),

    materialize: Effect.fn("Assay.materialize")(function* (
      request: Request.Request,
      options?: {
        readonly requestedBy?: string
        readonly why?: string
        readonly concurrency?: number
      }
    ) {
      const graph = yield* Attempt.insist(current)
      const targets = yield* choosing(graph).targetsOf(request)
      yield* Attempt.insist(registered)
      return yield* bringUpToDate(graph, targets, { ...options, partitions: request.partitions })
    }, provide),

    status: Effect.fn("Assay.status")(function* (which?: Selected) {
      const graph = yield* current
      const assets = yield* choosing(graph).selected(which)
      yield* prepared
      yield* told
      return yield* reports(graph, assets)
    }, provide),

    why: Effect.fn("Assay.why")(function* (options: { readonly asset: AssetKey; readonly unit?: string | undefined }) {
      yield* prepared
      return yield* Inquiry.make({ graph: yield* current, ...options })
    }, provide),

    rows: Effect.fn("Assay.rows")(function* (options: {
      readonly asset: AssetKey
      readonly partitions?: string | undefined
      readonly limit?: number | undefined
    }) {
      const graph = yield* current
      const [asset] = yield* choosing(graph).selected([options.asset])
      if (asset === undefined) return yield* AssetGraph.unknownAsset(graph, options.asset)
      yield* prepared
      const warehouse = yield* Warehouse
      const partitions = options.partitions === undefined ? undefined : yield* rangeOf(asset, options.partitions)
      return { asset, rows: warehouse.rows({ asset, partitions, limit: options.limit }) }
    }, provide),

    ...records(provide),

    replay: Effect.fn("Assay.replay")(function* (which?: Selected) {
      const graph = yield* current
      const assets = yield* choosing(graph).selected(which)
      yield* registered
      return yield* replayAll(graph, assets, yield* newRunId)
    }, provide),

    verify: Effect.fn("Assay.verify")(function* (options?: {
      readonly assets?: ReadonlyArray<AssetKey> | undefined
      readonly select?: AssetSelection.AssetSelection | string | undefined
      readonly strict?: boolean | undefined
    }) {
      const graph = yield* current
      const assets = (yield* choosing(graph).resolved(options ?? {})).map((name) => AssetGraph.getUnsafe(graph, name))
      yield* prepared
      if (options?.strict !== true) return yield* Verifier.units(assets)
      const names = new Set(assets.map(({ name }) => name))
      return (yield* Verifier.chain(graph)).filter(({ asset }) => names.has(asset))
    }, provide),

    watch: Effect.fn("Assay.watch")(function* (options: WatchOptions = {}) {
      const graph = yield* current
      const names = yield* choosing(graph).resolved(toRequest(options.select))
      // Once: later another process may register other code, and this one must not register its own against it.
      yield* Attempt.insist(registered)
      yield* Watcher.watch({
        graph,
        assets: new Set(names),
        poll: Duration.max(Duration.fromInputUnsafe(options.poll ?? Duration.minutes(1)), Duration.millis(1)),
        isOnce: options.once ?? false,
        concurrency: options.concurrency ?? 4,
        newRunId,
        requestedBy: options.requestedBy ?? "watch",
        listen: options.listen ?? (() => Effect.void)
      })
    }, provide),

    backfills: backfillsOf({ current, registered, provide }),

    ...housekeeping(defined, provide)
  })
}

/** The backfills of a graph. */
const backfillsOf = (
  options: Pick<Parameters<typeof Backfilling.make<Services>>[0], "current" | "registered" | "provide">
) =>
  Backfilling.make<Services>({
    ...options,
    targetsOf: (graph, request) => choosing(graph).targetsOf(request),
    newId: newRunId
  })

/** Who may only read is told what is recorded. */
const told = Effect.ignore(Runner.abandon)

/** What is recorded of the past. */
const records = (
  provide: <A, E>(effect: Effect.Effect<A, E, Services>) => Effect.Effect<A, E>
): Pick<typeof Assay.Service, "runs" | "run" | "quarantined" | "quarantinedRow"> => ({
  runs: (options) =>
    provide(
      Effect.andThen(
        told,
        Effect.flatMap(Runs, (runs) => runs.list(options))
      )
    ),
  run: (runId) =>
    provide(
      Effect.andThen(
        told,
        Effect.flatMap(Runs, (runs) => runs.get(runId))
      )
    ),
  quarantined: (options) => provide(Effect.flatMap(Quarantine, (quarantine) => quarantine.list(options))),
  quarantinedRow: (id) => provide(Effect.flatMap(Quarantine, (quarantine) => quarantine.get(id)))
})

/** What is changed in the ledger without a run: the keys of dynamic partitions, and what is forgotten. */
const housekeeping = (
  graph: AssetGraph.AssetGraph<never>,
  provide: <A, E>(effect: Effect.Effect<A, E, Services>) => Effect.Effect<A, E>
): Pick<typeof Assay.Service, "partitions" | "addPartitions" | "removePartitions" | "prune"> => ({
  partitions: (name) => provide(Repartition.list(graph, name)),
  addPartitions: (name, keys) => provide(Repartition.add({ graph, name, keys })),
  removePartitions: (name, keys) => provide(Repartition.remove({ graph, name, keys })),
  prune: (options) => provide(Pruner.prune(options))
})

/** How a graph's assets are chosen, by name and by selection. */
const choosing = (graph: AssetGraph.AssetGraph<never>) => {
  const targetsOf = Effect.fnUntraced(function* (request: Request.Request) {
    const now = yield* DateTime.now
    const statusOf = yield* statesFor(graph, yield* Effect.fromResult(Request.selection(request, graph)))
    return yield* Effect.fromResult(Request.targets(request, { graph, now: DateTime.toEpochMillis(now), statusOf }))
  })

  const resolved = Effect.fnUntraced(function* (request: Pick<Request.Request, "assets" | "select">) {
    const selection = yield* Effect.fromResult(Request.selection(request, graph))
    return yield* Effect.fromResult(AssetSelection.resolve(selection, graph, yield* statesFor(graph, selection)))
  })

  const selected = (which: Selected | undefined) =>
    Effect.map(resolved(toRequest(which)), (names) => names.map((name) => AssetGraph.getUnsafe(graph, name)))

  return { targetsOf, resolved, selected }
}

/** Carries out what is due of some targets of a registered graph. */
const bringUpToDate = Effect.fnUntraced(function* (
  graph: AssetGraph.AssetGraph<never>,
  targets: ReadonlyArray<Request.Target<never>>,
  options: {
    readonly partitions: string | undefined
    readonly requestedBy?: string
    readonly why?: string
    readonly concurrency?: number
  }
) {
  const { findings, plan, unasked } = yield* Attempt.insist(Preview.survey(targets))
  // A wrong setting is told at once; what may pass, or lies in the data, is the outcome of its source.
  const mistake = Array.from(unasked.values()).find(({ _tag }) => _tag === "DefinitionFault")
  if (mistake !== undefined) return yield* mistake
  if (Plan.isEmpty(plan) && unasked.size === 0) {
    yield* Attempt.insist(Runner.abandon)
    return upToDate(targets)
  }
  return yield* Runner.run({
    graph,
    targets,
    deliveries: new Map(
      findings.flatMap(({ deliveries, target: { asset } }) =>
        unasked.has(asset.name) ? [] : [[asset.name, deliveries]]
      )
    ),
    runId: yield* newRunId,
    partitions: options.partitions,
    requestedBy: options.requestedBy ?? "api",
    why: options.why ?? "requested",
    concurrency: options.concurrency ?? 4
  })
})

const toRequest = (selected: Selected | undefined): Pick<Request.Request, "assets" | "select"> =>
  isNames(selected) ? { assets: selected } : { select: selected }

const isNames = (selected: Selected | undefined): selected is ReadonlyArray<AssetKey> => Array.isArray(selected)

/** What a selection by state asks; nothing is read for another one. */
const statesFor = Effect.fnUntraced(function* (
  graph: AssetGraph.AssetGraph<never>,
  selection: AssetSelection.AssetSelection
): Effect.fn.Return<AssetSelection.StatusOf, Reason, Services> {
  if (!AssetSelection.needsStatus(selection)) return () => new Set()
  const runs = yield* Runs
  const assets = Array.from(graph.assets.values())
  const statuses = yield* AssetStatus.read({ assets, now: yield* DateTime.now })
  const steps = yield* runs.lastOf(assets.map(({ name }) => name))
  const states = new Map(
    statuses.map((status) => [status.asset.name, AssetStatus.states(status, steps.get(status.asset.name))])
  )
  return (asset) => states.get(asset) ?? new Set()
})

/**
 * The partitions of a range to be shown. Rows of a keyed asset are of any day; only units that are partitions come to
 * exist one by one.
 */
const rangeOf = Effect.fnUntraced(function* (asset: Asset, text: string) {
  const cut = partitionedBy(asset)
  if (cut === undefined) return undefined
  const { partitions } = cut
  const now = DateTime.toEpochMillis(yield* DateTime.now)
  const existing = isPartitioned(asset) ? Partitions.existing(partitions, now) : PartitionSet.all(partitions)
  return yield* Effect.fromResult(PartitionSet.parse(text, { partitions, existing, now }))
})

/** Every page of every source's quarantine, in transactions of their own. */
const replayAll = Effect.fnUntraced(function* (
  graph: AssetGraph.AssetGraph<never>,
  assets: ReadonlyArray<Asset<string, unknown, never>>,
  runId: string
): Effect.fn.Return<{ readonly tried: number; readonly landed: number }, Reason, Services> {
  let tried = 0
  let landed = 0
  for (const from of assets.flatMap((asset) => Lander.sourceOf(asset) ?? [])) {
    let after: string | undefined = undefined
    do {
      const page: { readonly tried: number; readonly landed: number; readonly last: string | undefined } =
        yield* Lander.replay({ graph, from, runId, limit: 5000, after })
      tried += page.tried
      landed += page.landed
      after = page.last
    } while (after !== undefined)
  }
  return { tried, landed }
})

/** Readable and ordered in time: `20240520-101530-3f9a2c`. */
const newRunId: Effect.Effect<string> = Effect.gen(function* () {
  const now = DateTime.formatIso(yield* DateTime.now)
    .slice(0, 19)
    .replaceAll(/[-:]/g, "")
    .replace("T", "-")
  const random = yield* Random.nextIntBetween(0, 0xffffff)
  return `${now}-${random.toString(16).padStart(6, "0")}`
})

const upToDate = (targets: ReadonlyArray<Request.Target>): Runner.RunResult => ({
  runId: undefined,
  status: "succeeded",
  steps: 0,
  outcomes: targets.map(({ asset }) => ({
    asset: asset.name,
    outcome: "unchanged",
    ...Attempt.nothing,
    durationMs: 0,
    error: undefined,
    because: []
  }))
})

const reports = Effect.fnUntraced(function* (
  graph: AssetGraph.AssetGraph<never>,
  assets: ReadonlyArray<Asset<string, unknown, never>>
): Effect.fn.Return<ReadonlyArray<Report>, Reason, Services> {
  const now = yield* DateTime.now
  const runs = yield* Runs
  const positions = yield* Positions
  const quarantine = yield* Quarantine
  const warehouse = yield* Warehouse
  const statuses = yield* AssetStatus.read({ assets, now })
  const steps = yield* runs.lastOf(assets.map(({ name }) => name))
  return yield* Effect.forEach(statuses, (status) =>
    Effect.gen(function* () {
      const { asset } = status
      const isSource = asset.body._tag === "Source"
      const incoming = Array.from(graph.edges.values())
        .flat()
        .filter(({ downstream }) => downstream.name === asset.name)
      const outside = isPartitioned(asset) ? yield* Effect.forEach(incoming, warehouse.outside) : []
      const landed = isSource ? yield* positions.all(asset.name) : []
      const lastStep = steps.get(asset.name)
      const stale = AssetStatus.staleCount(status)
      const missing = isSource ? 0 : PartitionSet.size(AssetStatus.missing(status))
      return {
        asset: asset.name,
        description: asset.description,
        labels: asset.labels,
        kind: kindOf(asset),
        isBuilt: isSource ? landed.length > 0 : status.isBuilt,
        whole: status.whole === undefined ? undefined : Plan.formatWhy(Plan.whyOf(status.whole, undefined)),
        existing: PartitionSet.size(status.existing),
        built: PartitionSet.size(status.built),
        stale,
        missing,
        failed: lastStep?.status === "failed" ? stale + missing : 0,
        rows: yield* warehouse.count(asset),
        quarantined: isSource ? yield* quarantine.count(asset.name) : 0,
        outside: Math.max(0, ...outside),
        lastStep,
        lastLandingAt: landed
          .map(({ landedAt }) => landedAt)
          .reduce<DateTime.Utc | undefined>(
            (latest, at) => (latest === undefined || DateTime.isGreaterThan(at, latest) ? at : latest),
            undefined
          )
      }
    })
  )
})

const kindOf = (asset: Asset): Report["kind"] => {
  if (asset.body._tag === "Source") return "source"
  switch (asset.write._tag) {
    case "View":
      return "view"
    case "ReplacePartitions":
      return "partitioned"
    case "Replace":
      return "whole"
    default:
      return "keyed"
  }
}
