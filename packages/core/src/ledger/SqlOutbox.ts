/**
 * The outbox on PostgreSQL: `Outbox.ts` says why events are ordered by transaction.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { AssetEventJson } from "../AssetEvent.ts"
import { DataQuality, type Reason } from "../MaterializationError.ts"
import { Postgres } from "../postgres/Postgres.ts"
import { identifier, literal, sql, type Sql } from "../Sql.ts"
import { Outbox } from "./Outbox.ts"

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

    return Outbox.of({
      emit: Effect.fnUntraced(function* (events) {
        if (events.length === 0) return
        const encoded = yield* Effect.mapError(
          Effect.forEach(events, (event) => Schema.encodeEffect(AssetEventJson)(event)),
          (error): Reason =>
            new DataQuality({ message: `an event cannot be stored: ${error.message}`, check: undefined })
        )
        // Sorted before the identity is drawn, so that ids follow the order given.
        yield* pg.execute(sql`INSERT INTO ${table} (event)
          SELECT event FROM unnest(${encoded.map((event) => JSON.stringify(event))}::json[])
            WITH ORDINALITY AS emitted(event, n) ORDER BY n`)
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

      acknowledge: ({ upTo }) => Effect.asVoid(pg.execute(sql`DELETE FROM ${table} WHERE ${order} <= ${parsed(upTo)}`))
    })
  })
)

// --- internal ---

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
