import * as Quantity from "@assay/core/cli/Quantity"
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"

describe("Quantity", () => {
  it("groups digits and inflects the noun", () => {
    assert.deepStrictEqual(
      [Quantity.count(0, "row"), Quantity.count(1, "row"), Quantity.count(1_234_567, "row")],
      ["0 rows", "1 row", "1,234,567 rows"]
    )
    assert.deepStrictEqual(
      [Quantity.count(2, "delivery"), Quantity.count(2, "day"), Quantity.count(2, "key")],
      ["2 deliveries", "2 days", "2 keys"]
    )
  })

  it("says a length of time in two units at most", () => {
    const times = [
      0, 340.4, 999, 1000, 3249, 9949, 9950, 42_000, 59_400, 59_600, 125_000, 3_599_000, 3_600_000, 90_061_000
    ]
    assert.deepStrictEqual(times.map(Quantity.duration), [
      "0 ms",
      "340 ms",
      "999 ms",
      "1.0 s",
      "3.2 s",
      "9.9 s",
      "10 s",
      "42 s",
      "59 s",
      "1 min 00 s",
      "2 min 05 s",
      "59 min 59 s",
      "1 h 00 min",
      "25 h 01 min"
    ])
  })

  it("says a speed with as many digits as it deserves, and none without time or rows", () => {
    assert.deepStrictEqual(
      [
        Quantity.rate(85, 100, "row"),
        Quantity.rate(1234, 1000, "row"),
        Quantity.rate(123_456, 1000, "row"),
        Quantity.rate(2_500_000, 1000, "row")
      ],
      ["850 rows/s", "1.2k rows/s", "123k rows/s", "2.5M rows/s"]
    )
    assert.deepStrictEqual([Quantity.rate(0, 10, "row"), Quantity.rate(10, 0, "row")], ["", ""])
  })

  it("says how long ago something was", () => {
    const now = DateTime.makeUnsafe("2024-05-20T12:00:00Z")
    const ago = (seconds: number) => Quantity.ago(DateTime.subtract(now, { seconds }), now)
    assert.deepStrictEqual(
      [ago(-3), ago(4), ago(42), ago(60), ago(3599), ago(3 * 3600), ago(86_400), ago(9 * 86_400)],
      ["just now", "just now", "42 s ago", "1 min ago", "59 min ago", "3 h ago", "1 day ago", "9 days ago"]
    )
  })
})
