/**
 * Random histories of the shop: deliveries of every awkward kind, runs that do a part of what is due, code that
 * changes, time that goes on, processes that die. Whenever something is committed, every fresh unit must equal its
 * recompute (L2); when everything is drained, every table must equal the naive full refresh (L1), and another run must
 * find nothing to do (L6).
 */
import type * as Assay from "@assay/core/Assay"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as FaultPoint from "@assay/core/execution/FaultPoint"
import { Materializations } from "@assay/core/ledger/Materializations"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import { DefinitionFault, type Reason, ResourceExhausted, Transient } from "@assay/core/MaterializationError"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as AssetStatus from "@assay/core/planning/AssetStatus"
import * as PartitionSet from "@assay/core/PartitionSet"
import type { SourceError } from "@assay/core/Source"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Calm, Disturbance, failing } from "../shop/Disturbance.ts"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { open, Time } from "../shop/Storage.ts"
import { lines } from "../shop/Trade.ts"
import * as Prng from "./Prng.ts"
import * as Recompute from "./Recompute.ts"

/** How thoroughly a history is watched: how many events it has, and after which share of commits it is verified. */
export interface Watch {
  readonly events: number
  readonly verified: number
}

/** Lives through the history of a seed. What goes wrong is reported with the seed and with what had happened. */
export const live = (seed: number, watch: Watch) =>
  Effect.gen(function* () {
    const told: Array<string> = []
    const tell = (line: string) => Effect.sync(() => void told.push(line))
    yield* history(Prng.make(seed), watch, tell).pipe(
      Effect.scoped,
      Effect.catchCause((cause) =>
        Effect.die(new Error(`replay with ORACLE_SEED=${seed}\n${told.join("\n")}\n${Cause.pretty(cause)}`))
      )
    )
  })

// --- internal ---

type Service = typeof Assay.Assay.Service

const start = Date.parse("2024-03-04T12:00:00Z")

