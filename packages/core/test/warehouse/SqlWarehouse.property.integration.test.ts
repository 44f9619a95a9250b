import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import { Transactor } from "@assay/core/Transactor"
import { Warehouse } from "@assay/core/warehouse/Warehouse"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as BigDecimal from "effect/BigDecimal"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Dimension from "./Dimension.ts"
import { memory, postgres, type Services } from "./layers.ts"
import { build, event, events, land, partitions, prepare, rows, type Step, type Units } from "./World.ts"

/** Few values each, so that random events meet: same keys, same instants, ties, moves, and texts that sort differently. */
const Row = Schema.Struct({
  id: Schema.Literals(["a", "b", "c"]),
  line: Schema.Literals([1, 2, 3, 4, 5]),
  branch: Schema.Literals([1, 2]),
  region: Schema.Literals(["north", 'sou"th', "\u{1F600}"]),
  kind: Schema.Literals(["sale", "refund", "-"]),
  day: Schema.NullOr(Schema.Literals(["2023-12-31", "2024-03-10", "2024-11-03"])),
  at: Schema.NullOr(
    Schema.Literals([
      "2024-03-10T04:59:59.999999Z",
      "2024-03-10T05:00:00.000000Z",
      "2024-03-10T05:00:00.000001Z",
      "2024-11-03T05:30:00.000000Z",
      "2024-11-03T06:30:00.000000Z"
    ])
  ),
  amount: Schema.NullOr(Schema.Literals(["1", "1.00", "-0.01"])),
  note: Schema.NullOr(Schema.Literals(["", "Z", "a", "\uFFFD", "\u{1F600}"])),
  isDeleted: Schema.Boolean
})

const Batches = Schema.Array(Schema.Array(Row).check(Schema.isMaxLength(6))).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(4)
)

type Batches = (typeof Batches)["Type"]

