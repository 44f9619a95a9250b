import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as AutomationCondition from "@assay/core/AutomationCondition"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Automation from "@assay/core/planning/Automation"
import * as AutomationState from "@assay/core/planning/AutomationState"
import * as IncompleteWindow from "@assay/core/planning/IncompleteWindow"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const columns = Schema.Struct({ day: Column.date, region: Column.text })
const write = WriteStrategy.replacePartitions({ day: "day", region: "region" }, { key: ["day", "region"] })
const cut = (start: string, ...names: readonly [string, ...Array<string>]) =>
  Partitions.multi({ day: Partitions.daily({ start, end: "2024-04-01" }), region: Partitions.fromKeys(names) })
const now = Date.parse("2024-03-06T12:00:00Z")

const places = (partitions: Partitions.Multi<"day" | "region">, policy = MaterializationPolicy.eager) =>
  Asset.make("places", { description: "", columns, partitions, inputs: {}, write, policy, compute: { rows: () => [] } })

const around = (partitions: Partitions.Multi<"day" | "region">, upstream = places(cut("2024-03-02", "eu", "us"))) =>
  Asset.make("around", {
    description: "",
    columns,
    partitions,
    inputs: {
      places: Asset.input(
        upstream,
        PartitionMapping.byDimension({
          day: PartitionMapping.timeWindows({ endOffset: 1 }),
          region: PartitionMapping.identity
        })
      )
    },
    write,
    compute: { rows: () => [] }
  })

describe("partitions of several dimensions that lack something", () => {
  it("are told what, and why it is not there (Verifies: L7)", () => {
    const asset = around(cut("2024-03-01", "us", "mars"))
    const existing = Partitions.existing(asset.partitions, now)
    assert.deepStrictEqual(IncompleteWindow.find(asset, existing, now).map(IncompleteWindow.format), [
      "2024-03-01..2024-03-05|mars wait for places 2024-03-01..2024-03-06|mars, which are none of its partitions",
      "2024-03-01|us waits for places 2024-03-01|us, which lies before its start",
      "2024-03-05|us waits for places 2024-03-06|us, which will exist at 2024-03-07T00:00:00.000Z"
    ])
    assert.strictEqual(
      PartitionSet.format(PartitionSet.difference(existing, IncompleteWindow.waiting(asset, existing, now))),
      "2024-03-02..2024-03-04|us"
    )
  })

  it("wait for those that wait themselves (Verifies: L7)", () => {
    const asset = around(cut("2024-03-02", "eu", "us"))
    const reader = Asset.make("reader", {
      description: "",
      columns,
      partitions: Partitions.daily({ start: "2024-03-02" }),
      inputs: { around: Asset.input(asset, PartitionMapping.singleDimension("day")) },
      write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
      compute: { rows: () => [] }
    })
    const existing = Partitions.existing(reader.partitions, now)
    assert.deepStrictEqual(IncompleteWindow.find(reader, existing, now).map(IncompleteWindow.format), [
      "2024-03-05 waits for around 2024-03-05|*, which wait themselves"
    ])
  })
})

describe("conditions of several dimensions", () => {
  const requested = (condition: AutomationCondition.AutomationCondition, horizon?: Duration.Duration) => {
    const policy = MaterializationPolicy.eager.pipe(MaterializationPolicy.withAutomation(condition))
    const asset = places(cut("2024-03-02", "eu", "us"), horizon === undefined ? policy : { ...policy, horizon })
    const none = PartitionSet.empty(asset.partitions)
    const existing = Partitions.existing(asset.partitions, now)
    const state: Automation.AssetState = {
      existing,
      built: none,
      stale: none,
      updated: none,
      inProgress: none,
      failed: none,
      checkFailed: none,
      isCodeChanged: false
    }
    const graph = AssetGraph.make([asset])
    const { decisions } = Automation.evaluate({ graph, states: new Map([["places", state]]), cursor: undefined, now })
    return decisions.map(({ held, requested }) => [PartitionSet.format(requested), PartitionSet.format(held)])
  }

  it("mean the newest window with all names by the latest", () => {
    assert.deepStrictEqual(requested(AutomationCondition.inLatestWindow()), [["2024-03-05|*", "none"]])
    assert.deepStrictEqual(requested(AutomationCondition.inLatestWindow(2)), [["2024-03-04..2024-03-05|*", "none"]])
  })

  it("are closed by the end of the window", () => {
    assert.deepStrictEqual(requested(AutomationCondition.missing, Duration.days(2)), [
      ["2024-03-04..2024-03-05|*", "2024-03-02..2024-03-03|*"]
    ])
  })

  it("are asked again when the next window exists", () => {
    assert.strictEqual(Automation.nextOpening(cut("2024-03-02", "eu"), now), Date.parse("2024-03-07T00:00:00Z"))
    const names = Partitions.multi({ region: Partitions.fromKeys(["eu"]), shop: Partitions.fromKeys(["a"]) })
    assert.isUndefined(Automation.nextOpening(names, now))
  })

  it("are remembered as they were", () => {
    const asset = places(cut("2024-03-02", "eu", "us", "apac"))
    const keys = ["2024-03-02|eu", "2024-03-03|eu", "2024-03-04|apac"]
    const set = Result.getOrThrow(PartitionSet.fromKeys(asset.partitions, keys))
    const json = AutomationState.encodeSet(asset, set)
    assert.deepStrictEqual(AutomationState.decodeSet(asset, json, now), set)
    const other = places(cut("2024-03-02", "us", "eu", "apac"))
    assert.deepStrictEqual(AutomationState.decodeSet(other, json, now), Partitions.existing(other.partitions, now))
  })
})