const history = (random: Prng.Prng, watch: Watch, tell: (line: string) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const feed = yield* Feed.make<Shop.Order>()
    const disturbance = yield* Disturbance
    const time = yield* Time
    const policy = MaterializationPolicy.make({
      retry: Schedule.recurs(3),
      stepSize: random.pick([2, 7, 20, 1000]),
      incompleteWindows: "wait"
    })
    const versions = new Map<string, string>()
    const graph = () =>
      Shop.make({ source: feed.source, policy, cuts: Recompute.cuts, codeVersions: Object.fromEntries(versions) })
    let assay = yield* open(graph())
    const computed = Array.from(assay.graph.assets.values()).flatMap(({ body, name, write }) =>
      body._tag === "Compute" && write._tag !== "View" ? [name] : []
    )
    const parcels: Array<Feed.Parcel<Shop.Order>> = []
    let now = start
    yield* time.set(new Date(now).toISOString())

    const staleSets = yield* StaleSets
    const materializations = yield* Materializations
    const warehouse = yield* Warehouse
    const verify = Effect.suspend(() => Effect.andThen(soundly(assay), naively(assay, now))).pipe(
      Effect.provideService(Calm, true),
      Effect.provideService(StaleSets, staleSets),
      Effect.provideService(Materializations, materializations),
      Effect.provideService(Warehouse, warehouse)
    )
    // What is found within a run is told after it: there it would be taken for a failure of the asset. The naive look
    // takes no snapshot, so it is only for runs that do one thing at a time, alone.
    const found: Array<Cause.Cause<unknown>> = []
    const watching =
      (isStill: boolean) =>
      (point: FaultPoint.Point): Effect.Effect<void> =>
        point.endsWith("afterCommit") && random.chance(watch.verified)
          ? (isStill ? verify : Effect.provideService(soundly(assay), Calm, true)).pipe(
              Effect.catchCause((cause) => Effect.sync(() => void found.push(cause)))
            )
          : Effect.void
    const findings = Effect.suspend(() => {
      const [first] = found
      return first === undefined ? Effect.void : Effect.failCause(first)
    })

    const hand = Effect.fnUntraced(function* (orders: ReadonlyArray<Omit<Shop.Order, "origin" | "line">>) {
      const origin = `parcel ${parcels.length + 1}`
      const cut = random.below(orders.length + 1)
      const batches = [orders.slice(0, cut), orders.slice(cut)].map((part, index) => ({
        rows: lines(origin, part, 1 + index * cut)
      }))
      const kind = random.pick<SourceError["kind"]>(["Transient", "SchemaMismatch"])
      const breaks = random.chance(0.15) ? { breaks: { after: random.below(2), kind } } : {}
      const parcel: Feed.Parcel<Shop.Order> = { origin, batches, ...breaks }
      parcels.push(parcel)
      yield* tell(`deliver ${JSON.stringify(breaks)}`)
      for (const row of batches.flatMap(({ rows }) => rows)) yield* tell(`  ${Object.values(row).join(" ")}`)
      yield* feed.deliver(parcel)
    })

    const deliver = Effect.suspend(() => {
      const again = parcels[random.below(Math.max(1, parcels.length))]
      return hand(
        again !== undefined && random.chance(0.2)
          ? again.batches.flatMap(({ rows }) => rows)
          : Array.from({ length: random.pick([1, 1, 2, 6]) }, () => anOrder(random))
      )
    })

    // A tier that is heard of late changes days on which nothing else changes.
    const hear = Effect.suspend(() =>
      hand([
        {
          ...anOrder(random),
          order_id: `late ${parcels.length}`,
          ordered_at: random.pick(["2024-02-09T23:59:59.999999Z", "2024-02-18T00:30:00.000000Z"]),
          tier: random.pick(["gold", "silver", "iron"]),
          is_deleted: false
        }
      ])
    )

    const drain = Effect.gen(function* () {
      const { outcomes } = yield* assay
        .materialize({ assets: [] })
        .pipe(Effect.provideService(FaultPoint.FaultPoint, watching(false)))
      yield* tell(`drain ${JSON.stringify(outcomes.flatMap(brief))}`)
    })

    const run = Effect.fnUntraced(function* (isAlone: boolean) {
      const names = random.chance(0.2) ? [] : random.some(computed, 0.15)
      const timed = names.length > 0 && names.every((name) => timeCut.has(name))
      const request = {
        assets: names,
        upstream: random.chance(0.75),
        force: random.chance(0.1),
        partitions: timed && random.chance(0.5) ? random.pick(ranges) : undefined
      }
      const dies = random.chance(0.25) ? { at: random.below(60), how: random.pick(["died", "interrupted"]) } : undefined
      const concurrency = 1 + random.below(4)
      yield* tell(`materialize ${JSON.stringify({ ...request, dies, concurrency })}`)
      const passed = yield* Ref.make(0)
      const exit = yield* Effect.exit(
        assay.materialize(request, { concurrency }).pipe(
          Effect.provideService(FaultPoint.FaultPoint, (point) =>
            Effect.gen(function* () {
              yield* watching(isAlone && concurrency === 1)(point)
              if ((yield* Ref.getAndUpdate(passed, (count) => count + 1)) !== dies?.at) return
              return yield* dies.how === "died" ? Effect.die(new Error(`died at ${point}`)) : Effect.interrupt
            })
          )
        )
      )
      if (Exit.isFailure(exit) && !Exit.hasInterrupts(exit)) {
        const error = yield* Effect.flip(exit)
        return yield* error._tag === "InvalidPartitionRange" ? tell("  refused: no such partitions") : Effect.die(error)
      }
      yield* tell(`  ${Exit.isSuccess(exit) ? JSON.stringify(exit.value.outcomes.flatMap(brief)) : "interrupted"}`)
    })

    const materialize = Effect.suspend(() => run(true))

    // Like processes that know nothing of each other.
    const crowd = Effect.suspend(() =>
      Effect.andThen(
        tell("at once:"),
        Effect.all([run(false), run(false), run(false)], { concurrency: 3, discard: true })
      )
    )

    const change = Effect.gen(function* () {
      const name = computed[random.below(computed.length)] ?? "gold_daily"
      versions.set(name, String(Number(versions.get(name) ?? 1) + 1))
      yield* tell(`change ${name}`)
      assay = yield* open(graph())
    })

    const pass = Effect.gen(function* () {
      now += random.pick([1, 5, 24, 24 * 9]) * 3_600_000
      yield* tell(`pass until ${new Date(now).toISOString()}`)
      yield* time.set(new Date(now).toISOString())
    })

    const disturb = Effect.gen(function* () {
      const reason = random.pick<Reason>([
        new Transient({ message: "try again", code: undefined }),
        new ResourceExhausted({ message: "no room", code: undefined }),
        new DefinitionFault({ message: "hopeless", code: undefined })
      ])
      const times = 1 + random.below(5)
      yield* tell(`disturb ${times} × ${reason._tag}`)
      yield* disturbance.set(yield* failing(times, reason))
    })

    const part = Effect.gen(function* () {
      const name = computed[random.below(computed.length)] ?? "gold_daily"
      yield* tell(`run only the part of the graph up to ${name}`)
      const other = yield* open(Shop.only(graph(), name))
      yield* other.materialize({ assets: [] }).pipe(Effect.provideService(FaultPoint.FaultPoint, watching(false)))
    })

    const often = [deliver, deliver, hear, materialize, materialize, drain, crowd] as const
    const events = [...often, ...often, change, pass, disturb, part] as const
    for (let event = 0; event < watch.events; event++) {
      yield* random.pick(events)
      yield* findings
      yield* verify
    }

    for (const { origin } of parcels) yield* feed.mend(origin)
    yield* disturbance.set(Effect.void)
    yield* tell("drain")
    const drained = yield* assay
      .materialize({ assets: [] })
      .pipe(Effect.provideService(FaultPoint.FaultPoint, watching(false)))
    yield* tell(`  ${JSON.stringify(drained.outcomes.flatMap(brief))}`)
    yield* findings
    yield* equal(drained.status, "succeeded", "the last run")
    const bronze = yield* tableOf(assay, "bronze_orders")
    yield* equal(
      bronze
        .map((row) => `${row["origin"]}#${row["line"]}`)
        .toSorted()
        .join(),
      parcels
        .flatMap(({ batches }) => batches.flatMap(({ rows }) => rows.map(({ line, origin }) => `${origin}#${line}`)))
        .toSorted()
        .join(),
      "the rows of the source"
    )
    const wanted = Recompute.chain(bronze, now)
    for (const name of wanted.keys()) {
      yield* same(name, yield* tableOf(assay, name), wanted.get(name) ?? [])
    }
    const strict = (yield* assay.verify({ strict: true })).filter(({ isOk }) => !isOk)
    yield* equal(JSON.stringify(strict), "[]", "verify --strict")
    const again = yield* assay.materialize({ assets: [] })
    yield* equal(JSON.stringify([again.steps, again.runId]), "[0,null]", "another run")
  })

