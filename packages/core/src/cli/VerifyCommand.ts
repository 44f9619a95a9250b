/**
 * `verify`: do the tables hold what they should? Recomputes and compares; a difference fails the command.
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { AssetKey } from "../Asset.ts"
import type { Verdict } from "../execution/Verifier.ts"
import { ExitCode, Unsuccessful } from "./ExitCode.ts"
import { Host } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { Screen, writeLines } from "./Screen.ts"
import type { Style } from "./Style.ts"
import * as Table from "./Table.ts"

/**
 * What `verify --json` prints.
 *
 * @category models
 * @since 0.1.0
 */
export interface VerifyDocument {
  readonly target: string
  readonly isStrict: boolean
  readonly isOk: boolean
  readonly assets: ReadonlyArray<{
    readonly asset: AssetKey
    readonly isOk: boolean
    readonly compared: Verdict["compared"]
    /** Units left out of the comparison; with `--strict`, units that should not be there. */
    readonly stale: number
    readonly missing: number
    readonly difference: {
      /** Rows that the recompute has and the table lacks. */
      readonly missing: number
      /** Rows that the table has and the recompute lacks. */
      readonly unexpected: number
      readonly examples: ReadonlyArray<string>
    }
  }>
}

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make(
    "verify",
    {
      selection: RequestFlags.selection,
      strict: RequestFlags.toggle(
        "strict",
        "Recompute the whole chain from the sources, and fail where anything is stale"
      ),
      json: RequestFlags.json
    },
    verify
  ).pipe(
    Command.withDescription(
      "Recompute assets from what is upstream of them and compare; fails where a fresh unit differs"
    ),
    Command.withExamples([
      { command: `${name} verify`, description: "Every asset against the tables it reads" },
      { command: `${name} verify --strict`, description: "Every asset against a full refresh" }
    ])
  )

/**
 * The lines of what was found.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  verdicts: ReadonlyArray<Verdict>,
  options: { readonly style: Style; readonly width: number; readonly isStrict: boolean; readonly call: string }
): ReadonlyArray<string> => {
  const { call, style, width } = options
  if (verdicts.length === 0) return ["There is nothing to compare: sources and views are not built."]
  const bad = verdicts.filter(({ isOk }) => !isOk)
  return [
    ...Table.render(
      {
        columns: [
          { title: "asset", isFixed: true },
          { title: "result", isFixed: true },
          { title: "compared", isFixed: true },
          { title: "stale", align: "right", isFixed: true },
          { title: "missing", align: "right", isFixed: true },
          { title: "lacking", align: "right", isFixed: true },
          { title: "extra", align: "right", isFixed: true }
        ],
        rows: verdicts.map((verdict) => [
          verdict.asset,
          verdict.isOk
            ? `${style.symbols.done} ok`
            : `${style.symbols.failed} ${style.red(differs(verdict) ? "differs" : "stale")}`,
          verdict.compared,
          Quantity.number(verdict.stale),
          Quantity.number(verdict.missing),
          Quantity.number(verdict.difference.missing),
          Quantity.number(verdict.difference.unexpected)
        ])
      },
      options
    ),
    ...bad.flatMap(({ asset, difference }) =>
      difference.examples.length === 0
        ? []
        : [
            "",
            `${asset}, for example:`,
            ...difference.examples.map(
              (example) =>
                `  ${Paragraph.truncate(Paragraph.visible(example), { width: Math.min(width, widestExample) - 2, ellipsis: style.symbols.ellipsis })}`
            )
          ]
    ),
    "",
    verdict(verdicts, options),
    ...(bad.length === 0
      ? []
      : [
          style.dim(
            options.isStrict && verdicts.some(isDue)
              ? `Next: ${call} materialize, and verify again`
              : `Next: ${call} materialize --asset ${bad.map(({ asset }) => asset).join(",")} --force`
          )
        ])
  ]
}

// --- internal ---

const verdict = (
  verdicts: ReadonlyArray<Verdict>,
  { isStrict, style }: { readonly style: Style; readonly isStrict: boolean }
): string => {
  const bad = verdicts.filter(({ isOk }) => !isOk)
  const different = bad.filter(differs).length
  const of = `of ${Quantity.count(verdicts.length, "asset")}`
  const than = isStrict ? "a full refresh" : "its recompute"
  if (different > 0) {
    const why = isStrict && verdicts.some(isDue) ? ", but not everything is up to date" : ""
    return style.red(`${different} ${of} ${different === 1 ? "differs" : "differ"} from ${than}${why}.`)
  }
  if (bad.length > 0) {
    const rest = bad.every(isEqual) ? "; what is there is right" : ""
    return style.red(`${bad.length} ${of} ${bad.length === 1 ? "is" : "are"} not up to date${rest}.`)
  }
  if (verdicts.every(({ compared }) => compared === "nothing"))
    return style.yellow("Nothing is fresh, so there was nothing to compare.")
  return style.green(isStrict ? "Every table equals a full refresh." : "Every fresh unit equals its recompute.")
}

const widestExample = 400

const verify = Effect.fnUntraced(function* (input: {
  readonly selection: RequestFlags.Selection
  readonly strict: boolean
  readonly json: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const isStrict = input.strict
  const session = yield* host.open
  const assets = yield* HostReport.select(session, input.selection)
  const isNothing = assets?.length === 0
  const verdicts = isNothing ? [] : yield* session.assay.verify({ assets, strict: isStrict })
  const isOk = verdicts.every((verdict) => verdict.isOk)
  if (input.json) yield* out.write(Json.document(documentOf(verdicts, { target: session.target, isStrict, isOk })))
  else {
    yield* writeLines(out, HostReport.header(isStrict ? "verify --strict" : "verify", session, out.style))
    yield* writeLines(
      out,
      isNothing
        ? [HostReport.nothingSelected(input.selection)]
        : lines(verdicts, { style: out.style, width: yield* out.columns, isStrict, call: host.call })
    )
  }
  if (!isOk) return yield* new Unsuccessful({ code: ExitCode.failed })
}, Effect.scoped)

const isEqual = ({ difference }: Verdict): boolean => difference.missing + difference.unexpected === 0

/** Where the whole chain is compared, what is due is expected to differ; without anything due, a difference is a fault. */
const differs = (verdict: Verdict): boolean =>
  !isEqual(verdict) && !(verdict.compared === "everything" && isDue(verdict))

const isDue = ({ missing, stale }: Verdict): boolean => missing + stale > 0

const documentOf = (
  verdicts: ReadonlyArray<Verdict>,
  rest: Pick<VerifyDocument, "target" | "isStrict" | "isOk">
): VerifyDocument => ({
  ...rest,
  assets: verdicts.map(({ asset, compared, difference, isOk, missing, stale }) => ({
    asset,
    isOk,
    compared,
    stale,
    missing,
    difference: { missing: difference.missing, unexpected: difference.unexpected, examples: difference.examples }
  }))
})
