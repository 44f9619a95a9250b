import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Fault from "@assay/billing-assets/generator/Fault"
import * as Feed from "@assay/billing-assets/generator/Feed"
import * as FeedRow from "@assay/billing-assets/generator/FeedRow"
import * as Instant from "@assay/billing-assets/generator/Instant"
import * as Contract from "./Contract.ts"

const collect = (options: Feed.Options) => Stream.runCollect(Feed.generate(options))

const feed = collect({ customers: 400, months: 9, seed: 11 })

const sound = (rows: ReadonlyArray<FeedRow.FeedRow>) => rows.filter(({ fault }) => fault === null)

const lag = (row: FeedRow.FeedRow, column: "event_ts" | "updated_at"): number =>
  row.arrivedAt - Number(Contract.micros(row[column]))

describe("Feed", () => {
  it.effect("tells the same feed from the same options, each time it is run", () =>
    Effect.gen(function* () {
      const rows = yield* feed
      assert.deepStrictEqual(yield* feed, rows)
      assert.deepStrictEqual(yield* collect({ customers: 400, months: 9, start: "2024-01-01", seed: 11 }), rows)
    })
  )

  it.effect("tells another feed from another seed", () =>
    Effect.gen(function* () {
      const lines = new Set((yield* feed).map(FeedRow.toJson))
      const others = yield* collect({ customers: 400, months: 9, seed: 12 })
      const shared = others.filter((row) => lines.has(FeedRow.toJson(row)))
      assert.isTrue(others.length > 5000)
      assert.strictEqual(shared.length, 0)
    })
  )

  it.effect("arrives in order, within its months, and nothing arrives before it is written", () =>
    Effect.gen(function* () {
      const rows = yield* collect({ customers: 300, months: 4, start: "2023-11-20", seed: 2 })
      assert.deepStrictEqual(
        rows,
        rows.toSorted((one, other) => one.arrivedAt - other.arrivedAt)
      )
      const [first] = rows
      const last = rows.at(-1)
      assert.isTrue(first !== undefined && Instant.toDay(first.arrivedAt) >= "2023-11-20")
      assert.isTrue(last !== undefined && Instant.toDay(last.arrivedAt) <= "2024-02-29")
      assert.isTrue(last !== undefined && Instant.toDay(last.arrivedAt) >= "2024-02-25")
      const early = sound(rows).filter((row) => lag(row, "updated_at") < 0 || lag(row, "event_ts") < 0)
      assert.deepStrictEqual(early, [])
    })
  )

  it.effect("names the months that its rows arrive in", () =>
    Effect.gen(function* () {
      const options = { customers: 50, months: 3, start: "2023-12-05", seed: 1 }
      const months = yield* Stream.runCollect(Feed.months(options))
      assert.deepStrictEqual(
        months.map(({ name }) => name),
        ["2023-12", "2024-01", "2024-02"]
      )
      assert.deepStrictEqual(yield* Effect.fromResult(Feed.monthNames(options)), ["2023-12", "2024-01", "2024-02"])
      for (const month of months) {
        assert.isTrue(month.rows.length > 0)
        assert.isTrue(month.rows.every((row) => Instant.toDay(row.arrivedAt).startsWith(month.name)))
      }
    })
  )

  it.effect("keeps every rule of the contract in sound rows, and breaks just the named one in malformed rows", () =>
    Effect.gen(function* () {
      for (const row of yield* feed) {
        const reasons = Contract.reasons(Contract.fromCells(FeedRow.toCells(row)))
        assert.deepStrictEqual(reasons, row.fault === null ? [] : [row.fault], FeedRow.toCells(row).join("|"))
      }
    })
  )

  it.effect("breaks about one row in two hundred, in every way", () =>
    Effect.gen(function* () {
      const rows = yield* feed
      const faults = rows.flatMap(({ fault }) => (fault === null ? [] : [fault]))
      const share = faults.length / rows.length
      assert.isTrue(share > 0.0025 && share < 0.0075, `0.5 % should be malformed, but ${share * 100} % are`)
      assert.sameMembers([...new Set(faults)], [...Fault.FAULTS])
    })
  )

  it.effect("reads the same from NDJSON, where only lines that are no object lose their fields", () =>
    Effect.gen(function* () {
      for (const row of yield* feed) {
        const line = Contract.fromJson(FeedRow.toJson(row))
        const isCut = row.fault === "too_few_fields" || row.fault === "too_many_fields"
        const expected = row.fault === null ? [] : [isCut ? "bad_json" : row.fault]
        assert.deepStrictEqual(Contract.reasons(line), expected, FeedRow.toJson(row))
        if (line._tag === "Fields") {
          const values = FeedRow.COLUMNS.map((column) => line.fields[column] ?? "")
          assert.deepStrictEqual(values, FeedRow.toCells(row))
        }
      }
    })
  )

  it.effect("prints money exactly, with at most four decimals, and often needs all four", () =>
    Effect.gen(function* () {
      const amounts = sound(yield* feed).flatMap(({ amount }) => (amount === "" ? [] : [amount]))
      assert.deepStrictEqual(
        amounts.filter((amount) => !/^-?\d+\.(\d\d|\d{4})$/.test(amount)),
        []
      )
      assert.isTrue(amounts.filter((amount) => /\.\d{4}$/.test(amount)).length > amounts.length / 20)
    })
  )

  it.effect("delivers late what is late, and writes late what is backdated", () =>
    Effect.gen(function* () {
      const rows = sound(yield* feed)
      const late = rows.filter(({ cause }) => cause === "late")
      const backdated = rows.filter(({ cause }) => cause === "backdated")
      assert.isTrue(late.length > 50 && backdated.length > 20)
      assert.isTrue(late.every((row) => lag(row, "updated_at") > Instant.DAY))
      assert.isTrue(late.filter((row) => lag(row, "updated_at") > 14 * Instant.DAY).length > late.length * 0.8)
      assert.isTrue(backdated.every((row) => lag(row, "updated_at") < Instant.DAY))
      assert.isTrue(backdated.every((row) => lag(row, "event_ts") > 13 * Instant.DAY))
      const months = backdated.filter(
        (row) => row.event_type === "customer_updated" && lag(row, "event_ts") > 90 * Instant.DAY
      )
      assert.isTrue(months.length > 0)
    })
  )

  it.effect("gives every event an identity of its own, and a newer version a later updated_at", () =>
    Effect.gen(function* () {
      const rows = sound(yield* feed)
      const firsts = rows.filter(({ cause }) => cause === "first" || cause === "late" || cause === "backdated")
      assert.strictEqual(new Set(firsts.map((row) => row.event_id)).size, firsts.length)
      const byId = new Map(firsts.map((row) => [row.event_id, Contract.micros(row.updated_at)]))
      const corrections = rows.filter(({ cause }) => cause === "correction")
      assert.isTrue(corrections.length > 100)
      assert.isTrue(corrections.every((row) => Contract.micros(row.updated_at) > (byId.get(row.event_id) ?? 0n)))
    })
  )

  it.effect("repeats duplicates byte for byte", () =>
    Effect.gen(function* () {
      const rows = yield* feed
      const counts = new Map<string, number>()
      for (const row of rows) counts.set(FeedRow.toJson(row), (counts.get(FeedRow.toJson(row)) ?? 0) + 1)
      const duplicates = sound(rows).filter(({ cause }) => cause === "duplicate")
      // The other copy may be the malformed one, which no longer looks the same.
      const alone = duplicates.filter((row) => counts.get(FeedRow.toJson(row)) === 1)
      assert.isTrue(duplicates.length > 80)
      assert.isTrue(alone.length < duplicates.length / 20)
    })
  )

  it.effect("bills customers in all currencies, segments and plans, from every type of event", () =>
    Effect.gen(function* () {
      const rows = sound(yield* feed)
      const attributes = rows.map((row) => row.attributes).join("\n")
      assert.sameMembers([...new Set(rows.map((row) => row.currency))], ["", "EUR", "GBP", "USD"])
      assert.strictEqual(new Set(rows.map((row) => row.event_type)).size, 10)
      for (const value of ["smb", "mid_market", "enterprise", "free", "starter", "pro", "business"]) {
        assert.include(attributes, `"${value}"`)
      }
    })
  )

  it.effect("refuses options that make no feed, and says what was expected", () =>
    Effect.gen(function* () {
      const asked: ReadonlyArray<readonly [Partial<Feed.Options>, string]> = [
        [{ customers: 0 }, "customers must be a whole number from 1 to 1000000, but is 0"],
        [{ customers: 1.5 }, "customers must be a whole number from 1 to 1000000, but is 1.5"],
        [{ months: 601 }, "months must be a whole number from 1 to 600, but is 601"],
        [{ months: Number.NaN }, "months must be a whole number from 1 to 600, but is NaN"],
        [{ seed: 0.5 }, "seed must be a whole number, but is 0.5"],
        [
          { start: "2024-02-30" },
          "start must be a day from 1970-01-01 to 2199-12-31, such as 2024-01-01, but is 2024-02-30"
        ],
        [{ start: "1969-12-31" }, "but is 1969-12-31"],
        [{ start: "2200-01-01" }, "but is 2200-01-01"]
      ]
      for (const [options, message] of asked) {
        const error = yield* Effect.flip(collect({ customers: 10, months: 2, seed: 1, ...options }))
        assert.instanceOf(error, Feed.FeedError)
        assert.include(error.message, message)
      }
    })
  )

  it.effect("also tells the smallest feeds and the furthest ones", () =>
    Effect.gen(function* () {
      const smallest = yield* collect({ customers: 1, months: 1, seed: 0 })
      assert.isTrue(smallest.some((row) => row.event_type === "customer_created"))
      const furthest = yield* collect({ customers: 2, months: 600, start: "2199-12-31", seed: 9 })
      for (const row of sound(furthest))
        assert.deepStrictEqual(Contract.reasons(Contract.fromCells(FeedRow.toCells(row))), [])
      assert.isTrue((furthest.at(-1)?.event_ts ?? "") > "2249")
      assert.isTrue((yield* collect({ customers: 3, months: 2, start: "1970-01-01", seed: 4 })).length > 0)
    })
  )
})
