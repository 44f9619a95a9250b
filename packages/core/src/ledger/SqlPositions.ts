/**
 * Positions on PostgreSQL. A move is one conditional statement: under READ COMMITTED it waits for another transaction
 * on the same row and then compares with what that one left behind, so exactly one of two equal moves succeeds.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Codec from "../postgres/Codec.ts"
import { Postgres } from "../postgres/Postgres.ts"
import { identifier, sql } from "../Sql.ts"
import { Positions } from "./Positions.ts"

/**
 * Positions on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Positions, never, Postgres> = Layer.effect(
  Positions,
  Effect.gen(function* () {
    const pg = yield* Postgres
    const table = identifier(pg.schemas.ledger, "position")

    return Positions.of({
      all: (asset) =>
        pg.query(
          sql`SELECT origin, value, landed_at AS "landedAt", revision::text AS revision
            FROM ${table} WHERE asset = ${asset} ORDER BY origin`,
          Schema.Struct({
            origin: Schema.String,
            value: Schema.Json,
            landedAt: Codec.instant,
            revision: Schema.String
          })
        ),

      // Index `position_revision`, read backwards and stopped at its first entry.
      revision: (asset) =>
        Effect.map(
          pg.query(
            sql`SELECT revision::text AS revision FROM ${table} WHERE asset = ${asset} ORDER BY position.revision DESC LIMIT 1`,
            Revision
          ),
          ([row]) => row?.revision
        ),

      advance: ({ asset, at, expected, origin, value }) => {
        const next = sql`${JSON.stringify(value)}::jsonb`
        const time = sql`${DateTime.formatIso(at)}::timestamptz`
        return Effect.map(
          pg.query(
            expected === undefined
              ? sql`INSERT INTO ${table} (asset, origin, value, landed_at)
                  VALUES (${asset}, ${origin}, ${next}, ${time}) ON CONFLICT (asset, origin) DO NOTHING
                  RETURNING revision::text AS revision`
              : sql`UPDATE ${table} SET value = ${next}, landed_at = ${time}, revision = DEFAULT
                  WHERE asset = ${asset} AND origin = ${origin} AND value = ${JSON.stringify(expected.value)}::jsonb
                    AND revision = coalesce(${expected.revision ?? null}::bigint, revision)
                  RETURNING revision::text AS revision`,
            Revision
          ),
          ([row]) => row?.revision
        )
      },

      forget: (asset) => Effect.asVoid(pg.execute(sql`DELETE FROM ${table} WHERE asset = ${asset}`))
    })
  })
)

// --- internal ---

const Revision = Schema.Struct({ revision: Schema.String })
