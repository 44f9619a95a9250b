/**
 * Backfills on PostgreSQL: a row for each and a row for each of its assets, whose sets are JSON. Who decides holds the first,
 * then the others in their order; a step holds the one that it changes, and nothing after it, so nobody waits in a circle.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Backfill from "../Backfill.ts"
import type { Reason } from "../MaterializationError.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as Codec from "../postgres/Codec.ts"
import { Postgres } from "../postgres/Postgres.ts"
import { identifier, literal, sql, type Sql } from "../Sql.ts"
import { Backfills, type Held, holdersOf, type Lookup, maxCandidates } from "./Backfills.ts"

/**
 * Backfills on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Backfills, never, Postgres> = Layer.effect(
  Backfills,
  Effect.map(Postgres, (pg) => {
    const tables = tablesOf(pg)
    return Backfills.of({
      start: start(tables),
      list: list(tables),
      get: get(tables),
      status: status(tables),
      attend: (process) => pg.hold(keyOf(tables, process)),
      hold: hold(tables),
      put: put(tables),
      alter: alter(tables),
      move: move(tables),
      beat: ({ at, backfillId }) =>
        Effect.asVoid(
          pg.execute(sql`UPDATE ${tables.backfill} SET heartbeat_at = ${instant(at)} WHERE backfill_id = ${backfillId}`)
        ),
      failed: failed(tables)
    })
  })
)

// --- internal ---

type Service = (typeof Backfills)["Service"]

interface Tables {
  readonly pg: typeof Postgres.Service
  readonly backfill: Sql
  readonly part: Sql
}

const tablesOf = (pg: typeof Postgres.Service): Tables => ({
  pg,
  backfill: identifier(pg.schemas.ledger, "backfill"),
  part: identifier(pg.schemas.ledger, "backfill_asset")
})

const keyOf = ({ pg }: Tables, process: string): string => JSON.stringify([pg.schemas.ledger, "backfill", process])

const recordsOf = ({ backfill, pg }: Tables, rest: Sql) =>
  pg.query(sql`SELECT ${recordColumns} FROM ${backfill} AS b ${rest}`, RecordRow)

const partsOf = ({ part, pg }: Tables, backfillIds: ReadonlyArray<string>, rest: Sql = sql``) =>
  pg.query(
    sql`SELECT ${partColumns} FROM ${part} WHERE backfill_id = ANY(${backfillIds}::text[])
      ORDER BY backfill_id, place ${rest}`,
    PartRow
  )

const withParts = Effect.fnUntraced(function* (tables: Tables, records: ReadonlyArray<Backfill.BackfillRecord>) {
  const rows = yield* partsOf(
    tables,
    records.map(({ backfillId }) => backfillId)
  )
  const parts = Map.groupBy(rows, ({ backfillId }) => backfillId)
  return records.map((record): Backfill.Backfill => ({
    record,
    parts: (parts.get(record.backfillId) ?? []).map(toPart)
  }))
})

const start = ({ backfill, part, pg }: Tables): Service["start"] =>
  Effect.fnUntraced(function* ({ parts, record }) {
    const isNew = yield* pg.execute(sql`INSERT INTO ${backfill} (backfill_id, status, selection, partitions,
        only_units, max_concurrent, requested_by, why, started_at, heartbeat_at, finished_at)
      VALUES (${record.backfillId}, ${record.status}, ${record.selection}, ${record.partitions ?? null},
        ${record.only}::text[], ${record.maxConcurrent}, ${record.requestedBy}, ${record.why},
        ${instant(record.startedAt)}, ${instant(record.heartbeatAt)}, ${instant(record.finishedAt)})
      ON CONFLICT (backfill_id) DO NOTHING`)
    if (isNew === 0 || parts.length === 0) return
    yield* pg.execute(sql`INSERT INTO ${part}
        (backfill_id, asset, place, target, requested, built, failed, failures, run_id, process)
      SELECT ${record.backfillId}, asset, place, target, requested, built, failed, failures, run_id, process
      FROM ${listed(parts)}`)
  })

const list =
  (tables: Tables): Service["list"] =>
  ({ limit }) =>
    Effect.flatMap(recordsOf(tables, sql`ORDER BY started_at DESC, backfill_id DESC LIMIT ${limit}`), (records) =>
      withParts(tables, records)
    )

/** The range is the prefix search that the primary key serves; U+10FFFF comes after every other character. */
const get = (tables: Tables): Service["get"] =>
  Effect.fnUntraced(function* (backfillId): Effect.fn.Return<Lookup, Reason> {
    const rows = yield* tables.pg.query(
      sql`SELECT ${recordColumns}, (count(*) OVER ())::integer AS count FROM ${tables.backfill}
        WHERE backfill_id = ${backfillId}
          OR NOT EXISTS (SELECT FROM ${tables.backfill} WHERE backfill_id = ${backfillId})
          AND backfill_id >= ${backfillId} AND backfill_id < ${`${backfillId}\u{10FFFF}`}
        ORDER BY backfill_id LIMIT ${maxCandidates}`,
      Schema.Struct({ ...RecordRow.fields, count: Schema.Int })
    )
    const [first] = rows
    if (first === undefined) return { _tag: "NotFound" }
    const { count, ...record } = first
    if (count > 1) return { _tag: "Ambiguous", count, backfillIds: rows.map((row) => row.backfillId) }
    const [backfill] = yield* withParts(tables, [record])
    return backfill === undefined ? { _tag: "NotFound" } : { _tag: "Found", backfill }
  })

const status =
  ({ backfill, pg }: Tables): Service["status"] =>
  (backfillId) =>
    Effect.map(
      pg.query(
        sql`SELECT status FROM ${backfill} WHERE backfill_id = ${backfillId}`,
        Schema.Struct({ status: Backfill.BackfillStatus })
      ),
      ([row]) => Option.fromUndefinedOr(row?.status)
    )

