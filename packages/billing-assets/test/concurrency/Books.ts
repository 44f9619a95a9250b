/**
 * The billing warehouse as processes work on it together: an invented feed in parcels, which landers put into the feed's
 * folder one by one, and what runners ask for.
 */
import * as BillingFeed from "@assay/billing-assets/BillingFeed"
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as Feed from "@assay/billing-assets/generator/Feed"
import * as FeedRow from "@assay/billing-assets/generator/FeedRow"
import * as Assay from "@assay/core/Assay"
import type { MaterializationPolicy } from "@assay/core/MaterializationPolicy"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import * as Worker from "../../../core/test/concurrency/Worker.ts"
import type * as Prng from "../../../core/test/oracle/Prng.ts"

/** The first day of revenue. */
export const start = "2024-01-01"

/** When it is: the feed is over, its last month is not. */
export const noon = "2024-06-20T12:00:30Z"

/** The graph over a folder; with a policy, that one for every asset. */
export const graph = (folder: string, policy?: MaterializationPolicy) => {
  const billing = BillingGraph.make({ start, source: BillingFeed.make(feedOf(folder)) })
  if (policy === undefined) return billing
  const assets = Array.from(billing.assets, ([name, asset]) => [name, { ...asset, policy }] as const)
  return { ...billing, assets: new Map(assets) }
}

/** How processes work on it. */
export const trade: Worker.Trade = {
  assay: (instructions) =>
    Assay.layer(graph(instructions.folder, Worker.policy(instructions)), Assay.environment(instructions.environment)),
  source: "bronze_events",
  request: (random) => {
    const cut = ["gold_revenue", "mart_revenue_monthly", "mart_mrr_monthly"]
    const isCut = random.chance(0.3)
    const assets = random.chance(0.3)
      ? []
      : random.some(isCut ? cut : ["bronze_events", "silver_events", "dim_customer", ...cut], 0.4)
    return {
      assets,
      upstream: random.chance(0.7),
      force: random.chance(0.05),
      partitions:
        isCut && assets.length > 0 ? random.pick(["2024-02", "2024-03..", "..2024-04-10", "latest"]) : undefined
    }
  },
  deliver: (random, { applicationName, folder }) => {
    const next = parcelsOf(folder).find((name) => name.startsWith(applicationName))
    if (next !== undefined) put(folder, next, random)
    return next !== undefined
  }
}

/**
 * Packs a feed into parcels for the given landers, and some that are left for the end; yields how many parcels these
 * landers have, and how many rows are sound and how many are not.
 */
export const pack = (options: {
  readonly folder: string
  readonly customers: number
  readonly landers: readonly [string, ...ReadonlyArray<string>]
  readonly random: Prng.Prng
}) => {
  const { customers, folder, landers, random } = options
  for (const path of [feedOf(folder), stagedOf(folder)]) Fs.mkdirSync(path)
  let parcels = 0
  return Feed.generate({ customers, months: 6, start, seed: 1 }).pipe(
    Stream.runCollect,
    Effect.map((rows) => {
      for (let from = 0; from < rows.length;) {
        const size = random.pick([1, 3, 10, 25, 60])
        const lander = random.chance(0.1) ? "rest" : random.pick(landers)
        // The first one is there before anybody works: a folder without a file is an error to whoever reads it.
        const isFirst = from === 0
        if (lander !== "rest" && !isFirst) parcels += 1
        const name = `${lander}-${String(from).padStart(6, "0")}.ndjson`
        const lines = rows.slice(from, from + size).map((row) => `${FeedRow.toJson(row)}\n`)
        Fs.writeFileSync(Path.join(isFirst ? feedOf(folder) : stagedOf(folder), name), lines.join(""))
        from += size
      }
      const sound = rows.filter(({ fault }) => fault === null).length
      return { parcels, sound, malformed: rows.length - sound }
    })
  )
}

/** Delivers what no lander came to deliver. */
export const deliverRest = (folder: string, random: Prng.Prng): void => {
  for (const name of parcelsOf(folder)) put(folder, name, random)
}

/** How many records each file of the feed has. */
export const records = (folder: string): ReadonlyMap<string, number> =>
  new Map(
    Fs.readdirSync(feedOf(folder)).map((name) => {
      const bytes = Fs.readFileSync(Path.join(feedOf(folder), name))
      const text = (name.endsWith(".gz") ? Zlib.gunzipSync(bytes) : bytes).toString("utf8")
      return [name, text.split("\n").length - 1]
    })
  )

// --- internal ---

const feedOf = (folder: string): string => Path.join(folder, "feed")

const stagedOf = (folder: string): string => Path.join(folder, "staged")

const parcelsOf = (folder: string): ReadonlyArray<string> => Fs.readdirSync(stagedOf(folder)).toSorted()

/** A parcel becomes a file, a compressed one, or more lines of the lander's journal; it goes into place whole. */
const put = (folder: string, name: string, random: Prng.Prng): void => {
  const staged = Path.join(stagedOf(folder), name)
  const to = Path.join(feedOf(folder), name)
  switch (random.pick(["plain", "journal", "compressed"])) {
    case "plain":
      return Fs.renameSync(staged, to)
    case "journal":
      // One write of whole lines: who reads meanwhile sees all of them or none.
      Fs.appendFileSync(
        Path.join(feedOf(folder), `journal-${name.split("-")[0] ?? ""}.ndjson`),
        Fs.readFileSync(staged)
      )
      return Fs.rmSync(staged)
    case "compressed":
      Fs.writeFileSync(`${to}.part`, Zlib.gzipSync(Fs.readFileSync(staged)))
      Fs.renameSync(`${to}.part`, `${to}.gz`)
      return Fs.rmSync(staged)
  }
}
