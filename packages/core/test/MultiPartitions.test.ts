import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import { assert, describe, it } from "@effect/vitest"
import { Option, Result, Schema } from "effect"

const instant = (text: string) => new Date(text).getTime()
const day = Partitions.daily({ start: "2024-03-01" })
const region = Partitions.fromKeys(["us", "eu", "apac"])
const dayAndRegion = Partitions.multi({ day, region })
const now = instant("2024-03-06T12:00Z")
const existing = Partitions.existing(dayAndRegion, now)

const set = (partitions: Partitions.Partitions, ...keys: ReadonlyArray<string>) =>
  Result.getOrThrow(PartitionSet.fromKeys(partitions, keys))
const keysOf = (self: PartitionSet.PartitionSet) => [...PartitionSet.keys(self)]
const parse = (text: string, partitions: Partitions.Partitions = dayAndRegion) =>
  PartitionSet.parse(text, { partitions, existing: Partitions.existing(partitions, now), now })
const selected = (text: string, partitions: Partitions.Partitions = dayAndRegion) =>
  PartitionSet.format(Result.getOrThrow(parse(text, partitions)))
const problem = (text: string, partitions: Partitions.Partitions = dayAndRegion) => {
  const { item, message, position } = Result.getOrThrow(Result.flip(parse(text, partitions)))
  return { item, position, line: message.split("\n")[0] }
}

describe("a definition of several dimensions", () => {
  const refusal = (dimensions: Parameters<typeof Partitions.multi>[0]) => {
    const refused = Result.try(() => Partitions.multi(dimensions))
    return Result.isFailure(refused) ? String(refused.failure) : "accepted"
  }

  it("is refused where a key could be read in two ways", () => {
    assert.include(
      refusal({ day, region: Partitions.fromKeys(["eu|west", "us"]) }),
      'the key "eu|west" of dimension "region" could not be told apart in a key of several; expected keys without "|"'
    )
    assert.include(refusal({ day, region: Partitions.fromKeys(["*"]) }), 'the key "*" of dimension "region"')
  })

  it("has two dimensions or more, and names that can be told from keys", () => {
    assert.include(refusal({}), "there is no dimension; expected two dimensions or more")
    assert.include(refusal({ day }), "there is only one dimension")
    assert.include(refusal({ day, "the region": region }), '"the region" is no name of a dimension')
    assert.include(refusal({ "0": day, region }), '"0" is no name of a dimension')
  })

  it("says what it is, dimension by dimension", () => {
    assert.strictEqual(
      Partitions.format(dayAndRegion),
      "day (daily from 2024-03-01 (UTC)) | region (static: us, eu, apac)"
    )
  })

  it("has what exists in each of its dimensions, in the order of time and then of the names", () => {
    assert.deepStrictEqual(keysOf(PartitionSet.take(existing, 4)), [
      "2024-03-01|us",
      "2024-03-01|eu",
      "2024-03-01|apac",
      "2024-03-02|us"
    ])
    assert.deepStrictEqual(keysOf(PartitionSet.takeLast(existing, 2)), ["2024-03-05|eu", "2024-03-05|apac"])
    assert.strictEqual(PartitionSet.size(existing), 15)
    const turned = Partitions.existing(Partitions.multi({ region, day }), now)
    assert.deepStrictEqual(keysOf(PartitionSet.take(turned, 4)), [
      "us|2024-03-01",
      "eu|2024-03-01",
      "apac|2024-03-01",
      "us|2024-03-02"
    ])
  })

  it("knows of a key its parts, its window and whether it is complete", () => {
    assert.deepStrictEqual(Partitions.keysOf(dayAndRegion, "2024-03-05|eu"), ["2024-03-05", "eu"])
    assert.deepStrictEqual(
      Partitions.windowOf(dayAndRegion, "2024-03-05|eu"),
      Option.some({ start: instant("2024-03-05"), end: instant("2024-03-06") })
    )
    assert.isTrue(Partitions.isComplete(dayAndRegion, "2024-03-05|eu", now))
    assert.isFalse(Partitions.isComplete(dayAndRegion, "2024-03-06|eu", now))
    assert.isFalse(Partitions.isComplete(dayAndRegion, "2024-03-05|mars", now))
  })

  it("has a window of its units where one dimension has windows, and none where two have", () => {
    const windows = Array.from(PartitionSet.windows(PartitionSet.take(existing, 4)), ({ start }) => start)
    const [first, second] = [instant("2024-03-01"), instant("2024-03-02")]
    assert.deepStrictEqual(windows, [first, first, first, second])
    const twice = Partitions.multi({ day, month: Partitions.monthly({ start: "2024-01-01" }) })
    assert.deepStrictEqual([...PartitionSet.windows(Partitions.existing(twice, now))], [])
    assert.deepStrictEqual(Partitions.windowOf(twice, "2024-03-05|2024-03-01"), Option.none())
  })
})

