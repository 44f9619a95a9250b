/**
 * `why`: why is a unit as it is, and what would be done about it? What the ledger keeps of it, what its condition says of
 * it, and the next step, in words.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Host } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { Screen, writeLines } from "./Screen.ts"

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make(
    "why",
    {
      asset: Argument.String("NAME").pipe(Argument.withDescription("Name of the asset")),
      unit: Argument.String("UNIT").pipe(
        Argument.withDescription(
          "A partition (2024-03-03, latest) or a key; without it, the last partition that is due"
        ),
        Argument.optional
      ),
      json: RequestFlags.json
    },
    why
  ).pipe(
    Command.withDescription("Explain why a partition or a key is stale, missing or fresh, and what would be done"),
    Command.withExamples([
      { command: `${name} why gold_revenue 2024-03-03`, description: "One day" },
      { command: `${name} why dim_customer cus_000011`, description: "One customer" }
    ])
  )

// --- internal ---

const why = Effect.fnUntraced(function* (input: {
  readonly asset: string
  readonly unit: Option.Option<string>
  readonly json: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const WhyReport = yield* Effect.promise(() => import("./WhyReport.ts"))
  const session = yield* host.open
  const explanation = yield* session.assay.why({ asset: input.asset, unit: Option.getOrUndefined(input.unit) })
  if (input.json) return yield* out.write(Json.document(WhyReport.documentOf(explanation, session.target)))
  const now = yield* DateTime.now
  yield* writeLines(out, HostReport.header("why", session, out.style))
  yield* writeLines(
    out,
    WhyReport.lines(explanation, { style: out.style, width: yield* out.columns, now, call: host.call })
  )
}, Effect.scoped)
