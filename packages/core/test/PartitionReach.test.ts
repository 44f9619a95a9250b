import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as PartitionReach from "@assay/core/PartitionReach"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Tolerance from "@assay/core/Tolerance"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"

const days = Partitions.daily({ start: "2024-01-20" })
const weeks = Partitions.weekly({ start: "2024-01-01" })
const months = Partitions.monthly({ start: "2024-01-01" })

const set = (partitions: Partitions.Partitions, ...keys: ReadonlyArray<string>) =>
  Result.getOrThrow(PartitionSet.fromKeys(partitions, keys))

const keys = (found: PartitionSet.PartitionSet | undefined) =>
  found === undefined ? undefined : Array.from(PartitionSet.keys(found))

describe("PartitionReach", () => {
  it("a day reaches its month and week, and no other (Verifies: L7)", () => {
    const upstream = set(days, "2024-01-31", "2024-02-01")
    const mapping = PartitionMapping.timeWindows()
    assert.deepStrictEqual(keys(PartitionReach.downstream(mapping, { upstream, downstream: months })), [
      "2024-01-01",
      "2024-02-01"
    ])
    assert.deepStrictEqual(keys(PartitionReach.downstream(mapping, { upstream, downstream: weeks })), ["2024-01-29"])
  })

  it("a month needs its days as far as there are any (Verifies: L7)", () => {
    const found = PartitionReach.upstream(PartitionMapping.timeWindows(), {
      downstream: set(months, "2024-01-01"),
      upstream: days
    })
    assert.deepStrictEqual(
      [keys(found)?.at(0), keys(found)?.at(-1), keys(found)?.length],
      ["2024-01-20", "2024-01-31", 12]
    )
  })

  it("reads one relation both ways, whatever the offsets (Verifies: L7)", () => {
    const all = PartitionSet.fromWindow(days, { start: 0, end: Date.parse("2024-03-10") })
    for (const downstream of [days, weeks, months]) {
      const targets = PartitionSet.fromWindow(downstream, { start: 0, end: Date.parse("2024-05-01") })
      for (const [startOffset, endOffset] of [
        [0, 0],
        [-6, 0],
        [0, 2],
        [-1, 1],
        [-3, -2],
        [1, 3]
      ] as const) {
        const mapping = PartitionMapping.timeWindows({ startOffset, endOffset })
        for (const day of PartitionSet.keys(all)) {
          const reached = keys(PartitionReach.downstream(mapping, { upstream: set(days, day), downstream })) ?? []
          const needing = Array.from(PartitionSet.keys(targets)).filter((unit) =>
            keys(PartitionReach.upstream(mapping, { downstream: set(downstream, unit), upstream: days }))?.includes(day)
          )
          assert.deepStrictEqual(
            reached.filter((unit) => PartitionSet.has(targets, unit)),
            needing,
            `${day} ${startOffset} ${endOffset}`
          )
        }
      }
    }
  })

  it("cannot tell by identity where the two sides are cut in different ways (Verifies: L7)", () => {
    const { identity } = PartitionMapping
    const upstream = set(days, "2024-02-01")
    assert.isUndefined(PartitionReach.downstream(identity, { upstream, downstream: Partitions.unpartitioned }))
    assert.isUndefined(PartitionReach.upstream(identity, { downstream: upstream, upstream: Partitions.unpartitioned }))
    assert.deepStrictEqual(keys(PartitionReach.downstream(identity, { upstream, downstream: days })), ["2024-02-01"])
  })

  it("always the same partitions are needed by every one, and reach every one (Verifies: L7)", () => {
    const mapping = PartitionMapping.keys("2024-02-01", "2024-02-03")
    const reached = (...days_: ReadonlyArray<string>) =>
      PartitionReach.downstream(mapping, { upstream: set(days, ...days_), downstream: months })
    assert.deepStrictEqual(reached("2024-01-31", "2024-02-03"), PartitionSet.all(months))
    assert.deepStrictEqual(reached("2024-02-02"), PartitionSet.empty(months))
    const needed = (downstream: PartitionSet.PartitionSet) =>
      keys(PartitionReach.upstream(mapping, { downstream, upstream: days }))
    assert.deepStrictEqual(needed(set(months, "2024-05-01")), ["2024-02-01", "2024-02-03"])
    assert.deepStrictEqual(needed(PartitionSet.empty(months)), [])
  })

  it("names are mapped one to several and several to one, both ways (Verifies: L7)", () => {
    const regions = Partitions.fromKeys(["eu", "us", "moon"])
    const countries = Partitions.fromKeys(["de", "fr", "ca", "mars"])
    const split = PartitionMapping.staticMap({ eu: ["de", "fr"], us: "ca" })
    const merged = PartitionMapping.staticMap({ de: "eu", fr: "eu", ca: "us" })
    const down = (mapping: PartitionMapping.StaticMap, upstream: PartitionSet.PartitionSet, to: Partitions.Static) =>
      keys(PartitionReach.downstream(mapping, { upstream, downstream: to }))
    const up = (mapping: PartitionMapping.StaticMap, downstream: PartitionSet.PartitionSet, from: Partitions.Static) =>
      keys(PartitionReach.upstream(mapping, { downstream, upstream: from }))
    assert.deepStrictEqual(down(split, set(regions, "eu"), countries), ["de", "fr"])
    assert.deepStrictEqual(down(split, set(regions, "moon"), countries), [])
    assert.deepStrictEqual(up(split, set(countries, "fr", "ca"), regions), ["eu", "us"])
    assert.deepStrictEqual(up(split, set(countries, "mars"), regions), [])
    assert.deepStrictEqual(down(merged, set(countries, "de", "fr"), regions), ["eu"])
    assert.deepStrictEqual(up(merged, set(regions, "eu"), countries), ["de", "fr"])
  })

  it("reads any map of names both ways: u reaches d exactly when d needs u (Verifies: L7)", () => {
    const lefts = ["a", "b", "constructor", "d"] as const
    const rights = ["p", "q", "r"] as const
    const [from, to] = [Partitions.fromKeys(lefts), Partitions.fromKeys(rights)]
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.constantFrom(...lefts), fc.constantFrom(...rights)), { minLength: 1 }),
        (pairs) => {
          const mapping = PartitionMapping.staticMap(
            Object.fromEntries(
              pairs.map(([left, right]) => {
                const others = pairs.flatMap(([one, other]) => (one === left && other !== right ? [other] : []))
                return [left, [right, ...others] as const]
              })
            )
          )
          for (const left of lefts) {
            const reached = keys(PartitionReach.downstream(mapping, { upstream: set(from, left), downstream: to }))
            for (const right of rights) {
              const needed = keys(PartitionReach.upstream(mapping, { downstream: set(to, right), upstream: from }))
              const isPair = pairs.some(([one, other]) => one === left && other === right)
              assert.strictEqual(reached?.includes(right), isPair)
              assert.strictEqual(needed?.includes(left), isPair)
            }
          }
        }
      )
    )
  })

  it("which partition is the last depends on rows, so from partitions alone it could be any (Verifies: L7)", () => {
    const upstream = set(days, "2024-02-01")
    assert.isUndefined(PartitionReach.downstream(PartitionMapping.last, { upstream, downstream: months }))
    assert.isUndefined(
      PartitionReach.upstream(PartitionMapping.last, { downstream: set(months, "2024-01-01"), upstream: days })
    )
  })
})

