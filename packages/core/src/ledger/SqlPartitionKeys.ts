/**
 * The keys of dynamic partitions on PostgreSQL. A revision is an identity value: within a name it grows in the order of the
 * commits, because who adds keys holds the name until he commits.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { instant } from "../postgres/Codec.ts"
import { Postgres } from "../postgres/Postgres.ts"
import { identifier, sql } from "../Sql.ts"
import { PartitionKeys } from "./PartitionKeys.ts"

/**
 * Keys on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<PartitionKeys, never, Postgres> = Layer.effect(
  PartitionKeys,
  Effect.gen(function* () {
    const pg = yield* Postgres
    const table = identifier(pg.schemas.ledger, "partition_key")

    return PartitionKeys.of({
      // As one document per name: a row for every key costs more to carry than to make. Uses the primary key.
      read: (names) =>
        Effect.map(
          pg.query(
            sql`SELECT name, json_agg(json_build_array(key, revision::text) ORDER BY revision) AS keys FROM ${table}
            WHERE name = ANY(${names}::text[]) GROUP BY name`,
            Schema.Struct({
              name: Schema.String,
              keys: Schema.Array(Schema.Tuple([Schema.String, Schema.String]))
            })
          ),
          (rows) => {
            const found = new Map(
              rows.map(({ keys, name }) => [name, keys.map(([key, revision]) => ({ key, revision }))])
            )
            return new Map(names.map((name) => [name, found.get(name) ?? []]))
          }
        ),

      list: (name) =>
        pg.query(
          sql`SELECT key, revision::text AS revision, added_at AS "addedAt" FROM ${table} WHERE name = ${name}
          ORDER BY ${table}.revision`,
          Schema.Struct({ key: Schema.String, revision: Schema.String, addedAt: instant })
        ),

      // Sorted before the identity is drawn, so that revisions follow the order given.
      add: ({ at, keys, name }) =>
        Effect.map(
          pg.query(
            sql`INSERT INTO ${table} (name, key, added_at)
            SELECT ${name}, key, ${DateTime.formatIso(at)}::timestamptz
            FROM unnest(${Array.from(new Set(keys))}::text[]) WITH ORDINALITY AS wanted(key, n) ORDER BY n
            ON CONFLICT (name, key) DO NOTHING RETURNING key, revision::text AS revision`,
            Schema.Struct({ key: Schema.String, revision: Schema.BigIntFromString })
          ),
          inOrder
        ),

      remove: ({ keys, name }) =>
        Effect.map(
          pg.query(
            sql`DELETE FROM ${table} WHERE name = ${name} AND key = ANY(${keys}::text[])
            RETURNING key, revision::text AS revision`,
            Schema.Struct({ key: Schema.String, revision: Schema.BigIntFromString })
          ),
          inOrder
        )
    })
  })
)

// --- internal ---

const inOrder = (rows: ReadonlyArray<{ readonly key: string; readonly revision: bigint }>): ReadonlyArray<string> =>
  rows.toSorted((a, b) => (a.revision < b.revision ? -1 : 1)).map(({ key }) => key)
