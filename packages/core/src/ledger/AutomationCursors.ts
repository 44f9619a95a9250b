/**
 * What daemons share: what the last evaluation of each asset remembers, what is requested and not finished, what was
 * tried in vain; and, read together with it in a fixed number of queries, what the conditions of many assets ask of the
 * ledger. An evaluation reads and writes here in one transaction, so that a request is either recorded, with the cursor
 * that follows from it, or was never made (L3).
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { AssetKey } from "../Asset.ts"
import type { Reason } from "../MaterializationError.ts"
import { MemoryStore } from "../Transactor.ts"
import { whole } from "../Unit.ts"
import { type Materialization, Materializations } from "./Materializations.ts"
import { Outbox } from "./Outbox.ts"
import { abandonedError, Runs } from "./Runs.ts"
import { type Cause, StaleSets } from "./StaleSets.ts"

/**
 * What is asked of one asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface Question {
  readonly asset: AssetKey
  readonly isPartitioned: boolean
  /** The units of which it is asked whether they are built; undefined for all. */
  readonly units: ReadonlyArray<string> | undefined
}

/**
 * What the ledger knows of one asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface Facts {
  /** The code under which the ledger knows the asset. */
  readonly codeVersion: string | undefined
  readonly ranges: ReadonlyArray<{ readonly from: string | undefined; readonly cause: Cause; readonly version: string }>
  /** The marked partitions; of another asset at most one, `*`, whose version changes with every mark. */
  readonly marks: ReadonlyArray<{ readonly unit: string; readonly cause: Cause; readonly version: string }>
  /** Which of the units asked for are built, and whether they were since the remembered evaluation. */
  readonly built: ReadonlyArray<{ readonly unit: string; readonly isUpdated: boolean }>
  readonly failures: ReadonlyArray<Failure>
  readonly remembered: Remembered | undefined
}

/**
 * What an evaluation remembers of one asset, without what the ledger adds: what was committed then.
 *
 * @category models
 * @since 0.1.0
 */
export interface Remembered {
  readonly definition: string
  readonly at: DateTime.Utc
  readonly parts: Schema.Json
}

/**
 * A unit that was requested in vain.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly unit: string
  readonly version: string
  readonly isCheck: boolean
  readonly tries: number
  readonly retryAt: DateTime.Utc | undefined
}

/**
 * A request under way.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pending {
  readonly runId: string
  readonly asset: AssetKey
  readonly partitions: Schema.Json
  /** Whether the daemon that made it is still there to carry it out. */
  readonly isAlive: boolean
}

/**
 * A run that no daemon has requested.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForeignRun {
  readonly runId: string
  readonly assets: ReadonlyArray<AssetKey>
  readonly partitions: string | undefined
  readonly heartbeatAt: DateTime.Utc
}

/**
 * What an evaluation needs to know.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  readonly facts: ReadonlyMap<AssetKey, Facts>
  readonly pending: ReadonlyArray<Pending>
  readonly foreign: ReadonlyArray<ForeignRun>
  /** What is committed as of this reading; to be given back with what is remembered. */
  readonly seen: string
}

/**
 * How a request for one asset ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ending {
  readonly asset: AssetKey
  /** Units requested in vain; what is recorded of the others of `units` is forgotten. */
  readonly failures: ReadonlyArray<Failure>
  readonly units: ReadonlyArray<string>
}

/**
 * What daemons share.
 *
 * @category services
 * @since 0.1.0
 */
export class AutomationCursors extends Context.Service<
  AutomationCursors,
  {
    /** Makes a daemon known as alive until the scope closes, its process dies or its connection is lost. */
    readonly attend: (watcher: string) => Effect.Effect<void, Reason, Scope.Scope>
    /** Reads what conditions ask for, in a number of queries that does not depend on the number of assets. */
    readonly read: (options: {
      readonly watcher: string
      readonly questions: ReadonlyArray<Question>
      /** Runs whose last sign of life is older are taken for dead. */
      readonly aliveSince: DateTime.Utc
    }) => Effect.Effect<Reading, Reason>
    /** Remembers evaluations, as of a reading. */
    readonly remember: (options: {
      readonly seen: string
      readonly assets: ReadonlyArray<Remembered & { readonly asset: AssetKey }>
    }) => Effect.Effect<void, Reason>
    /** Records requests that a run is to carry out. */
    readonly request: (options: {
      readonly runId: string
      readonly watcher: string
      readonly at: DateTime.Utc
      readonly assets: ReadonlyArray<{ readonly asset: AssetKey; readonly partitions: Schema.Json }>
    }) => Effect.Effect<void, Reason>
    /** Takes back requests for assets by runs whose daemon is gone, and ends these runs as abandoned. */
    readonly takeBack: (options: {
      readonly runIds: ReadonlyArray<string>
      readonly assets: ReadonlyArray<AssetKey>
      readonly at: DateTime.Utc
    }) => Effect.Effect<void, Reason>
    /** Ends requests of a run, and tells the daemons. */
    readonly end: (options: {
      readonly runId: string
      readonly endings: ReadonlyArray<Ending>
    }) => Effect.Effect<void, Reason>
  }
>()("@assay/core/ledger/AutomationCursors") {}

