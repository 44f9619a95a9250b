/**
 * The record of runs: what was asked for, what each step did, who died on the way. Runs are for people and for the
 * exit code; no result depends on them, for whatever a dead run left undone is still in the stale sets.
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AssetKey } from "../Asset.ts"
import { DataQuality, type Reason } from "../MaterializationError.ts"
import * as Run from "../Run.ts"
import { type Cell, MemoryStore } from "../Transactor.ts"
import * as Retention from "./Retention.ts"

/**
 * What a run id, or the beginning of one, leads to.
 *
 * @category models
 * @since 0.1.0
 */
export type Lookup =
  | { readonly _tag: "Found"; readonly run: Run.RunRecord; readonly steps: ReadonlyArray<Run.StepRecord> }
  | { readonly _tag: "NotFound" }
  | {
      readonly _tag: "Ambiguous"
      readonly count: number
      /** The first few of them. */
      readonly runIds: ReadonlyArray<string>
    }

/**
 * The most run ids that an ambiguous lookup names.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxCandidates = 10

/**
 * The runs and their steps.
 *
 * @category services
 * @since 0.1.0
 */
export class Runs extends Context.Service<
  Runs,
  {
    /** Records a new run. A run that is recorded already stays as it is, so starting may be tried again. */
    readonly start: (run: Run.RunRecord) => Effect.Effect<void, Reason>
    /** Gives a sign of life. False where the run is no longer running: it was taken for dead meanwhile, or never began. */
    readonly beat: (options: { readonly runId: string; readonly at: DateTime.Utc }) => Effect.Effect<boolean, Reason>
    /** Ends a run. False where it had ended before; then it stays as it was. */
    readonly finish: (options: {
      readonly runId: string
      readonly status: Run.FinishedRunStatus
      readonly error: string | undefined
      readonly at: DateTime.Utc
    }) => Effect.Effect<boolean, Reason>
    /** Records a step of a known run, in place of what was recorded of the same run and index. */
    readonly record: (step: Run.StepRecord) => Effect.Effect<void, Reason>
    /** The latest runs, newest first. */
    readonly list: (options: { readonly limit: number }) => Effect.Effect<ReadonlyArray<Run.RunSummary>, Reason>
    /** A run with its steps in the order of the plan, by its id or by the beginning of it. */
    readonly get: (runId: string) => Effect.Effect<Lookup, Reason>
    /** Whether there are runs to abandon. Whoever asks needs no more than to read. */
    readonly hasDead: (olderThan: DateTime.Utc) => Effect.Effect<boolean, Reason>
    /**
     * Cancels the runs whose last sign of life is older than that, with those of their steps that were running, and
     * yields the ids of these runs.
     */
    readonly abandon: (options: {
      readonly olderThan: DateTime.Utc
      readonly at: DateTime.Utc
    }) => Effect.Effect<ReadonlyArray<string>, Reason>
    /** The latest step of each asset that has one. */
    readonly lastOf: (assets: ReadonlyArray<AssetKey>) => Effect.Effect<ReadonlyMap<AssetKey, Run.StepRecord>, Reason>
    /**
     * Deletes of the oldest runs, or of those behind the given one, up to `limit` of which it looks at those that ended
     * before an instant, with their steps; not those to be kept, and never a run that has the latest step of an asset. With
     * `isCounted` it only counts.
     */
    readonly prune: (
      options: Retention.Batch & { readonly keep: ReadonlyArray<string> }
    ) => Effect.Effect<Retention.Pruned & { readonly steps: number }, Reason>
  }
>()("@assay/core/ledger/Runs") {}

/**
 * What a run says that was given up for dead.
 *
 * @category constants
 * @since 0.1.0
 */
export const abandonedError =
  "The process of this run died, or was cut off, before it could finish. What it committed stays; run again to do the rest."