/** Each month is compared with the same month of the year before. */
const moved = (key: string, years: number) => `${Number(key.slice(0, 4)) + years}${key.slice(4)}`

const yearBefore = PartitionMapping.custom({
  name: "year before",
  version: "1",
  downstream: (month) => [moved(month, 1)],
  upstream: (month) => [moved(month, -1)]
})

describe("a mapping of one's own", () => {
  const years = { upstream: months, downstream: months }

  it("is read both ways, and ends where the other side does (Verifies: L7)", () => {
    assert.isUndefined(PartitionReach.contradiction(yearBefore, years))
    const reached = PartitionReach.downstream(yearBefore, { upstream: set(months, "2024-03-01"), downstream: months })
    assert.deepStrictEqual(keys(reached), ["2025-03-01"])
    const needed = (...wanted: ReadonlyArray<string>) =>
      keys(PartitionReach.upstream(yearBefore, { downstream: set(months, ...wanted), upstream: months }))
    assert.deepStrictEqual(needed("2024-03-01", "2025-03-01"), ["2024-03-01"])
  })

  it("is refused where its two directions are not one relation (Verifies: L7)", () => {
    const lost = PartitionMapping.custom({ ...yearBefore, upstream: (month) => [month] })
    assert.strictEqual(
      PartitionReach.contradiction(lost, years),
      `mapping "year before" says that "2024-01-01" reaches "2025-01-01", but not that "2025-01-01" is made of "2024-01-01"; its two directions must be one relation.`
    )
    const forgotten = PartitionMapping.custom({ ...yearBefore, downstream: () => [] })
    assert.strictEqual(
      PartitionReach.contradiction(forgotten, years),
      `mapping "year before" says that "2024-01-01" is made of "2023-01-01", but not that "2023-01-01" reaches "2024-01-01"; its two directions must be one relation.`
    )
  })

  it("is refused where it names what is no key", () => {
    const snapped = PartitionMapping.custom({ ...yearBefore, downstream: () => ["2024-03-15"] })
    assert.strictEqual(
      PartitionReach.contradiction(snapped, years),
      `mapping "year before" has "2024-01-01" reach "2024-03-15", which is no key of monthly from 2024-01-01 (UTC).`
    )
    const unknown = PartitionMapping.custom({ ...yearBefore, upstream: () => ["eu"] })
    assert.strictEqual(
      PartitionReach.contradiction(unknown, { upstream: Partitions.fromKeys(["de"]), downstream: months }),
      `mapping "year before" has "de" reach "NaN", which is no key of monthly from 2024-01-01 (UTC).`
    )
  })

  it("is refused on the pair that is used, where the sample did not show it (Verifies: L7)", () => {
    const far = "2102-05-01"
    const sly = PartitionMapping.custom({
      ...yearBefore,
      downstream: (month) => (month === "2101-05-01" ? [] : [moved(month, 1)])
    })
    assert.isUndefined(PartitionReach.contradiction(sly, years))
    assert.throws(
      () => PartitionReach.upstream(sly, { downstream: set(months, far), upstream: months }),
      PartitionMapping.InvalidMapping,
      `mapping "year before" says that "2102-05-01" is made of "2101-05-01"`
    )
    const slyer = PartitionMapping.custom({
      ...yearBefore,
      upstream: (month) => (month === far ? [] : [moved(month, -1)])
    })
    assert.throws(
      () => PartitionReach.downstream(slyer, { upstream: set(months, "2101-05-01"), downstream: months }),
      PartitionMapping.InvalidMapping
    )
  })
})

