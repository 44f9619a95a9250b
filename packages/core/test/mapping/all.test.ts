import * as PartitionMapping from "@assay/core/PartitionMapping"
import { assert, describe, it } from "@effect/vitest"
import * as Edge from "./Edge.ts"

const { all } = PartitionMapping

describe("all", () => {
  it("is read from rows: partitions alone do not tell, and none is required by name", () => {
    const cuts = { from: Edge.daily, to: Edge.names }
    assert.isUndefined(Edge.reached(all, cuts, "2024-02-03"))
    assert.isUndefined(Edge.needed(all, cuts, "eu"))
    assert.isUndefined(Edge.required(all, cuts, "eu"))
    assert.strictEqual(PartitionMapping.format(all), "everything")
  })

  it("is every key where it relates dimensions", () => {
    const cuts = { from: Edge.both, to: Edge.both }
    const mapping = PartitionMapping.byDimension({ day: all, region: PartitionMapping.identity })
    const reached = Edge.days.map((day) => `${day}|eu`)
    assert.deepStrictEqual(Edge.reached(mapping, cuts, "2024-02-04|eu"), reached)
    assert.deepStrictEqual(Edge.needed(mapping, cuts, "2024-02-04|eu"), reached)
  })

  it("is refused between no two cuts, stored or not", () => {
    for (const from of Edge.cuts) {
      for (const to of Edge.cuts) assert.strictEqual(Edge.refused(from, all, to), "none", `${from} to ${to}`)
    }
  })

  it.effect.prop(
    "every unit is made of every row, and every change reaches every unit (Verifies: L1, L7)",
    { drains: Edge.Drains },
    Edge.lists(all, () => true),
    { arbitrary: { runs: 25 } }
  )
})
