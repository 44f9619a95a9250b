import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Edge from "./Edge.ts"

const { byColumn, singleDimension, timeWindows } = PartitionMapping

const gathered = { from: Edge.both, to: Edge.daily }
const spread = { from: Edge.daily, to: Edge.both }

describe("singleDimension", () => {
  it("gathers what the others have of a key, and spreads it over them (Verifies: L7)", () => {
    const day = singleDimension("day")
    const regions = ["2024-02-04|eu", "2024-02-04|us"]
    assert.deepStrictEqual(Edge.reached(day, gathered, "2024-02-04|us"), ["2024-02-04"])
    assert.deepStrictEqual(Edge.needed(day, gathered, "2024-02-04"), regions)
    assert.deepStrictEqual(Edge.reached(day, spread, "2024-02-04"), regions)
    assert.deepStrictEqual(Edge.needed(day, spread, "2024-02-04|us"), ["2024-02-04"])
  })

  it("requires what exists of the others, and the key itself whether it exists or not", () => {
    const endless = Partitions.daily({ start: "2024-02-08" })
    const cuts = { from: Partitions.multi({ day: endless, region: Edge.names }), to: endless }
    const trailing = singleDimension("day", timeWindows({ startOffset: -1 }))
    assert.deepStrictEqual(Edge.required(trailing, cuts, "2024-02-10"), ["2024-02-09|*", "2024-02-10|*", "2024-02-10"])
    assert.deepStrictEqual(Edge.required(trailing, cuts, "2024-02-08"), ["2024-02-08|*", "none", "none"])
  })

  it("is between one side that has several and one that is cut in one way", () => {
    const oneWay = `Asset "reader": input "upstream" is mapped by a single dimension, so one side has several and the other is cut in one way.`
    assert.strictEqual(Edge.refused("both", singleDimension("day"), "days"), "none")
    assert.strictEqual(Edge.refused("names", singleDimension("region"), "both"), "none")
    assert.strictEqual(Edge.refused("both", singleDimension("day"), "both"), oneWay)
    assert.strictEqual(Edge.refused("both", singleDimension("day"), "whole"), oneWay)
    assert.strictEqual(
      Edge.refused("both", singleDimension("store"), "days"),
      `Asset "reader": input "upstream" is mapped by dimension "store", but there are only day, region.`
    )
  })

  it("relates its two cuts by their keys", () => {
    assert.strictEqual(
      Edge.refused("both", singleDimension("region"), "days"),
      `Asset "reader": input "upstream" maps a dimension of windows and one of names by identity.`
    )
    assert.strictEqual(PartitionMapping.isByPartition(singleDimension("day")), true)
    assert.strictEqual(PartitionMapping.isByPartition(byColumn("day")), false)
  })

  it("u reaches d exactly when d needs u: when the dimension relates their keys (Verifies: L7)", () => {
    const Offset = fc.record({ start: fc.integer({ min: -3, max: 3 }), width: fc.nat({ max: 3 }) })
    const turned = Partitions.multi({ region: Edge.names, day: Edge.daily })
    const Several = fc.constantFrom(Edge.both, turned)
    fc.assert(
      fc.property(Several, fc.boolean(), Offset, Edge.Places, (several, isUpstream, { start, width }, places) => {
        const mapping = singleDimension("day", timeWindows({ startOffset: start, endOffset: start + width }))
        // The keys lie in one month.
        const dayOf = (key: string) =>
          Number(
            key
              .split("|")
              .find((part) => part.startsWith("2024"))
              ?.slice(8)
          )
        const needs = (down: string, up: string) =>
          dayOf(up) - dayOf(down) >= start && dayOf(up) - dayOf(down) <= start + width
        const cuts = isUpstream ? { from: several, to: Edge.daily } : { from: Edge.daily, to: several }
        assert.deepStrictEqual(Edge.told(mapping, cuts, places), Edge.ofPairs(needs, cuts, places))
      })
    )
  })
})
