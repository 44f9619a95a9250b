import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as PartitionReach from "@assay/core/PartitionReach"
import * as Partitions from "@assay/core/Partitions"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Edge from "./Edge.ts"

const { custom } = PartitionMapping

/** Each month is compared with the same month of the year before. */
const moved = (key: string, years: number) => `${Number(key.slice(0, 4)) + years}${key.slice(4)}`

const yearBefore = custom({
  name: "year before",
  version: "1",
  downstream: (month) => [moved(month, 1)],
  upstream: (month) => [moved(month, -1)]
})

const months = Partitions.monthly({ start: "2024-01-01" })
const cuts = { from: months, to: months }
const contradiction = (mapping: PartitionMapping.Custom, upstream: Partitions.Partitions = months) =>
  PartitionReach.contradiction(mapping, { upstream, downstream: months })

describe("custom", () => {
  it("is read both ways, and ends where the other side does (Verifies: L7)", () => {
    assert.isUndefined(contradiction(yearBefore))
    assert.deepStrictEqual(Edge.reached(yearBefore, cuts, "2024-03-01"), ["2025-03-01"])
    assert.deepStrictEqual(Edge.needed(yearBefore, cuts, "2024-03-01", "2025-03-01"), ["2024-03-01"])
  })

  it("requires what it says, before the upstream's beginning too", () => {
    assert.deepStrictEqual(Edge.required(yearBefore, cuts, "2024-02-01", "2025-01-01", "2025-02-01"), [
      "2024-01-01",
      "2023-02-01, 2024-02-01",
      "2024-02-01, 2025-02-01"
    ])
  })

  it("is refused where its two directions are not one relation (Verifies: L7)", () => {
    assert.strictEqual(
      contradiction(custom({ ...yearBefore, upstream: (month) => [month] })),
      `mapping "year before" says that "2024-01-01" reaches "2025-01-01", but not that "2025-01-01" is made of "2024-01-01"; its two directions must be one relation.`
    )
    assert.strictEqual(
      contradiction(custom({ ...yearBefore, downstream: () => [] })),
      `mapping "year before" says that "2024-01-01" is made of "2023-01-01", but not that "2023-01-01" reaches "2024-01-01"; its two directions must be one relation.`
    )
  })

  it("is refused where it names what is no key", () => {
    assert.strictEqual(
      contradiction(custom({ ...yearBefore, downstream: () => ["2024-03-15"] })),
      `mapping "year before" has "2024-01-01" reach "2024-03-15", which is no key of monthly from 2024-01-01 (UTC).`
    )
    assert.strictEqual(
      contradiction(custom({ ...yearBefore, upstream: () => ["eu"] }), Partitions.fromKeys(["de"])),
      `mapping "year before" has "de" reach "NaN", which is no key of monthly from 2024-01-01 (UTC).`
    )
  })

  it("is refused on the pair that is used, where the sample did not show it (Verifies: L7)", () => {
    const [before, after] = ["2101-05-01", "2102-05-01"]
    const sly = custom({ ...yearBefore, downstream: (month) => (month === before ? [] : [moved(month, 1)]) })
    assert.isUndefined(contradiction(sly))
    assert.throws(
      () => Edge.needed(sly, cuts, after),
      PartitionMapping.InvalidMapping,
      `mapping "year before" says that "2102-05-01" is made of "2101-05-01"`
    )
    const slyer = custom({ ...yearBefore, upstream: (month) => (month === after ? [] : [moved(month, -1)]) })
    assert.throws(() => Edge.reached(slyer, cuts, before), PartitionMapping.InvalidMapping)
  })

  it("has a name and a version, and relates units that are partitions", () => {
    const same = custom({ name: "same", version: "1", downstream: (key) => [key], upstream: (key) => [key] })
    assert.strictEqual(Edge.refused("names", same, "names"), "none")
    assert.strictEqual(
      Edge.refused("names", { ...same, version: " " }, "names"),
      `Asset "reader": input "upstream" is mapped by a relation without a name or a version; when the version changes, everything is built again.`
    )
    assert.strictEqual(
      Edge.refused("names", { ...same, upstream: () => ["eu"] }, "names"),
      `Asset "reader": input "upstream": mapping "same" says that "us" reaches "us", but not that "us" is made of "us"; its two directions must be one relation.`
    )
    assert.strictEqual(
      Edge.refused("names", same, "whole"),
      `Asset "reader": input "upstream" relates partitions, but "reader" is not written by partitions.`
    )
  })

  it("u reaches d exactly when d needs u: when it has the pair (Verifies: L7)", () => {
    const names = ["a", "b", "constructor"]
    const From = fc.constantFrom(
      { cut: Edge.daily, known: [...Edge.days] },
      { cut: Partitions.fromKeys(names), known: names }
    )
    const Case = From.chain((from) =>
      fc.record({
        cut: fc.constant(from.cut),
        pairs: fc.array(fc.tuple(fc.constantFrom(...from.known), fc.constantFrom("eu", "us")))
      })
    )
    fc.assert(
      fc.property(Case, Edge.Places, ({ cut, pairs }, places) => {
        const mapping = custom({
          name: "pairs",
          version: "1",
          downstream: (key) => pairs.flatMap(([up, down]) => (up === key ? [down] : [])),
          upstream: (key) => pairs.flatMap(([up, down]) => (down === key ? [up] : []))
        })
        const needs = (down: string, up: string) => pairs.some((pair) => pair[0] === up && pair[1] === down)
        assert.deepStrictEqual(
          Edge.told(mapping, { from: cut, to: Edge.names }, places),
          Edge.ofPairs(needs, { from: cut, to: Edge.names }, places)
        )
      })
    )
  })
})
