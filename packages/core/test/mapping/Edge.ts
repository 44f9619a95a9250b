/**
 * One edge between two assets, as the tests of this folder look at it: what its mapping says of partitions, what a
 * definition with it is refused for, and what the table at its end holds while the rows at its beginning change.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import { Materializations } from "@assay/core/ledger/Materializations"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as PartitionReach from "@assay/core/PartitionReach"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import type { Source } from "@assay/core/Source"
import type { Unit } from "@assay/core/Unit"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert } from "@effect/vitest"
import { Effect, Option, Result, Schema, Stream } from "effect"
import * as fc from "fast-check"
import * as Feed from "../shop/Feed.ts"
import { layerMemory, open, Time } from "../shop/Storage.ts"
import { lies, rows } from "../shop/Trade.ts"

interface Cuts {
  readonly from: Partitions.Partitions
  readonly to: Partitions.Partitions
}

const setOf = (partitions: Partitions.Partitions, keys: Iterable<string>) =>
  Result.getOrThrow(PartitionSet.fromKeys(partitions, keys))

const keysOf = (found: PartitionSet.PartitionSet | undefined) => found && Array.from(PartitionSet.keys(found))

/** The downstream keys that upstream keys reach; undefined where partitions alone do not tell. */
export const reached = (mapping: PartitionMapping.PartitionMapping, { from, to }: Cuts, ...changed: Array<string>) =>
  keysOf(PartitionReach.downstream(mapping, { upstream: setOf(from, changed), downstream: to }))

/** The upstream keys that downstream keys are made of. */
export const needed = (mapping: PartitionMapping.PartitionMapping, { from, to }: Cuts, ...built: Array<string>) =>
  keysOf(PartitionReach.upstream(mapping, { downstream: setOf(to, built), upstream: from }))

/** On 10 February 2024: what is required and exists, what is absent, and who lacks it. */
export const required = (mapping: PartitionMapping.PartitionMapping, { from, to }: Cuts, ...built: Array<string>) => {
  const options = { downstream: setOf(to, built), upstream: from, now: Date.parse("2024-02-10T00:00:00Z") }
  const found = PartitionReach.requirement(mapping, options)
  return (
    found &&
    [found.existing, found.absent, PartitionReach.lacking(mapping, options)].map((one) => PartitionSet.format(one))
  )
}

/** Places in a list of keys, for random sets of them. */
export const Places = fc.array(fc.nat({ max: 400 }), { maxLength: 6 })

/** Every key by itself, and some of them at once. */
const chosen = (cut: Partitions.Partitions, places: ReadonlyArray<number>) => {
  const keys = Array.from(PartitionSet.keys(PartitionSet.all(cut)))
  const some = Array.from(new Set(places.flatMap((place) => keys[place % keys.length] ?? [])))
  return { keys, choices: [...keys.map((key) => [key]), some] }
}

/** What the engine tells of every key and of some keys at once, both ways. */
export const told = (mapping: PartitionMapping.PartitionMapping, cuts: Cuts, places: ReadonlyArray<number>) => ({
  reached: chosen(cuts.from, places).choices.map((keys) => [keys, reached(mapping, cuts, ...keys)?.toSorted()]),
  needed: chosen(cuts.to, places).choices.map((keys) => [keys, needed(mapping, cuts, ...keys)?.toSorted()])
})

/** The same, as it follows from pairs. */
export const ofPairs = (
  needs: (downstream: string, upstream: string) => boolean,
  cuts: Cuts,
  places: ReadonlyArray<number>
): ReturnType<typeof told> => {
  const [from, to] = [chosen(cuts.from, places), chosen(cuts.to, places)]
  return {
    reached: from.choices.map((keys) => [
      keys,
      to.keys.filter((down) => keys.some((up) => needs(down, up))).toSorted()
    ]),
    needed: to.choices.map((keys) => [keys, from.keys.filter((up) => keys.some((down) => needs(down, up))).toSorted()])
  }
}

const fields = {
  id: Column.text,
  kind: Column.text,
  key: Column.text,
  day: Column.nullable(Column.date),
  at: Column.timestamp,
  note: Column.text,
  extra: Column.nullable(Column.json)
}

