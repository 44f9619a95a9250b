/** A slowly changing dimension over the log of events, for the suites of this folder: one version per change of a region. */
import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"
import type { Event, events } from "./World.ts"

export const columns = Schema.Struct({
  sk: Column.text,
  region: Column.text,
  segment: Column.nullable(Column.text),
  price: Column.nullable(Column.decimal({ precision: 12, scale: 2 })),
  email: Column.nullable(Column.text),
  channel: Column.nullable(Column.text),
  valid_from: Column.timestamp,
  valid_to: Column.nullable(Column.timestamp),
  is_current: Column.boolean
})

export const write = WriteStrategy.scd2({
  key: ["region"],
  surrogateKey: "sk",
  validFrom: "valid_from",
  validTo: "valid_to",
  isCurrent: "is_current",
  tracked: ["segment", "price"],
  latest: ["email"],
  fixed: ["channel"]
})

/** Observations are events: note is the segment, amount the price, id the email, kind the channel ("-" is none). */
export const make = (name: string, log: ReturnType<typeof events<string>>) =>
  Asset.make(name, {
    description: "Regions through time",
    columns,
    inputs: {
      log: Asset.input(log, PartitionMapping.byColumn("region"), {
        columns: ["id", "line", "region", "kind", "at", "amount", "note", "isDeleted"]
      })
    },
    write,
    compute: {
      sql: ({
        log
      }) => sql`SELECT region, note AS segment, amount AS price, nullif(split_part(id, ':', 1), '-') AS email,
        nullif(kind, '-') AS channel, at AS valid_from, line AS _sequence FROM ${log} AS log WHERE at IS NOT NULL AND NOT "isDeleted"`,
      rows: ({ log }) => log.flatMap((row) => (row.at === null || row.isDeleted ? [] : [observation(row, row.at)]))
    }
  })

// --- internal ---

const observation = (row: Pick<Event, "id" | "region" | "kind" | "amount" | "note" | "line">, at: string) => ({
  region: row.region,
  segment: row.note,
  price: row.amount,
  email: text(row.id.split(":")[0]),
  channel: text(row.kind),
  valid_from: at,
  _sequence: row.line
})

const text = (given: string | undefined): string | null => (given === undefined || given === "-" ? null : given)
