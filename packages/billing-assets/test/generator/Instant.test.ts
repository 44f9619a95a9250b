import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Instant from "@assay/billing-assets/generator/Instant"

const leapDay = Option.getOrThrow(Instant.fromDay("2024-02-29"))

describe("Instant", () => {
  it("writes one instant in many notations", () => {
    const instant = leapDay + 23 * Instant.HOUR + 5 * Instant.MINUTE + 7 * Instant.SECOND + 80_900
    assert.deepStrictEqual(
      [
        Instant.toText(instant, { offset: "Z", digits: 6 }),
        Instant.toText(instant, { offset: 120, digits: 6 }),
        Instant.toText(instant, { offset: -480, digits: 6 }),
        Instant.toText(instant, { offset: 330, digits: 6 }),
        Instant.toText(Instant.cut(instant, 3), { offset: 0, digits: 3 }),
        Instant.toText(Instant.cut(instant, 0), { offset: "Z", digits: 0 }),
        Instant.toText(Instant.cut(instant, 0), { offset: "Z", digits: 1 })
      ],
      [
        "2024-02-29T23:05:07.080900Z",
        "2024-03-01T01:05:07.080900+02:00",
        "2024-02-29T15:05:07.080900-08:00",
        "2024-03-01T04:35:07.080900+05:30",
        "2024-02-29T23:05:07.080+00:00",
        "2024-02-29T23:05:07Z",
        "2024-02-29T23:05:07.0Z"
      ]
    )
  })

  it("writes instants before 1970", () => {
    assert.strictEqual(Instant.toText(-Instant.SECOND, { offset: "Z", digits: 0 }), "1969-12-31T23:59:59Z")
  })

  it("knows the digits that an instant needs", () => {
    assert.deepStrictEqual([leapDay, leapDay + 1000, leapDay + 1].map(Instant.digitsOf), [0, 3, 6])
  })

  it("refuses days that the calendar lacks", () => {
    const days = ["2023-02-29", "2024-02-30", "2024-13-01", "2024-1-1", "today", "2024-01-01T00:00:00Z"]
    assert.isTrue(days.every((day) => Option.isNone(Instant.fromDay(day))))
  })

  it("cuts half-open calendar months, of which the first begins where the feed does", () => {
    const [january, february, march] = Instant.monthsFrom(Option.getOrThrow(Instant.fromDay("2024-01-20")), 3)
    assert.deepStrictEqual([january?.name, february?.name, march?.name], ["2024-01", "2024-02", "2024-03"])
    assert.strictEqual(Instant.toDay(january?.start ?? 0), "2024-01-20")
    assert.strictEqual(january?.end, february?.start)
    assert.strictEqual(february?.end, leapDay + Instant.DAY)
  })
})
