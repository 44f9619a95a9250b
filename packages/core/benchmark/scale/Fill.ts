/**
 * A ledger as years of runs leave it: every partition of the assets built, and some of them stale, drawn at random.
 */
import type { Asset } from "@assay/core/Asset"
import type { Reason } from "@assay/core/MaterializationError"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import { Postgres } from "@assay/core/postgres/Postgres"
import { identifier, sql } from "@assay/core/Sql"
import * as Effect from "effect/Effect"

/** Makes assets known, and all that exists of them built. */
export const built = Effect.fnUntraced(function* (
  assets: ReadonlyArray<Asset>,
  now: number
): Effect.fn.Return<void, Reason, Postgres> {
  const pg = yield* Postgres
  const table = (name: string) => identifier(pg.schemas.ledger, name)
  for (const name of ["asset", "materialization", "stale_unit", "stale_range", "built_set"]) {
    yield* pg.execute(sql`TRUNCATE ${table(name)}`)
  }
  const [first] = assets
  if (first === undefined) return
  const existing = Partitions.existing(first.partitions, now)
  const names = assets.map(({ name }) => name)
  const versions = assets.map(({ codeVersion }) => codeVersion)
  yield* pg.execute(sql`INSERT INTO ${table("asset")} (asset, code_version, reads, registered_at)
    SELECT asset, code_version, '{}', '2024-01-01Z' FROM unnest(${names}::text[], ${versions}::text[]) AS a(asset, code_version)`)
  yield* pg.execute(sql`INSERT INTO ${table("built_set")} (asset, code_version, definition, ranges)
    SELECT asset, code_version, definition, ranges::json
    FROM unnest(${names}::text[], ${versions}::text[],
      ${assets.map(({ partitions }) => PartitionSet.definitionOf(partitions))}::text[],
      ${assets.map(({ partitions }) => JSON.stringify(PartitionSet.toJson(Partitions.existing(partitions, now)).ranges))}::text[])
      AS a(asset, code_version, definition, ranges)`)
  yield* pg.execute(sql`INSERT INTO ${table("materialization")}
      (asset, unit, rows, content_hash, code_version, run_id, materialized_at)
    SELECT asset, unit, 100, md5(unit), code_version, 'run', '2024-01-01Z'
    FROM unnest(${names}::text[], ${versions}::text[]) AS a(asset, code_version),
      unnest(${Array.from(PartitionSet.keys(existing))}::text[]) AS u(unit)`)
  yield* pg.execute(sql`ANALYZE ${table("materialization")}`)
})

/** A partition of an asset. */
export interface Unit {
  readonly asset: string
  readonly unit: string
}

/** Marks so many units of all that are built, drawn at random and the same in every run, in place of those marked before. */
export const stale = Effect.fnUntraced(function* (
  assets: ReadonlyArray<Asset>,
  options: { readonly now: number; readonly count: number }
): Effect.fn.Return<ReadonlyArray<Unit>, Reason, Postgres> {
  const pg = yield* Postgres
  const table = (name: string) => identifier(pg.schemas.ledger, name)
  const [first] = assets
  if (first === undefined) return []
  const units = Array.from(PartitionSet.keys(Partitions.existing(first.partitions, options.now)))
  yield* pg.execute(sql`TRUNCATE ${table("stale_unit")}`)
  const chosen = new Set<number>()
  let state = 1
  while (chosen.size < options.count) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    chosen.add(Math.floor((state / 2 ** 32) * assets.length * units.length))
  }
  const marks = Array.from(chosen, (index) => ({
    asset: assets[Math.floor(index / units.length)]?.name ?? "",
    unit: units[index % units.length] ?? ""
  }))
  yield* pg.execute(sql`INSERT INTO ${table("stale_unit")} (asset, unit, version, cause, marked_at)
    SELECT asset, unit, row_number() OVER (), 'upstream:source', '2024-01-01Z'
    FROM unnest(${marks.map(({ asset }) => asset)}::text[], ${marks.map(({ unit }) => unit)}::text[]) AS m(asset, unit)`)
  yield* pg.execute(sql`ANALYZE ${table("stale_unit")}`)
  return marks
})
