/**
 * Stale sets on PostgreSQL. Marks of unknown number stay in the database: they come out of one temporary relation and,
 * when picked, go into another (`picked`), which the warehouse joins.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import type { AssetKey } from "../Asset.ts"
import { instant } from "../postgres/Codec.ts"
import { Postgres } from "../postgres/Postgres.ts"
import * as TemporaryTable from "../postgres/TemporaryTable.ts"
import { compile, identifier, list, literal, type Sql, sql } from "../Sql.ts"
import { all, none, relation } from "../Unit.ts"
import { decodeCause, encodeCause, opened, type StaleSet, StaleSets } from "./StaleSets.ts"

/**
 * The temporary relation of the picked units of the current step: `unit`, `version`, `window_start`, `window_end`.
 *
 * @category constants
 * @since 0.1.0
 */
export const picked = "_assay_picked"

/**
 * Stale sets on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<StaleSets, never, Postgres> = Layer.effect(
  StaleSets,
  Effect.map(Postgres, (pg) => {
    const tables = tablesOf(pg)
    return StaleSets.of({
      unregistered: unregistered(tables),
      register: register(tables),
      known: known(tables),
      hold: (assets) => hold(tables, assets),
      mark: mark(tables),
      open: open(tables),
      pick: pick(tables),
      clear: clear(tables),
      expand: expand(tables),
      get: get(tables),
      units: units(tables),
      marked: marked(tables),
      covering: covering(tables)
    })
  })
)

// --- internal ---

type Service = (typeof StaleSets)["Service"]

interface Tables {
  readonly pg: typeof Postgres.Service
  readonly asset: Sql
  readonly unit: Sql
  readonly range: Sql
  readonly materialization: Sql
  readonly nextVersion: Sql
}

const tablesOf = (pg: typeof Postgres.Service): Tables => {
  const table = (name: string) => identifier(pg.schemas.ledger, name)
  return {
    pg,
    asset: table("asset"),
    unit: table("stale_unit"),
    range: table("stale_range"),
    materialization: table("materialization"),
    nextVersion: sql`nextval(${compile(table("stale_version")).text}::regclass)`
  }
}

const mark = (tables: Tables): Service["mark"] =>
  Effect.fnUntraced(function* ({ asset, at, cause, isLogged = false, units }) {
    if (units._tag === "None") return
    yield* hold(tables, [asset])
    const text = encodeCause(cause)
    const time = DateTime.formatIso(at)
    const logged = literal(isLogged ? "TRUE" : "FALSE")
    switch (units._tag) {
      case "All":
      case "From": {
        // The same range again gets a new version instead of a new row, so an asset that nobody builds does not
        // gather one row for every change upstream.
        const from = units._tag === "From" ? units.unit : null
        return yield* tables.pg.later({
          name: marksOf(asset),
          parts: [
            sql`UPDATE ${tables.range} SET version = ${tables.nextVersion}, marked_at = ${time}::timestamptz,
          is_logged = is_logged AND ${logged}
        WHERE asset = ${asset} AND from_unit IS NOT DISTINCT FROM ${from}::text AND cause = ${text} RETURNING TRUE`,
            (known) => sql`INSERT INTO ${tables.range} (asset, version, from_unit, cause, marked_at, is_logged)
        SELECT ${asset}, ${tables.nextVersion}, ${from}, ${text}, ${time}::timestamptz, ${logged}
        WHERE NOT EXISTS (SELECT FROM ${known}) RETURNING TRUE`
          ]
        })
      }
      case "Listed":
      case "Relation": {
        // A never built asset is stale as a whole already. Its range gets a new version, so that a build under way
        // that has not seen these changes cannot clear it; where that build has just cleared it, no row is left to
        // update and the units are listed.
        const source =
          units._tag === "Relation" ? identifier(units.name) : sql`unnest(${units.units}::text[]) AS listed(unit)`
        yield* tables.pg.later({
          name: marksOf(asset),
          parts: [
            sql`UPDATE ${tables.range} SET version = ${tables.nextVersion}
        WHERE asset = ${asset} AND from_unit IS NULL AND cause = ${encodeCause({ _tag: "NeverBuilt" })} RETURNING TRUE`,
            (covered) => sql`INSERT INTO ${tables.unit} AS s (asset, unit, version, cause, marked_at, is_logged)
        SELECT ${asset}, unit, ${tables.nextVersion}, ${text}, ${time}::timestamptz, ${logged}
        FROM (SELECT DISTINCT unit FROM ${source}) AS changed WHERE NOT EXISTS (SELECT FROM ${covered})
        ON CONFLICT (asset, unit) DO UPDATE SET version = excluded.version, cause = excluded.cause,
          marked_at = excluded.marked_at, is_logged = s.is_logged AND excluded.is_logged
        RETURNING TRUE`
          ]
        })
      }
    }
  })

const unregistered =
  (tables: Tables): Service["unregistered"] =>
  (assets) =>
    Effect.map(
      tables.pg.query(
        sql`SELECT asset, code_version, reads FROM ${tables.asset}
        WHERE asset = ANY(${assets.map(({ asset }) => asset)}::text[])`,
        Schema.Struct({ asset: Schema.String, code_version: Schema.String, reads: Schema.Array(Schema.String) })
      ),
      (rows) =>
        assets.filter(({ asset, codeVersion, reads }) => {
          const known = rows.find((row) => row.asset === asset)
          return known?.code_version !== codeVersion || known.reads.join() !== reads.join()
        })
    )

const register = (tables: Tables): Service["register"] =>
  Effect.fnUntraced(function* ({ assets, at }) {
    for (const { asset, codeVersion, isPartitioned, reads } of assets) {
      const [known] = yield* tables.pg.query(
        sql`SELECT code_version FROM ${tables.asset} WHERE asset = ${asset}`,
        Schema.Struct({ code_version: Schema.String })
      )
      yield* tables.pg.execute(sql`INSERT INTO ${tables.asset} (asset, code_version, reads, registered_at)
      VALUES (${asset}, ${codeVersion}, ${reads}::text[], ${DateTime.formatIso(at)}::timestamptz)
      ON CONFLICT (asset) DO UPDATE
        SET code_version = excluded.code_version, reads = excluded.reads, registered_at = excluded.registered_at`)
      if (known?.code_version === codeVersion || (known === undefined && isPartitioned)) continue
      yield* mark(tables)({
        asset,
        units: all,
        cause: { _tag: known === undefined ? "NeverBuilt" : "CodeChanged" },
        at
      })
    }
  })

const known =
  (tables: Tables): Service["known"] =>
  (asset) =>
    Effect.map(
      tables.pg.query(
        sql`SELECT asset, code_version FROM ${tables.asset} WHERE asset = ${asset} OR ${asset} = ANY(reads)`,
        Schema.Struct({ asset: Schema.String, code_version: Schema.String })
      ),
      (rows) => rows.map((row) => ({ asset: row.asset, codeVersion: row.code_version }))
    )

const open = (tables: Tables): Service["open"] =>
  Effect.fnUntraced(function* (asset) {
    yield* hold(tables, [asset])
    yield* tables.pg.execute(sql`UPDATE ${tables.range} SET cause = ${opened}
    WHERE asset = ${asset} AND cause = ${encodeCause({ _tag: "NeverBuilt" })}`)
  })

const pick = (tables: Tables): Service["pick"] =>
  Effect.fnUntraced(function* ({ asset, selection }) {
    yield* newPicked(tables)
    switch (selection._tag) {
      case "Whole": {
        const versions = yield* ranges(tables, asset)
        const count = yield* tables.pg.execute(sql`INSERT INTO ${identifier(picked)} (unit, version)
        SELECT unit, version FROM ${tables.unit} WHERE asset = ${asset}`)
        const isStale = selection.isForced || count + versions.length > 0
        return { asset, units: isStale ? all : none, count, partitions: [], logged: new Set<string>(), versions }
      }
      case "Some": {
        const count = yield* tables.pg.execute(sql`INSERT INTO ${identifier(picked)} (unit, version)
        SELECT unit, version FROM ${tables.unit} WHERE asset = ${asset} ORDER BY unit LIMIT ${selection.limit}`)
        return {
          asset,
          units: count === 0 ? none : relation(picked),
          count,
          partitions: [],
          logged: new Set<string>(),
          versions: []
        }
      }
      case "Units": {
        const time = (pick: "start" | "end") =>
          selection.units.map(({ window }) =>
            window === undefined ? null : DateTime.formatIso(DateTime.makeUnsafe(window[pick]))
          )
        const rows = yield* tables.pg.query(
          sql`INSERT INTO ${identifier(picked)} (unit, version, window_start, window_end, is_logged)
          SELECT u.unit, s.version, u.window_start, u.window_end, s.is_logged AND m.unit IS NOT NULL
          FROM unnest(${selection.units.map(({ unit }) => unit)}::text[], ${time("start")}::timestamptz[],
            ${time("end")}::timestamptz[]) AS u(unit, window_start, window_end)
          LEFT JOIN ${tables.unit} AS s ON s.asset = ${asset} AND s.unit = u.unit
          LEFT JOIN ${tables.materialization} AS m ON m.asset = ${asset} AND m.unit = u.unit
          WHERE ${selection.isForced ? literal("TRUE") : literal("s.unit IS NOT NULL OR m.unit IS NULL")}
          RETURNING unit, coalesce(is_logged, FALSE) AS is_logged`,
          Schema.Struct({ unit: Schema.String, is_logged: Schema.Boolean })
        )
        const chosen = new Set(rows.map(({ unit }) => unit))
        const partitions = selection.units.filter(({ unit }) => chosen.has(unit))
        return {
          asset,
          units: partitions.length === 0 ? none : relation(picked),
          count: partitions.length,
          partitions,
          // Whoever asks for all of them again wants them computed again.
          logged: new Set(selection.isForced ? [] : rows.flatMap(({ is_logged, unit }) => (is_logged ? [unit] : []))),
          versions: []
        }
      }
    }
  })

const newPicked = ({ pg }: Tables) =>
  TemporaryTable.prepare(pg, [
    {
      name: picked,
      columns: literal(
        "unit text NOT NULL, version bigint, window_start timestamptz, window_end timestamptz, is_logged boolean"
      )
    }
  ])

/**
 * Holds the marks of an asset until the transaction ends. Whoever marks and clears several assets takes them in the order
 * of the graph, so that nobody waits in a circle, whatever rows of them he touches in whatever order (ADR 0015).
 */
