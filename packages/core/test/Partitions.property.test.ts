/** What holds of every grid of windows, whatever its schedule, zone and excluded days. */
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as PartitionReach from "@assay/core/PartitionReach"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as fc from "fast-check"

const zones = [
  "UTC",
  "America/New_York",
  "Europe/Berlin",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "America/Havana",
  "America/St_Johns",
  "America/Sao_Paulo",
  "Pacific/Apia"
]

const crons = [
  "*/15 * * * *",
  "20 * * * *",
  "0 * * * *",
  "0 */4 * * *",
  "30 2 * * *",
  "0,30 1-3 * * *",
  "0 0,11 * * *",
  "0 0 * * *",
  "15 4 * * 3",
  "0 0 * * 1-5",
  "0 9 1,15 * *",
  "15 3 12 * *",
  "0 0 13 * 5",
  "0 0 1 1,4,7,10 *"
]

const excluded = [[], ["0 0 * * 6,0"], ["2024-03-10", "2024-03-11", "2024-12-25"], ["0 0 1 2,3,11 *", "2010-11-07"]]

/** Around changes of the clock, across the date line, and where nothing happens. */
const around = ["2010-11-07", "2011-12-29", "2018-11-04", "2021-11-07", "2024-03-10", "2024-04-07", "2024-06-15"]

const day = 86_400_000

const grid = fc
  .record({
    cron: fc.constantFrom(...crons),
    timeZone: fc.constantFrom(...zones),
    exclusions: fc.constantFrom(...excluded)
  })
  .map(({ cron, ...options }) => Partitions.cron(cron, { start: "2009-01-01", ...options }))

const instant = fc
  .tuple(fc.constantFrom(...around), fc.integer({ min: -4 * 96, max: 4 * 96 }))
  .map(([date, quarters]) => Date.parse(date) + quarters * 900_000)

const stretch = (partitions: Partitions.TimeWindows, from: number, days: number) =>
  PartitionSet.fromWindow(partitions, { start: from, end: from + days * day })

describe("every grid of windows", () => {
  it("holds each instant in one window, and finds it by its key (Verifies: L12)", () =>
    fc.assert(
      fc.property(grid, instant, (partitions, at) => {
        const window = Partitions.windowAt(partitions, at)
        const key = Partitions.keyOf(partitions, at)
        assert.deepStrictEqual(Partitions.windowOf(partitions, key), Option.some(window))
        assert.isTrue(window.start <= at && window.start < window.end)
        if (partitions.exclusions.length === 0) assert.isTrue(at < window.end)
        assert.strictEqual(Partitions.keyAt(partitions, at), at < window.end ? key : null)
        const next = Option.getOrThrow(Partitions.next(partitions, window))
        assert.isTrue(next.start >= window.end)
        if (partitions.exclusions.length === 0) assert.strictEqual(next.start, window.end)
        assert.deepStrictEqual(Option.getOrThrow(Partitions.previous(partitions, next)), window)
      }),
      { numRuns: 1000 }
    ))

  it("counts windows as they follow each other, and leaps as it steps (Verifies: L12)", () =>
    fc.assert(
      fc.property(grid, instant, fc.integer({ min: 1, max: 300 }), (partitions, at, steps) => {
        let end = Partitions.windowAt(partitions, at)
        for (let step = 0; step < steps; step++) end = Option.getOrThrow(Partitions.next(partitions, end))
        const start = Partitions.windowAt(partitions, at)
        assert.deepStrictEqual(Partitions.shift(partitions, start, steps), end)
        assert.deepStrictEqual(Partitions.shift(partitions, end, -steps), start)
        const between = PartitionSet.fromWindow(partitions, { start: start.start, end: end.start })
        assert.strictEqual(PartitionSet.size(between), steps)
        assert.strictEqual(Array.from(PartitionSet.keys(between)).length, steps)
        assert.strictEqual(new Set(PartitionSet.keys(between)).size, steps)
      }),
      { numRuns: 300 }
    ))

  it("has a window when it has ended, also when the days behind it are excluded (Verifies: L12)", () =>
    fc.assert(
      fc.property(grid, instant, (partitions, at) => {
        const window = Partitions.windowAt(partitions, at)
        const key = Partitions.keyOf(partitions, window)
        assert.isTrue(PartitionSet.has(Partitions.existing(partitions, window.end), key))
        assert.isFalse(PartitionSet.has(Partitions.existing(partitions, window.end - 1), key))
      }),
      { numRuns: 500 }
    ))

  it("reaches exactly what needs it, across any two grids and offsets (Verifies: L7)", () =>
    fc.assert(
      fc.property(
        fc.tuple(grid, grid),
        instant,
        fc.integer({ min: -3, max: 2 }),
        fc.integer({ min: 0, max: 2 }),
        ([upstream, downstream], at, startOffset, width) => {
          const mapping = PartitionMapping.timeWindows({ startOffset, endOffset: startOffset + width })
          const one = (partitions: Partitions.TimeWindows, key: string) =>
            Result.getOrThrow(PartitionSet.fromKeys(partitions, [key]))
          const candidates = Array.from(PartitionSet.keys(stretch(downstream, at - day, 2))).slice(0, 40)
          const key = Partitions.keyOf(upstream, at)
          const reached = PartitionReach.downstream(mapping, { upstream: one(upstream, key), downstream })
          assert.isDefined(reached)
          if (reached === undefined) return
          for (const candidate of candidates) {
            const needs = PartitionReach.upstream(mapping, { downstream: one(downstream, candidate), upstream })
            assert.strictEqual(
              PartitionSet.has(reached, candidate),
              needs !== undefined && PartitionSet.has(needs, key),
              `${key} and ${candidate}`
            )
          }
        }
      ),
      { numRuns: 400 }
    ))

  it("needs what exists and what is absent, and nothing is both or lost (Verifies: L7)", () =>
    fc.assert(
      fc.property(grid, grid, instant, fc.integer({ min: -3, max: 2 }), (upstream, downstream, now, startOffset) => {
        const mapping = PartitionMapping.timeWindows({ startOffset, endOffset: Math.max(0, startOffset) })
        const wanted = stretch(downstream, now - day, 2)
        const found = PartitionReach.requirement(mapping, { downstream: wanted, upstream, now })
        const needed = PartitionReach.upstream(mapping, { downstream: wanted, upstream })
        if (found === undefined || needed === undefined) return assert.fail("windows map to windows")
        assert.isTrue(PartitionSet.isSubset(found.existing, Partitions.existing(upstream, now)))
        const absent = PartitionSet.within(found.absent, upstream)
        assert.isTrue(PartitionSet.equals(PartitionSet.union(found.existing, absent), needed))
        assert.isTrue(PartitionSet.isEmpty(PartitionSet.intersection(found.existing, absent)))
      }),
      { numRuns: 400 }
    ))
})
