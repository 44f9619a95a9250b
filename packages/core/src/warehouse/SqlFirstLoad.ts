/**
 * Filling an empty table with many rows: its indexes are built behind the load, which costs a fraction of keeping them up
 * to date row by row. They are set aside and put back within the transaction of the load, so every commit, also one of a
 * process that dies, leaves a table that has all of them (L10).
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Asset } from "../Asset.ts"
import type { Reason } from "../MaterializationError.ts"
import * as LockTimeout from "../postgres/LockTimeout.ts"
import type { Postgres } from "../postgres/Postgres.ts"
import { identifier, literal, sql } from "../Sql.ts"
import * as SqlTable from "./SqlTable.ts"

/**
 * Runs an insertion into a table that has no rows, without its indexes where they can be set aside, and yields what the
 * insertion does.
 *
 * **Details**
 *
 * Whoever reads the table meanwhile waits for the commit instead of finding it empty. Where the table is in use, belongs
 * to another role, or where something depends on an index, all stay in place: it is only a matter of time.
 *
 * @category writing
 * @since 0.1.0
 */
export const fill = Effect.fnUntraced(function* <A>(
  pg: typeof Postgres.Service,
  asset: Asset,
  insert: Effect.Effect<A, Reason>
): Effect.fn.Return<A, Reason> {
  const indexes = yield* setAside(pg, asset)
  const inserted = yield* insert
  for (const { definition, isConstraint, name } of indexes) {
    yield* pg.execute(
      isConstraint
        ? sql`ALTER TABLE ${SqlTable.of(pg, asset)} ADD CONSTRAINT ${identifier(name)} ${literal(definition)}`
        : literal(definition)
    )
  }
  return inserted
})

// --- internal ---

/** What makes an index again, in the server's own words. */
const Index = Schema.Struct({ name: Schema.String, definition: Schema.String, isConstraint: Schema.Boolean })

type Index = typeof Index.Type

/** How long the readers of the table are waited for, who keep other readers waiting behind. */
const patience = "1s"

const setAside = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset
): Effect.fn.Return<ReadonlyArray<Index>, Reason> {
  const indexes = yield* plain(pg, asset)
  if (indexes.length === 0) return []
  yield* pg.execute(sql`SAVEPOINT assay_first_load`)
  return yield* drop(pg, asset, indexes).pipe(
    Effect.as(indexes),
    Effect.catch((reason) =>
      Effect.gen(function* () {
        yield* pg.execute(sql`ROLLBACK TO SAVEPOINT assay_first_load`)
        yield* Effect.logDebug("indexes stay in place").pipe(
          Effect.annotateLogs({ asset: asset.name, because: reason.message })
        )
        return []
      })
    ),
    Effect.tap(() => pg.execute(sql`RELEASE SAVEPOINT assay_first_load`))
  )
})

const drop = Effect.fnUntraced(function* (
  pg: typeof Postgres.Service,
  asset: Asset,
  indexes: ReadonlyArray<Index>
): Effect.fn.Return<void, Reason> {
  const table = SqlTable.of(pg, asset)
  yield* LockTimeout.within(pg, patience, pg.execute(sql`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`))
  for (const { isConstraint, name } of indexes) {
    yield* pg.execute(
      isConstraint
        ? sql`ALTER TABLE ${table} DROP CONSTRAINT ${identifier(name)}`
        : sql`DROP INDEX ${identifier(pg.schemas.warehouse, name)}`
    )
  }
})

/**
 * The primary key, exclusion constraints and indexes of columns that their definition says all about. What a person has
 * added to one (a comment, a tablespace, a storage parameter, an order of the table by it) would be lost, so such a one
 * stays; so does every other unique index, which is a rule of somebody else. An index of month tables
 * is set aside as a whole; the server calls it one of the parent only, and is told to make it for all of them.
 */
const plain = (pg: typeof Postgres.Service, asset: Asset): Effect.Effect<ReadonlyArray<Index>, Reason> =>
  pg.query(
    sql`SELECT c.relname::text AS name, k.oid IS NOT NULL AS "isConstraint",
        CASE WHEN k.oid IS NULL THEN replace(pg_get_indexdef(i.indexrelid),
          'INDEX ' || quote_ident(c.relname) || ' ON ONLY ', 'INDEX ' || quote_ident(c.relname) || ' ON ') ELSE pg_get_constraintdef(k.oid) END AS definition
      FROM pg_index AS i
      JOIN pg_class AS c ON c.oid = i.indexrelid
      JOIN pg_class AS t ON t.oid = i.indrelid
      LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
      WHERE t.relname = ${asset.name} AND t.relnamespace = to_regnamespace(quote_ident(${pg.schemas.warehouse}))
        AND t.relkind IN ('r', 'p') AND has_schema_privilege(t.relnamespace, 'CREATE')
        AND i.indisvalid AND i.indisready AND NOT i.indisclustered AND NOT i.indisreplident
        AND c.reltablespace = 0 AND c.reloptions IS NULL
        AND CASE WHEN k.oid IS NULL
          THEN NOT i.indisunique AND i.indexprs IS NULL AND i.indpred IS NULL
          ELSE k.contype <> 'u' AND NOT k.condeferrable AND c.relname = k.conname END
        AND NOT EXISTS (SELECT FROM pg_description AS d WHERE d.objoid IN (c.oid, k.oid))
        AND NOT EXISTS (SELECT FROM pg_inherits AS h JOIN pg_class AS m ON m.oid = h.inhrelid JOIN pg_index AS n ON n.indexrelid = m.oid
          WHERE h.inhparent = c.oid AND (n.indisclustered OR n.indisreplident OR m.reltablespace <> 0 OR m.reloptions IS NOT NULL
            OR EXISTS (SELECT FROM pg_description AS d WHERE d.objoid = m.oid)))
      ORDER BY k.contype = 'p' DESC NULLS LAST, c.relname COLLATE "C"`,
    Index
  )