const hold = ({ pg }: Tables, assets: ReadonlyArray<AssetKey>) =>
  Effect.flatMap(pg.transaction, (transaction) => {
    const keys = Array.from(new Set(assets), (asset) => JSON.stringify([pg.schemas.ledger, "marks", asset]))
    const wanted = keys.filter((key) => transaction?.holds.has(key) !== true)
    if (wanted.length === 0) return Effect.void
    const locks = wanted.map((key) => sql`pg_advisory_xact_lock(hashtextextended(${key}, 0))`)
    return Effect.map(pg.execute(sql`SELECT ${list(locks)}`), () => {
      for (const key of wanted) transaction?.holds.add(key)
    })
  })

/** By what name a transaction writes the marks of an asset. */
const marksOf = (asset: AssetKey): string => `marks of ${asset}`

const ranges = (tables: Tables, asset: AssetKey) =>
  Effect.map(
    tables.pg.query(
      sql`SELECT version::text AS version FROM ${tables.range} WHERE asset = ${asset}`,
      Schema.Struct({ version: Schema.String })
    ),
    (rows) => rows.map(({ version }) => version)
  )

const clear = (tables: Tables): Service["clear"] =>
  Effect.fnUntraced(function* (step) {
    yield* hold(tables, [step.asset])
    const isCleared = sql`s.unit = p.unit AND s.version = p.version`
    const cleared = [
      sql`DELETE FROM ${tables.unit} AS s USING ${identifier(picked)} AS p
    WHERE s.asset = ${step.asset} AND ${isCleared} RETURNING TRUE`,
      sql`UPDATE ${tables.unit} AS s SET is_logged = FALSE WHERE s.asset = ${step.asset} AND s.is_logged
      AND NOT EXISTS (SELECT FROM ${identifier(picked)} AS p WHERE ${isCleared}) RETURNING TRUE`,
      sql`UPDATE ${tables.range} SET is_logged = FALSE WHERE asset = ${step.asset} AND is_logged
      AND version <> ALL (${step.versions}::bigint[]) RETURNING TRUE`
    ]
    if (step.versions.length > 0) {
      cleared.push(sql`DELETE FROM ${tables.range}
      WHERE asset = ${step.asset} AND version = ANY(${step.versions}::bigint[]) RETURNING TRUE`)
    }
    yield* tables.pg.later({ name: marksOf(step.asset), parts: cleared })
    yield* TemporaryTable.filled(tables.pg, [picked], step.count)
    yield* TemporaryTable.release(tables.pg, [picked])
  })

