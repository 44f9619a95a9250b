import * as PartitionMapping from "@assay/core/PartitionMapping"
import { assert, describe, it } from "@effect/vitest"
import * as Edge from "./Edge.ts"

const { onwards } = PartitionMapping

describe("onwards", () => {
  it("is read from rows: partitions alone do not tell, and none is required by name", () => {
    const cuts = { from: Edge.daily, to: Edge.daily }
    assert.isUndefined(Edge.reached(onwards("day"), cuts, "2024-02-03"))
    assert.isUndefined(Edge.needed(onwards("day"), cuts, "2024-02-03"))
    assert.isUndefined(Edge.required(onwards("day"), cuts, "2024-02-03"))
    assert.deepStrictEqual(PartitionMapping.columnsOf(onwards("day")), ["day"])
  })

  it("shows the bounds of windows where nothing else is said", () => {
    assert.strictEqual(onwards("day").bounds, "shown")
    assert.strictEqual(onwards("day", { bounds: "compared" }).bounds, "compared")
  })

  it("goes from a table with times to days", () => {
    const oneSide = `Asset "reader": input "upstream" is mapped onwards, which needs time partitions here and a table there.`
    assert.strictEqual(Edge.refused("whole", onwards("day"), "days"), "none")
    assert.strictEqual(Edge.refused("whole", onwards("day"), "names"), oneSide)
    assert.strictEqual(Edge.refused("view", onwards("day"), "days"), oneSide)
    assert.strictEqual(
      Edge.refused("whole", onwards("region"), "days"),
      `Asset "reader": input "upstream" is mapped to time partitions by "region", which is neither a date nor a timestamp.`
    )
  })

  it.effect.prop(
    "a day is made of the rows up to its end, and of none without a day (Verifies: L1, L7)",
    { drains: Edge.Drains },
    Edge.lists(onwards("day"), (unit, { day }) => day !== null && day <= unit),
    { arbitrary: { runs: 25 } }
  )
})
