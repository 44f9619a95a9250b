/**
 * What daemons share, on PostgreSQL. What is newly updated is told by transactions, not by times: a record is new where
 * the snapshot of the last evaluation does not show the transaction that wrote it, so that a step which commits late is
 * never passed over. A daemon is alive while its session holds the lock of its name; the server lets it go when the
 * process dies.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { AssetKey } from "../Asset.ts"
import * as Codec from "../postgres/Codec.ts"
import { Postgres } from "../postgres/Postgres.ts"
import { identifier, type Sql, sql } from "../Sql.ts"
import { whole } from "../Unit.ts"
import { AutomationCursors, type Facts, type Question } from "./AutomationCursors.ts"
import { Outbox } from "./Outbox.ts"
import { abandonedError } from "./Runs.ts"
import { decodeCause, encodeCause } from "./StaleSets.ts"

/**
 * What daemons share, on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<AutomationCursors, never, Postgres | Outbox> = Layer.effect(
  AutomationCursors,
  Effect.gen(function* () {
    const pg = yield* Postgres
    const outbox = yield* Outbox
    const tables = tablesOf(pg)
    const keyOf = (watcher: string) => JSON.stringify([pg.schemas.ledger, "watcher", watcher])

    return AutomationCursors.of({
      attend: (watcher) => pg.hold(keyOf(watcher)),

      read: Effect.fnUntraced(function* ({ aliveSince, questions, watcher }) {
        const { built, seen } = yield* records(tables, questions)
        const marks = yield* marked(tables, questions)
        const assets = yield* known(tables, questions)
        const { foreign, requests } = yield* runs(tables, { watcher, key: keyOf(""), aliveSince })
        return {
          facts: new Map(
            assets.map(({ asset, ...facts }): readonly [AssetKey, Facts] => [
              asset,
              { ...facts, built: built.get(asset) ?? [], marks: marks.get(asset) ?? [] }
            ])
          ),
          pending: requests,
          foreign,
          seen
        }
      }),

      remember: ({ assets, seen }) =>
        assets.length === 0
          ? Effect.void
          : Effect.asVoid(
              pg.execute(sql`INSERT INTO ${tables.cursor} AS c (asset, definition, evaluated_at, seen, parts)
                SELECT asset, definition, evaluated_at, ${seen}::pg_snapshot, parts
                FROM unnest(${assets.map(({ asset }) => asset)}::text[], ${assets.map(({ definition }) => definition)}::text[],
                  ${assets.map(({ at }) => DateTime.formatIso(at))}::timestamptz[],
                  ${assets.map(({ parts }) => JSON.stringify(parts))}::json[]) AS e(asset, definition, evaluated_at, parts)
                ORDER BY asset
                ON CONFLICT (asset) DO UPDATE SET definition = excluded.definition,
                  evaluated_at = excluded.evaluated_at, seen = excluded.seen, parts = excluded.parts`)
            ),

      request: ({ assets, at, runId, watcher }) =>
        Effect.asVoid(
          pg.execute(sql`INSERT INTO ${tables.request} (asset, run_id, partitions, watcher, requested_at)
            SELECT asset, ${runId}, partitions, ${watcher}, ${DateTime.formatIso(at)}::timestamptz
            FROM unnest(${assets.map(({ asset }) => asset)}::text[],
              ${assets.map(({ partitions }) => JSON.stringify(partitions))}::json[]) AS r(asset, partitions)`)
        ),

      takeBack: ({ assets, at, runIds }) =>
        runIds.length === 0
          ? Effect.void
          : Effect.asVoid(
              pg.execute(sql`WITH taken AS (
                  DELETE FROM ${tables.request}
                  WHERE run_id = ANY(${runIds}::text[]) AND asset = ANY(${assets}::text[])
                )
                UPDATE ${tables.run} SET status = 'cancelled', error = ${abandonedError},
                  finished_at = ${DateTime.formatIso(at)}::timestamptz
                WHERE run_id = ANY(${runIds}::text[]) AND status = 'running'`)
            ),

      end: Effect.fnUntraced(function* ({ endings, runId }) {
        if (endings.length === 0) return
        const units = endings.flatMap((ending) => ending.units.map((unit) => ({ asset: ending.asset, unit })))
        const failed = endings.flatMap(({ asset, failures: own }) => own.map((failure) => ({ asset, ...failure })))
        yield* pg.execute(sql`DELETE FROM ${tables.request}
          WHERE run_id = ${runId} AND asset = ANY(${endings.map(({ asset }) => asset)}::text[])`)
        yield* pg.execute(sql`DELETE FROM ${tables.failure} AS f
          USING unnest(${units.map(({ asset }) => asset)}::text[], ${units.map(({ unit }) => unit)}::text[]) AS u(asset, unit)
          WHERE f.asset = u.asset AND f.unit = u.unit`)
        if (failed.length > 0) {
          yield* pg.execute(sql`INSERT INTO ${tables.failure} (asset, unit, version, is_check, tries, retry_at)
            SELECT * FROM unnest(${failed.map(({ asset }) => asset)}::text[], ${failed.map(({ unit }) => unit)}::text[],
              ${failed.map(({ version }) => version)}::text[], ${failed.map(({ isCheck }) => String(isCheck))}::boolean[],
              ${failed.map(({ tries }) => String(tries))}::integer[],
              ${failed.map(({ retryAt }) => (retryAt === undefined ? null : DateTime.formatIso(retryAt)))}::timestamptz[])
            ON CONFLICT (asset, unit) DO UPDATE SET version = excluded.version, is_check = excluded.is_check,
              tries = excluded.tries, retry_at = excluded.retry_at`)
        }
        yield* outbox.announce(endings.map(({ asset }) => ({ asset, units: [] })))
      })
    })
  })
)

// --- internal ---

interface Tables {
  readonly pg: typeof Postgres.Service
  readonly asset: Sql
  readonly unit: Sql
  readonly range: Sql
  readonly materialization: Sql
  readonly run: Sql
  readonly cursor: Sql
  readonly request: Sql
  readonly failure: Sql
}

const tablesOf = (pg: typeof Postgres.Service): Tables => {
  const table = (name: string) => identifier(pg.schemas.ledger, name)
  return {
    pg,
    asset: table("asset"),
    unit: table("stale_unit"),
    range: table("stale_range"),
    materialization: table("materialization"),
    run: table("run"),
    cursor: table("automation_cursor"),
    request: table("automation_request"),
    failure: table("automation_failure")
  }
}

/** What was built, and in the same statement, so of the same moment, the snapshot in which it was looked at. */
const records = Effect.fnUntraced(function* (tables: Tables, questions: ReadonlyArray<Question>) {
  const whole = questions.filter(({ units }) => units === undefined).map(({ asset }) => asset)
  const listed = questions.flatMap(({ asset, units = [] }) => units.map((unit) => ({ asset, unit })))
  // A record that a dump brought along may name a transaction that this server has not come to yet: it is not new.
  const isUpdated = sql`coalesce(NOT pg_visible_in_snapshot(m.transaction_id, c.seen)
    AND m.transaction_id < pg_snapshot_xmax(pg_current_snapshot()), FALSE)`
  const rows = yield* tables.pg.query(
    sql`SELECT NULL AS asset, pg_current_snapshot()::text AS unit, FALSE AS updated
      UNION ALL
      SELECT m.asset, m.unit, ${isUpdated} FROM ${tables.materialization} AS m
      LEFT JOIN ${tables.cursor} AS c ON c.asset = m.asset WHERE m.asset = ANY(${whole}::text[])
      UNION ALL
      SELECT m.asset, m.unit, ${isUpdated}
      FROM unnest(${listed.map(({ asset }) => asset)}::text[], ${listed.map(({ unit }) => unit)}::text[]) AS q(asset, unit)
      JOIN ${tables.materialization} AS m ON m.asset = q.asset AND m.unit = q.unit
      LEFT JOIN ${tables.cursor} AS c ON c.asset = m.asset`,
    BuiltRow
  )
  const built = new Map<AssetKey, Array<Facts["built"][number]>>()
  let seen = ""
  for (const { asset, unit, updated } of rows) {
    if (asset === null) seen = unit
    else append(built, asset, { unit, isUpdated: updated })
  }
  return { built, seen }
})

