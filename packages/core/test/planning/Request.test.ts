import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as AssetSelection from "@assay/core/AssetSelection"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Request from "@assay/core/planning/Request"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

type Made = Asset.Asset<string, { readonly id: string }, never>

const made = (name: string, group: string, inputs: ReadonlyArray<Made> = []): Made =>
  Asset.make(name, {
    description: name,
    labels: { group },
    columns: Schema.Struct({ id: Column.text }),
    inputs: Object.fromEntries(inputs.map((asset, index) => [`i${index}`, Asset.input(asset, PartitionMapping.all)])),
    write: WriteStrategy.replace({ key: ["id"] }),
    compute: { sql: () => sql`SELECT 'a' AS id` }
  })

const first = made("first", "raw")
const second = made("second", "clean", [first])
const third = made("third", "clean", [second])
const graph = AssetGraph.fromIterable([first, second, third])

const statusOf = (asset: string): ReadonlySet<AssetSelection.Status> => new Set(asset === "second" ? ["stale"] : [])

/** The assets that take part, the named ones with a star. */
const taking = (request: Request.Request) =>
  Result.getOrThrow(Request.targets(request, { graph, now: 0, statusOf }))
    .map(({ asset, isNamed }) => (isNamed ? `${asset.name}*` : asset.name))
    .join(" ")

describe("a request", () => {
  it.each<readonly [string, Request.Request]>([
    ["first* second* third*", {}],
    ["first* second* third*", { assets: [] }],
    ["first second*", { assets: ["second"] }],
    ["first second*", { select: "second" }],
    ["first* second* third*", { select: "*" }],
    ["first second* third*", { select: "group:clean" }],
    ["first second* third*", { select: AssetSelection.group("clean") }],
    ["first second third*", { select: AssetSelection.sinks(AssetSelection.all) }],
    ["first* second third*", { select: "third", assets: ["first"] }],
    ["first second*", { select: "status:stale" }],
    ["second* third*", { select: "status:stale+", upstream: false }],
    ["", { select: "status:failed" }]
  ])("names %j", (expected, request) => {
    assert.strictEqual(taking(request), expected)
  })

  it("fails where its selection cannot be read", () => {
    const found = Request.targets({ select: "secnd" }, { graph, now: 0 })
    assert.isTrue(Result.isFailure(found))
    if (Result.isFailure(found)) assert.include(found.failure.message, 'did you mean "second"?')
  })
})
