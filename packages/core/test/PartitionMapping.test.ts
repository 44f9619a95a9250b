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

const shelves = Partitions.fromKeys(["high", "low"])

const byShelf = Asset.make("by_shelf", {
  description: "By shelf",
  columns: shelf,
  partitions: shelves,
  inputs: { log: Asset.input(log, PartitionMapping.byColumn("region")) },
  write: WriteStrategy.replacePartitions("shelf", { key: ["shelf", "id"] }),
  compute: { rows: () => [] }
})

const reading = (
  mapping: PartitionMapping.Last | PartitionMapping.Keys | PartitionMapping.StaticMap | PartitionMapping.Custom,
  options: Parameters<typeof Asset.input>[2] = {}
) =>
  Asset.make("reader", {
    description: "Reads partitions",
    columns: shelf,
    partitions: Partitions.fromKeys(["left", "right"]),
    inputs: { upstream: Asset.input(byShelf, mapping, options) },
    write: WriteStrategy.replacePartitions("shelf", { key: ["shelf", "id"] }),
    compute: { rows: () => [] }
  })

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

  it("is part of the code version, with the version of one's own and without its functions; a tolerance is not", () => {
    const own = { name: "mirror", version: "1", downstream: mirror, upstream: mirror }
    const version = (...asked: Parameters<typeof reading>) => reading(...asked).codeVersion
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
