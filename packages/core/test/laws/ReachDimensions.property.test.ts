/**
 * What partitions of several dimensions reach and need, against a relation that is written down key by key: which keys of
 * each upstream dimension a downstream key is made of, by the calendar of an ordinary person.
 */
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as PartitionReach from "@assay/core/PartitionReach"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Tolerance from "@assay/core/Tolerance"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"

const now = Date.parse("2024-03-11T12:00:00Z")
const millisOfDay = 86_400_000

const dayAfter = (date: string, count: number) =>
  new Date(Date.parse(date) + count * millisOfDay).toISOString().slice(0, 10)
const daysFrom = (first: string, count: number) => Array.from({ length: count }, (_, index) => dayAfter(first, index))

/** An upstream that begins on 3 March and ends with the 12th, of which the 11th has not ended. */
const upstreamDay = Partitions.daily({ start: "2024-03-03", end: "2024-03-13" })
const trailing = (date: string) => {
  const days = daysFrom(dayAfter(date, -2), 3)
  // A day in the range ends where the range begins; one before it needs what is not there.
  return date < "2024-03-03" ? days : days.filter((day) => day >= "2024-03-03")
}
const regions = Partitions.fromKeys(["us", "eu", "apac"])
const countries: { readonly [country: string]: ReadonlyArray<string> } = {
  de: ["eu"],
  fr: ["eu"],
  jp: ["apac"],
  world: ["us", "eu", "apac"],
  moon: []
}

/** What a downstream key is made of, dimension by dimension upstream; all of a dimension where it says so. */
type Needs = (keys: ReadonlyArray<string>) => ReadonlyArray<ReadonlyArray<string> | "everything">

interface Case {
  readonly from: Partitions.Partitions
  readonly to: Partitions.Partitions
  readonly mapping: PartitionMapping.PartitionMapping
  readonly needs: Needs
}

