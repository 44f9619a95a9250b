/**
 * `show`: the rows of an asset. A table for people, CSV and JSON for other programs, streamed, so that memory does not
 * grow with the asset.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Asset } from "../Asset.ts"
import * as Column from "../Column.ts"
import * as Csv from "./Csv.ts"
import { UsageError } from "./ExitCode.ts"
import { Host, type Session } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { type Output, type OutputClosed, Screen, writeLines } from "./Screen.ts"
import type { Style } from "./Style.ts"
import * as Table from "./Table.ts"

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make(
    "show",
    {
      asset: Argument.String("NAME").pipe(Argument.withDescription("Name of the asset")),
      partitions: RequestFlags.partitions,
      format: Flag.Literals("format", ["table", "csv", "json"]).pipe(
        Flag.withAlias("f"),
        Flag.withMetavar("table|csv|json"),
        Flag.withDescription("table for people; csv and json for programs, with every digit (default: table)"),
        Flag.withDefault("table")
      ),
      limit: Flag.Int("limit").pipe(
        Flag.withAlias("n"),
        Flag.withMetavar("N"),
        Flag.filter(
          (limit) => limit >= 0,
          () => "Expected a number of rows, 0 or more"
        ),
        Flag.withDescription(`At most so many rows (default: ${usualLimit} in a table, else all)`),
        Flag.optional
      )
    },
    show
  ).pipe(
    Command.withDescription("Show the rows of an asset, ordered by its key"),
    Command.withExamples([
      { command: `${name} show gold_revenue --partitions 2024-03`, description: "One month as a table" },
      { command: `${name} show mart_mrr_monthly --format csv > mrr.csv`, description: "Everything as CSV" }
    ])
  )

/**
 * The lines of a table of rows: numbers to the right, wide cells cut, columns that do not fit left out and named.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  columns: ReadonlyArray<Column.Column>,
  rows: ReadonlyArray<Column.Row>,
  options: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const { style, width } = options
  const whole: Table.Table = {
    columns: columns.map(({ kind, name }) => ({
      title: name,
      align: isNumber(kind) ? "right" : "left",
      isFixed: isNumber(kind) || kind._tag === "Date" || kind._tag === "Boolean"
    })),
    rows: rows.map((row) =>
      columns.map((column) => {
        const text = Column.toText(column, row[column.name] ?? null)
        return text === null ? style.dim("null") : Paragraph.visible(text)
      })
    )
  }
  const room = { width, readable }
  const table = Table.fitting(whole, room) < columns.length ? Table.withBrokenTitles(whole) : whole
  const fitting = Table.fitting(table, room)
  const left = columns.slice(fitting).map(({ name }) => name)
  return [
    ...Table.render(
      { columns: table.columns.slice(0, fitting), rows: table.rows.map((row) => row.slice(0, fitting)) },
      options
    ),
    ...(left.length === 0
      ? []
      : Paragraph.wrap(
          style.words(
            `… and ${Quantity.count(left.length, "more column")} ${left.length === 1 ? "does" : "do"} not fit: ${left.join(", ")} (a wider terminal or --format csv shows all)`
          ),
          { width, indent: "  " }
        ).map(style.dim))
  ]
}

// --- internal ---

const usualLimit = 50

/** A cell cut shorter than this says nothing; then the columns behind it are better left out. */
const readable = 24

/** Beyond that, exact is not worth reading everything. */
const mostCounted = 100_000

/** About a hundred kilobytes a write. */
const rowsPerWrite = 512

interface Input {
  readonly asset: string
  readonly partitions: Option.Option<string>
  readonly format: "table" | "csv" | "json"
  readonly limit: Option.Option<number>
}