/** Marks of partitions one by one; of other assets, whose keys may be many, one that stands for all. */
const marked = Effect.fnUntraced(function* (tables: Tables, questions: ReadonlyArray<Question>) {
  const names = (isPartitioned: boolean) =>
    questions.filter((question) => question.isPartitioned === isPartitioned).map(({ asset }) => asset)
  const rows = yield* tables.pg.query(
    sql`SELECT asset, unit, cause, version::text AS version FROM ${tables.unit} WHERE asset = ANY(${names(true)}::text[])
      UNION ALL
      SELECT asset, ${whole}, coalesce(max(cause) FILTER (WHERE cause = ${encodeCause({ _tag: "CodeChanged" })}), max(cause)),
        concat_ws(':', count(*), max(version), sum(version))
      FROM ${tables.unit} WHERE asset = ANY(${names(false)}::text[]) GROUP BY asset`,
    MarkRow
  )
  const marks = new Map<AssetKey, Array<Facts["marks"][number]>>()
  for (const { asset, cause, ...mark } of rows) append(marks, asset, { ...mark, cause: decodeCause(cause) })
  return marks
})

const known = Effect.fnUntraced(function* (tables: Tables, questions: ReadonlyArray<Question>) {
  const rows = yield* tables.pg.query(
    sql`SELECT q.asset, a.code_version, c.definition, c.evaluated_at, c.parts,
        (SELECT coalesce(json_agg(json_build_array(r.from_unit, r.cause, r.version::text) ORDER BY r.version), '[]')
          FROM ${tables.range} AS r WHERE r.asset = q.asset) AS ranges,
        (SELECT coalesce(json_agg(json_build_array(f.unit, f.version, f.is_check, f.tries,
            floor(extract(epoch FROM f.retry_at) * 1000)) ORDER BY f.unit), '[]')
          FROM ${tables.failure} AS f WHERE f.asset = q.asset) AS failures
      FROM unnest(${questions.map(({ asset }) => asset)}::text[]) AS q(asset)
      LEFT JOIN ${tables.asset} AS a ON a.asset = q.asset
      LEFT JOIN ${tables.cursor} AS c ON c.asset = q.asset`,
    AssetRow
  )
  return rows.map(({ asset, code_version, definition, evaluated_at, failures, parts, ranges }) => ({
    asset,
    codeVersion: code_version ?? undefined,
    ranges: ranges.map(([from, cause, version]) => ({ from: from ?? undefined, cause: decodeCause(cause), version })),
    failures: failures.map(([unit, version, isCheck, tries, retryAt]) => ({
      unit,
      version,
      isCheck,
      tries,
      retryAt: retryAt === null ? undefined : DateTime.makeUnsafe(retryAt)
    })),
    remembered:
      definition === null || evaluated_at === null ? undefined : { definition, at: evaluated_at, parts: parts ?? {} }
  }))
})

