/**
 * Trading in the shop, as tests do it: orders with what a test cares about, parcels of them, a shop opened on the
 * storage at hand, and what a run did in a form that can be compared.
 */
import type * as Assay from "@assay/core/Assay"
import * as Column from "@assay/core/Column"
import type * as Plan from "@assay/core/planning/Plan"
import type { RunResult } from "@assay/core/execution/Runner"
import type { StepRecord } from "@assay/core/Run"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Feed from "./Feed.ts"
import * as Shop from "./Shop.ts"
import { open, Time } from "./Storage.ts"

/** Noon of 5 March 2024: 45 days and the running one, two finished months, six finished weeks. */
export const noon = "2024-03-05T12:00:00Z"

/** An order of customer `ann` in the north at noon of a day, seen when it was made; `at` is `03-01` or `03-01T10:00`. */
export const order = (
  order_id: string,
  at: string,
  {
    seen,
    ...fields
  }: Partial<Omit<Shop.Order, "order_id" | "ordered_at" | "seen_at">> & { readonly seen?: string } = {}
): Omit<Shop.Order, "origin" | "line"> => ({
  order_id,
  customer: "ann",
  store: "north",
  amount: 10,
  tier: null,
  ordered_at: instant(at),
  seen_at: instant(seen ?? at),
  is_deleted: false,
  ...fields
})

/** A parcel of orders in one batch. */
export const parcel = (
  origin: string,
  orders: ReadonlyArray<Omit<Shop.Order, "origin" | "line">>
): Feed.Parcel<Shop.Order> => ({ origin, batches: [{ rows: lines(origin, orders) }] })

/** Orders as the lines of an origin, counted from `from`. */
export const lines = (
  origin: string,
  orders: ReadonlyArray<Omit<Shop.Order, "origin" | "line">>,
  from = 1
): ReadonlyArray<Shop.Order> => orders.map((fields, index) => ({ ...fields, origin, line: from + index }))

/** A shop with its feed, opened at noon on the storage at hand. */
export const shop = (options: Omit<Shop.Options, "source"> = {}) =>
  Effect.gen(function* () {
    const feed = yield* Feed.make<Shop.Order>()
    yield* (yield* Time).set(noon)
    const assay = yield* open(Shop.make({ ...options, source: feed.source }))
    return { assay, feed }
  })

/** The rows of an asset as texts, in the order of its key. */
export const rows = (assay: typeof Assay.Assay.Service, asset: string, partitions?: string) =>
  Effect.gen(function* () {
    const { asset: definition, rows } = yield* assay.rows({ asset, partitions })
    const read = yield* Stream.runCollect(rows)
    return read.map((row) => definition.columns.map((column) => Column.toText(column, row[column.name] ?? null)))
  })

/** How many units of which assets a run built; assets without steps are left out. */
export const built = (result: RunResult): { readonly [asset: string]: number } =>
  Object.fromEntries(result.outcomes.flatMap(({ asset, steps, units }) => (steps === 0 ? [] : [[asset, units]])))

/** How many units of which assets a plan wants to build, and how many deliveries to land. */
export const planned = (plan: Plan.Plan): { readonly [asset: string]: number | "follows" } =>
  Object.fromEntries(
    plan.steps.flatMap((step): ReadonlyArray<readonly [string, number | "follows"]> => {
      switch (step._tag) {
        case "Land":
          return [[step.asset, step.deliveries.length]]
        case "Build":
          return step.units === 0 && !step.isWhole ? [] : [[step.asset, step.units]]
        case "Follow":
          return [[step.asset, "follows"]]
      }
    })
  )

/** The outcome of each asset of a run that did not simply succeed or stay as it was. */
export const trouble = (result: RunResult): { readonly [asset: string]: string } =>
  Object.fromEntries(
    result.outcomes.flatMap(({ asset, because, error, outcome }) =>
      outcome === "failed"
        ? [[asset, `failed: ${error?.reason._tag}`]]
        : outcome === "skipped"
          ? [[asset, `skipped: ${because.join()}`]]
          : []
    )
  )

/** The step records of a run. */
export const steps = (assay: typeof Assay.Assay.Service, runId: string | undefined) =>
  Effect.map(assay.run(runId ?? ""), (found): ReadonlyArray<StepRecord> => (found._tag === "Found" ? found.steps : []))

/** The assets whose rows are not what a recompute yields, with examples. */
export const lies = (assay: typeof Assay.Assay.Service, options: { readonly strict?: boolean } = {}) =>
  Effect.map(assay.verify(options), (verdicts) =>
    verdicts.flatMap(({ asset, difference, isOk, missing, stale }) =>
      isOk ? [] : [{ asset, stale, missing, examples: difference.examples }]
    )
  )

// --- internal ---

/** `03-01` is noon of that day of 2024; `03-01T10:00` and `03-01T10:00:01` are instants of it. */
const instant = (text: string): string => {
  const time = text.includes("T") ? text : `${text}T12:00`
  return `2024-${time}${time.length === 11 ? ":00" : ""}.000000Z`
}