/**
 * The same in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<
  AutomationCursors,
  never,
  MemoryStore | Materializations | Outbox | Runs | StaleSets
> = Layer.effect(
  AutomationCursors,
  Effect.gen(function* () {
    const materializations = yield* Materializations
    const outbox = yield* Outbox
    const runs = yield* Runs
    const staleSets = yield* StaleSets
    const store = yield* MemoryStore
    const cursors = store.cell<ReadonlyMap<AssetKey, Cursor>>(new Map())
    const requests = store.cell<ReadonlyArray<Request>>([])
    const failures = store.cell<ReadonlyMap<AssetKey, ReadonlyArray<Failure>>>(new Map())
    const present = new Set<string>()

    // A record is another object once it is written again, so what a cursor has seen are the objects themselves.
    const recordsOf = Effect.fnUntraced(function* (asset: AssetKey, units: ReadonlyArray<string>) {
      const found = yield* Effect.forEach(units, (unit) => materializations.get({ asset, unit }))
      return found.flatMap((record) => Option.toArray(record))
    })

    const factsOf = Effect.fnUntraced(function* ({ asset, isPartitioned, units }: Question) {
      const set = (yield* staleSets.get([asset])).get(asset)
      const cursor = cursors.get().get(asset)
      const { versions } = yield* staleSets.pick({ asset, selection: { _tag: "Whole", isForced: false } })
      const picked = versions.map((version) => decodeVersion(version))
      const ranges = picked.flatMap((version) => (version.length === 1 ? [version[0]] : []))
      const marked = new Map(picked.flatMap((version) => (version.length === 2 ? [version] : [])))
      const marks = (yield* staleSets.units(asset)).map((mark) => ({ ...mark, version: `${marked.get(mark.unit)}` }))
      const [first] = marks
      const isCode = marks.find(({ cause }) => cause._tag === "CodeChanged")
      const built = yield* recordsOf(asset, units ?? (yield* materializations.units(asset)))
      const facts: Facts = {
        codeVersion: set?.codeVersion,
        ranges: set?.ranges.map((range, index) => ({ ...range, version: `${ranges[index]}` })) ?? [],
        marks:
          isPartitioned || first === undefined
            ? marks
            : [{ unit: whole, cause: (isCode ?? first).cause, version: marks.map(({ version }) => version).join() }],
        built: built.map((record) => ({
          unit: record.unit,
          isUpdated: cursor !== undefined && cursor.seen.get(record.unit) !== record
        })),
        failures: failures.get().get(asset) ?? [],
        remembered: cursor?.remembered
      }
      return [asset, facts] as const
    })

    return AutomationCursors.of({
      attend: (watcher) =>
        Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => present.add(watcher)),
            () => Effect.sync(() => present.delete(watcher))
          )
        ),

      read: Effect.fnUntraced(function* ({ aliveSince, questions, watcher }) {
        const requested = new Set(requests.get().map(({ runId }) => runId))
        return {
          facts: new Map(yield* Effect.forEach(questions, factsOf)),
          pending: requests.get().map((request) => ({
            ...request,
            isAlive: request.watcher === watcher || present.has(request.watcher)
          })),
          foreign: (yield* runs.list({ limit: 1000 })).flatMap(({ run }) =>
            run.status === "running" &&
            !requested.has(run.runId) &&
            DateTime.isGreaterThanOrEqualTo(run.heartbeatAt, aliveSince)
              ? [run]
              : []
          ),
          seen: ""
        }
      }),

      remember: Effect.fnUntraced(function* ({ assets }) {
        const next = new Map(cursors.get())
        for (const { asset, ...remembered } of assets) {
          const records = yield* recordsOf(asset, yield* materializations.units(asset))
          next.set(asset, { remembered, seen: new Map(records.map((record) => [record.unit, record])) })
        }
        cursors.set(next)
      }),

      request: ({ assets, runId, watcher }) =>
        Effect.sync(() =>
          requests.set([...requests.get(), ...assets.map((requested) => ({ ...requested, runId, watcher }))])
        ),

      takeBack: Effect.fnUntraced(function* ({ assets, at, runIds }) {
        const isTaken = ({ asset, runId }: Request) => runIds.includes(runId) && assets.includes(asset)
        requests.set(requests.get().filter((request) => !isTaken(request)))
        for (const runId of runIds) yield* runs.finish({ runId, status: "cancelled", error: abandonedError, at })
      }),

      end: Effect.fnUntraced(function* ({ endings, runId }) {
        const ended = new Set(endings.map(({ asset }) => asset))
        requests.set(requests.get().filter((request) => request.runId !== runId || !ended.has(request.asset)))
        const next = new Map(failures.get())
        for (const { asset, failures: failed, units } of endings) {
          const others = (next.get(asset) ?? []).filter(({ unit }) => !units.includes(unit))
          next.set(asset, [...others, ...failed])
        }
        failures.set(next)
        yield* outbox.announce(endings.map(({ asset }) => ({ asset, units: [] })))
      })
    })
  })
)

// --- internal ---

/** The version of a range, or a unit with the version of its mark, as stale sets in memory write them. */
const decodeVersion = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Union([Schema.Tuple([Schema.Int]), Schema.Tuple([Schema.String, Schema.Int])]))
)

interface Cursor {
  readonly remembered: Remembered
  readonly seen: ReadonlyMap<string, Materialization>
}

interface Request {
  readonly runId: string
  readonly watcher: string
  readonly asset: AssetKey
  readonly partitions: Schema.Json
}
