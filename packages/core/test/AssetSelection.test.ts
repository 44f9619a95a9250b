import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import type * as AssetLabels from "@assay/core/AssetLabels"
import * as AssetSelection from "@assay/core/AssetSelection"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"

const columns = Schema.Struct({ id: Column.text })

type Made = Asset.Asset<string, (typeof columns)["Type"], never>

const made = (name: string, inputs: ReadonlyArray<Made>, labels: Partial<AssetLabels.AssetLabels> = {}): Made =>
  Asset.make(name, {
    description: name,
    labels,
    columns,
    inputs: Object.fromEntries(
      inputs.map((asset, index) => [`i${index}`, Asset.input(asset, PartitionMapping.all, { columns: ["id"] })])
    ),
    write: WriteStrategy.replace({ key: ["id"] }),
    compute: { sql: () => sql`SELECT 'a' AS id` }
  })

const bronze = made("bronze_events", [], { group: "raw", tags: { domain: "billing", pii: "" } })
const silver = made("silver_events", [bronze], { group: "clean", tags: { domain: "billing" }, owners: ["ann"] })
const customers = made("dim_customer", [silver], { group: "clean", owners: ["ann", "team data"], tier: "critical" })
const revenue = made("gold_revenue", [silver, customers], { tier: "critical", kinds: ["finance"] })
const monthly = made("mart_revenue", [revenue], { kinds: ["finance"] })
const alone = made("island", [])

const graph = AssetGraph.fromIterable([bronze, silver, customers, revenue, monthly, alone])

const states = new Map<string, ReadonlySet<AssetSelection.Status>>([
  ["silver_events", new Set(["stale" as const])],
  ["gold_revenue", new Set(["stale" as const, "failed" as const])],
  ["island", new Set(["missing" as const])]
])
const statusOf = (name: string) => states.get(name) ?? new Set<AssetSelection.Status>()

const resolved = (selection: AssetSelection.AssetSelection) =>
  Result.getOrThrow(AssetSelection.resolve(selection, graph, statusOf)).join(" ")

const read = (text: string) => Result.getOrThrow(AssetSelection.parse(text, graph))