describe("a key of several dimensions", () => {
  it.each([
    ["2024-03-05", "expected one key of each dimension, day|region"],
    ["2024-03-05|eu|x", "expected one key of each dimension, day|region"],
    ["2024-03|eu", 'expected in dimension "day" a day YYYY-MM-DD, inside the range, and "2024-03" is none'],
    ["2024-02-29|eu", 'in dimension "day" a day YYYY-MM-DD, inside the range, and "2024-02-29" is none'],
    ["eu|2024-03-05", 'in dimension "day"'],
    ["2024-03-05|eux", 'expected in dimension "region" one of its keys; did you mean "eu"?, and "eux" is none'],
    ["2024-03-05|", 'in dimension "region"'],
    ["2024-03-05|*", 'in dimension "region"']
  ])("is refused, never snapped: %s", (key, message) => {
    const refused = Result.getOrThrow(Result.flip(PartitionSet.fromKeys(dayAndRegion, [key])))
    assert.include(refused.message, message)
    assert.isFalse(Partitions.isKey(dayAndRegion, key))
    assert.isTrue(PartitionSet.isEmpty(PartitionSet.fromKnownKeys(dayAndRegion, [key])))
  })
})

describe("a set of several dimensions", () => {
  const regions = Partitions.fromKeys(Array.from({ length: 50 }, (_, index) => `r${index}`))
  const wide = Partitions.multi({ day: Partitions.daily({ start: "2020-01-01", end: "2022-09-27" }), regions })

  it("costs what its ranges cost, not what its keys do", () => {
    const all = PartitionSet.all(wide)
    assert.strictEqual(PartitionSet.size(all), 1000 * 50)
    assert.strictEqual(all.spans.length, 1)
    assert.deepStrictEqual(PartitionSet.toJson(all).ranges, [["2020-01-01|r0", "2022-09-26|r49"]])
    const one = PartitionSet.product(wide, [
      PartitionSet.all(wide.dimensions[0]?.partitions ?? day),
      set(regions, "r7")
    ])
    const others = PartitionSet.difference(all, one)
    assert.strictEqual(PartitionSet.size(others), 1000 * 49)
    assert.deepStrictEqual(PartitionSet.toJson(others).ranges, [
      ["2020-01-01|r0", "2022-09-26|r6"],
      ["2020-01-01|r8", "2022-09-26|r49"]
    ])
    assert.deepStrictEqual(PartitionSet.union(others, one), all)
    assert.deepStrictEqual(set(wide, ...PartitionSet.keys(all)), all)
  })

  it("without end is stored, read and cut", () => {
    const all = PartitionSet.all(dayAndRegion)
    assert.strictEqual(PartitionSet.size(all), Number.POSITIVE_INFINITY)
    assert.deepStrictEqual(PartitionSet.toJson(all).ranges, [["2024-03-01|us", "|apac"]])
    const stored = Schema.fromJsonString(PartitionSet.schema(dayAndRegion))
    assert.deepStrictEqual(Schema.decodeSync(stored)(Schema.encodeSync(stored)(all)), all)
    assert.deepStrictEqual(PartitionSet.intersection(all, existing), existing)
    assert.deepStrictEqual(keysOf(PartitionSet.take(all, 2)), ["2024-03-01|us", "2024-03-01|eu"])
    assert.isTrue(PartitionSet.isEmpty(PartitionSet.takeLast(all, 2)))
    assert.strictEqual(PartitionSet.format(PartitionSet.difference(all, existing)), "2024-03-06..|*")
  })

  it.each([
    [["2024-03-05|eu", null]],
    [["2024-03-05", "2024-03-06"]],
    [["2024-03-05|eu", "2024-03-04|eu"]],
    [["2024-03-05|eu", "2024-03-05|us"]],
    [["2024-03-05|eu", "2024-03-05|mars"]]
  ] as const)("is not read from what is no range of it: %s", (range) => {
    const json = { ...PartitionSet.toJson(PartitionSet.empty(dayAndRegion)), ranges: [range] }
    const refused = Result.getOrThrow(Result.flip(PartitionSet.fromJson(dayAndRegion, json)))
    assert.include(refused.message, `${JSON.stringify(range)} is no range of it`)
  })

  it("is one of its definition: the names, their order and each cut", () => {
    const definition = (dimensions: Parameters<typeof Partitions.multi>[0]) =>
      PartitionSet.definitionOf(Partitions.multi(dimensions))
    const own = definition({ day, region })
    assert.strictEqual(definition({ day: Partitions.daily({ start: "2024-03-01" }), region }), own)
    const others = [
      { region, day },
      { date: day, region },
      { day: Partitions.daily({ start: "2024-03-02" }), region },
      { day, region: Partitions.fromKeys(["eu", "us", "apac"]) }
    ]
    assert.strictEqual(new Set([own, ...others.map(definition)]).size, 5)
  })

  it("tells its dimensions, and is their product again", () => {
    const some = Result.getOrThrow(parse("2024-03-01..2024-03-02|eu, 2024-03-04|us"))
    assert.strictEqual(PartitionSet.format(PartitionSet.dimension(some, "day")), "2024-03-01..2024-03-02, 2024-03-04")
    assert.strictEqual(PartitionSet.format(PartitionSet.dimension(some, "region")), "us, eu")
    assert.deepStrictEqual(
      PartitionSet.unionAll(
        dayAndRegion,
        PartitionSet.boxes(some).map((box) => PartitionSet.product(dayAndRegion, box))
      ),
      some
    )
  })
})

