/**
 * The latest version per key: of all candidates of a key one wins, by content and never by arrival (L5). The twin in
 * SQL is the `Upsert` case of `SqlDifference.resolve`.
 */
import type { Asset } from "../Asset.ts"
import type { Column, Row } from "../Column.ts"
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
  const version = Cells.named(asset, [write.version])
  const names = asset.columns.map(({ name }) => name)
  const best = new Map<string, Row>()
  for (const candidate of candidates) {
    const at = JSON.stringify(key.map((column) => Cells.text(column, candidate)))
    const champion = best.get(at)
    if (champion === undefined || compare(version, candidate, champion) > 0) best.set(at, candidate)
  }
  return Array.from(best.values()).flatMap((row) => row["_deleted"] === true ? [] : [Cells.pick(names, row)])
}

// --- internal ---

const compare = (version: ReadonlyArray<Column>, self: Row, that: Row): number =>
  compareVersions(version, self, that)
  || Number(self["_deleted"] === true) - Number(that["_deleted"] === true)
  || compareBytes(String(self["_tie"]), String(that["_tie"]))

/** A version that is null is older than every other one. */
const compareVersions = (version: ReadonlyArray<Column>, self: Row, that: Row): number => {
  for (const { name } of version) {
    const isKnown = Number((self[name] ?? null) !== null) - Number((that[name] ?? null) !== null)
    if (isKnown !== 0) return isKnown
  }
  return Cells.compareRows(version)(self, that)
}
