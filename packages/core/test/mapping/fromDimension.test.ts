import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Edge from "./Edge.ts"

const { byDimension, fromDimension, identity, timeWindows } = PartitionMapping

const from = Partitions.multi({ sold: Edge.daily, region: Edge.names })
const to = Partitions.multi({ region: Edge.names, shown: Edge.daily })
const renamed = byDimension({ shown: fromDimension("sold", timeWindows({ startOffset: -1 })), region: identity })

describe("fromDimension", () => {
  it("reads a dimension of another name, at another place (Verifies: L7)", () => {
    assert.deepStrictEqual(Edge.reached(renamed, { from, to }, "2024-02-03|us"), ["us|2024-02-03", "us|2024-02-04"])
    assert.deepStrictEqual(Edge.needed(renamed, { from, to }, "eu|2024-02-03"), ["2024-02-03|eu"])
    assert.strictEqual(
      PartitionMapping.format(renamed),
      "shown from sold: windows from -1 to 0; region: the same partition"
    )
  })

  it("is the same key where nothing else is said", () => {
    assert.deepStrictEqual(fromDimension("sold"), fromDimension("sold", identity))
  })

  it("requires keys of the dimension that it names", () => {
    const [first, late] = ["2024-02-03", "2024-02-07"].map((start) => Partitions.daily({ start }))
    const cuts = {
      from: Partitions.multi({ sold: late ?? Edge.daily, region: Edge.names }),
      to: Partitions.multi({ region: Edge.names, shown: first ?? Edge.daily })
    }
    assert.deepStrictEqual(Edge.required(renamed, cuts, "eu|2024-02-07", "us|2024-02-10"), [
      "2024-02-07|eu, 2024-02-09|us",
      "2024-02-10|us",
      "us|2024-02-10"
    ])
  })

  it("names a dimension that the upstream has, and each once", () => {
    assert.strictEqual(Edge.refused("both", byDimension({ day: fromDimension("day") }), "both"), "none")
    assert.strictEqual(
      Edge.refused("both", byDimension({ day: fromDimension("sold") }), "both"),
      `Asset "reader": input "upstream" is mapped from dimension "sold", but "read" has only day, region.`
    )
    assert.strictEqual(
      Edge.refused("both", byDimension({ day: identity, region: fromDimension("day", PartitionMapping.all) }), "both"),
      `Asset "reader": input "upstream" maps dimension "day" of "read" twice; each is mapped to one.`
    )
    assert.strictEqual(
      Edge.refused("both", byDimension({ day: fromDimension("region") }), "both"),
      `Asset "reader": input "upstream" maps a dimension of windows and one of names by identity.`
    )
  })

  it("u reaches d exactly when d needs u: when the dimensions that are tied agree (Verifies: L7)", () => {
    const Cities = fc.subarray(["a", "b", "constructor"], { minLength: 1 }).map(Partitions.fromKeys)
    const Route = fc.tuple(Cities, Cities).map(([origin, target]) => Partitions.multi({ origin, target }))
    const Tie = fc.constantFrom("origin", "target", undefined)
    fc.assert(
      fc.property(
        fc.record({ from: Route, to: Route }),
        fc.tuple(Tie, Tie).filter(([one, other]) => one === undefined || one !== other),
        Edge.Places,
        (cuts, [origin, target], places) => {
          const mapping = byDimension({
            ...(origin && { origin: fromDimension(origin) }),
            ...(target && { target: fromDimension(target) })
          })
          const placeOf = { origin: 0, target: 1 }
          const needs = (down: string, up: string) =>
            [origin, target].every(
              (tie, place) => tie === undefined || down.split("|")[place] === up.split("|")[placeOf[tie]]
            )
          assert.deepStrictEqual(Edge.told(mapping, cuts, places), Edge.ofPairs(needs, cuts, places))
        }
      )
    )
  })
})
