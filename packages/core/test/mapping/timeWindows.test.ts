import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Edge from "./Edge.ts"

const { timeWindows } = PartitionMapping

const days = Partitions.daily({ start: "2024-01-20" })
const weeks = Partitions.weekly({ start: "2024-01-01" })
const months = Partitions.monthly({ start: "2024-01-01" })

describe("timeWindows", () => {
  it("has a day reach its month and week, and no other (Verifies: L7)", () => {
    const changed = ["2024-01-31", "2024-02-01"] as const
    assert.deepStrictEqual(Edge.reached(timeWindows(), { from: days, to: months }, ...changed), [
      "2024-01-01",
      "2024-02-01"
    ])
    assert.deepStrictEqual(Edge.reached(timeWindows(), { from: days, to: weeks }, ...changed), ["2024-01-29"])
    const trailing = timeWindows({ startOffset: -2 })
    const reached = ["2024-01-31", "2024-02-01", "2024-02-02"]
    assert.deepStrictEqual(Edge.reached(trailing, { from: days, to: days }, "2024-01-31"), reached)
  })

  it("has a month need its days as far as there are any (Verifies: L7)", () => {
    const found = Edge.needed(timeWindows(), { from: days, to: months }, "2024-01-01")
    assert.deepStrictEqual([found?.at(0), found?.at(-1), found?.length], ["2024-01-20", "2024-01-31", 12])
  })

  it("requires windows before the upstream's beginning and to come, unless an offset reaches back over it", () => {
    const cuts = { from: days, to: weeks }
    assert.deepStrictEqual(Edge.required(timeWindows(), cuts, "2024-01-15", "2024-01-22", "2024-02-05"), [
      "2024-01-20..2024-01-28, 2024-02-05..2024-02-09",
      "2024-01-15..2024-01-19, 2024-02-10..2024-02-11",
      "2024-01-15, 2024-02-05"
    ])
    assert.deepStrictEqual(Edge.required(timeWindows({ startOffset: -6 }), { from: days, to: days }, "2024-01-21"), [
      "2024-01-20..2024-01-21",
      "none",
      "none"
    ])
  })

  it("is between windows of time alone", () => {
    assert.strictEqual(Edge.refused("days", timeWindows(), "days"), "none")
    assert.strictEqual(
      Edge.refused("days", timeWindows(), "names"),
      `Asset "reader": input "upstream" is mapped by time windows, but one side has none.`
    )
    assert.strictEqual(
      Edge.refused("both", timeWindows(), "days"),
      `Asset "reader": input "upstream" is mapped by time windows, but a side has several dimensions; say of which by byDimension or singleDimension.`
    )
  })

  it("u reaches d exactly when d needs u: when a day of u is within the offsets, counted in d (Verifies: L7)", () => {
    const range = { start: "2023-12-25", end: "2024-03-04" }
    const dayOf = (key: string) => Date.parse(key) / 86_400_000
    /** Which day, week or month a day lies in, by its number; the first day of 1970 was a Thursday. */
    const cuts = {
      day: { cut: Partitions.daily(range), number: (day: number) => day, length: 1 },
      week: { cut: Partitions.weekly(range), number: (day: number) => Math.floor((day + 3) / 7), length: 7 },
      month: {
        cut: Partitions.monthly({ start: "2023-12-01", end: "2024-04-01" }),
        number: (day: number) => {
          const date = new Date(day * 86_400_000)
          return date.getUTCFullYear() * 12 + date.getUTCMonth()
        },
        length: 28
      }
    }
    const { day, month, week } = cuts
    const From = fc.constantFrom(day, week)
    const Offset = fc.record({ startOffset: fc.integer({ min: -8, max: 4 }), width: fc.nat({ max: 9 }) })
    fc.assert(
      fc.property(From, fc.constantFrom(day, week, month), Offset, Edge.Places, (from, to, offset, places) => {
        const { startOffset, width } = offset
        const mapping = timeWindows({ startOffset, endOffset: startOffset + width })
        const needs = (down: string, up: string) =>
          Array.from({ length: from.length }, (_, index) => to.number(dayOf(up) + index) - to.number(dayOf(down))).some(
            (distance) => distance >= startOffset && distance <= startOffset + width
          )
        assert.deepStrictEqual(
          Edge.told(mapping, { from: from.cut, to: to.cut }, places),
          Edge.ofPairs(needs, { from: from.cut, to: to.cut }, places)
        )
      }),
      { numRuns: 60 }
    )
  })
})