/**
 * Runs in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Runs, never, MemoryStore> = Layer.effect(
  Runs,
  Effect.gen(function* () {
    const state = (yield* MemoryStore).cell<ReadonlyMap<string, Entry>>(new Map())
    const put = (entry: Entry) => state.set(new Map(state.get()).set(entry.run.runId, entry))
    const move = (runId: string, event: Run.RunEvent, change: (run: Run.RunRecord) => Run.RunRecord): boolean => {
      const entry = state.get().get(runId)
      const status = entry === undefined ? "ignored" : Run.transition(entry.run.status, event)
      if (entry === undefined || status === "ignored") return false
      put({ ...entry, run: { ...change(entry.run), status } })
      return true
    }

    const deadBefore = (olderThan: DateTime.Utc) =>
      Array.from(state.get().values()).filter(
        ({ run }) =>
          Run.transition(run.status, "cancel") !== "ignored" && DateTime.isLessThan(run.heartbeatAt, olderThan)
      )

    return Runs.of({
      start: (run) => Effect.sync(() => (state.get().has(run.runId) ? undefined : put({ run, steps: new Map() }))),
      beat: ({ at, runId }) => Effect.sync(() => move(runId, "beat", (run) => ({ ...run, heartbeatAt: at }))),
      finish: ({ at, error, runId, status }) =>
        Effect.sync(() => move(runId, Run.eventTo(status), (run) => ({ ...run, error, finishedAt: at }))),
      record: (step) =>
        Effect.suspend(() => {
          const entry = state.get().get(step.runId)
          if (entry === undefined) return Effect.fail(unknownRun(step))
          return Effect.sync(() => put({ ...entry, steps: new Map(entry.steps).set(step.index, step) }))
        }),
      list: ({ limit }) =>
        Effect.sync(() =>
          Array.from(state.get().values())
            .toSorted(
              (a, b) => DateTime.Order(b.run.startedAt, a.run.startedAt) || (a.run.runId < b.run.runId ? 1 : -1)
            )
            .slice(0, limit)
            .map(({ run, steps }) => ({ run, steps: countByStatus(Array.from(steps.values())) }))
        ),
      get: (runId) =>
        Effect.sync((): Lookup => {
          const exact = state.get().get(runId)
          const found =
            exact === undefined
              ? Array.from(state.get().values()).filter(({ run }) => run.runId.startsWith(runId))
              : [exact]
          const [first] = found
          if (first === undefined) return { _tag: "NotFound" }
          if (found.length > 1) {
            return {
              _tag: "Ambiguous",
              count: found.length,
              runIds: found
                .map(({ run }) => run.runId)
                .toSorted()
                .slice(0, maxCandidates)
            }
          }
          return { _tag: "Found", run: first.run, steps: stepsOf(first) }
        }),
      hasDead: (olderThan) => Effect.sync(() => deadBefore(olderThan).length > 0),
      abandon: ({ at, olderThan }) =>
        Effect.sync(() => {
          const dead = deadBefore(olderThan)
          const end = { error: abandonedError, finishedAt: at }
          for (const entry of dead) {
            const steps = stepsOf(entry).map((step): Run.StepRecord => {
              const status = Run.transition(step.status, "cancel")
              return status === "ignored" ? step : { ...step, ...end, status }
            })
            put({ ...entry, steps: new Map(steps.map((step) => [step.index, step])) })
            move(entry.run.runId, "cancel", (run) => ({ ...run, ...end }))
          }
          return dead.map(({ run }) => run.runId).toSorted()
        }),
      lastOf: (assets) =>
        Effect.sync(() => {
          const steps = Array.from(state.get().values()).flatMap(stepsOf)
          return new Map(
            assets.flatMap((asset) => {
              const [last] = steps.filter((step) => step.asset === asset).toSorted(latestFirst)
              return last === undefined ? [] : [[asset, last]]
            })
          )
        }),
      prune: (batch) => Effect.sync(() => pruneIn(state, batch))
    })
  })
)

/**
 * The place of a run among the oldest ones: instants of one length, so that texts are in the order of time.
 *
 * @category conversions
 * @since 0.1.0
 */
export const placeOf = ({ runId, startedAt }: Pick<Run.RunRecord, "runId" | "startedAt">): string =>
  `${DateTime.formatIso(startedAt)} ${runId}`

// --- internal ---

interface Entry {
  readonly run: Run.RunRecord
  readonly steps: ReadonlyMap<number, Run.StepRecord>
}

const stepsOf = (entry: Entry): ReadonlyArray<Run.StepRecord> =>
  Array.from(entry.steps.values()).toSorted((a, b) => a.index - b.index)

const pruneIn = (
  state: Cell<ReadonlyMap<string, Entry>>,
  batch: Retention.Batch & { readonly keep: ReadonlyArray<string> }
): Retention.Pruned & { readonly steps: number } => {
  const entries = Array.from(state.get().values()).toSorted(oldestFirst)
  const byAsset = Map.groupBy(entries.flatMap(stepsOf), ({ asset }) => asset)
  const latest = Array.from(byAsset.values(), (steps) => steps.toSorted(latestFirst)[0]?.runId)
  const kept = new Set([...batch.keep, ...latest])
  const window = entries
    .filter(({ run }) => batch.after === undefined || placeOf(run) > batch.after)
    .filter(({ run }) => DateTime.isLessThan(run.startedAt, batch.before))
    .slice(0, batch.limit)
  const old = window.filter(
    ({ run }) =>
      run.finishedAt !== undefined && DateTime.isLessThan(run.finishedAt, batch.before) && !kept.has(run.runId)
  )
  const gone = new Set(old.map(({ run }) => run.runId))
  if (!batch.isCounted) state.set(new Map(Array.from(state.get()).filter(([runId]) => !gone.has(runId))))
  return {
    count: old.length,
    steps: old.reduce((sum, { steps }) => sum + steps.size, 0),
    next: Retention.next(
      batch,
      window.map(({ run }) => ({ id: placeOf(run) }))
    )
  }
}

const oldestFirst = (a: Entry, b: Entry): number => (placeOf(a.run) < placeOf(b.run) ? -1 : 1)

const latestFirst = (a: Run.StepRecord, b: Run.StepRecord): number =>
  DateTime.Order(b.startedAt, a.startedAt) || (a.runId === b.runId ? b.index - a.index : a.runId < b.runId ? 1 : -1)

const countByStatus = (steps: ReadonlyArray<Run.StepRecord>): Run.RunSummary["steps"] => {
  const count = (status: Run.RunStatus) => steps.filter((step) => step.status === status).length
  return {
    running: count("running"),
    succeeded: count("succeeded"),
    failed: count("failed"),
    skipped: count("skipped"),
    cancelled: count("cancelled")
  }
}

const unknownRun = ({ index, runId }: Run.StepRecord): Reason =>
  new DataQuality({ message: `step ${index} belongs to run "${runId}", which was never started`, check: undefined })
