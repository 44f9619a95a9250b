/**
 * The latest version per key: of all candidates of a key one wins, by content and never by arrival (L5). The twin in
 * SQL is the `Upsert` case of `SqlDifference.resolve`.
 */
import type { Asset } from "../Asset.ts"
import type { Row } from "../Column.ts"
import { compare as compareBytes } from "../internal/byteOrder.ts"
import type { Upsert } from "../WriteStrategy.ts"
import * as Cells from "./Cells.ts"

/**
 * The winner of each key, with the asset's columns; none where a deletion wins.
 *
 * @category conversions
 * @since 0.1.0
 */
export const winners = (asset: Asset, write: Upsert, candidates: Iterable<Row>): ReadonlyArray<Row> => {
  const key = Cells.named(asset, write.key)
  const names = asset.columns.map(({ name }) => name)
  const compare = comparison(asset, write)
  const best = new Map<string, Row>()
  for (const candidate of candidates) {
    const at = JSON.stringify(key.map((column) => Cells.text(column, candidate)))
    const champion = best.get(at)
    if (champion === undefined || compare(candidate, champion) > 0) best.set(at, candidate)
  }
  return Array.from(best.values()).flatMap((row) => (row["_deleted"] === true ? [] : [Cells.pick(names, row)]))
}

// --- internal ---

/** By version, where null is older than any other; a deletion is later than a row, and the last tie breaks on content. */
const comparison = (asset: Asset, write: Upsert) => {
  const byVersion = Cells.compareRows(Cells.named(asset, [write.version]))
  const byContent = Cells.compareRows(asset.columns)
  const isKnown = (row: Row) => Number((row[write.version] ?? null) !== null)
  const isDeleted = (row: Row) => Number(row["_deleted"] === true)
  const tie = ({ _tie }: Row) => (typeof _tie === "string" ? _tie : "")
  return (self: Row, that: Row): number =>
    isKnown(self) - isKnown(that) ||
    byVersion(self, that) ||
    isDeleted(self) - isDeleted(that) ||
    compareBytes(tie(self), tie(that)) ||
    byContent(self, that)
}