const cases: Record<string, Case> = {
  "a trailing window of the same region": {
    from: Partitions.multi({ day: upstreamDay, region: regions }),
    to: Partitions.multi({
      region: Partitions.fromKeys(["eu", "us", "mars"]),
      day: Partitions.daily({ start: "2024-03-01", end: "2024-03-15" })
    }),
    mapping: PartitionMapping.byDimension({
      day: PartitionMapping.timeWindows({ startOffset: -2 }),
      region: PartitionMapping.identity
    }),
    needs: ([region = "", day = ""]) => [trailing(day), [region]]
  },
  "the second day before, of the same region": {
    from: Partitions.multi({ day: upstreamDay, region: regions }),
    to: Partitions.multi({ day: Partitions.daily({ start: "2024-03-01", end: "2024-03-15" }), region: regions }),
    mapping: PartitionMapping.byDimension({
      day: PartitionMapping.timeWindows({ startOffset: -2, endOffset: -2 }),
      region: PartitionMapping.identity
    }),
    needs: ([day = "", region = ""]) => [
      [dayAfter(day, -2)].filter((before) => day < "2024-03-03" || before >= "2024-03-03"),
      [region]
    ]
  },
  "the same key": {
    from: Partitions.multi({ day: upstreamDay, region: regions }),
    to: Partitions.multi({
      day: Partitions.daily({ start: "2024-03-02", end: "2024-03-14" }),
      region: Partitions.fromKeys(["eu", "us", "mars"])
    }),
    mapping: PartitionMapping.identity,
    needs: (keys) => keys.map((key) => [key])
  },
  "months of countries, of days of regions through all channels": {
    from: Partitions.multi({ channel: Partitions.fromKeys(["web", "shop"]), day: upstreamDay, region: regions }),
    to: Partitions.multi({
      country: Partitions.fromKeys(Object.keys(countries)),
      week: Partitions.weekly({ start: "2024-02-26", end: "2024-03-25" }),
      tier: Partitions.fromKeys(["gold", "silver"])
    }),
    mapping: PartitionMapping.byDimension({
      week: PartitionMapping.fromDimension("day", PartitionMapping.timeWindows()),
      country: PartitionMapping.fromDimension(
        "region",
        PartitionMapping.staticMap({ us: "world", eu: ["de", "fr", "world"], apac: ["jp", "world"] })
      )
    }),
    needs: ([country = "", week = ""]) => {
      const days = daysFrom(week, 7)
      return [
        "everything",
        week < "2024-03-03" ? days : days.filter((day) => day >= "2024-03-03"),
        countries[country] ?? []
      ]
    }
  },
  "weeks of all regions": {
    from: Partitions.multi({ day: upstreamDay, region: regions }),
    to: Partitions.weekly({ start: "2024-03-04", end: "2024-03-25" }),
    mapping: PartitionMapping.singleDimension("day", PartitionMapping.timeWindows()),
    needs: ([week = ""]) => [daysFrom(week, 7), "everything"]
  },
  "every day of a region": {
    from: regions,
    to: Partitions.multi({ day: upstreamDay, region: Partitions.fromKeys(["eu", "us", "mars"]) }),
    mapping: PartitionMapping.singleDimension("region"),
    needs: ([, region = ""]) => [[region]]
  },
  "two days, whatever the region": {
    from: Partitions.multi({ day: upstreamDay, region: regions }),
    to: Partitions.multi({ day: upstreamDay, region: regions }),
    mapping: PartitionMapping.byDimension({
      day: PartitionMapping.keys("2024-03-04", "2024-03-12"),
      region: PartitionMapping.all
    }),
    needs: () => [["2024-03-04", "2024-03-12"], "everything"]
  },
  "a relation of one's own, of whole keys": {
    from: Partitions.multi({ day: upstreamDay, region: regions }),
    to: Partitions.multi({ day: upstreamDay, region: regions }),
    mapping: PartitionMapping.custom({
      name: "the day before",
      version: "1",
      downstream: (key) => [`${dayAfter(key.slice(0, 10), 1)}${key.slice(10)}`],
      upstream: (key) => [`${dayAfter(key.slice(0, 10), -1)}${key.slice(10)}`]
    }),
    needs: ([day = "", region = ""]) => [[dayAfter(day, -1)], [region]]
  }
}

const Indexes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 })))

const keysOf = (self: PartitionSet.PartitionSet | undefined) => [...PartitionSet.keys(self ?? fail())].toSorted()
const fail = () => assert.fail("a relation of partitions was expected")

