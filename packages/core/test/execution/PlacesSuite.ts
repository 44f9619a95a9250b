/**
 * Assets of several dimensions, whatever arrives late, moves or is taken back: what was built is never wrong, and when
 * nothing is stale it is what a full refresh yields. Every storage must pass this suite.
 */
import type * as Assay from "@assay/core/Assay"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Prng from "../oracle/Prng.ts"
import * as Feed from "../shop/Feed.ts"
import { open, Time } from "../shop/Storage.ts"
import { built, lies, planned, rows, trouble } from "../shop/Trade.ts"
import type { Test } from "./EngineSuite.ts"
import * as Places from "./Places.ts"

const begin = "2024-03-05T12:00:00Z"

/** What is said of a sale. */
type Said = Places.Sale & { readonly isDeleted?: boolean }

const opened = Effect.gen(function* () {
  const feed = yield* Feed.make<Places.Delivered>()
  yield* (yield* Time).set(begin)
  const assay = yield* open(Places.graph(feed.source))
  const sales = new Map<string, Places.Sale>()
  let delivery = 0
  /** Delivers what is said of some sales, in the words of the truth so far. */
  const say = (said: ReadonlyArray<Said>) => {
    delivery += 1
    for (const { isDeleted = false, ...sale } of said) {
      if (isDeleted) sales.delete(sale.id)
      else sales.set(sale.id, sale)
    }
    const parcel = said.map(({ isDeleted = false, ...sale }, line) => ({
      ...sale,
      origin: String(delivery),
      line,
      seen: delivery,
      is_deleted: isDeleted
    }))
    return feed.deliver({ origin: String(delivery), batches: [{ rows: parcel }] })
  }
  return { assay, sales, say }
})

const stored = (assay: typeof Assay.Assay.Service, assets: Iterable<string>) =>
  Effect.map(
    Effect.forEach(Array.from(assets), (asset) => Effect.map(rows(assay, asset), (found) => [asset, found] as const)),
    (found) => Object.fromEntries(found)
  )

const sorted = (table: ReadonlyArray<ReadonlyArray<string | null>>) => table.map((row) => row.join("|")).toSorted()

export const suite = (
  name: string,
  test: Test,
  options: { readonly seeds: ReadonlyArray<number>; readonly steps: number }
) => {
  describe(`assets of several dimensions (${name})`, () => {
    test("are planned, built and explained by their keys, and only where something changed (Verifies: L6)", () =>
      Effect.gen(function* () {
        const { assay, say } = yield* opened
        yield* say([
          { id: "1", day: "2024-03-02", region: "eu", amount: 10 },
          { id: "2", day: "2024-03-02", region: "us", amount: 20 },
          { id: "3", day: "2024-03-04", region: "eu", amount: 30 }
        ])
        assert.deepStrictEqual(planned(yield* assay.plan({ select: "by_place" })).by_place, 12)
        const first = yield* assay.materialize({ select: "+by_place", partitions: "2024-03-02..|eu, 2024-03-01|*" })
        assert.deepStrictEqual(built(first), { sale_log: 1, sale: 0, by_place: 6 })
        assert.deepStrictEqual(built(yield* assay.materialize({})), { by_place: 6, by_day: 4, by_region: 3, share: 12 })
        assert.deepStrictEqual(built(yield* assay.materialize({})), {})
        assert.deepStrictEqual(yield* rows(assay, "by_place", "2024-03-02|*"), [
          ["2024-03-02", "eu", "10"],
          ["2024-03-02", "us", "20"]
        ])

        // The sale moves to another region of the same day, so two places and the totals of two regions differ, not the day's.
        yield* say([{ id: "1", day: "2024-03-02", region: "us", amount: 10 }])
        yield* assay.materialize({ assets: ["sale"] })
        const why = yield* assay.why({ asset: "by_place", unit: "2024-03-02|eu" })
        assert.deepStrictEqual([why.state, why.next], ["stale", { _tag: "Build", isOnlyNamed: false }])
        assert.strictEqual((yield* assay.why({ asset: "by_place", unit: "2024-03-04|eu" })).state, "fresh")
        const second = yield* assay.materialize({})
        assert.deepStrictEqual(built(second), { by_place: 2, by_day: 1, by_region: 2, share: 8 })
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])

        const toCome = yield* assay.why({ asset: "by_week", unit: "west|2024-03-04" })
        assert.deepStrictEqual(
          [toCome.state, toCome.next],
          ["toCome", { _tag: "Exist", at: Date.parse("2024-03-11T00:00:00Z") }]
        )
        const [place] = yield* assay.status(["by_place"])
        assert.deepStrictEqual(place && [place.existing, place.built, place.stale, place.missing], [12, 12, 0, 0])
      }))

    test("wait for what they are made of, dimension by dimension (Verifies: L7)", () =>
      Effect.gen(function* () {
        const { assay, say } = yield* opened
        yield* say([{ id: "1", day: "2024-03-05", region: "apac", amount: 10 }])
        yield* (yield* Time).set("2024-03-11T00:00:00Z")
        assert.deepStrictEqual(built(yield* assay.materialize({})).by_week, 2)
        assert.deepStrictEqual(yield* rows(assay, "by_week", "*|2024-03-04"), [["east", "2024-03-04", "10"]])
      }))

    for (const seed of options.seeds) {
      test(`are what a full refresh yields, whatever happened; seed ${seed} (Verifies: L1, L2)`, () =>
        Effect.gen(function* () {
          const { assay, sales, say } = yield* opened
          const random = Prng.make(seed)
          let now = begin
          const invented = (id: string): Places.Sale => ({
            id,
            day: random.chance(0.9) ? `2024-03-${String(1 + random.below(16)).padStart(2, "0")}` : null,
            region: random.chance(0.9) ? random.pick(["eu", "us", "apac"] as const) : "mars",
            amount: 1 + random.below(50)
          })
          yield* say(Array.from({ length: 12 }, (_, index) => invented(`s${index}`)))
          for (let step = 0; step < options.steps; step += 1) {
            const id = `s${random.below(20)}`
            const known = sales.get(id)
            yield* say(
              known === undefined
                ? [invented(id), invented(`s${20 + random.below(10)}`)]
                : random.pick<ReadonlyArray<Said>>([
                    [{ ...known, isDeleted: true }],
                    [known],
                    [{ ...known, region: invented(id).region }],
                    [invented(id)]
                  ])
            )
            if (random.chance(0.3)) {
              now = new Date(Date.parse(now) + random.below(4) * 86_400_000).toISOString()
              yield* (yield* Time).set(now)
            }
            const request = random.pick([
              { assets: ["sale"] },
              {
                select: "by_place",
                partitions: `latest|${random.pick(["eu", "us", "apac"] as const)}`,
                upstream: false
              },
              { select: "share", partitions: `2024-03-01..2024-03-02|*`, upstream: false },
              { assets: ["by_day", "by_week"] },
              {}
            ])
            const result = yield* assay.materialize(request)
            assert.deepStrictEqual(trouble(result), {}, `step ${step}`)
            assert.deepStrictEqual(yield* lies(assay), [], `step ${step}, ${JSON.stringify(request)}`)
          }
          yield* assay.materialize({})
          assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
          const expected = Places.tables(sales.values(), now)
          const found = yield* stored(assay, Object.keys(expected))
          for (const [asset, table] of Object.entries(expected)) {
            assert.deepStrictEqual(sorted(found[asset] ?? []), sorted(table), asset)
          }
          assert.deepStrictEqual(built(yield* assay.materialize({})), {})
        }))
    }
  })
}
