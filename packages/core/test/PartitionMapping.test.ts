import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { events } from "./warehouse/World.ts"

const { custom, format, keys, last, staticMap } = PartitionMapping

const log = events("log")

const shelf = Schema.Struct({ shelf: Column.text, id: Column.text })
const day = Schema.Struct({ day: Column.date, id: Column.text })

const shelves = Partitions.fromKeys(["high", "low"])
const days = Partitions.daily({ start: "2024-01-01" })

const byShelf = Asset.make("by_shelf", {
  description: "By shelf",
  columns: shelf,
  partitions: shelves,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("region")) },
  write: WriteStrategy.replacePartitions("shelf", { key: ["shelf", "id"] }),
  compute: { rows: () => [] }
})

const byDay = Asset.make("by_day", {
  description: "By day",
  columns: day,
  partitions: days,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("day")) },
  write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
  compute: { rows: () => [] }
})

const reading = (
  upstream: typeof byShelf | typeof byDay | typeof log,
  mapping: PartitionMapping.Last | PartitionMapping.Keys | PartitionMapping.StaticMap | PartitionMapping.Custom,
  options: Parameters<typeof Asset.input>[2] = {}
) =>
  Asset.make("reader", {
    description: "Reads partitions",
    columns: shelf,
    partitions: Partitions.fromKeys(["left", "right"]),
    inputs: { upstream: Asset.input<string, unknown, typeof mapping>(upstream, mapping, options) },
    write: WriteStrategy.replacePartitions("shelf", { key: ["shelf", "id"] }),
    compute: { rows: () => [] }
  })

const problem = (define: () => unknown): string => {
  try {
    define()
    return "none"
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const mirror = (key: string): ReadonlyArray<string> =>
  ({ high: ["left"], low: ["right"], left: ["high"], right: ["low"] })[key] ?? []

describe("PartitionMapping", () => {
  it("says what it is in a few words", () => {
    assert.deepStrictEqual(
      [
        last,
        keys("eu", "us"),
        staticMap({ eu: ["de", "fr"], us: "us" }),
        custom({ name: "mirror", version: "2", downstream: mirror, upstream: mirror })
      ].map(format),
      ["the last partition", "always eu, us", "eu to de, fr; us to us", "mirror (version 2)"]
    )
  })

  it("reads partitions only of an asset that is written by partitions", () => {
    assert.strictEqual(
      problem(() => reading(log, last)),
      `Asset "reader": input "upstream" reads partitions of "log" (the last partition), which is not written by partitions.`
    )
  })

  it("leaves it to the query of a view which partitions it reads", () => {
    assert.strictEqual(
      problem(() =>
        Asset.make("seen", {
          description: "A view",
          columns: shelf,
          inputs: { upstream: Asset.input(byShelf, last) },
          write: WriteStrategy.view,
          compute: { rows: () => [] }
        })
      ),
      `Asset "seen": input "upstream" of a view reads some partitions of "by_shelf" (the last partition); map it by all and say in the query which.`
    )
  })

  it("names keys that both sides have", () => {
    assert.strictEqual(
      problem(() => reading(byShelf, keys("high", "top"))),
      `Asset "reader": input "upstream" is mapped by "top", which is no partition of "by_shelf" (static: high, low).`
    )
    assert.strictEqual(
      problem(() => reading(byDay, keys("2023-12-31"))),
      `Asset "reader": input "upstream" is mapped by "2023-12-31", which is no partition of "by_day" (daily from 2024-01-01 (UTC)).`
    )
    assert.strictEqual(
      problem(() => reading(byShelf, staticMap({ high: ["left", "middle"] }))),
      `Asset "reader": input "upstream" is mapped by "middle", which is no partition of "reader" (static: left, right).`
    )
    assert.strictEqual(
      problem(() => reading(byShelf, staticMap({ high: "left", low: ["left", "right"] }))),
      "none"
    )
  })

  it("maps names to names, and at least one", () => {
    assert.strictEqual(
      problem(() => reading(byDay, staticMap({ "2024-01-01": "left" }))),
      `Asset "reader": input "upstream" is mapped name by name, but one side is not cut by names; both are Partitions.fromKeys.`
    )
    assert.strictEqual(
      problem(() => reading(byShelf, staticMap({}))),
      `Asset "reader": input "upstream" is mapped name by name, but no name is.`
    )
  })

  it("of one's own has a name, a version, and two directions that agree (Verifies: L7)", () => {
    const own = { name: "mirror", version: "1", downstream: mirror, upstream: mirror }
    assert.strictEqual(
      problem(() => reading(byShelf, custom(own))),
      "none"
    )
    assert.strictEqual(
      problem(() => reading(byShelf, custom({ ...own, version: " " }))),
      `Asset "reader": input "upstream" is mapped by a relation without a name or a version; when the version changes, everything is built again.`
    )
    assert.strictEqual(
      problem(() => reading(byShelf, custom({ ...own, upstream: () => ["high"] }))),
      `Asset "reader": input "upstream": mapping "mirror" says that "low" reaches "right", but not that "right" is made of "low"; its two directions must be one relation.`
    )
  })

  it("is part of the code version, with the version of one's own and without its functions; a tolerance is not", () => {
    const own = { name: "mirror", version: "1", downstream: mirror, upstream: mirror }
    const version = (...[mapping, options]: [Parameters<typeof reading>[1], Parameters<typeof reading>[2]?]) =>
      reading(byShelf, mapping, options).codeVersion
    const versions = [
      version(custom(own)),
      version(custom({ ...own, version: "2" })),
      version(last),
      version(keys("high")),
      version(keys("low")),
      version(staticMap({ high: "left" })),
      version(staticMap({ high: "right" }))
    ]
    assert.strictEqual(new Set(versions).size, versions.length)
    assert.strictEqual(version(custom({ ...own, upstream: (key) => mirror(key) })), version(custom(own)))
    assert.strictEqual(version(last, { allowMissing: { newest: 1 } }), version(last))
  })
})
