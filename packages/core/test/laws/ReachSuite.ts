/**
 * A downstream unit depends on an upstream row exactly when that row reaches it (L7), for every mapping there is. Each
 * asset here lists what it was given, one unit per step, so its table is what the engine reads backwards; the units that
 * a run builds after one changed row are what it marks forwards. Both are compared with a relation written down here.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import { Materializations } from "@assay/core/ledger/Materializations"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { type Unit, whole } from "@assay/core/Unit"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Test } from "../execution/EngineSuite.ts"
import * as Prng from "../oracle/Prng.ts"
import * as Feed from "../shop/Feed.ts"
import { open, Time } from "../shop/Storage.ts"
import { rows } from "../shop/Trade.ts"
import * as Shelving from "./Shelving.ts"

const fields = {
  origin: Column.text,
  line: Column.integer,
  id: Column.text,
  kind: Column.text,
  key: Column.text,
  shelf: Column.text,
  day: Column.nullable(Column.date),
  at: Column.timestamp,
  note: Column.text,
  seen: Column.integer,
  is_deleted: Column.boolean
}

type Delivered = Schema.Struct<typeof fields>["Type"]

/** A row of `thing`, as the relations below see it. */
type Thing = Pick<Delivered, "id" | "kind" | "key" | "shelf" | "day" | "at" | "note">

const days = ["2024-03-03", "2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07", "2024-03-08"] as const
/** Where no partition is. */
const elsewhere = ["2024-03-01", "2024-03-02", "2024-03-10", null] as const
const shelves = ["high", "low", "middle"] as const
const keys = ["ann", "bob"] as const
const cases = ["left", "right"] as const
/** Which shelves stand in which case. */
const stands: { readonly [shelf: string]: ReadonlyArray<string> } = {
  high: ["left"],
  low: ["right"],
  middle: ["left", "right"]
}

/** 3 March is the mirror of 8 March; what lies outside the six days is mirrored, too. */
const mirror = (day: string): ReadonlyArray<string> => {
  const mirrored = Date.UTC(2024, 2, 11) - Date.parse(day) + Date.UTC(2024, 2, 0)
  return [new Date(mirrored).toISOString().slice(0, 10)]
}

const daily = Partitions.daily({ start: "2024-03-03", end: "2024-03-09" })
const policy = MaterializationPolicy.make({ stepSize: 1, incompleteWindows: "build" })

const listed = { id: Column.text, note: Column.text }

/** What the unit of the step was given, under the unit's name. */
const listing = (units: ReadonlyArray<Unit>, given: ReadonlyArray<{ readonly id: string; readonly note: string }>) =>
  units.flatMap(({ unit }) => given.map(({ id, note }) => ({ unit, id, note })))

/** Things whose note tells their day, too: which day is read can be seen. */
const dated = (things: ReadonlyArray<{ readonly id: string; readonly note: string; readonly day: string }>) =>
  things.map(({ day, id, note }) => ({ id, note: `${day} ${note}` }))

