/**
 * Tables in memory and how a result is written into one: as a difference, of which the removed and added rows are the
 * change set. A table is a value; writing yields the next one. The twin in SQL is `SqlDifference.ts`.
 */
import * as Result from "effect/Result"
import type { Asset } from "../Asset.ts"
import { unitColumns } from "../Asset.ts"
import { type Column, type Row, rowText } from "../Column.ts"
import { compare as compareBytes } from "../internal/byteOrder.ts"
import type { DataQuality, DefinitionFault } from "../MaterializationError.ts"
import * as PartitionSet from "../PartitionSet.ts"
import { primaryKey } from "../WriteStrategy.ts"
import * as Cells from "./Cells.ts"
import type { Change } from "./Change.ts"
import * as MemoryUnit from "./MemoryUnit.ts"
import * as Refusal from "./Refusal.ts"
import * as Scd2 from "./Scd2.ts"
import * as Upsert from "./Upsert.ts"
import type { Scope, Written } from "./Warehouse.ts"

/**
 * An asset's rows by the text of their primary key.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryTable {
  readonly columns: ReadonlyArray<Column>
  readonly rows: ReadonlyMap<string, Row>
}

/**
 * The table after a write, and what the write did.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome {
  readonly table: MemoryTable
  readonly change: Change
  readonly written: Written
}

/**
 * The table of an asset without rows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty = (asset: Asset): MemoryTable => ({ columns: asset.columns, rows: new Map() })

/**
 * The rows that a strategy makes of what a compute yields, in the form in which a table gives them back.
 *
 * @category conversions
 * @since 0.1.0
 */
export const resolve = (asset: Asset, computed: Iterable<Row>): ReadonlyArray<Row> =>
  Array.from(strategyRows(asset, computed), (row) => Cells.stored(asset.columns, row))

/**
 * Writes the difference between the stored and the computed rows of a scope.
 *
 * @category writing
 * @since 0.1.0
 */
export const write = (
  table: MemoryTable,
  asset: Asset,
  scope: Scope,
  computed: ReadonlyArray<Row>
): Result.Result<Outcome, DataQuality> =>
  Result.gen(function* () {
    yield* refuseStrangers(asset, scope, computed)
    yield* refuseCells(asset, computed)
    const isInScope = MemoryUnit.isInScope(asset, scope)
    const result = yield* keyed(asset, computed)
    const rows = new Map(table.rows)
    const removed: Array<Row> = []
    const added: Array<Row> = []
    let unchanged = 0
    let updated = 0
    for (const [key, row] of table.rows) {
      if (!isInScope(row)) continue
      const next = result.get(key)
      if (next !== undefined && rowText(asset.columns, next) === rowText(asset.columns, row)) {
        unchanged += 1
        continue
      }
      if (next !== undefined) updated += 1
      rows.delete(key)
      removed.push(row)
    }
    for (const [key, row] of result) {
      const known = rows.get(key)
      if (known !== undefined && isInScope(known)) continue
      if (known !== undefined) return yield* Result.fail(Refusal.duplicates(asset, 1, key))
      rows.set(key, row)
      added.push(row)
    }
    return {
      table: { columns: asset.columns, rows },
      change: { removed, added },
      written: {
        read: computed.length,
        inserted: added.length - updated,
        updated,
        deleted: removed.length - updated,
        unchanged,
        change: "rows"
      }
    }
  })

/**
 * Refuses rows of units that are not among those that the rows of the inputs name.
 *
 * @category writing
 * @since 0.1.0
 */
export const refuseForeign = (
  asset: Asset,
  rows: ReadonlyArray<Row>,
  named: ReadonlySet<string | null>
): Result.Result<void, DefinitionFault> => {
  // A null in the key is told by its column.
  const found = others(asset, rows, (unit) => unit !== null && !named.has(unit))
  return found === undefined ? Result.void : Result.fail(Refusal.foreign(asset, found.rows, found.units))
}

/**
 * Removes the rows that lie in none of the given partitions.
 *
 * @category writing
 * @since 0.1.0
 */
export const withdraw = (table: MemoryTable, asset: Asset, except: PartitionSet.PartitionSet): Outcome => {
  const unit = MemoryUnit.own(asset)
  const isKept = (row: Row) => {
    const own = unit(row)
    return own !== null && PartitionSet.has(except, own)
  }
  const removed = Array.from(table.rows.values()).filter((row) => !isKept(row))
  return {
    table: { columns: table.columns, rows: new Map(Array.from(table.rows).filter(([, row]) => isKept(row))) },
    change: { removed, added: [] },
    written: { read: 0, inserted: 0, updated: 0, deleted: removed.length, unchanged: 0, change: "rows" }
  }
}

