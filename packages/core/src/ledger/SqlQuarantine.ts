/**
 * Quarantine on PostgreSQL. Rows travel as arrays, thousands in one statement; the index of waiting rows decides which
 * of them are new.
 */
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { md5 } from "../internal/hash.ts"
import * as Codec from "../postgres/Codec.ts"
import { Postgres } from "../postgres/Postgres.ts"
import type { Rejected } from "../Source.ts"
import { and, identifier, literal, sql, type Sql } from "../Sql.ts"
import { Quarantine, type QuarantinedRow } from "./Quarantine.ts"

/**
 * Quarantine on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Quarantine, never, Postgres> = Layer.effect(
  Quarantine,
  Effect.gen(function* () {
    const pg = yield* Postgres
    const table = identifier(pg.schemas.ledger, "quarantine")
    const select = (condition: Sql) =>
      Effect.map(pg.query(sql`SELECT ${columns} FROM ${table} AS q WHERE ${condition}`, QuarantineRow), Arr.map(toRow))

    return Quarantine.of({
      add: ({ asset, at, rows, runId }) =>
        Effect.map(
          Effect.forEach(Arr.chunksOf(rows, chunk), (rows) =>
            pg.execute(sql`INSERT INTO ${table} (asset, origin, line, raw, raw_is_json, raw_hash, reasons, context, run_id,
                quarantined_at)
              SELECT ${asset}, origin, line, raw, raw_is_json, raw_hash, ${textArray(sql`reasons`)}, context, ${runId},
                ${DateTime.formatIso(at)}::timestamptz
              FROM ${rejectedRows(rows)}
              ON CONFLICT (asset, origin, line, raw_hash) WHERE released_at IS NULL DO NOTHING`)
          ),
          (counts) => counts.reduce((total, count) => total + count, 0)
        ),

      list: ({ after, asset, limit }) =>
        select(
          sql`${and([
            sql`released_at IS NULL`,
            ...(asset === undefined ? [] : [sql`asset = ${asset}`]),
            ...(after === undefined ? [] : [sql`id > ${after}::bigint`])
          ])} ORDER BY q.id LIMIT ${limit}`
        ),

      get: (id) => (isId(id) ? Effect.map(select(sql`id = ${id}::bigint`), Arr.head) : Effect.succeedNone),

      count: (asset) =>
        Effect.map(
          pg.query(
            sql`SELECT count(*) AS count FROM ${table}
              WHERE released_at IS NULL AND ${asset === undefined ? literal("TRUE") : sql`asset = ${asset}`}`,
            Schema.Struct({ count: Codec.integer })
          ),
          (rows) => rows[0]?.count ?? 0
        ),

      release: ({ at, ids, runId }) =>
        pg.execute(sql`UPDATE ${table} SET released_at = ${DateTime.formatIso(at)}::timestamptz, released_by = ${runId}
          WHERE id = ANY(${ids}::bigint[]) AND released_at IS NULL`),

      revise: ({ at, rows }) =>
        Effect.asVoid(
          pg.execute(sql`UPDATE ${table} AS q
          SET reasons = ${textArray(sql`revised.reasons`)}, retried_at = ${DateTime.formatIso(at)}::timestamptz
          FROM unnest(${rows.map(({ id }) => id)}::bigint[], ${rows.map(({ reasons }) => toJson(reasons))}::jsonb[])
            AS revised(id, reasons)
          WHERE q.id = revised.id AND q.released_at IS NULL`)
        ),

      // In the order of the primary key, whatever was released: an index of what was would cost every landing.
      prune: Effect.fnUntraced(function* (batch) {
        const [found] = yield* pg.query(
          sql`WITH looked AS (
              SELECT id, released_at < ${DateTime.formatIso(batch.before)}::timestamptz AS is_old FROM ${table}
              WHERE id > ${batch.after ?? "0"}::bigint ORDER BY id LIMIT ${batch.limit}
            ), gone AS (
              DELETE FROM ${table} AS q USING looked AS l
              WHERE l.is_old AND q.id = l.id AND ${literal(batch.isCounted ? "FALSE" : "TRUE")}
            )
            SELECT count(*) FILTER (WHERE is_old) AS count, count(*) AS looked, max(id)::text AS last FROM looked`,
          Schema.Struct({ count: Codec.integer, looked: Codec.integer, last: Schema.NullOr(Schema.String) })
        )
        const isMore = found?.looked === batch.limit
        return { count: found?.count ?? 0, next: isMore ? (found.last ?? undefined) : undefined }
      })
    })
  })
)

// --- internal ---

const chunk = 10_000

const columns = literal(`id::text AS id, asset, origin, line, raw, raw_is_json, reasons, context, run_id AS "runId",
  quarantined_at AS "quarantinedAt", retried_at AS "retriedAt", released_at AS "releasedAt", released_by AS "releasedBy"`)

const QuarantineRow = Schema.Struct({
  id: Schema.String,
  asset: Schema.String,
  origin: Schema.String,
  line: Codec.integer,
  raw: Schema.String,
  raw_is_json: Schema.Boolean,
  reasons: Schema.Array(Schema.String),
  context: Schema.Json,
  runId: Schema.String,
  quarantinedAt: Codec.instant,
  retriedAt: Codec.undefinedOr(Codec.instant),
  releasedAt: Codec.undefinedOr(Codec.instant),
  releasedBy: Codec.undefinedOr(Schema.String)
})

const toRow = ({ raw, raw_is_json, ...row }: typeof QuarantineRow.Type): QuarantinedRow => ({
  ...row,
  raw: raw_is_json ? decodeJsonString(raw) : raw
})

const decodeJsonString = Schema.decodeSync(Schema.fromJsonString(Schema.String))

const isId = (text: string): boolean => /^\d{1,18}$/.test(text)

/** Whether PostgreSQL can hold the text: it has no NUL and no halves of characters. */
const isStorable = (text: string): boolean => !text.includes("\0") && text.isWellFormed()

/** Reasons are for people: where one quotes what cannot be stored, it shows a sign in its place. */
const toJson = (reasons: ReadonlyArray<string>): string =>
  JSON.stringify(reasons.map((reason) => reason.replaceAll("\0", "\u2400").toWellFormed()))

const textArray = (json: Sql): Sql =>
  sql`ARRAY(SELECT reason FROM jsonb_array_elements_text(${json}) WITH ORDINALITY AS r(reason, n) ORDER BY n)`

const rejectedRows = (rows: ReadonlyArray<Rejected>): Sql =>
  sql`unnest(
    ${rows.map(({ origin }) => origin)}::text[], ${rows.map(({ line }) => String(line))}::bigint[],
    ${rows.map(({ raw }) => (isStorable(raw) ? raw : JSON.stringify(raw)))}::text[],
    ${rows.map(({ raw }) => String(!isStorable(raw)))}::boolean[], ${rows.map(({ raw }) => md5(raw))}::text[],
    ${rows.map(({ reasons }) => toJson(reasons))}::jsonb[], ${rows.map(({ context }) => JSON.stringify(context))}::json[]
  ) AS rejected(origin, line, raw, raw_is_json, raw_hash, reasons, context)`
