import * as Column from "@assay/core/Column"
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Path from "node:path"
import * as Crew from "../../../core/test/concurrency/Crew.ts"
import * as Sighting from "../../../core/test/concurrency/Sighting.ts"
import * as Site from "../../../core/test/concurrency/Site.ts"
import * as Prng from "../../../core/test/oracle/Prng.ts"
import { seeds } from "../../../core/test/oracle/Seeds.ts"
import * as Recompute from "../oracle/Recompute.ts"
import * as Books from "./Books.ts"

const posts: ReadonlyArray<Crew.Post> = [
  { name: "runner1", role: "runner", stepSize: 40, concurrency: 4, connections: 3, lives: [90] },
  { name: "runner2", role: "runner", stepSize: 300, concurrency: 4, connections: 2, lives: [40, 200] },
  { name: "runner3", role: "runner", stepSize: 20_000, concurrency: 1, connections: 1, lives: [140] },
  { name: "runner4", role: "runner", stepSize: 1000, concurrency: 2, connections: 2, lives: [], pool: "one" },
  { name: "lander1", role: "lander", stepSize: 1000, concurrency: 1, connections: 1, lives: [30] },
  { name: "lander2", role: "lander", stepSize: 1000, concurrency: 1, connections: 1, lives: [] }
]

const unitOf = (asset: string, row: Recompute.Texts): string => {
  const columns: { readonly [asset: string]: string } = {
    gold_revenue: "revenue_date",
    mart_revenue_monthly: "revenue_month",
    mart_mrr_monthly: "mrr_month"
  }
  return row[columns[asset] ?? ""] ?? "*"
}

const tableOf = {
  silver_events: "silver",
  dim_customer: "dim",
  gold_revenue: "gold",
  mart_revenue_monthly: "martRevenue",
  mart_mrr_monthly: "martMrr"
} as const satisfies { readonly [asset: string]: keyof Recompute.Tables }

it.layer(Site.layer, { excludeTestServices: true, timeout: Duration.minutes(1) })(
  "four runners and two landers",
  (it) => {
    for (const seed of seeds(1)) {
      it.effect(
        `leave the billing warehouse exact, and a reader beside them never sees a part of it; seed ${seed} (Verifies: L1, L2, L3, L4, L8, L9, L10)`,
        () =>
          Effect.gen(function* () {
            const random = Prng.make(seed)
            const site = yield* Site.make({ environment: `books${seed}`, instant: Books.noon, graph: Books.graph })
            const { folder } = site
            const { parcels, ...fed } = yield* Books.pack({
              folder,
              customers: 150,
              landers: ["lander1", "lander2"],
              random
            })
            const { assay, context } = yield* site.open()
            yield* assay.status()

            const seen = { sightings: 0, verified: 0, waits: 0 }
            const look = Effect.gen(function* () {
              const [sighting, [verdicts, waiting]] = yield* Sighting.take(
                assay.graph,
                Effect.all([assay.verify(), Crew.waits])
              )
              const contradictions = [
                ...verdicts.flatMap(({ asset, difference, isOk }) =>
                  isOk ? [] : [`${asset}: ${JSON.stringify(difference)}`]
                ),
                ...Sighting.miscounted(assay.graph, sighting, unitOf),
                ...Sighting.misshapen(sighting.tables.get("dim_customer") ?? [], "customer_id"),
                ...doubled(sighting.tables.get("bronze_events") ?? [])
              ]
              seen.sightings += 1
              seen.verified += verdicts.filter(({ compared }) => compared === "units").length
              seen.waits += waiting.length
              if (contradictions.length > 0)
                return yield* Effect.die(new Error([sighting.moment, ...contradictions.slice(0, 20)].join("\n")))
            }).pipe(Effect.provideContext(context), site.at(0))

            const tally = yield* Effect.raceFirst(
              Crew.work({
                program: Path.join(import.meta.dirname, "billingWorker.ts"),
                posts,
                given: site,
                random,
                compileCache: site.compileCache,
                killEvery: 67,
                isEnough: ({ deliveries, killed }) => deliveries >= 0.9 * parcels && killed >= 5
              }),
              Effect.forever(look)
            )
            const deadlocks = yield* Crew.deadlocks
            console.log(
              `${Crew.describe(tally)}; ${seen.sightings} sightings (${seen.verified} verdicts) with ${seen.waits} waits for locks, ${deadlocks} deadlocks`
            )
            assert.deepStrictEqual(tally.failures, [])
            assert.isAbove(seen.verified, 0)

            Books.deliverRest(folder, random)
            // Later than the last sign of life of any process that was killed.
            yield* Site.assertDrained(assay).pipe(site.at(10))
            yield* Site.assertEnded(assay, tally.killed)
            yield* Site.assertCounted(assay)
            const [{ tables }] = yield* Sighting.take(assay.graph, Effect.void).pipe(Effect.provideContext(context))
            const bronze = tables.get("bronze_events") ?? []
            const quarantine = yield* assay.quarantined({ limit: 100_000 })
            assert.deepStrictEqual({ sound: bronze.length, malformed: quarantine.length }, fed)
            assert.deepStrictEqual(doubled(bronze), [])
            const byFile = new Map<string, number>()
            for (const file of [...bronze.map((row) => row["_file"] ?? ""), ...quarantine.map(({ origin }) => origin)])
              byFile.set(file, (byFile.get(file) ?? 0) + 1)
            assert.deepStrictEqual(byFile, Books.records(folder))
            const wanted = Recompute.recompute(bronze.map(versionOf), Books.start, Books.noon)
            for (const [asset, table] of Object.entries(tableOf))
              assert.deepStrictEqual(canonical(tables.get(asset) ?? []), canonical(wanted[table]), asset)
          }).pipe(Effect.scoped)
      )
    }
  }
)

/** A row of the log as the recompute reads it. */
const versionOf = (row: Recompute.Texts): Recompute.Version => {
  const cell = (column: string): string => row[column] ?? ""
  const attributes: unknown = JSON.parse(cell("attributes"))
  return {
    event_id: cell("event_id"),
    customer_id: cell("customer_id"),
    event_type: cell("event_type"),
    amount: cell("amount"),
    currency: row["currency"] ?? null,
    event_ts: cell("event_ts"),
    updated_at: cell("updated_at"),
    op: cell("op"),
    attributes,
    _hash: cell("_hash")
  }
}

/** Records that are in the log more than once. */
const doubled = (bronze: ReadonlyArray<Recompute.Texts>): ReadonlyArray<string> => {
  const places = bronze.map(({ _file, _line }) => `${_file} ${_line}`)
  const known = new Set<string>()
  return places.filter((place) => known.size === known.add(place).size).map((place) => `${place} landed twice`)
}

/** Rows as sorted texts. The surrogate key is left out: it is a hash of what is compared anyway. */
const canonical = (rows: ReadonlyArray<Recompute.Texts>): ReadonlyArray<string> =>
  rows
    .map((row) =>
      JSON.stringify(
        Object.entries(row)
          .filter(([name]) => name !== "customer_sk")
          .map(([name, cell]) => [name, name === "attributes" ? canonicalJson(cell) : cell])
          .toSorted(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1))
      )
    )
    .toSorted()

const canonicalJson = (cell: string | null): string => Column.canonicalJson(JSON.parse(cell ?? "null"))
