/**
 * The shop's source under a test's control: what is delivered, in which batches, and where reading it breaks off. A
 * position counts the batches that landed, so a landing that broke off goes on behind them.
 */
import { type Batch, type Delivery, type Rejected, type Source, SourceError } from "@assay/core/Source"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** One delivery; `breaks` says behind which batch reading fails, and how, as long as it is set. */
export interface Parcel<Row> {
  readonly origin: string
  readonly batches: ReadonlyArray<{
    readonly rows: ReadonlyArray<Row>
    readonly rejected?: ReadonlyArray<Rejected>
    readonly warnings?: ReadonlyArray<string>
  }>
  readonly knownBy?: ReadonlyArray<string>
  readonly breaks?: { readonly after: number; readonly kind: SourceError["kind"] }
}

export interface Feed<in out Row> {
  readonly source: Source<Row>
  readonly deliver: (parcel: Parcel<Row>) => Effect.Effect<void>
  /** Mends a delivery: it does not break off any more. */
  readonly mend: (origin: string) => Effect.Effect<void>
  /** Makes looking for deliveries fail, until it is undefined. */
  readonly hide: (kind: SourceError["kind"] | undefined) => Effect.Effect<void>
  /** Today's rules for a rejected row: the row it is after all. */
  readonly admit: (raw: string, row: Row) => Effect.Effect<void>
}

export const make = <Row>(): Effect.Effect<Feed<Row>> =>
  Effect.gen(function* () {
    const parcels = yield* Ref.make<ReadonlyArray<Parcel<Row>>>([])
    const hidden = yield* Ref.make<SourceError["kind"] | undefined>(undefined)
    const admitted = yield* Ref.make<ReadonlyMap<string, Row>>(new Map())

    const read = (delivery: Delivery): Stream.Stream<Batch<Row>, SourceError> =>
      Stream.unwrap(
        Effect.gen(function* () {
          const parcel = (yield* Ref.get(parcels)).find(({ origin }) => origin === delivery.origin)
          const start = delivery.after === undefined ? 0 : landedBatches(delivery.after.value)
          if (parcel === undefined) return Stream.empty
          return Stream.fromIterable(parcel.batches.entries()).pipe(
            Stream.rechunk(1),
            Stream.drop(start),
            Stream.mapEffect(([index, { rejected = [], rows, warnings = [] }]) =>
              index === parcel.breaks?.after
                ? broken(parcel)
                : Effect.succeed({
                    rows,
                    rejected,
                    position: { origin: parcel.origin, value: { batches: index + 1 } },
                    knownBy: parcel.knownBy,
                    warnings
                  })
            )
          )
        })
      )

    return {
      deliver: (parcel) => Ref.update(parcels, (known) => [...known, parcel]),
      mend: (origin) =>
        Ref.update(parcels, (known) =>
          known.map(({ breaks, ...parcel }) =>
            breaks === undefined || parcel.origin === origin ? parcel : { ...parcel, breaks }
          )
        ),
      hide: (kind) => Ref.set(hidden, kind),
      admit: (raw, row) => Ref.update(admitted, (known) => new Map(known).set(raw, row)),
      source: {
        description: "parcels of a test",
        discover: Effect.fnUntraced(function* (landed) {
          const kind = yield* Ref.get(hidden)
          if (kind !== undefined) return yield* new SourceError({ origin: "all", kind, message: "the door is locked" })
          return (yield* Ref.get(parcels)).flatMap(({ batches, origin }): ReadonlyArray<Delivery> => {
            const after = landed.find((position) => position.origin === origin)
            return after !== undefined && landedBatches(after.value) >= batches.length
              ? []
              : [{ origin, description: origin, bytes: 0, after }]
          })
        }),
        read,
        replay: (rejected) =>
          Effect.map(Ref.get(admitted), (known) =>
            rejected.map(({ raw }) => {
              const row = known.get(raw)
              return row === undefined ? { reasons: ["still not an order"] } : { row }
            })
          )
      }
    }
  })

// --- internal ---

const landedBatches = (value: Schema.Json): number => Schema.decodeUnknownSync(Value)(value).batches

const Value = Schema.Struct({ batches: Schema.Int })

const broken = <Row>({ breaks, origin }: Parcel<Row>): Effect.Effect<never, SourceError> =>
  Effect.fail(new SourceError({ origin, kind: breaks?.kind ?? "Unreadable", message: `${origin} breaks off` }))