describe("AssetSelection", () => {
  it.each([
    ["gold_revenue", "gold_revenue"],
    ["*", "bronze_events island silver_events dim_customer gold_revenue mart_revenue"],
    ["*_events", "bronze_events silver_events"],
    ["*_re*", "gold_revenue mart_revenue"],
    ['"gold_revenue"', "gold_revenue"],
    ["+gold_revenue", "bronze_events silver_events dim_customer gold_revenue"],
    ["1+gold_revenue", "silver_events dim_customer gold_revenue"],
    ["silver_events+", "silver_events dim_customer gold_revenue mart_revenue"],
    ["silver_events+1", "silver_events dim_customer gold_revenue"],
    ["silver_events+2", "silver_events dim_customer gold_revenue mart_revenue"],
    ["1+dim_customer+1", "silver_events dim_customer gold_revenue"],
    ["+(gold_revenue or island)", "bronze_events island silver_events dim_customer gold_revenue"],
    ["tag:pii", "bronze_events"],
    ["tag:domain", "bronze_events silver_events"],
    ["tag:domain=billing", "bronze_events silver_events"],
    ["tag:domain=b*", "bronze_events silver_events"],
    ["group:clean", "silver_events dim_customer"],
    ["tier:critical", "dim_customer gold_revenue"],
    ["owner:ann", "silver_events dim_customer"],
    ['owner:"team data"', "dim_customer"],
    ["kind:finance", "gold_revenue mart_revenue"],
    ["kind:replace and not group:*", "island gold_revenue mart_revenue"],
    ["status:stale", "silver_events gold_revenue"],
    ["status:missing or status:failed", "island gold_revenue"],
    ["status:stale+", "silver_events dim_customer gold_revenue mart_revenue"],
    ["gold_revenue, island", "island gold_revenue"],
    ["not group:clean and not island", "bronze_events gold_revenue mart_revenue"],
    ["not (group:clean or island)", "bronze_events gold_revenue mart_revenue"],
    ["island or group:clean and owner:ann and not tier:critical", "island silver_events"],
    ["NOT not island", "island"],
    ["sinks(*)", "island mart_revenue"],
    ["roots(*)", "bronze_events island"],
    ["roots(group:clean or mart_revenue)", "silver_events"],
    ["sinks(silver_events or mart_revenue or island)", "island mart_revenue"]
  ])("%s is %s", (text, expected) => {
    assert.strictEqual(resolved(read(text)), expected)
  })

  it.each([
    [
      "+gold_revnue and tag:pii",
      '  +gold_revnue and tag:pii\n   ^^^^^^^^^^^ no asset has this name; did you mean "gold_revenue"?'
    ],
    ["x_*", "  x_*\n  ^^^ no asset has such a name"],
    ["tag:pi", '  tag:pi\n  ^^^^^^ no asset has this tag; did you mean "pii"?'],
    [
      "grup:clean",
      '  grup:clean\n  ^^^^^^^^^^ "grup" cannot be asked for; did you mean "group"?; there are tag, group, tier, owner, kind, status'
    ],
    ["status:old", "  status:old\n  ^^^^^^^^^^ no such status; there are stale, missing, failed"],
    ["island island", '  island island\n         ^^^^^^ expected "and", "or" or the end'],
    ["(island", "  (island\n  ^ the parenthesis is never closed"],
    ["island)", "  island)\n        ^ closes nothing"],
    [
      "and island",
      '  and island\n  ^^^ expected an asset, an attribute such as tag:finance, or a parenthesis before "and"'
    ],
    ["island and", "  island and\n            ^ expected an asset, an attribute such as tag:finance, or a parenthesis"],
    ["", "  \n  ^ expected an asset, an attribute such as tag:finance, or a parenthesis"],
    ["tag:", '  tag:\n      ^ expected a value for "tag"'],
    ['"island', '  "island\n  ^^^^^^^ the quotation has no end'],
    ["sinks(island", "  sinks(island\n       ^ the parenthesis is never closed"]
  ])("points at what is wrong in %j", (text, expected) => {
    const found = AssetSelection.parse(text, graph)
    assert.isTrue(Result.isFailure(found))
    if (Result.isFailure(found)) assert.strictEqual(found.failure.message, `cannot read the selection\n${expected}`)
  })

  it("shows the part of a long text that is wrong, on one line, and says beneath it what is", () => {
    const text = `${"(island\n or ".repeat(12)}gold_revnue${")".repeat(12)}`
    const found = AssetSelection.parse(text, graph)
    assert.isTrue(Result.isFailure(found))
    if (Result.isSuccess(found)) return
    const [, shown = "", caret = "", ...rest] = found.failure.message.split("\n")
    assert.strictEqual(shown.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1), "gold_revnue")
    assert.isBelow(shown.length, 78)
    assert.deepStrictEqual(rest, ['  no asset has this name; did you mean "gold_revenue"?'])
    const far = AssetSelection.parse(`${"island or ".repeat(5)}gold_revnue`, graph)
    if (Result.isFailure(far)) {
      assert.deepStrictEqual(far.failure.message.split("\n").slice(2), [
        `${" ".repeat(52)}${"^".repeat(11)}`,
        '  no asset has this name; did you mean "gold_revenue"?'
      ])
    }
  })

  it("knows when the ledger must be asked", () => {
    assert.isTrue(AssetSelection.needsStatus(read("not +(island and status:stale)")))
    assert.isFalse(AssetSelection.needsStatus(read("sinks(+gold_revenue) and not island")))
  })

  it("fails on a name that no asset has, naming the nearest", () => {
    const found = AssetSelection.resolve(AssetSelection.names("gold_revenu"), graph)
    assert.isTrue(Result.isFailure(found))
    if (Result.isFailure(found)) assert.include(found.failure.message, 'Did you mean "gold_revenue"?')
  })

  const selections: fc.Arbitrary<AssetSelection.AssetSelection> = fc.letrec<{
    readonly selection: AssetSelection.AssetSelection
  }>((tie) => {
    const inner = tie("selection")
    const depth = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined })
    return {
      selection: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(...graph.assets.keys()).map((name) => AssetSelection.names(name)),
        fc.constantFrom(
          AssetSelection.all,
          AssetSelection.matching("*_events"),
          AssetSelection.tag("domain", "billing"),
          AssetSelection.group("clean"),
          AssetSelection.tier("critical"),
          AssetSelection.owner("ann"),
          AssetSelection.kind("finance"),
          AssetSelection.status("stale")
        ),
        fc.tuple(inner, depth).map(([of, steps]) => AssetSelection.upstream(of, steps)),
        fc.tuple(inner, depth).map(([of, steps]) => AssetSelection.downstream(of, steps)),
        inner.map(AssetSelection.roots),
        inner.map(AssetSelection.sinks),
        inner.map(AssetSelection.not),
        fc.tuple(inner, inner).map(([left, right]) => AssetSelection.union(left, right)),
        fc.tuple(inner, inner).map(([left, right]) => AssetSelection.intersection(left, right)),
        fc.tuple(inner, inner).map(([left, right]) => AssetSelection.difference(left, right))
      )
    }
  }).selection

  it("means the same when it is written and read again", () =>
    fc.assert(
      fc.property(selections, (selection) => {
        const text = AssetSelection.format(selection)
        assert.strictEqual(resolved(read(text)), resolved(selection), text)
      }),
      { numRuns: 500 }
    ))

  it("reads any text, or says where it stopped", () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom("island", "+", "2", "and", "or", "not", "(", ")", ":", "tag", "pii", ",", '"', "*", " ")
        ),
        (parts) => {
          const text = parts.join(" ")
          const found = AssetSelection.parse(text, graph)
          if (Result.isFailure(found)) {
            assert.isTrue(0 <= found.failure.start && found.failure.start < found.failure.end)
            assert.isTrue(found.failure.end <= text.length + 1)
          } else resolved(found.success)
        }
      ),
      { numRuns: 1000 }
    ))
})
