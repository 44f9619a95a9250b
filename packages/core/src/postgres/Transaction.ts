/**
 * What a transaction remembers while it runs: what it holds, which temporary tables it has used, and what it will write
 * before it asks or commits. Writes that nobody waits for travel together, because a step makes a dozen of them, and each
 * by itself costs more on its way than in the server.
 */
import { list, literal, type Sql, sql } from "../Sql.ts"

/**
 * What a transaction remembers. It ends with the transaction, and so does what it says: a savepoint has one of its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transaction {
  /** Whether the settings of a transaction are made. */
  isSet: boolean
  /** The stale sets that are held. */
  readonly holds: Set<string>
  /** The temporary tables of the connection with the sizes of their files; undefined until they were asked for. */
  tables: Map<string, number> | undefined
  /** The temporary tables that may have rows; they are emptied before the transaction commits. */
  readonly filled: Map<string, Sql>
  /** Those of them with so many rows that their files are to be cut off. */
  readonly large: Set<string>
  /** What is written before the next question, or before the commit. */
  readonly pending: Array<Write>
}

/**
 * Something to write. Writes that share a statement must not touch the same rows, so no two of them have the same name.
 *
 * **Details**
 *
 * Each part is a statement that returns rows, or one that asks for those of the part before it. All parts of all writes see
 * what was there before the first of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Write {
  readonly name: string | undefined
  readonly parts: ReadonlyArray<Sql | ((before: Sql) => Sql)>
}

/**
 * A transaction that has just begun, or a savepoint in the one around it: what is held and filled there is so here.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: { readonly isSet: boolean; readonly around: Transaction | undefined }): Transaction => ({
  isSet: options.isSet,
  holds: new Set(options.around?.holds),
  tables: undefined,
  filled: new Map(options.around?.filled),
  large: new Set(options.around?.large),
  pending: []
})

/**
 * Takes over what a savepoint leaves to the transaction around it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const join = (around: Transaction, { filled, holds, large }: Transaction): void => {
  for (const [name, table] of filled) around.filled.set(name, table)
  for (const name of large) around.large.add(name)
  for (const hold of holds) around.holds.add(hold)
  // It may have made tables, or dropped some to make room.
  around.tables = undefined
}

/**
 * The writes as one statement, or undefined where there are none. They are carried out in the order given: each is counted
 * to its end before the next one begins.
 *
 * @category conversions
 * @since 0.1.0
 */
export const statement = (writes: ReadonlyArray<Write>): Sql | undefined => {
  const parts: Array<Sql> = []
  for (const write of writes) {
    for (const part of write.parts) parts.push(typeof part === "function" ? part(named(parts.length - 1)) : part)
  }
  if (parts.length === 0) return undefined
  return sql`WITH ${list(parts.map((part, place) => sql`${named(place)} AS (${part})`))} SELECT ${list(parts.map((_, place) => sql`(SELECT count(*) FROM ${named(place)})`))}`
}

// --- internal ---

const named = (place: number): Sql => literal(`_assay_write_${place}`)
