import type * as AssetGraph from "@assay/core/AssetGraph"
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Path from "node:path"
import * as Prng from "../oracle/Prng.ts"
import * as Recompute from "../oracle/Recompute.ts"
import { seeds } from "../oracle/Seeds.ts"
import { layer as layerDisturbance } from "../shop/Disturbance.ts"
import * as Crew from "./Crew.ts"
import * as OrderFeed from "./OrderFeed.ts"
import * as Sighting from "./Sighting.ts"
import * as Site from "./Site.ts"
import * as Stock from "./Stock.ts"

const posts: ReadonlyArray<Crew.Post> = [
  { name: "runner1", role: "runner", stepSize: 2, concurrency: 4, connections: 3, lives: [40, 300] },
  { name: "runner2", role: "runner", stepSize: 7, concurrency: 4, connections: 2, lives: [170, 90] },
  { name: "runner3", role: "runner", stepSize: 1000, concurrency: 1, connections: 1, lives: [60], only: "gold_daily" },
  { name: "runner4", role: "runner", stepSize: 20, concurrency: 2, connections: 2, lives: [230], pool: "one" },
  { name: "lander1", role: "lander", stepSize: 50, concurrency: 1, connections: 1, lives: [25, 70] },
  { name: "lander2", role: "lander", stepSize: 50, concurrency: 1, connections: 1, lives: [] }
]

it.layer(Site.layer, { excludeTestServices: true, timeout: Duration.minutes(1) })(
  "four runners and two landers",
  (it) => {
    for (const seed of seeds(1)) {
      it.effect(
        `leave the shop exact, and a reader beside them never sees a part of it; seed ${seed} (Verifies: L1, L2, L3, L4, L8, L9, L10)`,
        () =>
          Effect.gen(function* () {
            const site = yield* Site.make({
              environment: `shop${seed}`,
              instant: Stock.noon,
              graph: (folder) => Stock.graph({ folder })
            })
            OrderFeed.open(site.folder)
            const { assay, context } = yield* site.open()
            yield* assay.status()

            const seen = { sightings: 0, waits: 0 }
            const anchored = yield* anchors
            const filled = new Set<string>()
            let landed = 0
            const look = Effect.gen(function* () {
              const [sighting, waiting] = yield* Sighting.take(assay.graph, Crew.waits)
              const bronze = sighting.tables.get("bronze_orders") ?? []
              const contradictions = [
                ...unsound(assay.graph, sighting),
                ...emptied(assay.graph, sighting, { anchored, filled }),
                ...Sighting.miscounted(assay.graph, sighting, Recompute.unitOf),
                ...Sighting.misshapen(sighting.tables.get("dim_customer") ?? [], "customer"),
                ...(bronze.length < landed ? [`bronze_orders has ${bronze.length} rows and had ${landed}`] : [])
              ]
              landed = bronze.length
              seen.sightings += 1
              seen.waits += waiting.length
              if (contradictions.length > 0)
                return yield* Effect.die(new Error([sighting.moment, ...contradictions.slice(0, 20)].join("\n")))
            }).pipe(Effect.provideContext(context))

            const tally = yield* Effect.raceFirst(
              Crew.work({
                program: Path.join(import.meta.dirname, "shopWorker.ts"),
                posts,
                given: site,
                random: Prng.make(seed),
                compileCache: site.compileCache,
                killEvery: 61,
                isEnough: ({ deliveries, killed, steps }) => steps >= 300 && deliveries >= 40 && killed >= 8
              }),
              Effect.forever(look)
            )
            const deadlocks = yield* Crew.deadlocks
            console.log(
              `${Crew.describe(tally)}; ${seen.sightings} sightings with ${seen.waits} waits for locks, ${deadlocks} deadlocks`
            )
            assert.deepStrictEqual(tally.failures, [])

            OrderFeed.close(site.folder)
            // Later than the last sign of life of any process that was killed.
            yield* Site.assertDrained(assay).pipe(site.at(10))
            yield* Site.assertEnded(assay, tally.killed)
            yield* Site.assertCounted(assay)
            const [{ tables }] = yield* Sighting.take(assay.graph, Effect.void).pipe(Effect.provideContext(context))
            const bronze = tables.get("bronze_orders") ?? []
            const { landed: wanted, nameOf, rejected } = OrderFeed.delivered(site.folder)
            const named = (rows: ReadonlyArray<{ readonly origin: string; readonly line: number }>) =>
              rows.map(({ line, origin }) => nameOf(origin, line)).toSorted()
            assert.deepStrictEqual(
              named(bronze.map(({ line, origin }) => ({ origin: origin ?? "", line: Number(line) }))),
              wanted.toSorted()
            )
            assert.deepStrictEqual(named(yield* assay.quarantined({ limit: 100_000 })), rejected.toSorted())
            const recomputed = Recompute.chain(bronze, Date.parse(Stock.noon))
            for (const [name, rows] of recomputed)
              assert.deepStrictEqual(Recompute.canonical(tables.get(name) ?? []), Recompute.canonical(rows), name)
          }).pipe(Effect.scoped, Effect.provide(layerDisturbance))
      )
    }
  }
)