/** A row at the beginning of the edge, as relations see it. */
type Thing = Schema.Struct<typeof fields>["Type"]

const delivered = { ...fields, origin: Column.text, line: Column.integer, isGone: Column.boolean }

type Delivered = Schema.Struct<typeof delivered>["Type"]

const make = (source: Source<Delivered>) => {
  const log = Asset.source("thing_log", {
    description: "Everything ever said of a thing",
    columns: Schema.Struct({ ...delivered, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    source
  })
  const things = Asset.make("thing", {
    description: "Things as they are",
    columns: Schema.Struct({ ...fields, seen: Column.integer }),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("id")) },
    write: WriteStrategy.upsert({ key: ["id"], version: "seen" }),
    compute: {
      rows: ({ log }) =>
        log.map(({ batch: _batch, isGone, line, loaded_at: _at, origin: _origin, ...row }) => ({
          ...row,
          seen: line,
          _deleted: isGone,
          _tie: ""
        }))
    }
  })
  return { log, things }
}

export const { things } = make({
  description: "nothing of its own",
  discover: () => Effect.succeed([]),
  read: () => Stream.empty,
  replay: () => Effect.succeed([])
})

export const days = ["2024-02-03", "2024-02-04", "2024-02-05", "2024-02-06"] as const
export const daily = Partitions.daily({ start: "2024-02-03", end: "2024-02-07" })
/** Every unit is a step of its own, so that each is given only what it is made of. */
export const policy = MaterializationPolicy.make({ stepSize: 1, incompleteWindows: "build" })

const Edit = Schema.Struct({
  id: Schema.Literals(["1", "2", "3", "4"]),
  kind: Schema.Literals(["fact", "state"]),
  key: Schema.Literals(["ann", "bob"]),
  day: Schema.NullOr(Schema.Literals([...days, "2024-02-01", "2024-02-08"])),
  hour: Schema.Literals(["00", "11", "23"]),
  fate: Schema.Literals(["stays", "is moved", "goes"])
})

/** What is said of things, drain by drain. */
export const Drains = Schema.Array(Schema.Array(Edit).check(Schema.isMinLength(1), Schema.isMaxLength(3))).check(
  Schema.isMinLength(2),
  Schema.isMaxLength(6)
)

const rowOf = ({ day, hour, id, key, kind }: (typeof Edit)["Type"], line: number): Thing => ({
  id,
  kind,
  key,
  day,
  // The number of the thing keeps any two of them apart.
  at: `${day ?? days[0]}T${hour}:00:00.00000${id}Z`,
  note: `said ${line}`,
  extra: null
})

/**
 * What a step was given for each unit: all of it where it builds one unit, so that reading too much shows, and otherwise
 * what the unit needs.
 */
const given = <Row>(units: ReadonlyArray<Unit>, rows: ReadonlyArray<Row>, needs: (unit: string, row: Row) => boolean) =>
  units.flatMap(({ unit }) =>
    rows.filter((row) => units.length === 1 || needs(unit, row)).map((row) => ({ ...row, unit }))
  )

const sorted = (table: ReadonlyArray<ReadonlyArray<string | null>>) =>
  table.map((row) => JSON.stringify(row)).toSorted()

/**
 * After each drain the asset `reader` holds the table that a relation makes of all things, every asset holds what a full
 * refresh yields, and built were the units whose rows are others than before.
 */
