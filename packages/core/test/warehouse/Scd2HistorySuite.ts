import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import { none } from "@assay/core/Unit"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import type { Services } from "./layers.ts"
import * as Scd2History from "./Scd2History.ts"
import { histories, type History } from "./Scd2HistoryCases.ts"
import { rowsOf, shown, versionsOf } from "./Scd2HistoryRows.ts"
import { build, type Event, land, prepare, scope, type Step, transact } from "./World.ts"

/** Declares a test on a warehouse without any tables. */
export type Test = (name: string, body: () => Effect.Effect<void, unknown, Services>) => void

/** Every warehouse must pass this suite: dimensions whose observations arrive late, are corrected, move and vanish. */
export const suite = (name: string, test: Test) =>
  describe(`Warehouse histories (${name})`, () => {
    histories.forEach((history, index) => {
      test(`${history.name} (Verifies: L2, L5, L6, L10)`, () =>
        Effect.gen(function* () {
          const world = Scd2History.make(`history_${index}`)
          yield* prepare(world.graph)
          for (const { deliveries, mark } of arrivals(history)) {
            for (const delivery of deliveries) yield* deliver(world, delivery)
            const stored = yield* versions(world, mark)
            assert.deepStrictEqual(
              stored.map((row) => shown.map((column) => row[column])),
              versionsOf(history, mark)
            )
          }
          yield* assertAtRest(world)
        }))
    })
  })

// --- internal ---

type World = ReturnType<typeof Scd2History.make>

/** A version in the canonical texts of its columns. */
type Texts = { readonly [column: string]: string | null }

interface Arrival {
  readonly mark: string
  readonly deliveries: ReadonlyArray<ReadonlyArray<Event>>
}

/** The same lines in one delivery, one by one as they stand, backwards, and shuffled; each under keys of its own. */
const arrivals = (history: History): ReadonlyArray<Arrival> => {
  const places = history.said.map((_, place) => place)
  const shuffled = fc.sample(fc.shuffledSubarray(places, { minLength: places.length }), {
    numRuns: 2,
    seed: 20_240_101
  })
  const inTurn = [places, places.toReversed(), ...shuffled].map((order, index): Arrival => {
    const mark = `${index}:`
    const rows = rowsOf(history, mark)
    return { mark, deliveries: order.flatMap((place) => (rows[place] === undefined ? [] : [[rows[place]]])) }
  })
  return [{ mark: "whole:", deliveries: [rowsOf(history, "whole:")] }, ...inTurn]
}

/** Lands rows and builds what they make stale, and nothing else, down to the dimension. */
const deliver = Effect.fnUntraced(function* (world: World, rows: ReadonlyArray<Event>) {
  const { dimension, graph, latest, log } = world
  const landed = yield* land(graph, log, rows)
  const resolved = yield* build(graph, latest, { keys: landed.reached[latest.name] ?? [] })
  const before = yield* versions(world)
  const step = yield* build(graph, dimension, { keys: resolved.reached[dimension.name] ?? [] })
  const after = yield* versions(world)
  assertShape(after)
  assertDifference(world, step, { before, after })
  yield* assertSound(world)
})

/** The stored versions in the order of their key, of all keys or those under a mark. */
const versions = Effect.fnUntraced(function* ({ dimension }: World, mark: string = "") {
  const warehouse = yield* Warehouse
  const rows = yield* Stream.runCollect(warehouse.rows({ asset: dimension, partitions: undefined, limit: undefined }))
  return rows
    .map((row): Texts =>
      Object.fromEntries(
        dimension.columns.map(({ name }) => [
          name,
          Column.toText(Asset.columnUnsafe(dimension, name), row[name] ?? null)
        ])
      )
    )
    .filter((row) => row["region"]?.startsWith(mark) === true)
})

/** L10, without the engine's own check: windows of a key are half-open, not empty and disjoint, and neighbours differ. */
const assertShape = (rows: ReadonlyArray<Texts>): void => {
  assert.strictEqual(new Set(rows.map(({ sk }) => sk)).size, rows.length)
  for (const ofKey of Map.groupBy(rows, ({ branch, region }) => JSON.stringify([region, branch])).values()) {
    for (const [index, version] of ofKey.entries()) {
      const next = ofKey[index + 1]
      const { is_current, valid_from, valid_to } = version
      assert.strictEqual(is_current, String(valid_to === null))
      assert.strictEqual(valid_to === null, next === undefined)
      if (valid_from === null || valid_from === undefined || valid_to === null || valid_to === undefined) continue
      assert.isTrue(valid_from < valid_to, `${valid_from} to ${valid_to} is an empty window`)
      assert.isTrue(valid_to <= (next?.["valid_from"] ?? ""), `${valid_to} lies in the next window`)
      assert.notDeepEqual([version["segment"], version["price"]], [next?.["segment"], next?.["price"]])
    }
  }
}

/** The step counted the rows that differ before and after, and its change set holds their old and new images alone. */
const assertDifference = (
  { dimension }: World,
  step: Step,
  { after, before }: { readonly before: ReadonlyArray<Texts>; readonly after: ReadonlyArray<Texts> }
): void => {
  const bySk = (rows: ReadonlyArray<Texts>) => new Map(rows.map((row) => [row["sk"], JSON.stringify(row)]))
  const [old, now] = [bySk(before), bySk(after)]
  const gone = before.filter(({ sk }) => old.get(sk) !== now.get(sk))
  const come = after.filter(({ sk }) => old.get(sk) !== now.get(sk))
  const updated = gone.filter(({ sk }) => now.has(sk)).length
  const [inserted, updates, deleted] = step.counts
  assert.deepStrictEqual([inserted, updates, deleted], [come.length - updated, updated, gone.length - updated])
  for (const column of Scd2History.mirrored) {
    const texts = new Set([...gone, ...come].flatMap((row) => row[column] ?? []))
    assert.sameMembers([...(step.reached[Scd2History.mirrorOf(dimension.name, column)] ?? [])], [...texts], column)
  }
}

/** Every unit is what a recompute from the tables upstream gives, as they are (L2), and the engine's check agrees. */
const assertSound = Effect.fnUntraced(function* ({ dimension, latest }: World) {
  const warehouse = yield* Warehouse
  const everything = yield* scope("everything")
  for (const asset of [latest, dimension]) {
    const difference = yield* transact(warehouse.verify({ asset, scope: everything, except: none }))
    assert.deepStrictEqual([difference.missing, difference.unexpected], [0, 0])
  }
  const results = yield* transact(warehouse.check({ asset: dimension, scope: everything }))
  assert.deepStrictEqual(
    results.map(({ check, violations }) => [check, violations]),
    [["SCD2 shape", 0]]
  )
})

/** Building everything anew finds nothing to do (L6). */
const assertAtRest = Effect.fnUntraced(function* (world: World) {
  const { dimension, graph } = world
  const stored = yield* versions(world)
  const again = yield* build(graph, dimension)
  assert.deepStrictEqual(again, {
    counts: [0, 0, 0, stored.length],
    reached: Object.fromEntries(
      Scd2History.mirrored.map((column) => [Scd2History.mirrorOf(dimension.name, column), []])
    )
  })
})