const expand = (tables: Tables): Service["expand"] =>
  Effect.fnUntraced(function* ({ asset, at, units }) {
    yield* hold(tables, [asset])
    const rows = yield* tables.pg.query(
      sql`DELETE FROM ${tables.range} WHERE asset = ${asset} RETURNING from_unit, cause, is_logged`,
      Schema.Struct({ from_unit: Schema.NullOr(Schema.String), cause: Schema.String, is_logged: Schema.Boolean })
    )
    for (const { cause, from_unit, is_logged } of rows) {
      yield* mark(tables)({
        asset,
        units: { _tag: "Listed", units: units.filter((unit) => from_unit === null || unit >= from_unit) },
        cause: decodeCause(cause),
        at,
        isLogged: is_logged
      })
    }
  })

const get = (tables: Tables): Service["get"] =>
  Effect.fnUntraced(function* (assets) {
    const rows = yield* tables.pg.query(
      sql`SELECT a.asset, a.code_version, coalesce(r.ranges, '[]') AS ranges, coalesce(m.marks, '[]') AS marks
      FROM ${tables.asset} AS a
      LEFT JOIN (
        SELECT asset, json_agg(json_build_array(from_unit, cause) ORDER BY version) AS ranges
        FROM ${tables.range} WHERE asset = ANY(${assets}::text[]) GROUP BY asset
      ) AS r ON r.asset = a.asset
      LEFT JOIN (
        SELECT asset, json_agg(json_build_array(cause, count) ORDER BY cause) AS marks
        FROM (
          SELECT asset, cause, count(*) AS count FROM ${tables.unit} WHERE asset = ANY(${assets}::text[])
          GROUP BY asset, cause
        ) AS g GROUP BY asset
      ) AS m ON m.asset = a.asset
      WHERE a.asset = ANY(${assets}::text[])`,
      StaleRow
    )
    const byAsset = new Map(rows.map((row) => [row.asset, row]))
    return new Map(
      assets.map((asset): readonly [AssetKey, StaleSet] => {
        const row = byAsset.get(asset)
        return [
          asset,
          {
            asset,
            codeVersion: row?.code_version,
            ranges: row?.ranges.map(([from, cause]) => ({ from: from ?? undefined, cause: decodeCause(cause) })) ?? [],
            marks: row?.marks.map(([cause, count]) => ({ cause: decodeCause(cause), count })) ?? []
          }
        ]
      })
    )
  })

