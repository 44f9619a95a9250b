/**
 * The outbox on PostgreSQL: `Outbox.ts` says why events are ordered by transaction.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { AssetEventJson } from "../AssetEvent.ts"
import { md5 } from "../internal/hash.ts"
import { DataQuality, type Reason } from "../MaterializationError.ts"
import * as Codec from "../postgres/Codec.ts"
import { Postgres } from "../postgres/Postgres.ts"
import { identifier, literal, sql, type Sql } from "../Sql.ts"
import { type Notice, noticeOf, Outbox } from "./Outbox.ts"

/**
 * The outbox on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Outbox, never, Postgres> = Layer.effect(
  Outbox,
  Effect.gen(function* () {
    const pg = yield* Postgres
    const table = identifier(pg.schemas.ledger, "outbox")
    // Names of channels are cut after 63 bytes, so the ledger's name, which may be as long, is hashed.
    const channel = `assay_${md5(pg.schemas.ledger)}`

    // Equal notices of one transaction are told once. Commits that notify go one by one, each until it is on disk: ten
    // writers of nothing but small transactions fall from 770 to 230 a second, ten whose transactions take 20 ms, as steps
    // and landings do, stay at 350 (PostgreSQL 15, two cores, fsync). So only these and the ends of runs notify.
    const told = (notices: ReadonlyArray<Notice>) =>
      sql`SELECT pg_notify(${channel}, payload) FROM unnest(${notices.map(payloadOf)}::text[]) AS told(payload)`

    return Outbox.of({
      emit: Effect.fnUntraced(function* (events) {
        if (events.length === 0) return
        const encoded = yield* Effect.mapError(
          Effect.forEach(events, (event) => Schema.encodeEffect(AssetEventJson)(event)),
          (error): Reason =>
            new DataQuality({ message: `an event cannot be stored: ${error.message}`, check: undefined })
        )
        // Sorted before the identity is drawn, so that ids follow the order given.
        const notices = events.flatMap((event) => noticeOf(event) ?? [])
        yield* pg.later({
          name: undefined,
          parts: [
            sql`INSERT INTO ${table} (event)
            SELECT event FROM unnest(${encoded.map((event) => JSON.stringify(event))}::json[])
              WITH ORDINALITY AS emitted(event, n) ORDER BY n
            RETURNING TRUE`,
            ...(notices.length === 0 ? [] : [told(notices)])
          ]
        })
      }),

      read: Effect.fnUntraced(function* ({ after, limit }) {
        if (after === undefined) yield* pg.execute(adopt(table))
        const rows = yield* pg.query(
          sql`SELECT transaction_id::text || '.' || id AS place, event FROM ${table}
            WHERE transaction_id < pg_snapshot_xmin(pg_current_snapshot())
              AND ${after === undefined ? literal("TRUE") : sql`${order} > ${parsed(after)}`}
            ORDER BY transaction_id, id LIMIT ${limit}`,
          Schema.Struct({ place: Schema.String, event: AssetEventJson })
        )
        return rows.map(({ event, place }) => ({ id: place, event }))
      }),

      acknowledge: ({ upTo }) => Effect.asVoid(pg.execute(sql`DELETE FROM ${table} WHERE ${order} <= ${parsed(upTo)}`)),

      prune: Effect.fnUntraced(function* (batch) {
        const after = batch.after === undefined ? literal("TRUE") : sql`${order} > ${parsed(batch.after)}`
        const isOld = sql`(event->>'at')::timestamptz < ${DateTime.formatIso(batch.before)}::timestamptz`
        const [found] = yield* pg.query(
          sql`WITH looked AS (
              SELECT transaction_id, id, ${isOld} AS is_old FROM ${table}
              WHERE ${after} ORDER BY transaction_id, id LIMIT ${batch.limit}
            ), gone AS (
              DELETE FROM ${table} AS o USING looked AS l
              WHERE l.is_old AND (o.transaction_id, o.id) = (l.transaction_id, l.id)
                AND ${literal(batch.isCounted ? "FALSE" : "TRUE")}
            )
            SELECT count(*) FILTER (WHERE is_old) AS count, count(*) AS looked,
              (SELECT transaction_id::text || '.' || id FROM looked ORDER BY transaction_id DESC, id DESC LIMIT 1) AS last
            FROM looked`,
          Schema.Struct({ count: Codec.integer, looked: Codec.integer, last: Schema.NullOr(Schema.String) })
        )
        const isMore = found !== undefined && found.count > 0 && found.looked === batch.limit
        return { count: found?.count ?? 0, next: isMore ? (found.last ?? undefined) : undefined }
      }),

      announce: (notices) => (notices.length === 0 ? Effect.void : Effect.asVoid(pg.execute(told(notices)))),

      listen: Effect.map(pg.listen(channel), Stream.map(fromPayload))
    })
  })
)

// --- internal ---

const payloadOf = (notice: Notice): string => {
  const text = encode(notice)
  return text.length <= longestPayload ? text : encode({ asset: notice.asset, units: undefined })
}

const encode = ({ asset, units }: Notice): string => JSON.stringify([asset ?? null, units ?? null])

/** The server takes 8000 bytes; a character has at most four. */
const longestPayload = 1900

const fromPayload = (payload: string): Notice =>
  Option.match(decodePayload(payload), {
    onNone: () => ({ asset: undefined, units: undefined }),
    onSome: ([asset, units]) => ({ asset: asset ?? undefined, units: units ?? undefined })
  })

const decodePayload = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Tuple([Schema.NullOr(Schema.String), Schema.NullOr(Schema.Array(Schema.String))]))
)

/**
 * Events restored from a dump may name transactions that this server has not come to yet, and would wait for them. An
 * event that is visible comes from a transaction below the snapshot's end; where its number says otherwise, it is from
 * another server and goes to the front.
 */
const adopt = (table: Sql): Sql =>
  sql`UPDATE ${table} SET transaction_id = '0' WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
    AND transaction_id IS DISTINCT FROM pg_current_xact_id_if_assigned()`

const order = literal("(transaction_id, id)")

const parsed = (place: string): Sql => {
  const [transaction = "", id = ""] = place.split(".")
  return sql`(${transaction}::xid8, ${id}::bigint)`
}
