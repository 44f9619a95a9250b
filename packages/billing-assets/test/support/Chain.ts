/**
 * The billing assets without an engine: the `rows` compute of each asset over the rows that its inputs declare, and the
 * plainest reading of its write strategy, for whole tables at once.
 */
import type * as BillingEvent from "@assay/billing-assets/BillingEvent"
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as Cell from "@assay/billing-assets/Cell"
import type { Asset, NamedInput } from "@assay/core/Asset"
import type * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as RowFilter from "@assay/core/RowFilter"
import type { Source } from "@assay/core/Source"
import type { Unit } from "@assay/core/Unit"
import type { Scd2, Upsert, WriteStrategy } from "@assay/core/WriteStrategy"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Texts } from "../oracle/Recompute.ts"

type Row = Column.Row
type Tables = ReadonlyMap<string, ReadonlyArray<Row>>

/** What a compute reads. */
export interface Inputs {
  readonly rows: Tables
  readonly units: ReadonlyArray<Unit>
}

/** A source that has nothing to land. */
export const nothing: Source<BillingEvent.Landed> = {
  description: "nothing",
  discover: () => Effect.succeed([]),
  read: () => Stream.empty,
  replay: () => Effect.succeed([])
}

/** The billing graph from a day on, without a feed. */
export const graph = (start: string): AssetGraph.AssetGraph<never> => BillingGraph.make({ start, source: nothing })

/** Every table of the graph, computed from landed rows. */
export const run = (
  landed: ReadonlyArray<BillingEvent.Landed>,
  options: { readonly start: string; readonly now: string }
): Tables => {
  const now = Date.parse(options.now)
  const tables = new Map<string, ReadonlyArray<Row>>()
  for (const asset of graph(options.start).assets.values()) {
    tables.set(
      asset.name,
      asset.body._tag === "Source"
        ? landed.map((row) => ({ ...row, _batch: "1", _loaded_at: "2024-01-01T00:00:00.000000Z" }))
        : settle(asset.write, compute(asset, inputs(asset, tables, now)))
    )
  }
  return tables
}

/** What an asset's compute sees of its inputs by their names there, and the units that exist. */
export const inputs = (asset: Asset, tables: Tables, now: number): Inputs => {
  const units = existing(asset.partitions, now)
  return { rows: new Map(asset.inputs.map((input) => [input.as, visible(input, asset, units, tables)])), units }
}

/** What an asset's `rows` compute yields. */
export const compute = (asset: Asset, { rows: seen, units }: Inputs): ReadonlyArray<Row> => {
  const rows =
    asset.body._tag === "Compute" ? asset.body.compute.rows?.({ ...Object.fromEntries(seen), units }) : undefined
  if (rows === undefined || Effect.isEffect(rows)) throw new Error(`${asset.name} has no plain rows compute`)
  return Array.from(rows)
}

/** Rows as canonical texts of the given columns. */
export const texts = (columns: ReadonlyArray<Column.Column>, rows: ReadonlyArray<Row>): ReadonlyArray<Texts> =>
  rows.map((row) =>
    Object.fromEntries(columns.map((column) => [column.name, Column.toText(column, row[column.name] ?? null)]))
  )

/** Rows in an order of their own, for comparing multisets. */
export const ordered = (rows: ReadonlyArray<Texts>): ReadonlyArray<Texts> =>
  rows
    .map((row) => [JSON.stringify(row), row] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row)

// --- internal ---

const existing = (partitions: Partitions.Partitions, now: number): ReadonlyArray<Unit> => {
  const set = Partitions.existing(partitions, now)
  const windows = Array.from(PartitionSet.windows(set))
  return Array.from(PartitionSet.keys(set), (unit, index) => ({ unit, window: windows[index] }))
}

const visible = (input: NamedInput, asset: Asset, units: ReadonlyArray<Unit>, tables: Tables): ReadonlyArray<Row> => {
  const { mapping } = input
  const column =
    mapping._tag === "ByColumns" && asset.partitions._tag === "TimeWindows" ? mapping.columns[0] : undefined
  return (tables.get(input.asset.name) ?? [])
    .filter((row) => RowFilter.matches(input.asset.columns, input.where, row))
    .filter((row) => column === undefined || units.some(({ window }) => holds(window, Cell.text(row[column]))))
    .map((row) => Object.fromEntries(input.columns.map((name) => [name, row[name] ?? null])))
}

const holds = (window: Unit["window"], date: string): boolean => {
  const at = Date.parse(`${date}T00:00:00Z`)
  return window !== undefined && window.start <= at && at < window.end
}

const settle = (write: WriteStrategy, staged: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  switch (write._tag) {
    case "Upsert":
      return latest(write, staged)
    case "Scd2":
      return versions(write, staged)
    default:
      return staged
  }
}

const groups = (rows: ReadonlyArray<Row>, key: ReadonlyArray<string>) =>
  Array.from(Map.groupBy(rows, (row) => JSON.stringify(key.map((column) => row[column]))).values())

const latest = (write: Upsert, staged: ReadonlyArray<Row>): ReadonlyArray<Row> =>
  groups(staged, write.key).flatMap((candidates) => {
    const rank = (row: Row) => JSON.stringify([row[write.version], row["_deleted"] === true ? 1 : 0, row["_tie"]])
    const winner = candidates.reduce((best, row) => (rank(row) > rank(best) ? row : best))
    return winner["_deleted"] === true ? [] : [winner]
  })

const versions = (write: Scd2, staged: ReadonlyArray<Row>): ReadonlyArray<Row> =>
  groups(staged, write.key).flatMap((observations) => {
    const sorted = observations.toSorted((a, b) => Number(a["_sequence"]) - Number(b["_sequence"]))
    const spread = {
      ...Object.fromEntries(write.latest.map((column) => [column, sorted.at(-1)?.[column] ?? null])),
      ...Object.fromEntries(
        write.fixed.map((column) => [column, sorted.find((row) => row[column] !== null)?.[column] ?? null])
      )
    }
    const ends = sorted.filter((row, index) => sorted[index + 1]?.[write.validFrom] !== row[write.validFrom])
    const state = (row: Row | undefined) =>
      row === undefined ? "" : JSON.stringify(write.tracked.map((column) => text(row[column] ?? null)))
    const kept = ends.filter((row, index) => state(row) !== state(ends[index - 1]))
    return kept.map((row, index) => ({
      ...row,
      ...spread,
      [write.surrogateKey]: `${JSON.stringify(write.key.map((column) => row[column]))} ${Cell.text(row[write.validFrom])}`,
      [write.validTo]: kept[index + 1]?.[write.validFrom] ?? null,
      [write.isCurrent]: index === kept.length - 1
    }))
  })

const text = (cell: Column.Cell): string | null =>
  Column.toText(
    { name: "", kind: { _tag: "Decimal", precision: 38, scale: 4 }, isNullable: true, description: undefined },
    cell
  )