const units =
  (tables: Tables): Service["units"] =>
  (asset) =>
    Effect.map(
      tables.pg.query(
        sql`SELECT unit, cause FROM ${tables.unit} WHERE asset = ${asset} ORDER BY unit`,
        Schema.Struct({ unit: Schema.String, cause: Schema.String })
      ),
      (rows) => rows.map(({ cause, unit }) => ({ unit, cause: decodeCause(cause) }))
    )

/** Grouped there, because a row for every mark costs more to carry than to make. Uses the primary key. */
const marked =
  (tables: Tables): Service["marked"] =>
  (assets) =>
    Effect.map(
      tables.pg.query(
        sql`SELECT asset, cause, json_agg(unit ORDER BY unit) AS units FROM ${tables.unit}
        WHERE asset = ANY(${assets}::text[]) GROUP BY asset, cause ORDER BY asset, cause COLLATE "C"`,
        Schema.Struct({ asset: Schema.String, cause: Schema.String, units: Schema.Array(Schema.String) })
      ),
      (rows) => {
        const byAsset = Map.groupBy(rows, ({ asset }) => asset)
        return new Map(
          assets.map((asset) => [
            asset,
            (byAsset.get(asset) ?? []).map(({ cause, units }) => ({ cause: decodeCause(cause), units }))
          ])
        )
      }
    )

const covering =
  (tables: Tables): Service["covering"] =>
  ({ asset, unit }) =>
    Effect.map(
      tables.pg.query(
        sql`SELECT cause, is_range, marked_at FROM (
          SELECT cause, FALSE AS is_range, marked_at FROM ${tables.unit} WHERE asset = ${asset} AND unit = ${unit}
          UNION ALL
          SELECT cause, TRUE, marked_at FROM ${tables.range}
          WHERE asset = ${asset} AND (from_unit IS NULL OR from_unit <= ${unit}::text)
        ) AS c ORDER BY marked_at, is_range DESC`,
        Schema.Struct({ cause: Schema.String, is_range: Schema.Boolean, marked_at: instant })
      ),
      (rows) => rows.map((row) => ({ cause: decodeCause(row.cause), isRange: row.is_range, at: row.marked_at }))
    )

const StaleRow = Schema.Struct({
  asset: Schema.String,
  code_version: Schema.String,
  ranges: Schema.Array(Schema.Tuple([Schema.NullOr(Schema.String), Schema.String])),
  marks: Schema.Array(Schema.Tuple([Schema.String, Schema.Finite]))
})