const hold = (tables: Tables): Service["hold"] =>
  Effect.fnUntraced(function* ({ backfillId, process }) {
    const [record] = yield* recordsOf(tables, sql`WHERE backfill_id = ${backfillId} FOR UPDATE`)
    if (record === undefined) return Option.none()
    const parts = (yield* partsOf(tables, [backfillId], sql`FOR UPDATE`)).map(toPart)
    const others = holdersOf({ parts }).filter((holder) => holder !== process)
    return Option.some<Held>({ record, parts, gone: new Set(yield* goneOf(tables, others)) })
  })

/** A process that is there has the lock of its name; that of one that is gone, everybody gets at once. */
const goneOf = Effect.fnUntraced(function* (tables: Tables, processes: ReadonlyArray<string>) {
  if (processes.length === 0) return []
  const keys = processes.map((process) => keyOf(tables, process))
  const rows = yield* tables.pg.query(
    sql`SELECT process FROM unnest(${processes}::text[], ${keys}::text[]) AS p(process, key)
      WHERE pg_try_advisory_xact_lock_shared(hashtextextended(key, 0))`,
    Schema.Struct({ process: Schema.String })
  )
  return rows.map(({ process }) => process)
})

const put =
  ({ part, pg }: Tables): Service["put"] =>
  ({ backfillId, parts }) =>
    parts.length === 0
      ? Effect.void
      : Effect.asVoid(
          pg.execute(sql`UPDATE ${part} AS p SET requested = n.requested, built = n.built, failed = n.failed,
              failures = n.failures, run_id = n.run_id, process = n.process
            FROM ${listed(parts)} WHERE p.backfill_id = ${backfillId} AND p.asset = n.asset`)
        )

const alter = (tables: Tables): Service["alter"] =>
  Effect.fnUntraced(function* ({ asset, backfillId, change }) {
    const [row] = yield* tables.pg.query(
      sql`SELECT ${partColumns} FROM ${tables.part} WHERE backfill_id = ${backfillId} AND asset = ${asset} FOR UPDATE`,
      PartRow
    )
    if (row !== undefined) yield* put(tables)({ backfillId, parts: [change(toPart(row))] })
  })

const move =
  ({ backfill, pg }: Tables): Service["move"] =>
  ({ at, backfillId, event }) => {
    const next = Backfill.statusAfter(event)
    return Effect.map(
      pg.execute(sql`UPDATE ${backfill} SET status = ${next},
          finished_at = ${instant(next === "running" ? undefined : at)}
        WHERE backfill_id = ${backfillId} AND status = ANY(${Backfill.movedBy(event)}::text[])`),
      (count) => count > 0
    )
  }

const failed = ({ part, pg }: Tables): Service["failed"] =>
  Effect.fnUntraced(function* (assets) {
    const rows = yield* pg.query(
      sql`SELECT ${partColumns} FROM ${part} WHERE asset = ANY(${assets}::text[]) AND (failed -> 'ranges')::text <> '[]'
        ORDER BY backfill_id DESC`,
      PartRow
    )
    const found = Map.groupBy(rows, ({ asset }) => asset)
    return new Map(assets.map((asset) => [asset, (found.get(asset) ?? []).map(toPart)]))
  })

const RecordRow = Schema.Struct({
  ...Backfill.BackfillRecord.fields,
  partitions: Codec.undefinedOr(Schema.String),
  startedAt: Codec.instant,
  heartbeatAt: Codec.instant,
  finishedAt: Codec.undefinedOr(Codec.instant)
})

const recordColumns = literal(`backfill_id AS "backfillId", status, selection, partitions, only_units AS "only",
  max_concurrent AS "maxConcurrent", requested_by AS "requestedBy", why, started_at AS "startedAt",
  heartbeat_at AS "heartbeatAt", finished_at AS "finishedAt"`)

const PartRow = Schema.Struct({
  backfillId: Schema.String,
  asset: Schema.String,
  target: PartitionSet.Json,
  requested: PartitionSet.Json,
  built: PartitionSet.Json,
  failed: PartitionSet.Json,
  failures: Schema.Array(Backfill.BackfillFailure),
  runId: Schema.NullOr(Schema.String),
  process: Schema.NullOr(Schema.String)
})

const partColumns = literal(`backfill_id AS "backfillId", asset, target, requested, built, failed, failures,
  run_id AS "runId", process`)

const toPart = ({ asset, built, failed, failures, process, requested, runId, target }: typeof PartRow.Type) => ({
  asset,
  target,
  requested,
  built,
  failed,
  failures,
  holder: runId === null || process === null ? undefined : { runId, process }
})

/** Parts as a relation, in their order. */
const listed = (parts: ReadonlyArray<Backfill.BackfillPart>): Sql => {
  const texts = (of: (part: Backfill.BackfillPart) => unknown) => parts.map((part) => JSON.stringify(of(part)))
  return sql`unnest(${parts.map(({ asset }) => asset)}::text[], ${parts.map((_, place) => String(place))}::integer[],
    ${texts(({ target }) => target)}::json[], ${texts(({ requested }) => requested)}::json[],
    ${texts(({ built }) => built)}::json[], ${texts(({ failed }) => failed)}::json[],
    ${texts(({ failures }) => failures)}::json[], ${parts.map(({ holder }) => holder?.runId ?? null)}::text[],
    ${parts.map(({ holder }) => holder?.process ?? null)}::text[])
    AS n(asset, place, target, requested, built, failed, failures, run_id, process)`
}

const instant = (time: DateTime.Utc | undefined): Sql =>
  sql`${time === undefined ? null : DateTime.formatIso(time)}::timestamptz`
