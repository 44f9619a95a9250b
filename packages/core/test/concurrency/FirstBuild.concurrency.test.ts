import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Path from "node:path"
import * as Prng from "../oracle/Prng.ts"
import * as Recompute from "../oracle/Recompute.ts"
import { layer as layerDisturbance } from "../shop/Disturbance.ts"
import * as Crew from "./Crew.ts"
import * as OrderFeed from "./OrderFeed.ts"
import * as Sighting from "./Sighting.ts"
import * as Site from "./Site.ts"
import * as Stock from "./Stock.ts"

const runner = { role: "runner", asks: "everything", lives: [] } as const

const crews: ReadonlyArray<{ readonly what: string; readonly posts: ReadonlyArray<Crew.Post> }> = [
  {
    what: "one graph",
    posts: [
      { ...runner, name: "runner1", stepSize: 2, concurrency: 4, connections: 4 },
      { ...runner, name: "runner2", stepSize: 5, concurrency: 4, connections: 2 },
      { ...runner, name: "runner3", stepSize: 1000, concurrency: 1, connections: 1 },
      { ...runner, name: "runner4", stepSize: 20_000, concurrency: 2, connections: 1 }
    ]
  },
  {
    what: "parts of a graph",
    posts: [
      { ...runner, name: "runner1", stepSize: 1000, concurrency: 4, connections: 3 },
      { ...runner, name: "runner2", stepSize: 7, concurrency: 4, connections: 3, only: "trailing_week" },
      { ...runner, name: "runner3", stepSize: 1000, concurrency: 1, connections: 1, only: "tier_records" },
      { ...runner, name: "runner4", stepSize: 3, concurrency: 2, connections: 2, only: "store_ranking" }
    ]
  },
  {
    what: "two environments",
    posts: [
      { ...runner, name: "runner1", stepSize: 1000, concurrency: 4, connections: 3 },
      { ...runner, name: "runner2", stepSize: 7, concurrency: 4, connections: 3 },
      { ...runner, name: "runner3", stepSize: 1000, concurrency: 1, connections: 1, environment: "other" },
      { ...runner, name: "runner4", stepSize: 3, concurrency: 2, connections: 2, environment: "other" }
    ]
  }
]

for (const { posts, what } of crews) {
  it.layer(Site.layer, { excludeTestServices: true })(
    `an empty database in which four processes begin ${what}`,
    (it) => {
      it.effect("holds the exact shop when they have ended, and each row once (Verifies: L1, L3, L4, L8)", () =>
        Effect.gen(function* () {
          const site = yield* Site.make({
            environment: "first",
            instant: Stock.noon,
            graph: (folder) => Stock.graph({ folder })
          })
          OrderFeed.open(site.folder)
          const tally = yield* Crew.work({
            program: Path.join(import.meta.dirname, "shopWorker.ts"),
            posts,
            given: site,
            random: Prng.make(1),
            compileCache: site.compileCache,
            killEvery: Number.POSITIVE_INFINITY,
            // Whoever is told to end has its first run before it.
            isEnough: ({ steps }) => steps > 0
          })
          console.log(Crew.describe(tally))
          assert.deepStrictEqual([tally.failures, tally.killed], [[], 0])
          for (const environment of new Set(posts.map(({ environment }) => environment))) {
            const { assay, context } = yield* site.open(environment)
            yield* Site.assertDrained(assay).pipe(site.at(10))
            yield* Site.assertEnded(assay, 0)
            yield* Site.assertCounted(assay)
            const [{ tables }] = yield* Sighting.take(assay.graph, Effect.void).pipe(Effect.provideContext(context))
            const bronze = tables.get("bronze_orders") ?? []
            assert.strictEqual(bronze.length, OrderFeed.opening.length)
            for (const [name, rows] of Recompute.chain(bronze, Date.parse(Stock.noon)))
              assert.deepStrictEqual(Recompute.canonical(tables.get(name) ?? []), Recompute.canonical(rows), name)
          }
        }).pipe(Effect.scoped, Effect.provide(layerDisturbance))
      )
    }
  )
}
