/**
 * Landing: a step whose input is a source instead of other assets. Each batch is one transaction of rows, quarantine,
 * position and marks, so a landing that dies is resumed by landing again and no row is lost or doubled (L3, L4).
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Asset } from "../Asset.ts"
import type { CheckResult } from "../AssetCheck.ts"
import type { AssetEvent } from "../AssetEvent.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { canonicalJson, type Row } from "../Column.ts"
import { Outbox } from "../ledger/Outbox.ts"
import { type LandedPosition, Positions } from "../ledger/Positions.ts"
import { Quarantine } from "../ledger/Quarantine.ts"
import { DefinitionFault, type Reason, SchemaMismatch, Transient } from "../MaterializationError.ts"
import type { Batch, Delivery, Source, SourceError } from "../Source.ts"
import { Transactor } from "../Transactor.ts"
import { all } from "../Unit.ts"
import { Warehouse, type Written } from "../warehouse/Warehouse.ts"
import type { Append } from "../WriteStrategy.ts"
import * as FaultPoint from "./FaultPoint.ts"
import * as Materializer from "./Materializer.ts"

/**
 * The services that landing uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Materializer.Services | Positions | Quarantine

/**
 * What one batch brought.
 *
 * @category models
 * @since 0.1.0
 */
export interface Landed {
  readonly read: number
  readonly inserted: number
  readonly unchanged: number
  readonly quarantined: number
  /** What the source and the checks have to say. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * A source asset with what it is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface SourceAsset {
  readonly asset: Asset<string, unknown, never>
  readonly source: Source<Row>
  readonly write: Append
}

/**
 * The source of an asset; undefined for an asset that is computed.
 *
 * @category getters
 * @since 0.1.0
 */
export const sourceOf = (asset: Asset<string, unknown, never>): SourceAsset | undefined =>
  asset.body._tag === "Source" && asset.write._tag === "Append"
    ? { asset, source: asset.body.source, write: asset.write }
    : undefined

/**
 * What there is to land.
 *
 * @category steps
 * @since 0.1.0
 */
export const discover = Effect.fn("Lander.discover")(function* ({
  asset,
  source
}: SourceAsset): Effect.fn.Return<ReadonlyArray<Delivery>, Reason, Positions> {
  const positions = yield* Positions
  const landed = yield* positions.all(asset.name)
  const revision = latest(landed)
  const found = yield* Effect.mapError(source.discover(landed), reasonOf)
  return found.map((delivery) => ({ ...delivery, revision }))
})

/**
 * Lands one delivery, batch by batch, and yields the revision of the asset's positions that it leaves. Undefined where
 * others landed in between, so that what else was found has to be looked at again.
 *
 * **Details**
 *
 * What is due was found before the asset was held. So the first batch asks, under the hold, whether anything was landed
 * since, and where it was, whether the delivery is still due and goes on from the same position: its content may have
 * come under another name meanwhile (L4). A delivery that is not due any more lands nothing.
 *
 * @category steps
 * @since 0.1.0
 */
export const land = Effect.fn("Lander.land")(function* <E, R>(options: {
  readonly graph: AssetGraph
  readonly from: SourceAsset
  readonly delivery: Delivery
  readonly runId: string
  readonly batchId: string
  /** Done with each batch, in the same transaction. */
  readonly record: (landed: Landed) => Effect.Effect<void, E, R>
  /** Done after each batch, when it is committed. */
  readonly onBatch: (landed: Landed) => Effect.Effect<void>
}): Effect.fn.Return<string | undefined, Reason | E, Services | R> {
  const { delivery, from } = options
  let standing: Standing = { own: undefined, revision: delivery.revision, isBegun: false }
  yield* Effect.gen(function* () {
    const batches = yield* aheadOf(Stream.mapError(from.source.read(delivery), reasonOf))
    const one = Effect.gen(function* () {
      const batch = yield* batches.take
      const { landed, next } = yield* landBatch({ ...options, batch, standing, sent: batches.begin })
      standing = next
      yield* FaultPoint.pass("landing.afterCommit")
      yield* options.onBatch(landed)
    })
    return yield* Effect.forever(one)
  }).pipe(
    Effect.scoped,
    Pull.catchDone(() => Effect.void),
    Effect.catchTag("NotDue", () => Effect.void)
  )
  return standing.revision
})

/**
 * Reads quarantined rows again by today's rules: those that pass now land and are released, the others keep today's
 * reasons.
 *
 * @category steps
 * @since 0.1.0
 */
export const replay = Effect.fn("Lander.replay")(function* (options: {
  readonly graph: AssetGraph
  readonly from: SourceAsset
  readonly runId: string
  readonly limit: number
  readonly after: string | undefined
}): Effect.fn.Return<
  { readonly tried: number; readonly landed: number; readonly last: string | undefined },
  Reason,
  Services
> {
  const {
    from: { asset, source },
    graph,
    runId
  } = options
  const transactor = yield* Transactor
  const quarantine = yield* Quarantine
  return yield* transactor.transact(
    Effect.gen(function* () {
      yield* transactor.lock(Materializer.locksOf(graph, asset))
      const rows = yield* quarantine.list({ asset: asset.name, limit: options.limit, after: options.after })
      if (rows.length === 0) return { tried: 0, landed: 0, last: undefined }
      const read = yield* Effect.mapError(source.replay(rows), reasonOf)
      const at = yield* DateTime.now
      const passed = rows.flatMap(({ id }, index) => {
        const result = read[index]
        return result !== undefined && "row" in result ? [{ id, row: result.row }] : []
      })
      yield* quarantine.revise({
        rows: rows.flatMap(({ id }, index) => {
          const result = read[index]
          return result !== undefined && "reasons" in result ? [{ id, reasons: result.reasons }] : []
        }),
        at
      })
      const { written } = yield* write({
        ...options,
        batchId: `${runId}-replay`,
        rows: passed.map(({ row }) => row),
        knownBy: undefined,
        at
      })
      yield* quarantine.release({ ids: passed.map(({ id }) => id), runId, at })
      return { tried: rows.length, landed: written.inserted, last: rows.at(-1)?.id }
    })
  )
})

// --- internal ---

/** How far a delivery has been landed, and the asset with it. */
interface Standing {
  /** The position that the last batch reached. */
  readonly own: LandedPosition | undefined
  /** The asset's last move, as long as nobody else has made one. */
  readonly revision: string | undefined
  readonly isBegun: boolean
}

/** What was found is not due any more. */
class NotDue extends Data.TaggedError("NotDue")<{}> {}

/**
 * The batches of a stream one by one, never more than one ahead, so that memory stays the same. The next one is read from
 * `begin` on, while the database is busy with the one at hand; were it read at once, it would keep all the short statements
 * waiting that come before, because one thread reads and asks. It is read outside of the transaction in which that is said:
 * a source may read from the same database.
 */
const aheadOf = Effect.fnUntraced(function* (stream: Stream.Stream<Batch<Row>, Reason>) {
  const pull = yield* Stream.toPull(Stream.rechunk(stream, 1))
  const asked = yield* Queue.unbounded<void>()
  const read = yield* Queue.unbounded<Exit.Exit<Read, Reason | Cause.Done>>()
  yield* Effect.forkScoped(
    Queue.take(asked).pipe(
      Effect.andThen(Effect.exit(pull)),
      Effect.flatMap((exit) => Queue.offer(read, exit)),
      Effect.forever
    )
  )
  let isBegun = false
  const begin: Effect.Effect<void> = Effect.suspend(() => {
    if (isBegun) return Effect.void
    isBegun = true
    return Effect.asVoid(Queue.offer(asked, undefined))
  })
  const taken: Effect.Effect<Exit.Exit<Read, Reason | Cause.Done>> = Effect.andThen(begin, Queue.take(read))
  const take: Effect.Effect<Batch<Row>, Reason | Cause.Done> = Effect.flatMap(taken, (exit) => {
    isBegun = false
    return Effect.map(exit, ([batch]) => batch)
  })
  return { begin, take }
})

type Read = readonly [Batch<Row>, ...ReadonlyArray<Batch<Row>>]

const landBatch = Effect.fnUntraced(function* <E, R>(options: {
  readonly graph: AssetGraph
  readonly from: SourceAsset
  readonly delivery: Delivery
  readonly runId: string
  readonly batchId: string
  readonly record: (landed: Landed) => Effect.Effect<void, E, R>
  readonly batch: Batch<Row>
  readonly standing: Standing
  readonly sent: Effect.Effect<void>
}): Effect.fn.Return<{ readonly landed: Landed; readonly next: Standing }, NotDue | Reason | E, Services | R> {
  const {
    batch,
    delivery,
    from: { asset },
    graph,
    runId,
    standing
  } = options
  const transactor = yield* Transactor
  const positions = yield* Positions
  const quarantine = yield* Quarantine
  const outbox = yield* Outbox
  return yield* transactor.transact(
    Effect.gen(function* () {
      yield* FaultPoint.pass("landing.beforeLock")
      yield* transactor.lock(Materializer.locksOf(graph, asset))
      yield* FaultPoint.pass("landing.afterLock")
      const at = yield* DateTime.now
      const before = yield* positions.revision(asset.name)
      const isAlone = before === standing.revision
      if (!isAlone && !standing.isBegun) yield* refuseOutdated(options.from, delivery)
      const after = standing.own ?? delivery.after
      const move = { asset: asset.name, at }
      // Whoever is still landing under the other name finds its position moved, and stops.
      const isHandedOver =
        after === undefined ||
        after.origin === delivery.origin ||
        (yield* positions.advance({ ...move, origin: after.origin, expected: after, value: after.value })) !== undefined
      const { value } = batch.position
      const revision = yield* positions.advance({
        ...move,
        origin: delivery.origin,
        expected: after?.origin === delivery.origin ? after : undefined,
        value
      })
      const isOurs = isHandedOver && revision !== undefined
      if (!isOurs) {
        return yield* new Transient({
          message: `${delivery.origin} is being landed by another process; what is left of it is looked up again`,
          code: undefined
        })
      }
      yield* FaultPoint.pass("landing.beforeWrite")
      const { warnings, written } = yield* write({ ...options, rows: batch.rows, knownBy: batch.knownBy, at })
      const rejected =
        batch.rejected.length === 0 ? 0 : yield* quarantine.add({ asset: asset.name, runId, at, rows: batch.rejected })
      yield* FaultPoint.pass("landing.afterQuarantine")
      yield* outbox.emit([
        {
          _tag: "Landed",
          asset: asset.name,
          runId,
          origin: delivery.origin,
          rows: written.inserted,
          quarantined: rejected,
          at
        }
      ])
      const landed: Landed = {
        read: batch.rows.length + batch.rejected.length,
        inserted: written.inserted,
        unchanged: written.unchanged,
        quarantined: rejected,
        warnings: [...batch.warnings, ...warnings.map(Materializer.describe)]
      }
      yield* options.record(landed)
      yield* FaultPoint.pass("landing.beforeCommit")
      const own = { origin: delivery.origin, value, landedAt: at, revision }
      return { landed, next: { own, revision: isAlone ? revision : undefined, isBegun: true } }
    })
  )
})

/**
 * Fails where what was found is not due any more, or goes on from elsewhere, now that others have landed. Under the
 * asset's hold, so that this stays true until the transaction ends.
 */
const refuseOutdated = Effect.fnUntraced(function* (
  from: SourceAsset,
  delivery: Delivery
): Effect.fn.Return<void, NotDue | Reason, Positions> {
  const due = (yield* discover(from)).find(({ origin }) => origin === delivery.origin)
  if (due === undefined) return yield* new NotDue()
  const isSame =
    due.after?.origin === delivery.after?.origin &&
    canonicalJson(due.after?.value ?? null) === canonicalJson(delivery.after?.value ?? null)
  if (isSame) return
  return yield* new Transient({
    message: `another process has landed some of ${delivery.origin}; what is left of it is looked up again`,
    code: undefined
  })
})

/** The last of some moves. */
const latest = (landed: ReadonlyArray<LandedPosition>): string | undefined =>
  landed.reduce<LandedPosition | undefined>(
    (last, position) => (last === undefined || BigInt(position.revision) > BigInt(last.revision) ? position : last),
    undefined
  )?.revision

/** Adds rows to the log, checks them and marks what they make stale. */
const write = Effect.fnUntraced(function* (options: {
  readonly graph: AssetGraph
  readonly from: SourceAsset
  readonly runId: string
  readonly batchId: string
  readonly rows: ReadonlyArray<Row>
  readonly knownBy: ReadonlyArray<string> | undefined
  readonly at: DateTime.Utc
  readonly sent?: Effect.Effect<void>
}): Effect.fn.Return<
  { readonly written: Written; readonly warnings: ReadonlyArray<CheckResult> },
  Reason,
  Materializer.Services
> {
  const {
    at,
    batchId,
    from: {
      asset,
      write: { batch, loadedAt }
    },
    graph,
    knownBy,
    rows,
    runId
  } = options
  const warehouse = yield* Warehouse
  const outbox = yield* Outbox
  const loaded = DateTime.formatIso(at).replace(/\.(\d{3})Z$/, ".$1000Z")
  const written = yield* warehouse.land({
    asset,
    rows: rows.map((row) => ({ ...row, [batch]: batchId, [loadedAt]: loaded })),
    knownBy,
    ...(options.sent === undefined ? {} : { sent: options.sent })
  })
  yield* FaultPoint.pass("landing.afterWrite")
  const warnings = yield* Materializer.checked(asset, { units: all, partitions: [] })
  yield* FaultPoint.pass("landing.afterChecks")
  yield* Materializer.propagate({ graph, asset, written, at })
  yield* FaultPoint.pass("landing.afterMarks")
  yield* outbox.emit(
    warnings.map((check): AssetEvent => ({ _tag: "CheckFailed", asset: asset.name, runId, ...check, at }))
  )
  return { written, warnings }
})

const reasonOf = ({ kind, message }: SourceError): Reason => {
  switch (kind) {
    case "SchemaMismatch":
      return new SchemaMismatch({ message })
    case "Transient":
      return new Transient({ message, code: undefined })
    case "Unreadable":
      return new DefinitionFault({ message, code: undefined })
  }
}
