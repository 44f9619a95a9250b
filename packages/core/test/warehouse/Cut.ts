/** The sales of the log of events, cut into partitions by a date or by a timestamp, for the suites of this folder. */
import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import type * as Partitions from "@assay/core/Partitions"
import { identifier, sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"
import type { events } from "./World.ts"

export const make = (
  name: string,
  log: ReturnType<typeof events<string>>,
  options: { readonly by: "at" | "day"; readonly partitions: Partitions.Partitions }
) => {
  const { by } = options
  return Asset.make(name, {
    description: "Events by time",
    columns: Schema.Struct({
      time: by === "at" ? Column.timestamp : Column.date,
      id: Column.text,
      line: Column.integer,
      note: Column.nullable(Column.text)
    }),
    partitions: options.partitions,
    inputs: {
      log: Asset.input(log, PartitionMapping.byColumn(by), {
        columns: ["id", "line", "at", "day", "note"],
        where: { kind: ["sale"] }
      })
    },
    write: WriteStrategy.replacePartitions("time", { key: ["time", "id", "line"] }),
    compute: {
      sql: ({ log }) => sql`SELECT ${identifier(by)} AS time, id, line, note FROM ${log} AS log`,
      rows: ({ log }) => log.flatMap(({ [by]: time, ...row }) => (time === null ? [] : [{ ...row, time }]))
    }
  })
}