describe.each(Object.entries(cases))("the relation of %s", (_, { from, mapping, needs, to }) => {
  const parts = (partitions: Partitions.Partitions, key: string) =>
    (Partitions.isMulti(partitions) ? Partitions.keysOf(partitions, key) : [key]) ?? []
  const dimensions = Partitions.isMulti(from) ? from.dimensions.map((one) => one.partitions) : [from]
  const universe = [...PartitionSet.keys(PartitionSet.all(to))]
  const sources = [...PartitionSet.keys(PartitionSet.all(from))]
  const make = (partitions: Partitions.Partitions, keys: Iterable<string>) =>
    Result.getOrThrow(PartitionSet.fromKeys(partitions, keys))
  const pick = (keys: ReadonlyArray<string>, indexes: ReadonlyArray<number>) =>
    Array.from(new Set(indexes.flatMap((index) => keys[index % keys.length] ?? [])))
  const exists = new Set(PartitionSet.keys(Partitions.existing(from, now)))

  /** The upstream keys of one downstream key; of a dimension that is not named those that `of` says. */
  const needed = (key: string, of: (partitions: Partitions.Partitions) => PartitionSet.PartitionSet) =>
    needs(parts(to, key))
      .map((keys, place) => (keys === "everything" ? [...PartitionSet.keys(of(dimensions[place] ?? from))] : keys))
      .reduce<ReadonlyArray<string>>(
        (products, keys) => products.flatMap((left) => keys.map((right) => (left === "" ? right : `${left}|${right}`))),
        [""]
      )
  const related = new Map(universe.map((key) => [key, new Set(needed(key, PartitionSet.all))]))
  const required = new Map(
    universe.map((key) => [key, needed(key, (partitions) => Partitions.existing(partitions, now))])
  )
  const absentOf = (key: string) => (required.get(key) ?? []).filter((source) => !exists.has(source))

  it.prop("is read one way and the other (Verifies: L7)", [Indexes, Indexes], ([left, right]) => {
    const changed = pick(sources, left)
    const reached = PartitionReach.downstream(mapping, { upstream: make(from, changed), downstream: to })
    assert.deepStrictEqual(
      keysOf(reached),
      universe.filter((key) => changed.some((source) => related.get(key)?.has(source))).toSorted()
    )
    const built = pick(universe, right)
    const read = PartitionReach.upstream(mapping, { downstream: make(to, built), upstream: from })
    assert.deepStrictEqual(
      keysOf(read),
      sources.filter((source) => built.some((key) => related.get(key)?.has(source))).toSorted()
    )
  })

  /** What the engine tells of partitions, and what is so. */
  const told = (built: ReadonlyArray<string>) => {
    const options = { downstream: make(to, built), upstream: from, now }
    const any = { ...options, tolerance: Tolerance.make(true) }
    const found = PartitionReach.requirement(mapping, options)
    return {
      existing: keysOf(found?.existing),
      absent: keysOf(found?.absent),
      lacking: keysOf(PartitionReach.lacking(mapping, options)),
      absentWhereAnyMayBe: keysOf(PartitionReach.requirement(mapping, any)?.absent),
      lackingWhereAnyMayBe: keysOf(PartitionReach.lacking(mapping, any))
    }
  }
  const distinct = (keys: Iterable<string>) => Array.from(new Set(keys)).toSorted()
  const expected = (built: ReadonlyArray<string>) => ({
    existing: distinct(built.flatMap((key) => required.get(key) ?? []).filter((key) => exists.has(key))),
    absent: distinct(built.flatMap(absentOf)),
    lacking: distinct(built.filter((key) => absentOf(key).length > 0)),
    absentWhereAnyMayBe: [],
    lackingWhereAnyMayBe: []
  })

  it("tells of all partitions at once what exists and what is absent (Verifies: L7)", () => {
    assert.deepStrictEqual(told(universe), expected(universe))
  })

  it.prop("tells what exists and what is absent, and who lacks it (Verifies: L7)", [Indexes], ([indexes]) => {
    const built = pick(universe, indexes)
    assert.deepStrictEqual(told(built), expected(built))
  })
})

describe("the newest windows that may be missing", () => {
  it("are told in the dimension that has windows", () => {
    const cut = (start: string) => Partitions.multi({ day: Partitions.daily({ start }), region: regions })
    const mapping = PartitionMapping.byDimension({
      day: PartitionMapping.timeWindows({ endOffset: 2 }),
      region: PartitionMapping.identity
    })
    const lacking = (newest: number | undefined) => {
      const downstream = Partitions.existing(cut("2024-03-08"), now)
      const tolerance = Tolerance.make(newest === undefined ? false : { newest })
      const options = { downstream, upstream: cut("2024-03-01"), now, tolerance }
      return [
        PartitionSet.format(PartitionReach.lacking(mapping, options)),
        PartitionSet.format(PartitionReach.requirement(mapping, options)?.absent ?? fail())
      ]
    }
    assert.deepStrictEqual(lacking(undefined), ["2024-03-09..2024-03-10|*", "2024-03-11..2024-03-12|*"])
    assert.deepStrictEqual(lacking(1), ["2024-03-10|*", "2024-03-11|*"])
    assert.deepStrictEqual(lacking(2), ["none", "none"])
  })
})