/**
 * Adds rows to a log, leaving out those that agree with a stored one in the columns `knownBy`.
 *
 * @category writing
 * @since 0.1.0
 */
export const append = (
  table: MemoryTable,
  asset: Asset,
  offered: ReadonlyArray<Row>,
  knownBy: ReadonlyArray<string> | undefined
): Result.Result<Outcome, DataQuality> =>
  Result.gen(function* () {
    const columns = Cells.named(asset, knownBy ?? [])
    const known = new Set(knownBy === undefined ? [] : Array.from(table.rows.values(), (row) => rowText(columns, row)))
    const added = offered.flatMap((row) => (known.has(rowText(columns, row)) ? [] : [Cells.stored(asset.columns, row)]))
    yield* refuseCells(asset, added)
    const rows = new Map(table.rows)
    for (const [key, row] of yield* keyed(asset, added)) {
      if (rows.has(key)) return yield* Result.fail(Refusal.duplicates(asset, 1, key))
      rows.set(key, row)
    }
    return {
      table: { columns: asset.columns, rows },
      change: { removed: [], added },
      written: {
        read: offered.length,
        inserted: added.length,
        updated: 0,
        deleted: 0,
        unchanged: offered.length - added.length,
        change: "rows"
      }
    }
  })

// --- internal ---

const strategyRows = (asset: Asset, computed: Iterable<Row>): Iterable<Row> => {
  switch (asset.write._tag) {
    case "Upsert":
      return Upsert.winners(asset, asset.write, typed(asset, computed))
    case "Scd2":
      return Scd2.versions(asset, asset.write, typed(asset, computed))
    default:
      return computed
  }
}

/** Rows in the types of the columns, before anything is decided by them, with what the strategy chooses by. */
const typed = (asset: Asset, computed: Iterable<Row>): ReadonlyArray<Row> =>
  Array.from(computed, (row) => ({ ...row, ...Cells.stored(asset.columns, row) }))

const keyText = (asset: Asset, row: Row): string => rowText(Cells.named(asset, primaryKey(asset.write)), row)

const keyed = (asset: Asset, rows: ReadonlyArray<Row>): Result.Result<ReadonlyMap<string, Row>, DataQuality> => {
  const byKey = new Map<string, Row>()
  const repeated = new Set<string>()
  for (const row of rows) {
    const key = keyText(asset, row)
    if (byKey.has(key)) repeated.add(key)
    byKey.set(key, row)
  }
  const [first] = repeated
  return first === undefined ? Result.succeed(byKey) : Result.fail(Refusal.duplicates(asset, repeated.size, first))
}

const refuseStrangers = (asset: Asset, scope: Scope, rows: ReadonlyArray<Row>): Result.Result<void, DataQuality> => {
  if (scope.units._tag === "All" || unitColumns(asset).length === 0) return Result.void
  const contains = MemoryUnit.isIn(scope.units)
  const found = others(asset, rows, (unit) => !contains(unit))
  return found === undefined ? Result.void : Result.fail(Refusal.strangers(asset, found.rows, found.units))
}

/** How many rows belong to units of a kind, and to which. */
const others = (asset: Asset, rows: ReadonlyArray<Row>, isOther: (unit: string | null) => boolean) => {
  const units = rows.map(MemoryUnit.own(asset)).filter(isOther)
  if (units.length === 0) return undefined
  const distinct = Array.from(new Set(units)).toSorted((a, b) => compareBytes(a ?? "", b ?? ""))
  return { rows: units.length, units: distinct }
}

const refuseCells = (asset: Asset, rows: ReadonlyArray<Row>): Result.Result<void, DataQuality> => {
  for (const column of asset.columns) {
    const { isNullable, kind, name } = column
    const missing = isNullable ? 0 : rows.filter((row) => row[name] === null).length
    if (missing > 0) return Result.fail(Refusal.nulls(asset, name, missing))
    const stray = rows.map((row) => row[name] ?? null).find((cell) => cell !== null && !Cells.isWithin(column, cell))
    if (stray !== undefined) return Result.fail(Refusal.range(asset, name, Cells.text(column, { [name]: stray }) ?? ""))
    if (kind._tag !== "Decimal") continue
    const limit = kind.precision - kind.scale
    const tooLong = rows
      .map((row) => Cells.text(column, row))
      .find((text) => text !== null && wholeDigits(text) > limit)
    if (tooLong !== undefined && tooLong !== null) return Result.fail(Refusal.overflow(asset, name, tooLong))
  }
  return Result.void
}

const wholeDigits = (decimal: string): number => /^-?0*(\d*)/.exec(decimal)?.[1]?.length ?? 0
