import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as TimeWindow from "@assay/core/TimeWindow"
import { assert, describe, it } from "@effect/vitest"
import { Equal, Hash, pipe, Result } from "effect"

const { daily, hourly, monthly, weekly } = Partitions
const cadences = { hourly, daily, weekly, monthly }
const instant = (text: string) => new Date(text).getTime()
const days = Partitions.daily({ start: "2024-01-01" })
const weeks = Partitions.weekly({ start: "2024-01-01" })
const months = Partitions.monthly({ start: "2023-01-01" })
const hours = Partitions.hourly({ start: "2021-11-01", timeZone: "America/New_York" })
const regions = Partitions.fromKeys(["eu", "us", "apac", "latam"])

const set = (partitions: Partitions.Partitions, ...keys: ReadonlyArray<string>) =>
  Result.getOrThrow(PartitionSet.fromKeys(partitions, keys))
const keysOf = (self: PartitionSet.PartitionSet) => [...PartitionSet.keys(self)]

describe("PartitionSet", () => {
  describe("constructors", () => {
    it("order and merge keys, however they come", () => {
      const three = set(days, "2024-01-03", "2024-01-01", "2024-01-02", "2024-01-01")
      assert.deepStrictEqual(keysOf(three), ["2024-01-01", "2024-01-02", "2024-01-03"])
      assert.deepStrictEqual(PartitionSet.ranges(three), [{ start: instant("2024-01-01"), end: instant("2024-01-04") }])
      assert.deepStrictEqual(keysOf(set(regions, "latam", "eu")), ["eu", "latam"])
    })

    it("keep apart what does not touch", () => {
      assert.deepStrictEqual(PartitionSet.ranges(set(days, "2024-01-03", "2024-01-01")), [
        { start: instant("2024-01-01"), end: instant("2024-01-02") },
        { start: instant("2024-01-03"), end: instant("2024-01-04") }
      ])
    })

    it.each([
      [days, "2023-12-31", "a day YYYY-MM-DD, inside the range"],
      [weeks, "2024-01-02", "the first day of a week"],
      [months, "2024-01", "the first day of a month, YYYY-MM-01"],
      [hours, "2021-11-07-01:30", "the start of an hour YYYY-MM-DD-HH:MM"],
      [regions, "apacc", `did you mean "apac"?`],
      [regions, "antarctica", "one of its keys"],
      [Partitions.unpartitioned, "2024-01-01", `expected "*"`]
    ])("refuse a key that is no partition of $0._tag: $1", (partitions, key, message) => {
      const refused = PartitionSet.fromKeys(partitions, [key])
      assert.isTrue(Result.isFailure(refused))
      if (Result.isFailure(refused)) {
        assert.strictEqual(refused.failure._tag, "InvalidPartitionKey")
        assert.include(refused.failure.message, JSON.stringify(key))
        assert.include(refused.failure.message, message)
      }
    })

    it("take every window that a stretch of time touches", () => {
      const touched = (start: string, end: string) =>
        PartitionSet.format(PartitionSet.fromWindow(days, TimeWindow.make(instant(start), instant(end))))
      assert.strictEqual(touched("2024-03-01T00:00Z", "2024-03-03T00:00Z"), "2024-03-01..2024-03-02")
      assert.strictEqual(touched("2024-03-01T23:59Z", "2024-03-03T00:01Z"), "2024-03-01..2024-03-03")
      assert.strictEqual(touched("2023-01-01T00:00Z", "2024-01-01T00:00Z"), "none")
      assert.strictEqual(touched("2023-01-01T00:00Z", "2024-01-01T00:01Z"), "2024-01-01")
      assert.strictEqual(touched("2024-03-01T12:00Z", "2024-03-01T12:00Z"), "none")
    })

    it("take no window where there are none", () => {
      const ever = TimeWindow.make(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
      assert.isTrue(PartitionSet.isEmpty(PartitionSet.fromWindow(regions, ever)))
    })

    it("know the one partition of an asset in one piece", () => {
      const one = PartitionSet.all(Partitions.unpartitioned)
      assert.deepStrictEqual(keysOf(one), ["*"])
      assert.strictEqual(PartitionSet.size(one), 1)
      assert.isTrue(PartitionSet.has(one, "*"))
      assert.isTrue(PartitionSet.equals(set(Partitions.unpartitioned, "*"), one))
      assert.deepStrictEqual(keysOf(PartitionSet.empty(Partitions.unpartitioned)), [])
    })
  })

  describe("size", () => {
    it("of a million days is their calendar difference", () => {
      const ages = Partitions.daily({ start: "0001-01-01", end: "2800-01-01", timeZone: "Asia/Kathmandu" })
      assert.strictEqual(PartitionSet.size(PartitionSet.all(ages)), 2799 * 365 + 699 - 27 + 6)
    })

    it("of an open definition is infinite, and its keys can still be read one by one", () => {
      const ever = PartitionSet.all(days)
      assert.strictEqual(PartitionSet.size(ever), Number.POSITIVE_INFINITY)
      const [first, second] = PartitionSet.keys(ever)
      assert.deepStrictEqual([first, second], ["2024-01-01", "2024-01-02"])
      assert.strictEqual(PartitionSet.format(ever), "2024-01-01..")
    })

    it.each([
      ["hourly", 8784],
      ["daily", 366],
      ["weekly", 52],
      ["monthly", 12]
    ] as const)("of a %s year in a zone is the number of its keys", (cadence, expected) => {
      const year = PartitionSet.all(
        cadences[cadence]({ start: "2024-01-01", end: "2025-01-01", timeZone: "America/New_York" })
      )
      assert.strictEqual(PartitionSet.size(year), expected)
      assert.strictEqual(keysOf(year).length, expected)
      assert.strictEqual([...PartitionSet.windows(year)].length, expected)
    })
  })

  describe("parts", () => {
    const some = set(days, "2024-01-01", "2024-01-02", "2024-01-05", "2024-01-06")

    it.each([
      [0, []],
      [1, ["2024-01-01"]],
      [3, ["2024-01-01", "2024-01-02", "2024-01-05"]],
      [9, ["2024-01-01", "2024-01-02", "2024-01-05", "2024-01-06"]]
    ])("the first %d are %j", (count, expected) => {
      assert.deepStrictEqual(keysOf(PartitionSet.take(some, count)), expected)
    })

    it("the first few of a set without end are a set with one", () => {
      assert.strictEqual(PartitionSet.format(PartitionSet.take(PartitionSet.all(days), 60)), "2024-01-01..2024-02-29")
    })

    it("the last is the newest alone", () => {
      assert.deepStrictEqual(keysOf(PartitionSet.last(some)), ["2024-01-06"])
      assert.deepStrictEqual(keysOf(PartitionSet.last(set(regions, "eu", "apac"))), ["apac"])
      assert.isTrue(PartitionSet.isEmpty(PartitionSet.last(PartitionSet.empty(days))))
    })
  })

  describe("algebra", () => {
    it("reads in both directions", () => {
      const left = set(days, "2024-01-01", "2024-01-02")
      const right = set(days, "2024-01-02", "2024-01-03")
      assert.strictEqual(PartitionSet.format(PartitionSet.difference(left, right)), "2024-01-01")
      assert.strictEqual(PartitionSet.format(left.pipe(PartitionSet.difference(right))), "2024-01-01")
      assert.strictEqual(PartitionSet.format(pipe(left, PartitionSet.union(right))), "2024-01-01..2024-01-03")
      assert.strictEqual(PartitionSet.format(pipe(left, PartitionSet.intersection(right))), "2024-01-02")
      assert.isTrue(pipe(left, PartitionSet.isSubset(PartitionSet.all(days))))
      assert.isTrue(pipe(left, PartitionSet.has("2024-01-02")))
    })

    it("takes equal definitions for one and the same", () => {
      const again = Partitions.daily({ start: "2024-01-01" })
      const both = PartitionSet.union(set(days, "2024-01-01"), set(again, "2024-01-02"))
      assert.strictEqual(PartitionSet.size(both), 2)
    })

    it("refuses sets of different definitions", () => {
      assert.throws(
        () => PartitionSet.union(set(days, "2024-01-01"), set(weeks, "2024-01-01")),
        /daily from 2024-01-01 \(UTC\).* cannot be combined .*weekly from 2024-01-01 \(UTC\)/
      )
      assert.isFalse(PartitionSet.equals(set(days, "2024-01-01"), set(weeks, "2024-01-01")))
    })

    it("gives equal sets, however they were made", () => {
      const made = PartitionSet.union(set(days, "2024-01-02"), set(days, "2024-01-01"))
      const other = PartitionSet.fromWindow(days, TimeWindow.make(instant("2024-01-01"), instant("2024-01-03")))
      assert.isTrue(PartitionSet.equals(made, other))
      assert.isTrue(Equal.equals(made, other))
      assert.strictEqual(Hash.hash(made), Hash.hash(other))
      assert.isTrue(PartitionSet.isPartitionSet(made))
      assert.isFalse(PartitionSet.isPartitionSet({ spans: [] }))
    })
  })

  describe("format", () => {
    const scattered = set(days, "2024-03-01", "2024-03-02", "2024-03-05", "2024-03-07", "2024-03-08", "2024-03-09")

    it("joins ranges, and writes a range of one as its key", () => {
      assert.strictEqual(PartitionSet.format(scattered), "2024-03-01..2024-03-02, 2024-03-05, 2024-03-07..2024-03-09")
      assert.strictEqual(PartitionSet.format(PartitionSet.empty(days)), "none")
      assert.strictEqual(PartitionSet.format(PartitionSet.all(Partitions.unpartitioned)), "*")
      assert.strictEqual(PartitionSet.format(PartitionSet.all(regions)), "eu, us, apac, latam")
    })

    it.each([
      [3, "2024-03-01..2024-03-02, 2024-03-05, 2024-03-07..2024-03-09"],
      [2, "2024-03-01..2024-03-02, 2024-03-05 … and 3 more"],
      [1, "2024-03-01..2024-03-02 … and 4 more"],
      [0, "… and 6 more"]
    ])("within a limit of %d says how many partitions it leaves out", (limit, expected) => {
      assert.strictEqual(PartitionSet.format(scattered, { limit }), expected)
    })

    it("tells a repeated hour from the first", () => {
      const both = set(hours, "2021-11-07-01:00", "2021-11-07-01:00-0500")
      assert.strictEqual(PartitionSet.format(both), "2021-11-07-01:00..2021-11-07-01:00-0500")
    })
  })

  describe("parse", () => {
    const now = instant("2024-06-15T12:00:00Z")
    const read = (text: string, partitions: Partitions.Partitions, at = now) =>
      PartitionSet.parse(text, { partitions, existing: Partitions.existing(partitions, at), now: at })

    it.each([
      ["2024-03", days, "2024-03-01..2024-03-31"],
      ["2024-02", days, "2024-02-01..2024-02-29"],
      ["2024", days, "2024-01-01..2024-06-14"],
      ["2024-03-05", days, "2024-03-05"],
      ["2024-03..", days, "2024-03-01..2024-06-14"],
      ["..2024-05", days, "2024-01-01..2024-05-31"],
      ["2024-03..2024-05-15", days, "2024-03-01..2024-05-15"],
      ["2024-05-30..2024", days, "2024-05-30..2024-06-14"],
      [" 2024-03-05 .. 2024-03-06 ,2024-03-08", days, "2024-03-05..2024-03-06, 2024-03-08"],
      ["2024-03-06,2024-03-05", days, "2024-03-05..2024-03-06"],
      ["2024-06-10..2024-06-20", days, "2024-06-10..2024-06-14"],
      ["all", days, "2024-01-01..2024-06-14"],
      ["latest", days, "2024-06-14"],
      ["latest, 2024-01-01", days, "2024-01-01, 2024-06-14"],
      ["latest", Partitions.daily({ start: "2024-01-01", endOffset: 1 }), "2024-06-15"],
      ["2024-03-13", months, "2024-03-01"],
      ["2023-12-31..2024-01-01", months, "2023-12-01..2024-01-01"],
      ["2023", months, "2023-01-01..2023-12-01"],
      ["2024-03-13", weeks, "2024-03-11"],
      ["2024-03-10..2024-03-11", weeks, "2024-03-04..2024-03-11"],
      ["2024-03", weeks, "2024-02-26..2024-03-25"],
      ["2021-11-07", hours, "2021-11-07-00:00..2021-11-07-23:00"],
      ["2021-11-07-01:00", hours, "2021-11-07-01:00"],
      ["2021-11-07T02:00", hours, "2021-11-07-02:00"],
      ["2021-11-07-01:00-0500", hours, "2021-11-07-01:00-0500"],
      ["2021-11-07-01:00..2021-11-07-02:00", hours, "2021-11-07-01:00..2021-11-07-02:00"],
      ["2021-11-06..2021-11-07-01:00", hours, "2021-11-06-00:00..2021-11-07-01:00"],
      ["us", regions, "us"],
      ["latam , eu", regions, "eu, latam"],
      ["all", regions, "eu, us, apac, latam"],
      ["latest", regions, "latam"],
      ["all", Partitions.unpartitioned, "*"],
      ["latest", Partitions.unpartitioned, "*"]
    ] as ReadonlyArray<readonly [string, Partitions.Partitions, string]>)("reads %s", (text, partitions, expected) => {
      assert.strictEqual(PartitionSet.format(Result.getOrThrow(read(text, partitions))), expected)
    })

    it("counts all hours of a day on which the clock changes", () => {
      assert.strictEqual(PartitionSet.size(Result.getOrThrow(read("2021-11-07", hours))), 25)
      assert.strictEqual(PartitionSet.size(Result.getOrThrow(read("2022-03-13", hours))), 23)
    })

    it.each([
      ["2024-13", days, "2024-13", 1, "is not a date: there is no month 13"],
      ["2024-03, 2024-02-30", days, "2024-02-30", 10, "is not a date: 2024-02 has 29 days"],
      ["2024-04-31..2024-05", days, "2024-04-31..2024-05", 1, "2024-04 has 30 days"],
      ["2024-3-5", days, "2024-3-5", 1, "months and days have two digits"],
      ["yesterday", days, "yesterday", 1, "is not a date"],
      ["", days, "", 1, "is empty"],
      ["2024-03,,2024-04", days, "", 9, "is empty"],
      ["..", days, "..", 1, "neither a first nor a last date"],
      ["2024-05..2024-03", days, "2024-05..2024-03", 1, "runs backwards: did you mean 2024-03..2024-05?"],
      ["2024-03-05-07:00", days, "2024-03-05-07:00", 1, "names a time of day, but the partitions are named by dates"],
      ["2022-03-13-02:00", hours, "2022-03-13-02:00", 1, "is not the start of a window in America/New_York"],
      ["2021-11-07-01:30", hours, "2021-11-07-01:30", 1, "is not the start of a window"],
      ["2021-11-07-1:00", hours, "2021-11-07-1:00", 1, "a time is written YYYY-MM-DD-HH:MM"],
      ["2023", days, "2023", 1, "selects nothing that exists: partitions run from 2024-01-01 to 2024-06-14"],
      [
        "2024-03,  2025",
        days,
        "2025",
        11,
        "partitions run from 2024-01-01 to 2024-06-14 (2025-01-01 ends at 2025-01-02T00:00:00.000Z)"
      ],
      ["2024-06-15", days, "2024-06-15", 1, "(2024-06-15 ends at 2024-06-16T00:00:00.000Z)"],
      ["eu, ux", regions, "ux", 5, `is not a key; did you mean "us"?`],
      ["*", regions, "*", 1, "is not a key"],
      ["2024-03", Partitions.unpartitioned, "2024-03", 1, "the asset is in one piece"]
    ] as ReadonlyArray<readonly [string, Partitions.Partitions, string, number, string]>)(
      "refuses %s",
      (...[text, partitions, item, position, problem]) => {
        const refused = read(text, partitions)
        assert.isTrue(Result.isFailure(refused))
        if (Result.isFailure(refused)) {
          const { failure } = refused
          assert.deepStrictEqual(
            [failure._tag, failure.item, failure.position],
            ["InvalidPartitionRange", item, position]
          )
          assert.include(failure.problem, problem)
          assert.include(failure.message, failure.problem)
          const isUnreadable = failure.isUnderstood !== true
          assert.strictEqual(isUnreadable, !failure.problem.startsWith("selects nothing"))
          assert.strictEqual(failure.message.startsWith("cannot read"), isUnreadable)
          assert.strictEqual(failure.message.includes("\nvalid forms: "), isUnreadable)
          if (isUnreadable || item !== text) assert.include(failure.message, `(character ${position})`)
        }
      }
    )

    it("does not blame the clock for a finished window that is held back", () => {
      const late = Partitions.daily({ start: "2024-01-01", endOffset: -1 })
      const refused = read("2024-06-14", late, instant("2024-06-15"))
      assert.isTrue(Result.isFailure(refused))
      if (Result.isFailure(refused)) {
        assert.strictEqual(
          refused.failure.problem,
          "selects nothing that exists: partitions run from 2024-01-01 to 2024-06-13"
        )
      }
    })

    it("says so when nothing exists yet", () => {
      for (const text of ["all", "latest", "2024-01-01"]) {
        const refused = read(text, days, instant("2023-06-01"))
        assert.isTrue(Result.isFailure(refused))
        if (Result.isFailure(refused)) assert.include(refused.failure.problem, "no partition exists yet")
      }
    })

    it("offers the forms that fit", () => {
      const forms = (partitions: Partitions.Partitions) =>
        Result.match(read("?", partitions), { onFailure: ({ validForms }) => validForms, onSuccess: () => "" })
      assert.include(forms(days), "2024-03..2024-05-15")
      assert.notInclude(forms(days), "07:00")
      assert.include(forms(hours), "2024-03-05-07:00 (a window)")
      assert.strictEqual(forms(regions), "eu, us, apac, latam; several separated by commas; all, latest")
      assert.strictEqual(forms(Partitions.unpartitioned), "all, latest")
    })

    it("selects from what exists, with its holes", () => {
      const partly = set(days, "2024-01-01", "2024-01-03")
      const options = { partitions: days, existing: partly, now }
      assert.strictEqual(
        PartitionSet.format(Result.getOrThrow(PartitionSet.parse("2024-01", options))),
        "2024-01-01, 2024-01-03"
      )
      assert.isTrue(Result.isFailure(PartitionSet.parse("2024-01-02", options)))
    })
  })
})