/** Orders that collide: few ids, customers and instants, on the edges of hours, days, weeks, months and of what exists. */
const anOrder = (random: Prng.Prng): Omit<Shop.Order, "origin" | "line"> => ({
  order_id: String(1 + random.below(16)),
  customer: random.pick(["ann", "bob"]),
  store: random.pick(["east", "north", "west", "south"]),
  amount: random.below(4),
  tier: random.pick([null, "gold", "silver"]),
  ordered_at: random.pick(instants),
  seen_at: random.pick(["2024-03-01T00:00:00.000000Z", "2024-03-01T00:00:00.000001Z", "2024-03-02T00:00:00.000000Z"]),
  is_deleted: random.chance(0.15)
})

const instants = [
  "2024-01-05T12:00:00.000000Z",
  "2024-01-31T23:30:00.000000Z",
  "2024-02-01T00:00:00.000000Z",
  "2024-02-09T23:59:59.999999Z",
  "2024-02-10T00:00:00.000000Z",
  "2024-02-10T23:59:59.999999Z",
  "2024-02-17T23:30:00.000000Z",
  "2024-02-18T00:30:00.000000Z",
  "2024-02-29T08:00:00.000000Z",
  "2024-02-29T08:00:00.000001Z",
  "2024-03-01T09:00:00.000000Z",
  "2024-03-03T22:59:59.999999Z",
  "2024-03-03T23:00:00.000000Z",
  "2024-03-04T11:00:00.000000Z",
  "2024-03-04T12:30:00.000000Z",
  "2024-03-05T00:00:00.000000Z",
  "2024-03-05T23:00:00.000000Z",
  "2024-03-14T10:00:00.000000Z",
  "2024-04-01T00:30:00.000000Z"
] as const

