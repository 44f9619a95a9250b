/**
 * Taking in what a source has to deliver, one delivery after the other. A delivery that cannot be landed does not keep
 * the others out; the source has failed all the same, and what depends on it waits.
 */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { MaterializationError } from "../MaterializationError.ts"
import type { Delivery } from "../Source.ts"
import * as Attempt from "./Attempt.ts"
import * as Lander from "./Lander.ts"
import { tell } from "./Progress.ts"

/**
 * The services that taking in uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Lander.Services | Attempt.Services

/**
 * Lands the deliveries of a source asset; those that it has now, where none are given.
 *
 * @category running
 * @since 0.1.0
 */
export const land = Effect.fn("Intake.land")(function* (
  work: Attempt.Work,
  known: ReadonlyArray<Delivery> | undefined
): Effect.fn.Return<void, MaterializationError, Services> {
  const { asset } = work.target
  const from = Lander.sourceOf(asset)
  if (from === undefined) return
  const deliveries = known ?? (yield* Attempt.make(work, () => Lander.discover(from)))
  if (deliveries.length === 0) return
  yield* tell({
    _tag: "AssetStarted",
    asset: asset.name,
    step: {
      _tag: "Land",
      asset: asset.name,
      deliveries,
      why: [{ _tag: "NewRows", deliveries: deliveries.length }],
      rows: undefined
    }
  })
  const failures: Array<MaterializationError> = []
  // What this landing itself has landed is no reason to look again at what else it found.
  let revision = deliveries[0]?.revision
  for (const delivery of deliveries) {
    if (!(yield* Attempt.goesOn(work))) break
    revision = yield* landOne(work, from, { ...delivery, revision }).pipe(
      Effect.catch((error) => Effect.sync(() => void failures.push(error)))
    )
  }
  const [first] = failures
  if (first !== undefined) return yield* first
})

// --- internal ---

const landOne = Effect.fnUntraced(function* (
  work: Attempt.Work,
  from: Lander.SourceAsset,
  found: Delivery
): Effect.fn.Return<string | undefined, MaterializationError, Services> {
  const { graph, runId, tally } = work
  const asset = from.asset.name
  const step = yield* Attempt.begin(work, { kind: "land", why: `new rows: ${found.description}` })
  const delivered = tell({ _tag: "Delivered", asset, origin: found.origin })
  return yield* Attempt.make(
    work,
    (attempts) =>
      Effect.gen(function* () {
        if (attempts > 1 && (yield* Attempt.recall(work, step))) {
          yield* delivered
          return undefined
        }
        // Looked up again on every further attempt: an earlier one, or another process, may have landed part of it.
        const delivery =
          attempts === 1 ? found : (yield* Lander.discover(from)).find(({ origin }) => origin === found.origin)
        const record = (landed: Partial<Attempt.Tally>, status: "running" | "succeeded") =>
          Effect.flatMap(Ref.get(step.committed), (committed) =>
            Attempt.record(step, { ...Attempt.add(committed, landed), units: 1 }, { status, attempts })
          )
        let revision: string | undefined
        let isBegun = (yield* Ref.get(step.committed)).read > 0
        if (delivery !== undefined) {
          revision = yield* Lander.land({
            graph,
            from,
            delivery,
            runId,
            batchId: `${runId}-${step.record.index}`,
            record: (landed) => record(landed, "running"),
            onBatch: ({ warnings, ...landed }) =>
              Effect.gen(function* () {
                isBegun = true
                yield* Ref.update(step.committed, (sum) => Attempt.add(sum, landed))
                yield* Ref.update(tally, (sum) => Attempt.add(sum, landed))
                yield* tell({ _tag: "Landed", asset, rows: landed.inserted, quarantined: landed.quarantined })
                for (const message of warnings) yield* tell({ _tag: "Warned", asset, message })
              })
          })
        }
        // Nothing is left where another process has landed it, under this name or another one.
        if (!isBegun) return revision
        yield* record({}, "succeeded")
        yield* Ref.update(tally, (sum) => Attempt.add(sum, { steps: 1, units: 1 }))
        yield* delivered
        return revision
      }),
    { step }
  )
})
