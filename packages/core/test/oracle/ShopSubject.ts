/**
 * The shop on trial: orders that collide, parcels that break off, come again or are heard of late, and computes that
 * fail for a while.
 */
import { DefinitionFault, ResourceExhausted, Transient } from "@assay/core/MaterializationError"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import type { SourceError } from "@assay/core/Source"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Disturbance, failing } from "../shop/Disturbance.ts"
import * as Feed from "../shop/Feed.ts"
import * as Shop from "../shop/Shop.ts"
import { lines } from "../shop/Trade.ts"
import type { Row } from "./Picture.ts"
import type * as Prng from "./Prng.ts"
import * as Recompute from "./Recompute.ts"
import type { Subject, World } from "./Subject.ts"

type Order = Omit<Shop.Order, "origin" | "line">

/** What happens to the shop. A parcel lands in two batches, cut somewhere. */
export type Act =
  | {
      readonly _tag: "Deliver"
      readonly origin: string
      readonly orders: ReadonlyArray<Order>
      readonly cut: number
      readonly breaks: { readonly after: number; readonly kind: SourceError["kind"] } | undefined
    }
  /** An earlier parcel under another name; which one is counted round among those that there are. */
  | { readonly _tag: "Redeliver"; readonly origin: string; readonly which: number; readonly cut: number }
  | { readonly _tag: "Disturb"; readonly times: number; readonly reason: keyof typeof reasons }

export const shop: Subject<Act> = {
  name: "shop",
  start: Date.parse("2024-03-04T12:00:00Z"),
  source: "bronze_orders",
  computed: [
    "gold_daily",
    "silver_orders",
    "last_orders",
    "dim_customer",
    "customer_cards",
    "mart_monthly",
    "tier_monthly",
    "tier_records",
    "hourly_orders",
    "weekly_customers",
    "store_totals",
    "store_labels",
    "store_ranking",
    "store_archive",
    "trailing_week",
    "busy_neighbours"
  ],
  timed: new Set([
    "gold_daily",
    "mart_monthly",
    "tier_monthly",
    "hourly_orders",
    "weekly_customers",
    "trailing_week",
    "busy_neighbours"
  ]),
  ranges: ["..2024-02", "2024-02", "2024-03..", "2024-02-15..2024-03-02", "latest"],

  act: (random, index) => {
    const origin = `parcel ${index}.${random.below(1_000_000)}`
    const deliver = (orders: ReadonlyArray<Order>): Act => ({
      _tag: "Deliver",
      origin,
      orders,
      cut: random.below(orders.length + 1),
      breaks: random.chance(0.15)
        ? { after: random.below(2), kind: random.pick(["Transient", "SchemaMismatch"]) }
        : undefined
    })
    return random.pick<() => Act>([
      () => deliver(Array.from({ length: random.pick([1, 1, 2, 6]) }, () => order(random))),
      () => deliver(Array.from({ length: random.pick([1, 2, 3]) }, () => order(random))),
      // A tier that is heard of late changes days on which nothing else changes.
      () =>
        deliver([
          {
            ...order(random),
            order_id: `late ${index}`,
            ordered_at: random.pick(["2024-02-09T23:59:59.999999Z", "2024-02-18T00:30:00.000000Z"]),
            tier: random.pick(["gold", "silver", "iron"]),
            is_deleted: false
          }
        ]),
      () => ({ _tag: "Redeliver", origin, which: random.below(100), cut: random.below(7) }),
      () => ({
        _tag: "Disturb",
        times: 1 + random.below(5),
        reason: random.pick(["Transient", "ResourceExhausted", "DefinitionFault"])
      })
    ])()
  },

  open: Effect.fnUntraced(function* (random) {
    const feed = yield* Feed.make<Shop.Order>()
    const disturbance = yield* Disturbance
    const policy = MaterializationPolicy.make({
      retry: Schedule.recurs(3),
      stepSize: random.pick([2, 7, 20, 1000]),
      incompleteWindows: "wait"
    })
    const parcels: Array<Feed.Parcel<Shop.Order>> = []
    let isTroubled = false
    const hand = (origin: string, orders: ReadonlyArray<Order>, cut: number, breaks?: Feed.Parcel<never>["breaks"]) => {
      const batches = [orders.slice(0, cut), orders.slice(cut)].map((part, index) => ({
        rows: lines(origin, part, 1 + index * cut)
      }))
      const parcel = { origin, batches, ...(breaks === undefined ? {} : { breaks }) }
      parcels.push(parcel)
      isTroubled ||= breaks !== undefined
      return Effect.as(
        feed.deliver(parcel),
        batches.flatMap(({ rows }) => rows.map((row) => Object.values(row).join(" ")))
      )
    }
    return {
      graph: (versions) =>
        Shop.make({ source: feed.source, policy, cuts: Recompute.cuts, codeVersions: Object.fromEntries(versions) }),
      happen: Effect.fnUntraced(function* (act) {
        switch (act._tag) {
          case "Deliver":
            return yield* hand(act.origin, act.orders, act.cut, act.breaks)
          case "Redeliver": {
            const again = parcels[act.which % Math.max(1, parcels.length)]
            const rows = again?.batches.flatMap(({ rows }) => rows) ?? []
            return yield* hand(act.origin, rows, Math.min(act.cut, rows.length))
          }
          case "Disturb":
            isTroubled = true
            yield* disturbance.set(yield* failing(act.times, reasons[act.reason]))
            return []
        }
      }),
      isTroubled: Effect.sync(() => isTroubled),
      mend: Effect.gen(function* () {
        for (const { origin } of parcels) yield* feed.mend(origin)
        yield* disturbance.set(Effect.void)
        isTroubled = false
      }),
      naive: Recompute.naive,
      unitOf: Recompute.unitOf,
      untold: new Set(["customer_sk"]),
      lost: (landed) => {
        const places = (rows: ReadonlyArray<Row | Shop.Order>) =>
          rows.map((row) => `${row["origin"]}#${row["line"]}`).toSorted()
        const [found, wanted] = [
          places(landed),
          places(parcels.flatMap(({ batches }) => batches.flatMap(({ rows }) => rows)))
        ]
        return found.join() === wanted.join() ? undefined : `of ${wanted.join()} there landed ${found.join()}`
      }
    } satisfies World<Act>
  })
}

// --- internal ---

const reasons = {
  Transient: new Transient({ message: "try again", code: undefined }),
  ResourceExhausted: new ResourceExhausted({ message: "no room", code: undefined }),
  DefinitionFault: new DefinitionFault({ message: "hopeless", code: undefined })
}

/** Orders that collide: few ids, customers and instants, on the edges of hours, days, weeks, months and of what exists. */
const order = (random: Prng.Prng): Order => ({
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
  "2023-02-28T10:00:00.000000Z",
  "2024-01-05T12:00:00.000000Z",
  "2024-01-31T23:30:00.000000Z",
  "2024-02-01T00:00:00.000000Z",
  "2024-02-09T23:59:59.999999Z",
  "2024-02-10T00:00:00.000000Z",
  "2024-02-10T23:59:59.999999Z",
  "2024-02-17T23:30:00.000000Z",
  "2024-02-18T00:30:00.000000Z",
  "2024-02-29T07:59:59.999999Z",
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
