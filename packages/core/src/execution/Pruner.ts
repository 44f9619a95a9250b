/**
 * Forgetting what only tells of the past: events that nobody has asked for, runs with their steps, and rows that have left
 * quarantine. What decides what is done next is not among them, and the last run of each asset stays, because people ask for
 * it.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { AutomationCursors } from "../ledger/AutomationCursors.ts"
import { Backfills } from "../ledger/Backfills.ts"
import { Outbox } from "../ledger/Outbox.ts"
import { Quarantine } from "../ledger/Quarantine.ts"
import type { Batch, Pruned } from "../ledger/Retention.ts"
import { Runs } from "../ledger/Runs.ts"
import type { Reason } from "../MaterializationError.ts"
import { Transactor } from "../Transactor.ts"

/**
 * The services that pruning uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = AutomationCursors | Backfills | Outbox | Quarantine | Runs | Transactor

/**
 * What is to be forgotten.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Only what is older than this. */
  readonly olderThan: Duration.Input
  /** Whether rows that were released from quarantine are forgotten, too. Rows that wait in it never are (L4). */
  readonly quarantine?: boolean | undefined
  /** Whether it is only counted. */
  readonly dryRun?: boolean | undefined
  /** How many records a transaction looks at. Default 10,000. */
  readonly batchSize?: number | undefined
}

/**
 * What was forgotten, or would be.
 *
 * @category models
 * @since 0.1.0
 */
export interface Result {
  /** The instant before which it lies. */
  readonly before: DateTime.Utc
  readonly runs: number
  readonly steps: number
  readonly events: number
  /** Undefined where it was not asked for. */
  readonly quarantined: number | undefined
}

/**
 * Forgets what is older than a while.
 *
 * **Details**
 *
 * Of runs stay those that are running, the last one of each asset, and those that a request of a daemon or a backfill under
 * way refers to. A run may have thousands of steps, so of these a batch has fewer.
 *
 * @category steps
 * @since 0.1.0
 */
export const prune = Effect.fn("Pruner.prune")(function* (
  options: Options
): Effect.fn.Return<Result, Reason, Services> {
  const { batchSize = 10_000, dryRun = false, quarantine = false } = options
  const runs = yield* Runs
  const outbox = yield* Outbox
  const rejected = yield* Quarantine
  const before = DateTime.subtractDuration(yield* DateTime.now, Duration.fromInputUnsafe(options.olderThan))
  const keep = yield* referred
  let steps = 0
  const count = (size: number, prunes: (batch: Batch) => Effect.Effect<Pruned, Reason>) =>
    inBatches({ before, limit: Math.max(1, size), isCounted: dryRun }, prunes)
  const pruned = {
    events: yield* count(batchSize, outbox.prune),
    runs: yield* count(Math.ceil(batchSize / 20), (batch) =>
      Effect.tap(runs.prune({ ...batch, keep }), (part) => Effect.sync(() => void (steps += part.steps)))
    ),
    quarantined: quarantine ? yield* count(batchSize, rejected.prune) : undefined
  }
  return { before, ...pruned, steps }
})

// --- internal ---

/** The runs that somebody may still ask for by their ids. */
const referred: Effect.Effect<ReadonlyArray<string>, Reason, AutomationCursors | Backfills> = Effect.gen(function* () {
  const cursors = yield* AutomationCursors
  const backfills = yield* Backfills
  const { pending } = yield* cursors.read({ watcher: "", questions: [], aliveSince: yield* DateTime.now })
  const recorded = yield* backfills.list({ limit: mostBackfills })
  return [
    ...pending.map(({ runId }) => runId),
    ...recorded.flatMap(({ parts }) => parts.flatMap(({ holder }) => (holder === undefined ? [] : [holder.runId])))
  ]
})

/** More were never started at once; a part of an older one that is still held is of a process that is gone. */
const mostBackfills = 10_000

/** Each batch is a transaction of its own: who waits for a row of it does not wait for the others. */
const inBatches = Effect.fnUntraced(function* (
  options: Omit<Batch, "after">,
  prunes: (batch: Batch) => Effect.Effect<Pruned, Reason>
): Effect.fn.Return<number, Reason, Transactor> {
  const transactor = yield* Transactor
  let total = 0
  let after: string | undefined
  do {
    const part: Pruned = yield* transactor.transact(prunes({ ...options, after }))
    total += part.count
    after = part.next
  } while (after !== undefined)
  return total
})