/** Requests with whether their daemon is alive, and the runs that are under way without one: index `run_running`. */
const runs = Effect.fnUntraced(function* (
  tables: Tables,
  options: { readonly watcher: string; readonly key: string; readonly aliveSince: DateTime.Utc }
) {
  const prefix = options.key.slice(0, -'""]'.length)
  const rows = yield* tables.pg.query(
    sql`WITH others AS MATERIALIZED (
        SELECT watcher, NOT pg_try_advisory_xact_lock_shared(
          hashtextextended(${prefix} || to_json(watcher)::text || ']', 0)) AS is_alive
        FROM (SELECT DISTINCT watcher FROM ${tables.request} WHERE watcher <> ${options.watcher}) AS w
      )
      SELECT r.run_id, r.asset, r.partitions, coalesce(o.is_alive, TRUE) AS is_alive, NULL::text[] AS assets,
        NULL AS range, NULL::timestamptz AS heartbeat_at
      FROM ${tables.request} AS r LEFT JOIN others AS o ON o.watcher = r.watcher
      UNION ALL
      SELECT run_id, NULL, NULL, TRUE, assets, partitions, heartbeat_at FROM ${tables.run} AS run
      WHERE status = 'running' AND heartbeat_at >= ${DateTime.formatIso(options.aliveSince)}::timestamptz
        AND NOT EXISTS (SELECT FROM ${tables.request} AS r WHERE r.run_id = run.run_id)`,
    RunRow
  )
  return {
    requests: rows.flatMap(({ asset, is_alive, partitions, run_id }) =>
      asset === null ? [] : [{ runId: run_id, asset, partitions: partitions ?? null, isAlive: is_alive }]
    ),
    foreign: rows.flatMap(({ assets, heartbeat_at, range, run_id }) =>
      assets === null || heartbeat_at === null
        ? []
        : [{ runId: run_id, assets, partitions: range ?? undefined, heartbeatAt: heartbeat_at }]
    )
  }
})

const append = <A>(lists: Map<AssetKey, Array<A>>, asset: AssetKey, value: A): void => {
  const list = lists.get(asset)
  if (list === undefined) lists.set(asset, [value])
  else list.push(value)
}

const BuiltRow = Schema.Struct({ asset: Schema.NullOr(Schema.String), unit: Schema.String, updated: Schema.Boolean })

const MarkRow = Schema.Struct({
  asset: Schema.String,
  unit: Schema.String,
  cause: Schema.String,
  version: Schema.String
})

const AssetRow = Schema.Struct({
  asset: Schema.String,
  code_version: Schema.NullOr(Schema.String),
  definition: Schema.NullOr(Schema.String),
  evaluated_at: Schema.NullOr(Codec.instant),
  parts: Schema.NullOr(Schema.Json),
  ranges: Schema.Array(Schema.Tuple([Schema.NullOr(Schema.String), Schema.String, Schema.String])),
  failures: Schema.Array(
    Schema.Tuple([Schema.String, Schema.String, Schema.Boolean, Schema.Int, Schema.NullOr(Schema.Finite)])
  )
})

const RunRow = Schema.Struct({
  run_id: Schema.String,
  asset: Schema.NullOr(Schema.String),
  partitions: Schema.NullOr(Schema.Json),
  is_alive: Schema.Boolean,
  assets: Schema.NullOr(Schema.Array(Schema.String)),
  range: Schema.NullOr(Schema.String),
  heartbeat_at: Schema.NullOr(Codec.instant)
})