const world = () => {
  const log = events("log")
  const facts = Asset.make("facts", {
    description: "Latest version of each event",
    columns: Schema.Struct({
      id: Column.text,
      branch: Column.integer,
      region: Column.nullable(Column.text),
      kind: Column.text,
      day: Column.nullable(Column.date),
      at: Column.nullable(Column.timestamp),
      amount: Column.nullable(Column.decimal({ precision: 12, scale: 2 })),
      note: Column.nullable(Column.text)
    }),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("id")) },
    write: WriteStrategy.upsert({ key: ["id"], version: "branch" }),
    compute: {
      sql: ({ log }) => sql`SELECT *, "isDeleted" AS _deleted, coalesce(note, '') AS _tie FROM ${log} AS log`,
      rows: ({ log }) => log.map((row) => ({ ...row, _deleted: row.isDeleted, _tie: row.note ?? "" }))
    }
  })
  const pairs = Asset.make("pairs", {
    description: "Greatest note by region and day",
    columns: Schema.Struct({ region: Column.text, day: Column.date, note: Column.nullable(Column.text) }),
    inputs: {
      facts: Asset.input(facts, PartitionMapping.byColumn("region", "day"), {
        columns: ["region", "day", "note"],
        where: { kind: ["sale", "refund"] }
      })
    },
    write: WriteStrategy.upsert({ key: ["region", "day"], version: "note" }),
    compute: {
      sql: ({ facts }) =>
        sql`SELECT *, FALSE AS _deleted, '' AS _tie FROM ${facts} AS facts WHERE region IS NOT NULL AND day IS NOT NULL`,
      rows: ({ facts }) =>
        facts.flatMap(({ day, note, region }) =>
          day === null || region === null ? [] : [{ region, day, note, _deleted: false, _tie: "" }]
        )
    }
  })
  const dimension = Dimension.make("dimension", log)
  const hourly = Asset.make("hourly", {
    description: "Amounts by hour and segment",
    columns: Schema.Struct({
      hour: Column.timestamp,
      segment: Column.text,
      amount: Column.nullable(Column.decimal({ precision: 14, scale: 2 }))
    }),
    partitions: Partitions.hourly({ start: "2024-01-01", timeZone: "America/New_York" }),
    inputs: {
      facts: Asset.input(facts, PartitionMapping.byColumn("at"), {
        columns: ["region", "at", "amount"],
        where: { kind: ["sale"] }
      }),
      regions: Asset.input(
        dimension,
        PartitionMapping.asOf({ facts: "facts", key: "region", at: "at", bounds: "compared" }),
        {
          columns: ["region", "segment", "valid_from", "valid_to"]
        }
      )
    },
    write: WriteStrategy.replacePartitions("hour", { key: ["hour", "segment"] }),
    compute: {
      sql: ({ facts, regions }) =>
        sql`SELECT date_trunc('hour', f.at) AS hour, coalesce(r.segment, CASE WHEN r.region IS NULL THEN 'unknown' ELSE 'none' END) AS segment,
            sum(f.amount) AS amount
          FROM ${facts} AS f LEFT JOIN ${regions} AS r
            ON r.region = f.region AND r.valid_from <= f.at AND (r.valid_to IS NULL OR f.at < r.valid_to)
          GROUP BY 1, 2`,
      rows: ({ facts, regions }) => {
        const found = facts.flatMap(({ amount, at, region }) => {
          if (at === null) return []
          const held = regions.find(
            (version) =>
              version.region === region &&
              version.valid_from <= at &&
              (version.valid_to === null || at < version.valid_to)
          )
          const segment = held === undefined ? "unknown" : (held.segment ?? "none")
          return [{ hour: `${at.slice(0, 13)}:00:00.000000Z`, segment, amount }]
        })
        return Array.from(Map.groupBy(found, ({ hour, segment }) => `${hour} ${segment}`).values()).flatMap((group) => {
          const [first] = group
          const amounts = group.flatMap(({ amount }) => amount ?? [])
          return first === undefined
            ? []
            : [{ ...first, amount: amounts.length === 0 ? null : BigDecimal.sumAll(amounts) }]
        })
      }
    }
  })
  const monthly = Asset.make("monthly", {
    description: "Running totals",
    columns: Schema.Struct({ month: Column.date, facts: Column.integer, regions: Column.integer }),
    partitions: Partitions.monthly({ start: "2024-01-01", end: "2025-01-01" }),
    inputs: {
      facts: Asset.input(facts, PartitionMapping.onwards("day"), { columns: ["id", "day"] }),
      regions: Asset.input(dimension, PartitionMapping.onwards("valid_from", { bounds: "compared" }), {
        columns: ["segment", "valid_from", "valid_to"]
      })
    },
    write: WriteStrategy.replacePartitions("month", { key: ["month"] }),
    compute: {
      sql: ({ facts, regions, units }) => sql`SELECT unit::date AS month,
          (SELECT count(*) FROM ${facts} AS f WHERE f.day < (unit::date + interval '1 month')) AS facts,
          (SELECT count(segment) FROM ${regions} AS r
            WHERE r.valid_from < window_end AND (r.valid_to IS NULL OR r.valid_to >= window_end)) AS regions FROM ${units} AS units`,
      rows: ({ facts, regions, units }) =>
        units.map(({ unit }) => ({
          month: unit,
          facts: facts.filter(({ day }) => day !== null && month(day) <= month(unit)).length,
          regions: regions.filter(
            ({ segment, valid_from, valid_to }) =>
              segment !== null &&
              month(valid_from) <= month(unit) &&
              (valid_to === null || month(valid_to) > month(unit))
          ).length
        }))
    }
  })
  return {
    log,
    facts,
    pairs,
    dimension,
    hourly,
    monthly,
    graph: AssetGraph.make([log, facts, pairs, dimension, hourly, monthly])
  }
}

const month = (text: string): string => text.slice(0, 7)

type World = ReturnType<typeof world>

const months = Array.from({ length: 12 }, (_, index) => `2024-${String(index + 1).padStart(2, "0")}-01`)

