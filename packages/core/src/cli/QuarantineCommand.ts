/**
 * `quarantine`: which rows were rejected, where do they stand, what is wrong with them? And, after a fix, another try.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { AssetKey } from "../Asset.ts"
import type { QuarantinedRow } from "../ledger/Quarantine.ts"
import { UsageError } from "./ExitCode.ts"
import { Host } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { Screen, writeLines } from "./Screen.ts"
import type { Style } from "./Style.ts"

/**
 * A rejected row in the documents of `quarantine list --json` and `quarantine show --json`. Times are ISO 8601 in UTC.
 *
 * @category models
 * @since 0.1.0
 */
export interface RejectedOfDocument {
  readonly id: string
  readonly asset: AssetKey
  readonly file: string
  readonly line: number
  readonly raw: string
  readonly reasons: ReadonlyArray<string>
  readonly context: Schema.Json
  readonly runId: string
  readonly quarantinedAt: string
  readonly retriedAt: string | null
  readonly releasedAt: string | null
  readonly releasedBy: string | null
}

/**
 * What `quarantine list --json` prints. `next` is the id to pass to `--after` for the next page; null at the end.
 *
 * @category models
 * @since 0.1.0
 */
export interface QuarantineDocument {
  readonly rows: ReadonlyArray<RejectedOfDocument>
  readonly next: string | null
}

/**
 * What `quarantine replay --json` prints.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReplayDocument {
  readonly tried: number
  readonly landed: number
  readonly stillRejected: number
}

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make("quarantine", listing, list).pipe(
    Command.withDescription("List the rows that were rejected, with file, line, text and every reason"),
    Command.withSubcommands([
      Command.make("list", listing, list).pipe(
        Command.withDescription("List the rejected rows, oldest first"),
        Command.withExamples([{ command: `${name} quarantine list --limit 100`, description: "More of them" }])
      ),
      Command.make(
        "show",
        { id: Argument.String("ID").pipe(Argument.withDescription("Id of a rejected row")), json: RequestFlags.json },
        show
      ).pipe(Command.withDescription("Show one rejected row in full")),
      Command.make("replay", { selection: RequestFlags.selection, json: RequestFlags.json }, replay).pipe(
        Command.withDescription("Read the rejected rows again by today's rules, and land those that pass"),
        Command.withExamples([{ command: `${name} quarantine replay`, description: "After a fix of the rules" }])
      )
    ])
  )

/**
 * The lines of a list of rejected rows.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  rows: ReadonlyArray<QuarantinedRow>,
  { style, width }: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> =>
  rows.flatMap((row) => [
    `${style.bold(`#${row.id}`)}  ${Paragraph.visible(row.origin)}:${row.line}  ${style.dim(row.asset)}`,
    ...row.reasons.flatMap((reason) =>
      Paragraph.wrap(visibleLines(reason), { width: width - 4, indent: "  " }).map(
        (line) => `    ${style.yellow(line)}`
      )
    ),
    `    ${style.dim(Paragraph.truncate(Paragraph.visible(row.raw), { width: Math.min(width, widestRaw) - 4, ellipsis: style.symbols.ellipsis }))}`
  ])

/**
 * The lines of one rejected row.
 *
 * @category conversions
 * @since 0.1.0
 */
export const rowLines = (
  row: QuarantinedRow,
  { style, width }: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const facts: ReadonlyArray<readonly [string, string]> = [
    ["row", style.bold(`#${row.id}`)],
    ["asset", row.asset],
    ["file", Paragraph.visible(row.origin)],
    ["line", Quantity.number(row.line)],
    ["rejected", `${Quantity.moment(row.quarantinedAt)} UTC, by run ${row.runId}`],
    ...(row.retriedAt === undefined ? [] : [["retried", `${Quantity.moment(row.retriedAt)} UTC, in vain`] as const]),
    ...(row.releasedAt === undefined
      ? []
      : [
          [
            "landed",
            style.green(`${Quantity.moment(row.releasedAt)} UTC, by run ${row.releasedBy ?? "unknown"}`)
          ] as const
        ])
  ]
  return [
    ...facts.map(([label, text]) => `${style.dim(label.padEnd(8))}  ${text}`),
    "",
    style.dim("reasons"),
    ...row.reasons.flatMap((reason) =>
      Paragraph.wrap(visibleLines(reason), { width: width - 2, indent: "  " }).map((line) => `  ${style.yellow(line)}`)
    ),
    "",
    style.dim("text"),
    `  ${Paragraph.visible(row.raw)}`
  ]
}

// --- internal ---

/** A reason may have several lines; each is harmless to a terminal, and stays one. */
const visibleLines = (text: string): string => text.split("\n").map(Paragraph.visible).join("\n")

/** A log has no width, but a line of raw text can be a megabyte. */
const widestRaw = 400

/** Beyond that, exact is not worth reading everything. */
const mostCounted = 10_000

