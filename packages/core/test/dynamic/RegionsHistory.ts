/**
 * Histories in which regions open and close between deliveries and runs of any part of the graph: after each event nothing
 * is silently wrong, and in the end everything is what a full refresh would make of the orders there are.
 */
import type * as Assay from "@assay/core/Assay"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Feed from "../shop/Feed.ts"
import type * as Shop from "../shop/Shop.ts"
import { lies, order, parcel, rows, trouble } from "../shop/Trade.ts"
import * as Prng from "../oracle/Prng.ts"
import { regions } from "./Regions.ts"

const places = ["north", "east", "west", "south"] as const

const buyers = ["ann", "bob"] as const

const assets = [
  "silver_orders",
  "sales",
  "signs",
  "posters",
  "total",
  "shown_total",
  "home",
  "customers",
  "pairs",
  "pair_total"
] as const

/** What happened, for who reads of a failure. */
type Told = Array<string>

/** Lives through the history of a seed, and yields what happened. */
export const live = (seed: number, events: number) =>
  Effect.gen(function* () {
    const prng = Prng.make(seed)
    const { assay, feed, reopen } = yield* regions()
    const others = [assay, yield* reopen({}), yield* reopen({ without: ["signs", "home"] })] as const
    const told: Told = []
    const orders = new Map<string, { readonly store: string; readonly customer: string; readonly amount: number }>()
    const open = new Map<string, Set<string>>([
      ["regions", new Set()],
      ["customers", new Set()]
    ])
    for (let event = 0; event < events; event++) {
      yield* happen({ prng, assay: prng.pick(others), feed, orders, open, told, event })
      assert.deepStrictEqual(yield* lies(assay), [], `seed ${seed}: ${told.join("; ")}`)
    }
    assert.deepStrictEqual(trouble(yield* assay.materialize({ assets: [] })), {}, told.join("; "))
    assert.deepStrictEqual(yield* lies(assay, { strict: true }), [], `seed ${seed}: ${told.join("; ")}`)
    assert.deepStrictEqual(yield* rows(assay, "sales"), sums(orders, "store", open.get("regions")), told.join("; "))
    assert.deepStrictEqual(yield* rows(assay, "customers"), sums(orders, "customer", open.get("customers")))
    assert.strictEqual((yield* assay.materialize({ assets: [] })).steps, 0, `seed ${seed}: ${told.join("; ")}`)
    return told
  })

// --- internal ---

const happen = Effect.fnUntraced(function* (world: {
  readonly prng: Prng.Prng
  readonly assay: typeof Assay.Assay.Service
  readonly feed: Feed.Feed<Shop.Order>
  readonly orders: Map<string, { readonly store: string; readonly customer: string; readonly amount: number }>
  readonly open: Map<string, Set<string>>
  readonly told: Told
  readonly event: number
}) {
  const { assay, event, feed, open, orders, prng, told } = world
  const name = prng.chance(0.8) ? "regions" : "customers"
  const keys = prng.some(name === "regions" ? places : buyers, 0.4)
  switch (prng.pick(["deliver", "deliver", "add", "remove", "run", "run", "run some"])) {
    case "deliver": {
      const id = String(prng.below(6))
      const fields = { store: prng.pick(places), customer: prng.pick(buyers), amount: 1 + prng.below(9) }
      const is_deleted = prng.chance(0.15)
      if (is_deleted) orders.delete(id)
      else orders.set(id, fields)
      told.push(`order ${id} ${is_deleted ? "deleted" : `${fields.store} ${fields.customer} ${fields.amount}`}`)
      const seen = `02-${String(1 + Math.floor(event / 24)).padStart(2, "0")}T${String(event % 24).padStart(2, "0")}:00`
      return yield* feed.deliver(parcel(`${event}`, [order(id, "01-31", { ...fields, is_deleted, seen })]))
    }
    case "add":
      told.push(`add ${name} ${keys.join()}`)
      for (const key of keys) open.get(name)?.add(key)
      return yield* assay.addPartitions(name, keys)
    case "remove":
      told.push(`remove ${name} ${keys.join()}`)
      for (const key of keys) open.get(name)?.delete(key)
      return yield* assay.removePartitions(name, keys)
    case "run": {
      told.push("run")
      return assert.deepStrictEqual(trouble(yield* assay.materialize({ assets: [] })), {}, told.join("; "))
    }
    default: {
      const some = prng.some(
        assets.filter((asset) => assay.graph.assets.has(asset)),
        0.4
      )
      if (some.length === 0) return undefined
      told.push(`run ${some.join()}`)
      const result = yield* assay.materialize({ assets: some, upstream: prng.chance(0.5), force: prng.chance(0.1) })
      return assert.deepStrictEqual(trouble(result), {}, told.join("; "))
    }
  }
})

const sums = (
  orders: ReadonlyMap<string, { readonly store: string; readonly customer: string; readonly amount: number }>,
  by: "store" | "customer",
  open: ReadonlySet<string> = new Set()
): Array<Array<string>> =>
  Array.from(Map.groupBy(orders.values(), (one) => one[by]))
    .filter(([key]) => open.has(key))
    .map(([key, own]) => [key, String(own.reduce((sum, { amount }) => sum + amount, 0))])
    .toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1))