/** The units that sets of reached units name. */
const named = (asset: Asset.Asset, sets: ReadonlyArray<string>): Units => {
  const keys = Array.from(new Set(sets)).toSorted()
  if (asset.write._tag !== "ReplacePartitions") return { keys }
  const first = keys.flatMap((key) => (key.startsWith("<from> ") ? [key.slice(7)] : [])).at(0)
  return partitions(
    asset,
    ...(asset.name === "monthly" ? months.filter((month) => first !== undefined && month >= first) : keys)
  )
}

/** Lands the batches, rebuilds after each what it reached, and tells everything that can be seen of it. */
const history = ({ graph, log, ...assets }: World, batches: Batches) =>
  Effect.gen(function* () {
    const warehouse = yield* Warehouse
    const transactor = yield* Transactor
    const told: Array<unknown> = []
    yield* transactor.rehearse(
      Effect.gen(function* () {
        for (const batch of batches) {
          const stale = new Map<string, ReadonlyArray<string>>()
          const tell = (asset: string, step: Step) => {
            told.push([asset, step])
            for (const [name, units] of Object.entries(step.reached))
              stale.set(name, [...(stale.get(name) ?? []), ...units])
          }
          const fresh = new Map(batch.map((row) => [`${row.id}${row.line}`, event(row.id, row)]))
          tell("log", yield* land(graph, log, Array.from(fresh.values()), ["id", "line"]))
          for (const asset of [assets.facts, assets.pairs, assets.dimension, assets.hourly, assets.monthly]) {
            const units = stale.get(asset.name) ?? []
            if (units.length > 0) tell(asset.name, yield* build(graph, asset, named(asset, units)))
          }
        }
        for (const asset of [assets.facts, assets.pairs, assets.dimension, assets.hourly, assets.monthly]) {
          told.push([
            asset.name,
            yield* rows(
              asset,
              asset.columns.map(({ name }) => name)
            )
          ])
        }
        const chain = yield* warehouse.verifyChain({
          graph,
          partitions: (asset) => {
            const units = asset === assets.monthly ? builtMonths(told) : builtHours
            return units.map((unit) => ({
              unit,
              window: Option.getOrUndefined(Partitions.windowOf(asset.partitions, unit))
            }))
          }
        })
        for (const [name, { examples, missing, unexpected }] of chain) {
          assert.deepStrictEqual([name, missing, unexpected, examples], [name, 0, 0, []])
        }
      })
    )
    return told
  })

/** Every hour that random events can fall into. */
const builtHours = ["2024-03-09-23:00", "2024-03-10-00:00", "2024-11-03-01:00", "2024-11-03-01:00-0500"]

/** The months that any step has reached: later ones were built, earlier ones never. */
const builtMonths = (told: ReadonlyArray<unknown>): ReadonlyArray<string> => {
  const reached = JSON.stringify(told).match(/<from> [0-9-]+/g) ?? []
  const [first] = reached.map((text) => text.slice(7)).toSorted()
  return months.filter((month) => first !== undefined && month >= first)
}

class Both extends Context.Service<
  Both,
  {
    readonly world: World
    readonly memory: Context.Context<Services>
    readonly postgres: Context.Context<Services>
  }
>()("@assay/core/test/warehouse/Both") {}

describe("a warehouse in memory and one on PostgreSQL", () => {
  const layerBoth = Layer.effect(
    Both,
    Effect.gen(function* () {
      const made = world()
      const both = { world: made, memory: yield* Layer.build(memory), postgres: yield* Layer.build(postgres) }
      yield* Effect.provideContext(prepare(made.graph), both.memory)
      yield* Effect.provideContext(prepare(made.graph), both.postgres)
      return both
    })
  )

  it.layer(layerBoth)((it) => {
    it.effect.prop(
      "tell the same history, which ends in what a full refresh gives (Verifies: L1, L2, L5)",
      { batches: Batches },
      ({ batches }) =>
        Effect.gen(function* () {
          const both = yield* Both
          const inMemory = yield* Effect.provideContext(history(both.world, batches), both.memory)
          const onPostgres = yield* Effect.provideContext(history(both.world, batches), both.postgres)
          assert.deepStrictEqual(onPostgres, inMemory)
        }),
      { arbitrary: { runs: 60 } }
    )
  })
})