const timeCut = new Set([
  "gold_daily",
  "mart_monthly",
  "tier_monthly",
  "hourly_orders",
  "weekly_customers",
  "trailing_week",
  "busy_neighbours"
])

const ranges = ["..2024-02", "2024-02", "2024-03..", "2024-02-15..2024-03-02", "latest"] as const

const brief = ({
  asset,
  error,
  outcome,
  steps
}: {
  readonly asset: string
  readonly error: Error | undefined
  readonly outcome: string
  readonly steps: number
}) =>
  steps === 0 && outcome === "unchanged"
    ? []
    : [`${asset} ${outcome} ${steps}${error === undefined ? "" : ` ${error.message}`}`]

const tableOf = (assay: Service, name: string) =>
  Effect.gen(function* () {
    const asset = AssetGraph.getUnsafe(assay.graph, name)
    const warehouse = yield* Warehouse
    const read = yield* Stream.runCollect(warehouse.rows({ asset, partitions: undefined, limit: undefined }))
    return read.map((row): Recompute.Row =>
      Object.fromEntries(asset.columns.map((column) => [column.name, Column.toText(column, row[column.name] ?? null)]))
    )
  })

/** L2 by the engine's own account. */
const soundly = (assay: Service) =>
  Effect.flatMap(assay.verify(), (verdicts) =>
    equal(JSON.stringify(verdicts.filter(({ isOk }) => !isOk)), "[]", "verify")
  )

/** L2 by the naive one. */
const naively = (assay: Service, now: number) =>
  Effect.gen(function* () {
    const staleSets = yield* StaleSets
    const assets = Array.from(assay.graph.assets.values())
    const statuses = yield* AssetStatus.read({ assets, now: DateTime.makeUnsafe(now) })
    const tables = new Map<string, ReadonlyArray<Recompute.Row>>()
    for (const { name } of assets) tables.set(name, yield* tableOf(assay, name))
    for (const { asset, built, isBuilt, stale, whole } of statuses) {
      const compute = Recompute.naive[asset.name]
      if (compute === undefined) continue
      const marked = new Set((yield* staleSets.units(asset.name)).map(({ unit }) => unit))
      const isCut = asset.write._tag === "ReplacePartitions"
      if (!isCut && (!isBuilt || whole !== undefined)) continue
      const fresh = PartitionSet.difference(built, stale)
      const isFresh = (row: Recompute.Row) => {
        const unit = Recompute.unitOf(asset.name, row)
        return isCut ? PartitionSet.has(fresh, unit) : !marked.has(unit)
      }
      const wanted = compute((name) => tables.get(name) ?? [], now)
      yield* same(
        `fresh units of ${asset.name}`,
        (tables.get(asset.name) ?? []).filter(isFresh),
        wanted.filter(isFresh)
      )
    }
  })

const same = (what: string, found: ReadonlyArray<Recompute.Row>, wanted: ReadonlyArray<Recompute.Row>) => {
  const [a, b] = [Recompute.canonical(found), Recompute.canonical(wanted)]
  const surplus = a.filter((row) => !b.includes(row))
  const missing = b.filter((row) => !a.includes(row))
  return equal(
    JSON.stringify({ rows: a.length, surplus, missing }),
    JSON.stringify({ rows: b.length, surplus: [], missing: [] }),
    what
  )
}

const equal = (found: string, wanted: string, what: string): Effect.Effect<void> =>
  found === wanted ? Effect.void : Effect.die(new Error(`${what}: found ${found}, wanted ${wanted}`))
