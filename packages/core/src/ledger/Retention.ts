/**
 * How records that only tell of the past are deleted: in batches, each a short transaction of its own, oldest first, going on
 * behind what the last batch has looked at; so a table of millions of rows is never held for long, and never read twice.
 */
import type * as DateTime from "effect/DateTime"

/**
 * One batch.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch {
  /** Only what is older than this. */
  readonly before: DateTime.Utc
  /** How many records are looked at. */
  readonly limit: number
  /** Where the last batch ended; undefined for the first one. */
  readonly after: string | undefined
  /** Whether it only counts. */
  readonly isCounted: boolean
}

/**
 * What a batch did.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pruned {
  readonly count: number
  /** Where the next batch begins; undefined where nothing is left to look at. */
  readonly next: string | undefined
}

/**
 * Where the batch after one begins that has looked at some records.
 *
 * @category getters
 * @since 0.1.0
 */
export const next = ({ limit }: Batch, looked: ReadonlyArray<{ readonly id: string }>): string | undefined =>
  looked.length < limit ? undefined : looked.at(-1)?.id
