import * as Partitions from "@assay/core/Partitions"
import * as TimeWindow from "@assay/core/TimeWindow"
import { assert, describe, it } from "@effect/vitest"
import * as Prng from "../oracle/Prng.ts"

/** Whole hours, half and quarter hours, a clock change of half an hour, one at midnight, and a day that was left out. */
const zones = [
  "UTC",
  "America/New_York",
  "Europe/Berlin",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Pacific/Apia"
]

/** The date on the wall in a zone, as the platform tells it. */
const wall = (timeZone: string) => {
  const format = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" })
  return (instant: number): string => format.format(instant)
}

const first = Date.parse("2011-06-01")
const last = Date.parse("2030-01-01")

describe.each(zones)("windows in %s", (timeZone) => {
  const random = Prng.make(zones.indexOf(timeZone) + 1)
  const instants = Array.from({ length: 400 }, () => first + random.below(Math.floor((last - first) / 1000)) * 1000)
  const date = wall(timeZone)

  const options = { start: "2010-01-01", timeZone }

  it.each([
    Partitions.hourly(options),
    Partitions.daily(options),
    Partitions.weekly(options),
    Partitions.monthly(options)
  ])("hold their start and not their end, and the next one goes on there: $cadence (Verifies: L12)", (partitions) => {
    for (const instant of instants) {
      const window = Partitions.windowAt(partitions, instant)
      assert.isTrue(window.start <= instant && instant < window.end)
      assert.deepStrictEqual(Partitions.windowAt(partitions, window.start), window)
      assert.deepStrictEqual(Partitions.windowAt(partitions, window.end - 1), window)
      const next = Partitions.windowAt(partitions, window.end)
      assert.strictEqual(next.start, window.end)
      assert.isFalse(TimeWindow.overlaps(window, next))
    }
  })

  it("of days are the dates on that zone's wall (Verifies: L12)", () => {
    const partitions = Partitions.daily(options)
    for (const instant of instants) {
      const window = Partitions.windowAt(partitions, instant)
      const key = Partitions.keyOf(partitions, instant)
      assert.strictEqual(key, date(instant))
      assert.deepStrictEqual([date(window.start), date(window.end - 1)], [key, key])
      assert.notStrictEqual(date(window.end), key)
      assert.notStrictEqual(date(window.start - 1), key)
    }
  })
})