describe("a range of several dimensions", () => {
  it.each([
    ["2024-03-02|eu", "2024-03-02|eu"],
    ["2024-03|eu", "2024-03-01..2024-03-05|eu"],
    ["2024-03-02..2024-03-03|*", "2024-03-02..2024-03-03|*"],
    ["*|eu", "2024-03-01..2024-03-05|eu"],
    ["..2024-03-02|us", "2024-03-01..2024-03-02|us"],
    ["2024-03-04..|all", "2024-03-04..2024-03-05|*"],
    [" 2024-03-02 | eu , latest|us ", "2024-03-02|eu, 2024-03-05|us"],
    ["latest", "2024-03-05|*"],
    ["all", "2024-03-01..2024-03-05|*"],
    ["2024-03-01|us, 2024-03-01|eu, 2024-03-01|apac", "2024-03-01|*"]
  ])("%s selects %s", (text, expected) => {
    assert.strictEqual(selected(text), expected)
    assert.strictEqual(selected(expected), expected)
  })

  it.each([
    [
      "2024-03-02",
      1,
      'says something of 1 dimension, but the partitions have 2: day|region; did you mean "2024-03-02|*"?'
    ],
    ["2024-03-02|eu|x", 1, "says something of 3 dimensions, but the partitions have 2: day|region"],
    ["2024-03-02|eu, 2024-03-02|eux", 27, 'is not a key; did you mean "eu"? (dimension "region")'],
    ["2024-3|eu", 1, 'is not a date: months and days have two digits (dimension "day")'],
    ["..|us", 1, 'has neither a first nor a last date; write "all" for everything (dimension "day")'],
    ["2024-03-03..2024-03-02|us", 1, 'runs backwards: did you mean 2024-03-02..2024-03-03? (dimension "day")'],
    ["2024-03-02|", 12, "is not a key"],
    ["", 1, "is empty"]
  ])("%s is refused where it is wrong", (text, position, message) => {
    const found = problem(text)
    assert.include(found.line, message)
    assert.strictEqual(found.position, position)
    assert.strictEqual(text.slice(position - 1, position - 1 + found.item.length), found.item)
  })

  it("that selects nothing tells what exists in each dimension", () => {
    assert.strictEqual(
      problem("2024-04|eu").line,
      'the partition range "2024-04|eu" selects nothing that exists: what exists is day 2024-03-01..2024-03-05 | region us, eu, apac'
    )
  })

  it("shows the valid forms of every dimension", () => {
    const { validForms } = Result.getOrThrow(Result.flip(parse("x")))
    assert.strictEqual(
      validForms,
      "day|region, several separated by commas; day: * or 2024-03, 2024-03..2024-05-15, 2024-03.., ..2024-05, latest; region: * or us, eu, apac; all, latest"
    )
  })

  it("is written so that it reads back, whatever it holds", () => {
    const universe = keysOf(existing)
    for (let picked = 1; picked < 2 ** 15; picked += 97) {
      const some = set(dayAndRegion, ...universe.filter((_, index) => (picked >> index) % 2 === 1))
      assert.deepStrictEqual(Result.getOrThrow(parse(PartitionSet.format(some))), some)
    }
    const many = Result.getOrThrow(parse("2024-03-01|eu, 2024-03-03|us, 2024-03-05|apac"))
    assert.strictEqual(PartitionSet.format(many, { limit: 1 }), "2024-03-01|eu … and 2 more")
  })
})
