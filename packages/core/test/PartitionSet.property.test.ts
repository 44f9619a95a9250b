import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as TimeWindow from "@assay/core/TimeWindow"
import { assert, describe, it } from "@effect/vitest"
import { Equal, Option, Result, Schema } from "effect"

const count = 60
const Indexes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 })))

const timeWindows = {
  "days in UTC over a leap day": Partitions.daily({ start: "2024-02-01", end: "2024-04-01" }),
  "days in New York in spring": Partitions.daily({
    start: "2024-02-10",
    end: "2024-04-10",
    timeZone: "America/New_York"
  }),
  "days in Apia where one is missing": Partitions.daily({
    start: "2011-12-01",
    end: "2012-01-31",
    timeZone: "Pacific/Apia"
  }),
  "hours in Berlin in spring": Partitions.hourly({
    start: "2024-03-30",
    end: "2024-04-01-13:00",
    timeZone: "Europe/Berlin"
  }),
  "hours in New York in autumn": Partitions.hourly({
    start: "2021-11-06",
    end: "2021-11-08-11:00",
    timeZone: "America/New_York"
  }),
  "hours on Lord Howe in autumn": Partitions.hourly({
    start: "2024-04-06",
    end: "2024-04-08-12:00",
    timeZone: "Australia/Lord_Howe"
  }),
  "weeks from Sunday in Kathmandu": Partitions.weekly({
    start: "2023-11-05",
    end: "2024-12-29",
    timeZone: "Asia/Kathmandu",
    firstDayOfWeek: 0
  }),
  "working days in Berlin": Partitions.daily({
    start: "2024-03-01",
    end: "2024-05-24",
    timeZone: "Europe/Berlin",
    exclusions: ["0 0 * * 6,0", "2024-04-01"]
  }),
  "ticks at nine and five on working days": Partitions.cron("0 9,17 * * *", {
    start: "2024-03-01-08:00",
    end: "2024-04-12-12:00",
    exclusions: ["0 0 * * 6,0"]
  }),
  "months in Berlin": Partitions.monthly({ start: "2020-01-01", end: "2025-01-01", timeZone: "Europe/Berlin" })
}

const definitions: Record<string, Partitions.Partitions> = {
  ...timeWindows,
  names: Partitions.fromKeys(Array.from({ length: count }, (_, index) => `region ${(index * 37) % count}`)),
  "one piece": Partitions.unpartitioned,
  "day and region": Partitions.multi({
    day: Partitions.daily({ start: "2024-02-20", end: "2024-03-06" }),
    region: Partitions.fromKeys(["us", "eu", "apac", "latam"])
  }),
  "shop, working day and month": Partitions.multi({
    shop: Partitions.fromKeys(["north", "south"]),
    day: Partitions.daily({ start: "2024-03-01", end: "2024-03-15", exclusions: ["0 0 * * 6,0"] }),
    month: Partitions.monthly({ start: "2024-01-01", end: "2024-04-01", timeZone: "Europe/Berlin" })
  })
}

/** Another definition that has the same keys: one that begins earlier, or lists its names in another order. */
const twinOf = (partitions: Partitions.Partitions): Partitions.Partitions => {
  switch (partitions._tag) {
    case "Unpartitioned":
      return partitions
    case "Static":
      return Partitions.fromKeys(partitions.keys.toReversed())
    case "TimeWindows":
      return { ...partitions, start: "2010-01-01" }
    case "Multi":
      return Partitions.mapDimensions(partitions, ({ partitions: cut }) => ({
        ...cut,
        ...(cut._tag === "TimeWindows" ? { start: "2010-01-01" } : { keys: cut.keys.toReversed() })
      }))
  }
}

