import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as PartitionReach from "@assay/core/PartitionReach"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Tolerance from "@assay/core/Tolerance"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"

const days = Partitions.daily({ start: "2024-01-20" })
const weeks = Partitions.weekly({ start: "2024-01-01" })
const months = Partitions.monthly({ start: "2024-01-01" })

const set = (partitions: Partitions.Partitions, ...keys: ReadonlyArray<string>) =>
  Result.getOrThrow(PartitionSet.fromKeys(partitions, keys))

const keys = (found: PartitionSet.PartitionSet | undefined) =>
  found === undefined ? undefined : Array.from(PartitionSet.keys(found))

describe("what is required", () => {
  const now = Date.parse("2024-02-10T00:00:00Z")
  const required = (
    mapping: PartitionMapping.PartitionMapping,
    downstream: PartitionSet.PartitionSet,
    upstream: Partitions.Partitions,
    tolerance: Tolerance.Tolerance = Tolerance.none
  ) => {
    const options = { downstream, upstream, now, tolerance }
    const found = PartitionReach.requirement(mapping, options)
    return (
      found && [
        PartitionSet.format(found.existing),
        PartitionSet.format(found.absent),
        PartitionSet.format(PartitionReach.lacking(mapping, options))
      ]
    )
  }
  const { identity, timeWindows } = PartitionMapping

  it("is told of each partition that reads it, by windows, at both ends of the upstream", () => {
    const weekdays = set(weeks, "2024-01-01", "2024-01-15", "2024-01-22", "2024-02-05", "2024-02-12")
    assert.deepStrictEqual(required(timeWindows(), weekdays, days), [
      "2024-01-20..2024-01-28, 2024-02-05..2024-02-09",
      "2024-01-01..2024-01-07, 2024-01-15..2024-01-19, 2024-02-10..2024-02-18",
      "2024-01-01, 2024-01-15, 2024-02-05..2024-02-12"
    ])
    // A running total that reaches back over the beginning begins there, and lacks nothing.
    const total = timeWindows({ startOffset: -6 })
    const range = set(days, "2024-01-20", "2024-01-21", "2024-02-09", "2024-02-10")
    assert.deepStrictEqual(required(total, range, days)?.slice(1), ["2024-02-10", "2024-02-10"])
  })

  it("is excused where the newest windows of a partition may be missing, for that partition only", () => {
    const total = timeWindows({ startOffset: -2 })
    const newest = (windows: number) => Tolerance.make({ newest: windows })
    const wanted = set(days, "2024-02-09", "2024-02-10", "2024-02-11", "2024-02-12")
    assert.deepStrictEqual(required(total, wanted, days, newest(1)), [
      "2024-02-07..2024-02-09",
      "2024-02-10..2024-02-11",
      "2024-02-11..2024-02-12"
    ])
    assert.deepStrictEqual(required(total, wanted, days, newest(2))?.slice(1), ["2024-02-10", "2024-02-12"])
    assert.deepStrictEqual(required(total, wanted, days, newest(3))?.slice(1), ["none", "none"])
    assert.deepStrictEqual(required(identity, wanted, days, newest(1))?.slice(1), ["none", "none"])
  })

  it("is never excused where it will not come, unless whatever is missing may be", () => {
    const ended = Partitions.daily({ start: "2024-01-20", end: "2024-02-01" })
    const wanted = set(weeks, "2024-01-15", "2024-01-29")
    assert.deepStrictEqual(required(timeWindows(), wanted, ended, Tolerance.make({ newest: 7 }))?.slice(1), [
      "2024-01-15..2024-01-19, 2024-02-01..2024-02-04",
      "2024-01-15, 2024-01-29"
    ])
    assert.deepStrictEqual(required(timeWindows(), wanted, ended, Tolerance.make(true))?.slice(1), ["none", "none"])
  })

  it("is lacked by exactly those whose own requirement has something absent, whatever the offsets (Verifies: L7)", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(days, weeks, months, Partitions.daily({ start: "2023-12-20", timeZone: "Asia/Kathmandu" })),
        fc.integer({ min: -8, max: 3 }),
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom(undefined, { newest: 1 }, { newest: 3 }, true),
        (downstream, startOffset, width, allowed) => {
          const mapping = timeWindows({ startOffset, endOffset: startOffset + width })
          const stretch = { start: Date.parse("2024-01-10"), end: Date.parse("2024-03-01") }
          const wanted = PartitionSet.fromWindow(downstream, stretch)
          const options = { upstream: days, now, tolerance: Tolerance.make(allowed ?? false) }
          const one = (unit: string) =>
            PartitionReach.requirement(mapping, { ...options, downstream: set(downstream, unit) })?.absent
          const lacking = Array.from(PartitionSet.keys(wanted)).filter((unit) => {
            const absent = one(unit)
            return absent !== undefined && !PartitionSet.isEmpty(absent)
          })
          assert.deepStrictEqual(keys(PartitionReach.lacking(mapping, { ...options, downstream: wanted })), lacking)
        }
      )
    )
  })

  it("is not told of a mapping that reads rows", () => {
    for (const mapping of [PartitionMapping.all, PartitionMapping.byColumn("day"), PartitionMapping.onwards("day")]) {
      assert.isUndefined(required(mapping, set(months, "2024-01-01"), days))
    }
  })

  it("cannot be a tolerance of no windows", () => {
    assert.throws(() => Tolerance.make({ newest: 0 }), Tolerance.InvalidTolerance)
    assert.throws(() => Tolerance.make({ newest: 1.5 }), Tolerance.InvalidTolerance)
    assert.deepStrictEqual(
      [Tolerance.make(false), Tolerance.make({ newest: 1 }), Tolerance.make({ newest: 2 }), Tolerance.make(true)].map(
        Tolerance.format
      ),
      [
        "nothing may be missing",
        "the newest window may be missing",
        "the newest 2 windows may be missing",
        "anything may be missing"
      ]
    )
  })
})
