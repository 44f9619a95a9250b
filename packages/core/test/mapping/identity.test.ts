import { identity } from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Edge from "./Edge.ts"

const from = Partitions.daily({ start: "2024-01-20" })

describe("identity", () => {
  it("relates a day to the same day, and a pair of dimensions to the same pair", () => {
    assert.deepStrictEqual(Edge.reached(identity, { from, to: from }, "2024-02-01"), ["2024-02-01"])
    assert.deepStrictEqual(Edge.needed(identity, { from, to: from }, "2024-02-01"), ["2024-02-01"])
    const pair = { from: Edge.both, to: Edge.both }
    assert.deepStrictEqual(Edge.reached(identity, pair, "2024-02-03|us"), ["2024-02-03|us"])
  })

  it("cannot tell where the two sides are cut in different ways (Verifies: L7)", () => {
    const cuts = { from, to: Partitions.unpartitioned }
    assert.isUndefined(Edge.reached(identity, cuts, "2024-02-01"))
    assert.isUndefined(Edge.needed(identity, { from: Partitions.unpartitioned, to: from }, "2024-02-01"))
  })

  it("requires the same days, before the upstream's beginning and those to come too", () => {
    const to = Partitions.daily({ start: "2024-01-01" })
    assert.deepStrictEqual(Edge.required(identity, { from, to }, "2024-01-19", "2024-01-20", "2024-02-10"), [
      "2024-01-20",
      "2024-01-19, 2024-02-10",
      "2024-01-19, 2024-02-10"
    ])
    const more = Partitions.fromKeys(["eu", "mars"])
    assert.deepStrictEqual(Edge.required(identity, { from: Edge.names, to: more }, "eu", "mars"), [
      "eu",
      "mars",
      "mars"
    ])
  })

  it("is of units of one grain and of the same dimensions", () => {
    assert.strictEqual(Edge.refused("days", identity, "days"), "none")
    assert.strictEqual(
      Edge.refused("whole", identity, "days"),
      `Asset "reader": input "upstream" is mapped by identity, but its units are not of the same grain.`
    )
    assert.strictEqual(
      Edge.refused("both", identity, "days"),
      `Asset "reader": input "upstream" is mapped by identity, but the dimensions of "read" are day, region, and here none; map it by byDimension or singleDimension.`
    )
  })

  it("u reaches d exactly when d needs u: when they are called the same (Verifies: L7)", () => {
    const Days = fc
      .tuple(fc.integer({ min: 10, max: 20 }), fc.integer({ min: 21, max: 29 }))
      .map(([start, end]) => Partitions.daily({ start: `2024-02-${start}`, end: `2024-02-${end}` }))
    const Names = fc.subarray(["a", "b", "constructor", "d"], { minLength: 1 }).map(Partitions.fromKeys)
    const Pairs = fc.tuple(Days, Names).map(([day, region]) => Partitions.multi({ day, region }))
    const Cuts = fc.oneof(fc.tuple(Days, Days), fc.tuple(Names, Names), fc.tuple(Pairs, Pairs))
    fc.assert(
      fc.property(Cuts, Edge.Places, ([from, to], places) =>
        assert.deepStrictEqual(
          Edge.told(identity, { from, to }, places),
          Edge.ofPairs((down, up) => down === up, { from, to }, places)
        )
      )
    )
  })
})