describe.each(Object.entries(definitions))("a set of partitions by %s", (_, partitions) => {
  const universe = [...PartitionSet.keys(PartitionSet.all(partitions))]
  const pick = (indexes: ReadonlyArray<number>) => new Set(indexes.flatMap((index) => universe[index] ?? []))
  const make = (naive: Iterable<string>) => Result.getOrThrow(PartitionSet.fromKeys(partitions, naive))
  const inOrder = (naive: ReadonlySet<string>) => universe.filter((key) => naive.has(key))
  const agrees = (self: PartitionSet.PartitionSet, naive: ReadonlySet<string>) => {
    assert.deepStrictEqual([...PartitionSet.keys(self)], inOrder(naive))
    assert.strictEqual(PartitionSet.size(self), naive.size)
    assert.strictEqual(PartitionSet.isEmpty(self), naive.size === 0)
    if (partitions._tag === "Multi") return
    for (const [index, span] of self.spans.entries()) {
      assert.isTrue(span.start < span.end)
      assert.isTrue(index === 0 || (self.spans[index - 1]?.end ?? span.start) < span.start)
    }
  }

  it("starts from about sixty", () => {
    assert.strictEqual(new Set(universe).size, universe.length)
    assert.isTrue(partitions._tag === "Unpartitioned" ? universe.length === 1 : Math.abs(universe.length - count) <= 2)
  })

  it.prop("agrees with a plain set of keys", [Indexes, Indexes], ([left, right]) => {
    const [a, b] = [pick(left), pick(right)]
    agrees(make(a), a)
    agrees(PartitionSet.union(make(a), make(b)), new Set([...a, ...b]))
    agrees(PartitionSet.intersection(make(a), make(b)), new Set([...a].filter((key) => b.has(key))))
    agrees(PartitionSet.difference(make(a), make(b)), new Set([...a].filter((key) => !b.has(key))))
    agrees(PartitionSet.complement(make(a)), new Set(universe.filter((key) => !a.has(key))))
    assert.strictEqual(
      PartitionSet.isSubset(make(a), make(b)),
      [...a].every((key) => b.has(key))
    )
    assert.strictEqual(PartitionSet.equals(make(a), make(b)), inOrder(a).join() === inOrder(b).join())
    assert.deepStrictEqual(
      universe.filter((key) => PartitionSet.has(make(a), key)),
      inOrder(a)
    )
  })

  it.prop("obeys the laws of sets", [Indexes, Indexes, Indexes], ([left, middle, right]) => {
    const [a, b, c] = [make(pick(left)), make(pick(middle)), make(pick(right))]
    const same = (self: PartitionSet.PartitionSet, that: PartitionSet.PartitionSet) => {
      assert.isTrue(PartitionSet.equals(self, that))
      assert.isTrue(Equal.equals(self, that))
      assert.deepStrictEqual(self, that)
    }
    const { difference, intersection, union } = PartitionSet
    const all = PartitionSet.all(partitions)
    same(union(a, b), union(b, a))
    same(union(union(a, b), c), union(a, union(b, c)))
    same(intersection(a, union(b, c)), union(intersection(a, b), intersection(a, c)))
    same(difference(all, union(a, b)), intersection(difference(all, a), difference(all, b)))
    same(union(a, intersection(a, b)), a)
    same(union(difference(a, b), intersection(a, b)), a)
    same(difference(all, difference(all, a)), a)
    same(difference(a, a), PartitionSet.empty(partitions))
  })

  it.prop("is stored in one way, however it was made, and read again", [Indexes, Indexes], ([left, right]) => {
    const [a, b] = [pick(left), pick(right)]
    const set = PartitionSet.union(make(a), make(b))
    const stored = JSON.stringify(PartitionSet.toJson(set))
    const otherwise = PartitionSet.difference(
      PartitionSet.all(partitions),
      make(universe.filter((key) => !a.has(key) && !b.has(key)))
    )
    assert.strictEqual(JSON.stringify(PartitionSet.toJson(otherwise)), stored)
    assert.deepStrictEqual(set, otherwise)
    const codec = Schema.fromJsonString(PartitionSet.schema(partitions))
    assert.deepStrictEqual(Schema.decodeSync(codec)(stored), set)
    assert.strictEqual(Schema.encodeSync(codec)(set), stored)
    const ranges = PartitionSet.toJson(set).ranges.length
    assert.isTrue(ranges <= a.size + b.size)
  })

  it.prop("is the same by its keys in another definition of them", [Indexes], ([indexes]) => {
    const twin = twinOf(partitions)
    const set = make(pick(indexes))
    const other = PartitionSet.sameKeys(set, twin)
    assert.sameMembers([...PartitionSet.keys(other)], [...PartitionSet.keys(set)])
    assert.deepStrictEqual(PartitionSet.sameKeys(other, partitions), set)
    assert.isTrue(Result.isFailure(PartitionSet.fromJson(twin, PartitionSet.toJson(set))) || twin === partitions)
  })

  it.prop(
    "begins and ends with what it takes, and ends with its last",
    [Indexes, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count }))],
    ([indexes, first]) => {
      const naive = inOrder(pick(indexes))
      agrees(PartitionSet.take(make(naive), first), new Set(naive.slice(0, first)))
      agrees(PartitionSet.takeLast(make(naive), first), new Set(naive.slice(Math.max(0, naive.length - first))))
      agrees(PartitionSet.last(make(naive)), new Set(naive.slice(-1)))
    }
  )
})

