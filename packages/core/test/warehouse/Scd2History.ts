/**
 * A slowly changing dimension over observations that are themselves corrected, moved to another key and taken back: a
 * log of what was said, the latest of it by id, and the versions that follow. A mirror for each column tells what stood
 * in it in the rows that a write changed.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"
import { events } from "./World.ts"

const columns = Schema.Struct({
  sk: Column.text,
  region: Column.text,
  branch: Column.integer,
  segment: Column.nullable(Column.text),
  price: Column.nullable(Column.decimal({ precision: 12, scale: 2 })),
  email: Column.nullable(Column.text),
  channel: Column.nullable(Column.text),
  valid_from: Column.timestamp,
  valid_to: Column.nullable(Column.timestamp),
  is_current: Column.boolean
})

/** The columns that have a mirror: all that a version says, its window, and which version it is. */
export const mirrored = ["sk", "valid_from", "valid_to", "segment", "price", "email", "channel"] as const

/** The name of a column's mirror. */
export const mirrorOf = (name: string, column: string): string => `${name}_by_${column}`

/** The graph of one history; its assets' names begin with the given one. */
export const make = (name: string) => {
  const log = events(`${name}_log`)
  const latest = latestOf(`${name}_latest`, log)
  const dimension = dimensionOf(name, latest)
  const mirrors = mirrored.map((column) => mirror(mirrorOf(name, column), dimension, column))
  return { log, latest, dimension, graph: AssetGraph.fromIterable([log, latest, dimension, ...mirrors]) }
}

// --- internal ---

const latestOf = (name: string, log: ReturnType<typeof events<string>>) =>
  Asset.make(name, {
    description: "What was said last under each id",
    columns: Schema.Struct({
      id: Column.text,
      line: Column.integer,
      region: Column.text,
      branch: Column.integer,
      kind: Column.text,
      note: Column.nullable(Column.text),
      amount: Column.nullable(Column.decimal({ precision: 12, scale: 2 })),
      at: Column.nullable(Column.timestamp),
      extra: Column.nullable(Column.json)
    }),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("id")) },
    write: WriteStrategy.upsert({ key: ["id"], version: "line" }),
    compute: {
      sql: ({
        log
      }) => sql`SELECT id, line, region, branch, kind, note, amount, at, extra, "isDeleted" AS _deleted, '' AS _tie
        FROM ${log} AS log`,
      rows: ({ log }) => log.map(({ isDeleted, ...row }) => ({ ...row, _deleted: isDeleted, _tie: "" }))
    }
  })

const dimensionOf = (name: string, latest: ReturnType<typeof latestOf>) =>
  Asset.make(name, {
    description: "Branches of regions through time",
    columns,
    inputs: { latest: Asset.input(latest, PartitionMapping.byColumn("region", "branch")) },
    write: WriteStrategy.scd2({
      key: ["region", "branch"],
      surrogateKey: "sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["segment", "price"],
      latest: ["email"],
      fixed: ["channel"]
    }),
    compute: {
      sql: ({ latest }) => sql`SELECT region, branch, note AS segment, amount AS price, nullif(kind, '-') AS email,
        extra ->> 'channel' AS channel, at AS valid_from, line AS _sequence FROM ${latest} AS latest`,
      rows: ({ latest }) =>
        latest.flatMap(({ amount, at, branch, extra, kind, line, note, region }) =>
          at === null
            ? []
            : [
                {
                  region,
                  branch,
                  segment: note,
                  price: amount,
                  email: kind === "-" ? null : kind,
                  channel: channelIn(extra),
                  valid_from: at,
                  _sequence: line
                }
              ]
        )
    }
  })

const channelIn = (extra: Schema.Json | null): string | null => {
  if (typeof extra !== "object" || extra === null || !("channel" in extra)) return null
  return typeof extra.channel === "string" ? extra.channel : null
}

/** It is never built: what reaches it are the texts in the column of all old and new images of changed rows. */
const mirror = (name: string, dimension: ReturnType<typeof dimensionOf>, column: (typeof mirrored)[number]) =>
  Asset.make(name, {
    description: `What stands in ${column}`,
    columns: Schema.Struct({ shown: Column.text, seen: Column.integer }),
    inputs: { dimension: Asset.input(dimension, PartitionMapping.byColumn(column)) },
    write: WriteStrategy.upsert({ key: ["shown"], version: "seen" }),
    compute: {
      sql: ({ dimension }) => sql`SELECT sk AS shown, 1 AS seen, FALSE AS _deleted, '' AS _tie FROM ${dimension} AS d`,
      rows: ({ dimension }) => dimension.map(({ sk }) => ({ shown: sk, seen: 1, _deleted: false, _tie: "" }))
    }
  })
