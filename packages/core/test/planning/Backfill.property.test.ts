/**
 * Backfills over a graph with every kind of edge, worked on by nobody in particular: whatever is chosen, whatever fails,
 * and whichever run ends or dies next, what is requested is right. What is right is told unit by unit, from the mappings
 * read the other way.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as PartitionReach from "@assay/core/PartitionReach"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as Backfill from "@assay/core/planning/Backfill"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

describe("a backfill", () => {
  it.prop(
    "requests what is in its target, once, and in the order of the graph; each unit ends built, or failed and downstream",
    [Script],
    ([script]) => {
      const chance = chances(script)
      const graph = works(chance)
      const failing = new Set(unitsOf(graph).filter(() => chance(6) === 0))
      const stage = opened(graph, chance)
      const { mayBe } = stage
      for (let turn = 0; turn < 2000 && !stage.isOver(); turn++) {
        stage.look()
        const claim = stage.running[chance(stage.running.length)]
        if (claim === undefined) continue
        // A run may die at any moment, with part of its units built.
        const units = Array.from(PartitionSet.keys(claim.units))
        const isDead = chance(4) === 0
        const done = isDead ? units.slice(0, chance(units.length + 1)) : units
        for (const unit of done) stage.settle(claim, unit, failing.has(idOf(claim.asset, unit)))
        stage.end(claim)
      }
      assert.isTrue(stage.isOver(), "it comes to its end")
      for (const { asset, built, failed, target } of stage.parts()) {
        for (const unit of PartitionSet.keys(target)) {
          const isLost = [idOf(asset, unit), ...stage.needsOf(asset, unit)].some(
            (id) => mayBe.has(id) && failing.has(id)
          )
          assert.strictEqual(PartitionSet.has(failed, unit), isLost, `${asset.name} ${unit} failed`)
          assert.strictEqual(PartitionSet.has(built, unit), !isLost, `${asset.name} ${unit} built`)
        }
        const own = stage.parts().find((part) => part.asset === asset)
        const tried = own === undefined ? [] : Array.from(PartitionSet.keys(Backfill.failing(own)))
        assert.isTrue(
          tried.every((unit) => failing.has(idOf(asset, unit))),
          "only what was tried has a reason"
        )
      }
      // Tried again when nothing fails any more, all of it is built.
      stage.retry()
      for (let turn = 0; turn < 2000 && !stage.isOver(); turn++) {
        stage.look()
        for (const claim of Array.from(stage.running)) {
          for (const unit of PartitionSet.keys(claim.units)) stage.settle(claim, unit, false)
          stage.end(claim)
        }
      }
      for (const { built, target } of stage.parts()) assert.isTrue(PartitionSet.equals(built, target))
    },
    { arbitrary: { runs: 150 } }
  )
})

// --- internal ---

const Script = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))).check(
  Schema.isMinLength(40),
  Schema.isMaxLength(400)
)

type Chance = (among: number) => number

/** Numbers below a bound, one after the other; the script begins again where it ends, but not the same way. */
const chances = (script: ReadonlyArray<number>): Chance => {
  let turn = 0
  return (among) => {
    const number = (script[turn % script.length] ?? 0) + 7 * Math.floor(turn / script.length)
    turn += 1
    return among <= 0 ? 0 : number % among
  }
}

const now = Date.parse("2024-05-01T00:00:00Z")

const columns = Schema.Struct({ day: Column.date, week: Column.date, amount: Column.integer })
const compute = { sql: () => sql`SELECT 1` }
const byDay = WriteStrategy.replacePartitions("day", { key: ["day"] })
const days = Partitions.daily({ start: "2024-03-01", end: "2024-03-15" })

