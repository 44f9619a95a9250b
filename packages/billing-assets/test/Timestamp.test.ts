import * as Timestamp from "@assay/billing-assets/Timestamp"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

describe("Timestamp.fromText", () => {
  it.each([
    ["2024-03-01T09:30:00Z", "2024-03-01T09:30:00.000000Z"],
    ["2024-03-01t09:30:00z", "2024-03-01T09:30:00.000000Z"],
    ["2024-03-01 09:30:00Z", "2024-03-01T09:30:00.000000Z"],
    ["2024-03-01T09:30:00.1Z", "2024-03-01T09:30:00.100000Z"],
    ["2024-03-01T09:30:00.123456Z", "2024-03-01T09:30:00.123456Z"],
    ["2024-03-01T09:30:00.000001+00:00", "2024-03-01T09:30:00.000001Z"],
    ["2024-03-01T09:30:00-00:00", "2024-03-01T09:30:00.000000Z"],
    ["2024-03-01T00:15:00.5+05:45", "2024-02-29T18:30:00.500000Z"],
    ["2023-12-31T23:59:59.999999-00:01", "2024-01-01T00:00:59.999999Z"],
    ["2023-03-01T00:00:00+00:01", "2023-02-28T23:59:00.000000Z"],
    ["2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"],
    ["0999-12-31T12:00:00-23:59", "1000-01-01T11:59:00.000000Z"],
    ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"]
  ])("reads %s as %s", (text, expected) => {
    assert.strictEqual(Timestamp.fromText(text), expected)
  })

  it.each([
    "",
    "2024-03-01",
    "2024-03-01T09:30Z",
    "2024-03-01T09:30:00",
    "2024-03-01T09:30:00+01",
    "2024-03-01T09:30:00+0100",
    "2024-03-01T09:30:00.Z",
    "2024-03-01T09:30:00.1234567Z",
    "2024-03-01T09:30:00,5Z",
    "2024-03-01T24:00:00Z",
    "2024-03-01T09:60:00Z",
    "2024-03-01T09:30:60Z",
    "2016-12-31T23:59:60Z",
    "2024-03-01T09:30:00+24:00",
    "2024-03-01T09:30:00+01:60",
    "2024-02-30T09:30:00Z",
    "2023-02-29T09:30:00Z",
    "1900-02-29T09:30:00Z",
    "2024-04-31T09:30:00Z",
    "2024-13-01T09:30:00Z",
    "2024-00-01T09:30:00Z",
    "2024-03-00T09:30:00Z",
    "2024-3-1T09:30:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "+2024-03-01T09:30:00Z",
    " 2024-03-01T09:30:00Z",
    "2024-03-01T09:30:00Z ",
    "2024-03-01T09:30:00Z\n",
    "1709285400",
    "yesterday"
  ])("refuses %j", (text) => {
    assert.isUndefined(Timestamp.fromText(text))
  })

  it.prop(
    "agrees with the calendar of the platform on every instant and offset",
    [
      Schema.Int.check(Schema.isBetween({ minimum: Date.UTC(1000, 0, 1), maximum: Date.UTC(9998, 11, 31) })),
      Schema.Int.check(Schema.isBetween({ minimum: -1439, maximum: 1439 }))
    ],
    ([instant, offset]) => {
      const seconds = Math.floor(instant / 1000) * 1000
      const local = new Date(seconds + offset * 60_000).toISOString().slice(0, 19)
      const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((n) =>
        String(n).padStart(2, "0")
      )
      const text = `${local}${offset < 0 ? "-" : "+"}${hours}:${minutes}`
      assert.strictEqual(Timestamp.fromText(text), new Date(seconds).toISOString().replace(".000Z", ".000000Z"))
    }
  )
})

describe("Timestamp", () => {
  it("knows the UTC day and the first day of the month", () => {
    assert.strictEqual(Timestamp.day("2024-03-31T23:59:59.999999Z"), "2024-03-31")
    assert.strictEqual(Timestamp.month("2024-03-31T23:59:59.999999Z"), "2024-03-01")
    assert.strictEqual(Timestamp.month("2024-03-31"), "2024-03-01")
  })
})
