import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import type * as AssetStatus from "@assay/core/planning/AssetStatus"
import * as IncompleteWindow from "@assay/core/planning/IncompleteWindow"
import * as Plan from "@assay/core/planning/Plan"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const columns = Schema.Struct({ day: Column.date, amount: Column.integer })
const names = Schema.Struct({ store: Column.text, amount: Column.integer })
const write = WriteStrategy.replacePartitions("day", { key: ["day"] })
const build = MaterializationPolicy.make({ incompleteWindows: "build" })
const compute = { sql: () => sql`SELECT DATE '2024-01-01' AS day, 1 AS amount` }

interface Cut {
  readonly partitions: Partitions.TimeWindows
  readonly policy?: MaterializationPolicy.MaterializationPolicy
}

const log = (name: string, cut: Cut) =>
  Asset.make(name, { description: "", columns, inputs: {}, write, compute, ...cut })

const over = (
  name: string,
  upstream: Asset.Asset<string, { readonly day: string; readonly amount: number }>,
  { mapping = PartitionMapping.timeWindows(), ...cut }: Cut & { readonly mapping?: PartitionMapping.TimeWindows }
) =>
  Asset.make(name, {
    description: "",
    columns,
    inputs: { days: Asset.input(upstream, mapping) },
    write,
    compute,
    ...cut
  })

const at = (text: string): number => Date.parse(text)
const days = log("days", { partitions: Partitions.daily({ start: "2024-01-20" }) })
const months = Partitions.monthly({ start: "2024-01-01", endOffset: 1 })

/** What every existing partition of an asset lacks, in words. */
const lacks = (asset: Asset.Asset, now: number) =>
  IncompleteWindow.find(asset, Partitions.existing(asset.partitions, now), now).map(IncompleteWindow.format)

const waits = (asset: Asset.Asset, now: number) =>
  Array.from(PartitionSet.keys(IncompleteWindow.waiting(asset, Partitions.existing(asset.partitions, now), now)))