const graph = (source: Source<Delivered>) => {
  const log = Asset.source("thing_log", {
    description: "Everything ever said of a thing",
    columns: Schema.Struct({ ...fields, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    source
  })
  const { is_deleted: _, line: _line, origin: _origin, ...thingFields } = fields
  const thing = Asset.make("thing", {
    description: "Things as they are",
    columns: Schema.Struct(thingFields),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("id")) },
    write: WriteStrategy.upsert({ key: ["id"], version: "seen" }),
    compute: {
      rows: ({ log }) =>
        log.map(({ batch: _batch, is_deleted, line: _line, loaded_at: _at, origin: _origin, ...rest }) => ({
          ...rest,
          _deleted: is_deleted,
          _tie: ""
        }))
    }
  })
  const history = Asset.make("history", {
    description: "What the states said through time",
    columns: Schema.Struct({
      sk: Column.text,
      key: Column.text,
      note: Column.text,
      valid_from: Column.timestamp,
      valid_to: Column.nullable(Column.timestamp),
      is_current: Column.boolean
    }),
    inputs: {
      states: Asset.input(thing, PartitionMapping.byColumn("key"), {
        columns: ["id", "key", "at", "note"],
        where: { kind: ["state"] }
      })
    },
    write: WriteStrategy.scd2({
      key: ["key"],
      surrogateKey: "sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["note"]
    }),
    compute: {
      rows: ({ states }) =>
        inOrder(states).map(({ at, key, note }, _sequence) => ({ key, note, valid_from: at, _sequence }))
    }
  })
  const byDay = Asset.make("by_day", {
    description: "Things by day",
    columns: Schema.Struct({ day: Column.date, ...listed }),
    partitions: daily,
    inputs: { things: Asset.input(thing, PartitionMapping.byColumn("day"), { columns: ["id", "day", "note"] }) },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy,
    compute: { rows: ({ things, units }) => listing(units, things).map(({ unit, ...row }) => ({ day: unit, ...row })) }
  })
  const byShelf = Asset.make("by_shelf", {
    description: "Things by shelf",
    columns: Schema.Struct({ shelf: Column.text, ...listed }),
    partitions: Partitions.fromKeys(shelves),
    inputs: { things: Asset.input(thing, PartitionMapping.byColumn("shelf"), { columns: ["id", "shelf", "note"] }) },
    write: WriteStrategy.replacePartitions("shelf", { key: ["shelf", "id"] }),
    policy,
    compute: {
      rows: ({ things, units }) => listing(units, things).map(({ unit, ...row }) => ({ shelf: unit, ...row }))
    }
  })
  const everything = Asset.make("everything", {
    description: "All things on every day",
    columns: Schema.Struct({ day: Column.date, ...listed }),
    partitions: daily,
    inputs: { things: Asset.input(thing, PartitionMapping.all, { columns: ["id", "note"] }) },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy,
    compute: { rows: ({ things, units }) => listing(units, things).map(({ unit, ...row }) => ({ day: unit, ...row })) }
  })
  const soFar = Asset.make("so_far", {
    description: "The things up to each day",
    columns: Schema.Struct({ day: Column.date, ...listed }),
    partitions: daily,
    inputs: { things: Asset.input(thing, PartitionMapping.onwards("day"), { columns: ["id", "day", "note"] }) },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy,
    compute: { rows: ({ things, units }) => listing(units, things).map(({ unit, ...row }) => ({ day: unit, ...row })) }
  })
  const sameDay = Asset.make("same_day", {
    description: "The things of the same day",
    columns: Schema.Struct({ day: Column.date, ...listed }),
    partitions: daily,
    inputs: { things: Asset.input(byDay, PartitionMapping.identity, { columns: ["id", "note"] }) },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy,
    compute: { rows: ({ things, units }) => listing(units, things).map(({ unit, ...row }) => ({ day: unit, ...row })) }
  })
  const around = Asset.make("around", {
    description: "The things of the day before, the day, and two days after",
    columns: Schema.Struct({ day: Column.date, ...listed }),
    partitions: daily,
    inputs: {
      things: Asset.input(byDay, PartitionMapping.timeWindows({ startOffset: -1, endOffset: 2 }), {
        columns: ["id", "note"]
      })
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy,
    compute: { rows: ({ things, units }) => listing(units, things).map(({ unit, ...row }) => ({ day: unit, ...row })) }
  })
  const attributed = Asset.make("attributed", {
    description: "Facts with what their key's state said then",
    columns: Schema.Struct({
      day: Column.date,
      id: Column.text,
      key: Column.text,
      at: Column.timestamp,
      note: Column.text
    }),
    partitions: daily,
    inputs: {
      facts: Asset.input(thing, PartitionMapping.byColumn("day"), {
        columns: ["id", "key", "day", "at"],
        where: { kind: ["fact"] }
      }),
      history: Asset.input(
        history,
        PartitionMapping.asOf({ facts: "facts", key: "key", at: "at", bounds: "compared" }),
        { columns: ["key", "note", "valid_from", "valid_to"] }
      )
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy,
    compute: {
      rows: ({ facts, history, units }) =>
        units.flatMap(({ unit }) =>
          facts.map(({ at, id, key }) => {
            const held = history.find(
              (version) =>
                version.key === key && version.valid_from <= at && (version.valid_to === null || at < version.valid_to)
            )
            return { day: unit, id, key, at, note: held?.note ?? "" }
          })
        )
    }
  })
  const latest = Asset.make("latest", {
    description: "The things of the last day that has any, on every day",
    columns: Schema.Struct({ day: Column.date, ...listed }),
    partitions: daily,
    inputs: { things: Asset.input(byDay, PartitionMapping.last) },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy,
    compute: {
      rows: ({ things, units }) => listing(units, dated(things)).map(({ unit, ...row }) => ({ day: unit, ...row }))
    }
  })
  const topShelf = Asset.make("top_shelf", {
    description: "The things of the last shelf that has any",
    columns: Schema.Struct({ shelf: Column.text, ...listed }),
    inputs: { things: Asset.input(byShelf, PartitionMapping.last) },
    write: WriteStrategy.replace({ key: ["id"] }),
    policy,
    compute: { rows: ({ things }) => things }
  })
  const ends = Asset.make("ends", {
    description: "The things of the first and the last day, on every shelf",
    columns: Schema.Struct({ shelf: Column.text, ...listed }),
    partitions: Partitions.fromKeys(shelves),
    inputs: {
      things: Asset.input(byDay, PartitionMapping.keys("2024-03-03", "2024-03-08"), { columns: ["id", "note"] })
    },
    write: WriteStrategy.replacePartitions("shelf", { key: ["shelf", "id"] }),
    policy,
    compute: {
      rows: ({ things, units }) => listing(units, things).map(({ unit, ...row }) => ({ shelf: unit, ...row }))
    }
  })
  const byCase = Asset.make("by_case", {
    description: "The things of the shelves of each case; the middle shelf stands in both",
    columns: Schema.Struct({ bookcase: Column.text, ...listed }),
    partitions: Partitions.fromKeys(cases),
    inputs: {
      things: Asset.input(
        byShelf,
        PartitionMapping.staticMap({ high: "left", low: "right", middle: ["left", "right"] }),
        {
          columns: ["id", "note"]
        }
      )
    },
    write: WriteStrategy.replacePartitions("bookcase", { key: ["bookcase", "id"] }),
    policy,
    compute: {
      rows: ({ things, units }) => listing(units, things).map(({ unit, ...row }) => ({ bookcase: unit, ...row }))
    }
  })
  const mirrored = Asset.make("mirrored", {
    description: "The things of the day that lies as far from the end as this one from the beginning",
    columns: Schema.Struct({ day: Column.date, ...listed }),
    partitions: daily,
    inputs: {
      things: Asset.input(
        byDay,
        PartitionMapping.custom({ name: "mirror", version: "1", downstream: mirror, upstream: mirror }),
        { columns: ["id", "note"] }
      )
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy,
    compute: { rows: ({ things, units }) => listing(units, things).map(({ unit, ...row }) => ({ day: unit, ...row })) }
  })
  return AssetGraph.make([
    log,
    thing,
    history,
    byDay,
    byShelf,
    everything,
    soFar,
    sameDay,
    around,
    attributed,
    latest,
    topShelf,
    ends,
    byCase,
    mirrored,
    ...Shelving.assets(thing, byDay, byShelf)
  ])
}

/** The table that a relation makes of things: a unit with what it depends on. */
type Relation = (things: ReadonlyArray<Thing>) => ReadonlyArray<ReadonlyArray<string>>

const whenNeeded =
  (units: ReadonlyArray<string>, needs: (unit: string, thing: Thing) => boolean): Relation =>
  (things) =>
    units.flatMap((unit) => things.flatMap((thing) => (needs(unit, thing) ? [[unit, thing.id, thing.note]] : [])))

const isWithin = (day: string | null): day is string => days.some((known) => known === day)

/** In days, between days of one month. */
const distance = (unit: string, day: string): number => Number(day.slice(8)) - Number(unit.slice(8))

/**
 * What depends on what, said once more and plainly; a new mapping does not compile until it has its line here. An asset
 * stands behind those that it reads.
 */
const relations: {
  readonly [Tag in PartitionMapping.PartitionMapping["_tag"]]: {
    readonly [asset: string]: { readonly units: ReadonlyArray<string>; readonly table: Relation }
  }
} = {
  All: { everything: { units: days, table: whenNeeded(days, () => true) } },
  ByColumns: {
    by_day: { units: days, table: whenNeeded(days, (unit, { day }) => day === unit) },
    by_shelf: { units: shelves, table: whenNeeded(shelves, (unit, { shelf }) => shelf === unit) },
    ...Shelving.relations.ByColumns
  },
  Onwards: { so_far: { units: days, table: whenNeeded(days, (unit, { day }) => day !== null && day <= unit) } },
  Identity: {
    same_day: { units: days, table: whenNeeded(days, (unit, { day }) => day === unit) },
    ...Shelving.relations.Identity
  },
  TimeWindows: {
    around: {
      units: days,
      table: whenNeeded(days, (unit, { day }) => isWithin(day) && distance(unit, day) >= -1 && distance(unit, day) <= 2)
    }
  },
  Last: {
    latest: {
      units: days,
      table: (things) => {
        const seen = things.flatMap(({ day, id, note }) => (isWithin(day) ? [{ day, id, note }] : []))
        const last = days.findLast((day) => seen.some((thing) => thing.day === day))
        return days.flatMap((unit) =>
          dated(seen.filter(({ day }) => day === last)).map(({ id, note }) => [unit, id, note])
        )
      }
    },
    top_shelf: {
      units: [whole],
      table: (things) => {
        const last = shelves.findLast((shelf) => things.some((thing) => thing.shelf === shelf))
        return things.flatMap(({ id, note, shelf }) => (shelf === last ? [[shelf, id, note]] : []))
      }
    }
  },
  Keys: {
    ends: {
      units: shelves,
      table: whenNeeded(shelves, (_, { day }) => day === days[0] || day === days[5])
    },
    ...Shelving.relations.Keys
  },
  ByDimension: Shelving.relations.ByDimension,
  SingleDimension: Shelving.relations.SingleDimension,
  StaticMap: {
    by_case: { units: cases, table: whenNeeded(cases, (unit, { shelf }) => stands[shelf]?.includes(unit) ?? false) }
  },
  Custom: {
    mirrored: {
      units: days,
      table: whenNeeded(days, (unit, { day }) => isWithin(day) && mirror(day).includes(unit))
    },
    ...Shelving.relations.Custom
  },
  AsOf: {
    attributed: {
      units: days,
      table: (things) => {
        const states = inOrder(things.filter(({ kind }) => kind === "state"))
        return things.flatMap(({ at, day, id, key, kind }) => {
          const said = states.findLast((state) => state.key === key && state.at <= at)?.note ?? ""
          return kind === "fact" && isWithin(day) ? [[day, id, key, at, said]] : []
        })
      }
    }
  }
}

/** Every storage must keep the law. */
export const suite = (
  name: string,
  test: Test,
  options: { readonly seeds: ReadonlyArray<number>; readonly steps: number }
) => {
  describe(`one changed row (${name})`, () => {
    for (const seed of options.seeds) {
      test(`reaches exactly the units that depend on it, by every mapping; seed ${seed} (Verifies: L6, L7)`, () =>
        Effect.gen(function* () {
          const random = Prng.make(seed)
          const feed = yield* Feed.make<Delivered>()
          yield* (yield* Time).set("2024-03-20T00:00:00Z")
          const assay = yield* open(graph(feed.source))
          const materializations = yield* Materializations
          const things = new Map<string, Thing>()
          let line = 0

          const say = (changed: ReadonlyArray<readonly [thing: Thing, isDeleted: boolean]>) => {
            line += 1
            for (const [thing, isDeleted] of changed) {
              if (isDeleted) things.delete(thing.id)
              else things.set(thing.id, thing)
            }
            const said = changed.map(([thing, is_deleted], index) => ({
              ...thing,
              origin: String(line),
              line: index,
              seen: line,
              is_deleted
            }))
            return feed.deliver({ origin: String(line), batches: [{ rows: said }] })
          }

          const judge = (before: ReadonlyArray<Thing> | undefined) =>
            Effect.forEach(
              Object.values(relations).flatMap((assets) => Object.entries(assets)),
              ([asset, { table, units }]) =>
                Effect.gen(function* () {
                  const { runId } = yield* assay.materialize({ assets: [asset], upstream: false })
                  const after = Array.from(things.values())
                  const expected = table(after)
                  assert.deepStrictEqual(yield* rows(assay, asset), sorted(expected), `${asset}, step ${line}`)
                  if (before === undefined) return
                  const earlier = table(before)
                  const differs = units.filter((unit) => of(earlier, unit) !== of(expected, unit))
                  const built = yield* Effect.filter(units, (unit) =>
                    Effect.map(materializations.get({ asset, unit }), (found) =>
                      Option.exists(found, (last) => last.runId === runId)
                    )
                  )
                  assert.deepStrictEqual(built, differs, `${asset}, step ${line}`)
                })
            )

          yield* say(Array.from({ length: 10 }, (_, index) => [invented(random, `t${index}`, line), false]))
          yield* assay.materialize({ assets: ["thing", "history"] })
          yield* judge(undefined)
          for (let step = 0; step < options.steps; step += 1) {
            const before = Array.from(things.values())
            const id = `t${random.below(12)}`
            const next = things.has(id) && random.chance(0.2)
            yield* say([[invented(random, id, line + 1), next]])
            yield* assay.materialize({ assets: ["thing", "history"] })
            yield* judge(before)
          }
        }))
    }
  })
}

// --- internal ---

const invented = (random: Prng.Prng, id: string, step: number): Thing => {
  const day = random.chance(0.8) ? random.pick(days) : random.pick(elsewhere)
  const hour = String(random.below(24)).padStart(2, "0")
  return {
    id,
    kind: random.pick(["fact", "fact", "state"]),
    key: random.pick(keys),
    shelf: random.pick(shelves),
    day,
    // The things' numbers keep any two of them apart.
    at: `${day ?? days[0]}T${hour}:00:00.0000${id.slice(1).padStart(2, "0")}Z`,
    note: `${id}, said ${step}`
  }
}

const inOrder = <T extends { readonly at: string }>(things: ReadonlyArray<T>): ReadonlyArray<T> =>
  things.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))

const sorted = (table: ReadonlyArray<ReadonlyArray<string>>): Array<Array<string | null>> =>
  table
    .toSorted(([unit = "", id = ""], [other = "", otherId = ""]) =>
      unit < other ? -1 : unit > other ? 1 : id < otherId ? -1 : id > otherId ? 1 : 0
    )
    .map((row) => [...row])

const of = (table: ReadonlyArray<ReadonlyArray<string>>, unit: string): string =>
  JSON.stringify(sorted(table.filter(([own]) => unit === whole || own === unit)))