/** Two chains that meet, over a keyed table, a view and a week; steps and pools of any size. */
const works = (chance: Chance): AssetGraph.AssetGraph => {
  const policy = () =>
    MaterializationPolicy.make({
      stepSize: 1 + chance(3),
      incompleteWindows: "build",
      ...(chance(3) === 0 ? { pool: "narrow" } : {})
    })
  const daily = { description: "", columns, partitions: days, write: byDay, compute }
  const one = Asset.make("one", { ...daily, policy: policy(), inputs: {} })
  const two = Asset.make("two", {
    ...daily,
    policy: policy(),
    inputs: { one: Asset.input(one, PartitionMapping.identity) }
  })
  const trend = Asset.make("trend", {
    ...daily,
    policy: policy(),
    inputs: { two: Asset.input(two, PartitionMapping.timeWindows({ startOffset: -2 })) }
  })
  const seen = Asset.make("seen", {
    description: "",
    columns,
    partitions: days,
    inputs: { two: Asset.input(two, PartitionMapping.identity) },
    write: WriteStrategy.view,
    compute
  })
  const weeks = Asset.make("weeks", {
    description: "",
    columns,
    partitions: Partitions.weekly({ start: "2024-03-04", end: "2024-03-18" }),
    inputs: {
      seen: Asset.input(seen, PartitionMapping.timeWindows()),
      trend: Asset.input(trend, PartitionMapping.timeWindows())
    },
    write: WriteStrategy.replacePartitions("week", { key: ["week"] }),
    policy: policy(),
    compute
  })
  const table = Asset.make("table", {
    description: "",
    columns,
    inputs: { one: Asset.input(one, PartitionMapping.byColumn("day")) },
    write: WriteStrategy.replace({ key: ["day"] }),
    policy: policy(),
    compute
  })
  const last = Asset.make("last", {
    ...daily,
    policy: policy(),
    inputs: {
      table: Asset.input(table, PartitionMapping.byColumn("day")),
      trend: Asset.input(trend, PartitionMapping.identity)
    }
  })
  return AssetGraph.fromIterable([one, two, trend, seen, weeks, table, last])
}

const idOf = (asset: Asset.Asset, unit: string): string => `${asset.name} ${unit}`

const unitsOf = (graph: AssetGraph.AssetGraph): ReadonlyArray<string> =>
  Array.from(graph.assets.values()).flatMap((asset) => everyUnit(asset).map((unit) => idOf(asset, unit)))

const everyUnit = (asset: Asset.Asset): ReadonlyArray<string> =>
  Array.from(
    PartitionSet.keys(PartitionSet.all(asset.write._tag === "View" ? asset.partitions : Backfill.cutOf(asset)))
  )

