import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import type { Only } from "@assay/core/Backfill"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import type * as AssetStatus from "@assay/core/planning/AssetStatus"
import * as Backfill from "@assay/core/planning/Backfill"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const columns = Schema.Struct({ day: Column.date, amount: Column.integer })
const compute = { sql: () => sql`SELECT 1` }
const now = Date.parse("2024-06-01T00:00:00Z")

const days = (end: string) =>
  Asset.make("days", {
    description: "",
    columns,
    inputs: {},
    partitions: Partitions.daily({ start: "2024-01-01", end }),
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    policy: MaterializationPolicy.make({ stepSize: 1 }),
    compute
  })

const asset = days("2024-05-01")
const table = Asset.make("table", {
  description: "",
  columns,
  inputs: { days: Asset.input(asset, PartitionMapping.all) },
  write: WriteStrategy.replace({ key: ["day"] }),
  compute
})

const setOf = (text: string) =>
  text === ""
    ? PartitionSet.empty(asset.partitions)
    : Result.getOrThrow(
        PartitionSet.parse(text, {
          partitions: asset.partitions,
          existing: Partitions.existing(asset.partitions, now),
          now
        })
      )

const statusOf = (built: string, stale: string): AssetStatus.AssetStatus => ({
  asset,
  isBuilt: built !== "",
  whole: undefined,
  existing: Partitions.existing(asset.partitions, now),
  built: setOf(built),
  stale: setOf(stale),
  withdrawn: [],
  causes: [],
  marked: []
})

const part = (fields: Partial<Backfill.Part> = {}): Backfill.Part => {
  const none = setOf("")
  return {
    asset,
    target: setOf("2024-02"),
    requested: none,
    built: none,
    failed: none,
    failures: [],
    holder: undefined,
    ...fields
  }
}

describe("a proposal", () => {
  const proposed = (only: ReadonlyArray<Only>, failed = "") =>
    Backfill.propose(statusOf("2024-01..2024-03", "2024-03-01..2024-03-10"), {
      units: setOf("2024-03..2024-04"),
      only,
      lastStep: undefined,
      failed: setOf(failed),
      now
    })

  it("is everything that is asked for, or what of it is in one of the states asked for", () => {
    const targetOf = (...args: Parameters<typeof proposed>) => {
      const found = proposed(...args)
      return found === undefined ? undefined : PartitionSet.format(found.target)
    }
    assert.strictEqual(targetOf([]), "2024-03-01..2024-04-30")
    assert.strictEqual(targetOf(["missing"]), "2024-04-01..2024-04-30")
    assert.strictEqual(targetOf(["stale"]), "2024-03-01..2024-03-10")
    assert.strictEqual(targetOf(["missing", "stale"]), "2024-03-01..2024-03-10, 2024-04-01..2024-04-30")
    assert.strictEqual(targetOf(["failed"]), undefined)
    // Of what an earlier backfill has not built, only what nobody has built since.
    assert.strictEqual(targetOf(["failed"], "2024-03-09..2024-03-12"), "2024-03-09..2024-03-10")
  })

  it("counts what was never built, what is stale and what is fresh, and says where much is built again", () => {
    const found = proposed([])
    assert.deepStrictEqual([found?.missing, found?.stale, found?.fresh, found?.isMuch], [30, 10, 21, true])
    assert.isFalse(proposed(["stale"])?.isMuch, "few, whatever their share")
    assert.isFalse(proposed(["missing"])?.isMuch, "nothing of it is built")
    const whole = PartitionSet.all(Partitions.unpartitioned)
    const isMuch = (built: PartitionSet.PartitionSet) =>
      Backfill.propose(
        { ...statusOf("", ""), asset: table, existing: whole, built, stale: PartitionSet.empty(whole.partitions) },
        { units: whole, only: [], lastStep: undefined, failed: PartitionSet.empty(whole.partitions), now }
      )?.isMuch
    assert.deepStrictEqual([isMuch(whole), isMuch(PartitionSet.empty(whole.partitions))], [true, false])
  })
})

describe("a decision", () => {
  it("hands out as much as one run may have, and nothing while that run is under way", () => {
    const graph = AssetGraph.make([asset])
    const options = { graph, maxConcurrent: 4, now }
    const { claims, parts } = Backfill.decide([part()], options)
    assert.deepStrictEqual(
      claims.map(({ units }) => PartitionSet.format(units)),
      [`2024-02-01..2024-02-${Backfill.stepsPerRun}`]
    )
    const holder = { runId: "r", process: "p" }
    assert.deepStrictEqual(
      Backfill.decide(
        parts.map((one) => ({ ...one, holder })),
        options
      ),
      { parts: [], claims: [] }
    )
  })
})

