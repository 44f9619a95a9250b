import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { Postgres } from "@assay/core/postgres/Postgres"
import { identifier, literal, sql, type Sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { postgres } from "./layers.ts"
import { build, events, prepare, refusal, transact } from "./World.ts"

/** One row more than a load has whose indexes are kept up to date row by row. */
const many = 5001

const observed = sql`SELECT 'c' || n AS region, NULL::text AS segment, timestamptz '2024-01-01' AS valid_from, n AS _sequence
  FROM generate_series(1, ${literal(String(many))}) AS n`

/** A history and a table of keys over one log, the second with an index for what reads it by `region`. */
const world = Effect.fnUntraced(function* (prefix: string, size = many) {
  const log = events(`${prefix}_log`)
  const history = Asset.make(`${prefix}_history`, {
    description: "One version of each region",
    columns: Schema.Struct({
      sk: Column.text,
      region: Column.text,
      segment: Column.nullable(Column.text),
      valid_from: Column.timestamp,
      valid_to: Column.nullable(Column.timestamp),
      is_current: Column.boolean
    }),
    inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["region"] }) },
    write: WriteStrategy.scd2({
      key: ["region"],
      surrogateKey: "sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["segment"]
    }),
    compute: { sql: () => sql`SELECT * FROM (${observed}) AS o LIMIT ${literal(String(size))}` }
  })
  const keyed = Asset.make(`${prefix}_keyed`, {
    description: "Many keys",
    columns: Schema.Struct({ id: Column.integer, region: Column.text }),
    inputs: { log: Asset.input(log, PartitionMapping.all, { columns: ["region"] }) },
    write: WriteStrategy.replace({ key: ["id"] }),
    compute: {
      sql: () => sql`SELECT n AS id, 'r' || n % 7 AS region FROM generate_series(1, ${literal(String(size))}) AS n`
    }
  })
  const reader = Asset.make(`${prefix}_reader`, {
    description: "Reads the keys by region",
    columns: Schema.Struct({ region: Column.text, rows: Column.integer }),
    inputs: { keyed: Asset.input(keyed, PartitionMapping.byColumn("region"), { columns: ["region"] }) },
    write: WriteStrategy.upsert({ key: ["region"], version: "rows" }),
    compute: {
      sql: ({ keyed }) =>
        sql`SELECT region, count(*)::int AS rows, FALSE AS _deleted, '' AS _tie FROM ${keyed} AS k GROUP BY region`
    }
  })
  const graph = AssetGraph.make([log, history, keyed, reader])
  yield* prepare(graph)
  return { graph, history, keyed }
})

/** Every index of a table: what it says, and which object it is, which is another one when it was built again. */
const indexesOf = Effect.fnUntraced(function* (asset: Asset.Asset) {
  const pg = yield* Postgres
  return yield* pg.query(
    sql`SELECT pg_get_indexdef(i.indexrelid) AS says, i.indexrelid::text AS object,
        coalesce(pg_get_constraintdef(k.oid), '') AS rule, i.indisvalid AS valid
      FROM pg_index AS i LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
      WHERE i.indrelid = to_regclass(quote_ident('dev') || '.' || quote_ident(${asset.name}))
      ORDER BY says`,
    Schema.Struct({ says: Schema.String, object: Schema.String, rule: Schema.String, valid: Schema.Boolean })
  )
})

type Index = Effect.Success<ReturnType<typeof indexesOf>>[number]

const meanings = (indexes: ReadonlyArray<Index>) => indexes.map(({ rule, says, valid }) => [says, rule, valid])
const objects = (indexes: ReadonlyArray<Index>) => indexes.map(({ object }) => object)

const execute = (statement: Sql) => Effect.flatMap(Postgres, (pg) => pg.execute(statement))
const table = ({ name }: Asset.Asset) => identifier("dev", name)

