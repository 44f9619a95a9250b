import * as Csv from "@assay/core/cli/Csv"
import * as Json from "@assay/core/cli/Json"
import * as ShowCommand from "@assay/core/cli/ShowCommand"
import * as Style from "@assay/core/cli/Style"
import * as Column from "@assay/core/Column"
import { assert, describe, it } from "@effect/vitest"
import { BigDecimal, Schema } from "effect"

const columns = Column.fromStruct(
  Schema.Struct({
    name: Column.text,
    amount: Column.decimal({ precision: 20, scale: 4 }),
    lines: Column.integer,
    is_current: Column.boolean,
    day: Column.date,
    at: Column.nullable(Column.timestamp),
    attributes: Column.json
  })
)

const row: Column.Row = {
  name: 'O"Neill, Sons\nLtd',
  amount: BigDecimal.fromStringUnsafe("12.5"),
  lines: 3,
  is_current: true,
  day: "2024-03-01",
  at: "2024-03-01T00:00:00.000000Z",
  attributes: { plan: "pro", amount: "1.5" }
}

const bare: Column.Row = { ...row, name: "", at: null, attributes: [], amount: BigDecimal.fromStringUnsafe("-0.5") }

describe("Csv", () => {
  it("writes the header in the order of the asset", () => {
    assert.strictEqual(Csv.header(columns), "name,amount,lines,is_current,day,at,attributes\n")
  })

  it("writes canonical text and quotes as RFC 4180 does", () => {
    assert.strictEqual(
      Csv.row(columns, row),
      '"O""Neill, Sons\nLtd",12.5000,3,true,2024-03-01,2024-03-01T00:00:00.000000Z,"{""amount"":""1.5"",""plan"":""pro""}"\n'
    )
  })

  it("leaves null empty and keeps empty text apart from it", () => {
    assert.strictEqual(Csv.line(["", null, "a", null]), '"",,a,\n')
  })
})

describe("Json", () => {
  it("keeps every digit: decimals are strings, integers and booleans are themselves", () => {
    assert.strictEqual(
      Json.row(columns, row),
      '{"name":"O\\"Neill, Sons\\nLtd","amount":"12.5000","lines":3,"is_current":true,"day":"2024-03-01",' +
        '"at":"2024-03-01T00:00:00.000000Z","attributes":{"plan":"pro","amount":"1.5"}}'
    )
    assert.include(Json.row(columns, bare), '"name":"","amount":"-0.5000"')
    assert.include(Json.row(columns, bare), '"at":null,"attributes":[]')
  })
})

describe("show as a table", () => {
  it("puts each row on one line and numbers to the right", () => {
    assert.deepStrictEqual(
      ShowCommand.lines(columns.slice(0, 3), [row, { ...bare, lines: 1234 }], { style: Style.plain, width: 80 }),
      [
        "name                 amount  lines",
        'O"Neill, Sons\\nLtd  12.5000      3',
        "                    -0.5000   1234"
      ]
    )
  })

  it("names the columns that do not fit", () => {
    assert.deepStrictEqual(ShowCommand.lines(columns, [row], { style: Style.plain, width: 40 }), [
      "name                 amount  lines",
      'O"Neill, Sons\\nLtd  12.5000      3',
      "... and 4 more columns do not fit:",
      "  is_current, day, at, attributes (a",
      "  wider terminal or --format csv shows",
      "  all)"
    ])
  })
})