describe("a part", () => {
  const failure = (units: string, message: string) => ({ units: setOf(units), reason: "DataQuality", message })

  it("keeps failures by kind, and forgets those of what is built after all", () => {
    const first = Backfill.failed(part(), failure("2024-02-03", "wrong"))
    const second = Backfill.failed(first, failure("2024-02-05", "wrong"))
    const third = Backfill.failed(second, failure("2024-02-04, 2024-03-01", "other"))
    assert.deepStrictEqual(
      third.failures.map(({ message, units }) => [message, PartitionSet.format(units)]),
      [
        ["wrong", "2024-02-03, 2024-02-05"],
        ["other", "2024-02-04"]
      ]
    )
    const built = Backfill.built(third, setOf("2024-02-03..2024-02-04"))
    assert.deepStrictEqual(
      built.failures.map(({ message, units }) => [message, PartitionSet.format(units)]),
      [["wrong", "2024-02-05"]]
    )
    assert.isTrue(PartitionSet.equals(built.failed, setOf("2024-02-05")))
    // What is built stays so, whoever comes late with bad news.
    assert.deepStrictEqual(Backfill.failed(built, failure("2024-02-03", "late")), built)
  })

  it("tells so many kinds of failures apart and no more, and loses no unit", () => {
    const wide = days("2024-04-01")
    const target = PartitionSet.all(wide.partitions)
    const none = PartitionSet.empty(wide.partitions)
    const failed = Array.from(PartitionSet.keys(target)).reduce<Backfill.Part>(
      (next, unit) =>
        Backfill.failed(next, {
          units: PartitionSet.fromKnownKeys(wide.partitions, [unit]),
          reason: "DataQuality",
          message: `${unit} is wrong`
        }),
      { asset: wide, target, requested: none, built: none, failed: none, failures: [], holder: undefined }
    )
    assert.lengthOf(failed.failures, Backfill.maxFailures)
    assert.strictEqual(failed.failures.at(-1)?.reason, "Various")
    assert.isTrue(PartitionSet.equals(Backfill.failing(failed), target))
  })

  it("is not read where the asset was cut otherwise", () => {
    const stored = Backfill.encode(part())
    const read = Backfill.decodeAll([stored], AssetGraph.make([days("2024-04-01")]))
    assert.include(Result.isFailure(read) ? read.failure.message : "", '"days" was cut into other partitions then')
    const gone = Backfill.decodeAll([stored], AssetGraph.make([]))
    assert.include(Result.isFailure(gone) ? gone.failure.message : "", '"days" is not in this graph any more')
  })

  it("of dynamic partitions is read by the keys that are left of them", () => {
    const regions = (keys: ReadonlyArray<string>) => {
      const cut = Partitions.withKeys(Partitions.dynamic("regions"), () =>
        keys.map((key, place) => ({ key, revision: String(place) }))
      )
      return Asset.make("regions", {
        description: "",
        columns: Schema.Struct({ region: Column.text }),
        inputs: {},
        partitions: cut,
        write: WriteStrategy.replacePartitions("region", { key: ["region"] }),
        compute
      })
    }
    const before = regions(["eu", "us", "apac"])
    const none = PartitionSet.empty(before.partitions)
    const stored = Backfill.encode({
      ...part(),
      asset: before,
      target: PartitionSet.all(before.partitions),
      requested: none,
      built: PartitionSet.fromKnownKeys(before.partitions, ["us"]),
      failed: none
    })
    const after = Result.getOrThrow(Backfill.decode(stored, regions(["latam", "us", "eu"])))
    assert.deepStrictEqual(Array.from(PartitionSet.keys(Backfill.left(after))), ["eu"])
    assert.deepStrictEqual(Array.from(PartitionSet.keys(after.built)), ["us"])
  })
})

describe("the time left", () => {
  it("follows from how it went so far, and is not guessed from nothing", () => {
    assert.strictEqual(Backfill.remaining({ done: 10, left: 30, elapsed: 1000 }), 3000)
    assert.isUndefined(Backfill.remaining({ done: 0, left: 30, elapsed: 1000 }))
    assert.isUndefined(Backfill.remaining({ done: 10, left: 0, elapsed: 1000 }))
  })
})
