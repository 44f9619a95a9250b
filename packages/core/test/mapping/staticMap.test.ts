import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Edge from "./Edge.ts"

const { staticMap } = PartitionMapping

const regions = Partitions.fromKeys(["eu", "us", "moon"])
const countries = Partitions.fromKeys(["de", "fr", "ca", "mars"])

describe("staticMap", () => {
  it("maps one name to several and several to one, both ways (Verifies: L7)", () => {
    const split = staticMap({ eu: ["de", "fr"], us: "ca" })
    const apart = { from: regions, to: countries }
    assert.deepStrictEqual(Edge.reached(split, apart, "eu"), ["de", "fr"])
    assert.deepStrictEqual(Edge.reached(split, apart, "moon"), [])
    assert.deepStrictEqual(Edge.needed(split, apart, "fr", "ca"), ["eu", "us"])
    assert.deepStrictEqual(Edge.needed(split, apart, "mars"), [])
    const merged = staticMap({ de: "eu", fr: "eu", ca: "us" })
    const together = { from: countries, to: regions }
    assert.deepStrictEqual(Edge.reached(merged, together, "de", "fr"), ["eu"])
    assert.deepStrictEqual(Edge.needed(merged, together, "eu"), ["de", "fr"])
  })

  it("requires names, which are all there", () => {
    const mapping = staticMap({ eu: ["de", "fr"] })
    assert.deepStrictEqual(Edge.required(mapping, { from: regions, to: countries }, "fr"), ["eu", "none", "none"])
    assert.deepStrictEqual(Edge.required(mapping, { from: regions, to: countries }, "mars"), ["none", "none", "none"])
  })

  it("maps names that both sides have, and at least one", () => {
    assert.strictEqual(Edge.refused("names", staticMap({ eu: ["eu", "us"], us: "us" }), "names"), "none")
    assert.strictEqual(
      Edge.refused("names", staticMap({ eu: ["us", "moon"] }), "names"),
      `Asset "reader": input "upstream" is mapped by "moon", which is no partition of "reader" (static: eu, us).`
    )
    assert.strictEqual(
      Edge.refused("days", staticMap({ "2024-02-03": "eu" }), "names"),
      `Asset "reader": input "upstream" is mapped name by name, but one side is not cut by names; both are Partitions.fromKeys.`
    )
    assert.strictEqual(
      Edge.refused("names", staticMap({}), "names"),
      `Asset "reader": input "upstream" is mapped name by name, but no name is.`
    )
  })

  it("u reaches d exactly when d needs u: when the map has the pair (Verifies: L7)", () => {
    const lefts = ["a", "b", "constructor", "d"] as const
    const rights = ["p", "q", "r"] as const
    const cuts = { from: Partitions.fromKeys(lefts), to: Partitions.fromKeys(rights) }
    const Pairs = fc.uniqueArray(fc.tuple(fc.constantFrom(...lefts), fc.constantFrom(...rights)), {
      minLength: 1,
      selector: (pair) => pair.join()
    })
    fc.assert(
      fc.property(Pairs, Edge.Places, (pairs, places) => {
        const mapping = staticMap(
          Object.fromEntries(
            pairs.map(([left, right]) => {
              const others = pairs.flatMap(([one, other]) => (one === left && other !== right ? [other] : []))
              return [left, [right, ...others] as const]
            })
          )
        )
        const needs = (down: string, up: string) => pairs.some(([left, right]) => left === up && right === down)
        assert.deepStrictEqual(Edge.told(mapping, cuts, places), Edge.ofPairs(needs, cuts, places))
      })
    )
  })
})