describe("what is required", () => {
  const now = Date.parse("2024-02-10T00:00:00Z")
  const required = (
    mapping: PartitionMapping.PartitionMapping,
    downstream: PartitionSet.PartitionSet,
    upstream: Partitions.Partitions,
    tolerance: Tolerance.Tolerance = Tolerance.none
  ) => {
    const options = { downstream, upstream, now, tolerance }
    const found = PartitionReach.requirement(mapping, options)
    return (
      found && [
        PartitionSet.format(found.existing),
        PartitionSet.format(found.absent),
        PartitionSet.format(PartitionReach.lacking(mapping, options))
      ]
    )
  }
  const { identity, keys: always, last, timeWindows } = PartitionMapping

  it("of the last partition is none by name, but the first one where none exists yet", () => {
    assert.deepStrictEqual(required(last, set(months, "2024-01-01"), days), ["none", "none", "none"])
    const later = Partitions.daily({ start: "2024-03-01" })
    assert.deepStrictEqual(required(last, set(months, "2024-01-01"), later), ["none", "2024-03-01", "2024-01-01"])
    assert.deepStrictEqual(required(last, PartitionSet.empty(months), later), ["none", "none", "none"])
    assert.deepStrictEqual(required(last, set(months, "2024-01-01"), Partitions.fromKeys(["a", "b"])), [
      "none",
      "none",
      "none"
    ])
  })

  it("of named partitions are those, existing or not", () => {
    const mapping = always("2024-02-01", "2024-02-11")
    assert.deepStrictEqual(required(mapping, set(months, "2024-01-01"), days), [
      "2024-02-01",
      "2024-02-11",
      "2024-01-01"
    ])
  })

  it("of a map of names is all there", () => {
    const mapping = PartitionMapping.staticMap({ eu: ["de", "fr"] })
    assert.deepStrictEqual(
      required(mapping, set(Partitions.fromKeys(["de", "fr"]), "fr"), Partitions.fromKeys(["eu"])),
      ["eu", "none", "none"]
    )
  })

  it("of a relation of one's own is what it says, before the upstream's beginning too", () => {
    assert.deepStrictEqual(required(yearBefore, set(months, "2024-02-01", "2025-01-01", "2025-02-01"), months), [
      "2024-01-01",
      "2023-02-01, 2024-02-01",
      "2024-02-01, 2025-02-01"
    ])
  })

  it("is told of each partition that reads it, by windows, at both ends of the upstream", () => {
    const weekdays = set(weeks, "2024-01-01", "2024-01-15", "2024-01-22", "2024-02-05", "2024-02-12")
    assert.deepStrictEqual(required(timeWindows(), weekdays, days), [
      "2024-01-20..2024-01-28, 2024-02-05..2024-02-09",
      "2024-01-01..2024-01-07, 2024-01-15..2024-01-19, 2024-02-10..2024-02-18",
      "2024-01-01, 2024-01-15, 2024-02-05..2024-02-12"
    ])
    // A running total that reaches back over the beginning begins there, and lacks nothing.
    const total = timeWindows({ startOffset: -6 })
    const range = set(days, "2024-01-20", "2024-01-21", "2024-02-09", "2024-02-10")
    assert.deepStrictEqual(required(total, range, days)?.slice(1), ["2024-02-10", "2024-02-10"])
  })

  it("is excused where the newest windows of a partition may be missing, for that partition only", () => {
    const total = timeWindows({ startOffset: -2 })
    const newest = (windows: number) => Tolerance.make({ newest: windows })
    const wanted = set(days, "2024-02-09", "2024-02-10", "2024-02-11", "2024-02-12")
    assert.deepStrictEqual(required(total, wanted, days, newest(1)), [
      "2024-02-07..2024-02-09",
      "2024-02-10..2024-02-11",
      "2024-02-11..2024-02-12"
    ])
    assert.deepStrictEqual(required(total, wanted, days, newest(2))?.slice(1), ["2024-02-10", "2024-02-12"])
    assert.deepStrictEqual(required(total, wanted, days, newest(3))?.slice(1), ["none", "none"])
    assert.deepStrictEqual(required(identity, wanted, days, newest(1))?.slice(1), ["none", "none"])
  })

  it("is never excused where it will not come, unless whatever is missing may be", () => {
    const ended = Partitions.daily({ start: "2024-01-20", end: "2024-02-01" })
    const wanted = set(weeks, "2024-01-15", "2024-01-29")
    assert.deepStrictEqual(required(timeWindows(), wanted, ended, Tolerance.make({ newest: 7 }))?.slice(1), [
      "2024-01-15..2024-01-19, 2024-02-01..2024-02-04",
      "2024-01-15, 2024-01-29"
    ])
    assert.deepStrictEqual(required(timeWindows(), wanted, ended, Tolerance.make(true))?.slice(1), ["none", "none"])
  })

  it("is lacked by exactly those whose own requirement has something absent, whatever the offsets (Verifies: L7)", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(days, weeks, months, Partitions.daily({ start: "2023-12-20", timeZone: "Asia/Kathmandu" })),
        fc.integer({ min: -8, max: 3 }),
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom(undefined, { newest: 1 }, { newest: 3 }, true),
        (downstream, startOffset, width, allowed) => {
          const mapping = timeWindows({ startOffset, endOffset: startOffset + width })
          const stretch = { start: Date.parse("2024-01-10"), end: Date.parse("2024-03-01") }
          const wanted = PartitionSet.fromWindow(downstream, stretch)
          const options = { upstream: days, now, tolerance: Tolerance.make(allowed ?? false) }
          const one = (unit: string) =>
            PartitionReach.requirement(mapping, { ...options, downstream: set(downstream, unit) })?.absent
          const lacking = Array.from(PartitionSet.keys(wanted)).filter((unit) => {
            const absent = one(unit)
            return absent !== undefined && !PartitionSet.isEmpty(absent)
          })
          assert.deepStrictEqual(keys(PartitionReach.lacking(mapping, { ...options, downstream: wanted })), lacking)
        }
      )
    )
  })

  it("is not told of a mapping that reads rows", () => {
    for (const mapping of [PartitionMapping.all, PartitionMapping.byColumn("day"), PartitionMapping.onwards("day")]) {
      assert.isUndefined(required(mapping, set(months, "2024-01-01"), days))
    }
  })

  it("cannot be a tolerance of no windows", () => {
    assert.throws(() => Tolerance.make({ newest: 0 }), Tolerance.InvalidTolerance)
    assert.throws(() => Tolerance.make({ newest: 1.5 }), Tolerance.InvalidTolerance)
    assert.deepStrictEqual(
      [Tolerance.make(false), Tolerance.make({ newest: 1 }), Tolerance.make({ newest: 2 }), Tolerance.make(true)].map(
        Tolerance.format
      ),
      [
        "nothing may be missing",
        "the newest window may be missing",
        "the newest 2 windows may be missing",
        "anything may be missing"
      ]
    )
  })
})
