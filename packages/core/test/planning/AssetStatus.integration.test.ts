import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as SqlLedger from "@assay/core/ledger/SqlLedger"
import { Materializations } from "@assay/core/ledger/Materializations"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as AssetStatus from "@assay/core/planning/AssetStatus"
import { Postgres } from "@assay/core/postgres/Postgres"
import { sql } from "@assay/core/Sql"
import { listed } from "@assay/core/Unit"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { database } from "../ledger/layers.ts"

/** Counts the queries that the ledger makes. */
class Queries extends Context.Service<Queries, Ref.Ref<number>>()("@assay/core/test/planning/Queries") {}

const counting = Layer.effectContext(
  Effect.gen(function* () {
    const pg = yield* Postgres
    const queries = yield* Ref.make(0)
    const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.andThen(
        Ref.update(queries, (count) => count + 1),
        effect
      )
    return Context.make(
      Postgres,
      Postgres.of({
        ...pg,
        query: (statement, row) => counted(pg.query(statement, row)),
        execute: (statement) => counted(pg.execute(statement))
      })
    ).pipe(Context.add(Queries, queries))
  })
)

const layer = SqlLedger.layer.pipe(Layer.provideMerge(counting), Layer.provideMerge(database))

const now = DateTime.makeUnsafe("2024-03-01T00:00:00Z")

const table = (name: string, isPartitioned: boolean) =>
  isPartitioned
    ? Asset.make(name, {
        description: "Amounts by day",
        columns: Schema.Struct({ day: Column.date, amount: Column.integer }),
        partitions: Partitions.daily({ start: "2024-01-01" }),
        inputs: {},
        write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
        compute: { sql: () => sql`SELECT DATE '2024-01-01' AS day, 1 AS amount` }
      })
    : Asset.make(name, {
        description: "Amounts",
        columns: Schema.Struct({ name: Column.text, amount: Column.integer }),
        inputs: {},
        write: WriteStrategy.replace({ key: ["name"] }),
        compute: { sql: () => sql`SELECT 'a' AS name, 1 AS amount` }
      })

it.layer(layer)("the status of assets", (it) => {
  it.effect("takes as many queries for a hundred assets as for one, and says of each what it says alone", () =>
    Effect.gen(function* () {
      const materializations = yield* Materializations
      const staleSets = yield* StaleSets
      const queries = yield* Queries
      const at = now
      const assets = Array.from({ length: 100 }, (_, index) =>
        table(`asset_${String(index).padStart(3, "0")}`, index % 4 !== 3)
      )
      yield* staleSets.register({
        assets: assets.map(({ codeVersion, name, write }) => ({
          asset: name,
          codeVersion,
          isPartitioned: write._tag === "ReplacePartitions",
          reads: []
        })),
        at
      })
      for (const [index, { codeVersion, name, partitions, write }] of assets.entries()) {
        const isPartitioned = write._tag === "ReplacePartitions"
        const existing = Partitions.existing(partitions, DateTime.toEpochMillis(now))
        const units = isPartitioned ? Array.from(PartitionSet.keys(PartitionSet.take(existing, index % 61))) : ["*"]
        yield* materializations.record({
          asset: name,
          runId: "run",
          codeVersion: index % 7 === 0 ? "other" : codeVersion,
          at,
          units: units.map((unit) => ({ unit, rows: 1, contentHash: "" })),
          partitions: isPartitioned ? partitions : undefined
        })
        const marked = units.filter((_, at) => at % 5 === index % 5)
        yield* staleSets.mark({ asset: name, units: listed(marked), cause: { _tag: "Upstream", asset: "a" }, at })
      }
      const read = Effect.fnUntraced(function* (some: typeof assets) {
        yield* Ref.set(queries, 0)
        const statuses = yield* AssetStatus.read({ assets: some, now })
        return { statuses, queries: yield* Ref.get(queries) }
      })
      const all = yield* read(assets)
      const alone = yield* Effect.forEach(assets, (asset) => read([asset]))
      assert.deepStrictEqual(
        all.statuses,
        alone.flatMap(({ statuses }) => statuses)
      )
      // The third one reads marks, where there are any.
      assert.strictEqual(all.queries, 3)
      assert.deepStrictEqual(new Set(alone.map(({ queries }) => queries)), new Set([2, 3]))
      const of = all.statuses[8]
      assert.deepStrictEqual(
        of === undefined ? [] : [of.built, of.stale, AssetStatus.missing(of)].map(PartitionSet.size),
        [8, 1, 52]
      )
    })
  )
})