export const follows =
  (options: {
    readonly assets: (upstream: typeof things) => ReadonlyArray<Asset.Asset<string, unknown, never>>
    readonly table: (things: ReadonlyArray<Thing>) => ReadonlyArray<ReadonlyArray<string>>
    readonly units: ReadonlyArray<string>
  }) =>
  ({ drains }: { readonly drains: (typeof Drains)["Type"] }) =>
    Effect.gen(function* () {
      const feed = yield* Feed.make<Delivered>()
      yield* (yield* Time).set("2024-03-20T00:00:00Z")
      const { log, things } = make(feed.source)
      const assay = yield* open(AssetGraph.make([log, things, ...options.assets(things)]))
      const materializations = yield* Materializations
      const known = new Map<string, Thing>()
      let line = 0
      for (const [place, edits] of drains.entries()) {
        const before = options.table(Array.from(known.values()))
        const origin = String(place)
        const said = edits.map((edit) => {
          line += 1
          const row = rowOf(edit, line)
          const isGone = edit.fate === "goes"
          if (isGone) known.delete(edit.id)
          else known.set(edit.id, row)
          return { ...row, origin, line, isGone }
        })
        yield* feed.deliver({ origin, batches: [{ rows: said }] })
        const { runId } = yield* assay.materialize({ assets: [] })
        const after = options.table(Array.from(known.values()))
        assert.deepStrictEqual(sorted(yield* rows(assay, "reader")), sorted(after), `drain ${place}`)
        assert.deepStrictEqual(yield* lies(assay, { strict: true }), [], `drain ${place}`)
        if (place === 0) continue
        const of = (table: typeof after, unit: string) => sorted(table.filter(([own]) => own === unit)).join()
        const built = yield* Effect.filter(options.units, (unit) =>
          Effect.map(materializations.get({ asset: "reader", unit }), (found) =>
            Option.exists(found, (last) => last.runId === runId)
          )
        )
        const differing = options.units.filter((unit) => of(before, unit) !== of(after, unit))
        assert.deepStrictEqual(built, differing, `drain ${place}`)
      }
    }).pipe(Effect.scoped, Effect.provide(layerMemory, { local: true }))

/** The same of days that list the things which they need. */
export const lists = (
  mapping: PartitionMapping.PartitionMapping<"day">,
  needs: (day: string, thing: Pick<Thing, "day" | "id" | "note">) => boolean
) =>
  follows({
    assets: (things) => [
      Asset.make("reader", {
        description: "What each day is made of",
        columns: Schema.Struct({ day: Column.date, id: Column.text, note: Column.text }),
        partitions: daily,
        inputs: { things: Asset.input(things, mapping, { columns: ["id", "day", "note"] }) },
        write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
        policy,
        compute: {
          rows: ({ things, units }) =>
            given(units, things, needs).map(({ id, note, unit }) => ({ day: unit, id, note }))
        }
      })
    ],
    units: days,
    table: (things) =>
      days.flatMap((unit) => things.flatMap((thing) => (needs(unit, thing) ? [[unit, thing.id, thing.note]] : [])))
  })

/** What a definition is refused for. */
export const refusal = (define: () => unknown): string => {
  try {
    define()
    return "none"
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const listed = Schema.Struct({ day: Column.date, region: Column.text, id: Column.text, note: Column.text })

export const names = Partitions.fromKeys(["eu", "us"])
export const both = Partitions.multi({ day: daily, region: names })

/** How an asset is cut: by names, by days, by both, not at all, or not even stored. */
type Cut = (typeof cuts)[number]

export const cuts = ["names", "days", "both", "whole", "view"] as const

/** An asset of the given cut; its rows are of no interest. */
export const asset = (
  name: string,
  cut: Cut,
  inputs: Asset.Inputs = { things: Asset.input(things, PartitionMapping.all) }
) => {
  const parts = { description: "Of no interest", columns: listed, inputs, compute: { rows: () => [] } }
  switch (cut) {
    case "names":
      return Asset.make(name, {
        ...parts,
        partitions: names,
        write: WriteStrategy.replacePartitions("region", { key: ["region", "id"] })
      })
    case "days":
      return Asset.make(name, {
        ...parts,
        partitions: daily,
        write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] })
      })
    case "both":
      return Asset.make(name, {
        ...parts,
        partitions: both,
        write: WriteStrategy.replacePartitions({ day: "day", region: "region" }, { key: ["day", "region", "id"] })
      })
    case "whole":
      return Asset.make(name, { ...parts, write: WriteStrategy.replace({ key: ["id"] }) })
    case "view":
      return Asset.make(name, { ...parts, write: WriteStrategy.view })
  }
}

/** What it is refused for that an asset of one cut reads one of another by a mapping. */
export const refused = (
  from: Cut,
  mapping: PartitionMapping.PartitionMapping<keyof (typeof listed)["Type"]>,
  to: Cut
) => refusal(() => asset("reader", to, { upstream: Asset.input(asset("read", from), mapping) }))
