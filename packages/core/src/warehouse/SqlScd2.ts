/**
 * A slowly changing dimension of type 2 in SQL: observations in, versions out, one window pass over each key. The
 * memory twin is `Scd2.ts`; both are held to the same cases.
 */
import type { Asset } from "../Asset.ts"
import { columnUnsafe } from "../Asset.ts"
import { identifier, list, literal, sql, type Sql } from "../Sql.ts"
import type { Scd2 } from "../WriteStrategy.ts"
import * as SqlUnit from "./SqlUnit.ts"

/**
 * The versions that follow from a query of observations, with the asset's columns.
 *
 * **Details**
 *
 * At each instant the observation with the greatest `_sequence` counts, among equal ones the one that comes last by
 * content (L5). A version opens where a tracked column differs
 * from the version before; it ends where the next one begins. Type 1 columns carry the value of the very last
 * observation, fixed columns the first that is not null, on every version of the key.
 *
 * @category conversions
 * @since 0.1.0
 */
export const versions = (asset: Asset, write: Scd2, staged: Sql): Sql => {
  const key = list(write.key.map((name) => identifier(name)))
  const from = identifier(write.validFrom)
  const seen = write.tracked.map((name) => SqlUnit.exact(columnUnsafe(asset, name).kind, identifier(name)))
  const tracked = list(seen)
  const before = list(seen.map((value) => sql`lag(${value}) OVER chronological`))
  const sameKey = (a: string, b: string) =>
    sql`(${list(write.key.map((name) => identifier(a, name)))}) = (${list(write.key.map((name) => identifier(b, name)))})`
  const spread = [
    ...write.latest.map(
      (name) => sql`(array_agg(${identifier(name)} ORDER BY _assay_position DESC))[1] AS ${identifier(name)}`
    ),
    ...write.fixed.map(
      (name) =>
        sql`(array_agg(${identifier(name)} ORDER BY _assay_position) FILTER (WHERE ${identifier(name)} IS NOT NULL))[1] AS ${identifier(name)}`
    )
  ]
  const derived = new Set([write.surrogateKey, write.validTo, write.isCurrent])
  const given = asset.columns.filter(({ name }) => !derived.has(name))
  // In the columns' own types, so that versions which only differ by what the table rounds away are one.
  const typed = given.map((column) => SqlUnit.typed(column, "staged"))
  const content = given.map(({ kind, name }) => SqlUnit.sortKey(kind, identifier(name)))
  const whole = new Set([...write.latest, ...write.fixed])
  const select = asset.columns.map(({ name }) => {
    if (name === write.surrogateKey) return sql`${surrogateKey(asset, write)} AS ${identifier(name)}`
    if (name === write.validTo) return sql`_assay_until AS ${identifier(name)}`
    if (name === write.isCurrent) return sql`_assay_until IS NULL AS ${identifier(name)}`
    return whole.has(name) ? sql`w.${identifier(name)}` : sql`v.${identifier(name)}`
  })
  return sql`
    WITH observation AS MATERIALIZED (
      SELECT *, row_number() OVER (PARTITION BY ${key} ORDER BY ${list([from, literal("_sequence NULLS FIRST"), ...content])}) AS _assay_position
      FROM (SELECT ${list(typed)}, staged._sequence::numeric AS _sequence FROM (${staged}) AS staged) AS observed
    ),
    instant AS (
      SELECT DISTINCT ON (${key}, ${from}) * FROM observation ORDER BY ${key}, ${from}, _assay_position DESC
    ),
    compared AS (
      SELECT *, row_number() OVER chronological = 1 OR ROW(${tracked}) IS DISTINCT FROM ROW(${before}) AS _assay_opens
      FROM instant WINDOW chronological AS (PARTITION BY ${key} ORDER BY ${from})
    ),
    version AS (
      SELECT *, lead(${from}) OVER (PARTITION BY ${key} ORDER BY ${from}) AS _assay_until FROM compared WHERE _assay_opens
    ),
    whole AS (SELECT ${list([...write.key.map((name) => identifier(name)), ...spread])} FROM observation GROUP BY ${key})
    SELECT ${list(select)} FROM version AS v LEFT JOIN whole AS w ON ${sameKey("v", "w")}`
}

// --- internal ---

/**
 * Hash of the key and the start of the version. The start has no separator in it, so a key of one part may; of several
 * parts each is hashed by itself, so that none can reach into the next one.
 */
const surrogateKey = (asset: Asset, write: Scd2): Sql => {
  const textOf = (name: string) => SqlUnit.text(columnUnsafe(asset, name).kind, sql`v.${identifier(name)}`)
  const parts = write.key.map(textOf)
  const hashed = parts.length === 1 ? parts : parts.map((part) => sql`md5(${part})`)
  return sql`md5(concat(${list(hashed)}, chr(31), ${textOf(write.validFrom)}))`
}
