import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Automation from "@assay/core/planning/Automation"
import * as AutomationState from "@assay/core/planning/AutomationState"
import { sql } from "@assay/core/Sql"
import * as TestSource from "@assay/core/testing/TestSource"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const columns = Schema.Struct({ region: Column.text, amount: Column.integer })

const keysOf = (...keys: ReadonlyArray<string>) => keys.map((key, index) => ({ key, revision: `r${index}` }))

const byRegion = (
  name: string,
  partitions: Partitions.Partitions,
  mapping: PartitionMapping.PartitionMapping<"region">
) => {
  const upstream = Asset.make("upstream", {
    description: "Upstream",
    columns,
    partitions,
    inputs: {},
    write: WriteStrategy.replacePartitions("region", { key: ["region"] }),
    compute: { sql: () => sql`SELECT 'a' AS region, 1 AS amount` }
  })
  const downstream = Asset.make(name, {
    description: "Downstream",
    columns,
    partitions,
    inputs: { upstream: Asset.input(upstream, mapping) },
    write: WriteStrategy.replacePartitions("region", { key: ["region"] }),
    compute: { sql: ({ upstream }) => sql`SELECT region, amount FROM ${upstream} AS u` }
  })
  return { upstream, downstream }
}

const regions = Partitions.dynamic("regions")

const open = (...keys: ReadonlyArray<string>) => Partitions.withKeys(regions, () => keysOf(...keys))

describe("Partitions.dynamic", () => {
  it("has no keys until they are put into it, and then those in their order", () => {
    assert.strictEqual(Partitions.format(regions), "dynamic regions: no keys")
    const two = open("west", "east")
    assert.strictEqual(Partitions.format(two), "dynamic regions: west, east")
    assert.deepStrictEqual(Array.from(PartitionSet.keys(Partitions.existing(two, 0))), ["west", "east"])
    assert.strictEqual(
      Partitions.format(open(...Array.from({ length: 12 }, (_, index) => `k${index}`))),
      "dynamic regions: k0, k1, k2, k3, k4, k5, k6, k7, k8, k9 and 2 more"
    )
    assert.deepStrictEqual(Partitions.withoutKeys(two), regions)
  })

  it("is the same object as long as its keys are", () => {
    const two = open("a", "b")
    assert.strictEqual(
      Partitions.withKeys(two, () => keysOf("a", "b")),
      two
    )
    assert.notStrictEqual(
      Partitions.withKeys(two, () => [
        { key: "a", revision: "r0" },
        { key: "b", revision: "r9" }
      ]),
      two
    )
  })

  it("is refused under a name that is none", () => {
    assert.throws(() => Partitions.dynamic("My Regions"), /"My Regions" is no name; expected lower-case snake_case/)
  })

  it("names stored sets by their keys, so that the ranges of others are not read as these", () => {
    const json = PartitionSet.toJson(PartitionSet.all(open("a", "b")))
    assert.isTrue(Result.isFailure(PartitionSet.fromJson(open("a", "c", "b"), json)))
    assert.isTrue(Result.isSuccess(PartitionSet.fromJson(open("a", "b"), json)))
  })

  it("is put into every dimension that has it", () => {
    const cube = Partitions.multi({ day: Partitions.daily({ start: "2024-01-01" }), region: regions })
    assert.deepStrictEqual(Partitions.dynamicNames(cube), ["regions"])
    const resolved = Partitions.withKeys(cube, () => keysOf("eu", "us"))
    assert.isTrue(Partitions.isKey(resolved, "2024-03-05|us"))
    assert.isFalse(Partitions.isKey(cube, "2024-03-05|us"))
    const revision = Partitions.revisionsOf(resolved)
    assert.strictEqual(revision("2024-03-05|us"), ",r1")
    assert.isUndefined(revision("2024-03-05|asia"))
    assert.strictEqual(
      Partitions.withKeys(resolved, () => keysOf("eu", "us")),
      resolved
    )
  })
})

describe("a graph with dynamic partitions", () => {
  const { downstream, upstream } = byRegion("downstream", regions, PartitionMapping.identity)
  const source = Asset.source("log", {
    description: "A log",
    columns: Schema.Struct({ id: Column.text, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["id"], batch: "batch", loadedAt: "loaded_at" }),
    source: Effect.runSync(TestSource.make<{ readonly id: string }>()).source
  })
  const graph = AssetGraph.make([source, upstream, downstream])

  it("is resolved in its assets, their inputs and its edges alike; other assets stay the objects that they are", () => {
    assert.deepStrictEqual(AssetGraph.dynamicNames(graph), ["regions"])
    const resolved = AssetGraph.withKeys(graph, () => keysOf("a"))
    const own = resolved.assets.get("upstream")
    const [input] = resolved.assets.get("downstream")?.inputs ?? []
    const [edge] = AssetGraph.edgesFrom(resolved, "upstream")
    assert.deepStrictEqual(own?.partitions, open("a"))
    assert.strictEqual(input?.asset, own)
    assert.strictEqual(edge?.upstream, own)
    assert.strictEqual(edge?.downstream, resolved.assets.get("downstream"))
    assert.strictEqual(resolved.assets.get("log"), graph.assets.get("log"))
    assert.strictEqual(
      AssetGraph.withKeys(resolved, () => keysOf("a")),
      resolved
    )
    assert.strictEqual(own?.codeVersion, upstream.codeVersion)
  })

  it("has another code version under another name, and under a cut that is in code", () => {
    const versions = [regions, Partitions.dynamic("areas"), Partitions.fromKeys(["a"])].map(
      (partitions) => byRegion("downstream", partitions, PartitionMapping.identity).downstream.codeVersion
    )
    assert.strictEqual(new Set(versions).size, 3)
  })

  for (const [what, mapping] of [
    ["the last", PartitionMapping.last],
    ["keys", PartitionMapping.keys("a")]
  ] as const) {
    it(`cannot be read by ${what}, which the code would name`, () => {
      assert.throws(
        () => byRegion("downstream", regions, mapping),
        /the keys of "upstream" \(dynamic regions\) are in the ledger, not in code; map it by identity, by column or by all\./
      )
    })
  }

  it("has evaluations that remember keys, not places among them", () => {
    const of = (...keys: ReadonlyArray<string>) => ({ ...upstream, partitions: open(...keys) })
    const before = of("a", "b", "c")
    const some = Result.getOrThrow(PartitionSet.fromKeys(before.partitions, ["a", "c"]))
    const stored = AutomationState.encodeSet(before, some)
    const after = of("c", "d", "a")
    const decoded = AutomationState.decodeSet(after, stored, 0)
    assert.deepStrictEqual(Array.from(PartitionSet.keys(decoded)), ["c", "a"])
    assert.strictEqual(Automation.definitionOf(before), Automation.definitionOf(after))
  })
})