/** A backfill of some units of some assets, with what is asked of everything that it requests. */
const opened = (graph: AssetGraph.AssetGraph, chance: Chance) => {
  const maxConcurrent = 1 + chance(3)
  const targets = Array.from(graph.assets.values()).flatMap((asset) => {
    const chosen = everyUnit(asset).filter(() => chance(4) > 0)
    if (asset.write._tag === "View" || chance(4) === 0 || chosen.length === 0) return []
    return [{ asset, target: Result.getOrThrow(PartitionSet.fromKeys(Backfill.cutOf(asset), chosen)) }]
  })
  const mayBe = new Set(
    targets.flatMap(({ asset, target }) => Array.from(PartitionSet.keys(target), (unit) => idOf(asset, unit)))
  )
  const parts = new Map(
    targets.map(({ asset, target }) => {
      const none = PartitionSet.empty(target.partitions)
      const part: Backfill.Part = {
        asset,
        target,
        requested: none,
        built: none,
        failed: none,
        failures: [],
        holder: undefined
      }
      return [asset.name, part] as const
    })
  )
  const running: Array<Backfill.Claim> = []
  const known = new Map<string, ReadonlyArray<string>>()

  /** Everything upstream of a unit, however far, told by the mappings read upwards. */
  const needsOf = (asset: Asset.Asset, unit: string): ReadonlyArray<string> => {
    const id = idOf(asset, unit)
    const found = known.get(id)
    if (found !== undefined) return found
    const needs = asset.inputs.flatMap(({ asset: upstream, mapping }) => {
      const partitions = asset.write._tag === "View" ? asset.partitions : Backfill.cutOf(asset)
      const above =
        partitions._tag === "Unpartitioned" || upstream.partitions._tag === "Unpartitioned"
          ? undefined
          : PartitionReach.upstream(mapping, {
              downstream: PartitionSet.fromKnownKeys(partitions, [unit]),
              upstream: upstream.partitions
            })
      const units = above === undefined ? everyUnit(upstream) : Array.from(PartitionSet.keys(above))
      return units.flatMap((one) => [idOf(upstream, one), ...needsOf(upstream, one)])
    })
    known.set(id, needs)
    return needs
  }

  const isBuilt = (id: string): boolean => {
    const [name = "", unit = ""] = id.split(" ")
    const part = parts.get(name)
    return part !== undefined && PartitionSet.has(part.built, unit)
  }

  const look = (): void => {
    const decision = Backfill.decide(Array.from(parts.values()), { graph, maxConcurrent, now })
    for (const part of decision.parts) parts.set(part.asset.name, part)
    for (const claim of decision.claims) {
      const part = parts.get(claim.asset.name)
      if (part === undefined) return assert.fail(`${claim.asset.name} is not part of it`)
      assert.isTrue(PartitionSet.isSubset(claim.units, part.target), "nothing outside of the target")
      assert.isUndefined(part.holder, "one run of an asset at a time")
      assert.isAtMost(PartitionSet.size(claim.units), claim.asset.policy.stepSize * Backfill.stepsPerRun)
      for (const unit of PartitionSet.keys(claim.units)) {
        assert.isFalse(PartitionSet.has(part.built, unit) || PartitionSet.has(part.failed, unit), "nothing twice")
        for (const need of needsOf(claim.asset, unit))
          assert.isTrue(!mayBe.has(need) || isBuilt(need), `${claim.asset.name} ${unit} before ${need}`)
      }
      running.push(claim)
      parts.set(claim.asset.name, { ...part, holder: { runId: "run", process: "process" } })
    }
    assert.isAtMost(running.length, maxConcurrent)
    const pools = running.flatMap(({ asset }) => asset.policy.pool ?? [])
    assert.lengthOf(new Set(pools), pools.length, "one run of a pool at a time")
  }

  const change = (asset: Asset.Asset, how: (part: Backfill.Part) => Backfill.Part): void => {
    const part = parts.get(asset.name)
    if (part === undefined) return
    // As it is stored.
    const next = Result.getOrThrow(Backfill.decode(Backfill.encode(how(part)), asset))
    const { built, failed, requested, target } = next
    assert.isTrue(PartitionSet.isEmpty(PartitionSet.intersection(built, failed)), "nothing is built and failed")
    assert.isTrue(PartitionSet.isSubset(PartitionSet.union(requested, PartitionSet.union(built, failed)), target))
    parts.set(asset.name, next)
  }

  return {
    mayBe,
    running,
    needsOf,
    look,
    parts: () => Array.from(parts.values()),
    isOver: () => running.length === 0 && Backfill.isDone(Array.from(parts.values())),
    settle: ({ asset }: Backfill.Claim, unit: string, isFailing: boolean) =>
      change(asset, (part) => {
        const units = PartitionSet.fromKnownKeys(part.target.partitions, [unit])
        return isFailing
          ? Backfill.failed(part, { units, reason: "DataQuality", message: `${unit} is wrong` })
          : Backfill.built(part, units)
      }),
    end: (claim: Backfill.Claim) => {
      change(claim.asset, Backfill.released)
      running.splice(running.indexOf(claim), 1)
    },
    retry: () => {
      for (const { asset } of Array.from(parts.values())) change(asset, Backfill.retried)
    }
  }
}
