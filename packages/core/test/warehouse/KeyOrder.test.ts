import * as Partitions from "@assay/core/Partitions"
import * as KeyOrder from "@assay/core/warehouse/KeyOrder"
import * as MemoryUnit from "@assay/core/warehouse/MemoryUnit"
import { assert, describe, it } from "@effect/vitest"

const newYork = { timeZone: "America/New_York" }

/** Every window that opens on these days, in the order of time, with its start. */
const windows = (partitions: Partitions.TimeWindows, first: string, last: string) => {
  const found: Array<{ readonly unit: string; readonly start: number; readonly end: number }> = []
  let window = Partitions.windowEndingAfter(partitions, Date.parse(first))
  while (window.start < Date.parse(last)) {
    found.push({ unit: Partitions.keyOf(partitions, window), ...window })
    window = Partitions.shift(partitions, window, 1)
  }
  return found
}

const grids = {
  "half hours of New York": Partitions.cron("*/30 * * * *", { ...newYork, start: "2021-11-01" }),
  "quarter hours of Lord Howe": Partitions.cron("*/15 * * * *", {
    start: "2021-11-01",
    timeZone: "Australia/Lord_Howe"
  }),
  "hours of New York": Partitions.hourly({ ...newYork, start: "2021-11-01" }),
  "working days": Partitions.daily({ ...newYork, start: "2021-11-01", exclusions: ["0 0 * * 6,0"] }),
  "hours of working days": Partitions.hourly({ ...newYork, start: "2021-11-01", exclusions: ["0 0 * * 6,0"] }),
  nights: Partitions.cron("0 1,2,3 * * *", { ...newYork, start: "2021-11-01" })
}

describe("KeyOrder", () => {
  for (const [name, partitions] of Object.entries(grids)) {
    for (const days of [
      ["2021-11-06T00:00:00Z", "2021-11-09T00:00:00Z"],
      ["2022-04-01T12:00:00Z", "2022-04-04T00:00:00Z"]
    ] as const) {
      it(`onwards misses no window that ends later, of ${name} from ${days[0]} (Verifies: L2, L7)`, () => {
        const all = windows(partitions, days[0], days[1])
        for (let instant = Date.parse(days[0]); instant < Date.parse(days[1]); instant += 900_000) {
          const contains = MemoryUnit.isIn(KeyOrder.onwards(partitions, instant))
          const missed = all.filter(({ end, unit }) => instant < end && !contains(unit))
          assert.deepStrictEqual(missed, [])
          // It takes in at most what opened within the hour that is shown twice.
          const taken = all.filter(({ end, unit }) => end <= instant - 2 * 3_600_000 && contains(unit))
          assert.deepStrictEqual(taken, [])
        }
      })
    }
  }

  it("a range that begins or ends within a repeated hour keeps all of its windows (Verifies: L2, L7)", () => {
    for (const [start, end] of [
      ["2021-11-07-01:30", "2021-11-09"],
      ["2021-11-05", "2021-11-07-02:00"],
      ["2021-11-07-01:15", "2021-11-07-02:00"]
    ] as const) {
      const partitions = Partitions.cron("*/15 * * * *", { ...newYork, start, end })
      const isWithin = MemoryUnit.isWithin(partitions)
      const own = windows(partitions, "2021-11-05T00:00:00Z", "2021-11-10T12:00:00Z").filter(({ unit }) =>
        Partitions.isKey(partitions, unit)
      )
      assert.isAbove(own.length, 0)
      assert.deepStrictEqual(
        own.filter(({ unit }) => !isWithin(unit)),
        []
      )
    }
  })

  it("a row on an excluded day reaches the partitions that begin after it (Verifies: L2, L7)", () => {
    const contains = MemoryUnit.isIn(KeyOrder.onwards(grids["working days"], Date.parse("2021-11-06T15:00:00Z")))
    assert.deepStrictEqual(["2021-11-05", "2021-11-08", "2021-11-09"].map(contains), [false, true, true])
  })
})
