import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Edge from "./Edge.ts"

const { last } = PartitionMapping

const days = Partitions.daily({ start: "2024-01-20" })
const months = Partitions.monthly({ start: "2024-01-01" })

describe("last", () => {
  it("depends on rows, so from partitions alone it could be any (Verifies: L7)", () => {
    assert.isUndefined(Edge.reached(last, { from: days, to: months }, "2024-02-01"))
    assert.isUndefined(Edge.needed(last, { from: days, to: months }, "2024-01-01"))
  })

  it("requires none by name, but the first one where none exists yet", () => {
    assert.deepStrictEqual(Edge.required(last, { from: days, to: months }, "2024-01-01"), ["none", "none", "none"])
    const later = { from: Partitions.daily({ start: "2024-03-01" }), to: months }
    assert.deepStrictEqual(Edge.required(last, later, "2024-01-01"), ["none", "2024-03-01", "2024-01-01"])
    assert.deepStrictEqual(Edge.required(last, later), ["none", "none", "none"])
    assert.deepStrictEqual(Edge.required(last, { from: Edge.names, to: months }, "2024-01-01"), [
      "none",
      "none",
      "none"
    ])
  })

  it("is one of partitions that are written one by one, in one order", () => {
    assert.strictEqual(Edge.refused("days", last, "whole"), "none")
    assert.strictEqual(
      Edge.refused("whole", last, "days"),
      `Asset "reader": input "upstream" reads partitions of "read" (the last partition), which is not written by partitions.`
    )
    assert.strictEqual(
      Edge.refused("both", last, "days"),
      `Asset "reader": input "upstream" reads the last partition of "read", which has several dimensions and so no last one; name partitions by keys.`
    )
    assert.strictEqual(
      Edge.refused("days", last, "view"),
      `Asset "reader": input "upstream" of a view reads some partitions of "read" (the last partition); map it by all and say in the query which.`
    )
  })

  const columns = Schema.Struct({ day: Column.date, id: Column.text, note: Column.text })
  const write = WriteStrategy.replacePartitions("day", { key: ["day", "id"] })
  const cut = { columns, partitions: Edge.daily, write, policy: Edge.policy }

  it.effect.prop(
    "every day is made of the last day that holds a row (Verifies: L1, L7)",
    { drains: Edge.Drains },
    Edge.follows({
      assets: (things) => {
        const byDay = Asset.make("by_day", {
          ...cut,
          description: "Things by day",
          inputs: { things: Asset.input(things, PartitionMapping.byColumn("day"), { columns: ["id", "day", "note"] }) },
          compute: {
            rows: ({ things }) => things.flatMap(({ day, ...row }) => (day === null ? [] : [{ ...row, day }]))
          }
        })
        const reader = Asset.make("reader", {
          ...cut,
          description: "The things of the last day, on every day",
          inputs: { things: Asset.input(byDay, last) },
          compute: {
            rows: ({ things, units }) =>
              units.flatMap(({ unit }) =>
                things.map(({ day, id, note }) => ({ day: unit, id, note: `${day} ${note}` }))
              )
          }
        })
        return [byDay, reader]
      },
      units: Edge.days,
      table: (things) => {
        const latest = Edge.days.findLast((day) => things.some((thing) => thing.day === day))
        return Edge.days.flatMap((unit) =>
          things.flatMap(({ day, id, note }) => (day !== null && day === latest ? [[unit, id, `${day} ${note}`]] : []))
        )
      }
    }),
    { arbitrary: { runs: 25 } }
  )
})
