/**
 * A source into which a trial puts deliveries, each under the name that it gives it. Several of them can deliver to one
 * asset, like the processes that load a table.
 */
import type { Source } from "@assay/core/Source"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"

/** A source and the slot in it. */
export interface Letterbox<in out Row> {
  readonly source: Source<Row>
  readonly put: (origin: string, rows: ReadonlyArray<Row>) => Effect.Effect<void>
}

/** An empty letterbox. */
export const make = <Row>(): Effect.Effect<Letterbox<Row>> =>
  Effect.map(Ref.make<ReadonlyMap<string, ReadonlyArray<Row>>>(new Map()), (letters) => ({
    put: (origin, rows) => Ref.update(letters, (before) => new Map(before).set(origin, rows)),
    source: {
      description: "rows handed over by a benchmark",
      discover: (landed) =>
        Effect.map(Ref.get(letters), (all) => {
          const known = new Set(landed.map(({ origin }) => origin))
          return Array.from(all.keys())
            .filter((origin) => !known.has(origin))
            .map((origin) => ({ origin, description: origin, bytes: undefined, after: undefined }))
        }),
      read: ({ origin }) =>
        Stream.fromEffect(
          Effect.map(Ref.get(letters), (all) => ({
            rows: all.get(origin) ?? [],
            rejected: [],
            position: { origin, value: null },
            knownBy: undefined,
            warnings: []
          }))
        ),
      replay: (rejected) => Effect.succeed(rejected.map(({ reasons }) => ({ reasons })))
    }
  }))