describe.each(Object.entries(timeWindows))("a set of %s", (_, partitions) => {
  const all = PartitionSet.all(partitions)
  const universe = [...PartitionSet.keys(all)]
  const make = (indexes: ReadonlyArray<number>) =>
    Result.getOrThrow(
      PartitionSet.fromKeys(
        partitions,
        indexes.flatMap((index) => universe[index] ?? [])
      )
    )

  it.prop("is written so that it reads back", [Indexes], ([indexes]) => {
    const self = make(indexes)
    const text = PartitionSet.format(self)
    const { end } = Partitions.range(partitions)
    assert.deepStrictEqual(
      PartitionSet.parse(text, { partitions, existing: all, now: end }).pipe(
        Result.getOrElse(() => PartitionSet.empty(partitions))
      ),
      self
    )
  })

  it.prop("has the windows of its keys, and they fill its ranges", [Indexes], ([indexes]) => {
    const self = make(indexes)
    const windows = [...PartitionSet.windows(self)]
    assert.deepStrictEqual(
      windows,
      [...PartitionSet.keys(self)].flatMap((key) => Option.toArray(Partitions.windowOf(partitions, key)))
    )
    assert.strictEqual(
      windows.reduce((total, window) => total + TimeWindow.duration(window), 0),
      PartitionSet.ranges(self).reduce((total, window) => total + TimeWindow.duration(window), 0)
    )
    assert.deepStrictEqual(
      PartitionSet.ranges(self)
        .map((range) => PartitionSet.fromWindow(partitions, range))
        .reduce(PartitionSet.union, PartitionSet.empty(partitions)),
      self
    )
  })

  const { end, start } = Partitions.range(partitions)
  const Instant = Schema.Int.check(Schema.isBetween({ minimum: start - 86_400_000, maximum: end + 86_400_000 }))

  it.prop("holds from a stretch of time every window that overlaps it", [Instant, Instant], ([one, other]) => {
    const stretch = TimeWindow.make(Math.min(one, other), Math.max(one, other))
    assert.deepStrictEqual(
      [...PartitionSet.windows(PartitionSet.fromWindow(partitions, stretch))],
      [...PartitionSet.windows(all)].filter((window) => TimeWindow.overlaps(window, stretch))
    )
  })

  it.prop("exists as far as its windows have ended", [Instant], ([now]) => {
    assert.deepStrictEqual(
      [...PartitionSet.keys(Partitions.existing(partitions, now))],
      universe.filter((key) => Partitions.isComplete(partitions, key, now))
    )
  })
})
