import * as Asset from "@assay/core/Asset"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { assert, describe, it } from "@effect/vitest"
import * as Edge from "./Edge.ts"

const { byColumn } = PartitionMapping

describe("byColumn", () => {
  it("is read from rows: partitions alone do not tell", () => {
    const cuts = { from: Edge.daily, to: Edge.daily }
    assert.isUndefined(Edge.reached(byColumn("day"), cuts, "2024-02-03"))
    assert.isUndefined(Edge.needed(byColumn("day"), cuts, "2024-02-03"))
    assert.isUndefined(Edge.required(byColumn("day"), cuts, "2024-02-03"))
    assert.deepStrictEqual(PartitionMapping.columnsOf(byColumn("day", "region")), ["day", "region"])
  })

  it("names a column for each part of a unit", () => {
    assert.strictEqual(Edge.refused("days", byColumn("day", "region"), "both"), "none")
    assert.strictEqual(
      Edge.refused("both", byColumn("day", "region"), "days"),
      `Asset "reader": input "upstream" maps 2 columns to a unit of 1 (day).`
    )
  })

  it("finds days by a column that holds a time, of rows that are kept", () => {
    assert.strictEqual(
      Edge.refused("whole", byColumn("region"), "days"),
      `Asset "reader": input "upstream" is mapped to time partitions by "region", which is neither a date nor a timestamp.`
    )
    assert.strictEqual(
      Edge.refused("view", byColumn("region"), "names"),
      `Asset "reader": input "upstream" is a view, which keeps no old rows to map by column; use all, identity or timeWindows.`
    )
    assert.strictEqual(
      Edge.refusal(() => Edge.asset("reader", "names", { things: Asset.input(Edge.things, byColumn("extra")) })),
      `Asset "reader": input "things" is mapped by "extra", which is JSON; make a text of it first.`
    )
  })

  it.effect.prop(
    "a day is made of the rows that name it, in their old and new image (Verifies: L1, L7)",
    { drains: Edge.Drains },
    Edge.lists(byColumn("day"), (unit, { day }) => day === unit),
    { arbitrary: { runs: 25 } }
  )
})
