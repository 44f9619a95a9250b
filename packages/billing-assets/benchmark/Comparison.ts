/**
 * Did Assay and the floor come to the same rows? Asked of the database, row by row and both ways: a floor that computes
 * something else would be no floor.
 */
import type * as Asset from "@assay/core/Asset"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Client from "./Client.ts"

/** Rows that only one of the two has. */
export interface Difference {
  readonly asset: string
  readonly onlyAssay: number
  readonly onlyFloor: number
  readonly examples: ReadonlyArray<string>
}

/** Compares an asset's table with the floor's of that name; undefined where they are equal. */
export const make = Effect.fnUntraced(function* (options: {
  readonly url: string
  readonly assay: string
  readonly floor: string
}) {
  const client = yield* Client.connect(options.url, "assay-benchmark-comparison")
  return Effect.fnUntraced(function* (asset: Asset.Asset<string, unknown, never>) {
    const columns = asset.columns.filter(({ name }) => !ours.has(name)).map(({ name }) => `"${name}"`)
    const of = (schema: string) => `SELECT ${columns.join(", ")} FROM "${schema}"."${asset.name}"`
    yield* client.unsafe("SET work_mem = '512MB'").raw
    if (yield* isSame(client, of(options.assay), of(options.floor))) return undefined
    const rows = yield* client.unsafe(`WITH assay AS (${of(options.assay)} EXCEPT ALL ${of(options.floor)}),
      floor AS (${of(options.floor)} EXCEPT ALL ${of(options.assay)})
      SELECT (SELECT count(*)::int FROM assay) AS "onlyAssay", (SELECT count(*)::int FROM floor) AS "onlyFloor",
        ARRAY(SELECT 'only Assay has ' || row_to_json(assay.*)::text FROM assay LIMIT 3)
        || ARRAY(SELECT 'only the floor has ' || row_to_json(floor.*)::text FROM floor LIMIT 3) AS examples`)
      .withoutTransform
    const [found] = yield* Effect.orDie(decode(rows))
    return found.onlyAssay + found.onlyFloor === 0 ? undefined : ({ asset: asset.name, ...found } satisfies Difference)
  })
})

// --- internal ---

/**
 * Whether two queries give the same rows, by how many they are and the sums of two hashes of each: a scan of either, where
 * to sort ten million rows takes a quarter of an hour. What differs here is looked at row by row.
 */
const isSame = Effect.fnUntraced(function* (client: SqlClient, one: string, other: string) {
  const hash = (seed: number) => `sum(hashtextextended(r::text, ${seed})::numeric)`
  const of = (query: string) => `(SELECT json_build_array(count(*), ${hash(1)}, ${hash(2)})::text FROM (${query}) AS r)`
  const rows = yield* client.unsafe(`SELECT ${of(one)} = ${of(other)} AS "isSame"`).withoutTransform
  const [{ isSame }] = yield* Effect.orDie(decodeIsSame(rows))
  return isSame
})

const decodeIsSame = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ isSame: Schema.Boolean })]))

/** When and by which landing a row came is nobody else's. */
const ours: ReadonlySet<string> = new Set(["_batch", "_loaded_at"])

const decode = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Struct({ onlyAssay: Schema.Int, onlyFloor: Schema.Int, examples: Schema.Array(Schema.String) })])
)
