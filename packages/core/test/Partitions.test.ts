import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as TimeWindow from "@assay/core/TimeWindow"
import { TZDate } from "@date-fns/tz"
import { assert, describe, it } from "@effect/vitest"
import { Equal, Option, Schema } from "effect"

const { daily, hourly, monthly, weekly } = Partitions
const cadences = { hourly, daily, weekly, monthly }
const hours = (count: number) => count * 3_600_000
const instant = (text: string) => new Date(text).getTime()
const existing = (partitions: Partitions.Partitions, now: string) => [
  ...PartitionSet.keys(Partitions.existing(partitions, instant(now)))
]
const allKeys = (partitions: Partitions.Partitions) => [...PartitionSet.keys(PartitionSet.all(partitions))]
const window = (partitions: Partitions.Partitions, key: string) =>
  Option.getOrThrowWith(Partitions.windowOf(partitions, key), () => new Error(`${key} is not a partition`))
const lengthInHours = (partitions: Partitions.Partitions, key: string) =>
  TimeWindow.duration(window(partitions, key)) / hours(1)
const startsAt = (partitions: Partitions.Partitions, key: string) =>
  new Date(window(partitions, key).start).toISOString()

describe("Partitions", () => {
  describe("existence", () => {
    const days = Partitions.daily({ start: "2024-01-01" })

    it("begins at the instant at which the window ends", () => {
      assert.deepStrictEqual(existing(days, "2024-01-01T23:59:59.999Z"), [])
      assert.deepStrictEqual(existing(days, "2024-01-02T00:00:00.000Z"), ["2024-01-01"])
      assert.isFalse(Partitions.isComplete(days, "2024-01-01", instant("2024-01-01T23:59:59.999Z")))
      assert.isTrue(Partitions.isComplete(days, "2024-01-01", instant("2024-01-02T00:00:00.000Z")))
    })

    it("follows the day of the asset's zone", () => {
      const kathmandu = Partitions.daily({ start: "2024-01-01", timeZone: "Asia/Kathmandu" })
      assert.deepStrictEqual(existing(kathmandu, "2024-01-01T18:14:59.999Z"), [])
      assert.deepStrictEqual(existing(kathmandu, "2024-01-01T18:15:00Z"), ["2024-01-01"])
    })

    it.each([
      [-3, []],
      [-2, ["2024-01-01"]],
      [-1, ["2024-01-01", "2024-01-02"]],
      [0, ["2024-01-01", "2024-01-02", "2024-01-03"]],
      [1, ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]],
      [2, ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]]
    ])("with endOffset %d reaches as many windows past the finished ones", (endOffset, expected) => {
      assert.deepStrictEqual(
        existing(Partitions.daily({ start: "2024-01-01", endOffset }), "2024-01-04T12:00:00Z"),
        expected
      )
    })

    it("never passes the end, whatever the offset", () => {
      const ended = Partitions.daily({ start: "2024-01-01", end: "2024-01-03", endOffset: 5 })
      assert.deepStrictEqual(existing(ended, "2024-01-02T12:00:00Z"), ["2024-01-01", "2024-01-02"])
    })

    it("comes to held-back windows after the end, too", () => {
      const ended = Partitions.daily({ start: "2024-01-01", end: "2024-01-03", endOffset: -1 })
      assert.deepStrictEqual(existing(ended, "2024-01-03T00:00:00Z"), ["2024-01-01"])
      assert.deepStrictEqual(existing(ended, "2024-01-04T00:00:00Z"), ["2024-01-01", "2024-01-02"])
    })

    it("is nothing before the start", () => {
      assert.deepStrictEqual(existing(days, "2023-06-01T00:00:00Z"), [])
      assert.deepStrictEqual(
        existing(Partitions.daily({ start: "2024-01-01", endOffset: 1 }), "2023-06-01T00:00:00Z"),
        []
      )
    })

    it("does not depend on time where there are no windows", () => {
      assert.deepStrictEqual(existing(Partitions.fromKeys(["eu", "us"]), "1999-01-01T00:00:00Z"), ["eu", "us"])
      assert.deepStrictEqual(existing(Partitions.unpartitioned, "1999-01-01T00:00:00Z"), ["*"])
      assert.isTrue(Partitions.isComplete(Partitions.unpartitioned, "*", 0))
      assert.isFalse(Partitions.isComplete(Partitions.fromKeys(["eu"]), "us", 0))
    })
  })

  describe("range", () => {
    it("opens with the first tick at or after the start", () => {
      assert.strictEqual(
        allKeys(Partitions.monthly({ start: "2024-01-02", end: "2024-04-01" })).join(),
        "2024-02-01,2024-03-01"
      )
      assert.strictEqual(allKeys(Partitions.monthly({ start: "2024-01-01", end: "2024-02-01" })).join(), "2024-01-01")
      assert.strictEqual(
        allKeys(Partitions.hourly({ start: "2024-01-01-00:30", end: "2024-01-01-03:00" })).join(),
        "2024-01-01-01:00,2024-01-01-02:00"
      )
    })

    it("holds no window that would cross the end", () => {
      assert.deepStrictEqual(allKeys(Partitions.monthly({ start: "2024-01-01", end: "2024-03-15" })), [
        "2024-01-01",
        "2024-02-01"
      ])
      assert.deepStrictEqual(allKeys(Partitions.weekly({ start: "2024-01-01", end: "2024-01-05" })), [])
    })

    it("is empty, not reversed, when no window fits", () => {
      const range = Partitions.range(Partitions.weekly({ start: "2024-01-02", end: "2024-01-05" }))
      assert.deepStrictEqual(range, { start: instant("2024-01-08"), end: instant("2024-01-08") })
    })

    it("has no end when the definition has none", () => {
      assert.deepStrictEqual(Partitions.range(Partitions.daily({ start: "2024-01-01", timeZone: "Europe/Berlin" })), {
        start: instant("2023-12-31T23:00:00Z"),
        end: Number.POSITIVE_INFINITY
      })
    })

    it("reads hours with a dash or a T", () => {
      const dashed = Partitions.hourly({ start: "2024-01-01-05:00" })
      assert.deepStrictEqual(
        Partitions.range(Partitions.hourly({ start: "2024-01-01T05:00" })),
        Partitions.range(dashed)
      )
      assert.strictEqual(Partitions.range(dashed).start, instant("2024-01-01T05:00:00Z"))
    })
  })

  describe("calendar", () => {
    it.each([
      ["2024", 366, true],
      ["2023", 365, false],
      ["2000", 366, true],
      ["1900", 365, false],
      ["2100", 365, false]
    ])("the year %s has %d days", (year, count, leap) => {
      const days = Partitions.daily({ start: `${year}-01-01`, end: `${Number(year) + 1}-01-01` })
      assert.strictEqual(PartitionSet.size(PartitionSet.all(days)), count)
      assert.strictEqual(allKeys(days).length, count)
      assert.strictEqual(Option.isSome(Partitions.windowOf(days, `${year}-02-29`)), leap)
    })

    it("a month is as long as the calendar says", () => {
      const months = Partitions.monthly({ start: "2024-01-01", end: "2025-01-01" })
      const days = allKeys(months).map((key) => lengthInHours(months, key) / 24)
      assert.deepStrictEqual(days, [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    })

    it.each([0, 1, 2, 3, 4, 5, 6] as const)(
      "weeks that begin on day %d have seven days from such a day",
      (firstDayOfWeek) => {
        const weeks = Partitions.weekly({
          start: "2023-12-27",
          end: "2025-01-08",
          firstDayOfWeek,
          timeZone: "America/New_York"
        })
        const keys = allKeys(weeks)
        assert.strictEqual(PartitionSet.size(PartitionSet.all(weeks)), keys.length)
        for (const [index, key] of keys.entries()) {
          assert.strictEqual(new Date(key).getUTCDay(), firstDayOfWeek)
          assert.strictEqual(instant(key) - instant(keys[0] ?? ""), index * 7 * hours(24))
        }
        assert.isTrue(instant(keys[0] ?? "") - instant("2023-12-27") < 7 * hours(24))
      }
    )

    it("weeks begin on Monday by default", () => {
      assert.deepStrictEqual(allKeys(Partitions.weekly({ start: "2024-01-01", end: "2024-01-15" })), [
        "2024-01-01",
        "2024-01-08"
      ])
    })
  })

  describe("days where the clock changes", () => {
    it.each([
      ["America/New_York", "2024-03-10", 23],
      ["America/New_York", "2024-11-03", 25],
      ["Europe/Berlin", "2024-03-31", 23],
      ["Europe/Berlin", "2024-10-27", 25],
      ["Asia/Kathmandu", "2024-03-10", 24],
      ["Asia/Kathmandu", "2024-10-27", 24],
      ["Australia/Lord_Howe", "2024-04-07", 24.5],
      ["Asia/Kathmandu", "1986-01-01", 23.75]
    ])("in %s, %s lasts %d hours", (timeZone, key, expected) => {
      const days = Partitions.daily({ start: "1980-01-01", timeZone })
      assert.strictEqual(lengthInHours(days, key), expected)
      const next = Option.getOrThrow(Partitions.next(days, window(days, key)))
      assert.strictEqual(next.start, window(days, key).end)
    })

    it.each([
      ["America/New_York", "2024-03-10", "2024-03-10T05:00:00.000Z"],
      ["America/New_York", "2024-03-11", "2024-03-11T04:00:00.000Z"],
      ["Europe/Berlin", "2024-10-27", "2024-10-26T22:00:00.000Z"],
      ["Europe/Berlin", "2024-10-28", "2024-10-27T23:00:00.000Z"],
      ["Asia/Kathmandu", "2024-10-27", "2024-10-26T18:15:00.000Z"],
      // Midnight skipped: the day begins at 01:00.
      ["America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"],
      // Midnight twice: the day begins with the first.
      ["America/Havana", "2021-11-07", "2021-11-07T04:00:00.000Z"],
      // One minute after midnight the clock goes back to the day before.
      ["America/St_Johns", "2010-11-07", "2010-11-07T02:30:00.000Z"]
    ])("in %s, %s begins at %s", (timeZone, key, expected) => {
      const days = Partitions.daily({ start: "2000-01-01", timeZone })
      assert.strictEqual(startsAt(days, key), expected)
      assert.strictEqual(Partitions.keyOf(days, window(days, key)), key)
      assert.strictEqual(Partitions.keyOf(days, window(days, key).end - 1), key)
    })

    it("a day goes on while the clock, set back over midnight, shows the day before again", () => {
      const days = Partitions.daily({ start: "2000-01-01", timeZone: "America/St_Johns" })
      assert.strictEqual(Partitions.keyOf(days, instant("2010-11-07T02:29:59Z")), "2010-11-06")
      assert.strictEqual(Partitions.keyOf(days, instant("2010-11-07T02:30:30Z")), "2010-11-07")
      assert.strictEqual(Partitions.keyOf(days, instant("2010-11-07T03:00:00Z")), "2010-11-07")
      assert.strictEqual(lengthInHours(days, "2010-11-07"), 25)
    })

    it("a day that the date line swallowed does not exist", () => {
      const days = Partitions.daily({ start: "2011-12-28", end: "2012-01-02", timeZone: "Pacific/Apia" })
      assert.deepStrictEqual(allKeys(days), ["2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"])
      assert.strictEqual(PartitionSet.size(PartitionSet.all(days)), 4)
      assert.deepStrictEqual(Partitions.windowOf(days, "2011-12-30"), Option.none())
    })

    it("months keep local midnight on both sides of the change", () => {
      const months = Partitions.monthly({ start: "2024-01-01", timeZone: "Europe/Berlin" })
      assert.deepStrictEqual(window(months, "2024-03-01"), {
        start: instant("2024-02-29T23:00:00Z"),
        end: instant("2024-03-31T22:00:00Z")
      })
    })
  })

  describe("hours where the clock changes", () => {
    it.each([
      ["America/New_York", "2021-03-14-00:00", "2021-03-14-04:00", ["00:00", "01:00", "03:00"]],
      ["America/New_York", "2021-11-07-00:00", "2021-11-07-03:00", ["00:00", "01:00", "01:00-0500", "02:00"]],
      ["Europe/Berlin", "2024-03-31-01:00", "2024-03-31-04:00", ["01:00", "03:00"]],
      ["Europe/Berlin", "2024-10-27-01:00", "2024-10-27-04:00", ["01:00", "02:00", "02:00+0100", "03:00"]],
      ["Asia/Kathmandu", "2024-03-31-01:00", "2024-03-31-04:00", ["01:00", "02:00", "03:00"]],
      ["Australia/Lord_Howe", "2024-04-07-00:00", "2024-04-07-04:00", ["00:00", "01:00", "02:00", "03:00"]],
      ["Australia/Lord_Howe", "2024-10-06-00:00", "2024-10-06-05:00", ["00:00", "01:00", "03:00", "04:00"]]
    ])("in %s from %s to %s they are %j", (timeZone, start, end, expected) => {
      const partitions = Partitions.hourly({ start, end, timeZone })
      const keys = allKeys(partitions)
      assert.deepStrictEqual(
        keys.map((key) => key.slice(11)),
        expected
      )
      assert.strictEqual(PartitionSet.size(PartitionSet.all(partitions)), expected.length)
      const windows = keys.map((key) => window(partitions, key))
      assert.deepStrictEqual(windows, [...PartitionSet.windows(PartitionSet.all(partitions))])
      for (const [index, { end }] of windows.slice(0, -1).entries()) {
        assert.strictEqual(windows[index + 1]?.start, end)
      }
    })

    it("start at the full local hour in a zone with quarter hours", () => {
      const partitions = Partitions.hourly({ start: "2024-01-01", timeZone: "Asia/Kathmandu" })
      assert.strictEqual(startsAt(partitions, "2024-01-01-06:00"), "2024-01-01T00:15:00.000Z")
    })

    it("a half-hour change lengthens the hour before it", () => {
      const partitions = Partitions.hourly({ start: "2024-01-01", timeZone: "Australia/Lord_Howe" })
      assert.strictEqual(lengthInHours(partitions, "2024-04-07-01:00"), 1.5)
      assert.strictEqual(lengthInHours(partitions, "2024-10-06-01:00"), 1.5)
    })

    it("exist 23 and 25 times on the days of the change", () => {
      const partitions = Partitions.hourly({ start: "2021-01-01", timeZone: "America/New_York" })
      const days = Partitions.daily({ start: "2021-01-01", timeZone: "America/New_York" })
      const hoursOf = (key: string) => PartitionSet.size(PartitionSet.fromWindow(partitions, window(days, key)))
      assert.deepStrictEqual([hoursOf("2021-03-14"), hoursOf("2021-11-07"), hoursOf("2021-11-08")], [23, 25, 24])
    })
  })

  describe("keys", () => {
    const days = Partitions.daily({ start: "2024-01-01", end: "2025-01-01" })
    const weeks = Partitions.weekly({ start: "2024-01-01" })
    const months = Partitions.monthly({ start: "2024-01-01" })
    const hoursOfNewYork = Partitions.hourly({ start: "2021-01-01", timeZone: "America/New_York" })

    it.each([
      [days, "2023-12-31", "before the start"],
      [days, "2025-01-01", "at the end"],
      [days, "2024-02-30", "no such day"],
      [days, "2024-2-3", "one digit"],
      [days, "2024-03", "a month"],
      [days, "2024-03-05-00:00", "an hour"],
      [days, " 2024-03-05", "a space"],
      [days, "", "nothing"],
      [weeks, "2024-01-02", "a Tuesday"],
      [months, "2024-01-02", "not the first"],
      [hoursOfNewYork, "2021-03-14", "a day"],
      [hoursOfNewYork, "2021-03-14-02:00", "skipped"],
      [hoursOfNewYork, "2021-03-14-01:30", "no full hour"],
      [hoursOfNewYork, "2021-03-14-24:00", "no such hour"],
      [hoursOfNewYork, "2021-11-07-01:00-0400", "the first of two needs no offset"],
      [hoursOfNewYork, "2021-11-07-02:00-0500", "not repeated"],
      [hoursOfNewYork, "2021-11-07-01:00-0600", "another offset"],
      [Partitions.fromKeys(["eu"]), "eu", "a name"],
      [Partitions.unpartitioned, "*", "the unit"]
    ] as ReadonlyArray<readonly [Partitions.Partitions, string, string]>)(
      "of $0._tag: $1 has no window ($2)",
      (partitions, key) => {
        assert.deepStrictEqual(Partitions.windowOf(partitions, key), Option.none())
      }
    )

    it("name the two windows of a repeated hour", () => {
      assert.strictEqual(startsAt(hoursOfNewYork, "2021-11-07-01:00"), "2021-11-07T05:00:00.000Z")
      assert.strictEqual(startsAt(hoursOfNewYork, "2021-11-07-01:00-0500"), "2021-11-07T06:00:00.000Z")
    })

    it("are given to any instant of a window", () => {
      assert.strictEqual(Partitions.keyOf(months, instant("2024-03-31T23:59:59Z")), "2024-03-01")
      assert.strictEqual(Partitions.keyOf(weeks, window(weeks, "2024-01-08")), "2024-01-08")
      assert.strictEqual(Partitions.keyOf(hoursOfNewYork, instant("2021-11-07T06:59:59Z")), "2021-11-07-01:00-0500")
    })

    it("of names and of the unit are known exactly", () => {
      assert.isTrue(Partitions.isKey(Partitions.fromKeys(["eu", "us"]), "us"))
      assert.isFalse(Partitions.isKey(Partitions.fromKeys(["eu", "us"]), "US"))
      assert.isTrue(Partitions.isKey(Partitions.unpartitioned, Partitions.unit))
      assert.isFalse(Partitions.isKey(Partitions.unpartitioned, "2024-01-01"))
      assert.isTrue(Partitions.isKey(days, "2024-12-31"))
    })
  })

  describe("neighbours", () => {
    const days = Partitions.daily({ start: "2024-01-01", end: "2024-01-03" })

    it("end with the range", () => {
      const [first, second] = [window(days, "2024-01-01"), window(days, "2024-01-02")]
      assert.deepStrictEqual(Partitions.next(days, first), Option.some(second))
      assert.deepStrictEqual(Partitions.next(days, second), Option.none())
      assert.deepStrictEqual(Partitions.previous(days, second), Option.some(first))
      assert.deepStrictEqual(Partitions.previous(days, first), Option.none())
    })

    it("can be counted past the range", () => {
      assert.strictEqual(Partitions.keyOf(days, Partitions.shift(days, window(days, "2024-01-01"), 60)), "2024-03-01")
      assert.strictEqual(Partitions.keyOf(days, Partitions.shift(days, window(days, "2024-01-01"), -1)), "2023-12-31")
    })

    it("hold every instant, existing or not", () => {
      const at = instant("2030-06-15T12:00:00Z")
      assert.deepStrictEqual(Partitions.windowAt(days, at), {
        start: instant("2030-06-15"),
        end: instant("2030-06-16")
      })
    })
  })

  describe("definitions", () => {
    it("are equal when they say the same", () => {
      assert.isTrue(
        Equal.equals(
          Partitions.daily({ start: "2024-01-01" }),
          Partitions.daily({ start: "2024-01-01", timeZone: "UTC" })
        )
      )
      assert.isFalse(Equal.equals(Partitions.daily({ start: "2024-01-01" }), Partitions.daily({ start: "2024-01-02" })))
      assert.isFalse(Equal.equals(Partitions.fromKeys(["a", "b"]), Partitions.fromKeys(["b", "a"])))
    })

    it("are recognized", () => {
      assert.isTrue(Partitions.isPartitions(Partitions.unpartitioned))
      assert.isTrue(Partitions.isPartitions(Partitions.hourly({ start: "2024-01-01" })))
      assert.isFalse(Partitions.isPartitions({ _tag: "Unpartitioned" }))
    })

    it("read well", () => {
      assert.strictEqual(
        Partitions.format(Partitions.weekly({ start: "2024-01-01", end: "2025-01-06", timeZone: "Europe/Berlin" })),
        "weekly from 2024-01-01 to 2025-01-06 (Europe/Berlin)"
      )
      assert.strictEqual(Partitions.format(Partitions.fromKeys(["eu", "us"])), "static: eu, us")
      assert.strictEqual(Partitions.format(Partitions.unpartitioned), "unpartitioned")
    })

    it.each([
      ["start", () => Partitions.daily({ start: "2024-02-30" }), `start "2024-02-30" is not a date`],
      ["an hour for days", () => Partitions.daily({ start: "2024-02-01-05:00" }), "is not a date"],
      ["half a date", () => Partitions.monthly({ start: "2024-02" }), "is not a date"],
      ["end", () => Partitions.daily({ start: "2024-01-01", end: "soon" }), `end "soon" is not a date`],
      [
        "order",
        () => Partitions.daily({ start: "2024-01-02", end: "2024-01-01" }),
        `end "2024-01-01" is not after start`
      ],
      ["emptiness", () => Partitions.daily({ start: "2024-01-02", end: "2024-01-02" }), "is not after start"],
      [
        "zone",
        () => Partitions.daily({ start: "2024-01-01", timeZone: "Mars/Olympus" }),
        `time zone "Mars/Olympus" is unknown`
      ],
      [
        "offset zone",
        () => Partitions.daily({ start: "2024-01-01", timeZone: "+05:30" }),
        "is unknown; expected an IANA name"
      ],
      ["no zone", () => Partitions.daily({ start: "2024-01-01", timeZone: "" }), "is unknown"],
      ["endOffset", () => Partitions.daily({ start: "2024-01-01", endOffset: 0.5 }), "endOffset 0.5"],
      ["duplicate", () => Partitions.fromKeys(["eu", "us", "eu"]), `the key "eu" occurs twice`],
      ["no keys", () => Partitions.fromKeys([]), "there is no key"],
      ["comma", () => Partitions.fromKeys(["a,b"]), `the key "a,b" could not be told apart in a range`],
      ["reserved", () => Partitions.fromKeys(["latest"]), `the key "latest" could not be told apart`]
    ] as ReadonlyArray<readonly [string, () => unknown, string]>)("are refused for their %s", (_, define, message) => {
      assert.throws(define, message)
      assert.throws(define, /^invalid partitions in Partitions\.\w+\(.*; expected /)
    })
  })

  describe("windows tile time", () => {
    const Zone = Schema.Literals([
      "UTC",
      "America/New_York",
      "Europe/Berlin",
      "Asia/Kathmandu",
      "Australia/Lord_Howe",
      "America/Sao_Paulo",
      "Africa/Casablanca",
      "Pacific/Apia"
    ])
    const Cadence = Schema.Literals(["hourly", "daily", "weekly", "monthly"])
    const Instant = Schema.Int.check(Schema.isBetween({ minimum: Date.UTC(1980, 0, 1), maximum: Date.UTC(2060, 0, 1) }))

    it.prop("and every key finds its window again", [Cadence, Zone, Instant], ([cadence, timeZone, at]) => {
      const partitions = cadences[cadence]({ start: "1970-01-01", timeZone })
      const held = Partitions.windowAt(partitions, at)
      assert.isTrue(TimeWindow.contains(held, at))
      assert.deepStrictEqual(Partitions.windowOf(partitions, Partitions.keyOf(partitions, at)), Option.some(held))
      const [before, after] = [Partitions.previous(partitions, held), Partitions.next(partitions, held)]
      assert.strictEqual(Option.getOrThrow(before).end, held.start)
      assert.strictEqual(Option.getOrThrow(after).start, held.end)
    })

    it.prop(
      "and local midnight opens days, weeks and months as TZDate finds it",
      [Schema.Literals(["daily", "weekly", "monthly"]), Zone, Instant],
      ([cadence, timeZone, at]) => {
        const { start } = Partitions.windowAt(cadences[cadence]({ start: "1970-01-01", timeZone }), at)
        const local = new TZDate(at, timeZone)
        const day = cadence === "monthly" ? 1 : local.getDate() - (cadence === "weekly" ? (local.getDay() + 6) % 7 : 0)
        assert.strictEqual(start, new TZDate(local.getFullYear(), local.getMonth(), day, timeZone).getTime())
      }
    )
  })
})