// --- what every sighting has to obey ---

/** The units that the opening alone fills, by asset: whatever else is said, they are never empty again. */
const anchors = Effect.sync(() => {
  const bronze = OrderFeed.opening.map((line): Recompute.Row => {
    const [order_id, customer, store, amount, tier, ordered_at, seen_at] = line.split(",").map((cell) => cell || null)
    return {
      order_id: order_id ?? null,
      customer: customer ?? null,
      store: store ?? null,
      amount: amount ?? null,
      tier: tier ?? null,
      ordered_at: ordered_at ?? null,
      seen_at: seen_at ?? null,
      is_deleted: "false"
    }
  })
  const tables = Recompute.chain(bronze, Date.parse(Stock.noon))
  return Array.from(tables).flatMap(([asset, rows]) =>
    asset === "bronze_orders" || asset === "busy_days"
      ? []
      : Array.from(new Set(rows.map((row) => Recompute.unitOf(asset, row))), (unit) => ({ asset, unit }))
  )
})

/** Fresh units that differ from their recompute from the upstream tables as they are in the same sighting (L2). */
const unsound = (graph: AssetGraph.AssetGraph, { isFresh, tables }: Sighting.Sighting): ReadonlyArray<string> =>
  Array.from(graph.assets.values(), (asset) => {
    const compute = Recompute.naive[asset.name]
    if (compute === undefined || !Sighting.isBuilt(asset)) return []
    const fresh = (rows: ReadonlyArray<Recompute.Row>) =>
      Recompute.canonical(rows.filter((row) => isFresh(asset, Recompute.unitOf(asset.name, row))))
    const found = fresh(tables.get(asset.name) ?? [])
    const wanted = fresh(compute((name) => tables.get(name) ?? [], Date.parse(Stock.noon)))
    const surplus = without(found, wanted)
    const missing = without(wanted, found)
    return surplus.length + missing.length === 0
      ? []
      : [`fresh units of ${asset.name}: surplus ${surplus.join(" ")}, missing ${missing.join(" ")}`]
  }).flat()

/** Units that were there once, cannot have become empty since, and are empty (L9). */
const emptied = (
  graph: AssetGraph.AssetGraph,
  { tables }: Sighting.Sighting,
  options: {
    readonly anchored: ReadonlyArray<{ readonly asset: string; readonly unit: string }>
    readonly filled: Set<string>
  }
): ReadonlyArray<string> => {
  const present = new Set(
    Array.from(graph.assets.keys()).flatMap((asset) =>
      (tables.get(asset) ?? []).map((row) => JSON.stringify([asset, Recompute.unitOf(asset, row)]))
    )
  )
  return options.anchored.flatMap(({ asset, unit }) => {
    const key = JSON.stringify([asset, unit])
    if (present.has(key)) options.filled.add(key)
    return options.filled.has(key) && !present.has(key) ? [`${unit} of ${asset} is empty`] : []
  })
}

/** One text after the other taken out of a multiset. */
const without = (texts: ReadonlyArray<string>, taken: ReadonlyArray<string>): ReadonlyArray<string> => {
  const left = new Map<string, number>()
  for (const text of taken) left.set(text, (left.get(text) ?? 0) + 1)
  return texts.filter((text) => {
    const count = left.get(text) ?? 0
    left.set(text, count - 1)
    return count <= 0
  })
}
