import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as PartitionReach from "@assay/core/PartitionReach"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"

const days = Partitions.daily({ start: "2024-01-20" })
const weeks = Partitions.weekly({ start: "2024-01-01" })
const months = Partitions.monthly({ start: "2024-01-01" })

const set = (partitions: Partitions.Partitions, ...keys: ReadonlyArray<string>) =>
  Result.getOrThrow(PartitionSet.fromKeys(partitions, keys))

const keys = (found: PartitionSet.PartitionSet | undefined) =>
  found === undefined ? undefined : Array.from(PartitionSet.keys(found))

describe("PartitionReach", () => {
  it("a day reaches its month and week, and no other (Verifies: L7)", () => {
    const upstream = set(days, "2024-01-31", "2024-02-01")
    const mapping = PartitionMapping.timeWindows()
    assert.deepStrictEqual(keys(PartitionReach.downstream(mapping, { upstream, downstream: months })), [
      "2024-01-01",
      "2024-02-01"
    ])
    assert.deepStrictEqual(keys(PartitionReach.downstream(mapping, { upstream, downstream: weeks })), ["2024-01-29"])
  })

  it("a month needs its days as far as there are any (Verifies: L7)", () => {
    const found = PartitionReach.upstream(PartitionMapping.timeWindows(), {
      downstream: set(months, "2024-01-01"),
      upstream: days
    })
    assert.deepStrictEqual(
      [keys(found)?.at(0), keys(found)?.at(-1), keys(found)?.length],
      ["2024-01-20", "2024-01-31", 12]
    )
  })

  it("reads one relation both ways, whatever the offsets (Verifies: L7)", () => {
    const all = PartitionSet.fromWindow(days, { start: 0, end: Date.parse("2024-03-10") })
    for (const downstream of [days, weeks, months]) {
      const targets = PartitionSet.fromWindow(downstream, { start: 0, end: Date.parse("2024-05-01") })
      for (const [startOffset, endOffset] of [
        [0, 0],
        [-6, 0],
        [0, 2],
        [-1, 1],
        [-3, -2],
        [1, 3]
      ] as const) {
        const mapping = PartitionMapping.timeWindows({ startOffset, endOffset })
        for (const day of PartitionSet.keys(all)) {
          const reached = keys(PartitionReach.downstream(mapping, { upstream: set(days, day), downstream })) ?? []
          const needing = Array.from(PartitionSet.keys(targets)).filter((unit) =>
            keys(PartitionReach.upstream(mapping, { downstream: set(downstream, unit), upstream: days }))?.includes(day)
          )
          assert.deepStrictEqual(
            reached.filter((unit) => PartitionSet.has(targets, unit)),
            needing,
            `${day} ${startOffset} ${endOffset}`
          )
        }
      }
    }
  })

  it("cannot tell by identity where the two sides are cut in different ways (Verifies: L7)", () => {
    const { identity } = PartitionMapping
    const upstream = set(days, "2024-02-01")
    assert.isUndefined(PartitionReach.downstream(identity, { upstream, downstream: Partitions.unpartitioned }))
    assert.isUndefined(PartitionReach.upstream(identity, { downstream: upstream, upstream: Partitions.unpartitioned }))
    assert.deepStrictEqual(keys(PartitionReach.downstream(identity, { upstream, downstream: days })), ["2024-02-01"])
  })
})
