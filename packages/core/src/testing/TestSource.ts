/**
 * A source for tests: rows handed over by the test, delivery by delivery, landed by the same engine as any file.
 */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { Delivery, Rejected, Source } from "../Source.ts"

/**
 * A source and the means to deliver to it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TestSource<in out Row> {
  readonly source: Source<Row>
  /** Makes rows available; the next materialization lands them. */
  readonly deliver: (
    rows: ReadonlyArray<Row>,
    rejected?: ReadonlyArray<Pick<Rejected, "line" | "raw" | "reasons">>
  ) => Effect.Effect<void>
}

/**
 * A source without deliveries.
 *
 * **Example**
 *
 * ```ts
 * import { Effect } from "effect"
 * import * as TestSource from "@assay/core/testing/TestSource"
 *
 * const program = Effect.gen(function*() {
 *   const feed = yield* TestSource.make<{ readonly id: string }>()
 *   yield* feed.deliver([{ id: "a" }])
 *   return feed.source
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Row>(): Effect.Effect<TestSource<Row>> =>
  Effect.map(Ref.make<ReadonlyArray<Handed<Row>>>([]), (handed) => ({
    deliver: (rows, rejected = []) =>
      Ref.update(handed, (before) => [...before, { origin: `delivery-${before.length + 1}`, rows, rejected }]),
    source: {
      description: "rows handed over by a test",
      discover: (landed) =>
        Effect.map(Ref.get(handed), (deliveries) =>
          deliveries
            .filter(({ origin }) => !landed.some((position) => position.origin === origin))
            .map(({ origin, rows }): Delivery => ({
              origin,
              description: `${origin} (${rows.length} rows)`,
              bytes: 0,
              after: undefined
            }))
        ),
      read: (delivery) =>
        Stream.fromEffect(Ref.get(handed)).pipe(
          Stream.flatMap((deliveries) =>
            Stream.fromIterable(deliveries.filter(({ origin }) => origin === delivery.origin))
          ),
          Stream.map(({ origin, rejected, rows }) => ({
            rows,
            rejected: rejected.map((row) => ({ ...row, origin, context: null })),
            position: { origin, value: { rows: rows.length } },
            knownBy: undefined,
            warnings: []
          }))
        ),
      replay: (rejected) => Effect.succeed(rejected.map(({ reasons }) => ({ reasons })))
    }
  }))

// --- internal ---

interface Handed<Row> {
  readonly origin: string
  readonly rows: ReadonlyArray<Row>
  readonly rejected: ReadonlyArray<Pick<Rejected, "line" | "raw" | "reasons">>
}
