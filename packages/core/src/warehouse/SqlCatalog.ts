/**
 * What the warehouse's database schema holds already: read once before tables are made ready, so that making a graph
 * ready costs the same for one asset and for a thousand, and needs no rights where nothing is missing.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Reason } from "../MaterializationError.ts"
import type { Postgres } from "../postgres/Postgres.ts"
import { sql } from "../Sql.ts"
import type { TableColumn } from "./TableShape.ts"

/**
 * The tables, views and indexes of a database schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface SqlCatalog {
  readonly hasSchema: boolean
  /** The columns of each table and view. */
  readonly columns: ReadonlyMap<string, ReadonlyArray<TableColumn>>
  /** The tables that are divided on disk, each with the column by whose ranges; null where it is in another way. */
  readonly dividedBy: ReadonlyMap<string, string | null>
  readonly indexes: ReadonlySet<string>
  /** Those of them that hold only the rows of a condition. */
  readonly partialIndexes: ReadonlySet<string>
  /** The comments on views. */
  readonly viewComments: ReadonlyMap<string, string>
}

/**
 * Reads the catalog.
 *
 * **Details**
 *
 * Month tables and their indexes have names that begin with a line and are nobody's asset: they are passed over, or a start
 * would read dozens of them for each table that has any.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function* (pg: typeof Postgres.Service): Effect.fn.Return<SqlCatalog, Reason> {
  const [schema] = yield* pg.query(
    sql`SELECT to_regnamespace(quote_ident(${pg.schemas.warehouse})) IS NOT NULL AS exists`,
    Schema.Struct({ exists: Schema.Boolean })
  )
  if (!schema?.exists)
    return {
      hasSchema: false,
      columns: new Map(),
      dividedBy: new Map(),
      indexes: new Set(),
      partialIndexes: new Set(),
      viewComments: new Map()
    }
  const relations = yield* pg.query(
    sql`SELECT c.relname::text AS name, c.relkind::text AS kind, obj_description(c.oid, 'pg_class') AS comment,
        coalesce((SELECT i.indpred IS NOT NULL FROM pg_index AS i WHERE i.indexrelid = c.oid), FALSE) AS "isPartial",
        (SELECT coalesce(json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)
            || CASE WHEN o.collisdeterministic IS FALSE THEN ' collate "' || o.collname || '"' ELSE '' END, NOT a.attnotnull)
            ORDER BY a.attnum), '[]')
          FROM pg_attribute AS a LEFT JOIN pg_collation AS o ON o.oid = a.attcollation
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
        (SELECT a.attname::text FROM pg_partitioned_table AS p
          JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
          WHERE p.partrelid = c.oid AND p.partstrat = 'r' AND p.partnatts = 1) AS "dividedBy"
      FROM pg_class AS c
      WHERE c.relnamespace = to_regnamespace(quote_ident(${pg.schemas.warehouse})) AND c.relkind IN ('r', 'p', 'v', 'i', 'I')
        AND left(c.relname::text, 1) <> '_'`,
    Relation
  )
  const isIndex = (kind: string) => kind === "i" || kind === "I"
  return {
    hasSchema: true,
    columns: new Map(
      relations
        .filter(({ kind }) => !isIndex(kind))
        .map(({ columns, name }) => [
          name,
          columns.map(([column, type, isNullable]) => ({ name: column, type, isNullable }))
        ])
    ),
    dividedBy: new Map(relations.flatMap(({ dividedBy, kind, name }) => (kind === "p" ? [[name, dividedBy]] : []))),
    indexes: new Set(relations.filter(({ kind }) => isIndex(kind)).map(({ name }) => name)),
    partialIndexes: new Set(relations.filter(({ isPartial }) => isPartial).map(({ name }) => name)),
    viewComments: new Map(
      relations.flatMap(({ comment, kind, name }) => (kind === "v" && comment !== null ? [[name, comment]] : []))
    )
  }
})

// --- internal ---

const Relation = Schema.Struct({
  name: Schema.String,
  kind: Schema.String,
  comment: Schema.NullOr(Schema.String),
  isPartial: Schema.Boolean,
  dividedBy: Schema.NullOr(Schema.String),
  columns: Schema.Array(Schema.Tuple([Schema.String, Schema.String, Schema.Boolean]))
})