const show = Effect.fnUntraced(function* (input: Input) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const { graph } = session.assay
  const named = graph.assets.get(input.asset)
  const partitions = Option.getOrUndefined(input.partitions)
  if (partitions !== undefined && named !== undefined && !HostReport.hasPartitions(named)) {
    return yield* new UsageError({ message: HostReport.withoutPartitions([named.name], graph) })
  }
  const limit = Option.getOrUndefined(input.limit)
  switch (input.format) {
    case "table":
      return yield* showTable({
        session,
        out,
        call: host.call,
        asset: input.asset,
        partitions,
        limit: limit ?? usualLimit
      })
    case "csv": {
      const { asset, rows } = yield* session.assay.rows({ asset: input.asset, partitions, limit })
      yield* out.write(Csv.header(asset.columns))
      return yield* write(
        out,
        Stream.map(rows, (row) => Csv.row(asset.columns, row))
      )
    }
    case "json": {
      const { asset, rows } = yield* session.assay.rows({ asset: input.asset, partitions, limit })
      const objects = Stream.map(rows, (row) => Json.row(asset.columns, row))
      yield* out.write("[")
      yield* write(
        out,
        Stream.map(Stream.zipWithIndex(objects), ([object, index]) => `${index === 0 ? "\n" : ",\n"}  ${object}`)
      )
      return yield* out.write("\n]\n")
    }
  }
}, Effect.scoped)

const write = <E>(out: Output, texts: Stream.Stream<string, E>): Effect.Effect<void, E | OutputClosed> =>
  Stream.runForEach(Stream.grouped(texts, rowsPerWrite), (group) => out.write(group.join("")))

const showTable = Effect.fnUntraced(function* (options: {
  readonly session: Session
  readonly out: Output
  readonly call: string
  readonly asset: string
  readonly partitions: string | undefined
  readonly limit: number
}) {
  const { limit, out, session } = options
  const { style } = out
  const query = { asset: options.asset, partitions: options.partitions }
  const width = yield* out.columns
  const { asset, rows } = yield* session.assay.rows({ ...query, limit: limit + mostCounted + 1 })
  // One pass: the first rows are kept, the others only counted.
  const { kept, total } = yield* Stream.runFold(
    rows,
    (): { readonly kept: Array<Column.Row>; readonly total: number } => ({ kept: [], total: 0 }),
    ({ kept, total }, row) => {
      if (total < limit) kept.push(row)
      return { kept, total: total + 1 }
    }
  )
  if (total === 0) return yield* writeLines(out, yield* nothing({ ...options, asset }))
  yield* writeLines(out, kept.length === 0 ? [] : lines(keyFirst(asset), kept, { style, width }))
  const more = total - kept.length
  if (more === 0) return
  const amount =
    more > mostCounted ? `more than ${Quantity.number(mostCounted)} more rows` : Quantity.count(more, "more row")
  yield* writeLines(out, [style.dim(style.words(`… ${amount} (--limit, or --format csv for all)`))])
})

const nothing = Effect.fnUntraced(function* (options: {
  readonly session: Session
  readonly asset: Asset
  readonly partitions: string | undefined
  readonly call: string
}) {
  const { asset, call, partitions, session } = options
  const [report] = yield* session.assay.status([asset.name])
  const range = partitions === undefined ? "" : ` --partitions ${partitions}`
  return report !== undefined && !report.isBuilt && report.kind !== "view"
    ? [`${asset.name} has no rows: it was never built. Build it: ${call} materialize --asset ${asset.name}${range}`]
    : [`${asset.name} has no rows${partitions === undefined ? "" : ` in ${partitions}`}.`]
})

/** What tells rows apart stands first, so that it is never what does not fit. A log is read in the order of its columns. */
const keyFirst = ({ columns, write }: Asset): ReadonlyArray<Column.Column> => {
  const key = write._tag === "Append" || write._tag === "View" ? [] : write.key
  const first = key.flatMap((name) => columns.find((column) => column.name === name) ?? [])
  return [...first, ...columns.filter(({ name }) => !key.includes(name))]
}

const isNumber = (kind: Column.Kind): boolean => kind._tag === "Decimal" || kind._tag === "Integer"
