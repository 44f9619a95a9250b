import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Edge from "./Edge.ts"

const { keys } = PartitionMapping

const cuts = {
  from: Partitions.daily({ start: "2024-01-20" }),
  to: Partitions.monthly({ start: "2024-01-01", end: "2024-04-01" })
}
const months = ["2024-01-01", "2024-02-01", "2024-03-01"]

describe("keys", () => {
  it("are needed by every partition, and reach every one (Verifies: L7)", () => {
    const mapping = keys("2024-02-01", "2024-02-03")
    assert.deepStrictEqual(Edge.reached(mapping, cuts, "2024-01-31", "2024-02-03"), months)
    assert.deepStrictEqual(Edge.reached(mapping, cuts, "2024-02-02"), [])
    assert.deepStrictEqual(Edge.needed(mapping, cuts, "2024-03-01"), ["2024-02-01", "2024-02-03"])
    assert.deepStrictEqual(Edge.needed(mapping, cuts), [])
  })

  it("are required, existing or not", () => {
    const mapping = keys("2024-02-01", "2024-02-11")
    assert.deepStrictEqual(Edge.required(mapping, cuts, "2024-01-01"), ["2024-02-01", "2024-02-11", "2024-01-01"])
    assert.deepStrictEqual(Edge.required(mapping, cuts), ["none", "none", "none"])
  })

  it("are keys of partitions that are written one by one", () => {
    assert.strictEqual(Edge.refused("names", keys("eu"), "whole"), "none")
    assert.strictEqual(
      Edge.refused("names", keys("eu", "moon"), "days"),
      `Asset "reader": input "upstream" is mapped by "moon", which is no partition of "read" (static: eu, us).`
    )
    assert.strictEqual(
      Edge.refused("whole", keys("eu"), "days"),
      `Asset "reader": input "upstream" reads partitions of "read" (always eu), which is not written by partitions.`
    )
  })

  it("before the upstream's beginning are no partitions of it", () => {
    assert.match(
      Edge.refused("days", keys("2024-02-02"), "names"),
      /^Asset "reader": input "upstream" is mapped by "2024-02-02", which is no partition of "read" \(daily from 2024-02-03/
    )
  })

  it("u reaches d exactly when d needs u: when u is one of the keys (Verifies: L7)", () => {
    const From = fc.constantFrom(
      { from: Edge.daily, known: Array.from<string>(Edge.days) },
      { from: Edge.names, known: ["eu", "us"] }
    )
    const To = fc.constantFrom(cuts.to, Edge.names, Edge.both, Partitions.unpartitioned)
    const Case = From.chain(({ from, known }) =>
      fc.record({ from: fc.constant(from), to: To, first: fc.constantFrom(...known), others: fc.subarray([...known]) })
    )
    fc.assert(
      fc.property(Case, Edge.Places, ({ first, from, others, to }, places) => {
        const needs = (_: string, up: string) => up === first || others.includes(up)
        const cuts = { from, to }
        assert.deepStrictEqual(Edge.told(keys(first, ...others), cuts, places), Edge.ofPairs(needs, cuts, places))
      })
    )
  })
})