const listing = {
  selection: RequestFlags.selection,
  limit: Flag.Int("limit").pipe(
    Flag.withAlias("n"),
    Flag.withMetavar("N"),
    Flag.filter(
      (limit) => limit > 0,
      () => "Expected a number of rows, 1 or more"
    ),
    Flag.withDescription("At most so many rows (default: 20)"),
    Flag.withDefault(20)
  ),
  after: Flag.String("after").pipe(
    Flag.withMetavar("ID"),
    Flag.withDescription("Only rows behind the one of this id, for the next page"),
    Flag.optional
  ),
  json: RequestFlags.json
}

const list = Effect.fnUntraced(function* (input: {
  readonly selection: RequestFlags.Selection
  readonly limit: number
  readonly after: Option.Option<string>
  readonly json: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const selected = yield* HostReport.select(session, input.selection)
  // Rows lie in quarantine under sources only, so of a selection only these count.
  const sources = selected?.filter((name) => session.assay.graph.assets.get(name)?.body._tag === "Source")
  const [asset, ...others] = sources ?? []
  if (others.length > 0) {
    return yield* new UsageError({
      message: `quarantine list shows one source asset, or all: name one of ${[asset, ...others].join(", ")}.`
    })
  }
  const isNothing = sources !== undefined && asset === undefined
  const query = { asset, limit: input.limit + 1, after: Option.getOrUndefined(input.after) }
  const found = isNothing ? [] : yield* session.assay.quarantined(query)
  const rows = found.slice(0, input.limit)
  const last = rows.at(-1)
  const isMore = found.length > rows.length
  if (input.json) {
    const document: QuarantineDocument = {
      rows: rows.map(rowDocument),
      next: isMore && last !== undefined ? last.id : null
    }
    return yield* out.write(Json.document(document))
  }
  yield* writeLines(out, HostReport.header("quarantine", session, out.style))
  if (last === undefined) return yield* writeLines(out, ["No row is in quarantine."])
  yield* writeLines(out, lines(rows, { style: out.style, width: yield* out.columns }))
  const more = isMore ? (yield* session.assay.quarantined({ asset, limit: mostCounted + 1, after: last.id })).length : 0
  const { dim, words } = out.style
  const hint = `One row in full: ${host.call} quarantine show ${last.id}. After a fix: ${host.call} quarantine replay`
  yield* writeLines(out, [
    ...(more === 0
      ? []
      : [
          dim(
            words(
              `… ${more > mostCounted ? `more than ${Quantity.number(mostCounted)}` : Quantity.number(more)} more: --after ${last.id}`
            )
          )
        ]),
    "",
    ...Paragraph.wrap(hint, { width: yield* out.columns }).map(dim)
  ])
}, Effect.scoped)

const show = Effect.fnUntraced(function* ({ id, json }: { readonly id: string; readonly json: boolean }) {
  const host = yield* Host
  const { out } = yield* Screen
  const { assay } = yield* host.open
  const name = id.replace(/^#/, "")
  const found = yield* assay.quarantinedRow(name)
  if (Option.isNone(found)) {
    return yield* new UsageError({
      message: `There is no rejected row ${JSON.stringify(name)}. See them: ${host.call} quarantine`
    })
  }
  if (json) return yield* out.write(Json.document(rowDocument(found.value)))
  yield* writeLines(out, rowLines(found.value, { style: out.style, width: yield* out.columns }))
}, Effect.scoped)

const replay = Effect.fnUntraced(function* (input: {
  readonly selection: RequestFlags.Selection
  readonly json: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const assets = yield* HostReport.select(session, input.selection)
  const { landed, tried } = assets?.length === 0 ? { landed: 0, tried: 0 } : yield* session.assay.replay(assets)
  const stillRejected = tried - landed
  if (input.json) {
    const document: ReplayDocument = { tried, landed, stillRejected }
    return yield* out.write(Json.document(document))
  }
  yield* writeLines(out, HostReport.header("quarantine replay", session, out.style))
  if (tried === 0) return yield* writeLines(out, ["No row is in quarantine."])
  yield* writeLines(out, [
    `${Quantity.count(tried, "row")} read again: ${Quantity.number(landed)} landed, ${Quantity.number(stillRejected)} still rejected.`,
    ...(landed === 0 ? [] : [out.style.dim(`Next: ${host.call} materialize`)]),
    ...(stillRejected === 0 ? [] : [out.style.dim(`Why: ${host.call} quarantine`)])
  ])
}, Effect.scoped)

const rowDocument = (row: QuarantinedRow): RejectedOfDocument => ({
  id: row.id,
  asset: row.asset,
  file: row.origin,
  line: row.line,
  raw: row.raw,
  reasons: row.reasons,
  context: row.context,
  runId: row.runId,
  quarantinedAt: DateTime.formatIso(row.quarantinedAt),
  retriedAt: row.retriedAt === undefined ? null : DateTime.formatIso(row.retriedAt),
  releasedAt: row.releasedAt === undefined ? null : DateTime.formatIso(row.releasedAt),
  releasedBy: row.releasedBy ?? null
})
