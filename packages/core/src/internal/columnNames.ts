/**
 * Which columns can a table not have under the name that its asset gives them? What PostgreSQL or the engine adds to a
 * table under the same name, or cuts off it, would take the column's place without a word.
 */
import type { Column } from "../Column.ts"
import type { WriteStrategy } from "../WriteStrategy.ts"

/** The problems of an asset's column names, the first ones first. */
export function* problems(columns: ReadonlyArray<Column>, write: WriteStrategy): Generator<string, void> {
  const staged = stagedColumns(write)
  for (const { name } of columns) {
    const bytes = new TextEncoder().encode(name).length
    if (bytes === 0) yield `column "" has no name.`
    if (bytes > longest)
      yield `column "${name}" has a name of ${bytes} bytes; PostgreSQL keeps ${longest} and cuts off the rest.`
    if (name.includes("\0") || !name.isWellFormed())
      yield `column "${name}" has a character in its name that PostgreSQL cannot store.`
    if (systemColumns.has(name)) yield `column "${name}" is called like one that every PostgreSQL table has.`
    if (name === "__proto__") yield `column "${name}" is called like what every JavaScript object has.`
    if (name.startsWith(reserved)) yield `column "${name}" begins with "${reserved}", which is kept for the engine.`
    if (staged.includes(name))
      yield `column "${name}" is what the compute yields for the write strategy to choose by; call it something else.`
  }
}

// --- internal ---

/** The names of the columns and relations that queries add begin so; nothing of the asset's can be meant by them. */
const reserved = "_assay_"

/** In bytes. */
const longest = 63

const systemColumns: ReadonlySet<string> = new Set(["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"])

const stagedColumns = (write: WriteStrategy): ReadonlyArray<string> =>
  write._tag === "Upsert" ? ["_deleted", "_tie"] : write._tag === "Scd2" ? ["_sequence"] : []
