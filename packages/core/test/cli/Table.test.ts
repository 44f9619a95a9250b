import * as Paragraph from "@assay/core/cli/Paragraph"
import * as Style from "@assay/core/cli/Style"
import * as Table from "@assay/core/cli/Table"
import { assert, describe, it } from "@effect/vitest"

const revenue: Table.Table = {
  columns: [{ title: "day", isFixed: true }, { title: "customer" }, { title: "net", align: "right", isFixed: true }],
  rows: [
    ["2024-03-01", "Silverline Analytics, Incorporated", "6125.0000"],
    ["2024-03-02", "日本株式会社", "-34.0000"]
  ]
}

describe("Table", () => {
  it("aligns text to the left and numbers to the right, by columns of the terminal", () => {
    assert.deepStrictEqual(Table.render(revenue, { width: 100 }), [
      "day         customer                                  net",
      "2024-03-01  Silverline Analytics, Incorporated  6125.0000",
      "2024-03-02  日本株式会社                         -34.0000"
    ])
  })

  it("cuts wide text first and never a fixed column", () => {
    const lines = Table.render(revenue, { width: 40, style: Style.make({ canColor: false, isUnicode: true }) })
    assert.deepStrictEqual(lines, [
      "day         customer                 net",
      "2024-03-01  Silverline Analy…  6125.0000",
      "2024-03-02  日本株式会社        -34.0000"
    ])
    assert.isTrue(lines.every((line) => Paragraph.width(line) <= 40))
  })

  it("shrinks equally wide columns alike", () => {
    const table: Table.Table = {
      columns: [{ title: "a" }, { title: "b" }, { title: "c" }],
      rows: [["x".repeat(30), "y".repeat(30), "z".repeat(10)]]
    }
    const [, row = ""] = Table.render(table, { width: 44 })
    assert.deepStrictEqual(
      row.split("  ").map((cell) => cell.length),
      [15, 15, 10]
    )
  })

  it("counts the columns that fit at their narrowest, and at least one", () => {
    const table: Table.Table = {
      columns: ["a", "b", "c", "d"].map((title) => ({ title })),
      rows: [["1", "2", "3", "4"].map((digit) => digit.repeat(20))]
    }
    assert.deepStrictEqual(
      [100, 38, 37, 18, 3].map((width) => Table.fitting(table, { width, readable: 8 })),
      [4, 4, 3, 2, 1]
    )
    assert.deepStrictEqual(
      [86, 85, 41].map((width) => Table.fitting(table, { width, readable: 20 })),
      [4, 3, 1]
    )
  })

  it("breaks titles of several words where that makes columns narrower", () => {
    const table: Table.Table = {
      columns: [{ title: "day" }, { title: "paying_customers", align: "right" }, { title: "net" }],
      rows: [["2024-03-01", "3", "1"]]
    }
    assert.deepStrictEqual(Table.render(Table.withBrokenTitles(table), { width: 80 }), [
      "              paying_",
      "day         customers  net",
      "2024-03-01          3  1"
    ])
  })

  it("leaves no blanks at the end of a line", () => {
    assert.deepStrictEqual(
      Table.render({ columns: [{ title: "a" }, { title: "b" }], rows: [["1", ""]] }, { width: 80 }),
      ["a  b", "1"]
    )
  })
})
