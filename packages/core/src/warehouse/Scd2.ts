/**
 * A slowly changing dimension of type 2: observations in, versions out. Whole keys are rebuilt from their observations,
 * so it does not matter when or in which order these arrived (L5). The twin in SQL is `SqlScd2.ts`; both are held to
 * the same cases.
 */
import type { Asset } from "../Asset.ts"
import type { Cell, Column, Row } from "../Column.ts"
import { md5 } from "../internal/hash.ts"
import type { Scd2 } from "../WriteStrategy.ts"
import * as Cells from "./Cells.ts"

/**
 * The versions that follow from observations, with the asset's columns.
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
export const versions = (asset: Asset, write: Scd2, observations: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const [from] = Cells.named(asset, [write.validFrom])
  if (from === undefined) return []
  const key = Cells.named(asset, write.key)
  const tracked = Cells.named(asset, write.tracked)
  const seen = (row: Row) => JSON.stringify(tracked.map((column) => Cells.text(column, row)))
  const startOf = (row: Row) => Cells.text(from, row)
  const derived = new Set([write.surrogateKey, write.validTo, write.isCurrent])
  const byStart = Cells.compareRows([from])
  const byContent = Cells.compareRows(asset.columns.filter(({ name }) => !derived.has(name)))
  const chronological = (a: Row, b: Row) => byStart(a, b) || sequence(a) - sequence(b) || byContent(a, b)

  const ofKey = (unordered: ReadonlyArray<Row>): ReadonlyArray<Row> => {
    const ordered = unordered.toSorted(chronological)
    const whole = wholeOf(write, ordered)
    const instants = ordered.filter((row, index) => {
      const next = ordered[index + 1]
      return next === undefined || startOf(next) !== startOf(row)
    })
    const opening = instants.filter((row, index) => {
      const before = instants[index - 1]
      return before === undefined || seen(before) !== seen(row)
    })
    return opening.map((row, index): Row => {
      const until = opening[index + 1]?.[from.name] ?? null
      return {
        ...Cells.pick(
          asset.columns.map(({ name }) => name),
          { ...row, ...whole }
        ),
        [write.surrogateKey]: surrogateKey(key, from, row),
        [write.validTo]: until,
        [write.isCurrent]: until === null
      }
    })
  }

  const keyOf = (row: Row) => JSON.stringify(key.map((column) => Cells.text(column, row)))
  return Array.from(Map.groupBy(observations, keyOf).values()).flatMap(ofKey)
}

// --- internal ---

/**
 * Hash of the key and the start of the version. The start has no separator in it, so a key of one part may; of several
 * parts each is hashed by itself, so that none can reach into the next one.
 */
const surrogateKey = (key: ReadonlyArray<Column>, from: Column, row: Row): string => {
  const parts = key.map((column) => Cells.text(column, row) ?? "")
  const [only = ""] = parts
  const identity = parts.length === 1 ? only : parts.map(md5).join("")
  return md5(`${identity}\u001f${Cells.text(from, row) ?? ""}`)
}

const sequence = ({ _sequence }: Row): number => (typeof _sequence === "number" ? _sequence : Number.NEGATIVE_INFINITY)

/** The values that stand on every version: the last of the type 1 columns, the first of the fixed ones. */
const wholeOf = (write: Scd2, ordered: ReadonlyArray<Row>): Row => {
  const last = ordered.at(-1)
  return Object.fromEntries([
    ...write.latest.map((name): [string, Cell] => [name, last?.[name] ?? null]),
    ...write.fixed.map((name): [string, Cell] => [
      name,
      ordered.find((row) => (row[name] ?? null) !== null)?.[name] ?? null
    ])
  ])
}
