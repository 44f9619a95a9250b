import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Edge from "./Edge.ts"

const { byDimension, identity, staticMap, timeWindows } = PartitionMapping

const cuts = { from: Edge.both, to: Edge.both }
const trailing = byDimension({ day: timeWindows({ startOffset: -1 }), region: identity })

describe("byDimension", () => {
  it("relates pairs whose keys are related in each dimension (Verifies: L7)", () => {
    assert.deepStrictEqual(Edge.reached(trailing, cuts, "2024-02-03|us"), ["2024-02-03|us", "2024-02-04|us"])
    assert.deepStrictEqual(Edge.needed(trailing, cuts, "2024-02-05|eu"), ["2024-02-04|eu", "2024-02-05|eu"])
  })

  it("has everything meet a dimension that is left out (Verifies: L7)", () => {
    const sameDay = byDimension({ day: identity })
    assert.deepStrictEqual(Edge.reached(sameDay, cuts, "2024-02-03|us"), ["2024-02-03|eu", "2024-02-03|us"])
    assert.deepStrictEqual(Edge.needed(sameDay, cuts, "2024-02-03|us"), ["2024-02-03|eu", "2024-02-03|us"])
    assert.strictEqual(PartitionMapping.format(byDimension({})), "everything")
  })

  it("requires pairs, and lacks those of which one key does not exist", () => {
    const from = Partitions.multi({ day: Partitions.daily({ start: "2024-02-03" }), region: Edge.names })
    const to = Partitions.multi({
      day: Partitions.daily({ start: "2024-02-03" }),
      region: Partitions.fromKeys(["eu", "us", "mars"])
    })
    assert.deepStrictEqual(Edge.required(trailing, { from, to }, "2024-02-03|eu", "2024-02-10|us"), [
      "2024-02-03|eu, 2024-02-09|us",
      "2024-02-10|us",
      "2024-02-10|us"
    ])
    assert.deepStrictEqual(Edge.required(trailing, { from, to }, "2024-02-05|mars")?.at(2), "2024-02-05|mars")
  })

  it("names dimensions of both sides, and relates them by their keys", () => {
    assert.strictEqual(Edge.refused("both", trailing, "both"), "none")
    assert.strictEqual(
      Edge.refused("both", trailing, "days"),
      `Asset "reader": input "upstream" is mapped by dimension, but one side has not several; map it by singleDimension.`
    )
    assert.strictEqual(
      Edge.refused("both", byDimension({ store: identity }), "both"),
      `Asset "reader": input "upstream" is mapped by dimension "store", but "reader" has only day, region.`
    )
    assert.strictEqual(
      Edge.refused("both", byDimension({ region: timeWindows() }), "both"),
      `Asset "reader": input "upstream" is mapped by time windows, but one side has none.`
    )
  })

  it("u reaches d exactly when d needs u: when every link relates their keys (Verifies: L7)", () => {
    const Day = fc.option(fc.record({ start: fc.integer({ min: -3, max: 2 }), width: fc.nat({ max: 2 }) }))
    const Region = fc.constantFrom("the same", "the other", "any")
    const other: { readonly [name: string]: string } = { eu: "us", us: "eu" }
    fc.assert(
      fc.property(Day, Region, Edge.Places, (day, region, places) => {
        const mapping = byDimension({
          ...(day && { day: timeWindows({ startOffset: day.start, endOffset: day.start + day.width }) }),
          ...(region === "the same" && { region: identity }),
          ...(region === "the other" && { region: staticMap({ eu: "us", us: "eu" }) })
        })
        const isDay = (down: string, up: string) => {
          // The keys lie in one month.
          const distance = Number(up.slice(8, 10)) - Number(down.slice(8, 10))
          return day === null || (distance >= day.start && distance <= day.start + day.width)
        }
        const isRegion = (down: string, up: string) =>
          region === "any" || (region === "the same" ? down === up : other[down] === up)
        const needs = (down: string, up: string) => isDay(down, up) && isRegion(down.slice(11), up.slice(11))
        assert.deepStrictEqual(Edge.told(mapping, cuts, places), Edge.ofPairs(needs, cuts, places))
      })
    )
  })
})
