/**
 * The rows that could not land, each with the line it came from and every reason, until they are released: read again
 * by better rules, or by the same rules after the source was mended. A rejected row is kept once, however often its
 * file is landed (L4), and also after its release, as evidence.
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { AssetKey } from "../Asset.ts"
import type { Reason } from "../MaterializationError.ts"
import type { Rejected } from "../Source.ts"
import { MemoryStore } from "../Transactor.ts"
import * as Retention from "./Retention.ts"

/**
 * A row in quarantine.
 *
 * @category models
 * @since 0.1.0
 */
export interface QuarantinedRow extends Rejected {
  readonly id: string
  readonly asset: AssetKey
  /** The run that rejected it. */
  readonly runId: string
  readonly quarantinedAt: DateTime.Utc
  /** When it was last read again in vain. */
  readonly retriedAt: DateTime.Utc | undefined
  readonly releasedAt: DateTime.Utc | undefined
  /** The run that landed it after all. */
  readonly releasedBy: string | undefined
}

/**
 * The rows that could not land.
 *
 * @category services
 * @since 0.1.0
 */
export class Quarantine extends Context.Service<
  Quarantine,
  {
    /**
     * Adds rejected rows and yields how many of them are new: a row of the same asset, origin, line and raw text that is
     * there and not released is not added again.
     */
    readonly add: (options: {
      readonly asset: AssetKey
      readonly runId: string
      readonly at: DateTime.Utc
      readonly rows: ReadonlyArray<Rejected>
    }) => Effect.Effect<number, Reason>
    /** The rows that are not released, oldest first; `after` is the id of the last row of the page before. */
    readonly list: (options: {
      readonly asset?: AssetKey | undefined
      readonly limit: number
      readonly after?: string | undefined
    }) => Effect.Effect<ReadonlyArray<QuarantinedRow>, Reason>
    /** A row by its id, released or not. */
    readonly get: (id: string) => Effect.Effect<Option.Option<QuarantinedRow>, Reason>
    /** How many rows are not released. */
    readonly count: (asset?: AssetKey) => Effect.Effect<number, Reason>
    /** Marks rows as landed after all, and yields how many of them were not released before. */
    readonly release: (options: {
      readonly ids: ReadonlyArray<string>
      readonly runId: string
      readonly at: DateTime.Utc
    }) => Effect.Effect<number, Reason>
    /** Puts today's reasons in place of the old ones, for rows that were read again in vain. */
    readonly revise: (options: {
      readonly rows: ReadonlyArray<{ readonly id: string; readonly reasons: ReadonlyArray<string> }>
      readonly at: DateTime.Utc
    }) => Effect.Effect<void, Reason>
    /**
     * Deletes of the oldest rows, or of those behind the given one, up to `limit` of which it looks at those that were
     * released before an instant; with `isCounted` it only counts. A row that waits stays (L4).
     */
    readonly prune: (options: Retention.Batch) => Effect.Effect<Retention.Pruned, Reason>
  }
>()("@assay/core/ledger/Quarantine") {}

/**
 * All rows of an asset that are not released, a page at a time; rows of a page may be released before the next one is
 * asked for.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pages = (options: {
  readonly asset: AssetKey
  readonly size: number
}): Stream.Stream<ReadonlyArray<QuarantinedRow>, Reason, Quarantine> =>
  Stream.unwrap(
    Effect.map(Quarantine, (quarantine) =>
      Stream.paginate<string | undefined, ReadonlyArray<QuarantinedRow>, Reason>(undefined, (after) =>
        Effect.map(quarantine.list({ asset: options.asset, limit: options.size, after }), (rows) => {
          const last = rows.length < options.size ? undefined : rows.at(-1)
          return [rows.length === 0 ? [] : [rows], last === undefined ? Option.none() : Option.some(last.id)]
        })
      )
    )
  )

/**
 * Quarantine in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<Quarantine, never, MemoryStore> = Layer.effect(
  Quarantine,
  Effect.gen(function* () {
    const store = yield* MemoryStore
    const state = store.cell<ReadonlyArray<QuarantinedRow>>([])
    const lastId = store.cell(0)
    const open = (asset: AssetKey | undefined) =>
      state.get().filter((row) => row.releasedAt === undefined && (asset === undefined || row.asset === asset))

    return Quarantine.of({
      add: ({ asset, at, rows, runId }) =>
        Effect.sync(() => {
          const known = new Set(open(asset).map(identity))
          const added: Array<QuarantinedRow> = []
          for (const rejected of rows) {
            if (known.has(identity(rejected))) continue
            known.add(identity(rejected))
            added.push({
              ...rejected,
              id: String(lastId.get() + added.length + 1),
              asset,
              runId,
              quarantinedAt: at,
              retriedAt: undefined,
              releasedAt: undefined,
              releasedBy: undefined
            })
          }
          state.set([...state.get(), ...added])
          lastId.set(lastId.get() + added.length)
          return added.length
        }),
      list: ({ after, asset, limit }) =>
        Effect.sync(() =>
          open(asset)
            .filter(({ id }) => Number(id) > Number(after ?? 0))
            .slice(0, limit)
        ),
      get: (id) => Effect.sync(() => Option.fromUndefinedOr(state.get().find((row) => row.id === id))),
      count: (asset) => Effect.sync(() => open(asset).length),
      release: ({ at, ids, runId }) =>
        Effect.sync(() => {
          const named = new Set(ids)
          const released = new Set(open(undefined).filter(({ id }) => named.has(id)))
          state.set(state.get().map((row) => (released.has(row) ? { ...row, releasedAt: at, releasedBy: runId } : row)))
          return released.size
        }),
      revise: ({ at, rows }) =>
        Effect.sync(() => {
          const reasons = new Map(rows.map((row) => [row.id, row.reasons]))
          state.set(
            state.get().map((row) => {
              const revised = row.releasedAt === undefined ? reasons.get(row.id) : undefined
              return revised === undefined ? row : { ...row, reasons: revised, retriedAt: at }
            })
          )
        }),
      prune: (batch) =>
        Effect.sync(() => {
          const window = state
            .get()
            .filter(({ id }) => Number(id) > Number(batch.after ?? 0))
            .slice(0, batch.limit)
          const old = new Set(
            window.filter(({ releasedAt }) => releasedAt !== undefined && DateTime.isLessThan(releasedAt, batch.before))
          )
          if (!batch.isCounted) state.set(state.get().filter((row) => !old.has(row)))
          return { count: old.size, next: Retention.next(batch, window) }
        })
    })
  })
)

// --- internal ---

const identity = ({ line, origin, raw }: Rejected): string => JSON.stringify([origin, line, raw])