it.layer(postgres)("the first load of an empty table", (it) => {
  it.effect("builds every index behind a large load, as it was before (Verifies: L2, L10)", () =>
    Effect.gen(function* () {
      const { graph, history, keyed } = yield* world("large")
      for (const { asset, count } of [
        { asset: history, count: 2 },
        { asset: keyed, count: 2 }
      ]) {
        const before = yield* indexesOf(asset)
        assert.strictEqual(before.length, count)
        assert.deepStrictEqual((yield* build(graph, asset)).counts, [many, 0, 0, 0])
        const after = yield* indexesOf(asset)
        assert.deepStrictEqual(meanings(after), meanings(before))
        assert.deepStrictEqual(
          objects(after).filter((object) => objects(before).includes(object)),
          []
        )
        assert.deepStrictEqual((yield* build(graph, asset)).counts, [0, 0, 0, many])
        assert.deepStrictEqual(objects(yield* indexesOf(asset)), objects(after))
      }
      const overlap = execute(sql`INSERT INTO ${table(history)} (sk, region, valid_from, valid_to, is_current)
        VALUES ('x', 'c1', '2024-02-01', NULL, FALSE)`)
      assert.match(yield* refusal(overlap), /^DataQuality: .*large_history_no_overlap/)
      const twice = execute(sql`INSERT INTO ${table(keyed)} (id, region) VALUES (1, 'r1')`)
      assert.match(yield* refusal(twice), /^DataQuality: .*large_keyed_pkey/)
    })
  )

  it.effect("leaves the indexes of a small load in place", () =>
    Effect.gen(function* () {
      const { graph, history, keyed } = yield* world("small", many - 1)
      for (const asset of [history, keyed]) {
        const before = yield* indexesOf(asset)
        assert.deepStrictEqual((yield* build(graph, asset)).counts, [many - 1, 0, 0, 0])
        assert.deepStrictEqual(yield* indexesOf(asset), before)
      }
    })
  )

  it.effect("takes nothing from a table whose load is undone (Verifies: L3, L10, L11)", () =>
    Effect.gen(function* () {
      const { graph, history } = yield* world("undone")
      const before = yield* indexesOf(history)
      const undone = yield* Effect.flip(transact(Effect.andThen(build(graph, history), Effect.fail("undone" as const))))
      assert.strictEqual(undone, "undone")
      assert.deepStrictEqual(yield* indexesOf(history), before)
      assert.deepStrictEqual((yield* build(graph, history)).counts, [many, 0, 0, 0])
    })
  )

  it.effect("does not wait for somebody who reads the empty table to end (Verifies: L9)", () =>
    Effect.gen(function* () {
      const { graph, history } = yield* world("busy")
      const before = yield* indexesOf(history)
      const reading = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const reader = yield* Effect.forkChild(
        transact(
          Effect.gen(function* () {
            yield* execute(sql`SELECT FROM ${table(history)}`)
            yield* Deferred.succeed(reading, undefined)
            yield* Deferred.await(go)
            return yield* execute(sql`SELECT FROM ${table(history)}`)
          })
        )
      )
      yield* Deferred.await(reading)
      assert.deepStrictEqual((yield* build(graph, history)).counts, [many, 0, 0, 0])
      assert.deepStrictEqual(yield* indexesOf(history), before)
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual(yield* Fiber.join(reader), many)
    })
  )

  it.effect("leaves in place what a person has added to, and the rules of others", () =>
    Effect.gen(function* () {
      const { graph, keyed } = yield* world("added")
      yield* execute(sql`CREATE INDEX own_note ON ${table(keyed)} (region, id)`)
      yield* execute(sql`COMMENT ON INDEX ${identifier("dev", "own_note")} IS 'for the month-end report'`)
      yield* execute(sql`CREATE UNIQUE INDEX own_rule ON ${table(keyed)} (id, region)`)
      yield* execute(sql`CREATE INDEX own_part ON ${table(keyed)} (region) WHERE id > 10`)
      yield* execute(sql`CREATE INDEX own_size ON ${table(keyed)} (region) WITH (fillfactor = 70)`)
      yield* execute(sql`CREATE INDEX plain ON ${table(keyed)} (id, region)`)
      const before = yield* indexesOf(keyed)
      assert.deepStrictEqual((yield* build(graph, keyed)).counts, [many, 0, 0, 0])
      const after = yield* indexesOf(keyed)
      assert.deepStrictEqual(meanings(after), meanings(before))
      const stayed = after.filter(({ object }) => objects(before).includes(object))
      const names = stayed.map(({ says }) => / INDEX (\w+) ON /.exec(says)?.[1] ?? "").toSorted()
      assert.deepStrictEqual(names, ["own_note", "own_part", "own_rule", "own_size"])
    })
  )

  it.effect("leaves all indexes in place where something depends on one", () =>
    Effect.gen(function* () {
      const { graph, keyed } = yield* world("needed")
      const before = yield* indexesOf(keyed)
      // The view takes the other column for determined by the primary key.
      yield* execute(
        sql`CREATE VIEW ${identifier("dev", "own_view")} AS SELECT id, region FROM ${table(keyed)} GROUP BY id`
      )
      assert.deepStrictEqual((yield* build(graph, keyed)).counts, [many, 0, 0, 0])
      assert.deepStrictEqual(yield* indexesOf(keyed), before)
    })
  )
})
