import type { SourceError } from "@assay/core/Source"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import * as Feed from "./Feed.ts"

const header = "id,amount,note\n"
const record = fc.oneof(
  fc.tuple(fc.nat(5), fc.nat(3)).map(([id, amount]) => `i${id},${amount},n`),
  fc.constantFrom("", "\r", "a,1", 'b,2,"x\ny"', 'c,3,"x', 'd,4,x"y', 'e,5,"x"y', "f,,n", 'g,6,","\r', "h,7,é")
)
const body = fc.array(record, { maxLength: 8 }).map((records) => records.join("\n"))
const step = fc.record({
  text: body,
  batches: fc.nat(6),
  batchSize: fc.integer({ min: 1, max: 3 }),
  isBroken: fc.boolean()
})

const property = <A>(
  arbitrary: fc.Arbitrary<A>,
  test: (value: A) => Effect.Effect<void, SourceError>,
  numRuns: number
) =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(arbitrary, (value) => Effect.runPromise(test(value))),
      { numRuns }
    )
  )

/** The contents of rows, in order; lines and batches aside. */
const rows = (landed: Feed.Landed) => landed.rows.map(({ hash }) => hash)
const distinct = (landed: Feed.Landed) => [...new Set(rows(landed))].toSorted()

/** Lands until nothing is due. */
const settle = Effect.fnUntraced(function* (source: ReturnType<typeof Feed.source>, landed: Feed.Landed) {
  const first = yield* Feed.land(source, landed)
  const second = yield* Feed.land(source, first)
  assert.deepStrictEqual([second.deliveries, second.error], [[], undefined])
  return second
})

describe("FileSource", () => {
  it.effect("lands every row of a growing file, whatever dies in between, and each row once (Verifies: L4)", () =>
    property(
      fc.array(step, { minLength: 1, maxLength: 4 }),
      (steps) =>
        Effect.gen(function* () {
          const folder = yield* Feed.folder
          let landed = Feed.nothing
          yield* Feed.write(folder, "a.csv", header)
          for (const { batchSize, batches, isBroken, text } of steps) {
            // Whole lines are appended, so nothing may be read in two versions unless a quote was left open.
            yield* Feed.append(folder, "a.csv", `${text}\n`)
            landed = yield* Feed.land(Feed.source(folder, { batchSize }), landed, isBroken ? { batches } : {})
          }
          const source = Feed.source(folder)
          const grown = yield* settle(source, landed)
          const fresh = yield* Feed.land(source)
          const isRewritten = JSON.stringify(grown.positions.get("a.csv")?.value).includes('"isRewritten":true')
          if (!isRewritten) {
            assert.deepStrictEqual(grown.rows, fresh.rows)
            assert.deepStrictEqual(grown.rejected, fresh.rejected)
          }
          for (const row of distinct(fresh)) assert.include(rows(grown), row)
        }).pipe(Effect.scoped),
      50
    )
  )

  it.effect("lands the rows of every version of a file that is rewritten, whatever dies in between", () =>
    property(
      fc.array(step, { minLength: 2, maxLength: 4 }),
      (steps) =>
        Effect.gen(function* () {
          const folder = yield* Feed.folder
          let landed = Feed.nothing
          for (const { batchSize, batches, isBroken, text } of steps) {
            const before = distinct(landed)
            yield* Feed.write(folder, "a.csv", `${header}${text}`)
            const source = Feed.source(folder, { batchSize })
            landed = yield* Feed.land(source, landed, isBroken ? { batches } : {})
            landed = yield* settle(source, landed)
            const fresh = yield* Feed.land(source)
            assert.deepStrictEqual(distinct(landed), [...new Set([...before, ...rows(fresh)])].toSorted())
          }
        }).pipe(Effect.scoped),
      50
    )
  )
})