describe("a partition without some of its upstream windows", () => {
  it("waits for windows before the upstream's start for ever, and for those to come until they exist (Verifies: L7)", () => {
    const monthly = over("monthly", days, { partitions: months })
    const now = at("2024-03-05T12:00:00Z")
    assert.deepStrictEqual(lacks(monthly, now), [
      "2024-01-01 waits for days 2024-01-01..2024-01-19, which lie before its start",
      "2024-03-01 waits for days 2024-03-05..2024-03-31, which will all exist at 2024-04-01T00:00:00.000Z"
    ])
    assert.deepStrictEqual(waits(monthly, now), ["2024-01-01", "2024-03-01"])
    assert.deepStrictEqual(waits(monthly, at("2024-03-31T23:59:59Z")), ["2024-01-01", "2024-03-01"])
    assert.deepStrictEqual(waits(monthly, at("2024-04-01T00:00:00Z")), ["2024-01-01", "2024-04-01"])
  })

  it("is built all the same where the policy says so, and then names nothing it waits for", () => {
    const monthly = over("monthly", days, { partitions: months, policy: build })
    const now = at("2024-03-05T12:00:00Z")
    assert.deepStrictEqual(waits(monthly, now), [])
    assert.strictEqual(lacks(monthly, now).length, 2)
  })

  it("waits for windows behind the upstream's end (Verifies: L7)", () => {
    const ended = log("ended", { partitions: Partitions.daily({ start: "2024-01-01", end: "2024-02-10" }) })
    const monthly = over("monthly", ended, { partitions: Partitions.monthly({ start: "2024-01-01" }) })
    assert.deepStrictEqual(lacks(monthly, at("2024-04-01T00:00:00Z")), [
      "2024-02-01..2024-03-01 wait for ended 2024-02-10..2024-03-31, which lie behind its end"
    ])
  })

  it("knows when a window exists that is held back, or that exists before its end", () => {
    const now = at("2024-03-05T12:00:00Z")
    const coming = (endOffset: number) => {
      const upstream = log("upstream", { partitions: Partitions.daily({ start: "2024-03-01", endOffset }) })
      const next = PartitionMapping.timeWindows({ endOffset: 1 })
      return lacks(
        over("reader", upstream, { mapping: next, partitions: Partitions.daily({ start: "2024-03-04" }) }),
        now
      )
    }
    assert.deepStrictEqual(coming(1), [])
    assert.deepStrictEqual(coming(0), [
      "2024-03-04 waits for upstream 2024-03-05, which will exist at 2024-03-06T00:00:00.000Z"
    ])
    assert.deepStrictEqual(coming(-1), [
      "2024-03-04 waits for upstream 2024-03-04..2024-03-05, which will all exist at 2024-03-07T00:00:00.000Z"
    ])
  })

  it("reaches back over the upstream's start where it begins in its range, whatever else is asked (Verifies: L7)", () => {
    const mapping = PartitionMapping.timeWindows({ startOffset: -6 })
    const now = at("2024-02-01T00:00:00Z")
    const trailing = over("trailing", days, { mapping, partitions: Partitions.daily({ start: "2024-01-18" }) })
    assert.deepStrictEqual(waits(trailing, now), ["2024-01-18", "2024-01-19"])
    const one = Result.getOrThrow(PartitionSet.fromKeys(trailing.partitions, ["2024-01-21"]))
    assert.deepStrictEqual(IncompleteWindow.find(trailing, one, now), [])
  })

  it("tells those that reach back over the start from those that wait for what is to come (Verifies: L7)", () => {
    const mapping = PartitionMapping.timeWindows({ startOffset: -6, endOffset: 1 })
    const around = over("around", days, { mapping, partitions: Partitions.daily({ start: "2024-01-18" }) })
    assert.deepStrictEqual(lacks(around, at("2024-01-22T00:00:00Z")), [
      "2024-01-18..2024-01-19 wait for days 2024-01-12..2024-01-19, which lie before its start",
      "2024-01-21 waits for days 2024-01-22, which will exist at 2024-01-23T00:00:00.000Z"
    ])
  })

  it("waits where its upstream partitions wait themselves, also behind a view (Verifies: L7)", () => {
    const now = at("2024-03-05T12:00:00Z")
    const weekly = over("weekly", days, { partitions: Partitions.weekly({ start: "2024-01-01" }) })
    const quarterly = over("quarterly", weekly, { partitions: Partitions.monthly({ start: "2024-02-01" }) })
    assert.deepStrictEqual(waits(weekly, now), ["2024-01-01", "2024-01-08", "2024-01-15"])
    assert.deepStrictEqual(waits(quarterly, now), [])
    const early = over("early", weekly, { partitions: Partitions.monthly({ start: "2024-01-01" }) })
    assert.deepStrictEqual(lacks(early, now), [
      "2024-01-01 waits for weekly 2024-01-01..2024-01-15, which wait themselves"
    ])
    const view = Asset.make("view", {
      description: "",
      columns,
      partitions: Partitions.daily({ start: "2024-01-01" }),
      inputs: { days: Asset.input(days, PartitionMapping.identity) },
      write: WriteStrategy.view,
      compute
    })
    const behind = Asset.make("behind", {
      description: "",
      columns,
      partitions: months,
      inputs: { view: Asset.input(view, PartitionMapping.timeWindows()) },
      write,
      compute
    })
    assert.deepStrictEqual(
      lacks(behind, now)[1],
      "2024-01-01 waits for days 2024-01-01..2024-01-19, which lie before its start"
    )
    assert.deepStrictEqual(waits(behind, now), ["2024-01-01", "2024-03-01"])
  })

  it("waits for a name that its upstream does not have", () => {
    const stores = (...keys: ReadonlyArray<string>) =>
      ({
        description: "",
        columns: names,
        partitions: Partitions.fromKeys(keys),
        write: WriteStrategy.replacePartitions("store", { key: ["store"] }),
        compute
      }) as const
    const upstream = Asset.make("upstream", { ...stores("a", "b"), inputs: {} })
    const reader = Asset.make("reader", {
      ...stores("a", "b", "c"),
      inputs: { all: Asset.input(upstream, PartitionMapping.identity) }
    })
    assert.deepStrictEqual(lacks(reader, 0), ["c waits for upstream c, which is not one of its partitions"])
  })
})

describe("a plan", () => {
  const monthly = over("monthly", days, { partitions: months })
  const now = at("2024-03-05T12:00:00Z")
  const existing = Partitions.existing(months, now)
  const status: AssetStatus.AssetStatus = {
    asset: monthly,
    isBuilt: true,
    whole: undefined,
    existing,
    built: existing,
    stale: existing,
    withdrawn: [],
    causes: [],
    marked: [{ cause: { _tag: "Upstream", asset: "days" }, partitions: existing }]
  }
  const planned = (wanted: PartitionSet.PartitionSet, isForced: boolean) =>
    Plan.make(
      [
        {
          target: { asset: monthly, isNamed: true, partitions: wanted, isForced },
          status,
          deliveries: []
        }
      ],
      { now, isRehearsed: false }
    )

  it.each([false, true])("leaves out what waits and says for what, forced: %s (Verifies: L7)", (isForced) => {
    assert.deepStrictEqual(Plan.explain(planned(existing, isForced)), [
      `  1. monthly  1 month of 3 (2024-02-01), because ${isForced ? "forced; " : ""}days changed`,
      "              2024-01-01 waits for days 2024-01-01..2024-01-19, which lie before its start",
      "              2024-03-01 waits for days 2024-03-05..2024-03-31, which will all exist at 2024-04-01T00:00:00.000Z"
    ])
  })

  it("says so where all of it waits, and has nothing to do", () => {
    const plan = planned(PartitionSet.last(existing), false)
    assert.isTrue(Plan.isEmpty(plan))
    assert.deepStrictEqual(Plan.explain(plan), [
      "  1. monthly  nothing now",
      "              2024-03-01 waits for days 2024-03-05..2024-03-31, which will all exist at 2024-04-01T00:00:00.000Z"
    ])
  })
})
